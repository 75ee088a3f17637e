//! The header of macOS, which says per packet what it holds and whose it was (LINKTYPE_PKTAP).

use crate::cursor::le32;
use crate::{Fault, LinkType};

/// Bytes of the shortest header that is known.
const LEAST_BYTES: usize = 108;
/// What macOS calls raw IP where others have another number.
const RAW: u32 = 12;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pktap {
    /// Its bytes.
    pub header_bytes: usize,
    /// What follows; `None` where it is no packet.
    pub link: Option<LinkType>,
}

/// Reads a header. Its numbers are in the order of the capturing machine, and all of those are little-endian now.
pub fn parse(bytes: &[u8]) -> Result<Pktap, Fault> {
    let fault = |at, what| Fault { layer: "PKTAP", at, what };
    let (Some(length), Some(kind), Some(link)) = (le32(bytes, 0), le32(bytes, 4), le32(bytes, 8)) else {
        return Err(fault(0, "shorter than a header (LINKTYPE_PKTAP)"));
    };
    let header_bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if !(LEAST_BYTES..=bytes.len()).contains(&header_bytes) {
        return Err(fault(0, "the length is below 108, or beyond the frame (LINKTYPE_PKTAP)"));
    }
    let link = match link {
        RAW => LinkType::RAW,
        other => u16::try_from(other).map_or(LinkType(u16::MAX), LinkType),
    };
    Ok(Pktap { header_bytes, link: (kind == 1).then_some(link) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_kinds() {
        let mut header = [0; 108];
        (header[0], header[4], header[8]) = (108, 1, 1);
        assert_eq!(parse(&header), Ok(Pktap { header_bytes: 108, link: Some(LinkType::ETHERNET) }));
        for end in 0..header.len() {
            assert!(parse(&header[..end]).is_err(), "prefix of {end}");
        }
        header[4] = 2;
        assert_eq!(parse(&header).unwrap().link, None);
        header[8] = 12;
        header[4] = 1;
        assert_eq!(parse(&header).unwrap().link, Some(LinkType::RAW));
        header[0] = 107;
        assert!(parse(&header).is_err());
    }
}
