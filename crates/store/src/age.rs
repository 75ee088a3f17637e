//! The history's own clock, by which things grow old: it never goes back, and a jump moves it by a day at most.
//!
//! A machine's clock may be set ten years ahead and back again. If age were the difference of two such times, the first
//! trim after the jump would delete everything. So age is counted in steps: at each trim, the time since the last one
//! is added, but no more than a day, and nothing where the clock went back. A jump of ten years makes the history one
//! day older. The price: a machine that was off for a month has a history that is kept a month longer.

use model::{Timestamp, Utc};

use crate::row::State;

/// The most that one step may add.
const LONGEST_STEP_S: i64 = 86_400;

/// Seconds of a day.
pub(crate) const DAY_S: u64 = 86_400;

/// Moves the clock to `now`.
pub(crate) fn advance(state: &mut State, now: Timestamp<Utc>) {
    let Some(before) = state.clock_ns else {
        state.clock_ns = Some(now.as_ns());
        return;
    };
    let passed = now.since_ns(Timestamp::from_ns(before));
    let step = (passed / 1_000_000_000).clamp(0, LONGEST_STEP_S);
    state.age_s = state.age_s.saturating_add(u64::try_from(step).unwrap_or(0));
    // What is left over of a second counts next time.
    let went_on = (0..LONGEST_STEP_S).contains(&(passed / 1_000_000_000)) && passed >= 0;
    let clock = if went_on { before.saturating_add(step * 1_000_000_000) } else { now.as_ns() };
    state.clock_ns = Some(clock);
}

/// Whether something that happened at this age is older than so many seconds.
pub(crate) fn is_older(state: &State, then: u64, seconds: u64) -> bool {
    state.age_s.saturating_sub(then) > seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_a_day_and_going_back_is_nothing() {
        const SECOND: i64 = 1_000_000_000;
        const YEAR: i64 = 365 * 86_400 * SECOND;
        let mut state = State::default();
        let mut at = |ns| {
            advance(&mut state, Timestamp::from_ns(ns));
            state.age_s
        };
        assert_eq!(at(YEAR), 0);
        assert_eq!(at(YEAR + 60 * SECOND), 60);
        assert_eq!(at(11 * YEAR), 60 + DAY_S);
        assert_eq!(at(YEAR + 120 * SECOND), 60 + DAY_S);
        assert_eq!(at(YEAR + 180 * SECOND), 120 + DAY_S);
        // Many small steps are as long as one.
        for step in 1..=20 {
            at(YEAR + 180 * SECOND + step * SECOND / 2);
            // Read in between, as often as one likes.
        }
        assert_eq!(at(YEAR + 190 * SECOND), 130 + DAY_S);
        assert_eq!(at(i64::MIN), 130 + DAY_S);
        assert_eq!(at(i64::MAX), 130 + 2 * DAY_S);
    }
}
