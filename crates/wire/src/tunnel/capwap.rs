//! CAPWAP: frames between an access point and its controller, where they are not encrypted (RFC 5415 §4.3).

use crate::Fault;
use crate::cursor::array;

/// The header of a data message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capwap {
    /// Which radio.
    pub radio: u8,
    /// Whether a frame of 802.11 follows; else one of 802.3.
    pub is_wireless: bool,
    /// Bytes of the header.
    pub header_bytes: usize,
}

/// Reads the header of a message that holds a whole frame.
pub fn parse(bytes: &[u8]) -> Result<Capwap, Fault> {
    let fault = |at, what| Fault { layer: "CAPWAP", at, what };
    let Some([preamble, b1, b2, b3, _, _, offset, reserved]) = array(bytes, 0) else {
        return Err(fault(0, "shorter than a header (RFC 5415 §4.3)"));
    };
    if preamble != 0 {
        return Err(fault(0, "not version 0 in the clear (RFC 5415 §4.1)"));
    }
    // Of the pieces of a frame only a whole is read; a keep-alive holds none.
    let is_piece = b3 & 0xc0 != 0 || offset != 0 || reserved != 0;
    if is_piece || b3 & 0x0f != 0 {
        return Err(fault(3, "no whole frame (RFC 5415 §4.3)"));
    }
    let header_bytes = usize::from(b1 >> 3) * 4;
    if header_bytes < 8 || bytes.len() < header_bytes {
        return Err(fault(1, "the length is below 8, or beyond what there is (RFC 5415 §4.3)"));
    }
    // 802.11 is the one binding there is (RFC 5416 §3).
    if b2 >> 1 & 0x1f != 1 {
        return Err(fault(2, "not of 802.11 (RFC 5416 §3)"));
    }
    Ok(Capwap { radio: (b1 & 7) << 2 | b2 >> 6, is_wireless: b2 & 1 != 0, header_bytes })
}
