//! Events in the form of Suricata's EVE: what pipelines that read Suricata already understand.
//!
//! One JSON object per line: a `flow` per flow, an event of the protocol where its bytes said something (`tls`, `quic`,
//! `http`, `ssh`, `dns`), an `alert` per finding and place, and `stats` at the end. docs/eve.md says what is what.
//! `signature_id` is the code's place in our own list under generator 420; `metadata` carries the code, the confidence
//! and the evidence.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use engine::alerting::form::eve::{self as form, time};
use engine::{OwnedFlow, TrafficView};
use model::{Finding, Flow, FlowState, Recognised, Subject, Timestamp, Transport, Utc};
use serde_json::{Map, Value, json};

/// A flow of each server, so that an alert about the server can be joined with a flow as in Suricata.
#[derive(Default)]
pub(crate) struct Examples(HashMap<(Transport, SocketAddr), Example>);

struct Example {
    client: SocketAddr,
    flow_id: u64,
    community_id: String,
    start: Option<Timestamp<Utc>>,
}

/// Alerts about servers beyond so many stand without a flow.
const MOST_EXAMPLES: usize = 1 << 16;

impl Examples {
    /// Keeps the first flow of a server.
    pub(crate) fn note(&mut self, flow: &Flow) {
        let Examples(known) = self;
        let key = (flow.transport, flow.server);
        if known.len() < MOST_EXAMPLES && !known.contains_key(&key) {
            let (client, start) = (flow.client, flow.first);
            let community_id = flow.community_id.clone();
            known.insert(key, Example { client, flow_id: flow_id(flow), community_id, start });
        }
    }
}

/// The flow, and what its protocol said.
pub(crate) fn flow(owned: &OwnedFlow) -> Vec<Value> {
    let flow = &owned.flow;
    let app = app_proto(&flow.recognised);
    let mut events = Vec::new();
    if let Some((kind, about)) = protocol(&flow.recognised) {
        let mut event = head(kind, flow.first, flow.transport, flow.client, flow.server);
        put(&mut event, "flow_id", json!(flow_id(flow)));
        put(&mut event, "community_id", json!(flow.community_id));
        put(&mut event, "app_proto", json!(app));
        put(&mut event, kind, about);
        events.push(event);
    }
    let mut event = head("flow", flow.last.or(flow.first), flow.transport, flow.client, flow.server);
    put(&mut event, "flow_id", json!(flow_id(flow)));
    put(&mut event, "community_id", json!(flow.community_id));
    put(&mut event, "app_proto", json!(app));
    if let Some(vlan) = flow.vlan {
        put(&mut event, "vlan", json!([vlan]));
    }
    let age = flow.first.zip(flow.last).map_or(0, |(first, last)| last.since_ns(first) / 1_000_000_000);
    let (state, reason) = match flow.state {
        FlowState::Unanswered | FlowState::Refused => ("new", "timeout"),
        FlowState::Open | FlowState::TimedOut => ("established", "timeout"),
        FlowState::Closed => ("closed", "timeout"),
        FlowState::Reset => ("closed", "forced"),
    };
    let tally = &flow.tally;
    put(
        &mut event,
        "flow",
        json!({
            "pkts_toserver": tally.client_packets,
            "pkts_toclient": tally.server_packets,
            "bytes_toserver": tally.client_bytes,
            "bytes_toclient": tally.server_bytes,
            "start": flow.first.map(time),
            "end": flow.last.map(time),
            "age": age,
            "state": state,
            "reason": reason,
            "alerted": false,
        }),
    );
    let said = &flow.recognised;
    let mut metadata = json!({
        "certainty": said.certainty.name(),
        "rule": said.rule,
        "attempt": said.attempt.map(|protocol| protocol.name),
        "direction": flow.direction.name(),
    });
    if let Some(control) = said.agreed_on() {
        put(&mut metadata, Recognised::AGREED_ON, json!(control));
    }
    for (side, owner) in [("client", &owned.client), ("server", &owned.server)] {
        let Some(owner) = owner else { continue };
        let holders: Vec<Value> = owner
            .holders
            .iter()
            .map(|process| json!({ "pid": process.pid, "program": process.program() }))
            .collect();
        put(&mut metadata, side, json!({ "match": owner.quality.name(), "holders": holders }));
    }
    put(&mut event, "portreeve", metadata);
    events.push(event);
    events
}

/// An alert for each place that a finding speaks of.
pub(crate) fn alerts(view: &TrafficView, finding: &Finding, examples: &Examples) -> Vec<Value> {
    finding.subjects.iter().filter_map(|subject| alert(view, finding, subject, examples)).collect()
}

