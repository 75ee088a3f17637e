//! What was on the wire: services, flows, scans, beacons, and how much of it all was seen.

use alloc::{format, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use crate::assignment::Transport;
use crate::finding::Subject;
use crate::gap::Gap;
use crate::media::Media;
use crate::protocol::Recognised;
use crate::time::{Timestamp, Utc};

/// Packets and bytes, each way. Bytes are of whole IP packets as they were on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Packets from the client.
    pub client_packets: u64,
    /// Packets from the server.
    pub server_packets: u64,
    /// Bytes from the client.
    pub client_bytes: u64,
    /// Bytes from the server.
    pub server_bytes: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Tally) {
        self.client_packets = self.client_packets.saturating_add(other.client_packets);
        self.server_packets = self.server_packets.saturating_add(other.server_packets);
        self.client_bytes = self.client_bytes.saturating_add(other.client_bytes);
        self.server_bytes = self.server_bytes.saturating_add(other.server_bytes);
    }

    /// Packets both ways.
    pub fn packets(&self) -> u64 {
        self.client_packets.saturating_add(self.server_packets)
    }

    /// Bytes both ways.
    pub fn bytes(&self) -> u64 {
        self.client_bytes.saturating_add(self.server_bytes)
    }
}

/// How we know which side is the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// The opening was seen: a SYN, or a SYN and its answer.
    Opened,
    /// The bytes of one side say that it serves.
    Spoken,
    /// Who sent first is taken for the client.
    FirstSeen,
}

impl Direction {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Opened => "opened",
            Direction::Spoken => "spoken",
            Direction::FirstSeen => "first_seen",
        }
    }
}

/// What came of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowState {
    /// A SYN without an answer.
    Unanswered,
    /// The server refused: RST to the SYN, or an ICMP error.
    Refused,
    /// Open, or nothing was seen that ended it.
    Open,
    /// Both sides said FIN.
    Closed,
    /// One side said RST after the opening.
    Reset,
    /// Nothing came for longer than the time-out.
    TimedOut,
}

impl FlowState {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            FlowState::Unanswered => "unanswered",
            FlowState::Refused => "refused",
            FlowState::Open => "open",
            FlowState::Closed => "closed",
            FlowState::Reset => "reset",
            FlowState::TimedOut => "timed_out",
        }
    }
}

/// Packets between two endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// The client.
    pub client: SocketAddr,
    /// The server.
    pub server: SocketAddr,
    /// How we know which is which.
    pub direction: Direction,
    /// What came of it.
    pub state: FlowState,
    /// How much.
    pub tally: Tally,
    /// The first packet, in the capture's time; `None` where the capture has no times.
    pub first: Option<Timestamp<Utc>>,
    /// The last packet.
    pub last: Option<Timestamp<Utc>>,
    /// The number of its first frame in the capture, from 1.
    pub frame: u64,
    /// What its bytes say.
    pub recognised: Recognised,
    /// The outermost VLAN, if any.
    pub vlan: Option<u16>,
    /// The innermost tunnel it came in: `vxlan 42`; empty without one.
    pub tunnel: String,
    /// Time to live or hop limit of the client's first packet.
    pub ttl: u8,
    /// Differentiated services code point of the client's first packet (RFC 2474).
    pub dscp: u8,
    /// ICMP errors that quote the flow.
    pub icmp_errors: u32,
    /// Segments that came again.
    pub retransmissions: u32,
    /// Bytes that never came, as far as reassembly looked.
    pub missing_bytes: u64,
    /// Community ID, version 1.
    pub community_id: String,
}

/// What one server endpoint was seen to speak: flows of one server, port and recognised protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The server.
    pub server: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// What the bytes say: of the flow that says most.
    pub recognised: Recognised,
    /// The weakest knowledge of who the server is, over its flows.
    pub direction: Direction,
    /// Whether the server ever answered with more than a refusal.
    pub answered: bool,
    /// Flows.
    pub flows: u64,
    /// How much.
    pub tally: Tally,
    /// The first packet.
    pub first: Option<Timestamp<Utc>>,
    /// The last packet.
    pub last: Option<Timestamp<Utc>>,
    /// Different clients, at least.
    pub clients: u64,
    /// Some of the clients, the earliest first.
    pub some_clients: Vec<IpAddr>,
    /// Numbers of frames that show it, counted from 1: the first of the flow that says most, and few others.
    pub frames: Vec<u64>,
}

