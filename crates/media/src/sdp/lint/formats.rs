//! Payload types, rtpmap and fmtp, whatever they are about (RFC 8866 §6.6, §6.15).

use super::medium::Medium;
use super::{Edition, Lint, Report};
use crate::sdp::format::{Map, Parameters};

/// Encodings of ST 2110: name, kind of medium, clock rate where it is fixed.
const ENCODINGS: [(&str, &str, Option<u32>); 10] = [
    ("raw", "video", Some(90_000)),
    ("jxsv", "video", Some(90_000)),
    ("smpte291", "video", Some(90_000)),
    ("SMPTE2022-6", "video", Some(27_000_000)),
    ("L16", "audio", None),
    ("L24", "audio", None),
    ("AM824", "audio", None),
    ("ST2110-41", "application", None),
    ("ttml+xml", "application", Some(90_000)),
    ("MP2T", "video", Some(90_000)),
];

pub(super) fn judge(report: &mut Report<'_>, media: &[Medium<'_>]) {
    for medium in media {
        types(report, medium);
        forms(report, medium);
        if report.edition != Edition::Rfc {
            for (at, map) in &medium.maps {
                encoding(report, medium, *at, map);
            }
        }
    }
}

fn types(report: &mut Report<'_>, medium: &Medium<'_>) {
    let Some(line) = medium.line.as_ref().filter(|line| line.is_rtp()) else { return };
    let mut listed = [false; 128];
    for payload_type in line.payload_types() {
        if let Some(listed) = listed.get_mut(usize::from(payload_type))
            && core::mem::replace(listed, true)
        {
            report.tell(Lint::PayloadTypeRepeated, medium.at, payload_type.to_string());
        }
        let mapped = medium.maps.iter().any(|(_, map)| map.payload_type == payload_type);
        if !mapped && Map::fixed(payload_type).is_none() {
            report.tell(Lint::MapMissing, medium.at, payload_type.to_string());
        }
    }
    let is_listed = |payload_type: u8| listed.get(usize::from(payload_type)) == Some(&true);
    let mut mapped = [false; 128];
    for (at, map) in &medium.maps {
        if !is_listed(map.payload_type) {
            report.tell(Lint::PayloadTypeUnlisted, *at, format!("rtpmap:{}", map.payload_type));
        }
        if let Some(mapped) = mapped.get_mut(usize::from(map.payload_type))
            && core::mem::replace(mapped, true)
        {
            report.tell(Lint::PayloadTypeRepeated, *at, format!("rtpmap:{}", map.payload_type));
        }
    }
    let mut described = [false; 128];
    for (line, payload_type, _) in &medium.fmtps {
        if !is_listed(*payload_type) {
            report.tell(Lint::PayloadTypeUnlisted, line.at, format!("fmtp:{payload_type}"));
        }
        if let Some(described) = described.get_mut(usize::from(*payload_type))
            && core::mem::replace(described, true)
        {
            report.tell(Lint::PayloadTypeRepeated, line.at, format!("fmtp:{payload_type}"));
        }
    }
}

fn forms(report: &mut Report<'_>, medium: &Medium<'_>) {
    for (line, value) in medium.section.attributes("rtpmap") {
        // It is printed as the grammar writes it.
        let printed = |map: &Map| {
            let parameters = map.parameters.as_deref().map_or_else(String::new, |text| format!("/{text}"));
            format!("rtpmap:{} {}/{}{parameters}", map.payload_type, map.name, map.clock_rate)
        };
        if Map::parse(value).is_none_or(|map| printed(&map) != line.value.trim_end()) {
            report.tell(Lint::MapForm, line.at, value);
        }
    }
    for (line, value) in medium.section.attributes("fmtp") {
        let Some((_, parameters)) = Parameters::parse(value).filter(|(_, found)| !found.text.is_empty())
        else {
            report.tell(Lint::FmtpForm, line.at, value);
            continue;
        };
        for (index, (key, _)) in parameters.entries.iter().enumerate() {
            if key.is_empty() || key.contains(char::is_whitespace) {
                report.tell(Lint::FmtpForm, line.at, *key);
            }
            // Kinds of ancillary data are a list.
            let before = parameters.entries.iter().take(index.min(64));
            if *key != "DID_SDID" && before.into_iter().any(|(other, _)| other == key) {
                report.tell(Lint::ParameterRepeated, line.at, *key);
            }
        }
    }
}

fn encoding(report: &mut Report<'_>, medium: &Medium<'_>, at: usize, map: &Map) {
    let known = ENCODINGS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&map.name));
    let Some((name, kind, rate)) = known else {
        return report.tell(Lint::EncodingUnknown, at, &map.name);
    };
    if *name != map.name {
        report.tell(Lint::EncodingCase, at, format!("{} for {name}", map.name));
    }
    if medium.line.as_ref().is_some_and(|line| line.kind != *kind) {
        report.tell(Lint::MediaKind, medium.at, format!("{name} is m={kind}"));
    }
    if rate.is_some_and(|rate| rate != map.clock_rate) {
        report.tell(Lint::ClockRate, at, format!("{} for {name}", map.clock_rate));
    }
}
