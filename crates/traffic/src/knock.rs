//! Who knocks at doors where nobody speaks: few knocks are touches of a port, many are a scan, one row per source.
//!
//! A *door* is an address and a port. A source with more than [`FEW`] different doors is held in a sketch: its knocks
//! are counted, its doors only about.

use std::net::IpAddr;

use hashbrown::HashTable;
use model::{Scan, ScanKind, Touch, Transport};
use wire::address::Address;
use wire::packet::Version;

use crate::hash::{Distinct, Map, Seed};
use crate::key::ip;
use crate::number::{index32, low32};
use crate::when::When;

/// A source with more different doors than this scans, if it does not talk with more than it knocks at.
pub(crate) const FEW: usize = 24;
/// "Many" ports of an address, or addresses of a port.
const MANY: u64 = 5;
/// A source that knocks at this many doors scans even if it talks with others.
const PLENTY: u64 = 256;
/// Ports are listed up to this many, and marked in a map of all from there.
const LISTED_PORTS: usize = 256;
/// So many conversations are counted together, so that memory is fetched for all at once.
const TOGETHER: usize = 32;
/// So many sources are compared when one has to go.
const COMPARED: usize = 8;

/// Who knocks, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Who {
    pub(crate) version: Version,
    pub(crate) address: Address,
    pub(crate) transport: Transport,
}

impl Who {
    fn hash(&self, seed: Seed) -> u64 {
        let kind = ((self.transport as u64) << 1) | self.version as u64;
        seed.of_words([self.address.high, self.address.low, kind])
    }
}

/// What came of a knock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing.
    Silence,
    /// A refusal.
    Refusal,
    /// The door opened, and nobody said anything.
    Open,
    /// Nothing, but what was said at the door is known: it is a fact of its own, and no touch.
    Attempt,
}

/// A flow without conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knock {
    pub(crate) who: Who,
    pub(crate) address: Address,
    pub(crate) port: u16,
    pub(crate) answer: Answer,
    pub(crate) first: When,
    pub(crate) last: When,
    pub(crate) frame: u64,
}

/// The knocks of a source at one door.
#[derive(Debug, Clone, Copy)]
struct Door {
    address: Address,
    port: u16,
    silent: u32,
    refused: u32,
    first: When,
    last: When,
    frame: u64,
}

#[derive(Debug, Clone)]
enum Ports {
    Listed(Vec<u16>),
    Marked(Box<[u64; 1024]>),
}

impl Ports {
    fn add(&mut self, port: u16) {
        match self {
            Ports::Listed(list) => {
                if let Err(place) = list.binary_search(&port) {
                    list.insert(place, port);
                    if list.len() > LISTED_PORTS {
                        let ports = std::mem::take(list);
                        *self = Ports::Marked(Box::new([0; 1024]));
                        ports.into_iter().for_each(|port| self.add(port));
                    }
                }
            }
            Ports::Marked(map) => {
                if let Some(word) = map.get_mut(usize::from(port >> 6)) {
                    *word |= 1 << (port & 63);
                }
            }
        }
    }

    fn each(&self) -> Vec<u16> {
        match self {
            Ports::Listed(list) => list.clone(),
            Ports::Marked(map) => (0..=u16::MAX)
                .filter(|port| {
                    map.get(usize::from(port >> 6)).is_some_and(|word| word & (1 << (port & 63)) != 0)
                })
                .collect(),
        }
    }
}

/// The doors of a source that knocks at many.
#[derive(Debug, Clone)]
struct Many {
    addresses: Distinct<1024>,
    ports: Ports,
}

#[derive(Debug, Clone)]
enum Doors {
    Few(Vec<Door>),
    Many(Box<Many>),
}

#[derive(Debug, Clone)]
struct Source {
    who: Who,
    hash: u64,
    /// Flows of it that were conversations.
    conversations: u64,
    knocks: u64,
    open: u64,
    refused: u64,
    doors: Doors,
    example: Address,
    lowest_port: u16,
    highest_port: u16,
    first: When,
    last: When,
    frame: u64,
}

