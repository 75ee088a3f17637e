//! What happened to a socket: bound, listening, closed; by whom, and when.

use alloc::{string::String, sync::Arc};
use core::net::SocketAddr;

use crate::process::Process;
use crate::seen::Seen;
use crate::socket::{Family, Kind};
use crate::time::{Timestamp, Utc};

/// What happened to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happened {
    /// A process bound it to an address and port (bind(2)).
    Bound,
    /// The kernel chose a port for it, at its first datagram or at listen(2).
    AutoBound,
    /// It waits for peers (listen(2)).
    Listening,
    /// It waits no more: closed by its last holder, or with it.
    Closed,
}

impl Happened {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Happened::Bound => "bound",
            Happened::AutoBound => "auto_bound",
            Happened::Listening => "listening",
            Happened::Closed => "closed",
        }
    }
}

/// How we know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Witness {
    /// The kernel told us as it happened.
    Kernel,
    /// Two looks differ: the time is that of the second, and what came and went between them is not known.
    Looks,
}

impl Witness {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Witness::Kernel => "kernel",
            Witness::Looks => "looks",
        }
    }
}

/// Something happened to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEvent {
    /// When.
    pub at: Timestamp<Utc>,
    /// What.
    pub happened: Happened,
    /// How we know.
    pub witness: Witness,
    /// What kind of socket.
    pub kind: Kind,
    /// Its address family.
    pub family: Family,
    /// Its own address and port.
    pub local: SocketAddr,
    /// The index, in its namespace, of the interface that it is bound to, if to one.
    pub interface: Option<u32>,
    /// The inode number of its network namespace; 0 where that is not known.
    pub netns: u32,
    /// The kernel's name for the socket, unique until the machine starts anew; 0 where that is not known.
    pub cookie: u64,
    /// The user whose process did it.
    pub uid: Option<u32>,
    /// The process that did it, as it was then; it may be gone by now. At the end: who had begun it, where we saw that.
    pub holder: Seen<Arc<Process>>,
    /// The thread that did it, where that is known.
    pub tid: Option<u32>,
    /// The control group that it ran in, below the root of the hierarchy.
    pub cgroup: Option<String>,
    /// How long it had been bound or listening, in nanoseconds; only at the end, where we saw the beginning.
    pub lived_ns: Option<u64>,
}

/// How much was seen and how much was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventCounts {
    /// Events that were told.
    pub seen: u64,
    /// Events that happened and that there was no room for.
    pub lost: u64,
    /// Sockets whose end we may not be able to connect with their beginning, because too many were open.
    pub forgotten: u64,
}
