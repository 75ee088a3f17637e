//! What is known now, for everybody who shows it: plain data behind one lock, and a feed of what changes.
//!
//! Readers take the shared pointers and let go of the lock at once; nobody who shows things can hold up the loop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::{DecoyTouch, EventCounts, SocketEvent, Timestamp, Utc, Witness};
use store::Sighting;

use crate::live::{Audience, Found, Novelty};
use crate::showcase::Showcase;
use crate::{OwnedFlow, TrafficView, View};

/// So many of the last flows, and so many changes, are kept.
const MOST_FLOWS: usize = 50_000;
const MOST_CHANGES: usize = 10_000;

/// Something changed.
#[derive(Clone)]
pub enum Change {
    /// Something happened to a socket.
    Socket(Arc<SocketEvent>),
    /// A flow has ended.
    Flow(Arc<OwnedFlow>),
    /// Something was found.
    Found(Arc<Sighting>),
    /// What was found stands no more.
    Over(Arc<Sighting>),
    /// Somebody came to a decoy.
    Touch(Arc<DecoyTouch>),
    /// The machine was looked at and judged: [`Current::machine`] is another.
    Looked,
    /// Traffic was judged: [`Current::traffic`] is another.
    Traffic,
}

/// What is known now.
#[derive(Clone)]
pub struct Current {
    /// When watching began.
    pub since: Timestamp<Utc>,
    /// The last look at the machine, judged.
    pub machine: Arc<View>,
    /// What was on the wire so far, judged; `None` before anything was.
    pub traffic: Option<Arc<TrafficView>>,
    /// The interfaces that are read.
    pub interfaces: Vec<String>,
    /// How socket events are known; `None` where nobody listens for them.
    pub witness: Option<Witness>,
    /// How many socket events there were, and how many were lost.
    pub events: EventCounts,
}

struct Inside {
    current: Current,
    flows: VecDeque<Arc<OwnedFlow>>,
    changes: VecDeque<Change>,
    /// The number of the next change; the first is 1.
    next: u64,
}

/// What is known now, shared between the loop and everybody who shows it.
pub struct Board {
    inside: Mutex<Inside>,
    changed: Condvar,
    /// What somebody looks at now, of the wire itself.
    pub showcase: Showcase,
}

/// What came after a place in the feed.
pub struct Changes {
    /// The changes, each with its number.
    pub changes: Vec<(u64, Change)>,
    /// How many came earlier and are gone already.
    pub missed: u64,
}

impl Board {
    /// A board on which nothing is but the machine.
    pub fn new(machine: Arc<View>) -> Board {
        let current = Current {
            since: host::now(),
            machine,
            traffic: None,
            interfaces: Vec::new(),
            witness: None,
            events: EventCounts::default(),
        };
        let inside = Inside { current, flows: VecDeque::new(), changes: VecDeque::new(), next: 1 };
        Board { inside: Mutex::new(inside), changed: Condvar::new(), showcase: Showcase::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now.
    pub fn current(&self) -> Current {
        self.inside().current.clone()
    }

    /// The last flows that ended, the newest first, at most `most`.
    pub fn flows(&self, most: usize) -> Vec<Arc<OwnedFlow>> {
        self.inside().flows.iter().rev().take(most).cloned().collect()
    }

    /// The number of the last change; 0 before the first.
    pub fn last_change(&self) -> u64 {
        self.inside().next - 1
    }

    /// What changed after the change with this number; waits so long for one.
    pub fn changes_after(&self, number: u64, wait: Duration) -> Changes {
        let until = Instant::now() + wait;
        let mut inside = self.inside();
        while inside.next <= number.saturating_add(1) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Changes { changes: Vec::new(), missed: 0 };
            }
            let waited = self.changed.wait_timeout(inside, left);
            inside = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(inside, _)| inside);
        }
        let first = inside.next - inside.changes.len() as u64;
        let missed = first.saturating_sub(number.saturating_add(1));
        let from = number.saturating_add(1).max(first);
        let skip = usize::try_from(from - first).unwrap_or(usize::MAX);
        let changes = (from..).zip(inside.changes.iter().skip(skip).cloned()).collect();
        Changes { changes, missed }
    }

    /// Takes over what somebody changes, and tells those who wait.
    pub fn change(&self, change: Change) {
        self.change_with(change, |_| {});
    }

    fn change_with(&self, change: Change, also: impl FnOnce(&mut Current)) {
        let mut inside = self.inside();
        also(&mut inside.current);
        if let Change::Flow(flow) = &change {
            if inside.flows.len() >= MOST_FLOWS {
                inside.flows.pop_front();
            }
            let flow = Arc::clone(flow);
            inside.flows.push_back(flow);
        }
        if inside.changes.len() >= MOST_CHANGES {
            inside.changes.pop_front();
        }
        inside.changes.push_back(change);
        inside.next += 1;
        drop(inside);
        self.changed.notify_all();
    }

    /// Takes over how the watching itself goes.
    pub fn tell_state(&self, interfaces: Vec<String>, witness: Option<Witness>, events: EventCounts) {
        let mut inside = self.inside();
        inside.current.interfaces = interfaces;
        inside.current.witness = witness;
        inside.current.events = events;
    }
}

