//! What each server endpoint speaks: flows of one server, port and recognised protocol, within bounds.

use std::cmp::Reverse;
use std::net::IpAddr;

use hashbrown::HashTable;
use model::{Appearance, Direction, Recognised, Service, Tally, Transport};
use wire::address::Address;
use wire::packet::Version;

use crate::hash::{Distinct, Seed};
use crate::key::ip;
use crate::when::When;

/// So many clients are named.
const SOME_CLIENTS: usize = 8;
/// So many frames are named beside the one that says most.
const SOME_FRAMES: usize = 4;
/// What a service takes in memory, about, with its particulars.
const SERVICE_BYTES: usize = 1024;

/// Of whom and of what a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) version: Version,
    pub(crate) server: Address,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    /// The recognised protocol's name.
    pub(crate) protocol: Option<&'static str>,
}

impl Place {
    /// The protocol is left out: a door has few, and all of them are found together.
    fn hash(&self, seed: Seed) -> u64 {
        let kind = (self.transport as u64) << 1 | self.version as u64;
        seed.of_words([self.server.high, self.server.low, u64::from(self.port) << 8 | kind])
    }

    fn door(self) -> Place {
        Place { protocol: None, ..self }
    }
}

/// A flow as far as its service is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) place: Place,
    pub(crate) client: Address,
    pub(crate) recognised: Recognised,
    pub(crate) direction: Direction,
    pub(crate) answered: bool,
    pub(crate) tally: Tally,
    pub(crate) first: When,
    pub(crate) last: When,
    pub(crate) frame: u64,
}

#[derive(Debug, Clone)]
struct Serves {
    best: Recognised,
    best_frame: u64,
    direction: Direction,
    answered: bool,
    flows: u64,
    tally: Tally,
    first: When,
    last: When,
    clients: Distinct<256>,
    /// With the first frame of each.
    some_clients: Vec<(u64, IpAddr)>,
    latest_client: u64,
    frames: Vec<u64>,
    latest_frame: u64,
}

/// How much a flow says, to compare it with another; of equal ones the earlier.
fn says(recognised: &Recognised, frame: u64) -> impl Ord + use<> {
    let appearance = recognised.appearance != Appearance::Empty;
    let particulars = (recognised.certificate.is_some(), recognised.details.len());
    (recognised.certainty, appearance, particulars, Reverse(frame))
}

impl Serves {
    fn merge(&mut self, other: Serves) {
        let attempt = self.best.attempt.or(other.best.attempt);
        if says(&other.best, other.best_frame) > says(&self.best, self.best_frame) {
            (self.best, self.best_frame) = (other.best, other.best_frame);
        }
        self.best.attempt = self.best.attempt.or(attempt);
        self.direction = self.direction.max(other.direction);
        self.answered |= other.answered;
        self.flows += other.flows;
        self.tally.add(&other.tally);
        self.first = self.first.earlier(other.first);
        self.last = self.last.later(other.last);
        self.clients.merge(&other.clients);
        for (frame, client) in other.some_clients {
            self.client(frame, client);
        }
        for frame in other.frames {
            self.frame(frame);
        }
    }

    fn client(&mut self, frame: u64, client: IpAddr) {
        // Flows mostly come in order, so that most are later than all that are named.
        if self.some_clients.len() >= SOME_CLIENTS && frame > self.latest_client {
            return;
        }
        let room = self.some_clients.len() < SOME_CLIENTS;
        match self.some_clients.iter_mut().find(|(_, known)| *known == client) {
            Some((first, _)) => *first = (*first).min(frame),
            None if room => self.some_clients.push((frame, client)),
            None => {
                if let Some(last) = self.some_clients.iter_mut().max_by_key(|(frame, _)| *frame)
                    && last.0 > frame
                {
                    *last = (frame, client);
                }
            }
        }
        self.latest_client = self.some_clients.iter().map(|(frame, _)| *frame).max().unwrap_or(0);
    }

    fn frame(&mut self, frame: u64) {
        if self.frames.len() >= SOME_FRAMES && frame > self.latest_frame {
            return;
        }
        if let Err(place) = self.frames.binary_search(&frame)
            && place < SOME_FRAMES
        {
            self.frames.insert(place, frame);
            self.frames.truncate(SOME_FRAMES);
        }
        self.latest_frame = self.frames.last().copied().unwrap_or(0);
    }
}

/// All services, within bounds.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    seed: Seed,
    /// Boxed: they are large, and the table moves what it has when it grows.
    serves: HashTable<(Place, Box<Serves>)>,
    most: usize,
    /// Flows of services that found no room.
    pub(crate) left_out: u64,
}

impl Services {
    /// Within about `bytes` of memory.
    pub(crate) fn new(seed: Seed, bytes: usize) -> Services {
        Services { seed, serves: HashTable::new(), most: (bytes / SERVICE_BYTES).max(16), left_out: 0 }
    }

    /// Whether no other service finds room.
    pub(crate) fn is_full(&self) -> bool {
        self.serves.len() >= self.most
    }

