//! The table of flows: entries lie in a list and keep their place; an index finds them by a seeded hash.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::entry::Entry;
use crate::hash::Seed;
use crate::key::Key;
use crate::number::index32;
use crate::when::When;

/// A place in the list with a hash of what is there, so that the index grows without looking at entries.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u32,
    place: u32,
}

/// The hash as the index wants it: it takes its upper bits and its lower bits for different things.
#[inline]
fn wide(hash: u32) -> u64 {
    u64::from(hash) | (u64::from(hash) << 32)
}

/// So many entries are compared when one has to go.
const COMPARED: usize = 8;

/// So many flows are found without the index, in a small part of the second-level cache.
const RECENT: usize = 4096;
/// So many flows may be embryos above the bound: then those that waited are looked at together, which takes hardly
/// longer than to wait for the memory of one.
const TOGETHER: usize = 64;
/// So many entries are in one piece of the list.
const PIECE: usize = 1024;

/// A list in pieces, so that no entry moves when it grows.
#[derive(Debug, Default)]
struct List {
    pieces: Vec<Vec<Option<Entry>>>,
    len: usize,
}

impl List {
    #[inline]
    fn at(&self, place: u32) -> Option<&Entry> {
        let place = place as usize;
        self.pieces.get(place / PIECE)?.get(place % PIECE)?.as_ref()
    }

    #[inline]
    fn slot(&mut self, place: u32) -> Option<&mut Option<Entry>> {
        let place = place as usize;
        self.pieces.get_mut(place / PIECE)?.get_mut(place % PIECE)
    }

    /// Adds an entry; gives its place.
    fn push(&mut self, entry: Entry) -> u32 {
        if self.len.is_multiple_of(PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(Some(entry));
            self.len += 1;
        }
        index32(self.len - 1)
    }
}

/// The table of flows.
#[derive(Debug)]
pub(crate) struct Table {
    seed: Seed,
    entries: List,
    free: Vec<u32>,
    index: HashTable<Slot>,
    /// The places of flows that were asked for not long ago, by [`Key::near`]: they are found without the index, and
    /// without the hash that it needs.
    recent: Box<[u32; RECENT]>,
    /// Flows in the order of their first packet, as far as they may still be embryos.
    embryos: VecDeque<(u32, u32)>,
    /// Flows that were over, in the order in which they were, and when.
    closing: VecDeque<(u32, u32, When)>,
    most: usize,
    most_embryos: usize,
    births: u32,
    hand: usize,
}

