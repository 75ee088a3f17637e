//! The hellos of SSL 2.0, which clients of SSL 3.0 and TLS 1.0 also began with (RFC 5246 §E.2).

use super::fault;
use crate::Fault;
use crate::cursor::be16;

/// What a client offers in the old form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V2ClientHello<'a> {
    /// The newest version it speaks.
    pub version: u16,
    /// Ciphers of three bytes each.
    pub ciphers: &'a [u8],
}

/// The length and the message of a record without padding (the first bit is set).
fn message(bytes: &[u8]) -> Result<&[u8], Fault> {
    let length =
        be16(bytes, 0).filter(|length| length & 0x8000 != 0).ok_or(fault(0, "no record of SSL 2.0"))?;
    bytes.get(2..2 + usize::from(length & 0x7fff)).ok_or(fault(2, "the record ends early"))
}

/// Reads a whole ClientHello.
pub fn parse_v2_client(bytes: &[u8]) -> Result<V2ClientHello<'_>, Fault> {
    let body = message(bytes)?;
    let version = be16(body, 1).ok_or(fault(3, "no version"))?;
    if body.first() != Some(&1) || !matches!(version, 0x0002 | 0x0300..=0x0303) {
        return Err(fault(2, "no ClientHello of SSL 2.0"));
    }
    let number = |at| be16(body, at).map(usize::from).ok_or(fault(at, "the message ends early"));
    let (ciphers, session, challenge) = (number(3)?, number(5)?, number(7)?);
    if ciphers == 0
        || !ciphers.is_multiple_of(3)
        || !matches!(session, 0 | 16)
        || !(16..=32).contains(&challenge)
    {
        return Err(fault(5, "lengths that no hello has (RFC 5246 §E.2)"));
    }
    if 9 + ciphers + session + challenge != body.len() {
        return Err(fault(5, "lengths that do not add up"));
    }
    Ok(V2ClientHello { version, ciphers: body.get(9..9 + ciphers).unwrap_or_default() })
}

/// Reads a ServerHello and gives its certificate.
pub fn parse_v2_server(bytes: &[u8]) -> Result<&[u8], Fault> {
    let body = message(bytes)?;
    let number = |at| be16(body, at).map(usize::from).ok_or(fault(at, "the message ends early"));
    if body.first() != Some(&4) || number(3)? != 2 || !matches!(body.get(1..3), Some([0 | 1, 0 | 1])) {
        return Err(fault(2, "no ServerHello of SSL 2.0"));
    }
    let (certificate, ciphers, connection) = (number(5)?, number(7)?, number(9)?);
    if !ciphers.is_multiple_of(3) || connection > 32 || 11 + certificate + ciphers + connection != body.len()
    {
        return Err(fault(7, "lengths that do not add up"));
    }
    Ok(body.get(11..11 + certificate).unwrap_or_default())
}

/// What must hold of any bytes.
pub(super) fn check(bytes: &[u8]) {
    if let Ok(hello) = parse_v2_client(bytes) {
        assert!(!hello.ciphers.is_empty() && hello.ciphers.len().is_multiple_of(3));
    }
    if let Ok(certificate) = parse_v2_server(bytes) {
        assert!(certificate.len() + 13 <= bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_and_lengths_must_add_up() {
        let mut bytes =
            [&[0x80, 0x1f, 1, 0, 2, 0, 6, 0, 0, 0, 16, 1, 0, 0x80, 7, 0, 0xc0][..], &[5; 16]].concat();
        assert_eq!(parse_v2_client(&bytes).unwrap().ciphers.len(), 6);
        for length in 0..bytes.len() {
            assert!(parse_v2_client(&bytes[..length]).is_err());
            check(&bytes[..length]);
        }
        bytes[6] = 3;
        assert!(parse_v2_client(&bytes).is_err());
    }
}
