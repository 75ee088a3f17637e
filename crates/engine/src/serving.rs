//! The service: what the loop learns is shown, remembered and told to others, and commands are answered.

mod reload;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::{Area, DecoyTouch, Gap, Reason, SocketEvent, Timestamp, Transport, Utc, Visit};
use serde::{Deserialize, Serialize};
use store::{Batch, Resolution, Sighting};
use verdict::{Earlier, Used};

use crate::alerting::Alerting;
use crate::board::{Board, Change, Writer};
use crate::control::{Peer, Refusal};
use crate::decoys::Decoys;
use crate::live::{Audience, Found, Said};
use crate::recording::Recorder;
use crate::{Grounds, OwnedFlow, TrafficView, View};

pub use reload::Reload;

/// How long a command waits until all was read again; it would not wait longer for any reply.
const RELOAD_WITHIN: Duration = Duration::from_secs(25);

/// Touches that may wait to be passed on; more are counted.
const MOST_TOUCHES: usize = 1 << 14;

/// How long to wait for somebody at a decoy, and how often who came is judged.
const DECOY_WAIT: Duration = Duration::from_millis(500);

/// How often what stays is written down again. What comes and goes between is told by events; a look costs most.
const LOOK_EVERY: Duration = Duration::from_secs(300);
const MEDIA_EVERY: Duration = Duration::from_secs(60);

/// What commands ask the service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Of the history, or something that people decide.
    History {
        /// What.
        query: store::Query,
    },
    /// How the service is.
    Status,
    /// To read policy, baseline and settings again.
    Reload,
}

/// What the service answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Of the history.
    History {
        /// What.
        answer: store::Answer,
    },
    /// How the service is.
    Status(Status),
    /// It was done.
    Done,
}

/// How the service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it began (RFC 3339, UTC).
    pub since: String,
    /// The interfaces that are read.
    pub interfaces: Vec<String>,
    /// How socket events are known: `kernel`, `looks`, or null.
    pub witness: Option<String>,
    /// Socket events that were told.
    pub events: u64,
    /// Socket events that were lost.
    pub lost: u64,
    /// Listeners, and findings by severity, as of the last look.
    pub listeners: u64,
    /// Findings about the machine that are alerts.
    pub alerts: u64,
    /// Findings about the machine that are warnings.
    pub warnings: u64,
    /// Findings about the machine that are notes.
    pub notes: u64,
    /// What is wrong, in sentences; empty where nothing is.
    pub troubles: Vec<String>,
}

/// What the service knows beside the board, shared with those who answer commands.
pub struct Shared {
    /// What is known now.
    pub board: Arc<Board>,
    /// The history; `None` where none is kept.
    pub recorder: Option<Recorder>,
    /// The ways by which findings are told to others.
    pub alerting: Mutex<Alerting>,
    /// Whether somebody wants policy, baseline and settings to be read again.
    pub reload: Reload,
    /// What is wrong with policy, baseline and settings.
    pub wrong: Mutex<Vec<String>>,
    /// What could not be opened when the service began; reading policy and settings again mends nothing of it.
    pub broken: Mutex<Vec<String>>,
    /// Why something that tells what is agreed does not.
    pub missing: Mutex<Vec<String>>,
    /// How often somebody came to each decoy since the service began.
    pub touches: Mutex<HashMap<(Transport, u16), u64>>,
}

impl Shared {
    /// Answers a command.
    pub fn answer(&self, request: Request, peer: Peer) -> Result<Reply, Refusal> {
        let changes = match &request {
            Request::History { query } => query.changes(),
            Request::Reload => true,
            Request::Status => false,
        };
        if changes && !peer.may_change() {
            let who = "only root, and the user whose service this is, may change what it keeps";
            return Err(Refusal::NotAllowed(String::from(who)));
        }
        match request {
            Request::History { query } => {
                let none = || {
                    Refusal::Failed(String::from(
                        "this service keeps no history: portreeve serve --status says why",
                    ))
                };
                let recorder = self.recorder.as_ref().ok_or_else(none)?;
                let answer = recorder.store().answer(&query);
                answer.map(|answer| Reply::History { answer }).map_err(|why| Refusal::Failed(why.to_string()))
            }
            Request::Status => Ok(Reply::Status(self.status())),
            Request::Reload => {
                let done = self.reload.wait(self.reload.want(), RELOAD_WITHIN);
                done.map_or_else(|| Err(Refusal::Busy), still_counts)
            }
        }
    }

    /// Which port numbers were used before, as far as the history goes back.
    pub fn used(&self) -> Used {
        let usage =
            self.recorder.as_ref().map(|it| it.store().answer(&store::Query::Usage { ports: Vec::new() }));
        match usage {
            Some(Ok(store::Answer::Usage(usage))) => used(&usage),
            _ => Used::default(),
        }
    }

    /// Services that were seen before, as far as the history goes back; `None` where it watched on one day only: then
    /// too much would be new.
    pub fn earlier(&self) -> Option<Earlier> {
        let mut earlier = Earlier::default();
        let mut add = |server, transport, port| earlier.add(server, transport, port);
        let days = self.recorder.as_ref()?.store().servers(&mut add).ok()?;
        (days > 1).then_some(earlier)
    }

