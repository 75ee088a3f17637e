//! What happens to sockets, in a thread of its own, and what is judged of it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use host::events::{EventSource, Events};
use model::media::Agreement;
use model::{
    Area, EventCounts, Gap, Happened, Holder, How, Kind, Process, Reason, Scope, Seen, Snapshot, Socket,
    SocketEvent, State, Timestamp, Utc, Views, Witness,
};

use crate::{Grounds, View};

/// How long to wait for an event before the thread sees whether it shall end.
const WAIT: Duration = Duration::from_millis(500);

/// Events that may wait to be judged; more are counted as lost.
const MOST_WAITING: usize = 1 << 17;

/// A thread that listens for what happens to sockets.
pub(super) struct Happenings {
    told: Receiver<SocketEvent>,
    counts: Arc<Mutex<EventCounts>>,
    /// Events that came and that nobody took in time.
    overrun: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
    pub(super) sources: Vec<EventSource>,
    pub(super) witness: Witness,
}

impl Happenings {
    /// Listens; what is in `snapshot` was there before.
    pub(super) fn begin(mut events: Events, snapshot: &Snapshot) -> Happenings {
        events.reconcile(snapshot);
        let (sources, witness) = (events.sources().to_vec(), events.witness());
        let (to, told) = sync_channel(MOST_WAITING);
        let counts = Arc::new(Mutex::new(EventCounts::default()));
        let (overrun, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, missed, over) = (Arc::clone(&counts), Arc::clone(&overrun), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            loop {
                // Once more after the end, for what came before it.
                let last = over.load(Ordering::Acquire);
                let wait = if last { Duration::ZERO } else { WAIT };
                let mut listened_to = true;
                events.wait(wait, &mut |event| match to.try_send(event) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_)) => _ = missed.fetch_add(1, Ordering::Relaxed),
                    Err(TrySendError::Disconnected(_)) => listened_to = false,
                })?;
                *counted.lock().unwrap_or_else(PoisonError::into_inner) = events.counts();
                if last || !listened_to {
                    return Ok(());
                }
            }
        });
        Happenings { told, counts, overrun, ended, thread: Some(thread), sources, witness }
    }

    /// What happened since the last time, at most `most`; an error where listening has ended by itself.
    pub(super) fn take(&mut self, most: usize) -> io::Result<Vec<Arc<SocketEvent>>> {
        let mut events = Vec::new();
        while events.len() < most {
            match self.told.try_recv() {
                Ok(event) => events.push(Arc::new(event)),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.end()?;
                    break;
                }
            }
        }
        Ok(events)
    }

    /// How much was seen, and how much was lost on the way here.
    pub(super) fn counts(&self) -> EventCounts {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let overrun = self.overrun.load(Ordering::Relaxed);
        EventCounts { seen: counts.seen.saturating_sub(overrun), lost: counts.lost + overrun, ..counts }
    }

    /// Ends the listening.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.ended.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| io::Error::other("the listener for socket events ended before its time"))?
    }

    /// What was lost, as a gap; `None` where nothing was.
    pub(super) fn gap(&self) -> Option<Gap> {
        let lost = self.counts().lost;
        (lost > 0).then(|| Gap {
            area: Area::Sockets,
            reason: Reason::LimitReached,
            what: String::from("socket events that there was no room for"),
            count: Some(lost),
        })
    }
}

/// Judges the sockets that began to wait for peers, as if they were the only ones of the machine: what `like` says of
/// the machine and its namespaces is true of them, too. The rows are in the order of the events that `begins_to_wait`.
pub(super) fn judge(grounds: &Grounds, like: &Snapshot, events: &[Arc<SocketEvent>]) -> View {
    let mut snapshot = Snapshot {
        taken: events.last().map_or(like.taken, |event| event.at),
        machine: like.machine.clone(),
        namespaces: like.namespaces.clone(),
        sockets: Vec::new(),
        processes: Vec::new(),
        forwards: Vec::new(),
        views: Views::EVENT,
        gaps: Vec::new(),
    };
    for event in events.iter().filter(|event| begins_to_wait(event)) {
        let (holders, missing) = match &event.holder {
            Seen::Value(process) => {
                snapshot.processes.push(Arc::clone(process));
                (vec![Holder { pid: process.pid, tid: None, fd: None, how: How::Event }], None)
            }
            Seen::Absent => (Vec::new(), Some(Reason::Unknown)),
            Seen::Hidden(reason) => (Vec::new(), Some(*reason)),
        };
        snapshot.sockets.push(Socket {
            kind: event.kind,
            family: event.family,
            local: event.local,
            peer: None,
            state: State::Listening,
            scope: Scope::of(event.local.ip(), false, false),
            interface: None,
            netns: event.netns,
            inode: 0,
            cookie: event.cookie,
            uid: event.uid,
            queued: None,
            backlog: None,
            holders,
            holders_missing: missing,
            activation: None,
            seen_by: Views::EVENT,
            hidden_from: Views::default(),
        });
    }
    // A number may have been given to another process meanwhile; a snapshot has each number once.
    snapshot.processes.sort_by_key(|process| process.pid);
    snapshot.processes.dedup_by_key(|process| process.pid);
    grounds.judge_agreed(Arc::new(snapshot), Agreement::default())
}

/// Whether from this event on the socket waits for peers. A port that the kernel chose is a client's.
pub fn begins_to_wait(event: &SocketEvent) -> bool {
    match event.happened {
        Happened::Listening => true,
        Happened::Bound => matches!(event.kind, Kind::Udp | Kind::UdpLite),
        Happened::AutoBound | Happened::Closed => false,
    }
}

/// A look that has not happened: what is known of the machine before the first.
pub(super) fn nothing_known(taken: Timestamp<Utc>) -> Snapshot {
    Snapshot {
        taken,
        machine: model::Machine::default(),
        namespaces: Vec::new(),
        sockets: Vec::new(),
        processes: Vec::<Arc<Process>>::new(),
        forwards: Vec::new(),
        views: Views::default(),
        gaps: Vec::new(),
    }
}
