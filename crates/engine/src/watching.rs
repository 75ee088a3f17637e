//! A live interface to facts: the same observer as for a file, asked again and again while it goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use media::monitor::Monitor;
use model::media::{Session, SessionSource};
use model::{Flow, Timestamp, Traffic, Utc};
use traffic::Observer;
use wire::Frame;

use crate::intake::Intake;
use crate::listening::{add_media, observe, together};
use crate::reading::{Reading, add_dropped};

/// Facts are of at least this time and at most twice as long: of weeks, nobody would see what is.
const WINDOW: i64 = 12 * 3600 * 1_000_000_000;

/// How often streams are looked through for those that ended.
const FORGET_EVERY: i64 = 60 * 1_000_000_000;

/// Who keeps frames.
pub trait FrameKeeper: Send {
    /// Takes the next frame that passed the filter.
    fn keep(&mut self, frame: &Frame<'_>);
}

/// Numbers the frames of a capture that pass its filter, whichever worker reads them.
#[derive(Default)]
pub struct Roll {
    last: AtomicU64,
    keeper: Option<Arc<Mutex<dyn FrameKeeper>>>,
}

impl Roll {
    /// One whose frames are all kept, in the order of their numbers.
    pub fn kept_by(keeper: Option<Arc<Mutex<dyn FrameKeeper>>>) -> Roll {
        Roll { last: AtomicU64::new(0), keeper }
    }

    /// The number of a frame, from 1.
    fn enter(&self, frame: &Frame<'_>) -> u64 {
        let Some(keeper) = &self.keeper else { return self.last.fetch_add(1, Ordering::Relaxed) + 1 };
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.keep(frame);
        // Under the same lock: the place in what is kept is the number.
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What is watched.
pub struct Watching {
    intake: Intake,
    observer: Observer,
    monitor: Monitor,
    /// Frames that passed.
    passed: u64,
    roll: Arc<Roll>,
    /// When streams were last looked through.
    forgot: Timestamp<Utc>,
}

impl Watching {
    /// One of as many as `reading` has workers, which share a roll.
    pub fn new(reading: &Reading, roll: Arc<Roll>) -> Watching {
        Watching {
            intake: Intake::new(reading.filter.clone()),
            observer: Observer::new(traffic::Config {
                window_ns: Some(WINDOW),
                ..reading.config(reading.workers, true)
            }),
            monitor: reading.monitor(),
            passed: 0,
            roll,
            forgot: Timestamp::from_ns(0),
        }
    }

    /// Takes a frame; says whether it passed the filter.
    pub fn take(&mut self, frame: &Frame<'_>) -> bool {
        let passes = self.intake.admit(frame);
        if passes {
            self.passed += 1;
            let number = self.roll.enter(frame);
            observe(&mut self.observer, &mut self.monitor, frame, number);
        }
        passes
    }

    /// Learns what is agreed, and what is no more, from now on.
    pub fn agree(&mut self, agreed: &[Session], withdrawn: &[(SessionSource, String)], now: Timestamp<Utc>) {
        for (source, identity) in withdrawn {
            self.monitor.withdraw(source, identity, Some(now));
        }
        for session in agreed {
            self.monitor.agree(session.clone());
        }
        self.monitor.settle(Some(now));
    }

    /// Frames that passed so far.
    pub fn frames(&self) -> u64 {
        self.passed
    }

    /// Lets time pass without a frame, so that flows end on a quiet wire, too, and that what is long over is forgotten.
    pub fn pass(&mut self, now: Timestamp<Utc>) {
        self.observer.pass(now);
        self.monitor.pass(now);
        if now.as_ns().abs_diff(self.forgot.as_ns()) >= FORGET_EVERY.unsigned_abs() {
            self.forgot = now;
            self.monitor.forget(Timestamp::from_ns(now.as_ns().saturating_sub(WINDOW)));
        }
    }

    /// The next flow that has ended.
    pub fn poll(&mut self) -> Option<Flow> {
        self.observer.poll()
    }

    /// Ends every flow: nothing more will come.
    pub fn end(&mut self) {
        self.observer.end();
    }

    /// What all of them saw so far; `dropped` frames were seen by none.
    pub fn together(all: &[&Watching], dropped: u64) -> Traffic {
        let parts = all.iter().map(|watching| watching.observer.part_so_far()).collect();
        let mut traffic = traffic::merge(parts);
        add_media(&mut traffic, together(all.iter().map(|watching| watching.monitor.media())));
        // Since when facts are told, not since when we watch.
        let first = traffic.first;
        for watching in all {
            watching.intake.sum_up(&mut traffic);
        }
        traffic.first = first.or(traffic.first);
        add_dropped(&mut traffic, dropped);
        traffic
    }
}
