//! Waiting until something is due: asleep while there is time, then awake, because sleep ends late (clock_nanosleep(2)).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::media::Lateness;
use model::{Tai, Timestamp};
use rustix::thread::{NanosleepRelativeResult, clock_nanosleep_absolute, nanosleep};
use rustix::time::{ClockId, DynamicClockId, Timespec, clock_gettime, clock_gettime_dynamic};

/// How long a sleep is at most, so that a wish to stop is heard.
const NAP_NS: i64 = 100_000_000;

/// A clock to wait on, and how late waiting ended.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// What TAI is ahead of the system's clock.
    ahead_ns: i64,
    told: bool,
    spin_ns: i64,
    lateness: Lateness,
}

fn utc_ns() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

/// What TAI is ahead of UTC in whole nanoseconds, where somebody has told the kernel.
pub(super) fn told_ahead_ns() -> Option<i64> {
    let tai = clock_gettime_dynamic(DynamicClockId::Tai).ok()?;
    let utc = utc_ns();
    // Read one after the other, they differ by whole seconds and a little.
    let seconds = (tai.tv_sec.saturating_mul(1_000_000_000) + tai.tv_nsec - utc + 500_000_000)
        .div_euclid(1_000_000_000);
    (seconds > 0).then_some(seconds * 1_000_000_000)
}

impl Pacer {
    /// As far ahead of the system's clock as the kernel says; where nobody told it, `ahead_ns`. It stays awake for the last
    /// `spin` before something is due.
    pub fn new(ahead_ns: i64, spin: Duration) -> Pacer {
        let told = told_ahead_ns();
        let spin_ns = i64::try_from(spin.as_nanos()).unwrap_or(i64::MAX);
        Pacer {
            ahead_ns: told.unwrap_or(ahead_ns),
            told: told.is_some(),
            spin_ns,
            lateness: Lateness::default(),
        }
    }

    /// From now on it sleeps until something is due: for what need not be precise.
    pub fn stay_asleep(&mut self) {
        self.spin_ns = 0;
    }

    /// Which clock it is.
    pub fn clock(&self) -> String {
        let seconds = self.ahead_ns / 1_000_000_000;
        if self.told {
            format!("CLOCK_TAI, {seconds} s ahead of UTC")
        } else {
            format!("CLOCK_REALTIME and {seconds} s, because nobody told the kernel TAI")
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp<Tai> {
        Timestamp::from_ns(utc_ns().saturating_add(self.ahead_ns))
    }

    /// Waits until then, or until `stop` is set; gives the time, which is earlier only where it stopped.
    pub fn wait(&mut self, until: Timestamp<Tai>, stop: &AtomicBool) -> Timestamp<Tai> {
        loop {
            let now = self.now();
            let left = until.since_ns(now);
            if left <= 0 {
                self.lateness.note(left.unsigned_abs());
                return now;
            }
            if stop.load(Ordering::Relaxed) {
                return now;
            }
            if left > self.spin_ns {
                let nap = (left - self.spin_ns).min(NAP_NS);
                let end = now.as_ns().saturating_sub(self.ahead_ns).saturating_add(nap);
                let end = Timespec {
                    tv_sec: end.div_euclid(1_000_000_000),
                    tv_nsec: end.rem_euclid(1_000_000_000),
                };
                // Woken early, it goes to sleep again.
                let _: Result<(), _> = clock_nanosleep_absolute(ClockId::Realtime, &end);
            }
        }
    }

    /// Sleeps for so long, or a little longer.
    pub fn sleep(&self, time: Duration) {
        let tv_sec = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let length = Timespec { tv_sec, tv_nsec: i64::from(time.subsec_nanos()) };
        // Woken early, it has slept less.
        let _: NanosleepRelativeResult = nanosleep(&length);
    }

    /// How late waiting ended so far.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_when_due_and_not_before() {
        let mut pacer = Pacer::new(37_000_000_000, Duration::from_micros(50));
        let stop = AtomicBool::new(false);
        let begun = pacer.now();
        for step in 1..=20 {
            let due = Timestamp::from_ns(begun.as_ns() + step * 200_000);
            assert!(pacer.wait(due, &stop) >= due);
        }
        assert_eq!(pacer.lateness().count, 20);
        // What is past is not waited for, and is as late as it is.
        pacer.wait(begun, &stop);
        assert!(pacer.lateness().max_ns >= 4_000_000);
    }

    #[test]
    fn a_wish_to_stop_ends_waiting() {
        let mut pacer = Pacer::new(0, Duration::ZERO);
        let far = Timestamp::from_ns(pacer.now().as_ns() + 3_600_000_000_000);
        assert!(pacer.wait(far, &AtomicBool::new(true)) < far);
        assert_eq!(pacer.lateness().count, 0);
    }
}
