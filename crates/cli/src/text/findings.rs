//! Findings with their evidence and next step, and the difference to a baseline.

use std::fmt::Write as _;

use engine::{Row, View};
use model::{Finding, Subject};
use verdict::baseline::{Change, ChangeKind};

use super::paper::field;
use super::{Form, cells};
use crate::sanitise;
use crate::style::Paint;

/// Writes every finding in full, and the summary.
pub(crate) fn check(out: &mut String, view: &View, rows: &[&Row], findings: &[&Finding], form: Form) {
    for finding in findings {
        write_finding(out, view, finding, &|_| false, form);
        out.push('\n');
    }
    if !view.accepted.is_empty() && form.headings {
        let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, "Accepted by policy"));
        for accepted in &view.accepted {
            accepted_line(out, accepted);
        }
        out.push('\n');
    }
    if form.headings {
        let accepted = super::list::judged(view, rows).1;
        super::list::summary(out, view, rows, (findings, accepted), form);
    }
}

/// Writes one finding that policy accepts, with the entry and its reason.
pub(super) fn accepted_line(out: &mut String, accepted: &verdict::Accepted) {
    let _ = writeln!(
        out,
        "  {}: {} ({}: {})",
        accepted.finding.code.name(),
        sanitise::line(&accepted.finding.title),
        sanitise::line(&accepted.entry),
        sanitise::line(&accepted.reason)
    );
}

/// Writes one finding in full, with what is asked about before all else that it touches.
pub(crate) fn write_finding(
    out: &mut String,
    view: &View,
    finding: &Finding,
    asked: &dyn Fn(&Subject) -> bool,
    form: Form,
) {
    let first = finding.subjects.iter().filter(|subject| asked(subject));
    let others = finding.subjects.iter().filter(|subject| !asked(subject));
    let subjects: Vec<String> =
        first.chain(others).filter_map(|subject| subject_words(view, subject)).collect();
    write_one(out, finding, &subjects, form);
}

/// Writes one finding in full, about things that are already in words.
pub(crate) fn write_one(out: &mut String, finding: &Finding, subjects: &[String], form: Form) {
    let severity = form.style.paint(Paint::severity(finding.severity), finding.severity.name());
    let code = form.style.paint(Paint::Bold, finding.code.name());
    let _ = writeln!(out, "{severity} {code}: {}", sanitise::line(&finding.title));
    const MOST: usize = 8;
    let shown = subjects.get(..subjects.len().min(MOST)).unwrap_or_default();
    let more = match subjects.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    field(out, "about", &format!("{}{more}", shown.join("; ")), form);
    for evidence in &finding.evidence {
        field(out, "seen", &format!("{} [{}]", evidence.fact, evidence.source), form);
    }
    field(out, "confidence", finding.confidence.name(), form);
    field(out, "next step", &finding.next_step, form);
}

/// What a finding is about, in one phrase.
pub(crate) fn subject_words(view: &View, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Socket(index) => {
            let socket = view.snapshot.sockets.get(*index)?;
            let namespace = match cells::namespace(view, socket.netns) {
                name if name.is_empty() => name,
                name => format!(" in {name}"),
            };
            let holders = cells::holders(view, socket);
            Some(format!("{} on {}{namespace}, {holders}", cells::port(socket), cells::address(socket)))
        }
        Subject::Forward(index) => {
            let forward = view.snapshot.forwards.get(*index)?;
            Some(format!("{} {}", cells::forward_port(forward), cells::forward_to(forward)))
        }
        Subject::Entry(entry) => Some(sanitise::line(entry).into_owned()),
        // A look at a machine has no packets.
        Subject::Visitor(source) => Some(source.to_string()),
        Subject::Service(_)
        | Subject::Scan(_)
        | Subject::Beacon(_)
        | Subject::Touch(_)
        | Subject::Capture
        | Subject::Session(_)
        | Subject::Stream(_)
        | Subject::Group(_)
        | Subject::Clock(_) => None,
    }
}

/// Writes the difference to a baseline.
pub(crate) fn changes(out: &mut String, changes: &[Change], form: Form) {
    for change in changes {
        let (word, paint) = match change.kind {
            ChangeKind::New => ("new", Paint::Yellow),
            ChangeKind::Gone => ("gone", Paint::Cyan),
            ChangeKind::Changed => ("changed", Paint::Yellow),
        };
        let entry =
            change.entry.as_deref().map(|entry| format!("  [{}]", sanitise::line(entry))).unwrap_or_default();
        let word = form.style.paint(paint, format!("{word:7}"));
        let shown = |text: &Option<String>| text.as_deref().map(|text| sanitise::line(text).into_owned());
        let line = match (shown(&change.before), shown(&change.after)) {
            (Some(before), Some(after)) => format!("- {before}\n        + {after}"),
            (Some(before), None) => format!("- {before}"),
            (None, Some(after)) => format!("+ {after}"),
            (None, None) => String::new(),
        };
        let _ = writeln!(out, "{word} {line}{}", form.style.paint(Paint::Dim, entry));
    }
}
