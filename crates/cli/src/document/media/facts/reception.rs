//! What was received of a leg, and its clock, in JSON.

use super::LogHistogram;
use super::Occurrence;
use super::Spread;
use super::shown;

shown! {
    /// What was received of one leg.
    ReceptionFacts from model::media::reception::ReceptionFacts {
        /// Packets, duplicates included.
        packets: u64,
        /// Octets of UDP, its headers included.
        udp_bytes: u64,
        /// Octets of RTP payload.
        payload_bytes: u64,
        /// Packets that the sequence numbers say were sent.
        expected: u64,
        /// Packets that never came.
        lost: u64,
        /// Packets that came again.
        duplicates: u64,
        /// Packets that came after one with a higher number.
        reordered: u64,
        /// By how many numbers at most.
        reorder_most: u64,
        /// By how much time at most they came after the higher one.
        reorder_most_ns: i64,
        /// Packets so far behind that nobody waits for them, or so far ahead that they were not believed.
        strays: u64,
        /// Runs of lost packets.
        loss_runs: u64,
        /// The longest of them.
        loss_run_most: u64,
        /// How long the runs were.
        loss_run_histogram: LogHistogram,
        /// Packets received between two runs.
        between_losses: Spread,
        /// Where packets were first missed: the packet after them.
        first_loss: Option<Occurrence>,
        /// How often the sequence began anew (RFC 3550 Appendix A.1), with the first.
        resets: u64,
        /// Where first.
        first_reset: Option<Occurrence>,
        /// How often the synchronisation source changed.
        source_changes: u64,
        /// How often the payload type changed.
        payload_type_changes: u64,
        /// Whether sequence numbers had 32 bits (RFC 4175 §4.1).
        extended_sequence: bool,
        /// How often the upper half did not advance with the lower one.
        extended_faults: u64,
        /// Packets with the marker.
        markers: u64,
        /// Datagrams, by their largest and smallest size.
        udp_size_bytes: Spread,
        /// Interarrival jitter at the end (RFC 3550 §6.4.1).
        jitter_ns: u64,
        /// The greatest it was.
        jitter_most_ns: u64,
        /// The same at the end in ticks of the RTP clock, as a receiver report has it.
        jitter_ticks: u32,
        /// Time between packets.
        interval_ns: Spread,
        /// How often which time.
        interval_histogram: LogHistogram,
        /// The longest time without a packet, and the packet after it.
        longest_silence: Option<(i64, Occurrence)>,
        /// Packets in order whose time in the capture was before the one before: the capture's fault.
        time_reversals: u64,
        /// The first packet's time.
        first: Option<String>,
        /// The last packet's time.
        last: Option<String>,
        /// Bits a second of UDP from the first packet to the last.
        rate_bps: u64,
        /// What RTCP said, where there was some.
        reports: Option<ReportFacts>,
    }
}

shown! {
    /// What RTCP said of a leg, held against what was measured.
    ReportFacts from model::media::reception::ReportFacts {
        /// Sender reports.
        sender_reports: u64,
        /// Receiver reports and report blocks of receivers about the stream.
        receiver_reports: u64,
        /// Extended reports (RFC 3611).
        extended_reports: u64,
        /// Reports of another source than the stream's.
        foreign: u64,
        /// The sender's canonical name. Strangers choose it.
        canonical_name: Option<String>,
        /// The sender's own words: name, tool, note, of at most 255 octets each. Strangers choose them.
        descriptions: Vec<(u8, String)>,
        /// Whether the sender said goodbye, and why.
        goodbye: Option<String>,
        /// Time between sender reports.
        interval_ns: Spread,
        /// Packets that the sender says it sent, between the first and the last report that could be compared.
        sent: u64,
        /// Packets of the stream that came in the same time, duplicates left out.
        received: u64,
        /// Most packets by which one report differed from what came.
        difference_most: u64,
        /// RTP clock against the sender's NTP clock, in parts per billion: positive where it runs fast.
        rtp_drift_ppb: Option<i64>,
        /// The sender's NTP clock against the capture's, in parts per billion.
        ntp_drift_ppb: Option<i64>,
        /// The capture's time less the NTP time of the report.
        ntp_offset_ns: Spread,
        /// How far a report's RTP time lies from the one that the packets tell, in ticks.
        rtp_offset_ticks: Spread,
        /// The worst share of loss that a receiver reported, of 256.
        reported_fraction_most: u8,
        /// The most lost packets that a receiver reported.
        reported_lost_most: i32,
        /// The greatest jitter that a receiver reported, in ticks.
        reported_jitter_most: u32,
        /// Round trips of receivers (RFC 3550 §6.4.1).
        round_trip_ns: Spread,
        /// Packets of RTCP that could not be read.
        unreadable: u64,
    }
}

