//! Many numbers in few: extremes and mean, and histograms of fixed size.

use alloc::{vec, vec::Vec};

/// Least, greatest and mean of numbers that came one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// The least; 0 where there were none.
    pub least: i64,
    /// The greatest; 0 where there were none.
    pub greatest: i64,
    sum: i128,
}

impl Spread {
    /// Adds one.
    #[inline]
    pub fn add(&mut self, value: i64) {
        if self.count == 0 {
            (self.least, self.greatest) = (value, value);
        } else {
            self.least = self.least.min(value);
            self.greatest = self.greatest.max(value);
        }
        self.count += 1;
        self.sum += i128::from(value);
    }

    /// Adds many, whose sum, least and greatest are known.
    pub fn add_many(&mut self, count: u64, sum: i64, least: i64, greatest: i64) {
        self.merge(&Spread { count, least, greatest, sum: i128::from(sum) });
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Spread) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
    }

    /// The mean, rounded down; `None` where there were none.
    pub fn mean(&self) -> Option<i64> {
        i64::try_from(self.sum.checked_div_euclid(i128::from(self.count))?).ok()
    }

    /// Whether there were none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Steps of an octave that a [`LogHistogram`] tells apart.
const STEPS: u64 = 8;

/// How often numbers of each magnitude came: eight steps an octave, so that a bar is at most an eighth wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHistogram {
    counts: Vec<u64>,
}

impl Default for LogHistogram {
    fn default() -> LogHistogram {
        // Up to 2^40: eighteen minutes in nanoseconds.
        LogHistogram { counts: vec![0; 38 * 8] }
    }
}

impl LogHistogram {
    /// Adds one number; what is longer than the last bar counts there.
    #[inline]
    pub fn add(&mut self, value: u64) {
        let index = Self::place(value).min(self.counts.len().saturating_sub(1));
        if let Some(count) = self.counts.get_mut(index) {
            *count += 1;
        }
    }

    #[inline]
    fn place(value: u64) -> usize {
        if value < STEPS {
            return usize::try_from(value).unwrap_or(0);
        }
        let octave = value.ilog2();
        let step = (value >> (octave - 3)) & (STEPS - 1);
        usize::try_from(u64::from(octave - 2) * STEPS + step).unwrap_or(usize::MAX)
    }

    /// The bars that are not empty, ascending: from, up to and without, how many.
    pub fn bars(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let from = |place: u64| match place / STEPS {
            0 => place,
            octave => (STEPS + place % STEPS) << (octave - 1),
        };
        (0_u64..)
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0)
            .map(move |(place, count)| (from(place), from(place + 1), *count))
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &LogHistogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// All that were added.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// How often each small number came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    lowest: i64,
    width: i64,
    /// How many were below the first bar.
    pub below: u64,
    /// How many were above the last bar.
    pub above: u64,
}

impl Histogram {
    /// So many bars of this width, the first of which begins at `lowest`.
    pub fn new(lowest: i64, width: u32, bars: u16) -> Histogram {
        let width = i64::from(width.max(1));
        Histogram { counts: vec![0; usize::from(bars)], lowest, width, below: 0, above: 0 }
    }

    /// Adds one.
    #[inline]
    pub fn add(&mut self, value: i64) {
        let distance = value.saturating_sub(self.lowest);
        let place = if self.width == 1 { distance } else { distance.div_euclid(self.width) };
        match usize::try_from(place) {
            Err(_) => self.below += 1,
            Ok(place) => match self.counts.get_mut(place) {
                Some(count) => *count += 1,
                None => self.above += 1,
            },
        }
    }

    /// The bars that are not empty, ascending: the first number of each, and how many.
    pub fn bars(&self) -> impl Iterator<Item = (i64, u64)> {
        (0_i64..)
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0)
            .map(|(place, count)| (self.lowest + place * self.width, *count))
    }

    /// Numbers that share a bar.
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// All that were added.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.below + self.above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_mean() {
        let mut spread = Spread::default();
        assert_eq!(spread.mean(), None);
        for value in [3, -1, 5] {
            spread.add(value);
        }
        assert_eq!((spread.least, spread.greatest, spread.mean()), (-1, 5, Some(2)));
        let mut other = Spread::default();
        other.merge(&spread);
        other.merge(&spread);
        assert_eq!((other.count, other.mean()), (6, Some(2)));
    }

    #[test]
    fn every_number_lies_in_its_bar() {
        for value in (0..5000).chain((0..40).flat_map(|octave| [(1_u64 << octave) - 1, 1 << octave])) {
            let mut histogram = LogHistogram::default();
            histogram.add(value);
            let (from, to, count) = histogram.bars().next().unwrap();
            assert!(from <= value && value < to && count == 1, "{value} in {from}..{to}");
            assert!((to - from) * 8 <= from.max(8));
        }
        let mut histogram = LogHistogram::default();
        histogram.add(u64::MAX);
        assert_eq!(histogram.total(), 1);
    }

    #[test]
    fn small_numbers_are_counted_each() {
        let mut histogram = Histogram::new(-2, 1, 4);
        for value in [-3, -2, 0, 0, 1, 2] {
            histogram.add(value);
        }
        assert_eq!(histogram.bars().collect::<Vec<_>>(), [(-2, 1), (0, 2), (1, 1)]);
        assert_eq!((histogram.below, histogram.above, histogram.total()), (1, 1, 6));
    }
}
