//! History: what happened on this machine, by port and time.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use engine::store::{Moment, What};
use maud::{Markup, html};
use model::{Timestamp, Transport, Utc};
use serde::Deserialize;

use super::Answer;
use super::layout::{Sheet, encode, live};
use super::text::{moment, said};
use crate::caller::Caller;
use crate::document::Record;
use crate::keeper::{Query, Refusal};
use crate::problem::Problem;
use crate::routes::record::{cursor, cursor_of, kinds};
use crate::routes::{Asked, ports};
use crate::shared::Shared;

/// Records on a page.
const ROWS: usize = 200;

/// What is looked for; forms send what was left empty, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sought {
    port: String,
    transport: String,
    kind: String,
    since: String,
    until: String,
    cursor: Option<String>,
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// What a form calls a time, in UTC: `2026-11-24T01:43`.
fn time(text: &str, name: &str) -> Result<Option<Timestamp<Utc>>, Problem> {
    let Some(text) = filled(text) else { return Ok(None) };
    let read = |suffix: &str| Moment::parse(&format!("{text}{suffix}"));
    let read = read("").or_else(|| read("Z")).or_else(|| read(":00Z"));
    read.map(|at| Some(at.0))
        .ok_or_else(|| Problem::wrong(format!("`{name}` is like 2026-11-24T01:43, in UTC.")))
}

pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(sought): Asked<Sought>,
) -> Answer {
    let port = filled(&sought.port).map(str::parse).transpose();
    let query = Query {
        since: time(&sought.since, "since")?,
        until: time(&sought.until, "until")?,
        transport: ports::transport(filled(&sought.transport))?,
        port: port.map_err(|_| Problem::wrong("`port` is from 0 to 65535."))?,
        kinds: kinds(filled(&sought.kind))?,
        after: cursor(sought.cursor.as_deref())?,
        most: ROWS,
    };
    let history = shared.keeper.history(&query);
    let body = html! {
        h1 { "History" }
        (form(&sought))
        (live("history", html! {
            @match &history {
                Err(refusal) => (none(refusal)),
                Ok(list) if list.records.is_empty() => { p.calm { "Nothing is on record." } }
                Ok(list) => {
                    (timeline(list.records.iter().map(Record::of)))
                    @if let Some(next) = list.next { (further(&sought, next)) }
                }
            }
        }))
    };
    let sheet = Sheet { title: "History", place: "/history", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

fn form(sought: &Sought) -> Markup {
    let option = |value: &str, name: &str, chosen: &str| html! { option value=(value) selected[value == chosen] { (name) } };
    html! {
        form.filter method="get" action="/history" role="search" {
            div { label for="port" { "Port" } input type="number" id="port" name="port" min="0" max="65535" value=(said(&sought.port)); }
            div { label for="transport" { "Transport" } select id="transport" name="transport" {
                (option("", "any", &sought.transport))
                @for it in Transport::ALL { (option(it.name(), it.name(), &sought.transport)) }
            } }
            div { label for="kind" { "What" } select id="kind" name="kind" {
                (option("", "everything", &sought.kind))
                @for it in What::NAMES { (option(it, plural(it), &sought.kind)) }
            } }
            div { label for="since" { "From (UTC)" } input type="datetime-local" id="since" name="since" value=(said(&sought.since)); }
            div { label for="until" { "To (UTC)" } input type="datetime-local" id="until" name="until" value=(said(&sought.until)); }
            button type="submit" { "Show" }
            a href="/history" { "Everything" }
        }
    }
}

fn plural(kind: &'static str) -> &'static str {
    match kind {
        "socket" => "sockets",
        "touch" => "who came to decoys",
        "gap" => "what could not be seen",
        "finding" => "findings",
        "session" => "sessions",
        _ => "streams",
    }
}

fn further(sought: &Sought, next: u64) -> Markup {
    let mut path = format!("/history?cursor={}", cursor_of(next));
    let filters = [
        ("port", &sought.port),
        ("transport", &sought.transport),
        ("kind", &sought.kind),
        ("since", &sought.since),
        ("until", &sought.until),
    ];
    for (name, value) in filters.into_iter().filter(|(_, value)| !value.is_empty()) {
        path.push_str(&format!("&{name}={}", encode(value)));
    }
    html! { p.pager { a rel="next" href=(path) { "Earlier" } } }
}

/// Why there is none.
pub(super) fn none(refusal: &Refusal) -> Markup {
    let (Refusal::NotKept(why) | Refusal::Unknown(why) | Refusal::Wrong(why) | Refusal::Failed(why)) =
        refusal;
    html! { p.calm { (said(why)) } }
}

/// Records, one line each, the newest first.
pub(super) fn timeline(records: impl Iterator<Item = Record>) -> Markup {
    html! {
        ol.timeline { @for record in records {
            li {
                (moment(&record.at))
                span.tag.{ "k-" (record.kind) } { (record.kind) " " (said(&record.what.replace('_', " "))) } " "
                @match (record.transport, record.port, &record.finding) {
                    (Some(transport), Some(port), _) => { a href={ "/ports/" (transport) "/" (port) } { (said(&record.about)) } }
                    (_, _, Some(id)) => { a href={ "/findings/" (said(id)) } { (said(&record.about)) } }
                    _ => { (said(&record.about)) }
                }
                @if !record.words.is_empty() { " " span.words { (said(&record.words)) } }
            }
        } }
    }
}
