//! The form of lines, their order, and the session's own fields (RFC 8866 §5, §9).

use super::{Lint, Report};
use crate::sdp::document::{MAX_LINES, decode, lines, rank, split};
use crate::sdp::fields::{Host, number};

/// Kinds of lines that the grammar has.
const KNOWN: &str = "vosiuepcbtrzkam";
/// Those that stand at the session only.
const SESSION_ONLY: &str = "vosueptrz";

pub(super) fn judge(report: &mut Report<'_>, bytes: &[u8]) {
    let (text, is_utf8) = decode(bytes);
    let charset = report.document.session.attribute("charset").is_some();
    if !is_utf8 && !charset {
        report.tell(Lint::BadByte, 0, "not UTF-8, and no a=charset");
    }
    let mut walk = Walk::default();
    for raw in lines(&text).take(MAX_LINES) {
        if !raw.proper_end && !walk.ends_told {
            walk.ends_told = true;
            report.tell(Lint::LineEnding, raw.at, "");
        }
        if raw.text.contains('\0') {
            report.tell(Lint::BadByte, raw.at, "NUL");
        }
        match split(raw.text) {
            _ if raw.text.trim().is_empty() => report.tell(Lint::LineEmpty, raw.at, ""),
            None => report.tell(Lint::LineForm, raw.at, raw.text),
            Some((kind, value)) => walk.line(report, raw.at, kind, value),
        }
    }
    if walk.first.is_none() {
        report.tell(Lint::Version, 0, "there are no lines");
    }
    for kind in ['o', 's', 't'] {
        if report.document.session.first(kind).is_none() {
            report.tell(Lint::LineMissing, 0, format!("{kind}="));
        }
    }
}

#[derive(Default)]
struct Walk {
    first: Option<char>,
    last: Option<(char, usize)>,
    seen: String,
    is_medium: bool,
    ends_told: bool,
}

impl Walk {
    fn line(&mut self, report: &mut Report<'_>, at: usize, kind: char, value: &str) {
        if self.first.is_none() {
            self.first = Some(kind);
            if kind != 'v' || value != "0" {
                report.tell(Lint::Version, at, format!("{kind}={value}"));
            }
        }
        // A name of one space was how RFC 4566 §5.3 wrote that there is none.
        let spaced = value.starts_with(char::is_whitespace) && !(kind == 's' && value == " ");
        if (value.is_empty() && kind != 's') || spaced {
            report.tell(Lint::LineForm, at, format!("{kind}={value}"));
        }
        if !KNOWN.contains(kind) {
            report.tell(Lint::LineUnknown, at, format!("{kind}="));
            return;
        }
        self.order(report, at, kind);
        let spaced = value.contains("  ") || value.contains('\t') || value.ends_with(' ');
        if matches!(kind, 'o' | 't' | 'm') && spaced {
            report.tell(Lint::LineSpace, at, format!("{kind}={value}"));
        }
        match kind {
            'o' => origin(report, at, value),
            's' if value.is_empty() => report.tell(Lint::SessionName, at, ""),
            't' => time(report, at, value),
            'b' => bandwidth(report, at, value),
            'k' => report.tell(Lint::KeyLine, at, ""),
            'a' => attribute(report, at, value, self.is_medium),
            _ => {}
        }
    }

    fn order(&mut self, report: &mut Report<'_>, at: usize, kind: char) {
        if kind == 'm' {
            self.is_medium = true;
            self.seen.clear();
            self.last = Some((kind, 0));
            self.seen.push(kind);
            return;
        }
        let repeats = if self.is_medium { "ik" } else { "vosiuk" };
        let again = self.seen.contains(kind);
        if again && (repeats.contains(kind) || (kind == 'c' && !self.is_medium)) {
            report.tell(Lint::LineRepeated, at, format!("{kind}="));
        }
        if !again {
            self.seen.push(kind);
        }
        let place = rank(kind, self.is_medium);
        let wrong = match self.last {
            _ if self.is_medium && SESSION_ONLY.contains(kind) => {
                report.tell(Lint::LineOrder, at, format!("{kind}= belongs to the session, before any m="));
                return;
            }
            // A repetition belongs to a time, a zone to times.
            Some((last, _)) if kind == 'r' && !matches!(last, 't' | 'r') => Some(last),
            Some((last, _)) if kind == 'z' && !matches!(last, 't' | 'r') => Some(last),
            Some((last, highest)) if place < highest => Some(last),
            _ => None,
        };
        if let Some(last) = wrong {
            report.tell(Lint::LineOrder, at, format!("{kind}= after {last}="));
        }
        let highest = self.last.map_or(place, |(_, highest)| highest.max(place));
        self.last = Some((kind, highest));
    }
}

