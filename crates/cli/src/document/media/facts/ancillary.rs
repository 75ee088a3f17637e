//! What was measured of ancillary data, metadata and timed text, in JSON.

use super::Occurrence;
use super::Spread;
use super::shown;

shown! {
    /// What was measured of ancillary data (ST 2110-40).
    AncillaryFacts from model::media::ancillary::AncillaryFacts {
        /// RTP packets.
        packets: u64,
        /// RTP packets that carry nothing (`ANC_Count` 0), to show that the stream lives.
        keep_alives: u64,
        /// RTP packets with padding.
        padded: u64,
        /// RTP packets that could not be read to their end.
        malformed: u64,
        /// Packets of ancillary data.
        data_packets: u64,
        /// Packets of ancillary data whose DID, SDID or Data_Count has wrong parity.
        parity_errors: u64,
        /// Packets of ancillary data whose checksum is wrong.
        checksum_errors: u64,
        /// RTP packets by the field they name.
        fields: FieldCounts,
        /// What came, by DID and SDID.
        kinds: Vec<AncillaryKind>,
        /// Packets of kinds for which there was no room in the list.
        other_kinds: u64,
        /// Kinds that the session announces and that did not come.
        announced_unseen: Vec<(u8, u8)>,
        /// Frames, or fields, that had a packet.
        periods: u64,
        /// Frames, or fields, that had none, by the steps of the timestamp.
        periods_missing: u64,
        /// RTP packets of a period.
        packets_per_period: Spread,
        /// Ticks from one period to the next.
        step_ticks: Spread,
        /// Octets of an RTP payload.
        payload_bytes: Spread,
        /// Frames a second, where known.
        frame_rate: Option<String>,
        /// Whether the frame rate was inferred from the timestamps; else the session says it.
        frame_rate_inferred: bool,
        /// Time codes, by origin.
        time_codes: Vec<TimeCodeFacts>,
        /// Captions, by service.
        captions: Vec<CaptionFacts>,
        /// Caption distribution packets, where there were some.
        caption_packets: Option<CaptionPacketFacts>,
        /// The last active format description, in words, and how often it changed.
        format_description: Option<FormatDescriptionFacts>,
        /// The last payload identifier: its octets and its words.
        payload_identifier: Option<(String, String)>,
        /// Messages to splicers, the first ones.
        splices: Vec<SpliceFacts>,
        /// Messages to splicers for which there was no room in the list.
        other_splices: u64,
        /// Packets against the windows of their transmission model, where the capture's clock follows TAI.
        window: Option<WindowFacts>,
    }
}

shown! {
    /// Packets against the windows of their transmission model (ST 2110-40:2023 §6).
    WindowFacts from model::media::ancillary::WindowFacts {
        /// Whether the model is that of low latency; else the compatible one.
        low_latency: bool,
        /// Lines of a frame, with those that hold no picture.
        total_lines: u32,
        /// Whether that is assumed: the fewest that such a signal can have, which forgives most.
        total_lines_assumed: bool,
        /// Nanoseconds after the end of the window; negative before it.
        late_ns: Spread,
        /// Packets after their window.
        late: u64,
        /// Packets before their window.
        early: u64,
    }
}

shown! {
    /// RTP packets by the field they name.
    FieldCounts from model::media::ancillary::FieldCounts {
        /// Progressive, or none.
        unspecified: u64,
        /// The value that means nothing.
        invalid: u64,
        /// The first field.
        first: u64,
        /// The second field.
        second: u64,
    }
}

shown! {
    /// One kind of ancillary data.
    AncillaryKind from model::media::ancillary::AncillaryKind {
        /// Data identification.
        did: u8,
        /// Secondary data identification; zero for type 1.
        sdid: u8,
        /// What it is, and the text that says so.
        name: Option<(&'static str, &'static str)>,
        /// Whether the session announces it; `None` where the session announces no kinds.
        announced: Option<bool>,
        /// How many packets.
        packets: u64,
        /// With wrong parity.
        parity_errors: u64,
        /// With a wrong checksum.
        checksum_errors: u64,
        /// Words of user data.
        words: Spread,
        /// Lines on which it is to stand, the first ones: line as coded in 11 bits, and how often.
        lines: Vec<(u16, u64)>,
        /// Where it came first.
        first: Occurrence,
    }
}

