//! Packets made for tests, layer by layer from the inside; every length and checksum right.

use std::vec::Vec;

use model::Timestamp;

mod samples;

use crate::checksum;
use crate::{Frame, LinkType};

pub use samples::{Sample, samples};

/// The bytes one after another.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A frame of Ethernet, padded to the 60 bytes that are the least.
pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ether_type.to_be_bytes(), payload]);
    frame.resize(frame.len().max(60), 0);
    frame
}

fn bytes16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

/// IPv4 from 192.0.2.1 to 198.51.100.2.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_piece(protocol, 0x1234, 0, payload)
}

/// IPv4 with an identification, and with flags and offset as in the header.
pub fn ipv4_piece(protocol: u8, id: u16, flags_and_offset: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = join(&[
        &[0x45, 0xb9],
        &bytes16(20 + payload.len()),
        &id.to_be_bytes(),
        &flags_and_offset.to_be_bytes(),
        &[63, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2],
    ]);
    let sum = checksum::internet(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    join(&[&header, payload])
}

/// The addresses of [`ipv6`].
pub const V6_ADDRESSES: [u8; 32] = [
    0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 2,
];

/// IPv6 from 2001:db8::1 to 2001:db8::2.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    join(&[&[0x6b, 0x91, 0x23, 0x45], &bytes16(payload.len()), &[next, 62], &V6_ADDRESSES, payload])
}

/// UDP without a checksum.
pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &bytes16(8 + payload.len()), &[0, 0], payload])
}

/// A segment of TCP with ACK and PSH; the options must be padded.
pub fn tcp(source: u16, destination: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    assert!(options.len().is_multiple_of(4));
    let offset = u8::try_from(5 + options.len() / 4).unwrap() << 4;
    join(&[
        &source.to_be_bytes(),
        &destination.to_be_bytes(),
        &[1, 2, 3, 4, 5, 6, 7, 8, offset, 0x18, 0x20, 0, 0, 0, 0, 0],
        options,
        payload,
    ])
}

/// A frame that was captured whole.
pub fn frame(link: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame {
        time: Some(Timestamp::from_ns(1_700_000_000_123_456_789)),
        link,
        interface: 0,
        wire_bytes: u32::try_from(bytes.len()).unwrap(),
        bytes,
    }
}
