//! What is answered: types for strangers, which travel as JSON and are no rows of the file.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::fault::StoreError;
use crate::moment::Moment;

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Everything about one port number.
    Port(PortHistory),
    /// What happened.
    Records(Records),
    /// Findings.
    Findings(Findings),
    /// One finding: asked for, or as it is now after a change.
    Finding(FindingRecord),
    /// Use of port numbers.
    Usage(Usage),
    /// What servers spoke.
    Spoken(Spoken),
    /// How much there is.
    Statistics(Statistics),
}

/// First, last, how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// When first.
    pub first: Moment,
    /// When last.
    pub last: Moment,
    /// How often.
    pub times: u64,
}

/// For how long somebody watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// When the history begins; null where it is empty.
    pub since: Option<Moment>,
    /// What was told last.
    pub latest: Option<Moment>,
    /// Different days on which something was told.
    pub days: u32,
}

/// Everything about one port number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortHistory {
    /// The number.
    pub port: u16,
    /// For how long somebody watched: what is not here was not seen in that time.
    pub watched: Watched,
    /// Its use, per transport; a transport that was never seen is not here.
    pub used: Vec<PortUse>,
    /// The doors with that number, the one seen last first.
    pub doors: Vec<DoorHistory>,
    /// Flows to that number, per transport and protocol.
    pub flows: Vec<FlowHistory>,
    /// Findings about it.
    pub findings: Vec<FindingRecord>,
    /// What happened, the latest first.
    pub records: Records,
}

/// The use of a port number over one transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortUse {
    /// The number.
    pub port: u16,
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub transport: String,
    /// A socket was bound to it.
    pub held: Option<Span>,
    /// A server answered there, on the wire.
    pub served: Option<Span>,
    /// Somebody knocked, and nobody answered.
    pub knocked: Option<Span>,
}

/// Where somebody waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DoorHistory {
    /// The kind of socket.
    pub kind: String,
    /// Its address.
    pub address: IpAddr,
    /// The namespace: empty for our own, `another` where it has no lasting name.
    pub netns: String,
    /// When it was seen.
    pub seen: Span,
    /// Who held it, the one seen last first.
    pub holders: Vec<HolderHistory>,
}

/// Who held a door, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HolderHistory {
    /// When.
    pub seen: Span,
    /// The process that was seen last.
    pub pid: u32,
    /// Who.
    pub holder: HolderName,
}

/// A program as it was started, whichever process ran it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HolderName {
    /// The name of the program.
    pub program: String,
    /// Its executable.
    pub exe: Option<String>,
    /// `present`, `deleted`, `replaced` or `memfd`.
    pub exe_state: String,
    /// How it was called; the beginning of it.
    pub command_line: String,
    /// User number.
    pub uid: Option<u32>,
    /// Account name.
    pub user: Option<String>,
    /// The systemd unit.
    pub unit: Option<String>,
    /// Runtime and name of the container.
    pub container: Option<String>,
    /// The container's image.
    pub image: Option<String>,
    /// The package that owns the executable.
    pub package: Option<String>,
}

/// Flows to one port number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowHistory {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub transport: String,
    /// What the bytes said; null where nothing decided.
    pub protocol: Option<String>,
    /// The first and the last packet, and how many flows.
    pub seen: Span,
    /// Packets both ways.
    pub packets: u64,
    /// Bytes both ways.
    pub bytes: u64,
    /// Different clients in one hour, at least.
    pub clients: u64,
    /// Some of the clients.
    pub some_clients: Vec<IpAddr>,
}

/// A page of what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// The latest first.
    pub records: Vec<Record>,
    /// What to ask for as `before` to see the next page; null where this is the last.
    pub next: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number: the order in which things were told.
    pub number: u64,
    /// When it happened.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum What {
    /// To a socket.
    Socket(Box<SocketRecord>),
    /// At a decoy.
    Touch(TouchRecord),
    /// Something could not be seen, or was lost.
    Gap(GapRecord),
    /// A finding changed.
    Finding {
        /// `opened`, `reopened`, `acknowledged`, `resolved` or `expired`.
        change: String,
        /// Its id.
        id: String,
        /// Its code; null where it is not kept any more.
        code: Option<String>,
        /// Its title.
        title: Option<String>,
    },
    /// A session began or ended.
    Session(SessionRecord),
    /// A stream began.
    Stream(StreamRecord),
}

impl What {
    /// Every kind of record.
    pub const NAMES: [&str; 6] = ["socket", "touch", "gap", "finding", "session", "stream"];

    /// The kind, as it is called in output.
    pub fn name(&self) -> &'static str {
        match self {
            What::Socket(_) => "socket",
            What::Touch(_) => "touch",
            What::Gap(_) => "gap",
            What::Finding { .. } => "finding",
            What::Session(_) => "session",
            What::Stream(_) => "stream",
        }
    }
}

/// Something happened to a socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SocketRecord {
    /// `bound`, `auto_bound`, `listening` or `closed`.
    pub happened: String,
    /// `kernel`, or `looks` where two looks differ.
    pub witness: String,
    /// The kind of socket.
    pub kind: String,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The namespace: empty for our own, `another` where it has no lasting name.
    pub netns: String,
    /// The user whose process it was.
    pub uid: Option<u32>,
    /// The process.
    pub pid: Option<u32>,
    /// Who; null where that was not seen, or is not kept any more.
    pub holder: Option<HolderName>,
    /// Its control group.
    pub cgroup: Option<String>,
    /// How long it had been there, in nanoseconds.
    pub lived_ns: Option<u64>,
}

