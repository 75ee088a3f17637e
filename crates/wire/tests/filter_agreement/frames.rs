//! Frames of many kinds on every link type that can be filtered, made here byte by byte.

/// What a link header announces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    pub ethertype: u16,
}

/// A packet without its link header.
pub struct Packet {
    pub carried: Carried,
    pub bytes: Vec<u8>,
}

/// A frame as a capture has it.
pub struct Frame {
    pub bytes: Vec<u8>,
    pub wire_bytes: u32,
}

pub const LINKS: [(u16, &str); 11] = [
    (1, "Ethernet"),
    (113, "Linux cooked"),
    (276, "Linux cooked 2"),
    (101, "raw IP"),
    (0, "BSD loopback"),
    (108, "OpenBSD loopback"),
    (9, "PPP"),
    (50, "PPP on a serial line"),
    (51, "PPPoE"),
    (228, "raw IPv4"),
    (229, "raw IPv6"),
];

const DESTINATIONS: [[u8; 6]; 4] = [
    [0x00, 0x00, 0x5e, 0x00, 0x53, 0x01],
    [0xff; 6],
    [0x01, 0x00, 0x5e, 0x00, 0x00, 0x01],
    [1, 2, 3, 4, 5, 6],
];
const SOURCES: [[u8; 6]; 2] = [[0x00, 0x00, 0x5e, 0x00, 0x53, 0x02], [1, 2, 3, 4, 5, 6]];

fn packet(ethertype: u16, bytes: Vec<u8>) -> Packet {
    Packet { carried: Carried { ethertype }, bytes }
}

/// An IPv4 header with what follows. `words` is its length in units of four bytes.
fn ip(protocol: u8, from: [u8; 4], to: [u8; 4], words: u8, fragment: u16, inner: &[u8]) -> Vec<u8> {
    let total = u16::from(words) * 4 + inner.len() as u16;
    let mut bytes = vec![0x40 | words, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0x12, 0x34]);
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, protocol, 0, 0]);
    bytes.extend(from);
    bytes.extend(to);
    bytes.resize(usize::from(words) * 4, 1);
    bytes.extend(inner);
    bytes
}

fn ip6(next: u8, from: [u8; 16], to: [u8; 16], inner: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((inner.len() as u16).to_be_bytes());
    bytes.extend([next, 64]);
    bytes.extend(from);
    bytes.extend(to);
    bytes.extend(inner);
    bytes
}

fn tcp(from: u16, to: u16, flags: u8) -> Vec<u8> {
    let mut bytes = [from.to_be_bytes(), to.to_be_bytes()].concat();
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    bytes.extend(b"GET / HTTP/1.1");
    bytes
}

fn udp(from: u16, to: u16) -> Vec<u8> {
    let mut bytes = [from.to_be_bytes(), to.to_be_bytes()].concat();
    bytes.extend([0, 12, 0, 0, 1, 2, 3, 4]);
    bytes
}

fn arp(operation: u8, from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, operation];
    bytes.extend(SOURCES[0]);
    bytes.extend(from);
    bytes.extend([0; 6]);
    bytes.extend(to);
    bytes
}

const PORTS: [(u16, u16); 9] =
    [(80, 40000), (40000, 80), (443, 80), (53, 53), (420, 1023), (22, 21), (65535, 0), (69, 5000), (85, 90)];
const ADDRESSES: [[u8; 4]; 8] = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [10, 0, 0, 1],
    [10, 1, 2, 3],
    [192, 168, 1, 7],
    [192, 168, 0, 0],
    [224, 0, 0, 251],
    [0, 0, 0, 10],
];
const ADDRESSES6: [[u8; 16]; 4] = [
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
    [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb],
];

