//! Pages for people who would rather look than read: whole without script, alive with it.

mod captures;
mod findings;
mod history;
mod layout;
mod lists;
mod login;
mod overview;
mod policy;
mod port;
mod ports;
mod reference;
mod streams;
mod text;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use maud::Markup;

use crate::problem::Problem;
use crate::routes::tagged;
use crate::shared::Shared;

pub(crate) use login::refused;

/// Every page.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(overview::page))
        .route("/ports", get(ports::page))
        .route("/ports/{transport}/{port}", get(port::page))
        .route("/holders", get(lists::holders))
        .route("/flows", get(lists::flows))
        .route("/sessions", get(lists::sessions))
        .route("/streams", get(streams::list))
        .route("/streams/{id}", get(streams::one))
        .route("/findings", get(findings::list))
        .route("/findings/{id}", get(findings::one))
        .route("/findings/{id}/acknowledge", post(findings::acknowledge))
        .route("/findings/{id}/reopen", post(findings::reopen))
        .route("/history", get(history::page))
        .route("/decoys", get(lists::decoys))
        .route("/policy", get(policy::page).post(policy::sent))
        .route("/captures", get(captures::list))
        .route("/captures/{id}", get(captures::one))
        .route("/reference", get(reference::page))
        .route("/login", get(login::form).post(login::begin))
        .route("/logout", post(login::end))
}

/// What a page's handler gives: the page, or the page that says why not.
pub(crate) type Answer = Result<Response<Body>, Refused>;

/// A problem that is told as a page.
pub(crate) struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        layout::trouble(&self.0)
    }
}

/// A page as an answer.
pub(crate) fn html(headers: &HeaderMap, page: Markup) -> Response<Body> {
    tagged(headers, page.into_string().into_bytes().into(), "text/html; charset=utf-8")
}
