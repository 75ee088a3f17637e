//! `portreeve alert`: which ways findings go, and whether they arrive.

use std::time::Duration;

use engine::alerting::{self, AlertSettings, Machine, Receipt};
use host::deliver::Failure;
use serde_json::{Value, json};

use super::{FAILED, Status, Stop, write_json};
use crate::args::{AlertCommand, AlertSource};
use crate::files::Places;
use crate::settings::{self, Found};
use crate::{output, sanitise};

/// The version of both documents.
const SCHEMA_VERSION: u32 = 1;

/// So long all ways together may take.
const WITHIN: Duration = Duration::from_secs(40);

pub(super) fn run(command: &AlertCommand, places: &Places) -> Status {
    match command {
        AlertCommand::List { from } => list(&configured(from, places)?, from.json),
        AlertCommand::Test { names, from } => test(names, configured(from, places)?, from.json),
    }
}

fn configured(from: &AlertSource, places: &Places) -> Result<Found, Stop> {
    settings::load(places, from.config.as_deref()).map_err(Stop::Failed)
}

/// Where none is, and where the first would be.
fn none(found: &Found) -> String {
    let files: Vec<String> = found.files.iter().map(|file| file.display().to_string()).collect();
    let place = if files.is_empty() { "/etc/portreeve/portreeve.toml".to_owned() } else { files.join(", ") };
    format!("no way is configured: add an [[alert]] to {} (docs/alerts.md)", sanitise::line(&place))
}

fn list(found: &Found, as_json: bool) -> Status {
    let ways = &found.settings.alert;
    if as_json {
        let ways: Vec<Value> = ways.iter().map(described).collect();
        let document = json!({ "schema_version": SCHEMA_VERSION, "alerts": ways });
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
        return Ok(0);
    }
    if ways.is_empty() {
        output::complain(&none(found));
    }
    let mut rows = Vec::new();
    for it in ways {
        let rules = &it.rules;
        let mut what = format!("{} and graver", rules.least.name());
        for (word, patterns) in [("only", &rules.codes), ("without", &rules.except)] {
            if !patterns.is_empty() {
                what += &format!(", {word} {}", patterns.join(" "));
            }
        }
        if !rules.group_for.is_zero() {
            what += &format!(", grouped for {}", seconds(rules.group_for));
        }
        what += &match rules.repeat_every {
            Some(every) => format!(", again every {}", seconds(every)),
            None => ", once".to_owned(),
        };
        if rules.resolved {
            what += ", and when it is over";
        }
        rows.push([it.name.clone(), it.way.kind().to_owned(), it.way.target(), what]);
    }
    output::write(columns(&rows).as_bytes())?;
    Ok(0)
}

fn seconds(span: Duration) -> String {
    engine::settings::Span(span).to_string()
}

fn described(it: &AlertSettings) -> Value {
    let rules = &it.rules;
    json!({
        "name": it.name,
        "kind": it.way.kind(),
        "target": it.way.target(),
        "min_severity": rules.least.name(),
        "codes": rules.codes,
        "except": rules.except,
        "group_for_ms": rules.group_for.as_millis(),
        "repeat_every_ms": rules.repeat_every.map(|every| every.as_millis()),
        "resolved": rules.resolved,
        "most_per_minute": rules.most_per_minute,
        "page": it.page,
    })
}

fn test(names: &[String], found: Found, as_json: bool) -> Status {
    if found.settings.alert.is_empty() && names.is_empty() {
        return Err(Stop::Failed(none(&found)));
    }
    let mut ways = found.settings.alert;
    if let Some(unknown) = names.iter().find(|name| !ways.iter().any(|it| it.name == **name)) {
        let known: Vec<&str> = ways.iter().map(|it| it.name.as_str()).collect();
        let unknown = sanitise::line(unknown);
        let known = if known.is_empty() { "none is configured".to_owned() } else { known.join(", ") };
        return Err(Stop::Usage(format!("no way has the name {unknown}; there are: {known}")));
    }
    ways.retain(|it| names.is_empty() || names.contains(&it.name));
    let outcomes = alerting::trial(&ways, &Machine::this(), WITHIN);
    let failed = outcomes.iter().any(Result::is_err);
    if as_json {
        let ways: Vec<Value> = ways.iter().zip(&outcomes).map(|(it, outcome)| tried(it, outcome)).collect();
        let document = json!({ "schema_version": SCHEMA_VERSION, "complete": !failed, "alerts": ways });
        write_json(serde_json::to_vec(&document)?, output::is_terminal())?;
    } else {
        let rows: Vec<[String; 4]> =
            ways.iter().zip(&outcomes).map(|(it, outcome)| told(it, outcome)).collect();
        output::write(columns(&rows).as_bytes())?;
        for (it, outcome) in ways.iter().zip(&outcomes) {
            if outcome.is_err() {
                output::complain(&format!("{}: {}", it.name, it.way.advice()));
            }
        }
    }
    Ok(if failed { FAILED } else { 0 })
}

fn told(it: &AlertSettings, outcome: &Result<Receipt, Failure>) -> [String; 4] {
    let words = match outcome {
        Ok(Receipt::Confirmed(words)) => format!("arrived: {words}"),
        Ok(Receipt::HandedOver(words)) => format!("handed over: {words}"),
        Err(failure) => format!("FAILED: {failure}"),
    };
    [it.name.clone(), it.way.kind().to_owned(), it.way.target(), words]
}

fn tried(it: &AlertSettings, outcome: &Result<Receipt, Failure>) -> Value {
    let (result, detail) = match outcome {
        Ok(Receipt::Confirmed(words)) => ("arrived", (*words).to_owned()),
        Ok(Receipt::HandedOver(words)) => ("handed-over", (*words).to_owned()),
        Err(failure) => ("failed", failure.to_string()),
    };
    json!({
        "name": it.name,
        "kind": it.way.kind(),
        "target": it.way.target(),
        "result": result,
        "detail": detail,
        "advice": outcome.as_ref().err().map(|_| it.way.advice()),
    })
}

/// Columns as wide as their widest cell; the last is as long as it is.
fn columns(rows: &[[String; 4]]) -> String {
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| sanitise::line(cell).into_owned()).collect()).collect();
    let width = |column: usize| {
        let cells = shown.iter().filter_map(|row| row.get(column));
        cells.map(|cell| unicode_width::UnicodeWidthStr::width(cell.as_str())).max().unwrap_or(0).min(60)
    };
    let widths = [width(0), width(1), width(2), 0];
    let mut out = String::new();
    for row in &shown {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let blanks = width.saturating_sub(unicode_width::UnicodeWidthStr::width(cell.as_str())) + 2;
            line += cell;
            line += &" ".repeat(blanks);
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
