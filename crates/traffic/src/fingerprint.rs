//! What a client's way to greet says of its program: JA3, JA3S and JA4 of a TLS hello.

use md5::{Digest, Md5};
use sha2::Sha256;
use wire::tls::{ClientHello, ServerHello, is_grease};

/// What a hello travels in; JA4 says so with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// TLS over a stream.
    Stream,
    /// QUIC.
    Quic,
    /// DTLS.
    Datagram,
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn digit(nibble: u8) -> u8 {
    DIGITS.get(usize::from(nibble & 15)).copied().unwrap_or(b'?')
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(digit(byte >> 4)));
        text.push(char::from(digit(*byte)));
    }
    text
}

fn push_decimal(text: &mut Vec<u8>, value: u16) {
    let mut begun = false;
    for power in [10_000, 1000, 100, 10, 1] {
        let place = value / power % 10;
        begun |= place > 0 || power == 1;
        if begun {
            text.push(digit(place.to_be_bytes()[1]));
        }
    }
}

/// The numbers without those that only grease, with dashes between them.
fn push_joined(text: &mut Vec<u8>, values: impl Iterator<Item = u16>) {
    for (index, value) in values.filter(|value| !is_grease(*value)).enumerate() {
        if index > 0 {
            text.push(b'-');
        }
        push_decimal(text, value);
    }
}

fn md5(text: &[u8]) -> String {
    hex(&Md5::digest(text))
}

/// JA3: version, ciphers, extensions, groups and point formats, as the MD5 of their decimal numbers.
pub(crate) fn ja3(hello: &ClientHello<'_>) -> String {
    let mut text = Vec::with_capacity(512);
    push_decimal(&mut text, hello.version);
    text.push(b',');
    push_joined(&mut text, hello.ciphers());
    text.push(b',');
    push_joined(&mut text, hello.extensions().map(|extension| extension.kind));
    text.push(b',');
    push_joined(&mut text, hello.groups());
    text.push(b',');
    push_joined(&mut text, hello.point_formats().iter().map(|format| u16::from(*format)));
    md5(&text)
}

/// JA3S: version, cipher and extensions of the answer.
pub(crate) fn ja3s(hello: &ServerHello<'_>) -> String {
    let mut text = Vec::with_capacity(64);
    push_decimal(&mut text, hello.version);
    text.push(b',');
    push_decimal(&mut text, hello.cipher);
    text.push(b',');
    for (index, extension) in hello.extensions().enumerate() {
        if index > 0 {
            text.push(b'-');
        }
        push_decimal(&mut text, extension.kind);
    }
    md5(&text)
}

/// The first twelve hexadecimal digits of a SHA-256; zeros where there is nothing to digest.
fn short_digest(text: &[u8]) -> String {
    match Sha256::digest(text).first_chunk::<6>() {
        Some(begin) if !text.is_empty() => hex(begin),
        _ => "0".repeat(12),
    }
}

fn push_four_digits(text: &mut Vec<u8>, values: &[u16]) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let [high, low] = value.to_be_bytes();
        text.extend([high >> 4, high, low >> 4, low].map(digit));
    }
}

/// The newest version that is offered, as JA4 writes it.
fn version_letters(hello: &ClientHello<'_>) -> &'static str {
    // The versions of DTLS count downwards.
    let newest = match hello.version >> 8 {
        0xfe => hello.versions().filter(|version| version >> 8 == 0xfe).min(),
        _ => hello.versions().filter(|version| !is_grease(*version)).max(),
    };
    match newest.unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// First and last letter of the first protocol; of its hexadecimal form where one of them is no letter or digit.
fn protocol_letters(hello: &ClientHello<'_>) -> String {
    let Some(name) = hello.protocols().next() else { return "00".to_owned() };
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            [char::from(*first), char::from(*last)].iter().collect()
        }
        (Some(first), Some(last)) => format!("{:x}{:x}", first >> 4, last & 0x0f),
        _ => "00".to_owned(),
    }
}

