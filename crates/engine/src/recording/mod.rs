//! Keeps the history of a machine: takes what is told, writes it once a second, and goes on when the disk is full again
//! free.

mod pending;
mod settings;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Area, Gap, Reason, Timestamp, Utc};
use store::{Batch, Store, StoreError};

pub use settings::HistorySettings;

/// What is told is on the disk after so long, and so much is lost at most by who is killed.
const BETWEEN_COMMITS: Duration = Duration::from_millis(900);
/// Between two attempts to write where writing failed.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(3);
/// Between two trims while something happens.
const BETWEEN_TRIMS: Duration = Duration::from_secs(60);
/// And while nothing does: findings are resolved and acknowledgements expire all the same.
const BETWEEN_IDLE_TRIMS: Duration = Duration::from_secs(1800);
/// For so long another process may have the file: a command that reads it.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many things wait to be written.
const MOST_PENDING: usize = 65_536;

/// How much was written and how much was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingCounts {
    /// Things that are on the disk.
    pub written: u64,
    /// Things that there was no room for while they waited.
    pub dropped: u64,
    /// Things that wait.
    pub waiting: u64,
    /// Transactions.
    pub commits: u64,
    /// Since when nothing can be written, and why; `None` where all is well.
    pub failing: Option<(Timestamp<Utc>, String)>,
}

