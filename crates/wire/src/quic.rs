//! Packets of QUIC as far as they are in the clear: long headers, negotiation of versions, frames (RFC 9000 §17.2).

use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{array, be16};

/// Versions whose packets are read here.
pub mod version {
    /// RFC 9000.
    pub const V1: u32 = 1;
    /// RFC 9369.
    pub const V2: u32 = 0x6b33_43cf;
    /// The first draft whose packets are laid out as they are today.
    pub const DRAFT_22: u32 = 0xff00_0016;
    /// The first draft of those that share the next keys.
    pub const DRAFT_23: u32 = 0xff00_0017;
    /// The last draft with the keys of draft 23.
    pub const DRAFT_28: u32 = 0xff00_001c;
    /// The first draft that was widely spoken.
    pub const DRAFT_29: u32 = 0xff00_001d;
    /// The experiment of mvfst, with the packets and keys of draft 27.
    pub const MVFST_EXPERIMENT: u32 = 0xface_b00e;
    /// mvfst, with the packets and keys of draft 22.
    pub const MVFST_22: u32 = 0xface_b001;
    /// mvfst, with the packets and keys of draft 27.
    pub const MVFST_27: u32 = 0xface_b002;
    /// The last draft whose keys differ from version 1.
    pub const DRAFT_32: u32 = 0xff00_0020;
    /// The last draft.
    pub const DRAFT_34: u32 = 0xff00_0022;
}

/// What a packet with a long header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// The handshake begins; its keys follow from the connection's identity (RFC 9001 §5.2).
    Initial {
        /// What the server gave the client before.
        token: &'a [u8],
        /// Where in the packet its number is.
        number_at: usize,
    },
    /// Data before the handshake has ended.
    ZeroRtt,
    /// The rest of the handshake.
    Handshake,
    /// The server asks the client to begin again with a token.
    Retry,
    /// The server does not speak the version; what it speaks, as numbers of four bytes.
    Negotiation(&'a [u8]),
}

/// A packet with a long header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The version; 0 where versions are negotiated.
    pub version: u32,
    /// Whom it is for.
    pub destination: &'a [u8],
    /// Whom it is from.
    pub source: &'a [u8],
    /// What it is.
    pub kind: Kind<'a>,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "quic", at, what }
}

/// A number of 1, 2, 4 or 8 bytes (RFC 9000 §16), and what follows.
pub fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let (raw, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    let value = raw.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let bits = u32::try_from(raw.len()).ok()? * 8 - 2;
    Some((value & ((1 << bits) - 1), rest))
}

fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// Whether packets of this version are read here.
pub fn is_known(version: u32) -> bool {
    matches!(
        version,
        version::V1 | version::V2 | version::DRAFT_22
            ..=version::DRAFT_34 | version::MVFST_22 | version::MVFST_27 | version::MVFST_EXPERIMENT
    )
}

/// Reads the packet with a long header that the bytes begin with, and gives what follows it in the datagram.
pub fn parse(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), Fault> {
    let first = bytes.first().ok_or(fault(0, "no byte"))?;
    let version = array(bytes, 1).map(u32::from_be_bytes).ok_or(fault(1, "no version"))?;
    if first & 0x80 == 0 {
        return Err(fault(0, "no long header (RFC 9000 §17.2)"));
    }
    let (destination, rest) = bytes.get(5..).and_then(short).ok_or(fault(5, "the destination ends early"))?;
    let (source, rest) = short(rest).ok_or(fault(6 + destination.len(), "the source ends early"))?;
    let at = bytes.len() - rest.len();
    if version == 0 {
        if rest.is_empty() || !rest.len().is_multiple_of(4) {
            return Err(fault(at, "versions of four bytes each, and one at least (RFC 9000 §17.2.1)"));
        }
        return Ok((Packet { version, destination, source, kind: Kind::Negotiation(rest), bytes }, &[]));
    }
    if !is_known(version) || first & 0x40 == 0 {
        return Err(fault(1, "no version that is read here"));
    }
    if destination.len() > 20 || source.len() > 20 {
        return Err(fault(5, "an identity of more than 20 bytes (RFC 9000 §17.2)"));
    }
    // Version 2 has other numbers for the same kinds (RFC 9369 §3.2).
    let kind = (first >> 4 & 3).wrapping_sub(u8::from(version == version::V2)) & 3;
    let (token, rest) = match kind {
        0 => {
            let (length, rest) = number(rest).ok_or(fault(at, "the token ends early"))?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            rest.split_at_checked(length).ok_or(fault(at, "the token ends early"))?
        }
        // A token, and 16 bytes that prove that the packet was seen (RFC 9000 §17.2.5).
        3 if rest.len() > 16 => {
            return Ok((Packet { version, destination, source, kind: Kind::Retry, bytes }, &[]));
        }
        3 => return Err(fault(at, "a retry without a token")),
        _ => (&[][..], rest),
    };
    let at = bytes.len() - rest.len();
    let (length, rest) = number(rest).ok_or(fault(at, "no length"))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    // The number, and what is sampled to hide it (RFC 9001 §5.4.2).
    if length < 20 || length > rest.len() {
        return Err(fault(at, "a length that does not fit"));
    }
    let number_at = bytes.len() - rest.len();
    let (whole, rest) =
        bytes.split_at_checked(number_at + length).ok_or(fault(at, "a length that does not fit"))?;
    let kind = match kind {
        0 => Kind::Initial { token, number_at },
        1 => Kind::ZeroRtt,
        _ => Kind::Handshake,
    };
    Ok((Packet { version, destination, source, kind, bytes: whole }, rest))
}

