//! The header that a radio puts before a frame of 802.11 (radiotap.org), as far as it changes what follows.

use crate::Fault;
use crate::cursor::{array, le16, le32};

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radiotap {
    /// Its bytes.
    pub header_bytes: usize,
    /// Whether the frame ends with its four bytes of checksum.
    pub has_checksum: bool,
    /// Whether the header of 802.11 is filled up to a multiple of four.
    pub is_padded: bool,
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "radiotap", at, what }
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Radiotap, Fault> {
    let (Some([version, _]), Some(length)) = (array(bytes, 0), le16(bytes, 2)) else {
        return Err(fault(0, "shorter than a header (radiotap.org)"));
    };
    if version != 0 {
        return Err(fault(0, "the version is not 0 (radiotap.org)"));
    }
    let header_bytes = usize::from(length);
    let header = bytes.get(..header_bytes).unwrap_or_default();
    let Some(present) = le32(header, 4) else {
        return Err(fault(2, "the length is below 8, or beyond the frame (radiotap.org)"));
    };
    // Each word of the map with its highest bit set has another behind it.
    let mut words = 1;
    while let Some(word) = le32(header, words * 4)
        && word & (1 << 31) != 0
    {
        words += 1;
    }
    let mut at = 4 + words * 4;
    if present & 1 != 0 {
        // The time is aligned to eight.
        at = at.next_multiple_of(8) + 8;
    }
    let flags = if present & 2 != 0 { header.get(at).copied().unwrap_or(0) } else { 0 };
    Ok(Radiotap { header_bytes, has_checksum: flags & 0x10 != 0, is_padded: flags & 0x20 != 0 })
}
