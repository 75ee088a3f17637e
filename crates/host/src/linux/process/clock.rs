//! When a process started: ticks since boot, as UTC.

use model::{Timestamp, Utc};

/// Turns ticks since boot into time. One offset serves all looks, so that a process keeps its start.
#[derive(Debug)]
pub(super) struct Clock {
    boot_ns: i64,
    ticks_per_second: u64,
}

impl Clock {
    pub(super) fn now() -> Clock {
        let boot = clock_ns(rustix::time::ClockId::Boottime);
        let boot_ns = clock_ns(rustix::time::ClockId::Realtime).saturating_sub(boot);
        Clock { boot_ns, ticks_per_second: rustix::param::clock_ticks_per_second().max(1) }
    }

    pub(super) fn look_ns(&self) -> i64 {
        self.boot_ns.saturating_add(clock_ns(rustix::time::ClockId::Boottime))
    }

    /// The same from nanoseconds since boot, as exact as /proc tells it.
    pub(super) fn at_boot_ns(&self, ns: u64) -> Timestamp<Utc> {
        self.at_ticks(ns / (1_000_000_000 / self.ticks_per_second.min(1_000_000_000)))
    }

    pub(super) fn at_ticks(&self, ticks: u64) -> Timestamp<Utc> {
        let ns = u128::from(ticks) * 1_000_000_000 / u128::from(self.ticks_per_second);
        Timestamp::from_ns(self.boot_ns.saturating_add(i64::try_from(ns).unwrap_or(i64::MAX)))
    }
}

pub(crate) fn clock_ns(id: rustix::time::ClockId) -> i64 {
    let now = rustix::time::clock_gettime(id);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}
