//! `portreeve findings`: what was found over time, and what people decided about it.

use store::{Answer, FindingFilter, FindingRecord, FindingState, Findings, Moment, Query};

use super::history::stop;
use super::{Status, Stop, write_json};
use crate::args::{FailOn, FindingsArgs, FindingsCommand, MemoryArgs, OutputArgs};
use crate::document::FindingsDocument;
use crate::files::Places;
use crate::memory::{self, Memory};
use crate::{csv, output, text};

pub(super) fn run(args: &FindingsArgs) -> Status {
    let now = memory::now();
    match &args.command {
        None => list(args, now),
        Some(FindingsCommand::Show { id, memory, output }) => {
            one(memory, output, &Query::Finding { id: id.clone(), now }, None)
        }
        Some(FindingsCommand::Ack { id, reason, lasting, memory, output }) => {
            let until = lasting.map(|ns| Moment::from_ns(now.as_ns().saturating_add(ns)));
            let query = Query::Acknowledge { id: id.clone(), reason: reason.clone(), by: who(), until, now };
            one(memory, output, &query, Some("accepted"))
        }
        Some(FindingsCommand::Reopen { id, memory, output }) => {
            one(memory, output, &Query::Reopen { id: id.clone(), now }, Some("open again"))
        }
    }
}

/// Who decides: under sudo, who called it.
fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["SUDO_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_else(|| String::from("unknown"))
}

fn list(args: &FindingsArgs, now: Moment) -> Status {
    let memory = Memory::find(&Places::find(), args.memory.history.as_deref()).map_err(stop)?;
    let filter = FindingFilter {
        states: args.state.states(),
        since: args.since.map(|since| since.from(now)),
        severity: args.severity.map(|name| name.severity().name().to_owned()),
        codes: args.codes.clone(),
        skip: 0,
        limit: args.limit,
    };
    let found = match memory.ask(&Query::Findings { filter, now }).map_err(stop)? {
        Answer::Findings(found) => found,
        _ => return Err(stop(memory::unexpected())),
    };
    let status = u8::from(fails(&found, args.fail_on));
    if args.output.json {
        let document = FindingsDocument::of(&found.findings, found.total, status);
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
        return Ok(status);
    }
    let mut out = String::new();
    if args.output.csv {
        csv::findings(&mut out, &found.findings);
    } else {
        text::findings(&mut out, &found, output::form(&args.output));
    }
    output::present(&out, &args.output)?;
    Ok(status)
}

/// Whether an open finding is as grave as that.
fn fails(found: &Findings, fail_on: FailOn) -> bool {
    let threshold = fail_on.threshold();
    let is_grave = |finding: &FindingRecord| {
        model::Severity::ALL
            .into_iter()
            .any(|severity| severity.name() == finding.severity && threshold.reached_by(severity))
    };
    found.findings.iter().any(|finding| finding.state == FindingState::Open && is_grave(finding))
}

fn one(memory: &MemoryArgs, args: &OutputArgs, query: &Query, done: Option<&str>) -> Status {
    let memory = Memory::find(&Places::find(), memory.history.as_deref()).map_err(stop)?;
    let finding = match memory.ask(query).map_err(stop)? {
        Answer::Finding(finding) => finding,
        _ => return Err(stop(memory::unexpected())),
    };
    if args.json {
        let document = FindingsDocument::of(std::slice::from_ref(&finding), 1, 0);
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
        return Ok(0);
    }
    let mut out = String::new();
    if args.csv {
        csv::findings(&mut out, std::slice::from_ref(&finding));
    } else if let Some(done) = done {
        output::complain(&format!("{} ({}) is {done}", finding.id, finding.code));
        return Ok(0);
    } else {
        text::finding(&mut out, &finding, output::form(args));
    }
    output::present(&out, args).map_err(Stop::from)?;
    Ok(0)
}
