//! What changes, for whoever listens: each change is put into words once, however many listen.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::board::{Board, Change};
use model::{Happened, Kind, Snapshot, SocketEvent, Timestamp, Utc};
use tokio::sync::watch;

use crate::document::change::{self, News};

/// So many changes are kept, as the board does.
const MOST: usize = 10_000;
/// News of so many things is kept for who comes later.
const MOST_NEWS: usize = 400;
/// So many listeners on ports that the kernel chose are remembered until they end.
const MOST_WAITING: usize = 4096;
/// How long the thread that listens to the board waits before it looks whether it shall end.
const WAIT: Duration = Duration::from_millis(500);

/// A change in words.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) number: u64,
    /// What kind: `socket`, `flow`, `found`, `over`, `touch`, `looked`, `traffic`.
    pub(crate) kind: &'static str,
    /// Whether it is of a socket that comes and goes with one conversation.
    pub(crate) passing: bool,
    pub(crate) json: Arc<str>,
}

/// News of one thing: the last of it, and how often there was some.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) last: Arc<News>,
    pub(crate) times: u64,
}

#[derive(Default)]
struct Kept {
    said: VecDeque<Said>,
    /// Each thing once, the newest last.
    news: VecDeque<Told>,
}

/// The changes in words.
pub(crate) struct Feed {
    /// What tells the numbers of this watch from those of another.
    pub(crate) epoch: String,
    kept: Mutex<Kept>,
    last: watch::Sender<u64>,
}

/// Tells the sockets that wait for peers from those that come and go.
#[derive(Default)]
struct Waiting(HashSet<(Kind, SocketAddr, u32)>);

impl Waiting {
    /// Whether it happened to a socket that comes and goes: on a port that the kernel chose, and no peer is waited for
    /// there. A datagram socket on such a port is a client's.
    fn is_passing(&mut self, event: &SocketEvent, machine: &Snapshot) -> bool {
        let chosen =
            || event.happened == Happened::AutoBound || machine.may_give_out(event.netns, event.local.port());
        let socket = (event.kind, event.local, event.netns);
        match event.happened {
            Happened::Listening => {
                if self.0.len() < MOST_WAITING && chosen() {
                    self.0.insert(socket);
                }
                false
            }
            Happened::Closed => !self.0.remove(&socket) && chosen(),
            Happened::Bound | Happened::AutoBound => chosen(),
        }
    }
}

