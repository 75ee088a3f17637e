//! Findings: what was found, on what it rests, what to do next, and what people decided.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use maud::{Markup, html};
use serde::Deserialize;

use super::Answer;
use super::layout::{Sheet, live};
use super::overview::summary_of;
use super::text::{badge, moment, said};
use crate::access::Scope;
use crate::caller::Caller;
use crate::document::Finding;
use crate::gate;
use crate::problem::Problem;
use crate::routes::Asked;
use crate::routes::all_findings;
use crate::routes::findings::{Acknowledgement, decide, find, take_back};
use crate::shared::Shared;

/// Which findings are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    standing: Option<String>,
    severity: Option<String>,
}

/// So many are on the page; the API has all.
const MOST: usize = 500;

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(shown): Asked<Shown>,
) -> Answer {
    let all = all_findings(&shared, &shared.atlas());
    let passes = |finding: &&Finding| {
        shown.standing.as_deref().is_none_or(|it| finding.standing == it)
            && shown.severity.as_deref().is_none_or(|it| finding.severity == it)
    };
    let listed: Vec<&Finding> = all.iter().filter(passes).collect();
    let count = |standing: &str| all.iter().filter(|it| it.standing == standing).count();
    let body = html! {
        h1 { "Findings" }
        nav.tabs aria-label="Standing" {
            a href="/findings" aria-current=[shown.standing.is_none().then_some("true")] { "All (" (all.len()) ")" }
            @for standing in ["open", "acknowledged", "over"] {
                a href={ "/findings?standing=" (standing) } aria-current=[(shown.standing.as_deref() == Some(standing)).then_some("true")] { (standing) " (" (count(standing)) ")" }
            }
        }
        (live("findings", html! {
            @if listed.is_empty() { p.calm { "There is none." } }
            @for finding in listed.iter().take(MOST) {
                article.finding.{ "is-" (finding.severity) } {
                    h2 { (badge(finding.severity)) " " a href={ "/findings/" (finding.id) } { (said(&finding.title)) } }
                    p.faint { (finding.code) " · " (said(&finding.about)) @if finding.standing != "open" { " · " (finding.standing) } @if let Some(first) = &finding.first { " · since " (moment(first)) } }
                }
            }
            @if listed.len() > MOST { p { "And " (listed.len() - MOST) " more; the API has all." } }
        }))
    };
    let sheet = Sheet { title: "Findings", place: "/findings", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let finding = find(&shared, &id)?;
    let body = html! {
        p.path { a href="/findings" { "Findings" } " / " (finding.code) }
        h1 { (said(&finding.title)) }
        (live("finding", html! {
            p { (badge(finding.severity)) " " span.tag { (finding.standing) } " " span.faint { "confidence " (finding.confidence) } }
            section aria-labelledby="what" {
                h2 id="what" { "What was seen" }
                p { (summary_of(finding.code)) }
                p.faint { (said(&finding.about)) }
                ul { @for (fact, source) in finding.evidence() { li { (said(fact)) span.faint { " — " (said(source)) } } } }
                @if let Some(first) = &finding.first { p.faint { "First seen " (moment(first)) @if let Some(last) = &finding.last { ", last " (moment(last)) } "." } }
            }
            section aria-labelledby="next" {
                h2 id="next" { "What to do next" }
                p { (said(&finding.next_step)) }
                p { @for (transport, port) in finding.ports() { a href={ "/ports/" (transport) "/" (port) } { (port) "/" (transport) } " " } }
            }
        }))
        (decision(&finding, &caller))
    };
    let sheet = Sheet { title: &finding.title, place: "/findings", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

fn decision(finding: &Finding, caller: &Caller) -> Markup {
    let csrf = caller.csrf.as_deref().unwrap_or_default();
    html! {
        section aria-labelledby="decide" {
            h2 id="decide" { "What was decided" }
            @if let Some(decided) = &finding.decision {
                blockquote { p { (said(&decided.reason)) } footer { (said(&decided.by)) ", " (moment(&decided.at)) @if let Some(until) = &decided.until { ", until " (moment(until)) } } }
            } @else {
                p.calm { "Nothing yet." }
            }
            @if caller.scope < Scope::Ack {
                p.faint { "Deciding needs a token with the scope ack." }
            } @else if finding.standing == "acknowledged" {
                form method="post" action={ "/findings/" (finding.id) "/reopen" } {
                    input type="hidden" name="csrf" value=(csrf);
                    button type="submit" { "Open it again" }
                }
            } @else if finding.standing == "open" {
                form.decide method="post" action={ "/findings/" (finding.id) "/acknowledge" } {
                    input type="hidden" name="csrf" value=(csrf);
                    label for="reason" { "Reason" }
                    textarea id="reason" name="reason" rows="3" maxlength="1000" required aria-describedby="reason-help" {}
                    p.faint id="reason-help" { "Whoever comes later wants to know why this may be so." }
                    label for="days" { "Until" }
                    select id="days" name="days" {
                        option value="7" { "in a week" }
                        option value="30" selected { "in 30 days" }
                        option value="90" { "in 90 days" }
                        option value="365" { "in a year" }
                        option value="" { "it is over" }
                    }
                    button type="submit" { "Acknowledge" }
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decided {
    csrf: String,
    reason: String,
    #[serde(default)]
    days: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reopened {
    csrf: String,
}

type Sent<T> = Result<Form<T>, axum::extract::rejection::FormRejection>;

fn back_to(id: &str) -> Response<Body> {
    // The id was found, so it is one of ours.
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("/findings/{id}"))]).into_response()
}

pub(crate) async fn acknowledge(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    sent: Sent<Decided>,
) -> Answer {
    let Form(decided) = sent.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    gate::brings_csrf(&caller, Some(&decided.csrf))?;
    let days = match decided.days.as_str() {
        "" => None,
        days => Some(days.parse().map_err(|_| Problem::wrong("`days` is a number of days."))?),
    };
    decide(&shared, &caller, &id, &Acknowledgement { reason: decided.reason, days })?;
    Ok(back_to(&find(&shared, &id)?.id))
}

pub(crate) async fn reopen(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    sent: Sent<Reopened>,
) -> Answer {
    let Form(reopened) = sent.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    gate::brings_csrf(&caller, Some(&reopened.csrf))?;
    take_back(&shared, &caller, &id)?;
    Ok(back_to(&find(&shared, &id)?.id))
}
