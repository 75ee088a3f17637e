//! Captures that are handed in, and their reports.

use std::io::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::time::{Duration, timeout};

use super::findings::no_form;
use super::{Asked, json};
use crate::access::Scope;
use crate::caller::Caller;
use crate::document::{One, Page, SCHEMA_VERSION};
use crate::gate;
use crate::problem::Problem;
use crate::shared::Shared;

/// How long a peer may be silent while it hands a capture in.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the capture is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Called {
    name: Option<String>,
}

pub(crate) async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let items: Vec<_> = shared.captures.all().iter().map(|handed| handed.report(false)).collect();
    json(&headers, &Page { schema_version: SCHEMA_VERSION, total: items.len(), next: None, items })
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let unknown = || Problem::unknown("No capture has this id; the last eight are kept.");
    let handed = shared.captures.of(&id).ok_or_else(unknown)?;
    let report = tokio::task::spawn_blocking(move || handed.report(true)).await;
    let report = report.map_err(|error| failed(&error))?;
    Ok(json(&headers, &One::of(report)))
}

fn failed(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string())
}

pub(crate) async fn hand_in(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(called): Asked<Called>,
    body: Body,
) -> Result<Response<Body>, Problem> {
    gate::needs(&caller, Scope::Ack)?;
    no_form(&headers)?;
    let busy = || {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Another capture is being read: try again when it is done.",
        )
    };
    // One is read at a time, and most are read at once: whoever comes next waits for a while.
    let room = Arc::clone(&shared.captures.room).acquire_owned();
    let permit = timeout(PATIENCE, room).await.ok().and_then(Result::ok).ok_or_else(busy)?;
    let most = shared.captures.most_bytes;
    let too_large = || {
        let what = format!(
            "A capture has at most {most} bytes here (`capture-mib` in [api]); read larger ones with `portreeve read`."
        );
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what)
    };
    let said = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > most) {
        return Err(too_large());
    }
    // Without a name, so that it is gone with us whatever happens.
    let mut file = tempfile::tempfile().map_err(|error| failed(&error))?;
    let mut bytes: u64 = 0;
    let mut stream = body.into_data_stream();
    loop {
        let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The capture did not come on in time.");
        let Some(chunk) = timeout(PATIENCE, stream.next()).await.map_err(late)? else { break };
        let chunk = chunk.map_err(|error| Problem::wrong(format!("The capture broke off: {error}.")))?;
        bytes = bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if bytes > most {
            return Err(too_large());
        }
        file.write_all(&chunk).map_err(|error| failed(&error))?;
    }
    if bytes == 0 {
        return Err(Problem::wrong("The body is the capture's bytes, and there were none."));
    }
    let handed = shared
        .captures
        .begin(called.name.as_deref().unwrap_or("capture"), bytes)
        .map_err(|error| failed(&error))?;
    let (reading, keeper) = (Arc::clone(&shared), Arc::clone(&handed));
    tokio::task::spawn_blocking(move || {
        reading.captures.read(&keeper, file, &*reading.keeper);
        drop(permit);
    });
    let mut response = json(&headers, &One::of(handed.report(false)));
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/captures/{}", handed.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
