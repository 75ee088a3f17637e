//! Packets made for these tests, and one scene of them that has something of everything.

use std::net::Ipv4Addr;

/// An IPv4 endpoint: the last byte of 10.0.0.x, and a port.
pub type End = (u8, u16);

/// Packets of IP in the order of their times.
#[derive(Default, Clone)]
pub struct Wire {
    pub packets: Vec<(u64, Vec<u8>)>,
    now_us: u64,
}

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 1;
const PUSH: u8 = 8;
/// 2026-11-26T12:00:00Z, in microseconds.
const BEGIN_US: u64 = 1_795_694_400_000_000;

pub fn address(end: End) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, end.0)
}

fn sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn ip(protocol: u8, from: End, to: End, mut upper: Vec<u8>, checksum_at: usize) -> Vec<u8> {
    let mut pseudo = [address(from).octets(), address(to).octets()].concat();
    pseudo.extend([0, protocol]);
    pseudo.extend((upper.len() as u16).to_be_bytes());
    pseudo.extend(&upper);
    let checksum = sum(&pseudo).to_be_bytes();
    upper[checksum_at..checksum_at + 2].copy_from_slice(&checksum);
    let mut header = vec![0x45, 0];
    header.extend((20 + upper.len() as u16).to_be_bytes());
    header.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    header.extend(address(from).octets());
    header.extend(address(to).octets());
    let checksum = sum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&checksum);
    [header, upper].concat()
}

impl Wire {
    fn push(&mut self, packet: Vec<u8>) {
        self.now_us += 1000;
        self.packets.push((BEGIN_US + self.now_us, packet));
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.now_us += seconds * 1_000_000;
    }

    pub fn udp(&mut self, from: End, to: End, payload: &[u8]) {
        let mut upper = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
        upper.extend((8 + payload.len() as u16).to_be_bytes());
        upper.extend([0, 0]);
        upper.extend(payload);
        self.push(ip(17, from, to, upper, 6));
    }

    fn segment(&mut self, from: End, to: End, numbers: (u32, u32), flags: u8, payload: &[u8]) {
        let mut upper = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
        upper.extend(numbers.0.to_be_bytes());
        upper.extend(numbers.1.to_be_bytes());
        upper.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        upper.extend(payload);
        self.push(ip(6, from, to, upper, 16));
    }

    /// A knock that nobody answers.
    pub fn knock(&mut self, client: End, server: End) {
        self.segment(client, server, (1000, 0), SYN, b"");
    }

    /// A whole connection; what the client says stands with `true`.
    pub fn talk(&mut self, client: End, server: End, said: &[(bool, &[u8])]) {
        let (mut ours, mut theirs) = (1000, 9000);
        self.segment(client, server, (ours, 0), SYN, b"");
        self.segment(server, client, (theirs, ours + 1), SYN | ACK, b"");
        (ours, theirs) = (ours + 1, theirs + 1);
        self.segment(client, server, (ours, theirs), ACK, b"");
        for (by_client, bytes) in said {
            if *by_client {
                self.segment(client, server, (ours, theirs), ACK | PUSH, bytes);
                ours += bytes.len() as u32;
            } else {
                self.segment(server, client, (theirs, ours), ACK | PUSH, bytes);
                theirs += bytes.len() as u32;
            }
        }
        self.segment(client, server, (ours, theirs), ACK | FIN, b"");
        self.segment(server, client, (theirs, ours + 1), ACK | FIN, b"");
        self.segment(client, server, (ours + 1, theirs + 1), ACK, b"");
    }

    pub fn ssh(&mut self, client: End, server: End) {
        self.talk(client, server, &[(false, b"SSH-2.0-OpenSSH_9.2\r\n"), (true, b"SSH-2.0-OpenSSH_9.9\r\n")]);
    }

    pub fn http(&mut self, client: End, server: End, host: &[u8], name: &[u8]) {
        let request = [b"GET / HTTP/1.1\r\nHost: ", host, b"\r\nUser-Agent: made/1\r\n\r\n"].concat();
        let response = [b"HTTP/1.1 200 OK\r\nServer: ", name, b"\r\nContent-Length: 2\r\n\r\nok"].concat();
        self.talk(client, server, &[(true, &request), (false, &response)]);
    }

    pub fn dns(&mut self, client: End, server: End) {
        let question = b"\x03www\x07example\0\0\x01\0\x01";
        let ask = [b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", &question[..]].concat();
        let answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";
        let reply = [b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0", &question[..], &answer[..]].concat();
        self.udp(client, server, &ask);
        self.udp(server, client, &reply);
    }
}

/// Something of everything: SSH and HTTP on the port of SMPTE, both at home too, DNS, knocks, and a scan.
pub fn scene() -> Wire {
    let mut wire = Wire::default();
    wire.ssh((2, 50_001), (1, 420));
    wire.ssh((2, 50_002), (1, 22));
    wire.http((3, 50_003), (4, 420), b"shop.example", b"nginx");
    wire.http((3, 50_004), (4, 80), b"shop.example", b"nginx");
    wire.dns((3, 50_005), (5, 53));
    wire.dns((3, 50_006), (5, 420));
    wire.knock((6, 50_007), (1, 31_337));
    wire.wait(5);
    for port in 1..=60 {
        wire.knock((7, 40_000 + port), (1, port));
    }
    wire
}
