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
        // Without its options a header still says who opens, and where the payload stands.
        assert_eq!(packet.tcp().map(|tcp| tcp.sequence), (end >= 54).then_some(0x0102_0304), "{end}");
        if end >= 54 {
            assert_eq!(packet.payload_wire_bytes, 1000, "{end}");
        }
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

#[test]
fn every_link_layer_and_tunnel_is_unwrapped_to_the_same_datagram() {
    for sample in made::samples() {
        let frame = made::frame(sample.link, &sample.bytes);
        let packet = match decode(&frame) {
            Ok(Decoded::Packet(packet)) => packet,
            other => panic!("{}: {other:?}", sample.name),
        };
        let ports = (packet.source_port, packet.destination_port);
        assert_eq!((ports, packet.payload), ((5004, 420), &b"payload"[..]), "{}", sample.name);
        let header_bytes = if packet.version == Version::V4 { 20 } else { 40 };
        let source = if packet.version == Version::V4 { "192.0.2.1" } else { "2001:db8::1" };
        assert_eq!(packet.source_ip().to_string(), source, "{}", sample.name);
        assert!(packet.ip_bytes >= header_bytes + 15, "{}", sample.name);
        assert_eq!(packet.payload_wire_bytes, 7, "{}", sample.name);
        let tunnels: Vec<_> = packet.tunnels.iter().map(|tunnel| (tunnel.kind.name(), tunnel.id)).collect();
        assert_eq!(tunnels, sample.tunnels, "{}", sample.name);
        for (index, tunnel) in packet.tunnels.iter().enumerate() {
            let outer = decode_outer(&frame, &packet, index);
            assert_eq!(outer.is_some(), tunnel.kind.is_in_ip(), "{}", sample.name);
            if tunnel.kind == TunnelKind::Vxlan && index == 0 {
                assert_eq!(outer.unwrap().source_port, 40_000);
            }
        }
        check_link(sample.link, &sample.bytes);
    }
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut seed = 17_u64;
    for sample in made::samples() {
        for end in 0..sample.bytes.len() {
            check_link(sample.link, &sample.bytes[..end]);
        }
        for _ in 0..200 {
            let mut copy = sample.bytes.clone();
            for _ in 0..2 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2];
            }
            check_link(sample.link, &copy);
            for link in LINKS {
                check_link(link, &copy[..copy.len() / 2]);
            }
        }
    }
}

#[test]
fn a_snapped_frame_never_tells_other_ports() {
    for sample in made::samples() {
        for end in 0..sample.bytes.len() {
            let mut frame = made::frame(sample.link, &sample.bytes);
            frame.bytes = &sample.bytes[..end];
            if let Ok(Decoded::Packet(packet)) = decode(&frame) {
                let ports = (packet.source_port, packet.destination_port);
                assert!([(5004, 420), (40_000, 40_001), (0, 0)].contains(&ports), "{}: {end}", sample.name);
                assert!(b"payload".starts_with(packet.payload) || ports != (5004, 420), "{}", sample.name);
            }
        }
    }
}

#[test]
fn what_a_snap_length_left_of_a_tunnel_is_the_packet_around_it() {
    for name in ["GRE", "IPv4 in IPv4", "EtherIP", "ERSPAN II", "MPLS in IP"] {
        let sample = made::samples().into_iter().find(|sample| sample.name == name).unwrap();
        let mut frame = made::frame(sample.link, &sample.bytes);
        for end in 34..sample.bytes.len() {
            frame.bytes = &sample.bytes[..end];
            let Ok(Decoded::Packet(packet)) = decode(&frame) else { panic!("{name}: prefix of {end}") };
            let is_outer = packet.tunnels.is_empty();
            assert_eq!(packet.source_port, if is_outer { 0 } else { 5004 }, "{name}: prefix of {end}");
        }
    }
}

#[test]
fn a_length_beyond_the_frame_is_told_from_a_snapped_frame() {
    let whole = made::ipv4(17, &made::udp(5004, 420, &[7; 100]));
    let mut frame = made::frame(LinkType::RAW, &whole);
    let told = |frame: &Frame<'_>| match decode(frame) {
        Ok(Decoded::Packet(packet)) => (packet.is_snapped(), packet.exceeds_frame),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(&frame), (false, false));
    frame.bytes = &whole[..60];
    assert_eq!(told(&frame), (true, false));
    frame.wire_bytes = 60;
    assert_eq!(told(&frame), (true, true));
}

