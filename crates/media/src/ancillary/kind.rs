//! What DID and SDID say a packet of ancillary data is (ST 291-1 and the registry of SMPTE).

/// Who may use an identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// SMPTE registers it.
    Registered,
    /// Anybody may use it.
    Private,
    /// Reserved: nobody may use it.
    Reserved,
}

/// Who may use a DID.
pub const fn may_use(did: u8, sdid: u8) -> Use {
    match did {
        // Type 2 has no SDID of zero.
        0x04..=0x0f | 0x40..=0x7f if sdid == 0 => Use::Reserved,
        0x04..=0x0f | 0x40..=0x4f | 0x60..=0x80 | 0x84 | 0x88 | 0xa0..=0xbf | 0xe0..=0xff => Use::Registered,
        0x50..=0x5f | 0xc0..=0xcf => Use::Private,
        _ => Use::Reserved,
    }
}

/// What a packet is, and the text that says so; `None` where we know none.
pub fn name(did: u8, sdid: u8) -> Option<(&'static str, &'static str)> {
    if did & 0x80 != 0 {
        return TYPE_ONE.iter().find(|(from, to, ..)| (*from..=*to).contains(&did)).map(|it| (it.2, it.3));
    }
    TYPE_TWO
        .binary_search_by_key(&(did, sdid), |it| (it.0, it.1))
        .ok()
        .and_then(|at| TYPE_TWO.get(at))
        .map(|it| (it.2, it.3))
}

/// The payload identifier.
pub const PAYLOAD_IDENTIFIER: (u8, u8) = (0x41, 0x01);
/// Active format description and bars.
pub const FORMAT_DESCRIPTION: (u8, u8) = (0x41, 0x05);
/// Messages to splicers.
pub const SPLICING: (u8, u8) = (0x41, 0x07);
/// Teletext subtitles.
pub const SUBTITLES: (u8, u8) = (0x43, 0x02);
/// Time code.
pub const TIME_CODE: (u8, u8) = (0x60, 0x60);
/// Captions in distribution packets.
pub const CAPTIONS: (u8, u8) = (0x61, 0x01);
/// Captions as line 21 carries them.
pub const LINE_21: (u8, u8) = (0x61, 0x02);

/// DIDs of type 1, from and to.
const TYPE_ONE: &[(u8, u8, &str, &str)] = &[
    (0x80, 0x80, "marked for deletion", "ST 291-1"),
    (0x84, 0x84, "end marker, no longer used", "ST 291-1"),
    (0x88, 0x88, "start marker, no longer used", "ST 291-1"),
    (0xa0, 0xa3, "3G audio control", "ST 299-2"),
    (0xa4, 0xa7, "3G audio", "ST 299-2"),
    (0xe0, 0xe3, "HD audio control", "ST 299-1"),
    (0xe4, 0xe7, "HD audio", "ST 299-1"),
    (0xec, 0xef, "SD audio control", "ST 272"),
    (0xf0, 0xf0, "camera position", "ST 315"),
    (0xf4, 0xf4, "error detection", "RP 165"),
    (0xf8, 0xff, "SD audio", "ST 272"),
];

