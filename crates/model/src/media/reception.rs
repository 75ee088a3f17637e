//! What was received of a leg, what two legs have together, and how the RTP clock keeps time.

use alloc::{string::String, vec::Vec};

use super::spread::{LogHistogram, Spread};
use super::stream::Occurrence;
use crate::time::{Timestamp, Utc};

/// How times of a capture become TAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClockBasis {
    /// The capture's clock was compared with PTP.
    Traced,
    /// The capture's clock is believed to keep UTC; leap seconds were added.
    UtcAssumed,
    /// The capture's clock is believed to keep TAI, as the streams agree with it as it is.
    TaiAssumed,
    /// Nothing ties the capture's clock to TAI: times are only good against each other.
    #[default]
    Relative,
}

impl ClockBasis {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            ClockBasis::Traced => "ptp-traced",
            ClockBasis::UtcAssumed => "utc-assumed",
            ClockBasis::TaiAssumed => "tai-assumed",
            ClockBasis::Relative => "relative",
        }
    }
}

/// What was received of one leg.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceptionFacts {
    /// Packets, duplicates included.
    pub packets: u64,
    /// Octets of UDP, its headers included.
    pub udp_bytes: u64,
    /// Octets of RTP payload.
    pub payload_bytes: u64,
    /// Packets that the sequence numbers say were sent.
    pub expected: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
    /// By how many numbers at most.
    pub reorder_most: u64,
    /// By how much time at most they came after the higher one.
    pub reorder_most_ns: i64,
    /// Packets so far behind that nobody waits for them, or so far ahead that they were not believed.
    pub strays: u64,
    /// Runs of lost packets.
    pub loss_runs: u64,
    /// The longest of them.
    pub loss_run_most: u64,
    /// How long the runs were.
    pub loss_run_histogram: LogHistogram,
    /// Packets received between two runs.
    pub between_losses: Spread,
    /// Where packets were first missed: the packet after them.
    pub first_loss: Option<Occurrence>,
    /// How often the sequence began anew (RFC 3550 Appendix A.1), with the first.
    pub resets: u64,
    /// Where first.
    pub first_reset: Option<Occurrence>,
    /// How often the synchronisation source changed.
    pub source_changes: u64,
    /// How often the payload type changed.
    pub payload_type_changes: u64,
    /// Whether sequence numbers had 32 bits (RFC 4175 §4.1).
    pub extended_sequence: bool,
    /// How often the upper half did not advance with the lower one.
    pub extended_faults: u64,
    /// Packets with the marker.
    pub markers: u64,
    /// Datagrams, by their largest and smallest size.
    pub udp_size_bytes: Spread,
    /// Interarrival jitter at the end (RFC 3550 §6.4.1).
    pub jitter_ns: u64,
    /// The greatest it was.
    pub jitter_most_ns: u64,
    /// The same at the end in ticks of the RTP clock, as a receiver report has it.
    pub jitter_ticks: u32,
    /// Time between packets.
    pub interval_ns: Spread,
    /// How often which time.
    pub interval_histogram: LogHistogram,
    /// The longest time without a packet, and the packet after it.
    pub longest_silence: Option<(i64, Occurrence)>,
    /// Packets in order whose time in the capture was before the one before: the capture's fault.
    pub time_reversals: u64,
    /// The first packet's time.
    pub first: Option<Timestamp<Utc>>,
    /// The last packet's time.
    pub last: Option<Timestamp<Utc>>,
    /// Bits a second of UDP from the first packet to the last.
    pub rate_bps: u64,
    /// What RTCP said, where there was some.
    pub reports: Option<ReportFacts>,
}

/// What RTCP said of a leg, held against what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportFacts {
    /// Sender reports.
    pub sender_reports: u64,
    /// Receiver reports and report blocks of receivers about the stream.
    pub receiver_reports: u64,
    /// Extended reports (RFC 3611).
    pub extended_reports: u64,
    /// Reports of another source than the stream's.
    pub foreign: u64,
    /// The sender's canonical name. Strangers choose it.
    pub canonical_name: Option<String>,
    /// The sender's own words: name, tool, note, of at most 255 octets each. Strangers choose them.
    pub descriptions: Vec<(u8, String)>,
    /// Whether the sender said goodbye, and why.
    pub goodbye: Option<String>,
    /// Time between sender reports.
    pub interval_ns: Spread,
    /// Packets that the sender says it sent, between the first and the last report that could be compared.
    pub sent: u64,
    /// Packets of the stream that came in the same time, duplicates left out.
    pub received: u64,
    /// Most packets by which one report differed from what came.
    pub difference_most: u64,
    /// RTP clock against the sender's NTP clock, in parts per billion: positive where it runs fast.
    pub rtp_drift_ppb: Option<i64>,
    /// The sender's NTP clock against the capture's, in parts per billion.
    pub ntp_drift_ppb: Option<i64>,
    /// The capture's time less the NTP time of the report.
    pub ntp_offset_ns: Spread,
    /// How far a report's RTP time lies from the one that the packets tell, in ticks.
    pub rtp_offset_ticks: Spread,
    /// The worst share of loss that a receiver reported, of 256.
    pub reported_fraction_most: u8,
    /// The most lost packets that a receiver reported.
    pub reported_lost_most: i32,
    /// The greatest jitter that a receiver reported, in ticks.
    pub reported_jitter_most: u32,
    /// Round trips of receivers (RFC 3550 §6.4.1).
    pub round_trip_ns: Spread,
    /// Packets of RTCP that could not be read.
    pub unreadable: u64,
}

