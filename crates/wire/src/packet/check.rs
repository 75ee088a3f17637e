//! What must hold of any frame; used by the fuzz target and the seeded test.

use super::{Decoded, Detail, Packet, decode, decode_outer, decode_whole, plain};
use crate::fragments::Whole;
use crate::link::rarer;
use crate::{Frame, LinkType};

/// Where `part` begins in `all`; it must lie inside.
fn place(all: &[u8], part: &[u8]) -> usize {
    let start = (part.as_ptr() as usize).wrapping_sub(all.as_ptr() as usize);
    assert!(part.is_empty() || (start <= all.len() && start + part.len() <= all.len()));
    start
}

fn check_packet(frame: &Frame<'_>, bytes: &[u8], packet: &Packet<'_>) {
    let start = place(bytes, packet.payload);
    if !packet.payload.is_empty() {
        assert_eq!(start, packet.payload_at as usize);
    }
    // No length goes beyond what the IP header claims, and what was captured not beyond what was there.
    assert!(packet.payload.len() <= packet.payload_wire_bytes as usize);
    assert!(packet.payload_wire_bytes <= packet.ip_bytes);
    if let Some(fragment) = packet.fragment {
        place(bytes, fragment.bytes);
        assert!(fragment.more || fragment.offset != 0);
        assert!(fragment.bytes.len() <= fragment.wire_bytes as usize);
        assert!(fragment.wire_bytes < packet.ip_bytes);
    }
    match &packet.detail {
        Detail::Tcp(tcp) => {
            place(bytes, tcp.option_bytes);
            assert!(tcp.option_bytes.len() <= 40);
            let options = tcp.options();
            assert!(options.window_scale.is_none_or(|shift| shift <= 14));
        }
        Detail::Icmp(icmp) => {
            assert_eq!(icmp.version, packet.version);
            if let Ok(quote) = icmp.quote(packet.payload) {
                assert_eq!(quote.is_some(), icmp.is_error());
            }
        }
        _ => {}
    }
    for (index, tunnel) in packet.tunnels.iter().enumerate() {
        if let Some(outer) = decode_outer(frame, packet, index) {
            assert!(tunnel.kind.is_in_ip());
            assert_eq!(outer.tunnels.iter().count(), index);
            assert!(place(frame.bytes, outer.payload) > tunnel.at as usize || outer.payload.is_empty());
        }
    }
}

/// What must hold of any frame with this link type.
pub fn check_link(link: LinkType, bytes: &[u8]) {
    for (cut, more) in [(0, 0), (0, 9), (bytes.len() / 2, 0)] {
        let part = bytes.get(..bytes.len() - cut).unwrap_or_default();
        let wire_bytes = u32::try_from(bytes.len() + more).unwrap_or(u32::MAX);
        let frame = Frame { time: None, link, interface: 0, wire_bytes, bytes: part };
        if let Some(packet) = plain(&frame) {
            assert_eq!(decode(&frame), Ok(Decoded::Packet(packet)), "both ways lead to the same");
        }
        match decode(&frame) {
            Ok(Decoded::Packet(packet)) => {
                check_packet(&frame, part, &packet);
                if packet.fragment.is_some() {
                    let whole = Whole { protocol: packet.protocol, payload: bytes.into() };
                    if let Ok(Decoded::Packet(inner)) = decode_whole(&packet, &whole) {
                        check_packet(&frame, &whole.payload, &inner);
                        assert!(inner.fragment.is_none() || !inner.tunnels.is_empty());
                        assert_eq!(decode_outer(&frame, &inner, packet.tunnels.iter().count()), None);
                    }
                }
            }
            Ok(Decoded::Other(other)) => {
                place(part, other.payload);
            }
            Ok(Decoded::Unsupported(unsupported)) => {
                // Some say per frame what it is.
                assert!(unsupported == link || matches!(link, LinkType::PPI | LinkType::PKTAP));
            }
            Err(fault) => {
                assert!(fault.at <= part.len() + 40, "{fault}");
                assert!(!fault.layer.is_empty() && !fault.what.is_empty());
            }
        }
    }
}

/// The link types that are read.
pub const LINKS: [LinkType; 25] = [
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::LOOP,
    LinkType::RAW,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::PPP,
    LinkType::PPP_HDLC,
    LinkType::PPP_ETHER,
    LinkType::IEEE802_11,
    LinkType::IEEE802_11_RADIOTAP,
    LinkType::IEEE802_11_PRISM,
    LinkType::IEEE802_11_AVS,
    LinkType::PPI,
    LinkType::NFLOG,
    LinkType::PKTAP,
    rarer::TOKEN_RING,
    rarer::FDDI,
    rarer::ATM_LLC,
    rarer::FRAME_RELAY,
    rarer::ENCAPSULATED,
    rarer::FIREWALL_LOG,
    rarer::FIREWIRE,
];

/// What must hold of any input: its first byte says the link type, the others are the frame.
pub fn check(bytes: &[u8]) {
    let Some((first, frame)) = bytes.split_first() else { return };
    let link = LINKS.get(usize::from(*first) % (LINKS.len() + 1)).copied();
    check_link(link.unwrap_or(LinkType(147)), frame);
}
