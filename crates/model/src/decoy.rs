//! What came to a port where nobody is, and what a decoy did with it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use crate::assignment::Transport;
use crate::protocol::{Protocol, Recognised};
use crate::time::{Timestamp, Utc};

/// How a decoy behaves towards whoever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecoyLevel {
    /// Nothing is answered: the machine behaves as without a decoy.
    Observe,
    /// Connections are accepted, and their first bytes are kept. Datagrams are kept and never answered.
    Accept,
    /// As accepted, and greeted as a server of this protocol would.
    Greet(&'static Protocol),
}

impl DecoyLevel {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            DecoyLevel::Observe => "observe",
            DecoyLevel::Accept => "accept",
            DecoyLevel::Greet(_) => "greet",
        }
    }
}

/// Somebody came to a decoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoyTouch {
    /// When it began.
    pub at: Timestamp<Utc>,
    /// Over what.
    pub transport: Transport,
    /// Who came.
    pub peer: SocketAddr,
    /// To where.
    pub local: SocketAddr,
    /// The inode number of the network namespace.
    pub netns: u32,
    /// How the decoy behaved.
    pub level: DecoyLevel,
    /// Whether a connection came about: not so where only a SYN was seen, nor for datagrams.
    pub connected: bool,
    /// How many bytes came.
    pub received_bytes: u64,
    /// How many bytes were sent back.
    pub sent_bytes: u64,
    /// The first bytes that came, as far as they are kept.
    pub first_bytes: Vec<u8>,
    /// What those bytes say.
    pub recognised: Option<Recognised>,
    /// How long it lasted, in nanoseconds.
    pub lasted_ns: u64,
}

/// Everything that one source did at a decoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who came.
    pub source: IpAddr,
    /// The inode number of the network namespace.
    pub netns: u32,
    /// When it came first.
    pub first: Timestamp<Utc>,
    /// When it came last.
    pub last: Timestamp<Utc>,
    /// Over TCP.
    pub tcp: PortTally,
    /// Over UDP.
    pub udp: PortTally,
    /// How many connections came about.
    pub connections: u64,
    /// How many bytes it sent.
    pub received_bytes: u64,
    /// Of its touches, so many were counted and nothing else is known of them.
    pub only_counted: u64,
    /// What it spoke, most often first.
    pub spoken: Vec<Spoken>,
    /// The touch that says most.
    pub example: Option<Box<DecoyTouch>>,
}

impl Visit {
    /// How many touches there were.
    pub fn touches(&self) -> u64 {
        self.tcp.touches.saturating_add(self.udp.touches)
    }

    /// How many different ports it came to, by transport and number.
    pub fn ports(&self) -> u32 {
        self.tcp.ports.saturating_add(self.udp.ports)
    }
}

/// The ports of one transport that a source came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortTally {
    /// How often it came.
    pub touches: u64,
    /// To how many different ports; at least, where `more` says so.
    pub ports: u32,
    /// Whether there may be more that were not kept apart.
    pub more: bool,
    /// The lowest.
    pub lowest: u16,
    /// The highest.
    pub highest: u16,
    /// The first few that it came to, in that order.
    pub some: Vec<u16>,
    /// All of them as ranges, lowest first; no more than 256.
    pub ranges: Vec<RangeInclusive<u16>>,
}

/// A protocol that a source spoke to a decoy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Which.
    pub protocol: &'static Protocol,
    /// How often.
    pub times: u64,
    /// The first port where it did.
    pub port: u16,
    /// Over what.
    pub transport: Transport,
}
