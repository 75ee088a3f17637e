//! The headers that radios put before a frame of 802.11 before there was radiotap: Prism's, and AVS (LINKTYPE_IEEE802_11_PRISM,
//! LINKTYPE_IEEE802_11_AVS).

use crate::Fault;
use crate::cursor::{be32, le32};

/// What a header of AVS begins with, in all its versions.
const AVS: u32 = 0x8021_1000;

/// Reads a header of either kind; gives its bytes.
pub fn parse(bytes: &[u8]) -> Result<usize, Fault> {
    let fault = |at, what| Fault { layer: "Prism", at, what };
    let (Some(first), Some(avs), Some(prism)) = (be32(bytes, 0), be32(bytes, 4), le32(bytes, 4)) else {
        return Err(fault(0, "shorter than a header (LINKTYPE_IEEE802_11_PRISM)"));
    };
    let length = if first & 0xffff_f000 == AVS { avs } else { prism };
    match usize::try_from(length) {
        Ok(length @ 8..) if length <= bytes.len() => Ok(length),
        _ => Err(fault(4, "the length is below 8, or beyond the frame (LINKTYPE_IEEE802_11_PRISM)")),
    }
}
