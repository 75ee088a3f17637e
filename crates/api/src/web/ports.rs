//! The ports: a map of all of them, and a list of those that are used.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use maud::{Markup, PreEscaped, html};
use model::Transport;

use super::Answer;
use super::layout::{Sheet, live, pager};
use super::text::{badge, count, or_dash, said};
use crate::atlas::{Atlas, Using};
use crate::caller::Caller;
use crate::document::{Page, Summary};
use crate::routes::Asked;
use crate::routes::ports::{Wanted, found, letter, transport};
use crate::shared::Shared;

pub(crate) async fn page(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(mut wanted): Asked<Wanted>,
) -> Answer {
    // An empty field of the form asks for nothing.
    for field in
        [&mut wanted.text, &mut wanted.using, &mut wanted.verdict, &mut wanted.usage, &mut wanted.status]
    {
        if field.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *field = None;
        }
    }
    let atlas = shared.atlas();
    let mapped = transport(wanted.transport.as_deref())?.unwrap_or(Transport::Tcp);
    let asked = wanted.using.is_some()
        || wanted.verdict.is_some()
        || wanted.usage.is_some()
        || wanted.status.is_some()
        || wanted.text.is_some();
    if !asked {
        wanted.using = Some(String::from("any"));
    }
    let list = found(&shared, &atlas, &wanted)?;
    let body = html! {
        h1 { "Ports" }
        nav.tabs aria-label="Transport" {
            @for transport in [Transport::Tcp, Transport::Udp] {
                a href={ "/ports?transport=" (transport.name()) } aria-current=[(transport == mapped).then_some("true")] { (transport.name().to_uppercase()) }
            }
        }
        section aria-labelledby="well-known" {
            h2 id="well-known" { "The 1" span.thin { " " } "024 well-known ports" }
            (live("chairs-map", chairs(&atlas, mapped)))
            (legend())
        }
        section aria-labelledby="all-ports" data-map=(mapped.name()) hidden {
            h2 id="all-ports" { "All 65" span.thin { " " } "536 " (mapped.name().to_uppercase()) " ports" }
            p id="map-help" { "Arrow keys move, plus and minus zoom, Enter opens the port. The list below has the same in words." }
            div.map {
                canvas id="map" width="1024" height="1024" tabindex="0" role="application" aria-label="Map of all ports" aria-describedby="map-help map-said" {}
            }
            p id="map-said" role="status" aria-live="polite" { "Port 0" }
        }
        section aria-labelledby="listed" {
            h2 id="listed" { @if asked { "Ports that were asked for" } @else { "Ports in use, or seen on the wire" } }
            (filter(&wanted))
            (live("ports-list", table(&list, &wanted)))
        }
    };
    let sheet = Sheet { title: "Ports", place: "/ports", caller: Some(&caller), script: Some("map.js") };
    Ok(super::html(&headers, sheet.with(body)))
}

/// The class of a cell: what paper says, how it is used, and what was judged.
fn class(atlas: &Atlas, transport: Transport, port: u16) -> String {
    let letter = letter(&atlas.machine.paper, transport, port);
    let mut class = format!("p-{letter}");
    if let Some(spot) = atlas.spot((transport, port)) {
        let using = spot.using();
        if using.is_used() {
            let _ = write!(class, " u-{}", using.name());
        }
        if let Some(verdict) = spot.verdict {
            let _ = write!(class, " v-{}", verdict.name());
        }
    }
    class
}

/// The 1,024 chairs at a glance: who sits, and who never came.
fn chairs(atlas: &Atlas, transport: Transport) -> Markup {
    const COLUMNS: u16 = 64;
    let mut cells = String::with_capacity(80_000);
    for port in 0..1024_u16 {
        let (x, y) = (port % COLUMNS * 12, port / COLUMNS * 12);
        let class = class(atlas, transport, port);
        let standing = atlas.machine.paper.standing(transport, port);
        let name = standing.assignment.map_or("", |row| row.name);
        let name = engine::sanitise::line(name);
        let using = atlas.spot((transport, port)).map_or(Using::Free, crate::atlas::Spot::using);
        let title = html! { (port) @if !name.is_empty() { " " (name) } ", " (standing.status.name()) @if using.is_used() { ", " (using.name()) } }.into_string();
        let _ = write!(
            cells,
            "<a href=\"/ports/{}/{port}\" tabindex=\"-1\"><rect x=\"{x}\" y=\"{y}\" width=\"11\" height=\"11\" rx=\"2\" class=\"{class}\"><title>{title}</title></rect></a>",
            transport.name()
        );
    }
    let of = |using: Using| {
        atlas
            .spots
            .iter()
            .filter(|((of, port), spot)| *of == transport && *port < 1024 && spot.using() == using)
            .count()
    };
    html! {
        // The cells are numbers and names of the registry, escaped above.
        svg.chairs viewBox="0 0 768 192" role="group" aria-labelledby="chairs-said" { (PreEscaped(cells)) }
        p id="chairs-said" {
            (of(Using::Listening)) " listen, " (of(Using::Published)) " are published, " (of(Using::Bound)) " are bound, "
            (of(Using::Wire)) " were spoken at and " (of(Using::Touched)) " were knocked at; nobody is at the others."
        }
    }
}

