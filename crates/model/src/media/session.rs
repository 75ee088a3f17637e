//! Sessions: uses of ports that were agreed beforehand.

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use super::format::{Format, Ratio};
use crate::time::{Timestamp, Utc};

/// RTP has seven bits for it (RFC 3550 §5.1).
const LAST_PAYLOAD_TYPE: u8 = 127;

/// How we know of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SessionSource {
    /// An SDP file, by its name.
    File(String),
    /// A SAP announcement, by who announced it. Anybody can: it is worth less than the others.
    Sap(IpAddr),
    /// An RTSP negotiation with this server, seen or made.
    Rtsp(SocketAddr),
    /// An NMOS sender or receiver, by the address of the API and its id.
    Nmos {
        /// The API.
        api: String,
        /// The resource's id.
        id: String,
    },
    /// A line of policy, by the name people can find it by (`policy.toml:12`).
    Policy(String),
}

impl SessionSource {
    /// The word used in output.
    pub fn word(&self) -> &'static str {
        match self {
            SessionSource::File(_) => "sdp",
            SessionSource::Sap(_) => "sap",
            SessionSource::Rtsp(_) => "rtsp",
            SessionSource::Nmos { .. } => "nmos",
            SessionSource::Policy(_) => "policy",
        }
    }
}

/// Who may send on a leg (RFC 4570).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sources {
    /// Anybody.
    Any,
    /// Only these.
    Only(Vec<IpAddr>),
    /// All but these.
    AllBut(Vec<IpAddr>),
}

impl Sources {
    /// Whether this one may send.
    pub fn allows(&self, source: IpAddr) -> bool {
        match self {
            Sources::Any => true,
            Sources::Only(list) => list.contains(&source),
            Sources::AllBut(list) => !list.contains(&source),
        }
    }
}

/// What the sender's clock follows (RFC 7273 §4, ST 2110-10:2022 §8.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReferenceClock {
    /// PTP with this grandmaster, as 16 upper-case hexadecimal digits in pairs, and domain.
    Ptp {
        /// The profile's version: `IEEE1588-2008`.
        version: String,
        /// The grandmaster; `None` for a traceable one.
        grandmaster: Option<[u8; 8]>,
        /// The domain, where said.
        domain: Option<u8>,
    },
    /// The sender's own clock, by its MAC address.
    LocalMac([u8; 6]),
    /// Something else, as it was said.
    Other(String),
}

/// How the RTP clock hangs on the reference (RFC 7273 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaClock {
    /// Locked to the reference, with this offset in ticks, and where said a rate other than nominal.
    Direct {
        /// Ticks.
        offset: u64,
        /// What the nominal rate is multiplied with.
        rate: Option<Ratio>,
    },
    /// The sender's own.
    Sender,
}

/// One way on which the packets of a session come: one, or two with ST 2022-7.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Leg {
    /// Where the packets go.
    pub destination: SocketAddr,
    /// Who may send them.
    pub sources: Sources,
    /// Where RTCP goes: the next port, unless said otherwise (RFC 3550 §11, RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// Time to live of multicast, where said.
    pub ttl: Option<u8>,
}

/// A use of ports that was agreed beforehand: one medium, on one leg or more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    /// Its name. Strangers choose it.
    pub name: String,
    /// What tells it from others of the same source: the `o=` line without its version and the medium's place, an NMOS id.
    pub identity: String,
    /// How we know of it.
    pub source: SessionSource,
    /// What it carries: the formats that are allowed, the preferred one first.
    pub formats: Vec<Format>,
    /// Where it goes.
    pub legs: Vec<Leg>,
    /// What the clock follows, where said.
    pub reference: Option<ReferenceClock>,
    /// How the RTP clock hangs on it, where said.
    pub media_clock: Option<MediaClock>,
    /// When it was first and last heard of; `None` for a document without a time.
    pub first: Option<Timestamp<Utc>>,
    /// When it was last heard of.
    pub last: Option<Timestamp<Utc>>,
    /// When it was withdrawn or timed out.
    pub ended: Option<Timestamp<Utc>>,
}

impl Session {
    /// The leg that packets to this destination belong to.
    pub fn leg_to(&self, destination: SocketAddr) -> Option<usize> {
        self.legs.iter().position(|leg| leg.destination == destination)
    }

    /// The format with this payload type; one whose number was not said fits any.
    pub fn format(&self, payload_type: u8) -> Option<&Format> {
        let not_said = |format: &&Format| format.payload_type > LAST_PAYLOAD_TYPE;
        self.formats
            .iter()
            .find(|format| format.payload_type == payload_type)
            .or_else(|| self.formats.iter().find(not_said))
    }
}
