//! Timestamps of neighbouring frames or fields against regular increments, in exact numbers (ST 2110-10:2022 §7.6).

use model::media::video::TimestampStep;
use model::media::{Ratio, Scan};
use model::{Timestamp, Utc};

/// Ticks a second of every video clock.
const CLOCK: u64 = 90_000;

/// Steps that are kept apart.
const MOST_STEPS: usize = 8;

/// What a step between two timestamps is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first timestamp.
    First,
    /// The same again: two segments, or a fault.
    Same,
    /// As many periods as said, exactly or rounded.
    Periods(u64),
    /// No whole number of periods, or backwards; the next is measured from here.
    Wrong,
    /// As many periods as said, and yet the sum of all steps is not that many periods.
    Stray(u64),
}

/// Timestamps as they come, one for each frame or field.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Ticks of a period as a fraction.
    ticks: (u64, u64),
    rate: Option<Ratio>,
    fields: bool,
    last: Option<u32>,
    /// Since the origin: periods, and the ticks they took.
    periods: u64,
    elapsed: u64,
    /// All in all: frames or fields and their ticks, wrong steps counted as one period.
    counted: u64,
    counted_ticks: u64,
    arrival: Option<(Timestamp<Utc>, Timestamp<Utc>)>,
    steps: Vec<TimestampStep>,
    other_steps: u64,
    most_stray: u64,
}

impl Timeline {
    /// For a frame rate; `None` where it is not known, and every step is one period then.
    pub fn new(rate: Option<Ratio>, scan: Scan) -> Timeline {
        let fields = scan == Scan::Interlaced;
        let ticks = rate.map_or((0, 1), |rate| {
            let below = u64::from(rate.numerator()) * if fields { 2 } else { 1 };
            (CLOCK * u64::from(rate.denominator()), below)
        });
        Timeline {
            ticks,
            rate,
            fields,
            last: None,
            periods: 0,
            elapsed: 0,
            counted: 0,
            counted_ticks: 0,
            arrival: None,
            steps: Vec::new(),
            other_steps: 0,
            most_stray: 0,
        }
    }

    /// The timestamp of the next frame or field, and when its first packet came.
    pub fn handle(&mut self, timestamp: u32, time: Option<Timestamp<Utc>>) -> Step {
        let Some(last) = self.last.replace(timestamp) else {
            self.arrival = time.map(|time| (time, time));
            return Step::First;
        };
        let delta = timestamp.wrapping_sub(last);
        if delta == 0 {
            self.note(0);
            return Step::Same;
        }
        if delta > u32::MAX / 2 {
            // Backwards; nothing before is comparable.
            (self.periods, self.elapsed) = (0, 0);
            self.other_steps += 1;
            return Step::Wrong;
        }
        self.note(delta);
        if let (Some((_, latest)), Some(time)) = (&mut self.arrival, time) {
            *latest = time;
        }
        self.counted_ticks += u64::from(delta);
        let (numerator, denominator) = self.ticks;
        if numerator == 0 {
            self.counted += 1;
            return Step::Periods(1);
        }
        let scaled = u64::from(delta) * denominator;
        let periods = (scaled + numerator / 2) / numerator;
        // Truncation gives the floor or the ceiling of the exact length (§7.6.1).
        let off = scaled.abs_diff(periods * numerator);
        if periods == 0 || off >= denominator {
            self.counted += 1;
            (self.periods, self.elapsed) = (0, 0);
            return Step::Wrong;
        }
        self.counted += periods;
        self.periods += periods;
        self.elapsed += u64::from(delta);
        let exact = u128::from(self.periods) * u128::from(numerator);
        let stray = (u128::from(self.elapsed) * u128::from(denominator)).abs_diff(exact);
        let ticks = u64::try_from(stray / u128::from(denominator)).unwrap_or(u64::MAX);
        self.most_stray = self.most_stray.max(ticks);
        if ticks >= 1 { Step::Stray(periods) } else { Step::Periods(periods) }
    }

