//! GENEVE: Ethernet or IP over UDP, with options (RFC 8926 §3.4).

use crate::Fault;
use crate::cursor::{array, be16, be24};
use crate::link::EtherType;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geneve {
    /// The network that the frame belongs to.
    pub network: u32,
    /// What it carries.
    pub protocol: EtherType,
    /// Bytes of the header with its options.
    pub header_bytes: usize,
}

/// Reads a header and checks that its options fill their place; every bit that is to be zero must be.
pub fn parse(bytes: &[u8]) -> Result<Geneve, Fault> {
    let fault = |at, what| Fault { layer: "GENEVE", at, what };
    let (Some([first, flags]), Some(protocol), Some(network), Some([reserved])) =
        (array(bytes, 0), be16(bytes, 2), be24(bytes, 4), array(bytes, 7))
    else {
        return Err(fault(0, "shorter than a header (RFC 8926 §3.4)"));
    };
    if first >> 6 != 0 {
        return Err(fault(0, "the version is not 0 (RFC 8926 §3.4)"));
    }
    if flags & 0x3f != 0 || reserved != 0 {
        return Err(fault(1, "bits are set that must be zero (RFC 8926 §3.4)"));
    }
    let header_bytes = 8 + usize::from(first & 0x3f) * 4;
    let Some(mut options) = bytes.get(8..header_bytes) else {
        return Err(fault(0, "the options are longer than what there is (RFC 8926 §3.4)"));
    };
    while let Some(last) = options.get(3) {
        let length = 4 + usize::from(last & 0x1f) * 4;
        let Some(rest) = options.get(length..) else {
            return Err(fault(
                header_bytes - options.len(),
                "an option is longer than its place (RFC 8926 §3.5)",
            ));
        };
        options = rest;
    }
    Ok(Geneve { network, protocol: EtherType(protocol), header_bytes })
}
