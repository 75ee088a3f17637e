//! ERSPAN: frames of Ethernet mirrored by a switch through GRE (draft-foschiano-erspan §4).

use crate::Fault;
use crate::cursor::{be16, be32};

/// A header of type II or III.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erspan {
    /// Which mirror session.
    pub session: u16,
    /// The VLAN that the frame was on.
    pub vlan: u16,
    /// Bytes of the header.
    pub header_bytes: usize,
}

/// Reads a header; the version in it tells type II from III.
pub fn parse(bytes: &[u8]) -> Result<Erspan, Fault> {
    let fault = |at, what| Fault { layer: "ERSPAN", at, what };
    let (Some(first), Some(second), Some(_)) = (be16(bytes, 0), be16(bytes, 2), be32(bytes, 4)) else {
        return Err(fault(0, "shorter than a header (draft-foschiano-erspan §4.2)"));
    };
    let header_bytes = match first >> 12 {
        1 => 8,
        2 => match bytes.get(11) {
            // The last bit announces eight bytes that depend on the platform.
            Some(last) => 12 + usize::from(last & 1) * 8,
            None => return Err(fault(8, "shorter than a header (draft-foschiano-erspan §4.3)")),
        },
        _ => return Err(fault(0, "the version is neither 1 nor 2 (draft-foschiano-erspan §4)")),
    };
    if bytes.len() < header_bytes {
        return Err(fault(8, "shorter than a header (draft-foschiano-erspan §4.3)"));
    }
    Ok(Erspan { session: second & 0x03ff, vlan: first & 0x0fff, header_bytes })
}
