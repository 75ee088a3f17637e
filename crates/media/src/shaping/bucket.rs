//! The network compatibility model: a bucket that drains at fixed instants (ST 2110-21:2022 §6.5, ST 2110-41:2024).

use model::media::Ratio;

use crate::clock::Steps;

/// The bucket: one more at each packet, one less at each multiple of the drain period since the epoch.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The drains from the origin on.
    row: Steps,
    /// The next drain.
    next: Steps,
    origin_ns: i64,
    last_ns: i64,
    fullness: u32,
    placed: bool,
}

/// Drains that are walked through one by one; more are jumped over.
const WALKED: u32 = 32;

impl Bucket {
    /// That of a row of drains which begins at the epoch.
    pub(crate) fn new(row: Steps) -> Bucket {
        Bucket { row, next: row, origin_ns: 0, last_ns: i64::MIN, fullness: 0, placed: false }
    }

    /// That of fast metadata with this nominal number of packets a second: `1 / MAX(800, 1.1·Rnom)`.
    pub fn metadata(nominal: Ratio) -> Bucket {
        const SECOND_NS: i128 = 1_000_000_000;
        let (above, below) = (u64::from(nominal.numerator()), u64::from(nominal.denominator()));
        if above * 11 > 8000 * below {
            Bucket::new(Steps::new(0, SECOND_NS * 10 * i128::from(below), above * 11))
        } else {
            Bucket::new(Steps::new(0, SECOND_NS, 800))
        }
    }

    /// How full the bucket of fast metadata may be: `MAX(4, INT(Rnom/43200))`.
    pub fn metadata_limit(nominal: Ratio) -> u64 {
        (u64::from(nominal.numerator()) / (43_200 * u64::from(nominal.denominator()))).max(4)
    }

    /// Drains at other instants from now on; what is in it stays.
    pub(crate) fn change(&mut self, row: Steps) {
        if row != self.row {
            self.row = row;
            self.placed = false;
        }
    }

    /// Counts drains from this instant and not from the epoch.
    pub(crate) fn begin_at(&mut self, origin_ns: i64) {
        self.origin_ns = origin_ns;
        self.placed = false;
    }

    /// The next drain is the first after this instant.
    fn place(&mut self, after_ns: i64) {
        self.next = self.row.later(self.origin_ns);
        let passed = self.next.count_by(after_ns);
        self.next.skip(passed);
        self.placed = true;
    }

    /// A packet is sent; gives how many are in the bucket with it.
    #[inline]
    pub fn handle(&mut self, at_ns: i64) -> u32 {
        if !self.placed {
            self.place(self.last_ns);
        }
        let mut walked = 0;
        while self.next.is_by(at_ns) {
            self.fullness = self.fullness.saturating_sub(1);
            self.next.advance();
            walked += 1;
            if walked == WALKED {
                self.jump(at_ns);
                break;
            }
        }
        self.last_ns = at_ns;
        self.fullness = self.fullness.saturating_add(1);
        self.fullness
    }

    #[cold]
    fn jump(&mut self, at_ns: i64) {
        let drains = self.next.count_by(at_ns);
        self.fullness = self.fullness.saturating_sub(u32::try_from(drains).unwrap_or(u32::MAX));
        self.next.skip(drains);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_drains_at_least_eight_hundred_times_a_second() {
        let mut bucket = Bucket::metadata(Ratio::new(50, 1).unwrap());
        assert_eq!([0, 1, 2, 1_249_999, 1_250_000].map(|at| bucket.handle(at)), [1, 2, 3, 4, 4]);
        // 1100 a second.
        let mut bucket = Bucket::metadata(Ratio::new(1000, 1).unwrap());
        assert_eq!([0, 0, 909_090, 909_091, 1_818_182].map(|at| bucket.handle(at)), [1, 2, 3, 3, 3]);
        assert_eq!(Bucket::metadata_limit(Ratio::new(432_000, 1).unwrap()), 10);
        assert_eq!(Bucket::metadata_limit(Ratio::new(50, 1).unwrap()), 4);
    }

    #[test]
    fn a_long_pause_is_jumped_over() {
        let mut bucket = Bucket::new(Steps::new(0, 10, 3));
        for _ in 0..1000 {
            bucket.handle(1);
        }
        // Drains at 3.33·k: 150 of them until 500, and one at 0 before the first.
        assert_eq!(bucket.handle(500), 1000 - 150 + 1);
        assert_eq!(bucket.handle(i64::MAX / 2), 1);
        assert_eq!(bucket.handle(i64::MAX / 2), 2);
    }
}
