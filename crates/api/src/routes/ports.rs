//! Ports: all of them in lines, and one with its five answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};
use engine::registry::Usage;
use model::{Status, Transport};
use serde::{Deserialize, Serialize};

use super::{Asked, Window, json, part};
use crate::atlas::{Atlas, Using};
use crate::document::{Answers, One, Page, SCHEMA_VERSION, Summary};
use crate::problem::Problem;
use crate::shared::Shared;

/// Which ports.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) transport: Option<String>,
    pub(crate) from: Option<u16>,
    pub(crate) to: Option<u16>,
    pub(crate) status: Option<String>,
    pub(crate) usage: Option<String>,
    #[serde(rename = "use")]
    pub(crate) using: Option<String>,
    pub(crate) verdict: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<usize>,
}

pub(crate) fn transport(name: Option<&str>) -> Result<Option<Transport>, Problem> {
    let unknown = || Problem::wrong("`transport` is `tcp`, `udp`, `sctp` or `dccp`.");
    name.map(|name| Transport::from_name(name).ok_or_else(unknown)).transpose()
}

fn one_of(value: Option<&str>, what: &str, allowed: &[&str]) -> Result<(), Problem> {
    match value {
        Some(value) if !allowed.contains(&value) => {
            Err(Problem::wrong(format!("`{what}` is one of {}.", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The ports that are wanted, in lines.
pub(crate) fn found(shared: &Shared, atlas: &Atlas, wanted: &Wanted) -> Result<Page<Summary>, Problem> {
    let only = transport(wanted.transport.as_deref())?;
    one_of(wanted.status.as_deref(), "status", &["assigned", "unassigned", "reserved", "dynamic"])?;
    one_of(wanted.usage.as_deref(), "usage", &["ordinary", "silent"])?;
    one_of(
        wanted.using.as_deref(),
        "use",
        &["any", "open", "listening", "published", "bound", "wire", "touched", "passing", "free"],
    )?;
    one_of(wanted.verdict.as_deref(), "verdict", &["ok", "accepted", "unseen", "note", "warning", "alert"])?;
    let window = Window::of(wanted.cursor.as_deref(), wanted.limit)?;
    let (from, to) = (wanted.from.unwrap_or(0), wanted.to.unwrap_or(u16::MAX));
    let transports = [Transport::Tcp, Transport::Udp, Transport::Sctp, Transport::Dccp];
    // Of the transports that hardly anybody uses, all ports are told only where they are asked for.
    let asked = transports
        .into_iter()
        .filter(|it| only.map_or(matches!(it, Transport::Tcp | Transport::Udp), |only| only == *it));
    let needle = wanted.text.as_deref().map(str::to_lowercase);
    let used_only = wanted.using.as_deref().is_some_and(|using| using != "free") || wanted.verdict.is_some();
    let every: Box<dyn Iterator<Item = (Transport, u16)>> = if used_only {
        Box::new(atlas.spots.keys().copied().filter(|(transport, port)| {
            only.is_none_or(|only| only == *transport) && (from..=to).contains(port)
        }))
    } else {
        Box::new(asked.flat_map(|transport| (from..=to).map(move |port| (transport, port))))
    };
    let passes = |port: &(Transport, u16)| {
        let spot = atlas.spot(*port);
        let using = spot.map_or(Using::Free, crate::atlas::Spot::using);
        let by_use = match wanted.using.as_deref() {
            None => true,
            Some("any") => using.is_used(),
            Some("open") => matches!(using, Using::Listening | Using::Published | Using::Bound),
            Some(word) => using.name() == word,
        };
        if !by_use {
            return false;
        }
        let verdict = spot.and_then(|spot| spot.verdict);
        if wanted.verdict.as_deref().is_some_and(|word| verdict.map(engine::Verdict::name) != Some(word)) {
            return false;
        }
        if wanted.status.is_none() && wanted.usage.is_none() && needle.is_none() {
            return true;
        }
        let standing = atlas.machine.paper.standing(port.0, port.1);
        let usage = match standing.usage {
            Usage::Ordinary(_) => Some("ordinary"),
            Usage::Silent(_) => Some("silent"),
            Usage::NotAssigned => None,
        };
        wanted.status.as_deref().is_none_or(|word| standing.status.name() == word)
            && wanted.usage.as_deref().is_none_or(|word| usage == Some(word))
            && needle.as_deref().is_none_or(|needle| {
                let summary = Summary::of(atlas, *port, None);
                let names = summary.registered.iter().map(String::as_str).chain(summary.commonly_seen);
                let holders = summary.holders.iter().map(String::as_str);
                names
                    .chain(holders)
                    .chain(summary.recognised)
                    .any(|name| name.to_lowercase().contains(needle))
                    || port.1.to_string() == needle
            })
    };
    let page = window.page(every.filter(passes), |port| {
        let span = shared.keeper.span(port.0, port.1);
        Some(Summary::of(atlas, port, span))
    });
    Ok(page)
}

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    let atlas = shared.atlas();
    Ok(json(&headers, &found(&shared, &atlas, &wanted)?))
}

/// Everything about one port.
pub(crate) fn answers(shared: &Shared, atlas: &Atlas, transport: Transport, port: u16) -> Answers {
    let findings = super::findings_of_port(shared, atlas, (transport, port));
    Answers::of(atlas, (transport, port), shared.keeper.span(transport, port), findings)
}

pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path((name, port)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let unknown =
        || Problem::unknown("A port is asked for as /api/v1/ports/TRANSPORT/NUMBER, for instance tcp/420.");
    let transport = Transport::from_name(&name).ok_or_else(unknown)?;
    let port: u16 = part(&port, "A port from 0 to 65535")?;
    let atlas = shared.atlas();
    Ok(json(&headers, &One::of(answers(&shared, &atlas, transport, port))))
}

/// How every port of a transport stands on paper: one letter each, from port 0 on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Letters {
    schema_version: u32,
    transport: &'static str,
    /// 65,536 letters: `a` assigned and in ordinary use, `s` assigned and silent, `r` reserved, `u` unassigned, `d` dynamic.
    letters: String,
}

/// Which transport.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OfTransport {
    transport: Option<String>,
}

/// The letter of a port.
pub(crate) fn letter(paper: &engine::Paper, transport: Transport, port: u16) -> char {
    let standing = paper.standing(transport, port);
    match (standing.status, standing.usage) {
        (Status::Assigned, Usage::Silent(_)) => 's',
        (Status::Assigned, _) => 'a',
        (Status::Reserved, _) => 'r',
        (Status::Unassigned, _) => 'u',
        (Status::Dynamic, _) => 'd',
    }
}

pub(crate) async fn paper(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Asked(wanted): Asked<OfTransport>,
) -> Result<Response<Body>, Problem> {
    let transport = transport(wanted.transport.as_deref())?.unwrap_or(Transport::Tcp);
    let machine = shared.board.current().machine;
    let letters = (0..=u16::MAX).map(|port| letter(&machine.paper, transport, port)).collect();
    Ok(json(&headers, &Letters { schema_version: SCHEMA_VERSION, transport: transport.name(), letters }))
}
