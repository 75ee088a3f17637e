//! The RTP clock against TAI: how late packets are, and how timestamps advance (ST 2110-10:2022 §7).

use model::media::reception::TimingFacts;
use model::media::{Occurrence, Ratio, StreamFault, StreamRule};
use model::{Tai, Timestamp};

use crate::clock::{
    Alignment, CaptureClock, LEAP_SECONDS, lateness_ns, unwrap_nearest, unwrap_nearest_ticks,
};
use crate::{Packet, Tally};

/// A timestamp lies in the future.
pub static FUTURE_TIMESTAMP: StreamRule = StreamRule {
    name: "timestamp-in-future",
    clause: "ST 2110-10:2022 §7.7",
    text: "A packet was sent before the instant that its timestamp names.",
};
/// Timestamps do not advance regularly.
pub static TIMESTAMP_STEP: StreamRule = StreamRule {
    name: "timestamp-step",
    clause: "ST 2110-10:2022 §7.6",
    text: "Timestamps do not advance by whole periods, rounded down or up.",
};
/// Timestamps went back.
pub static TIMESTAMP_BACKWARDS: StreamRule = StreamRule {
    name: "timestamp-backwards",
    clause: "ST 2110-10:2022 §7.6",
    text: "A timestamp is earlier than the one before.",
};

/// By how much a packet may seem early for the capture's clock is not the sender's.
const CLOCKS_AGREE_NS: i64 = 1000;

/// Distances that are told apart.
const MOST_STEPS: usize = 8;

/// What is known of the clock beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimingPlan {
    /// Ticks a second.
    pub clock_rate: u32,
    /// Ticks that the session adds (`mediaclk:direct=`).
    pub clock_offset: u32,
    /// How packet times become TAI.
    pub clock: CaptureClock,
    /// How many timestamps a second: frames, fields, or packets of audio; where known.
    pub period: Option<Ratio>,
}

/// A second of packets: its begin, and the earliest of them against their timestamps.
#[derive(Debug, Clone, Copy)]
struct Window {
    at_ns: i64,
    least_ns: i64,
}

/// Measures the RTP clock of one leg.
#[derive(Debug, Clone)]
pub struct Timing {
    plan: TimingPlan,
    facts: TimingFacts,
    period: Option<Alignment>,
    steps: [(i64, u64); MOST_STEPS],
    /// The present timestamp, not wrapped, and its instant on the capture's scale.
    ticks: i64,
    timestamp: u32,
    rtp_ns: i64,
    /// On a relative clock: the first packet and its timestamp.
    anchor: Option<(i64, i64)>,
    first: Option<Window>,
    last: Option<Window>,
    open: Option<Window>,
    tally: Tally,
}

impl Timing {
    /// For a clock of which this is known; `None` where it has no rate.
    pub fn new(plan: TimingPlan) -> Option<Timing> {
        if plan.clock_rate == 0 {
            return None;
        }
        let facts = TimingFacts {
            basis: plan.clock.basis(),
            clock_rate: plan.clock_rate,
            clock_offset_ticks: plan.clock_offset.into(),
            ..TimingFacts::default()
        };
        Some(Timing {
            plan,
            facts,
            period: plan.period.map(Alignment::new),
            steps: [(0, 0); MOST_STEPS],
            ticks: 0,
            timestamp: 0,
            rtp_ns: 0,
            anchor: None,
            first: None,
            last: None,
            open: None,
            tally: Tally::default(),
        })
    }

