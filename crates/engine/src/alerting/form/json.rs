//! The document of webhooks and commands, and the signature of webhooks.

use hmac::{Hmac, KeyInit, Mac};
use model::{Finding, Subject};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Context;
use crate::alerting::notice::{Notice, State, Told};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// The notice as a document; `delivery` stays the same when it is sent again.
pub fn document(notice: &Notice, context: &Context<'_>, delivery: &str) -> Value {
    let (event, findings, left_out, held_back): (_, Vec<Value>, _, _) = match notice {
        Notice::Findings { told, more } => {
            let findings = told.iter().map(|told| finding(told, context)).collect();
            ("findings", findings, *more, Value::Null)
        }
        Notice::HeldBack { count, codes, .. } => {
            let codes: Vec<Value> =
                codes.iter().map(|(code, count)| json!({ "code": code.name(), "count": count })).collect();
            ("held-back", Vec::new(), 0, json!({ "count": count, "codes": codes }))
        }
    };
    let test =
        matches!(notice, Notice::Findings { told, .. } if told.iter().any(|it| it.state == State::Test));
    json!({
        "schema_version": SCHEMA_VERSION,
        "event": event,
        "test": test,
        "delivery": delivery,
        "host": context.machine.name,
        "program": concat!("portreeve ", env!("CARGO_PKG_VERSION")),
        "time": notice.at().rfc3339_ns(),
        "severity": notice.severity().name(),
        "findings": findings,
        "left_out": left_out,
        "held_back": held_back,
    })
}

fn finding(told: &Told, context: &Context<'_>) -> Value {
    let finding = &told.sighting.finding;
    let evidence: Vec<Value> =
        finding.evidence.iter().map(|it| json!({ "fact": it.fact, "source": it.source })).collect();
    json!({
        "state": told.state.name(),
        "code": finding.code.name(),
        "severity": finding.severity.name(),
        "confidence": finding.confidence.name(),
        "title": finding.title,
        "summary": finding.code.summary(),
        "about": told.sighting.about,
        "subjects": subjects(finding),
        "evidence": evidence,
        "next_step": finding.next_step,
        "time": told.sighting.at.rfc3339_ns(),
        "times_seen": told.times,
        "explain": format!("portreeve explain {}", finding.code.name()),
        "page": context.page_of(finding.code),
    })
}

/// The subjects that have a name of their own: the others are places in a look that the receiver does not have.
pub fn subjects(finding: &Finding) -> Vec<String> {
    let named = finding.subjects.iter().filter_map(|subject| match subject {
        Subject::Entry(name) => Some(name.clone()),
        Subject::Group(group) => Some(format!("group {group}")),
        Subject::Clock(domain) => Some(format!("clock domain {domain}")),
        _ => None,
    });
    named.collect()
}

/// The signature of a body at a time: HMAC-SHA256 over the time in seconds, a dot, and the body (RFC 2104).
pub fn signature(secret: &[u8], time: i64, body: &[u8]) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    let mut text = String::from("v1=");
    for byte in mac.finalize().into_bytes() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
