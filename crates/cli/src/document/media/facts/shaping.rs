//! How evenly a sender sends, in JSON.

use super::Histogram;
use super::Occurrence;
use super::Spread;
use super::shown;

shown! {
    /// How a sender's pacing compares with ST 2110-21.
    ///
    /// A *unit* is what has a read schedule of its own: a frame, or where fields or segments are sent, each of them.
    ShapingFacts from model::media::shaping::ShapingFacts {
        /// Whose way of computing was followed.
        profile: &'static str,
        /// How packet times became TAI. On a relative clock each unit is held against the offset that fits it best, and
        /// nothing is said of when it came.
        basis: &'static str,
        /// What the session says.
        declared: Option<&'static str>,
        /// Where frames begin to be read after their alignment point, and whether the session says so (`TROFF`).
        read_offset_ns: i64,
        /// Whether that offset is the sender's own (`TROFF`) and not the default.
        read_offset_declared: bool,
        /// Whether the raster has a gapped read schedule; otherwise the type cannot be narrow.
        gapped: bool,
        /// Units judged.
        units: u64,
        /// Units of which the begin or the end was not seen, or packets are missing; they are judged by what is there.
        units_incomplete: u64,
        /// Packets with a time.
        packets: u64,
        /// Packets missing inside units.
        packets_missing: u64,
        /// Packets of an earlier unit that came during a later one; they fill the network bucket only.
        packets_stray: u64,
        /// Packets of a frame, of both fields.
        frame_packets: Spread,
        /// Fullness of the network bucket at each packet.
        burst: Spread,
        /// `CMAX` of the session, and in how many units it was exceeded.
        declared_burst: Option<(u32, u64)>,
        /// Fullness of the receiver's buffer with the gapped schedule, at packets and at reads; negative where reads waited.
        gapped_buffer: Spread,
        /// The same with the linear schedule.
        linear_buffer: Spread,
        /// The types of ST 2110-21 and how they were kept: narrow, narrow linear, wide.
        types: Vec<TypeFacts>,
        /// The strictest type that every judged unit kept.
        satisfied: Option<&'static str>,
        /// First packet after the frame's alignment point (FPT); second fields after theirs.
        first_packet_ns: Spread,
        /// Read offset less the first packet: how early it came (margin).
        margin_ns: Spread,
        /// RTP timestamp against the alignment point (RTPOFFSET), in nanoseconds.
        rtp_offset_ns: Spread,
        /// RTP timestamp against the alignment point, in ticks of the truncated clock.
        rtp_offset_ticks: Spread,
        /// First packet after its RTP timestamp (VL).
        latency_ns: Spread,
        /// From the last packet of a unit to the first of the next (GAP).
        gap_ns: Spread,
        /// On a relative clock: by how much the begin of a unit differs from the one before plus its duration.
        wander_ns: Spread,
        /// The last seconds, oldest first, at most 1,024 (RP 2110-25:2023 reports by the second).
        seconds: Vec<SecondShape>,
        /// How often the bucket had which fullness at a packet.
        burst_histogram: Option<Histogram>,
        /// How often the receiver's buffer had which fullness at a packet, with the schedule of the declared type.
        buffer_histogram: Option<Histogram>,
    }
}

shown! {
    /// How a type of ST 2110-21 was kept.
    TypeFacts from model::media::shaping::TypeFacts {
        /// Which.
        sender_type: &'static str,
        /// Largest fullness of the network bucket allowed (`CMAX`), for the last unit; `None` where the type has none.
        burst_limit: Option<u64>,
        /// Size of the receiver's buffer (`VRX_FULL`), for the last unit; `None` where no receiver model is applied.
        buffer_limit: Option<u64>,
        /// Units that kept all of it.
        kept: u64,
        /// Units that filled the network bucket too much.
        bursts: u64,
        /// Units that overflowed the receiver's buffer.
        overflows: u64,
        /// Units of which a packet came after it was to be read.
        underflows: u64,
        /// Where it was broken first.
        first_violation: Option<Occurrence>,
    }
}

shown! {
    /// How one unit came.
    UnitShape from model::media::shaping::UnitShape {
        /// Its first packet, in nanoseconds of the clock in `basis`.
        at_ns: i64,
        /// Its packets, the missing ones included.
        packets: u32,
        /// The fullest network bucket.
        burst_most: u32,
        /// The emptiest and the fullest buffer with the gapped schedule; null where there is no such schedule.
        gapped: Option<(i32, i32)>,
        /// The emptiest and the fullest buffer with the linear schedule; null where no receiver model is applied.
        linear: Option<(i32, i32)>,
        /// First packet after the alignment point (FPT); null on a relative clock.
        first_packet_ns: Option<i64>,
        /// RTP timestamp against the alignment point in ticks (RTPOFFSET); null on a relative clock.
        rtp_offset_ticks: Option<i64>,
        /// First packet after its RTP timestamp (VL); null on a relative clock.
        latency_ns: Option<i64>,
        /// From the last packet of the unit before.
        gap_ns: i64,
    }
}

shown! {
    /// What a second of units was like.
    SecondShape from model::media::shaping::SecondShape {
        /// Its begin, in whole seconds of the clock in `basis`.
        second: i64,
        /// The fullest network bucket of its units.
        burst: Spread,
        /// The emptiest buffers of its units, with the schedule of the declared type.
        buffer_least: Spread,
        /// The fullest buffers of its units, with the schedule of the declared type.
        buffer_most: Spread,
        /// First packets after their alignment point.
        first_packet_ns: Spread,
        /// First packets after their RTP timestamp.
        latency_ns: Spread,
        /// Gaps between units.
        gap_ns: Spread,
    }
}
