//! How closely packets may follow each other: after a pause, what is late leaves no faster than the network's model allows.

use model::{Tai, Timestamp};

/// A bucket that drains at a constant rate and holds so many packets (ST 2110-21:2022 §6.6).
///
/// It is the model's bucket with one packet less: that one drains at instants, this one all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    drain_ps: u64,
    packets: u64,
    /// When it will be empty.
    empty_ns: i64,
}

const PS: i128 = 1000;

impl Gate {
    /// Drains one packet in so many picoseconds, and holds so many as the model allows (`CMAX`).
    pub fn new(drain_ps: u64, most: u64) -> Gate {
        Gate { drain_ps, packets: most.saturating_sub(1).max(1), empty_ns: i64::MIN / 2 }
    }

    /// One that holds so many packets less, where it can: for those that leave later than was thought.
    #[must_use]
    pub fn with_reserve(self, packets: u64) -> Gate {
        Gate { packets: self.packets.saturating_sub(packets).max(1), ..self }
    }

    /// The same one, that will be empty then.
    pub fn empty_at(self, at: Timestamp<Tai>) -> Gate {
        Gate { empty_ns: at.as_ns(), ..self }
    }

    /// How many packets may leave at an instant.
    pub fn room(&self, at: Timestamp<Tai>) -> u64 {
        let full_ps = (i128::from(self.empty_ns) - i128::from(at.as_ns())).max(0) * PS;
        let full = full_ps.div_euclid(i128::from(self.drain_ps.max(1)));
        let partly = full_ps.rem_euclid(i128::from(self.drain_ps.max(1))) != 0;
        let full = u64::try_from(full).unwrap_or(u64::MAX).saturating_add(u64::from(partly));
        self.packets.saturating_sub(full)
    }

    /// When so many may leave; more than it holds may when it is empty.
    pub fn opens(&self, packets: u64) -> Timestamp<Tai> {
        let wanted_ps = i128::from(self.packets.saturating_sub(packets)) * i128::from(self.drain_ps);
        let wanted_ns = i64::try_from(wanted_ps.div_euclid(PS)).unwrap_or(i64::MAX);
        Timestamp::from_ns(self.empty_ns.saturating_sub(wanted_ns))
    }

    /// When it will be empty if packets leave then; whole nanoseconds, rather later than sooner.
    pub fn passed(&self, packets: u64, at: Timestamp<Tai>) -> Timestamp<Tai> {
        Timestamp::from_ns(self.empty_ns.max(at.as_ns()).saturating_add(self.drain_ns(packets)))
    }

    /// How long so many take to drain.
    pub fn drain_ns(&self, packets: u64) -> i64 {
        let drain_ps = i128::from(packets) * i128::from(self.drain_ps);
        i64::try_from((drain_ps + PS - 1).div_euclid(PS)).unwrap_or(i64::MAX)
    }

    /// Packets leave.
    pub fn pass(&mut self, packets: u64, at: Timestamp<Tai>) {
        *self = self.empty_at(self.passed(packets, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_leaves_as_fast_as_the_model_allows() {
        let at = Timestamp::from_ns;
        // 1080p50: 4.2088 µs, and CMAX is 5.
        let mut gate = Gate::new(4_208_754, 5);
        assert!(gate.opens(4) <= at(0));
        assert_eq!(gate.room(at(0)), 4);
        gate.pass(4, at(0));
        assert_eq!((gate.room(at(0)), gate.room(at(4209)), gate.room(at(4210))), (0, 0, 1));
        assert_eq!((gate.opens(1), gate.opens(2), gate.opens(4)), (at(4210), at(8419), at(16_836)));
        // More than it can ever hold passes when it is empty.
        assert_eq!(gate.opens(9), at(16_836));
    }

    #[test]
    fn the_model_never_counts_more_than_its_limit() {
        let (drain_ps, most) = (4_208_754_u64, 5_u64);
        let mut gate = Gate::new(drain_ps, most);
        let (mut level, mut drained, mut highest) = (0_u64, 0_u128, 0);
        let mut now = 1_000_000_i64;
        let mut seed = 420_u64;
        for _ in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let packets = seed % 4 + 1;
            let pause = if seed.is_multiple_of(29) { 90_000 } else { i64::try_from(seed % 9000).unwrap() };
            now = (now + pause).max(gate.opens(packets).as_ns());
            gate.pass(packets, Timestamp::from_ns(now));
            let due = u128::try_from(now).unwrap() * 1000 / u128::from(drain_ps);
            level = level.saturating_sub(u64::try_from(due - drained).unwrap()) + packets;
            drained = due;
            highest = level.max(highest);
        }
        assert!((most - 1..=most).contains(&highest), "{highest}");
    }
}
