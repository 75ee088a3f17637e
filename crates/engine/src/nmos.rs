//! Sessions of an NMOS registry or node: read once, or followed while they change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use host::client::{Http, Limits, WebSocket};
use media::nmos::{Answer, Ask, Client, Mode, Request, Ticket, Trouble};
use model::media::{Session, SessionSource};

/// Requests that are carried out at once.
const WORKERS: usize = 6;

/// Requests and answers that wait.
const QUEUE: usize = 16;

/// Changes that wait to be taken.
const CHANGES: usize = 256;

/// How often, at the least, to look whether somebody wants an end.
const TICK: Duration = Duration::from_millis(250);

/// How long what is new may wait while more comes.
const PAUSE: Duration = Duration::from_millis(500);

/// Something that became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A session is new, or is not what it was.
    Session(Box<Session>),
    /// A session is gone, and forgotten.
    Forgotten(SessionSource),
    /// All that the API has was read at least once.
    Whole,
    /// Something did not work.
    Trouble(Trouble),
    /// The API itself does not tell what it has, and why; or with `None` it does again. It is asked again and again.
    Silence(Option<String>),
}

/// What an API had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its sessions.
    pub sessions: Vec<Session>,
    /// Whether every list was read to its end.
    pub whole: bool,
    /// What did not work, as far as it is kept, and how often something did not.
    pub troubles: (Vec<Trouble>, u64),
    /// Resources that there was no room for.
    pub left_out: u64,
}

