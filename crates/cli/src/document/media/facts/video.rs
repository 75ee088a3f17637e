//! What was measured of video, in JSON.

use super::shown;

shown! {
    /// The smallest, the largest and the mean of something counted.
    Span from model::media::video::Span {
        /// How many were counted.
        count: u64,
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
        /// The sum: with the count it gives the mean.
        sum: u64,
    }
}

shown! {
    /// How many frames or fields came with this step between their timestamps.
    TimestampStep from model::media::video::TimestampStep {
        /// Ticks of 1/90000 s.
        ticks: u32,
        /// How often.
        count: u64,
    }
}

shown! {
    /// What was measured of uncompressed video (ST 2110-20).
    VideoFacts from model::media::video::VideoFacts {
        /// Packets that were read.
        packets: u64,
        /// Packets whose payload is not what it must be.
        unreadable: u64,
        /// Packets of which only the headers were read, for the capture cut them short.
        headers_only: u64,
        /// Packets of a frame that was closed already.
        late: u64,
        /// Frames (progressive) or fields and segments (otherwise) of which every pixel came.
        complete: u64,
        /// Those of which something is missing; the first and the last, which the recording may cut, are not counted.
        incomplete: u64,
        /// Those that the recording cut at its begin or its end.
        cut: u64,
        /// Those whose timestamp was left out: nothing of them came.
        skipped: u64,
        /// Of the complete and the incomplete ones: first fields or segments.
        first_fields: u64,
        /// Of the complete and the incomplete ones: second fields or segments.
        second_fields: u64,
        /// Packets of a frame or field that came whole.
        packets_per_unit: Span,
        /// Octets of UDP datagrams.
        udp_bytes: Span,
        /// Octets of video in a packet, without headers.
        data_bytes: Span,
        /// Pieces of rows in a packet.
        segments: Span,
        /// The lowest row number.
        min_row: Option<u16>,
        /// The highest row number.
        max_row: Option<u16>,
        /// Where the row that reaches furthest ends, in pixels.
        right_edge: u32,
        /// What rows are counted from in the first and the second field: 0, unless the sender uses the line numbers of SDI.
        first_row: [u16; 2],
        /// Rows of which nothing came, in the incomplete ones.
        rows_missing: u64,
        /// Rows of which a part came.
        rows_partial: u64,
        /// Pixels that did not come.
        pixels_missing: u64,
        /// Pixels that came more than once in a frame.
        pixels_twice: u64,
        /// The packing mode that the packets show; `None` where they fit neither or too few came.
        packing: Option<&'static str>,
        /// How the fields are sent; `None` before the first two.
        scan: Option<&'static str>,
        /// Whether the second field was seen to come first.
        second_field_first: bool,
        /// The upper half of the sequence number.
        extended_sequence: &'static str,
        /// Steps between timestamps of neighbouring frames or fields: the first eight that differ.
        steps: Vec<TimestampStep>,
        /// Steps that are none of these.
        other_steps: u64,
        /// The ticks that timestamps strayed from regular increments, at most, over all that was seen.
        stray_ticks: u64,
        /// Frames a second that timestamps show, in millionths; `None` before there are two.
        timestamp_rate_micro: Option<u64>,
        /// Frames a second that arrival shows, in millionths.
        arrival_rate_micro: Option<u64>,
        /// The frame rate that was expected.
        expected_rate: Option<String>,
        /// Whether the raster is too large for the pixels to be watched one by one.
        unwatched: bool,
    }
}

shown! {
    /// What a JPEG XS codestream says of itself (ISO/IEC 21122-1).
    CodestreamFacts from model::media::video::CodestreamFacts {
        /// Columns.
        width: u16,
        /// Rows: of a field where fields are sent.
        height: u16,
        /// Octets of the codestream as it says itself; 0 where it is variable.
        bytes: u32,
        /// The profile's number.
        profile: u16,
        /// The level's number.
        level: u16,
        /// Rows of a slice, in precincts.
        slice_height: u16,
        /// Each component: bits, and how many columns and rows one sample stands for.
        components: Vec<(u8, u8, u8)>,
    }
}

shown! {
    /// What was measured of JPEG XS (ST 2110-22, RFC 9134).
    CompressedFacts from model::media::video::CompressedFacts {
        /// Packets that were read.
        packets: u64,
        /// Packets whose payload is not what it must be.
        unreadable: u64,
        /// Whether packets come in order (the T bit); `None` before the first.
        sequential: Option<bool>,
        /// Whether packets end with slices (the K bit).
        slices: Option<bool>,
        /// Whether fields are sent (the I bits).
        interlaced: Option<bool>,
        /// Frames or fields that came whole.
        complete: u64,
        /// Those of which something is missing.
        incomplete: u64,
        /// Those that the recording cut.
        cut: u64,
        /// First fields among the complete and the incomplete.
        first_fields: u64,
        /// Second fields among the complete and the incomplete.
        second_fields: u64,
        /// Packets of those that came whole.
        packets_per_unit: Span,
        /// Octets of payload of those that came whole, payload headers left out.
        bytes_per_unit: Span,
        /// Octets of UDP datagrams.
        udp_bytes: Span,
        /// The first frame counter, and the last.
        frame_counters: Option<(u8, u8)>,
        /// Whether the frame counter was seen to count fields; RFC 9134 lets it count frames.
        counts_fields: bool,
        /// Those that begin with a video support box (`jpvs`).
        with_support_box: u64,
        /// Slices of those that came whole, where packets end with slices.
        slices_per_unit: Span,
        /// What the first codestream says of itself.
        codestream: Option<CodestreamFacts>,
        /// Steps between timestamps: the first eight that differ.
        steps: Vec<TimestampStep>,
        /// Steps that are none of these.
        other_steps: u64,
        /// Packets a second by arrival, in thousandths.
        packet_rate_milli: Option<u64>,
        /// Bits a second by arrival, IPv4 and UDP headers included as `b=AS` counts them.
        bits_per_second: Option<u64>,
    }
}

shown! {
    /// What an unknown stream was found to be.
    Certainty from model::media::video::Certainty {
        /// What the packets prove.
        certain: String,
        /// What was assumed because nothing contradicts it.
        assumed: String,
    }
}
