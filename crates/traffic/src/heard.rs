//! The first bytes of one side, put in order: what recognisers are shown.
//!
//! Where bytes came twice, the first ones count: what was shown once does not change. What arrives early is held, within
//! bounds, until the bytes before it come; if they never come, the side ends there.

use crate::number::index32;
use crate::talk::Said;

/// So many bytes of a stream are put in order; a chain of certificates fits.
pub(crate) const MOST_STREAM: usize = 16 << 10;
/// So many bytes of a stream are kept where no recogniser asks for more.
pub(crate) const LEAST_STREAM: usize = 512;
/// So many datagrams of a side are looked at.
pub(crate) const MOST_DATAGRAMS: u8 = 8;
/// So much of each datagram.
pub(crate) const MOST_DATAGRAM: usize = 2 << 10;
/// What an emptied side keeps for the next flow.
const SPARE: usize = 2 << 10;
/// So many pieces are held until those before them come.
const MOST_HELD: usize = 16;

/// Bytes that came before those that precede them.
#[derive(Debug, Clone)]
struct Early {
    /// Where they stand, from the first byte of the side.
    at: usize,
    bytes: Vec<u8>,
}

/// The first bytes of one side.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    bytes: Vec<u8>,
    /// Where each datagram that is kept ends; of a stream there are none.
    ends: [u32; MOST_DATAGRAMS as usize],
    /// How many bytes each of them had beyond those that are kept.
    missing: [u32; MOST_DATAGRAMS as usize],
    kept: u8,
    /// Pieces that came early, in order and without overlap.
    early: Vec<Early>,
    /// The sequence number of the first byte.
    start: u32,
    from_start: bool,
    begun: bool,
    /// Nothing is added any more.
    full: bool,
    /// Datagrams that were looked at, kept or not.
    datagrams: u8,
}

