//! Netlink framing (Linux `include/uapi/linux/netlink.h`): messages, attributes, and requests to send.
//!
//! Numbers are in the machine's own order; what an attribute holds is its protocol's matter.

use alloc::vec::Vec;

use crate::Fault;
use crate::cursor::{ne16, ne32};

/// Bytes of a message header (`struct nlmsghdr`).
pub const HEADER_BYTES: usize = 16;
/// Bytes of an attribute header (`struct nlattr`).
pub const ATTRIBUTE_BYTES: usize = 4;

/// Message kind: nothing (`NLMSG_NOOP`).
pub const NOOP: u16 = 1;
/// Message kind: an answer in place of data; see [`error_code`] (`NLMSG_ERROR`).
pub const ERROR: u16 = 2;
/// Message kind: the end of a dump (`NLMSG_DONE`).
pub const DONE: u16 = 3;
/// Message kind: the kernel dropped data (`NLMSG_OVERRUN`).
pub const OVERRUN: u16 = 4;

/// Flag: a request (`NLM_F_REQUEST`).
pub const REQUEST: u16 = 0x1;
/// Flag: one of several messages (`NLM_F_MULTI`).
pub const MULTI: u16 = 0x2;
/// Flag: answer also where nothing is to be said (`NLM_F_ACK`).
pub const ACK: u16 = 0x4;
/// Flag: the table changed while it was dumped (`NLM_F_DUMP_INTR`).
pub const DUMP_INTERRUPTED: u16 = 0x10;
/// Flag: everything, not one entry (`NLM_F_DUMP`).
pub const DUMP: u16 = 0x300;

/// Flags that share the 16 bits of an attribute's kind (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
const KIND_MASK: u16 = 0x3fff;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is; values below 16 are the same in every protocol.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The number of the request that it answers.
    pub sequence: u32,
    /// The sender's address; 0 is the kernel.
    pub port_id: u32,
    /// What follows the header, padding left out.
    pub payload: &'a [u8],
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// What it is, without the flags for nesting and byte order.
    pub kind: u16,
    /// Its value, padding left out.
    pub payload: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "netlink", at, what }
}

/// Lengths are counted without padding; the next thing begins at a multiple of four.
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// Iterates over the messages of one buffer; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The messages of one buffer.
pub fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages { bytes, at: 0 }
}

impl<'a> Messages<'a> {
    fn step(&mut self, rest: &'a [u8]) -> Option<Message<'a>> {
        let length = ne32(rest, 0)? as usize;
        let message = Message {
            payload: rest.get(HEADER_BYTES..length)?,
            kind: ne16(rest, 4)?,
            flags: ne16(rest, 6)?,
            sequence: ne32(rest, 8)?,
            port_id: ne32(rest, 12)?,
        };
        self.at = self.at.saturating_add(align(length));
        Some(message)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let at = self.at;
        Some(self.step(rest).ok_or_else(|| {
            self.at = usize::MAX;
            fault(at, "a message is longer than the buffer, or shorter than its header (nlmsghdr.nlmsg_len)")
        }))
    }
}

/// Iterates over the attributes of one block; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The attributes of one block.
pub fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes { bytes, at: 0 }
}

impl<'a> Attributes<'a> {
    fn step(&mut self, rest: &'a [u8]) -> Option<Attribute<'a>> {
        let length = usize::from(ne16(rest, 0)?);
        let attribute =
            Attribute { payload: rest.get(ATTRIBUTE_BYTES..length)?, kind: ne16(rest, 2)? & KIND_MASK };
        self.at = self.at.saturating_add(align(length));
        Some(attribute)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let at = self.at;
        Some(self.step(rest).ok_or_else(|| {
            self.at = usize::MAX;
            fault(at, "an attribute is longer than its block, or shorter than its header (nlattr.nla_len)")
        }))
    }
}

/// The error number in the payload of [`ERROR`] or [`DONE`]: positive as in errno, 0 for success; `None` if cut short.
pub fn error_code(payload: &[u8]) -> Option<i32> {
    ne32(payload, 0).map(|code| 0_i32.wrapping_sub(code.cast_signed()))
}

/// A request, built from front to back; its lengths are right after every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// A request without a body; `flags` beside [`REQUEST`].
    pub fn new(kind: u16, flags: u16) -> Request {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&16_u32.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Request { bytes }
    }

    /// Adds the protocol's own header, padded.
    #[must_use]
    pub fn body(mut self, bytes: &[u8]) -> Request {
        self.bytes.extend_from_slice(bytes);
        self.finish()
    }

    /// Adds an attribute; one longer than 65,531 bytes is left out, because its length has 16 bits.
    #[must_use]
    pub fn attribute(mut self, kind: u16, payload: &[u8]) -> Request {
        let Ok(length) = u16::try_from(payload.len().saturating_add(ATTRIBUTE_BYTES)) else { return self };
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        self.finish()
    }

