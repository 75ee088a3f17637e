//! TLS and DTLS as far as they are in the clear: records, handshake messages, hellos (RFC 8446, RFC 5246, RFC 9147).

mod fragments;
mod hello;
mod v2;

use alloc::borrow::Cow;
#[cfg(test)]
use alloc::vec::Vec;

pub use fragments::{DatagramRecord, datagram_handshakes, datagram_record};
pub use hello::{ClientHello, Extension, ServerHello, is_grease};
pub use v2::{V2ClientHello, parse_v2_client, parse_v2_server};

use crate::Fault;
use crate::cursor::be16;

/// What a record carries (RFC 8446 §5.1).
pub mod content {
    /// From here on it is encrypted.
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    /// Two bytes in the clear, more when encrypted.
    pub const ALERT: u8 = 21;
    /// Handshake messages.
    pub const HANDSHAKE: u8 = 22;
    /// Encrypted.
    pub const APPLICATION_DATA: u8 = 23;
    /// RFC 6520.
    pub const HEARTBEAT: u8 = 24;
}

/// Kinds of handshake messages (RFC 8446 §4).
pub mod handshake {
    /// DTLS asks the client to ask again (RFC 6347 §4.2.1).
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    /// The client's first message.
    pub const CLIENT_HELLO: u8 = 1;
    /// The server's choice.
    pub const SERVER_HELLO: u8 = 2;
    /// A chain of certificates.
    pub const CERTIFICATE: u8 = 11;
}

/// The largest fragment that anybody may send: TLS 1.2 with its allowance for compression (RFC 5246 §6.2.3).
pub const MOST_FRAGMENT: usize = 16_384 + 2048;

/// One record of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// One of [`content`].
    pub kind: u8,
    /// The version that the record layer claims.
    pub version: u16,
    /// The length it claims.
    pub length: usize,
    /// What is there of it.
    pub fragment: &'a [u8],
}

impl Record<'_> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.fragment.len() == self.length
    }
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "tls", at, what }
}

/// Reads the header of a record, and as much of its fragment as is there.
pub fn record(bytes: &[u8]) -> Result<Record<'_>, Fault> {
    let ([kind, version @ .., high, low], rest) =
        bytes.split_first_chunk::<5>().ok_or(fault(bytes.len(), "shorter than a record's header"))?;
    let version = u16::from_be_bytes(*version);
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if !(content::CHANGE_CIPHER_SPEC..=content::HEARTBEAT).contains(kind) {
        return Err(fault(0, "no content type (RFC 8446 §5.1)"));
    }
    if !(0x0300..=0x0304).contains(&version) {
        return Err(fault(1, "no version of a record"));
    }
    if length > MOST_FRAGMENT || (length == 0 && *kind != content::APPLICATION_DATA) {
        return Err(fault(3, "a length that no record has (RFC 8446 §5.1)"));
    }
    Ok(Record {
        kind: *kind,
        version,
        length,
        fragment: rest.get(..length.min(rest.len())).unwrap_or_default(),
    })
}

/// The records of a stream, the last one perhaps not whole; ends at what is none.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let record = record(rest).ok()?;
        rest = rest.get(5 + record.fragment.len()..).unwrap_or_default();
        Some(record)
    })
}

/// The handshake bytes in the clear, put together over records, up to the first that is encrypted or none.
pub fn clear_handshake(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut joined = Cow::Borrowed(&[][..]);
    for record in records(bytes) {
        match record.kind {
            content::HANDSHAKE if joined.is_empty() => joined = Cow::Borrowed(record.fragment),
            content::HANDSHAKE => joined.to_mut().extend_from_slice(record.fragment),
            // A warning may stand between (RFC 6066 §3).
            content::ALERT if record.length == 2 => {}
            _ => break,
        }
    }
    joined
}

/// One handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// One of [`handshake`].
    pub kind: u8,
    /// The length it claims.
    pub length: usize,
    /// What is there of it.
    pub body: &'a [u8],
}

impl Message<'_> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.body.len() == self.length
    }
}

/// The messages in handshake bytes, the last one perhaps not whole.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let ([kind, long @ .., high, low], after) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([*high, *low])) | usize::from(long[0]) << 16;
        let body = after.get(..length.min(after.len())).unwrap_or_default();
        rest = after.get(length..).unwrap_or_default();
        Some(Message { kind: *kind, length, body })
    })
}

