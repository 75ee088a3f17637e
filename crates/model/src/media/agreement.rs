//! What was agreed for the ports of this machine, and which sockets it explains.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use super::joined::Joined;
use super::session::Session;
use crate::socket::{Family, Kind, Socket};

/// How surely a session explains a socket, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tie {
    /// The port is the session's, and the socket takes packets to every address.
    AnyAddress,
    /// Port and local address are the session's.
    Address,
    /// The socket sends there: its peer is the session's.
    Peer,
    /// The socket has the port, and joined the group.
    Joined,
}

impl Tie {
    /// The words used in output.
    pub fn words(self) -> &'static str {
        match self {
            Tie::AnyAddress => "by its port",
            Tie::Address => "by port and address",
            Tie::Peer => "sends there",
            Tie::Joined => "joined the group",
        }
    }
}

/// A socket that a session explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Served {
    /// The socket, as an index into the look.
    pub socket: usize,
    /// The session, as an index.
    pub session: usize,
    /// How surely.
    pub tie: Tie,
}

/// What was agreed for a machine, held against its sockets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// What was agreed.
    pub sessions: Vec<Session>,
    /// The groups that were joined; empty where nobody asked.
    pub joined: Vec<Joined>,
    /// Which sockets are explained: in their order, and of one socket the surest first.
    pub served: Vec<Served>,
}

impl Agreement {
    /// Holds sessions and memberships against the sockets of a look.
    pub fn of(sessions: Vec<Session>, joined: Vec<Joined>, sockets: &[Socket]) -> Agreement {
        let mut agreement = Agreement { sessions, joined, served: Vec::new() };
        if agreement.sessions.is_empty() {
            return agreement;
        }
        let mut ends: BTreeMap<u16, Vec<(usize, SocketAddr)>> = BTreeMap::new();
        for (index, session) in agreement.sessions.iter().enumerate() {
            if session.ended.is_some() {
                continue;
            }
            for end in session.legs.iter().flat_map(|leg| [Some(leg.destination), leg.rtcp]).flatten() {
                ends.entry(end.port()).or_default().push((index, end));
            }
        }
        let groups = agreement.groups();
        let mut served = Vec::new();
        for (index, socket) in sockets.iter().enumerate() {
            if socket.kind != Kind::Udp {
                continue;
            }
            let joined = groups.get(&(socket.netns, socket.inode)).map_or(&[][..], Vec::as_slice);
            let mut of_socket: Vec<Served> = Vec::new();
            let mut note = |session, tie| match of_socket.iter_mut().find(|it| it.session == session) {
                Some(known) => known.tie = known.tie.max(tie),
                None => of_socket.push(Served { socket: index, session, tie }),
            };
            for (session, end) in ends.get(&socket.local.port()).into_iter().flatten() {
                if let Some(tie) = receives(socket, joined, end.ip()) {
                    note(*session, tie);
                }
            }
            if let Some(peer) = socket.peer {
                for (session, end) in ends.get(&peer.port()).into_iter().flatten() {
                    if end.ip() == peer.ip().to_canonical() {
                        note(*session, Tie::Peer);
                    }
                }
            }
            of_socket.sort_by_key(|it| core::cmp::Reverse(it.tie));
            served.append(&mut of_socket);
        }
        agreement.served = served;
        agreement
    }

    /// The groups that each socket joined, by namespace and inode number.
    pub fn groups(&self) -> BTreeMap<(u32, u64), Vec<IpAddr>> {
        let mut groups: BTreeMap<(u32, u64), Vec<IpAddr>> = BTreeMap::new();
        for it in &self.joined {
            let Some(socket) = it.socket.as_ref().filter(|socket| socket.inode != 0) else { continue };
            let groups = groups.entry((it.netns, socket.inode)).or_default();
            if !groups.contains(&it.group) {
                groups.push(it.group);
            }
        }
        groups
    }

    /// The sessions that explain a socket, the surest first.
    pub fn sessions_of(&self, socket: usize) -> &[Served] {
        let from = self.served.partition_point(|it| it.socket < socket);
        let to = self.served.partition_point(|it| it.socket <= socket);
        self.served.get(from..to).unwrap_or_default()
    }

    /// Whether a session names this group.
    pub fn names(&self, group: IpAddr) -> bool {
        self.sessions.iter().any(|it| it.legs.iter().any(|leg| leg.destination.ip() == group))
    }
}

/// Whether a socket on the right port receives what goes to this address, as far as it can be told.
fn receives(socket: &Socket, joined: &[IpAddr], to: IpAddr) -> Option<Tie> {
    if joined.contains(&to) {
        return Some(Tie::Joined);
    }
    let local = socket.local.ip().to_canonical();
    if local == to {
        return Some(Tie::Address);
    }
    // One that joined other groups is there for those; one that joined none may leave joining to others.
    let elsewhere = to.is_multicast() && !joined.is_empty();
    let family = local.is_ipv4() == to.is_ipv4() || socket.family == Family::Dual;
    (local.is_unspecified() && family && !elsewhere && socket.peer.is_none()).then_some(Tie::AnyAddress)
}
