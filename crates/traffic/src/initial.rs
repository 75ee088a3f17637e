//! The Initial packets of QUIC, decrypted: their keys follow from what is in the clear (RFC 9001 §5.2).

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, Payload};
use hkdf::Hkdf;
use sha2::Sha256;
use wire::quic::{self, Kind, Packet, version};

/// RFC 9001 §5.2.
const SALT_V1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// RFC 9369 §3.3.1.
const SALT_V2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// Draft 22, and mvfst of that time.
const SALT_22: [u8; 20] = [
    0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x2a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02,
    0x64, 0x49, 0x0a,
];
/// The drafts from 23 to 28, and mvfst of that time.
const SALT_EARLY: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// The drafts from 29 to 32.
const SALT_DRAFT: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];

/// Whose packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

struct Keys {
    key: [u8; 16],
    iv: [u8; 12],
    hide: [u8; 16],
}

/// A key of a label, as TLS 1.3 makes them (RFC 8446 §7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> Option<[u8; N]> {
    let mut key = [0; N];
    let size = u16::try_from(N).ok()?.to_be_bytes();
    let length = u8::try_from(label.len() + 6).ok()?;
    secret.expand_multi_info(&[&size, &[length], b"tls13 ", label, &[0]], &mut key).ok()?;
    Some(key)
}

