//! A set of ports: any of the 65,536, one bit each.

use std::fmt;
use std::ops::RangeInclusive;

const WORDS: usize = 1024;

/// A set of ports.
#[derive(Clone, PartialEq, Eq)]
pub struct PortSet {
    bits: Box<[u64]>,
}

impl Default for PortSet {
    fn default() -> PortSet {
        PortSet { bits: vec![0; WORDS].into_boxed_slice() }
    }
}

impl PortSet {
    /// The ports of ranges; port 0 is none that anybody can come to, and is left out.
    pub fn of(ranges: &[RangeInclusive<u16>]) -> PortSet {
        let mut set = PortSet::default();
        for port in ranges.iter().flat_map(Clone::clone) {
            set.insert(port);
        }
        set
    }

    /// Adds a port; says whether it is new.
    pub fn insert(&mut self, port: u16) -> bool {
        let (word, bit) = place(port);
        match self.bits.get_mut(word) {
            Some(word) if port != 0 && *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }

    /// Whether the port is in it.
    pub fn has(&self, port: u16) -> bool {
        let (word, bit) = place(port);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// Each port, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (1..=u16::MAX).filter(|port| self.has(*port))
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &PortSet) -> PortSet {
        self.combined(other, |ours, theirs| ours & !theirs)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &PortSet) -> PortSet {
        self.combined(other, |ours, theirs| ours & theirs)
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &PortSet) -> PortSet {
        self.combined(other, |ours, theirs| ours | theirs)
    }

    fn combined(&self, other: &PortSet, how: impl Fn(u64, u64) -> u64) -> PortSet {
        PortSet {
            bits: self.bits.iter().zip(&other.bits).map(|(ours, theirs)| how(*ours, *theirs)).collect(),
        }
    }

    /// The same as ranges, lowest first.
    pub fn ranges(&self) -> Vec<RangeInclusive<u16>> {
        let mut ranges: Vec<RangeInclusive<u16>> = Vec::new();
        for port in self.iter() {
            match ranges.last_mut() {
                Some(last) if u32::from(*last.end()) + 1 == u32::from(port) => *last = *last.start()..=port,
                _ => ranges.push(port..=port),
            }
        }
        ranges
    }
}

fn place(port: u16) -> (usize, u64) {
    (usize::from(port >> 6), 1 << (port & 63))
}

impl fmt::Debug for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortSet({})", super::words(&self.ranges()))
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> PortSet {
        let mut set = PortSet::default();
        for port in ports {
            set.insert(port);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_back_as_they_went_in() {
        let ranges = [1..=79, 81..=1023, 65_535..=65_535];
        let set = PortSet::of(&ranges);
        assert_eq!(set.ranges(), ranges);
        assert_eq!((set.count(), set.iter().count()), (79 + 943 + 1, 79 + 943 + 1));
        assert!(set.has(79) && !set.has(80) && set.has(65_535) && !set.has(0));
        assert_eq!(PortSet::of(&[0..=0]), PortSet::default());
        assert!(PortSet::default().is_empty() && PortSet::default().ranges().is_empty());
        assert_eq!(PortSet::of(&[0..=u16::MAX]).ranges(), [1..=u16::MAX]);
    }

    #[test]
    fn sets_are_joined_and_taken_apart() {
        let (low, high) = (PortSet::of(&[1..=100]), PortSet::of(&[50..=150]));
        assert_eq!(low.without(&high).ranges(), [1..=49]);
        assert_eq!(low.and(&high).ranges(), [50..=100]);
        assert_eq!(low.or(&high).ranges(), [1..=150]);
        assert_eq!([7, 5, 6, 7].into_iter().collect::<PortSet>().ranges(), [5..=7]);
    }
}
