//! The rules that streams of ancillary data are held to (RFC 8331, ST 291-1, ST 2110-40).

use model::media::StreamRule;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident: $kebab:literal, $clause:literal;)+) => {
        $($(#[doc = $doc])+
        pub static $name: StreamRule = StreamRule { name: $kebab, clause: $clause, text: first(&[$($doc),+]) };)+
    };
}

const fn first(lines: &'static [&'static str]) -> &'static str {
    match lines {
        [line, ..] => line.trim_ascii(),
        [] => "",
    }
}

rules! {
    /// A payload ends within its header or within a packet.
    SHORT: "ancillary-short", "RFC 8331 §2.1";
    /// Length is not what the packets take.
    LENGTH: "ancillary-length", "RFC 8331 §2.1";
    /// The field is 01, which means nothing.
    FIELD: "ancillary-field", "RFC 8331 §2.1";
    /// Reserved bits are not zero.
    RESERVED: "ancillary-reserved", "RFC 8331 §2.1";
    /// The bits that fill up a packet are not zero, or are missing.
    FILLING: "ancillary-filling", "RFC 8331 §2.1";
    /// A stream number is given that is said to mean nothing.
    STREAM_NUMBER: "ancillary-stream-number", "RFC 8331 §2.1";
    /// Parity of DID, SDID or Data_Count is wrong.
    PARITY: "ancillary-parity", "ST 291-1:2011 §6.2";
    /// A checksum is wrong.
    CHECKSUM: "ancillary-checksum", "RFC 8331 §2.1";
    /// User data hold a code that SDI keeps for itself.
    PROTECTED: "ancillary-protected", "ST 291-1:2011 §5";
    /// The identification is reserved: nobody may use it.
    IDENTIFICATION: "ancillary-identification", "ST 291-1:2011 §6";
    /// A kind of data came that the session does not announce.
    UNANNOUNCED: "ancillary-unannounced", "RFC 8331 §3.1";
    /// Fields do not take turns, or one frame of many says that it is a field.
    FIELD_ORDER: "ancillary-field-order", "RFC 8331 §2.1";
    /// One timestamp has two fields.
    MIXED_FIELDS: "ancillary-mixed-fields", "RFC 8331 §2.1";
    /// The last packet of a frame or field has no marker.
    MARKER_MISSING: "ancillary-marker-missing", "RFC 8331 §2";
    /// Packets of a frame or field came after its marker.
    MARKER_EARLY: "ancillary-marker-early", "RFC 8331 §2";
    /// A frame or field came without a packet.
    PERIOD_EMPTY: "ancillary-period-empty", "ST 2110-40:2023 §5.5";
    /// The upper half of the sequence number did not follow the lower.
    EXTENDED_SEQUENCE: "ancillary-extended-sequence", "RFC 8331 §2.1";
    /// A packet came after the window of its transmission model.
    LATE: "ancillary-late", "ST 2110-40:2023 §6";
    /// A packet came before the window of its transmission model.
    EARLY: "ancillary-early", "ST 2110-40:2023 §6";
    /// A time code does not follow the one before.
    TIME_CODE: "ancillary-time-code", "ST 12-1:2014 §5";
    /// A time code has a label that does not exist.
    TIME_CODE_LABEL: "ancillary-time-code-label", "ST 12-1:2014 §5";
    /// Captions are not what they claim, or their checksum is wrong.
    CAPTIONS: "ancillary-captions", "ST 334-2:2015 §5";
    /// Subtitles of teletext are not what they claim, or their checksum is wrong.
    SUBTITLES: "ancillary-subtitles", "RDD 8:2008 §5";
    /// A message to splicers is not what it claims.
    SPLICE: "ancillary-splice", "ST 2010:2008 §5";
}
