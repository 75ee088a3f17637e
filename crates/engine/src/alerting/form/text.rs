//! For people: one line, or a page, in which nothing is obeyed by whoever shows it.

use std::fmt::Write as _;

use super::Context;
use crate::alerting::notice::{Notice, State, Told};
use crate::sanitise;

/// One finding in one line.
pub fn line(told: &Told) -> String {
    let finding = &told.sighting.finding;
    let text = format!(
        "[{}] {}: {}{} ({})",
        finding.code.name(),
        finding.severity.name(),
        told.state.before_title(),
        finding.title,
        told.sighting.about,
    );
    sanitise::line(&text).into_owned()
}

/// What was held back, in one line.
pub fn held_back(count: u64, codes: &[(model::Code, u64)]) -> String {
    let list: Vec<String> = codes.iter().map(|(code, count)| format!("{} {count}", code.name())).collect();
    format!("{count} more findings were held back, by the limit of this way: {}", list.join(", "))
}

/// What a notice is about, in one short line.
pub fn subject(notice: &Notice, context: &Context<'_>) -> String {
    let host = &context.machine.name;
    let text = match notice {
        Notice::Findings { told, more: 0 } if told.len() == 1 => told
            .iter()
            .map(|told| {
                format!(
                    "{} on {host}: {}{}",
                    word(told),
                    told.state.before_title(),
                    told.sighting.finding.title
                )
            })
            .collect(),
        Notice::Findings { told, .. } => {
            let first = told.first().map(|told| told.sighting.finding.title.as_str()).unwrap_or_default();
            format!("{} on {host}: {} findings, first: {first}", notice.severity().name(), notice.count())
        }
        Notice::HeldBack { count, .. } => format!("{count} findings on {host} were held back"),
    };
    sanitise::line(&text).into_owned()
}

fn word(told: &Told) -> &'static str {
    if told.state == State::Test { "test" } else { told.sighting.finding.severity.name() }
}

/// All that is known, as a page.
pub fn page(notice: &Notice, context: &Context<'_>) -> String {
    let mut out = String::new();
    match notice {
        Notice::HeldBack { count, codes, .. } => {
            let _ = writeln!(out, "{}\n", held_back(*count, codes));
            let _ = writeln!(
                out,
                "They are in the history of {}: portreeve findings",
                sanitise::line(&context.machine.name)
            );
        }
        Notice::Findings { told, more } => {
            for told in told {
                one(&mut out, told, context);
                out.push('\n');
            }
            if *more > 0 {
                let _ = writeln!(out, "{more} more of the same cause are left out here: portreeve findings");
            }
        }
    }
    out
}

fn one(out: &mut String, told: &Told, context: &Context<'_>) {
    let finding = &told.sighting.finding;
    let mut say = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<11} {}", sanitise::line(value));
    };
    let before = told.state.before_title();
    say("Finding", &format!("{before}{}", finding.title));
    say("Code", finding.code.name());
    say("Severity", &format!("{}, confidence {}", finding.severity.name(), finding.confidence.name()));
    say("About", &told.sighting.about);
    for subject in super::json::subjects(finding) {
        say("Subject", &subject);
    }
    say("Host", &context.machine.name);
    say("Time", &told.sighting.at.rfc3339());
    if told.times > 1 {
        say("Seen", &format!("{} times", told.times));
    }
    for evidence in &finding.evidence {
        say("Evidence", &format!("{} [{}]", evidence.fact, evidence.source));
    }
    say("Next step", &finding.next_step);
    let explain = format!("portreeve explain {}", finding.code.name());
    say("Read more", &context.page_of(finding.code).unwrap_or(explain));
}
