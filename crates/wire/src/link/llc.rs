//! LLC and SNAP, which say what a frame without an EtherType carries (IEEE 802.2, RFC 1042).

use super::EtherType;
use crate::Fault;
use crate::cursor::{array, be16};

/// Both access points of SNAP.
const SNAP: u8 = 0xaa;
/// Both access points of IP without SNAP.
const IP: u8 = 0x06;
/// A frame without a number or an answer.
const UNNUMBERED_INFORMATION: u8 = 3;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Llc<'a> {
    /// The access point of the destination.
    pub destination: u8,
    /// The access point of the source.
    pub source: u8,
    /// The EtherType, where SNAP gives one.
    pub ether_type: Option<EtherType>,
    /// What follows.
    pub payload: &'a [u8],
}

/// Reads a header.
pub fn parse(bytes: &[u8]) -> Result<Llc<'_>, Fault> {
    let short = |at| Fault { layer: "LLC", at, what: "the frame ends within its header (IEEE 802.2)" };
    let [destination, source, control] = array(bytes, 0).ok_or_else(|| short(0))?;
    // Numbered frames have two bytes of control.
    let control_bytes = if control & 3 == 3 { 1 } else { 2 };
    let rest = bytes.get(2 + control_bytes..).unwrap_or_default();
    let plain = Llc { destination, source, ether_type: None, payload: rest };
    match (destination, source, control) {
        (SNAP, SNAP, UNNUMBERED_INFORMATION) => {
            let organisation: [u8; 3] = array(rest, 0).ok_or_else(|| short(3))?;
            let number = be16(rest, 3).ok_or_else(|| short(6))?;
            // Zero, or the one that bridges use for types that Ethernet does not tunnel (RFC 1042, IEEE 802.1H).
            let is_ether_type = matches!(organisation, [0, 0, 0 | 0xf8]);
            let payload = rest.get(5..).unwrap_or_default();
            Ok(Llc { ether_type: is_ether_type.then_some(EtherType(number)), payload, ..plain })
        }
        (IP, IP, UNNUMBERED_INFORMATION) => Ok(Llc { ether_type: Some(EtherType::IPV4), ..plain }),
        _ => Ok(plain),
    }
}