shown! {
    /// One leg of a stream that is sent twice.
    HitlessLeg from model::media::reception::HitlessLeg {
        /// Packets, duplicates left out.
        received: u64,
        /// Packets that another leg had and this one not.
        lost: u64,
        /// Packets that only this leg had.
        only_here: u64,
        /// Packets that came here after another leg's, but too late for the class to help.
        late: u64,
        /// Packets that came here first.
        first_here: u64,
        /// Packets that came again on this leg.
        duplicates: u64,
    }
}

shown! {
    /// What two legs have together (ST 2022-7).
    HitlessFacts from model::media::reception::HitlessFacts {
        /// Each leg.
        legs: Vec<HitlessLeg>,
        /// Packets that at least one leg had.
        union: u64,
        /// Packets that every leg had.
        common: u64,
        /// Packets of them that are the same, header and payload.
        identical: u64,
        /// Packets of them that differ.
        different: u64,
        /// Where they differed first.
        first_difference: Option<Occurrence>,
        /// Packets that no leg had, between the first and the last.
        missing: u64,
        /// Where they were first missed.
        first_missing: Option<Occurrence>,
        /// Arrival on the second leg less arrival on the first (of more legs: each less the first), signed.
        path_difference_ns: Spread,
        /// The strictest class whose differential covers every common packet; `None` beyond all, or without common packets.
        class: Option<&'static str>,
        /// How well they guard each other at the end.
        protection: &'static str,
        /// How often it changed.
        protection_changes: u64,
        /// Whether the legs' sequences were too far apart to be matched at some time.
        resets: u64,
    }
}

shown! {
    /// The RTP clock against TAI (ST 2110-10).
    TimingFacts from model::media::reception::TimingFacts {
        /// How packet times became TAI.
        basis: &'static str,
        /// Ticks a second of the RTP clock.
        clock_rate: u32,
        /// Ticks that the session adds (`mediaclk:direct=`).
        clock_offset_ticks: u64,
        /// On a relative clock: arrival of the first packet less its RTP time, were the capture's clock UTC (TAI less
        /// 37 s). That and the next were too much to be believed.
        late_if_utc_ns: Option<i64>,
        /// The same, were it TAI.
        late_if_tai_ns: Option<i64>,
        /// Arrival less RTP time, of every packet; on a relative clock: less that of the first.
        latency_ns: Spread,
        /// Packets whose RTP time lay in the future when they came (ST 2110-10:2022 §7.7).
        future: u64,
        /// Distinct timestamps in a row.
        timestamps: u64,
        /// Distances between them, in ticks.
        step_ticks: Spread,
        /// The commonest distances, at most eight, the commonest first.
        steps: Vec<(i64, u64)>,
        /// Distances that are neither rounded down nor up what the period wants.
        steps_odd: u64,
        /// Where first.
        first_odd_step: Option<Occurrence>,
        /// Timestamps that went backwards.
        backwards: u64,
        /// RTP clock against the capture's, in parts per billion; positive where it runs fast. Known after a second.
        drift_ppb: Option<i64>,
    }
}
