//! One frame down to its innermost transport: the facts that flows are made of.

mod check;
mod facts;
mod plain;
mod walk;

use crate::{Fault, Frame, LinkType};

pub use check::{LINKS, check, check_link};
pub use facts::{Detail, Fragment, Packet, Tunnel, TunnelKind, Tunnels, Version, Vlans};
pub use plain::plain;

use crate::fragments::Whole;
use crate::link::EtherType;
use crate::rest::Rest;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A packet of IP.
    Packet(Packet<'a>),
    /// Something that is not IP.
    Other(Other<'a>),
    /// A link type that we cannot read; stated by the capture, and never guessed at.
    Unsupported(LinkType),
}

/// A frame that carries no IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Other<'a> {
    /// What it carries.
    pub kind: OtherKind,
    /// Its VLAN tags.
    pub vlans: Vlans,
    /// What follows the headers that were read.
    pub payload: &'a [u8],
}

impl Other<'_> {
    /// Whether what it carries is encrypted on the link.
    pub fn is_encrypted(&self) -> bool {
        matches!(
            self.kind,
            OtherKind::EtherType(EtherType::MACSEC) | OtherKind::Wireless(Wireless::Encrypted)
        )
    }
}

/// What a frame without IP carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtherKind {
    /// A protocol that Ethernet numbers: ARP, LLDP, PTP.
    EtherType(EtherType),
    /// A protocol that LLC numbers, by its two access points (IEEE 802.2): 0x42 is spanning tree.
    Llc {
        /// Of the destination.
        destination: u8,
        /// Of the source.
        source: u8,
    },
    /// A protocol that PPP numbers: LCP, CHAP.
    Ppp(u16),
    /// A frame of 802.11 that holds no data for us to read.
    Wireless(Wireless),
    /// An address family of BSD that is not IP.
    Family(u32),
    /// Something behind an MPLS label that is not IP.
    Mpls,
}

/// Why a frame of 802.11 was not read further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wireless {
    /// It manages the network: beacons, associations.
    Management,
    /// It controls the medium: acknowledgements.
    Control,
    /// It holds no data.
    Empty,
    /// Its data are encrypted.
    Encrypted,
    /// It is a piece of a frame.
    Fragment,
}

/// Reads a frame down to its innermost transport.
///
/// Offsets in a fault count from the start of the frame.
#[inline]
pub fn decode<'a>(frame: &Frame<'a>) -> Result<Decoded<'a>, Fault> {
    walk::Walk::new().frame(frame.link, Rest::of(frame))
}

/// Reads the payload of a packet that came in pieces, put together again; `piece` is any of the pieces.
///
/// Offsets in a fault, and of the payload, count from the start of the whole.
pub fn decode_whole<'a>(piece: &Packet<'a>, whole: &'a Whole) -> Result<Decoded<'a>, Fault> {
    walk::Walk::of(piece, whole.payload.len()).whole(whole.protocol, &whole.payload)
}

/// The packet that carried another: the facts of the IP header around the tunnel with this index in `packet.tunnels`.
///
/// `None` where no IP header is around it (MPLS, PPPoE), or the packet was put together from pieces.
pub fn decode_outer<'a>(frame: &Frame<'a>, packet: &Packet<'a>, index: usize) -> Option<Packet<'a>> {
    let at = packet.tunnels.iter().nth(index).filter(|tunnel| tunnel.kind.is_in_ip())?.at;
    let rest = Rest::of(frame).after(usize::try_from(at).ok()?);
    match walk::Walk::new().outermost(rest).ok()? {
        Decoded::Packet(outer) => Some(Packet {
            vlans: Vlans { outer: packet.vlans.outer, inner: None },
            tunnels: packet.tunnels.first(index),
            ..outer
        }),
        _ => None,
    }
}

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod tests;
