//! History, decoys and the registry.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use engine::store::What;
use model::{Timestamp, Utc};
use serde::Deserialize;

use super::{Asked, Window, json};
use crate::document::{Assignment, Decoys, One, Page, Record, SCHEMA_VERSION};
use crate::keeper::Query;
use crate::problem::Problem;
use crate::shared::Shared;

/// Seconds before and after 1970 that times of history may be asked for; nanoseconds still fit.
const MOST_SECONDS: i64 = 9_000_000_000;

/// What of the past.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    since: Option<i64>,
    until: Option<i64>,
    transport: Option<String>,
    port: Option<u16>,
    kinds: Option<String>,
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
    let is_time = |second: &i64| (-MOST_SECONDS..=MOST_SECONDS).contains(second);
    if !wanted.since.iter().chain(&wanted.until).all(is_time) {
        return Err(Problem::wrong(
            "`since` and `until` are seconds since 1970, up to 9000000000 before or after.",
        ));
    }
    let after = cursor(wanted.cursor.as_deref())?;
    let records = shared.keeper.history(&Query {
        since: wanted.since.map(seconds),
        until: wanted.until.map(seconds),
        transport: super::ports::transport(wanted.transport.as_deref())?,
        port: wanted.port,
        kinds: kinds(wanted.kinds.as_deref())?,
        after,
        most,
    })?;
    let items: Vec<Record> = records.records.iter().map(Record::of).collect();
    let next = records.next.map(cursor_of);
    Ok(json(&headers, &Page { schema_version: SCHEMA_VERSION, total: items.len(), next, items }))
}

/// Where a page of the record goes on.
pub(crate) fn cursor_of(number: u64) -> String {
    format!("n{number}")
}

/// Where a page of the record begins.
pub(crate) fn cursor(text: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let number = text.strip_prefix('n').and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| Problem::wrong("`cursor` is the `next` of an earlier page."))
}

/// Kinds of records, with commas between.
pub(crate) fn kinds(text: Option<&str>) -> Result<Vec<&'static str>, Problem> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let known = |word: &str| What::NAMES.into_iter().find(|name| *name == word.trim());
    text.split(',').map(known).collect::<Option<Vec<_>>>().ok_or_else(|| {
        Problem::wrong(format!("`kinds` are some of {}, with commas between.", What::NAMES.join(",")))
    })
}

/// Decoys, and who came to them last.
pub(crate) fn all_decoys(shared: &Shared) -> Decoys {
    let touches = Query { kinds: vec!["touch"], most: MOST_CAME, ..Query::default() };
    let came = shared.keeper.history(&touches).map(|records| records.records).unwrap_or_default();
    Decoys::of(&shared.keeper.decoys(), &came)
}

/// So many of those who came to decoys are told.
const MOST_CAME: usize = 200;

pub(crate) async fn decoys(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    json(&headers, &One::of(all_decoys(&shared)))
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
    if text.is_empty() || text.chars().count() > 100 {
        return Err(Problem::wrong("`text` has from 1 to 100 letters: a name, an organisation, a document."));
    }
    let paper = &shared.board.current().machine.paper;
    Ok(json(&headers, &window.page(paper.search(text), |row| Some(Assignment::of(&row)))))
}