/// What a scan looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScanKind {
    /// Many ports of one address.
    Vertical,
    /// One port of many addresses.
    Horizontal,
    /// Many ports of many addresses.
    Block,
}

impl ScanKind {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            ScanKind::Vertical => "vertical",
            ScanKind::Horizontal => "horizontal",
            ScanKind::Block => "block",
        }
    }
}

/// One source that knocks at many doors: one row, however many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Who knocks.
    pub source: IpAddr,
    /// What for.
    pub kind: ScanKind,
    /// The transport.
    pub transport: Transport,
    /// Probes: flows without conversation.
    pub probes: u64,
    /// Different addresses, about.
    pub addresses: u64,
    /// Different ports, about.
    pub ports: u64,
    /// Probes that were answered as an open port answers.
    pub open: u64,
    /// Probes that were refused.
    pub refused: u64,
    /// One of the addresses, and the lowest and the highest port.
    pub example: IpAddr,
    /// The lowest port.
    pub lowest_port: u16,
    /// The highest port.
    pub highest_port: u16,
    /// The first probe.
    pub first: Option<Timestamp<Utc>>,
    /// The last probe.
    pub last: Option<Timestamp<Utc>>,
    /// The number of the first frame.
    pub frame: u64,
}

/// Knocks at one port where nobody spoke: unanswered or refused, whoever it was and wherever it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// The transport.
    pub transport: Transport,
    /// The port that was knocked at.
    pub port: u16,
    /// Flows that ended at the door.
    pub flows: u64,
    /// How many of them were refused; the others were not answered.
    pub refused: u64,
    /// Different sources, about.
    pub sources: u64,
    /// Who knocked first.
    pub example_source: IpAddr,
    /// Where.
    pub example_target: IpAddr,
    /// The first knock.
    pub first: Option<Timestamp<Utc>>,
    /// The last knock.
    pub last: Option<Timestamp<Utc>>,
    /// The number of the first frame.
    pub frame: u64,
}

/// Connections that come as regularly as only a machine makes them. Scores run from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Beacon {
    /// Who calls.
    pub client: IpAddr,
    /// Who is called.
    pub server: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// Connections that were opened; failed ones are not counted.
    pub connections: u64,
    /// The median interval between them, in nanoseconds.
    pub interval_ns: i64,
    /// How evenly the connections follow each other: symmetry and spread of the intervals.
    pub interval_score: f64,
    /// How alike the amounts are that the client sends.
    pub size_score: f64,
    /// How much of the observed time they cover, and without a gap.
    pub duration_score: f64,
    /// How evenly they fill equal parts of the observed time.
    pub histogram_score: f64,
    /// The mean of the four.
    pub score: f64,
    /// The first connection.
    pub first: Option<Timestamp<Utc>>,
    /// The last connection.
    pub last: Option<Timestamp<Utc>>,
    /// The number of its first frame.
    pub frame: u64,
}

/// Bytes that are not what they claim, counted by kind: one row per layer and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireFault {
    /// Which layer: `ipv4`, `tcp`, `pcapng`.
    pub layer: &'static str,
    /// What is wrong, with the clause it breaks.
    pub what: &'static str,
    /// How often.
    pub count: u64,
    /// The first frame that shows it, counted from 1; 0 where the capture file itself is at fault.
    pub frame: u64,
    /// Offset in bytes: from the start of that frame, or of the file.
    pub at: u64,
}

/// What somebody wrote into a capture beside its packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The capture.
    pub source: String,
    /// What it is about.
    pub place: CommentPlace,
    /// What it says, in the words of whoever wrote it.
    pub text: String,
}

/// What a comment in a capture is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentPlace {
    /// The file, or a section of it.
    Section,
    /// An interface, by its number in the file.
    Interface(u32),
    /// A packet, by its number in the file, counted from 1.
    Packet(u64),
}

impl CommentPlace {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            CommentPlace::Section => "section",
            CommentPlace::Interface(_) => "interface",
            CommentPlace::Packet(_) => "packet",
        }
    }

    /// Its number, where it has one.
    pub fn number(self) -> Option<u64> {
        match self {
            CommentPlace::Section => None,
            CommentPlace::Interface(number) => Some(u64::from(number)),
            CommentPlace::Packet(number) => Some(number),
        }
    }
}