/// Identifications of type 2, in order.
const TYPE_TWO: &[(u8, u8, &str, &str)] = &[
    (0x08, 0x0c, "MPEG recoding", "ST 353"),
    (0x40, 0x01, "SDTI", "ST 305"),
    (0x40, 0x02, "HD-SDTI", "ST 348"),
    (0x40, 0x04, "link encryption key, one", "ST 427"),
    (0x40, 0x05, "link encryption key, two", "ST 427"),
    (0x40, 0x06, "link encryption metadata", "ST 427"),
    (0x41, 0x01, "payload identifier", "ST 352"),
    (0x41, 0x05, "active format and bars", "ST 2016-3"),
    (0x41, 0x06, "pan and scan", "ST 2016-4"),
    (0x41, 0x07, "splice messages", "ST 2010"),
    (0x41, 0x08, "data of the vertical blanking", "ST 2031"),
    (0x41, 0x09, "MPEG transport stream", "ST 2056"),
    (0x41, 0x0a, "stereoscopic packing", "ST 2068"),
    (0x41, 0x0b, "lip sync", "ST 2064"),
    (0x41, 0x0c, "dynamic range and gamut", "ST 2108-1"),
    (0x43, 0x01, "control between stations", "ITU-R BT.1685"),
    (0x43, 0x02, "subtitles (OP-47)", "RDD 8"),
    (0x43, 0x03, "packets in several (OP-47)", "RDD 8"),
    (0x43, 0x04, "error monitoring", "ARIB TR-B29"),
    (0x43, 0x05, "camera acquisition", "RDD 18"),
    (0x44, 0x04, "KLV, vertical", "RP 214"),
    (0x44, 0x14, "KLV, horizontal", "RP 214"),
    (0x44, 0x44, "UMID and programme", "RP 223"),
    (0x45, 0x01, "audio metadata", "ST 2020"),
    (0x45, 0x02, "audio metadata, channels 1 and 2", "ST 2020"),
    (0x45, 0x03, "audio metadata, channels 3 and 4", "ST 2020"),
    (0x45, 0x04, "audio metadata, channels 5 and 6", "ST 2020"),
    (0x45, 0x05, "audio metadata, channels 7 and 8", "ST 2020"),
    (0x45, 0x06, "audio metadata, channels 9 and 10", "ST 2020"),
    (0x45, 0x07, "audio metadata, channels 11 and 12", "ST 2020"),
    (0x45, 0x08, "audio metadata, channels 13 and 14", "ST 2020"),
    (0x45, 0x09, "audio metadata, channels 15 and 16", "ST 2020"),
    (0x46, 0x01, "two-frame marker", "ST 2051"),
    (0x50, 0x01, "wide screen signalling", "RDD 8"),
    (0x51, 0x01, "film codes", "RP 215"),
    (0x5f, 0xdc, "captions, portable", "ARIB STD-B37"),
    (0x5f, 0xdd, "captions, analogue", "ARIB STD-B37"),
    (0x5f, 0xde, "captions, SD", "ARIB STD-B37"),
    (0x5f, 0xdf, "captions, HD", "ARIB STD-B37"),
    (0x60, 0x60, "time code", "ST 12-2"),
    (0x60, 0x61, "time code, high rate", "ST 12-3"),
    (0x61, 0x01, "captions (CTA-708)", "ST 334-1"),
    (0x61, 0x02, "captions (CTA-608)", "ST 334-1"),
    (0x62, 0x01, "programme description", "RP 207"),
    (0x62, 0x02, "data broadcast", "ST 334-1"),
    (0x62, 0x03, "data of the vertical blanking", "RP 208"),
    (0x64, 0x64, "time code, linear, no longer used", "RP 196"),
    (0x64, 0x7f, "time code, vertical, no longer used", "RP 196"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_found() {
        assert!(TYPE_TWO.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
        assert!(TYPE_TWO.iter().all(|it| name(it.0, it.1) == Some((it.2, it.3)) && it.0 < 0x80));
        assert_eq!(name(0xe7, 9).unwrap().1, "ST 299-1");
        assert_eq!(name(0x01, 0x01), None);
        assert_eq!(name(0x90, 0), None);
    }

    #[test]
    fn what_is_named_may_be_used() {
        assert!(TYPE_TWO.iter().all(|it| may_use(it.0, it.1) != Use::Reserved));
        assert!(TYPE_ONE.iter().all(|it| may_use(it.0, 0) == Use::Registered));
        assert_eq!(may_use(0x01, 0x01), Use::Reserved);
        assert_eq!(may_use(0x61, 0x00), Use::Reserved);
    }
}
