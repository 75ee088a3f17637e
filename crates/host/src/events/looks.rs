//! Looks that are compared: what is new in one began since the last, and what is missing ended.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use model::{Happened, SocketEvent, State, Witness};

use super::table::{Moment, Name, Table, Told, is_event};
use crate::{Look, Looker};

/// Looks again and again, and compares.
#[derive(Debug)]
pub(super) struct Looks {
    looker: Looker,
    look: Look,
    every: Duration,
    due: Instant,
    began: Instant,
    /// The sockets of the last look; `None` before the first.
    last: Option<HashSet<Name>>,
    reconciled: bool,
}

impl Looks {
    pub(super) fn new(every: Duration) -> Looks {
        let look = Look { forwards: false, ..Look::default() };
        let now = Instant::now();
        Looks { looker: Looker::new(), look, every, due: now, began: now, last: None, reconciled: false }
    }

    /// When the next look is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// A snapshot was taken in: what the next look shows besides is news.
    pub(super) fn reconcile(&mut self) {
        self.reconciled = true;
    }

    /// Looks once, and tells the differences; gives how many.
    pub(super) fn look(&mut self, table: &mut Table, take: &mut dyn FnMut(SocketEvent)) -> usize {
        let before = Instant::now();
        let mut count = 0;
        if self.last.is_none() || self.looker.changed(&self.look) {
            count = self.compare(table, take);
        }
        // A look that takes long must not leave time for nothing else.
        self.due = before + self.every.max(before.elapsed() * 4);
        count
    }

    fn compare(&mut self, table: &mut Table, take: &mut dyn FnMut(SocketEvent)) -> usize {
        let snapshot = self.looker.snapshot(&self.look);
        let first = self.last.is_none();
        if first && !self.reconciled {
            // Nobody gave a snapshot to begin from: this one is it.
            table.reconcile(&snapshot);
        }
        let moment = Moment { at: snapshot.taken, steady_ns: steady_ns(self.began) };
        let told_before = table.told;
        let mut seen = HashSet::with_capacity(snapshot.sockets.len());
        for socket in snapshot.sockets.iter().filter(|socket| is_event(socket)) {
            let told = Told::of(socket, &snapshot);
            seen.insert(told.name());
            let datagrams = matches!(socket.kind, model::Kind::Udp | model::Kind::UdpLite);
            let listening = socket.state == State::Listening && !datagrams;
            let happened = if listening { Happened::Listening } else { Happened::Bound };
            table.begin(happened, Witness::Looks, moment, told).into_iter().for_each(&mut *take);
        }
        let last = match self.last.take() {
            Some(last) => last,
            None => table.names().copied().collect(),
        };
        for name in last.iter().filter(|name| !seen.contains(name) && table.knows(name)).collect::<Vec<_>>() {
            table.end(name, Witness::Looks, moment, None).into_iter().for_each(&mut *take);
        }
        self.last = Some(seen);
        usize::try_from(table.told - told_before).unwrap_or(usize::MAX)
    }
}

/// A clock that is never set: the kernel's events have the same.
#[cfg(target_os = "linux")]
fn steady_ns(_: Instant) -> u64 {
    u64::try_from(crate::linux::events::since_boot_ns()).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn steady_ns(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
