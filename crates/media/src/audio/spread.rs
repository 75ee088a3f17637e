//! Least, mean and most of what is met one by one, and delay factors over windows (EBU Tech 3337).

use model::media::audio::Spread;

use super::packet_time::ns_of;

/// Gathers a [`Spread`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Gather {
    count: u64,
    least: i64,
    most: i64,
    sum: i128,
}

impl Gather {
    /// Takes one more.
    pub fn add(&mut self, ns: i64) {
        if self.count == 0 {
            (self.least, self.most) = (ns, ns);
        }
        self.least = self.least.min(ns);
        self.most = self.most.max(ns);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(i128::from(ns));
    }

    /// What was gathered; `None` where nothing was.
    pub fn spread(&self) -> Option<Spread> {
        let mean = self.sum.checked_div_euclid(i128::from(self.count))?;
        let mean_ns = i64::try_from(mean).ok()?;
        Some(Spread { count: self.count, least_ns: self.least, mean_ns, most_ns: self.most })
    }
}

/// What is known of a window while it lasts.
#[derive(Debug, Clone, Copy)]
struct Open {
    time_ns: i64,
    timestamp: u32,
    least: i64,
    most: i64,
}

/// A window that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// Arrival time from its first packet to the first after it.
    pub arrival_ns: i64,
    /// RTP time between the same.
    pub media_ns: i64,
}

/// The time-stamped delay factor: how far arrival minus RTP time moves within a window, window after window.
#[derive(Debug, Clone)]
pub struct DelayFactor {
    length_ns: i64,
    open: Option<Open>,
    windows: Gather,
}

impl DelayFactor {
    /// With windows of this length.
    pub const fn new(length_ns: i64) -> DelayFactor {
        DelayFactor { length_ns, open: None, windows: Gather { count: 0, least: 0, most: 0, sum: 0 } }
    }

    /// Takes a packet; says so where that ends a window.
    pub fn handle(&mut self, time_ns: i64, timestamp: u32, sample_rate: u32) -> Option<Closed> {
        let fresh = Open { time_ns, timestamp, least: 0, most: 0 };
        let Some(open) = &mut self.open else {
            self.open = Some(fresh);
            return None;
        };
        let arrival_ns = time_ns.saturating_sub(open.time_ns);
        let steps = timestamp.wrapping_sub(open.timestamp).cast_signed();
        let media_ns = ns_of(i64::from(steps), sample_rate);
        if (0..self.length_ns).contains(&arrival_ns) {
            let difference = arrival_ns.saturating_sub(media_ns);
            open.least = open.least.min(difference);
            open.most = open.most.max(difference);
            return None;
        }
        let over = (arrival_ns > 0).then(|| {
            self.windows.add(open.most.saturating_sub(open.least));
            Closed { arrival_ns, media_ns }
        });
        self.open = Some(fresh);
        over
    }

    /// Forgets the window that is open: the clock was set anew.
    pub fn restart(&mut self) {
        self.open = None;
    }

    /// Over all windows that are over.
    pub fn spread(&self) -> Option<Spread> {
        self.windows.spread()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_down_also_below_zero() {
        let mut gather = Gather::default();
        assert_eq!(gather.spread(), None);
        for ns in [-3, 0, 2] {
            gather.add(ns);
        }
        assert_eq!(gather.spread(), Some(Spread { count: 3, least_ns: -3, mean_ns: -1, most_ns: 2 }));
        for _ in 0..3 {
            gather.add(i64::MIN);
            gather.add(i64::MAX);
        }
        assert_eq!(gather.spread().unwrap().count, 9);
    }

    #[test]
    fn a_window_measures_the_way_from_least_to_most() {
        let mut factor = DelayFactor::new(1_000_000_000);
        // Packets of 1 ms; every seventh is 30 µs late, every fifth 20 µs early.
        let mut over = 0;
        for k in 0..2500_i64 {
            let late = if k % 7 == 3 { 30_000 } else { 0 } - if k % 5 == 4 { 20_000 } else { 0 };
            let timestamp = u32::try_from(k * 48).unwrap().wrapping_add(u32::MAX - 1000);
            over += u32::from(factor.handle(k * 1_000_000 + late, timestamp, 48_000).is_some());
        }
        let spread = factor.spread().unwrap();
        assert_eq!((over, spread.count, spread.least_ns, spread.most_ns), (2, 2, 50_000, 50_000));
    }

    #[test]
    fn time_that_runs_back_begins_anew() {
        let mut factor = DelayFactor::new(200);
        assert_eq!(factor.handle(1000, 0, 48_000), None);
        assert_eq!(factor.handle(10, 0, 48_000), None);
        assert_eq!(factor.spread(), None);
        assert_eq!(factor.handle(310, 48, 48_000), Some(Closed { arrival_ns: 300, media_ns: 1_000_000 }));
        factor.restart();
        assert_eq!(factor.handle(i64::MAX, 0, 48_000), None);
    }
}