/// JA4: what is offered in ten characters, then digests of the sorted ciphers and of the sorted extensions.
pub(crate) fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> String {
    let mut ciphers: Vec<u16> = hello.ciphers().filter(|cipher| !is_grease(*cipher)).collect();
    let kinds = hello.extensions().map(|extension| extension.kind).filter(|kind| !is_grease(*kind));
    let kinds: Vec<u16> = kinds.collect();
    // Server name and ALPN are counted, but differ by what is asked for: they are not digested.
    let mut digested: Vec<u16> = kinds.iter().copied().filter(|kind| !matches!(kind, 0 | 16)).collect();
    ciphers.sort_unstable();
    digested.sort_unstable();
    let signatures: Vec<u16> =
        hello.signature_algorithms().filter(|algorithm| !is_grease(*algorithm)).collect();
    let letter = match carrier {
        Carrier::Stream => 't',
        Carrier::Quic => 'q',
        Carrier::Datagram => 'd',
    };
    let named = if kinds.contains(&0) { 'd' } else { 'i' };
    let (mut offered, mut behind) = (Vec::with_capacity(256), Vec::with_capacity(256));
    push_four_digits(&mut offered, &ciphers);
    push_four_digits(&mut behind, &digested);
    if !signatures.is_empty() && !behind.is_empty() {
        behind.push(b'_');
        push_four_digits(&mut behind, &signatures);
    }
    format!(
        "{letter}{}{named}{:02}{:02}{}_{}_{}",
        version_letters(hello),
        ciphers.len().min(99),
        kinds.len().min(99),
        protocol_letters(hello),
        short_digest(&offered),
        short_digest(&behind),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hello with these ciphers, versions and ALPN, and extensions of nothing else.
    fn hello(ciphers: &[u16], alpn: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.push(0);
        body.extend_from_slice(&u16::try_from(ciphers.len() * 2).unwrap().to_be_bytes());
        body.extend(ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()));
        body.extend_from_slice(&[1, 0]);
        let mut extensions =
            vec![0x2a, 0x2a, 0, 0, 0, 43, 0, 5, 4, 0x0a, 0x0a, 3, 4, 0, 10, 0, 4, 0, 2, 0, 29];
        extensions.extend_from_slice(&[0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3]);
        if !alpn.is_empty() {
            let length = u8::try_from(alpn.len()).unwrap();
            extensions.extend_from_slice(&[0, 16, 0, length + 3, 0, length + 1, length]);
            extensions.extend_from_slice(alpn);
        }
        body.extend_from_slice(&u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&extensions);
        body
    }

    #[test]
    fn what_is_digested_and_what_is_left_out() {
        let body = hello(&[0x1a1a, 0x1302, 0x1301], b"h2");
        let offer = ClientHello::parse(&body, false).unwrap();
        assert_eq!(ja3(&offer), md5(b"771,4866-4865,43-10-11-13-16,29,0"));
        let ja4_of = ja4(&offer, Carrier::Stream);
        let digests = [&b"1301,1302"[..], b"000a,000b,000d,002b_0403"].map(short_digest);
        let expected = format!("t13i0205h2_{}", digests.join("_"));
        assert_eq!(ja4_of, expected);
        assert!(ja4(&offer, Carrier::Quic).starts_with("q13i"));
    }

    #[test]
    fn the_ends_of_the_protocols_name() {
        for (alpn, letters) in
            [(&b""[..], "00"), (b"h2", "h2"), (b"x", "xx"), (b"\xab\xcd", "ad"), (b"h\xff", "6f")]
        {
            let body = hello(&[0x1301], alpn);
            let offer = ClientHello::parse(&body, false).unwrap();
            assert_eq!(protocol_letters(&offer), letters);
        }
        assert_eq!(short_digest(b""), "000000000000");
        // The example of JA4's own description: a browser.
        let ciphers = b"002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
        assert_eq!(short_digest(ciphers), "8daaf6152771");
        assert_eq!(md5(b"a"), "0cc175b9c0f1b6a831c399e269772661");
    }
}
