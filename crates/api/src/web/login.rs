//! Logging in with a token, where nothing else says who somebody is.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use maud::{Markup, html};
use serde::Deserialize;

use super::Answer;
use super::layout::{Sheet, page_with, trouble};
use crate::caller::{Caller, LOGIN_LASTS};
use crate::gate;
use crate::problem::Problem;
use crate::shared::Shared;

fn sheet(wrong: bool) -> Markup {
    let sheet = Sheet { title: "Log in", place: "", caller: None, script: None };
    sheet.with(html! {
        section.narrow {
            h1 { "Log in" }
            p { "Who runs Portreeve may look without a token. Everybody else needs one: " code { "portreeve token new NAME" } " makes it." }
            @if wrong { p.wrong role="alert" { "This token is not known, or was revoked." } }
            form method="post" action="/login" {
                // Whoever keeps passwords for people keeps them by a name; without one of its own it is not sent.
                input type="text" autocomplete="username" value="portreeve" hidden;
                label for="token" { "Token" }
                input type="password" id="token" name="token" autocomplete="current-password" required autofocus spellcheck="false";
                button type="submit" { "Log in" }
            }
        }
    })
}

/// What somebody gets who was not let in: the way in, or why there is none.
pub(crate) fn refused(problem: &Problem) -> Response<Body> {
    if problem.status() == StatusCode::UNAUTHORIZED {
        page_with(problem, sheet(false))
    } else {
        trouble(problem)
    }
}

pub(crate) async fn form(headers: HeaderMap) -> Response<Body> {
    super::html(&headers, sheet(false))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    token: String,
}

type Sent<T> = Result<Form<T>, axum::extract::rejection::FormRejection>;

pub(crate) async fn begin(State(shared): State<Arc<Shared>>, sent: Sent<Entry>) -> Answer {
    let Form(entry) = sent.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let known = shared.tokens().check(entry.token.trim());
    let Some(token) = known else {
        return Ok(page_with(&Problem::stranger(), sheet(true)));
    };
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The system gives no chance.");
    let cookie = shared.logins().begin(token, Instant::now()).ok_or_else(failed)?;
    Ok(go_home(&shared, &cookie, LOGIN_LASTS.as_secs()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    csrf: String,
}

pub(crate) async fn end(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    sent: Sent<Leaving>,
) -> Answer {
    let Form(leaving) = sent.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    gate::brings_csrf(&caller, Some(&leaving.csrf))?;
    if let Some(cookie) = gate::cookie(&headers) {
        shared.logins().end(cookie);
    }
    Ok(go_home(&shared, "", 0))
}

fn go_home(shared: &Shared, cookie: &str, seconds: u64) -> Response<Body> {
    let secure = if shared.settings.certificate.is_some() { "; Secure" } else { "" };
    let name = gate::COOKIE;
    let cookie = format!("{name}={cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