/// The loop's side of a board.
pub struct Writer(pub Arc<Board>);

impl Audience for Writer {
    fn frame(&mut self, frame: &wire::Frame<'_>) {
        self.0.showcase.frame(frame);
    }

    fn events(&mut self, events: &[Arc<SocketEvent>]) {
        for event in events {
            self.0.change(Change::Socket(Arc::clone(event)));
        }
    }

    fn flow(&mut self, flow: OwnedFlow) {
        self.0.change(Change::Flow(Arc::new(flow)));
    }

    fn found(&mut self, found: Found<'_>) {
        if found.novelty == Novelty::New {
            self.0.change(Change::Found(found.sighting));
        }
    }

    fn over(&mut self, over: &[Arc<Sighting>]) {
        for sighting in over {
            self.0.change(Change::Over(Arc::clone(sighting)));
        }
    }

    fn looked(&mut self, view: &Arc<View>) {
        let view = Arc::clone(view);
        self.0.change_with(Change::Looked, |current| current.machine = view);
    }

    fn traffic(&mut self, view: &Arc<TrafficView>) {
        let view = Arc::clone(view);
        self.0.change_with(Change::Traffic, |current| current.traffic = Some(view));
    }
}

#[cfg(test)]
mod tests {
    use registry::Paper;

    use super::*;

    fn board() -> Board {
        let nothing = model::Snapshot {
            taken: Timestamp::from_ns(0),
            machine: model::Machine::default(),
            namespaces: Vec::new(),
            sockets: Vec::new(),
            processes: Vec::new(),
            forwards: Vec::new(),
            views: model::Views::default(),
            gaps: Vec::new(),
        };
        Board::new(Arc::new(View::judged(Arc::new(nothing), Paper::builtin(), Vec::new(), Vec::new())))
    }

    #[test]
    fn changes_are_numbered_and_what_is_gone_is_counted() {
        let board = board();
        let at_once = Duration::ZERO;
        assert!(board.changes_after(0, at_once).changes.is_empty());
        for _ in 0..3 {
            board.change(Change::Looked);
        }
        let numbers = |after| -> Vec<u64> {
            board.changes_after(after, at_once).changes.iter().map(|(number, _)| *number).collect()
        };
        assert_eq!((numbers(0), numbers(2), numbers(3)), (vec![1, 2, 3], vec![3], vec![]));
        for _ in 0..MOST_CHANGES {
            board.change(Change::Looked);
        }
        let late = board.changes_after(1, at_once);
        assert_eq!((late.missed, late.changes.len()), (2, MOST_CHANGES));
        assert_eq!(late.changes.first().map(|(number, _)| *number), Some(4));
        assert_eq!(board.last_change(), MOST_CHANGES as u64 + 3);
    }

    #[test]
    fn who_waits_is_woken() {
        let board = Arc::new(board());
        let other = Arc::clone(&board);
        let waiting = std::thread::spawn(move || other.changes_after(0, Duration::from_secs(60)));
        board.change(Change::Traffic);
        assert_eq!(waiting.join().unwrap().changes.len(), 1);
    }
}