    /// How the service is.
    pub fn status(&self) -> Status {
        let current = self.board.current();
        let counts = current.machine.counts();
        Status {
            version: String::from(env!("CARGO_PKG_VERSION")),
            pid: std::process::id(),
            since: current.since.rfc3339(),
            interfaces: current.interfaces,
            witness: current.witness.map(|it| it.name().to_owned()),
            events: current.events.seen,
            lost: current.events.lost,
            listeners: counts.listeners as u64,
            alerts: counts.alerts as u64,
            warnings: counts.warnings as u64,
            notes: counts.notes as u64,
            troubles: self.troubles(),
        }
    }

    /// What is wrong with the service itself.
    pub fn troubles(&self) -> Vec<String> {
        let kept = [&self.wrong, &self.broken, &self.missing];
        let mut troubles: Vec<String> =
            kept.iter().flat_map(|it| it.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
        if let Some(counts) = self.recorder.as_ref().map(Recorder::counts) {
            if let Some((since, why)) = &counts.failing {
                troubles.push(format!("nothing is written to the history since {}: {why}", since.rfc3339()));
            }
            if counts.dropped > 0 {
                troubles
                    .push(format!("{} things are missing in the history: there was no room", counts.dropped));
            }
        }
        for counts in self.alerting().counts() {
            if let Some(error) = &counts.last_error {
                troubles.push(format!("alerts do not reach {}: {error}", counts.name));
            }
            if counts.dropped > 0 {
                troubles.push(format!("{} alerts to {} had no room", counts.dropped, counts.name));
            }
        }
        troubles
    }

    /// The ways by which findings are told now.
    pub fn alerting(&self) -> MutexGuard<'_, Alerting> {
        self.alerting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells findings by other ways from now on. What waits in the ways before is tried for so long, beside all else.
    pub fn alert_by(&self, alerting: Alerting, within: Duration) {
        let before = std::mem::replace(&mut *self.alerting(), alerting);
        thread::spawn(move || before.finish(within));
    }

    /// Something else could not be opened.
    pub fn is_broken(&self, trouble: String) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }

    /// What is wrong with policy, baseline and settings from now on.
    pub fn wrong_is(&self, wrong: Vec<String>) {
        *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = wrong;
    }

    /// Tells what waits, for so long, and writes down the rest.
    pub fn end(self: Arc<Self>, within: Duration) {
        let Some(shared) = Arc::into_inner(self) else { return };
        shared.alerting.into_inner().unwrap_or_else(PoisonError::into_inner).finish(within);
        if let Some(recorder) = shared.recorder {
            recorder.finish();
        }
    }
}

/// How reading everything again went: what is wrong leaves all as it was.
fn still_counts(wrong: Vec<String>) -> Result<Reply, Refusal> {
    if wrong.is_empty() {
        return Ok(Reply::Done);
    }
    Err(Refusal::Failed(format!("what was read before still counts: {}", wrong.join("\n"))))
}

/// What the history knows of the use of port numbers, as a judgement takes it.
pub fn used(usage: &store::Usage) -> Used {
    let ports = usage.ports.iter().filter_map(|one| {
        let transport = Transport::from_name(&one.transport)?;
        let spans = || [&one.held, &one.served].into_iter().flatten();
        let first = spans().map(|span| span.first.0).min()?;
        let last = spans().map(|span| span.last.0).max()?;
        Some(((transport, one.port), (first, last)))
    });
    Used::new(usage.watched.days, ports)
}

/// Passes on what the loop learns: to the board, to the history, and to others.
pub struct Keeper {
    shared: Arc<Shared>,
    board: Writer,
    /// When what stays was last written down, of the machine and of traffic.
    looked: Option<Instant>,
    heard: Option<Instant>,
}

impl Keeper {
    /// One that has passed on nothing.
    pub fn new(shared: Arc<Shared>) -> Keeper {
        Keeper { board: Writer(Arc::clone(&shared.board)), shared, looked: None, heard: None }
    }

    fn keep(&self, batch: Batch) {
        if let Some(recorder) = &self.shared.recorder {
            recorder.add(batch);
        }
    }

