//! RTCP: compound packets and their lengths (RFC 3550 §6).

mod report;

use crate::Fault;
use crate::cursor::{array, be16};

pub use report::{
    Descriptions, Extended, ExtendedBlocks, NtpTime, ReceiverReport, ReportBlock, ReportBlocks, SenderReport,
    Summary, Voice, run_count,
};

/// Sender report.
pub const SENDER_REPORT: u8 = 200;
/// Receiver report.
pub const RECEIVER_REPORT: u8 = 201;
/// Source description.
pub const SOURCE_DESCRIPTION: u8 = 202;
/// A source leaves.
pub const BYE: u8 = 203;
/// What an application defined.
pub const APPLICATION: u8 = 204;
/// Feedback about transport (RFC 4585).
pub const TRANSPORT_FEEDBACK: u8 = 205;
/// Feedback about payload (RFC 4585).
pub const PAYLOAD_FEEDBACK: u8 = 206;
/// Extended reports (RFC 3611).
pub const EXTENDED_REPORT: u8 = 207;

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is: 200 to 207.
    pub kind: u8,
    /// The five bits beside the version: a count, a subtype, a format.
    pub count: u8,
    /// What follows its first word, padding left out.
    pub body: &'a [u8],
}

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { layer: "RTCP", at, what }
}

/// Iterates over the packets of one datagram; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The packets of one datagram.
pub fn packets(bytes: &[u8]) -> Packets<'_> {
    Packets { bytes, at: 0 }
}

impl<'a> Packets<'a> {
    fn step(&mut self, rest: &'a [u8]) -> Result<Packet<'a>, Fault> {
        let start = self.at;
        let [first, kind] = array(rest, 0).ok_or(fault(self.bytes.len(), "a packet ends in its header"))?;
        let words = be16(rest, 2).ok_or(fault(self.bytes.len(), "a packet ends in its header"))?;
        if first >> 6 != 2 {
            return Err(fault(start, "another version than 2 (RFC 3550 §6.4.1)"));
        }
        if !(SENDER_REPORT..=EXTENDED_REPORT).contains(&kind) {
            return Err(fault(start + 1, "an unknown packet type (RFC 3550 §12.1)"));
        }
        let length = usize::from(words) * 4;
        let body = rest.get(4..4 + length);
        let mut body =
            body.ok_or(fault(start + 2, "a packet is longer than its datagram (RFC 3550 §6.4.1)"))?;
        let count = first & 0x1f;
        self.at += 4 + length;
        if first & 0x20 != 0 {
            // Only the last of a compound is padded (§6.4.1).
            let padding = usize::from(body.last().copied().unwrap_or(0));
            let kept = body.len().checked_sub(padding).filter(|_| padding > 0 && self.at == self.bytes.len());
            body = body
                .get(..kept.ok_or(fault(start, "padding in the middle, of nothing, or too long"))?)
                .unwrap_or_default();
        }
        let count_bytes = usize::from(count);
        let least = match kind {
            SENDER_REPORT => 24 + 24 * count_bytes,
            RECEIVER_REPORT => 4 + 24 * count_bytes,
            BYE => 4 * count_bytes,
            // An SSRC and a list that ends with a zero, in words.
            SOURCE_DESCRIPTION => 8 * count_bytes,
            EXTENDED_REPORT => 4,
            _ => 8,
        };
        if body.len() < least {
            return Err(fault(start + 2, "a packet is shorter than what it counts (RFC 3550 §6.4)"));
        }
        Ok(Packet { kind, count, body })
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let packet = self.step(rest);
        if packet.is_err() {
            self.at = usize::MAX;
        }
        Some(packet)
    }
}

impl<'a> Packet<'a> {
    /// Who sent it, or the first of those it is about.
    pub fn ssrc(&self) -> Option<u32> {
        array(self.body, 0).map(u32::from_be_bytes)
    }

    /// The four letters of an application's packet.
    pub fn application(&self) -> Option<[u8; 4]> {
        if self.kind == APPLICATION { array(self.body, 4) } else { None }
    }

    /// The canonical name in a source description's first chunk (RFC 3550 §6.5.1).
    pub fn canonical_name(&self) -> Option<&'a [u8]> {
        if self.kind != SOURCE_DESCRIPTION || self.count == 0 {
            return None;
        }
        let mut items = self.body.get(4..)?;
        while let Some(([kind, length], rest)) = items.split_first_chunk::<2>() {
            if *kind == 0 {
                return None;
            }
            let (text, after) = rest.split_at_checked(usize::from(*length))?;
            if *kind == 1 {
                return Some(text);
            }
            items = after;
        }
        None
    }
}

