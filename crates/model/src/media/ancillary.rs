//! What was measured of ancillary data, fast metadata and timed text.

use alloc::{string::String, vec::Vec};

use super::format::Ratio;
use super::spread::Spread;
use super::stream::Occurrence;

/// What was measured of ancillary data (ST 2110-40).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AncillaryFacts {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets that carry nothing (`ANC_Count` 0), to show that the stream lives.
    pub keep_alives: u64,
    /// RTP packets with padding.
    pub padded: u64,
    /// RTP packets that could not be read to their end.
    pub malformed: u64,
    /// Packets of ancillary data.
    pub data_packets: u64,
    /// Packets of ancillary data whose DID, SDID or Data_Count has wrong parity.
    pub parity_errors: u64,
    /// Packets of ancillary data whose checksum is wrong.
    pub checksum_errors: u64,
    /// RTP packets by the field they name.
    pub fields: FieldCounts,
    /// What came, by DID and SDID.
    pub kinds: Vec<AncillaryKind>,
    /// Packets of kinds for which there was no room in the list.
    pub other_kinds: u64,
    /// Kinds that the session announces and that did not come.
    pub announced_unseen: Vec<(u8, u8)>,
    /// Frames, or fields, that had a packet.
    pub periods: u64,
    /// Frames, or fields, that had none, by the steps of the timestamp.
    pub periods_missing: u64,
    /// RTP packets of a period.
    pub packets_per_period: Spread,
    /// Ticks from one period to the next.
    pub step_ticks: Spread,
    /// Octets of an RTP payload.
    pub payload_bytes: Spread,
    /// Frames a second, where known.
    pub frame_rate: Option<Ratio>,
    /// Whether the frame rate was inferred from the timestamps; else the session says it.
    pub frame_rate_inferred: bool,
    /// Time codes, by origin.
    pub time_codes: Vec<TimeCodeFacts>,
    /// Captions, by service.
    pub captions: Vec<CaptionFacts>,
    /// Caption distribution packets, where there were some.
    pub caption_packets: Option<CaptionPacketFacts>,
    /// The last active format description, in words, and how often it changed.
    pub format_description: Option<FormatDescriptionFacts>,
    /// The last payload identifier: its octets and its words.
    pub payload_identifier: Option<([u8; 4], String)>,
    /// Messages to splicers, the first ones.
    pub splices: Vec<SpliceFacts>,
    /// Messages to splicers for which there was no room in the list.
    pub other_splices: u64,
    /// Packets against the windows of their transmission model, where the capture's clock follows TAI.
    pub window: Option<WindowFacts>,
}

/// Packets against the windows of their transmission model (ST 2110-40:2023 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowFacts {
    /// Whether the model is that of low latency; else the compatible one.
    pub low_latency: bool,
    /// Lines of a frame, with those that hold no picture.
    pub total_lines: u32,
    /// Whether that is assumed: the fewest that such a signal can have, which forgives most.
    pub total_lines_assumed: bool,
    /// Nanoseconds after the end of the window; negative before it.
    pub late_ns: Spread,
    /// Packets after their window.
    pub late: u64,
    /// Packets before their window.
    pub early: u64,
}

/// RTP packets by the field they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldCounts {
    /// Progressive, or none.
    pub unspecified: u64,
    /// The value that means nothing.
    pub invalid: u64,
    /// The first field.
    pub first: u64,
    /// The second field.
    pub second: u64,
}

/// One kind of ancillary data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AncillaryKind {
    /// Data identification.
    pub did: u8,
    /// Secondary data identification; zero for type 1.
    pub sdid: u8,
    /// What it is, and the text that says so.
    pub name: Option<(&'static str, &'static str)>,
    /// Whether the session announces it; `None` where the session announces no kinds.
    pub announced: Option<bool>,
    /// How many packets.
    pub packets: u64,
    /// With wrong parity.
    pub parity_errors: u64,
    /// With a wrong checksum.
    pub checksum_errors: u64,
    /// Words of user data.
    pub words: Spread,
    /// Lines on which it is to stand, the first ones: line as coded in 11 bits, and how often.
    pub lines: Vec<(u16, u64)>,
    /// Where it came first.
    pub first: Occurrence,
}