/// The packets of a datagram that have long headers.
pub fn packets(datagram: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = datagram;
    core::iter::from_fn(move || {
        let (packet, after) = parse(rest).ok()?;
        rest = after;
        Some(packet)
    })
}

/// The handshake bytes that the decrypted frames of an Initial carry, with their offsets; `None` for other frames than
/// an Initial may have (RFC 9000 §17.2.2).
pub fn crypto(frames: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = frames;
    while let Some((kind, after)) = rest.split_first() {
        rest = after;
        match kind {
            // Padding and ping.
            0 | 1 => {}
            2 | 3 => {
                let (_, after) = number(rest)?;
                let (_, after) = number(after)?;
                let (ranges, after) = number(after)?;
                let (_, after) = number(after)?;
                rest = after;
                for _ in 0..ranges.checked_mul(2)? {
                    rest = number(rest)?.1;
                }
                if *kind == 3 {
                    for _ in 0..3 {
                        rest = number(rest)?.1;
                    }
                }
            }
            6 => {
                let (offset, after) = number(rest)?;
                let (length, after) = number(after)?;
                let (data, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
                found.push((offset, data));
                rest = after;
            }
            // The connection is closed; a reason follows.
            0x1c => return Some(found),
            _ => return None,
        }
    }
    Some(found)
}

/// A packet of Google's QUIC before the standard: its version as four letters, and what follows its header.
pub fn parse_google(bytes: &[u8]) -> Result<([u8; 4], &[u8]), Fault> {
    let first = *bytes.first().ok_or(fault(0, "no byte"))?;
    let is = |version: &[u8; 4]| {
        let [letter, tens @ ..] = version;
        matches!(letter, b'Q' | b'T') && tens.iter().all(u8::is_ascii_digit) && tens.starts_with(b"0")
    };
    if first & 0xc0 == 0xc0 {
        // From Q046 on, with the long header of the drafts.
        let version = array(bytes, 1).filter(is).ok_or(fault(1, "no version of Google's"))?;
        let sizes = *bytes.get(5).ok_or(fault(5, "no lengths"))?;
        let rest = bytes.get(6..).unwrap_or_default();
        // An identity of 8 bytes of either side, in half a byte each or behind its length.
        return match (sizes, rest) {
            (0x50 | 0x05, _) if rest.len() > 8 => Ok((version, rest)),
            (8, rest) if rest.len() > 8 => Ok((version, rest)),
            _ => Err(fault(5, "no identity of 8 bytes")),
        };
    }
    // Identity and version are there, no reset, no other bit but the number's length.
    if first & 0xcb != 0x09 {
        return Err(fault(0, "no header with a version"));
    }
    let version = array(bytes, 9).filter(is).ok_or(fault(9, "no version of Google's"))?;
    Ok((version, bytes.get(13..).unwrap_or_default()))
}

/// The server's name in a client hello of Google's QUIC: tags, each with where its value ends.
pub fn google_server_name(bytes: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(bytes, b"CHLO")?;
    let hello = bytes.get(at..)?;
    let count = usize::from(be16(hello, 4)?.swap_bytes());
    let values = hello.get(8 + count * 8..)?;
    let mut start = 0;
    for entry in hello.get(8..8 + count * 8)?.chunks_exact(8) {
        let end = usize::try_from(array(entry, 4).map(u32::from_le_bytes)?).ok()?;
        if entry.starts_with(b"SNI\0") {
            return values.get(start..end);
        }
        start = end;
    }
    None
}

/// What must hold of any bytes; used by the fuzz target.
#[doc(hidden)]
pub fn check(bytes: &[u8]) {
    let mut total = 0;
    for packet in packets(bytes) {
        total += packet.bytes.len();
        let ids = packet.destination.len() + packet.source.len();
        assert!(packet.bytes.len() > ids + 6 && (packet.version == 0 || ids <= 40));
        if let Kind::Initial { token, number_at } = packet.kind {
            assert!(number_at + 20 <= packet.bytes.len() && token.len() + ids < number_at);
        }
    }
    assert!(total <= bytes.len());
    if let Some(found) = crypto(bytes) {
        assert!(found.iter().map(|(_, data)| data.len() + 3).sum::<usize>() <= bytes.len());
    }
    if let Ok((version, rest)) = parse_google(bytes) {
        assert!(version.is_ascii() && rest.len() + 6 <= bytes.len());
    }
    assert!(google_server_name(bytes).is_none_or(|name| name.len() < bytes.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initial(version: u32, first: u8) -> Vec<u8> {
        let mut bytes = Vec::from([first]);
        bytes.extend_from_slice(&version.to_be_bytes());
        bytes.extend_from_slice(&[4, 1, 2, 3, 4, 2, 9, 9, 1, 7, 0x40, 24]);
        bytes.extend_from_slice(&[5; 24]);
        bytes
    }

    #[test]
    fn an_initial_and_what_follows_it() {
        let one = initial(version::V1, 0xc3);
        let both = [one.clone(), initial(version::V1, 0xe3)].concat();
        let (packet, rest) = parse(&both).unwrap();
        assert_eq!((packet.destination, packet.source), (&[1, 2, 3, 4][..], &[9, 9][..]));
        assert_eq!(packet.kind, Kind::Initial { token: &[7], number_at: 17 });
        assert_eq!((packet.bytes, rest.len()), (&one[..], one.len()));
        // As a handshake packet the token would be its length.
        assert_eq!(packets(&both).count(), 1);
        assert!(matches!(parse(&initial(version::V2, 0xd3)).unwrap().0.kind, Kind::Initial { .. }));
        for length in 0..one.len() {
            assert!(parse(&one[..length]).is_err());
            check(&one[..length]);
        }
    }

    #[test]
    fn negotiation_and_what_is_forbidden() {
        let offer = [&[0x80, 0, 0, 0, 0, 1, 7, 1, 8][..], &1_u32.to_be_bytes()].concat();
        assert_eq!(parse(&offer).unwrap().0.kind, Kind::Negotiation(&[0, 0, 0, 1]));
        assert!(parse(&offer[..9]).is_err() && parse(&offer[..11]).is_err());
        for (at, value) in [(0, 0x43), (0, 0x83), (4, 9), (5, 21), (5, 200), (15, 0xff), (16, 200), (16, 3)] {
            let mut bad = initial(version::V1, 0xc3);
            bad[at] = value;
            assert!(parse(&bad).is_err(), "{at}");
        }
    }

    #[test]
    fn numbers_and_frames() {
        assert_eq!(number(&[0x25]).unwrap().0, 37);
        assert_eq!(number(&[0x7b, 0xbd]).unwrap().0, 15_293);
        assert_eq!(number(&[0x9d, 0x7f, 0x3e, 0x7d]).unwrap().0, 494_878_333);
        assert_eq!(number(&[0x40]), None);
        let frames = [0, 1, 2, 5, 0, 0, 0, 6, 3, 2, 8, 9, 6, 0, 1, 7, 0];
        assert_eq!(crypto(&frames).unwrap(), [(3, &[8, 9][..]), (0, &[7][..])]);
        assert_eq!(crypto(&[8, 0]), None);
        assert_eq!(crypto(&[6, 0, 5, 1]), None);
        assert_eq!(crypto(&[2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn the_quic_of_google() {
        let mut old = [&[0x09, 1, 2, 3, 4, 5, 6, 7, 8][..], b"Q043\x01"].concat();
        old.extend_from_slice(&[0; 12]);
        old.extend_from_slice(
            b"CHLO\x02\x00\x00\x00PAD\x00\x02\x00\x00\x00SNI\x00\x0b\x00\x00\x00--a.example",
        );
        let (version, rest) = parse_google(&old).unwrap();
        assert_eq!((&version, google_server_name(rest)), (b"Q043", Some(&b"a.example"[..])));
        let new = [&[0xc3][..], b"Q046\x50", &[7; 12]].concat();
        assert_eq!(parse_google(&new).unwrap().0, *b"Q046");
        for length in 0..old.len() {
            check(&old[..length]);
        }
        assert!(parse_google(b"\xc3X046\x50123456789").is_err());
        assert!(parse_google(b"\x0f12345678Q043").is_err());
    }

    #[test]
    fn random_bytes_keep_the_rules() {
        let mut state = 0x9182_7364_5546_3728_u64;
        for round in 0..20_000 {
            let mut bytes = if round % 2 == 0 { initial(version::V1, 0xc3) } else { Vec::new() };
            for _ in 0..6 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let [place, value, ..] = state.to_le_bytes();
                if let Some(byte) = bytes.get_mut(usize::from(place) % 42) {
                    *byte = value;
                }
                bytes.extend_from_slice(&(state & 0x071f_0306_4007_0606).to_le_bytes());
            }
            check(&bytes);
        }
    }
}
