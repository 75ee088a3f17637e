//! Who has which socket open, by the best means that this machine allows: our kernel program, else /proc.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use model::{Family, Holder, How, Interface, Kind, Reason, Scope, Socket, State, Views};
use rustc_hash::FxHashSet;
use wire::holder_record::{Open, Record, Wanted};
use wire::sock_diag::{family, state};

use super::bpf::{LoadError, Walker};
use super::{proc_fd, sockets};

/// Finds holders, and keeps the kernel program loaded between looks.
#[derive(Debug, Default)]
pub struct Holders {
    walker: Option<Result<Walker, LoadError>>,
}

/// Who had which socket open at one moment.
#[derive(Debug, Clone)]
pub struct Held {
    /// Socket inode and holder, in order.
    entries: Vec<(u64, Holder)>,
    /// Socket inode and state, in order; only from a walk of the kernel program.
    states: Vec<(u64, u8)>,
    /// The sockets themselves; only from a walk of the kernel program with details.
    open: Vec<Open>,
    /// Every process that the walk saw.
    pub tasks: Vec<Task>,
    /// How many processes did not let us read what they have open.
    pub refused: u64,
    /// How we know.
    pub how: How,
    /// Why the kernel program was not used.
    pub fallback: Option<Reason>,
    /// The network namespaces in which a stream socket is bound and nothing else; `None` where the walk cannot tell.
    pub bound_in: Option<FxHashSet<u32>>,
}

/// A process, as the walk saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub pid: u32,
    /// Its network namespace; `None` where the walk does not tell.
    pub netns: Option<u32>,
    /// Its short name, filled up with zeros; all zeros where the walk does not tell.
    pub comm: [u8; 16],
}

impl Holders {
    /// Walks every descriptor table that we may read.
    pub fn walk(&mut self, wanted: Wanted) -> Held {
        match self.walk_in_kernel(wanted) {
            Ok(held) => held,
            Err(reason) => {
                let walk = proc_fd::walk(|_| true);
                let tasks = walk.pids.iter().map(|pid| Task { pid: *pid, netns: None, comm: [0; 16] });
                Held {
                    entries: sorted(walk.links.iter().map(by_link).collect()),
                    states: Vec::new(),
                    open: Vec::new(),
                    tasks: tasks.collect(),
                    refused: walk.refused,
                    how: How::ProcFd,
                    fallback: Some(reason),
                    bound_in: None,
                }
            }
        }
    }

    fn walk_in_kernel(&mut self, wanted: Wanted) -> Result<Held, Reason> {
        const STREAM: u8 = 1;
        let loaded = self.walker.get_or_insert_with(Walker::load);
        let walker = loaded.as_mut().map_err(|error| error.reason())?;
        let records = walker.walk(wanted).map_err(|error| error.reason())?;
        let mut entries = Vec::with_capacity(records.size_hint().1.unwrap_or(0));
        let mut states = Vec::with_capacity(entries.capacity());
        let (mut open, mut tasks) = (Vec::new(), Vec::new());
        let mut bound_in = FxHashSet::default();
        for record in records {
            match record {
                Record::Task(task) => {
                    tasks.push(Task { pid: task.pid, netns: Some(task.netns), comm: task.comm });
                }
                Record::Open(socket) => {
                    let tid = (socket.tid != socket.pid).then_some(socket.tid);
                    let how = How::BpfIterator;
                    entries.push((socket.inode, Holder { pid: socket.pid, tid, fd: Some(socket.fd), how }));
                    states.push((socket.inode, socket.state));
                    if socket.kind == STREAM && socket.state == state::CLOSE {
                        bound_in.insert(socket.netns);
                    }
                    if wanted.details {
                        open.push(socket);
                    }
                }
            }
        }
        let entries = sorted(entries);
        states.sort_unstable();
        let (how, bound_in) = (How::BpfIterator, Some(bound_in));
        Ok(Held { entries, states, open, tasks, refused: 0, how, fallback: None, bound_in })
    }
}

#[cfg(test)]
impl Held {
    /// A walk that never was.
    pub fn made_up(entries: Vec<(u64, Holder)>, open: Vec<Open>, how: How, refused: u64) -> Held {
        let fallback = (how != How::BpfIterator).then_some(Reason::NotSupported);
        let entries = sorted(entries);
        Held { entries, states: Vec::new(), open, tasks: Vec::new(), refused, how, fallback, bound_in: None }
    }
}

