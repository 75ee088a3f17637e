//! GTP-U: IP of mobile phones over UDP (3GPP TS 29.281 §5.1).

use crate::Fault;
use crate::cursor::{array, be16, be32};

/// The message that carries a packet.
const PACKET: u8 = 255;
/// More extension headers than this are a fault.
const MOST_EXTENSIONS: usize = 8;

/// The header of a message that carries a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gtp {
    /// The end of the tunnel that it is for.
    pub endpoint: u32,
    /// Bytes of header and payload, as claimed.
    pub total_bytes: usize,
    /// Bytes of the header with its extensions.
    pub header_bytes: usize,
}

/// Reads the header of a message that carries a packet.
pub fn parse(bytes: &[u8]) -> Result<Gtp, Fault> {
    let fault = |at, what| Fault { layer: "GTP-U", at, what };
    let (Some([flags, kind]), Some(length), Some(endpoint)) =
        (array(bytes, 0), be16(bytes, 2), be32(bytes, 4))
    else {
        return Err(fault(0, "shorter than a header (3GPP TS 29.281 §5.1)"));
    };
    // Version 1, GTP and not GTP', and a bit that is zero.
    if flags & 0xf8 != 0x30 {
        return Err(fault(0, "the version is not 1 (3GPP TS 29.281 §5.1)"));
    }
    if kind != PACKET {
        return Err(fault(1, "the message carries no packet (3GPP TS 29.281 §7.1)"));
    }
    let total_bytes = 8 + usize::from(length);
    let mut header_bytes = 8;
    if flags & 7 != 0 {
        header_bytes = 12;
        let mut next = if flags & 4 != 0 { bytes.get(11).copied() } else { Some(0) };
        for _ in 0..MOST_EXTENSIONS {
            let Some(1..) = next else { break };
            // Each extension counts its length in fours, and ends with the type of the next.
            let length = bytes.get(header_bytes).map_or(0, |length| usize::from(*length) * 4);
            if length == 0 {
                return Err(fault(header_bytes, "an extension header without length (3GPP TS 29.281 §5.2)"));
            }
            header_bytes += length;
            next = bytes.get(header_bytes - 1).copied();
        }
        if next != Some(0) {
            return Err(fault(
                header_bytes,
                "the packet ends within its extension headers (3GPP TS 29.281 §5.2)",
            ));
        }
    }
    if bytes.len() < header_bytes {
        return Err(fault(0, "shorter than a header (3GPP TS 29.281 §5.1)"));
    }
    if total_bytes < header_bytes {
        return Err(fault(2, "the length is shorter than the header (3GPP TS 29.281 §5.1)"));
    }
    Ok(Gtp { endpoint, total_bytes, header_bytes })
}
