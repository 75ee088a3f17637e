//! What an API has told so far: resources, what is in force at their ends, and transport files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::media::{Session, SessionSource};
use model::{Timestamp, Utc};

use super::connection::{Active, TransportFile};
use super::grain::{Change, Grain};
use super::resource::{self, Device, Resource};
use super::{Fault, Id, Kind, Side};
use crate::described::transport_file;

/// The sum of the texts of all resources that are kept.
const MOST_BYTES: usize = 256 << 20;

/// Ends that stopped and are still told.
const MOST_ENDED: usize = 4096;

/// A resource with what we know of it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) resource: Resource,
    pub(super) first: Timestamp<Utc>,
    pub(super) last: Timestamp<Utc>,
    bytes: usize,
    /// In which reading of the whole list it was last seen.
    reading: u64,
}

/// What was told of one end besides its resource.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    pub(super) active: Option<Active>,
    file: Option<TransportFile>,
    /// What the file says, read once.
    pub(super) described: Option<Session>,
    /// When we learned that it stopped, where it has.
    pub(super) stopped: Option<Timestamp<Utc>>,
}

/// An end that is gone, as it last was.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) held: Held,
    pub(super) end: End,
    pub(super) at: Timestamp<Utc>,
}

/// What an API has told so far; pure state.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    pub(super) api: String,
    pub(super) all: BTreeMap<(Kind, Id), Held>,
    pub(super) ends: BTreeMap<Id, End>,
    pub(super) ended: VecDeque<Ended>,
    /// Ends whose parameters have to be asked for (again).
    stale: BTreeSet<(Side, Id)>,
    readings: BTreeMap<Kind, u64>,
    bytes: usize,
    left_out: u64,
    revision: u64,
}

impl Registry {
    /// Knows nothing yet; `api` is how people find the API.
    pub fn new(api: impl Into<String>) -> Registry {
        Registry { api: api.into(), ..Registry::default() }
    }

