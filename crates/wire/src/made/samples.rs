//! One frame for each link layer and each tunnel, all of which carry the same datagram.

use std::vec::Vec;

use super::{ethernet, ipv4, ipv6, join, udp};
use crate::LinkType;
use crate::link::rarer;

/// A frame that carries a datagram from port 5004 to port 420 with the bytes `payload`.
pub struct Sample {
    /// What is special in it.
    pub name: &'static str,
    /// What its first byte begins.
    pub link: LinkType,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The tunnels in it, by name and number.
    pub tunnels: &'static [(&'static str, u32)],
}

/// The datagram within IPv4.
fn v4() -> Vec<u8> {
    ipv4(17, &udp(5004, 420, b"payload"))
}

/// The datagram within IPv6.
fn v6() -> Vec<u8> {
    ipv6(17, &udp(5004, 420, b"payload"))
}

/// A frame of Ethernet that is not padded, as tunnels carry them.
fn bare_ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = ethernet(ether_type, payload);
    frame.truncate(14 + payload.len());
    frame
}

fn sample(name: &'static str, link: LinkType, parts: &[&[u8]]) -> Sample {
    Sample { name, link, bytes: join(parts), tunnels: &[] }
}

fn on_ethernet(name: &'static str, ether_type: u16, parts: &[&[u8]]) -> Sample {
    sample(name, LinkType::ETHERNET, &[&ethernet(ether_type, &join(parts))])
}

/// Within IPv4 on Ethernet.
fn in_ip(name: &'static str, protocol: u8, parts: &[&[u8]]) -> Sample {
    on_ethernet(name, 0x0800, &[&ipv4(protocol, &join(parts))])
}

/// Within UDP, between ports that say nothing.
fn in_udp(name: &'static str, parts: &[&[u8]]) -> Sample {
    in_ip(name, 17, &[&udp(40_000, 40_001, &join(parts))])
}

impl Sample {
    fn through(self, tunnels: &'static [(&'static str, u32)]) -> Sample {
        Sample { tunnels, ..self }
    }
}

const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

/// Control, duration, three addresses and a sequence number of 802.11.
fn wireless(control: u8, flags: u8) -> Vec<u8> {
    join(&[
        &[control, flags, 0, 0],
        &[2, 0, 0, 0, 0, 1],
        &[2, 0, 0, 0, 0, 2],
        &[2, 0, 0, 0, 0, 3],
        &[0x10, 0],
    ])
}

fn links() -> Vec<Sample> {
    let cooked_2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let length = [0, 8 + 35];
    Vec::from([
        on_ethernet("IPv4", 0x0800, &[&v4()]),
        on_ethernet("IPv6", 0x86dd, &[&v6()]),
        on_ethernet("a VLAN", 0x8100, &[&[0xe0, 5, 8, 0], &v4()]),
        on_ethernet("QinQ", 0x88a8, &[&[0, 5, 0x81, 0, 0, 6, 8, 0], &v4()]),
        on_ethernet("old QinQ", 0x9100, &[&[0, 5, 0x81, 0, 0, 6, 0x86, 0xdd], &v6()]),
        on_ethernet("802.3 with SNAP", u16::from_be_bytes(length), &[&SNAP, &v4()]),
        sample("cooked", LinkType::LINUX_SLL, &[&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0], &v4()]),
        sample("cooked 2", LinkType::LINUX_SLL2, &[&cooked_2, &v6()]),
        sample("null, little-endian", LinkType::NULL, &[&[2, 0, 0, 0], &v4()]),
        sample("null, big-endian", LinkType::NULL, &[&[0, 0, 0, 30], &v6()]),
        sample("loop", LinkType::LOOP, &[&[0, 0, 0, 24], &v6()]),
        sample("raw 4", LinkType::RAW, &[&v4()]),
        sample("raw 6", LinkType::RAW, &[&v6()]),
        sample("IPv4 alone", LinkType::IPV4, &[&v4()]),
        sample("IPv6 alone", LinkType::IPV6, &[&v6()]),
        sample("PPP", LinkType::PPP, &[&[0xff, 3, 0, 0x21], &v4()]),
        sample("PPP without HDLC", LinkType::PPP, &[&[0, 0x57], &v6()]),
        sample("PPP in HDLC", LinkType::PPP_HDLC, &[&[0xff, 3, 0x21], &v4()]),
        sample("Cisco's HDLC", LinkType::PPP_HDLC, &[&[0x0f, 0, 8, 0], &v4()]),
        on_ethernet("PPPoE", 0x8864, &[&[0x11, 0, 0, 77, 0, 37, 0, 0x21], &v4()]).through(&[("pppoe", 77)]),
        sample("PPPoE alone", LinkType::PPP_ETHER, &[&[0x11, 0, 0, 78, 0, 57, 0, 0x57], &v6()])
            .through(&[("pppoe", 78)]),
        on_ethernet("MPLS", 0x8847, &[&[0, 1, 0, 64, 0, 2, 1, 64], &v4()]).through(&[("mpls", 32)]),
        on_ethernet(
            "MPLS with Ethernet",
            0x8847,
            &[&[0, 2, 1, 64, 0, 0, 0, 9], &bare_ethernet(0x86dd, &v6())],
        )
        .through(&[("mpls", 32)]),
        on_ethernet("MPLS without control word", 0x8847, &[&[0, 2, 1, 64], &bare_ethernet(0x0800, &v4())])
            .through(&[("mpls", 32)]),
    ])
}

