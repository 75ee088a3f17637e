//! The sockets that are open: so that each beginning is told once, and each end with what was known of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;

use model::{
    Family, Happened, Kind, Process, Reason, Seen, Snapshot, Socket, SocketEvent, State, Timestamp, Utc,
    Witness,
};

/// More sockets are not kept in mind: their events are told, and their ends without what only the beginning shows.
const MOST_SOCKETS: usize = 1 << 18;

/// What names a socket: the kernel's cookie, or its address where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Cookie(u64),
    Address(Kind, u32, SocketAddr),
}

/// A moment on the system clock, and on one that is never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp<Utc>,
    pub(crate) steady_ns: u64,
}

/// What an event tells of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) family: Family,
    pub(crate) local: SocketAddr,
    pub(crate) interface: Option<u32>,
    pub(crate) netns: u32,
    pub(crate) cookie: u64,
    pub(crate) uid: Option<u32>,
    pub(crate) holder: Seen<Arc<Process>>,
    pub(crate) tid: Option<u32>,
    pub(crate) cgroup: Option<Arc<str>>,
}

impl Told {
    pub(crate) fn name(&self) -> Name {
        match self.cookie {
            0 => Name::Address(self.kind, self.netns, self.local),
            cookie => Name::Cookie(cookie),
        }
    }

    /// What a snapshot tells of a socket.
    pub(crate) fn of(socket: &Socket, snapshot: &Snapshot) -> Told {
        let missing = socket.holders_missing.unwrap_or(Reason::Unknown);
        let holder = socket.holders.first().and_then(|holder| snapshot.process(holder.pid));
        Told {
            kind: socket.kind,
            family: socket.family,
            local: socket.local,
            interface: socket.interface.as_ref().map(|interface| interface.index),
            netns: socket.netns,
            cookie: socket.cookie,
            uid: socket.uid,
            holder: holder.map_or(Seen::Hidden(missing), |process| Seen::Value(Arc::clone(process))),
            tid: socket.holders.first().and_then(|holder| holder.tid),
            cgroup: None,
        }
    }

    fn event(self, happened: Happened, witness: Witness, at: Timestamp<Utc>) -> SocketEvent {
        SocketEvent {
            at,
            happened,
            witness,
            kind: self.kind,
            family: self.family,
            local: self.local,
            interface: self.interface,
            netns: self.netns,
            cookie: self.cookie,
            uid: self.uid,
            holder: self.holder,
            tid: self.tid,
            cgroup: self.cgroup.as_deref().map(str::to_owned),
            lived_ns: None,
        }
    }
}

#[derive(Debug)]
struct Open {
    told: Told,
    since: Option<Moment>,
    listening: bool,
}

/// The sockets that are open, as far as events and snapshots tell.
#[derive(Debug, Default)]
pub(crate) struct Table {
    open: HashMap<Name, Open>,
    /// How many events were told.
    pub(crate) told: u64,
    /// How many sockets there was no room for.
    pub(crate) forgotten: u64,
}

/// Whether a snapshot's socket is one whose beginning is an event.
pub(crate) fn is_event(socket: &Socket) -> bool {
    matches!(socket.state, State::Listening | State::Bound) && socket.kind.transport().is_some()
}

fn is_listening(socket: &Socket) -> bool {
    socket.state == State::Listening && is_stream(socket.kind)
}

/// Whether this kind of socket listens, besides being bound.
fn is_stream(kind: Kind) -> bool {
    !matches!(kind, Kind::Udp | Kind::UdpLite)
}

impl Table {
    /// Takes in what a snapshot shows.
    pub(crate) fn reconcile(&mut self, snapshot: &Snapshot) {
        for socket in snapshot.sockets.iter().filter(|socket| is_event(socket)) {
            let told = Told::of(socket, snapshot);
            let name = told.name();
            let listening = is_listening(socket);
            match self.open.get_mut(&name) {
                Some(open) => {
                    // What an event told of its holder is nearer to the beginning.
                    if open.told.holder.value().is_none() && told.holder.value().is_some() {
                        open.told.holder = told.holder;
                    }
                }
                None => self.keep(name, Open { told, since: None, listening }),
            }
        }
    }

    fn keep(&mut self, name: Name, open: Open) {
        if self.open.len() < MOST_SOCKETS {
            self.open.insert(name, open);
        } else {
            self.forgotten += 1;
        }
    }

    /// Whether this socket is known to be open.
    pub(crate) fn knows(&self, name: &Name) -> bool {
        self.open.contains_key(name)
    }

    /// The names of the open sockets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.open.keys()
    }

    /// A socket was bound or listens; gives the event if that is news.
    pub(crate) fn begin(
        &mut self,
        happened: Happened,
        witness: Witness,
        moment: Moment,
        told: Told,
    ) -> Option<SocketEvent> {
        let name = told.name();
        let listening = happened == Happened::Listening;
        match self.open.entry(name) {
            Entry::Vacant(_) => {
                self.keep(name, Open { told: told.clone(), since: Some(moment), listening });
            }
            Entry::Occupied(mut entry) => {
                let open = entry.get_mut();
                // A port that the kernel chose at bind(2) is seen again at the first datagram.
                let news =
                    if listening { !open.listening } else { open.told.local.port() != told.local.port() };
                open.since = open.since.or(Some(moment));
                open.listening |= listening;
                if told.holder.value().is_some() || open.told.holder.value().is_none() {
                    open.told = told.clone();
                }
                if !news {
                    return None;
                }
            }
        }
        self.told += 1;
        Some(told.event(happened, witness, moment.at))
    }

    /// A socket waits no more. `last` is what is known of it now, for one whose beginning nobody saw.
    pub(crate) fn end(
        &mut self,
        name: &Name,
        witness: Witness,
        moment: Moment,
        last: Option<Told>,
    ) -> Option<SocketEvent> {
        let open = self.open.remove(name);
        let since = open.as_ref().and_then(|open| open.since);
        let told = match (open, last) {
            (Some(open), Some(last)) => Told { local: with_port(open.told.local, last.local), ..open.told },
            (Some(open), None) => open.told,
            (None, Some(last)) => last,
            (None, None) => return None,
        };
        self.told += 1;
        let mut event = told.event(Happened::Closed, witness, moment.at);
        event.lived_ns = since.map(|since| moment.steady_ns.saturating_sub(since.steady_ns));
        Some(event)
    }
}

