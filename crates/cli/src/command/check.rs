//! `portreeve check`: findings with evidence, and one exit status.

use engine::{Outcome, Row};
use host::Looker;
use model::{Finding, Subject};

use super::{Status, Stop, list, media, write_json};
use crate::args::CheckArgs;
use crate::files::Places;
use crate::look;
use crate::selection::{self, Selection};
use crate::{csv, output, sarif, text};

pub(super) fn run(args: &CheckArgs) -> Status {
    let (targets, filters) = selection::split(&args.what);
    let ports: Vec<String> =
        targets.iter().map(|target| format!("port={}", target.trim_start_matches(':'))).collect();
    let filters: Vec<&str> = filters.into_iter().chain(ports.iter().map(String::as_str)).collect();
    let selection = Selection::resolve(&args.select, &filters).map_err(Stop::Usage)?;
    let places = Places::find();
    let mut grounds = look::gather(&places, &args.judge);
    look::remember(&mut grounds, &places, &args.judge, &[]);
    media::sessions::agree(&mut grounds, &args.agreed)?;
    if !grounds.wrong.is_empty() {
        // Without the policy that people wrote, what they accepted would be found again, and what they forbade not.
        return Err(Stop::Failed(format!("nothing was checked:\n{}", grounds.wrong.join("\n"))));
    }
    let view = grounds.judge(look::snapshot(&mut Looker::new(), &selection.look()));
    if let Some(error) = selection.missing_namespace(&view) {
        return Err(Stop::Failed(error));
    }
    let rows: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(&view, row)).collect();
    let everything = selection.is_everything();
    let shown: std::collections::HashSet<_> = rows.iter().map(|row| row.door).collect();
    let about = |subject: &Subject| match view.row_of(subject) {
        Some(row) => shown.contains(&row.door),
        None => everything,
    };
    let findings: Vec<&Finding> =
        view.findings.iter().filter(|finding| everything || finding.subjects.iter().any(about)).collect();
    let threshold = args.fail_on.threshold();
    let outcome = if findings.iter().any(|finding| threshold.reached_by(finding.severity)) {
        Outcome::Findings
    } else if view.is_partial() {
        Outcome::Partial
    } else {
        Outcome::Accounted
    };
    let status = outcome.exit_status();
    list::tell_gaps(&view, status, &args.output);
    if args.sarif {
        let log = serde_json::to_vec(&sarif::log(&view, &findings, status))?;
        write_json(log, output::is_terminal())?;
    } else if args.output.json {
        let bytes = list::render(&view, &rows, everything, Vec::new(), status, &args.output, false)?;
        list::show(bytes, &args.output, false)?;
    } else if args.output.csv {
        let mut out = String::new();
        let headings = ["code", "severity", "confidence", "title", "about", "evidence", "next_step"];
        csv::table(
            &mut out,
            headings,
            findings.iter().map(|finding| {
                let about: Vec<String> = finding
                    .subjects
                    .iter()
                    .filter_map(|subject| text::subject_words(&view, subject))
                    .collect();
                let evidence: Vec<String> =
                    finding.evidence.iter().map(|it| format!("{} [{}]", it.fact, it.source)).collect();
                [
                    finding.code.name().to_owned(),
                    finding.severity.name().to_owned(),
                    finding.confidence.name().to_owned(),
                    finding.title.clone(),
                    about.join("; "),
                    evidence.join("; "),
                    finding.next_step.clone(),
                ]
            }),
        );
        output::write(out.as_bytes())?;
    } else {
        let mut out = String::new();
        text::check(&mut out, &view, &rows, &findings, output::form(&args.output));
        output::present(&out, &args.output)?;
    }
    Ok(status)
}