fn radio() -> Vec<Sample> {
    let tap = LinkType::IEEE802_11_RADIOTAP;
    let short = [0, 0, 8, 0, 0, 0, 0, 0];
    // A time, flags and a rate, announced in two words; the flags say that a checksum follows, and padding.
    let long = |flags| join(&[&[0, 0, 26, 0, 7, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0], &[1; 8], &[flags, 2]]);
    let subframe = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 8 + 35];
    Vec::from([
        sample("802.11", LinkType::IEEE802_11, &[&wireless(0x08, 2), &SNAP, &v4()]),
        sample("radiotap", tap, &[&short, &wireless(0x08, 1), &SNAP, &v4()]),
        sample("with checksum", tap, &[&long(0x10), &wireless(0x08, 1), &SNAP, &v4(), &[9; 4]]),
        sample("padded", tap, &[&long(0x20), &wireless(0x88, 1), &[0, 0], &[0, 0], &SNAP, &v4()]),
        sample("four addresses", tap, &[&short, &wireless(0x88, 3), &[4; 6], &[0, 0], &SNAP, &v4()]),
        sample(
            "an aggregate",
            tap,
            &[&short, &wireless(0x88, 1), &[0x80, 0], &subframe, &SNAP, &v4(), &[0; 9]],
        ),
    ])
}

fn tunnels() -> Vec<Sample> {
    let vxlan = [8, 0, 0, 0, 0, 0x12, 0x34, 0];
    let option = [0, 1, 0x80, 1, 9, 9, 9, 9];
    let gtp_length = [0, 35 + 8];
    let mut padded = bare_ethernet(0x0800, &v4());
    padded.resize(60, 0);
    let pptp = [0x30, 1, 0x88, 0x0b, 0, 39, 0, 5, 0, 0, 0, 1];
    Vec::from([
        in_ip("IPv4 in IPv4", 4, &[&v4()]).through(&[("ip", 0)]),
        in_ip("IPv6 in IPv4", 41, &[&v6()]).through(&[("ip", 0)]),
        on_ethernet("IPv4 in IPv6", 0x86dd, &[&ipv6(4, &v4())]).through(&[("ip", 0)]),
        in_ip("GRE", 47, &[&[0, 0, 8, 0], &v4()]).through(&[("gre", 0)]),
        in_ip("GRE with all", 47, &[&[0xb0, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1], &v6()])
            .through(&[("gre", 7)]),
        in_ip("NVGRE", 47, &[&[0x20, 0, 0x65, 0x58, 0, 0, 9, 1], &bare_ethernet(0x0800, &v4())])
            .through(&[("gre", 0x901)]),
        in_ip("WCCP", 47, &[&[0, 0, 0x88, 0x3e], &v4()]).through(&[("gre", 0)]),
        in_ip("WCCP 2", 47, &[&[0, 0, 0x88, 0x3e, 1, 0, 0, 7], &v4()]).through(&[("gre", 0)]),
        in_ip("PPTP", 47, &[&pptp, &[0xff, 3, 0, 0x21], &v4()]).through(&[("gre", 5)]),
        in_ip("ERSPAN I", 47, &[&[0, 0, 0x88, 0xbe], &bare_ethernet(0x0800, &v4())])
            .through(&[("erspan", 0)]),
        in_ip(
            "ERSPAN II",
            47,
            &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 99, 0, 0, 0, 1], &bare_ethernet(0x0800, &v4())],
        )
        .through(&[("erspan", 99)]),
        in_ip(
            "ERSPAN III",
            47,
            &[
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 98, 0, 0, 0, 1, 0, 0, 0, 0],
                &bare_ethernet(0x0800, &v4()),
            ],
        )
        .through(&[("erspan", 98)]),
        in_ip("EtherIP", 97, &[&[0x30, 0], &bare_ethernet(0x0800, &v4())]).through(&[("ethernet", 0)]),
        in_ip("MPLS in IP", 137, &[&[0, 2, 1, 64], &v4()]).through(&[("mpls", 32)]),
        in_ip("AH", 51, &[&[17, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], &[5; 12], &udp(5004, 420, b"payload")])
            .through(&[("ah", 256)]),
        in_udp("VXLAN", &[&vxlan, &bare_ethernet(0x0800, &v4())]).through(&[("vxlan", 0x1234)]),
        in_udp("VXLAN with a policy", &[&[0x88, 8, 0, 5, 0, 0x12, 0x34, 0], &bare_ethernet(0x0800, &v4())])
            .through(&[("vxlan", 0x1234)]),
        in_udp("VXLAN with a padded frame", &[&vxlan, &padded]).through(&[("vxlan", 0x1234)]),
        in_udp("GENEVE", &[&[2, 0, 0x65, 0x58, 0, 0, 7, 0], &option, &bare_ethernet(0x86dd, &v6())])
            .through(&[("geneve", 7)]),
        in_udp("GENEVE with IP", &[&[0, 0, 8, 0, 0, 0, 8, 0], &v4()]).through(&[("geneve", 8)]),
        in_udp("GTP-U", &[&[0x30, 255, 0, 35, 0, 0, 1, 1], &v4()]).through(&[("gtp", 257)]),
        in_udp(
            "GTP-U with more",
            &[&[0x34, 255], &gtp_length, &[0, 0, 1, 2, 0, 0, 0, 0x85], &[1, 0, 9, 0], &v4()],
        )
        .through(&[("gtp", 258)]),
        in_udp("two tunnels", &[&vxlan, &bare_ethernet(0x0800, &ipv4(47, &join(&[&[0, 0, 8, 0], &v4()])))])
            .through(&[("vxlan", 0x1234), ("gre", 0)]),
    ])
}

