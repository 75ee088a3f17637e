//! How often frames come and how they are scanned, by the timestamps of a stream that nobody described (ST 2110-10:2022 §7.6).

use model::media::{Ratio, Scan};

use super::timeline::{Step, Timeline};

/// Frames or fields that must have come before anything is said.
const FEWEST_UNITS: usize = 3;

/// Timestamps of frames that are kept.
const MOST_UNITS: usize = 32;

/// Frames that may have been lost in a row.
const MOST_LOST: u64 = 8;

/// The frame rates that are in use.
const USUAL: [(u32, u32); 14] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48_000, 1001),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (100, 1),
    (120_000, 1001),
    (120, 1),
    (15, 1),
];

/// Frames or fields that came, one after the other: timestamp, and whether it is a second field.
pub(super) type Units = Vec<(u32, bool)>;

/// Remembers a frame that came.
pub(super) fn remember(units: &mut Units, unit: (u32, bool)) {
    if units.len() < MOST_UNITS {
        units.push(unit);
    }
}

/// What timestamps say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) scan: Scan,
    /// Frames a second, also of fields.
    pub(super) rate: Ratio,
    pub(super) words: String,
    /// What was taken for granted.
    pub(super) assumed: Option<String>,
}

/// The rate by frames or fields one after the other; some may have been lost.
pub(super) fn of(units: &Units) -> Option<Found> {
    if units.len() < FEWEST_UNITS {
        return None;
    }
    let fields = units.iter().any(|(_, second)| *second);
    let together = units.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if a == b)).count();
    let scan = match (fields, together) {
        (false, _) => Scan::Progressive,
        (true, 0) => Scan::Interlaced,
        (true, _) => Scan::Segmented,
    };
    let usual = || USUAL.iter().filter_map(|(above, below)| Ratio::new(*above, *below));
    let mut fitting = usual().filter(|rate| fits(units, *rate, scan));
    if let Some(rate) = fitting.next() {
        let words = match fitting.next() {
            None => format!("{rate} frames a second by timestamps"),
            Some(other) => format!("{rate} frames a second by timestamps ({other} fits too, so few came)"),
        };
        return Some(Found { scan, rate, words, assumed: None });
    }
    // No usual rate to the tick: what lies between most of them.
    let ticks = step(units, scan)?;
    let millionths = |rate: &Ratio| {
        u64::from(rate.numerator()) * 1_000_000 / u64::from(rate.denominator()) * ticks / 90_000
    };
    let away = |rate: &Ratio| millionths(rate).abs_diff(1_000_000);
    let nearest = usual().min_by_key(away).filter(|rate| away(rate) < 5000);
    let (rate, assumed) = match nearest {
        Some(rate) => {
            (rate, Some(format!("{rate} frames a second, the nearest usual rate to {ticks} ticks")))
        }
        None => (Ratio::new(90_000, u32::try_from(ticks).ok()?)?, None),
    };
    let words = format!("frames {ticks} ticks apart by timestamps, which is no usual rate");
    Some(Found { scan, rate, words, assumed })
}

/// Whether the timestamps are this rate's, truncated, and most of them neighbours.
fn fits(units: &Units, rate: Ratio, scan: Scan) -> bool {
    let mut timeline = Timeline::new(Some(rate), scan);
    let (mut near, mut far) = (0_usize, 0_usize);
    let all = units.iter().all(|(timestamp, _)| match timeline.handle(*timestamp, None) {
        Step::First => true,
        Step::Periods(1) => {
            near += 1;
            true
        }
        Step::Periods(2..=MOST_LOST) => {
            far += 1;
            true
        }
        Step::Same => scan == Scan::Segmented,
        _ => false,
    });
    all && near > far
}

/// Ticks of a frame, by the median of what lies between neighbours.
fn step(units: &Units, scan: Scan) -> Option<u64> {
    let between = units.windows(2).filter_map(|pair| match pair {
        [(one, _), (next, _)] => Some(next.wrapping_sub(*one)),
        _ => None,
    });
    let mut steps: Vec<u32> = between.filter(|ticks| (1..u32::MAX / 2).contains(ticks)).collect();
    steps.sort_unstable();
    let median = steps.get(steps.len() / 2)?;
    Some(u64::from(*median) * if scan == Scan::Interlaced { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(timestamps: &[u32]) -> Option<(String, bool)> {
        let units: Units = timestamps.iter().map(|timestamp| (*timestamp, false)).collect();
        of(&units).map(|found| (found.rate.to_string(), found.assumed.is_some()))
    }

    #[test]
    fn frames_that_were_lost_and_steps_that_are_odd_leave_a_rate() {
        let expect = |rate: &str, assumed| Some((rate.to_owned(), assumed));
        assert_eq!(found(&[0, 1800]), None);
        assert_eq!(found(&[0, 1800, 3600]), expect("50", false));
        assert_eq!(found(&[u32::MAX - 1799, 0, 1501, 3003]), expect("60000/1001", true));
        assert_eq!(found(&[0, 1501, 3003, 4504]), expect("60000/1001", false));
        // Lost ones: 50, and neither 25 nor 100.
        assert_eq!(found(&[0, 1800, 3600, 7200, 9000, 14_400, 16_200]), expect("50", false));
        // Timestamps that are rounded to even numbers, and a clock that drifts.
        assert_eq!(found(&[0, 1500, 3002, 4504, 6006]), expect("60000/1001", true));
        assert_eq!(found(&[0, 1803, 3606, 5409]), expect("50", true));
        assert_eq!(found(&[0, 1700, 3400, 5100]), expect("900/17", false));
        assert_eq!(found(&[5, 5, 5, 5]), None);
    }
}
