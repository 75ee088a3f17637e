//! The paths of the API and of the pages, and what all answers have in common.

mod captures;
mod events;
pub(crate) mod findings;
pub(crate) mod lists;
#[cfg(test)]
mod operations;
pub(crate) mod policy;
pub(crate) mod ports;
pub(crate) mod record;
pub(crate) mod streams;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::access;
use crate::document::{Page, SCHEMA_VERSION};
use crate::gate;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::{assets, metrics, web};

pub(crate) use findings::{all_findings, findings_of_port};
#[cfg(test)]
pub(crate) use operations::{OPERATIONS, Operation};

/// Bytes that a body may have, but for captures.
const MOST_BODY: usize = 256 * 1024;

/// Everything that is answered.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/status", get(lists::status))
        .route("/ports", get(ports::list))
        .route("/ports/paper", get(ports::paper))
        .route("/ports/{transport}/{port}", get(ports::one))
        .route("/sockets", get(lists::sockets))
        .route("/holders", get(lists::holders))
        .route("/flows", get(lists::flows))
        .route("/services", get(lists::services))
        .route("/sessions", get(lists::sessions))
        .route("/streams", get(streams::streams))
        .route("/streams/{stream}", get(streams::stream))
        .route("/streams/{stream}/picture.png", get(streams::picture))
        .route("/streams/{stream}/levels", get(streams::levels))
        .route("/streams/{stream}/levels/events", get(streams::level_events))
        .route("/streams/{stream}/legs/{leg}/{plot}", get(streams::plot))
        .route("/clocks", get(streams::clocks))
        .route("/findings", get(findings::list))
        .route("/findings/{id}", get(findings::one))
        .route("/findings/{id}/acknowledge", post(findings::acknowledge))
        .route("/findings/{id}/reopen", post(findings::reopen))
        .route("/history", get(record::history))
        .route("/decoys", get(record::decoys))
        .route("/registry", get(record::registry))
        .route("/policy", get(policy::read))
        .route("/policy/validate", post(policy::validate))
        .route("/policy/propose", post(policy::put_forward))
        .route("/policy/entry", post(policy::entry))
        .route("/captures", get(captures::list).post(captures::hand_in))
        .route("/captures/{id}", get(captures::one))
        .route("/events", get(events::stream))
        .route("/openapi.json", get(openapi));
    Router::new()
        .nest("/api/v1", api)
        .route("/metrics", get(metrics::answer))
        .route("/assets/{name}", get(assets::answer))
        .merge(web::router())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), gate::keep))
        .with_state(Arc::clone(shared))
}

async fn no_such_path() -> Problem {
    Problem::unknown("There is nothing under this path; /api/v1/openapi.json has all of them.")
}

async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not take that method; /api/v1/openapi.json says which.",
    )
}

async fn openapi(headers: HeaderMap) -> Response<Body> {
    tagged(&headers, include_bytes!("../../../../docs/openapi.json").as_slice().into(), "application/json")
}

/// What stands in the query, all of it understood.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Asked(asked)),
            Err(error) => {
                let why =
                    std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                Err(Problem::wrong(format!("The query is not understood: {why}.")))
            }
        }
    }
}

/// A part of the path, understood.
pub(crate) fn part<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::unknown(format!("{what} is not called so.")))
}

/// A JSON answer, with what tells whether it changed.
pub(crate) fn json(headers: &HeaderMap, it: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(it) {
        Ok(body) => tagged(headers, body.into(), "application/json"),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// An answer with its tag; only the tag where the asker has it already (RFC 9110 §13.1.2).
pub(crate) fn tagged(headers: &HeaderMap, body: Bytes, kind: &'static str) -> Response<Body> {
    let digest = Sha256::digest(&body);
    let tag = format!("\"{}\"", access::hex(digest.first_chunk::<12>().unwrap_or(&[0; 12])));
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let unchanged = known
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    let mut response = Response::new(if unchanged { Body::empty() } else { Body::from(body) });
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Where a page of a list begins, and how long it is.
pub(crate) struct Window {
    skip: usize,
    most: usize,
}

impl Window {
    /// From what was asked: `limit` from 1 to 1000, and a cursor that an earlier page gave.
    pub(crate) fn of(cursor: Option<&str>, limit: Option<usize>) -> Result<Window, Problem> {
        let most = limit.unwrap_or(100);
        if !(1..=1000).contains(&most) {
            return Err(Problem::wrong("`limit` is from 1 to 1000."));
        }
        let skip = match cursor {
            None => 0,
            Some(cursor) => cursor.strip_prefix('o').and_then(|at| at.parse().ok()).ok_or_else(|| {
                Problem::wrong("`cursor` is the `next` of an earlier page; leave it out for the first.")
            })?,
        };
        Ok(Window { skip, most })
    }

    /// The page of a list, made of those entries only that are on it.
    pub(crate) fn page<S, T>(
        &self,
        all: impl Iterator<Item = S>,
        mut make: impl FnMut(S) -> Option<T>,
    ) -> Page<T> {
        let end = self.skip.saturating_add(self.most);
        let mut total = 0;
        let mut items = Vec::new();
        for one in all {
            if (self.skip..end).contains(&total) {
                items.extend(make(one));
            }
            total += 1;
        }
        let next = (end < total).then(|| format!("o{end}"));
        Page { schema_version: SCHEMA_VERSION, total, next, items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut cursor: Option<String> = None;
        let mut all = Vec::new();
        loop {
            let window = Window::of(cursor.as_deref(), Some(3)).ok().unwrap();
            let page = window.page(0..10, Some);
            assert_eq!(page.total, 10);
            all.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        for (cursor, limit) in [(Some("x"), None), (Some("o-1"), None), (None, Some(0)), (None, Some(1001))] {
            assert!(Window::of(cursor, limit).is_err(), "{cursor:?} {limit:?}");
        }
        let beyond = Window::of(Some("o18446744073709551615"), Some(1000)).ok().unwrap();
        assert!(beyond.page(0..10, Some).items.is_empty());
    }
}
