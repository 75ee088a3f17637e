//! What the screen shows: what is known now, and what came over time, all of it bounded.

use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use engine::OwnedFlow;
use engine::board::{Change, Current};
use model::{Code, SocketEvent, Timestamp, Utc};
use store::Sighting;

use super::rates::Rates;

/// So many findings and events are remembered; the oldest go first.
const MOST_NOTED: usize = 2000;
const MOST_EVENTS: usize = 2000;

/// For so long a finding is marked as new.
const NEW_NS: i64 = 60_000_000_000;

/// What came since the last time.
pub(crate) struct Feed {
    /// What is known now.
    pub(crate) current: Current,
    /// What changed.
    pub(crate) changes: Vec<Change>,
    /// Changes that are gone already.
    pub(crate) missed: u64,
    /// The last flows, the newest first, where there are other ones.
    pub(crate) flows: Option<Vec<Arc<OwnedFlow>>>,
    /// The addresses of this machine, where they were asked for anew.
    pub(crate) addresses: Option<Vec<IpAddr>>,
}

/// A finding, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub(super) sighting: Arc<Sighting>,
    /// It stands no more.
    pub(super) over: bool,
    /// It was there at the first look.
    pub(super) early: bool,
}

/// Everything that a screen shows.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) now: Timestamp<Utc>,
    pub(super) current: Current,
    /// Whether the machine was looked at.
    pub(super) looked: bool,
    pub(super) flows: Arc<Vec<Arc<OwnedFlow>>>,
    pub(super) noted: VecDeque<Noted>,
    pub(super) events: VecDeque<Arc<SocketEvent>>,
    pub(super) rates: Arc<Rates>,
    pub(super) addresses: Arc<HashSet<IpAddr>>,
    /// Changes that came too fast to follow: what stands is known all the same, what came and went may not be.
    pub(super) missed: u64,
}

impl Known {
    pub(super) fn new(current: Current, now: Timestamp<Utc>) -> Known {
        Known {
            now,
            current,
            looked: false,
            flows: Arc::default(),
            noted: VecDeque::new(),
            events: VecDeque::new(),
            rates: Arc::default(),
            addresses: Arc::default(),
            missed: 0,
        }
    }

    /// Takes over what came.
    pub(super) fn take(&mut self, feed: Feed) {
        self.current = feed.current;
        self.missed = self.missed.saturating_add(feed.missed);
        if let Some(flows) = feed.flows {
            self.flows = Arc::new(flows);
        }
        if let Some(addresses) = feed.addresses {
            self.addresses = Arc::new(addresses.into_iter().map(|it| it.to_canonical()).collect());
        }
        for change in feed.changes {
            match change {
                Change::Socket(event) => keep(&mut self.events, event, MOST_EVENTS),
                Change::Found(sighting) => self.note(sighting),
                Change::Over(sighting) => self.end(sighting.finding.code, &sighting.about),
                Change::Looked => self.looked = true,
                Change::Flow(_) | Change::Touch(_) | Change::Traffic => {}
            }
        }
    }

    fn note(&mut self, sighting: Arc<Sighting>) {
        let key = (sighting.finding.code, sighting.about.as_str());
        let at =
            self.noted.iter().position(|it| (it.sighting.finding.code, it.sighting.about.as_str()) == key);
        if let Some(at) = at {
            self.noted.remove(at);
        }
        let noted = Noted { sighting, over: false, early: !self.looked };
        keep(&mut self.noted, noted, MOST_NOTED);
    }

    fn end(&mut self, code: Code, about: &str) {
        let it =
            self.noted.iter_mut().find(|it| it.sighting.finding.code == code && it.sighting.about == about);
        if let Some(it) = it {
            it.over = true;
        }
    }

    /// Whether a finding came lately.
    pub(super) fn is_new(&self, noted: &Noted) -> bool {
        !noted.early && !noted.over && self.now.as_ns().saturating_sub(noted.sighting.at.as_ns()) < NEW_NS
    }
}

fn keep<T>(list: &mut VecDeque<T>, one: T, most: usize) {
    while list.len() >= most {
        list.pop_front();
    }
    list.push_back(one);
}