/// IP packets of both versions.
fn internet() -> Vec<Packet> {
    let mut made = Vec::new();
    for (index, (from, to)) in PORTS.into_iter().enumerate() {
        let (one, other) = (ADDRESSES[index % 8], ADDRESSES[(index * 3 + 1) % 8]);
        let flags = [0x02, 0x12, 0x10, 0x01, 0x04, 0x14, 0x18, 0x40, 0x80][index];
        for (protocol, inner) in [(6, tcp(from, to, flags)), (17, udp(from, to)), (132, udp(from, to))] {
            let fragment = [0x4000, 0, 0x2000][index % 3];
            made.push(packet(0x0800, ip(protocol, one, other, 5, fragment, &inner)));
            made.push(packet(0x0800, ip(protocol, other, one, 7, 0, &inner)));
            made.push(packet(0x0800, ip(protocol, one, one, 5, 0x00b9, &inner)));
            let (one, other) = (ADDRESSES6[index % 4], ADDRESSES6[(index + 1) % 4]);
            made.push(packet(0x86dd, ip6(protocol, one, other, &inner)));
            for extension in [44, 0, 51] {
                let with = [&[protocol, 0, 0, 0, 0, 0, 0, 1][..], &inner].concat();
                made.push(packet(0x86dd, ip6(extension, other, one, &with)));
            }
        }
    }
    for protocol in [0, 1, 2, 4, 9, 41, 44, 46, 47, 50, 51, 58, 59, 88, 89, 103, 112, 132, 255] {
        for kind in [0, 1, 3, 8, 13, 128, 129, 135] {
            let inner = [kind, 3, 0, 80, 0, 53, 7, 8, 9, 10, 11, 12];
            let at = usize::from(kind) % 8;
            made.push(packet(0x0800, ip(protocol, ADDRESSES[at], ADDRESSES[7 - at], 5, 0, &inner)));
            made.push(packet(0x86dd, ip6(protocol, ADDRESSES6[at % 4], ADDRESSES6[1], &inner)));
        }
    }
    made
}

/// Everything else that has an ether type.
fn others() -> Vec<Packet> {
    let mut made = Vec::new();
    for operation in [1, 2] {
        for pair in ADDRESSES.windows(2) {
            made.push(packet(0x0806, arp(operation, pair[0], pair[1])));
            made.push(packet(0x8035, arp(operation + 2, pair[1], pair[1])));
        }
    }
    for ethertype in [
        0x0060, 0x0600, 0x6001, 0x6002, 0x6003, 0x6004, 0x6007, 0x809b, 0x80f3, 0x8137, 0x88cc, 0x8863,
        0x8100, 0x9000, 0x88f7, 0x0031, 0x0023,
    ] {
        made.push(packet(ethertype, (0..60).collect()));
    }
    made
}

/// Frames of 802.3 with an 802.2 header, as they are behind the length.
fn logical_link() -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    for (one, other) in
        [(0x42, 0x42), (0xf0, 0xf0), (0xfe, 0xfe), (0xe0, 0xe0), (0xff, 0xff), (0xaa, 0xaa), (6, 6)]
    {
        made.push([&[one, other, 3][..], &[0x83; 40]].concat());
    }
    for (organisation, ethertype) in [
        ([0, 0, 0], 0x0800_u16),
        ([8, 0, 7], 0x809b),
        ([0, 0, 0], 0x809b),
        ([0, 0, 0], 0x80f3),
        ([0, 0, 0], 0x8137),
    ] {
        let rest = ip(6, ADDRESSES[0], ADDRESSES[1], 5, 0, &tcp(80, 90, 2));
        made.push([&[0xaa, 0xaa, 3][..], &organisation, &ethertype.to_be_bytes(), &rest].concat());
    }
    made
}

fn in_vlan(kind: u16, tag: u16, packet: &Packet) -> Packet {
    let bytes = [&tag.to_be_bytes()[..], &packet.carried.ethertype.to_be_bytes(), &packet.bytes].concat();
    Packet { carried: Carried { ethertype: kind }, bytes }
}

fn in_mpls(labels: &[u32], packet: &Packet) -> Packet {
    let mut bytes = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let last = u32::from(index + 1 == labels.len());
        bytes.extend((label << 12 | last << 8 | 64).to_be_bytes());
    }
    bytes.extend(&packet.bytes);
    Packet { carried: Carried { ethertype: 0x8847 }, bytes }
}

fn ppp_number(ethertype: u16) -> u16 {
    match ethertype {
        0x0800 => 0x0021,
        0x86dd => 0x0057,
        0x8847 => 0x0281,
        other => other,
    }
}

