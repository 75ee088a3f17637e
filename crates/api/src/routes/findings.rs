//! Findings, and what people decide about them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use axum::{Extension, Json};
use model::{Code, Severity, Timestamp, Utc};
use serde::Deserialize;

use super::{Asked, Window, json};
use crate::access::Scope;
use crate::atlas::{Atlas, Port, id_of};
use crate::caller::Caller;
use crate::document::{Finding, One};
use crate::gate;
use crate::keeper::{Decision, KeptFinding};
use crate::problem::Problem;
use crate::shared::Shared;

/// Which findings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) severity: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) standing: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<usize>,
}

/// Everything that stands, gravest first, then what stands no more.
pub(crate) fn all_findings(shared: &Shared, atlas: &Atlas) -> Vec<Finding> {
    let mut kept: HashMap<String, KeptFinding> = shared
        .keeper
        .findings()
        .into_iter()
        .map(|kept| (id_of(kept.sighting.finding.code, &kept.sighting.about), kept))
        .collect();
    let mut told: Vec<Finding> = atlas
        .findings
        .iter()
        .filter_map(|known| {
            let kept = kept.remove(&known.id);
            Some(Finding::standing(atlas.finding(known)?, known, kept.as_ref()))
        })
        .collect();
    let mut past: Vec<_> = kept.into_iter().collect();
    past.sort_by(|(one, a), (other, b)| b.sighting.at.cmp(&a.sighting.at).then_with(|| one.cmp(other)));
    told.extend(past.into_iter().map(|(id, kept)| Finding::kept(id, &kept)));
    told
}

/// What stands of one port.
pub(crate) fn findings_of_port(shared: &Shared, atlas: &Atlas, port: Port) -> Vec<Finding> {
    let of_port = |finding: &Finding| {
        finding.ports().any(|(transport, number)| (transport, number) == (port.0.name(), port.1))
    };
    all_findings(shared, atlas).into_iter().filter(of_port).collect()
}

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    let window = Window::of(wanted.cursor.as_deref(), wanted.limit)?;
    if let Some(severity) = &wanted.severity
        && !Severity::ALL.iter().any(|it| it.name() == severity)
    {
        return Err(Problem::wrong("`severity` is `note`, `warning` or `alert`."));
    }
    if let Some(standing) = &wanted.standing
        && !["open", "acknowledged", "over"].contains(&standing.as_str())
    {
        return Err(Problem::wrong("`standing` is `open`, `acknowledged` or `over`."));
    }
    if let Some(code) = &wanted.code
        && !Code::ALL.iter().any(|it| it.name() == code)
    {
        return Err(Problem::wrong(
            "`code` is one of the codes of findings, for instance `silent-port-in-use`.",
        ));
    }
    let passes = |finding: &Finding| {
        wanted.severity.as_deref().is_none_or(|it| finding.severity == it)
            && wanted.code.as_deref().is_none_or(|it| finding.code == it)
            && wanted.standing.as_deref().is_none_or(|it| finding.standing == it)
            && wanted.port.is_none_or(|it| finding.ports().any(|(_, port)| port == it))
    };
    let all = all_findings(&shared, &shared.atlas());
    Ok(json(&headers, &window.page(all.into_iter().filter(passes), Some)))
}

/// The finding with this id, and what it is about.
pub(crate) fn find(shared: &Shared, id: &str) -> Result<Finding, Problem> {
    let unknown =
        || Problem::unknown("No finding has this id, or it is no longer kept; /api/v1/findings has all.");
    all_findings(shared, &shared.atlas()).into_iter().find(|finding| finding.id == id).ok_or_else(unknown)
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    Ok(json(&headers, &One::of(find(&shared, &id)?)))
}

/// Why a finding is acknowledged, and for how long.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Acknowledgement {
    /// Why, in 1 to 1000 characters.
    #[cfg_attr(test, schemars(length(min = 1, max = 1000)))]
    pub(crate) reason: String,
    /// For how many days; for as long as the finding stands where it is left out.
    #[cfg_attr(test, schemars(range(min = 1, max = 3650)))]
    pub(crate) days: Option<u16>,
}

fn code_named(name: &str) -> Result<Code, Problem> {
    Code::ALL
        .iter()
        .copied()
        .find(|code| code.name() == name)
        .ok_or_else(|| Problem::unknown("There is no such code."))
}

/// Notes that somebody knows of a finding.
pub(crate) fn decide(
    shared: &Shared,
    caller: &Caller,
    id: &str,
    said: &Acknowledgement,
) -> Result<(), Problem> {
    gate::needs(caller, Scope::Ack)?;
    let reason = said.reason.trim();
    if reason.is_empty() || reason.chars().count() > 1000 {
        return Err(Problem::wrong(
            "`reason` has from 1 to 1000 characters: whoever comes later wants to know why.",
        ));
    }
    if said.days.is_some_and(|days| !(1..=3650).contains(&days)) {
        return Err(Problem::wrong("`days` is from 1 to 3650."));
    }
    let finding = find(shared, id)?;
    let at = engine::now();
    let until = said.days.map(|days| in_days(at, days));
    let decision = Decision { at, by: caller.name(), reason: reason.to_owned(), until };
    Ok(shared.keeper.acknowledge(code_named(finding.code)?, &finding.about, decision)?)
}

fn in_days(from: Timestamp<Utc>, days: u16) -> Timestamp<Utc> {
    Timestamp::from_ns(from.as_ns().saturating_add(i64::from(days) * 86_400 * 1_000_000_000))
}

/// Takes that back.
pub(crate) fn take_back(shared: &Shared, caller: &Caller, id: &str) -> Result<(), Problem> {
    gate::needs(caller, Scope::Ack)?;
    let finding = find(shared, id)?;
    Ok(shared.keeper.reopen(code_named(finding.code)?, &finding.about, &caller.name())?)
}

pub(crate) async fn acknowledge(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
    said: Result<Json<Acknowledgement>, axum::extract::rejection::JsonRejection>,
) -> Result<Response<Body>, Problem> {
    let Json(said) = said.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    decide(&shared, &caller, &id, &said)?;
    Ok(json(&headers, &One::of(find(&shared, &id)?)))
}

pub(crate) async fn reopen(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    no_form(&headers)?;
    take_back(&shared, &caller, &id)?;
    Ok(json(&headers, &One::of(find(&shared, &id)?)))
}

/// The API takes no forms: another site could send one, and the token in its field is not looked for here.
pub(crate) fn no_form(headers: &HeaderMap) -> Result<(), Problem> {
    if gate::is_form(headers) {
        return Err(Problem::new(
            axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The API takes no forms: send no body, or JSON.",
        ));
    }
    Ok(())
}
