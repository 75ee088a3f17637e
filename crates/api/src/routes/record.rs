//! History, decoys, the registry and policy.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::{Extension, Json};
use model::{Timestamp, Transport, Utc};
use serde::Deserialize;

use super::{Asked, Window, json};
use crate::access::Scope;
use crate::caller::Caller;
use crate::document::{Assignment, Checked, Decoys, One, Page, Policies, Record, SCHEMA_VERSION};
use crate::gate;
use crate::keeper::Query;
use crate::problem::Problem;
use crate::shared::Shared;

/// What of the past.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    since: Option<i64>,
    until: Option<i64>,
    transport: Option<String>,
    port: Option<u16>,
    cursor: Option<String>,
    limit: Option<usize>,
}

fn seconds(at: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(at.saturating_mul(1_000_000_000))
}

pub(crate) async fn history(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    let most = wanted.limit.unwrap_or(100);
    if !(1..=1000).contains(&most) {
        return Err(Problem::wrong("`limit` is from 1 to 1000."));
    }
    let after = match wanted.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(
            cursor
                .strip_prefix('n')
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| Problem::wrong("`cursor` is the `next` of an earlier page."))?,
        ),
    };
    let transport = super::ports::transport(wanted.transport.as_deref())?;
    let query = Query {
        since: wanted.since.map(seconds),
        until: wanted.until.map(seconds),
        port: wanted.port.map(|port| (transport.unwrap_or(Transport::Tcp), port)),
        after,
        most: most + 1,
    };
    let mut found = shared.keeper.history(&query)?;
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|(number, _)| format!("n{number}"));
    let items: Vec<Record> = found.iter().map(|(number, recorded)| Record::of(*number, recorded)).collect();
    Ok(json(&headers, &Page { schema_version: SCHEMA_VERSION, total: items.len(), next, items }))
}

/// So many of those who came to decoys are told.
pub(crate) const MOST_CAME: usize = 200;

pub(crate) async fn decoys(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let decoys = Decoys::of(&shared.keeper.decoys(), &shared.keeper.touches(MOST_CAME));
    json(&headers, &One::of(decoys))
}

/// What is looked for in the registry.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sought {
    text: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

pub(crate) async fn registry(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(sought): Asked<Sought>,
) -> Result<Response<Body>, Problem> {
    let window = Window::of(sought.cursor.as_deref(), sought.limit)?;
    let text = sought.text.as_deref().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > 100 {
        return Err(Problem::wrong("`text` has from 1 to 100 bytes: a name, an organisation, a document."));
    }
    let paper = &shared.board.current().machine.paper;
    Ok(json(&headers, &window.page(paper.search(text), |row| Some(Assignment::of(&row)))))
}

pub(crate) async fn policy(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    json(&headers, &One::of(Policies::of(shared.keeper.policies())))
}

/// A policy as it would stand in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Proposed {
    /// The text, as docs/policy.md describes it.
    text: String,
}

type Said = Result<Json<Proposed>, axum::extract::rejection::JsonRejection>;

fn check(said: Said) -> Result<Checked, Problem> {
    let Json(proposed) = said.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    Ok(match engine::verdict::policy::parse("proposed", &proposed.text) {
        Ok(policy) => Checked {
            valid: true,
            entries: policy.entries().len() + policy.sessions().len(),
            fault: None,
            line: None,
            column: None,
        },
        Err(fault) => Checked {
            valid: false,
            entries: 0,
            fault: Some(fault.reason),
            line: Some(fault.line),
            column: Some(fault.column),
        },
    })
}

pub(crate) async fn validate(
    State(_): State<Arc<Shared>>,
    headers: HeaderMap,
    said: Said,
) -> Result<Response<Body>, Problem> {
    Ok(json(&headers, &One::of(check(said)?)))
}

/// What a policy would accept: an entry for what stands at a port, in the words of the file.
pub(crate) async fn propose(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    wanted: Result<Json<Proposal>, axum::extract::rejection::JsonRejection>,
) -> Result<Response<Body>, Problem> {
    gate::needs(&caller, Scope::Ack)?;
    let Json(wanted) = wanted.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let finding = super::findings::find(&shared, &wanted.finding)?;
    let (Some((transport, port)), false) = (finding.ports().next(), wanted.reason.trim().is_empty()) else {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "An entry needs a finding that speaks of a port, and a reason.",
        ));
    };
    let reason = toml_text(wanted.reason.trim());
    let text = format!(
        "[[allow]]\nport = {port}\ntransport = \"{transport}\"\ncode = \"{}\"\nreason = {reason}\n",
        finding.code
    );
    Ok(json(&headers, &One::of(Entry { text })))
}

/// For which finding an entry of policy is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Proposal {
    /// The finding's id.
    finding: String,
    /// Why it is accepted.
    reason: String,
}

/// An entry of policy.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Entry {
    /// To be put into a file of policy.
    text: String,
}

/// A basic string of TOML.
fn toml_text(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposed_entry_is_a_policy_whatever_the_reason_says() {
        for reason in ["ours", "a \"quoted\" \\ one", "two\nlines\u{0}", "x\"\n[[deny]]\nport = 1\n#"] {
            let text = format!("[[allow]]\nport = 420\nreason = {}\n", toml_text(reason));
            let policy = engine::verdict::policy::parse("p", &text).unwrap();
            assert_eq!(policy.entries().len(), 1, "{text}");
        }
    }
}
