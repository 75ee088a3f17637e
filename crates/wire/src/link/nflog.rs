//! Packets that the firewall of Linux logged, as netlink tells them (LINKTYPE_NFLOG).

use super::EtherType;
use crate::Fault;

/// Bytes before the attributes.
const FIXED_BYTES: usize = 4;
/// The attribute that is the packet (`NFULA_PAYLOAD`).
const PAYLOAD: u16 = 9;

/// A logged packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged<'a> {
    /// What it is; `None` where its family is not IP.
    pub ether_type: Option<EtherType>,
    /// The address family, as Linux numbers it.
    pub family: u8,
    /// Where it begins.
    pub header_bytes: usize,
    /// The packet, as far as it was captured, and as far as it was logged.
    pub payload: &'a [u8],
    /// Its length by the attribute.
    pub claimed_bytes: usize,
}

/// Reads the attributes up to the packet, in whichever byte order the capturing machine has.
pub fn parse(bytes: &[u8]) -> Result<Logged<'_>, Fault> {
    let fault = |at, what| Fault { layer: "NFLOG", at, what };
    let Some([family, version, _, _]) = bytes.first_chunk::<FIXED_BYTES>() else {
        return Err(fault(0, "shorter than a header (LINKTYPE_NFLOG)"));
    };
    if *version != 0 {
        return Err(fault(1, "the version is not 0 (LINKTYPE_NFLOG)"));
    }
    let ether_type = match family {
        2 => Some(EtherType::IPV4),
        10 => Some(EtherType::IPV6),
        _ => None,
    };
    let order = [u16::from_le_bytes as fn([u8; 2]) -> u16, u16::from_be_bytes];
    let found = order.into_iter().find_map(|number| payload(bytes, number));
    let (header_bytes, claimed_bytes) =
        found.ok_or_else(|| fault(FIXED_BYTES, "no packet among its attributes (LINKTYPE_NFLOG)"))?;
    let payload = bytes.get(header_bytes..).unwrap_or_default();
    let payload = payload.get(..claimed_bytes).unwrap_or(payload);
    Ok(Logged { ether_type, family: *family, header_bytes, payload, claimed_bytes })
}

/// Where the packet begins, and how long it is.
fn payload(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Option<(usize, usize)> {
    let mut at = FIXED_BYTES;
    loop {
        let [l0, l1, k0, k1] = *bytes.get(at..)?.first_chunk::<4>()?;
        let (length, kind) = (usize::from(number([l0, l1])), number([k0, k1]));
        // The length counts these four bytes; no kind that Linux knows is above 255.
        if length < 4 || kind > 255 {
            return None;
        }
        if kind == PAYLOAD {
            return Some((at + 4, length - 4));
        }
        at += length.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_and_what_is_none() {
        let little = [2, 0, 0, 5, 5, 0, 10, 0, b'x', 0, 0, 0, 7, 0, 9, 0, 0x45, 0, 0, 0];
        let found = parse(&little).unwrap();
        assert_eq!((found.ether_type, found.header_bytes), (Some(EtherType::IPV4), 16));
        assert_eq!((found.payload, found.claimed_bytes), (&[0x45, 0, 0][..], 3));
        let big = [10, 0, 0, 5, 0, 5, 0, 10, b'x', 0, 0, 0, 0, 7, 0, 9, 0x60, 0, 0, 0];
        assert_eq!(parse(&big).unwrap().ether_type, Some(EtherType::IPV6));
        for end in 0..16 {
            assert!(parse(&little[..end]).is_err(), "prefix of {end}");
        }
        for (place, value) in [(1, 1), (4, 3), (4, 200), (7, 2), (14, 8)] {
            let mut broken = little;
            broken[place] = value;
            assert!(parse(&broken).is_err(), "{value} at {place}");
        }
    }
}
