//! Parameters of video, uncompressed and compressed (ST 2110-20:2022 §7, ST 2110-21:2022 §8, ST 2110-22:2022, RFC 9134 §7).

use model::media::{Colorimetry, Depth, Packing, Range, Ratio, Sampling, SenderType, Transfer};

use super::medium::{Medium, Said};
use super::{Edition, Lint, Report, Severity, is_decimal};
use crate::sdp::fields::number;
use crate::sdp::format::{bandwidth, decimal_rate, ratio};

/// Parameters of ST 2110-20, -21 and -10; the last are those that IPMX adds (VSF TR-10-2).
const RAW: &[&str] = &[
    "sampling",
    "depth",
    "width",
    "height",
    "exactframerate",
    "colorimetry",
    "PM",
    "SSN",
    "interlace",
    "segmented",
    "TCS",
    "RANGE",
    "MAXUDP",
    "PAR",
    "TP",
    "TROFF",
    "CMAX",
    "TSMODE",
    "TSDELAY",
    "IPMX",
    "measuredpixclk",
    "htotal",
    "vtotal",
];
/// Those without which ST 2110-20:2022 §7.2 describes nothing.
const RAW_NEEDED: &[&str] =
    &["sampling", "depth", "width", "height", "exactframerate", "colorimetry", "PM", "SSN"];
/// Parameters of RFC 9134 §7.1 and ST 2110-22; the last are those of later profiles (ISO/IEC 21122-2) and of IPMX.
const JPEG_XS: &[&str] = &[
    "packetmode",
    "transmode",
    "profile",
    "level",
    "sublevel",
    "depth",
    "width",
    "height",
    "exactframerate",
    "interlace",
    "segmented",
    "sampling",
    "colorimetry",
    "TCS",
    "RANGE",
    "SSN",
    "TP",
    "CMAX",
    "TROFF",
    "MAXUDP",
    "TSMODE",
    "TSDELAY",
    "fbblevel",
    "IPMX",
    "measuredpixclk",
    "htotal",
    "vtotal",
];

pub(super) fn judge(report: &mut Report<'_>, medium: &Medium<'_>) {
    for said in medium.said(&["raw"]) {
        if !needs(report, &said, RAW, RAW_NEEDED, "ST 2110-20:2022 §7.2") {
            continue;
        }
        picture(report, &said);
        raw_picture(report, &said);
        rates(report, medium, &said);
        end(report, medium, &said, true);
        pacing(report, &said, Severity::Warning);
        packing(report, &said);
        key(report, &said);
        edition(report, medium, &said);
    }
    for said in medium.said(&["jxsv"]) {
        let needed = &["packetmode", "width", "height", "SSN"];
        if needs(report, &said, JPEG_XS, needed, "ST 2110-22:2022") {
            picture(report, &said);
            compressed_picture(report, &said);
            rates(report, medium, &said);
            end(report, medium, &said, false);
            pacing(report, &said, Severity::Error);
            one_of(report, &said, "packetmode", "RFC 9134 §7.1", |text| matches!(text, "0" | "1"));
            one_of(report, &said, "transmode", "RFC 9134 §7.1", |text| matches!(text, "0" | "1"));
            if (said.value("transmode"), said.value("packetmode")) == (Some("0"), Some("0")) {
                let text = "transmode=0, out of order, for slices only (packetmode=1)";
                report.tell_by(Lint::ParameterValue, "RFC 9134 §4.3", said.at, text);
            }
            let named =
                said.value("SSN").is_some_and(|name| matches!(name, "ST2110-22:2019" | "ST2110-22:2022"));
            if !named && said.value("SSN").is_some() {
                report.tell_by(
                    Lint::EditionName,
                    "ST 2110-22:2022",
                    said.at,
                    said.value("SSN").unwrap_or(""),
                );
            }
            if said.value("exactframerate").is_none() && medium.section.attribute("framerate").is_none() {
                let clause = "ST 2110-22:2022";
                report.tell_by(Lint::ParameterMissing, clause, said.at, "exactframerate, or a=framerate");
            }
        }
        if bandwidth(medium.section).is_none() {
            report.tell(Lint::BandwidthMissing, medium.at, "");
        }
    }
    // ST 2022-8 puts TP on ST 2022-6; narrow is not among its types.
    for said in medium.said(&["SMPTE2022-6"]).filter(|said| said.value("TP").is_some()) {
        pacing(report, &said, Severity::Note);
    }
}

/// Whether there are parameters at all; and then which are missing, misspelt, or nobody's.
pub(super) fn needs(
    report: &mut Report<'_>,
    said: &Said<'_, '_>,
    known: &[&str],
    needed: &[&str],
    clause: &'static str,
) -> bool {
    let Some(parameters) = said.parameters else {
        if !needed.is_empty() {
            report.tell_by(Lint::FmtpMissing, clause, said.map_at, &said.map.name);
        }
        return false;
    };
    for key in needed.iter().filter(|key| said.value(key).is_none()) {
        report.tell_by(Lint::ParameterMissing, clause, said.at, *key);
    }
    for (key, _) in &parameters.entries {
        if known.contains(key) {
            continue;
        }
        match known.iter().find(|known| known.eq_ignore_ascii_case(key)) {
            Some(right) => report.tell(Lint::ParameterCase, said.at, format!("{key} for {right}")),
            None => report.tell(Lint::ParameterUnknown, said.at, *key),
        }
    }
    true
}

