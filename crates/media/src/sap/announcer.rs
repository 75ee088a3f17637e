//! When to announce next (RFC 2974 §3.1): rarely enough for all announcers together to stay within their bandwidth.

use model::{Timestamp, Utc};

/// What all announcements of a group may take together, in bit/s (RFC 2974 §3.1).
pub const LIMIT_BITS: u64 = 4_000;
/// No announcement is repeated sooner, in seconds (RFC 2974 §3.1).
pub const SHORTEST_S: u64 = 300;
const SECOND_NS: u64 = 1_000_000_000;

/// Tells when one announcement is due. It has no clock: it is asked with the time.
#[derive(Debug, Clone)]
pub struct Announcer {
    size_bytes: u64,
    shortest_ns: u64,
    seed: u64,
    last: Option<Timestamp<Utc>>,
    /// The part of the interval by which this one comes early or late, in 1/2^32.
    part: u32,
}

impl Announcer {
    /// For a packet of this size. The seed is what parts announcers that started together.
    pub fn new(size_bytes: usize, seed: u64) -> Announcer {
        let mut announcer = Announcer {
            size_bytes: u64::try_from(size_bytes).unwrap_or(u64::MAX),
            shortest_ns: SHORTEST_S * SECOND_NS,
            seed,
            last: None,
            part: 0,
        };
        announcer.draw();
        announcer
    }

    /// With another shortest interval: AES67 devices announce every 30 s, and give up those who do not.
    #[must_use]
    pub fn every(mut self, seconds: u64) -> Announcer {
        self.shortest_ns = seconds.max(1).saturating_mul(SECOND_NS);
        self
    }

    /// The interval without its random part, where `others` announcements besides this one are in the group.
    pub fn interval_ns(&self, others: usize) -> u64 {
        let all = u64::try_from(others).unwrap_or(u64::MAX).saturating_add(1);
        let bits = self.size_bytes.saturating_mul(8).saturating_mul(all);
        let needed = bits.saturating_mul(SECOND_NS / LIMIT_BITS);
        needed.max(self.shortest_ns)
    }

    /// When the next one is due: at once for the first. Ask again whenever the number of others changed.
    pub fn next(&self, others: usize) -> Option<Timestamp<Utc>> {
        let last = self.last?;
        let interval = self.interval_ns(others);
        // From two thirds to four thirds of the interval.
        let spread = (u128::from(interval) * 2 / 3 * u128::from(self.part)) >> 32;
        let wait = u128::from(interval - interval / 3) + spread;
        Some(Timestamp::from_ns(last.as_ns().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX))))
    }

    /// Whether it is due. Where it is, it counts as sent.
    pub fn poll(&mut self, now: Timestamp<Utc>, others: usize) -> bool {
        let due = self.next(others).is_none_or(|next| now >= next);
        if due {
            self.last = Some(now);
            self.draw();
        }
        due
    }

    fn draw(&mut self) {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [a, b, c, d, ..] = self.seed.to_be_bytes();
        self.part = u32::from_be_bytes([a, b, c, d]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp<Utc> {
        Timestamp::from_ns(seconds * 1_000_000_000)
    }

    #[test]
    fn intervals_are_between_two_and_four_thirds() {
        let (mut shortest, mut longest) = (i64::MAX, 0);
        for seed in 0..500 {
            let mut announcer = Announcer::new(500, seed);
            assert!(announcer.poll(at(0), 0));
            assert!(!announcer.poll(at(199), 0));
            let next = announcer.next(0).unwrap().as_ns();
            (shortest, longest) = (shortest.min(next), longest.max(next));
            assert!(announcer.poll(Timestamp::from_ns(next), 0));
            assert_ne!(announcer.next(0).unwrap().as_ns(), 2 * next);
        }
        assert!((200_000_000_000..205_000_000_000).contains(&shortest), "{shortest}");
        assert!((395_000_000_000..=400_000_000_000).contains(&longest), "{longest}");
    }

    #[test]
    fn many_announcers_make_each_one_rare() {
        let mut announcer = Announcer::new(1_000, 1).every(30);
        assert_eq!(announcer.interval_ns(0), 30 * SECOND_NS);
        assert_eq!(announcer.interval_ns(999), 2_000 * SECOND_NS);
        assert!(announcer.poll(at(0), 0));
        // Others came: what was due is put off (RFC 2974 §3.1).
        assert!(!announcer.poll(at(41), 999));
        assert!(announcer.poll(at(41), 0));
        assert_eq!(Announcer::new(usize::MAX, 1).interval_ns(usize::MAX), u64::MAX);
        let mut large = Announcer::new(usize::MAX, 1);
        assert!(large.poll(at(0), 0));
        assert_eq!(large.next(usize::MAX), Some(Timestamp::from_ns(i64::MAX)));
    }
}
