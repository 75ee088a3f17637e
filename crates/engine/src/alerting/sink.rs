//! One way on a thread of its own: it sorts, delivers, waits and tries again, and is never waited for.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use host::deliver::Again;
use store::Sighting;

use super::delivery::Delivery;
use super::notice::{Machine, Notice};
use super::retry::pause;
use super::rules::Sorter;
use super::settings::{AlertSettings, Way};

/// So many sightings may wait for a way.
const QUEUE: usize = 1024;

/// So many notices may wait while a way is down.
const MOST_PENDING: usize = 256;

/// So often one notice is tried.
const MOST_ATTEMPTS: u32 = 10;

/// With nothing to do a thread still looks up after this time.
const IDLE: Duration = Duration::from_secs(3600);

/// What a sink is told.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// A finding was seen.
    Seen(Arc<Sighting>),
    /// It is over.
    Over(Arc<Sighting>),
    /// It stands since before.
    Known(Arc<Sighting>),
}

/// How a way is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its name.
    pub name: String,
    /// Notices that were delivered.
    pub sent: u64,
    /// Notices that were given up.
    pub failed: u64,
    /// Findings and notices that wait.
    pub waiting: u64,
    /// Findings and notices that there was no room for.
    pub dropped: u64,
    /// Why the last attempt failed, until one goes well.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU64,
    failed: AtomicU64,
    queued: AtomicU64,
    pending: AtomicU64,
    dropped: AtomicU64,
    /// A word that something is over was lost.
    lost_end: AtomicBool,
    last_error: Mutex<Option<String>>,
    /// Until when to go on trying, once the end was said.
    end: Mutex<Option<Instant>>,
}

/// The side of the others.
#[derive(Debug)]
pub(super) struct Sink {
    name: String,
    news: SyncSender<News>,
    shared: Arc<Shared>,
    done: Receiver<()>,
}

/// A sink that is told nothing any more.
pub(super) struct Closed {
    name: String,
    shared: Arc<Shared>,
    done: Receiver<()>,
}

impl Sink {
    pub(super) fn start(
        settings: &AlertSettings,
        machine: Machine,
        first: impl Fn(&Way) + Send + 'static,
    ) -> std::io::Result<Sink> {
        let (news, heard) = sync_channel(QUEUE);
        let (ended, done) = sync_channel(1);
        let shared = Arc::<Shared>::default();
        let delivery = Delivery::new(settings, machine);
        let random = RandomState::new();
        let worker = Worker {
            sorter: Sorter::new(settings.rules.clone()),
            delivery,
            shared: shared.clone(),
            pending: VecDeque::new(),
            failed: 0,
            next: Instant::now(),
            unwanted: Instant::now(),
            series: random.hash_one(std::process::id()),
            made: 0,
        };
        let way = settings.way.clone();
        let run = move || {
            first(&way);
            worker.run(&heard);
            let _ = ended.send(());
        };
        thread::Builder::new().name("alert".into()).spawn(run)?;
        Ok(Sink { name: settings.name.clone(), news, shared, done })
    }

