//! Frames of every kind down to their packets.

use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::made;
use crate::protocol::Protocol;
use crate::tcp::Flags;

fn packet<'a>(link: LinkType, bytes: &'a [u8]) -> Packet<'a> {
    match decode(&made::frame(link, bytes)) {
        Ok(Decoded::Packet(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tcp_over_ipv4_on_ethernet_without_its_padding() {
    let bytes = made::ethernet(0x0800, &made::ipv4(6, &made::tcp(4711, 420, &[], b"hi")));
    assert_eq!(bytes.len(), 60);
    let packet = packet(LinkType::ETHERNET, &bytes);
    assert_eq!(packet.source_ip().to_string(), "192.0.2.1");
    assert_eq!(packet.destination_ip().to_string(), "198.51.100.2");
    assert_eq!((packet.source_port, packet.destination_port), (4711, 420));
    assert_eq!((packet.protocol, packet.version), (Protocol::TCP, Version::V4));
    assert_eq!((packet.ttl, packet.traffic_class, packet.ip_bytes), (63, 0xb9, 42));
    assert_eq!((packet.payload, packet.payload_wire_bytes, packet.payload_at), (&b"hi"[..], 2, 54));
    let tcp = packet.tcp().unwrap();
    assert_eq!((tcp.sequence, tcp.acknowledgement, tcp.window), (0x0102_0304, 0x0506_0708, 0x2000));
    assert!(tcp.flags.has(Flags::ACK) && tcp.flags.has(Flags::PSH) && !tcp.flags.has(Flags::SYN));
    assert!(packet.tunnels.is_empty() && packet.fragment.is_none());
}

#[test]
fn udp_over_ipv6_behind_two_tags() {
    let inside = made::ipv6(17, &made::udp(5004, 420, b"payload"));
    let bytes = made::ethernet(0x88a8, &made::join(&[&[0x60, 7, 0x81, 0, 0, 42, 0x86, 0xdd], &inside]));
    let packet = packet(LinkType::ETHERNET, &bytes);
    assert_eq!(packet.source_ip().to_string(), "2001:db8::1");
    assert_eq!((packet.vlans.outer, packet.vlans.inner), (Some(7), Some(42)));
    assert_eq!((packet.ttl, packet.traffic_class, packet.ip_bytes), (62, 0xb9, 55));
    assert_eq!((packet.source_port, packet.destination_port, packet.payload), (5004, 420, &b"payload"[..]));
}

#[test]
fn a_snapped_frame_keeps_its_lengths_and_ports() {
    let bytes = made::ethernet(0x0800, &made::ipv4(6, &made::tcp(4711, 420, &[1; 12], &[7; 1000])));
    for end in 38..bytes.len() {
        let mut frame = made::frame(LinkType::ETHERNET, &bytes);
        frame.bytes = &bytes[..end];
        let Ok(Decoded::Packet(packet)) = decode(&frame) else { panic!("prefix of {end}") };
        assert_eq!((packet.source_port, packet.destination_port), (4711, 420));
        assert_eq!(packet.ip_bytes, 1052);
        if end >= 66 {
            assert_eq!(packet.payload_wire_bytes, 1000);
            assert_eq!(packet.payload.len(), end - 66);
        }
    }
    let faults: Vec<_> = (0..38)
        .map(|end| {
            let mut frame = made::frame(LinkType::ETHERNET, &bytes);
            frame.bytes = &bytes[..end];
            decode(&frame).unwrap_err().layer
        })
        .collect();
    assert_eq!(
        (faults[0], faults[13], faults[14], faults[33], faults[34]),
        ("Ethernet", "Ethernet", "IPv4", "IPv4", "TCP")
    );
}
