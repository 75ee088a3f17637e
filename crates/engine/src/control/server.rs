//! The service's side: connections that are few, bounded in what they send and in how long they take.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use host::local::{Access, LocalError, LocalListener, LocalStream, Peer};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::line::{Lines, NoLine};
use super::{Answered, Asked, FORM, Refusal};

/// How many may be connected at once, and how many of them by one user that is not root: nobody can keep others away.
const MOST: usize = 32;
const MOST_OF_ONE: usize = 8;
/// The longest line that is taken of somebody.
const LONGEST: usize = 64 << 10;
/// How long somebody may be silent, or be about one line.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a reply may take to be taken.
const TAKING: Duration = Duration::from_secs(10);

/// What the service does with a request.
type Handler<Request, Reply> = dyn Fn(Request, Peer) -> Result<Reply, Refusal> + Send + Sync;

/// What came in so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControlCounts {
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that were sent away because there were too many.
    pub busy: u64,
    /// Requests that were answered with a reply.
    pub replies: u64,
    /// Requests that were refused, for whatever cause.
    pub refused: u64,
    /// Requests at which our own code broke; each was refused, too.
    pub broken: u64,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    busy: AtomicU64,
    replies: AtomicU64,
    refused: AtomicU64,
    broken: AtomicU64,
}

/// Who is connected: by number, whose it is and a hold on the connection to end it by.
#[derive(Default)]
struct Guests {
    next: u64,
    here: BTreeMap<u64, (u32, LocalStream)>,
    ended: bool,
}

/// What the threads share.
struct Shared<Request, Reply> {
    listener: LocalListener,
    handler: Arc<Handler<Request, Reply>>,
    guests: Mutex<Guests>,
    counts: Counts,
}

/// The service's socket. It ends, and its file goes, when this is dropped.
pub struct Server {
    counts: Box<dyn Fn() -> ControlCounts + Send + Sync>,
    end: Box<dyn Fn() + Send + Sync>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Makes the socket and begins to answer: `handler` is called for each request, in a thread of its connection, and
    /// decides by the [`Peer`] what that one may have.
    pub fn begin<Request, Reply>(
        path: &Path,
        access: Access,
        handler: Arc<Handler<Request, Reply>>,
    ) -> Result<Server, LocalError>
    where
        Request: DeserializeOwned + 'static,
        Reply: Serialize + 'static,
    {
        let listener = LocalListener::begin(path, access)?;
        let guests = Mutex::default();
        let shared = Arc::new(Shared { listener, handler, guests, counts: Counts::default() });
        let (at_door, counted, ending) = (Arc::clone(&shared), Arc::clone(&shared), shared);
        let thread = thread::Builder::new()
            .name("control".into())
            .spawn(move || receive(&at_door))
            .map_err(|error| LocalError::Refused("start a thread", path.to_owned(), error))?;
        Ok(Server {
            counts: Box::new(move || counted.counts.so_far()),
            end: Box::new(move || ending.end()),
            thread: Some(thread),
        })
    }

    /// What came in so far.
    pub fn counts(&self) -> ControlCounts {
        (self.counts)()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        (self.end)();
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell; what broke in it was counted.
            let _ = thread.join();
        }
    }
}

