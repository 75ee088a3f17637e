//! VXLAN: Ethernet over UDP, with or without a group's policy (RFC 7348 §5, draft-smith-vxlan-group-policy §2.1).

use crate::Fault;
use crate::cursor::{array, be24};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vxlan {
    /// The network that the frame belongs to.
    pub network: u32,
}

/// Reads a header; every bit that is to be zero must be.
pub fn parse(bytes: &[u8]) -> Result<Vxlan, Fault> {
    let fault = |at, what| Fault { layer: "VXLAN", at, what };
    let (Some(flags), Some(network), Some([reserved])) =
        (array(bytes, 0).map(u32::from_be_bytes), be24(bytes, 4), array(bytes, 7))
    else {
        return Err(fault(0, "shorter than a header (RFC 7348 §5)"));
    };
    // With a policy one flag says so, two say what was done with it, and 16 bits are the group.
    if flags != 0x0800_0000 && flags & 0xffb7_0000 != 0x8800_0000 {
        return Err(fault(0, "the flags are not those of VXLAN (RFC 7348 §5)"));
    }
    if reserved != 0 {
        return Err(fault(7, "the last byte is not zero (RFC 7348 §5)"));
    }
    Ok(Vxlan { network })
}
