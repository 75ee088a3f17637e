//! Alerts in the form of Suricata's EVE, as far as a finding alone tells them.

use std::net::SocketAddr;

use model::{Code, Confidence, Finding, Severity, Timestamp, Utc};
use serde_json::{Value, json};

use super::{Context, text};
use crate::alerting::notice::{Notice, Told};

/// The generator that our signatures stand under.
const GENERATOR: u32 = 420;

/// `2026-11-26T19:20:03.123456+0000`, as Suricata writes it.
pub fn time(time: Timestamp<Utc>) -> String {
    let micros = time.as_ns().rem_euclid(1_000_000_000) / 1000;
    format!("{}.{micros:06}+0000", time.date_and_time())
}

/// The part of an event that says what was judged.
pub fn alert(finding: &Finding) -> Value {
    // The lower the number, the graver it is.
    let severity = match finding.severity {
        Severity::Alert => 1,
        Severity::Warning => 2,
        Severity::Note => 3,
    };
    let confidence = match finding.confidence {
        Confidence::High => "High",
        Confidence::Medium => "Medium",
        Confidence::Low => "Low",
    };
    let number = Code::ALL.iter().position(|code| *code == finding.code).unwrap_or_default() + 1;
    let evidence: Vec<String> =
        finding.evidence.iter().map(|evidence| format!("{} [{}]", evidence.fact, evidence.source)).collect();
    json!({
        "action": "allowed",
        "gid": GENERATOR,
        "signature_id": number,
        "rev": 1,
        "signature": finding.title,
        "category": finding.code.summary(),
        "severity": severity,
        "metadata": {
            "code": [finding.code.name()],
            "confidence": [confidence],
            "evidence": evidence,
            "next_step": [finding.next_step],
        },
    })
}

/// The notice in lines of JSON, each with its end.
pub fn lines(notice: &Notice, context: &Context<'_>) -> Vec<u8> {
    let events: Vec<Value> = match notice {
        Notice::Findings { told, .. } => told.iter().map(|told| event(told, context)).collect(),
        Notice::HeldBack { at, count, codes } => {
            let message = text::held_back(*count, codes);
            vec![json!({
                "timestamp": time(*at),
                "event_type": "portreeve",
                "host": context.machine.name,
                "portreeve": { "state": "held-back", "count": count, "message": message },
            })]
        }
    };
    events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect()
}

fn event(told: &Told, context: &Context<'_>) -> Value {
    let finding = &told.sighting.finding;
    let mut event = json!({
        "timestamp": time(told.sighting.at),
        "event_type": "alert",
        "host": context.machine.name,
        "alert": alert(finding),
        "portreeve": {
            "state": told.state.name(),
            "about": told.sighting.about,
            "times_seen": told.times,
            "page": context.page_of(finding.code),
        },
    });
    if let (Some((transport, place)), Some(object)) = (place(&told.sighting.about), event.as_object_mut()) {
        object.insert("proto".into(), json!(transport.to_ascii_uppercase()));
        object.insert("dest_ip".into(), json!(place.ip()));
        object.insert("dest_port".into(), json!(place.port()));
    }
    event
}

/// The place that a finding is about, where it is one: `tcp 0.0.0.0:420 …`.
fn place(about: &str) -> Option<(&str, SocketAddr)> {
    let mut words = about.split(' ');
    let transport = words.next().filter(|it| ["tcp", "udp", "sctp", "dccp"].contains(it))?;
    Some((transport, words.next()?.parse().ok()?))
}
