//! Codestreams out of packets, as files of JPEG XS have them (RFC 9134 §4.4).

use super::codestream;
use super::header::{self, Part};
use crate::Packet;

/// No frame is longer; a sender that never ends one does not make memory grow.
const MOST_BYTES: usize = 64 << 20;

/// The codestream of a frame or field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codestream {
    /// Its timestamp.
    pub timestamp: u32,
    /// Frame, first field or second field.
    pub part: Part,
    /// Boxes, if there were any, and then the codestream from its start marker to its end.
    pub bytes: Vec<u8>,
    /// Where the codestream begins: what is from here on is a `.jxs` file.
    pub begin: usize,
}

impl Codestream {
    /// The codestream without the boxes before it.
    pub fn codestream(&self) -> &[u8] {
        self.bytes.get(self.begin..).unwrap_or_default()
    }
}

/// Puts codestreams together. Frames with loss or out of order are counted and left out: no decoder could use them.
#[derive(Debug, Clone, Default)]
pub struct Depacketiser {
    bytes: Vec<u8>,
    next: Option<u16>,
    current: Option<(u32, Part)>,
    dropped: u64,
}

impl Depacketiser {
    /// Frames and fields that were begun and not whole.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes a packet; gives the codestream that it completes.
    pub fn handle(&mut self, packet: &Packet<'_>) -> Option<Codestream> {
        let payload = header::parse(packet.rtp.payload).ok()?;
        let key = (packet.rtp.timestamp, payload.part);
        let follows = self.next == Some(packet.rtp.sequence);
        self.next = Some(packet.rtp.sequence.wrapping_add(1));
        if payload.begins() {
            self.dropped += u64::from(self.current.is_some());
            self.bytes.clear();
            self.current = Some(key);
        } else if !follows || self.current != Some(key) {
            self.dropped += u64::from(self.current.take().is_some());
            return None;
        }
        if self.bytes.len() + payload.data.len() > MOST_BYTES {
            self.dropped += u64::from(self.current.take().is_some());
            return None;
        }
        self.bytes.extend_from_slice(payload.data);
        if !packet.rtp.marker {
            return None;
        }
        self.current = None;
        let bytes = core::mem::take(&mut self.bytes);
        match codestream::parse(&bytes) {
            Ok(begin) => Some(Codestream { timestamp: key.0, part: key.1, begin: begin.boxes_bytes, bytes }),
            Err(_) => {
                self.dropped += 1;
                None
            }
        }
    }
}
