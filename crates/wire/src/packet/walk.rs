//! The walk through the layers of one frame, with bounds on how deep it goes.

use super::facts::{Detail, Fragment, Packet, Tunnels, Version, Vlans};
use super::{Decoded, Other, OtherKind};
use crate::address::Address;
use crate::link::{EtherType, ethernet, sll};
use crate::protocol::Protocol;
use crate::rest::Rest;
use crate::{Fault, LinkType, icmp, ipv4, ipv6, tcp, udp};

/// More layers than this are a fault: no real frame has them, and each costs time.
const MOST_LAYERS: usize = 24;

/// What stands next in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A frame of Ethernet.
    Ethernet,
    /// What an EtherType says.
    EtherType(EtherType),
    /// IP of the version in its first four bits.
    Ip,
    /// What IP carries.
    Protocol(Protocol),
}

/// Either the next layer or the end.
enum Turn<'a> {
    Go(Next, Rest<'a>),
    Done(Decoded<'a>),
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
}

/// Lengths beyond 32 bits do not come: a frame's own is one.
fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl<'a> Walk<'a> {
    pub(super) fn new() -> Walk<'a> {
        Walk { ip: None, vlans: Vlans::default(), tunnels: Tunnels::default(), outer: None }
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
            at: 0,
            fragment: None,
        };
        Walk { ip: Some(ip), vlans: piece.vlans, tunnels: piece.tunnels, outer: None }
    }

    pub(super) fn whole(self, piece: &Packet<'a>, payload: &'a [u8]) -> Result<Decoded<'a>, Fault> {
        let first = piece.fragment.map_or(piece.protocol, |fragment| fragment.protocol);
        let rest = Rest::whole(payload);
        // Behind the Fragment header, more extension headers may stand (RFC 8200 §4.5).
        if piece.version == Version::V6 {
            let extensions = ipv6::extensions(first, payload)?;
            return self.run(Next::Protocol(extensions.protocol), rest.after(extensions.header_bytes));
        }
        self.run(Next::Protocol(first), rest)
    }

    #[inline]
    pub(super) fn frame(self, link: LinkType, rest: Rest<'a>) -> Result<Decoded<'a>, Fault> {
        let (next, rest) = match link {
            LinkType::ETHERNET => (Next::Ethernet, rest),
            LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12 | 14) => (Next::Ip, rest),
            LinkType::LINUX_SLL => {
                let header = sll::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                (Next::EtherType(header.ether_type), rest.after(sll::HEADER_BYTES))
            }
            LinkType::LINUX_SLL2 => {
                let header = sll::parse_2(rest.bytes).map_err(|fault| rest.locate(fault))?;
                (Next::EtherType(header.ether_type), rest.after(sll::HEADER_BYTES_2))
            }
            other => return Ok(Decoded::Unsupported(other)),
        };
        self.run(next, rest)
    }

    #[inline]
    fn run(mut self, mut next: Next, mut rest: Rest<'a>) -> Result<Decoded<'a>, Fault> {
        for _ in 0..MOST_LAYERS {
            let turn = match next {
                Next::Protocol(protocol) => self.transport(protocol, rest)?,
                Next::EtherType(EtherType::IPV4) => self.ipv4(rest)?,
                Next::EtherType(EtherType::IPV6) => self.ipv6(rest)?,
                Next::Ethernet => {
                    let header = ethernet::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                    if header.vlan.is_some() {
                        self.vlans = self.vlans.then(Vlans { outer: header.vlan, inner: header.inner_vlan });
                    }
                    let after = rest.after(rest.bytes.len() - header.payload.len());
                    Turn::Go(Next::EtherType(header.ether_type), after)
                }
                Next::EtherType(ether_type) => self.ether_type(ether_type, rest)?,
                Next::Ip => match rest.bytes.first().map(|first| first >> 4) {
                    Some(4) => self.ipv4(rest)?,
                    Some(6) => self.ipv6(rest)?,
                    _ => {
                        let what = "neither version 4 nor 6 (RFC 791 §3.1, RFC 8200 §3)";
                        return Err(rest.locate(Fault { layer: "IP", at: 0, what }));
                    }
                },
            };
            match turn {
                Turn::Done(decoded) => return Ok(decoded),
                Turn::Go(then, after) => (next, rest) = (then, after),
            }
        }
        Err(rest.locate(Fault { layer: "frame", at: 0, what: "more layers than any real frame has" }))
    }

    #[cold]
    fn ether_type(&mut self, ether_type: EtherType, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        Ok(Turn::Done(self.other(OtherKind::EtherType(ether_type), rest)))
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
            at: u32_of(rest.at),
            fragment,
        });
        Ok(Turn::Go(Next::Protocol(header.protocol), payload))
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
            at: u32_of(rest.at),
            fragment,
        });
        Ok(Turn::Go(Next::Protocol(extensions.protocol), upper))
    }

    #[inline]
    fn transport(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let piece = self.ip.and_then(|ip| ip.fragment);
        if piece.is_some_and(|piece| piece.offset != 0) {
            return Ok(self.done(protocol, (0, 0), Detail::Nothing, rest));
        }
        let turn = self.upper(protocol, rest, piece.is_some());
        match turn {
            // A header that was cut by whoever captured, or at the end of a first piece, leaves the ports at least.
            Err(fault) if rest.is_snapped() || piece.is_some() => match icmp::ports(protocol, rest.bytes) {
                Some(ports) => Ok(self.done(protocol, ports, Detail::Nothing, rest.after(rest.bytes.len()))),
                None if piece.is_some() => Ok(self.done(protocol, (0, 0), Detail::Nothing, rest)),
                None => Err(fault),
            },
            turn => turn,
        }
    }

    #[inline]
    fn upper(&mut self, protocol: Protocol, rest: Rest<'a>, is_piece: bool) -> Result<Turn<'a>, Fault> {
        match protocol {
            Protocol::TCP => {
                let header = tcp::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let ports = (header.source_port, header.destination_port);
                Ok(self.done(protocol, ports, Detail::Tcp(header), rest.after(header.header_bytes())))
            }
            Protocol::UDP => {
                let header = udp::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
                let claimed = usize::from(header.length);
                let payload = match claimed {
                    // A jumbogram, or one that a card was to cut up (RFC 2675 §4).
                    0 => rest,
                    _ if is_piece => rest,
                    1..udp::HEADER_BYTES => {
                        let what = "the datagram claims fewer than 8 bytes (RFC 768)";
                        return Err(rest.locate(Fault { layer: "UDP", at: 4, what }));
                    }
                    _ if claimed > rest.wire_bytes => {
                        let what = "the datagram claims more than its packet holds (RFC 768)";
                        return Err(rest.locate(Fault { layer: "UDP", at: 4, what }));
                    }
                    // What lies behind are options (RFC 9868 §5).
                    _ => rest.claimed(claimed),
                };
                let ports = (header.source_port, header.destination_port);
                Ok(self.done(protocol, ports, Detail::Nothing, payload.after(udp::HEADER_BYTES)))
            }
            _ => self.rarer(protocol, rest),
        }
    }

    #[cold]
    fn rarer(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let version = self.ip.map_or(Version::V4, |ip| ip.version);
        match (protocol, version) {
            (Protocol::ICMP, Version::V4) | (Protocol::ICMPV6, Version::V6) => {
                let header = icmp::parse(version, rest.bytes).map_err(|fault| rest.locate(fault))?;
                Ok(self.done(protocol, (0, 0), Detail::Icmp(header), rest.after(icmp::HEADER_BYTES)))
            }
            _ => {
                let ports = icmp::ports(protocol, rest.bytes).unwrap_or((0, 0));
                Ok(self.done(protocol, ports, Detail::Nothing, rest))
            }
        }
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
    fn done(&self, protocol: Protocol, ports: (u16, u16), detail: Detail<'a>, payload: Rest<'a>) -> Turn<'a> {
        match self.packet(protocol, ports, detail, payload) {
            Some(packet) => Turn::Done(Decoded::Packet(packet)),
            None => Turn::Done(self.other(OtherKind::EtherType(EtherType(0)), payload)),
        }
    }

    /// The end of the walk at something that is not IP: the packet around it, if there is one.
    fn other(&self, kind: OtherKind, rest: Rest<'a>) -> Decoded<'a> {
        match self.outer {
            Some(packet) => Decoded::Packet(packet),
            None => Decoded::Other(Other { kind, vlans: self.vlans, payload: rest.bytes }),
        }
    }
}