    /// Whether there is a service at this door, whatever it speaks.
    pub(crate) fn has_door(&self, door: &Place) -> bool {
        self.serves.find(door.hash(self.seed), |(known, _)| known.door() == *door).is_some()
    }

    /// Whether particulars of a flow would not be kept: its service has others, or finds no room.
    pub(crate) fn is_told(&self, place: &Place, recognised: &Recognised, frame: u64) -> bool {
        match self.serves.find(place.hash(self.seed), |(known, _)| known == place) {
            Some((_, serves)) => says(recognised, frame) <= says(&serves.best, serves.best_frame),
            None => self.is_full(),
        }
    }

    pub(crate) fn served(&mut self, flow: Served) {
        let place = flow.place.hash(self.seed);
        let full = self.is_full();
        let known = self.serves.find_mut(place, |(known, _)| *known == flow.place);
        if known.is_none() && full {
            self.left_out += 1;
            return;
        }
        let client = ip(flow.place.version, flow.client);
        let hash = self.seed.of_words([flow.client.high, flow.client.low]);
        if let Some((_, serves)) = known {
            let attempt = serves.best.attempt.or(flow.recognised.attempt);
            if says(&flow.recognised, flow.frame) > says(&serves.best, serves.best_frame) {
                (serves.best, serves.best_frame) = (flow.recognised, flow.frame);
            }
            serves.best.attempt = serves.best.attempt.or(attempt);
            serves.direction = serves.direction.max(flow.direction);
            serves.answered |= flow.answered;
            serves.flows += 1;
            serves.tally.add(&flow.tally);
            serves.first = serves.first.earlier(flow.first);
            serves.last = serves.last.later(flow.last);
            serves.clients.add(hash);
            serves.client(flow.frame, client);
            serves.frame(flow.frame);
            return;
        }
        let mut clients = Distinct::new();
        clients.add(hash);
        let serves = Serves {
            best: flow.recognised,
            best_frame: flow.frame,
            direction: flow.direction,
            answered: flow.answered,
            flows: 1,
            tally: flow.tally,
            first: flow.first,
            last: flow.last,
            clients,
            some_clients: vec![(flow.frame, client)],
            latest_client: flow.frame,
            frames: vec![flow.frame],
            latest_frame: flow.frame,
        };
        let seed = self.seed;
        self.serves.insert_unique(place, (flow.place, Box::new(serves)), |(known, _)| known.hash(seed));
    }

    /// Packets of a flow that was added before.
    pub(crate) fn stragglers(&mut self, place: &Place, tally: &Tally, last: When) {
        let hash = place.hash(self.seed);
        if let Some((_, serves)) = self.serves.find_mut(hash, |(known, _)| known == place) {
            serves.tally.add(tally);
            serves.last = serves.last.later(last);
        }
    }

    /// Adds what another shard saw.
    pub(crate) fn merge(&mut self, other: Services) {
        self.left_out += other.left_out;
        self.most = self.most.saturating_add(other.most);
        let seed = self.seed;
        for (place, theirs) in other.serves {
            let hash = place.hash(seed);
            match self.serves.find_mut(hash, |(known, _)| *known == place) {
                Some((_, ours)) => ours.merge(*theirs),
                None => {
                    self.serves.insert_unique(hash, (place, theirs), |(known, _)| known.hash(seed));
                }
            }
        }
    }

    /// The services in order of server, transport, port and protocol.
    pub(crate) fn list(mut self) -> Vec<Service> {
        let mut all: Vec<(Place, Box<Serves>)> = self.serves.drain().collect();
        // Of one door, what no protocol was found for comes first.
        all.sort_by_cached_key(|(place, _)| (ip(place.version, place.server), *place));
        let mut services = Vec::with_capacity(all.len());
        let mut silent: Option<(Place, Box<Serves>)> = None;
        for (place, mut serves) in all {
            let door = place.door();
            if let Some((theirs, theirs_serves)) = silent.take() {
                // Flows in which nobody said anything are no other service than the one that speaks there.
                if theirs == door {
                    serves.merge(*theirs_serves);
                } else {
                    services.push(service(theirs, *theirs_serves));
                }
            }
            if place.protocol.is_none() && serves.best.appearance == Appearance::Empty {
                silent = Some((place, serves));
            } else {
                services.push(service(place, *serves));
            }
        }
        services.extend(silent.map(|(place, serves)| service(place, *serves)));
        services
    }
}

fn service(place: Place, mut serves: Serves) -> Service {
    serves.some_clients.sort_unstable();
    let mut frames = vec![serves.best_frame];
    frames.extend(serves.frames.iter().filter(|frame| **frame != serves.best_frame));
    Service {
        server: (ip(place.version, place.server), place.port).into(),
        transport: place.transport,
        recognised: serves.best,
        direction: serves.direction,
        answered: serves.answered,
        flows: serves.flows,
        tally: serves.tally,
        first: serves.first.timestamp(),
        last: serves.last.timestamp(),
        clients: serves.clients.count().min(serves.flows).max(serves.some_clients.len() as u64),
        some_clients: serves.some_clients.into_iter().map(|(_, client)| client).collect(),
        frames,
    }
}