shown! {
    /// One time code.
    TimeCodeFacts from model::media::ancillary::TimeCodeFacts {
        /// `LTC`, `VITC1`, `VITC2`.
        origin: String,
        /// How many.
        packets: u64,
        /// The first label.
        first: String,
        /// The last label.
        last: String,
        /// Whether labels are dropped.
        drop_frame: bool,
        /// The user bits of the last one.
        user_bits: u32,
        /// How often a label did not follow the one before.
        jumps: u64,
        /// How often a label does not exist.
        impossible: u64,
    }
}

shown! {
    /// One service of captions.
    CaptionFacts from model::media::ancillary::CaptionFacts {
        /// `CC1` to `CC4`, `service 1` and so on.
        service: String,
        /// How often what it shows changed.
        changes: u64,
        /// The last text that it showed.
        last: String,
    }
}

shown! {
    /// Caption distribution packets.
    CaptionPacketFacts from model::media::ancillary::CaptionPacketFacts {
        /// How many.
        packets: u64,
        /// How many were not what they claim.
        malformed: u64,
        /// How many have a wrong checksum.
        checksum_errors: u64,
        /// How often the counter did not follow.
        sequence_gaps: u64,
        /// The frame rate they state.
        frame_rate: Option<String>,
        /// The last time code in one.
        time_code: Option<String>,
        /// Octets for line 21 whose parity is wrong.
        line_parity_errors: u64,
        /// Packets of digital captions.
        digital_packets: u64,
        /// How often the number of a digital packet did not follow.
        digital_gaps: u64,
    }
}

shown! {
    /// Which part of the picture matters.
    FormatDescriptionFacts from model::media::ancillary::FormatDescriptionFacts {
        /// Its code.
        code: u8,
        /// Whether the coded frame is 16:9.
        wide: bool,
        /// What the code means.
        meaning: &'static str,
        /// Bars: `lines 70 and 1011`; empty where there are none.
        bars: String,
        /// How often it changed.
        changes: u64,
    }
}

shown! {
    /// One message to splicers.
    SpliceFacts from model::media::ancillary::SpliceFacts {
        /// Where.
        at: Occurrence,
        /// What it asks: `splice start, event 42, 8000 ms ahead, break 30.0 s`.
        text: String,
    }
}

shown! {
    /// What was measured of fast metadata (ST 2110-41).
    MetadataFacts from model::media::ancillary::MetadataFacts {
        /// RTP packets.
        packets: u64,
        /// RTP packets without a data item.
        empty: u64,
        /// RTP packets that could not be read to their end.
        malformed: u64,
        /// Data items by type, with their names.
        kinds: Vec<MetadataKind>,
        /// Data items of types for which there was no room in the list.
        other_kinds: u64,
        /// Types that the session announces and that did not come.
        announced_unseen: Vec<u32>,
        /// The longest time without a packet; `None` without times.
        longest_gap_ns: Option<u64>,
    }
}

shown! {
    /// One type of data item.
    MetadataKind from model::media::ancillary::MetadataKind {
        /// Its number.
        kind: u32,
        /// What it is called.
        name: Option<&'static str>,
        /// Who may define it: `SMPTE`, `organisations`, `private`, `reserved`, `experimental`.
        range: &'static str,
        /// Whether the session announces it; `None` where the session announces no types.
        announced: Option<bool>,
        /// How many items.
        items: u64,
        /// How many had the `K` bit.
        flagged: u64,
        /// Octets of their contents.
        bytes: Spread,
        /// Where it came first.
        first: Occurrence,
    }
}

shown! {
    /// What was measured of timed text (ST 2110-43).
    TextFacts from model::media::ancillary::TextFacts {
        /// RTP packets.
        packets: u64,
        /// RTP packets without text.
        keep_alives: u64,
        /// RTP packets that could not be read to their end.
        malformed: u64,
        /// Documents that came whole.
        documents: u64,
        /// Documents of which a packet was missing, or that were too long to be kept.
        incomplete: u64,
        /// Whole documents that are TTML by their root element.
        ttml: u64,
        /// The root element of the last document.
        root: String,
        /// Octets of a document.
        document_bytes: Spread,
        /// The text of the last document without its marks, as far as there is room.
        last: String,
    }
}