impl Feed {
    pub(crate) fn new(since: Timestamp<Utc>) -> Feed {
        Feed { epoch: format!("{:x}", since.as_ns()), kept: Mutex::default(), last: watch::Sender::new(0) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to the board until told to end.
    pub(crate) fn listen(&self, board: &Board, end: &AtomicBool) {
        let mut number = 0;
        let mut waiting = Waiting::default();
        while !end.load(Ordering::Relaxed) {
            let changes = board.changes_after(number, WAIT).changes;
            let machine = board.current().machine;
            for (at, change) in changes {
                number = at;
                let passing = match &change {
                    Change::Socket(event) => waiting.is_passing(event, &machine.snapshot),
                    _ => false,
                };
                let (kind, json) = change::words(&change, passing);
                let news = if passing { None } else { change::news(&change) };
                self.push(Said { number, kind, passing, json: json.into() }, news);
            }
            self.last.send_if_modified(|last| std::mem::replace(last, number) != number);
        }
    }

    fn push(&self, said: Said, news: Option<News>) {
        let mut kept = self.kept();
        if kept.said.len() >= MOST {
            kept.said.pop_front();
        }
        kept.said.push_back(said);
        if let Some(news) = news {
            let known = kept.news.iter().position(|told| told.last.of == news.of);
            let before = known.and_then(|at| kept.news.remove(at)).map_or(0, |told| told.times);
            if kept.news.len() >= MOST_NEWS {
                kept.news.pop_front();
            }
            kept.news.push_back(Told { last: Arc::new(news), times: before.saturating_add(1) });
        }
    }

    /// Tells when something comes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The number of the last change.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// What came after this number, at most so many, and how many came earlier and are gone.
    pub(crate) fn after(&self, number: u64, most: usize) -> (Vec<Said>, u64) {
        let said = &self.kept().said;
        let first = said.front().map_or(number.saturating_add(1), |said| said.number);
        let missed = first.saturating_sub(number.saturating_add(1));
        let skip = usize::try_from(number.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        (said.iter().skip(skip).take(most).cloned().collect(), missed)
    }

    /// The last news, the newest first, each thing once, at most so many.
    pub(crate) fn news(&self, most: usize) -> Vec<Told> {
        self.kept().news.iter().rev().take(most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use model::{Family, Seen, Witness};

    use super::*;

    fn said(number: u64) -> Said {
        Said { number, kind: "looked", passing: false, json: "{}".into() }
    }

    #[test]
    fn what_is_gone_is_counted() {
        let feed = Feed::new(Timestamp::from_ns(1));
        assert_eq!(feed.after(0, 10).1, 0);
        (1..=MOST as u64 + 5).for_each(|number| feed.push(said(number), None));
        let (all, missed) = feed.after(0, 3);
        assert_eq!((missed, all.iter().map(|it| it.number).collect::<Vec<_>>()), (5, vec![6, 7, 8]));
        let (rest, missed) = feed.after(MOST as u64 + 4, 3);
        assert_eq!((missed, rest.len()), (0, 1));
        assert!(feed.after(MOST as u64 + 5, 3).0.is_empty());
    }

    fn event(happened: Happened, kind: Kind, port: u16) -> SocketEvent {
        SocketEvent {
            at: Timestamp::from_ns(1),
            happened,
            witness: Witness::Kernel,
            kind,
            family: Family::V4,
            local: ([0, 0, 0, 0], port).into(),
            interface: None,
            netns: 1,
            cookie: 0,
            uid: None,
            holder: Seen::Absent,
            tid: None,
            cgroup: None,
            lived_ns: None,
        }
    }

    #[test]
    fn who_waits_for_nobody_on_a_port_that_the_kernel_chose_passes() {
        let machine = crate::testing::view("sshd", &[22]);
        let mut waiting = Waiting::default();
        let mut passes =
            |happened, kind, port| waiting.is_passing(&event(happened, kind, port), &machine.snapshot);
        for (happened, kind, port, expected) in [
            (Happened::Bound, Kind::Tcp, 420, false),
            (Happened::Listening, Kind::Tcp, 420, false),
            (Happened::Closed, Kind::Tcp, 420, false),
            (Happened::Bound, Kind::Udp, 420, false),
            (Happened::AutoBound, Kind::Udp, 420, true),
            (Happened::AutoBound, Kind::Udp, 40_000, true),
            (Happened::Bound, Kind::Udp, 40_000, true),
            (Happened::Closed, Kind::Udp, 40_000, true),
            (Happened::Bound, Kind::Tcp, 40_001, true),
            (Happened::Listening, Kind::Tcp, 40_001, false),
            (Happened::Closed, Kind::Tcp, 40_001, false),
            (Happened::Closed, Kind::Tcp, 40_001, true),
        ] {
            assert_eq!(passes(happened, kind, port), expected, "{happened:?} {kind:?} {port}");
        }
        for port in 32_768..=60_999 {
            passes(Happened::Listening, Kind::Tcp, port);
        }
        assert_eq!(waiting.0.len(), MOST_WAITING);
    }

    #[test]
    fn news_of_one_thing_is_one_line_and_the_newest_is_first() {
        let feed = Feed::new(Timestamp::from_ns(1));
        for (number, (happened, port)) in (1..).zip([
            (Happened::Bound, 420),
            (Happened::Listening, 420),
            (Happened::Listening, 421),
            (Happened::Closed, 420),
        ]) {
            let change = Change::Socket(Arc::new(event(happened, Kind::Tcp, port)));
            feed.push(said(number), change::news(&change));
        }
        let told: Vec<(String, u64)> =
            feed.news(8).into_iter().map(|told| (told.last.words.clone(), told.times)).collect();
        assert_eq!(
            told,
            [("closed 0.0.0.0:420/tcp".to_owned(), 3), ("listening 0.0.0.0:421/tcp".to_owned(), 1)]
        );
        assert_eq!(feed.news(1).len(), 1);
        let machine = crate::testing::view("chromium", &[22]);
        let by_chromium = |port| SocketEvent {
            holder: Seen::Value(Arc::clone(&machine.snapshot.processes[0])),
            ..event(Happened::Bound, Kind::Udp, port)
        };
        // Programs that choose ports for their questions are one line, however many they choose.
        for (number, port) in (5..).zip(1024..4000) {
            let change = Change::Socket(Arc::new(by_chromium(port)));
            feed.push(said(number), change::news(&change));
        }
        let told = feed.news(8);
        let first = &told[0];
        assert_eq!((first.last.words.as_str(), first.times), ("bound 0.0.0.0:3999/udp by chromium", 2976));
        assert_eq!(told.len(), 3);
        for (number, port) in (4000..).zip(1..1024) {
            let change = Change::Socket(Arc::new(by_chromium(port)));
            feed.push(said(number), change::news(&change));
        }
        assert_eq!(feed.news(usize::MAX).len(), MOST_NEWS);
    }
}
