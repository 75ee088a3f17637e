//! Sender and receiver reports: what was sent, and what arrived of it (RFC 3550 §6.4).

use super::{Packet, RECEIVER_REPORT, SENDER_REPORT};
use crate::cursor::{array, be16, be24, be32};

/// Bytes of one report block.
const BLOCK_BYTES: usize = 24;

/// Seconds from 1900, where NTP begins, to 1970.
const NTP_TO_UNIX: i64 = 2_208_988_800;

/// A time of NTP: seconds since 1900 and a fraction of 2^32; seconds wrap in 2036.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtpTime {
    /// Whole seconds.
    pub seconds: u32,
    /// 2^32ths of a second.
    pub fraction: u32,
}

impl NtpTime {
    /// Nanoseconds since 1970, rounded down, in the era that begins in 1968 (RFC 4330 §3).
    pub fn unix_ns(self) -> i64 {
        // The upper bit is clear from 2036 on.
        let era = if self.seconds & 0x8000_0000 == 0 { 1_i64 << 32 } else { 0 };
        let ns = (u64::from(self.fraction) * 1_000_000_000) >> 32;
        (i64::from(self.seconds) + era - NTP_TO_UNIX) * 1_000_000_000 + i64::try_from(ns).unwrap_or(0)
    }

    /// From nanoseconds since 1970.
    pub fn from_unix_ns(ns: i64) -> NtpTime {
        let seconds = ns.div_euclid(1_000_000_000) + NTP_TO_UNIX;
        let rest = u128::from(ns.rem_euclid(1_000_000_000).unsigned_abs());
        // Rounded up, so that it is read as the same nanosecond again.
        let fraction = (rest << 32).div_ceil(1_000_000_000);
        NtpTime {
            seconds: u32::try_from(seconds.rem_euclid(1 << 32)).unwrap_or(0),
            fraction: u32::try_from(fraction).unwrap_or(u32::MAX),
        }
    }

    /// The middle 32 bits: 65,536ths of a second.
    pub const fn middle(self) -> u32 {
        (self.seconds << 16) | (self.fraction >> 16)
    }
}

/// What a sender says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// Who.
    pub ssrc: u32,
    /// When it was sent, by the sender's clock; both zero where it has none.
    pub ntp: NtpTime,
    /// The same instant on the media clock.
    pub timestamp: u32,
    /// Packets sent since it began.
    pub packets: u32,
    /// Octets of payload sent since it began.
    pub octets: u32,
    /// What it received of others.
    pub blocks: ReportBlocks<'a>,
}

/// What a receiver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who.
    pub ssrc: u32,
    /// What it received of others.
    pub blocks: ReportBlocks<'a>,
}

/// What was received of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// Of whom.
    pub ssrc: u32,
    /// The share that was lost since the last report, of 256.
    pub fraction_lost: u8,
    /// Packets lost since it began; negative where duplicates outnumber the lost.
    pub lost: i32,
    /// The highest sequence number, with its wraps above.
    pub highest: u32,
    /// Interarrival jitter in ticks.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's time; 0 where none came.
    pub last_report: u32,
    /// 65,536ths of a second since it came.
    pub since_last_report: u32,
}

/// Report blocks, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlocks<'a> {
    bytes: &'a [u8],
}