impl Source {
    fn new(who: Who, hash: u64, conversations: u64) -> Source {
        Source {
            who,
            hash,
            conversations,
            knocks: 0,
            open: 0,
            refused: 0,
            doors: Doors::Few(Vec::new()),
            example: who.address,
            lowest_port: u16::MAX,
            highest_port: 0,
            first: When::UNKNOWN,
            last: When::UNKNOWN,
            frame: u64::MAX,
        }
    }

    fn add(&mut self, door: Door, seed: Seed) {
        if let Doors::Few(list) = &mut self.doors {
            let room = list.len() < FEW;
            match list.iter_mut().find(|known| (known.address, known.port) == (door.address, door.port)) {
                Some(known) => {
                    known.silent = known.silent.saturating_add(door.silent);
                    known.refused = known.refused.saturating_add(door.refused);
                    known.first = known.first.earlier(door.first);
                    known.last = known.last.later(door.last);
                    known.frame = known.frame.min(door.frame);
                    return;
                }
                None if room => {
                    list.push(door);
                    return;
                }
                None => {
                    let list = std::mem::take(list);
                    let ports = Ports::Listed(Vec::new());
                    self.doors = Doors::Many(Box::new(Many { addresses: Distinct::new(), ports }));
                    list.into_iter().for_each(|door| self.add(door, seed));
                }
            }
        }
        if let Doors::Many(many) = &mut self.doors {
            many.addresses.add(seed.of_words([door.address.high, door.address.low]));
            many.ports.add(door.port);
        }
    }

    fn merge(&mut self, other: Source, seed: Seed) {
        self.conversations += other.conversations;
        self.knocks += other.knocks;
        self.open += other.open;
        self.refused += other.refused;
        self.lowest_port = self.lowest_port.min(other.lowest_port);
        self.highest_port = self.highest_port.max(other.highest_port);
        self.first = self.first.earlier(other.first);
        self.last = self.last.later(other.last);
        if other.frame < self.frame {
            (self.frame, self.example) = (other.frame, other.example);
        }
        match (&mut self.doors, other.doors) {
            (_, Doors::Few(list)) => list.into_iter().for_each(|door| self.add(door, seed)),
            (Doors::Many(ours), Doors::Many(theirs)) => {
                ours.addresses.merge(&theirs.addresses);
                theirs.ports.each().into_iter().for_each(|port| ours.ports.add(port));
            }
            (Doors::Few(list), many) => {
                let list = std::mem::take(list);
                self.doors = many;
                list.into_iter().for_each(|door| self.add(door, seed));
            }
        }
    }

    /// The scan, if it is one.
    fn scan(&self) -> Option<Scan> {
        let Doors::Many(many) = &self.doors else { return None };
        let ports = many.ports.each().len() as u64;
        let addresses = many.addresses.count();
        let scans = self.knocks >= self.conversations
            || (addresses.max(ports) >= PLENTY && self.knocks >= self.conversations / 8);
        let kind = match (addresses >= MANY, ports >= MANY) {
            (true, false) => ScanKind::Horizontal,
            (false, true) => ScanKind::Vertical,
            _ => ScanKind::Block,
        };
        scans.then(|| Scan {
            source: ip(self.who.version, self.who.address),
            kind,
            transport: self.who.transport,
            probes: self.knocks,
            addresses,
            ports,
            open: self.open,
            refused: self.refused,
            example: ip(self.who.version, self.example),
            lowest_port: self.lowest_port,
            highest_port: self.highest_port,
            first: self.first.timestamp(),
            last: self.last.timestamp(),
            frame: self.frame,
        })
    }
}