/// The address as it was told first; the port as it was at the end, if it was only known then.
fn with_port(first: SocketAddr, last: SocketAddr) -> SocketAddr {
    if first.port() == 0 { last } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cookie: u64, local: &str) -> Told {
        Told {
            kind: Kind::Tcp,
            family: Family::V4,
            local: local.parse().unwrap(),
            interface: None,
            netns: 1,
            cookie,
            uid: Some(7),
            holder: Seen::Hidden(Reason::Exited),
            tid: None,
            cgroup: None,
        }
    }

    fn at(ns: i64) -> Moment {
        Moment { at: Timestamp::from_ns(ns + 1_000), steady_ns: u64::try_from(ns).unwrap() }
    }

    fn snapshot(listening: bool) -> Snapshot {
        let socket = Socket {
            kind: Kind::Tcp,
            family: Family::V4,
            local: "0.0.0.0:5".parse().unwrap(),
            peer: None,
            state: if listening { State::Listening } else { State::Bound },
            scope: model::Scope::Any,
            interface: None,
            netns: 1,
            inode: 9,
            cookie: 3,
            uid: None,
            queued: None,
            backlog: None,
            holders: Vec::new(),
            holders_missing: Some(Reason::NoPermission),
            hidden_from: model::Views::default(),
            seen_by: model::Views::SOCK_DIAG,
            activation: None,
        };
        Snapshot {
            taken: Timestamp::from_ns(0),
            machine: model::Machine {
                hostname: String::new(),
                os: "linux",
                kernel: String::new(),
                privileged: false,
            },
            namespaces: Vec::new(),
            sockets: vec![socket],
            processes: Vec::new(),
            forwards: Vec::new(),
            views: model::Views::SOCK_DIAG,
            gaps: Vec::new(),
        }
    }

    #[test]
    fn a_life_is_told_once_with_its_length() {
        let mut table = Table::default();
        let bound = table.begin(Happened::Bound, Witness::Kernel, at(10), told(3, "0.0.0.0:5")).unwrap();
        assert_eq!((bound.happened, bound.lived_ns), (Happened::Bound, None));
        assert!(table.begin(Happened::AutoBound, Witness::Kernel, at(11), told(3, "0.0.0.0:5")).is_none());
        let listens = table.begin(Happened::Listening, Witness::Kernel, at(12), told(3, "0.0.0.0:5"));
        assert_eq!(listens.unwrap().happened, Happened::Listening);
        assert!(table.begin(Happened::Listening, Witness::Kernel, at(13), told(3, "0.0.0.0:5")).is_none());
        let end = table.end(&Name::Cookie(3), Witness::Kernel, at(15), None).unwrap();
        assert_eq!((end.happened, end.lived_ns, end.at.as_ns()), (Happened::Closed, Some(5), 1015));
        assert!(table.end(&Name::Cookie(3), Witness::Kernel, at(16), None).is_none());
        assert_eq!((table.told, table.open.len()), (3, 0));
    }

    #[test]
    fn what_a_snapshot_shows_is_not_told_again() {
        let mut table = Table::default();
        table.reconcile(&snapshot(true));
        for happened in [Happened::Bound, Happened::Listening] {
            assert!(table.begin(happened, Witness::Kernel, at(10), told(3, "0.0.0.0:5")).is_none());
        }
        let end = table.end(&Name::Cookie(3), Witness::Kernel, at(15), None).unwrap();
        assert_eq!((end.lived_ns, end.uid), (Some(5), Some(7)));

        let mut table = Table::default();
        table.reconcile(&snapshot(false));
        assert!(table.begin(Happened::Bound, Witness::Kernel, at(10), told(3, "0.0.0.0:5")).is_none());
        let listens = table.begin(Happened::Listening, Witness::Kernel, at(12), told(3, "0.0.0.0:5"));
        assert_eq!(listens.unwrap().happened, Happened::Listening);
        // Nobody saw this one begin.
        let end = table.end(&Name::Cookie(4), Witness::Kernel, at(15), Some(told(4, "[::]:6"))).unwrap();
        assert_eq!((end.lived_ns, end.local.port()), (None, 6));
    }

    #[test]
    fn a_port_that_is_known_only_at_the_end_is_told_there() {
        let mut table = Table::default();
        table.begin(Happened::AutoBound, Witness::Kernel, at(1), told(8, "0.0.0.0:0")).unwrap();
        let end = table.end(&Name::Cookie(8), Witness::Kernel, at(2), Some(told(8, "0.0.0.0:77"))).unwrap();
        assert_eq!((end.local.port(), end.lived_ns), (77, Some(1)));
    }
}