/// The same frame with one thing changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> (LinkType, Vec<u8>) {
    let mut sample = made::samples().into_iter().find(|sample| sample.name == name).unwrap();
    change(&mut sample.bytes);
    (sample.link, sample.bytes)
}

#[test]
fn a_tunnel_over_udp_is_one_only_if_every_byte_says_so() {
    // Offset 42 is the first byte of the datagram's payload; 60 and on are of the packet inside.
    for (name, at) in [
        ("VXLAN", 42),
        ("VXLAN", 43),
        ("VXLAN", 49),
        ("VXLAN", 62),
        ("VXLAN", 64),
        ("VXLAN", 67),
        ("GENEVE", 42),
        ("GENEVE", 43),
        ("GENEVE", 44),
        ("GENEVE", 49),
        ("GENEVE with IP", 53),
        ("GTP-U", 42),
        ("GTP-U", 43),
        ("GTP-U", 45),
        ("GTP-U", 53),
        ("GTP-U with more", 54),
    ] {
        let (link, bytes) = changed(name, |bytes| bytes[at] ^= 0x41);
        let packet = packet(link, &bytes);
        assert_eq!((packet.source_port, packet.destination_port), (40_000, 40_001), "{name} at {at}");
        assert!(packet.tunnels.is_empty());
    }
}

#[test]
fn an_optional_header_of_gtp_must_be_there() {
    for (flags, length) in [(0x30, 8), (0x32, 12), (0x31, 12)] {
        let bytes = [flags, 255, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0];
        for end in 0..=12 {
            assert_eq!(crate::tunnel::gtp::parse(&bytes[..end]).is_ok(), end >= length, "{flags:x} {end}");
        }
    }
}

#[test]
fn what_is_not_ip_is_named() {
    let kind = |link: LinkType, bytes: &[u8]| match decode(&made::frame(link, bytes)) {
        Ok(Decoded::Other(other)) => other.kind,
        other => panic!("{other:?}"),
    };
    let ethernet = |ether_type: u16| kind(LinkType::ETHERNET, &made::ethernet(ether_type, &[0; 46]));
    assert_eq!(ethernet(0x0806), OtherKind::EtherType(EtherType::ARP));
    assert_eq!(ethernet(0x88f7), OtherKind::EtherType(EtherType::PTP));
    assert_eq!(ethernet(0x88cc), OtherKind::EtherType(EtherType::LLDP));
    assert_eq!(ethernet(0x8863), OtherKind::EtherType(EtherType::PPPOE_DISCOVERY));
    assert_eq!(EtherType::PTP.name(), Some("PTP"));
    let spanning_tree = made::ethernet(38, &made::join(&[&[0x42, 0x42, 3], &[0; 35]]));
    assert_eq!(kind(LinkType::ETHERNET, &spanning_tree), OtherKind::Llc { destination: 0x42, source: 0x42 });
    assert_eq!(kind(LinkType::PPP, &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4]), OtherKind::Ppp(0xc021));
    assert_eq!(kind(LinkType::NULL, &[7, 0, 0, 0, 1]), OtherKind::Family(7));
    let beacon = [0x80, 0, 0, 0, 1, 1];
    assert_eq!(kind(LinkType::IEEE802_11, &beacon), OtherKind::Wireless(Wireless::Management));
    let (link, bytes) = changed("802.11", |bytes| bytes[1] |= 0x40);
    assert_eq!(kind(link, &bytes), OtherKind::Wireless(Wireless::Encrypted));
    let (link, bytes) = changed("802.11", |bytes| bytes[22] |= 3);
    assert_eq!(kind(link, &bytes), OtherKind::Wireless(Wireless::Fragment));
    // A link type is stated, never guessed.
    let frame = made::frame(LinkType(147), &[0x45]);
    assert_eq!(decode(&frame), Ok(Decoded::Unsupported(LinkType(147))));
    // In a tunnel, the packet around it stays.
    let (link, bytes) = changed("GRE", |bytes| bytes[36..38].copy_from_slice(&[0x12, 0x34]));
    let outer = packet(link, &bytes);
    assert_eq!((outer.protocol, outer.payload.len()), (Protocol::GRE, 35));
    assert!(outer.tunnels.is_empty());
    // A small number in GRE or in Cisco's HDLC is no length.
    let (link, bytes) = changed("GRE", |bytes| bytes[36..38].copy_from_slice(&[0, 0xfe]));
    assert_eq!(packet(link, &bytes).protocol, Protocol::GRE);
    let (link, bytes) = changed("Cisco's HDLC", |bytes| bytes[2..4].copy_from_slice(&[0, 0xfe]));
    assert_eq!(kind(link, &bytes), OtherKind::EtherType(EtherType(0xfe)));
    // An address that begins like a header of IP is an address all the same.
    let (link, bytes) = changed("MPLS without control word", |bytes| bytes[18] = 0x45);
    assert_eq!(packet(link, &bytes).destination_port, 420);
}

