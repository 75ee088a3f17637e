//! Linux "cooked" captures, versions 1 and 2 (LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2).

use super::EtherType;
use crate::Fault;
use crate::cursor::{be16, be32};

/// Bytes of a header of version 1.
pub const HEADER_BYTES: usize = 16;
/// Bytes of a header of version 2.
pub const HEADER_BYTES_2: usize = 20;

/// A header of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooked<'a> {
    /// 0 to us, 1 broadcast, 2 multicast, 3 between others, 4 from us.
    pub direction: u8,
    /// The kind of interface (`ARPHRD_*`).
    pub hardware: u16,
    /// The index of the interface on the capturing machine; version 2 only.
    pub interface: Option<u32>,
    /// What follows; 0x0001 and 0x0004 announce 802.3 and LLC.
    pub ether_type: EtherType,
    /// What follows.
    pub payload: &'a [u8],
}

fn short() -> Fault {
    Fault { layer: "SLL", at: 0, what: "the frame is shorter than a cooked header (LINKTYPE_LINUX_SLL)" }
}

/// Reads a header of version 1.
pub fn parse(bytes: &[u8]) -> Result<Cooked<'_>, Fault> {
    let read = || {
        Some(Cooked {
            direction: *bytes.get(1)?,
            hardware: be16(bytes, 2)?,
            interface: None,
            ether_type: EtherType(be16(bytes, 14)?),
            payload: bytes.get(HEADER_BYTES..)?,
        })
    };
    read().ok_or_else(short)
}

/// Reads a header of version 2.
pub fn parse_2(bytes: &[u8]) -> Result<Cooked<'_>, Fault> {
    let read = || {
        Some(Cooked {
            ether_type: EtherType(be16(bytes, 0)?),
            interface: Some(be32(bytes, 4)?),
            hardware: be16(bytes, 8)?,
            direction: *bytes.get(10)?,
            payload: bytes.get(HEADER_BYTES_2..)?,
        })
    };
    read().ok_or_else(short)
}
