//! The virtual receiver buffer: packets in, reads out (ST 2110-21:2022 §6.6, RP 2110-25:2023).

use model::media::{Histogram, Spread};

use crate::clock::Steps;

/// The packets of a unit: when each came, in the order of arrival, and which are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrivals<'a> {
    /// When each came.
    pub(crate) times: &'a [i64],
    /// Which packet of the unit each is; empty where they came in order and none is missing.
    pub(crate) places: &'a [u32],
    /// One bit for each packet of the unit that is there; empty where none is missing.
    pub(crate) present: &'a [u64],
    /// Packets of the unit.
    pub(crate) total: u32,
}

impl Arrivals<'_> {
    fn is_present(&self, place: u32) -> bool {
        let word = usize::try_from(place / 64).ok().and_then(|word| self.present.get(word));
        self.present.is_empty() || word.is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// By how much the reads must begin later so that no packet comes after its read: rounded up.
    pub(crate) fn fit_ns(&self, reads: Steps) -> i64 {
        let mut fit = i64::MIN;
        if self.places.is_empty() {
            let mut steps = reads;
            for at in self.times {
                // The fraction of the read, below a nanosecond, is what rounding up takes away again.
                fit = fit.max(at.saturating_sub(steps.ns));
                steps.advance();
            }
        } else {
            for (at, place) in self.times.iter().zip(self.places) {
                let mut steps = reads;
                steps.skip(u64::from(*place));
                fit = fit.max(at.saturating_sub(steps.ns));
            }
        }
        fit
    }
}

/// The buffer of one read schedule, from unit to unit.
#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    level: i32,
    /// Reads of the unit before that were not due when its last packet came.
    rest: Steps,
    rest_count: u32,
}

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer { level: 0, rest: Steps::new(0, 1, 1), rest_count: 0 }
    }
}

/// Reads of the unit after the one that is taken.
struct Ahead {
    reads: Option<Steps>,
    /// Those that were due.
    count: i32,
    most: u32,
}

impl Ahead {
    /// How many more are due.
    #[inline]
    fn due(&mut self, is_due: impl Fn(&Steps) -> bool) -> i32 {
        let Some(reads) = &mut self.reads else { return 0 };
        let before = self.count;
        while self.most > 0 && is_due(reads) {
            self.most -= 1;
            self.count += 1;
            reads.advance();
        }
        self.count - before
    }
}

/// What a unit did to the buffer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filling {
    /// The emptiest; negative by as many reads as waited.
    pub(crate) least: i32,
    /// The fullest.
    pub(crate) most: i32,
    /// Whether a packet came after its read.
    pub(crate) late: bool,
}

impl Buffer {
    /// Forgets what is in it.
    pub(crate) fn empty(&mut self) {
        (self.level, self.rest_count) = (0, 0);
    }

    /// Takes a unit's packets. At one instant a packet comes before it is read, and what counts is the outcome.
    ///
    /// `following` are the reads of the unit after it, as many as its own: those that are due before its last packet
    /// take from what is seen here, and are counted again when that unit comes.
    #[inline]
    pub(crate) fn take(
        &mut self,
        arrivals: Arrivals<'_>,
        reads: Steps,
        following: Option<Steps>,
        levels: &mut Spread,
        histogram: Option<&mut Histogram>,
    ) -> Filling {
        let last = arrivals.times.last().copied().unwrap_or(i64::MIN);
        let following = following.filter(|following| following.is_by(last));
        if arrivals.present.is_empty() {
            self.run::<true>(arrivals, reads, following, levels, histogram)
        } else {
            self.run::<false>(arrivals, reads, following, levels, histogram)
        }
    }

    fn run<const WHOLE: bool>(
        &mut self,
        arrivals: Arrivals<'_>,
        reads: Steps,
        following: Option<Steps>,
        levels: &mut Spread,
        mut histogram: Option<&mut Histogram>,
    ) -> Filling {
        let (mut level, mut steps, mut next) = (self.level, reads, 0_u32);
        let mut ahead = Ahead { reads: following, count: 0, most: arrivals.total };
        let (mut least, mut most, mut sum) = (i32::MAX, i32::MIN, 0_i64);
        let read = |place: u32| i32::from(WHOLE || arrivals.is_present(place));
        for &at in arrivals.times {
            while self.rest_count > 0 && self.rest.is_before(at) {
                level -= 1;
                self.rest_count -= 1;
                self.rest.advance();
            }
            if self.rest_count == 0 {
                while next < arrivals.total && steps.is_before(at) {
                    level -= read(next);
                    next += 1;
                    steps.advance();
                }
                if next == arrivals.total {
                    level -= ahead.due(|read| read.is_before(at));
                }
            }
            // Reads only ever take away, so the emptiest is just before the packet.
            least = least.min(level);
            level += 1;
            if self.rest_count > 0 {
                if self.rest.is_by(at) {
                    level -= 1;
                    self.rest_count -= 1;
                    self.rest.advance();
                }
            } else if next < arrivals.total {
                if steps.is_by(at) {
                    level -= read(next);
                    next += 1;
                    steps.advance();
                }
            } else {
                level -= ahead.due(|read| read.is_by(at));
            }
            most = most.max(level);
            sum += i64::from(level);
            if let Some(histogram) = &mut histogram {
                histogram.add(i64::from(level));
            }
        }
        if arrivals.times.is_empty() {
            return Filling::default();
        }
        levels.add_many(u64::try_from(arrivals.times.len()).unwrap_or(0), sum, least.into(), most.into());
        self.level = level + ahead.count;
        if WHOLE {
            (self.rest, self.rest_count) = (steps, arrivals.total - next);
        } else {
            // Which of the missing would still have been read is not known any more.
            self.empty();
        }
        Filling { least, most, late: least < 0 || Self::some_late(arrivals, reads) }
    }

    /// Whether a packet that came out of order came after its read, while others filled the buffer.
    fn some_late(arrivals: Arrivals<'_>, reads: Steps) -> bool {
        let mut highest = 0;
        arrivals.times.iter().zip(arrivals.places).any(|(at, place)| {
            let behind = *place < highest;
            highest = highest.max(*place);
            behind && {
                let mut read = reads;
                read.skip(u64::from(*place));
                read.is_before(*at)
            }
        })
    }
}