#[test]
fn other_transports_are_read_as_far_as_they_can_be() {
    let read = |protocol: u8, bytes: &[u8]| {
        let bytes = made::ipv4(protocol, bytes);
        let packet = packet(LinkType::RAW, &bytes);
        (
            packet.source_port,
            packet.destination_port,
            packet.payload.len(),
            std::format!("{:?}", packet.detail),
        )
    };
    let (source, destination, length, detail) =
        read(132, &[0x13, 0x8c, 1, 0xa4, 0, 0, 0, 7, 0, 0, 0, 0, 1, 0, 0, 4]);
    assert_eq!((source, destination, length), (5004, 420, 4));
    assert_eq!(detail, "Sctp { verification_tag: 7 }");
    let (source, destination, length, detail) =
        read(33, &[0x13, 0x8c, 1, 0xa4, 4, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 2, 9]);
    assert_eq!((source, destination, length, detail.as_str()), (5004, 420, 1, "Dccp { kind: 0 }"));
    let (.., length, detail) = read(50, &[0, 0, 1, 0, 0, 0, 0, 2, 9, 9]);
    assert_eq!((length, detail.as_str()), (2, "Esp { security_parameters: 256, sequence: 2 }"));
    let (.., detail) = read(2, &[0x16, 0, 0, 0, 239, 1, 1, 1]);
    assert_eq!(detail, "Igmp { kind: 22 }");
    let (source, _, length, _) = read(136, &made::udp(5004, 420, b"lite"));
    assert_eq!((source, length), (5004, 4));
    let (source, _, length, detail) = read(89, &[2, 1, 0, 44]);
    assert_eq!((source, length, detail.as_str()), (0, 4, "Nothing"));
}

#[test]
fn an_error_quotes_its_packet() {
    let datagram = made::ipv4(17, &made::udp(5004, 420, b"x"));
    let message = made::join(&[&[3, 3, 0, 0, 0, 0, 0, 0], &datagram[..28]]);
    let bytes = made::ipv4(1, &message);
    let packet_4 = packet(LinkType::RAW, &bytes);
    let icmp = packet_4.icmp().unwrap();
    assert_eq!((icmp.kind, icmp.code), (3, 3));
    let quote = icmp.quote(packet_4.payload).unwrap().unwrap();
    assert_eq!((quote.ports, quote.protocol), (Some((5004, 420)), Protocol::UDP));
    assert_eq!(quote.source, packet_4.source);

    let datagram = made::ipv6(0, &made::join(&[&[6, 0, 1, 4, 0, 0, 0, 0], &made::tcp(5004, 420, &[], b"")]));
    let bytes = made::ipv6(58, &made::join(&[&[1, 4, 0, 0, 0, 0, 0, 0], &datagram[..56]]));
    let packet_6 = packet(LinkType::RAW, &bytes);
    let quote = packet_6.icmp().unwrap().quote(packet_6.payload).unwrap().unwrap();
    assert_eq!((quote.ports, quote.protocol), (Some((5004, 420)), Protocol::TCP));

    let echo = made::ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 2, 9, 9]);
    let packet_8 = packet(LinkType::RAW, &echo);
    assert_eq!(packet_8.icmp().unwrap().quote(packet_8.payload), Ok(None));
    let cut = made::ipv4(1, &[11, 0, 0, 0, 0, 0, 0, 0, 0x45]);
    let packet_9 = packet(LinkType::RAW, &cut);
    assert!(packet_9.icmp().unwrap().quote(packet_9.payload).is_err());
}

