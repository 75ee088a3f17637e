//! A touch as packets, for evidence that every tool reads: made from what the decoy was told, and said to be so.

use std::net::{IpAddr, SocketAddr};

use model::{DecoyTouch, Transport};
use wire::checksum;
use wire::{Frame, LinkType};

/// Bytes of one made segment.
const SEGMENT: usize = 1400;
const SYN: u8 = 2;
const PUSH_ACK: u8 = 0x18;
const ACK: u8 = 0x10;

/// Hands out the packets, raw IP, each with a comment or none.
pub fn packets(touch: &DecoyTouch, each: &mut dyn FnMut(&Frame<'_>, Option<&str>)) {
    let comment = comment(touch);
    let mut first = Some(comment.as_str());
    let mut emit = |bytes: &[u8]| {
        let wire_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let frame = Frame { time: Some(touch.at), link: LinkType::RAW, interface: 0, wire_bytes, bytes };
        each(&frame, first.take());
    };
    let (peer, local) = (touch.peer, touch.local);
    if touch.transport == Transport::Udp {
        let bytes = touch.first_bytes.get(..touch.first_bytes.len().min(u16::MAX as usize - 64));
        return emit(&ip(peer, local, 17, &udp(peer, local, bytes.unwrap_or_default())));
    }
    emit(&ip(peer, local, 6, &tcp(peer, local, (0, 0), SYN, &[])));
    if !touch.connected {
        return;
    }
    emit(&ip(local, peer, 6, &tcp(local, peer, (0, 1), SYN | ACK, &[])));
    emit(&ip(peer, local, 6, &tcp(peer, local, (1, 1), ACK, &[])));
    let mut sequence = 1_u32;
    for segment in touch.first_bytes.chunks(SEGMENT) {
        emit(&ip(peer, local, 6, &tcp(peer, local, (sequence, 1), PUSH_ACK, segment)));
        sequence = sequence.wrapping_add(u32::try_from(segment.len()).unwrap_or(0));
    }
}

fn comment(touch: &DecoyTouch) -> String {
    let mut text = format!("portreeve: a decoy ({}) was touched", touch.level.name());
    if let Some(protocol) = touch.recognised.as_ref().and_then(|said| said.protocol) {
        text.push_str(&format!(" by {}", protocol.title));
    }
    text.push_str(&format!(
        "; {} bytes came, {} were sent; these packets were made from what the decoy was told",
        touch.received_bytes, touch.sent_bytes
    ));
    text
}

/// A packet of IP around what it carries, with the checksum of the transport put in.
fn ip(from: SocketAddr, to: SocketAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let mut payload = payload.to_vec();
    let (source, destination) = (octets(from.ip()), octets(to.ip()));
    let pseudo = [&u32::from(length).to_be_bytes()[..], &[0, protocol]].concat();
    let sum = checksum::internet(&[&source, &destination, &pseudo, &payload]);
    let at = if protocol == 17 { 6 } else { 16 };
    // Zero would say that there is none (RFC 768).
    let sum = if protocol == 17 && sum == 0 { u16::MAX } else { sum };
    if let Some(place) = payload.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    let mut packet = Vec::with_capacity(40 + payload.len());
    if from.is_ipv4() && to.is_ipv4() {
        packet.extend_from_slice(&[0x45, 0]);
        packet.extend_from_slice(&length.saturating_add(20).to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
        packet.extend_from_slice(&source);
        packet.extend_from_slice(&destination);
        let sum = checksum::internet(&[&packet]);
        if let Some(place) = packet.get_mut(10..12) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
    } else {
        packet.extend_from_slice(&[0x60, 0, 0, 0]);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(&[protocol, 64]);
        packet.extend_from_slice(&wide(from.ip()));
        packet.extend_from_slice(&wide(to.ip()));
    }
    packet.extend_from_slice(&payload);
    packet
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn wide(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

fn udp(from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len() + 8).unwrap_or(u16::MAX);
    [&from.port().to_be_bytes()[..], &to.port().to_be_bytes(), &length.to_be_bytes(), &[0, 0], bytes].concat()
}

fn tcp(
    from: SocketAddr,
    to: SocketAddr,
    (sequence, acknowledged): (u32, u32),
    flags: u8,
    bytes: &[u8],
) -> Vec<u8> {
    [
        &from.port().to_be_bytes()[..],
        &to.port().to_be_bytes(),
        &sequence.to_be_bytes(),
        &acknowledged.to_be_bytes(),
        &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        bytes,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use wire::packet::{self, Decoded};

    use super::super::tests::touch;
    use super::*;

    #[test]
    fn what_is_made_is_read_back_whole_and_recognised() {
        for (peer, local) in
            [("192.0.2.1:4000", "192.0.2.2:420"), ("[2001:db8::1]:4000", "[2001:db8::2]:420")]
        {
            let mut touch =
                touch(peer, local, &[&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &[b'x'; 3000]].concat());
            for transport in [Transport::Tcp, Transport::Udp] {
                touch.transport = transport;
                let (mut said, mut comments) = (Vec::new(), 0);
                packets(&touch, &mut |frame, comment| {
                    comments += usize::from(comment.is_some());
                    let Ok(Decoded::Packet(packet)) = packet::decode(frame) else { panic!("{frame:?}") };
                    let header = if touch.peer.is_ipv4() { 20 } else { 40 };
                    assert_eq!(checksum::transport(&packet, &frame.bytes[header..]), Some(true));
                    assert!(touch.peer.is_ipv6() || checksum::ipv4_header(&frame.bytes[..20]));
                    if packet.source_port == 4000 {
                        said.extend_from_slice(packet.payload);
                    }
                });
                assert_eq!((said, comments), (touch.first_bytes.clone(), 1));
            }
        }
    }

    #[test]
    fn a_knock_is_one_packet() {
        let mut knock = touch("192.0.2.1:4000", "192.0.2.2:420", b"");
        knock.connected = false;
        let mut count = 0;
        packets(&knock, &mut |_, _| count += 1);
        assert_eq!(count, 1);
    }
}