    fn note(&mut self, ticks: u32) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.ticks == ticks) {
            step.count += 1;
        } else if self.steps.len() < MOST_STEPS {
            self.steps.push(TimestampStep { ticks, count: 1 });
        } else {
            self.other_steps += 1;
        }
    }

    /// Steps that were seen, and how many others.
    pub fn steps(&self) -> (&[TimestampStep], u64) {
        (&self.steps, self.other_steps)
    }

    /// The most ticks that timestamps strayed from regular increments.
    pub fn most_stray(&self) -> u64 {
        self.most_stray
    }

    /// Frames a second in millionths, by timestamps.
    pub fn timestamp_rate_micro(&self) -> Option<u64> {
        let ticks = self.counted_ticks * if self.fields { 2 } else { 1 };
        rate_micro(self.counted, u128::from(ticks), u128::from(CLOCK))
    }

    /// Frames a second in millionths, by arrival.
    pub fn arrival_rate_micro(&self) -> Option<u64> {
        let elapsed_ns = self.elapsed_ns()? * if self.fields { 2 } else { 1 };
        rate_micro(self.counted, elapsed_ns, 1_000_000_000)
    }

    fn elapsed_ns(&self) -> Option<u128> {
        let (first, latest) = self.arrival?;
        u128::try_from(latest.since_ns(first)).ok().filter(|ns| *ns > 0)
    }

    /// Whether frames came at another rate than expected: by more than two periods, and by more than 0.05 %.
    pub fn has_other_rate(&self) -> bool {
        let (Some(rate), Some(elapsed_ns)) = (self.rate, self.elapsed_ns()) else { return false };
        let per_frame = if self.fields { 2 } else { 1 };
        // Periods that should have come, in billionths.
        let expected = elapsed_ns * u128::from(rate.numerator()) * per_frame / u128::from(rate.denominator());
        let off = expected.abs_diff(u128::from(self.counted) * 1_000_000_000);
        off > 2_000_000_000 && off * 2000 > expected
    }
}

fn rate_micro(count: u64, elapsed: u128, clock: u128) -> Option<u64> {
    let rate = (u128::from(count) * clock * 1_000_000).checked_div(elapsed)?;
    u64::try_from(rate).ok().filter(|rate| *rate > 0)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "numbers of a test fit")]
mod tests {
    use super::*;

    fn timeline(numerator: u32, denominator: u32, scan: Scan) -> Timeline {
        Timeline::new(Ratio::new(numerator, denominator), scan)
    }

    #[test]
    fn truncated_increments_are_right_and_others_are_not() {
        let mut line = timeline(60_000, 1001, Scan::Progressive);
        for frame in 0..200_u64 {
            let timestamp = u32::MAX.wrapping_sub(50_000).wrapping_add((frame * 3003 / 2) as u32);
            let expected = if frame == 0 { Step::First } else { Step::Periods(1) };
            assert_eq!(line.handle(timestamp, None), expected);
        }
        let steps: Vec<_> = line.steps().0.iter().map(|step| (step.ticks, step.count)).collect();
        assert_eq!(steps, [(1501, 100), (1502, 99)]);
        assert_eq!(line.timestamp_rate_micro().unwrap() / 1000, 59_940);
        assert_eq!(line.most_stray(), 0);
    }

    #[test]
    fn rounding_in_the_same_direction_each_time_strays() {
        let mut line = timeline(60_000, 1001, Scan::Progressive);
        let seen: Vec<_> = (0..4).map(|frame| line.handle(frame * 1501, None)).collect();
        assert_eq!(seen, [Step::First, Step::Periods(1), Step::Stray(1), Step::Stray(1)]);
    }

    #[test]
    fn fields_gaps_and_jumps() {
        let mut line = timeline(30_000, 1001, Scan::Interlaced);
        let seen: Vec<_> =
            [0, 1501, 3003, 6006, 6006, 7000, 2000].map(|timestamp| line.handle(timestamp, None)).into();
        assert_eq!(
            seen,
            [
                Step::First,
                Step::Periods(1),
                Step::Periods(1),
                Step::Periods(2),
                Step::Same,
                Step::Wrong,
                Step::Wrong
            ]
        );
    }

    #[test]
    fn arrival_tells_fifty_from_sixty() {
        let mut line = timeline(50, 1, Scan::Progressive);
        for frame in 0..50_u32 {
            line.handle(frame * 1800, Some(Timestamp::from_ns(i64::from(frame) * 16_666_667)));
        }
        assert!(line.has_other_rate());
        assert_eq!(line.arrival_rate_micro().unwrap() / 1000, 59_999);
        let mut line = timeline(50, 1, Scan::Progressive);
        for frame in 0..50_u32 {
            line.handle(frame * 1800, Some(Timestamp::from_ns(i64::from(frame) * 20_000_400)));
        }
        assert!(!line.has_other_rate());
    }
}
