//! Empty ports that tell who comes: what to ask for, what comes, and what is covered.
//!
//! On Linux a kernel program tells of every packet to a port that nobody has, and can lead it to one socket of ours. It
//! goes with the descriptors of whoever opened it, however that process ends. Elsewhere, or without the privilege, plain
//! sockets wait on a few ports. Nothing here begins a connection.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
pub(crate) mod plain;
mod ports;
mod prefix;
mod visitor;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use model::{Gap, Timestamp, Transport, Utc};

#[cfg(not(target_os = "linux"))]
pub use self::elsewhere::Decoy;
pub use self::ports::PortSet;
pub use self::prefix::Prefix;
pub use self::visitor::Visitor;
#[cfg(target_os = "linux")]
pub use crate::linux::decoy::Decoy;

/// The most sockets that plain ways open.
pub const MOST_PLAIN: usize = 256;

/// What to cover. The default is nothing: give it ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoyRequest {
    /// Ports of TCP.
    pub tcp: PortSet,
    /// Ports of UDP.
    pub udp: PortSet,
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
    /// Whether connections and datagrams are taken; without it the kernel refuses them as ever, and they are only seen.
    pub answer: bool,
    /// Sources that find the machine as it is without a decoy.
    pub excluded: Vec<Prefix>,
    /// The network namespace: a name of `ip netns` or Docker, a PID, or a path; `None` is ours.
    pub netns: Option<String>,
    /// Which ways may be tried.
    pub ways: Ways,
}

impl Default for DecoyRequest {
    fn default() -> Self {
        DecoyRequest {
            tcp: PortSet::default(),
            udp: PortSet::default(),
            v4: true,
            v6: true,
            answer: false,
            excluded: Vec::new(),
            netns: None,
            ways: Ways::Any,
        }
    }
}

/// Which ways may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ways {
    /// The kernel's, and where that cannot be had, plain sockets.
    #[default]
    Any,
    /// The kernel's alone.
    Kernel,
    /// Plain sockets.
    Plain,
}

/// How ports are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// A kernel program sees every packet to a port that nobody has.
    Kernel,
    /// A socket waits on each port.
    Plain,
}

impl Way {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Way::Kernel => "kernel",
            Way::Plain => "plain",
        }
    }
}

/// What is covered now, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// How.
    pub way: Way,
    /// The inode number of the network namespace; 0 where there is no such thing.
    pub netns: u32,
    /// Ports of TCP that are watched over; of these, some may have a holder now.
    pub tcp: PortSet,
    /// The same for UDP.
    pub udp: PortSet,
    /// Those of TCP that somebody has: nothing of theirs is touched.
    pub held_tcp: PortSet,
    /// The same for UDP.
    pub held_udp: PortSet,
    /// Ports that were asked for and that the kernel may give to anybody at any time.
    pub ephemeral: PortSet,
    /// What is not seen, and why.
    pub gaps: Vec<Gap>,
}

/// Somebody came.
#[derive(Debug)]
pub enum Knock<'a> {
    /// A packet for a port that nobody has.
    Packet {
        /// When.
        at: Timestamp<Utc>,
        /// Over what.
        transport: Transport,
        /// From where.
        peer: SocketAddr,
        /// To where.
        local: SocketAddr,
        /// Whether it was led to a socket of ours: a connection may come of it.
        answered: bool,
    },
    /// A connection. It ends when this is dropped.
    Connection(Visitor),
    /// A datagram.
    Datagram {
        /// When.
        at: Timestamp<Utc>,
        /// From where.
        peer: SocketAddr,
        /// To where.
        local: SocketAddr,
        /// Its first bytes.
        bytes: &'a [u8],
        /// How many it had.
        whole_bytes: usize,
    },
}

/// What became of packets to the ports, since the decoy was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnockCounts {
    /// Packets that were told of, and datagrams and connections of plain sockets.
    pub seen: u64,
    /// Packets that came and that there was no room to tell of.
    pub lost: u64,
    /// Packets to ports that somebody has: let through.
    pub passed: u64,
    /// Packets of sources that are excluded.
    pub excluded: u64,
}

/// Why a decoy cannot be opened.
#[derive(Debug)]
pub enum DecoyError {
    /// No port is left of those that were asked for.
    NoPort(String),
    /// The system refuses; what was wanted, and what would allow it.
    NoPermission(String),
    /// This system or kernel has no such means.
    NotSupported(String),
    /// No network namespace has this name.
    NoNamespace(String),
    /// Plain sockets are bounded, and this many were wanted; and why there is no better way, if one was.
    TooMany(usize, Option<String>),
    /// The system refused something else.
    Refused(&'static str, io::Error),
}

impl fmt::Display for DecoyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecoyError::NoPort(why) => write!(f, "no port is left to cover: {why}"),
            DecoyError::NoPermission(what) => write!(f, "{what}"),
            DecoyError::NotSupported(what) => write!(f, "{what}"),
            DecoyError::NoNamespace(name) => {
                write!(f, "no network namespace is named {name:?}; see `ip netns`")
            }
            DecoyError::TooMany(count, why) => {
                if let Some(why) = why {
                    write!(f, "{why}; and ")?;
                }
                write!(
                    f,
                    "there are at most {MOST_PLAIN} plain sockets, and {count} are wanted: name fewer ports, or run as \
                     root on Linux, where one kernel program covers them all"
                )
            }
            DecoyError::Refused(what, error) => write!(f, "the system refused to {what}: {error}"),
        }
    }
}

impl std::error::Error for DecoyError {}

/// Ports as people read them: `1-79,81-1023`, `none`.
pub fn words(ranges: &[RangeInclusive<u16>]) -> String {
    if ranges.is_empty() {
        return String::from("none");
    }
    let word = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    ranges.iter().map(word).collect::<Vec<_>>().join(",")
}
