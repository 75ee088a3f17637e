//! Packets gathered into units: a frame, a field or a segment, by timestamp and field bit.

use model::media::Occurrence;

use super::buffer::Arrivals;
use crate::Packet;

/// Most packets of a unit: a third more than 4320p needs.
const MOST_PACKETS: usize = 1 << 17;

/// Most packets of earlier units that are kept for the network bucket.
const MOST_STRAYS: usize = 4096;

/// A unit that is being gathered.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Its timestamp.
    pub(super) timestamp: u32,
    /// Whether it is the second field or segment.
    pub(super) second: bool,
    /// Its first packet to come.
    pub(super) first: Occurrence,
    /// Whether its packets have RFC 4175's payload header, and the one with the lowest number says that it is the first.
    raw: bool,
    begins: bool,
    /// When its packets came.
    pub(super) times: Vec<i64>,
    /// Which each is, counted from the first to come; only kept once one is out of order.
    offsets: Vec<i32>,
    plain: bool,
    highest: i32,
    lowest: i32,
    highest_sequence: u16,
    /// Whether the packet with the highest number had the marker.
    marked: bool,
    /// When packets of earlier units came.
    pub(super) strays: Vec<i64>,
    /// Packets beyond what is kept.
    pub(super) dropped: u64,
    places: Vec<u32>,
    present: Vec<u64>,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// To this unit.
    Here,
    /// To one that has been.
    Before,
    /// To the next.
    Next,
}

/// What is known of a whole unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole {
    /// Its packets, the missing ones included.
    pub(super) total: u32,
    /// Packets missing.
    pub(super) missing: u32,
    /// Whether both ends were seen.
    pub(super) complete: bool,
}

/// The field bit and whether it is the first sample of a unit, of RFC 4175's payload header.
pub(super) fn raw_header(packet: &Packet<'_>) -> (bool, bool) {
    match packet.rtp.payload.first_chunk::<8>() {
        Some([_, _, _, _, row, row_low, offset, offset_low]) => {
            let begin = (row & 0x7f) | row_low | (offset & 0x7f) | offset_low == 0;
            (row & 0x80 != 0, begin)
        }
        None => (false, false),
    }
}