/// Knocks at one port, whoever knocked.
#[derive(Debug, Clone)]
struct Touched {
    flows: u64,
    refused: u64,
    sources: Distinct<64>,
    example_source: IpAddr,
    example_target: IpAddr,
    first: When,
    last: When,
    frame: u64,
}

/// How often those conversed who never knocked: most who talk are nothing else, and need no more than a number.
///
/// Of more clients than fit, those with the fewest conversations give way.
#[derive(Debug, Clone)]
struct Conversations {
    /// Four clients that share a place: a part of the hash of each, and the count; a count of 0 is nobody.
    places: Vec<[(u32, u32); 4]>,
}

impl Conversations {
    /// Places are a power of two, for about `bytes` of memory.
    fn new(bytes: usize) -> Conversations {
        let most = (bytes / size_of::<[(u32, u32); 4]>()).max(1);
        Conversations { places: vec![[(0, 0); 4]; 1 << most.ilog2().min(16)] }
    }

    fn place(&self, hash: u64) -> usize {
        low32(hash >> 32) as usize & (self.places.len() - 1)
    }

    fn add(&mut self, hash: u64, count: u32) {
        let tag = low32(hash);
        let at = self.place(hash);
        let Some(place) = self.places.get_mut(at) else { return };
        if let Some((_, known)) = place.iter_mut().find(|(known, count)| *known == tag && *count > 0) {
            *known = known.saturating_add(count);
        } else if let Some(least) = place.iter_mut().min_by_key(|(_, count)| *count) {
            *least = (tag, count);
        }
    }

    /// Adds what another one counted. Where there is no room for all, those who conversed most stay.
    fn merge(&mut self, other: &Conversations) {
        for (hash, theirs) in other.each() {
            let tag = low32(hash);
            let Some(place) = self.places.get(self.place(hash)) else { continue };
            let room = place.iter().any(|(known, count)| *known == tag || *count < theirs);
            if room {
                self.add(hash, theirs);
            }
        }
    }

    /// What was counted of a client, which is counted elsewhere from now on.
    fn take(&mut self, hash: u64) -> u64 {
        let tag = low32(hash);
        let at = self.place(hash);
        let known =
            self.places.get_mut(at).and_then(|place| place.iter_mut().find(|(known, _)| *known == tag));
        known.map_or(0, |(_, count)| u64::from(std::mem::take(count)))
    }

    /// Each client's hash, as far as it is kept, and its count.
    fn each(&self) -> impl Iterator<Item = (u64, u32)> {
        let counted = self.places.iter().zip(0_u64..);
        counted.flat_map(|(place, at)| {
            place
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(move |(tag, count)| (at << 32 | u64::from(*tag), *count))
        })
    }
}

/// All sources, within bounds.
#[derive(Debug, Clone)]
pub(crate) struct Knocks {
    seed: Seed,
    conversations: Conversations,
    sources: Vec<Source>,
    /// How often each of them knocked, side by side: where one has to go, this is compared.
    knocks: Vec<u64>,
    places: HashTable<u32>,
    most_sources: usize,
    hand: usize,
    /// What sources touched that had to go.
    touched: Map<(Transport, u16), Touched>,
    /// Who conversed and is to be counted, with the hash.
    waiting: Vec<(Who, u64)>,
    /// Sources that had to go.
    pub(crate) left_out: u64,
}

impl Knocks {
    /// Within about `bytes` of memory.
    pub(crate) fn new(seed: Seed, bytes: usize) -> Knocks {
        Knocks {
            seed,
            conversations: Conversations::new(bytes / 16),
            sources: Vec::new(),
            knocks: Vec::new(),
            places: HashTable::new(),
            // A source that knocks at many doors has up to 9 KiB; most have nothing.
            most_sources: (bytes / 1024).max(COMPARED),
            hand: 0,
            touched: Map::with_hasher(seed),
            waiting: Vec::new(),
            left_out: 0,
        }
    }