impl Heard {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.kept = 0;
        self.early.clear();
        self.from_start = false;
        self.begun = false;
        self.full = false;
        self.datagrams = 0;
    }

    /// Memory that it holds.
    pub(crate) fn capacity(&self) -> usize {
        let early: usize = self.early.iter().map(|early| early.bytes.capacity()).sum();
        self.bytes.capacity() + early
    }

    /// Gives back memory that the next user will hardly need.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to(SPARE);
        self.early.shrink_to(0);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn fill(&mut self) {
        self.full = true;
        self.early = Vec::new();
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn ends(&self) -> &[u32] {
        self.ends.get(..usize::from(self.kept)).unwrap_or_default()
    }

    /// As a recogniser sees it.
    pub(crate) fn said(&self, datagrams: bool) -> Said<'_> {
        if datagrams && !self.bytes.is_empty() {
            let missing = self.missing.get(..usize::from(self.kept)).unwrap_or_default();
            Said::datagrams(&self.bytes, self.ends()).cut(missing)
        } else {
            Said::stream(&self.bytes, self.from_start)
        }
    }

    /// Says which sequence number the first byte has, and whether nothing was before it.
    pub(crate) fn begin(&mut self, start: u32, from_start: bool) {
        (self.start, self.from_start, self.begun) = (start, from_start, true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether a segment with this sequence number comes next, and nothing came early.
    pub(crate) fn is_next(&self, sequence: u32) -> bool {
        self.early.is_empty() && sequence.wrapping_sub(self.start) as usize == self.bytes.len()
    }

    /// Adds a segment; `whole` says whether all of it was captured. Gives whether more bytes are in order now.
    pub(crate) fn segment(&mut self, sequence: u32, bytes: &[u8], whole: bool) -> bool {
        if self.full {
            return false;
        }
        // Sequence numbers wrap (RFC 9293 §3.4): what lies in the upper half is before the start.
        let ahead = sequence.wrapping_sub(self.start);
        let (at, bytes) = if ahead < 1 << 31 {
            (ahead as usize, bytes)
        } else {
            let behind = ahead.wrapping_neg() as usize;
            (0, bytes.get(behind..).unwrap_or_default())
        };
        if at > self.bytes.len() {
            self.hold(at, bytes);
            return false;
        }
        let fresh = bytes.get(self.bytes.len() - at..).unwrap_or_default();
        let before = self.bytes.len();
        self.append(fresh);
        if !whole && !fresh.is_empty() {
            self.fill();
        } else if self.bytes.len() > before && !self.early.is_empty() {
            self.join();
        }
        self.bytes.len() > before
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = MOST_STREAM.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if bytes.len() >= room {
            self.fill();
        }
    }

    /// Takes in the pieces that are no longer early.
    fn join(&mut self) {
        let early = std::mem::take(&mut self.early);
        let mut left = early.into_iter().peekable();
        while let Some(piece) = left.next_if(|piece| piece.at <= self.bytes.len()) {
            self.append(piece.bytes.get(self.bytes.len() - piece.at..).unwrap_or_default());
        }
        if !self.full {
            self.early = left.collect();
        }
    }

    /// Holds what came early, as far as it does not lie over what is held already.
    fn hold(&mut self, at: usize, bytes: &[u8]) {
        if at >= MOST_STREAM {
            return;
        }
        let bytes = bytes.get(..MOST_STREAM - at).unwrap_or(bytes);
        let mut from = at;
        let end = at + bytes.len();
        let mut place = 0;
        while from < end {
            let next = self.early.get(place);
            let until = next.map_or(end, |next| next.at.clamp(from, end));
            let fresh = bytes.get(from - at..until - at).unwrap_or_default();
            if !fresh.is_empty() {
                if self.early.len() >= MOST_HELD {
                    return;
                }
                self.early.insert(place, Early { at: from, bytes: fresh.to_vec() });
                place += 1;
            }
            let Some(next) = self.early.get(place) else { return };
            from = from.max(until).max(next.at + next.bytes.len());
            if next.at >= end {
                return;
            }
            place += 1;
        }
    }

    /// Adds a datagram, cut to what is looked at; on the wire it had `wire_bytes`.
    pub(crate) fn datagram(&mut self, bytes: &[u8], wire_bytes: u32) {
        let kept = bytes.get(..MOST_DATAGRAM).unwrap_or(bytes);
        self.bytes.extend_from_slice(kept);
        let place = usize::from(self.kept);
        if let (Some(end), Some(missing)) = (self.ends.get_mut(place), self.missing.get_mut(place)) {
            *end = index32(self.bytes.len());
            *missing = wire_bytes.saturating_sub(index32(kept.len()));
            self.kept += 1;
        }
        self.datagrams += 1;
        if self.datagrams >= MOST_DATAGRAMS {
            self.full = true;
        }
    }

    /// Takes the last datagram away again, down to what is kept of the first.
    pub(crate) fn forget_datagram(&mut self) {
        self.kept -= u8::from(self.kept > 1);
        if let ([only, ..], [missing, ..], 1) = (&mut self.ends, &mut self.missing, self.kept) {
            let kept = (*only).min(index32(LEAST_STREAM));
            *missing = missing.saturating_add(*only - kept);
            *only = kept;
        }
        let end = self.ends().last().map_or(0, |end| *end as usize);
        self.bytes.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stepper(mut state: u64) -> impl FnMut(usize) -> usize {
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        }
    }

    #[test]
    fn what_comes_out_is_what_was_sent_or_its_beginning_up_to_a_hole() {
        for seed in 1..400 {
            let mut chance = stepper(seed);
            let sent: Vec<u8> = (0..1 + chance(20_000)).map(|_| u8::try_from(chance(256)).unwrap()).collect();
            // Close to the wrap, half of the time.
            let start = if seed % 2 == 0 { u32::MAX - 3000 } else { 77 };
            let mut segments = Vec::new();
            let mut at = 0;
            while at < sent.len() {
                let length = (1 + chance(1460)).min(sent.len() - at);
                segments.push((at, length));
                // Overlap: the next one begins before this one ends.
                at += if chance(8) == 0 { length.div_ceil(2) } else { length };
            }
            let lost = seed % 3 == 0;
            if lost && segments.len() > 2 {
                segments.remove(chance(segments.len()));
            }
            for place in 1..segments.len() {
                if chance(4) == 0 {
                    segments.swap(place, place - 1);
                }
                if chance(10) == 0 {
                    segments.push(segments[place]);
                }
            }
            let mut heard = Heard::default();
            heard.begin(start, true);
            let mut known = vec![false; sent.len()];
            for (at, length) in segments {
                let sequence = start.wrapping_add(u32::try_from(at).unwrap());
                heard.segment(sequence, &sent[at..at + length], true);
                known[at..at + length].fill(true);
                assert!(heard.capacity() <= 4 * MOST_STREAM, "seed {seed}");
            }
            let whole = known.iter().position(|known| !known).unwrap_or(sent.len()).min(MOST_STREAM);
            let bytes = heard.said(false).bytes();
            assert_eq!(bytes, &sent[..bytes.len()], "seed {seed}");
            assert_eq!(bytes.len(), whole, "seed {seed}: all that has no hole before it");
        }
    }

    #[test]
    fn the_first_bytes_count_where_two_lie_over_each_other() {
        let mut heard = Heard::default();
        heard.begin(100, true);
        heard.segment(106, b"WORLD", true);
        heard.segment(104, b"xxxxxxxxx", true);
        heard.segment(100, b"HELLO ", true);
        heard.segment(100, b"yyyyyyyyyyyyy", true);
        assert_eq!(heard.said(false).bytes(), b"HELLO WORLDxx");
    }

    #[test]
    fn a_segment_that_was_cut_ends_the_side() {
        let mut heard = Heard::default();
        heard.begin(0, true);
        assert!(heard.segment(0, b"GET / HT", false));
        assert!(heard.is_full());
        assert!(!heard.segment(8, b"more", true));
    }

    #[test]
    fn datagrams_that_nobody_asks_for_are_not_kept() {
        let mut heard = Heard::default();
        heard.datagram(&[1; 3000], 4000);
        assert_eq!(heard.said(true).bytes().len(), MOST_DATAGRAM);
        assert_eq!(heard.said(true).missing(), 4000 - MOST_DATAGRAM);
        heard.forget_datagram();
        assert_eq!((heard.len(), heard.said(true).missing()), (LEAST_STREAM, 4000 - LEAST_STREAM));
        for _ in 1..MOST_DATAGRAMS {
            assert!(!heard.is_full());
            heard.datagram(b"abc", 3);
            heard.forget_datagram();
        }
        assert!(heard.is_full());
        assert_eq!((heard.len(), heard.said(true).pieces().count()), (LEAST_STREAM, 1));
    }
}
