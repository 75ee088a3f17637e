//! Whose flow it is: the sockets of this machine that the two ends of a flow belong to, and how well they fit.
//!
//! Sockets that are gone are remembered for a while, so that a flow whose process ended before we looked again still
//! has its holder, if any look ever saw it. Two network namespaces may use the same addresses and ports, so the sockets
//! of the one that is watched come first, and what only fits by its port counts for the addresses of its own namespace.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::{Family, MatchQuality, Process, Reason, Snapshot, Socket, State, Transport};

/// How many sockets that are gone are remembered.
const MOST_GONE: usize = 65_536;

/// Who has one end of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// How well the socket fits.
    pub quality: MatchQuality,
    /// The processes that hold it, as they were when it was seen.
    pub holders: Vec<Arc<Process>>,
    /// Why there are none, or may be more.
    pub missing: Option<Reason>,
}

/// Both ends of a connection as a socket names them: its own, then its peer's.
type Pair = (Transport, SocketAddr, SocketAddr);

/// The sockets of this machine, now and a while ago.
#[derive(Debug, Default)]
pub struct Owners {
    /// The network namespace that is watched; `None` for the one that we run in.
    watched: Option<u32>,
    /// The same, once a look has told which one is ours.
    home: u32,
    connected: HashMap<Pair, Arc<Owner>>,
    waiting: HashMap<(Transport, u16), Vec<Waiting>>,
    gone: HashMap<Pair, Arc<Owner>>,
    /// The keys of `gone`, the oldest first.
    order: VecDeque<Pair>,
    /// The addresses of this machine, each with its namespace.
    local: HashSet<(u32, IpAddr)>,
}

#[derive(Debug)]
struct Waiting {
    netns: u32,
    address: IpAddr,
    family: Family,
    owner: Arc<Owner>,
}

/// Addresses as they stand in packets: a v4-mapped one is IPv4, and a zone is no part of it.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Owners {
    /// For flows of the network namespace with this inode number; `None` for the one that we run in.
    pub fn of_namespace(watched: Option<u32>) -> Owners {
        Owners { watched, ..Owners::default() }
    }

    /// Takes over another look. `local` are the addresses of the namespace that is watched, as far as they are known.
    pub fn update(&mut self, snapshot: &Snapshot, local: impl IntoIterator<Item = IpAddr>) {
        let ours = snapshot.namespaces.iter().find(|namespace| namespace.own);
        self.home = self.watched.or(ours.map(|namespace| namespace.inode)).unwrap_or_default();
        let home = self.home;
        self.local.extend(local.into_iter().map(|address| (home, address)));
        let before = std::mem::take(&mut self.connected);
        self.waiting.clear();
        for socket in &snapshot.sockets {
            let Some(transport) = socket.kind.transport() else { continue };
            let address = socket.local.ip().to_canonical();
            let elsewhere = socket.netns != home;
            if address.is_loopback() && elsewhere {
                // What stays within another namespace is not on a wire that we see.
                continue;
            }
            if !address.is_unspecified() && !address.is_multicast() {
                self.local.insert((socket.netns, address));
            }
            match socket.peer {
                // What is left of a closed connection has no holder any more; who had it is remembered.
                Some(_) if socket.holders.is_empty() && socket.state == State::Closing => {}
                Some(peer) => {
                    let pair = (transport, plain(socket.local), plain(peer));
                    let exact = || Arc::new(owner(snapshot, socket, MatchQuality::Exact));
                    if elsewhere {
                        self.connected.entry(pair).or_insert_with(exact);
                    } else {
                        self.connected.insert(pair, exact());
                    }
                }
                None => {
                    let quality = if address.is_unspecified() {
                        MatchQuality::Wildcard
                    } else {
                        MatchQuality::Listener
                    };
                    let owner = Arc::new(owner(snapshot, socket, quality));
                    let waiting = Waiting { netns: socket.netns, address, family: socket.family, owner };
                    self.waiting.entry((transport, socket.local.port())).or_default().push(waiting);
                }
            }
        }
        for (pair, owner) in before {
            if !self.connected.contains_key(&pair) && !owner.holders.is_empty() {
                self.remember(pair, &owner);
            }
        }
    }

    fn remember(&mut self, pair: Pair, owner: &Owner) {
        let gone = Owner { quality: MatchQuality::Gone, ..owner.clone() };
        if self.gone.insert(pair, Arc::new(gone)).is_none() {
            self.order.push_back(pair);
        }
        while self.order.len() > MOST_GONE {
            if let Some(oldest) = self.order.pop_front() {
                self.gone.remove(&oldest);
            }
        }
    }

    /// Who has the `own` end of a flow; `None` where it is not an end of this machine.
    pub fn of(&self, transport: Transport, own: SocketAddr, peer: SocketAddr) -> Option<Arc<Owner>> {
        let pair = (transport, plain(own), plain(peer));
        if let Some(exact) = self.connected.get(&pair) {
            return Some(Arc::clone(exact));
        }
        if let Some(gone) = self.gone.get(&pair) {
            return Some(Arc::clone(gone));
        }
        let own = plain(own);
        let candidates = self.waiting.get(&(transport, own.port())).map(Vec::as_slice).unwrap_or_default();
        let fits = |waiting: &&Waiting| {
            waiting.address == own.ip()
                || waiting.address.is_unspecified()
                    && (self.local.contains(&(waiting.netns, own.ip()))
                        || own.ip().is_multicast() && waiting.netns == self.home)
                    && match waiting.family {
                        Family::V4 => own.is_ipv4(),
                        Family::V6 => own.is_ipv6(),
                        Family::Dual => true,
                        Family::Link => false,
                    }
        };
        // The most special address wins, as it does in the kernel.
        let rank = |waiting: &&Waiting| (waiting.netns != self.home, waiting.address.is_unspecified());
        let best = candidates.iter().filter(fits).min_by_key(rank);
        if let Some(best) = best {
            return Some(Arc::clone(&best.owner));
        }
        if !self.local.contains(&(self.home, own.ip())) {
            return None;
        }
        Some(Arc::new(Owner {
            quality: MatchQuality::None,
            holders: Vec::new(),
            missing: Some(Reason::Exited),
        }))
    }
}

