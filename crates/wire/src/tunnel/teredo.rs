//! Teredo: IPv6 over UDP through translators, with what a server adds before it (RFC 4380 §5.1).

use crate::cursor::array;
use crate::{Fault, ipv6};

/// Where the packet begins, behind authentication and origin, either of which may be missing.
pub fn parse(bytes: &[u8]) -> Result<usize, Fault> {
    let fault = |at, what| Fault { layer: "Teredo", at, what };
    let mut at = 0;
    if let Some([0, 1, identifier, authentication]) = array(bytes, at) {
        // Both of their lengths, then a number and a byte (RFC 4380 §5.1.1).
        at += 4 + usize::from(identifier) + usize::from(authentication) + 9;
    }
    if let Some([0, 0]) = array(bytes, at) {
        at += 8;
    }
    let packet = bytes.get(at..).unwrap_or_default();
    let header = ipv6::parse(packet).map_err(|fault| Fault { at: fault.at + at, ..fault })?;
    // The prefix of those that come this way; before they have one, they ask from an address of the link
    // (RFC 4380 §2.6, §5.2.1).
    let own = |high: u64| high >> 32 == 0x2001_0000;
    let local = |high: u64| high >> 54 == 0xfe80 >> 6;
    let (from, to) = (header.source.high, header.destination.high);
    if own(from) || own(to) || local(from) && (local(to) || to >> 48 == 0xff02) {
        Ok(at)
    } else {
        Err(fault(at, "neither address is of Teredo (RFC 4380 §2.6)"))
    }
}
