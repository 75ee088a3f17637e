//! NSH: the header of a chain of services, before a packet or a frame (RFC 8300 §2).

use crate::Fault;
use crate::cursor::{array, be24};

/// What follows a header, in the numbers that NSH and VXLAN-GPE share (RFC 8300 §2.2, draft-ietf-nvo3-vxlan-gpe §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Ethernet.
    Ethernet,
    /// NSH.
    Services,
    /// MPLS.
    Mpls,
}

impl Follows {
    /// By its number.
    pub fn of(number: u8) -> Option<Follows> {
        Some(match number {
            1 => Follows::V4,
            2 => Follows::V6,
            3 => Follows::Ethernet,
            4 => Follows::Services,
            5 => Follows::Mpls,
            _ => return None,
        })
    }
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nsh {
    /// Which path.
    pub path: u32,
    /// What follows; `None` for what is not read further.
    pub follows: Option<Follows>,
    /// Bytes of the header with its context.
    pub header_bytes: usize,
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Nsh, Fault> {
    let fault = |at, what| Fault { layer: "NSH", at, what };
    let (Some([first, second, kind, follows]), Some(path), Some(_)) =
        (array(bytes, 0), be24(bytes, 4), bytes.get(7))
    else {
        return Err(fault(0, "shorter than a header (RFC 8300 §2.2)"));
    };
    if first >> 6 != 0 {
        return Err(fault(0, "the version is not 0 (RFC 8300 §2.2)"));
    }
    let header_bytes = usize::from(second & 0x3f) * 4;
    // Metadata of type 1 are four words; of type 2, any number (RFC 8300 §2.4, §2.5).
    let fits = match kind & 0x0f {
        1 => header_bytes == 24,
        2 => header_bytes >= 8,
        _ => false,
    };
    if !fits {
        return Err(fault(1, "the length does not fit the type of its metadata (RFC 8300 §2.2)"));
    }
    if bytes.len() < header_bytes {
        return Err(fault(1, "the header is longer than what there is (RFC 8300 §2.2)"));
    }
    Ok(Nsh { path, follows: Follows::of(follows), header_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_types_of_metadata_and_forbidden_values() {
        let header = [0x0f, 0xc2, 2, 1, 0, 0, 9, 255];
        let found = parse(&header).unwrap();
        assert_eq!((found.path, found.follows, found.header_bytes), (9, Some(Follows::V4), 8));
        for end in 0..header.len() {
            assert!(parse(&header[..end]).is_err(), "prefix of {end}");
        }
        for (place, value) in [(0, 0x40), (1, 1), (1, 3), (2, 1), (2, 3)] {
            let mut broken = header;
            broken[place] = value;
            assert!(parse(&broken).is_err(), "{value} at {place}");
        }
        let mut fixed = [0; 24];
        fixed[..4].copy_from_slice(&[0, 6, 1, 3]);
        assert_eq!(parse(&fixed).unwrap().header_bytes, 24);
    }
}
