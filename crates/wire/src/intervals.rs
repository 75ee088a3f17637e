//! Sets of whole numbers as ordered intervals: what a packet filter leaves of ports, protocols and addresses.

use alloc::vec::Vec;

/// A set of numbers from 0 to a largest one; kept ordered, apart, and not touching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervals {
    parts: Vec<(u128, u128)>,
    max: u128,
}

impl Intervals {
    /// Every number of this many bits.
    pub fn full(bits: u32) -> Intervals {
        let max = u128::MAX.checked_shr(128_u32.saturating_sub(bits)).unwrap_or(0);
        Intervals { parts: Vec::from([(0, max)]), max }
    }

    /// No number, of this many bits.
    pub fn empty(bits: u32) -> Intervals {
        Intervals { parts: Vec::new(), ..Intervals::full(bits) }
    }

    /// Exactly these, both ends included, cut to the numbers of `bits` bits.
    pub fn of(bits: u32, parts: impl IntoIterator<Item = (u128, u128)>) -> Intervals {
        let Intervals { max, .. } = Intervals::full(bits);
        let mut sorted: Vec<(u128, u128)> = parts
            .into_iter()
            .filter(|(first, last)| first <= last && *first <= max)
            .map(|(first, last)| (first, last.min(max)))
            .collect();
        sorted.sort_unstable();
        let mut parts: Vec<(u128, u128)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match parts.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => parts.push((first, last)),
            }
        }
        Intervals { parts, max }
    }

    /// The intervals, in order, both ends included.
    pub fn parts(&self) -> &[(u128, u128)] {
        &self.parts
    }

    /// Whether every number is in it.
    pub fn is_full(&self) -> bool {
        self.parts == [(0, self.max)]
    }

    /// Whether no number is in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether this number is in it.
    pub fn contains(&self, number: u128) -> bool {
        let after = self.parts.partition_point(|(first, _)| *first <= number);
        after.checked_sub(1).and_then(|index| self.parts.get(index)).is_some_and(|(_, last)| number <= *last)
    }

    /// Whether at least half of all numbers are in it.
    pub fn is_most(&self) -> bool {
        self.parts.iter().fold(0_u128, |sum, (first, last)| sum.saturating_add(last - first)) >= self.max / 2
    }

    /// The numbers that are in both.
    #[must_use]
    pub fn and(&self, other: &Intervals) -> Intervals {
        let mut parts = Vec::new();
        let (mut mine, mut theirs) = (self.parts.iter().peekable(), other.parts.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                parts.push((first, last));
            }
            if a.1 <= b.1 {
                mine.next()
            } else {
                theirs.next()
            };
        }
        Intervals { parts, max: self.max.min(other.max) }
    }

    /// The numbers that are not in it.
    #[must_use]
    pub fn not(&self) -> Intervals {
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        let mut next = Some(0_u128);
        for (first, last) in &self.parts {
            if let (Some(from), Some(to)) = (next, first.checked_sub(1))
                && from <= to
            {
                parts.push((from, to));
            }
            next = last.checked_add(1);
        }
        if let Some(from) = next.filter(|from| *from <= self.max) {
            parts.push((from, self.max));
        }
        Intervals { parts, max: self.max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_ends() {
        assert_eq!(Intervals::full(16).parts(), [(0, 65_535)]);
        assert_eq!(Intervals::full(128).parts(), [(0, u128::MAX)]);
        assert!(Intervals::full(128).not().is_empty() && Intervals::empty(128).not().is_full());
        assert_eq!(
            Intervals::of(8, [(5, 4), (7, 9), (10, 11), (1, 1), (300, 400), (250, 300)]).parts(),
            [(1, 1), (7, 11), (250, 255)]
        );
        assert!(Intervals::of(16, [(0, 40_000)]).is_most() && !Intervals::of(16, [(0, 9)]).is_most());
    }

    #[test]
    fn random_sets_agree_with_counting() {
        let mut seed = 9_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u128::from((seed >> 33) % 64)
        };
        for _ in 0..2000 {
            let mut set = || {
                let parts: Vec<_> = (0..4).map(|_| (next(), next())).collect();
                let made = Intervals::of(6, parts.iter().copied());
                (0..64).for_each(|n| {
                    let there = parts.iter().any(|(first, last)| *first <= n && n <= *last);
                    assert_eq!(made.contains(n), there);
                });
                made
            };
            let (a, b) = (set(), set());
            let (both, without) = (a.and(&b), a.not());
            for n in 0..64 {
                assert_eq!(both.contains(n), a.contains(n) && b.contains(n));
                assert_eq!(without.contains(n), !a.contains(n));
            }
            assert_eq!(without.not(), a);
            assert_eq!(both, b.and(&a));
        }
    }
}