/// Writes what is told, in a thread of its own.
#[derive(Debug)]
pub struct Recorder {
    store: Arc<Store>,
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who tell it share.
#[derive(Debug)]
struct Desk {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pending: Batch,
    waiting: usize,
    /// Dropped and not yet said in the history.
    unsaid: u64,
    counts: RecordingCounts,
    ends: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news, or for the time to pass.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.news.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Recorder {
    /// Opens the history, which makes one where none is, and begins to write.
    pub fn begin(settings: &HistorySettings) -> Result<Recorder, StoreError> {
        let store = Arc::new(patiently(settings)?);
        let desk = Arc::new(Desk { state: Mutex::new(State::default()), news: Condvar::new() });
        let (of_thread, store_of_thread) = (Arc::clone(&desk), Arc::clone(&store));
        let thread = thread::Builder::new()
            .name(String::from("history"))
            .spawn(move || write(&store_of_thread, &of_thread))
            .map_err(|error| StoreError::Io { path: store.path().to_path_buf(), error })?;
        Ok(Recorder { store, desk, thread: Some(thread) })
    }

    /// Takes what is told. It never waits for the disk: what does not fit is dropped and counted.
    pub fn add(&self, batch: Batch) {
        let mut state = self.desk.lock();
        let was_empty = state.pending.is_empty();
        let waiting = state.waiting;
        let room = MOST_PENDING.saturating_sub(waiting);
        let taken = pending::merge(&mut state.pending, batch, room);
        state.waiting = waiting.saturating_add(taken.kept);
        state.counts.dropped = state.counts.dropped.saturating_add(taken.dropped);
        state.unsaid = state.unsaid.saturating_add(taken.dropped);
        let is_news = was_empty && !state.pending.is_empty();
        drop(state);
        if is_news {
            self.desk.news.notify_all();
        }
    }

    /// How much was written and how much was not, and whether something is wrong.
    pub fn counts(&self) -> RecordingCounts {
        let state = self.desk.lock();
        let waiting = u64::try_from(state.waiting).unwrap_or(u64::MAX);
        RecordingCounts { waiting, ..state.counts.clone() }
    }

    /// The store, for questions.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Writes what waits, and ends.
    pub fn finish(mut self) -> RecordingCounts {
        self.end();
        self.counts()
    }

    fn end(&mut self) {
        self.desk.lock().ends = true;
        self.desk.news.notify_all();
        if let Some(thread) = self.thread.take() {
            // If it panicked, what it had written is on the disk.
            let _ = thread.join();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

/// Opens the store; a command that reads it has it for a moment only.
fn patiently(settings: &HistorySettings) -> Result<Store, StoreError> {
    let begin = Instant::now();
    loop {
        match Store::open(&settings.folder, settings.limits()) {
            Err(StoreError::Busy { .. }) if begin.elapsed() < PATIENCE => {
                thread::park_timeout(Duration::from_millis(100));
            }
            other => return other,
        }
    }
}

fn now() -> Timestamp<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ns(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// What the thread does: waits, writes, trims, until it is told to end.
fn write(store: &Store, desk: &Desk) {
    let mut last_commit: Option<Instant> = None;
    let mut last_trim = Instant::now();
    loop {
        let mut state = desk.lock();
        while !state.ends {
            let between = if state.pending.is_empty() { BETWEEN_IDLE_TRIMS } else { BETWEEN_COMMITS };
            let left = if state.pending.is_empty() {
                between.saturating_sub(last_trim.elapsed())
            } else {
                last_commit.map_or(Duration::ZERO, |last| between.saturating_sub(last.elapsed()))
            };
            if left.is_zero() {
                break;
            }
            state = desk.wait(state, left);
        }
        let ends = state.ends;
        let mut batch = std::mem::take(&mut state.pending);
        let things = std::mem::take(&mut state.waiting);
        let unsaid = std::mem::take(&mut state.unsaid);
        drop(state);
        if unsaid > 0 {
            batch.gaps.push((now(), no_room(unsaid)));
        }
        last_commit = Some(Instant::now());
        let trims = last_trim.elapsed() >= BETWEEN_TRIMS || ends;
        if trims {
            last_trim = Instant::now();
        }
        let goes_on = match store.append(&batch) {
            Ok(()) => {
                succeeded(desk, &batch, things);
                match if trims { store.trim(now()).map(drop) } else { Ok(()) } {
                    Ok(()) => true,
                    Err(error) => {
                        failed(desk, &error);
                        // What was written is not written again.
                        recover(store, desk, &Batch::default(), 0)
                    }
                }
            }
            Err(error) => {
                failed(desk, &error);
                recover(store, desk, &batch, things)
            }
        };
        if !goes_on {
            return;
        }
        if ends {
            return;
        }
    }
}

fn succeeded(desk: &Desk, batch: &Batch, things: usize) {
    let mut state = desk.lock();
    state.counts.failing = None;
    if !batch.is_empty() {
        state.counts.commits = state.counts.commits.saturating_add(1);
        let things = u64::try_from(things).unwrap_or(u64::MAX);
        state.counts.written = state.counts.written.saturating_add(things);
    }
}

fn failed(desk: &Desk, error: &StoreError) {
    let mut state = desk.lock();
    // The first reason is the one that tells something; those after it are its consequences.
    state.counts.failing.get_or_insert_with(|| (now(), error.to_string()));
}

/// Opens the file again and writes the batch, again and again; whether that was done before the end.
fn recover(store: &Store, desk: &Desk, batch: &Batch, things: usize) -> bool {
    loop {
        // Also where it fails again at once: after a failure the file is closed, and questions have no answer.
        let done = store.reopen().and_then(|()| store.append(batch));
        match done {
            Ok(()) => {
                succeeded(desk, batch, things);
                return true;
            }
            Err(error) => failed(desk, &error),
        }
        let begin = Instant::now();
        let mut state = desk.lock();
        while begin.elapsed() < BETWEEN_ATTEMPTS {
            if state.ends {
                let things = u64::try_from(things).unwrap_or(u64::MAX);
                let waiting = u64::try_from(state.waiting).unwrap_or(u64::MAX);
                state.counts.dropped = state.counts.dropped.saturating_add(things).saturating_add(waiting);
                state.waiting = 0;
                return false;
            }
            state = desk.wait(state, BETWEEN_ATTEMPTS.saturating_sub(begin.elapsed()));
        }
    }
}

fn no_room(count: u64) -> Gap {
    Gap {
        area: Area::Configuration,
        reason: Reason::LimitReached,
        what: String::from(
            "things that happened while the history could not be written, or faster than it could",
        ),
        count: Some(count),
    }
}

#[cfg(test)]
mod tests;
