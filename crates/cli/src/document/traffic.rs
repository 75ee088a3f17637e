//! The JSON document of `read`, and the lines of `watch`: what was on the wire.

use std::net::IpAddr;

use serde::Serialize;

use engine::TrafficView;
use model::{Timestamp, Utc};
use registry::Paper;

use super::comment::Comment;
use super::flow::Flow;
use super::media::{Session, Stream};
use super::rows::Names;
use super::tables::{Accepted, Finding, Gap, Generator, Registry};

/// Traffic, judged.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve traffic", deny_unknown_fields))]
pub(crate) struct TrafficDocument<'a> {
    /// Version of this form.
    pub(crate) schema_version: u32,
    /// What made it.
    pub(crate) generator: Generator,
    /// What was read: files or interfaces.
    pub(crate) sources: &'a [String],
    /// Where `registered` comes from.
    pub(crate) registry: Registry<'a>,
    /// How much was read.
    pub(crate) volume: Volume,
    /// Time of the first frame (RFC 3339, UTC); null where the capture has no times.
    pub(crate) first: Option<String>,
    /// Time of the last frame.
    pub(crate) last: Option<String>,
    /// What each server endpoint was seen to speak.
    pub(crate) services: Vec<Service<'a>>,
    /// Ports that were knocked at without an answer.
    pub(crate) touches: Vec<Touch>,
    /// Sources that scan.
    pub(crate) scans: Vec<Scan>,
    /// Connections as regular as only a machine makes them.
    pub(crate) beacons: Vec<Beacon>,
    /// What was agreed of media.
    pub(crate) sessions: Vec<Session<'a>>,
    /// Media that came.
    pub(crate) streams: Vec<Stream<'a>>,
    /// Every flow, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flows: Option<Vec<Flow<'a>>>,
    /// Bytes that are not what they claim.
    pub(crate) faults: Vec<WireFault>,
    /// Link types that are not read.
    pub(crate) unread_links: Vec<UnreadLink>,
    /// What people wrote into the captures, in order.
    pub(crate) comments: Vec<Comment<'a>>,
    /// How many more comments there were.
    pub(crate) comments_left_out: u64,
    /// What was found, gravest first.
    pub(crate) findings: Vec<Finding<'a>>,
    /// What was found and is accepted by policy.
    pub(crate) accepted: Vec<Accepted<'a>>,
    /// Where we could not look, and what bounds left out.
    pub(crate) gaps: Vec<Gap<'a>>,
    /// 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be read.
    pub(crate) exit_status: u8,
}

/// How much was read, and how much was not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Volume {
    /// Frames read.
    frames: u64,
    /// Bytes of them, as they were on the wire.
    wire_bytes: u64,
    /// Frames that the filter left out.
    filtered: u64,
    /// Frames that the kernel or the capturing program dropped, as far as it said.
    dropped: u64,
    /// Frames without IP.
    not_ip: u64,
    /// Of those, frames that are encrypted on the link: MACsec, 802.11.
    encrypted: u64,
    /// Packets of protocols without ports: ICMP, IGMP, ESP.
    portless: u64,
    /// Frames that are not what they claim, so that no flow could be told.
    damaged: u64,
    /// IP fragments.
    fragments: u64,
    /// Frames that were cut short by the snap length.
    cut: u64,
    /// Packets that were put together from fragments.
    reassembled: u64,
    /// Flows of every kind.
    flows: u64,
    /// Flows that were counted only, because memory is bounded.
    flows_merged: u64,
}

impl From<&model::Volume> for Volume {
    fn from(volume: &model::Volume) -> Volume {
        Volume {
            frames: volume.frames,
            wire_bytes: volume.wire_bytes,
            filtered: volume.filtered,
            dropped: volume.dropped,
            not_ip: volume.not_ip,
            encrypted: volume.encrypted,
            portless: volume.portless,
            damaged: volume.damaged,
            fragments: volume.fragments,
            cut: volume.cut,
            reassembled: volume.reassembled,
            flows: volume.flows,
            flows_merged: volume.flows_merged,
        }
    }
}

