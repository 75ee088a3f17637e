//! MACsec: frames that are signed, and mostly hidden as well (IEEE 802.1AE §9).

use crate::Fault;
use crate::cursor::{array, be16};
use crate::link::EtherType;

/// Bytes of the signature behind what it signs.
pub const SIGNATURE_BYTES: usize = 16;

/// A tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macsec {
    /// Its bytes.
    pub header_bytes: usize,
    /// What follows; `None` where it is hidden.
    pub inside: Option<EtherType>,
    /// Which of four associations.
    pub association: u8,
}

/// Reads a tag, which stands behind its EtherType.
pub fn parse(bytes: &[u8]) -> Result<Macsec, Fault> {
    let fault = |at, what| Fault { layer: "MACsec", at, what };
    let Some([control, short]) = array(bytes, 0) else {
        return Err(fault(0, "shorter than a tag (IEEE 802.1AE §9.3)"));
    };
    if control & 0x80 != 0 {
        return Err(fault(0, "the version is not 0 (IEEE 802.1AE §9.5)"));
    }
    if short & 0xc0 != 0 || short & 0x3f >= 48 {
        return Err(fault(1, "the short length is 48 or more (IEEE 802.1AE §9.7)"));
    }
    // The name of the channel is there where a bit says so (IEEE 802.1AE §9.9).
    let header_bytes = if control & 0x20 != 0 { 14 } else { 6 };
    let Some(rest) = bytes.get(header_bytes..) else {
        return Err(fault(1, "shorter than a tag (IEEE 802.1AE §9.3)"));
    };
    // Neither encrypted nor changed: only signed.
    let inside = (control & 0x0c == 0).then(|| be16(rest, 0)).flatten().map(EtherType);
    Ok(Macsec { header_bytes, inside, association: control & 3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_and_hidden() {
        let signed = [0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0];
        let found = parse(&signed).unwrap();
        assert_eq!((found.header_bytes, found.inside), (14, Some(EtherType::IPV4)));
        let hidden = [0x0d, 0, 0, 0, 0, 1, 8, 0];
        let found = parse(&hidden).unwrap();
        assert_eq!((found.header_bytes, found.inside, found.association), (6, None, 1));
        for end in 0..14 {
            assert!(parse(&signed[..end]).is_err(), "prefix of {end}");
        }
        for (place, value) in [(0, 0x80), (1, 0x40), (1, 48)] {
            let mut broken = signed;
            broken[place] = value;
            assert!(parse(&broken).is_err());
        }
    }
}
