//! Who has which socket open, by the best means that this machine allows: our kernel program, else /proc.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use model::{Family, Holder, How, Interface, Kind, Reason, Scope, Socket, State, Views};
use rustc_hash::FxHashSet;
use wire::holder_record::{Open, Wanted};
use wire::sock_diag::{family, state};

use super::bpf::{LoadError, Walk, Walker};
use super::{proc_fd, sockets};

/// Finds holders, and keeps the kernel program loaded between looks.
#[derive(Debug, Default)]
pub struct Holders {
    walker: Option<Result<Walker, LoadError>>,
}

/// Who had which socket open at one moment.
#[derive(Debug)]
pub struct Held {
    /// Socket inode and holder, in order.
    entries: Vec<(u64, Holder)>,
    /// The sockets themselves, where the kernel program saw them.
    open: Vec<Open>,
    /// Every process: PID, network namespace (0 where not told), short name (empty where not told).
    pub tasks: Vec<Task>,
    /// How many processes did not let us read what they have open.
    pub refused: u64,
    /// How we know.
    pub how: How,
    /// Why the kernel program was not used.
    pub fallback: Option<Reason>,
}

/// A process, as the walk saw it.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its number.
    pub pid: u32,
    /// Its network namespace; `None` where the walk does not tell.
    pub netns: Option<u32>,
    /// Its short name; `None` where the walk does not tell.
    pub comm: Option<String>,
}

impl Holders {
    /// Walks every descriptor table that we may read.
    pub fn walk(&mut self, wanted: Wanted) -> Held {
        let loaded = self.walker.get_or_insert_with(Walker::load);
        let walk = match loaded {
            Ok(walker) => walker.walk(wanted).map_err(|error| error.reason()),
            Err(error) => Err(error.reason()),
        };
        match walk {
            Ok(walk) => from_kernel(walk),
            Err(reason) => {
                let walk = proc_fd::walk(|_| true);
                let tasks = walk.pids.iter().map(|pid| Task { pid: *pid, netns: None, comm: None });
                Held {
                    entries: sorted(walk.links.iter().map(by_link)),
                    open: Vec::new(),
                    tasks: tasks.collect(),
                    refused: walk.refused,
                    how: How::ProcFd,
                    fallback: Some(reason),
                }
            }
        }
    }
}

fn from_kernel(walk: Walk) -> Held {
    let told: FxHashSet<u32> = walk.tasks.iter().map(|task| task.pid).collect();
    // Processes that /proc shows and the kernel program does not: started meanwhile, or kept from it.
    let untold = proc_fd::walk(|pid| !told.contains(&pid));
    let by_record = walk.open.iter().map(|open| {
        let tid = (open.tid != open.pid).then_some(open.tid);
        (open.inode, Holder { pid: open.pid, tid, fd: Some(open.fd), how: How::BpfIterator })
    });
    let entries = sorted(by_record.chain(untold.links.iter().map(by_link)));
    let tasks = walk.tasks.iter().map(|task| {
        let comm = task.comm.split(|byte| *byte == 0).next().unwrap_or_default();
        let comm = String::from_utf8_lossy(comm).into_owned();
        Task { pid: task.pid, netns: Some(task.netns), comm: Some(comm) }
    });
    Held {
        entries,
        tasks: tasks.collect(),
        open: walk.open,
        refused: untold.refused,
        how: How::BpfIterator,
        fallback: None,
    }
}

fn by_link(link: &proc_fd::Link) -> (u64, Holder) {
    (link.inode, Holder { pid: link.pid, tid: None, fd: Some(link.fd), how: How::ProcFd })
}

fn sorted(entries: impl Iterator<Item = (u64, Holder)>) -> Vec<(u64, Holder)> {
    let mut entries: Vec<_> = entries.collect();
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

    /// Whether a stream socket may be bound and nothing else.
    pub fn may_have_bound(&self) -> bool {
        const STREAM: u8 = 1;
        self.fallback.is_some()
            || self.open.iter().any(|open| open.kind == STREAM && open.state == state::CLOSE)
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