/// Frames that say per frame what they are, or behind a tag.
fn tagged() -> Vec<Sample> {
    let mut tap = [0; 108];
    (tap[0], tap[4], tap[8]) = (108, 1, 1);
    let mut prism = [0; 144];
    (prism[0], prism[4]) = (0x44, 144);
    let avs = join(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56]]);
    let ppi = [0, 0, 8, 0, 1, 0, 0, 0];
    let radio = [0, 0, 22, 0, 105, 0, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    let logged = [2, 0, 0, 5, 5, 0, 10, 0, b'x', 0, 0, 0, 39, 0, 9, 0];
    let path = [0x0f, 0xc6, 1, 3, 0, 0, 5, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let signed = [0x21, 37, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0];
    Vec::from([
        sample("PPI", LinkType::PPI, &[&ppi, &ethernet(0x0800, &v4())]),
        sample("PPI of a radio", LinkType::PPI, &[&radio, &wireless(0x08, 1), &SNAP, &v4(), &[9; 4]]),
        sample("PKTAP", LinkType::PKTAP, &[&tap, &ethernet(0x0800, &v4())]),
        sample("Prism", LinkType::IEEE802_11_PRISM, &[&prism, &wireless(0x08, 1), &SNAP, &v4()]),
        sample("AVS", LinkType::IEEE802_11_AVS, &[&avs, &wireless(0x08, 1), &SNAP, &v4()]),
        sample("NFLOG", LinkType::NFLOG, &[&logged, &v4(), &[0]]),
        sample("PPP with direction", LinkType(204), &[&[1, 0xff, 3, 0, 0x21], &v4()]),
        on_ethernet("HSR", 0x892f, &[&[0, 41, 0, 1, 8, 0], &v4()]),
        on_ethernet("802.1ah", 0x88e7, &[&[0, 1, 2, 3], &bare_ethernet(0x0800, &v4())])
            .through(&[("802.1ah", 0x1_0203)]),
        on_ethernet("NSH", 0x894f, &[&path, &bare_ethernet(0x0800, &v4())]).through(&[("nsh", 5)]),
        on_ethernet("MACsec that signs", 0x88e5, &[&signed, &v4(), &[7; 16]]).through(&[("macsec", 1)]),
    ])
}

/// What old captures have, and logs of firewalls.
fn rarer_links() -> Vec<Sample> {
    let ring = [0x10, 0x40, 2, 0, 0, 0, 0, 1, 0x82, 0, 0, 0, 0, 2, 6, 0x30, 1, 2, 3, 0];
    let mut log = [0; 64];
    (log[0], log[1]) = (61, 2);
    Vec::from([
        sample("Token Ring", rarer::TOKEN_RING, &[&ring, &SNAP, &v4()]),
        sample("FDDI", rarer::FDDI, &[&[0x50], &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &SNAP, &v4()]),
        sample("ATM", rarer::ATM_LLC, &[&SNAP, &v4()]),
        sample("Frame Relay", rarer::FRAME_RELAY, &[&[0x18, 0x41, 3, 0xcc], &v4()]),
        sample(
            "Frame Relay with SNAP",
            rarer::FRAME_RELAY,
            &[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0], &v4()],
        ),
        sample("IPsec of OpenBSD", rarer::ENCAPSULATED, &[&[0, 0, 0, 24, 0, 0, 1, 0, 0, 0, 0, 1], &v6()]),
        sample("a log of OpenBSD", rarer::FIREWALL_LOG, &[&log, &v4()]),
        sample("IEEE 1394", rarer::FIREWIRE, &[&[2; 8], &[3; 8], &[8, 0], &v4()]),
    ])
}

