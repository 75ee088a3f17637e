//! Link layers that old captures have, and logs of firewalls: how long their header is, and what follows (the list of
//! tcpdump.org, RFC 2427 §3, IEEE 802.5).

use super::{EtherType, loopback};
use crate::cursor::be16;
use crate::{Fault, LinkType};

/// Token Ring.
pub const TOKEN_RING: LinkType = LinkType(6);
/// FDDI.
pub const FDDI: LinkType = LinkType(10);
/// ATM with LLC (RFC 2684 §5.1).
pub const ATM_LLC: LinkType = LinkType(100);
/// Frame Relay.
pub const FRAME_RELAY: LinkType = LinkType(107);
/// What OpenBSD sees of IPsec.
pub const ENCAPSULATED: LinkType = LinkType(109);
/// The log of OpenBSD's firewall.
pub const FIREWALL_LOG: LinkType = LinkType(117);
/// IP over IEEE 1394.
pub const FIREWIRE: LinkType = LinkType(138);

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// A frame of LLC.
    Llc,
    /// What an EtherType says.
    EtherType(EtherType),
    /// Nothing that is read further: the family, or the first byte of what it is instead.
    Other(u32),
}

/// Reads the header of one of these; gives its bytes, and what follows.
pub fn parse(link: LinkType, bytes: &[u8]) -> Result<(usize, Follows), Fault> {
    let short = Fault { layer: "link", at: 0, what: "the frame is shorter than its header" };
    let found = match link {
        TOKEN_RING => token_ring(bytes),
        FDDI => match bytes {
            // LLC in the asynchronous class.
            [control, ..] if control & 0x70 == 0x50 => Some((13, Follows::Llc)),
            [control, ..] => Some((1, Follows::Other(u32::from(*control)))),
            [] => None,
        },
        FRAME_RELAY => frame_relay(bytes),
        ENCAPSULATED => loopback::parse(bytes).ok().map(|header| (12, family(&header))),
        FIREWALL_LOG => match bytes {
            [length, kind, ..] => {
                let header = loopback::Loopback { family: u32::from(*kind), payload: &[] };
                Some((usize::from(*length).next_multiple_of(4), family(&header)))
            }
            _ => None,
        },
        FIREWIRE => be16(bytes, 16).map(|number| (18, Follows::EtherType(EtherType(number)))),
        _ => Some((0, Follows::Llc)),
    };
    found.filter(|(header_bytes, _)| *header_bytes <= bytes.len()).ok_or(short)
}

fn family(header: &loopback::Loopback<'_>) -> Follows {
    header.ether_type().map_or(Follows::Other(header.family), Follows::EtherType)
}

/// Two bytes of control, two addresses, and a route where the first bit of the sender says so.
fn token_ring(bytes: &[u8]) -> Option<(usize, Follows)> {
    let control = *bytes.get(1)?;
    let route = if bytes.get(8)? & 0x80 != 0 { usize::from(bytes.get(14)? & 0x1f) } else { 0 };
    // The others keep the ring going.
    let is_llc = control & 0xc0 == 0x40;
    Some((14 + route, if is_llc { Follows::Llc } else { Follows::Other(u32::from(control)) }))
}

/// Two to four bytes of address, then a number of OSI behind a byte of control, or an EtherType.
fn frame_relay(bytes: &[u8]) -> Option<(usize, Follows)> {
    let address = 1 + bytes.iter().take(4).position(|byte| byte & 1 == 1)?;
    let rest = bytes.get(address..)?;
    Some(match rest {
        [3, 0xcc, ..] => (address + 2, Follows::EtherType(EtherType::IPV4)),
        [3, 0x8e, ..] => (address + 2, Follows::EtherType(EtherType::IPV6)),
        // SNAP, filled up to an even number of bytes (RFC 2427 §4.1).
        [3, 0, 0x80, 0, 0, 0, high, low, ..] => {
            (address + 8, Follows::EtherType(EtherType(u16::from_be_bytes([*high, *low]))))
        }
        [3, number, ..] => (address + 2, Follows::Other(u32::from(*number))),
        [high, low, ..] => (address + 2, Follows::EtherType(EtherType(u16::from_be_bytes([*high, *low])))),
        _ => return None,
    })
}
