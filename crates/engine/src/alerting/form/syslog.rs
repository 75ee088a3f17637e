//! Messages of syslog: with structured data for servers (RFC 5424), in the old form for the socket of the machine.

use model::{Severity, Timestamp, Utc};

use super::{Context, shortened, text};
use crate::alerting::notice::{Notice, Told};
use crate::sanitise;

/// Our element. The number is the one for examples (RFC 5612 §2): we have none of our own.
const ELEMENT: &str = "portreeve@32473";

/// So long is one value at most.
const MOST_VALUE: usize = 400;

/// So much room the text has at least.
const LEAST_TEXT: usize = 200;

/// The severity's number (RFC 5424 §6.2.1).
pub fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Alert => 2,
        Severity::Warning => 4,
        Severity::Note => 5,
    }
}

/// The messages of a notice, each at most so many bytes.
pub fn messages(notice: &Notice, context: &Context<'_>, facility: u8, most: usize) -> Vec<Vec<u8>> {
    match notice {
        Notice::Findings { told, .. } => {
            let one = |told: &Told| {
                let finding = &told.sighting.finding;
                let about = head(facility, finding.severity, told.sighting.at, context, finding.code.name());
                fitted(&about, told, context, most)
            };
            told.iter().map(one).collect()
        }
        Notice::HeldBack { at, count, codes } => {
            let about = head(facility, Severity::Warning, *at, context, "held-back");
            let element = format!("[{ELEMENT} state=\"held-back\" count=\"{count}\"]");
            vec![finish(&format!("{about} {element} "), &text::held_back(*count, codes), most)]
        }
    }
}

/// Everything before the structured data (RFC 5424 §6.2).
fn head(facility: u8, grave: Severity, at: Timestamp<Utc>, context: &Context<'_>, code: &str) -> String {
    let priority = u16::from(facility) * 8 + u16::from(severity(grave));
    let micros = at.as_ns().rem_euclid(1_000_000_000) / 1000;
    let name = word(&context.machine.name, 255);
    let (code, process) = (word(code, 32), context.machine.process);
    format!("<{priority}>1 {}.{micros:06}Z {name} portreeve {process} {code}", at.date_and_time())
}

/// A word of the header: visible ASCII without blanks, of limited length; `-` where nothing is left.
fn word(text: &str, most: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if word.is_empty() { "-".into() } else { word }
}

/// With as much evidence as there is room for.
fn fitted(head: &str, told: &Told, context: &Context<'_>, most: usize) -> Vec<u8> {
    let evidence = told.sighting.finding.evidence.len().min(8);
    let fits = |count: &usize| {
        let whole = format!("{head} {} ", elements(told, context, *count));
        (*count == 0 || whole.len() + LEAST_TEXT <= most).then_some(whole)
    };
    let before = (0..=evidence).rev().find_map(|count| fits(&count)).unwrap_or_default();
    finish(&before, &text::line(told), most)
}

/// The text is not marked as UTF-8 (RFC 5424 §6.4 allows any octets), since receivers show the mark as rubbish.
fn finish(before: &str, text: &str, most: usize) -> Vec<u8> {
    let room = most.saturating_sub(before.len());
    format!("{before}{}", shortened(text, room)).into_bytes()
}

/// The structured data (RFC 5424 §6.3).
fn elements(told: &Told, context: &Context<'_>, evidence: usize) -> String {
    let finding = &told.sighting.finding;
    let mut out = format!("[{ELEMENT}");
    let mut put = |name: &str, text: &str| {
        out.push_str(&format!(" {name}=\"{}\"", value(text)));
    };
    put("code", finding.code.name());
    put("severity", finding.severity.name());
    put("confidence", finding.confidence.name());
    put("state", told.state.name());
    put("about", &told.sighting.about);
    put("next", &finding.next_step);
    if let Some(page) = context.page_of(finding.code) {
        put("page", &page);
    }
    for evidence in finding.evidence.iter().take(evidence) {
        put("evidence", &format!("{} [{}]", evidence.fact, evidence.source));
    }
    out.push(']');
    out.push_str(concat!("[origin software=\"portreeve\" swVersion=\"", env!("CARGO_PKG_VERSION"), "\"]"));
    out
}

/// A value: three characters are escaped (RFC 5424 §6.3.3), and nothing else in it is obeyed by anybody.
fn value(text: &str) -> String {
    let mut out = String::new();
    for letter in shortened(&sanitise::line(text), MOST_VALUE).chars() {
        if matches!(letter, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// For the socket of the machine, in the form that every C library writes there (RFC 3164 §4.1).
pub fn local(notice: &Notice, context: &Context<'_>, facility: u8, most: usize) -> Vec<Vec<u8>> {
    let one = |grave: Severity, at: Timestamp<Utc>, text: &str| {
        let priority = u16::from(facility) * 8 + u16::from(severity(grave));
        let before = format!("<{priority}>{} portreeve[{}]: ", old_time(at), context.machine.process);
        finish(&before, text, most)
    };
    match notice {
        Notice::Findings { told, .. } => {
            let line = |told: &Told| {
                let finding = &told.sighting.finding;
                let text = format!("{}; next: {}", text::line(told), sanitise::line(&finding.next_step));
                one(finding.severity, told.sighting.at, &text)
            };
            told.iter().map(line).collect()
        }
        Notice::HeldBack { at, count, codes } => {
            vec![one(Severity::Warning, *at, &text::held_back(*count, codes))]
        }
    }
}

/// `Nov 27 02:03:04`. Loggers put the time at which they got it in its place.
fn old_time(at: Timestamp<Utc>) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day) = model::time::civil_from_days(at.as_seconds().div_euclid(86_400));
    let name = usize::try_from(month).ok().and_then(|it| MONTHS.get(it.saturating_sub(1)));
    let whole = at.date_and_time();
    let (_, clock) = whole.split_once('T').unwrap_or_default();
    format!("{} {day:2} {clock}", name.copied().unwrap_or("Jan"))
}
