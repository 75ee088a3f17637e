//! What RTCP says of a leg, held against what was measured (RFC 3550 §6, RFC 3611).

use model::media::reception::ReportFacts;
use model::{Timestamp, Utc};
use wire::rtcp::{self, Extended, NtpTime, ReportBlock, SenderReport};

/// Items of a description that are kept: name, mail, phone, place, tool, note.
const MOST_DESCRIPTIONS: usize = 8;

/// What was measured of a leg when a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// The stream's source, once it has one.
    pub ssrc: Option<u32>,
    /// Packets received, duplicates left out.
    pub received: u64,
    /// When the last packet came, and its timestamp.
    pub last: Option<(Timestamp<Utc>, u32)>,
}

/// A sender report as it came.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at_ns: i64,
    ntp: NtpTime,
    timestamp: u32,
    packets: u32,
    received: u64,
}

/// Compares the reports about one leg with what was measured of it.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    clock_rate: u32,
    facts: ReportFacts,
    first: Option<Heard>,
    last: Option<Heard>,
    /// Ticks from the first report to the last, not wrapped.
    ticks: i64,
}

/// Parts per billion by which `long` exceeds `right`; `None` below a second.
fn excess_ppb(long_ns: i128, right_ns: i128) -> Option<i64> {
    if right_ns < 1_000_000_000 {
        return None;
    }
    i64::try_from((long_ns - right_ns) * 1_000_000_000 / right_ns).ok()
}

