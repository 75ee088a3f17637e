//! Who gets in: the one place where every request is asked for whom it comes from and where it was made.
//!
//! The order: the name we were called by (against DNS rebinding), the page that asks (against other sites), who asks,
//! how often, and for what changes something the token that only our own pages know. Whoever fails is told the same.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;

use crate::access::{self, Scope};
use crate::caller::{Caller, Connection, Peer, Who};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::web;

/// The cookie of a login; over TLS browsers hold it to this host alone.
pub(crate) const COOKIE: &str = "portreeve-login";
/// The header that shows that a request comes from our own page.
pub(crate) const CSRF: &str = "x-portreeve-csrf";

/// How much a wrong token costs, in requests.
const WRONG_TOKEN: f64 = 10.0;

/// Lets a request in, or answers why not; and puts on every answer what browsers must heed.
pub(crate) async fn keep(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let for_people = wants_page(&path, &parts.headers);
    let admitted = admit(&shared, &parts, &path).await;
    let mut response = match admitted {
        Ok(caller) => {
            if let Some(caller) = caller {
                parts.extensions.insert(caller);
            }
            shared.count(false);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => {
            shared.count(true);
            if for_people { web::refused(&problem) } else { problem.into_response() }
        }
    };
    heed(response.headers_mut(), &path);
    response
}

fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = text(headers, header::ACCEPT).is_some_and(|accept| accept.contains("text/html"));
    accepts && !path.starts_with("/api/")
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Paths that say nothing of the machine.
fn is_public(path: &str) -> bool {
    path == "/login" || path.starts_with("/assets/")
}

async fn admit(shared: &Shared, parts: &Parts, path: &str) -> Result<Option<Caller>, Problem> {
    let headers = &parts.headers;
    let lost = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the connection is not known");
    let connection = parts.extensions.get::<Arc<Connection>>().ok_or_else(lost)?;
    let host = called(shared, headers)?;
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    from_our_page(headers, host, connection.tls, changes || path.starts_with("/api/"))?;
    if is_public(path) {
        let stranger = Peer::Stranger(connection.there.ip());
        let cost = if changes { WRONG_TOKEN } else { 1.0 };
        return if shared.may_ask(stranger, cost) { Ok(None) } else { Err(too_many()) };
    }
    let Some(caller) = identify(shared, headers, connection).await else {
        let cost = if headers.contains_key(header::AUTHORIZATION) { WRONG_TOKEN } else { 1.0 };
        let fits = shared.may_ask(Peer::Stranger(connection.there.ip()), cost);
        return Err(if fits { Problem::stranger() } else { too_many() });
    };
    if !shared.may_ask(caller.key(), 1.0) {
        return Err(too_many());
    }
    // A form brings it as a field, and is looked at where it is read.
    if changes && !is_form(headers) {
        brings_csrf(&caller, text(headers, CSRF))?;
    }
    Ok(Some(caller))
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many requests: wait a second. The limit is `requests-per-second` in [api].",
    )
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE).is_some_and(|kind| {
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    })
}

/// Whether a request that changes something was made by one of our own pages, where a browser would send it for others.
pub(crate) fn brings_csrf(caller: &Caller, brought: Option<&str>) -> Result<(), Problem> {
    let Some(needed) = &caller.csrf else { return Ok(()) };
    if brought.is_some_and(|brought| access::same(brought.as_bytes(), needed.as_bytes())) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "What changes something needs the header `X-Portreeve-Csrf` with the value that /api/v1/status tells, or a token.",
    ))
}

/// Whether the caller may do what needs this scope.
pub(crate) fn needs(caller: &Caller, scope: Scope) -> Result<(), Problem> {
    if caller.scope >= scope {
        return Ok(());
    }
    let what =
        format!("This needs a token with the scope `{}`; yours has `{}`.", scope.name(), caller.scope.name());
    Err(Problem::new(StatusCode::FORBIDDEN, what))
}

/// The host that we were called by, where it is one of ours: whoever points a name of theirs at us is refused.
fn called<'h>(shared: &Shared, headers: &'h HeaderMap) -> Result<&'h str, Problem> {
    let refused = || {
        Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "We do not go by that name: use the address that we listen at, or add the name to `hosts` in [api].",
        )
    };
    let mut all = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (all.next(), all.next()) else { return Err(refused()) };
    let host = host.to_str().map_err(|_| refused())?;
    if is_ours(shared, host) { Ok(host) } else { Err(refused()) }
}