/// An API that is followed, until this is dropped.
#[derive(Debug)]
pub struct Following {
    address: String,
    changes: Receiver<Change>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    /// The address that was given.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What became known, in order. A receiver that is slow gets the latest of each session.
    pub fn changes(&self) -> &Receiver<Change> {
        &self.changes
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Whether an API could be at this address.
pub fn is_address(address: &str) -> bool {
    Client::new(address, Mode::Once).is_some()
}

/// Reads all sessions of the API at this address: each request within these limits, and all of them within this time.
/// `None` where it is no address.
pub fn fetch_once(address: &str, limits: Limits, within: Duration) -> Option<Fetched> {
    let mut driver = Driver::new(address, limits, Mode::Once, Arc::default())?;
    let end = Instant::now() + within;
    while !driver.client.is_done() && Instant::now() < end {
        driver.step();
    }
    let registry = driver.client.registry();
    let (troubles, count) = driver.client.troubles();
    Some(Fetched {
        sessions: registry.sessions(),
        whole: driver.client.is_whole(),
        troubles: (troubles.cloned().collect(), count),
        left_out: registry.left_out(),
    })
}

/// Follows the API at this address on threads of its own, each request within these limits. `None` where it is no
/// address.
pub fn follow(address: &str, limits: Limits) -> Option<Following> {
    let stop = Arc::<AtomicBool>::default();
    let mut driver = Driver::new(address, limits, Mode::Follow, stop.clone())?;
    let (sender, changes) = mpsc::sync_channel(CHANGES);
    let thread = thread::Builder::new().name("nmos".into()).spawn(move || {
        let mut told = Told::default();
        let mut last = Instant::now();
        while !driver.stop.load(Ordering::Relaxed) {
            let busy = driver.step();
            // Looking for what is new costs as much as there is: while much comes, not each time.
            if busy && last.elapsed() < PAUSE {
                continue;
            }
            if told.tell(&driver.client, &sender).is_none() {
                break;
            }
            last = Instant::now();
        }
    });
    Some(Following { address: address.to_owned(), changes, stop, thread: Some(thread.ok()?) })
}

/// What was told already.
#[derive(Debug, Default)]
struct Told {
    revision: u64,
    sessions: BTreeMap<String, Session>,
    whole: bool,
    troubles: u64,
    silence: Option<String>,
}

impl Told {
    /// Tells what is new, as far as there is room; the rest next time. `None` where nobody listens any more.
    fn tell(&mut self, client: &Client, to: &SyncSender<Change>) -> Option<()> {
        let full = |change| match to.try_send(change) {
            Ok(()) => Some(false),
            Err(TrySendError::Full(_)) => Some(true),
            Err(TrySendError::Disconnected(_)) => None,
        };
        let (troubles, count) = client.troubles();
        if count != self.troubles {
            let new = usize::try_from(count - self.troubles).unwrap_or(usize::MAX);
            let kept: Vec<&Trouble> = troubles.collect();
            for trouble in kept.iter().skip(kept.len().saturating_sub(new)) {
                // Of these, some may be lost: their count is not.
                full(Change::Trouble((*trouble).clone()))?;
            }
            self.troubles = count;
        }
        // Why it is silent may change with each attempt: that it is, is told once.
        let silence = client.silence();
        if silence.is_some() != self.silence.is_some() {
            let silence = silence.map(str::to_owned);
            if full(Change::Silence(silence.clone()))? {
                return Some(());
            }
            self.silence = silence;
        }
        let revision = client.registry().revision();
        if revision != self.revision {
            let now: BTreeMap<String, Session> =
                client.registry().sessions().into_iter().map(|it| (it.identity.clone(), it)).collect();
            for (identity, session) in &now {
                if self.sessions.get(identity).is_some_and(|told| same(told, session)) {
                    continue;
                }
                if full(Change::Session(Box::new(session.clone())))? {
                    return Some(());
                }
                self.sessions.insert(identity.clone(), session.clone());
            }
            let gone: Vec<String> =
                self.sessions.keys().filter(|identity| !now.contains_key(*identity)).cloned().collect();
            for identity in gone {
                let Some(session) = self.sessions.get(&identity) else { continue };
                if full(Change::Forgotten(session.source.clone()))? {
                    return Some(());
                }
                self.sessions.remove(&identity);
            }
            self.revision = revision;
        }
        if client.is_whole() && !self.whole {
            self.whole = !full(Change::Whole)?;
        }
        Some(())
    }
}

/// Whether two tell the same, except of when it was last heard.
fn same(told: &Session, now: &Session) -> bool {
    *now == Session { last: now.last, ..told.clone() }
}

/// What a thread brings back.
enum Event {
    Answered(Ticket, Result<host::client::Response, host::client::Error>),
    Opened(Ticket),
    Message(Ticket, Vec<u8>),
    Ended(Ticket, host::client::Error),
}

/// Carries out what the client wants.
struct Driver {
    client: Client,
    limits: Limits,
    stop: Arc<AtomicBool>,
    jobs: SyncSender<Request>,
    events: Receiver<Event>,
    answers: SyncSender<Event>,
    /// Requests that no worker took yet.
    waiting: Vec<Request>,
}

impl Driver {
    fn new(address: &str, limits: Limits, mode: Mode, stop: Arc<AtomicBool>) -> Option<Driver> {
        let client = Client::new(address, mode)?;
        let (jobs, taken) = mpsc::sync_channel::<Request>(QUEUE);
        let (answers, events) = mpsc::sync_channel(QUEUE);
        let taken = Arc::new(std::sync::Mutex::new(taken));
        for _ in 0..WORKERS {
            let (taken, answers) = (taken.clone(), answers.clone());
            // It ends when the other side of its channels is gone.
            let worker = move || {
                let http = Http::new(limits);
                loop {
                    let job = taken.lock().ok().and_then(|taken| taken.recv().ok());
                    let Some(Request { ticket, ask }) = job else { return };
                    let answer = match &ask {
                        Ask::Read { url, most_bytes } => http.read(url, *most_bytes),
                        Ask::Post { url, body, most_bytes } => http.post(url, body, *most_bytes),
                        Ask::Listen { .. } => continue,
                    };
                    if answers.send(Event::Answered(ticket, answer)).is_err() {
                        return;
                    }
                }
            };
            thread::Builder::new().name("nmos request".into()).spawn(worker).ok()?;
        }
        Some(Driver { client, limits, stop, jobs, events, answers, waiting: Vec::new() })
    }

    /// Starts what can be started, and takes one answer where there is one before long; whether there was.
    fn step(&mut self) -> bool {
        while let Some(request) = self.client.poll(host::now()) {
            self.start(request);
        }
        while let Some(request) = self.waiting.pop() {
            if let Err(TrySendError::Full(request)) = self.jobs.try_send(request) {
                self.waiting.push(request);
                break;
            }
        }
        let wake = self.client.wake().map_or(i64::MAX, |wake| wake.since_ns(host::now()));
        let wait = u64::try_from(wake).map_or(Duration::from_millis(1), Duration::from_nanos);
        let event = self.events.recv_timeout(wait.clamp(Duration::from_millis(1), TICK)).ok();
        let busy = event.is_some();
        event.into_iter().for_each(|event| self.take(event));
        busy
    }

    fn start(&mut self, request: Request) {
        let Request { ticket, ask: Ask::Listen { url, most_bytes } } = &request else {
            return self.waiting.push(request);
        };
        let (ticket, url, most_bytes) = (*ticket, url.clone(), *most_bytes);
        let (answers, stop, limits) = (self.answers.clone(), self.stop.clone(), self.limits);
        let listener = move || {
            let why = match WebSocket::open(&url, limits, most_bytes) {
                Ok(socket) => listen(socket, ticket, &answers, &stop),
                Err(why) => Some(why),
            };
            // Where nobody is there to hear it, nobody needs it.
            let _ = why.map(|why| answers.send(Event::Ended(ticket, why)));
        };
        if let Err(error) = thread::Builder::new().name("nmos grains".into()).spawn(listener) {
            self.client.handle(ticket, Answer::Failed(&error.to_string()), host::now());
        }
    }

    fn take(&mut self, event: Event) {
        let now = host::now();
        match event {
            Event::Answered(ticket, Ok(answer)) => {
                let (headers, body) = (&answer.headers, &answer.body);
                self.client.handle(ticket, Answer::Response { status: answer.status, headers, body }, now);
            }
            Event::Opened(ticket) => self.client.handle(ticket, Answer::Opened, now),
            Event::Message(ticket, body) => self.client.handle(ticket, Answer::Message(&body), now),
            Event::Answered(ticket, Err(why)) | Event::Ended(ticket, why) => {
                self.client.handle(ticket, Answer::Failed(&why.to_string()), now);
            }
        }
    }
}

/// Brings each message, until the WebSocket ends; gives why, or `None` where nobody wants more.
fn listen(
    mut socket: WebSocket,
    ticket: Ticket,
    answers: &SyncSender<Event>,
    stop: &AtomicBool,
) -> Option<host::client::Error> {
    answers.send(Event::Opened(ticket)).ok()?;
    while !stop.load(Ordering::Relaxed) {
        match socket.receive() {
            Ok(Some(message)) => answers.send(Event::Message(ticket, message)).ok()?,
            Ok(None) => {}
            Err(why) => return Some(why),
        }
    }
    None
}