fn alert(view: &TrafficView, finding: &Finding, subject: &Subject, examples: &Examples) -> Option<Value> {
    let traffic = &view.traffic;
    let nowhere = |address| SocketAddr::new(address, 0);
    let (when, transport, client, server, app) = match subject {
        Subject::Service(index) => {
            let service = traffic.services.get(*index)?;
            let client = service.some_clients.first().copied()?;
            let app = app_proto(&service.recognised);
            (service.first, service.transport, nowhere(client), service.server, Some(app))
        }
        Subject::Touch(index) => {
            let touch = traffic.touches.get(*index)?;
            let target = SocketAddr::new(touch.example_target, touch.port);
            (touch.first, touch.transport, nowhere(touch.example_source), target, None)
        }
        Subject::Scan(index) => {
            let scan = traffic.scans.get(*index)?;
            let target = SocketAddr::new(scan.example, scan.lowest_port);
            (scan.first, scan.transport, nowhere(scan.source), target, None)
        }
        Subject::Beacon(index) => {
            let beacon = traffic.beacons.get(*index)?;
            (beacon.first, beacon.transport, nowhere(beacon.client), beacon.server, None)
        }
        Subject::Capture | Subject::Entry(_) | Subject::Socket(_) | Subject::Forward(_) => return None,
        Subject::Session(_) | Subject::Stream(_) | Subject::Group(_) | Subject::Clock(_) => return None,
        Subject::Visitor(_) => return None,
    };
    let fits = |it: &&Example| matches!(subject, Subject::Service(_)) || it.client.ip() == client.ip();
    let example = examples.0.get(&(transport, server)).filter(fits);
    let mut event = head("alert", when, transport, example.map_or(client, |example| example.client), server);
    if let Some(example) = example {
        put(&mut event, "flow_id", json!(example.flow_id));
        put(&mut event, "community_id", json!(example.community_id));
        put(&mut event, "flow", json!({ "start": example.start.map(time) }));
    }
    if let Some(app) = app {
        put(&mut event, "app_proto", json!(app));
    }
    put(&mut event, "alert", form::alert(finding));
    Some(event)
}

/// How much there was.
pub(crate) fn stats(view: &TrafficView) -> Value {
    let traffic = &view.traffic;
    let volume = &traffic.volume;
    json!({
        "timestamp": traffic.last.map(time),
        "event_type": "stats",
        "stats": {
            "capture": { "kernel_packets": volume.frames, "kernel_drops": volume.dropped },
            "decoder": {
                "pkts": volume.frames,
                "bytes": volume.wire_bytes,
                "invalid": traffic.faults.iter().map(|fault| fault.count).sum::<u64>(),
            },
            "flow": { "total": volume.flows, "merged": volume.flows_merged },
            "detect": { "alert": view.findings.len() },
        },
    })
}

fn head(
    kind: &str,
    when: Option<Timestamp<Utc>>,
    transport: Transport,
    client: SocketAddr,
    server: SocketAddr,
) -> Value {
    let mut event = json!({
        "timestamp": when.map(time),
        "event_type": kind,
        "src_ip": client.ip(),
        "dest_ip": server.ip(),
        "dest_port": server.port(),
        "proto": transport.name().to_ascii_uppercase(),
    });
    // Where no flow stands for all that are meant, there is no port to name.
    if client.port() != 0 {
        put(&mut event, "src_port", json!(client.port()));
    }
    event
}

fn put(event: &mut Value, name: &str, value: Value) {
    if let Some(object) = event.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// The same flow has the same number in every event.
fn flow_id(flow: &Flow) -> u64 {
    let mut hasher = DefaultHasher::new();
    (flow.transport, flow.client, flow.server, flow.first, flow.frame).hash(&mut hasher);
    // JSON numbers are exact up to 53 bits in most readers.
    hasher.finish() >> 11
}

/// The protocol by Suricata's name, where it has one of its own.
fn app_proto(recognised: &Recognised) -> &'static str {
    match recognised.protocol.map(|protocol| protocol.name) {
        None => "failed",
        Some("kerberos") => "krb5",
        Some("postgresql") => "pgsql",
        Some("vnc") => "rfb",
        Some("dhcpv4") => "dhcp",
        Some("enip") => "enip",
        Some(name) => name,
    }
}

/// The event of the protocol itself: its name, and what it said.
fn protocol(recognised: &Recognised) -> Option<(&'static str, Value)> {
    let mut about = Map::new();
    let mut copy = |from: &str, to: &str| {
        if let Some(value) = recognised.detail(from) {
            about.insert(to.to_owned(), json!(value));
        }
    };
    let kind = match recognised.protocol?.name {
        "tls" => {
            copy("sni", "sni");
            copy("version", "version");
            copy("alpn", "server_alpns");
            let mut hashes = Vec::new();
            for name in ["ja3", "ja3s", "ja4"] {
                if let Some(hash) = recognised.detail(name) {
                    hashes.push((name, hash));
                }
            }
            for (name, hash) in hashes {
                let value = if name == "ja4" { json!(hash) } else { json!({ "hash": hash }) };
                about.insert(name.to_owned(), value);
            }
            if let Some(certificate) = &recognised.certificate {
                about.insert(String::from("subject"), json!(certificate.subject));
                about.insert(String::from("issuerdn"), json!(certificate.issuer));
                about.insert(String::from("notbefore"), json!(certificate.not_before.date_and_time()));
                about.insert(String::from("notafter"), json!(certificate.not_after.date_and_time()));
                about.insert(String::from("subjectaltname"), json!(certificate.names));
            }
            "tls"
        }
        "quic" => {
            copy("version", "version");
            copy("sni", "sni");
            copy("ja4", "ja4");
            "quic"
        }
        "http" => {
            copy("host", "hostname");
            copy("user_agent", "http_user_agent");
            copy("method", "http_method");
            copy("server", "server");
            let status = recognised.detail("status").and_then(|status| status.parse::<u16>().ok());
            if let Some(status) = status {
                about.insert(String::from("status"), json!(status));
            }
            "http"
        }
        "ssh" => {
            let software = recognised.detail("software").map(str::to_owned);
            let version = recognised.detail("version").map(str::to_owned);
            about.insert(
                String::from("server"),
                json!({ "proto_version": version, "software_version": software }),
            );
            "ssh"
        }
        "dns" => {
            copy("query", "rrname");
            copy("type", "rrtype");
            copy("outcome", "rcode");
            "dns"
        }
        _ => return None,
    };
    (!about.is_empty()).then_some((kind, Value::Object(about)))
}
