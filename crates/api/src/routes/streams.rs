//! Streams: what was measured, as numbers and plots; the latest picture; how loud; and the clocks that they follow.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use engine::TrafficView;
use engine::showcase::NoStill;
use futures_util::stream;
use tokio::time::{Duration, sleep};

use super::lists::Which;
use super::{Asked, Window, json, tagged};
use crate::caller::Caller;
use crate::document::{Clock, Loud, One, Page, Stream};
use crate::problem::Problem;
use crate::shared::Shared;

/// So long a picture is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often levels are told.
const LEVELS_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn streams(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Which>,
) -> Result<Response<Body>, Problem> {
    let window = wanted.window()?;
    let view = shared.board.current().traffic;
    Ok(json(&headers, &listed(view.as_deref(), &window)))
}

/// A page of the streams.
pub(crate) fn listed(view: Option<&TrafficView>, window: &Window) -> Page<Stream> {
    let all = view.iter().flat_map(|view| &view.traffic.media.streams);
    window.page(all, |stream| Some(Stream::of(&view?.traffic.media, stream)))
}

pub(crate) fn no_stream() -> Problem {
    Problem::unknown("There is no such stream, or it has ended; /api/v1/streams has all.")
}

pub(crate) async fn stream(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let view = shared.board.current().traffic.ok_or_else(no_stream)?;
    let media = &view.traffic.media;
    let stream = Stream::find(media, &id).ok_or_else(no_stream)?;
    Ok(json(&headers, &One::of(Stream::of(media, stream))))
}

pub(crate) async fn plot(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path((id, leg, name)): Path<(String, String, String)>,
) -> Result<Response<Body>, Problem> {
    let view = shared.board.current().traffic.ok_or_else(no_stream)?;
    let stream = Stream::find(&view.traffic.media, &id);
    let leg = stream.and_then(|stream| Stream::leg_of(stream, &leg)).ok_or_else(no_stream)?;
    let of = engine::sanitise::line(&format!("{} to {}", leg.source, leg.destination)).into_owned();
    let svg = name.strip_suffix(".svg").and_then(|name| engine::plots::svg(&of, leg, name));
    let svg = svg.ok_or_else(|| {
        Problem::unknown("There is no such plot of this leg; the stream's `plots` has all.")
    })?;
    let mut response = tagged(&headers, svg.into_bytes().into(), "image/svg+xml");
    // It brings its own style, and nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// The clocks on the wire.
pub(crate) fn all_clocks(shared: &Shared) -> Vec<Clock> {
    let view = shared.board.current().traffic;
    view.iter().flat_map(|view| &view.traffic.media.ptp.domains).map(Clock::of).collect()
}

pub(crate) async fn clocks(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Which>,
) -> Result<Response<Body>, Problem> {
    let window = wanted.window()?;
    Ok(json(&headers, &window.page(all_clocks(&shared).into_iter(), Some)))
}

/// What is shown of now is kept nowhere.
fn of_now(body: impl Into<Body>, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(crate) async fn picture(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let view = shared.board.current().traffic.ok_or_else(no_stream)?;
    let stream = Stream::find(&view.traffic.media, &id).ok_or_else(no_stream)?.clone();
    let board = Arc::clone(&shared.board);
    let take = move || board.showcase.picture(&stream, PATIENCE);
    match tokio::task::spawn_blocking(take).await {
        Ok(Ok(still)) => Ok(of_now(still.png.clone(), "image/png")),
        Ok(Err(why)) => Err(no_picture(why)),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn no_picture(why: NoStill) -> Problem {
    match why {
        NoStill::NotVideo => Problem::unknown(
            "It carries no uncompressed video whose format is known: a session (SDP) says which it is.",
        ),
        NoStill::TooLarge => {
            Problem::unknown("The picture is too large to be shown here: `portreeve media receive` takes it.")
        }
        NoStill::Busy => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Somebody looks at another stream: ask again in a few seconds.",
        ),
        NoStill::NothingCame => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "No picture came within three seconds: see whether the stream still comes.",
        ),
    }
}

/// How loud it is now.
fn loud(shared: &Shared, id: &str) -> Result<Loud, Problem> {
    let view = shared.board.current().traffic.ok_or_else(no_stream)?;
    let stream = Stream::find(&view.traffic.media, id).ok_or_else(no_stream)?;
    Ok(Loud::of(shared.board.showcase.levels(stream).as_ref()))
}

pub(crate) async fn levels(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let told = One::of(loud(&shared, &id)?);
    let body = serde_json::to_vec(&told)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(of_now(body, "application/json"))
}

/// The levels as server-sent events, for as long as somebody listens.
pub(crate) async fn level_events(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let full = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many are listening: try again later.");
    let room = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| full())?;
    loud(&shared, &id)?;
    let events = stream::unfold((shared, caller, room, id), |(shared, caller, room, id)| async move {
        sleep(LEVELS_EVERY).await;
        if !caller.is_welcome(&shared) {
            return None;
        }
        let told = One::of(loud(&shared, &id).ok()?);
        let piece = format!("event: levels\ndata: {}\n\n", serde_json::to_string(&told).ok()?);
        Some((Ok::<Bytes, std::convert::Infallible>(piece.into()), (shared, caller, room, id)))
    });
    Ok(of_now(Body::from_stream(events), "text/event-stream"))
}
