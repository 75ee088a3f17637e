//! A stream sent twice: what each leg had, and what they have together (ST 2022-7:2019).
//!
//! Packets are matched by sequence number; where the number alone is ambiguous, the timestamp decides which turn of it
//! is meant. After that each leg is followed by its own numbers.

mod merger;

use model::media::reception::{HitlessFacts, HitlessLeg, PathClass, Protection};
use model::media::{Occurrence, StreamFault, StreamRule};

pub use merger::{MergePlan, Merged, Merger, Pushed};

use crate::{Packet, Tally};

/// Legs carry different packets.
pub static LEGS_DIFFER: StreamRule = StreamRule {
    name: "legs-differ",
    clause: "ST 2022-7:2019 §6",
    text: "Packets of one sequence number differ between the legs.",
};
/// Packets are missing on all legs.
pub static MISSING_ON_ALL: StreamRule = StreamRule {
    name: "missing-on-all-legs",
    clause: "ST 2022-7:2019 §7",
    text: "Packets came on no leg, so that the merged stream has holes.",
};
/// The legs are too far apart.
pub static PATH_DIFFERENCE: StreamRule = StreamRule {
    name: "path-difference",
    clause: "ST 2022-7:2019 §7",
    text: "The path differential is greater than that of any class of receivers.",
};
/// A leg went silent.
pub static LEG_SILENT: StreamRule = StreamRule {
    name: "leg-silent",
    clause: "ST 2022-7:2019 §7",
    text: "A leg went silent while another went on: the stream is not protected.",
};

/// Legs that are followed.
const MOST_LEGS: usize = 8;
/// Packets that wait for their twins, at first and at most: 450 ms of the fastest stream of class C.
const FIRST_SLOTS: usize = 1024;
const MOST_SLOTS: usize = 1 << 17;
/// Packets younger than this still wait.
const WINDOW_NS: i64 = 450_000_000;
/// A leg without a packet for so long, while others have some, is silent.
const SILENT_NS: i64 = 1_000_000_000;
/// A number so far from the leg's highest is believed when the next follows it.
const MOST_JUMP: i64 = 3000;
/// Timestamps so little older are of a leg that is behind: more than a second of every clock that is sent twice.
const MOST_OLDER: u32 = 1 << 17;
/// Packets in a row with another timestamp than their twins before a leg is matched anew.
const MOST_MISMATCHES: u32 = 16;
/// From this rate on a stream is of high rate (§7), in bits a second.
const HIGH_RATE_BPS: u128 = 270_000_000;

/// A packet that came on some leg.
#[derive(Debug, Clone, Copy)]
struct Slot {
    number: u64,
    first_ns: Option<i64>,
    hash: u64,
    frame: u64,
    timestamp: u32,
    /// A bit for each leg that had it; none where the slot is free.
    legs: u8,
    first_leg: u8,
}

const FREE: Slot = Slot { number: 0, first_ns: None, hash: 0, frame: 0, timestamp: 0, legs: 0, first_leg: 0 };

#[derive(Debug, Clone, Default)]
struct LegState {
    facts: HitlessLeg,
    /// The number of its first packet, and the highest so far.
    first: u64,
    highest: Option<u64>,
    first_ns: i64,
    last_ns: i64,
    /// Packets of other legs beyond its highest: lost if it comes again.
    beyond: u64,
    bad: Option<u16>,
    mismatches: u32,
}

/// Measures the legs of one stream together.
#[derive(Debug, Clone)]
pub struct Hitless {
    legs: Vec<LegState>,
    slots: Vec<Slot>,
    highest: u64,
    /// The lowest number that is not decided on yet.
    cursor: u64,
    started: bool,
    /// The timestamp that the row begins with.
    origin: u32,
    /// Whether numbers before the cursor were missing and the packet after them was not met yet.
    hole: bool,
    bytes: u128,
    first_ns: Option<i64>,
    last_ns: i64,
    /// When the last packet came that was decided on.
    decided_ns: Option<i64>,
    greatest_ns: Option<i64>,
    facts: HitlessFacts,
    tally: Tally,
}

/// A number that tells packets apart; four lanes, so that it costs little.
fn hash(packet: &Packet<'_>) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let rtp = &packet.rtp;
    let head = (u64::from(rtp.ssrc) << 32) | u64::from(rtp.timestamp);
    let flags = (u64::from(rtp.payload_type) << 1) | u64::from(rtp.marker);
    let mut lanes = [head, flags, 3, rtp.payload.len() as u64];
    let (blocks, rest) = rtp.payload.as_chunks::<32>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
    let extension = rtp.extension.map_or(&[][..], |(_, body)| body);
    for byte in rest.iter().chain(extension) {
        lanes[0] = (lanes[0] ^ u64::from(*byte)).wrapping_mul(FACTOR).rotate_left(29);
    }
    lanes.iter().fold(FACTOR, |all, lane| (all ^ lane).wrapping_mul(FACTOR).rotate_left(31))
}