    /// Hands it over where there is room; it never waits.
    pub(super) fn tell(&self, news: News) {
        // Counted first: the other side may be quicker than we.
        self.shared.queued.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(news) | TrySendError::Disconnected(news)) = self.news.try_send(news) {
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            if matches!(news, News::Over(_)) {
                self.shared.lost_end.store(true, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.shared.counts(&self.name)
    }

    /// Says the end: what waits is tried until then.
    pub(super) fn close(self, end: Instant) -> Closed {
        let Sink { name, shared, done, news } = self;
        *shared.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        drop(news);
        Closed { name, shared, done }
    }
}

impl Closed {
    /// Waits for the thread until then, and gives the last counts. A thread that hangs is left to itself.
    pub(super) fn wait(self, end: Instant) -> Counts {
        let left = end.saturating_duration_since(Instant::now());
        let _ = self.done.recv_timeout(left.max(Duration::from_millis(50)));
        self.shared.counts(&self.name)
    }
}

impl Shared {
    fn counts(&self, name: &str) -> Counts {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Counts {
            name: name.to_owned(),
            sent: count(&self.sent),
            failed: count(&self.failed),
            waiting: count(&self.queued) + count(&self.pending),
            dropped: count(&self.dropped),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

struct Pending {
    notice: Notice,
    name: String,
}

struct Worker {
    sorter: Sorter,
    delivery: Delivery,
    shared: Arc<Shared>,
    pending: VecDeque<Pending>,
    /// How often the first of them failed.
    failed: u32,
    /// When to try it next.
    next: Instant,
    /// Until then the other side asked us not to come back.
    unwanted: Instant,
    /// What makes the names of deliveries ours.
    series: u64,
    made: u64,
}

impl Worker {
    fn run(mut self, heard: &Receiver<News>) {
        loop {
            let now = Instant::now();
            self.collect(now);
            self.try_first(now);
            let due = (!self.pending.is_empty()).then_some(self.next);
            let wake = due.into_iter().chain(self.sorter.wake()).min();
            let wait = wake.map_or(IDLE, |wake| wake.saturating_duration_since(Instant::now()));
            match heard.recv_timeout(wait) {
                Ok(news) => {
                    self.take(news);
                    // All that came meanwhile, before something is delivered that may take long.
                    for news in heard.try_iter().take(QUEUE) {
                        self.take(news);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    fn take(&mut self, news: News) {
        let now = Instant::now();
        self.shared.queued.fetch_sub(1, Ordering::Relaxed);
        if self.shared.lost_end.swap(false, Ordering::Relaxed) {
            self.sorter.forget();
        }
        match news {
            News::Seen(sighting) => self.sorter.handle(now, sighting),
            News::Over(sighting) => self.sorter.over(now, sighting),
            News::Known(sighting) => self.sorter.known(now, &sighting),
        }
        self.collect(now);
    }

    /// Takes what is to be told now.
    fn collect(&mut self, now: Instant) {
        while let Some(notice) = self.sorter.poll(now) {
            if self.pending.len() >= MOST_PENDING {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.made += 1;
            let name = format!("{:016x}-{}", self.series, self.made);
            self.pending.push_back(Pending { notice, name });
        }
        self.note_pending();
    }

    fn note_pending(&self) {
        let waiting = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        self.shared.pending.store(waiting, Ordering::Relaxed);
    }

    /// Tries the first of those that wait, if it is time.
    fn try_first(&mut self, now: Instant) {
        if now < self.next {
            return;
        }
        let Some(Pending { notice, name }) = self.pending.front() else { return };
        let outcome = self.delivery.deliver(notice, name);
        let mut last_error = self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(_) => {
                *last_error = None;
                self.shared.sent.fetch_add(1, Ordering::Relaxed);
                self.failed = 0;
                self.pending.pop_front();
            }
            Err(failure) => {
                self.failed += 1;
                *last_error = Some(failure.why);
                match failure.again {
                    Again::Later(asked) if self.failed < MOST_ATTEMPTS => {
                        let chance = self.series.rotate_left(self.failed) ^ self.made;
                        let now = Instant::now();
                        self.unwanted = now + asked.unwrap_or_default();
                        self.next = self.unwanted.max(now + pause(self.failed, chance));
                    }
                    _ => {
                        self.shared.failed.fetch_add(1, Ordering::Relaxed);
                        self.failed = 0;
                        self.pending.pop_front();
                    }
                }
            }
        }
        drop(last_error);
        self.note_pending();
    }

    /// Everything that waits is tried once more, and again while there is time; the rest is given up.
    fn finish(mut self) {
        self.sorter.flush(Instant::now());
        self.collect(Instant::now());
        let end = *self.shared.end.lock().unwrap_or_else(PoisonError::into_inner);
        let end = end.unwrap_or_else(Instant::now);
        self.next = self.unwanted;
        while !self.pending.is_empty() {
            let wait = self.next.saturating_duration_since(Instant::now());
            if Instant::now() + wait > end {
                break;
            }
            thread::park_timeout(wait);
            self.try_first(Instant::now());
        }
        let left = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        self.shared.failed.fetch_add(left, Ordering::Relaxed);
        self.pending.clear();
        self.note_pending();
    }
}
