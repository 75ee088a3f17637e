//! Data frames of 802.11 whose payload is plain (IEEE 802.11 §9.3.2).

use crate::Fault;
use crate::cursor::{array, be16, le16};
use crate::packet::Wireless;

/// A frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ieee80211<'a> {
    /// Data that can be read.
    Data {
        /// LLC and what follows; of an aggregate, that of the first frame in it.
        payload: &'a [u8],
        /// The length that the aggregate gives that frame.
        claimed_bytes: Option<usize>,
    },
    /// Anything else, and why.
    Other(Wireless),
}

/// Addresses and length before each frame of an aggregate (IEEE 802.11 §9.3.2.2).
const SUBFRAME_BYTES: usize = 14;

/// Reads a frame; `is_padded` says that its header is filled up to a multiple of four.
pub fn parse(bytes: &[u8], is_padded: bool) -> Result<Ieee80211<'_>, Fault> {
    let control = array(bytes, 0).ok_or_else(|| short(0))?;
    frame(control, bytes, is_padded)
}

/// Reads a frame the bytes of whose frame control are exchanged, as some controllers have them in CAPWAP.
pub fn parse_swapped(bytes: &[u8]) -> Result<Ieee80211<'_>, Fault> {
    let [flags, control] = array(bytes, 0).ok_or_else(|| short(0))?;
    frame([control, flags], bytes, false)
}

fn short(at: usize) -> Fault {
    Fault { layer: "802.11", at, what: "the frame ends within its header (IEEE 802.11 §9.3)" }
}

fn frame([control, flags]: [u8; 2], bytes: &[u8], is_padded: bool) -> Result<Ieee80211<'_>, Fault> {
    if control & 3 != 0 {
        let what = "the version is not 0 (IEEE 802.11 §9.2.4.1)";
        return Err(Fault { layer: "802.11", at: 0, what });
    }
    match (control >> 2) & 3 {
        0 => return Ok(Ieee80211::Other(Wireless::Management)),
        1 => return Ok(Ieee80211::Other(Wireless::Control)),
        2 => {}
        _ => return Ok(Ieee80211::Other(Wireless::Empty)),
    }
    // Of the four bits of a data frame's subtype, one says "no data" and one says "quality of service".
    let (is_empty, has_quality) = (control & 0x40 != 0, control & 0x80 != 0);
    if is_empty {
        return Ok(Ieee80211::Other(Wireless::Empty));
    }
    if flags & 0x40 != 0 {
        return Ok(Ieee80211::Other(Wireless::Encrypted));
    }
    let sequence = le16(bytes, 22).ok_or_else(|| short(22))?;
    if flags & 4 != 0 || sequence & 15 != 0 {
        return Ok(Ieee80211::Other(Wireless::Fragment));
    }
    // A frame from one distribution system to another has four addresses.
    let mut at = if flags & 3 == 3 { 30 } else { 24 };
    let mut is_aggregate = false;
    if has_quality {
        is_aggregate = bytes.get(at).ok_or_else(|| short(at))? & 0x80 != 0;
        at += 2;
        if flags & 0x80 != 0 {
            at += 4;
        }
    }
    if is_padded {
        at = at.next_multiple_of(4);
    }
    let payload = bytes.get(at..).ok_or_else(|| short(at))?;
    if !is_aggregate {
        return Ok(Ieee80211::Data { payload, claimed_bytes: None });
    }
    let claimed = be16(payload, 12).ok_or_else(|| short(at))?;
    let payload = payload.get(SUBFRAME_BYTES..).ok_or_else(|| short(at))?;
    Ok(Ieee80211::Data { payload, claimed_bytes: Some(usize::from(claimed)) })
}
