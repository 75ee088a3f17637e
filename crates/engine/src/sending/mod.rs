//! Streams sent: makers work ahead in threads of their own, and one thread lets every packet leave at its time.
//!
//! One thread for all streams: two that stay awake would want a processor each, and keep each other from being in time. Only
//! where packets may be late by microseconds there is a second one, for what the first one does not come to in time.

pub mod audio;
mod chores;
pub mod data;
mod gate;
mod harm;
mod lane;
mod period;
mod request;
mod turns;
pub mod video;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use host::transmit::{Crew, Pacer, SocketError, TransmitRequest, Transmitter, UrgencyRequest, urgency};
use media::clock::LEAP_SECONDS;
use model::media::{Effort, SendingFacts, SentStream};
use model::{Tai, Timestamp};

pub use self::chores::{Chore, Due};
pub use self::gate::Gate;
use self::lane::Lane;
pub use self::period::{Period, Source};
pub use self::request::{Content, Planned, StreamRequest, announce, describe, plan};

/// How many periods of a stream are made ahead: one that is sent, one that waits, one that is made.
const AHEAD: usize = 3;
/// How many wait for a second thread, whatever the first one does; while it is kept from running it holds them, and one more.
const AHEAD_OF_SECOND: usize = AHEAD + 1;
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
    /// Whether a second thread should send what the first one does not come to in time.
    pub in_turns: bool,
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
    /// Whether streams that ask for it have a second thread.
    pub in_turns: bool,
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
    // It costs a processor, which makers may need.
    let several = thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let wanted = sending.in_turns && sending.streams.iter().any(|plan| plan.in_turns);
    let mut lanes = Vec::new();
    let mut of_second = (several && wanted).then(Vec::new);
    let buffers = if of_second.is_some() { AHEAD + AHEAD_OF_SECOND + 1 } else { AHEAD };
    let mut makers = Vec::new();
    let mut chores = Vec::new();
    for plan in sending.streams {
        let legs: Result<Vec<_>, _> = plan.legs.iter().map(Transmitter::open).collect();
        let (to_sender, full) = mpsc::sync_channel(AHEAD);
        let (to_maker, empty) = mpsc::sync_channel(buffers);
        for _ in 0..buffers {
            // There is room for all of them.
            _ = to_maker.send(Period::default());
        }
        let gate = if of_second.is_some() { plan.gate.map(Gate::with_reserve) } else { plan.gate };
        let lane = Lane::new(plan.name, plan.ssrc, legs?, gate, full, to_maker, plan.legs);
        for chore in plan.chores {
            chores.push(chores::Running::open(chore, lane.sent(), begin)?);
        }
        let mut full = vec![to_sender];
        if let Some(lanes) = &mut of_second {
            let (to_second, from_maker) = mpsc::sync_channel(AHEAD_OF_SECOND);
            full.push(to_second);
            lanes.push(lane.again(from_maker)?);
        }
        lanes.push(lane);
        makers.push(Maker { source: plan.source, full, empty, clock: pacer.clone() });
    }
    let clock = pacer.clock();
    let crew = Crew::default();
    let (efforts, mut streams, ended) = thread::scope(|scope| {
        let (wish, crew) = (&sending.urgency, &crew);
        let making: Vec<_> = makers
            .into_iter()
            .map(|maker| {
                scope.spawn(move || {
                    let _member = crew.join(wish);
                    maker.run(begin, end, watch)
                })
            })
            .collect();
        let chores = scope.spawn({
            let pacer = pacer.clone();
            move || {
                let _member = crew.join(wish);
                chores::run(chores, &pacer, end, &watch.stop);
            }
        });
        let second = of_second.map(|mut lanes| {
            let mut pacer = pacer.clone();
            scope.spawn(move || {
                // Were it to run before all others as well, nothing else would.
                let _member = crew.join(wish);
                lane::run(&mut lanes, &mut pacer, || {}, watch);
                lanes
            })
        });
        let first = scope.spawn(move || {
            let mut granted = urgency(wish, crew);
            let mut pacer = pacer;
            lane::run(&mut lanes, &mut pacer, || granted.move_on(), watch);
            (granted.efforts, lanes, pacer.now())
        });
        let first = first.join();
        let second = second.map(thread::ScopedJoinHandle::join);
        // What ended by itself ends the others.
        watch.stop.store(true, Ordering::Relaxed);
        _ = chores.join();
        let (mut efforts, mut lanes, ended) = first.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if let Some(second) = second {
            let others = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            lanes.iter_mut().zip(others).for_each(|(lane, other)| lane.add(other));
            let outcome = Ok("sends what the first one is late with".to_owned());
            efforts.push(Effort { what: "a second thread".to_owned(), outcome });
        }
        let mut streams: Vec<_> = lanes.into_iter().map(Lane::finish).collect();
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
    /// One for each thread that sends, the first one first.
    full: Vec<SyncSender<Arc<Period>>>,
    empty: Receiver<Period>,
    clock: Pacer,
}

/// How many periods were left out, and the faults that were made.
type Made = (u64, Vec<(String, u64)>);

impl Maker {
    fn run(mut self, begin: Timestamp<Tai>, end: Option<Timestamp<Tai>>, watch: &Watch) -> Made {
        let mut number = self.source.first(begin);
        let last = end.map(|end| self.source.first(end));
        let (mut left_out, mut turn) = (0, 0);
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
            period.turn = turn;
            turn += 1;
            if !self.hand_over(period) {
                break;
            }
        }
        (left_out, self.source.faults())
    }

    /// Says whether somebody is there to send it. The maker keeps nothing, so that a sender is the last to have it; a second
    /// one that has not come to those before does not hold up the first.
    fn hand_over(&self, period: Period) -> bool {
        let period = Arc::new(period);
        let Some((first, others)) = self.full.split_first() else { return false };
        others.iter().for_each(|to| _ = to.try_send(Arc::clone(&period)));
        first.send(period).is_ok()
    }
}

#[cfg(test)]
mod stops;
#[cfg(test)]
mod tests;
