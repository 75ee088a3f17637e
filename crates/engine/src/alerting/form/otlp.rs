//! Logs of OpenTelemetry, in the JSON form of OTLP over HTTP (OTLP 1.0): no other protocol is needed to send them.

use model::{Severity, Timestamp, Utc};
use serde_json::{Value, json};

use super::{Context, text};
use crate::alerting::notice::{Notice, Told};

/// The request for a notice that was told at this time.
pub fn request(notice: &Notice, context: &Context<'_>, now: Timestamp<Utc>) -> Value {
    let records: Vec<Value> = match notice {
        Notice::Findings { told, .. } => told.iter().map(|told| record(told, context, now)).collect(),
        Notice::HeldBack { at, count, codes } => {
            let text = text::held_back(*count, codes);
            let attributes = vec![
                attribute("portreeve.state", "held-back"),
                json!({ "key": "portreeve.count", "value": { "intValue": count.to_string() } }),
            ];
            vec![log(*at, now, Severity::Warning, &text, attributes)]
        }
    };
    json!({
        "resourceLogs": [{
            "resource": { "attributes": [
                attribute("service.name", "portreeve"),
                attribute("service.version", env!("CARGO_PKG_VERSION")),
                attribute("host.name", &context.machine.name),
            ]},
            "scopeLogs": [{
                "scope": { "name": "portreeve.alert", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": records,
            }],
        }],
    })
}

fn record(told: &Told, context: &Context<'_>, now: Timestamp<Utc>) -> Value {
    let finding = &told.sighting.finding;
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .map(|it| json!({ "stringValue": format!("{} [{}]", it.fact, it.source) }))
        .collect();
    let mut attributes = vec![
        attribute("portreeve.code", finding.code.name()),
        attribute("portreeve.confidence", finding.confidence.name()),
        attribute("portreeve.state", told.state.name()),
        attribute("portreeve.about", &told.sighting.about),
        attribute("portreeve.next_step", &finding.next_step),
        json!({ "key": "portreeve.evidence", "value": { "arrayValue": { "values": evidence } } }),
    ];
    attributes.extend(context.page_of(finding.code).map(|page| attribute("portreeve.page", &page)));
    log(told.sighting.at, now, finding.severity, &text::line(told), attributes)
}

fn log(
    at: Timestamp<Utc>,
    now: Timestamp<Utc>,
    grave: Severity,
    body: &str,
    attributes: Vec<Value>,
) -> Value {
    // The numbers of the data model: INFO2, WARN, ERROR.
    let number = match grave {
        Severity::Note => 10,
        Severity::Warning => 13,
        Severity::Alert => 17,
    };
    json!({
        // 64-bit numbers are text in this form.
        "timeUnixNano": at.as_ns().max(0).to_string(),
        "observedTimeUnixNano": now.as_ns().max(0).to_string(),
        "severityNumber": number,
        "severityText": grave.name(),
        "body": { "stringValue": body },
        "attributes": attributes,
    })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Why the collector refused records, although it took the request.
pub fn refused(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    // A number of 64 bits is text, and some write it as a number.
    let count = partial.get("rejectedLogRecords")?;
    let count = count.as_str().and_then(|it| it.parse().ok()).or_else(|| count.as_u64())?;
    let why = partial.get("errorMessage").and_then(Value::as_str).unwrap_or("no reason");
    (count > 0).then(|| format!("the collector refused it: {why}"))
}
