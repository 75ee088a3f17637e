//! Copies and what groups them (RFC 5888, RFC 7104, ST 2022-7:2019).

use std::collections::{HashMap, HashSet};

use super::medium::Medium;
use super::{Edition, Lint, Report};
use crate::sdp::fields::{SourceFilter, group};

/// What groups of media are for (RFC 5888 §5 and its registry; RP 2110-23 has the last three).
const SEMANTICS: [&str; 13] = [
    "LS",
    "FID",
    "SRF",
    "ANAT",
    "FEC",
    "FEC-FR",
    "CS",
    "DDP",
    "DUP",
    "BUNDLE",
    "PHASED",
    "MULTI-2SI",
    "MULTI-SD",
];
/// What groups of sources are for (RFC 5576 §4.2 and its registry).
const SOURCE_SEMANTICS: [&str; 4] = ["FID", "FEC", "FEC-FR", "DUP"];

pub(super) fn judge(report: &mut Report<'_>, media: &[Medium<'_>]) {
    let document = report.document;
    let mut marks: HashMap<&str, usize> = HashMap::new();
    for (index, medium) in media.iter().enumerate() {
        for (nth, (line, mark)) in medium.section.attributes("mid").enumerate() {
            let taken = marks.insert(mark, index).is_some();
            if taken || nth > 0 || mark.is_empty() || mark.contains(char::is_whitespace) {
                report.tell(Lint::MarkRepeated, line.at, mark);
            }
        }
        sources(report, medium);
    }
    // A pair is compared once, however many groups name it.
    let mut compared = HashSet::new();
    for (line, value) in document.session.attributes("group").take(256) {
        let Some((semantics, named)) = group(value) else {
            report.tell(Lint::GroupForm, line.at, value);
            continue;
        };
        for mark in named.iter().take(64).filter(|mark| !marks.contains_key(**mark)) {
            report.tell(Lint::GroupMark, line.at, *mark);
        }
        if named.is_empty() || (semantics == "DUP" && named.len() < 2) || !SEMANTICS.contains(&semantics) {
            report.tell(Lint::GroupForm, line.at, value);
        }
        if semantics != "DUP" || report.edition == Edition::Rfc {
            continue;
        }
        let copies: Vec<usize> = named.iter().take(16).filter_map(|mark| marks.get(mark).copied()).collect();
        let Some(one) = copies.first() else { continue };
        for other in copies.iter().skip(1) {
            if let (true, Some(first), Some(second)) =
                (compared.insert((*one, *other)), media.get(*one), media.get(*other))
            {
                compare(report, first, second);
            }
        }
    }
}

/// What a copy is known by: its destination and who sends it.
fn place<'a>(report: &Report<'a>, medium: &Medium<'a>) -> (Vec<&'a str>, u16, Vec<SourceFilter>) {
    let session = &report.document.session;
    let of = |kind| if medium.section.first(kind).is_some() { medium.section } else { session };
    let to = of('c').all('c').take(64).map(|line| line.value.as_str()).collect();
    let own = medium.section.attribute("source-filter").is_some();
    let filters = if own { medium.section } else { session };
    let sources = filters
        .attributes("source-filter")
        .take(64)
        .filter_map(|(_, value)| SourceFilter::parse(value))
        .collect();
    (to, medium.line.as_ref().map_or(0, |line| line.port), sources)
}

fn compare(report: &mut Report<'_>, one: &Medium<'_>, other: &Medium<'_>) {
    // Ports alone do not part ways through a network.
    let ((to, _, from), (other_to, _, other_from)) = (place(report, one), place(report, other));
    let delayed = report.document.session.attribute("duplication-delay").is_some()
        || other.section.attribute("duplication-delay").is_some();
    if to == other_to && from == other_from && !delayed {
        report.tell(Lint::CopiesTogether, other.at, format!("as in line {}", one.at));
    }
    let kinds = |medium: &Medium<'_>| -> Vec<(String, u32, Option<String>)> {
        let of = |(_, map): &(usize, crate::sdp::format::Map)| {
            (map.name.to_ascii_lowercase(), map.clock_rate, map.parameters.clone())
        };
        medium.maps.iter().map(of).collect()
    };
    let parameters = |medium: &Medium<'_>| -> Vec<Vec<(String, Option<String>)>> {
        let of = |entries: &[(&str, Option<&str>)]| {
            let own = |(key, value): &(&str, Option<&str>)| ((*key).to_owned(), value.map(str::to_owned));
            let mut list: Vec<_> = entries.iter().map(own).collect();
            // Legs may be shaped by themselves.
            list.retain(|(key, _)| !matches!(key.as_str(), "TP" | "TROFF" | "CMAX"));
            list.sort();
            list
        };
        medium.fmtps.iter().map(|(_, _, parameters)| of(&parameters.entries)).collect()
    };
    if kinds(one) != kinds(other) || parameters(one) != parameters(other) {
        report.tell(Lint::CopiesDiffer, other.at, format!("from line {}", one.at));
    }
    let types = |medium: &Medium<'_>| medium.line.as_ref().map(|line| line.formats.clone());
    if types(one) != types(other) {
        report.tell(Lint::CopiesType, other.at, format!("from line {}", one.at));
    }
}

fn sources(report: &mut Report<'_>, medium: &Medium<'_>) {
    let number = |text: &str| crate::sdp::fields::number::<u32>(text);
    let mut known = HashSet::new();
    for (line, value) in medium.section.attributes("ssrc") {
        match value.split_whitespace().next().and_then(number) {
            Some(source) => {
                known.insert(source);
            }
            None => report.tell(Lint::SourceGroup, line.at, value),
        }
    }
    for (line, value) in medium.section.attributes("ssrc-group") {
        let (semantics, named) = group(value).unwrap_or_default();
        let all_known =
            named.iter().all(|source| number(source).is_some_and(|source| known.contains(&source)));
        if !SOURCE_SEMANTICS.contains(&semantics)
            || named.is_empty()
            || !all_known
            || (semantics == "DUP" && named.len() < 2)
        {
            report.tell(Lint::SourceGroup, line.at, value);
        }
    }
}
