//! How a sender's pacing compares with ST 2110-21.

use alloc::vec::Vec;

use super::format::SenderType;
use super::profile::Profile;
use super::reception::ClockBasis;
use super::spread::{Histogram, Spread};
use super::stream::Occurrence;

/// How a sender's pacing compares with ST 2110-21.
///
/// A *unit* is what has a read schedule of its own: a frame, or where fields or segments are sent, each of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShapingFacts {
    /// Whose way of computing was followed.
    pub profile: Profile,
    /// How packet times became TAI. On a relative clock each unit is held against the offset that fits it best, and
    /// nothing is said of when it came.
    pub basis: ClockBasis,
    /// What the session says.
    pub declared: Option<SenderType>,
    /// Where frames begin to be read after their alignment point, and whether the session says so (`TROFF`).
    pub read_offset_ns: i64,
    /// Whether that offset is the sender's own (`TROFF`) and not the default.
    pub read_offset_declared: bool,
    /// Whether the raster has a gapped read schedule; otherwise the type cannot be narrow.
    pub gapped: bool,
    /// Units judged.
    pub units: u64,
    /// Units of which the begin or the end was not seen, or packets are missing; they are judged by what is there.
    pub units_incomplete: u64,
    /// Packets with a time.
    pub packets: u64,
    /// Packets missing inside units.
    pub packets_missing: u64,
    /// Packets of an earlier unit that came during a later one; they fill the network bucket only.
    pub packets_stray: u64,
    /// Packets of a frame, of both fields.
    pub frame_packets: Spread,
    /// Fullness of the network bucket at each packet.
    pub burst: Spread,
    /// `CMAX` of the session, and in how many units it was exceeded.
    pub declared_burst: Option<(u32, u64)>,
    /// Fullness of the receiver's buffer with the gapped schedule, at packets and at reads; negative where reads waited.
    pub gapped_buffer: Spread,
    /// The same with the linear schedule.
    pub linear_buffer: Spread,
    /// The types of ST 2110-21 and how they were kept: narrow, narrow linear, wide.
    pub types: Vec<TypeFacts>,
    /// The strictest type that every judged unit kept.
    pub satisfied: Option<SenderType>,
    /// First packet after the frame's alignment point (FPT); second fields after theirs.
    pub first_packet_ns: Spread,
    /// Read offset less the first packet: how early it came (margin).
    pub margin_ns: Spread,
    /// RTP timestamp against the alignment point (RTPOFFSET), in nanoseconds.
    pub rtp_offset_ns: Spread,
    /// RTP timestamp against the alignment point, in ticks of the truncated clock.
    pub rtp_offset_ticks: Spread,
    /// First packet after its RTP timestamp (VL).
    pub latency_ns: Spread,
    /// From the last packet of a unit to the first of the next (GAP).
    pub gap_ns: Spread,
    /// On a relative clock: by how much the begin of a unit differs from the one before plus its duration.
    pub wander_ns: Spread,
    /// The last units, oldest first, at most 4,096.
    pub series: Vec<UnitShape>,
    /// The last seconds, oldest first, at most 1,024 (RP 2110-25:2023 reports by the second).
    pub seconds: Vec<SecondShape>,
    /// How often the bucket had which fullness at a packet.
    pub burst_histogram: Option<Histogram>,
    /// How often the receiver's buffer had which fullness at a packet, with the schedule of the declared type.
    pub buffer_histogram: Option<Histogram>,
}

/// How a type of ST 2110-21 was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeFacts {
    /// Which.
    pub sender_type: SenderType,
    /// Largest fullness of the network bucket allowed (`CMAX`), for the last unit; `None` where the type has none.
    pub burst_limit: Option<u64>,
    /// Size of the receiver's buffer (`VRX_FULL`), for the last unit; `None` where no receiver model is applied.
    pub buffer_limit: Option<u64>,
    /// Units that kept all of it.
    pub kept: u64,
    /// Units that filled the network bucket too much.
    pub bursts: u64,
    /// Units that overflowed the receiver's buffer.
    pub overflows: u64,
    /// Units of which a packet came after it was to be read.
    pub underflows: u64,
    /// Where it was broken first.
    pub first_violation: Option<Occurrence>,
}

/// How one unit came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitShape {
    /// Its first packet, in nanoseconds of the clock in `basis`.
    pub at_ns: i64,
    /// Its packets, the missing ones included.
    pub packets: u32,
    /// The fullest network bucket.
    pub burst_most: u32,
    /// The emptiest and the fullest buffer with the gapped schedule; `None` where there is no such schedule.
    pub gapped: Option<(i32, i32)>,
    /// The emptiest and the fullest buffer with the linear schedule; `None` where no receiver model is applied.
    pub linear: Option<(i32, i32)>,
    /// First packet after the alignment point (FPT); `None` on a relative clock.
    pub first_packet_ns: Option<i64>,
    /// RTP timestamp against the alignment point in ticks (RTPOFFSET); `None` on a relative clock.
    pub rtp_offset_ticks: Option<i64>,
    /// First packet after its RTP timestamp (VL); `None` on a relative clock.
    pub latency_ns: Option<i64>,
    /// From the last packet of the unit before.
    pub gap_ns: i64,
}

/// What a second of units was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondShape {
    /// Its begin, in whole seconds of the clock in `basis`.
    pub second: i64,
    /// The fullest network bucket of its units.
    pub burst: Spread,
    /// The emptiest buffers of its units, with the schedule of the declared type.
    pub buffer_least: Spread,
    /// The fullest buffers of its units, with the schedule of the declared type.
    pub buffer_most: Spread,
    /// First packets after their alignment point.
    pub first_packet_ns: Spread,
    /// First packets after their RTP timestamp.
    pub latency_ns: Spread,
    /// Gaps between units.
    pub gap_ns: Spread,
}
