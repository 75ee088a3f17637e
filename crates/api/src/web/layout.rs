//! What all pages have in common: the head, the way around, and the place where changes are announced.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use maud::{DOCTYPE, Markup, html};

use super::text::said;
use crate::caller::Caller;
use crate::problem::Problem;

/// The places one can go to, in the order of the menu.
const PLACES: [(&str, &str); 11] = [
    ("/", "Overview"),
    ("/ports", "Ports"),
    ("/holders", "Holders"),
    ("/flows", "Flows"),
    ("/streams", "Streams"),
    ("/sessions", "Sessions"),
    ("/findings", "Findings"),
    ("/history", "History"),
    ("/policy", "Policy"),
    ("/decoys", "Decoys"),
    ("/captures", "Captures"),
];

/// A page, whole.
pub(crate) struct Sheet<'a> {
    /// Its name.
    pub(crate) title: &'a str,
    /// Where it is, as the menu has it; empty where it is nowhere.
    pub(crate) place: &'a str,
    /// Who looks at it.
    pub(crate) caller: Option<&'a Caller>,
    /// A script of its own.
    pub(crate) script: Option<&'static str>,
}

impl Sheet<'_> {
    /// The page with what it is about.
    pub(crate) fn with(&self, body: Markup) -> Markup {
        let csrf = self.caller.and_then(|caller| caller.csrf.as_deref());
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (said(self.title)) " · Portreeve" }
                    link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/assets/page.css";
                    @if self.caller.is_some() {
                        script type="module" src="/assets/page.js" {}
                    }
                    @if let Some(script) = self.script {
                        script type="module" src={ "/assets/" (script) } {}
                    }
                    @if let Some(csrf) = csrf {
                        meta name="csrf" content=(csrf);
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.top {
                        a.mark href="/" { img src="/assets/mark.svg" alt="" width="28" height="28"; span { "Portreeve" } }
                        @if self.caller.is_some() {
                            nav aria-label="Main" {
                                ul {
                                    @for (path, name) in PLACES {
                                        li {
                                            a href=(path) aria-current=[(path == self.place).then_some("page")] { (name) }
                                        }
                                    }
                                }
                            }
                            (self.tools(csrf))
                        }
                    }
                    main id="main" tabindex="-1" { (body) }
                    footer {
                        p {
                            "Portreeve " (env!("CARGO_PKG_VERSION"))
                            @if self.caller.is_some() {
                                " · " a href="/reference" { "API" } " · " a href="/metrics" { "Metrics" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn tools(&self, csrf: Option<&str>) -> Markup {
        html! {
            div.tools {
                p.live id="live" { span.dot aria-hidden="true" {} span id="live-words" role="status" { "not live" } }
                button type="button" id="theme" hidden aria-label="Light or dark" { "◐" }
                @if let Some(Caller { who: crate::caller::Who::Token { .. }, .. }) = self.caller {
                    form method="post" action="/logout" {
                        input type="hidden" name="csrf" value=[csrf];
                        button type="submit" { "Log out" }
                    }
                }
            }
        }
    }
}

/// Why there is no such page, as one.
pub(crate) fn trouble(problem: &Problem) -> Response<Body> {
    let sheet = Sheet { title: problem.title(), place: "", caller: None, script: None };
    let page = sheet.with(html! {
        h1 { (problem.title()) }
        p { (said(problem.detail())) }
        p { a href="/" { "Overview" } }
    });
    page_with(problem, page)
}

/// A page that is answered with the status of a problem.
pub(crate) fn page_with(problem: &Problem, page: Markup) -> Response<Body> {
    let mut response = Response::new(Body::from(page.into_string()));
    *response.status_mut() = problem.status();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A part of a page that is made anew when something changes.
pub(crate) fn live(id: &str, body: Markup) -> Markup {
    html! { div id=(id) data-live { (body) } }
}

/// Where a list goes on.
pub(crate) fn pager(
    path: &str,
    next: Option<&str>,
    shown: usize,
    total: usize,
    filters: &[(&str, Option<&str>)],
) -> Markup {
    html! {
        p.pager {
            (shown) " of " (super::text::count(u64::try_from(total).unwrap_or(u64::MAX)))
            @if let Some(next) = next {
                " · "
                a rel="next" href={ (path) "?cursor=" (next) @for (name, value) in filters { @if let Some(value) = value { "&" (name) "=" (encode(value)) } } } { "Next" }
            }
        }
    }
}

/// Text as it may stand in a query (RFC 3986 §2.1).
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
