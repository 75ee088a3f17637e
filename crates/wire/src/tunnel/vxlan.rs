//! VXLAN: Ethernet over UDP, with or without a group's policy, and the form that says what it holds (RFC 7348 §5,
//! draft-smith-vxlan-group-policy §2.1, draft-ietf-nvo3-vxlan-gpe §3).

use crate::Fault;
use crate::cursor::{array, be24};
use crate::tunnel::nsh::Follows;

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

/// Reads a header that says what it holds; every bit that is to be zero must be.
pub fn parse_generic(bytes: &[u8]) -> Result<(Vxlan, Follows), Fault> {
    let fault = |at, what| Fault { layer: "VXLAN-GPE", at, what };
    let (Some([flags, 0, 0, next]), Some(network), Some([0])) =
        (array(bytes, 0), be24(bytes, 4), array(bytes, 7))
    else {
        return Err(fault(
            0,
            "shorter than a header, or bits are set that must be zero (draft-ietf-nvo3-vxlan-gpe §3.1)",
        ));
    };
    // Version 0, a network and a protocol; one more says that it goes to many.
    if flags & !2 != 0x0c {
        return Err(fault(0, "the flags are not those of VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3.1)"));
    }
    let follows = Follows::of(next).filter(|follows| *follows != Follows::Mpls);
    let follows =
        follows.ok_or_else(|| fault(3, "what follows has no number (draft-ietf-nvo3-vxlan-gpe §3.2)"))?;
    Ok((Vxlan { network }, follows))
}