/// Packets and bytes, each way.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(super) struct Tally {
    /// Packets from the client.
    client_packets: u64,
    /// Packets from the server.
    server_packets: u64,
    /// Bytes of IP packets from the client.
    client_bytes: u64,
    /// Bytes of IP packets from the server.
    server_bytes: u64,
}

impl From<&model::Tally> for Tally {
    fn from(tally: &model::Tally) -> Tally {
        Tally {
            client_packets: tally.client_packets,
            server_packets: tally.server_packets,
            client_bytes: tally.client_bytes,
            server_bytes: tally.server_bytes,
        }
    }
}

/// The three names of a port, each with its source.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct PortNames<'a> {
    /// Reported by the registry for the number alone: status of the port.
    status: Option<&'static str>,
    /// Reported by the registry for the number alone: the name of the service.
    registered: Option<&'a str>,
    /// Inferred: assigned, but not in ordinary use; null where nothing is assigned.
    silent: Option<bool>,
    /// Inferred from known programs: what is commonly seen on this number.
    commonly_seen: Option<&'static str>,
}

impl<'a> PortNames<'a> {
    fn of(paper: &'a Paper, transport: model::Transport, port: u16) -> PortNames<'a> {
        let Names { status, registered, silent, commonly_seen } = Names::of(paper, Some(transport), port);
        PortNames { status, registered, silent, commonly_seen }
    }
}

/// What the bytes say.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Recognised<'a> {
    /// The protocol's stable name; null where nothing decided.
    protocol: Option<&'static str>,
    /// `confirmed` by the server's bytes, `attempt` by the client alone, `partial`, or `unknown`.
    certainty: &'static str,
    /// The rule that decided.
    rule: Option<&'static str>,
    /// What the client alone spoke, where the server speaks something else.
    attempt: Option<&'static str>,
    /// What the first bytes look like: `empty`, `text`, `binary` or `looks encrypted`.
    appearance: &'static str,
    /// Particulars that the protocol says of itself.
    details: Vec<Detail<'a>>,
    /// The server's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate<'a>>,
}

/// One particular.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Detail<'a> {
    /// What it is: `sni`, `alpn`, `version`, `software` …
    name: &'static str,
    /// What was said.
    value: &'a str,
}

/// What matters of a certificate (RFC 5280).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Certificate<'a> {
    /// The subject.
    subject: &'a str,
    /// The issuer.
    issuer: &'a str,
    /// Alternative names.
    names: &'a [String],
    /// Valid from (RFC 3339, UTC).
    not_before: String,
    /// Valid until.
    not_after: String,
    /// Whether subject and issuer are the same.
    self_signed: bool,
}

impl<'a> Recognised<'a> {
    pub(super) fn of(recognised: &'a model::Recognised) -> Recognised<'a> {
        Recognised {
            protocol: recognised.protocol.map(|protocol| protocol.name),
            certainty: recognised.certainty.name(),
            rule: Some(recognised.rule).filter(|rule| !rule.is_empty()),
            attempt: recognised.attempt.map(|protocol| protocol.name),
            appearance: recognised.appearance.name(),
            details: recognised
                .details
                .iter()
                .map(|detail| Detail { name: detail.name, value: &detail.value })
                .collect(),
            certificate: recognised.certificate.as_ref().map(|certificate| Certificate {
                subject: &certificate.subject,
                issuer: &certificate.issuer,
                names: &certificate.names,
                not_before: certificate.not_before.rfc3339(),
                not_after: certificate.not_after.rfc3339(),
                self_signed: certificate.self_signed,
            }),
        }
    }
}

/// What one server endpoint was seen to speak.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Service<'a> {
    /// The server's address.
    address: IpAddr,
    /// The server's port.
    port: u16,
    /// `tcp`, `udp`, `sctp` or `dccp`.
    transport: &'static str,
    /// Names that the number has.
    names: PortNames<'a>,
    /// What the bytes say.
    recognised: Recognised<'a>,
    /// How we know who the server is: `opened`, `spoken` or `first_seen`.
    direction: &'static str,
    /// Whether the server answered with more than a refusal.
    answered: bool,
    /// Flows.
    flows: u64,
    /// How much.
    tally: Tally,
    /// The first packet (RFC 3339, UTC).
    first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// Different clients, at least.
    clients: u64,
    /// Some of them.
    some_clients: &'a [IpAddr],
    /// Numbers of frames that show it, from 1.
    frames: &'a [u64],
    /// `ok`, `accepted`, `note`, `warning` or `alert`.
    verdict: &'static str,
}

