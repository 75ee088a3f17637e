//! A stack of MPLS labels, and what is behind it (RFC 3032 §2.1, RFC 4385 §3).

use crate::Fault;
use crate::cursor::be32;
use crate::link::{EtherType, ethernet};
use crate::tunnel;

/// More labels than this are a fault.
const MOST_LABELS: usize = 16;

/// A stack of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mpls<'a> {
    /// The label at the bottom, which says whose traffic it is.
    pub label: u32,
    /// How many there are.
    pub labels: usize,
    /// What follows.
    pub payload: &'a [u8],
}

/// What is behind a stack. No label says it to a stranger, so it is taken from the first bytes (RFC 4928 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// IP, by its version.
    Ip,
    /// Ethernet, behind so many bytes of a control word.
    Ethernet {
        /// 0 or 4.
        control_bytes: usize,
    },
    /// Something else.
    Unknown,
}

impl Mpls<'_> {
    /// What is behind the labels.
    pub fn inside(&self) -> Inside {
        let is_ethernet = |bytes: Option<&[u8]>| {
            bytes.and_then(|bytes| ethernet::parse(bytes).ok()).is_some_and(|frame| {
                matches!(frame.ether_type, EtherType::IPV4 | EtherType::IPV6 | EtherType::ARP)
            })
        };
        // An address of Ethernet may begin like a header of IP, so that one is looked at as a whole.
        if tunnel::ip_bytes(self.payload).is_some() {
            return Inside::Ip;
        }
        match self.payload.first().map(|first| first >> 4) {
            Some(0) if is_ethernet(self.payload.get(4..)) => Inside::Ethernet { control_bytes: 4 },
            Some(_) if is_ethernet(Some(self.payload)) => Inside::Ethernet { control_bytes: 0 },
            Some(4 | 6) => Inside::Ip,
            _ => Inside::Unknown,
        }
    }
}

/// Reads a stack down to its bottom.
pub fn parse(bytes: &[u8]) -> Result<Mpls<'_>, Fault> {
    for index in 0..MOST_LABELS {
        let Some(entry) = be32(bytes, index * 4) else {
            let what = "the frame ends within a stack of labels (RFC 3032 §2.1)";
            return Err(Fault { layer: "MPLS", at: index * 4, what });
        };
        if entry & 0x100 != 0 {
            let payload = bytes.get(index * 4 + 4..).unwrap_or_default();
            return Ok(Mpls { label: entry >> 12, labels: index + 1, payload });
        }
    }
    Err(Fault { layer: "MPLS", at: MOST_LABELS * 4, what: "more than sixteen labels" })
}