fn owner(snapshot: &Snapshot, socket: &Socket, quality: MatchQuality) -> Owner {
    let mut holders: Vec<Arc<Process>> = Vec::new();
    for holder in &socket.holders {
        if let Some(process) = snapshot.process(holder.pid)
            && !holders.iter().any(|known| known.pid == process.pid)
        {
            holders.push(Arc::clone(process));
        }
    }
    Owner { quality, holders, missing: socket.holders_missing }
}

#[cfg(test)]
mod tests {
    use model::{Kind, Machine, Namespace, Scope, Seen, Timestamp, Views};

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn socket(local: &str, peer: Option<&str>, family: Family, pid: u32) -> Socket {
        Socket {
            kind: Kind::Tcp,
            family,
            local: at(local),
            peer: peer.map(at),
            state: if peer.is_some() { State::Established } else { State::Listening },
            scope: Scope::Any,
            interface: None,
            netns: 1,
            inode: 1,
            cookie: 1,
            uid: None,
            queued: None,
            backlog: None,
            holders: vec![model::Holder { pid, tid: None, fd: None, how: model::How::ProcFd }],
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG,
            hidden_from: Views::default(),
        }
    }

    fn process(pid: u32) -> Process {
        Process {
            pid,
            comm: String::new(),
            started: Seen::Absent,
            exe: Seen::Absent,
            cmdline: Seen::Absent,
            cwd: Seen::Absent,
            user: Seen::Absent,
            capabilities: Seen::Absent,
            parents: Vec::new(),
            unit: Seen::Absent,
            container: Seen::Absent,
            package: Seen::Absent,
            hidden_from_proc: false,
            preload: Seen::Absent,
        }
    }

    fn snapshot(sockets: Vec<Socket>) -> Snapshot {
        let mut processes: Vec<Arc<Process>> = sockets
            .iter()
            .flat_map(|socket| &socket.holders)
            .map(|holder| Arc::new(process(holder.pid)))
            .collect();
        processes.sort_by_key(|process| process.pid);
        Snapshot {
            taken: Timestamp::from_ns(0),
            machine: Machine::default(),
            namespaces: vec![Namespace {
                inode: 1,
                name: String::from("host"),
                own: true,
                pid: None,
                entered: true,
                rules: Seen::Absent,
            }],
            sockets,
            processes,
            forwards: Vec::new(),
            views: Views::SOCK_DIAG,
            gaps: Vec::new(),
        }
    }

    fn found(owners: &Owners, own: &str, peer: &str) -> Option<(MatchQuality, Vec<u32>)> {
        let owner = owners.of(Transport::Tcp, at(own), at(peer))?;
        Some((owner.quality, owner.holders.iter().map(|process| process.pid).collect()))
    }