    /// Takes over what decoys tell, and judges it.
    pub fn take_decoys(&mut self, watch: &mut DecoyWatch, grounds: &Grounds) {
        for news in watch.told.try_iter() {
            match news {
                DecoyNews::Touch(touch) => self.touched(*touch),
                DecoyNews::Visits(visits) => {
                    let (paper, policy) = (&grounds.paper, &grounds.policy);
                    let judged = verdict::judge_visits(&visits, paper, policy, crate::today());
                    for finding in judged.findings {
                        let about = crate::about::at_decoys(&finding);
                        if let Some((_, sighting)) = watch.said.note(&finding, about, host::now(), false) {
                            self.sighted(Sighting::clone(&sighting));
                        }
                    }
                }
            }
        }
        let missed = watch.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let what = String::from("touches of decoys that there was no room for");
            let gap = Gap { area: Area::Traffic, reason: Reason::LimitReached, what, count: Some(missed) };
            self.missed(host::now(), gap);
        }
    }

    /// Somebody came to a decoy.
    fn touched(&mut self, touch: DecoyTouch) {
        let port = (touch.transport, touch.local.port());
        let mut touches = self.shared.touches.lock().unwrap_or_else(PoisonError::into_inner);
        *touches.entry(port).or_default() += 1;
        drop(touches);
        self.shared.board.change(Change::Touch(Arc::new(touch.clone())));
        self.keep(Batch { touches: vec![touch], ..Batch::default() });
    }

    /// Something was found elsewhere than in the loop: at a decoy.
    fn sighted(&mut self, sighting: Sighting) {
        self.shared.alerting().tell(&sighting);
        self.shared.board.change(Change::Found(Arc::new(sighting.clone())));
        self.keep(Batch { findings: vec![sighting], ..Batch::default() });
    }

    /// Something could not be seen.
    fn missed(&mut self, at: Timestamp<Utc>, gap: Gap) {
        self.keep(Batch { gaps: vec![(at, gap)], ..Batch::default() });
    }
}

/// What decoys tell.
enum DecoyNews {
    Touch(Box<DecoyTouch>),
    /// What sources did that came lately.
    Visits(Vec<Visit>),
}

/// Decoys in a thread of their own.
pub struct DecoyWatch {
    told: Receiver<DecoyNews>,
    missed: Arc<AtomicU64>,
    said: Said,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl DecoyWatch {
    /// Begins to wait for who comes.
    pub fn begin(mut decoys: Decoys) -> std::io::Result<DecoyWatch> {
        let (to, told) = sync_channel(MOST_TOUCHES);
        let (missed, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, over) = (Arc::clone(&missed), Arc::clone(&ended));
        let tell = move |news| {
            if to.try_send(news).is_err() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        let work = move || {
            let mut judged = Instant::now();
            while !over.load(Ordering::Acquire) {
                decoys.wait(DECOY_WAIT, &mut |touch| tell(DecoyNews::Touch(Box::new(touch))))?;
                if judged.elapsed() >= DECOY_WAIT {
                    judged = Instant::now();
                    let visits = decoys.news(false);
                    if !visits.is_empty() {
                        tell(DecoyNews::Visits(visits));
                    }
                }
            }
            decoys.end(&mut |touch| tell(DecoyNews::Touch(Box::new(touch))));
            tell(DecoyNews::Visits(decoys.news(true)));
            Ok(())
        };
        let thread = thread::Builder::new().name(String::from("decoys")).spawn(work)?;
        Ok(DecoyWatch { told, missed, said: Said::default(), ended, thread: Some(thread) })
    }

    /// Whether it still waits; the error where it ended by itself.
    pub fn check(&mut self) -> std::io::Result<()> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) { self.end() } else { Ok(()) }
    }

    /// Ends it: what it tells last can be taken then.
    pub fn end(&mut self) -> std::io::Result<()> {
        self.ended.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| std::io::Error::other("the decoys ended before their time"))?
    }
}

/// Whether it is time again, and if so from now on.
fn due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

impl Audience for Keeper {
    fn frame(&mut self, frame: &wire::Frame<'_>) {
        self.board.frame(frame);
    }

    fn events(&mut self, events: &[Arc<SocketEvent>]) {
        self.board.events(events);
        let events = events.iter().map(|event| SocketEvent::clone(event)).collect();
        self.keep(Batch { events, ..Batch::default() });
    }

    fn flow(&mut self, flow: OwnedFlow) {
        self.keep(Batch { flows: vec![flow.flow.clone()], ..Batch::default() });
        self.board.flow(flow);
    }

    fn found(&mut self, found: Found<'_>) {
        self.shared.alerting().tell(&found.sighting);
        self.keep(Batch { findings: vec![Sighting::clone(&found.sighting)], ..Batch::default() });
        self.board.found(found);
    }

    fn over(&mut self, over: &[Arc<Sighting>]) {
        let at = host::now();
        for sighting in over {
            self.shared.alerting().resolved(sighting);
        }
        let resolved =
            over.iter().map(|it| Resolution { at, code: it.finding.code, about: it.about.clone() });
        self.keep(Batch { resolved: resolved.collect(), ..Batch::default() });
        self.board.over(over);
    }

    fn looked(&mut self, view: &Arc<View>) {
        if due(&mut self.looked, LOOK_EVERY) {
            self.keep(Batch { look: Some(Arc::clone(&view.snapshot)), ..Batch::default() });
        }
        self.board.looked(view);
    }

    fn agreements_missing(&mut self, why: &[String]) {
        *self.shared.missing.lock().unwrap_or_else(PoisonError::into_inner) = why.to_vec();
    }

    fn traffic(&mut self, view: &Arc<TrafficView>) {
        if due(&mut self.heard, MEDIA_EVERY) {
            let at = host::now();
            let media = &view.traffic.media;
            self.keep(Batch {
                sessions: media.sessions.iter().map(|it| (at, it.clone())).collect(),
                streams: media.streams.iter().map(|it| (at, it.clone())).collect(),
                ..Batch::default()
            });
        }
        self.board.traffic(view);
    }
}
