//! What changes, as it changes: server-sent events (WHATWG HTML §9.2) that can be taken up where they broke off.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::Asked;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::shared::Shared;

/// After so long without an event something is said, so that whoever listens knows that we are there.
const STILL_HERE: Duration = Duration::from_secs(15);
/// Events that are sent in one piece.
const AT_ONCE: usize = 256;
/// What comes within this time is told together, unless it fills a piece.
const TOGETHER: Duration = Duration::from_millis(50);
/// How often it is seen whether a listener may still listen, while there is something to tell.
const WELCOME: Duration = Duration::from_secs(1);
const KINDS: [&str; 7] = ["socket", "flow", "found", "over", "touch", "looked", "traffic"];

/// Which changes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    kinds: Option<String>,
    passing: Option<bool>,
    after: Option<String>,
}

struct Listener {
    shared: Arc<Shared>,
    caller: Caller,
    kinds: Vec<&'static str>,
    passing: bool,
    number: u64,
    news: watch::Receiver<u64>,
    /// When it was last looked what came.
    looked: Instant,
    /// When it was last seen that they may listen.
    welcome: Instant,
    /// What is said before anything else.
    first: Option<String>,
    _room: OwnedSemaphorePermit,
}

pub(crate) async fn stream(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    let full = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many are listening: try again later.");
    let room = Arc::clone(&shared.streams).try_acquire_owned().map_err(|_| full())?;
    let kinds = match wanted.kinds.as_deref() {
        None => KINDS.to_vec(),
        Some(list) => list
            .split(',')
            .map(|word| KINDS.into_iter().find(|kind| *kind == word.trim()))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                Problem::wrong(format!("`kinds` are some of {}, with commas between.", KINDS.join(",")))
            })?,
    };
    let passing = wanted.passing.unwrap_or(true);
    let last = shared.feed.last();
    let sent =
        headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned).or(wanted.after);
    let mut first = format!("retry: 2000\nid: {}-{last}\n", shared.feed.epoch);
    let number = match sent.as_deref().and_then(|id| id.split_once('-')) {
        Some((epoch, number)) if epoch == shared.feed.epoch => {
            first = String::from("retry: 2000\n");
            number.parse::<u64>().map_or(last, |number| number.min(last))
        }
        // They listened to another watch: everything may be otherwise.
        Some(_) => {
            first.push_str("event: missed\ndata: {\"missed\":null}\n");
            last
        }
        None => last,
    };
    first.push('\n');
    let news = shared.feed.watch();
    let listener = Listener {
        shared,
        caller,
        kinds,
        passing,
        number,
        news,
        looked: Instant::now(),
        welcome: Instant::now(),
        first: Some(first),
        _room: room,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let piece = listener.next().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(piece.into()), listener))
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Listener {
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let behind = self.shared.feed.last().saturating_sub(self.number);
            if usize::try_from(behind).is_ok_and(|behind| behind < AT_ONCE) {
                sleep_until(self.looked + TOGETHER).await;
            }
            self.looked = Instant::now();
            if self.welcome.elapsed() >= WELCOME {
                // Who may not see anything any more hears nothing any more.
                if !self.caller.is_welcome(&self.shared) {
                    return None;
                }
                self.welcome = Instant::now();
            }
            let (changes, missed) = self.shared.feed.after(self.number, AT_ONCE);
            let mut piece = String::new();
            if missed > 0 {
                piece.push_str(&format!("event: missed\ndata: {{\"missed\":{missed}}}\n\n"));
            }
            for said in changes {
                self.number = said.number;
                if self.kinds.contains(&said.kind) && (self.passing || !said.passing) {
                    let epoch = &self.shared.feed.epoch;
                    piece.push_str(&format!(
                        "id: {epoch}-{}\nevent: {}\ndata: {}\n\n",
                        said.number, said.kind, said.json
                    ));
                }
            }
            if !piece.is_empty() {
                return Some(piece);
            }
            if self.shared.feed.last() > self.number {
                continue;
            }
            match timeout(STILL_HERE, self.news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) if !self.caller.is_welcome(&self.shared) => return None,
                Err(_) => return Some(String::from(": still here\n\n")),
            }
        }
    }
}
