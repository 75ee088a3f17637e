//! Streams sent: makers work ahead in threads of their own, and one thread lets every packet leave at its time.
//!
//! One thread for all streams: two that stay awake would want a processor each, and keep each other from being in time. Only
//! where packets may be late by microseconds there is a second one: who makes them stands in for it.

pub mod audio;
mod chores;
pub mod data;
mod gate;
mod harm;
mod lane;
mod maker;
mod period;
mod request;
mod turns;
pub mod video;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use host::transmit::{Pacer, SocketError, TransmitRequest, Transmitter, UrgencyRequest, assist, urgency};
use media::clock::LEAP_SECONDS;
use model::Timestamp;
use model::media::{SendingFacts, SentStream};

pub use self::chores::{Chore, Due};
pub use self::gate::Gate;
use self::lane::Lane;
use self::maker::Maker;
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
    /// When who makes it sends it, instead of the thread that sends.
    pub stand_in: Option<StandIn>,
    /// What is sent beside it now and then: reports, announcements.
    pub chores: Vec<Chore>,
}

/// When who makes a stream sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandIn {
    /// How late a packet is.
    pub behind: Duration,
    /// How many packets go to the system at once, and may leave late because their thread is stopped there.
    pub burst: u32,
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

/// Whether who makes a stream stands in for the thread that sends. Those that may not sleep need a processor each.
fn in_turns(sending: &Sending) -> bool {
    let all = sending.streams.iter().filter_map(|plan| plan.stand_in);
    let awake = all.filter(|it| it.behind < lane::SLEEP).count().max(1);
    let enough = thread::available_parallelism().is_ok_and(|count| count.get() > awake);
    enough && sending.urgency.real_time && sending.spin.is_none()
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
    let in_turns = in_turns(&sending);
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
        let stand_in = plan.stand_in.filter(|_| in_turns);
        let reserve = stand_in.map_or(0, |it| u64::from(it.burst));
        let gate = plan.gate.map(|gate| gate.with_reserve(reserve));
        let lane = Lane::new(plan.name, plan.ssrc, legs?, gate, full, to_maker, plan.legs);
        for chore in plan.chores {
            chores.push(chores::Running::open(chore, lane.sent(), begin)?);
        }
        let mut maker = Maker::new(plan.source, to_sender, empty, pacer.clone());
        if let Some(StandIn { behind, .. }) = stand_in {
            maker.stands_in(&lane, behind)?;
        }
        lanes.push(lane);
        makers.push(maker);
    }
    let clock = pacer.clock();
    let (efforts, mut streams, ended) = thread::scope(|scope| {
        let wish = &sending.urgency;
        let making: Vec<_> = makers
            .into_iter()
            .map(|maker| {
                scope.spawn(move || {
                    assist(wish);
                    maker.run(begin, end, watch)
                })
            })
            .collect();
        let chores = scope.spawn({
            let pacer = pacer.clone();
            move || {
                assist(wish);
                chores::run(chores, &pacer, end, &watch.stop);
            }
        });
        let first = scope.spawn(move || {
            let granted = urgency(wish);
            let mut pacer = pacer;
            lane::run(&mut lanes, &mut pacer, watch);
            // Makers that wait for something to make need not any longer.
            lanes.iter_mut().for_each(Lane::let_go);
            (granted.efforts, lanes, pacer.now())
        });
        let first = first.join();
        // What ended by itself ends the others.
        watch.stop.store(true, Ordering::Relaxed);
        _ = chores.join();
        let (mut efforts, lanes, ended) = first.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut streams = Vec::new();
        for (mut lane, maker) in lanes.into_iter().zip(making) {
            let made = maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if let Some((effort, other)) = made.stood_in {
                efforts.push(effort);
                other.into_iter().for_each(|other| lane.add(other));
            }
            let mut stream = lane.finish();
            stream.periods_left_out += made.left_out;
            stream.faults = made.faults;
            streams.push(stream);
        }
        (efforts, streams, ended)
    });
    streams.sort_by(|one: &SentStream, other| one.name.cmp(&other.name));
    let duration_ns = u64::try_from(ended.since_ns(begin)).unwrap_or(0);
    Ok(SendingFacts { duration_ns, clock, efforts, streams })
}

#[cfg(test)]
mod stops;
#[cfg(test)]
mod tests;
