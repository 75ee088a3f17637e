//! Policy: what counts, what a proposed one would change, and what waits for an administrator.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;

use super::json;
use crate::access::Scope;
use crate::caller::Caller;
use crate::document::{One, Policies, Waiting};
use crate::gate;
use crate::policy::{Draft, check, propose};
use crate::problem::Problem;
use crate::shared::Shared;

pub(crate) async fn read(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    json(&headers, &One::of(Policies::of(shared.keeper.policies(), shared.keeper.proposals())))
}

/// A policy as it would stand in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Written {
    /// The text, as docs/policy.md describes it.
    text: String,
    /// The file that it would replace, as `/policy` names it; one more where it is left out.
    replaces: Option<String>,
}

/// A policy as it is proposed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Motion {
    /// The text, as docs/policy.md describes it.
    text: String,
    /// The file that it would replace, as `/policy` names it; one more where it is left out.
    replaces: Option<String>,
    /// Why, in 1 to 1000 characters.
    #[cfg_attr(test, schemars(length(min = 1, max = 1000)))]
    reason: String,
}

fn sent<T>(said: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    said.map(|Json(it)| it).map_err(|error| Problem::new(error.status(), error.body_text()))
}

pub(crate) async fn validate(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    said: Result<Json<Written>, JsonRejection>,
) -> Result<Response<Body>, Problem> {
    let said = sent(said)?;
    let checked = check(&shared, Draft { text: &said.text, replaces: said.replaces.as_deref() })?;
    Ok(json(&headers, &One::of(checked)))
}

/// Keeps a policy for an administrator, and tells how it is taken over.
pub(crate) async fn put_forward(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    said: Result<Json<Motion>, JsonRejection>,
) -> Result<Response<Body>, Problem> {
    let said = sent(said)?;
    let draft = Draft { text: &said.text, replaces: said.replaces.as_deref() };
    let proposal = propose(&shared, &caller, draft, &said.reason)?;
    Ok(json(&headers, &One::of(Waiting::of(proposal))))
}

/// What a policy would accept: an entry for what stands at a port, in the words of the file.
pub(crate) async fn entry(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response<Body>, Problem> {
    gate::needs(&caller, Scope::Ack)?;
    let wanted = sent(wanted)?;
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
pub(crate) struct Wanted {
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