impl Counts {
    fn so_far(&self) -> ControlCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ControlCounts {
            connections: read(&self.connections),
            busy: read(&self.busy),
            replies: read(&self.replies),
            refused: read(&self.refused),
            broken: read(&self.broken),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Takes connections until the end, each into a thread; and then waits for those threads.
fn receive<Request, Reply>(shared: &Arc<Shared<Request, Reply>>)
where
    Request: DeserializeOwned,
    Reply: Serialize,
{
    thread::scope(|scope| {
        loop {
            match shared.listener.accept() {
                Ok(None) => return,
                Ok(Some(stream)) => {
                    let Some((number, peer)) = shared.admit(&stream) else {
                        count(&shared.counts.busy);
                        send_away(stream);
                        continue;
                    };
                    count(&shared.counts.connections);
                    let name = format!("control {number}");
                    let visit = move || {
                        shared.serve(stream, peer);
                        shared.leave(number);
                    };
                    if thread::Builder::new().name(name).spawn_scoped(scope, visit).is_err() {
                        shared.leave(number);
                    }
                }
                // Out of descriptors, say: it passes, and whoever waits is still there. Asking at once would burn the
                // processor for nothing.
                Err(_) => thread::park_timeout(Duration::from_millis(100)),
            }
        }
    });
}

/// Says that there are too many; whoever does not take even this line does not hold us up.
fn send_away(stream: LocalStream) {
    let told = serde_json::to_vec(&Answered::<()>::Refused(Refusal::Busy)).unwrap_or_default();
    let _ = Lines::new(stream).put(told, Duration::from_millis(1));
}

impl<Request, Reply> Shared<Request, Reply> {
    fn guests(&self) -> MutexGuard<'_, Guests> {
        // Nothing is left half done under this lock.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, stream: &LocalStream) -> Option<(u64, Peer)> {
        let peer = stream.peer().ok()?;
        let hold = stream.again().ok()?;
        let mut guests = self.guests();
        let of_one = guests.here.values().filter(|(uid, _)| *uid == peer.uid).count();
        // Root always finds a place: that root floods itself is not what the bound is for.
        let full = peer.uid != 0 && (guests.here.len() >= MOST || of_one >= MOST_OF_ONE);
        if guests.ended || full || guests.here.len() >= 2 * MOST {
            return None;
        }
        let number = guests.next;
        guests.next += 1;
        guests.here.insert(number, (peer.uid, hold));
        Some((number, peer))
    }

    fn leave(&self, number: u64) {
        self.guests().here.remove(&number);
    }

    fn end(&self) {
        let mut guests = self.guests();
        guests.ended = true;
        for (_, hold) in guests.here.values() {
            hold.shut();
        }
        drop(guests);
        self.listener.end();
    }
}

impl<Request: DeserializeOwned, Reply: Serialize> Shared<Request, Reply> {
    fn serve(&self, stream: LocalStream, peer: Peer) {
        let mut lines = Lines::new(stream);
        loop {
            let (answer, last) = match lines.next(LONGEST, SILENCE) {
                Ok(line) => (self.answer(&line, peer), false),
                Err(NoLine::Long) => {
                    let why = format!("a line of more than {LONGEST} bytes");
                    (Answered::Refused(Refusal::NotUnderstood(why)), true)
                }
                Err(NoLine::End | NoLine::Late | NoLine::Broken(_)) => return,
            };
            let counter = match &answer {
                Answered::Reply(_) => &self.counts.replies,
                Answered::Refused(_) => &self.counts.refused,
            };
            count(counter);
            let line = serde_json::to_vec(&answer).unwrap_or_else(|error| {
                let failed = Refusal::Failed(format!("the reply cannot be written: {error}"));
                serde_json::to_vec(&Answered::<()>::Refused(failed)).unwrap_or_default()
            });
            if lines.put(line, TAKING).is_err() || last {
                return;
            }
        }
    }

    fn answer(&self, line: &[u8], peer: Peer) -> Answered<Reply> {
        let asked = match serde_json::from_slice::<Asked<Request>>(line) {
            Ok(asked) if asked.form == FORM => asked.ask,
            Ok(_) => return Answered::Refused(Refusal::Form(FORM)),
            Err(error) => {
                // What another form asks need not look like what ours does.
                let other = serde_json::from_slice::<Asked<IgnoredAny>>(line).is_ok_and(|it| it.form != FORM);
                let refusal =
                    if other { Refusal::Form(FORM) } else { Refusal::NotUnderstood(error.to_string()) };
                return Answered::Refused(refusal);
            }
        };
        match catch_unwind(AssertUnwindSafe(|| (self.handler)(asked, peer))) {
            Ok(Ok(reply)) => Answered::Reply(reply),
            Ok(Err(refusal)) => Answered::Refused(refusal),
            Err(_) => {
                count(&self.counts.broken);
                Answered::Refused(Refusal::Failed("our own code broke at this request".into()))
            }
        }
    }
}
