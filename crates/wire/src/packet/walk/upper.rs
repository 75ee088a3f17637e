//! The steps of the walk above IP: transports, and what IP and UDP carry of other packets.

use super::datagram::{l2tp_frame, may_be_tunnel, udp_tunnel};
use super::{Next, Turn, Walk};
use crate::link::{EtherType, ethernet};
use crate::packet::{Detail, OtherKind, TunnelKind, Version};
use crate::protocol::Protocol;
use crate::rest::Rest;
use crate::tunnel::{erspan, gre};
use crate::{Fault, dccp, icmp, ipsec, ipv6, sctp, tcp, udp};

impl<'a> Walk<'a> {
    #[inline]
    pub(super) fn transport(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        if let Some(piece) = self.ip.as_ref().and_then(|ip| ip.fragment.as_ref()) {
            let is_later = piece.offset != 0;
            return Ok(self.piece(protocol, is_later, rest));
        }
        match self.upper(protocol, rest) {
            Err(fault) if rest.is_snapped() => self.snapped(protocol, rest).ok_or(fault),
            turn => turn,
        }
    }

    /// A piece of a packet: its ports, if it is the first and goes that far. Tunnels wait for the whole.
    #[cold]
    fn piece(&mut self, protocol: Protocol, is_later: bool, rest: Rest<'a>) -> Turn<'a> {
        if !is_later {
            // The length of a datagram is that of the whole.
            let turn = match protocol {
                Protocol::TCP => self.tcp(rest).ok(),
                Protocol::UDP => udp::parse(rest.bytes).ok().map(|header| {
                    let ports = (header.source_port, header.destination_port);
                    self.done(protocol, ports, Detail::Nothing, rest.after(udp::HEADER_BYTES))
                }),
                _ => self.plain(protocol, rest).ok(),
            };
            if let Some(turn) = turn {
                return turn;
            }
            if let Some(turn) = self.snapped(protocol, rest) {
                return turn;
            }
        }
        self.done(protocol, (0, 0), Detail::Nothing, rest)
    }

    /// A header that was cut leaves the ports at least, where the protocol has some.
    #[cold]
    fn snapped(&mut self, protocol: Protocol, rest: Rest<'a>) -> Option<Turn<'a>> {
        if protocol == Protocol::TCP
            && let Some((header, header_bytes)) = tcp::parse_cut(rest.bytes)
            && header_bytes <= rest.wire_bytes
        {
            // Only its options were cut: who opens and who refuses is known.
            let ports = (header.source_port, header.destination_port);
            return Some(self.done(protocol, ports, Detail::Tcp(header), rest.after(header_bytes)));
        }
        let ports = match protocol {
            Protocol::ICMP | Protocol::ICMPV6 | Protocol::IGMP | Protocol::ESP | Protocol::GRE => (0, 0),
            _ => icmp::ports(protocol, rest.bytes)?,
        };
        Some(self.done(protocol, ports, Detail::Nothing, rest.after(rest.bytes.len())))
    }

    #[inline]
    fn upper(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        match protocol {
            Protocol::TCP => self.tcp(rest),
            Protocol::UDP => self.udp(rest),
            _ => self.rarer(protocol, rest),
        }
    }

    #[inline]
    fn tcp(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = tcp::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let ports = (header.source_port, header.destination_port);
        Ok(self.done(Protocol::TCP, ports, Detail::Tcp(header), rest.after(header.header_bytes())))
    }

    #[inline]
    fn udp(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = udp::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let claimed = usize::from(header.length);
        let fault = |what| Err(rest.locate(Fault { layer: "UDP", at: 4, what }));
        let payload = match claimed {
            // A jumbogram, or one that a card was to cut up (RFC 2675 §4).
            0 => rest,
            1..udp::HEADER_BYTES => return fault("the datagram claims fewer than 8 bytes (RFC 768)"),
            _ if claimed > rest.wire_bytes => {
                return fault("the datagram claims more than its packet holds (RFC 768)");
            }
            // What lies behind are options (RFC 9868 §5).
            _ => rest.claimed(claimed),
        }
        .after(udp::HEADER_BYTES);
        if may_be_tunnel(payload.bytes)
            && self.unwraps
            && let Some((kind, id, next, inside)) = udp_tunnel(payload)
        {
            self.enter_ip(kind, id)?;
            return Ok(Turn::Go(next, inside));
        }
        let ports = (header.source_port, header.destination_port);
        Ok(self.done(Protocol::UDP, ports, Detail::Nothing, payload))
    }

    /// What carries no packets of others and is neither TCP nor UDP.
    fn plain(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let version = self.ip.map_or(Version::V4, |ip| ip.version);
        let none = (0, 0);
        let locate = |fault| rest.locate(fault);
        Ok(match (protocol, version) {
            (Protocol::ICMP, Version::V4) | (Protocol::ICMPV6, Version::V6) => {
                let header = icmp::parse(version, rest.bytes).map_err(locate)?;
                self.done(protocol, none, Detail::Icmp(header), rest.after(icmp::HEADER_BYTES))
            }
            (Protocol::IGMP, Version::V4) => {
                let Some(kind) = rest.bytes.get(..8).and_then(|header| header.first()) else {
                    let what = "shorter than a header (RFC 2236 §2)";
                    return Err(rest.locate(Fault { layer: "IGMP", at: 0, what }));
                };
                self.done(protocol, none, Detail::Igmp { kind: *kind }, rest.after(8))
            }
            (Protocol::SCTP, _) => {
                let header = sctp::parse(rest.bytes).map_err(locate)?;
                let ports = (header.source_port, header.destination_port);
                let detail = Detail::Sctp { verification_tag: header.verification_tag };
                self.done(protocol, ports, detail, rest.after(sctp::HEADER_BYTES))
            }
            (Protocol::DCCP, _) => {
                let header = dccp::parse(rest.bytes).map_err(locate)?;
                let ports = (header.source_port, header.destination_port);
                self.done(
                    protocol,
                    ports,
                    Detail::Dccp { kind: header.kind },
                    rest.after(header.header_bytes),
                )
            }
            (Protocol::UDP_LITE, _) => {
                let header = udp::parse(rest.bytes).map_err(locate)?;
                let ports = (header.source_port, header.destination_port);
                self.done(protocol, ports, Detail::Nothing, rest.after(udp::HEADER_BYTES))
            }
            (Protocol::ESP, _) => {
                let ipsec::Esp { security_parameters, sequence } =
                    ipsec::parse_esp(rest.bytes).map_err(locate)?;
                let detail = Detail::Esp { security_parameters, sequence };
                self.done(protocol, none, detail, rest.after(ipsec::ESP_HEADER_BYTES))
            }
            _ => self.done(protocol, none, Detail::Nothing, rest),
        })
    }

    #[cold]
    fn rarer(&mut self, protocol: Protocol, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        if !self.unwraps {
            return self.plain(protocol, rest);
        }
        let (kind, turn) = match protocol {
            Protocol::IPV4 => (TunnelKind::Ip, Turn::Go(Next::EtherType(EtherType::IPV4), rest)),
            Protocol::IPV6 => (TunnelKind::Ip, Turn::Go(Next::EtherType(EtherType::IPV6), rest)),
            Protocol::ETHERNET => (TunnelKind::Ethernet, Turn::Go(Next::Ethernet, rest)),
            // EtherIP has a version of 3 and twelve bits of zero (RFC 3378 §3).
            Protocol::ETHER_IP if rest.bytes.starts_with(&[0x30, 0]) => {
                (TunnelKind::Ethernet, Turn::Go(Next::Ethernet, rest.after(2)))
            }
            Protocol::MPLS => {
                self.outer = self.packet(protocol, (0, 0), Detail::Nothing, rest);
                return self.mpls(rest);
            }
            Protocol::GRE => return self.gre(rest),
            Protocol::L2TP => match l2tp_frame(rest) {
                Some((session, frame)) => {
                    self.outer = self.packet(protocol, (0, 0), Detail::Nothing, rest);
                    self.enter_ip(TunnelKind::L2tp, session)?;
                    return Ok(Turn::Go(Next::Ethernet, frame));
                }
                None => return self.plain(protocol, rest),
            },
            Protocol::AH => return self.authentication(rest),
            _ => return self.plain(protocol, rest),
        };
        self.outer = self.packet(protocol, (0, 0), Detail::Nothing, rest);
        self.enter_ip(kind, 0)?;
        Ok(turn)
    }

    fn authentication(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = ipsec::parse_authentication(rest.bytes).map_err(|fault| rest.locate(fault))?;
        self.enter_ip(TunnelKind::Authentication, header.security_parameters)?;
        let payload = rest.after(header.header_bytes);
        // Destination options may stand behind it (RFC 8200 §4.1).
        if self.ip.is_some_and(|ip| ip.version == Version::V6) {
            let extensions =
                ipv6::extensions(header.next, payload.bytes).map_err(|fault| payload.locate(fault))?;
            return Ok(Turn::Go(Next::Protocol(extensions.protocol), payload.after(extensions.header_bytes)));
        }
        Ok(Turn::Go(Next::Protocol(header.next), payload))
    }

    fn gre(&mut self, rest: Rest<'a>) -> Result<Turn<'a>, Fault> {
        let header = gre::parse(rest.bytes).map_err(|fault| rest.locate(fault))?;
        let mut payload = rest.behind(header.payload);
        if let Some(claimed) = header.claimed_bytes {
            payload = payload.claimed(claimed.min(payload.wire_bytes));
        }
        // What is in it may be no packet: then this is the packet.
        self.outer = self.packet(Protocol::GRE, (0, 0), Detail::Nothing, payload);
        let mirrored = matches!(header.protocol, EtherType::ERSPAN | EtherType::ERSPAN_3);
        // Without numbers it is type I, which has no header (draft-foschiano-erspan §4.1).
        if mirrored && header.sequence.is_some() {
            let mirror = erspan::parse(payload.bytes).map_err(|fault| payload.locate(fault))?;
            self.enter_ip(TunnelKind::Erspan, u32::from(mirror.session))?;
            return Ok(Turn::Go(Next::Ethernet, payload.after(mirror.header_bytes)));
        }
        if mirrored {
            self.enter_ip(TunnelKind::Erspan, 0)?;
            return Ok(Turn::Go(Next::Ethernet, payload));
        }
        // An acknowledgement of PPTP carries nothing, and small numbers are of OSI, not lengths.
        if payload.wire_bytes == 0 || header.protocol.0 < ethernet::LEAST_TYPE {
            return Ok(self.other(OtherKind::EtherType(header.protocol), payload));
        }
        self.enter_ip(TunnelKind::Gre, header.key.unwrap_or(0))?;
        Ok(Turn::Go(Next::EtherType(header.protocol), payload))
    }
}
