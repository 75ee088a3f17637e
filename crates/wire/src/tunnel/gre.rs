//! GRE, and the variant of PPTP (RFC 2784 §2, RFC 2890 §2, RFC 2637 §4.1).

use crate::Fault;
use crate::cursor::{be16, be32};
use crate::link::EtherType;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gre<'a> {
    /// What it carries.
    pub protocol: EtherType,
    /// Its key; of PPTP, the call.
    pub key: Option<u32>,
    /// Its number in the tunnel.
    pub sequence: Option<u32>,
    /// Bytes of payload, as claimed; PPTP only.
    pub claimed_bytes: Option<usize>,
    /// What follows.
    pub payload: &'a [u8],
}

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
/// Source routing and other bits that must be zero (RFC 2784 §2.3); the last five are ignored.
const FORBIDDEN: u16 = 0x4c00;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "GRE", at, what }
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Gre<'_>, Fault> {
    let (Some(flags), Some(protocol)) = (be16(bytes, 0), be16(bytes, 2)) else {
        return Err(fault(0, "shorter than a header (RFC 2784 §2.1)"));
    };
    if flags & FORBIDDEN != 0 {
        return Err(fault(0, "bits are set that must be zero (RFC 2784 §2.3)"));
    }
    let is_pptp = match flags & 7 {
        0 => false,
        1 if flags & KEY != 0 => true,
        1 => return Err(fault(0, "version 1 without a key (RFC 2637 §4.1)")),
        _ => return Err(fault(1, "the version is neither 0 nor 1 (RFC 2784 §2.3.1)")),
    };
    let mut at = 4;
    let mut word = |is_there: bool| {
        if !is_there {
            return Ok(None);
        }
        let word =
            be32(bytes, at).ok_or_else(|| fault(at, "the packet ends within its header (RFC 2890 §2)"))?;
        at += 4;
        Ok(Some(word))
    };
    word(flags & CHECKSUM != 0)?;
    let key = word(flags & KEY != 0)?;
    let sequence = word(flags & SEQUENCE != 0)?;
    word(is_pptp && flags & ACKNOWLEDGEMENT != 0)?;
    let payload = bytes.get(at..).unwrap_or_default();
    let (key, claimed_bytes) = match key {
        // The upper half of PPTP's key is the length of the payload.
        Some(key) if is_pptp => (Some(key & 0xffff), Some((key >> 16) as usize)),
        key => (key, None),
    };
    Ok(Gre { protocol: EtherType(protocol), key, sequence, claimed_bytes, payload })
}
