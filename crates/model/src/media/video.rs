//! What was measured of video.

use alloc::{string::String, vec::Vec};

use super::format::{Packing, Ratio, Scan};

/// The smallest, the largest and the mean of something counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// How many were counted.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// The sum: with the count it gives the mean.
    pub sum: u64,
}

impl Span {
    /// Counts one.
    pub fn add(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);
        self.count += 1;
    }

    /// The mean in thousandths; `None` of nothing.
    pub fn mean_thousandths(&self) -> Option<u64> {
        u64::try_from(u128::from(self.sum) * 1000 / u128::from(self.count.max(1)))
            .ok()
            .filter(|_| self.count > 0)
    }
}

/// What a sender does with the upper half of the sequence number (RFC 4175 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum ExtendedSequence {
    /// The lower half did not wrap: nothing can be said.
    #[default]
    Unknown,
    /// It counts the wraps of the lower half, as it must.
    Counts,
    /// It stays zero, as FFmpeg and GStreamer leave it.
    Zero,
    /// Something else.
    Other,
}

impl ExtendedSequence {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            ExtendedSequence::Unknown => "unknown",
            ExtendedSequence::Counts => "counts",
            ExtendedSequence::Zero => "zero",
            ExtendedSequence::Other => "other",
        }
    }
}

/// How many frames or fields came with this step between their timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimestampStep {
    /// Ticks of 1/90000 s.
    pub ticks: u32,
    /// How often.
    pub count: u64,
}

/// What was measured of uncompressed video (ST 2110-20).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VideoFacts {
    /// Packets that were read.
    pub packets: u64,
    /// Packets whose payload is not what it must be.
    pub unreadable: u64,
    /// Packets of which only the headers were read, for the capture cut them short.
    pub headers_only: u64,
    /// Packets of a frame that was closed already.
    pub late: u64,
    /// Packets that came again.
    pub copies: u64,
    /// Frames (progressive) or fields and segments (otherwise) of which every pixel came.
    pub complete: u64,
    /// Those of which something is missing; the first and the last, which the recording may cut, are not counted.
    pub incomplete: u64,
    /// Those that the recording cut at its begin or its end.
    pub cut: u64,
    /// Those whose timestamp was left out: nothing of them came.
    pub skipped: u64,
    /// Of the complete and the incomplete ones: first fields or segments.
    pub first_fields: u64,
    /// Of the complete and the incomplete ones: second fields or segments.
    pub second_fields: u64,
    /// Packets of a frame or field that came whole.
    pub packets_per_unit: Span,
    /// Octets of UDP datagrams.
    pub udp_bytes: Span,
    /// Octets of video in a packet, without headers.
    pub data_bytes: Span,
    /// Pieces of rows in a packet.
    pub segments: Span,
    /// The lowest row number.
    pub min_row: Option<u16>,
    /// The highest row number.
    pub max_row: Option<u16>,
    /// Where the row that reaches furthest ends, in pixels.
    pub right_edge: u32,
    /// What rows are counted from in the first and the second field: 0, unless the sender uses the line numbers of SDI.
    pub first_row: [u16; 2],
    /// Rows of which nothing came, in the incomplete ones.
    pub rows_missing: u64,
    /// Rows of which a part came.
    pub rows_partial: u64,
    /// Pixels that did not come.
    pub pixels_missing: u64,
    /// Pixels that came more than once in a frame.
    pub pixels_twice: u64,
    /// The packing mode that the packets show; `None` where they fit neither or too few came.
    pub packing: Option<Packing>,
    /// How the fields are sent; `None` before the first two.
    pub scan: Option<Scan>,
    /// Whether the second field was seen to come first.
    pub second_field_first: bool,
    /// The upper half of the sequence number.
    pub extended_sequence: ExtendedSequence,
    /// Steps between timestamps of neighbouring frames or fields: the first eight that differ.
    pub steps: Vec<TimestampStep>,
    /// Steps that are none of these.
    pub other_steps: u64,
    /// The ticks that timestamps strayed from regular increments, at most, over all that was seen.
    pub stray_ticks: u64,
    /// Frames a second that timestamps show, in millionths; `None` before there are two.
    pub timestamp_rate_micro: Option<u64>,
    /// Frames a second that arrival shows, in millionths.
    pub arrival_rate_micro: Option<u64>,
    /// The frame rate that was expected.
    pub expected_rate: Option<Ratio>,
    /// Whether the raster is too large for the pixels to be watched one by one.
    pub unwatched: bool,
}

/// What a JPEG XS codestream says of itself (ISO/IEC 21122-1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodestreamFacts {
    /// Columns.
    pub width: u16,
    /// Rows: of a field where fields are sent.
    pub height: u16,
    /// Octets of the codestream as it says itself; 0 where it is variable.
    pub bytes: u32,
    /// The profile's number.
    pub profile: u16,
    /// The level's number.
    pub level: u16,
    /// Rows of a slice, in precincts.
    pub slice_height: u16,
    /// Each component: bits, and how many columns and rows one sample stands for.
    pub components: Vec<(u8, u8, u8)>,
}

/// What was measured of JPEG XS (ST 2110-22, RFC 9134).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompressedFacts {
    /// Packets that were read.
    pub packets: u64,
    /// Packets whose payload is not what it must be.
    pub unreadable: u64,
    /// Whether packets come in order (the T bit); `None` before the first.
    pub sequential: Option<bool>,
    /// Whether packets end with slices (the K bit).
    pub slices: Option<bool>,
    /// Whether fields are sent (the I bits).
    pub interlaced: Option<bool>,
    /// Frames or fields that came whole.
    pub complete: u64,
    /// Those of which something is missing.
    pub incomplete: u64,
    /// Those that the recording cut.
    pub cut: u64,
    /// First fields among the complete and the incomplete.
    pub first_fields: u64,
    /// Second fields among the complete and the incomplete.
    pub second_fields: u64,
    /// Packets of those that came whole.
    pub packets_per_unit: Span,
    /// Octets of payload of those that came whole, payload headers left out.
    pub bytes_per_unit: Span,
    /// Octets of UDP datagrams.
    pub udp_bytes: Span,
    /// The first frame counter, and the last.
    pub frame_counters: Option<(u8, u8)>,
    /// Whether the frame counter was seen to count fields; RFC 9134 lets it count frames.
    pub counts_fields: bool,
    /// Those that begin with a video support box (`jpvs`).
    pub with_support_box: u64,
    /// Slices of those that came whole, where packets end with slices.
    pub slices_per_unit: Span,
    /// What the first codestream says of itself.
    pub codestream: Option<CodestreamFacts>,
    /// Steps between timestamps: the first eight that differ.
    pub steps: Vec<TimestampStep>,
    /// Steps that are none of these.
    pub other_steps: u64,
    /// Packets a second by arrival, in thousandths.
    pub packet_rate_milli: Option<u64>,
    /// `b=AS` of the largest frame at the frame rate, in kbit/s, rounded up.
    pub bandwidth_kbps: Option<u64>,
    /// Bits a second by arrival, IPv4 and UDP headers included as `b=AS` counts them.
    pub bits_per_second: Option<u64>,
}

/// What an unknown stream was found to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certainty {
    /// What the packets prove.
    pub certain: String,
    /// What was assumed because nothing contradicts it.
    pub assumed: String,
}
