//! What streams of uncompressed video are held to (ST 2110-20:2022, ST 2110-10:2022).

use model::media::StreamRule;

macro_rules! rules {
    ($($name:ident = $word:literal, $clause:literal, $text:literal;)+) => {
        $(
            #[doc = $text]
            pub static $name: StreamRule = StreamRule { name: $word, clause: $clause, text: $text };
        )+

        /// Every one.
        pub static ALL: &[&StreamRule] = &[$(&$name),+];
    };
}

rules! {
    HEADER = "srd-header", "RFC 4175 §4.2", "A payload ends within its header.";
    BEYOND_PACKET = "srd-beyond-packet", "RFC 4175 §4.2", "A piece of a row claims more octets than the packet has.";
    TRAILING = "srd-trailing", "ST 2110-20:2022 §6.1", "Octets follow the last piece of a row.";
    COUNT = "srd-count", "ST 2110-20:2022 §6.1", "A packet has more than three pieces of rows.";
    EMPTY = "srd-empty", "ST 2110-20:2022 §6.1", "A piece of no octets stands beside others.";
    PGROUP = "srd-length", "ST 2110-20:2022 §6.1", "A piece of a row is no multiple of the pixel group.";
    OFFSET = "srd-offset", "ST 2110-20:2022 §6.2", "A piece of a row begins within a pixel group.";
    WIDTH = "srd-width", "ST 2110-20:2022 §6.1", "A piece of a row reaches beyond the width.";
    RASTER = "raster", "ST 2110-20:2022 §7.2", "Frames have fewer rows or pixels than were said.";
    ROW = "srd-row", "ST 2110-20:2022 §6.1", "A row is beyond the height.";
    ROW_PAIR = "srd-row-pair", "RFC 4175 §4.3", "A row pair of 4:2:0 has an odd number.";
    LINE_NUMBERS = "line-numbers", "ST 2110-20:2022 §6.1", "Rows are not counted from zero; plain RFC 4175 counts SDI lines.";
    SRD_ORDER = "srd-order", "ST 2110-20:2022 §6.1", "Pieces of rows do not come from top to bottom and from left to right.";
    FIELDS_MIXED = "fields-mixed", "ST 2110-20:2022 §6.1", "Rows of both fields come in one packet, or a packet of one among those of the other.";
    FIELD_OF_PROGRESSIVE = "field-of-progressive", "ST 2110-20:2022 §6.1", "A progressive picture has a second field.";
    FIELD_MISSING = "field-missing", "ST 2110-20:2022 §6.1", "Fields of one kind only come, where both must.";
    FIELD_ORDER = "field-order", "ST 2110-20:2022 §6.1", "A field follows another of the same kind.";
    SEGMENT_TIMESTAMP = "segment-timestamp", "ST 2110-10:2022 §7.6", "Two segments of a frame have different timestamps.";
    FIELD_TIMESTAMP = "field-timestamp", "ST 2110-10:2022 §7.6", "The two fields of a frame have one timestamp.";
    PIXELS_TWICE = "pixels-twice", "ST 2110-20:2022 §6.1", "A pixel comes twice in one frame, in packets that differ.";
    PIXELS_MISSING = "pixels-missing", "ST 2110-20:2022 §6.1", "A frame lacks pixels although none of its packets is lost.";
    MARKER_MISSING = "marker-missing", "ST 2110-20:2022 §6.1", "The last packet of a frame has no marker.";
    MARKER_EARLY = "marker-early", "ST 2110-20:2022 §6.1", "A marker stands in the middle of a frame.";
    TIMESTAMP_IN_FRAME = "timestamp-in-frame", "ST 2110-10:2022 §7.6", "The timestamp changes within a frame.";
    TIMESTAMP_SAME = "timestamp-same", "ST 2110-10:2022 §7.6", "Two frames have one timestamp.";
    TIMESTAMP_STRAY = "timestamp-stray", "ST 2110-10:2022 §7.6", "Timestamps stray from regular increments.";
    FRAME_RATE = "frame-rate", "ST 2110-20:2022 §7.2", "Frames come at another rate than was said.";
    EXTENDED_ZERO = "extended-sequence-zero", "RFC 4175 §4.2", "The upper half of the sequence number stays zero while the lower wraps.";
    EXTENDED_STEP = "extended-sequence", "RFC 4175 §4.2", "The upper half of the sequence number does not count the wraps of the lower.";
    BLOCK_SIZE = "block-size", "ST 2110-20:2022 §6.3", "A packet of block packing mode has not 1260 octets of rows.";
    BLOCK_EXTENDED = "block-extended", "ST 2110-20:2022 §6.3", "A packet of block packing mode is larger than the standard limit.";
    SMALL_DATAGRAM = "small-datagram", "ST 2110-20:2022 §6.3", "A datagram before the end of a frame has less than 1000 octets, which should be avoided.";
}
