//! PPP and its framings: HDLC-like, Cisco's, and over Ethernet (RFC 1661 §2, RFC 1662 §3.1, RFC 2516 §4).

use super::EtherType;
use crate::Fault;
use crate::cursor::{array, be16};

/// A frame of PPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ppp<'a> {
    /// What it carries, as PPP numbers it.
    pub protocol: u16,
    /// What follows.
    pub payload: &'a [u8],
}

impl Ppp<'_> {
    /// The same, as Ethernet numbers it; `None` for PPP's own protocols.
    pub fn ether_type(&self) -> Option<EtherType> {
        match self.protocol {
            0x0021 => Some(EtherType::IPV4),
            0x0057 => Some(EtherType::IPV6),
            0x0281 => Some(EtherType::MPLS),
            0x0283 => Some(EtherType::MPLS_MULTICAST),
            _ => None,
        }
    }
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "PPP", at, what }
}

/// Reads a frame, with or without the address and control bytes of HDLC (RFC 1662 §3.1).
pub fn parse(bytes: &[u8]) -> Result<Ppp<'_>, Fault> {
    let inner = bytes.strip_prefix(&[0xff, 3]).unwrap_or(bytes);
    let at = bytes.len() - inner.len();
    // An odd first byte is a protocol that was compressed to one (RFC 1661 §6.5).
    let (protocol, header_bytes) = match inner {
        [first, ..] if first & 1 == 1 => (u16::from(*first), 1),
        [first, second, ..] => (u16::from_be_bytes([*first, *second]), 2),
        _ => return Err(fault(at, "the frame ends within its protocol (RFC 1661 §2)")),
    };
    Ok(Ppp { protocol, payload: inner.get(header_bytes..).unwrap_or_default() })
}

/// A frame of Cisco's HDLC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CiscoHdlc<'a> {
    /// What it carries.
    pub ether_type: EtherType,
    /// What follows.
    pub payload: &'a [u8],
}

/// Reads a frame of Cisco's HDLC; `None` where it is not one.
pub fn parse_cisco(bytes: &[u8]) -> Option<CiscoHdlc<'_>> {
    // To one or to all, and a byte of control that is always zero (RFC 1547 §4.3.1).
    let [0x0f | 0x8f, 0, high, low, payload @ ..] = bytes else { return None };
    Some(CiscoHdlc { ether_type: EtherType(u16::from_be_bytes([*high, *low])), payload })
}

/// A session frame of PPP over Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pppoe {
    /// Which session.
    pub session: u16,
    /// Bytes of PPP, as claimed.
    pub length: u16,
}

/// Bytes of the header of PPP over Ethernet.
pub const PPPOE_HEADER_BYTES: usize = 6;

/// Reads the header of a session frame.
pub fn parse_pppoe(bytes: &[u8]) -> Result<Pppoe, Fault> {
    let fault = |at, what| Fault { layer: "PPPoE", at, what };
    let (Some([version, code]), Some(session), Some(length)) =
        (array(bytes, 0), be16(bytes, 2), be16(bytes, 4))
    else {
        return Err(fault(0, "shorter than a header (RFC 2516 §4)"));
    };
    if version != 0x11 {
        return Err(fault(0, "version and type are not 1 (RFC 2516 §4)"));
    }
    if code != 0 {
        return Err(fault(1, "the code of a session frame is not 0 (RFC 2516 §6)"));
    }
    Ok(Pppoe { session, length })
}
