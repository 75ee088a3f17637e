//! What a sender tells of itself beside its stream: sender reports, and goodbye (RFC 3550 §6.4.1, §6.5, §6.6).

use media::clock;
use model::{Tai, Timestamp};

const VERSION: u8 = 2 << 6;
const SENDER_REPORT: u8 = 200;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CANONICAL_NAME: u8 = 1;
/// From 1900, which NTP counts from, to 1970.
const NTP_SECONDS: i64 = 2_208_988_800;

/// Who reports.
#[derive(Debug, Clone)]
pub struct Reporter {
    /// The synchronisation source.
    pub ssrc: u32,
    /// Ticks a second of the RTP clock.
    pub clock_rate: u32,
    /// What the sender is called: the same for all its streams (RFC 7022 §4.2).
    pub canonical_name: String,
}

impl Reporter {
    /// A compound packet: the report, the name, and goodbye where it is the last.
    pub fn report(&self, now: Timestamp<Tai>, packets: u64, payload_bytes: u64, last: bool) -> Vec<u8> {
        let utc_ns = now.as_ns() - clock::LEAP_SECONDS * 1_000_000_000;
        let seconds = utc_ns.div_euclid(1_000_000_000) + NTP_SECONDS;
        let fraction = (utc_ns.rem_euclid(1_000_000_000) << 32) / 1_000_000_000;
        let low = |number: i64| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
        let counted = |count: u64| u32::try_from(count & 0xffff_ffff).unwrap_or(0);
        let mut to = Vec::with_capacity(96);
        let words = [
            self.ssrc,
            low(seconds),
            low(fraction),
            clock::rtp(now, self.clock_rate),
            counted(packets),
            counted(payload_bytes),
        ];
        packet(&mut to, 0, SENDER_REPORT, &words.map(u32::to_be_bytes).concat());
        let name = self.canonical_name.as_bytes();
        let name = name.get(..255).unwrap_or(name);
        let mut chunk = self.ssrc.to_be_bytes().to_vec();
        chunk.extend_from_slice(&[CANONICAL_NAME, u8::try_from(name.len()).unwrap_or(0)]);
        chunk.extend_from_slice(name);
        // An item of nothing ends the chunk, and fills its last word.
        chunk.resize((chunk.len() + 1).next_multiple_of(4), 0);
        packet(&mut to, 1, DESCRIPTION, &chunk);
        if last {
            packet(&mut to, 1, GOODBYE, &self.ssrc.to_be_bytes());
        }
        to
    }
}

fn packet(to: &mut Vec<u8>, count: u8, kind: u8, body: &[u8]) {
    // The length counts words, and not the first one.
    let words = u16::try_from(body.len() / 4).unwrap_or(u16::MAX);
    to.extend_from_slice(&[VERSION | count, kind]);
    to.extend_from_slice(&words.to_be_bytes());
    to.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_reader_finds_what_was_reported() {
        for name in ["berth@192.0.2.1", "abc", ""] {
            let reporter =
                Reporter { ssrc: 0x0420_0420, clock_rate: 90_000, canonical_name: name.to_owned() };
            // 2013-01-01 in UTC.
            let now = Timestamp::from_ns((1_356_998_400 + clock::LEAP_SECONDS) * 1_000_000_000 + 500_000_000);
            let bytes = reporter.report(now, (1 << 32) + 7, 9, true);
            let all: Vec<_> = wire::rtcp::packets(&bytes).map(Result::unwrap).collect();
            assert_eq!(all.len(), 3);
            assert!(all.iter().all(|each| each.ssrc() == Some(0x0420_0420)));
            assert_eq!(all.get(1).unwrap().canonical_name(), Some(name.as_bytes()));
            assert_eq!(bytes[8..12], 3_565_987_200_u32.to_be_bytes());
            assert_eq!(bytes[12..16], [0x80, 0, 0, 0]);
            assert_eq!(bytes[20..28], [0, 0, 0, 7, 0, 0, 0, 9]);
        }
    }
}
