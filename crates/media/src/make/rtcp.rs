//! Sender reports with their description, and the last words of a sender (RFC 3550 §6.4.1, §6.5, §6.6).

use model::{Timestamp, Utc};
use wire::rtcp::{BYE, NtpTime, SENDER_REPORT, SOURCE_DESCRIPTION};

/// Longest canonical name.
const MOST_NAME_BYTES: usize = 255;

/// Reports of one sender. When they are due, who sends them knows.
#[derive(Debug, Clone)]
pub struct Reporter {
    ssrc: u32,
    name: Vec<u8>,
    packets: u32,
    octets: u32,
}

fn header(to: &mut Vec<u8>, count: u8, kind: u8, words: usize) {
    to.extend_from_slice(&[0x80 | count, kind]);
    to.extend_from_slice(&u16::try_from(words).unwrap_or(u16::MAX).to_be_bytes());
}

impl Reporter {
    /// For a source with this canonical name (`user@host`; cut after 255 octets).
    pub fn new(ssrc: u32, canonical_name: &str) -> Reporter {
        let name = canonical_name.bytes().take(MOST_NAME_BYTES).collect();
        Reporter { ssrc, name, packets: 0, octets: 0 }
    }

    /// So many packets were sent in all, with so much payload.
    pub fn sent_in_all(&mut self, packets: u64, payload_bytes: u64) {
        let low = |count: u64| u32::try_from(count & 0xffff_ffff).unwrap_or(0);
        (self.packets, self.octets) = (low(packets), low(payload_bytes));
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
            let mut reporter = Reporter::new(0x0102_0304, name);
            reporter.sent_in_all((7 << 32) + 2, 2000);
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
        assert_eq!(Reporter::new(1, &"x".repeat(300)).name.len(), 255);
    }
}