pub(super) fn moment(time: Option<Timestamp<Utc>>) -> Option<String> {
    time.map(Timestamp::rfc3339_ns)
}

impl<'a> Service<'a> {
    fn of(view: &'a TrafficView, index: usize, service: &'a model::Service) -> Service<'a> {
        Service {
            address: service.server.ip(),
            port: service.server.port(),
            transport: service.transport.name(),
            names: PortNames::of(&view.paper, service.transport, service.server.port()),
            recognised: Recognised::of(&service.recognised),
            direction: service.direction.name(),
            answered: service.answered,
            flows: service.flows,
            tally: Tally::from(&service.tally),
            first: moment(service.first),
            last: moment(service.last),
            clients: service.clients,
            some_clients: &service.some_clients,
            frames: &service.frames,
            verdict: view.verdict_of_service(index).name(),
        }
    }
}

/// A port that was knocked at without an answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Touch {
    /// The port.
    port: u16,
    /// The transport.
    transport: &'static str,
    /// Flows without an answer.
    flows: u64,
    /// How many of them were refused.
    refused: u64,
    /// Different sources, about.
    sources: u64,
    /// One who knocked.
    example_source: IpAddr,
    /// Where.
    example_target: IpAddr,
    /// The first time.
    first: Option<String>,
    /// The last time.
    last: Option<String>,
    /// The number of the first frame.
    frame: u64,
}

impl From<&model::Touch> for Touch {
    fn from(touch: &model::Touch) -> Touch {
        Touch {
            port: touch.port,
            transport: touch.transport.name(),
            flows: touch.flows,
            refused: touch.refused,
            sources: touch.sources,
            example_source: touch.example_source,
            example_target: touch.example_target,
            first: moment(touch.first),
            last: moment(touch.last),
            frame: touch.frame,
        }
    }
}

/// One source that scans.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Scan {
    /// Who.
    source: IpAddr,
    /// `vertical`, `horizontal` or `block`.
    kind: &'static str,
    /// The transport.
    transport: &'static str,
    /// Flows without conversation.
    probes: u64,
    /// Different addresses, about.
    addresses: u64,
    /// Different ports, about.
    ports: u64,
    /// Probes that an open port answered.
    open: u64,
    /// Probes that were refused.
    refused: u64,
    /// One of the addresses.
    example: IpAddr,
    /// The lowest port.
    lowest_port: u16,
    /// The highest port.
    highest_port: u16,
    /// The first probe.
    first: Option<String>,
    /// The last probe.
    last: Option<String>,
    /// The number of the first frame.
    frame: u64,
}

impl From<&model::Scan> for Scan {
    fn from(scan: &model::Scan) -> Scan {
        Scan {
            source: scan.source,
            kind: scan.kind.name(),
            transport: scan.transport.name(),
            probes: scan.probes,
            addresses: scan.addresses,
            ports: scan.ports,
            open: scan.open,
            refused: scan.refused,
            example: scan.example,
            lowest_port: scan.lowest_port,
            highest_port: scan.highest_port,
            first: moment(scan.first),
            last: moment(scan.last),
            frame: scan.frame,
        }
    }
}

