//! L2TP: PPP over UDP (version 2), and frames over IP or UDP (version 3) (RFC 2661 §3.1, RFC 3931 §4.1).

use crate::Fault;
use crate::cursor::{be16, be32};

/// The header of a data message of version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    /// The tunnel (upper half) and the session in it, as the receiver numbers them.
    pub session: u32,
    /// Bytes of the whole message, where it says.
    pub total_bytes: Option<usize>,
    /// Bytes of the header.
    pub header_bytes: usize,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "L2TP", at, what }
}

/// Reads the header of a data message of version 2.
pub fn parse_2(bytes: &[u8]) -> Result<Data, Fault> {
    let short = || fault(0, "shorter than a header (RFC 2661 §3.1)");
    let flags = be16(bytes, 0).ok_or_else(short)?;
    // Data, version 2, and every bit zero that must be.
    if flags & 0xb4ff != 2 {
        return Err(fault(0, "the flags are not those of a data message of version 2 (RFC 2661 §3.1)"));
    }
    let (has_length, has_numbers, has_offset) =
        (flags & 0x4000 != 0, flags & 0x0800 != 0, flags & 0x0200 != 0);
    let mut at = 2;
    let mut total_bytes = None;
    if has_length {
        total_bytes = Some(usize::from(be16(bytes, at).ok_or_else(short)?));
        at += 2;
    }
    let session = be32(bytes, at).ok_or_else(short)?;
    at += if has_numbers { 8 } else { 4 };
    if has_offset {
        at += 2 + usize::from(be16(bytes, at).ok_or_else(short)?);
    }
    if bytes.len() < at {
        return Err(short());
    }
    Ok(Data { session, total_bytes, header_bytes: at })
}

/// The session of a data message of version 3, and where what follows may begin: the length of cookie and sublayer is
/// agreed beforehand (RFC 3931 §4.1).
pub fn parse_3(bytes: &[u8]) -> Result<(u32, [usize; 5]), Fault> {
    match be32(bytes, 0) {
        // Session 0 is control.
        Some(session @ 1..) => Ok((session, [4, 8, 12, 16, 20])),
        _ => Err(fault(0, "no number of a session (RFC 3931 §4.1)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_version_two() {
        let plain = [0, 2, 0, 1, 0, 2];
        let found = parse_2(&plain).unwrap();
        assert_eq!((found.session, found.total_bytes, found.header_bytes), (0x1_0002, None, 6));
        let all = [0x4b, 2, 0, 20, 0, 1, 0, 2, 0, 0, 0, 0, 0, 2, 9, 9];
        let found = parse_2(&all).unwrap();
        assert_eq!((found.session, found.total_bytes, found.header_bytes), (0x1_0002, Some(20), 16));
        for end in 0..all.len() {
            assert!(parse_2(&all[..end]).is_err(), "prefix of {end}");
        }
        for (place, value) in [(0, 0x80), (0, 0x20), (0, 4), (1, 3), (1, 0x12)] {
            let mut broken = plain;
            broken[place] = value;
            assert!(parse_2(&broken).is_err(), "{value} at {place}");
        }
        assert!(parse_3(&[0, 0, 0, 0]).is_err());
        assert_eq!(parse_3(&[0, 0, 0, 7]).unwrap().0, 7);
    }
}