    #[test]
    fn the_most_special_socket_owns_the_flow() {
        let mut owners = Owners::default();
        let look = snapshot(vec![
            socket("0.0.0.0:80", None, Family::V4, 10),
            socket("192.0.2.1:80", None, Family::V4, 11),
            socket("[::]:443", None, Family::Dual, 12),
            socket("[::ffff:192.0.2.1]:80", Some("[::ffff:198.51.100.7]:5000"), Family::V6, 13),
        ]);
        owners.update(&look, ["192.0.2.2".parse().unwrap()]);
        let peer = "198.51.100.7:5000";
        assert_eq!(found(&owners, "192.0.2.1:80", peer), Some((MatchQuality::Exact, vec![13])));
        assert_eq!(
            found(&owners, "192.0.2.1:80", "198.51.100.7:5001"),
            Some((MatchQuality::Listener, vec![11]))
        );
        assert_eq!(found(&owners, "192.0.2.2:80", peer), Some((MatchQuality::Wildcard, vec![10])));
        assert_eq!(found(&owners, "192.0.2.2:443", peer), Some((MatchQuality::Wildcard, vec![12])));
        // Another machine's port 80 is not ours, and a port of ours that nobody has is said to have nobody.
        assert_eq!(found(&owners, "203.0.113.9:80", peer), None);
        assert_eq!(found(&owners, "192.0.2.2:81", peer), Some((MatchQuality::None, vec![])));
    }

    #[test]
    fn the_same_port_in_another_namespace_is_another_port() {
        let elsewhere = |local: &str, peer: Option<&str>, pid| Socket {
            netns: 2,
            ..socket(local, peer, Family::V4, pid)
        };
        let sockets = vec![
            elsewhere("0.0.0.0:80", None, 20),
            elsewhere("10.0.0.2:81", None, 21),
            elsewhere("127.0.0.1:82", None, 22),
            elsewhere("10.0.0.2:5000", Some("192.0.2.2:80"), 23),
            elsewhere("127.0.0.1:5001", Some("127.0.0.1:80"), 24),
            socket("0.0.0.0:80", None, Family::V4, 10),
            socket("127.0.0.1:5001", Some("127.0.0.1:80"), Family::V4, 11),
        ];
        let mut owners = Owners::default();
        owners.update(&snapshot(sockets.clone()), ["192.0.2.2".parse().unwrap()]);
        let peer = "198.51.100.7:5000";
        assert_eq!(found(&owners, "192.0.2.2:80", peer), Some((MatchQuality::Wildcard, vec![10])));
        // A neighbour on a virtual cable is on our wire: its address tells whose socket it is.
        assert_eq!(found(&owners, "10.0.0.2:80", peer), Some((MatchQuality::Wildcard, vec![20])));
        assert_eq!(found(&owners, "10.0.0.2:81", peer), Some((MatchQuality::Listener, vec![21])));
        assert_eq!(found(&owners, "10.0.0.2:5000", "192.0.2.2:80"), Some((MatchQuality::Exact, vec![23])));
        assert_eq!(found(&owners, "127.0.0.1:5001", "127.0.0.1:80"), Some((MatchQuality::Exact, vec![11])));
        assert_eq!(found(&owners, "127.0.0.1:82", peer), Some((MatchQuality::None, vec![])));
        // From inside of the other one it is the other way round.
        let mut owners = Owners::of_namespace(Some(2));
        owners.update(&snapshot(sockets), []);
        assert_eq!(found(&owners, "10.0.0.2:80", peer), Some((MatchQuality::Wildcard, vec![20])));
        assert_eq!(found(&owners, "127.0.0.1:82", peer), Some((MatchQuality::Listener, vec![22])));
        assert_eq!(found(&owners, "127.0.0.1:5001", "127.0.0.1:80"), Some((MatchQuality::Exact, vec![24])));
    }

    #[test]
    fn a_socket_that_is_gone_is_remembered() {
        let mut owners = Owners::default();
        let peer = "198.51.100.7:443";
        owners.update(&snapshot(vec![socket("192.0.2.1:4000", Some(peer), Family::V4, 10)]), []);
        let mut waits = socket("192.0.2.1:4000", Some(peer), Family::V4, 10);
        waits.holders.clear();
        waits.state = State::Closing;
        owners.update(&snapshot(vec![waits]), []);
        assert_eq!(found(&owners, "192.0.2.1:4000", peer), Some((MatchQuality::Gone, vec![10])));
        for port in 0..=u16::MAX {
            let own = format!("192.0.2.3:{port}");
            owners.update(&snapshot(vec![socket(&own, Some(peer), Family::V4, 11)]), []);
        }
        owners.update(&snapshot(Vec::new()), []);
        assert_eq!(owners.gone.len(), MOST_GONE);
        assert_eq!(found(&owners, "192.0.2.1:4000", peer), Some((MatchQuality::None, vec![])));
    }
}