impl Held {
    /// What the processes have open that /proc shows and the kernel program did not: started meanwhile, or kept from
    /// it; and how many of them did not let us look.
    pub fn untold(&self) -> (Vec<(u64, Holder)>, u64) {
        if self.how != How::BpfIterator {
            return (Vec::new(), self.refused);
        }
        let told: FxHashSet<u32> = self.tasks.iter().map(|task| task.pid).collect();
        let untold = proc_fd::walk(|pid| !told.contains(&pid));
        (untold.links.iter().map(by_link).collect(), untold.refused)
    }
}

fn by_link(link: &proc_fd::Link) -> (u64, Holder) {
    (link.inode, Holder { pid: link.pid, tid: None, fd: Some(link.fd), how: How::ProcFd })
}

fn sorted(mut entries: Vec<(u64, Holder)>) -> Vec<(u64, Holder)> {
    entries.sort_unstable_by_key(|(inode, holder)| (*inode, holder.pid, holder.tid, holder.fd));
    entries
}

impl Held {
    /// Every socket inode with one holder of it, in order of inode and PID.
    pub fn entries(&self) -> &[(u64, Holder)] {
        &self.entries
    }

    /// What the kernel program saw of these sockets, each once. Only a walk with details tells all of it.
    pub fn open(&self, inodes: &FxHashSet<u64>) -> impl Iterator<Item = &Open> {
        let mut seen = FxHashSet::default();
        self.open.iter().filter(move |open| inodes.contains(&open.inode) && seen.insert(open.inode))
    }

    /// Whether the same processes have the same sockets open, in the same states and namespaces.
    pub fn same_sockets(&self, other: &Held) -> bool {
        let namespaces =
            |held: &Held| held.tasks.iter().filter_map(|task| task.netns).collect::<FxHashSet<u32>>();
        self.entries == other.entries && self.states == other.states && namespaces(self) == namespaces(other)
    }

    /// The network namespace of the kernel's own threads, which is the one that the machine began with.
    pub fn of_kernel_threads(&self) -> Option<u32> {
        self.task(2).filter(|task| task.comm.starts_with(b"kthreadd\0"))?.netns
    }

    /// What the walk saw of this process.
    pub fn task(&self, pid: u32) -> Option<&Task> {
        self.tasks.iter().find(|task| task.pid == pid)
    }
}

/// The socket that a record of the kernel program describes; `None` for what is nobody's port.
pub fn socket_of(open: &Open) -> Option<Socket> {
    let packet = open.family == u16::from(family::PACKET);
    const RAW: u8 = 3;
    let kind = match (open.protocol, open.kind) {
        _ if packet => Kind::Packet,
        (_, RAW) => Kind::Raw,
        (6, _) => Kind::Tcp,
        (262, _) => Kind::Mptcp,
        (17, _) => Kind::Udp,
        (136, _) => Kind::UdpLite,
        (132, _) => Kind::Sctp,
        (33, _) => Kind::Dccp,
        _ => return None,
    };
    let v6 = open.family == u16::from(family::INET6);
    let [a, b, c, d, ..] = open.address;
    let ip = match (packet, v6) {
        (true, _) => model::socket::unspecified(false),
        (_, true) => IpAddr::V6(Ipv6Addr::from(open.address)),
        (_, false) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
    };
    let stream = matches!(kind, Kind::Tcp | Kind::Mptcp | Kind::Sctp | Kind::Dccp);
    let state = match kind {
        Kind::Packet => State::Listening,
        Kind::Raw => sockets::state_from(false, true, open.state, open.port, false)?,
        _ => sockets::state_from(stream, false, open.state, open.port, open.peer_port != 0)?,
    };
    let interface = (open.interface != 0).then(|| Box::new(Interface { index: open.interface, name: None }));
    Some(Socket {
        kind,
        family: match (packet, v6) {
            (true, _) => Family::Link,
            (_, true) => Family::V6,
            (_, false) => Family::V4,
        },
        local: SocketAddr::new(ip, open.port),
        peer: None,
        state,
        scope: match (packet, &interface) {
            (true, Some(_)) => Scope::Link,
            (true, None) => Scope::Any,
            (false, _) => Scope::of(ip, interface.is_some(), false),
        },
        interface,
        netns: open.netns,
        inode: open.inode,
        cookie: open.cookie,
        uid: None,
        queued: None,
        backlog: None,
        holders: Vec::new(),
        holders_missing: None,
        activation: None,
        seen_by: Views::BPF,
        hidden_from: Views::default(),
    })
}
