//! Loopback captures of BSD and macOS: an address family before the packet (LINKTYPE_NULL, LINKTYPE_LOOP).

use super::EtherType;
use crate::Fault;
use crate::cursor::array;

/// Bytes of the family.
pub const HEADER_BYTES: usize = 4;

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loopback<'a> {
    /// The family, as the capturing system numbers it.
    pub family: u32,
    /// What follows.
    pub payload: &'a [u8],
}

impl Loopback<'_> {
    /// What the family is to Ethernet; `None` for others than IP. IPv6 has a number of its own on every system.
    pub fn ether_type(&self) -> Option<EtherType> {
        match self.family {
            2 => Some(EtherType::IPV4),
            // Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
            10 | 23 | 24 | 28 | 30 => Some(EtherType::IPV6),
            _ => None,
        }
    }
}

/// Reads a header in whichever byte order it was written: every family is below 65536, so one order stands out.
pub fn parse(bytes: &[u8]) -> Result<Loopback<'_>, Fault> {
    let (Some(family), Some(payload)) = (array(bytes, 0).map(u32::from_le_bytes), bytes.get(HEADER_BYTES..))
    else {
        return Err(Fault { layer: "loopback", at: 0, what: "shorter than a family (LINKTYPE_NULL)" });
    };
    Ok(Loopback { family: family.min(family.swap_bytes()), payload })
}
