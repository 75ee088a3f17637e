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

/// Puts codestreams together. Frames with loss are counted and left out, and those out of order that should be in it: no
/// decoder could use them.
#[derive(Debug, Clone, Default)]
pub struct Depacketiser {
    bytes: Vec<u8>,
    /// Of packets without order: slice and packet of each, and where it ends.
    places: Vec<((u16, u16), usize)>,
    next: Option<u16>,
    /// Whether a frame or field ended before.
    ended: bool,
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
        let is_first = self.next.replace(packet.rtp.sequence.wrapping_add(1)).is_none();
        let after_end = core::mem::replace(&mut self.ended, packet.rtp.marker);
        let begins = if payload.sequential { payload.begins() } else { is_first || follows && after_end };
        if begins {
            self.dropped += u64::from(self.current.is_some());
            self.bytes.clear();
            self.places.clear();
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
        if !payload.sequential {
            // The header segment has the highest number, and comes first.
            self.places.push(((payload.slice.wrapping_add(1) & 0x7ff, payload.packet), self.bytes.len()));
        }
        if !packet.rtp.marker {
            return None;
        }
        self.current = None;
        let bytes = self.in_order();
        let is_long_enough = |claimed: u32, boxes_bytes: usize| {
            payload.sequential
                || usize::try_from(claimed).is_ok_and(|claimed| claimed + boxes_bytes == bytes.len())
        };
        match codestream::parse(&bytes) {
            Ok(begin) if is_long_enough(begin.facts.bytes, begin.boxes_bytes) => {
                Some(Codestream { timestamp: key.0, part: key.1, begin: begin.boxes_bytes, bytes })
            }
            _ => {
                self.dropped += 1;
                None
            }
        }
    }

    /// What came of the frame or field, as it belongs together.
    fn in_order(&mut self) -> Vec<u8> {
        let bytes = core::mem::take(&mut self.bytes);
        if self.places.is_empty() {
            return bytes;
        }
        let mut begin = 0;
        let mut pieces: Vec<_> = self
            .places
            .drain(..)
            .map(|(place, end)| (place, core::mem::replace(&mut begin, end)..end))
            .collect();
        pieces.sort_by_key(|(place, _)| *place);
        // Slices are counted modulo 2047: of more, nobody knows which is which.
        if pieces.windows(2).any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
            return Vec::new();
        }
        pieces.into_iter().flat_map(|(_, range)| bytes.get(range).unwrap_or_default()).copied().collect()
    }
}
