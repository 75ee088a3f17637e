//! What pages are made of besides words: one style sheet and a few small scripts, all our own.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, Response};

use crate::problem::Problem;
use crate::routes::tagged;

const ALL: [(&str, &str, &[u8]); 8] = [
    ("page.css", "text/css; charset=utf-8", include_bytes!("assets/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_bytes!("assets/page.js")),
    ("map.js", "text/javascript; charset=utf-8", include_bytes!("assets/map.js")),
    ("captures.js", "text/javascript; charset=utf-8", include_bytes!("assets/captures.js")),
    ("policy.js", "text/javascript; charset=utf-8", include_bytes!("assets/policy.js")),
    ("stream.js", "text/javascript; charset=utf-8", include_bytes!("assets/stream.js")),
    ("reference.js", "text/javascript; charset=utf-8", include_bytes!("assets/reference.js")),
    ("mark.svg", "image/svg+xml", include_bytes!("assets/mark.svg")),
];

pub(crate) async fn answer(headers: HeaderMap, Path(name): Path<String>) -> Result<Response<Body>, Problem> {
    let found = ALL.iter().find(|(known, ..)| *known == name);
    let (_, kind, bytes) = found.ok_or_else(|| Problem::unknown("There is no such file."))?;
    Ok(tagged(&headers, Bytes::from_static(bytes), kind))
}