fn origin(report: &mut Report<'_>, at: usize, value: &str) {
    let words: Vec<&str> = value.split_whitespace().collect();
    let [_, id, version, "IN", family, address] = words.as_slice() else {
        return report.tell(Lint::OriginForm, at, value);
    };
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    match Host::parse(family, address) {
        Some(host) if digits(id) && digits(version) => {
            if host.address().is_some_and(|address| address.is_multicast()) {
                report.tell(Lint::OriginMulticast, at, *address);
            }
        }
        _ => report.tell(Lint::OriginForm, at, value),
    }
}

fn time(report: &mut Report<'_>, at: usize, value: &str) {
    // Seconds since 1900 have ten digits since 1931 (RFC 8866 §9).
    let instant = |word: &str| {
        let proper = word == "0" || (word.len() >= 10 && !word.starts_with('0'));
        number::<u64>(word).filter(|_| proper)
    };
    let mut words = value.split_whitespace().map(instant);
    match (words.next().flatten(), words.next().flatten(), words.next()) {
        (Some(start), Some(stop), None) if stop == 0 || start <= stop => {}
        _ => report.tell(Lint::TimeForm, at, value),
    }
}

fn bandwidth(report: &mut Report<'_>, at: usize, value: &str) {
    let proper =
        value.split_once(':').is_some_and(|(kind, amount)| is_token(kind) && number::<u64>(amount).is_some());
    if !proper {
        report.tell(Lint::BandwidthForm, at, value);
    }
}

fn attribute(report: &mut Report<'_>, at: usize, value: &str, is_medium: bool) {
    let name = value.split_once(':').map_or(value, |(name, _)| name);
    if !is_token(name) {
        report.tell(Lint::AttributeForm, at, name);
    }
    if let Some(meant) = misspelt(name) {
        report.tell(Lint::AttributeMisspelt, at, format!("{name} for {meant}"));
    }
    let misplaced = match name {
        "group" => is_medium,
        "mid" | "rtpmap" | "fmtp" | "ptime" | "maxptime" | "framecount" | "framerate" | "rtcp" | "ssrc"
        | "ssrc-group" => !is_medium,
        _ => false,
    };
    if misplaced {
        report.tell(Lint::AttributeLevel, at, name);
    }
}

/// Attributes that descriptions of media have.
const ATTRIBUTES: [&str; 28] = [
    "rtpmap",
    "fmtp",
    "ptime",
    "maxptime",
    "framecount",
    "framerate",
    "mediaclk",
    "ts-refclk",
    "source-filter",
    "group",
    "mid",
    "ssrc",
    "ssrc-group",
    "duplication-delay",
    "rtcp",
    "rtcp-mux",
    "recvonly",
    "sendonly",
    "sendrecv",
    "inactive",
    "extmap",
    "control",
    "charset",
    "tool",
    "clock-domain",
    "sync-time",
    "rtcp-fb",
    "setup",
];

/// What a name may have been meant to be: the one that it differs from by a letter, or by capitals.
fn misspelt(name: &str) -> Option<&'static str> {
    if name.len() > 24 || name.len() < 4 || ATTRIBUTES.contains(&name) {
        return None;
    }
    ATTRIBUTES.into_iter().find(|known| known.len() > 3 && is_near(name.as_bytes(), known.as_bytes()))
}

/// Whether two names differ by one letter too many, too few, or other; capitals do not count.
fn is_near(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let before = short.iter().zip(long).take_while(same).count();
    let after = short.iter().rev().zip(long.iter().rev()).take_while(same).count();
    before + after + 1 >= long.len()
}

/// A token (RFC 8866 §9).
fn is_token(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(sign)
}
