//! Ways that datagrams take, from endpoint to endpoint, and what is known of each.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use wire::address::Address;

use super::Datagram;
use super::trial::Trial;

/// So many ways are known at a time; those that carry no media make room first.
const MOST_PATHS: usize = 1 << 16;

/// Where a datagram comes from and goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathKey {
    source: Address,
    destination: Address,
    ports: u32,
    vlan: Option<u16>,
}

impl Hash for PathKey {
    /// As one piece: a hasher that is given numbers one by one keeps half words between them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let vlan = self.vlan.map_or(0, |vlan| 1 << 16 | u64::from(vlan));
        let last = vlan << 32 | u64::from(self.ports);
        let words = [self.source.high, self.source.low, self.destination.high, self.destination.low, last];
        state.write(words.map(u64::to_ne_bytes).as_flattened());
    }
}

impl PathKey {
    pub(super) fn of(datagram: &Datagram<'_>) -> PathKey {
        PathKey {
            source: datagram.source.0,
            destination: datagram.destination.0,
            ports: u32::from(datagram.source.1) << 16 | u32::from(datagram.destination.1),
            vlan: datagram.vlan,
        }
    }
}

/// A leg of a stream on a path, by the source that it numbers its packets with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Berth {
    pub(super) ssrc: u32,
    pub(super) stream: usize,
    pub(super) leg: usize,
}

/// What is known of a way.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Legs of streams that come here; the one that came last is first.
    pub(super) berths: Vec<Berth>,
    /// What else comes here, while it is not known what it is.
    pub(super) trial: Option<Box<Trial>>,
    /// Whether what else comes here is no media.
    pub(super) other: bool,
}

/// All ways.
#[derive(Debug, Default)]
pub(super) struct Paths {
    places: HashMap<PathKey, usize>,
    list: Vec<Path>,
    /// Most packets come the same way as the one before.
    last: Option<(PathKey, usize)>,
}

impl Paths {
    /// The way of a datagram; a new one where it was not known.
    pub(super) fn find(&mut self, datagram: &Datagram<'_>) -> Option<&mut Path> {
        let key = PathKey::of(datagram);
        let at = match self.last {
            Some((known, at)) if known == key => at,
            _ => {
                let at = match self.places.get(&key) {
                    Some(at) => *at,
                    None => self.add(key)?,
                };
                self.last = Some((key, at));
                at
            }
        };
        self.list.get_mut(at)
    }

    fn add(&mut self, key: PathKey) -> Option<usize> {
        if self.list.len() >= MOST_PATHS {
            self.make_room();
        }
        if self.list.len() >= MOST_PATHS {
            return None;
        }
        self.list.push(Path::default());
        self.places.insert(key, self.list.len() - 1);
        Some(self.list.len() - 1)
    }

    /// Gives streams the numbers that they have now; those that have none are gone.
    pub(super) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        for path in &mut self.list {
            path.berths.retain_mut(|berth| {
                let place = now(berth.stream);
                berth.stream = place.unwrap_or(berth.stream);
                place.is_some()
            });
        }
    }

    /// Forgets every way without a stream: what still comes there is tried anew.
    fn make_room(&mut self) {
        let mut kept = Vec::new();
        let list = &mut self.list;
        self.places.retain(|_, at| {
            let Some(path) = list.get_mut(*at).filter(|path| !path.berths.is_empty()) else { return false };
            kept.push(core::mem::take(path));
            *at = kept.len() - 1;
            true
        });
        self.list = kept;
        self.last = None;
    }
}
