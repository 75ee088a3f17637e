//! Streams sent: makers work ahead in threads of their own, and one thread lets every packet leave at its time.
//!
//! One thread for all streams: two that stay awake would want a processor each, and keep each other from being in time.

pub mod audio;
mod chores;
pub mod data;
mod gate;
mod harm;
mod lane;
mod period;
mod request;
pub mod video;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use host::transmit::{Pacer, SocketError, TransmitRequest, Transmitter, UrgencyRequest, urgency, work_for};
use media::clock::LEAP_SECONDS;
use model::media::{SendingFacts, SentStream};
use model::{Tai, Timestamp};

pub use self::chores::{Chore, Due};
pub use self::gate::Gate;
use self::lane::Lane;
pub use self::period::{Period, Source};
pub use self::request::{Content, Planned, StreamRequest, announce, describe, plan};

/// How many periods of a stream are made ahead: one that is sent, one that waits, one that is made.
const AHEAD: usize = 3;
/// How long before the first packet leaves makers begin.
const RUN_UP_NS: i64 = 300_000_000;

/// One stream to send.
pub struct StreamPlan {
    /// Its name.
    pub name: String,
    /// The synchronisation source.
    pub ssrc: u32,
    /// Who makes it.
    pub source: Box<dyn Source>,
    /// Where it goes: once, or twice (ST 2022-7).
    pub legs: Vec<TransmitRequest>,
    /// How closely its packets may follow each other.
    pub gate: Option<Gate>,
    /// For how long before a packet is due the thread that sends should stay awake.
    pub spin: Duration,
    /// What is sent beside it now and then: reports, announcements.
    pub chores: Vec<Chore>,
}

/// What to send, and how hard to try.
pub struct Sending {
    /// The streams.
    pub streams: Vec<StreamPlan>,
    /// What the thread that sends should be granted.
    pub urgency: UrgencyRequest,
    /// For how long before a packet is due that thread stays awake; without it, for as long as a stream needs it.
    pub spin: Option<Duration>,
    /// How long; without it, until it is stopped.
    pub duration: Option<Duration>,
}

/// What others see of it while it runs, and how they stop it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set to stop.
    pub stop: AtomicBool,
    /// Packets that the system took.
    pub packets: AtomicU64,
    /// The worst that a packet was late, in nanoseconds.
    pub latest_ns: AtomicU64,
}

/// Sends until the time is over or somebody says stop, and tells what became of it.
pub fn send(sending: Sending, watch: &Watch) -> Result<SendingFacts, SocketError> {
    let needed = sending.streams.iter().map(|plan| plan.spin).max().unwrap_or_default();
    let pacer = Pacer::new(LEAP_SECONDS * 1_000_000_000, sending.spin.unwrap_or(needed));
    let begin = Timestamp::from_ns(pacer.now().as_ns() + RUN_UP_NS);
    let end = sending.duration.map(|duration| {
        let ns = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Timestamp::from_ns(begin.as_ns().saturating_add(ns))
    });
    let mut lanes = Vec::new();
    let mut makers = Vec::new();
    let mut chores = Vec::new();
    for plan in sending.streams {
        let legs: Result<Vec<_>, _> = plan.legs.iter().map(Transmitter::open).collect();
        let (to_sender, full) = mpsc::sync_channel(AHEAD);
        let (to_maker, empty) = mpsc::sync_channel(AHEAD);
        for _ in 0..AHEAD {
            // There is room for all of them.
            _ = to_maker.send(Period::default());
        }
        let lane = Lane::new(plan.name, plan.ssrc, legs?, plan.gate, full, to_maker, plan.legs);
        for chore in plan.chores {
            chores.push(chores::Running::open(chore, lane.sent(), begin)?);
        }
        lanes.push(lane);
        makers.push(Maker { source: plan.source, full: to_sender, empty, clock: pacer.clone() });
    }
    let clock = pacer.clock();
    let (efforts, mut streams, ended) = thread::scope(|scope| {
        let wish = sending.urgency;
        let making: Vec<_> = makers
            .into_iter()
            .map(|maker| {
                scope.spawn(move || {
                    work_for(&wish);
                    maker.run(begin, end, watch)
                })
            })
            .collect();
        let chores = scope.spawn({
            let pacer = pacer.clone();
            move || {
                work_for(&wish);
                chores::run(chores, &pacer, end, &watch.stop);
            }
        });
        let paced = scope.spawn(move || {
            let mut granted = urgency(&wish);
            let mut pacer = pacer;
            let mut lanes = lanes;
            lane::run(&mut lanes, &mut pacer, &mut granted, watch);
            let ended = pacer.now();
            (granted.efforts, lanes.into_iter().map(Lane::finish).collect::<Vec<_>>(), ended)
        });
        let paced = paced.join();
        // What ended by itself ends the others.
        watch.stop.store(true, Ordering::Relaxed);
        _ = chores.join();
        let (efforts, mut streams, ended) = paced.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        for (stream, made) in streams.iter_mut().zip(making) {
            let (left_out, faults) = made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            stream.periods_left_out += left_out;
            stream.faults = faults;
        }
        (efforts, streams, ended)
    });
    streams.sort_by(|one: &SentStream, other| one.name.cmp(&other.name));
    let duration_ns = u64::try_from(ended.since_ns(begin)).unwrap_or(0);
    Ok(SendingFacts { duration_ns, clock, efforts, streams })
}

/// One source, and how its periods go to and fro.
struct Maker {
    source: Box<dyn Source>,
    full: SyncSender<Period>,
    empty: Receiver<Period>,
    clock: Pacer,
}

/// How many periods were left out, and the faults that were made.
type Made = (u64, Vec<(String, u64)>);

impl Maker {
    fn run(mut self, begin: Timestamp<Tai>, end: Option<Timestamp<Tai>>, watch: &Watch) -> Made {
        let mut number = self.source.first(begin);
        let last = end.map(|end| self.source.first(end));
        let mut left_out = 0;
        while last.is_none_or(|last| number < last) && !watch.stop.load(Ordering::Relaxed) {
            let Ok(mut period) = self.empty.recv() else { break };
            // What could not leave in time any more is not made.
            let soonest = self.source.first(self.clock.now());
            let soonest = last.map_or(soonest, |last| soonest.min(last));
            if let Ok(late @ 1..) = u64::try_from(soonest.saturating_sub(number)) {
                left_out += late;
                number = soonest;
                if Some(number) == last {
                    break;
                }
            }
            period.clear(number);
            self.source.make(number, &mut period);
            number += 1;
            if self.full.send(period).is_err() {
                break;
            }
        }
        (left_out, self.source.faults())
    }
}

#[cfg(test)]
mod stops;
#[cfg(test)]
mod tests;