    /// Gives it a number, by which its answers are known.
    pub fn number(&mut self, sequence: u32) {
        if let Some(field) = self.bytes.get_mut(8..12) {
            field.copy_from_slice(&sequence.to_ne_bytes());
        }
    }

    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn finish(mut self) -> Request {
        self.bytes.resize(align(self.bytes.len()), 0);
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(field) = self.bytes.first_chunk_mut::<4>() {
            *field = length.to_ne_bytes();
        }
        self
    }
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let mut total = 0_usize;
    for message in messages(bytes) {
        let Ok(message) = message else { break };
        // Each message lies behind the one before, and all of them inside the buffer.
        let start = message.payload.as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(start, total + HEADER_BYTES);
        total = align(start + message.payload.len());
        assert!(total < bytes.len() + 4);
        let again = Request::new(message.kind, message.flags).body(message.payload);
        let Some(Ok(back)) = messages(again.as_bytes()).next() else {
            unreachable!("what we build can be read")
        };
        assert_eq!((back.kind, back.flags), (message.kind, message.flags | REQUEST));
        assert!(back.payload.starts_with(message.payload));
    }
    let mut again = Request::new(0, 0);
    let mut read = Vec::new();
    for attribute in attributes(bytes).map_while(Result::ok) {
        again = again.attribute(attribute.kind, attribute.payload);
        read.push(attribute);
    }
    let body = messages(again.as_bytes()).next().and_then(Result::ok).map_or(&[][..], |found| found.payload);
    let back: Vec<_> = attributes(body).map_while(Result::ok).collect();
    assert_eq!(back, read);
    assert!(body.len() < bytes.len() + 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut first = Request::new(20, MULTI).body(&[1, 2, 3, 4]).attribute(7, b"abc").attribute(8, &[]);
        first.number(9);
        let second = Request::new(DONE, MULTI).body(&(-2_i32).to_ne_bytes());
        [first.as_bytes(), second.as_bytes()].concat()
    }

    #[test]
    fn messages_and_attributes_are_read_back() {
        let bytes = sample();
        let all: Vec<_> = messages(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].kind, all[0].flags, all[0].sequence, all[0].port_id), (20, MULTI | REQUEST, 9, 0));
        let found: Vec<_> = attributes(&all[0].payload[4..]).collect::<Result<_, _>>().unwrap();
        assert_eq!(found, [Attribute { kind: 7, payload: b"abc" }, Attribute { kind: 8, payload: b"" }]);
        assert_eq!(error_code(all[1].payload), Some(2));
        assert_eq!(error_code(&[1, 2, 3]), None);
    }

    #[test]
    fn nested_and_byte_order_flags_are_not_part_of_the_kind() {
        let request = Request::new(1, 0).attribute(0x8000 | 3, &[]).attribute(0x4000 | 4, &[]);
        let kinds: Vec<u16> =
            attributes(&request.as_bytes()[16..]).map(|found| found.unwrap().kind).collect();
        assert_eq!(kinds, [3, 4]);
    }

    #[test]
    fn forbidden_lengths_are_faults_and_end_the_walk() {
        let bytes = sample();
        for length in [0_u32, 1, 15, 0x7fff_ffff, u32::MAX] {
            let mut copy = bytes.clone();
            copy[..4].copy_from_slice(&length.to_ne_bytes());
            let all: Vec<_> = messages(&copy).collect();
            assert_eq!(all.len(), 1, "length {length}");
            assert_eq!(all[0].unwrap_err().at, 0);
        }
        for length in [0_u16, 1, 3, 9, u16::MAX] {
            let mut copy = [5, 0, 1, 0, 9, 0, 0, 0];
            copy[..2].copy_from_slice(&length.to_ne_bytes());
            assert!(attributes(&copy).next().unwrap().is_err(), "length {length}");
            assert_eq!(attributes(&copy).count(), 1);
        }
        assert!(attributes(&[0, 0, 0]).next().unwrap().is_err());
    }

    #[test]
    fn an_attribute_that_cannot_be_counted_is_left_out() {
        let long = std::vec![0; 65_532];
        assert_eq!(Request::new(1, 0).attribute(1, &long), Request::new(1, 0));
        let request = Request::new(1, 0).attribute(1, &long[1..]);
        assert_eq!(attributes(&request.as_bytes()[16..]).next().unwrap().unwrap().payload.len(), 65_531);
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let bytes = sample();
        for end in 0..bytes.len() {
            check(&bytes[..end]);
            let whole = messages(&bytes[..end]).filter(Result::is_ok).count();
            assert_eq!(whole, usize::from(end >= 32), "prefix of {end}");
        }
        let mut seed = 3_u64;
        for _ in 0..20_000 {
            let mut copy = bytes.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[2] & 31;
            }
            check(&copy);
        }
    }
}
