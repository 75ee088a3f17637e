//! The JSON of `decoy`: what is covered, who touched it, and what each source did.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use engine::decoys::{DecoyCounts, DecoyState};
use host::decoy::PortSet;
use model::{DecoyLevel, DecoyTouch, PortTally, Visit};
use serde::Serialize;

use super::tables::Gap;
use crate::capability::hex;

/// What is covered, and what is not.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage<'a> {
    /// `kernel` or `plain`.
    way: &'static str,
    /// `observe`, `accept` or `greet`.
    level: &'static str,
    /// In which protocol it greets.
    greeting: Option<&'static str>,
    /// The inode number of the network namespace.
    netns: u32,
    /// Ports where nobody is, as ranges.
    tcp: Vec<[u16; 2]>,
    udp: Vec<[u16; 2]>,
    /// Ports that somebody has: left alone.
    held_tcp: Vec<[u16; 2]>,
    held_udp: Vec<[u16; 2]>,
    /// Ports that were asked for and that the kernel may give to anybody: never covered.
    ephemeral: Vec<[u16; 2]>,
    /// What is not seen, and why.
    gaps: Vec<Gap<'a>>,
}

fn ranges(ranges: &[RangeInclusive<u16>]) -> Vec<[u16; 2]> {
    ranges.iter().map(|range| [*range.start(), *range.end()]).collect()
}

impl<'a> Coverage<'a> {
    /// Of decoys at work.
    pub(crate) fn of(state: &'a DecoyState) -> Coverage<'a> {
        let coverage = &state.coverage;
        let of = |set: &PortSet| ranges(&set.ranges());
        Coverage {
            way: coverage.way.name(),
            level: state.level.fact().name(),
            greeting: greeting(state.level.fact()),
            netns: coverage.netns,
            tcp: of(&coverage.tcp.without(&coverage.held_tcp)),
            udp: of(&coverage.udp.without(&coverage.held_udp)),
            held_tcp: of(&coverage.held_tcp),
            held_udp: of(&coverage.held_udp),
            ephemeral: of(&coverage.ephemeral),
            gaps: coverage.gaps.iter().map(Gap::of).collect(),
        }
    }
}

fn greeting(level: DecoyLevel) -> Option<&'static str> {
    match level {
        DecoyLevel::Greet(protocol) => Some(protocol.name),
        _ => None,
    }
}

/// Somebody came.
#[derive(Debug, Serialize)]
pub(crate) struct Touch {
    /// When it began (RFC 3339, UTC).
    at: String,
    transport: &'static str,
    peer: IpAddr,
    peer_port: u16,
    local: IpAddr,
    port: u16,
    netns: u32,
    level: &'static str,
    /// Whether a connection came about.
    connected: bool,
    received_bytes: u64,
    sent_bytes: u64,
    /// The first bytes that came, in hexadecimal.
    first_bytes: String,
    /// What those bytes say.
    protocol: Option<&'static str>,
    certainty: Option<&'static str>,
    appearance: Option<&'static str>,
    details: Vec<Detail>,
    lasted_ns: u64,
}

/// A particular of a protocol.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    name: &'static str,
    value: String,
}

impl Touch {
    /// Of a touch.
    pub(crate) fn of(touch: &DecoyTouch) -> Touch {
        let said = touch.recognised.as_ref();
        Touch {
            at: touch.at.rfc3339(),
            transport: touch.transport.name(),
            peer: touch.peer.ip(),
            peer_port: touch.peer.port(),
            local: touch.local.ip(),
            port: touch.local.port(),
            netns: touch.netns,
            level: touch.level.name(),
            connected: touch.connected,
            received_bytes: touch.received_bytes,
            sent_bytes: touch.sent_bytes,
            first_bytes: hex(&touch.first_bytes),
            protocol: said.and_then(|said| said.protocol).map(|protocol| protocol.name),
            certainty: said.map(|said| said.certainty.name()),
            appearance: said.map(|said| said.appearance.name()),
            details: said
                .map(|said| said.details.iter())
                .into_iter()
                .flatten()
                .map(|detail| Detail { name: detail.name, value: detail.value.clone() })
                .collect(),
            lasted_ns: touch.lasted_ns,
        }
    }
}

/// What one source did.
#[derive(Debug, Serialize)]
pub(crate) struct DecoyVisit {
    source: IpAddr,
    first: String,
    last: String,
    tcp: Tally,
    udp: Tally,
    connections: u64,
    received_bytes: u64,
    only_counted: u64,
    protocols: Vec<&'static str>,
}

/// The ports of one transport that a source came to.
#[derive(Debug, Serialize)]
struct Tally {
    touches: u64,
    ports: u32,
    /// Whether there may be more.
    more: bool,
    /// As ranges; no more than 256.
    ranges: Vec<[u16; 2]>,
}

impl Tally {
    fn of(tally: &PortTally) -> Tally {
        Tally { touches: tally.touches, ports: tally.ports, more: tally.more, ranges: ranges(&tally.ranges) }
    }
}

impl DecoyVisit {
    /// Of a visit.
    pub(crate) fn of(visit: &Visit) -> DecoyVisit {
        DecoyVisit {
            source: visit.source,
            first: visit.first.rfc3339(),
            last: visit.last.rfc3339(),
            tcp: Tally::of(&visit.tcp),
            udp: Tally::of(&visit.udp),
            connections: visit.connections,
            received_bytes: visit.received_bytes,
            only_counted: visit.only_counted,
            protocols: visit.spoken.iter().map(|spoken| spoken.protocol.name).collect(),
        }
    }
}

/// What became of who came.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    touches: u64,
    told: u64,
    turned_away: u64,
    sources: u64,
    sources_forgotten: u64,
    packets_lost: u64,
    packets_passed: u64,
    packets_excluded: u64,
}

impl Counts {
    /// Of counts.
    pub(crate) fn of(counts: &DecoyCounts) -> Counts {
        Counts {
            touches: counts.touches,
            told: counts.told,
            turned_away: counts.turned_away,
            sources: counts.sources,
            sources_forgotten: counts.forgotten,
            packets_lost: counts.lost,
            packets_passed: counts.passed,
            packets_excluded: counts.excluded,
        }
    }
}
