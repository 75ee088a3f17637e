//! Changes, as an event stream tells them.

use engine::board::Change;
use model::{DecoyTouch, SocketEvent};
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
    words: String,
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
pub(crate) fn words(change: &Change) -> (&'static str, String) {
    match change {
        Change::Socket(event) => ("socket", json(&happened(event))),
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

fn happened(event: &SocketEvent) -> Happened<'_> {
    let process = event.holder.value();
    let program = process.map(|process| process.program());
    let words = format!(
        "{} {}/{}{}",
        event.happened.name().replace('_', " "),
        event.local,
        event.kind.name(),
        program.map(|program| format!(" by {}", engine::sanitise::line(program))).unwrap_or_default()
    );
    Happened {
        at: moment(event.at),
        happened: event.happened.name(),
        kind: event.kind.name(),
        address: event.local.ip(),
        port: event.local.port(),
        program,
        pid: process.map(|process| process.pid),
        words,
    }
}

fn json(it: &impl Serialize) -> String {
    // A map with text for its keys can always be written.
    serde_json::to_string(it).unwrap_or_else(|_| String::from("{}"))
}