    /// Takes a packet; one without a time is left out.
    #[inline]
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let Some(time) = packet.time else { return };
        let at_ns = self.plan.clock.number(time);
        if self.facts.timestamps == 0 || packet.rtp.timestamp != self.timestamp {
            self.advance(packet, at_ns);
        }
        let late_ns = at_ns.saturating_sub(self.rtp_ns);
        self.facts.latency_ns.add(late_ns);
        if late_ns < -CLOCKS_AGREE_NS && self.anchor.is_none() {
            self.facts.future += 1;
            self.tally
                .note(&FUTURE_TIMESTAMP, packet.occurrence(), || format!("by {} ns", late_ns.unsigned_abs()));
        }
        match &mut self.open {
            Some(open) if at_ns.saturating_sub(open.at_ns) < 1_000_000_000 => {
                open.least_ns = open.least_ns.min(late_ns);
            }
            open => {
                if let Some(full) = open.replace(Window { at_ns, least_ns: late_ns }) {
                    self.first.get_or_insert(full);
                    self.last = Some(full);
                }
            }
        }
    }

    /// A new timestamp.
    fn advance(&mut self, packet: &Packet<'_>, at_ns: i64) {
        let rate = self.plan.clock_rate;
        let timestamp = packet.rtp.timestamp.wrapping_sub(self.plan.clock_offset);
        let begun = self.facts.timestamps > 0;
        self.facts.timestamps += 1;
        let relative = self.plan.clock == CaptureClock::Relative;
        let ticks = if relative {
            unwrap_nearest_ticks(timestamp, if begun { self.ticks } else { timestamp.into() })
        } else {
            unwrap_nearest(timestamp, Timestamp::<Tai>::from_ns(at_ns), rate)
        };
        if let (true, false, Some(time)) = (relative, begun, packet.time) {
            let late = |guess: CaptureClock| guess.tai(time).map(|tai| lateness_ns(tai, timestamp, rate));
            self.facts.late_if_utc_ns = late(CaptureClock::Utc { leap_seconds: LEAP_SECONDS });
            self.facts.late_if_tai_ns = late(CaptureClock::Tai);
        }
        if begun {
            let step = packet.rtp.timestamp.wrapping_sub(self.timestamp).cast_signed();
            self.step(step.into(), packet.occurrence());
        }
        let (base_ns, base_ticks) =
            if relative { *self.anchor.get_or_insert((at_ns, ticks)) } else { (0, 0) };
        let passed = (i128::from(ticks) - i128::from(base_ticks)) * 1_000_000_000;
        let passed = passed.div_euclid(i128::from(rate));
        self.rtp_ns = base_ns.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        (self.ticks, self.timestamp) = (ticks, packet.rtp.timestamp);
    }

    fn step(&mut self, step: i64, at: Occurrence) {
        if step < 0 {
            self.facts.backwards += 1;
            self.tally.note(&TIMESTAMP_BACKWARDS, at, || format!("by {} ticks", -step));
            return;
        }
        self.facts.step_ticks.add(step);
        let known = self.steps.iter_mut().find(|(known, count)| *count == 0 || *known == step);
        if let Some((known, count)) = known {
            (*known, *count) = (step, *count + 1);
        }
        let Some(period) = self.period else { return };
        // Whole periods may have been lost: what is left must be of a whole number of them.
        let rate = self.plan.clock_rate;
        let (floor, ceil) = period.step(rate);
        let near = if floor > 0 { (step + floor / 2) / floor } else { 1 };
        let whole = (near.saturating_sub(1)..=near.saturating_add(1)).filter(|periods| *periods > 0);
        let fits = whole.into_iter().any(|periods| {
            let exact = period.ticks(periods, rate);
            step == exact || step == exact + 1 && !self.is_whole(periods)
        });
        if !fits {
            self.facts.steps_odd += 1;
            self.facts.first_odd_step.get_or_insert(at);
            self.tally.note(&TIMESTAMP_STEP, at, || match floor == ceil {
                true => format!("{step} ticks instead of {floor}"),
                false => format!("{step} ticks instead of {floor} or {ceil}"),
            });
        }
    }

    /// Whether so many periods are a whole number of ticks, so that nothing is rounded.
    fn is_whole(&self, periods: i64) -> bool {
        let Some(rate) = self.period.map(Alignment::rate) else { return true };
        let ticks = i128::from(periods) * i128::from(rate.denominator()) * i128::from(self.plan.clock_rate);
        ticks % i128::from(rate.numerator()) == 0
    }

    /// What was measured.
    pub fn facts(&self) -> TimingFacts {
        let mut facts = self.facts.clone();
        facts.steps = self.steps.iter().copied().filter(|(_, count)| *count > 0).collect();
        facts.steps.sort_unstable_by_key(|(step, count)| (core::cmp::Reverse(*count), *step));
        if let (Some(first), Some(last)) = (self.first, self.last) {
            let length = i128::from(last.at_ns) - i128::from(first.at_ns);
            let grown = i128::from(last.least_ns) - i128::from(first.least_ns);
            // A clock that runs fast makes packets seem ever earlier.
            facts.drift_ppb =
                (-grown * 1_000_000_000).checked_div(length).and_then(|it| i64::try_from(it).ok());
        }
        facts
    }

    /// The rules that were broken.
    pub fn faults(&self) -> &[StreamFault] {
        self.tally.faults()
    }
}