impl Table {
    /// For at most so many flows, of which the youngest `most_embryos` may be embryos.
    pub(crate) fn new(seed: Seed, most: usize, most_embryos: usize) -> Table {
        Table {
            seed,
            entries: List::default(),
            free: Vec::new(),
            index: HashTable::new(),
            recent: Box::new([0; RECENT]),
            embryos: VecDeque::new(),
            closing: VecDeque::new(),
            most,
            most_embryos,
            births: 0,
            hand: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Memory of one flow, about, with its places in the index and among the embryos.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Option<Entry>>() + 2 * size_of::<Slot>() + 32;

    /// Where a flow is that was asked for before, mostly; else what the index says. Without it, its hash.
    #[inline]
    pub(crate) fn find(&mut self, key: &Key) -> Result<u32, u32> {
        let near = key.near();
        let recent = self.recent.get(near as usize % RECENT).copied().unwrap_or_default();
        // A key stands in the table once: whoever has it is the one.
        if self.entries.at(recent).is_some_and(|entry| entry.key == *key) {
            return Ok(recent);
        }
        let place = self.look_up(key)?;
        self.remember(near, place);
        Ok(place)
    }

    fn remember(&mut self, near: u32, place: u32) {
        if let Some(recent) = self.recent.get_mut(near as usize % RECENT) {
            *recent = place;
        }
    }

    fn look_up(&self, key: &Key) -> Result<u32, u32> {
        let hash = key.hash(self.seed);
        let same = |slot: &Slot| {
            slot.hash == hash && self.entries.at(slot.place).is_some_and(|entry| entry.key == *key)
        };
        self.index.find(wide(hash), same).map(|slot| slot.place).ok_or(hash)
    }

    #[inline]
    pub(crate) fn entry_mut(&mut self, place: u32) -> Option<&mut Entry> {
        self.entries.slot(place)?.as_mut()
    }

    /// Adds a flow; there must be room.
    pub(crate) fn insert(&mut self, hash: u32, mut entry: Entry) -> u32 {
        self.births = self.births.wrapping_add(1);
        entry.birth = self.births;
        let (birth, near) = (entry.birth, entry.key.near());
        let place = match self.free.pop() {
            Some(place) => {
                if let Some(slot) = self.entries.slot(place) {
                    *slot = Some(entry);
                }
                place
            }
            None => self.entries.push(entry),
        };
        self.index.insert_unique(wide(hash), Slot { hash, place }, |slot| wide(slot.hash));
        self.remember(near, place);
        self.embryos.push_back((place, birth));
        place
    }

    /// Takes all flows out, in the order of their places.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Entry> + use<> {
        let whole = std::mem::replace(
            self,
            Table { births: self.births, ..Table::new(self.seed, self.most, self.most_embryos) },
        );
        whole.entries.pieces.into_iter().flatten().flatten()
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<Entry> {
        let entry = self.entries.slot(place)?.take()?;
        let hash = wide(entry.key.hash(self.seed));
        if let Ok(slot) = self.index.find_entry(hash, |slot| slot.place == place) {
            slot.remove();
        }
        self.free.push(place);
        Some(entry)
    }

    /// The oldest embryo, where there are more than may be.
    pub(crate) fn surplus_embryo(&mut self) -> Option<u32> {
        if self.embryos.len() <= self.most_embryos + TOGETHER.min(self.most_embryos / 4) {
            return None;
        }
        while self.embryos.len() > self.most_embryos {
            let (place, birth) = self.embryos.pop_front()?;
            if let Some(entry) = self.entries.at(place)
                && entry.birth == birth
                && entry.is_embryo()
            {
                return Some(place);
            }
        }
        None
    }

    /// Says that a flow is over, but for stragglers.
    pub(crate) fn closes(&mut self, place: u32) {
        if let Some(entry) = self.entries.at(place) {
            self.closing.push_back((place, entry.birth, entry.last));
        }
    }

    /// The flow that has been over for longest, if that is longer than `wait_ns`.
    #[inline]
    pub(crate) fn closed(&mut self, now: When, wait_ns: i64) -> Option<u32> {
        while let Some((place, birth, last)) = self.closing.front().copied() {
            // A straggler only makes it later: what waits need not be looked at.
            if last != When::UNKNOWN && now.since(last) <= wait_ns {
                return None;
            }
            match self.entries.at(place) {
                Some(entry) if entry.birth == birth => {
                    if now.since(entry.last) <= wait_ns {
                        return None;
                    }
                    self.closing.pop_front();
                    return Some(place);
                }
                _ => {
                    self.closing.pop_front();
                }
            }
        }
        None
    }

    /// Where the table is full: of the next few in turn, the one that was quiet for longest.
    pub(crate) fn surplus(&mut self) -> Option<u32> {
        if self.len() < self.most {
            return None;
        }
        let (mut chosen, mut compared) = (None, 0);
        for _ in 0..self.entries.len {
            let place = self.turn()?;
            let Some(entry) = self.entries.at(place) else { continue };
            compared += 1;
            let age = entry.last.known();
            if chosen.is_none_or(|(least, _)| age < least) {
                chosen = Some((age, place));
            }
            if compared == COMPARED {
                break;
            }
        }
        chosen.map(|(_, place)| place)
    }

    /// The next place in turn, used or not.
    pub(crate) fn turn(&mut self) -> Option<u32> {
        let place = self.hand;
        self.hand = if place + 1 < self.entries.len { place + 1 } else { 0 };
        (place < self.entries.len).then(|| index32(place))
    }

    /// Places, used or not.
    pub(crate) fn places(&self) -> usize {
        self.entries.len
    }

    /// Every flow, in no order that means something.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Entry> {
        self.entries.pieces.iter().flatten().flatten()
    }
}
