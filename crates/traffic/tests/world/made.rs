//! Frames made in memory: a tape of what a small world of hosts would send.

use std::net::{IpAddr, SocketAddr};

use model::Timestamp;
use wire::{Frame, LinkType};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const PSH: u8 = 8;
pub const ACK: u8 = 16;

pub const MILLISECOND: i64 = 1_000_000;
pub const SECOND: i64 = 1_000_000_000;
/// When the world begins.
pub const BEGIN: i64 = 1_790_000_000 * SECOND;

/// Frames one behind the other, with their times.
#[derive(Default, Clone)]
pub struct Tape {
    bytes: Vec<u8>,
    frames: Vec<(usize, usize, i64)>,
}

impl Tape {
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    pub fn frame(&self, index: usize) -> Frame<'_> {
        let (from, to, at) = self.frames[index];
        let bytes = &self.bytes[from..to];
        Frame {
            time: Some(Timestamp::from_ns(at)),
            link: LinkType::ETHERNET,
            interface: 0,
            wire_bytes: u32::try_from(bytes.len()).unwrap(),
            bytes,
        }
    }

    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        (0..self.len()).map(|index| self.frame(index))
    }

    /// In the order of time.
    pub fn sort(&mut self) {
        self.frames.sort_by_key(|(_, _, at)| *at);
    }

    /// Adds another frame like the one at `index`.
    pub fn repeat(&mut self, index: usize) {
        let frame = self.frames[index];
        self.frames.push(frame);
    }

    pub fn remove(&mut self, index: usize) {
        self.frames.remove(index);
    }

    pub fn swap(&mut self, one: usize, other: usize) {
        let (a, b) = (self.frames[one].2, self.frames[other].2);
        self.frames.swap(one, other);
        (self.frames[one].2, self.frames[other].2) = (a, b);
    }

    /// Cuts the last frame, of IPv4, into two pieces; the first has so many bytes behind the IP header.
    pub fn cut(&mut self, bytes: usize) {
        let (from, to, at) = self.frames.pop().unwrap();
        let (header, payload) = (self.bytes[from..from + 34].to_vec(), self.bytes[from + 34..to].to_vec());
        let (one, two) = payload.split_at(bytes);
        for (piece, flags) in [(one, 0x2000), (two, u16::try_from(bytes / 8).unwrap())] {
            let start = self.bytes.len();
            let mut header = header.clone();
            header[16..18].copy_from_slice(&u16::try_from(piece.len() + 20).unwrap().to_be_bytes());
            header[20..22].copy_from_slice(&flags.to_be_bytes());
            self.bytes.extend_from_slice(&header);
            self.bytes.extend_from_slice(piece);
            self.frames.push((start, self.bytes.len(), at));
        }
    }

    fn ip(&mut self, at: i64, from: IpAddr, to: IpAddr, protocol: u8, parts: [&[u8]; 2]) {
        let length = u16::try_from(parts[0].len() + parts[1].len()).unwrap();
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                self.bytes.extend_from_slice(&[8, 0, 0x45, 0]);
                self.bytes.extend_from_slice(&(length + 20).to_be_bytes());
                self.bytes.extend_from_slice(&[0, 0, 0x40, 0, 64, protocol, 0, 0]);
                self.bytes.extend_from_slice(&from.octets());
                self.bytes.extend_from_slice(&to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                self.bytes.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
                self.bytes.extend_from_slice(&length.to_be_bytes());
                self.bytes.extend_from_slice(&[protocol, 64]);
                self.bytes.extend_from_slice(&from.octets());
                self.bytes.extend_from_slice(&to.octets());
            }
            _ => panic!("two versions of IP in one packet"),
        }
        self.bytes.extend_from_slice(parts[0]);
        self.bytes.extend_from_slice(parts[1]);
        self.frames.push((start, self.bytes.len(), at));
    }

    pub fn udp(&mut self, at: i64, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let length = u16::try_from(payload.len() + 8).unwrap();
        let mut header = [0; 8];
        header[..2].copy_from_slice(&from.port().to_be_bytes());
        header[2..4].copy_from_slice(&to.port().to_be_bytes());
        header[4..6].copy_from_slice(&length.to_be_bytes());
        self.ip(at, from.ip(), to.ip(), 17, [&header, payload]);
    }

    /// A packet of SCTP with one chunk.
    pub fn sctp(&mut self, at: i64, from: SocketAddr, to: SocketAddr, (kind, flags): (u8, u8), body: &[u8]) {
        let mut header = [0; 12];
        header[..2].copy_from_slice(&from.port().to_be_bytes());
        header[2..4].copy_from_slice(&to.port().to_be_bytes());
        let length = u16::try_from(4 + body.len()).unwrap().to_be_bytes();
        let mut chunk = [&[kind, flags][..], &length, body].concat();
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        self.ip(at, from.ip(), to.ip(), 132, [&header, &chunk]);
    }

    pub fn tcp(
        &mut self,
        at: i64,
        (from, to): (SocketAddr, SocketAddr),
        flags: u8,
        (sequence, acknowledgement): (u32, u32),
        payload: &[u8],
    ) {
        let mut header = [0; 20];
        header[..2].copy_from_slice(&from.port().to_be_bytes());
        header[2..4].copy_from_slice(&to.port().to_be_bytes());
        header[4..8].copy_from_slice(&sequence.to_be_bytes());
        header[8..12].copy_from_slice(&acknowledgement.to_be_bytes());
        header[12] = 0x50;
        header[13] = flags;
        header[14..16].copy_from_slice(&[0x80, 0]);
        self.ip(at, from.ip(), to.ip(), 6, [&header, payload]);
    }

    /// "Port unreachable" from `to`, about a datagram or segment that `from` sent.
    pub fn unreachable(&mut self, at: i64, protocol: u8, from: SocketAddr, to: SocketAddr) {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (from.ip(), to.ip()) else {
            panic!("only for IPv4");
        };
        let mut quote = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, protocol, 0, 0];
        quote.extend_from_slice(&source.octets());
        quote.extend_from_slice(&destination.octets());
        quote.extend_from_slice(&from.port().to_be_bytes());
        quote.extend_from_slice(&to.port().to_be_bytes());
        quote.extend_from_slice(&[0, 8, 0, 0]);
        self.ip(at, to.ip(), from.ip(), 1, [&[3, 3, 0, 0, 0, 0, 0, 0], &quote]);
    }
}

