//! The header that says per packet what it holds, as radios write it (LINKTYPE_PPI).

use crate::cursor::{array, le16, le32};
use crate::{Fault, LinkType};

/// Bytes before the fields.
const FIXED_BYTES: usize = 8;
/// The field in which a radio says how the frame was received.
const RADIO: u16 = 2;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ppi {
    /// Its bytes with its fields.
    pub header_bytes: usize,
    /// What follows.
    pub link: LinkType,
    /// Whether the frame ends with its four bytes of checksum.
    pub has_checksum: bool,
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Ppi, Fault> {
    let fault = |at, what| Fault { layer: "PPI", at, what };
    let (Some([version, _]), Some(length), Some(link)) = (array(bytes, 0), le16(bytes, 2), le32(bytes, 4))
    else {
        return Err(fault(0, "shorter than a header (LINKTYPE_PPI)"));
    };
    if version != 0 {
        return Err(fault(0, "the version is not 0 (LINKTYPE_PPI)"));
    }
    let header_bytes = usize::from(length);
    let Some(mut fields) = bytes.get(FIXED_BYTES..header_bytes) else {
        return Err(fault(2, "the length is below 8, or beyond the frame (LINKTYPE_PPI)"));
    };
    let mut has_checksum = false;
    // Each has a type and a length; what does not fit says nothing.
    while let (Some(kind), Some(length)) = (le16(fields, 0), le16(fields, 2)) {
        let Some((field, rest)) = fields.get(4..).and_then(|rest| rest.split_at_checked(usize::from(length)))
        else {
            break;
        };
        has_checksum |= kind == RADIO && le16(field, 8).is_some_and(|flags| flags & 1 != 0);
        fields = rest;
    }
    let link = u16::try_from(link).map_or(LinkType(u16::MAX), LinkType);
    Ok(Ppi { header_bytes, link, has_checksum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_versions_are_held() {
        let radio = [0, 0, 22, 0, 105, 0, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        let found = parse(&radio).unwrap();
        assert_eq!((found.header_bytes, found.link, found.has_checksum), (22, LinkType::IEEE802_11, true));
        for end in 0..radio.len() {
            assert!(parse(&radio[..end]).is_err(), "prefix of {end}");
        }
        for (place, value) in [(0, 1), (2, 7), (2, 23), (3, 1)] {
            let mut broken = radio;
            broken[place] = value;
            assert!(parse(&broken).is_err(), "{value} at {place}");
        }
        // A field longer than its place says nothing, and the frame behind it stands where it stood.
        let mut long = radio;
        long[10] = 200;
        assert!(!parse(&long).unwrap().has_checksum);
    }
}
