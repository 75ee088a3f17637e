//! The first page: is everything in order, what changed, and who came to empty chairs.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use maud::{Markup, html};
use model::{Code, Severity};

use super::Answer;
use super::layout::{Sheet, live};
use super::text::{badge, count, moment, said};
use crate::atlas::Atlas;
use crate::caller::Caller;
use crate::document::{Finding, Gap, Status};
use crate::routes::all_findings;
use crate::shared::Shared;

/// So many findings and changes are on the first page.
const MOST: usize = 8;

pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer {
    let atlas = shared.atlas();
    let findings = all_findings(&shared, &atlas);
    let status = Status::of(&shared.board.current(), shared.board.last_change(), &caller);
    let host = engine::sanitise::line(&atlas.machine.snapshot.machine.hostname).into_owned();
    let title = if host.is_empty() { "Overview" } else { host.as_str() };
    let body = html! {
        h1 { (said(title)) }
        (live("overview", html! {
            (headline(&findings, &status))
            (figures(&atlas, &findings))
            div.columns {
                (open_findings(&findings))
                (changes(&shared))
                (chairs(&atlas))
                (watching(&status))
            }
        }))
    };
    Ok(super::html(
        &headers,
        Sheet { title: "Overview", place: "/", caller: Some(&caller), script: None }.with(body),
    ))
}

fn open_of(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|it| it.standing == "open" && it.severity == severity.name()).count()
}

fn headline(findings: &[Finding], status: &Status) -> Markup {
    let alerts = open_of(findings, Severity::Alert);
    let warnings = open_of(findings, Severity::Warning);
    let (class, words) = match (alerts, warnings, status.partial) {
        (0, 0, false) => ("ok", String::from("Every port is accounted for.")),
        (0, 0, true) => ("unseen", String::from("Nothing was found, and not everything could be seen.")),
        (0, count, _) => ("warning", format!("{count} to look at soon.")),
        (count, _, _) => ("alert", format!("{count} to look at now.")),
    };
    html! {
        p.headline.{ "is-" (class) } { span.dot aria-hidden="true" {} (words) }
        p.faint { "Looked at " (moment(&status.looked)) ", watching since " (moment(&status.since)) "." }
    }
}

fn figures(atlas: &Atlas, findings: &[Finding]) -> Markup {
    let counts = atlas.machine.counts();
    let services = atlas.traffic.as_ref().map_or(0, |view| view.traffic.services.len());
    let streams = atlas.traffic.as_ref().map_or(0, |view| view.traffic.media.streams.len());
    let open = findings.iter().filter(|it| it.standing == "open").count();
    let all: [(&str, usize, &str); 6] = [
        ("listeners", counts.listeners, "/ports?use=listening"),
        ("holders", counts.processes, "/holders"),
        ("services on the wire", services, "/ports?use=wire"),
        ("streams", streams, "/streams"),
        ("open findings", open, "/findings?standing=open"),
        ("accepted by policy", counts.accepted, "/ports?verdict=accepted"),
    ];
    html! {
        ul.figures {
            @for (name, number, path) in all {
                li { a href=(path) { strong { (count(u64::try_from(number).unwrap_or(u64::MAX))) } span { (name) } } }
            }
        }
    }
}

fn open_findings(findings: &[Finding]) -> Markup {
    let open: Vec<&Finding> = findings.iter().filter(|it| it.standing == "open").collect();
    html! {
        section aria-labelledby="found" {
            h2 id="found" { "Findings" }
            @if open.is_empty() { p.calm { "Nothing is open." } }
            ul.rows {
                @for finding in open.iter().take(MOST) {
                    li { (badge(finding.severity)) a href={ "/findings/" (finding.id) } { (said(&finding.title)) } }
                }
            }
            @if open.len() > MOST { p { a href="/findings?standing=open" { "All " (open.len()) } } }
        }
    }
}

fn changes(shared: &Shared) -> Markup {
    let news = shared.feed.news(MOST);
    html! {
        section aria-labelledby="changed" {
            h2 id="changed" { "What changed" }
            @if news.is_empty() { p.calm { "Nothing since watching began." } }
            ul.rows {
                @for told in &news {
                    @let it = &told.last;
                    li {
                        span.kind { (it.kind) }
                        @match &it.path { Some(path) => { a href=(path) { (said(&it.words)) } }, None => (said(&it.words)) }
                        " " span.faint { (moment(&it.at)) @if told.times > 1 { ", " (count(told.times)) " changes" } }
                    }
                }
            }
            p { a href="/history" { "All of it" } span.faint { ", with sockets that come and go" } }
        }
    }
}

fn chairs(atlas: &Atlas) -> Markup {
    let paper = &atlas.machine.paper;
    let silent = |port: &crate::atlas::Port| {
        matches!(paper.standing(port.0, port.1).usage, engine::registry::Usage::Silent(_))
    };
    let used = atlas.spots.iter().filter(|(port, spot)| spot.using().is_used() && silent(port));
    let all: Vec<_> = used.take(100).collect();
    html! {
        section aria-labelledby="chairs" {
            h2 id="chairs" { "Silent ports that were used or touched" }
            @if all.is_empty() { p.calm { "Nobody came to an empty chair." } }
            ul.rows {
                @for ((transport, port), spot) in all.iter().take(MOST) {
                    li {
                        span.kind { (spot.using().name()) }
                        a href={ "/ports/" (transport.name()) "/" (port) } { (port) "/" (transport.name()) }
                        " " (said(paper.standing(*transport, *port).assignment.map_or("", |row| row.name)))
                    }
                }
            }
            @if all.len() > MOST { p { a href="/ports?usage=silent&use=any" { "All of them" } } }
        }
    }
}

fn watching(status: &Status) -> Markup {
    html! {
        section aria-labelledby="watching" {
            h2 id="watching" { "How the watching goes" }
            dl {
                dt { "Interfaces" }
                dd { @if status.interfaces.is_empty() { "no packets are read" } @else { (said(&status.interfaces.join(", "))) } }
                dt { "Socket events" }
                dd {
                    @match status.witness { Some("kernel") => "told by the kernel", Some(_) => "seen by comparing looks", None => "not listened for" }
                    @if status.events_lost > 0 { ", " (count(status.events_lost)) " lost" }
                }
                dt { "Frames" }
                dd { (count(status.frames)) @if status.dropped > 0 { ", " (count(status.dropped)) " dropped" } }
            }
            (gaps(&status.gaps))
        }
    }
}

/// Where we could not look.
pub(crate) fn gaps(gaps: &[Gap]) -> Markup {
    html! {
        @if !gaps.is_empty() {
            details {
                summary { (gaps.len()) " places could not be looked at" }
                ul.rows { @for gap in gaps { li { (said(gap.what())) span.faint { " " (gap.help()) } } } }
            }
        }
    }
}

/// A link to what is written of a code.
pub(crate) fn summary_of(code: &str) -> &'static str {
    Code::ALL.iter().find(|it| it.name() == code).map_or("", |code| code.summary())
}
