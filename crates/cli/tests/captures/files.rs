//! Captures as files: pcap of every kind, pcapng, link types, and how files are packed.

use std::io::Write;

/// Which pcap or pcapng it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Pcap { nanoseconds: bool, big_endian: bool },
    Pcapng { nanoseconds: bool, big_endian: bool },
}

pub const FORMS: [Form; 8] = [
    Form::Pcap { nanoseconds: false, big_endian: false },
    Form::Pcap { nanoseconds: true, big_endian: false },
    Form::Pcap { nanoseconds: false, big_endian: true },
    Form::Pcap { nanoseconds: true, big_endian: true },
    Form::Pcapng { nanoseconds: false, big_endian: false },
    Form::Pcapng { nanoseconds: true, big_endian: false },
    Form::Pcapng { nanoseconds: false, big_endian: true },
    Form::Pcapng { nanoseconds: true, big_endian: true },
];

pub const PCAP: Form = FORMS[0];

/// Link types that IPv4 can stand in, by number, each with the bytes before it.
pub const LINKS: [(u16, &[u8]); 12] = [
    (1, &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]),
    (0, &[2, 0, 0, 0]),
    (108, &[0, 0, 0, 2]),
    (101, &[]),
    (228, &[]),
    (9, &[0xff, 3, 0, 0x21]),
    (50, &[0x0f, 0, 8, 0]),
    (51, &[]),
    (113, &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0]),
    (276, &[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]),
    (105, &WIRELESS),
    (127, &RADIOTAP),
];

pub const ETHERNET: u16 = 1;

const WIRELESS: [u8; 32] =
    [8, 2, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
const RADIOTAP: [u8; 40] = [
    0, 0, 8, 0, 0, 0, 0, 0, 8, 2, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0, 0xaa,
    0xaa, 3, 0, 0, 0, 8, 0,
];

/// The frame of a link type around a packet.
fn frame(link: u16, packet: &[u8]) -> Vec<u8> {
    let (_, before) = LINKS.iter().find(|(known, _)| *known == link).unwrap();
    if link == 51 {
        // PPPoE says how long it is.
        let length = (packet.len() as u16 + 2).to_be_bytes();
        return [&[0x11, 0, 0, 7, length[0], length[1], 0, 0x21], packet].concat();
    }
    [before, packet].concat()
}

struct Bytes {
    out: Vec<u8>,
    big_endian: bool,
}

impl Bytes {
    fn two(&mut self, number: u16) {
        self.out.extend(if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn four(&mut self, number: u32) {
        self.out.extend(if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Bytes)) {
        let mut body = Bytes { out: Vec::new(), big_endian: self.big_endian };
        fill(&mut body);
        body.out.resize(body.out.len().next_multiple_of(4), 0);
        let length = body.out.len() as u32 + 12;
        self.four(kind);
        self.four(length);
        self.out.extend(body.out);
        self.four(length);
    }
}

/// A file of these packets, each with its time in microseconds.
pub fn file(form: Form, link: u16, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    match form {
        Form::Pcap { nanoseconds, big_endian } => {
            let mut bytes = Bytes { out: Vec::new(), big_endian };
            bytes.four(if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
            bytes.two(2);
            bytes.two(4);
            for number in [0, 0, 262_144, u32::from(link)] {
                bytes.four(number);
            }
            for (time, packet) in packets {
                let frame = frame(link, packet);
                bytes.four((time / 1_000_000) as u32);
                bytes.four((time % 1_000_000) as u32 * if nanoseconds { 1000 } else { 1 });
                bytes.four(frame.len() as u32);
                bytes.four(frame.len() as u32);
                bytes.out.extend(frame);
            }
            bytes.out
        }
        Form::Pcapng { nanoseconds, big_endian } => {
            let mut bytes = Bytes { out: Vec::new(), big_endian };
            bytes.block(0x0a0d_0d0a, |block| {
                block.four(0x1a2b_3c4d);
                block.two(1);
                block.two(0);
                block.four(u32::MAX);
                block.four(u32::MAX);
            });
            bytes.block(1, |block| {
                block.two(link);
                block.two(0);
                block.four(0);
                // if_tsresol
                block.two(9);
                block.two(1);
                block.out.extend([if nanoseconds { 9 } else { 6 }, 0, 0, 0]);
                block.four(0);
            });
            for (time, packet) in packets {
                let time = time * if nanoseconds { 1000 } else { 1 };
                let frame = frame(link, packet);
                bytes.block(6, |block| {
                    block.four(0);
                    block.four((time >> 32) as u32);
                    block.four(time as u32);
                    block.four(frame.len() as u32);
                    block.four(frame.len() as u32);
                    block.out.extend(frame);
                });
            }
            bytes.out
        }
    }
}

/// Where each record of a pcap ends.
pub fn ends_of_records(pcap: &[u8]) -> Vec<usize> {
    let (mut at, mut ends) = (24, Vec::new());
    while let Some(length) = pcap.get(at + 8..at + 12) {
        at += 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        ends.push(at);
    }
    ends
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}
