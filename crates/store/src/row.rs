//! What stands in the file: types of its own, so that a change of the nouns is no change of the file.
//!
//! They are written with `postcard`: fields in their order, numbers as short as they are. A change here needs a new
//! version of the form and a step that leads to it (`schema`).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What there is one of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The number of the next record.
    pub(crate) next: u64,
    /// The history's own clock, in seconds since it began.
    pub(crate) age_s: u64,
    /// The machine's clock when that was last moved.
    pub(crate) clock_ns: Option<i64>,
    /// When the history began.
    pub(crate) began_ns: Option<i64>,
    /// What was told last.
    pub(crate) latest_ns: Option<i64>,
    /// Rows and their bytes, per table in the order of `desk::TABLES`.
    pub(crate) sizes: Vec<Size>,
    /// Records that were deleted because there was no room.
    pub(crate) crowded_out: u64,
    /// Records that were deleted because they were old.
    pub(crate) aged_out: u64,
}

/// How much is in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// First, last, how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpanRow {
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    pub(crate) times: u64,
    /// The history's age when it was last seen.
    pub(crate) age_s: u64,
    /// The number that the next record had then: what was told later has a higher one.
    pub(crate) order: u64,
}

/// A door: kind, port, namespace and address are its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DoorRow {
    pub(crate) span: SpanRow,
}

/// A server that answered: address, transport and port are its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerRow {
    pub(crate) span: SpanRow,
}

/// Who held a door: the pair is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldRow {
    pub(crate) span: SpanRow,
    /// The process that was seen last.
    pub(crate) pid: u32,
}

/// Somebody who held doors: the hash of what tells it from others is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HolderRow {
    pub(crate) span: SpanRow,
    pub(crate) program: String,
    pub(crate) exe: Option<String>,
    /// `present`, `deleted`, `replaced`, `memfd`, as an index of these.
    pub(crate) exe_state: u8,
    /// As it was given, the beginning of it.
    pub(crate) command_line: String,
    pub(crate) uid: Option<u32>,
    pub(crate) user: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) package: Option<String>,
}

/// A port number: transport and port are the key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct PortRow {
    /// A socket waited there.
    pub(crate) held: Option<SpanRow>,
    /// A server answered there, on the wire.
    pub(crate) served: Option<SpanRow>,
    /// Somebody knocked, and nobody answered.
    pub(crate) knocked: Option<SpanRow>,
}

/// Flows of one hour, transport, port and protocol, which are the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlowRow {
    pub(crate) span: SpanRow,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Hashes of different clients, up to a bound.
    pub(crate) clients: Vec<u32>,
    /// Some of the clients.
    pub(crate) some_clients: Vec<IpAddr>,
}

/// A finding: code and what it is about are hashed into the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FindingRow {
    pub(crate) span: SpanRow,
    pub(crate) code: String,
    pub(crate) about: String,
    pub(crate) severity: u8,
    pub(crate) confidence: u8,
    pub(crate) title: String,
    /// What it rests on, each with where that was seen.
    pub(crate) evidence: Vec<(String, String)>,
    pub(crate) next_step: String,
    pub(crate) state: FindingStateRow,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FindingStateRow {
    Open { since_ns: i64 },
    Acknowledged { at_ns: i64, by: String, reason: String, until_ns: Option<i64> },
    Resolved { at_ns: i64 },
}

/// A session: where it is known from and its identity are hashed into the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRow {
    pub(crate) span: SpanRow,
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) destinations: Vec<String>,
    pub(crate) ended_ns: Option<i64>,
}

/// A stream: its synchronisation source and first leg are hashed into the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamRow {
    pub(crate) span: SpanRow,
    pub(crate) ssrc: u32,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) format: String,
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    pub(crate) faults: u64,
}

/// What could not be seen: all of it is hashed into the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GapRow {
    pub(crate) span: SpanRow,
    /// When it was last put among the records.
    pub(crate) told_s: u64,
}

/// A day on which something was told; the day is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DayRow {
    pub(crate) commits: u64,
}

/// Something that happened, in the order in which it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRow {
    pub(crate) at_ns: i64,
    pub(crate) age_s: u64,
    pub(crate) what: WhatRow,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WhatRow {
    Socket(SocketRow),
    Touch(TouchRow),
    Gap { area: String, reason: String, what: String, count: Option<u64> },
    Finding { key: [u8; 16], change: u8, port: Option<[u8; 3]> },
    Session { key: [u8; 16], ended: bool },
    Stream { key: [u8; 16] },
}

/// Something happened to a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SocketRow {
    /// `bound`, `auto_bound`, `listening`, `closed`, as an index of these.
    pub(crate) happened: u8,
    /// Whether the kernel told us; else two looks differ.
    pub(crate) kernel: bool,
    pub(crate) kind: u8,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) netns: String,
    pub(crate) uid: Option<u32>,
    pub(crate) pid: Option<u32>,
    pub(crate) holder: Option<[u8; 8]>,
    pub(crate) cgroup: Option<String>,
    pub(crate) lived_ns: Option<u64>,
}

/// Somebody came to a decoy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TouchRow {
    pub(crate) transport: u8,
    pub(crate) peer: IpAddr,
    pub(crate) peer_port: u16,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) netns: String,
    pub(crate) level: String,
    pub(crate) connected: bool,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) first_bytes: Vec<u8>,
    pub(crate) recognised: Option<String>,
    pub(crate) lasted_ns: u64,
}
