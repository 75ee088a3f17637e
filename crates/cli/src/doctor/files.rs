//! Our own files and our own service.

use model::time::days_from_civil;

use super::{Facts, FileFacts, Row, ServiceFacts, State};

/// The registry grows by some names in a month; what is older than this has gaps that matter.
const OLD_DAYS: i64 = 365;
/// With less than this on its disk, history may stop soon.
const LITTLE_BYTES: u64 = 256 << 20;

pub(super) fn rows(facts: &Facts, rows: &mut Vec<Row>) {
    table(facts, rows);
    let kinds = [
        ("policy", "what people agreed and refused", &facts.policy, "portreeve policy check"),
        ("baseline", "what was accepted on this machine", &facts.baseline, "portreeve baseline show"),
        ("settings", "how the service runs", &facts.settings, "see docs/service.md for what is allowed"),
    ];
    for (name, purpose, found, advice) in kinds {
        rows.push(files(name, purpose, found, advice));
    }
    if let Some(history) = &facts.history {
        let purpose = "what was seen here before";
        let place = history.folder.display();
        let there = if history.exists { "" } else { " (made by the service)" };
        rows.push(match &history.free {
            Ok(free) if *free >= LITTLE_BYTES => {
                let why = format!("{place}{there}, {} MiB free", free >> 20);
                Row::new("history", purpose, State::Ok, why)
            }
            Ok(free) => {
                let why = format!("{place}{there}, only {} MiB free", free >> 20);
                Row::new("history", purpose, State::Limited, why).advise(
                    "free some, or set less in [history]; what does not fit is not written, and is told",
                )
            }
            Err(why) => Row::new("history", purpose, State::Unknown, format!("{place}: {why}")),
        });
    }
    service(facts, rows);
}

fn table(facts: &Facts, rows: &mut Vec<Row>) {
    let purpose = "what each port is for, on paper";
    let table = &facts.table;
    if let Some(fault) = &table.fault {
        let row = Row::new("registry", purpose, State::Limited, fault.as_str());
        return rows.push(row.advise("portreeve registry reset, or import a newer file"));
    }
    let kind = if table.imported { "imported" } else { "built in" };
    rows.push(match day(&table.date) {
        None => {
            Row::new("registry", purpose, State::Unknown, format!("{kind}, of {:?}", table.date)).optional()
        }
        Some(day) => {
            let why = format!("{kind}, of {}", table.date);
            if facts.today - day > OLD_DAYS {
                Row::new("registry", purpose, State::Limited, format!("{why}: more than a year old"))
                    .advise("portreeve registry import service-names-port-numbers.csv (from iana.org)")
            } else {
                Row::new("registry", purpose, State::Ok, why)
            }
        }
    });
}

/// The day that a date begins with; of one that is less precise, the first of it.
fn day(date: &str) -> Option<i64> {
    let mut parts = date.split('T').next()?.split('-').map(str::parse::<u32>);
    let year = parts.next()?.ok()?;
    let month = parts.next().unwrap_or(Ok(1)).ok()?;
    let day = parts.next().unwrap_or(Ok(1)).ok()?;
    let is_one = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_one.then(|| days_from_civil(year.into(), month, day))
}

fn files(name: &str, purpose: &'static str, found: &FileFacts, advice: &str) -> Row {
    let paths: Vec<String> = found.files.iter().map(|path| path.display().to_string()).collect();
    match (found.faults.as_slice(), paths.as_slice()) {
        ([], []) => Row::new(name, purpose, State::Ok, "no file, so nothing is set"),
        ([], _) => Row::new(name, purpose, State::Ok, paths.join(", ")),
        (faults, _) => Row::new(name, purpose, State::Limited, faults.join("; ")).advise(advice),
    }
}

fn service(facts: &Facts, rows: &mut Vec<Row>) {
    let purpose = "events, history and alerts around the clock";
    let row = match &facts.service {
        ServiceFacts::Runs(path) => {
            Row::new("service", purpose, State::Ok, format!("it runs, at {}", path.display()))
        }
        ServiceFacts::Not => Row::new("service", purpose, State::No, "it does not run")
            .advise("systemctl enable --now portreeve, or portreeve serve"),
        ServiceFacts::Unreachable(why) => {
            Row::new("service", purpose, State::Limited, why.as_str()).advise("be of its group, or root")
        }
    };
    rows.push(row.optional());
    if facts.means.systemd != Some(true) && facts.unit.is_none() {
        return;
    }
    let purpose = "starting the service with the machine, shut off by systemd";
    let row = match &facts.unit {
        Some(path) => Row::new("unit", purpose, State::Ok, path.display().to_string()),
        None => Row::new("unit", purpose, State::No, "portreeve.service is not installed")
            .advise("install contrib/systemd/portreeve.service to /etc/systemd/system"),
    };
    rows.push(row.optional());
}
