//! Captures: drop a file, get the report.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use engine::TrafficView;
use maud::{Markup, html};

use super::Answer;
use super::layout::{Sheet, live};
use super::text::{badge, bytes, count, moment, or_dash, percent, said};
use crate::access::Scope;
use crate::caller::Caller;
use crate::captures::State as How;
use crate::document::{Service, Stream};
use crate::problem::Problem;
use crate::shared::Shared;

/// Rows of each table of a report; the API and the command line have more.
const ROWS: usize = 300;

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer {
    let all = shared.captures.all();
    let body = html! {
        h1 { "Captures" }
        @if caller.scope >= Scope::Ack {
            form.drop id="drop" data-most=(shared.captures.most_bytes) hidden {
                p { strong { "Drop a capture here" } ", or choose one: pcap or pcapng, plain, gzip or Zstandard, up to " (bytes(shared.captures.most_bytes)) "." }
                label for="file" { "Capture" }
                input type="file" id="file" name="file" accept=".pcap,.pcapng,.cap,.gz,.zst";
                button type="submit" { "Read it" }
                progress id="progress" max="100" value="0" hidden aria-label="Upload" {}
                p id="drop-said" role="status" aria-live="polite" {}
            }
            p.faint { "The file is read on this machine and then gone; the reports of the last eight are kept until the service ends." }
            noscript { p { "Without script: " code { "curl --data-binary @FILE -H 'Content-Type: application/octet-stream' -H 'Authorization: Bearer TOKEN' …/api/v1/captures?name=FILE" } } }
        } @else {
            p { "Handing in a capture needs a token with the scope ack." }
        }
        h2 { "Reports" }
        (live("captures", html! {
            @if all.is_empty() { p.calm { "None was handed in yet." } }
            ul.rows { @for handed in &all { li {
                @match handed.state() { How::Reading => span.kind { "reading" }, How::Done(_) => span.kind { "done" }, How::Failed(_) => span.kind { "failed" } }
                a href={ "/captures/" (handed.id) } { (said(&handed.name)) } " " span.faint { (bytes(handed.bytes)) ", " (moment(&crate::document::moment(handed.at))) }
            } } }
        }))
    };
    let sheet =
        Sheet { title: "Captures", place: "/captures", caller: Some(&caller), script: Some("captures.js") };
    Ok(super::html(&headers, sheet.with(body)))
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let unknown = || Problem::unknown("No capture has this id; the last eight are kept.");
    let handed = shared.captures.of(&id).ok_or_else(unknown)?;
    let state = handed.state();
    let reading = matches!(state, How::Reading);
    let body = html! {
        p.path { a href="/captures" { "Captures" } " / " (said(&handed.name)) }
        h1 { (said(&handed.name)) }
        (live("report", html! {
            @match &state {
                How::Reading => p role="status" data-again { "It is being read…" },
                How::Failed(why) => p.wrong role="alert" { (said(why)) },
                How::Done(view) => (report(view)),
            }
        }))
        @if reading { p.faint { "The page shows the report when it is there; without script, load it again." } }
    };
    let sheet =
        Sheet { title: &handed.name, place: "/captures", caller: Some(&caller), script: Some("captures.js") };
    Ok(super::html(&headers, sheet.with(body)))
}

/// How many comments the report has no room for.
fn comments_beyond(traffic: &model::Traffic) -> u64 {
    let unshown = traffic.comments.len().saturating_sub(ROWS);
    traffic.comments_left_out.saturating_add(u64::try_from(unshown).unwrap_or(u64::MAX))
}

/// What is in a capture.
fn report(view: &TrafficView) -> Markup {
    let traffic = &view.traffic;
    let volume = traffic.volume;
    let services = (0..traffic.services.len().min(ROWS)).filter_map(|at| Service::of(view, at));
    let streams = traffic.media.streams.iter().take(ROWS).map(|stream| Stream::of(&traffic.media, stream));
    html! {
        p { (count(volume.frames)) " frames, " (bytes(volume.wire_bytes)) ", " (count(volume.flows)) " flows"
            @if let (Some(first), Some(last)) = (traffic.first, traffic.last) { ", " (moment(&crate::document::moment(first))) " to " (moment(&crate::document::moment(last))) }
            "." }
        @if volume.damaged > 0 { p { (count(volume.damaged)) " frames are not what they claim." } }
        section aria-labelledby="r-findings" {
            h2 id="r-findings" { "What was found" }
            @if view.findings.is_empty() { p.calm { "Nothing." } }
            @for finding in view.findings.iter().take(ROWS) {
                article.finding.{ "is-" (finding.severity.name()) } {
                    h3 { (badge(finding.severity.name())) " " (said(&finding.title)) }
                    ul { @for evidence in &finding.evidence { li { (said(&evidence.fact)) span.faint { " — " (said(&evidence.source)) } } } }
                    p { strong { "Next: " } (said(&finding.next_step)) }
                }
            }
        }
        section aria-labelledby="r-services" {
            h2 id="r-services" { "Services" }
            div.scroll role="region" aria-label="Services in the capture" tabindex="0" { table {
                thead { tr { th scope="col" { "Server" } th scope="col" { "Recognised" } th scope="col" { "Flows" } th scope="col" { "Bytes" } th scope="col" { "Verdict" } } }
                tbody { @for service in services { tr {
                    th scope="row" { (std::net::SocketAddr::new(service.address, service.port)) "/" (service.transport) }
                    td { (or_dash(service.recognised.protocol)) @for detail in service.recognised.details.iter().take(3) { br; span.faint { (detail.name) ": " (said(&detail.value)) } } }
                    td { (count(service.flows)) } td { (bytes(service.bytes)) } td { (badge(service.verdict)) }
                } } }
            } }
            @if traffic.services.len() > ROWS { p.faint { "And " (traffic.services.len() - ROWS) " more." } }
        }
        @if !traffic.scans.is_empty() {
            section aria-labelledby="r-scans" { h2 id="r-scans" { "Scans" } ul { @for scan in traffic.scans.iter().take(ROWS) { li { (scan.source) ": " (scan.kind.name()) " over " (scan.transport.name()) ", about " (count(scan.ports)) " ports of " (count(scan.addresses)) " addresses" } } } }
        }
        @if !traffic.media.streams.is_empty() {
            section aria-labelledby="r-streams" {
                h2 id="r-streams" { "Streams" }
                ul.rows { @for stream in streams { @let (lost, sent) = stream.loss();
                    li { span.kind { (stream.carries.unwrap_or("rtp")) } (said(stream.session.as_deref().unwrap_or("no session"))) " "
                        @for leg in &stream.legs { (std::net::SocketAddr::new(leg.destination, leg.port)) " " }
                        span.faint { (said(stream.format.as_deref().unwrap_or("format not known"))) ", lost " (percent(lost, sent)) @if !stream.faults.is_empty() { ", breaks " (stream.faults.len()) " rules" } } } } }
            }
        }
        @if !traffic.comments.is_empty() {
            section aria-labelledby="r-comments" {
                h2 id="r-comments" { "Written into the capture" }
                ul { @for comment in traffic.comments.iter().take(ROWS) { li {
                    span.faint { (comment.place.name()) @if let Some(number) = comment.place.number() { " " (number) } ": " }
                    (said(&comment.text)) } } }
                @let more = comments_beyond(traffic);
                @if more > 0 { p.faint { "And " (count(more)) " more." } }
            }
        }
        (super::overview::gaps(&traffic.gaps.iter().map(crate::document::Gap::of).collect::<Vec<_>>()))
    }
}