impl Hitless {
    /// For so many legs, eight at most.
    pub fn new(legs: usize) -> Hitless {
        Hitless {
            legs: vec![LegState::default(); legs.clamp(1, MOST_LEGS)],
            slots: vec![FREE; FIRST_SLOTS],
            highest: 0,
            cursor: 0,
            started: false,
            origin: 0,
            hole: false,
            bytes: 0,
            first_ns: None,
            last_ns: 0,
            decided_ns: None,
            greatest_ns: None,
            facts: HitlessFacts::default(),
            tally: Tally::default(),
        }
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number & (self.slots.len() as u64 - 1)).unwrap_or(0)
    }

    fn slot(&self, number: u64) -> Option<&Slot> {
        self.slots.get(self.place(number)).filter(|slot| slot.legs != 0 && slot.number == number)
    }

    /// Takes a packet of a leg, counted from 0. Says whether it is the first with its number.
    pub fn handle(&mut self, leg: usize, packet: &Packet<'_>) -> bool {
        if leg >= self.legs.len() {
            return false;
        }
        let at_ns = packet.time.map(|time| time.as_ns());
        let Some(number) = self.number(leg, packet) else { return false };
        self.guard(leg, packet, at_ns);
        if number < self.cursor {
            if let Some(state) = self.legs.get_mut(leg) {
                state.facts.late += 1;
            }
            return false;
        }
        self.advance(number, at_ns);
        let fresh = self.slot(number).is_none();
        self.put(leg, number, packet, at_ns);
        fresh
    }

    /// Which number of the whole row the packet has; `None` where it is not believed yet.
    fn number(&mut self, leg: usize, packet: &Packet<'_>) -> Option<u64> {
        let sequence = packet.rtp.sequence;
        let near = |highest: u64| {
            let ahead = sequence.wrapping_sub(low16(highest)).cast_signed();
            (highest.wrapping_add_signed(i64::from(ahead)), i64::from(ahead))
        };
        // Among the turns of the number, the one whose packet on another leg has the same timestamp.
        let (newest, _) = near(self.highest);
        let turns = [newest, newest.wrapping_sub(1 << 16), newest.wrapping_add(1 << 16)];
        let twin = || {
            let is_same = |slot: &Slot| slot.timestamp == packet.rtp.timestamp && slot.legs >> leg & 1 == 0;
            turns.into_iter().find(|number| self.slot(*number).is_some_and(is_same))
        };
        if let Some((number, ahead)) = self.legs.get(leg)?.highest.map(near) {
            if ahead.abs() < MOST_JUMP {
                self.legs.get_mut(leg)?.bad = None;
                return Some(number);
            }
            if let Some(number) = twin() {
                return Some(number);
            }
            let state = self.legs.get_mut(leg)?;
            if state.bad != Some(sequence) {
                state.bad = Some(sequence.wrapping_add(1));
                return None;
            }
            state.bad = None;
            state.highest = None;
            self.facts.resets += 1;
        } else if !self.started {
            self.started = true;
            self.begin((1 << 32) | u64::from(sequence), packet);
            return Some(self.highest);
        } else if let Some(number) = twin() {
            return Some(number);
        }
        // Nobody knows it. Near to the others it is a packet that they lost or do not have yet.
        let others_follow = self.legs.iter().any(|state| state.highest.is_some());
        let age = |than: u32| than.wrapping_sub(packet.rtp.timestamp);
        let is_older = |than: u32| (1..MOST_OLDER).contains(&age(than));
        if others_follow && (is_older(self.origin) || age(self.origin) == 0 && newest < self.cursor) {
            // This leg is behind: it brings what the others had before they were heard.
            self.legs.get_mut(leg)?.facts.received += 1;
            return None;
        }
        let close = newest.abs_diff(self.highest) < MOST_JUMP.unsigned_abs() && newest >= self.cursor;
        if close && others_follow {
            return Some(newest);
        }
        if others_follow {
            if self.slot(self.highest).is_some_and(|slot| is_older(slot.timestamp)) {
                // Behind by so much that the number does not tell its turn: the next that another had too will.
                return None;
            }
            // Far from them it is another stream, or this leg is far ahead: the others will follow.
            return Some(newest.max(self.cursor));
        }
        self.end();
        self.begin(newest.wrapping_add(1 << 17), packet);
        Some(self.highest)
    }

    fn begin(&mut self, number: u64, packet: &Packet<'_>) {
        (self.highest, self.cursor) = (number, number);
        self.origin = packet.rtp.timestamp;
        self.hole = false;
    }

    /// Whether all legs come.
    fn guard(&mut self, leg: usize, packet: &Packet<'_>, at_ns: Option<i64>) {
        self.bytes += u128::from(packet.udp_bytes);
        let Some(at_ns) = at_ns else { return };
        self.first_ns.get_or_insert(at_ns);
        self.last_ns = self.last_ns.max(at_ns);
        if let Some(state) = self.legs.get_mut(leg) {
            state.last_ns = at_ns;
        }
        let begun = self.legs.iter().filter(|state| state.highest.is_some());
        let silent = begun.clone().any(|state| at_ns.saturating_sub(state.last_ns) > SILENT_NS);
        let protection = match (begun.count(), silent) {
            (0 | 1, _) => Protection::Single,
            (_, true) => Protection::Degraded,
            (_, false) => Protection::Protected,
        };
        if protection != self.facts.protection {
            if self.facts.protection != Protection::Single {
                self.facts.protection_changes += 1;
            }
            if protection == Protection::Degraded {
                self.tally.note(&LEG_SILENT, packet.occurrence(), String::new);
            }
            self.facts.protection = protection;
        }
    }

    /// The highest number becomes this one, and what is too old is decided on.
    fn advance(&mut self, number: u64, at_ns: Option<i64>) {
        if number <= self.highest {
            return;
        }
        self.highest = number;
        while self.highest - self.cursor >= self.slots.len() as u64 {
            if self.slots.len() < MOST_SLOTS && self.is_young(self.cursor, at_ns) {
                self.grow();
                continue;
            }
            if self.highest - self.cursor >= 2 * self.slots.len() as u64 {
                // So far ahead that all slots are decided on, and the rest was never there.
                self.end();
                self.cursor = self.highest;
                self.hole = true;
                return;
            }
            self.decide();
        }
    }

    fn is_young(&self, number: u64, at_ns: Option<i64>) -> bool {
        // What nobody has yet is younger than what was decided on last.
        let first_ns = self.slot(number).map_or(self.decided_ns.or(self.first_ns), |slot| slot.first_ns);
        first_ns.zip(at_ns).is_some_and(|(first, at)| at.saturating_sub(first) < WINDOW_NS)
    }

    fn grow(&mut self) {
        let old = core::mem::take(&mut self.slots);
        self.slots = vec![FREE; old.len() * 2];
        for slot in old.into_iter().filter(|slot| slot.legs != 0) {
            let place = self.place(slot.number);
            if let Some(free) = self.slots.get_mut(place) {
                *free = slot;
            }
        }
    }

    /// Decides on the lowest number.
    fn decide(&mut self) {
        let number = self.cursor;
        self.cursor += 1;
        let place = self.place(number);
        let slot = match self.slots.get_mut(place) {
            Some(slot) if slot.legs != 0 && slot.number == number => core::mem::replace(slot, FREE),
            _ => {
                // Where a leg is ahead that was heard a little later, the other alone was heard before.
                let began_ns = self.first_ns.unwrap_or(0);
                let alone = |state: &LegState| {
                    number < state.first && state.first_ns.saturating_sub(began_ns) < WINDOW_NS
                };
                if !self.legs.iter().any(|state| state.highest.is_some() && alone(state)) {
                    self.facts.missing += 1;
                    self.hole = true;
                }
                return;
            }
        };
        if core::mem::take(&mut self.hole) && self.facts.first_missing.is_none() {
            let [.., high, low] = number.to_be_bytes();
            let sequence = u16::from_be_bytes([high, low]);
            let at = Occurrence { frame: slot.frame, sequence, timestamp: slot.timestamp };
            self.facts.first_missing = Some(at);
        }
        self.facts.union += 1;
        self.decided_ns = slot.first_ns;
        let all = u8::try_from((1_u16 << self.legs.len()) - 1).unwrap_or(u8::MAX);
        self.facts.common += u64::from(slot.legs == all);
        for (index, state) in self.legs.iter_mut().enumerate() {
            if slot.legs >> index & 1 == 1 {
                state.facts.only_here += u64::from(slot.legs.count_ones() == 1);
                continue;
            }
            // A leg is not to blame for what came before its begin, nor for what comes after its end.
            match state.highest {
                Some(highest) if number > highest => state.beyond += 1,
                Some(_) if number > state.first => state.facts.lost += 1,
                _ => {}
            }
        }
    }

    /// Decides on all that is left.
    fn end(&mut self) {
        while self.cursor <= self.highest {
            let here = self.slots.len() as u64;
            if self.cursor + here < self.highest {
                // Slots hold no more than their number: what lies beyond was never there.
                let beyond = self.highest - here - self.cursor;
                self.facts.missing += beyond.min(self.highest);
                self.cursor += beyond;
            }
            self.decide();
        }
    }

    fn put(&mut self, leg: usize, number: u64, packet: &Packet<'_>, at_ns: Option<i64>) {
        let bit = 1_u8 << leg;
        let place = self.place(number);
        let (Some(slot), Some(state)) = (self.slots.get_mut(place), self.legs.get_mut(leg)) else { return };
        let hash = hash(packet);
        if slot.legs == 0 || slot.number != number {
            *slot = Slot {
                number,
                first_ns: at_ns,
                hash,
                frame: packet.frame,
                timestamp: packet.rtp.timestamp,
                legs: bit,
                first_leg: u8::try_from(leg).unwrap_or(0),
            };
            state.facts.first_here += 1;
        } else if slot.legs & bit != 0 {
            state.facts.duplicates += 1;
            return;
        } else {
            slot.legs |= bit;
            if slot.hash == hash {
                self.facts.identical += 1;
            } else {
                self.facts.different += 1;
                self.facts.first_difference.get_or_insert(packet.occurrence());
                self.tally.note(&LEGS_DIFFER, packet.occurrence(), || {
                    format!("number {} of frame {} is another", packet.rtp.sequence, slot.frame)
                });
            }
            state.mismatches = if slot.timestamp == packet.rtp.timestamp { 0 } else { state.mismatches + 1 };
            if let (Some(first), Some(at)) = (slot.first_ns, at_ns) {
                let after = at.saturating_sub(first);
                if slot.first_leg == 0 {
                    self.facts.path_difference_ns.add(after);
                } else if leg == 0 {
                    self.facts.path_difference_ns.add(after.saturating_neg());
                }
                let greatest = self.greatest_ns.unwrap_or(0).max(after.saturating_abs());
                self.greatest_ns = Some(greatest);
                state.facts.late += u64::from(after > WINDOW_NS);
                if after > WINDOW_NS {
                    self.tally.note(&PATH_DIFFERENCE, packet.occurrence(), || format!("{after} ns"));
                }
            }
        }
        state.facts.received += 1;
        match state.highest {
            None => {
                (state.first, state.highest) = (number, Some(number));
                state.first_ns = at_ns.unwrap_or(0);
            }
            Some(highest) if number > highest => {
                state.facts.lost += core::mem::take(&mut state.beyond);
                state.highest = Some(number);
            }
            Some(_) => {}
        }
        if state.mismatches >= MOST_MISMATCHES {
            state.mismatches = 0;
            state.highest = None;
            self.facts.resets += 1;
        }
    }

    /// What was measured, all that waits decided on as if nothing more came.
    pub fn facts(&self) -> HitlessFacts {
        let mut ended = self.clone();
        ended.end();
        let mut facts = ended.facts;
        facts.legs = ended.legs.into_iter().map(|state| state.facts).collect();
        let length = self.first_ns.map_or(0, |first| self.last_ns.saturating_sub(first));
        let legs = self.legs.iter().filter(|state| state.facts.received > 0).count().max(1) as u128;
        let bits = self.bytes * 8 / legs * 1_000_000_000;
        let high_rate = u128::try_from(length)
            .ok()
            .and_then(|length| bits.checked_div(length))
            .is_some_and(|rate| rate >= HIGH_RATE_BPS);
        let classes = [PathClass::D, PathClass::A, PathClass::B, PathClass::C];
        facts.class = self.greatest_ns.and_then(|greatest| {
            classes.into_iter().find(|class| greatest <= class.differential_ns(high_rate))
        });
        facts
    }

    /// The rules that were broken.
    pub fn faults(&self) -> Vec<StreamFault> {
        let mut tally = self.tally.clone();
        let facts = self.facts();
        if let Some(first) = facts.first_missing {
            tally.note_many(&MISSING_ON_ALL, facts.missing, first, || {
                format!("{} of {}", facts.missing, facts.union + facts.missing)
            });
        }
        tally.faults().to_vec()
    }
}

/// The lower 16 bits.
fn low16(number: u64) -> u16 {
    let [.., high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests;