pub(super) fn one_of(
    report: &mut Report<'_>,
    said: &Said<'_, '_>,
    key: &str,
    clause: &'static str,
    fits: impl Fn(&str) -> bool,
) {
    if let Some(value) = said.value(key).filter(|value| !fits(value)) {
        report.tell_by(Lint::ParameterValue, clause, said.at, format!("{key}={value}"));
    }
}

pub(super) fn frame_rate(report: &mut Report<'_>, said: &Said<'_, '_>) {
    let Some(text) = said.value("exactframerate") else { return };
    // In smallest terms it is written as it is printed; slower than a frame a second is upside down.
    let proper = ratio(text, '/').filter(|rate| rate.to_string() == text);
    if proper.is_none_or(|rate| rate.numerator() < rate.denominator()) {
        report.tell(Lint::FrameRateForm, said.at, text);
    }
}

/// What both kinds of video say of the picture.
fn picture(report: &mut Report<'_>, said: &Said<'_, '_>) {
    let side = |text: &str| {
        number::<u32>(text).is_some_and(|side| (1..=32_767).contains(&side)) && !text.starts_with('0')
    };
    let clause = "ST 2110-20:2022 §7.2";
    one_of(report, said, "width", clause, side);
    one_of(report, said, "height", clause, side);
    one_of(report, said, "TCS", "ST 2110-20:2022 §7.6", |text| Transfer::from_token(text).is_some());
    one_of(report, said, "RANGE", "ST 2110-20:2022 §7.3", |text| Range::from_token(text).is_some());
    frame_rate(report, said);
    for key in ["interlace", "segmented"] {
        let entries = said.parameters.map_or(&[][..], |parameters| parameters.entries.as_slice());
        if entries.iter().any(|(found, value)| *found == key && value.is_some()) {
            report.tell(Lint::ParameterFlag, said.at, key);
        }
    }
    if said.value("segmented").is_some() && said.value("interlace").is_none() {
        report.tell(Lint::SegmentedAlone, said.at, "");
    }
    if said.value("colorimetry") == Some("BT2100") {
        match said.value("RANGE") {
            Some("FULLPROTECT") => report.tell(Lint::RangeColorimetry, said.at, "FULLPROTECT with BT2100"),
            None => report.tell(Lint::RangeMissing, said.at, ""),
            _ => {}
        }
    }
    let (colours, transfer) = (said.value("colorimetry"), said.value("TCS"));
    if let (Some(colours @ ("BT601" | "BT709")), Some(transfer @ ("PQ" | "HLG"))) = (colours, transfer) {
        report.tell(Lint::TransferColorimetry, said.at, format!("{transfer} with {colours}"));
    }
}

/// What RFC 9134 §7.1 says of the picture: more samplings, depths and names of colours, and no pixel groups.
fn compressed_picture(report: &mut Report<'_>, said: &Said<'_, '_>) {
    let clause = "RFC 9134 §7.1";
    one_of(report, said, "sampling", clause, |text| {
        text == "UNSPECIFIED" || Sampling::from_token(text).is_some()
    });
    one_of(report, said, "depth", clause, |text| number::<u8>(text).is_some_and(|bits| bits > 0));
    one_of(report, said, "colorimetry", clause, |text| {
        matches!(text, "BT601-5" | "BT709-2" | "SMPTE240M") || Colorimetry::from_token(text).is_some()
    });
    for name in ["profile", "level", "sublevel"] {
        one_of(report, said, name, clause, |text| !text.contains(char::is_whitespace));
    }
}

/// The frame rate as an attribute, beside the parameter (RFC 8866 §6.13).
fn rates(report: &mut Report<'_>, medium: &Medium<'_>, said: &Said<'_, '_>) {
    for (line, text) in medium.section.attributes("framerate") {
        let Some(rate) = decimal_rate(text).filter(|_| is_decimal(text)) else {
            report.tell_by(Lint::FrameRateForm, "RFC 8866 §6.13", line.at, text);
            continue;
        };
        let Some(exact) = said.value("exactframerate") else { continue };
        if ratio(exact, '/') != Some(rate) {
            report.tell_as(Lint::FrameRateTwice, Severity::Error, line.at, format!("{text} and {exact}"));
        } else if said.map.name.eq_ignore_ascii_case("jxsv") {
            report.tell(Lint::FrameRateTwice, line.at, text);
        }
    }
}

