//! Reference clocks and media clocks (RFC 7273, ST 2110-10:2022 §7, §8).

use model::media::{MediaClock, ReferenceClock};

use super::medium::Medium;
use super::{Lint, Report, Severity};
use crate::sdp::clocks;

/// The grandmaster of the example in RFC 7273 §4.8 and in ST 2110-10: many copied it.
const EXAMPLE: [u8; 8] = [0x39, 0xa7, 0x94, 0xff, 0xfe, 0x07, 0xcb, 0xd0];

pub(super) fn judge(report: &mut Report<'_>, media: &[Medium<'_>]) {
    let document = report.document;
    for (line, value) in document.session.attributes("ts-refclk") {
        reference(report, line.at, value);
    }
    for medium in media {
        let mut own = false;
        for (line, value) in medium.section.attributes("ts-refclk") {
            own = true;
            reference(report, line.at, value);
        }
        let inherited = document.session.attribute("ts-refclk").is_some();
        match (own, inherited) {
            (true, _) => {}
            (false, true) => report.tell(Lint::ReferenceLevel, medium.at, ""),
            (false, false) => report.tell(Lint::ReferenceMissing, medium.at, ""),
        }
        if medium.section.attribute("mediaclk").is_none() {
            let detail = if document.session.attribute("mediaclk").is_some() {
                "it stands at the session only"
            } else {
                ""
            };
            report.tell(Lint::MediaClockMissing, medium.at, detail);
        }
        let clock = document.attribute(medium.section, "ts-refclk").map(clocks::reference);
        let follows_ptp = matches!(clock, Some(ReferenceClock::Ptp { .. }));
        for (line, value) in medium.section.attributes("mediaclk") {
            media_clock(report, line.at, value, follows_ptp);
        }
    }
}

fn media_clock(report: &mut Report<'_>, at: usize, value: &str, follows_ptp: bool) {
    match clocks::media(value) {
        None if value.contains("IEEE1722=") => report.tell(Lint::MediaClockKind, at, value),
        None => report.tell(Lint::MediaClockForm, at, value),
        Some(MediaClock::Sender) => report.tell(Lint::MediaClockKind, at, value),
        Some(MediaClock::Direct { offset, rate }) => {
            if offset != 0 && follows_ptp {
                report.tell(Lint::MediaClockOffset, at, offset.to_string());
            }
            if value.contains("rate=") && rate.is_none() {
                report.tell(Lint::MediaClockRate, at, value);
            }
        }
    }
}

fn reference(report: &mut Report<'_>, at: usize, value: &str) {
    let Some(clock) = value.strip_prefix("ptp=") else {
        match (value.strip_prefix("localmac="), clocks::reference(value)) {
            (Some(text), ReferenceClock::LocalMac(address))
                if clocks::pairs(&address).eq_ignore_ascii_case(text) => {}
            (Some(_), _) => report.tell(Lint::ReferenceForm, at, value),
            (None, _) => report.tell(Lint::ReferenceKind, at, value),
        }
        return;
    };
    let Some((version, server)) = clock.split_once(':') else {
        // The first edition's example; RFC 7273 §4.8 wants a version before it.
        let code = if clock == "traceable" { Lint::ReferenceVersion } else { Lint::ReferenceForm };
        return report.tell(code, at, value);
    };
    if version != "IEEE1588-2008" {
        report.tell(Lint::ReferenceVersion, at, version);
    }
    if server == "traceable" {
        return;
    }
    let (master, rest) = server.split_at_checked(23).unwrap_or((server, ""));
    let Some(octets) = clocks::octets::<8>(master) else {
        return report.tell(Lint::ReferenceForm, at, value);
    };
    if !clocks::pairs(&octets).eq_ignore_ascii_case(master) {
        return report.tell(Lint::ReferenceForm, at, value);
    }
    if octets == EXAMPLE {
        report.tell(Lint::ReferenceExample, at, "");
    }
    if clocks::pairs(&octets) != master {
        report.tell(Lint::ReferenceCase, at, master);
    }
    match rest.strip_prefix(':') {
        // RFC 7273 §4.8 can do without; ST 2110-10 cannot.
        None if rest.is_empty() => {
            report.tell_by(Lint::ReferenceDomain, "ST 2110-10:2017 §8.2", at, "not said");
        }
        Some(name) if name.strip_prefix("domain-name=").is_some_and(|name| !name.is_empty()) => {
            report.tell_as(Lint::ReferenceCase, Severity::Warning, at, name);
        }
        Some(text) if !text.is_empty() => match clocks::domain(text) {
            Some(domain) if domain <= 127 => {
                if text.starts_with("domain-nmbr=") {
                    report.tell(Lint::ReferenceCase, at, text);
                }
            }
            _ => report.tell(Lint::ReferenceDomain, at, text),
        },
        _ => report.tell(Lint::ReferenceForm, at, value),
    }
}