/// One time code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeCodeFacts {
    /// `LTC`, `VITC1`, `VITC2`.
    pub origin: String,
    /// How many.
    pub packets: u64,
    /// The first label.
    pub first: String,
    /// The last label.
    pub last: String,
    /// Whether labels are dropped.
    pub drop_frame: bool,
    /// The user bits of the last one.
    pub user_bits: u32,
    /// How often a label did not follow the one before.
    pub jumps: u64,
    /// How often a label does not exist.
    pub impossible: u64,
}

/// One service of captions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionFacts {
    /// `CC1` to `CC4`, `service 1` and so on.
    pub service: String,
    /// How often what it shows changed.
    pub changes: u64,
    /// The last text that it showed.
    pub last: String,
}

/// Caption distribution packets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaptionPacketFacts {
    /// How many.
    pub packets: u64,
    /// How many were not what they claim.
    pub malformed: u64,
    /// How many have a wrong checksum.
    pub checksum_errors: u64,
    /// How often the counter did not follow.
    pub sequence_gaps: u64,
    /// The frame rate they state.
    pub frame_rate: Option<Ratio>,
    /// The last time code in one.
    pub time_code: Option<String>,
    /// Octets for line 21 whose parity is wrong.
    pub line_parity_errors: u64,
    /// Packets of digital captions.
    pub digital_packets: u64,
    /// How often the number of a digital packet did not follow.
    pub digital_gaps: u64,
}

/// Which part of the picture matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatDescriptionFacts {
    /// Its code.
    pub code: u8,
    /// Whether the coded frame is 16:9.
    pub wide: bool,
    /// What the code means.
    pub meaning: &'static str,
    /// Bars: `lines 70 and 1011`; empty where there are none.
    pub bars: String,
    /// How often it changed.
    pub changes: u64,
}

/// One message to splicers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpliceFacts {
    /// Where.
    pub at: Occurrence,
    /// What it asks: `splice start, event 42, 8000 ms ahead, break 30.0 s`.
    pub text: String,
}

/// What was measured of fast metadata (ST 2110-41).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataFacts {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets without a data item.
    pub empty: u64,
    /// RTP packets that could not be read to their end.
    pub malformed: u64,
    /// Data items by type, with their names.
    pub kinds: Vec<MetadataKind>,
    /// Data items of types for which there was no room in the list.
    pub other_kinds: u64,
    /// Types that the session announces and that did not come.
    pub announced_unseen: Vec<u32>,
    /// The longest time without a packet; `None` without times.
    pub longest_gap_ns: Option<u64>,
}

/// One type of data item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataKind {
    /// Its number.
    pub kind: u32,
    /// What it is called.
    pub name: Option<&'static str>,
    /// Who may define it: `SMPTE`, `organisations`, `private`, `reserved`, `experimental`.
    pub range: &'static str,
    /// Whether the session announces it; `None` where the session announces no types.
    pub announced: Option<bool>,
    /// How many items.
    pub items: u64,
    /// How many had the `K` bit.
    pub flagged: u64,
    /// Octets of their contents.
    pub bytes: Spread,
    /// Where it came first.
    pub first: Occurrence,
}

/// What was measured of timed text (ST 2110-43).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextFacts {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets without text.
    pub keep_alives: u64,
    /// RTP packets that could not be read to their end.
    pub malformed: u64,
    /// Documents that came whole.
    pub documents: u64,
    /// Documents of which a packet was missing, or that were too long to be kept.
    pub incomplete: u64,
    /// Whole documents that are TTML by their root element.
    pub ttml: u64,
    /// The root element of the last document.
    pub root: String,
    /// Octets of a document.
    pub document_bytes: Spread,
    /// The text of the last document without its marks, as far as there is room.
    pub last: String,
}
