//! Everything one look at a machine gave.

use alloc::{sync::Arc, vec::Vec};

use crate::gap::Gap;
use crate::machine::{Forward, Machine, Namespace};
use crate::process::Process;
use crate::socket::{Socket, State, Views};
use crate::time::{Timestamp, Utc};

/// One look at a machine.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When.
    pub taken: Timestamp<Utc>,
    /// Where.
    pub machine: Machine,
    /// Its network namespaces, our own first.
    pub namespaces: Vec<Namespace>,
    /// Every socket, ordered by kind, port, address and namespace.
    pub sockets: Vec<Socket>,
    /// Every process that holds one, in order of PID. Shared between snapshots while nothing changed.
    pub processes: Vec<Arc<Process>>,
    /// Ports published without a socket.
    pub forwards: Vec<Forward>,
    /// The ways of looking that worked.
    pub views: Views,
    /// Where we could not look.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Whether two looks show the same, whenever each was.
    pub fn shows_the_same(&self, other: &Snapshot) -> bool {
        let Snapshot { taken: _, machine, namespaces, sockets, processes, forwards, views, gaps } = self;
        *views == other.views
            && *machine == other.machine
            && *namespaces == other.namespaces
            && *sockets == other.sockets
            && *processes == other.processes
            && *forwards == other.forwards
            && *gaps == other.gaps
    }

    /// The process with this number, if it holds a socket.
    pub fn process(&self, pid: u32) -> Option<&Arc<Process>> {
        let index = self.processes.binary_search_by_key(&pid, |process| process.pid).ok()?;
        self.processes.get(index)
    }

    /// Whether the kernel may have chosen this port in that namespace: by the namespace's own rules, and where they are
    /// not known by the range that Linux begins with.
    pub fn may_give_out(&self, netns: u32, port: u16) -> bool {
        let rules = self.namespace(netns).and_then(|namespace| namespace.rules.value());
        rules.map_or((32_768..=60_999).contains(&port), |rules| rules.gives_out(port))
    }

    /// Whether a socket comes and goes with one conversation: a client's, on a port that the kernel chose, or what is
    /// left of a connection that is over (RFC 9293 §3.3.2, TIME-WAIT).
    pub fn is_passing(&self, socket: &Socket) -> bool {
        let chosen = || socket.port().is_some_and(|port| self.may_give_out(socket.netns, port));
        !socket.is_listener() && (socket.state == State::Closing || chosen())
    }

    /// The namespace with this inode number.
    pub fn namespace(&self, inode: u32) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.inode == inode)
    }
}
