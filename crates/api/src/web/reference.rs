//! The API, to be read: made from the OpenAPI document by a small script of ours, without any network.

use axum::Extension;
use axum::http::HeaderMap;
use maud::html;

use super::Answer;
use super::layout::Sheet;
use crate::caller::Caller;

pub(crate) async fn page(Extension(caller): Extension<Caller>, headers: HeaderMap) -> Answer {
    let body = html! {
        h1 { "API" }
        p { "Everything that the pages show, for programs. The document itself: " a href="/api/v1/openapi.json" { "openapi.json" } " (OpenAPI 3.1)." }
        div id="reference" { noscript { p { "The page that reads it for you needs script." } } }
    };
    let sheet = Sheet { title: "API", place: "", caller: Some(&caller), script: Some("reference.js") };
    Ok(super::html(&headers, sheet.with(body)))
}