/// How much was seen, and how much was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Frames read.
    pub frames: u64,
    /// Bytes of them, as they were on the wire.
    pub wire_bytes: u64,
    /// Frames that a filter left out.
    pub filtered: u64,
    /// Frames that the kernel or the capturing program dropped, as far as it said.
    pub dropped: u64,
    /// Frames without IP: ARP, LLDP, PTP over Ethernet.
    pub not_ip: u64,
    /// Of those, frames that are encrypted on the link: MACsec, 802.11.
    pub encrypted: u64,
    /// Packets of protocols without ports: ICMP, IGMP, ESP.
    pub portless: u64,
    /// Frames that are not what they claim, so that no flow could be told.
    pub damaged: u64,
    /// IP fragments that went into a whole packet, or whose others never came.
    pub fragments: u64,
    /// Frames that were cut short by the snap length.
    pub cut: u64,
    /// Packets that were put together from IP fragments.
    pub reassembled: u64,
    /// Flows of every kind, one-packet flows and probes included.
    pub flows: u64,
    /// Flows that were not kept one by one because memory is bounded.
    pub flows_merged: u64,
}

/// What was on the wire of one capture, live or read from a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Traffic {
    /// What was read: file names or interfaces.
    pub sources: Vec<String>,
    /// How much.
    pub volume: Volume,
    /// The first frame's time.
    pub first: Option<Timestamp<Utc>>,
    /// The last frame's time.
    pub last: Option<Timestamp<Utc>>,
    /// Per server endpoint and protocol, in order of server, transport and port.
    pub services: Vec<Service>,
    /// One row per source that scans.
    pub scans: Vec<Scan>,
    /// Connections that look like a beacon, the highest score first.
    pub beacons: Vec<Beacon>,
    /// Ports that were knocked at and where nobody spoke, in order of transport and port.
    pub touches: Vec<Touch>,
    /// Media: what was agreed, and what came.
    pub media: Media,
    /// Bytes that are not what they claim.
    pub faults: Vec<WireFault>,
    /// Link types that we do not read, and how many frames of each.
    pub unread_links: Vec<(u16, u64)>,
    /// What people wrote into the captures, in order.
    pub comments: Vec<Comment>,
    /// How many more comments there were.
    pub comments_left_out: u64,
    /// What could not be looked at, and what bounds left out.
    pub gaps: Vec<Gap>,
}

impl Traffic {
    /// What a finding is about, in a few words: `192.0.2.1:420/tcp`; `None` where it is nothing of the wire.
    pub fn subject_name(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Service(index) => {
                let service = self.services.get(*index)?;
                Some(format!("{}/{}", service.server, service.transport.name()))
            }
            Subject::Scan(index) => {
                let scan = self.scans.get(*index)?;
                Some(format!("{} scan over {} by {}", scan.kind.name(), scan.transport.name(), scan.source))
            }
            Subject::Beacon(index) => {
                let beacon = self.beacons.get(*index)?;
                Some(format!("{} to {}/{}", beacon.client, beacon.server, beacon.transport.name()))
            }
            Subject::Touch(index) => {
                let touch = self.touches.get(*index)?;
                Some(format!("{}/{}", touch.port, touch.transport.name()))
            }
            Subject::Capture => Some(match self.sources.as_slice() {
                [] => String::from("the capture"),
                sources => sources.join(", "),
            }),
            Subject::Socket(_) | Subject::Forward(_) | Subject::Entry(_) | Subject::Visitor(_) => None,
            // What media is called, media knows.
            Subject::Session(_) | Subject::Stream(_) | Subject::Group(_) | Subject::Clock(_) => None,
        }
    }
}

/// How well a flow fits a socket of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchQuality {
    /// No socket of this machine fits.
    None,
    /// Only the port and transport fit: the address is of another namespace or was translated.
    Port,
    /// A socket that waits on every address of the machine fits.
    Wildcard,
    /// A socket that waits on this very address fits.
    Listener,
    /// A socket that was there at an earlier look and is gone now.
    Gone,
    /// Both endpoints are those of a connected socket.
    Exact,
}

impl MatchQuality {
    /// The token used in output.
    pub fn name(self) -> &'static str {
        match self {
            MatchQuality::None => "none",
            MatchQuality::Port => "port",
            MatchQuality::Wildcard => "wildcard",
            MatchQuality::Listener => "listener",
            MatchQuality::Gone => "gone",
            MatchQuality::Exact => "exact",
        }
    }
}