    /// Changes with everything that may change a session.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Resources that were not kept because there were too many.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many resources of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.of_kind(kind).count()
    }

    /// One resource.
    pub fn resource(&self, kind: Kind, id: Id) -> Option<&Resource> {
        self.all.get(&(kind, id)).map(|held| &held.resource)
    }

    /// Every resource of a kind.
    pub fn resources(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.of_kind(kind).map(|held| &held.resource)
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Held> {
        let (low, high) = ((kind, Id(0)), (kind, Id(u128::MAX)));
        self.all.range(low..=high).map(|(_, held)| held)
    }

    /// Takes a list of resources of a kind, or a part of it; gives how many were readable.
    pub fn handle_page(&mut self, kind: Kind, body: &[u8], now: Timestamp<Utc>) -> (usize, Vec<Fault>) {
        let mut count = 0;
        let faults = resource::each(kind, body, |resource, bytes| {
            count += 1;
            self.put(resource, bytes, now);
        });
        (count, faults)
    }

    /// Takes a message of a subscription.
    pub fn handle_grain(&mut self, body: &[u8], now: Timestamp<Utc>) -> Vec<Fault> {
        let (grain, faults) = Grain::parse(body);
        let Some(grain) = grain else { return faults };
        let share = body.len() / grain.changes.len().max(1);
        for change in grain.changes {
            match change {
                Change::Now(resource) => self.put(*resource, share, now),
                Change::Gone(id) => self.remove(grain.kind, id, now),
            }
        }
        faults
    }

    /// Takes what is in force at an end; `None` where the end has no such document.
    pub fn handle_active(&mut self, side: Side, id: Id, active: Option<Active>, now: Timestamp<Utc>) {
        self.stale.remove(&(side, id));
        if !self.all.contains_key(&(kind_of(side), id)) {
            return;
        }
        let mut active = active;
        if side == Side::Receiver {
            let file = active.as_mut().and_then(|active| active.file.take());
            self.keep_file(id, file);
        }
        let end = self.ends.entry(id).or_default();
        if end.active != active {
            let works = active.as_ref().is_none_or(|active| active.enabled);
            end.stopped = (!works).then(|| end.stopped.unwrap_or(now));
            end.active = active;
            self.revision += 1;
        }
    }

    /// Takes the transport file of a sender; an empty one where it has none.
    pub fn handle_transport_file(&mut self, sender: Id, body: &[u8]) {
        if self.all.contains_key(&(Kind::Sender, sender)) {
            self.keep_file(sender, TransportFile::of(body));
        }
    }

    /// The transport file of an end, where it has one.
    pub fn transport_file(&self, id: Id) -> Option<&[u8]> {
        self.ends.get(&id)?.file.as_ref().map(|file| file.text.as_slice())
    }

    fn keep_file(&mut self, id: Id, file: Option<TransportFile>) {
        let source = self.source_of(id);
        let end = self.ends.entry(id).or_default();
        if end.file == file {
            return;
        }
        let length = |file: &Option<TransportFile>| file.as_ref().map_or(0, |file| file.text.len());
        self.bytes = self.bytes.saturating_sub(length(&end.file));
        self.revision += 1;
        if self.bytes.saturating_add(length(&file)) > MOST_BYTES {
            (end.file, end.described) = (None, None);
            self.left_out += 1;
            return;
        }
        self.bytes += length(&file);
        end.described = file.as_ref().and_then(|file| transport_file(&file.text, &source));
        end.file = file;
    }

    /// How a session of this end is known.
    pub(super) fn source_of(&self, id: Id) -> SessionSource {
        SessionSource::Nmos { api: self.api.clone(), id: id.to_string() }
    }

    /// A reading of the whole list of a kind begins.
    pub fn begin(&mut self, kind: Kind) {
        *self.readings.entry(kind).or_default() += 1;
    }

    /// The reading is at its end: what it did not show is gone.
    pub fn finish(&mut self, kind: Kind, now: Timestamp<Utc>) {
        let reading = self.reading(kind);
        let gone: Vec<Id> = self
            .of_kind(kind)
            .filter(|held| held.reading != reading)
            .map(|held| held.resource.core().id)
            .collect();
        gone.into_iter().for_each(|id| self.remove(kind, id, now));
    }

    /// Ends whose parameters are not known, or not as they are now.
    pub fn stale(&self) -> impl Iterator<Item = (Side, Id)> + '_ {
        self.stale.iter().copied()
    }

    /// They are being asked for.
    pub fn asked(&mut self, side: Side, id: Id) {
        self.stale.remove(&(side, id));
    }

    /// They are to be asked for again.
    pub fn ask_again(&mut self, side: Side, id: Id) {
        if self.all.contains_key(&(kind_of(side), id)) {
            self.stale.insert((side, id));
        }
    }

    /// The device of an end.
    pub fn device_of(&self, side: Side, id: Id) -> Option<&Device> {
        let device = match self.resource(kind_of(side), id)? {
            Resource::Sender(sender) => sender.device,
            Resource::Receiver(receiver) => receiver.device,
            _ => None,
        };
        match self.resource(Kind::Device, device?)? {
            Resource::Device(device) => Some(device),
            _ => None,
        }
    }

    fn reading(&self, kind: Kind) -> u64 {
        self.readings.get(&kind).copied().unwrap_or(0)
    }

    fn put(&mut self, resource: Resource, bytes: usize, now: Timestamp<Utc>) {
        let (kind, core) = (resource.kind(), resource.core());
        let (id, version, reading) = (core.id, core.version, self.reading(kind));
        let mut changed = true;
        match self.all.get_mut(&(kind, id)) {
            Some(held) => {
                held.reading = reading;
                held.last = now;
                // A page may have been written before the grain that we have already read.
                if version.is_some() && version < held.resource.core().version {
                    return;
                }
                changed = held.resource != resource;
                self.bytes = self.bytes.saturating_sub(held.bytes).saturating_add(bytes);
                (held.bytes, held.resource) = (bytes, resource);
            }
            None if self.bytes.saturating_add(bytes) > MOST_BYTES => {
                self.left_out += 1;
                return;
            }
            None => {
                self.bytes += bytes;
                self.all.insert((kind, id), Held { resource, first: now, last: now, bytes, reading });
                self.ended.retain(|ended| ended.held.resource.core().id != id);
            }
        }
        if changed {
            self.revision += 1;
            self.note_stale(kind, id, now);
        }
    }

    /// An end that changed, or whose device did, may have other parameters now.
    fn note_stale(&mut self, kind: Kind, id: Id, now: Timestamp<Utc>) {
        match kind {
            Kind::Sender | Kind::Receiver => {
                let side = if kind == Kind::Sender { Side::Sender } else { Side::Receiver };
                self.stale.insert((side, id));
                let works = match self.resource(kind, id) {
                    Some(Resource::Sender(sender)) => sender.active,
                    Some(Resource::Receiver(receiver)) => receiver.active,
                    _ => None,
                };
                let end = self.ends.entry(id).or_default();
                if works == Some(false) {
                    end.stopped.get_or_insert(now);
                } else if end.active.as_ref().is_none_or(|active| active.enabled) {
                    end.stopped = None;
                }
            }
            Kind::Device => {
                let ends = [Side::Sender, Side::Receiver].into_iter().flat_map(|side| {
                    self.of_kind(kind_of(side)).filter_map(move |held| {
                        let core = held.resource.core();
                        let device = match &held.resource {
                            Resource::Sender(sender) => sender.device,
                            Resource::Receiver(receiver) => receiver.device,
                            _ => None,
                        };
                        (device == Some(id)).then_some((side, core.id))
                    })
                });
                let unknown = |(_, id): &(Side, Id)| self.ends.get(id).is_none_or(|end| end.active.is_none());
                let ends: Vec<(Side, Id)> = ends.filter(unknown).collect();
                self.stale.extend(ends);
            }
            Kind::Node | Kind::Source | Kind::Flow => {}
        }
    }

    fn remove(&mut self, kind: Kind, id: Id, now: Timestamp<Utc>) {
        let Some(held) = self.all.remove(&(kind, id)) else { return };
        self.bytes = self.bytes.saturating_sub(held.bytes);
        self.revision += 1;
        if !matches!(kind, Kind::Sender | Kind::Receiver) {
            return;
        }
        for side in [Side::Sender, Side::Receiver] {
            self.stale.remove(&(side, id));
        }
        let mut end = self.ends.remove(&id).unwrap_or_default();
        let file = end.file.take().map_or(0, |file| file.text.len());
        self.bytes = self.bytes.saturating_sub(file);
        if self.ended.len() >= MOST_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { held, end, at: now });
    }
}

pub(super) fn kind_of(side: Side) -> Kind {
    match side {
        Side::Sender => Kind::Sender,
        Side::Receiver => Kind::Receiver,
    }
}