    /// Where a source is that knocked before.
    fn known(&self, who: Who, hash: u64) -> Option<usize> {
        let same = |place: &u32| self.sources.get(*place as usize).is_some_and(|source| source.who == who);
        self.places.find(hash, same).map(|place| *place as usize)
    }

    /// Where a source is; it is added if it is new.
    fn place(&mut self, who: Who) -> Option<usize> {
        let hash = who.hash(self.seed);
        if let Some(place) = self.known(who, hash) {
            return Some(place);
        }
        let source = Source::new(who, hash, self.conversations.take(hash));
        if self.sources.len() < self.most_sources {
            self.sources.push(source);
            self.knocks.push(0);
            self.enter(hash, self.sources.len() - 1);
            return Some(self.sources.len() - 1);
        }
        let place = self.least()?;
        self.leave(place);
        *self.sources.get_mut(place)? = source;
        *self.knocks.get_mut(place)? = 0;
        self.enter(hash, place);
        Some(place)
    }

    fn enter(&mut self, hash: u64, place: usize) {
        let sources = &self.sources;
        self.places.insert_unique(hash, index32(place), |place| {
            sources.get(*place as usize).map_or(0, |source| source.hash)
        });
    }

    /// Of the next few in turn, the one that knocked at least.
    fn least(&mut self) -> Option<usize> {
        let many = self.sources.len();
        let from = self.hand;
        self.hand = (self.hand + COMPARED) % many.max(1);
        (0..COMPARED)
            .map(|step| (from + step) % many.max(1))
            .min_by_key(|place| self.knocks.get(*place).copied().unwrap_or(u64::MAX))
    }

    fn leave(&mut self, place: usize) {
        let Some(source) = self.sources.get(place) else { return };
        let who = source.who;
        if let Doors::Few(doors) = &source.doors {
            touch(&mut self.touched, self.seed, &who, doors);
        }
        self.left_out += u64::from(source.knocks > 0);
        let (hash, conversations) = (source.hash, source.conversations);
        if let Ok(entry) = self.places.find_entry(hash, |known| *known as usize == place) {
            entry.remove();
        }
        if conversations > 0 {
            self.conversations.add(hash, u32::try_from(conversations).unwrap_or(u32::MAX));
        }
    }

    /// A flow of this source was a conversation.
    pub(crate) fn conversed(&mut self, who: Who) {
        self.waiting.push((who, who.hash(self.seed)));
        if self.waiting.len() >= TOGETHER {
            self.count();
        }
    }

    /// Counts who waits.
    fn count(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let known = &self.conversations;
        let places = waiting.iter().filter_map(|(_, hash)| known.places.get(known.place(*hash)));
        // Fetches all of them; they are looked at one by one, for one may change what the next one finds.
        std::hint::black_box(places.fold(0, |all, [(tag, _), ..]| all | tag));
        for (who, hash) in waiting.drain(..) {
            match self.known(who, hash).and_then(|place| self.sources.get_mut(place)) {
                Some(source) => source.conversations += 1,
                None => self.conversations.add(hash, 1),
            }
        }
        self.waiting = waiting;
    }

    /// A source knocked. Gives whether it knocked at so many doors before that one more is nothing new.
    pub(crate) fn knocked(&mut self, knock: &Knock) -> bool {
        // A conversation before it counts before it.
        if !self.waiting.is_empty() {
            self.count();
        }
        let seed = self.seed;
        let place = self.place(knock.who).unwrap_or(usize::MAX);
        let Some(source) = self.sources.get_mut(place) else { return false };
        let scans = matches!(source.doors, Doors::Many(_));
        source.knocks += 1;
        source.open += u64::from(knock.answer == Answer::Open);
        source.refused += u64::from(knock.answer == Answer::Refusal);
        source.first = source.first.earlier(knock.first);
        source.last = source.last.later(knock.last);
        source.lowest_port = source.lowest_port.min(knock.port);
        source.highest_port = source.highest_port.max(knock.port);
        if knock.frame < source.frame {
            (source.frame, source.example) = (knock.frame, knock.address);
        }
        let door = Door {
            address: knock.address,
            port: knock.port,
            silent: u32::from(knock.answer == Answer::Silence),
            refused: u32::from(knock.answer == Answer::Refusal),
            first: knock.first,
            last: knock.last,
            frame: knock.frame,
        };
        source.add(door, seed);
        if let Some(knocks) = self.knocks.get_mut(place) {
            *knocks = source.knocks;
        }
        scans
    }

