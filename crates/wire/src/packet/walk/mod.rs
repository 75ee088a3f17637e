//! The walk through the layers of one frame, with bounds on how deep it goes.

mod datagram;
mod link;
mod upper;

pub(super) use datagram::may_be_tunnel;

use super::facts::{Detail, Fragment, Packet, Tunnel, TunnelKind, Tunnels, Version, Vlans};
use super::{Decoded, Other, OtherKind};
use crate::address::Address;
use crate::link::EtherType;
use crate::protocol::Protocol;
use crate::rest::Rest;
use crate::tunnel::nsh::Follows;
use crate::{Fault, LinkType, ipv4, ipv6};

/// More layers than this are a fault: no real frame has them, and each costs time.
const MOST_LAYERS: usize = 24;

/// What stands next in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame of Ethernet.
    Ethernet,
    /// A frame of another link layer.
    Link(LinkType),
    /// A frame of LLC.
    Llc,
    /// A frame of PPP.
    Ppp,
    /// What an EtherType says.
    EtherType(EtherType),
    /// IP of the version in its first four bits.
    Ip,
    /// What IP carries.
    Protocol(Protocol),
}

impl Next {
    /// What NSH and VXLAN-GPE number.
    fn following(follows: Follows) -> Next {
        match follows {
            Follows::V4 => Next::EtherType(EtherType::IPV4),
            Follows::V6 => Next::EtherType(EtherType::IPV6),
            Follows::Ethernet => Next::Ethernet,
            Follows::Services => Next::EtherType(EtherType::SERVICES),
            Follows::Mpls => Next::EtherType(EtherType::MPLS),
        }
    }
}

/// Either the next layer or the end.
enum Turn<'a> {
    Go(Next, Rest<'a>),
    /// [`Walk::decoded`] says at what.
    Done,
}

/// What the innermost IP header said.
#[derive(Debug, Clone, Copy)]
struct Ip<'a> {
    source: Address,
    destination: Address,
    version: Version,
    ttl: u8,
    traffic_class: u8,
    bytes: u32,
    at: u32,
    exceeds_frame: bool,
    fragment: Option<Fragment<'a>>,
}

/// What was met on the way so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'a> {
    ip: Option<Ip<'a>>,
    vlans: Vlans,
    tunnels: Tunnels,
    /// The last packet of IP before a tunnel, for when the tunnel holds something else.
    outer: Option<Packet<'a>>,
    /// What the frame is, as far as we know: written in place, because it is large and every frame has one.
    decoded: Decoded<'a>,
    /// Whether tunnels are entered.
    unwraps: bool,
    /// Whether these bytes are put together from pieces, and so stand nowhere in a frame.
    is_whole: bool,
}