/// The certificates of a chain, the server's own first, as TLS 1.2 and before send them (RFC 5246 §7.4.2).
pub fn certificates(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = vector24(body).unwrap_or_default();
    core::iter::from_fn(move || {
        let one = vector24(rest)?;
        rest = rest.get(3 + one.len()..)?;
        Some(one)
    })
}

fn vector24(bytes: &[u8]) -> Option<&[u8]> {
    let ([long, high, low], rest) = bytes.split_first_chunk::<3>()?;
    rest.get(..usize::from(*long) << 16 | usize::from(u16::from_be_bytes([*high, *low])))
}

/// A vector with its length in one byte, and what follows.
fn vector8(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// A vector with its length in two bytes, and what follows.
fn vector16(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = be16(bytes, 0)?;
    bytes.get(2..)?.split_at_checked(usize::from(length))
}

/// The name of an alert (RFC 8446 §6); `None` for a number that is none.
pub fn alert_name(description: u8) -> Option<&'static str> {
    Some(match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        52 => "too_many_cids_requested",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => return None,
    })
}

/// What people call a version; `None` for a number that is none.
pub fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0002 => "SSL 2.0",
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        0x7f00..=0x7fff => "TLS 1.3 draft",
        0xfeff => "DTLS 1.0",
        0xfefd => "DTLS 1.2",
        0xfefc => "DTLS 1.3",
        _ => return None,
    })
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    let mut total = 0;
    for record in records(bytes) {
        assert!(record.fragment.len() <= record.length && record.length <= MOST_FRAGMENT);
        total += 5 + record.fragment.len();
    }
    assert!(total <= bytes.len());
    let joined = clear_handshake(bytes);
    assert!(joined.len() <= bytes.len());
    let (datagrams, _) = datagram_handshakes([bytes].into_iter());
    for (kind, body) in &datagrams {
        assert!(body.len() <= bytes.len() && *kind < 255);
    }
    for source in [bytes, &joined] {
        for message in messages(source) {
            assert!(message.body.len() <= message.length);
            hello::check(message.body);
            assert!(certificates(message.body).map(<[u8]>::len).sum::<usize>() <= message.body.len());
        }
    }
    hello::check(bytes);
    v2::check(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_joined_and_end_where_it_is_encrypted() {
        let bytes = [
            &[22, 3, 1, 0, 3, 1, 0, 0][..],
            &[22, 3, 1, 0, 3, 2, 9, 9],
            &[20, 3, 3, 0, 1, 1],
            &[22, 3, 3, 0, 2, 7, 7],
        ]
        .concat();
        assert_eq!(records(&bytes).count(), 4);
        assert_eq!(*clear_handshake(&bytes), [1, 0, 0, 2, 9, 9]);
        let joined = clear_handshake(&bytes);
        let found: Vec<Message<'_>> = messages(&joined).collect();
        assert_eq!(found, [Message { kind: 1, length: 2, body: &[9, 9] }]);
        for length in 0..bytes.len() {
            check(&bytes[..length]);
        }
    }

    #[test]
    fn forbidden_headers_are_faults() {
        for bad in [
            [19, 3, 1, 0, 5],
            [25, 3, 1, 0, 5],
            [22, 2, 1, 0, 5],
            [22, 3, 5, 0, 5],
            [22, 3, 1, 0, 0],
            [22, 3, 1, 0x48, 1],
        ] {
            assert!(record(&bad).is_err(), "{bad:?}");
        }
        assert!(record(&[22, 3, 1, 0]).is_err());
        assert!(record(&[23, 3, 3, 0, 0]).unwrap().is_whole());
    }

    #[test]
    fn a_chain_is_taken_apart() {
        let body = [0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3];
        let found: Vec<&[u8]> = certificates(&body).collect();
        assert_eq!(found, [&[1, 2][..], &[3]]);
        assert_eq!(certificates(&body[..11]).count(), 0);
    }

    #[test]
    fn random_bytes_keep_the_rules() {
        let mut state = 0x1357_9bdf_2468_ace1_u64;
        for _ in 0..20_000 {
            let mut bytes = Vec::from([22, 3, 1, 0]);
            for _ in 0..12 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                bytes.extend_from_slice(&(state & 0x1f1f_1fff_1f03_0303).to_le_bytes());
            }
            check(&bytes);
        }
    }
}