impl<'a> ReportBlocks<'a> {
    fn of(body: &'a [u8], at: usize, count: u8) -> Option<ReportBlocks<'a>> {
        let end = at + usize::from(count) * BLOCK_BYTES;
        Some(ReportBlocks { bytes: body.get(at..end)? })
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.bytes.split_at_checked(BLOCK_BYTES)?;
        self.bytes = rest;
        let lost = be24(block, 5)?;
        Some(ReportBlock {
            ssrc: be32(block, 0)?,
            fraction_lost: *block.get(4)?,
            // 24 bits with a sign.
            lost: (lost << 8).cast_signed() >> 8,
            highest: be32(block, 8)?,
            jitter: be32(block, 12)?,
            last_report: be32(block, 16)?,
            since_last_report: be32(block, 20)?,
        })
    }
}

impl<'a> Packet<'a> {
    /// As a sender report (RFC 3550 §6.4.1).
    pub fn sender_report(&self) -> Option<SenderReport<'a>> {
        if self.kind != SENDER_REPORT {
            return None;
        }
        Some(SenderReport {
            ssrc: be32(self.body, 0)?,
            ntp: NtpTime { seconds: be32(self.body, 4)?, fraction: be32(self.body, 8)? },
            timestamp: be32(self.body, 12)?,
            packets: be32(self.body, 16)?,
            octets: be32(self.body, 20)?,
            blocks: ReportBlocks::of(self.body, 24, self.count)?,
        })
    }

    /// As a receiver report (RFC 3550 §6.4.2).
    pub fn receiver_report(&self) -> Option<ReceiverReport<'a>> {
        if self.kind != RECEIVER_REPORT {
            return None;
        }
        Some(ReceiverReport {
            ssrc: be32(self.body, 0)?,
            blocks: ReportBlocks::of(self.body, 4, self.count)?,
        })
    }

    /// The report blocks of either report.
    pub fn blocks(&self) -> Option<ReportBlocks<'a>> {
        let of_receiver = || self.receiver_report().map(|report| report.blocks);
        self.sender_report().map(|report| report.blocks).or_else(of_receiver)
    }

    /// Who leaves, as far as counted, and the reason where one is given (RFC 3550 §6.6).
    pub fn goodbye(&self) -> Option<(impl Iterator<Item = u32> + use<'a>, Option<&'a [u8]>)> {
        if self.kind != super::BYE {
            return None;
        }
        let (sources, rest) = self.body.split_at_checked(usize::from(self.count) * 4)?;
        let reason = rest
            .split_first()
            .and_then(|(length, text)| text.get(..usize::from(*length)))
            .filter(|reason| !reason.is_empty());
        let sources = sources.as_chunks::<4>().0.iter().map(|it| u32::from_be_bytes(*it));
        Some((sources, reason))
    }

    /// Items of a source description: whose, which kind, its text (RFC 3550 §6.5).
    pub fn descriptions(&self) -> Descriptions<'a> {
        let (body, chunks) =
            if self.kind == super::SOURCE_DESCRIPTION { (self.body, self.count) } else { (&[][..], 0) };
        Descriptions { body, at: 0, chunks, ssrc: None }
    }
}

/// Items of a source description; ends where one is cut.
#[derive(Debug, Clone)]
pub struct Descriptions<'a> {
    body: &'a [u8],
    at: usize,
    chunks: u8,
    ssrc: Option<u32>,
}

impl<'a> Iterator for Descriptions<'a> {
    type Item = (u32, u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(ssrc) = self.ssrc else {
                self.chunks = self.chunks.checked_sub(1)?;
                self.ssrc = Some(array(self.body, self.at).map(u32::from_be_bytes)?);
                self.at += 4;
                continue;
            };
            let kind = *self.body.get(self.at)?;
            if kind == 0 {
                // A chunk ends with at least one zero, at a multiple of four (§6.5).
                self.at = (self.at / 4 + 1) * 4;
                self.ssrc = None;
                continue;
            }
            let length = usize::from(*self.body.get(self.at + 1)?);
            let text = self.body.get(self.at + 2..self.at + 2 + length)?;
            self.at += 2 + length;
            return Some((ssrc, kind, text));
        }
    }
}

