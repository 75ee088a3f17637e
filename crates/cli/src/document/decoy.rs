//! The JSON of `decoy`: what is covered, who touched it, and what each source did.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use engine::decoys::{DecoyCounts, DecoyState};
use host::decoy::PortSet;
use model::{DecoyLevel, DecoyTouch, PortTally, Visit};
use serde::Serialize;

use super::tables::{Finding, Gap};
use crate::capability::hex;

/// A line of `decoy --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve decoy line", deny_unknown_fields))]
pub(crate) enum Line<'a> {
    /// The decoys are at work.
    Begin {
        /// Version of this form.
        schema_version: u32,
        /// What is covered.
        coverage: Coverage<'a>,
    },
    /// Somebody came.
    Touch {
        /// Version of this form.
        schema_version: u32,
        /// Who, to where, and with which bytes.
        touch: Touch,
    },
    /// A source is judged: new, or graver than before.
    Finding {
        /// Version of this form.
        schema_version: u32,
        /// Who came.
        source: IpAddr,
        /// What was found.
        finding: Finding<'a>,
    },
    /// The end: all of it together.
    Summary {
        /// Version of this form.
        schema_version: u32,
        /// What was covered.
        coverage: Coverage<'a>,
        /// What became of who came.
        counts: Counts,
        /// What each source did.
        visits: Vec<DecoyVisit>,
        /// What was found, gravest first.
        findings: Vec<Finding<'a>>,
        /// 0 all accounted for, 1 findings at or above --fail-on.
        exit_status: u8,
    },
}

/// What is covered, and what is not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Coverage<'a> {
    /// `kernel` or `plain`.
    way: &'static str,
    /// `observe`, `accept` or `greet`.
    level: &'static str,
    /// In which protocol it greets.
    greeting: Option<&'static str>,
    /// The inode number of the network namespace.
    netns: u32,
    /// TCP ports where nobody is, as ranges.
    tcp: Vec<[u16; 2]>,
    /// UDP ports where nobody is.
    udp: Vec<[u16; 2]>,
    /// TCP ports that somebody has: left alone.
    held_tcp: Vec<[u16; 2]>,
    /// UDP ports that somebody has.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Touch {
    /// When it began (RFC 3339, UTC).
    at: String,
    /// `tcp` or `udp`.
    transport: &'static str,
    /// Who came.
    peer: IpAddr,
    /// From which port.
    peer_port: u16,
    /// To which address.
    local: IpAddr,
    /// To which port.
    port: u16,
    /// The inode number of the network namespace.
    netns: u32,
    /// How the decoy behaved: `observe`, `accept` or `greet`.
    level: &'static str,
    /// Whether a connection came about.
    connected: bool,
    /// How many bytes came.
    received_bytes: u64,
    /// How many bytes were sent back.
    sent_bytes: u64,
    /// The first bytes that came, in hexadecimal.
    first_bytes: String,
    /// The protocol that those bytes are of; null where they say nothing.
    protocol: Option<&'static str>,
    /// How sure that is.
    certainty: Option<&'static str>,
    /// What the bytes look like: `text`, `binary` …
    appearance: Option<&'static str>,
    /// Particulars that the bytes tell; strangers wrote them.
    details: Vec<Detail>,
    /// How long it lasted, in nanoseconds.
    lasted_ns: u64,
}

/// A particular of a protocol.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Detail {
    /// Which one.
    name: &'static str,
    /// What it says.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct DecoyVisit {
    /// Who came.
    source: IpAddr,
    /// When it came first (RFC 3339, UTC).
    first: String,
    /// When it came last.
    last: String,
    /// Over TCP.
    tcp: Tally,
    /// Over UDP.
    udp: Tally,
    /// Connections that came about.
    connections: u64,
    /// How many bytes came.
    received_bytes: u64,
    /// Touches that were counted and not told one by one.
    only_counted: u64,
    /// The protocols that it spoke, by its bytes.
    protocols: Vec<&'static str>,
}

/// The ports of one transport that a source came to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Tally {
    /// How often it came.
    touches: u64,
    /// To how many ports.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Counts {
    /// Touches, told or only counted.
    touches: u64,
    /// Of these, told one by one.
    told: u64,
    /// Connections that were ended at once, because there were as many as may be.
    turned_away: u64,
    /// Sources that are kept apart now.
    sources: u64,
    /// Sources that made room for others.
    sources_forgotten: u64,
    /// Packets that came and that there was no room to tell of.
    packets_lost: u64,
    /// Packets that were let through to who has the port.
    packets_passed: u64,
    /// Packets of sources that are excluded.
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