/// What ST 2110-20:2022 §7 says of the picture.
fn raw_picture(report: &mut Report<'_>, said: &Said<'_, '_>) {
    one_of(report, said, "sampling", "ST 2110-20:2022 §7.4.1", |text| Sampling::from_token(text).is_some());
    one_of(report, said, "depth", "ST 2110-20:2022 §7.4.2", |text| Depth::from_token(text).is_some());
    one_of(report, said, "colorimetry", "ST 2110-20:2022 §7.5", |text| {
        Colorimetry::from_token(text).is_some()
    });
    if said.value("sampling").is_some_and(|sampling| sampling.ends_with("4:2:0")) {
        if said.value("depth").is_some_and(|depth| depth.starts_with("16")) {
            report.tell(Lint::SamplingDepth, said.at, "4:2:0 with 16 bits");
        }
        if said.value("interlace").is_some() {
            report.tell(Lint::SamplingScan, said.at, "");
        }
    }
}

/// The semicolon at the end: asked for by the first editions, forbidden by the later ones.
fn end(report: &mut Report<'_>, medium: &Medium<'_>, said: &Said<'_, '_>, was_wanted: bool) {
    let Some(parameters) = said.parameters else { return };
    let ends = parameters.text.ends_with(';');
    match (medium.edition, ends) {
        (Edition::First, false) if was_wanted => {
            // Of the later edition most still name the first: where nobody asks for that, it is a matter of readers.
            let asked = report.edition == Edition::First;
            let severity = if asked { Severity::Warning } else { Severity::Note };
            report.tell_of(Lint::FmtpEnd, severity, "ST 2110-20:2017 §7.1", said.at, "missing");
        }
        (Edition::Second | Edition::Third, true) => report.tell(Lint::FmtpEnd, said.at, "present"),
        _ => {}
    }
    let mut inner = parameters.text.trim_end_matches(';').split(';').skip(1);
    if inner.any(|part| !part.starts_with(char::is_whitespace)) {
        report.tell(Lint::FmtpSpace, said.at, "");
    }
}

fn pacing(report: &mut Report<'_>, said: &Said<'_, '_>, missing: Severity) {
    if said.value("TP").is_none() {
        report.tell_as(Lint::SenderTypeMissing, missing, said.at, "");
    }
    let clause = "ST 2110-21:2022 §8.1";
    one_of(report, said, "TP", clause, |text| SenderType::from_token(text).is_some());
    let clause = "ST 2110-21:2022 §8.2";
    one_of(report, said, "TROFF", clause, |text| number::<u32>(text).is_some());
    one_of(report, said, "CMAX", clause, |text| number::<u32>(text).is_some_and(|packets| packets > 0));
    one_of(report, said, "MAXUDP", "ST 2110-10:2022 §6.3", |text| matches!(text, "1460" | "8960"));
    timestamps(report, said);
}

/// `TSMODE` and `TSDELAY` (ST 2110-10:2022 §8.7).
pub(super) fn timestamps(report: &mut Report<'_>, said: &Said<'_, '_>) {
    let clause = "ST 2110-10:2022 §8.7";
    one_of(report, said, "TSMODE", clause, |text| matches!(text, "SAMP" | "NEW" | "PRES"));
    one_of(report, said, "TSDELAY", clause, |text| number::<u64>(text).is_some_and(|delay| delay > 0));
}

fn packing(report: &mut Report<'_>, said: &Said<'_, '_>) {
    one_of(report, said, "PM", "ST 2110-20:2022 §6.3", |text| Packing::from_token(text).is_some());
    let extended = said.value("MAXUDP").and_then(number::<u32>).is_some_and(|most| most > 1460);
    if said.value("PM") == Some("2110BPM") && extended {
        report.tell(Lint::PackingSize, said.at, "");
    }
    if let Some(text) = said.value("PAR") {
        let printed = |aspect: Ratio| format!("{}:{}", aspect.numerator(), aspect.denominator());
        let proper = text.contains(':') && ratio(text, ':').map(printed).as_deref() == Some(text);
        if !proper {
            report.tell(Lint::AspectForm, said.at, text);
        }
    }
}

fn key(report: &mut Report<'_>, said: &Said<'_, '_>) {
    if said.value("sampling") == Some("KEY") && said.value("TCS").is_some() {
        report.tell(Lint::TransferKey, said.at, "");
    }
}

/// The later edition is named exactly where something of it is used (ST 2110-20:2022 §7.2).
fn edition(report: &mut Report<'_>, medium: &Medium<'_>, said: &Said<'_, '_>) {
    let later = said.value("colorimetry") == Some("ALPHA") || said.value("TCS") == Some("ST2115LOGS3");
    let Some(name) = said.value("SSN") else { return };
    let fits = match name {
        "ST2110-20:2017" => !later,
        "ST2110-20:2022" => later,
        _ => false,
    };
    if !fits {
        let wanted = if later { "ST2110-20:2022" } else { "ST2110-20:2017" };
        report.tell(Lint::EditionName, said.at, format!("{name} for {wanted}"));
    }
    if later && report.edition != Edition::Named && !medium.edition.at_least(Edition::Second) {
        let clause = "ST 2110-20:2017 §7.5";
        report.tell_by(Lint::ParameterValue, clause, said.at, "a value that the first edition does not have");
    }
}