fn in_pppoe(session: u16, packet: &Packet) -> Packet {
    let length = packet.bytes.len() as u16 + 2;
    let mut bytes = vec![0x11, 0];
    bytes.extend(session.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(ppp_number(packet.carried.ethertype).to_be_bytes());
    bytes.extend(&packet.bytes);
    Packet { carried: Carried { ethertype: 0x8864 }, bytes }
}

/// All packets, plain and in tunnels of the link.
fn packets() -> Vec<Packet> {
    let mut made = internet();
    made.extend(others());
    let mut wrapped = Vec::new();
    for (index, inner) in made.iter().enumerate() {
        match index % 9 {
            0 => wrapped.push(in_vlan(0x8100, 5 | 0x6000, inner)),
            1 => wrapped.push(in_vlan(0x88a8, 100, &in_vlan(0x8100, 200, inner))),
            2 => wrapped.push(in_vlan(0x9100, 1, inner)),
            3 => wrapped.push(in_mpls(&[1024], inner)),
            4 => wrapped.push(in_mpls(&[100_000, 1024], inner)),
            5 => wrapped.push(in_pppoe(5, inner)),
            6 => wrapped.push(in_vlan(0x8100, 5, &in_pppoe(6, inner))),
            7 => wrapped.push(in_vlan(0x8100, 7, &in_mpls(&[1024], inner))),
            _ => wrapped.push(in_pppoe(7, &in_mpls(&[1024, 5, 6], inner))),
        }
    }
    made.extend(wrapped);
    made
}

fn framed(link: u16, index: usize, packet: &Packet) -> Option<Vec<u8>> {
    let ethertype = packet.carried.ethertype;
    let kind = ethertype.to_be_bytes();
    let ppp = ppp_number(ethertype).to_be_bytes();
    let direction = [0, 4, 3][index % 3];
    let header = match link {
        1 => [&DESTINATIONS[index % 4][..], &SOURCES[index % 2], &kind].concat(),
        113 => [&[0, direction, 0, 1, 0, 6, 0, 0, 0x5e, 0, 0x53, 1, 0, 0][..], &kind].concat(),
        276 => [&kind[..], &[0, 0, 0, 0, 0, 3, 0, 1, direction, 6, 0, 0, 0x5e, 0, 0x53, 1, 0, 0]].concat(),
        9 | 50 => [&[0xff, 3][..], &ppp].concat(),
        51 => [&[0x11, 0, 0, 5, 0, 60][..], &ppp].concat(),
        0 | 108 => {
            let family = match ethertype {
                0x0800 => 2_u32,
                0x86dd => [30, 24, 28][index % 3],
                _ => 7,
            };
            if link == 0 { family.to_ne_bytes().to_vec() } else { family.to_be_bytes().to_vec() }
        }
        _ => {
            if !matches!(ethertype, 0x0800 | 0x86dd) {
                return None;
            }
            Vec::new()
        }
    };
    Some([&header[..], &packet.bytes].concat())
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// The frames of one link type: whole ones, cut ones, and noise.
pub fn all(link: u16) -> Vec<Frame> {
    let mut bytes: Vec<Vec<u8>> =
        packets().iter().enumerate().filter_map(|(index, packet)| framed(link, index, packet)).collect();
    if matches!(link, 1 | 113 | 276) {
        for (index, rest) in logical_link().iter().enumerate() {
            for length in [rest.len() as u16, 1500, 1501, 4, 1] {
                let packet = packet(length, rest.clone());
                bytes.extend(framed(link, index, &packet));
            }
        }
    }
    let mut frames: Vec<Frame> =
        bytes.iter().map(|bytes| Frame { bytes: bytes.clone(), wire_bytes: bytes.len() as u32 }).collect();
    // A snap length cuts the frame, but not what it says of its length.
    for bytes in bytes.iter().step_by(13) {
        for end in 0..bytes.len().min(70) {
            frames.push(Frame { bytes: bytes[..end].to_vec(), wire_bytes: bytes.len() as u32 });
        }
    }
    let mut seed = 420 + u64::from(link);
    for _ in 0..400 {
        let mut noise = bytes[random(&mut seed) as usize % bytes.len()].clone();
        for _ in 0..random(&mut seed) % 6 {
            let at = random(&mut seed) as usize % noise.len();
            noise[at] = random(&mut seed) as u8;
        }
        frames.push(Frame { wire_bytes: noise.len() as u32, bytes: noise });
    }
    frames
}

/// A pcap file whose frames have their index as their time.
pub fn file(link: u16, frames: &[Frame]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_ne_bytes());
    file.extend([2_u16, 4].map(u16::to_ne_bytes).concat());
    file.extend([0_u32, 0, 262_144, u32::from(link)].map(u32::to_ne_bytes).concat());
    for (index, frame) in frames.iter().enumerate() {
        let captured = frame.bytes.len() as u32;
        file.extend([index as u32, 0, captured, frame.wire_bytes].map(u32::to_ne_bytes).concat());
        file.extend(&frame.bytes);
    }
    file
}

/// The times of the frames in a pcap file.
pub fn indexes(file: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let mut found = Vec::new();
    let mut at = 24;
    while at + 16 <= file.len() {
        found.push(word(at));
        at += 16 + word(at + 8);
    }
    found
}