/// What must hold of any input; used by the fuzz target and the seeded test.
pub fn check(bytes: &[u8]) {
    let mut total = 0;
    for packet in packets(bytes) {
        let Ok(packet) = packet else { return };
        total += 4 + packet.body.len();
        assert!(total <= bytes.len());
        assert!((200..=207).contains(&packet.kind) && packet.count < 32);
        assert!(packet.canonical_name().is_none_or(|name| name.len() < packet.body.len()));
        // A report whose length was accepted has all the blocks that it counts.
        if let Some(blocks) = packet.blocks() {
            assert!(blocks.count() == usize::from(packet.count));
        }
        assert_eq!(packet.blocks().is_some(), matches!(packet.kind, SENDER_REPORT | RECEIVER_REPORT));
        assert_eq!(packet.goodbye().is_some(), packet.kind == BYE);
        if let Some((sources, _)) = packet.goodbye() {
            assert_eq!(sources.count(), usize::from(packet.count));
        }
        let described: usize = packet.descriptions().map(|(_, _, text)| text.len() + 2).sum();
        assert!(described <= packet.body.len());
        let first = packet.descriptions().next();
        if let (Some((_, 1, text)), Some(name)) = (first, packet.canonical_name()) {
            assert_eq!(text, name);
        }
        let mut extended = 4;
        for block in packet.extended() {
            extended += 4;
            match block {
                Extended::Runs { begin, end, chunks, .. } => {
                    let all = run_count(begin, end, chunks, false) + run_count(begin, end, chunks, true);
                    assert!(all <= u32::from(end.wrapping_sub(begin)));
                    extended += 8 + chunks.len();
                }
                Extended::ReceiptTimes { times, .. } => extended += 8 + times.len(),
                Extended::ReferenceTime(time) => {
                    assert_eq!(NtpTime::from_unix_ns(time.unix_ns()).unix_ns(), time.unix_ns());
                    extended += 8;
                }
                Extended::Delays(body) | Extended::Other(_, body) => extended += body.len(),
                Extended::Summary(_) => extended += 36,
                Extended::Voice(_) => extended += 32,
            }
        }
        assert!(extended <= packet.body.len().max(4));
    }
    // Nothing was left out but at most the padding of the last.
    assert!(bytes.len() - total < 256);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn sample() -> Vec<u8> {
        let mut bytes = Vec::from(*b"\x80\xc8\x00\x06");
        bytes.extend_from_slice(&[7; 24]);
        bytes.extend_from_slice(b"\x81\xca\x00\x03\x07\x07\x07\x07\x01\x04me@x\0\0");
        bytes
    }

    #[test]
    fn compounds_are_taken_apart() {
        let bytes = sample();
        let all: Vec<_> = packets(&bytes).map(Result::unwrap).collect();
        assert_eq!((all[0].kind, all[0].ssrc()), (SENDER_REPORT, Some(0x0707_0707)));
        assert_eq!(all[1].canonical_name(), Some(&b"me@x"[..]));
        let application = b"\x80\xcc\x00\x02\x00\x00\x00\x01RIST";
        assert_eq!(packets(application).next().unwrap().unwrap().application(), Some(*b"RIST"));
        let padded = b"\xa0\xcb\x00\x01\x00\x00\x00\x04";
        assert_eq!(packets(padded).next().unwrap().unwrap().body, b"");
    }

    #[test]
    fn forbidden_values() {
        for (place, value, at) in
            [(0, 0x40, 0), (0, 0x81, 2), (0, 0xa0, 0), (1, 199, 1), (1, 208, 1), (3, 5, 2), (3, 40, 2)]
        {
            let mut copy = sample();
            copy[place] = value;
            assert_eq!(packets(&copy).next().unwrap().unwrap_err().at, at, "{place} {value}");
        }
    }

    #[test]
    fn every_prefix_and_many_damaged_copies_are_survived() {
        let sample = sample();
        for end in 0..sample.len() {
            check(&sample[..end]);
        }
        let mut seed = 13_u64;
        for _ in 0..20_000 {
            let mut copy = sample.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % copy.len();
                copy[at] = seed.to_le_bytes()[5];
            }
            check(&copy);
        }
    }
}
