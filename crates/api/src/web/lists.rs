//! Holders, flows, sessions and decoys, as tables.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use maud::{Markup, html};
use serde::Deserialize;

use super::Answer;
use super::layout::{Sheet, live, pager};
use super::text::{badge, bytes, count, moment, or_dash, said};
use crate::caller::Caller;
use crate::document::Flow;
use crate::routes::lists::{all_holders, all_sessions};
use crate::routes::record::all_decoys;
use crate::routes::{Asked, Window};
use crate::shared::Shared;

/// Where a list begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct From {
    cursor: Option<String>,
}

/// Rows on a page.
const ROWS: usize = 200;

fn table(name: &str, columns: &[&str], rows: Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(name) tabindex="0" {
            table {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn page(headers: &HeaderMap, caller: &Caller, title: &str, place: &str, body: Markup) -> Answer {
    let sheet = Sheet { title, place, caller: Some(caller), script: None };
    Ok(super::html(headers, sheet.with(html! { h1 { (title) } (live("list", body)) })))
}

pub(crate) async fn holders(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(from): Asked<From>,
) -> Answer {
    let list =
        Window::of(from.cursor.as_deref(), Some(ROWS))?.page(all_holders(&shared.atlas()).into_iter(), Some);
    let columns =
        ["Program", "Listens at", "Other sockets", "User", "Unit or container", "Package", "Verdict"];
    let body = html! {
        @if list.items.is_empty() { p.calm { "Nobody holds a socket, as far as we can see." } }
        (table("Holders", &columns, html! {
            @for holder in &list.items {
                tr {
                    th scope="row" { (said(&holder.program)) " " span.faint { "[" (holder.pid) "]" } @if let Some(exe) = &holder.exe { br; span.faint { (said(exe)) } } }
                    td { @for (at, place) in holder.listens.iter().take(8).enumerate() { @if at > 0 { br; } (said(place)) } @if holder.listens.len() > 8 { br; span.faint { "and " (holder.listens.len() - 8) " more" } } }
                    td { (holder.others) }
                    td { @if let Some(name) = &holder.user { (said(name)) } @else if let Some(uid) = holder.uid { (uid) } @else { (or_dash(None)) } }
                    td { (or_dash(holder.container.as_deref().or(holder.unit.as_deref()))) }
                    td { (or_dash(holder.package.as_deref())) }
                    td { @match holder.verdict { Some(verdict) => (badge(verdict)), None => (or_dash(None)) } }
                }
            }
        }))
        (pager("/holders", list.next.as_deref(), list.items.len(), list.total, &[]))
    };
    page(&headers, &caller, "Holders", "/holders", body)
}

pub(crate) async fn flows(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(from): Asked<From>,
) -> Answer {
    let all = shared.board.flows(50_000);
    let list = Window::of(from.cursor.as_deref(), Some(ROWS))?.page(all.iter(), |flow| Some(Flow::of(flow)));
    let columns = ["Began", "Client", "Server", "Recognised", "State", "Sent", "Received"];
    let end = |end: &crate::document::End| {
        html! { (std::net::SocketAddr::new(end.address, end.port)) @if let Some(holders) = &end.holders { @if !holders.is_empty() { br; span.faint { (said(&holders.join(", "))) } } } }
    };
    let body = html! {
        p { "Flows that have ended, the newest first." }
        @if list.items.is_empty() { p.calm { "None has ended yet." } }
        (table("Flows", &columns, html! {
            @for flow in &list.items {
                tr {
                    td { @match &flow.first { Some(first) => (moment(first)), None => (or_dash(None)) } }
                    td { (end(&flow.client)) }
                    th scope="row" { (end(&flow.server)) " " span.faint { (flow.transport) } }
                    td { (or_dash(flow.recognised.protocol)) @for detail in flow.recognised.details.iter().take(2) { br; span.faint { (detail.name) ": " (said(&detail.value)) } } }
                    td { (flow.state.replace('_', " ")) }
                    td { (bytes(flow.client_bytes)) }
                    td { (bytes(flow.server_bytes)) }
                }
            }
        }))
        (pager("/flows", list.next.as_deref(), list.items.len(), list.total, &[]))
    };
    page(&headers, &caller, "Flows", "/flows", body)
}

pub(crate) async fn sessions(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(from): Asked<From>,
) -> Answer {
    let list =
        Window::of(from.cursor.as_deref(), Some(ROWS))?.page(all_sessions(&shared.atlas()).into_iter(), Some);
    let body = html! {
        p { "Uses of ports that were agreed beforehand." }
        @if list.items.is_empty() { p.calm { "No session is known." } }
        (table("Sessions", &["Name", "Known from", "Carries", "Goes to", "Last heard"], html! {
            @for session in &list.items {
                tr {
                    th scope="row" { (said(&session.name)) @if session.ended.is_some() { " " span.tag { "ended" } } }
                    td { (session.source) br; span.faint { (said(&session.source_words)) } }
                    td { (said(&session.formats.join(", "))) }
                    td { @for (at, leg) in session.legs.iter().enumerate() { @if at > 0 { br; } (leg.address) " " a href={ "/ports/udp/" (leg.port) } { (leg.port) "/udp" } } }
                    td { @match &session.last { Some(last) => (moment(last)), None => (or_dash(None)) } }
                }
            }
        }))
        (pager("/sessions", list.next.as_deref(), list.items.len(), list.total, &[]))
    };
    page(&headers, &caller, "Sessions", "/sessions", body)
}

pub(crate) async fn decoys(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer {
    let all = all_decoys(&shared);
    let body = html! {
        p { "A decoy sits on an empty chair and tells who comes. Nobody has business there." }
        @if all.decoys.is_empty() { p.calm { "There is none. " code { "portreeve decoy" } " and [decoy] in the settings make some." } }
        @else {
            (table("Decoys", &["Port", "Behaves", "Who came", "State"], html! {
                @for decoy in &all.decoys {
                    tr {
                        th scope="row" { a href={ "/ports/" (decoy.transport) "/" (decoy.port) } { (decoy.port) "/" (decoy.transport) } }
                        td { (decoy.level) @if let Some(protocol) = decoy.greets { "s as " (protocol) } }
                        td { (count(decoy.touches)) }
                        td { @match &decoy.trouble { None => "there", Some(trouble) => (said(trouble)) } }
                    }
                }
            }))
        }
        h2 { "Who came" }
        @if all.touches.is_empty() { p.calm { "Nobody." } }
        @else {
            (table("Who came", &["When", "Who", "Where", "Treated", "Sent", "Recognised"], html! {
                @for came in &all.touches {
                    tr {
                        td { (moment(&came.at)) } th scope="row" { (came.address) } td { a href={ "/ports/" (came.transport) "/" (came.port) } { (came.port) "/" (came.transport) } } td { (said(&came.level)) }
                        td { (bytes(came.received_bytes)) @if !came.first_bytes.is_empty() { br; code { (came.first_bytes.get(..came.first_bytes.len().min(32)).unwrap_or_default()) } } }
                        td { (or_dash(came.recognised.as_deref())) }
                    }
                }
            }))
        }
    };
    page(&headers, &caller, "Decoys", "/decoys", body)
}