/// Connections as regular as only a machine makes them. Scores run from 0 to 1.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Beacon {
    /// Who calls.
    client: IpAddr,
    /// Who is called.
    server: IpAddr,
    /// At which port.
    port: u16,
    /// The transport.
    transport: &'static str,
    /// Connections that were opened.
    connections: u64,
    /// The median interval between them, in nanoseconds.
    interval_ns: i64,
    /// How evenly they follow each other.
    interval_score: f64,
    /// How alike the amounts are that the client sends.
    size_score: f64,
    /// How much of the observed time they cover.
    duration_score: f64,
    /// How evenly they fill equal parts of the observed time.
    histogram_score: f64,
    /// The mean of the four.
    score: f64,
    /// The first connection.
    first: Option<String>,
    /// The last connection.
    last: Option<String>,
    /// The number of the first frame.
    frame: u64,
}

impl From<&model::Beacon> for Beacon {
    fn from(beacon: &model::Beacon) -> Beacon {
        Beacon {
            client: beacon.client,
            server: beacon.server.ip(),
            port: beacon.server.port(),
            transport: beacon.transport.name(),
            connections: beacon.connections,
            interval_ns: beacon.interval_ns,
            interval_score: beacon.interval_score,
            size_score: beacon.size_score,
            duration_score: beacon.duration_score,
            histogram_score: beacon.histogram_score,
            score: beacon.score,
            first: moment(beacon.first),
            last: moment(beacon.last),
            frame: beacon.frame,
        }
    }
}

/// Bytes that are not what they claim.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct WireFault {
    /// Which layer.
    layer: &'static str,
    /// What is wrong.
    what: &'static str,
    /// How often.
    count: u64,
    /// The first frame that shows it, from 1; 0 where the file itself is at fault.
    frame: u64,
    /// Offset in bytes from the start of that frame, or of the file.
    at: u64,
}

impl From<&model::WireFault> for WireFault {
    fn from(fault: &model::WireFault) -> WireFault {
        WireFault {
            layer: fault.layer,
            what: fault.what,
            count: fault.count,
            frame: fault.frame,
            at: fault.at,
        }
    }
}

/// A link type that is not read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct UnreadLink {
    /// Its `LINKTYPE_` number.
    link_type: u16,
    /// How many frames.
    frames: u64,
}

impl<'a> TrafficDocument<'a> {
    pub(crate) fn of(
        view: &'a TrafficView,
        flows: Option<&'a [engine::OwnedFlow]>,
        exit_status: u8,
    ) -> TrafficDocument<'a> {
        let traffic = &view.traffic;
        TrafficDocument {
            schema_version: super::SCHEMA_VERSION,
            generator: Generator::this(),
            sources: &traffic.sources,
            registry: Registry::of(&view.paper),
            volume: Volume::from(&traffic.volume),
            first: moment(traffic.first),
            last: moment(traffic.last),
            services: traffic
                .services
                .iter()
                .enumerate()
                .map(|(index, service)| Service::of(view, index, service))
                .collect(),
            touches: traffic.touches.iter().map(Touch::from).collect(),
            scans: traffic.scans.iter().map(Scan::from).collect(),
            beacons: traffic.beacons.iter().map(Beacon::from).collect(),
            sessions: traffic.media.sessions.iter().map(Session::of).collect(),
            streams: traffic.media.streams.iter().map(Stream::of).collect(),
            flows: flows.map(|flows| flows.iter().map(Flow::of).collect()),
            faults: traffic.faults.iter().map(WireFault::from).collect(),
            unread_links: traffic
                .unread_links
                .iter()
                .map(|(link_type, frames)| UnreadLink { link_type: *link_type, frames: *frames })
                .collect(),
            comments: traffic.comments.iter().map(Comment::of).collect(),
            comments_left_out: traffic.comments_left_out,
            findings: view.findings.iter().map(Finding::of_traffic).collect(),
            accepted: view.accepted.iter().map(Accepted::of_traffic).collect(),
            gaps: traffic.gaps.iter().map(Gap::of).collect(),
            exit_status,
        }
    }
}