/// An extended report's block (RFC 3611 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended<'a> {
    /// Which packets of a source were lost (`duplicates` false) or came again, as runs (RFC 3611 §4.1, §4.2).
    Runs {
        /// Whether it tells duplicates and not losses.
        duplicates: bool,
        /// Of whom.
        ssrc: u32,
        /// The first number.
        begin: u16,
        /// The number after the last.
        end: u16,
        /// The chunks.
        chunks: &'a [u8],
    },
    /// When packets of a source came, as timestamps of 32 bits (RFC 3611 §4.3).
    ReceiptTimes {
        /// Of whom.
        ssrc: u32,
        /// The first number.
        begin: u16,
        /// The number after the last.
        end: u16,
        /// The times.
        times: &'a [u8],
    },
    /// The receiver's clock (RFC 3611 §4.4).
    ReferenceTime(NtpTime),
    /// When references were received, and how long ago: triples of 12 octets (RFC 3611 §4.5).
    Delays(&'a [u8]),
    /// A summary of what was received (RFC 3611 §4.6).
    Summary(Summary),
    /// What a call sounds like (RFC 3611 §4.7).
    Voice(Voice),
    /// Another kind, by its number.
    Other(u8, &'a [u8]),
}

/// A summary of what was received; what a receiver did not count is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Of whom.
    pub ssrc: u32,
    /// The first number.
    pub begin: u16,
    /// The number after the last.
    pub end: u16,
    /// Packets lost.
    pub lost: Option<u32>,
    /// Packets that came again.
    pub duplicates: Option<u32>,
    /// Least, greatest, mean and deviation of jitter, in ticks.
    pub jitter: Option<[u32; 4]>,
    /// Least, greatest, mean and deviation of the time to live or hop limit.
    pub hops: Option<[u8; 4]>,
}

/// What a call sounds like, as far as it concerns the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    /// Of whom.
    pub ssrc: u32,
    /// The share of packets lost, of 256.
    pub loss_rate: u8,
    /// The share of packets thrown away, of 256.
    pub discard_rate: u8,
    /// The share of packets lost or thrown away in bursts, of 256.
    pub burst_density: u8,
    /// The same between bursts.
    pub gap_density: u8,
    /// Mean length of bursts in milliseconds.
    pub burst_ms: u16,
    /// Mean length of gaps in milliseconds.
    pub gap_ms: u16,
    /// Round trip in milliseconds.
    pub round_trip_ms: u16,
}

/// Blocks of an extended report; ends after the first that is cut.
#[derive(Debug, Clone)]
pub struct ExtendedBlocks<'a> {
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The blocks of an extended report (RFC 3611 §2).
    pub fn extended(&self) -> ExtendedBlocks<'a> {
        let rest = if self.kind == super::EXTENDED_REPORT { self.body.get(4..) } else { None };
        ExtendedBlocks { rest: rest.unwrap_or_default() }
    }
}

impl<'a> Iterator for ExtendedBlocks<'a> {
    type Item = Extended<'a>;

    fn next(&mut self) -> Option<Extended<'a>> {
        let [kind, flags] = array(self.rest, 0)?;
        let length = usize::from(be16(self.rest, 2)?) * 4;
        let body = self.rest.get(4..4 + length)?;
        self.rest = self.rest.get(4 + length..)?;
        Some(block(kind, flags, body).unwrap_or(Extended::Other(kind, body)))
    }
}

/// A block of a known kind and the right length.
fn block(kind: u8, flags: u8, body: &[u8]) -> Option<Extended<'_>> {
    let ssrc = be32(body, 0);
    let (begin, end) = (be16(body, 4), be16(body, 6));
    Some(match kind {
        1 | 2 => {
            let chunks = body.get(8..)?;
            Extended::Runs { duplicates: kind == 2, ssrc: ssrc?, begin: begin?, end: end?, chunks }
        }
        3 => Extended::ReceiptTimes { ssrc: ssrc?, begin: begin?, end: end?, times: body.get(8..)? },
        4 if body.len() == 8 => Extended::ReferenceTime(NtpTime { seconds: ssrc?, fraction: be32(body, 4)? }),
        5 if body.len().is_multiple_of(12) => Extended::Delays(body),
        6 if body.len() == 36 => {
            let word = |at| be32(body, at);
            let said = |bit: u8| flags & bit != 0;
            Extended::Summary(Summary {
                ssrc: ssrc?,
                begin: begin?,
                end: end?,
                lost: word(8).filter(|_| said(0x80)),
                duplicates: word(12).filter(|_| said(0x40)),
                jitter: Some([word(16)?, word(20)?, word(24)?, word(28)?]).filter(|_| said(0x20)),
                hops: array(body, 32).filter(|_| said(0x18)),
            })
        }
        7 if body.len() == 32 => {
            let [loss_rate, discard_rate, burst_density, gap_density] = array(body, 4)?;
            Extended::Voice(Voice {
                ssrc: ssrc?,
                loss_rate,
                discard_rate,
                burst_density,
                gap_density,
                burst_ms: be16(body, 8)?,
                gap_ms: be16(body, 10)?,
                round_trip_ms: be16(body, 12)?,
            })
        }
        _ => return None,
    })
}

