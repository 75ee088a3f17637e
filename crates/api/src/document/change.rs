//! Changes, as an event stream tells them.

use engine::Sighting;
use engine::board::Change;
use model::{DecoyTouch, Kind, SocketEvent, Transport};
use serde::Serialize;

use super::{Flow, moment};
use crate::atlas;

/// Something happened to a socket.
#[derive(Debug, Serialize)]
struct Happened<'a> {
    at: String,
    happened: &'static str,
    kind: &'static str,
    address: std::net::IpAddr,
    port: u16,
    program: Option<&'a str>,
    pid: Option<u32>,
    passing: bool,
    words: String,
}

/// What people want to hear of a change, and where more of it is.
#[derive(Debug)]
pub(crate) struct News {
    /// `socket`, `found`, `over` or `touch`.
    pub(crate) kind: &'static str,
    pub(crate) at: String,
    pub(crate) words: String,
    /// What it is about: the same for all news of one thing.
    pub(crate) of: String,
    /// The page of that.
    pub(crate) path: Option<String>,
}

/// Something was found, or stands no more.
#[derive(Debug, Serialize)]
struct Found<'a> {
    id: String,
    code: &'static str,
    about: &'a str,
    severity: Option<&'static str>,
    title: Option<&'a str>,
}

/// Somebody came to a decoy.
#[derive(Debug, Serialize)]
struct Touched {
    at: String,
    transport: &'static str,
    port: u16,
    peer: std::net::IpAddr,
    received_bytes: u64,
    recognised: Option<&'static str>,
    words: String,
}

/// The kind of a change, and the change as JSON.
pub(crate) fn words(change: &Change, passing: bool) -> (&'static str, String) {
    match change {
        Change::Socket(event) => ("socket", json(&happened(event, passing))),
        Change::Flow(flow) => ("flow", json(&Flow::of(flow))),
        Change::Found(sighting) => {
            let finding = &sighting.finding;
            let told = Found {
                id: atlas::id_of(finding.code, &sighting.about),
                code: finding.code.name(),
                about: &sighting.about,
                severity: Some(finding.severity.name()),
                title: Some(&finding.title),
            };
            ("found", json(&told))
        }
        Change::Over(sighting) => {
            let (code, about) = (sighting.finding.code, &sighting.about);
            let id = atlas::id_of(code, about);
            ("over", json(&Found { id, code: code.name(), about, severity: None, title: None }))
        }
        Change::Touch(touch) => ("touch", json(&touched(touch))),
        Change::Looked => ("looked", String::from("{}")),
        Change::Traffic => ("traffic", String::from("{}")),
    }
}

/// What of it people want to hear, if they do.
pub(crate) fn news(change: &Change) -> Option<News> {
    let of_finding = |sighting: &Sighting, kind| {
        let id = atlas::id_of(sighting.finding.code, &sighting.about);
        let (at, words) = (moment(sighting.at), sighting.finding.title.clone());
        News { kind, at, words, path: Some(format!("/findings/{id}")), of: id }
    };
    match change {
        Change::Socket(event) => {
            let place = place(event);
            Some(News {
                kind: "socket",
                at: moment(event.at),
                words: format!("{} {place}", event.happened.name().replace('_', " ")),
                path: event.kind.transport().map(|it| port_page(it, event.local.port())),
                of: program_of_datagrams(event).unwrap_or(place),
            })
        }
        Change::Found(sighting) => Some(of_finding(sighting, "found")),
        Change::Over(sighting) => Some(of_finding(sighting, "over")),
        Change::Touch(touch) => {
            let told = touched(touch);
            let path = Some(port_page(touch.transport, touch.local.port()));
            Some(News { kind: "touch", at: told.at, of: told.words.clone(), words: told.words, path })
        }
        Change::Flow(_) | Change::Looked | Change::Traffic => None,
    }
}

fn port_page(transport: Transport, port: u16) -> String {
    format!("/ports/{}/{port}", transport.name())
}

/// Programs choose user ports for their own datagrams (RFC 6335 §6), and seldom the same twice: what stands for all of
/// one program's.
fn program_of_datagrams(event: &SocketEvent) -> Option<String> {
    let datagrams = matches!(event.kind, Kind::Udp | Kind::UdpLite) && event.local.port() >= 1024;
    let program = event.holder.value().filter(|_| datagrams)?.program();
    Some(format!("{} by {program}", event.kind.name()))
}

/// A socket, and who has it.
fn place(event: &SocketEvent) -> String {
    let by = event.holder.value().map(|process| format!(" by {}", engine::sanitise::line(process.program())));
    format!("{}/{}{}", event.local, event.kind.name(), by.unwrap_or_default())
}

fn touched(touch: &DecoyTouch) -> Touched {
    let (transport, port, peer) = (touch.transport.name(), touch.local.port(), touch.peer.ip());
    Touched {
        at: moment(touch.at),
        transport,
        port,
        peer,
        received_bytes: touch.received_bytes,
        recognised: touch.recognised.as_ref().and_then(|it| it.protocol).map(|it| it.name),
        words: format!("{peer} came to the decoy at {port}/{transport}"),
    }
}

fn happened(event: &SocketEvent, passing: bool) -> Happened<'_> {
    let process = event.holder.value();
    Happened {
        at: moment(event.at),
        happened: event.happened.name(),
        kind: event.kind.name(),
        address: event.local.ip(),
        port: event.local.port(),
        program: process.map(|process| process.program()),
        pid: process.map(|process| process.pid),
        passing,
        words: format!("{} {}", event.happened.name().replace('_', " "), place(event)),
    }
}

fn json(it: &impl Serialize) -> String {
    // A map with text for its keys can always be written.
    serde_json::to_string(it).unwrap_or_else(|_| String::from("{}"))
}