/// Tunnels that datagrams and L2TP carry.
fn more_tunnels() -> Vec<Sample> {
    let frame = bare_ethernet(0x0800, &v4());
    let path = [0x0f, 0xc2, 2, 1, 0, 0, 6, 255];
    let mut global = v6();
    global[24..28].copy_from_slice(&[0x20, 1, 0, 0]);
    let origin = [0, 0, 1, 2, 3, 4, 5, 6];
    let proof = [0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    let access = |wireless: u8| [0, 0x10, 2 | wireless, 0, 0, 0, 0, 0];
    Vec::from([
        in_udp("VXLAN-GPE", &[&[0x0c, 0, 0, 1, 0, 0, 9, 0], &v4()]).through(&[("vxlan", 9)]),
        in_udp("VXLAN-GPE with NSH", &[&[0x0c, 0, 0, 4, 0, 0, 9, 0], &path, &v4()])
            .through(&[("vxlan", 9), ("nsh", 6)]),
        in_udp("GUE", &[&[0, 4, 0, 0], &v4()]).through(&[("gue", 0)]),
        in_udp("IPv4 in UDP", &[&v4()]).through(&[("gue", 0)]),
        in_udp("Teredo", &[&global]).through(&[("teredo", 0)]),
        in_udp("Teredo by a server", &[&proof, &origin, &global]).through(&[("teredo", 0)]),
        in_udp("L2TP", &[&[0x40, 2, 0, 47, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &v4()])
            .through(&[("l2tp", 0x1_0002)]),
        in_udp("L2TP 3", &[&[0, 3, 0, 0, 0, 0, 0, 8], &[9; 8], &frame]).through(&[("l2tp", 8)]),
        in_ip("L2TP 3 in IP", 115, &[&[0, 0, 0, 8], &[0; 4], &frame]).through(&[("l2tp", 8)]),
        in_udp("CAPWAP", &[&access(0), &frame]).through(&[("capwap", 0)]),
        in_udp("CAPWAP with 802.11", &[&access(1), &wireless(0x08, 1), &SNAP, &v4()])
            .through(&[("capwap", 0)]),
        in_udp("CAPWAP, exchanged", &[&access(1), &wireless(1, 0x08), &SNAP, &v4()])
            .through(&[("capwap", 0)]),
    ])
}

fn extensions() -> Vec<Sample> {
    let datagram = udp(5004, 420, b"payload");
    let hop = [43, 0, 5, 2, 0, 0, 1, 0];
    let routing = [60, 2, 4, 0, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let atomic = [17, 0, 0, 0, 0, 0, 0, 1];
    let signed = join(&[&[60, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], &[5; 12], &options]);
    Vec::from([
        on_ethernet("extension headers", 0x86dd, &[&ipv6(0, &join(&[&hop, &routing, &options, &datagram]))]),
        on_ethernet("an atomic fragment", 0x86dd, &[&ipv6(44, &join(&[&atomic, &datagram]))]),
        on_ethernet("AH in IPv6", 0x86dd, &[&ipv6(51, &join(&[&signed, &datagram]))]).through(&[("ah", 256)]),
    ])
}

/// Every sample.
pub fn samples() -> Vec<Sample> {
    [links(), radio(), tagged(), rarer_links(), tunnels(), more_tunnels(), extensions()]
        .into_iter()
        .flatten()
        .collect()
}
