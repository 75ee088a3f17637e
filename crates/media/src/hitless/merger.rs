//! Two legs made one: each packet once and in order (ST 2022-7:2019 §7).

use model::{Timestamp, Utc};
use wire::rtp;

use super::low16;

/// How a merger waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergePlan {
    /// How long the packets after a hole wait for it to be filled: the greatest path differential to be taken.
    pub hold_ns: i64,
    /// Packets that may wait; a power of two is made of it, at most 65,536 of them.
    pub most_packets: usize,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for its turn.
    New,
    /// Another leg, or this one, had it.
    Known,
    /// Its turn is over.
    Late,
    /// It is too far ahead of what waits.
    Refused,
    /// It is no RTP.
    Unreadable,
}

/// A number so little behind belongs to a packet that is late; further behind, to a row that began anew.
const MOST_LATE: u16 = 3000;

/// Counts of a merger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Packets given out.
    pub delivered: u64,
    /// Numbers given up.
    pub missing: u64,
    /// Packets that another leg had.
    pub known: u64,
    /// Packets whose turn was over.
    pub late: u64,
    /// Packets too far ahead.
    pub refused: u64,
}

#[derive(Debug, Clone, Default)]
struct Waiting {
    number: u64,
    at_ns: i64,
    bytes: Vec<u8>,
    full: bool,
}

/// Merges legs. Its memory is that of the packets that wait, and is used again.
#[derive(Debug, Clone)]
pub struct Merger {
    hold_ns: i64,
    slots: Vec<Waiting>,
    /// The number whose turn it is.
    next: Option<u64>,
    waiting: u64,
    ssrc: u32,
    counts: Merged,
}

impl Merger {
    /// One that waits so.
    pub fn new(plan: MergePlan) -> Merger {
        let slots = plan.most_packets.clamp(2, 1 << 16).next_power_of_two();
        Merger {
            hold_ns: plan.hold_ns,
            slots: vec![Waiting::default(); slots],
            next: None,
            waiting: 0,
            ssrc: 0,
            counts: Merged::default(),
        }
    }

    /// A packet came, on whichever leg.
    pub fn push(&mut self, now: Timestamp<Utc>, bytes: &[u8]) -> Pushed {
        let Ok(packet) = rtp::parse(bytes) else { return Pushed::Unreadable };
        if self.waiting == 0 && packet.ssrc != self.ssrc {
            // A new source has its turn once the old one's packets are out.
            self.ssrc = packet.ssrc;
            self.next = None;
        } else if packet.ssrc != self.ssrc {
            self.counts.refused += 1;
            return Pushed::Refused;
        }
        let next = *self.next.get_or_insert((1 << 32) | u64::from(packet.sequence));
        let ahead = packet.sequence.wrapping_sub(low16(next)).cast_signed();
        let most = self.slots.len() as u64;
        let mut number = next.wrapping_add_signed(i64::from(ahead));
        if ahead < 0 && (self.waiting > 0 || ahead.unsigned_abs() < MOST_LATE) {
            // A slot remembers whose it was: what was given out is known, what was given up is late.
            if self.slots.get(self.place(number)).is_some_and(|slot| slot.number == number) {
                self.counts.known += 1;
                return Pushed::Known;
            }
            self.counts.late += 1;
            return Pushed::Late;
        }
        if ahead < 0 || number - next >= most {
            if self.waiting > 0 {
                self.counts.refused += 1;
                return Pushed::Refused;
            }
            // Nothing waits, and the row has moved: it begins anew here.
            number = next + (1 << 17);
            number = number - (number & 0xffff) + u64::from(packet.sequence);
            self.next = Some(number);
        }
        let place = self.place(number);
        let Some(slot) = self.slots.get_mut(place) else { return Pushed::Refused };
        if slot.full {
            self.counts.known += 1;
            return Pushed::Known;
        }
        slot.number = number;
        slot.at_ns = now.as_ns();
        slot.full = true;
        slot.bytes.clear();
        slot.bytes.extend_from_slice(bytes);
        self.waiting += 1;
        Pushed::New
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number & (self.slots.len() as u64 - 1)).unwrap_or(0)
    }

    /// The packet whose turn it is, if it is there, or if what comes after it has waited long enough.
    pub fn poll(&mut self, now: Timestamp<Utc>) -> Option<&[u8]> {
        if self.waiting == 0 {
            return None;
        }
        let next = self.next?;
        let is_full = |number: u64| self.slots.get(self.place(number)).is_some_and(|slot| slot.full);
        let mut number = next;
        if !is_full(next) {
            // Something waits, so one of the next numbers is there.
            number = (next..next + self.slots.len() as u64).find(|number| is_full(*number))?;
            let at_ns = self.slots.get(self.place(number))?.at_ns;
            if now.as_ns().saturating_sub(at_ns) < self.hold_ns {
                return None;
            }
            self.counts.missing += number - next;
        }
        self.next = Some(number + 1);
        self.waiting -= 1;
        self.counts.delivered += 1;
        let place = self.place(number);
        let slot = self.slots.get_mut(place)?;
        slot.full = false;
        Some(&slot.bytes)
    }

    /// When the hole that others wait for is given up; `None` where nothing waits.
    pub fn deadline(&self) -> Option<Timestamp<Utc>> {
        let next = self.next.filter(|_| self.waiting > 0)?;
        let mut after = (next..next + self.slots.len() as u64)
            .filter_map(|number| self.slots.get(self.place(number)).filter(|slot| slot.full));
        Some(Timestamp::from_ns(after.next()?.at_ns.saturating_add(self.hold_ns)))
    }

    /// What was done so far.
    pub fn counts(&self) -> Merged {
        self.counts
    }
}
