//! The way that nearly all frames take: Ethernet without tags, IPv4 without options and in one piece, TCP or UDP.

use super::facts::{Detail, Packet, Tunnels, Version, Vlans};
use super::walk::may_be_tunnel;
use crate::address::Address;
use crate::protocol::Protocol;
use crate::{Frame, LinkType, tcp, udp};

/// Bytes of the header of Ethernet, and of IPv4 behind it.
const ETHERNET_BYTES: usize = 14;
const IPV4_BYTES: usize = 20;

/// What [`super::decode`] gives, in a third of the time, where the frame is of the form that nearly all have: Ethernet
/// without tags, IPv4 without options, TCP or UDP without a tunnel, captured whole. `None` says nothing of the frame.
#[inline]
pub fn plain<'a>(frame: &Frame<'a>) -> Option<Packet<'a>> {
    let (ethernet, rest) = frame.bytes.split_first_chunk::<ETHERNET_BYTES>()?;
    let [.., e0, e1] = *ethernet;
    let [first, traffic_class, t0, t1, _, _, f0, f1, ttl, protocol, _, _, addresses @ ..] =
        *rest.first_chunk::<IPV4_BYTES>()?;
    // Of the fragment field, only the bit that forbids to cut may be set (RFC 791 §3.1).
    if frame.link != LinkType::ETHERNET || [e0, e1, first, f0 & 0xbf, f1] != [8, 0, 0x45, 0, 0] {
        return None;
    }
    let total = u16::from_be_bytes([t0, t1]);
    let upper = rest.get(IPV4_BYTES..usize::from(total))?;
    let (ports, detail, header_bytes, payload) = match Protocol(protocol) {
        Protocol::TCP => {
            let header = tcp::parse(upper).ok()?;
            let ports = (header.source_port, header.destination_port);
            (ports, Detail::Tcp(header), header.header_bytes(), upper.get(header.header_bytes()..)?)
        }
        Protocol::UDP => {
            let header = udp::parse(upper).ok()?;
            let payload = upper.get(udp::HEADER_BYTES..usize::from(header.length))?;
            if may_be_tunnel(payload) {
                return None;
            }
            ((header.source_port, header.destination_port), Detail::Nothing, udp::HEADER_BYTES, payload)
        }
        _ => return None,
    };
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    Some(Packet {
        source: Address::from_v4([s0, s1, s2, s3]),
        destination: Address::from_v4([d0, d1, d2, d3]),
        source_port: ports.0,
        destination_port: ports.1,
        protocol: Protocol(protocol),
        version: Version::V4,
        ttl,
        traffic_class,
        exceeds_frame: false,
        ip_bytes: u32::from(total),
        payload_wire_bytes: u32::try_from(payload.len()).ok()?,
        payload_at: u32::try_from(ETHERNET_BYTES + IPV4_BYTES + header_bytes).ok()?,
        payload,
        detail,
        fragment: None,
        vlans: Vlans::default(),
        tunnels: Tunnels::default(),
    })
}
