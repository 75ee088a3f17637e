//! Ancillary data, fast metadata, whole SDI (ST 2110-40:2023, ST 2110-41:2024, RFC 8331 §3).

use super::medium::{Medium, Said};
use super::video::{frame_rate, needs, one_of, timestamps};
use super::{Edition, Lint, Report};
use crate::sdp::fields::number;

pub(super) fn judge(report: &mut Report<'_>, medium: &Medium<'_>) {
    for said in medium.said(&["smpte291"]) {
        ancillary(report, medium, &said);
    }
    for said in medium.said(&["ST2110-41"]) {
        let clause = "ST 2110-41:2024";
        if needs(report, &said, &["SSN", "DIT", "TSMODE", "TSDELAY"], &["SSN"], clause) {
            one_of(report, &said, "SSN", clause, |text| text == "ST2110-41:2024");
            one_of(report, &said, "DIT", clause, |text| text.split(',').all(is_item_type));
            timestamps(report, &said);
        }
    }
}

/// A data item type: 22 bits in upper-case hexadecimal.
fn is_item_type(text: &str) -> bool {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    digits && text.len() <= 6 && u32::from_str_radix(text, 16).is_ok_and(|number| number < 1 << 22)
}

/// A kind of ancillary data: `{0x61,0x02}`.
fn is_kind(text: &str) -> bool {
    let octet = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or_default();
        matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.and_then(|inner| inner.split_once(',')).is_some_and(|(one, other)| octet(one) && octet(other))
}

fn ancillary(report: &mut Report<'_>, medium: &Medium<'_>, said: &Said<'_, '_>) {
    let clause = "ST 2110-40:2023";
    // The rate became mandatory with the edition of 2023.
    if medium.edition.at_least(Edition::Third) && said.value("exactframerate").is_none() {
        report.tell_by(Lint::ParameterMissing, clause, said.at, "exactframerate");
    }
    let known = &["exactframerate", "SSN", "TM", "DID_SDID", "VPID_Code", "TROFF", "TP", "TSMODE", "TSDELAY"];
    if !needs(report, said, known, &[], clause) {
        return;
    }
    frame_rate(report, said);
    one_of(report, said, "TM", clause, |text| matches!(text, "LLTM" | "CTM"));
    one_of(report, said, "VPID_Code", "RFC 8331 §3.1", |text| number::<u8>(text).is_some());
    one_of(report, said, "TROFF", clause, |text| number::<u32>(text).is_some());
    timestamps(report, said);
    let entries = said.parameters.map_or(&[][..], |parameters| parameters.entries.as_slice());
    for (_, value) in entries.iter().filter(|(key, _)| *key == "DID_SDID") {
        let value = value.unwrap_or_default();
        if !is_kind(value) {
            report.tell_by(Lint::ParameterValue, "RFC 8331 §3.1", said.at, format!("DID_SDID={value}"));
        }
    }
    match (said.value("SSN"), said.value("TM").is_some()) {
        (None | Some("ST2110-40:2018"), false) | (Some("ST2110-40:2023"), true) => {}
        (Some("ST2110-40:2021"), _) => report.tell(Lint::EditionMisprint, said.at, ""),
        (name, signalled) => {
            let wanted = if signalled {
                "ST2110-40:2023, for TM is said"
            } else {
                "ST2110-40:2018, for TM is not said"
            };
            let name = name.unwrap_or("nothing");
            report.tell_by(Lint::EditionName, clause, said.at, format!("{name} for {wanted}"));
        }
    }
}