/// Lengths beyond 32 bits do not come: a frame's own is one.
fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl<'a> Walk<'a> {
    pub(super) fn new() -> Walk<'a> {
        Walk {
            ip: None,
            vlans: Vlans::default(),
            tunnels: Tunnels::default(),
            outer: None,
            decoded: Decoded::Unsupported(LinkType::RAW),
            unwraps: true,
            is_whole: false,
        }
    }

    /// The walk that came as far as `piece`, whose whole has `payload_bytes`.
    pub(super) fn of(piece: &Packet<'a>, payload_bytes: usize) -> Walk<'a> {
        let header_bytes =
            piece.fragment.map_or(0, |fragment| piece.ip_bytes.saturating_sub(fragment.wire_bytes));
        let ip = Ip {
            source: piece.source,
            destination: piece.destination,
            version: piece.version,
            ttl: piece.ttl,
            traffic_class: piece.traffic_class,
            bytes: header_bytes.saturating_add(u32_of(payload_bytes)),
            at: u32::MAX,
            exceeds_frame: piece.exceeds_frame,
            fragment: None,
        };
        Walk {
            ip: Some(ip),
            vlans: piece.vlans,
            tunnels: piece.tunnels,
            outer: None,
            decoded: Decoded::Unsupported(LinkType::RAW),
            unwraps: true,
            is_whole: true,
        }
    }

    pub(super) fn whole(self, first: Protocol, payload: &'a [u8]) -> Result<Decoded<'a>, Fault> {
        let rest = Rest::whole(payload);
        // Behind the Fragment header, more extension headers may stand (RFC 8200 §4.5).
        if self.ip.is_some_and(|ip| ip.version == Version::V6) {
            let extensions = ipv6::extensions(first, payload)?;
            return self.run(Next::Protocol(extensions.protocol), rest.after(extensions.header_bytes));
        }
        self.run(Next::Protocol(first), rest)
    }

    #[inline]
    pub(super) fn frame(self, link: LinkType, rest: Rest<'a>) -> Result<Decoded<'a>, Fault> {
        match Walk::first(link) {
            Some(next) => self.run(next, rest),
            None => Ok(Decoded::Unsupported(link)),
        }
    }

    /// The packet of IP that begins `rest`, as it stands in its own header.
    pub(super) fn outermost(mut self, rest: Rest<'a>) -> Result<Decoded<'a>, Fault> {
        self.unwraps = false;
        self.run(Next::Ip, rest)
    }

    #[inline]
    fn run(mut self, mut next: Next, mut rest: Rest<'a>) -> Result<Decoded<'a>, Fault> {
        for _ in 0..MOST_LAYERS {
            let turn = match next {
                Next::Protocol(protocol) => self.transport(protocol, rest),
                Next::EtherType(EtherType::IPV4) => self.ipv4(rest),
                Next::EtherType(EtherType::IPV6) => self.ipv6(rest),
                Next::EtherType(ether_type) => self.ether_type(ether_type, rest),
                Next::Ethernet => self.ethernet(rest),
                Next::Link(link) => self.link(link, rest),
                Next::Llc => self.llc(rest),
                Next::Ppp => self.ppp(rest),
                Next::Ip => match rest.bytes.first().map(|first| first >> 4) {
                    Some(4) => self.ipv4(rest),
                    Some(6) => self.ipv6(rest),
                    _ => {
                        let what = "neither version 4 nor 6 (RFC 791 §3.1, RFC 8200 §3)";
                        Err(rest.locate(Fault { layer: "IP", at: 0, what }))
                    }
                },
            };
            match (turn, &self.outer) {
                (Ok(Turn::Done), _) => return Ok(self.decoded),
                (Ok(Turn::Go(then, after)), _) => (next, rest) = (then, after),
                // What a tunnel holds was cut away by whoever captured: the packet around it is whole enough.
                (Err(_), Some(packet)) if rest.is_snapped() => return Ok(Decoded::Packet(*packet)),
                (Err(fault), _) => return Err(fault),
            }
        }
        Err(rest.locate(Fault { layer: "frame", at: 0, what: "more layers than any real frame has" }))
    }

    /// Notes that the present IP header carries another packet.
    fn enter_ip(&mut self, kind: TunnelKind, id: u32) -> Result<(), Fault> {
        let at = self.ip.map_or(u32::MAX, |ip| ip.at);
        self.note(Tunnel { kind, id, at })
    }

    /// Notes that `header` carries another packet.
    fn enter(&mut self, kind: TunnelKind, id: u32, header: Rest<'a>) -> Result<(), Fault> {
        self.note(Tunnel { kind, id, at: if self.is_whole { u32::MAX } else { u32_of(header.at) } })
    }

    fn note(&mut self, tunnel: Tunnel) -> Result<(), Fault> {
        if self.tunnels.push(tunnel) {
            return Ok(());
        }
        let at = if self.is_whole { 0 } else { usize::try_from(tunnel.at).unwrap_or(0) };
        Err(Fault { layer: "frame", at, what: "more than six tunnels, one in another" })
    }

    #[inline]
    fn ipv4(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ipv4::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        // A card that cuts packets up itself is given one without a length.
        let total = if header.total_bytes == 0 { rest.wire_bytes } else { usize::from(header.total_bytes) };
        let payload = rest.claimed(total).after(header.header_bytes);
        let fragment = (header.more_fragments || header.fragment_offset != 0).then(|| Fragment {
            id: u32::from(header.id),
            offset: header.fragment_offset,
            more: header.more_fragments,
            protocol: header.protocol,
            bytes: payload.bytes,
            wire_bytes: u32_of(payload.wire_bytes),
        });
        self.ip = Some(Ip {
            source: header.source,
            destination: header.destination,
            version: Version::V4,
            ttl: header.ttl,
            traffic_class: header.traffic_class,
            bytes: u32_of(total),
            at: if self.is_whole { u32::MAX } else { u32_of(rest.at) },
            exceeds_frame: total > rest.wire_bytes,
            fragment,
        });
        // Straight on, without a turn of the loop: nearly all frames go this way.
        self.transport(header.protocol, payload)
    }

    #[inline]
    fn ipv6(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ipv6::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let mut payload = rest.after(ipv6::HEADER_BYTES);
        if header.payload_bytes != 0 {
            payload = payload.claimed(usize::from(header.payload_bytes));
        }
        let extensions =
            ipv6::extensions(header.next, payload.bytes).map_err(|fault| payload.locate(fault))?;
        if header.payload_bytes == 0
            && let Some(jumbo_bytes) = extensions.jumbo_bytes
        {
            payload = payload.claimed(jumbo_bytes as usize);
        }
        let total = ipv6::HEADER_BYTES.saturating_add(payload.wire_bytes);
        let upper = payload.after(extensions.header_bytes);
        let fragment = extensions.fragment.map(|found| {
            // Headers behind the Fragment header belong to the whole: only the first piece has them.
            let start = extensions.fragment_at.min(payload.bytes.len());
            let piece = payload.after(start);
            Fragment {
                id: found.id,
                offset: found.offset,
                more: found.more,
                protocol: found.next,
                bytes: piece.bytes,
                wire_bytes: u32_of(piece.wire_bytes),
            }
        });
        self.ip = Some(Ip {
            source: header.source,
            destination: header.destination,
            version: Version::V6,
            ttl: header.hop_limit,
            traffic_class: header.traffic_class,
            bytes: u32_of(total),
            at: if self.is_whole { u32::MAX } else { u32_of(rest.at) },
            exceeds_frame: total > rest.wire_bytes,
            fragment,
        });
        self.transport(extensions.protocol, upper)
    }

    #[inline]
    fn packet(
        &self,
        protocol: Protocol,
        ports: (u16, u16),
        detail: Detail<'a>,
        payload: Rest<'a>,
    ) -> Option<Packet<'a>> {
        let ip = self.ip.as_ref()?;
        Some(Packet {
            source: ip.source,
            destination: ip.destination,
            source_port: ports.0,
            destination_port: ports.1,
            protocol,
            version: ip.version,
            ttl: ip.ttl,
            traffic_class: ip.traffic_class,
            exceeds_frame: ip.exceeds_frame,
            ip_bytes: ip.bytes,
            payload_wire_bytes: u32_of(payload.wire_bytes),
            payload_at: u32_of(payload.at),
            payload: payload.bytes,
            detail,
            fragment: ip.fragment,
            vlans: self.vlans,
            tunnels: self.tunnels,
        })
    }

    #[inline]
    fn done(
        &mut self,
        protocol: Protocol,
        ports: (u16, u16),
        detail: Detail<'a>,
        payload: Rest<'a>,
    ) -> Turn<'a> {
        match self.packet(protocol, ports, detail, payload) {
            Some(packet) => {
                self.decoded = Decoded::Packet(packet);
                Turn::Done
            }
            // Nothing but IP leads to a protocol.
            None => self.other(OtherKind::EtherType(EtherType(0)), payload),
        }
    }

    /// The end of the walk at something that is not IP: the packet around it, if there is one.
    fn other(&mut self, kind: OtherKind, rest: Rest<'a>) -> Turn<'a> {
        self.decoded = match self.outer {
            Some(packet) => Decoded::Packet(packet),
            None => Decoded::Other(Other { kind, vlans: self.vlans, payload: rest.bytes }),
        };
        Turn::Done
    }
}