/// 65,536ths of a second in nanoseconds.
fn middle_ns(middle: u32) -> i64 {
    i64::try_from((u64::from(middle) * 1_000_000_000) >> 16).unwrap_or(i64::MAX)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Reports {
    /// For a leg whose RTP clock has so many ticks a second; 0 where it is not known.
    pub fn new(clock_rate: u32) -> Reports {
        Reports { clock_rate, ..Reports::default() }
    }

    /// Takes a datagram of RTCP that came for the leg, from its sender or from a receiver.
    pub fn handle(&mut self, time: Option<Timestamp<Utc>>, datagram: &[u8], measured: Measured) {
        for packet in rtcp::packets(datagram) {
            match packet {
                Ok(packet) => self.packet(time, &packet, measured),
                Err(_) => self.facts.unreadable += 1,
            }
        }
    }

    fn packet(&mut self, time: Option<Timestamp<Utc>>, packet: &rtcp::Packet<'_>, measured: Measured) {
        let ours = |ssrc: u32| measured.ssrc.is_none_or(|stream| stream == ssrc);
        if let Some(report) = packet.sender_report() {
            if ours(report.ssrc) {
                self.facts.sender_reports += 1;
                if let Some(time) = time {
                    self.sender(time.as_ns(), &report, measured);
                }
            } else {
                self.facts.foreign += 1;
            }
        }
        for block in packet.blocks().into_iter().flatten() {
            if measured.ssrc == Some(block.ssrc) {
                self.facts.receiver_reports += 1;
                self.receiver(time, block);
            }
        }
        for (ssrc, kind, item) in packet.descriptions() {
            if ours(ssrc) {
                self.describe(kind, item);
            }
        }
        if let Some((mut sources, reason)) = packet.goodbye()
            && sources.any(ours)
        {
            self.facts.goodbye.get_or_insert_with(|| text(reason.unwrap_or_default()));
        }
        if packet.kind == rtcp::EXTENDED_REPORT {
            self.facts.extended_reports += 1;
            for block in packet.extended() {
                self.extended(block, measured);
            }
        }
    }

    fn describe(&mut self, kind: u8, item: &[u8]) {
        if kind == 1 {
            self.facts.canonical_name.get_or_insert_with(|| text(item));
        } else if self.facts.descriptions.len() < MOST_DESCRIPTIONS
            && self.facts.descriptions.iter().all(|(known, _)| *known != kind)
        {
            self.facts.descriptions.push((kind, text(item)));
        }
    }

    fn sender(&mut self, at_ns: i64, report: &SenderReport<'_>, measured: Measured) {
        let now = Heard {
            at_ns,
            ntp: report.ntp,
            timestamp: report.timestamp,
            packets: report.packets,
            received: measured.received,
        };
        let dated = report.ntp != NtpTime { seconds: 0, fraction: 0 };
        if dated {
            self.facts.ntp_offset_ns.add(at_ns.saturating_sub(report.ntp.unix_ns()));
        }
        if let Some((last_at, last_timestamp)) = measured.last
            && self.clock_rate > 0
        {
            let passed = i128::from(at_ns) - i128::from(last_at.as_ns());
            let ticks = (passed * i128::from(self.clock_rate)).div_euclid(1_000_000_000).rem_euclid(1 << 32);
            let expected = last_timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(0));
            self.facts.rtp_offset_ticks.add(report.timestamp.wrapping_sub(expected).cast_signed().into());
        }
        if let Some(before) = self.last {
            self.facts.interval_ns.add(at_ns.saturating_sub(before.at_ns));
            // Wraps, as the report's counts do (§6.4.1).
            let sent = u64::from(report.packets.wrapping_sub(before.packets));
            let received = measured.received.saturating_sub(before.received);
            self.facts.sent = self.facts.sent.saturating_add(sent);
            self.facts.received = self.facts.received.saturating_add(received);
            self.facts.difference_most = self.facts.difference_most.max(sent.abs_diff(received));
            let step = report.timestamp.wrapping_sub(before.timestamp).cast_signed();
            self.ticks = self.ticks.saturating_add(step.into());
        }
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    fn receiver(&mut self, time: Option<Timestamp<Utc>>, block: ReportBlock) {
        let facts = &mut self.facts;
        facts.reported_fraction_most = facts.reported_fraction_most.max(block.fraction_lost);
        facts.reported_lost_most = facts.reported_lost_most.max(block.lost);
        facts.reported_jitter_most = facts.reported_jitter_most.max(block.jitter);
        // Both reports passed the capture: its own clock measures the round trip from here to the receiver and back.
        if let (Some(time), Some(last)) = (time, self.last)
            && block.last_report != 0
            && block.last_report == last.ntp.middle()
        {
            let passed = time.as_ns().saturating_sub(last.at_ns);
            facts.round_trip_ns.add(passed.saturating_sub(middle_ns(block.since_last_report)));
        }
    }

    fn extended(&mut self, block: Extended<'_>, measured: Measured) {
        let facts = &mut self.facts;
        match block {
            Extended::Summary(summary) if measured.ssrc == Some(summary.ssrc) => {
                let lost = summary.lost.map_or(0, |lost| i32::try_from(lost).unwrap_or(i32::MAX));
                facts.reported_lost_most = facts.reported_lost_most.max(lost);
                if let Some([_, most, ..]) = summary.jitter {
                    facts.reported_jitter_most = facts.reported_jitter_most.max(most);
                }
            }
            Extended::Voice(voice) if measured.ssrc == Some(voice.ssrc) => {
                facts.reported_fraction_most = facts.reported_fraction_most.max(voice.loss_rate);
            }
            _ => {}
        }
    }

    /// What RTCP said; `None` where there was none.
    pub fn facts(&self) -> Option<ReportFacts> {
        let mut facts = self.facts.clone();
        if let (Some(first), Some(last)) = (self.first, self.last) {
            let ntp = i128::from(last.ntp.unix_ns()) - i128::from(first.ntp.unix_ns());
            let capture = i128::from(last.at_ns) - i128::from(first.at_ns);
            facts.ntp_drift_ppb = excess_ppb(ntp, capture);
            if self.clock_rate > 0 {
                let media = i128::from(self.ticks) * 1_000_000_000 / i128::from(self.clock_rate);
                facts.rtp_drift_ppb = excess_ppb(media, ntp);
            }
        }
        (facts != ReportFacts::default()).then_some(facts)
    }
}
