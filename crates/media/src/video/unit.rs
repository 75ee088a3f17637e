//! One frame, field or segment while it comes.

use model::media::Occurrence;

use super::coverage::Coverage;

/// What tells one frame, field or segment from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Key {
    /// Its timestamp.
    pub timestamp: u32,
    /// Whether it is a second field or segment.
    pub second: bool,
}

/// One frame, field or segment while it comes.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Which.
    pub key: Key,
    /// Its first packet.
    pub first: Occurrence,
    /// Packets that came, without those that are known to have come before.
    pub packets: u64,
    /// The lowest and the highest sequence number.
    pub sequences: (u16, u16),
    /// Whether the packet before it came and ended another.
    pub begins_clean: bool,
    /// Whether it is the first that was seen.
    pub is_first: bool,
    /// Whether a marker came.
    pub marker: bool,
    /// The lowest and the highest row number, as sent.
    pub rows: Option<(u16, u16)>,
    /// Row and pixel of the piece that came last in the order of numbers.
    pub last: Option<(u16, u16)>,
    /// How many pieces lie outside the raster, and the first of them with its row.
    pub outside: (u64, Option<(Occurrence, u16)>),
    /// What came; `None` where the raster is too large or has no pixel groups.
    pub coverage: Option<Coverage>,
}

impl Unit {
    /// A place for one.
    pub fn new(coverage: Option<Coverage>) -> Unit {
        Unit {
            key: Key::default(),
            first: Occurrence { frame: 0, sequence: 0, timestamp: 0 },
            packets: 0,
            sequences: (0, 0),
            begins_clean: false,
            is_first: false,
            marker: false,
            rows: None,
            last: None,
            outside: (0, None),
            coverage,
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.packets == 0
    }

    /// Empties it for the next.
    pub fn restart(&mut self, key: Key, first: Occurrence, rows: usize) {
        if let Some(coverage) = &mut self.coverage {
            coverage.restart(rows);
        }
        *self = Unit {
            key,
            first,
            sequences: (first.sequence, first.sequence),
            ..Unit::new(self.coverage.take())
        };
    }

    /// Counts a packet.
    pub fn count(&mut self, sequence: u16, marker: bool) {
        self.packets += 1;
        self.marker |= marker;
        let (low, high) = &mut self.sequences;
        // Sequence numbers wrap: who is ahead by less than half is later.
        if sequence.wrapping_sub(*high) < 0x8000 {
            *high = sequence;
        } else if low.wrapping_sub(sequence) < 0x8000 {
            *low = sequence;
        }
    }

    /// Notes a row number.
    pub fn note_row(&mut self, row: u16) {
        let (low, high) = self.rows.unwrap_or((row, row));
        self.rows = Some((low.min(row), high.max(row)));
    }

    /// Whether all of it came.
    pub fn is_whole(&self) -> bool {
        self.coverage.as_ref().map_or_else(|| self.is_without_loss(), Coverage::is_complete)
    }

    /// Whether no packet of it was lost, as far as sequence numbers tell.
    pub fn is_without_loss(&self) -> bool {
        let (low, high) = self.sequences;
        self.begins_clean && self.marker && u64::from(high.wrapping_sub(low)) < self.packets
    }
}