fn keys(of: u32, destination: &[u8], end: End) -> Option<Keys> {
    let (salt, [key, iv, hide]): (_, [&[u8]; 3]) = match of {
        version::V2 => (SALT_V2, [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"]),
        version::DRAFT_22 | version::MVFST_22 => (SALT_22, [b"quic key", b"quic iv", b"quic hp"]),
        version::DRAFT_23..=version::DRAFT_28 | version::MVFST_27 | version::MVFST_EXPERIMENT => {
            (SALT_EARLY, [b"quic key", b"quic iv", b"quic hp"])
        }
        version::DRAFT_29..=version::DRAFT_32 => (SALT_DRAFT, [b"quic key", b"quic iv", b"quic hp"]),
        _ => (SALT_V1, [b"quic key", b"quic iv", b"quic hp"]),
    };
    let first = Hkdf::<Sha256>::new(Some(&salt), destination);
    let label: &[u8] = if end == End::Client { b"client in" } else { b"server in" };
    let secret = Hkdf::<Sha256>::from_prk(&expand::<32>(&first, label)?).ok()?;
    Some(Keys { key: expand(&secret, key)?, iv: expand(&secret, iv)?, hide: expand(&secret, hide)? })
}

/// Decrypts an Initial with the keys of this identity; `None` where they are not its keys.
fn decrypt(packet: &Packet<'_>, destination: &[u8], end: End) -> Option<Vec<u8>> {
    let Kind::Initial { number_at, .. } = packet.kind else { return None };
    let keys = keys(packet.version, destination, end)?;
    // What hides the number is made of a sample of what is encrypted (RFC 9001 §5.4.3).
    let mut mask = packet.bytes.get(number_at + 4..)?.first_chunk::<16>().copied()?.into();
    Aes128::new(&keys.hide.into()).encrypt_block(&mut mask);
    let mask: [u8; 16] = mask.into();
    let [over_first, over_number @ ..] = mask;
    let first = packet.bytes.first()? ^ over_first & 0x0f;
    let size = usize::from(first & 3) + 1;
    let (header, sealed) = packet.bytes.split_at_checked(number_at + size)?;
    let mut header = header.to_vec();
    *header.first_mut()? = first;
    let mut nonce = keys.iv;
    let mut number = [0_u8; 12];
    for ((shown, hidden), place) in header.get_mut(number_at..)?.iter_mut().zip(over_number).zip(12 - size..)
    {
        *shown ^= hidden;
        *number.get_mut(place)? = *shown;
    }
    for (byte, part) in nonce.iter_mut().zip(number) {
        *byte ^= part;
    }
    Aes128Gcm::new(&keys.key.into()).decrypt(&nonce.into(), Payload { msg: sealed, aad: &header }).ok()
}

/// A handshake is shorter than this.
const MOST_BYTES: usize = 65_536;

/// The handshake bytes that one end sent in its Initial packets, from the beginning to the first hole; `None` where none
/// of its packets could be decrypted.
pub(crate) fn handshake<'a>(
    packets: impl Iterator<Item = Packet<'a>>,
    identities: &[&[u8]],
    end: End,
) -> Option<Vec<u8>> {
    let mut parts: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut decrypted = false;
    for packet in packets.filter(|packet| matches!(packet.kind, Kind::Initial { .. })).take(16) {
        let frames = identities.iter().find_map(|identity| decrypt(&packet, identity, end));
        let Some(frames) = frames else { continue };
        decrypted = true;
        parts.extend(
            quic::crypto(&frames).unwrap_or_default().into_iter().map(|(at, data)| (at, data.to_vec())),
        );
    }
    parts.sort();
    let mut joined = Vec::new();
    for (at, data) in parts {
        let at = usize::try_from(at).ok()?;
        // What was said before is skipped; behind a hole nothing is known.
        let Some(skip) = joined.len().checked_sub(at) else { break };
        joined.extend_from_slice(data.get(skip..).unwrap_or_default());
        if joined.len() > MOST_BYTES {
            break;
        }
    }
    decrypted.then_some(joined)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The packet of a test: an Initial that carries these frames, filled up to 1200 bytes.
    pub(crate) fn sealed(of: u32, identity: &[u8], source: &[u8], end: End, frames: &[u8]) -> Vec<u8> {
        let keys = keys(of, identity, end).unwrap();
        let destination: &[u8] = if end == End::Client { identity } else { b"client" };
        let mut plain = frames.to_vec();
        plain.resize(1140, 0);
        let first = if of == version::V2 { 0xd1 } else { 0xc1 };
        let mut header = vec![first];
        header.extend_from_slice(&of.to_be_bytes());
        for identity in [destination, source] {
            header.push(u8::try_from(identity.len()).unwrap());
            header.extend_from_slice(identity);
        }
        header.push(0);
        header.extend_from_slice(&(0x4000 | u16::try_from(plain.len() + 16 + 2).unwrap()).to_be_bytes());
        let number_at = header.len();
        header.extend_from_slice(&[0, 5]);
        let mut nonce = keys.iv;
        nonce[11] ^= 5;
        let cipher = Aes128Gcm::new(&keys.key.into());
        let body = cipher.encrypt(&nonce.into(), Payload { msg: &plain, aad: &header }).unwrap();
        let mut bytes = [header, body].concat();
        let mut mask: aes::Block = (*bytes[number_at + 4..].first_chunk::<16>().unwrap()).into();
        Aes128::new(&keys.hide.into()).encrypt_block(&mut mask);
        bytes[0] ^= mask[0] & 0x0f;
        bytes[number_at] ^= mask[1];
        bytes[number_at + 1] ^= mask[2];
        bytes
    }

    /// A frame with handshake bytes.
    pub(crate) fn crypto(at: u16, data: &[u8]) -> Vec<u8> {
        let length = 0x4000 | u16::try_from(data.len()).unwrap();
        [&[6][..], &(0x4000 | at).to_be_bytes(), &length.to_be_bytes(), data].concat()
    }

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn keys_are_those_of_the_standard() {
        let identity = hex("8394c8f03e515708");
        let client = keys(version::V1, &identity, End::Client).unwrap();
        assert_eq!(client.key.to_vec(), hex("1f369613dd76d5467730efcbe3b1a22d"));
        assert_eq!(client.iv.to_vec(), hex("fa044b2f42a3fd3b46fb255c"));
        assert_eq!(client.hide.to_vec(), hex("9f50449e04a0e810283a1e9933adedd2"));
        let server = keys(version::V1, &identity, End::Server).unwrap();
        assert_eq!(server.key.to_vec(), hex("cf3a5331653c364c88f0f379b6067e37"));
        let newer = keys(version::V2, &identity, End::Client).unwrap();
        assert_eq!(newer.key.to_vec(), hex("8b1a0bc121284290a29e0971b5cd045d"));
    }

    #[test]
    fn parts_in_any_order_over_several_packets() {
        for of in [version::V1, version::V2, version::DRAFT_23, version::DRAFT_29, version::MVFST_27] {
            let one =
                sealed(of, b"identity", b"s", End::Client, &[crypto(6, b"ghij"), crypto(0, b"abc")].concat());
            let two = sealed(of, b"identity", b"s", End::Client, &crypto(2, b"cdefg"));
            let packets = || [&one, &two].into_iter().flat_map(|bytes| quic::packets(bytes));
            assert_eq!(handshake(packets(), &[b"other", b"identity"], End::Client).unwrap(), b"abcdefghij");
            assert_eq!(handshake(packets().take(1), &[b"identity"], End::Client).unwrap(), b"abc");
            assert_eq!(handshake(packets(), &[b"other"], End::Client), None);
            assert_eq!(handshake(packets(), &[b"identity"], End::Server), None);
        }
    }
}
