//! What became of packets that we sent ourselves, and how late they left.

use alloc::{string::String, vec::Vec};
use core::net::SocketAddr;

/// How long after their time packets left: a histogram whose every place holds twice the range of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lateness {
    /// How many times something was due.
    pub count: u64,
    /// All of it together, in nanoseconds.
    pub sum_ns: u64,
    /// The worst, in nanoseconds.
    pub max_ns: u64,
    /// Place `n` counts what was at least 2ⁿ ns and less than 2ⁿ⁺¹ ns late; the first counts what was less than 2 ns late,
    /// the last everything beyond.
    pub places: [u64; 32],
}

impl Lateness {
    /// Counts one.
    pub fn note(&mut self, late_ns: u64) {
        self.count += 1;
        self.sum_ns = self.sum_ns.saturating_add(late_ns);
        self.max_ns = self.max_ns.max(late_ns);
        let place = usize::try_from(late_ns.max(1).ilog2()).unwrap_or(usize::MAX);
        let last = self.places.len() - 1;
        if let Some(count) = self.places.get_mut(place.min(last)) {
            *count += 1;
        }
    }

    /// Counts what somebody else has counted, too.
    pub fn add(&mut self, other: &Lateness) {
        self.count += other.count;
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
        self.places.iter_mut().zip(other.places).for_each(|(place, count)| *place += count);
    }

    /// A time that at least `per_mille` of a thousand were not later than: the upper end of a place, or the worst.
    pub fn at_most_ns(&self, per_mille: u16) -> u64 {
        let wanted = u128::from(self.count) * u128::from(per_mille);
        let mut reached = 0_u128;
        for (place, count) in (1_u32..).zip(self.places) {
            reached += u128::from(count) * 1000;
            if reached >= wanted {
                return (1_u64 << place).min(self.max_ns);
            }
        }
        self.max_ns
    }

    /// The mean, in nanoseconds.
    pub fn mean_ns(&self) -> u64 {
        self.sum_ns.checked_div(self.count).unwrap_or(0)
    }
}

/// Packets that the system did not take, by its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The system's words: `No buffer space available`.
    pub reason: String,
    /// How many packets.
    pub packets: u64,
}

/// Something that was tried so that packets leave on time, or are not lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effort {
    /// What: `real-time scheduling`.
    pub what: String,
    /// How it went: what was had, or why not.
    pub outcome: Result<String, String>,
}

/// One leg of a stream that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLeg {
    /// Where from.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// Packets that the system took.
    pub packets: u64,
    /// Their bytes, from the RTP header on.
    pub bytes: u64,
    /// Packets that it did not take.
    pub refused: Vec<Refusal>,
    /// What was tried.
    pub efforts: Vec<Effort>,
}

/// One stream that we sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentStream {
    /// Its name.
    pub name: String,
    /// The synchronisation source.
    pub ssrc: u32,
    /// Frames, fields or packet times.
    pub periods: u64,
    /// Periods that were not made in time, and left out.
    pub periods_left_out: u64,
    /// Packets that others may have overtaken, because the thread that sent them was stopped meanwhile.
    pub overtaken: u64,
    /// Faults that were asked for and made, by name.
    pub faults: Vec<(String, u64)>,
    /// Its legs.
    pub legs: Vec<SentLeg>,
    /// How late its packets left.
    pub lateness: Lateness,
}

/// Everything of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendingFacts {
    /// How long it ran, in nanoseconds.
    pub duration_ns: u64,
    /// Where the time came from: `CLOCK_TAI`, or `CLOCK_REALTIME` and 37 s.
    pub clock: String,
    /// What was tried for the pacing.
    pub efforts: Vec<Effort>,
    /// The streams.
    pub streams: Vec<SentStream>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_told_by_share() {
        let mut late = Lateness::default();
        assert_eq!((late.at_most_ns(999), late.mean_ns()), (0, 0));
        for ns in [0, 1, 100, 100, 100, 100, 100, 100, 100, 5000] {
            late.note(ns);
        }
        assert_eq!((late.count, late.max_ns, late.mean_ns()), (10, 5000, 570));
        assert_eq!((late.at_most_ns(200), late.at_most_ns(900), late.at_most_ns(1000)), (2, 128, 5000));
        late.note(u64::MAX);
        assert_eq!(late.places.last(), Some(&1));
        assert_eq!(late.at_most_ns(1000), 1 << 32);
    }
}
