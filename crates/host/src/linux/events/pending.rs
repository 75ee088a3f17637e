//! Sockets to which the kernel gives a port right after their event: told when the port is known.
//!
//! Most of them end soon, and their end has the port. For the others the descriptor tables are looked through.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::Happened;
use wire::holder_record::{Record, Wanted};

use super::super::bpf::Walker;
use crate::events::table::{Moment, Told};

/// How long to wait for the end of a socket before looking for it.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often to look through the descriptor tables, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often to look for one socket: it may have got no port, or travel in a message.
const LOOKS_MAX: u8 = 3;
/// More sockets than this are not held back: they are told without a port.
const HELD_MAX: usize = 8192;

type Event = (Happened, Moment, Told);

#[derive(Debug)]
struct Held {
    event: Event,
    since: Instant,
    looks: u8,
}

/// What waits for its port.
#[derive(Debug)]
pub(super) struct Pending {
    held: HashMap<u64, Held>,
    walker: Option<Walker>,
    looked: Option<Instant>,
}

impl Pending {
    /// Nothing waits yet. The program that looks is loaded now, while we may.
    pub(super) fn new() -> Pending {
        Pending { held: HashMap::new(), walker: Walker::load().ok(), looked: None }
    }

    /// Keeps an event until its port is known.
    pub(super) fn hold(&mut self, happened: Happened, moment: Moment, told: Told, now: Instant) {
        if self.held.len() < HELD_MAX {
            let held = Held { event: (happened, moment, told.clone()), since: now, looks: 0 };
            self.held.entry(told.cookie).or_insert(held);
        }
    }

    /// Something else happened to a socket: gives what waited for its port, if this says which.
    pub(super) fn settle(&mut self, cookie: u64, port: u16) -> Option<Event> {
        if self.held.is_empty() {
            return None;
        }
        let (happened, moment, mut told) = self.held.remove(&cookie)?.event;
        told.local.set_port(port);
        // Without a port at its end it never had one.
        (port != 0).then_some((happened, moment, told))
    }

    /// How long until something should be looked for.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(PATIENCE)
    }

    /// Looks for what has waited long enough; gives what is known now, in order.
    pub(super) fn resolve(&mut self, now: Instant) -> Vec<Event> {
        let waits = |held: &Held| now.duration_since(held.since) >= PATIENCE;
        let rested = self.looked.is_none_or(|looked| now.duration_since(looked) >= LOOK_EVERY);
        if self.held.is_empty() || !rested || !self.held.values().any(waits) {
            return Vec::new();
        }
        self.looked = Some(now);
        let mut ports: HashMap<u64, u16> = HashMap::new();
        let wanted = Wanted { connected: true, details: true };
        if let Some(Ok(records)) = self.walker.as_mut().map(|walker| walker.walk(wanted)) {
            for record in records {
                if let Record::Open(open) = record
                    && self.held.contains_key(&open.cookie)
                {
                    ports.insert(open.cookie, open.port);
                }
            }
        }
        let mut out = Vec::new();
        self.held.retain(|cookie, held| {
            held.looks += u8::from(waits(held));
            let port = ports.get(cookie).copied().filter(|port| *port != 0);
            if port.is_none() && held.looks < LOOKS_MAX {
                return true;
            }
            let (happened, moment, mut told) = held.event.clone();
            told.local.set_port(port.unwrap_or(0));
            out.push((happened, moment, told));
            false
        });
        out.sort_by_key(|(_, moment, _)| moment.steady_ns);
        out
    }
}
