//! The document of webhooks and commands, and the signature of webhooks.

use hmac::{Hmac, KeyInit, Mac};
use model::{Finding, Subject};
use serde::Serialize;
use sha2::Sha256;

use super::Context;
use crate::alerting::notice::{self, Notice, State};

/// The version of the document.
pub const SCHEMA_VERSION: u32 = 1;

/// What a webhook gets as a body, and a command as its input.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve alert", deny_unknown_fields))]
pub(super) struct Document<'a> {
    /// Version of this form.
    schema_version: u32,
    /// `findings`, or `held-back` where more came than may be told.
    event: &'static str,
    /// Whether nothing happened and somebody only tries this way.
    test: bool,
    /// Stays the same when it is sent again: take each once.
    delivery: &'a str,
    /// The machine that tells.
    host: &'a str,
    /// The program, with its version.
    program: &'static str,
    /// When the last of it happened (RFC 3339, UTC).
    time: String,
    /// The gravest of it: `note`, `warning` or `alert`.
    severity: &'static str,
    /// What is told, as far as there is room.
    findings: Vec<Told<'a>>,
    /// How many more there are of the same cause.
    left_out: u64,
    /// What was held back; null where something is told.
    held_back: Option<HeldBack>,
}

/// A finding that is told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(super) struct Told<'a> {
    /// `found`, `again`, `graver`, `over` or `test`.
    state: &'static str,
    /// The finding code.
    code: &'static str,
    /// `note`, `warning` or `alert`.
    severity: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// What was found.
    title: &'a str,
    /// What the code means.
    summary: &'static str,
    /// What it is about, in words.
    about: &'a str,
    /// What of that has a name of its own.
    subjects: Vec<String>,
    /// Why we believe so.
    evidence: Vec<Fact<'a>>,
    /// What to do next.
    next_step: &'a str,
    /// When it was found (RFC 3339, UTC).
    time: String,
    /// How often it was seen.
    times_seen: u64,
    /// The command that explains the code.
    explain: String,
    /// Your own page about the code, where one is set.
    page: Option<String>,
}

/// A fact, and who says so.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Fact<'a> {
    /// The fact.
    fact: &'a str,
    /// Where it comes from.
    source: &'a str,
}

/// Findings that were more than may be told in a minute.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct HeldBack {
    /// How many.
    count: u64,
    /// How many of each code.
    codes: Vec<OfCode>,
}

/// How many findings of a code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct OfCode {
    /// The finding code.
    code: &'static str,
    /// How many.
    count: u64,
}

/// The notice as a document; `delivery` stays the same when it is sent again.
pub fn document(notice: &Notice, context: &Context<'_>, delivery: &str) -> String {
    let mut document = Document {
        schema_version: SCHEMA_VERSION,
        event: "findings",
        test: false,
        delivery,
        host: &context.machine.name,
        program: concat!("portreeve ", env!("CARGO_PKG_VERSION")),
        time: notice.at().rfc3339_ns(),
        severity: notice.severity().name(),
        findings: Vec::new(),
        left_out: 0,
        held_back: None,
    };
    match notice {
        Notice::Findings { told, more } => {
            document.test = told.iter().any(|it| it.state == State::Test);
            document.findings = told.iter().map(|told| finding(told, context)).collect();
            document.left_out = *more;
        }
        Notice::HeldBack { count, codes, .. } => {
            document.event = "held-back";
            let codes = codes.iter().map(|(code, count)| OfCode { code: code.name(), count: *count });
            document.held_back = Some(HeldBack { count: *count, codes: codes.collect() });
        }
    }
    // Nothing of it can fail to be written: there are only texts, numbers and lists.
    serde_json::to_string(&document).unwrap_or_default()
}

fn finding<'a>(told: &'a notice::Told, context: &Context<'_>) -> Told<'a> {
    let finding = &told.sighting.finding;
    Told {
        state: told.state.name(),
        code: finding.code.name(),
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        title: &finding.title,
        summary: finding.code.summary(),
        about: &told.sighting.about,
        subjects: subjects(finding),
        evidence: finding.evidence.iter().map(|it| Fact { fact: &it.fact, source: &it.source }).collect(),
        next_step: &finding.next_step,
        time: told.sighting.at.rfc3339_ns(),
        times_seen: told.times,
        explain: format!("portreeve explain {}", finding.code.name()),
        page: context.page_of(finding.code),
    }
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
