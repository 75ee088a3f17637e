//! Sender reports with their description, at the intervals of RFC 3550 §6.2 and §6.3.

use model::{Timestamp, Utc};
use wire::rtcp::{BYE, NtpTime, SENDER_REPORT, SOURCE_DESCRIPTION};

/// The least time between two reports, before chance is added (RFC 3550 §6.2).
const LEAST_NS: u64 = 5_000_000_000;

/// Chance makes intervals shorter on average, and this makes up for it: `e - 3/2` (RFC 3550 §6.3.1), in 100,000ths.
const COMPENSATION: u64 = 121_828;

/// Longest canonical name.
const MOST_NAME_BYTES: usize = 255;

/// Reports of one sender. Few receivers are assumed, so that the least interval governs.
#[derive(Debug, Clone)]
pub struct Reporter {
    ssrc: u32,
    name: Vec<u8>,
    packets: u32,
    octets: u32,
    seed: u64,
    due: Option<Timestamp<Utc>>,
}

fn header(to: &mut Vec<u8>, count: u8, kind: u8, words: usize) {
    to.extend_from_slice(&[0x80 | count, kind]);
    to.extend_from_slice(&u16::try_from(words).unwrap_or(u16::MAX).to_be_bytes());
}

impl Reporter {
    /// For a source with this canonical name (`user@host`; cut after 255 octets); the seed chooses the intervals.
    pub fn new(ssrc: u32, canonical_name: &str, seed: u64) -> Reporter {
        let name = canonical_name.bytes().take(MOST_NAME_BYTES).collect();
        Reporter { ssrc, name, packets: 0, octets: 0, seed, due: None }
    }

    /// A packet with so much payload was sent.
    pub fn sent(&mut self, payload_bytes: usize) {
        self.packets = self.packets.wrapping_add(1);
        let octets = u32::try_from(payload_bytes & 0xffff).unwrap_or(0);
        self.octets = self.octets.wrapping_add(octets);
    }

    /// So many packets were sent in all, with so much payload.
    pub fn sent_in_all(&mut self, packets: u64, payload_bytes: u64) {
        let low = |count: u64| u32::try_from(count & 0xffff_ffff).unwrap_or(0);
        (self.packets, self.octets) = (low(packets), low(payload_bytes));
    }

    /// When the next report is due; `None` before the first, which goes out after half an interval.
    pub fn due(&self) -> Option<Timestamp<Utc>> {
        self.due
    }

    /// Writes a compound if it is due; `timestamp` is what the media clock shows now.
    pub fn poll(&mut self, now: Timestamp<Utc>, timestamp: u32, to: &mut Vec<u8>) -> bool {
        match self.due {
            None => {
                // The first comes after half of an interval (RFC 3550 §6.2).
                self.due = Some(self.after(now, LEAST_NS / 2));
                false
            }
            Some(due) if now < due => false,
            Some(_) => {
                self.due = Some(self.after(now, LEAST_NS));
                self.write(now, timestamp, to);
                true
            }
        }
    }

    fn after(&mut self, now: Timestamp<Utc>, interval_ns: u64) -> Timestamp<Utc> {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // From half to one and a half.
        let chance = 500_000 + (self.seed >> 33) % 1_000_001;
        let ns = interval_ns / 1_000_000 * chance * 1000 / COMPENSATION * 100;
        Timestamp::from_ns(now.as_ns().saturating_add(i64::try_from(ns).unwrap_or(i64::MAX)))
    }

    /// A sender report and a description.
    pub fn write(&self, now: Timestamp<Utc>, timestamp: u32, to: &mut Vec<u8>) {
        header(to, 0, SENDER_REPORT, 6);
        let ntp = NtpTime::from_unix_ns(now.as_ns());
        for word in [self.ssrc, ntp.seconds, ntp.fraction, timestamp, self.packets, self.octets] {
            to.extend_from_slice(&word.to_be_bytes());
        }
        // The source, the item, and at least one zero up to a multiple of four.
        let words = (4 + 2 + self.name.len()) / 4 + 1;
        header(to, 1, SOURCE_DESCRIPTION, words);
        let begin = to.len();
        to.extend_from_slice(&self.ssrc.to_be_bytes());
        to.extend_from_slice(&[1, u8::try_from(self.name.len()).unwrap_or(u8::MAX)]);
        to.extend_from_slice(&self.name);
        to.resize(begin + words * 4, 0);
    }

    /// The last words: a report, a description and a goodbye.
    pub fn write_goodbye(&self, now: Timestamp<Utc>, timestamp: u32, to: &mut Vec<u8>) {
        self.write(now, timestamp, to);
        header(to, 1, BYE, 1);
        to.extend_from_slice(&self.ssrc.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::rtcp;

    #[test]
    fn what_is_written_is_read() {
        for name in ["", "a", "me@example", "x@y.z"] {
            let mut reporter = Reporter::new(0x0102_0304, name, 1);
            reporter.sent(1200);
            reporter.sent(800);
            let now = Timestamp::from_ns(1_800_000_000_123_456_789);
            let mut bytes = Vec::new();
            reporter.write_goodbye(now, 77, &mut bytes);
            let all: Vec<_> = rtcp::packets(&bytes).map(Result::unwrap).collect();
            let report = all[0].sender_report().unwrap();
            assert_eq!(
                (report.ssrc, report.timestamp, report.packets, report.octets),
                (0x0102_0304, 77, 2, 2000)
            );
            assert_eq!(report.ntp.unix_ns(), now.as_ns());
            assert_eq!(all[1].canonical_name(), Some(name.as_bytes()));
            assert_eq!(all[2].goodbye().unwrap().0.collect::<Vec<_>>(), [0x0102_0304]);
            rtcp::check(&bytes);
        }
        assert_eq!(Reporter::new(1, &"x".repeat(300), 1).name.len(), 255);
    }

    #[test]
    fn intervals_vary_about_four_seconds() {
        let mut reporter = Reporter::new(1, "me", 5);
        let mut bytes = Vec::new();
        let mut times = Vec::new();
        for milliseconds in 0..2_000_000_i64 {
            if reporter.poll(Timestamp::from_ns(milliseconds * 1_000_000), 0, &mut bytes) {
                times.push(milliseconds);
            }
        }
        assert!((1026..=3079).contains(&times[0]), "{}", times[0]);
        let steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| (2052..=6157).contains(step)));
        let mean = steps.iter().sum::<i64>() / steps.len() as i64;
        assert!((3900..4300).contains(&mean), "{mean}");
        assert_eq!(rtcp::packets(&bytes).count(), times.len() * 2);
    }
}