#[test]
fn forbidden_values_are_faults_with_their_place() {
    let fault = |name: &str, at: usize, value: u8| {
        let (link, bytes) = changed(name, |bytes| bytes[at] = value);
        let fault = decode(&made::frame(link, &bytes)).unwrap_err();
        (fault.layer, fault.at)
    };
    assert_eq!(fault("raw 4", 0, 0x55), ("IP", 0));
    assert_eq!(fault("IPv4", 14, 0x65), ("IPv4", 14));
    assert_eq!(fault("IPv4", 14, 0x44), ("IPv4", 14));
    assert_eq!(fault("IPv4", 17, 19), ("IPv4", 16));
    assert_eq!(fault("IPv6", 14, 0x45), ("IPv6", 14));
    assert_eq!(fault("IPv4", 39, 7), ("UDP", 38));
    assert_eq!(fault("IPv4", 39, 16), ("UDP", 38));
    assert_eq!(fault("GRE", 34, 0x40), ("GRE", 34));
    assert_eq!(fault("GRE", 35, 2), ("GRE", 35));
    assert_eq!(fault("PPPoE", 14, 0x12), ("PPPoE", 14));
    assert_eq!(fault("radiotap", 0, 1), ("radiotap", 0));
    assert_eq!(fault("radiotap", 2, 7), ("radiotap", 2));
    assert_eq!(fault("802.11", 0, 9), ("802.11", 0));
    assert_eq!(fault("AH", 35, 200), ("AH", 35));
    assert_eq!(fault("ERSPAN II", 42, 0x30), ("ERSPAN", 42));
    assert_eq!(fault("extension headers", 54, 0), ("IPv6", 62));
    let tags = made::ethernet(0x8100, &[0, 1, 0x81, 0].repeat(9));
    assert_eq!(decode(&made::frame(LinkType::ETHERNET, &tags)).unwrap_err().layer, "VLAN");
    let labels = made::ethernet(0x8847, &[0, 1, 0, 64].repeat(17));
    assert_eq!(decode(&made::frame(LinkType::ETHERNET, &labels)).unwrap_err().layer, "MPLS");
    let mut nested = made::ipv4(17, &made::udp(5004, 420, b"x"));
    for _ in 0..8 {
        nested = made::ipv4(4, &nested);
    }
    assert_eq!(
        decode(&made::frame(LinkType::RAW, &nested)).unwrap_err().what,
        "more than six tunnels, one in another"
    );
}

#[test]
fn checksums_of_transports_are_verified_on_request() {
    let mut segment = made::udp(5004, 420, b"abc");
    let pseudo = [192, 0, 2, 1, 198, 51, 100, 2, 0, 17, 0, 11];
    let sum = crate::checksum::internet(&[&pseudo, &segment]);
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    let bytes = made::ipv4(17, &segment);
    let packet = packet(LinkType::RAW, &bytes);
    assert_eq!(crate::checksum::transport(&packet, &bytes[20..]), Some(true));
    let mut wrong = segment.clone();
    wrong[9] ^= 1;
    assert_eq!(crate::checksum::transport(&packet, &wrong), Some(false));
    assert_eq!(crate::checksum::transport(&packet, &made::udp(5004, 420, b"abc")), None);
}

#[test]
fn options_of_tcp_are_read_up_to_the_first_that_is_wrong() {
    let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 3, 3, 15, 30, 4, 0, 0];
    let bytes = made::ipv4(6, &made::tcp(1, 2, &options, b""));
    let read = packet(LinkType::RAW, &bytes).tcp().unwrap().options();
    assert_eq!((read.most_segment_bytes, read.window_scale, read.selective), (Some(1460), Some(14), true));
    assert_eq!((read.timestamps, read.multipath), (Some((9, 8)), true));
    for wrong in [[5, 0, 2, 4], [5, 1, 4, 2], [5, 9, 4, 2], [1, 1, 1, 5]] {
        let bytes = made::ipv4(6, &made::tcp(1, 2, &wrong, b""));
        let read = packet(LinkType::RAW, &bytes).tcp().unwrap().options();
        assert_eq!(read, crate::tcp::Options::default());
    }
}
