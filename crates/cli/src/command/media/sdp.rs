//! `portreeve media sdp`: descriptions checked, or made.

use media::sdp::lint::Severity;
use media::sdp::{self, Complaint};

use super::send;
use crate::args::{ComplaintLevel, SdpCommand, SdpLintArgs};
use crate::command::{Status, write_json};
use crate::document::ComplaintsDocument;
use crate::style::Paint;
use crate::{csv, files, output, sanitise};

pub(super) fn run(command: &SdpCommand) -> Status {
    match command {
        SdpCommand::Lint(args) => lint(args),
        SdpCommand::Make(command) => {
            output::write(send::description(command)?.as_bytes())?;
            Ok(0)
        }
    }
}

fn lint(args: &SdpLintArgs) -> Status {
    let least = match args.fail_on {
        ComplaintLevel::Note => Severity::Note,
        ComplaintLevel::Warning => Severity::Warning,
        ComplaintLevel::Error => Severity::Error,
    };
    let mut all: Vec<(String, Vec<Complaint>)> = Vec::new();
    let mut unread = false;
    for path in &args.files {
        // Of many, one that cannot be read keeps none of the others from being held to the rules.
        match files::read_input(path, files::TEXT_LIMIT) {
            Ok(text) => all.push((path.display().to_string(), sdp::lint(&text, args.edition))),
            Err(error) => {
                output::complain(&sanitise::line(&error));
                unread = true;
            }
        }
    }
    if all.is_empty() {
        return Ok(2);
    }
    let fails = all.iter().any(|(_, list)| list.iter().any(|complaint| complaint.severity >= least));
    if args.output.json {
        write_json(serde_json::to_vec(&ComplaintsDocument::of(&all))?, output::is_terminal())?;
    } else if args.output.csv {
        let mut out = String::new();
        csv::complaints(&mut out, &all, !args.output.no_header);
        output::present(&out, &args.output)?;
    } else {
        let mut out = String::new();
        for (file, list) in &all {
            write(&mut out, file, list, args);
        }
        output::present(&out, &args.output)?;
    }
    Ok(if unread { 2 } else { u8::from(fails) })
}

fn write(out: &mut String, file: &str, list: &[Complaint], args: &SdpLintArgs) {
    use std::fmt::Write as _;
    let form = output::form(&args.output);
    let file = sanitise::line(file);
    if list.is_empty() {
        let _ = writeln!(out, "{file}: nothing to complain");
    }
    for complaint in list {
        let paint = match complaint.severity {
            Severity::Error => Paint::Red,
            Severity::Warning => Paint::Yellow,
            Severity::Note => Paint::Cyan,
        };
        let line = if complaint.line > 0 { format!(":{}", complaint.line) } else { String::new() };
        let _ = writeln!(
            out,
            "{file}{line}: {} {}: {} [{}]\n    {}",
            form.style.paint(paint, complaint.severity.word()),
            complaint.code.name(),
            sanitise::line(&complaint.text),
            complaint.clause,
            complaint.next
        );
    }
}
