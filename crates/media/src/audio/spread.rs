//! Least, mean and most of what is met one by one, and delay factors over windows (EBU Tech 3337).

use std::collections::VecDeque;

use model::media::audio::{AudioSpan, DelayWindow, Spread};

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

    /// Takes all that another took.
    fn join(&mut self, other: &Gather) {
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// What was gathered; `None` where nothing was.
    pub fn spread(&self) -> Option<Spread> {
        let mean = self.sum.checked_div_euclid(i128::from(self.count))?;
        let mean_ns = i64::try_from(mean).ok()?;
        Some(Spread { count: self.count, least_ns: self.least, mean_ns, most_ns: self.most })
    }
}

/// What was gathered along the time, in spans that double where they become too many.
#[derive(Debug, Clone)]
pub struct Course {
    span_ns: i64,
    first_ns: Option<i64>,
    /// By the number of the span since the first packet.
    spans: Vec<(i64, Gather)>,
}

/// Spans that are kept.
const MOST_SPANS: usize = 512;

impl Course {
    /// With spans of this length at first.
    pub const fn new(span_ns: i64) -> Course {
        Course { span_ns, first_ns: None, spans: Vec::new() }
    }

    /// Takes what was measured at a time.
    pub fn add(&mut self, time_ns: i64, value_ns: i64) {
        let first_ns = *self.first_ns.get_or_insert(time_ns);
        // Time that runs back belongs to the span that is open.
        let newest = self.spans.last().map_or(0, |span| span.0);
        let number = (time_ns.saturating_sub(first_ns) / self.span_ns).max(newest);
        match self.spans.last_mut().filter(|span| span.0 == number) {
            Some(span) => span.1.add(value_ns),
            None => {
                let mut gather = Gather::default();
                gather.add(value_ns);
                self.spans.push((number, gather));
            }
        }
        if self.spans.len() > MOST_SPANS {
            self.span_ns = self.span_ns.saturating_mul(2);
            self.spans.iter_mut().for_each(|span| span.0 /= 2);
            self.spans.dedup_by(|later, earlier| {
                let joined = later.0 == earlier.0;
                if joined {
                    earlier.1.join(&later.1);
                }
                joined
            });
        }
    }

    /// All spans in which something was measured.
    pub fn spans(&self) -> impl Iterator<Item = AudioSpan> + '_ {
        self.spans.iter().filter_map(|(number, gather)| {
            Some(AudioSpan { from_ns: number.saturating_mul(self.span_ns), latency: gather.spread()? })
        })
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
    /// The last windows: when each began, and its factor.
    last: VecDeque<DelayWindow>,
    /// How many of them are kept.
    most: usize,
}

impl DelayFactor {
    /// With windows of this length.
    pub const fn new(length_ns: i64) -> DelayFactor {
        DelayFactor {
            length_ns,
            open: None,
            windows: Gather { count: 0, least: 0, most: 0, sum: 0 },
            last: VecDeque::new(),
            most: 0,
        }
    }

    /// That keeps so many of the last windows.
    pub const fn keeping(mut self, most: usize) -> DelayFactor {
        self.most = most;
        self
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
            let delay_factor_ns = open.most.saturating_sub(open.least);
            self.windows.add(delay_factor_ns);
            if self.most > 0 {
                if self.last.len() >= self.most {
                    self.last.pop_front();
                }
                self.last.push_back(DelayWindow { at_ns: open.time_ns, delay_factor_ns });
            }
            Closed { arrival_ns, media_ns }
        });
        self.open = Some(fresh);
        over
    }

    /// Forgets the window that is open: the clock was set anew.
    pub fn restart(&mut self) {
        self.open = None;
    }

    /// The last windows that are over.
    pub fn last(&self) -> impl Iterator<Item = DelayWindow> + '_ {
        self.last.iter().copied()
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
    fn spans_double_where_they_become_too_many() {
        let mut course = Course::new(1000);
        for k in 0..100_000_i64 {
            course.add(5_000_000 + k * 100, k);
        }
        let spans: Vec<AudioSpan> = course.spans().collect();
        assert!((256..=512).contains(&spans.len()), "{}", spans.len());
        let counts: u64 = spans.iter().map(|span| span.latency.count).sum();
        assert_eq!((counts, spans[0].from_ns, spans[0].latency.least_ns), (100_000, 0, 0));
        assert_eq!(spans.last().unwrap().latency.most_ns, 99_999);
        assert!(spans.windows(2).all(|pair| pair[0].latency.most_ns + 1 == pair[1].latency.least_ns));
        for time_ns in [i64::MAX, i64::MIN, 0, i64::MAX] {
            course.add(time_ns, -1);
        }
        assert!(course.spans().count() <= 512);
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