/// Somebody came to a decoy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TouchRecord {
    /// `tcp` or `udp`.
    pub transport: String,
    /// Who came.
    pub peer: IpAddr,
    /// From which port.
    pub peer_port: u16,
    /// To where.
    pub address: IpAddr,
    /// To which port.
    pub port: u16,
    /// The namespace.
    pub netns: String,
    /// `observe`, `accept` or `greet`.
    pub level: String,
    /// Whether a connection came about.
    pub connected: bool,
    /// Bytes that came.
    pub received_bytes: u64,
    /// Bytes that were sent back.
    pub sent_bytes: u64,
    /// The first bytes, as hexadecimal digits.
    pub first_bytes: String,
    /// What they say.
    pub recognised: Option<String>,
    /// How long it lasted, in nanoseconds.
    pub lasted_ns: u64,
}

/// Something could not be seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GapRecord {
    /// The kind of thing.
    pub area: String,
    /// Why.
    pub reason: String,
    /// What exactly.
    pub what: String,
    /// How many things this hides.
    pub count: Option<u64>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionRecord {
    /// Whether it ended; else it began.
    pub ended: bool,
    /// Its name.
    pub name: String,
    /// How it is known.
    pub source: String,
    /// Where it goes.
    pub destinations: Vec<String>,
}

/// A stream, as it was measured last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StreamRecord {
    /// The synchronisation source.
    pub ssrc: u32,
    /// Who sends.
    pub source: String,
    /// Where to.
    pub destination: String,
    /// What it carries.
    pub format: String,
    /// Packets of the first leg.
    pub packets: u64,
    /// Packets of it that never came.
    pub lost: u64,
    /// How often it broke a rule.
    pub faults: u64,
    /// When it was seen.
    pub seen: Option<Span>,
}

/// Findings, gravest first, then the one seen last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// The page.
    pub findings: Vec<FindingRecord>,
    /// How many there are in all that fit.
    pub total: u64,
}

/// A finding, over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FindingRecord {
    /// What people type.
    pub id: String,
    /// Which judgement.
    pub code: String,
    /// What it is about.
    pub about: String,
    /// `note`, `warning` or `alert`.
    pub severity: String,
    /// `low`, `medium` or `high`.
    pub confidence: String,
    /// One sentence with the particulars.
    pub title: String,
    /// What it rests on.
    pub evidence: Vec<Fact>,
    /// What to do next.
    pub next_step: String,
    /// When it was seen.
    pub seen: Span,
    /// What became of it.
    pub state: FindingState,
    /// Since when.
    pub state_since: Moment,
    /// Who accepted it, where somebody did.
    pub acknowledged: Option<Acknowledged>,
}

/// One fact that a judgement rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What was seen.
    pub fact: String,
    /// Where.
    pub source: String,
}

/// Who accepted a finding, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when; null until somebody reopens it.
    pub until: Option<Moment>,
}

/// Use of port numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// For how long somebody watched: a number that is not here was not seen in that time.
    pub watched: Watched,
    /// The numbers that were used, by transport and number.
    pub ports: Vec<PortUse>,
}

/// What servers spoke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// By transport, number and protocol.
    pub ports: Vec<PortSpoken>,
}

/// A protocol that was spoken by a server at a port number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortSpoken {
    /// The number.
    pub port: u16,
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub transport: String,
    /// What the bytes said.
    pub protocol: String,
    /// The last packet.
    pub last: Moment,
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// The file.
    pub file: String,
    /// Its length.
    pub file_bytes: u64,
    /// How long it may become.
    pub most_bytes: u64,
    /// For how long somebody watched.
    pub watched: Watched,
    /// The history's age by its own clock, in seconds.
    pub age_seconds: u64,
    /// Records ever.
    pub records_ever: u64,
    /// Rows that went because they were old.
    pub aged_out: u64,
    /// Rows that went because there was no room.
    pub crowded_out: u64,
    /// Each table.
    pub tables: Vec<TableSize>,
}

/// How much is in a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// It was seen, and nobody decided.
    Open,
    /// Somebody accepted it, with a reason.
    Acknowledged,
    /// It is not there any more.
    Resolved,
}

impl FindingState {
    /// Every state.
    pub const ALL: [FindingState; 3] =
        [FindingState::Open, FindingState::Acknowledged, FindingState::Resolved];

    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            FindingState::Open => "open",
            FindingState::Acknowledged => "acknowledged",
            FindingState::Resolved => "resolved",
        }
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whose fault.
    pub kind: RefusalKind,
    /// In a sentence.
    pub text: String,
}

/// Whose fault it is that a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The question is wrong: no such finding, or several.
    Asked,
    /// There is no history.
    Absent,
    /// The history could not be read or written.
    Failed,
}

impl Refusal {
    pub(crate) fn asked(text: impl Into<String>) -> Refusal {
        Refusal { kind: RefusalKind::Asked, text: text.into() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        let kind = match error {
            StoreError::Absent { .. } => RefusalKind::Absent,
            _ => RefusalKind::Failed,
        };
        Refusal { kind, text: error.to_string() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