fn is_ours(shared: &Shared, host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse::<u16>().ok()),
        _ => (host, None),
    };
    let listed = shared.settings.hosts.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    // A proxy in front has a port of its own.
    if listed {
        return true;
    }
    let default = if shared.settings.certificate.is_some() { 443 } else { 80 };
    if port.unwrap_or(default) != shared.address.port() {
        return false;
    }
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    if bare.eq_ignore_ascii_case("localhost") {
        return true;
    }
    // An address cannot be pointed at us by whoever has a name.
    bare.parse::<IpAddr>().is_ok()
}

/// Whether a browser says that another site made the request. Links from anywhere may lead to our pages.
fn from_our_page(headers: &HeaderMap, host: &str, tls: bool, strict: bool) -> Result<(), Problem> {
    let refused = || {
        Problem::new(
            StatusCode::FORBIDDEN,
            "Another site made this request; only our own pages and programs may.",
        )
    };
    if let Some(origin) = headers.get(header::ORIGIN) {
        let scheme = if tls { "https" } else { "http" };
        let own = origin.to_str().is_ok_and(|origin| {
            // Behind a proxy that adds TLS the browser speaks https, and we do not.
            let bare =
                origin.strip_prefix("https://").or_else(|| origin.strip_prefix(scheme)?.strip_prefix("://"));
            bare.is_some_and(|bare| bare.eq_ignore_ascii_case(host))
        });
        if !own {
            return Err(refused());
        }
    }
    let site = text(headers, "sec-fetch-site").unwrap_or("none");
    if site == "none" || site == "same-origin" {
        return Ok(());
    }
    let navigates = text(headers, "sec-fetch-mode") == Some("navigate")
        && text(headers, "sec-fetch-dest") == Some("document");
    if strict || !navigates { Err(refused()) } else { Ok(()) }
}

/// Who asks, where we can know it.
async fn identify(shared: &Shared, headers: &HeaderMap, connection: &Arc<Connection>) -> Option<Caller> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (kind, token) = authorization.to_str().ok()?.split_once(' ')?;
        let token = kind.eq_ignore_ascii_case("bearer").then_some(token.trim())?;
        return Some(Caller::of_token(&shared.tokens().check(token)?, None));
    }
    if let Some(cookie) = cookie(headers) {
        let token = shared.logins().token(cookie, Instant::now()).cloned();
        if let Some(token) = token.filter(|token| shared.tokens().has(&token.id)) {
            return Some(Caller::of_token(&token, Some(shared.csrf(cookie))));
        }
    }
    same_user(shared, headers, connection).await
}

/// A process of our own user or of root on this machine, where nobody stands between.
async fn same_user(shared: &Shared, headers: &HeaderMap, connection: &Arc<Connection>) -> Option<Caller> {
    // A proxy of the same user speaks for others: it must bring a token.
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    if !shared.settings.same_user
        || !connection.there.ip().is_loopback()
        || !connection.here.ip().is_loopback()
        || forwarded.iter().any(|name| headers.contains_key(*name))
    {
        return None;
    }
    let asked = Arc::clone(connection);
    let look = move || engine::peer_user(asked.here, asked.there);
    let user = connection
        .user
        .get_or_init(|| async { tokio::task::spawn_blocking(look).await.ok().flatten() })
        .await
        .as_ref()?;
    let known = *user == 0 || Some(*user) == shared.own_user;
    known.then(|| Caller {
        who: Who::User(*user),
        scope: Scope::Admin,
        csrf: Some(shared.csrf(&format!("uid {user}"))),
    })
}

/// What the cookie of a login says.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// What every answer tells browsers.
fn heed(headers: &mut HeaderMap, path: &str) {
    const ALWAYS: [(&str, &str); 6] = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // Not `no-referrer`: browsers would then name no origin for our own forms either.
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    headers
        .entry(HeaderName::from_static("content-security-policy"))
        .or_insert(HeaderValue::from_static(PAGE));
    let kept = if path.starts_with("/assets/") { "no-cache" } else { "private, no-cache" };
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(kept));
}