    /// Adds what another shard saw.
    pub(crate) fn merge(&mut self, mut other: Knocks) {
        self.count();
        other.count();
        let seed = self.seed;
        self.left_out += other.left_out;
        self.most_sources = self.most_sources.saturating_add(other.most_sources);
        for theirs in other.sources {
            let place = self.place(theirs.who).unwrap_or(usize::MAX);
            if let (Some(ours), Some(knocks)) = (self.sources.get_mut(place), self.knocks.get_mut(place)) {
                ours.merge(theirs, seed);
                *knocks = ours.knocks;
            }
        }
        // Who knocked at one may have conversed with the other alone.
        for ours in &mut self.sources {
            ours.conversations += other.conversations.take(ours.hash);
        }
        self.conversations.merge(&other.conversations);
        for (port, theirs) in other.touched {
            merge_touched(&mut self.touched, port, theirs);
        }
    }

    /// Scans, the earliest first, and touches of those who do not scan, in order of transport and port.
    pub(crate) fn judge(mut self) -> (Vec<Scan>, Vec<Touch>) {
        self.count();
        let mut scans: Vec<Scan> = self.sources.iter().filter_map(Source::scan).collect();
        scans.sort_by_key(|scan| (scan.frame, scan.source, scan.transport));
        for source in &self.sources {
            if let Doors::Few(doors) = &source.doors {
                touch(&mut self.touched, self.seed, &source.who, doors);
            }
        }
        let mut touches: Vec<Touch> = self
            .touched
            .drain()
            .map(|((transport, port), touched)| Touch {
                transport,
                port,
                flows: touched.flows,
                refused: touched.refused,
                sources: touched.sources.count().min(touched.flows),
                example_source: touched.example_source,
                example_target: touched.example_target,
                first: touched.first.timestamp(),
                last: touched.last.timestamp(),
                frame: touched.frame,
            })
            .collect();
        touches.sort_by_key(|touch| (touch.transport, touch.port));
        (scans, touches)
    }
}

fn touch(touched: &mut Map<(Transport, u16), Touched>, seed: Seed, who: &Who, doors: &[Door]) {
    for door in doors.iter().filter(|door| door.silent > 0 || door.refused > 0) {
        let mut sources = Distinct::new();
        sources.add(seed.of_words([who.address.high, who.address.low]));
        let knocks = Touched {
            flows: u64::from(door.silent) + u64::from(door.refused),
            refused: u64::from(door.refused),
            sources,
            example_source: ip(who.version, who.address),
            example_target: ip(who.version, door.address),
            first: door.first,
            last: door.last,
            frame: door.frame,
        };
        merge_touched(touched, (who.transport, door.port), knocks);
    }
}

fn merge_touched(touched: &mut Map<(Transport, u16), Touched>, port: (Transport, u16), theirs: Touched) {
    let Some(ours) = touched.get_mut(&port) else {
        touched.insert(port, theirs);
        return;
    };
    ours.flows += theirs.flows;
    ours.refused += theirs.refused;
    ours.sources.merge(&theirs.sources);
    ours.first = ours.first.earlier(theirs.first);
    ours.last = ours.last.later(theirs.last);
    if theirs.frame < ours.frame {
        ours.frame = theirs.frame;
        ours.example_source = theirs.example_source;
        ours.example_target = theirs.example_target;
    }
}

#[cfg(test)]
mod tests;
