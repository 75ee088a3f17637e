//! Streams: what comes, what is lost of it, and how evenly.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use maud::{Markup, html};
use serde::Deserialize;

use super::Answer;
use super::layout::{Sheet, live, pager};
use super::text::{count, or_dash, percent, said};
use crate::caller::Caller;
use crate::document::Stream;
use crate::problem::Problem;
use crate::routes::{Asked, Window, part};
use crate::shared::Shared;

/// Where a list begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct From {
    cursor: Option<String>,
}

fn rate(bits: u64) -> String {
    match bits {
        0..=999 => format!("{bits} bit/s"),
        1_000..=999_999 => format!("{}.{} kbit/s", bits / 1_000, bits / 100 % 10),
        1_000_000..=999_999_999 => format!("{}.{} Mbit/s", bits / 1_000_000, bits / 100_000 % 10),
        _ => format!("{}.{} Gbit/s", bits / 1_000_000_000, bits / 100_000_000 % 10),
    }
}

/// How a stream does, in a word.
fn state(stream: &Stream) -> Markup {
    let (lost, _) = stream.loss();
    let (class, word) = match (lost, stream.faults.len()) {
        (0, 0) => ("ok", "ok"),
        (0, _) => ("note", "breaks rules"),
        _ => ("warning", "loses packets"),
    };
    html! { span.badge.{ "is-" (class) } { (word) } }
}

/// What people call it.
fn name(stream: &Stream) -> String {
    let to = stream.legs.first().map(|leg| std::net::SocketAddr::new(leg.destination, leg.port).to_string());
    stream.session.clone().or(to).unwrap_or_else(|| format!("SSRC {:08x}", stream.ssrc))
}

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(from): Asked<From>,
) -> Answer {
    let view = shared.board.current().traffic;
    let total = view.as_ref().map_or(0, |view| view.traffic.media.streams.len());
    let window = Window::of(from.cursor.as_deref(), Some(200))?;
    let list = window.page(0..total, |number| Stream::of(&view.as_ref()?.traffic.media, number));
    let body = html! {
        h1 { "Streams" }
        (live("list", html! {
            @if list.items.is_empty() { p.calm { "No RTP stream was seen." } }
            div.scroll role="region" aria-label="Streams" tabindex="0" { table {
                thead { tr { th scope="col" { "Stream" } th scope="col" { "Carries" } th scope="col" { "To" } th scope="col" { "Rate" } th scope="col" { "Lost" } th scope="col" { "Jitter" } th scope="col" { "Pacing" } th scope="col" { "State" } } }
                tbody { @for stream in &list.items { tr {
                    th scope="row" { a href={ "/streams/" (stream.number) } { (said(&name(stream))) } }
                    td { (or_dash(stream.carries)) @if let Some(format) = &stream.format { br; span.faint { (said(format)) } } }
                    td { @for (at, leg) in stream.legs.iter().enumerate() { @if at > 0 { br; } (std::net::SocketAddr::new(leg.destination, leg.port)) } }
                    td { (rate(stream.legs.first().map_or(0, |leg| leg.rate_bps))) }
                    td { @let (lost, sent) = stream.loss(); (percent(lost, sent)) }
                    td { (stream.legs.first().map_or(0, |leg| leg.jitter_ns) / 1000) " µs" }
                    td { (or_dash(stream.legs.first().and_then(|leg| leg.pacing))) }
                    td { (state(stream)) }
                } } }
            } }
            (pager("/streams", list.next.as_deref(), list.items.len(), list.total, &[]))
        }))
    };
    let sheet = Sheet { title: "Streams", place: "/streams", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(number): Path<String>,
) -> Answer {
    let number: usize = part(&number, "A stream")?;
    let view = shared.board.current().traffic;
    let stream = view.as_ref().and_then(|view| Stream::of(&view.traffic.media, number));
    let stream = stream.ok_or_else(|| Problem::unknown("There is no stream with this number."))?;
    let title = name(&stream);
    let body = html! {
        p.path { a href="/streams" { "Streams" } " / " (number) }
        h1 { (said(&title)) }
        (live("stream", facts(&stream)))
        @for (at, leg) in stream.legs.iter().enumerate() {
            @if !leg.plots.is_empty() {
                section aria-labelledby={ "plots-" (at) } {
                    h2 id={ "plots-" (at) } { "Leg " (at + 1) " in pictures" }
                    @for plot in &leg.plots {
                        figure { img src={ "/api/v1/streams/" (number) "/legs/" (at) "/" (plot) ".svg" } alt=(describe(plot)) width="880" height="330" loading="lazy" data-picture; figcaption { (describe(plot)) } }
                    }
                }
            }
        }
    };
    let sheet = Sheet { title: &title, place: "/streams", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

fn describe(plot: &str) -> &'static str {
    match plot {
        "intervals" => "Time between packets, and how often which",
        "vrx" => "The receiver's buffer by frame (ST 2110-21 VRX)",
        _ => "The network's bucket by frame (ST 2110-21 C_INST)",
    }
}

fn facts(stream: &Stream) -> Markup {
    let (lost, sent) = stream.loss();
    html! {
        p { (state(stream)) " " (said(stream.format.as_deref().unwrap_or("format not known"))) }
        dl {
            dt { "SSRC" } dd { (format!("{:08x}", stream.ssrc)) }
            dt { "Lost" } dd { (count(lost)) " of " (count(sent)) " (" (percent(lost, sent)) ")" }
            @if let Some(missing) = stream.missing_on_all { dt { "Missing on every leg" } dd { (count(missing)) } }
        }
        div.scroll role="region" aria-label="Legs" tabindex="0" { table {
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Packets" } th scope="col" { "Lost" } th scope="col" { "Out of order" } th scope="col" { "Jitter" } th scope="col" { "Rate" } } }
            tbody { @for leg in &stream.legs { tr {
                td { (leg.source) } th scope="row" { (leg.destination) " " a href={ "/ports/udp/" (leg.port) } { (leg.port) "/udp" } }
                td { (count(leg.packets)) } td { (percent(leg.lost, leg.expected)) } td { (count(leg.reordered)) } td { (leg.jitter_ns / 1000) " µs" } td { (rate(leg.rate_bps)) }
            } } }
        } }
        @if !stream.faults.is_empty() {
            h2 { "Rules that it broke" }
            ul.rows { @for fault in &stream.faults { li { span.kind { (fault.clause) } (fault.text) " " span.faint { (said(&fault.detail)) ", " (count(fault.count)) " times, rule " (fault.rule) } } } }
        }
    }
}
