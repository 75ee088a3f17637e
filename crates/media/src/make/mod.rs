//! Streams made: test signals, packets, schedules, faults on demand.
//!
//! A maker knows the content of a period (a frame, a field, a packet time) by its number since the SMPTE epoch, so two
//! senders that know the time send the same; a schedule says when each packet of it leaves.

pub mod ancillary;
pub mod audio;
pub mod bars;
pub mod burn_in;
pub mod faults;
pub mod metadata;
pub mod ramp;
pub mod rtcp;
pub mod schedule;
pub mod video;
pub mod zone_plate;

use core::ops::Range;

/// Packets of one period, from the RTP header on, in the order they leave.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// Empties it, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a packet that `write` appends to the bytes.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// How many packets.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Where a packet lies in [`Batch::bytes`].
    pub fn range(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        Some(start..end)
    }

    /// One packet.
    pub fn packet(&self, index: usize) -> Option<&[u8]> {
        self.bytes.get(self.range(index)?)
    }

    /// One packet, to be changed in place.
    pub fn packet_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        let range = self.range(index)?;
        self.bytes.get_mut(range)
    }

    /// All packets.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.packet(index))
    }

    /// All bytes, packet after packet.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_again() {
        let mut batch = Batch::default();
        batch.add(|to| to.extend_from_slice(b"one"));
        batch.add(|_| {});
        batch.add(|to| to.extend_from_slice(b"three"));
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!((batch.len(), batch.range(2), batch.packet(3)), (3, Some(3..8), None));
        batch.clear();
        assert!(batch.is_empty() && batch.bytes().is_empty());
    }
}