/// One connection, as both ends play it.
pub struct Connection<'a> {
    pub tape: &'a mut Tape,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub at: i64,
    pub client_next: u32,
    pub server_next: u32,
}

impl<'a> Connection<'a> {
    pub fn new(tape: &'a mut Tape, at: i64, client: SocketAddr, server: SocketAddr) -> Connection<'a> {
        let client_next = u32::from(client.port()).wrapping_mul(0x0101_0101);
        Connection { tape, client, server, at, client_next, server_next: !client_next }
    }

    fn client_sends(&mut self, flags: u8, payload: &[u8]) {
        self.at += MILLISECOND;
        let ends = (self.client, self.server);
        self.tape.tcp(self.at, ends, flags, (self.client_next, self.server_next), payload);
        let taken = u32::try_from(payload.len()).unwrap() + u32::from(flags & (SYN | FIN) != 0);
        self.client_next = self.client_next.wrapping_add(taken);
    }

    fn server_sends(&mut self, flags: u8, payload: &[u8]) {
        self.at += MILLISECOND;
        let ends = (self.server, self.client);
        self.tape.tcp(self.at, ends, flags, (self.server_next, self.client_next), payload);
        let taken = u32::try_from(payload.len()).unwrap() + u32::from(flags & (SYN | FIN) != 0);
        self.server_next = self.server_next.wrapping_add(taken);
    }

    pub fn open(mut self) -> Self {
        self.client_sends(SYN, b"");
        self.server_sends(SYN | ACK, b"");
        self.client_sends(ACK, b"");
        self
    }

    /// The client says something; long things in several segments.
    pub fn ask(mut self, payload: &[u8]) -> Self {
        payload.chunks(1460).for_each(|payload| self.client_sends(PSH | ACK, payload));
        self
    }

    pub fn answer(mut self, payload: &[u8]) -> Self {
        payload.chunks(1460).for_each(|payload| self.server_sends(PSH | ACK, payload));
        self
    }

    pub fn close(mut self) -> Self {
        self.client_sends(FIN | ACK, b"");
        self.server_sends(FIN | ACK, b"");
        self.client_sends(ACK, b"");
        self
    }

    pub fn refused(mut self) -> Self {
        self.client_sends(SYN, b"");
        self.server_sends(RST | ACK, b"");
        self
    }

    pub fn unanswered(mut self) -> Self {
        self.client_sends(SYN, b"");
        self
    }

    /// As a scanner does that goes when the door opens.
    pub fn half_open(mut self) -> Self {
        self.client_sends(SYN, b"");
        self.server_sends(SYN | ACK, b"");
        self.client_sends(RST, b"");
        self
    }
}