fn legend() -> Markup {
    let entries = [
        ("p-a", "assigned and in use"),
        ("p-s", "assigned and silent"),
        ("p-r", "reserved"),
        ("p-u", "unassigned"),
        ("u-listening", "somebody listens"),
        ("u-touched", "knocked at"),
        ("u-listening v-warning", "to look at"),
        ("u-listening v-alert", "to look at now"),
    ];
    html! {
        ul.legend {
            @for (class, words) in entries {
                li { svg width="12" height="12" aria-hidden="true" { rect width="11" height="11" rx="2" class=(class) {} } (words) }
            }
        }
    }
}

fn choice(name: &str, label: &str, options: &[&str], chosen: Option<&str>) -> Markup {
    html! {
        label for={ "f-" (name) } { (label) }
        select id={ "f-" (name) } name=(name) {
            option value="" { "any" }
            @for option in options { option value=(option) selected[chosen == Some(*option)] { (option) } }
        }
    }
}

fn filter(wanted: &Wanted) -> Markup {
    html! {
        form.filter method="get" action="/ports" role="search" {
            div { label for="f-text" { "Name, program or number" } input id="f-text" name="text" type="search" value=[wanted.text.as_deref().map(|text| engine::sanitise::line(text).into_owned())]; }
            div { (choice("transport", "Transport", &["tcp", "udp", "sctp", "dccp"], wanted.transport.as_deref())) }
            div { (choice("use", "Use", &["open", "listening", "published", "bound", "wire", "touched", "passing", "free"], wanted.using.as_deref())) }
            div { (choice("usage", "On paper", &["ordinary", "silent"], wanted.usage.as_deref())) }
            div { (choice("verdict", "Verdict", &["ok", "accepted", "unseen", "note", "warning", "alert"], wanted.verdict.as_deref())) }
            div { button type="submit" { "Show" } }
        }
    }
}

fn table(list: &Page<Summary>, wanted: &Wanted) -> Markup {
    html! {
        div.scroll role="region" aria-label="List of ports" tabindex="0" {
            table {
                thead { tr { th scope="col" { "Port" } th scope="col" { "Registered" } th scope="col" { "Commonly seen" } th scope="col" { "Recognised" } th scope="col" { "Use" } th scope="col" { "Held by" } th scope="col" { "Reach" } th scope="col" { "Verdict" } } }
                tbody {
                    @for port in &list.items {
                        tr {
                            th scope="row" { a href={ "/ports/" (port.transport) "/" (port.port) } { (port.port) "/" (port.transport) } }
                            td { (or_dash(port.registered.as_deref())) @if port.usage == Some("silent") { " " span.tag { "silent" } } @else if port.status != "assigned" { span.faint { (port.status) } } }
                            td { (or_dash(port.commonly_seen)) }
                            td { (or_dash(port.recognised)) }
                            td { (port.using) @if port.touches > 0 { ", " (count(port.touches)) " knocks" } }
                            td { @if port.holders.is_empty() && !port.is_free() { (or_dash(None)) } @for (at, name) in port.holders.iter().enumerate() { @if at > 0 { ", " } (said(name)) } }
                            td { (or_dash(port.scope)) }
                            td { @match port.verdict { Some(verdict) => (badge(verdict)), None => (or_dash(None)) } }
                        }
                    }
                }
            }
        }
        (pager("/ports", list.next.as_deref(), list.items.len(), list.total, &[
            ("transport", wanted.transport.as_deref()), ("use", wanted.using.as_deref()), ("usage", wanted.usage.as_deref()),
            ("verdict", wanted.verdict.as_deref()), ("status", wanted.status.as_deref()), ("text", wanted.text.as_deref()),
        ]))
    }
}