impl Unit {
    pub(super) fn new() -> Unit {
        Unit {
            timestamp: 0,
            second: false,
            first: Occurrence { frame: 0, sequence: 0, timestamp: 0 },
            raw: false,
            begins: false,
            times: Vec::new(),
            offsets: Vec::new(),
            plain: true,
            highest: 0,
            lowest: 0,
            highest_sequence: 0,
            marked: false,
            strays: Vec::new(),
            dropped: 0,
            places: Vec::new(),
            present: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Whether its last packet so far has the marker.
    pub(super) fn is_marked(&self) -> bool {
        self.marked
    }

    /// Where a packet belongs.
    #[inline]
    pub(super) fn belongs(&self, packet: &Packet<'_>, raw: bool) -> Belongs {
        let (second, begins) = if raw { raw_header(packet) } else { (false, false) };
        if packet.rtp.timestamp == self.timestamp && second == self.second {
            return Belongs::Here;
        }
        // A late packet is behind by its number and by its time; a sender that begins anew is so by its time at most.
        let behind = packet.rtp.sequence.wrapping_sub(self.highest_sequence).cast_signed() < 0;
        // One bit that is wrong begins no other field or segment.
        if packet.rtp.timestamp == self.timestamp && !behind && !begins && !self.marked {
            return Belongs::Here;
        }
        let age = packet.rtp.timestamp.wrapping_sub(self.timestamp).cast_signed();
        let earlier = age < 0 || (age == 0 && self.second);
        if behind && earlier { Belongs::Before } else { Belongs::Next }
    }

    /// Begins with this packet.
    pub(super) fn begin(&mut self, packet: &Packet<'_>, at_ns: i64, raw: bool) {
        let (second, begins) = if raw { raw_header(packet) } else { (false, false) };
        self.timestamp = packet.rtp.timestamp;
        self.second = second;
        self.first = packet.occurrence();
        (self.raw, self.begins) = (raw, begins);
        self.times.clear();
        self.times.push(at_ns);
        self.offsets.clear();
        self.plain = true;
        (self.highest, self.lowest) = (0, 0);
        self.highest_sequence = packet.rtp.sequence;
        self.marked = packet.rtp.marker;
        self.strays.clear();
    }

    /// Takes one more packet of this unit.
    #[inline]
    pub(super) fn add(&mut self, packet: &Packet<'_>, at_ns: i64) {
        if self.times.len() >= MOST_PACKETS {
            self.dropped += 1;
            return;
        }
        let ahead = packet.rtp.sequence.wrapping_sub(self.highest_sequence).cast_signed();
        if self.plain && ahead == 1 {
            self.times.push(at_ns);
            self.highest += 1;
            self.highest_sequence = packet.rtp.sequence;
            self.marked = packet.rtp.marker;
            return;
        }
        self.add_odd(packet, at_ns, ahead);
    }

    #[cold]
    fn add_odd(&mut self, packet: &Packet<'_>, at_ns: i64, ahead: i16) {
        if self.plain {
            self.plain = false;
            self.offsets.extend((0_i32..).take(self.times.len()));
        }
        let offset = self.highest.saturating_add(i32::from(ahead));
        if ahead > 0 {
            self.highest = offset;
            self.highest_sequence = packet.rtp.sequence;
            self.marked = packet.rtp.marker;
        }
        if offset < self.lowest {
            self.lowest = offset;
            self.begins = self.raw && raw_header(packet).1;
        }
        self.times.push(at_ns);
        self.offsets.push(offset);
    }

    /// Notes a packet of an earlier unit.
    pub(super) fn stray(&mut self, at_ns: i64) {
        if self.strays.len() < MOST_STRAYS {
            self.strays.push(at_ns);
        } else {
            self.dropped += 1;
        }
    }

    /// The sequence number of its first packet.
    fn first_sequence(&self) -> u16 {
        let back = u16::try_from(self.highest.saturating_sub(self.lowest) & 0xffff).unwrap_or(0);
        self.highest_sequence.wrapping_sub(back)
    }

    /// The sequence number after its last packet.
    pub(super) fn after(&self) -> u16 {
        self.highest_sequence.wrapping_add(1)
    }

    /// Closes it. `expected` is the number after the unit before where its end was seen, `next` the number that the next
    /// unit begins with where it has begun, `usual` the packets of a unit before.
    pub(super) fn close(
        &mut self,
        expected: Option<u16>,
        next: Option<u16>,
        usual: Option<u32>,
    ) -> Option<Whole> {
        let begins = self.begins || expected == Some(self.first_sequence());
        let ends = self.marked || next == Some(self.after());
        let span = u32::try_from(self.highest.saturating_sub(self.lowest).saturating_add(1)).ok()?;
        let (total, skipped) = match (begins, ends) {
            (true, true) => (span, 0),
            _ => {
                let total = usual.filter(|usual| *usual >= span)?;
                (total, if begins { 0 } else { total - span })
            }
        };
        if usize::try_from(total).ok()? > MOST_PACKETS {
            return None;
        }
        let came = u32::try_from(self.times.len()).ok()?;
        self.places.clear();
        self.present.clear();
        if !self.plain || skipped > 0 || total != came {
            let lowest = self.lowest;
            if self.plain {
                self.places.extend((skipped..).take(self.times.len()));
            } else {
                let place = |offset: &i32| {
                    u32::try_from(offset.saturating_sub(lowest)).unwrap_or(0).saturating_add(skipped)
                };
                self.places.extend(self.offsets.iter().map(place));
            }
            self.present.resize(usize::try_from(total.div_ceil(64)).ok()?, 0);
            for place in &self.places {
                if let Some(word) = usize::try_from(place / 64).ok().and_then(|at| self.present.get_mut(at)) {
                    *word |= 1 << (place % 64);
                }
            }
        }
        let there =
            if self.present.is_empty() { came } else { self.present.iter().map(|it| it.count_ones()).sum() };
        let missing = total.saturating_sub(there);
        if missing == 0 && there == came {
            self.present.clear();
        }
        Some(Whole { total, missing, complete: begins && ends && missing == 0 })
    }

    /// Its packets, after it was closed.
    pub(super) fn arrivals(&self, whole: Whole) -> Arrivals<'_> {
        Arrivals { times: &self.times, places: &self.places, present: &self.present, total: whole.total }
    }

    /// All packets on the wire during it, in the order of time.
    pub(super) fn merge_strays(&mut self, into: &mut Vec<i64>) {
        into.clear();
        into.extend_from_slice(&self.times);
        into.append(&mut self.strays);
        into.sort_unstable();
    }
}
