//! Datagrams received, each with the time of its arrival: what to ask for, and what came.

use std::net::{IpAddr, SocketAddr};

use model::{Timestamp, Utc};

#[cfg(target_os = "linux")]
pub use crate::linux::receive::Receiver;
#[cfg(not(target_os = "linux"))]
pub use crate::plain::Receiver;

/// What to receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveRequest {
    /// The group, or an address of this machine, and the port.
    pub destination: SocketAddr,
    /// Whom a group is joined for; empty for everybody (RFC 3376 §5).
    pub sources: Vec<IpAddr>,
    /// Which interface a group is joined on, by name; the routing table chooses where this is `None`.
    pub interface: Option<String>,
    /// How many bytes the system may keep until they are read.
    pub buffer_bytes: usize,
}

impl ReceiveRequest {
    /// From everybody, with room for four frames of 1080p.
    pub fn at(destination: SocketAddr) -> ReceiveRequest {
        ReceiveRequest { destination, sources: Vec::new(), interface: None, buffer_bytes: 64 << 20 }
    }
}

/// Who says when a datagram arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StampSource {
    /// The interface itself.
    Interface,
    /// The kernel, when the interface's driver gave it the packet.
    Kernel,
    /// This program, when it read the packet.
    Program,
}

impl StampSource {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            StampSource::Interface => "interface",
            StampSource::Kernel => "kernel",
            StampSource::Program => "program",
        }
    }
}

/// One datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// What was sent.
    pub bytes: &'a [u8],
    /// Who sent it.
    pub from: SocketAddr,
    /// When it arrived, by the system's clock.
    pub time: Timestamp<Utc>,
    /// Who says so.
    pub stamp: StampSource,
    /// How many nanoseconds the interface's own clock shows, where it stamps. Which scale that is, it does not say.
    pub interface_ns: Option<i64>,
    /// The datagram was longer than our room for it.
    pub truncated: bool,
}

/// What became of datagrams since the socket was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiveCounts {
    /// Datagrams that were handed out.
    pub received: u64,
    /// Datagrams that the system dropped because nobody read them in time.
    pub dropped: u64,
}