/// Lost (or repeated) packets that chunks of runs tell: numbers from `begin` on whose bit is 0 (or 1), at most 65,536.
pub fn run_count(begin: u16, end: u16, chunks: &[u8], bit: bool) -> u32 {
    let mut left = u32::from(end.wrapping_sub(begin));
    let mut count = 0;
    for chunk in chunks.as_chunks::<2>().0 {
        let chunk = u16::from_be_bytes(*chunk);
        if chunk == 0 || left == 0 {
            break;
        }
        if chunk & 0x8000 == 0 {
            let run = u32::from(chunk & 0x3fff).min(left);
            if (chunk & 0x4000 != 0) == bit {
                count += run;
            }
            left -= run;
        } else {
            let here = left.min(15);
            let bits = (0..here).filter(|at| (chunk & (0x4000 >> at) != 0) == bit).count();
            count += u32::try_from(bits).unwrap_or(0);
            left -= here;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::packets;
    use super::*;
    use std::vec::Vec;

    fn only(bytes: &[u8]) -> Packet<'_> {
        packets(bytes).next().unwrap().unwrap()
    }

    #[test]
    fn times_of_ntp() {
        // The first day of this century, and the second after the seconds wrapped.
        let time = NtpTime { seconds: 3_155_673_600, fraction: 0x8000_0000 };
        assert_eq!(time.unix_ns(), 946_684_800_500_000_000);
        assert_eq!(NtpTime { seconds: 1, fraction: 0 }.unix_ns(), 2_085_978_497_000_000_000);
        assert_eq!(time.middle(), 0x8000 | 3_155_673_600_u32 << 16);
        for ns in [0, 1, 999_999_999, 1_800_000_000_123_456_789, 2_100_000_000_000_000_001] {
            assert_eq!(NtpTime::from_unix_ns(ns).unix_ns(), ns);
        }
    }

    #[test]
    fn reports_and_their_blocks() {
        let mut bytes =
            Vec::from(*b"\x81\xc8\x00\x0c\0\0\0\x07\xbc\x17\xc2\0\x80\0\0\0\0\0\0\x09\0\0\0\x0a\0\0\0\x0b");
        let block = b"\0\0\0\x08\x40\xff\xff\xfe\0\x01\x12\x34\0\0\0\x05\x11\x22\x33\x44\0\0\0\x06";
        bytes.extend_from_slice(block);
        let report = only(&bytes).sender_report().unwrap();
        assert_eq!((report.ssrc, report.timestamp, report.packets, report.octets), (7, 9, 10, 11));
        assert_eq!(report.ntp, NtpTime { seconds: 3_155_673_600, fraction: 0x8000_0000 });
        let expected = ReportBlock {
            ssrc: 8,
            fraction_lost: 64,
            lost: -2,
            highest: 0x1_1234,
            jitter: 5,
            last_report: 0x1122_3344,
            since_last_report: 6,
        };
        assert_eq!(report.blocks.collect::<Vec<_>>(), [expected]);
        let mut bytes = Vec::from(*b"\x81\xc9\x00\x07\0\0\0\x07");
        bytes.extend_from_slice(block);
        assert_eq!(only(&bytes).receiver_report().unwrap().blocks.next(), Some(expected));
        assert_eq!(only(&bytes).blocks().unwrap().count(), 1);
        assert_eq!(only(&bytes).sender_report(), None);
    }

    #[test]
    fn descriptions_and_goodbyes() {
        let bytes = b"\x82\xca\x00\x06\0\0\0\x01\x01\x02me\x06\x01x\0\0\0\0\x02\x02\x04name\0\0";
        let all: Vec<_> = only(bytes).descriptions().collect();
        assert_eq!(all, [(1, 1, &b"me"[..]), (1, 6, b"x"), (2, 2, b"name")]);
        let bytes = b"\x82\xcb\x00\x04\0\0\0\x01\0\0\0\x02\x05later\0\0";
        let (sources, reason) = only(bytes).goodbye().unwrap();
        assert_eq!((sources.collect::<Vec<_>>(), reason), ([1, 2].to_vec(), Some(&b"later"[..])));
        assert!(only(b"\x80\xcb\x00\x00").goodbye().unwrap().1.is_none());
    }

    #[test]
    fn extended_reports() {
        let mut bytes = Vec::from(*b"\x80\xcf\x00\x00\0\0\0\x01");
        bytes.extend_from_slice(b"\x01\0\0\x03\0\0\0\x07\xff\xfe\0\x14\x40\x03\xa0\0");
        bytes.extend_from_slice(b"\x04\0\0\x02\xbc\x17\xc2\0\x80\0\0\0");
        bytes.extend_from_slice(b"\x05\0\0\x03\0\0\0\x07\0\0\0\x01\0\0\0\x02");
        bytes.extend_from_slice(b"\x06\xc0\0\x09\0\0\0\x07\0\x01\0\x05\0\0\0\x02\0\0\0\x03");
        bytes.extend_from_slice(&[9; 20]);
        bytes.extend_from_slice(b"\x07\0\0\x08\0\0\0\x07\x01\x02\x03\x04\0\x05\0\x06\0\x07");
        bytes.extend_from_slice(&[0; 18]);
        bytes.extend_from_slice(b"\x07\0\0\x01\0\0\0\x07");
        bytes.extend_from_slice(b"\x63\0\0\0");
        bytes[3] = u8::try_from(bytes.len() / 4 - 1).unwrap();
        let all: Vec<_> = only(&bytes).extended().collect();
        let Extended::Runs { duplicates: false, ssrc: 7, begin, end, chunks } = all[0] else { panic!() };
        // Three came, then a vector of fifteen of which one came, then nothing more is said.
        assert_eq!((run_count(begin, end, chunks, false), run_count(begin, end, chunks, true)), (14, 4));
        assert_eq!(all[1], Extended::ReferenceTime(NtpTime { seconds: 3_155_673_600, fraction: 1 << 31 }));
        assert!(matches!(all[2], Extended::Delays(triples) if triples.len() == 12));
        let Extended::Summary(summary) = all[3] else { panic!() };
        assert_eq!(
            (summary.lost, summary.duplicates, summary.jitter, summary.hops),
            (Some(2), Some(3), None, None)
        );
        let Extended::Voice(voice) = all[4] else { panic!() };
        assert_eq!((voice.loss_rate, voice.gap_density, voice.gap_ms, voice.round_trip_ms), (1, 4, 6, 7));
        assert_eq!(all[5..], [Extended::Other(7, b"\0\0\0\x07"), Extended::Other(0x63, b"")]);
    }

    #[test]
    fn runs_end_where_the_numbers_end() {
        assert_eq!(run_count(0, 10, &[0x3f, 0xff, 0x3f, 0xff], false), 10);
        assert_eq!(run_count(5, 5, &[0x3f, 0xff], false), 0);
        assert_eq!(run_count(0, 20, &[0x80, 0, 0x80, 0, 0x80, 0, 1], false), 20);
    }
}
