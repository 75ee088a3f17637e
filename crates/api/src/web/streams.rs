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
use crate::document::{Ancillary, Clock, Stream};
use crate::routes::streams::{all_clocks, listed, no_stream};
use crate::routes::{Asked, Window};
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
    let class = match stream.state {
        "ok" => "ok",
        "loses_packets" => "warning",
        _ => "note",
    };
    html! { span.badge.{ "is-" (class) } { (stream.state.replace('_', " ")) } }
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
    let list = listed(view.as_deref(), &Window::of(from.cursor.as_deref(), Some(200))?);
    let body = html! {
        h1 { "Streams" }
        (live("list", html! {
            @if list.items.is_empty() { p.calm { "No RTP stream was seen." } }
            div.scroll role="region" aria-label="Streams" tabindex="0" { table {
                thead { tr { th scope="col" { "Stream" } th scope="col" { "Carries" } th scope="col" { "To" } th scope="col" { "Rate" } th scope="col" { "Lost" } th scope="col" { "Jitter" } th scope="col" { "Pacing" } th scope="col" { "State" } } }
                tbody { @for stream in &list.items { tr {
                    th scope="row" { a href={ "/streams/" (stream.id) } { (said(&name(stream))) } }
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
        (live("clocks", clocks(&all_clocks(&shared))))
    };
    let sheet = Sheet { title: "Streams", place: "/streams", caller: Some(&caller), script: None };
    Ok(super::html(&headers, sheet.with(body)))
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let view = shared.board.current().traffic.ok_or_else(no_stream)?;
    let media = &view.traffic.media;
    let stream = Stream::of(media, Stream::find(media, &id).ok_or_else(no_stream)?);
    let title = name(&stream);
    let body = html! {
        p.path { a href="/streams" { "Streams" } " / " (stream.id) }
        h1 { (said(&title)) }
        (live("stream", facts(&stream)))
        div.columns {
            @if stream.pictures { (picture(&stream.id)) }
            @if stream.sound { (levels(&stream.id)) }
            @if let Some(data) = &stream.ancillary { (live("ancillary", ancillary(data))) }
            @if let Some(text) = &stream.text { (live("text", html! { section.answer aria-labelledby="said" { h2 id="said" { "Text" } blockquote { (said(text)) } } })) }
            (live("clocks", clocks(&all_clocks(&shared))))
        }
        @for (at, leg) in stream.legs.iter().enumerate() {
            @if !leg.plots.is_empty() {
                section aria-labelledby={ "plots-" (at) } {
                    h2 id={ "plots-" (at) } { @if stream.legs.len() > 1 { "Leg " (at + 1) " in plots" } @else { "In plots" } }
                    @for plot in &leg.plots {
                        figure { img.plot src={ "/api/v1/streams/" (stream.id) "/legs/" (leg.id) "/" (plot) ".svg" } alt=(describe(plot)) width="880" height="330" loading="lazy" data-picture; figcaption { (describe(plot)) } }
                    }
                }
            }
        }
    };
    let script = Some("stream.js").filter(|_| stream.pictures || stream.sound);
    let sheet = Sheet { title: &title, place: "/streams", caller: Some(&caller), script };
    Ok(super::html(&headers, sheet.with(body)))
}

/// The latest picture, taken when somebody wants it.
fn picture(id: &str) -> Markup {
    let path = format!("/api/v1/streams/{id}/picture.png");
    html! {
        section.answer aria-labelledby="seen" {
            h2 id="seen" { "Picture" }
            figure.still id="still" data-path=(path) {
                img alt="The latest picture of the stream" hidden;
                figcaption role="status" aria-live="polite" { "Taken when you ask; nothing is kept." }
            }
            button type="button" id="take" hidden { "Take a picture" }
            noscript { p { a href=(path) { "Take a picture" } } }
        }
    }
}

/// Meters that move while somebody looks.
fn levels(id: &str) -> Markup {
    html! {
        section.answer aria-labelledby="heard" {
            h2 id="heard" { "Levels" }
            div id="levels" data-path={ "/api/v1/streams/" (id) "/levels/events" } {
                p.calm { "Nothing was heard yet." }
            }
            noscript { p { a href={ "/api/v1/streams/" (id) "/levels" } { "The levels as numbers" } } }
        }
    }
}

fn ancillary(data: &Ancillary) -> Markup {
    html! {
        section.answer aria-labelledby="beside" {
            h2 id="beside" { "Ancillary data" }
            dl {
                @for it in &data.time_codes { dt { "Time code " (said(&it.name)) } dd { strong { (said(&it.last)) } } }
                @for it in &data.captions { dt { "Captions " (said(&it.name)) } dd { (said(&it.last)) } }
                @for it in &data.kinds { dt { (said(&it.name)) } dd { (count(it.packets)) " packets" } }
                @if data.errors > 0 { dt { "Damaged" } dd { (count(data.errors)) " packets" } }
            }
        }
    }
}

/// How many nanoseconds, as people read them.
fn nanoseconds(ns: i64) -> String {
    match ns.unsigned_abs() {
        0..=9_999 => format!("{ns} ns"),
        10_000..=9_999_999 => format!("{} µs", ns / 1_000),
        _ => format!("{} ms", ns / 1_000_000),
    }
}

fn clocks(clocks: &[Clock]) -> Markup {
    html! {
        @if !clocks.is_empty() {
            section.answer aria-labelledby="clocks-head" {
                h2 id="clocks-head" { "Clocks" }
                @for clock in clocks {
                    dl {
                        dt { "PTP domain" } dd { strong { (clock.domain) } ", " (clock.profile) }
                        dt { "Master" } dd { (or_dash(clock.master.as_deref())) @if !clock.best_is_master { " " span.badge.is-warning { "not the best one" } } }
                        dt { "Grandmaster" } dd { (or_dash(clock.grandmaster.as_deref())) @if let Some(class) = clock.class { ", " (class) } @if let Some(ns) = clock.accuracy_ns { ", within " (nanoseconds(i64::try_from(ns).unwrap_or(i64::MAX))) } }
                        @if let Some((least, greatest)) = clock.capture_ahead_ns { dt { "Our clock ahead" } dd { (nanoseconds(least)) " to " (nanoseconds(greatest)) } }
                        @if clock.changes_of_master > 0 { dt { "Masters changed" } dd { (count(clock.changes_of_master)) " times" } }
                    }
                }
            }
        }
    }
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
            @if let Some(ns) = stream.packet_time_ns { dt { "Packet time" } dd { (nanoseconds(i64::try_from(ns).unwrap_or(i64::MAX))) } }
            @if let Some(missing) = stream.missing_on_all { dt { "Missing on every leg" } dd { (count(missing)) } }
        }
        div.scroll role="region" aria-label="Legs" tabindex="0" { table {
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "Packets" } th scope="col" { "Lost" } th scope="col" { "Out of order" } th scope="col" { "Jitter" } th scope="col" { "Rate" } th scope="col" { "Pacing" } th scope="col" { "Arrives after its time" } th scope="col" { "Drift" } } }
            tbody { @for leg in &stream.legs { tr {
                td { (leg.source) } th scope="row" { (leg.destination) " " a href={ "/ports/udp/" (leg.port) } { (leg.port) "/udp" } }
                td { (count(leg.packets)) } td { (percent(leg.lost, leg.expected)) } td { (count(leg.reordered)) } td { (leg.jitter_ns / 1000) " µs" } td { (rate(leg.rate_bps)) }
                td { (or_dash(leg.pacing)) }
                td { @match leg.latency_ns { Some((least, greatest)) => { (nanoseconds(least)) " to " (nanoseconds(greatest)) }, None => (or_dash(None)) } }
                td { @match leg.drift_ppb { Some(drift) => { (drift) " ppb" }, None => (or_dash(None)) } }
            } } }
        } }
        @if !stream.faults.is_empty() {
            h2 { "Rules that it broke" }
            ul.rows { @for fault in &stream.faults { li { span.kind { (fault.clause) } (fault.text) " " span.faint { (said(&fault.detail)) ", " (count(fault.count)) " times, rule " (fault.rule) } } } }
        }
    }
}
