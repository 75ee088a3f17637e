//! Protocols that carry packets of others, one file each; those over UDP are told from their bytes, never by port.

pub mod capwap;
pub mod erspan;
pub mod geneve;
pub mod gre;
pub mod gtp;
pub mod gue;
pub mod l2tp;
pub mod nsh;
pub mod teredo;
pub mod vxlan;

use crate::{checksum, ipv4, ipv6};

/// The length that a packet of IP gives itself, where its header is sound: nobody says that there is one.
pub fn ip_bytes(bytes: &[u8]) -> Option<usize> {
    if let Ok(header) = ipv4::parse(bytes) {
        let sound = checksum::ipv4_header(bytes.get(..header.header_bytes)?);
        return sound.then_some(usize::from(header.total_bytes));
    }
    let header = ipv6::parse(bytes).ok()?;
    let known = header.next.is_extension() || header.next.name().is_some();
    known.then_some(ipv6::HEADER_BYTES + usize::from(header.payload_bytes))
}
