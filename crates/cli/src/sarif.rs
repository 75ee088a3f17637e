//! Findings as SARIF 2.1.0 (OASIS Standard, 27 March 2020), for services that gather the results of many tools.

use serde_json::{Value, json};

use engine::View;
use model::{Code, Finding, Severity, Subject};

use crate::{sanitise, text};

/// The log of one run.
pub(crate) fn log(view: &View, findings: &[&Finding], exit_status: u8) -> Value {
    let rules: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.name(),
                "shortDescription": { "text": code.summary() },
                "fullDescription": { "text": code.summary() },
                "help": { "text": crate::pages::text(*code) },
                "defaultConfiguration": { "level": level(code.default_severity()) },
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(view, finding)).collect();
    let notifications: Vec<Value> = view
        .snapshot
        .gaps
        .iter()
        .map(|gap| {
            json!({
                "level": "warning",
                "message": { "text": format!("not seen: {}: {}; {}", gap.what, gap.reason.words(), gap.reason.help()) },
                "descriptor": { "id": gap.reason.code() },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "portreeve",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": exit_status != 2,
                "exitCode": exit_status,
                "endTimeUtc": view.snapshot.taken.rfc3339(),
                "machine": view.snapshot.machine.hostname,
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// SARIF 2.1.0 §3.27.10 knows error, warning, note and none.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Alert => "error",
    }
}

/// A message names no more places than this.
const MOST_NAMES: usize = 8;
/// A result has no more locations than this: services that read such logs take no more.
const MOST_LOCATIONS: usize = 100;

fn result(view: &View, finding: &Finding) -> Value {
    let mut names: Vec<String> = finding
        .subjects
        .iter()
        .take(MOST_NAMES)
        .filter_map(|subject| text::subject_words(view, subject))
        .collect();
    if finding.subjects.len() > MOST_NAMES {
        names.push(format!("and {} more", finding.subjects.len() - MOST_NAMES));
    }
    let locations: Vec<Value> =
        finding.subjects.iter().take(MOST_LOCATIONS).filter_map(|subject| location(view, subject)).collect();
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .map(|evidence| json!({ "fact": evidence.fact, "source": evidence.source }))
        .collect();
    let rule = Code::ALL.iter().position(|code| *code == finding.code);
    json!({
        "ruleId": finding.code.name(),
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": { "text": format!("{} ({}). Next: {}", finding.title, names.join("; "), finding.next_step) },
        "locations": locations,
        "partialFingerprints": { "portreeve/v1": fingerprint(view, finding) },
        "properties": {
            "severity": finding.severity.name(),
            "confidence": finding.confidence.name(),
            "evidence": evidence,
            "next_step": finding.next_step,
        },
    })
}

/// Without numbers of processes, so that a restart is the same result.
fn fingerprint(view: &View, finding: &Finding) -> String {
    let mut parts: Vec<String> = finding
        .subjects
        .iter()
        .filter_map(|subject| match subject {
            Subject::Socket(index) => view.snapshot.sockets.get(*index).map(|socket| {
                let exe = executable(view, socket).unwrap_or_default();
                let namespace = match text::cells::namespace(view, socket.netns) {
                    name if name.is_empty() => name,
                    name => format!("@{name}"),
                };
                let (kind, port) = (socket.kind.name(), socket.local.port());
                format!("{kind}/{port}/{}{namespace}/{exe}", socket.scope.name())
            }),
            Subject::Forward(index) => view
                .snapshot
                .forwards
                .get(*index)
                .map(|forward| format!("forward/{}/{}", forward.transport.name(), forward.first)),
            Subject::Entry(entry) => Some(entry.clone()),
            Subject::Service(_)
            | Subject::Scan(_)
            | Subject::Beacon(_)
            | Subject::Touch(_)
            | Subject::Capture
            | Subject::Session(_)
            | Subject::Stream(_)
            | Subject::Group(_)
            | Subject::Clock(_)
            | Subject::Visitor(_) => None,
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    let parts = parts.join(";");
    if parts.len() <= 200 {
        return format!("{}:{parts}", finding.code.name());
    }
    // FNV-1a: the same on every machine and in every release.
    let hash = parts
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{}:{hash:016x}", finding.code.name())
}

fn executable<'a>(view: &'a View, socket: &model::Socket) -> Option<&'a str> {
    let holder = socket.holders.first()?;
    view.snapshot.process(holder.pid)?.exe.value().map(|exe| exe.path.as_str())
}

fn location(view: &View, subject: &Subject) -> Option<Value> {
    let name = text::subject_words(view, subject)?;
    let (path, line) = match subject {
        Subject::Socket(index) => {
            let socket = view.snapshot.sockets.get(*index)?;
            (executable(view, socket).unwrap_or("unknown-executable").to_owned(), None)
        }
        Subject::Forward(_) => (String::from("address-translation"), None),
        Subject::Entry(entry) => match entry.rsplit_once(':') {
            Some((file, line)) => (file.to_owned(), line.parse::<u32>().ok()),
            None => (entry.clone(), None),
        },
        Subject::Service(_)
        | Subject::Scan(_)
        | Subject::Beacon(_)
        | Subject::Touch(_)
        | Subject::Capture
        | Subject::Session(_)
        | Subject::Stream(_)
        | Subject::Group(_)
        | Subject::Clock(_)
        | Subject::Visitor(_) => {
            return None;
        }
    };
    let mut physical = json!({ "artifactLocation": { "uri": uri(&path) } });
    if let (Some(line), Some(object)) = (line.filter(|line| *line > 0), physical.as_object_mut()) {
        object.insert(String::from("region"), json!({ "startLine": line }));
    }
    Some(json!({
        "physicalLocation": physical,
        "logicalLocations": [{ "fullyQualifiedName": sanitise::line(&name), "kind": "resource" }],
    }))
}

/// A path as the path of a URI (RFC 3986 §3.3).
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = if path.starts_with('/') { String::from("file://") } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_log_has_the_shape_that_the_standard_demands() {
        let view = fixture::view();
        let findings: Vec<&Finding> = view.findings.iter().collect();
        let log = log(&view, &findings, 1);
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), Code::ALL.len());
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), findings.len());
        for result in results {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let locations = result["locations"].as_array().unwrap();
            assert!(!locations.is_empty());
            for location in locations {
                let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
                assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
            }
        }
        let entry = results.iter().find(|result| result["ruleId"] == "policy-unmatched").unwrap();
        assert_eq!(entry["locations"][0]["physicalLocation"]["region"]["startLine"], 12);
        assert_eq!(run["invocations"][0]["exitCode"], 1);
        assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_finding_about_thousands_of_sockets_stays_short() {
        let view = fixture::view();
        let mut snapshot = (*view.snapshot).clone();
        let socket = snapshot.sockets[0].clone();
        for port in 1..=2000 {
            let mut socket = socket.clone();
            socket.local.set_port(port);
            snapshot.sockets.push(socket);
        }
        let mut finding = view.findings[0].clone();
        finding.subjects = (0..snapshot.sockets.len()).map(Subject::Socket).collect();
        let view =
            View::judged(std::sync::Arc::new(snapshot), view.paper.clone(), vec![finding.clone()], vec![]);
        let result = result(&view, &finding);
        assert_eq!(result["locations"].as_array().unwrap().len(), MOST_LOCATIONS);
        let message = result["message"]["text"].as_str().unwrap();
        assert!(message.len() < 2000 && message.contains("more). Next: "), "{message}");
        let print = result["partialFingerprints"]["portreeve/v1"].as_str().unwrap();
        assert!(print.len() < 60, "{print}");
    }

    #[test]
    fn a_restart_is_the_same_result() {
        let view = fixture::view();
        let mut snapshot = (*view.snapshot).clone();
        for process in &mut snapshot.processes {
            std::sync::Arc::make_mut(process).pid += 5000;
        }
        for holder in snapshot.sockets.iter_mut().flat_map(|socket| socket.holders.iter_mut()) {
            holder.pid += 5000;
        }
        let again = View::judged(
            std::sync::Arc::new(snapshot),
            view.paper.clone(),
            view.findings.clone(),
            view.accepted.clone(),
        );
        for finding in &view.findings {
            assert_eq!(fingerprint(&view, finding), fingerprint(&again, finding));
        }
    }
}