/// One leg of a stream that is sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HitlessLeg {
    /// Packets, duplicates left out.
    pub received: u64,
    /// Packets that another leg had and this one not.
    pub lost: u64,
    /// Packets that only this leg had.
    pub only_here: u64,
    /// Packets that came here after another leg's, but too late for the class to help.
    pub late: u64,
    /// Packets that came here first.
    pub first_here: u64,
    /// Packets that came again on this leg.
    pub duplicates: u64,
}

/// Which path differential a receiver must take (ST 2022-7:2019 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathClass {
    /// Ultra-low: 150 µs.
    D,
    /// Low: 10 ms.
    A,
    /// Moderate: 50 ms.
    B,
    /// High: 450 ms, or 150 ms from 270 Mb/s on.
    C,
}

impl PathClass {
    /// Its letter.
    pub const fn word(self) -> &'static str {
        match self {
            PathClass::A => "A",
            PathClass::B => "B",
            PathClass::C => "C",
            PathClass::D => "D",
        }
    }

    /// The greatest path differential of the class, for a stream below or from 270 Mb/s on.
    pub const fn differential_ns(self, high_rate: bool) -> i64 {
        match (self, high_rate) {
            (PathClass::D, _) => 150_000,
            (PathClass::A, _) => 10_000_000,
            (PathClass::B, _) => 50_000_000,
            (PathClass::C, false) => 450_000_000,
            (PathClass::C, true) => 150_000_000,
        }
    }
}

/// How well two legs guard each other at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protection {
    /// Only one leg has packets.
    #[default]
    Single,
    /// All legs come.
    Protected,
    /// A leg has gone silent.
    Degraded,
}

impl Protection {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            Protection::Single => "single",
            Protection::Protected => "protected",
            Protection::Degraded => "degraded",
        }
    }
}

/// What two legs have together (ST 2022-7).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HitlessFacts {
    /// Each leg.
    pub legs: Vec<HitlessLeg>,
    /// Packets that at least one leg had.
    pub union: u64,
    /// Packets that every leg had.
    pub common: u64,
    /// Packets of them that are the same, header and payload.
    pub identical: u64,
    /// Packets of them that differ.
    pub different: u64,
    /// Where they differed first.
    pub first_difference: Option<Occurrence>,
    /// Packets that no leg had, between the first and the last.
    pub missing: u64,
    /// Where they were first missed.
    pub first_missing: Option<Occurrence>,
    /// Arrival on the second leg less arrival on the first (of more legs: each less the first), signed.
    pub path_difference_ns: Spread,
    /// The strictest class whose differential covers every common packet; `None` beyond all, or without common packets.
    pub class: Option<PathClass>,
    /// How well they guard each other at the end.
    pub protection: Protection,
    /// How often it changed.
    pub protection_changes: u64,
    /// Whether the legs' sequences were too far apart to be matched at some time.
    pub resets: u64,
}

/// The RTP clock against TAI (ST 2110-10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimingFacts {
    /// How packet times became TAI.
    pub basis: ClockBasis,
    /// Ticks a second of the RTP clock.
    pub clock_rate: u32,
    /// Ticks that the session adds (`mediaclk:direct=`).
    pub clock_offset_ticks: u64,
    /// On a relative clock: arrival of the first packet less its RTP time, were the capture's clock UTC (TAI less 37 s).
    /// That and the next were too much to be believed.
    pub late_if_utc_ns: Option<i64>,
    /// The same, were it TAI.
    pub late_if_tai_ns: Option<i64>,
    /// Arrival less RTP time, of every packet; on a relative clock: less that of the first.
    pub latency_ns: Spread,
    /// Packets whose RTP time lay in the future when they came (ST 2110-10:2022 §7.7).
    pub future: u64,
    /// Distinct timestamps in a row.
    pub timestamps: u64,
    /// Distances between them, in ticks.
    pub step_ticks: Spread,
    /// The commonest distances, at most eight, the commonest first.
    pub steps: Vec<(i64, u64)>,
    /// Distances that are neither rounded down nor up what the period wants.
    pub steps_odd: u64,
    /// Where first.
    pub first_odd_step: Option<Occurrence>,
    /// Timestamps that went backwards.
    pub backwards: u64,
    /// RTP clock against the capture's, in parts per billion; positive where it runs fast. Known after a second.
    pub drift_ppb: Option<i64>,
}
