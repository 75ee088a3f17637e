//! Sockets as the operating system knows them, and who holds them.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::assignment::Transport;
use crate::gap::Reason;
use crate::process::Activation;

/// What kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// TCP.
    Tcp,
    /// Multipath TCP (RFC 8684): one row for the connection, not for its subflows.
    Mptcp,
    /// UDP.
    Udp,
    /// UDP-Lite (RFC 3828).
    UdpLite,
    /// SCTP.
    Sctp,
    /// DCCP.
    Dccp,
    /// Raw IP; the "port" is the IP protocol number.
    Raw,
    /// Link-layer packet socket; the "port" is the EtherType.
    Packet,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Kind; 8] =
        [Kind::Tcp, Kind::Mptcp, Kind::Udp, Kind::UdpLite, Kind::Sctp, Kind::Dccp, Kind::Raw, Kind::Packet];

    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Tcp => "tcp",
            Kind::Mptcp => "mptcp",
            Kind::Udp => "udp",
            Kind::UdpLite => "udplite",
            Kind::Sctp => "sctp",
            Kind::Dccp => "dccp",
            Kind::Raw => "raw",
            Kind::Packet => "packet",
        }
    }

    /// The registry's transport whose port numbers this kind uses; `None` where it has no ports.
    pub fn transport(self) -> Option<Transport> {
        match self {
            Kind::Tcp | Kind::Mptcp => Some(Transport::Tcp),
            Kind::Udp | Kind::UdpLite => Some(Transport::Udp),
            Kind::Sctp => Some(Transport::Sctp),
            Kind::Dccp => Some(Transport::Dccp),
            Kind::Raw | Kind::Packet => None,
        }
    }
}

/// The address family of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// An IPv6 socket that takes IPv4 as well, as v4-mapped addresses (RFC 4291 §2.5.5.2).
    Dual,
    /// No IP family: a packet socket.
    Link,
}

impl Family {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
            Family::Dual => "dual",
            Family::Link => "link",
        }
    }
}

/// What a socket is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Waits for peers: a listening stream socket, or a bound datagram socket without a peer.
    Listening,
    /// Bound to a local port; neither listening nor connected.
    Bound,
    /// Connected to a peer.
    Established,
    /// Any other state of a connection's life: opening.
    Opening,
    /// Closing or in TIME-WAIT.
    Closing,
    /// Open and unbound.
    Unbound,
}

impl State {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            State::Listening => "listening",
            State::Bound => "bound",
            State::Established => "established",
            State::Opening => "opening",
            State::Closing => "closing",
            State::Unbound => "unbound",
        }
    }
}

/// From where a socket can be reached, as its bind says. A firewall may allow less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// This machine only.
    Loopback,
    /// One link: a link-local address, or a packet socket on one interface.
    Link,
    /// One address or interface.
    Interface,
    /// A multicast group.
    Group,
    /// Every address of the namespace.
    Any,
}

impl Scope {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Loopback => "loopback",
            Scope::Link => "link",
            Scope::Interface => "interface",
            Scope::Group => "group",
            Scope::Any => "any",
        }
    }

    /// Whether another machine can reach it as far as the bind is concerned.
    pub fn beyond_loopback(self) -> bool {
        self != Scope::Loopback
    }

    /// The scope that a bind to `addr` gives; `on_loopback` says that the socket is bound to the loopback interface.
    pub fn of(addr: IpAddr, bound_to_interface: bool, on_loopback: bool) -> Scope {
        let canonical = addr.to_canonical();
        if on_loopback || canonical.is_loopback() {
            return Scope::Loopback;
        }
        if canonical.is_multicast() {
            return Scope::Group;
        }
        let link_local = match canonical {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        if link_local {
            return Scope::Link;
        }
        if canonical.is_unspecified() && !bound_to_interface { Scope::Any } else { Scope::Interface }
    }
}

/// A network interface as the namespace numbers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Interface {
    /// Its index in the namespace.
    pub index: u32,
    /// Its name, where we could read it.
    pub name: Option<String>,
}

/// The independent ways in which a socket was seen, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Views(u8);

impl Views {
    /// The kernel's own dump over netlink (sock_diag).
    pub const SOCK_DIAG: Views = Views(1);
    /// A kernel program that walks the descriptor tables (BPF iterator).
    pub const BPF: Views = Views(1 << 1);
    /// The text tables in /proc/net.
    pub const PROC_NET: Views = Views(1 << 2);
    /// A bind that we tried was refused.
    pub const BIND_PROBE: Views = Views(1 << 3);
    /// A system call of macOS or Windows.
    pub const SYSTEM_TABLE: Views = Views(1 << 4);
    /// The kernel told of it as it happened.
    pub const EVENT: Views = Views(1 << 5);

    /// Both sets together.
    pub fn and(self, other: Views) -> Views {
        Views(self.0 | other.0)
    }

    /// Whether every way in `other` is in this set.
    pub fn has(self, other: Views) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the ways, in order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Views::SOCK_DIAG, "sock_diag"),
            (Views::BPF, "bpf_iterator"),
            (Views::PROC_NET, "proc_net"),
            (Views::BIND_PROBE, "bind_probe"),
            (Views::SYSTEM_TABLE, "system_table"),
            (Views::EVENT, "socket_event"),
        ]
        .into_iter()
        .filter(move |(view, _)| self.has(*view))
        .map(|(_, name)| name)
    }
}

/// How we know that a process holds a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// A kernel program read the process's descriptor table.
    BpfIterator,
    /// The links in /proc/PID/fd.
    ProcFd,
    /// The operating system's own table names the process.
    SystemTable,
    /// It was the process's own call that the kernel told us of.
    Event,
}

impl How {
    /// The stable code, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            How::BpfIterator => "bpf_iterator",
            How::ProcFd => "proc_fd",
            How::SystemTable => "system_table",
            How::Event => "socket_event",
        }
    }
}

/// One process that has a socket open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The process; look it up with [`crate::Snapshot::process`].
    pub pid: u32,
    /// The thread, where only a thread with its own descriptor table has it open.
    pub tid: Option<u32>,
    /// The descriptor, where the way of looking tells it.
    pub fd: Option<u32>,
    /// How we know.
    pub how: How,
}

/// One socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What kind.
    pub kind: Kind,
    /// Its address family.
    pub family: Family,
    /// Local address and port. Raw: the port is the IP protocol number. Packet: the EtherType.
    pub local: SocketAddr,
    /// The peer, where connected.
    pub peer: Option<SocketAddr>,
    /// What it does.
    pub state: State,
    /// From where it can be reached.
    pub scope: Scope,
    /// The interface it is bound to, if to one.
    pub interface: Option<Box<Interface>>,
    /// The inode number of its network namespace; 0 where the system has none.
    pub netns: u32,
    /// Its inode number; 0 where the kernel shows none.
    pub inode: u64,
    /// The kernel's cookie; 0 where unknown.
    pub cookie: u64,
    /// The user who made it, where known.
    pub uid: Option<u32>,
    /// Connections waiting to be accepted, or bytes waiting to be read.
    pub queued: Option<u32>,
    /// The most connections that may wait; listening TCP only.
    pub backlog: Option<u32>,
    /// Every holder we found, in order of PID.
    pub holders: Vec<Holder>,
    /// Why there are none, or why there may be more; `None` where the list is complete.
    pub holders_missing: Option<Reason>,
    /// The service that systemd starts for it, where PID 1 holds it for a socket unit.
    pub activation: Option<Box<Activation>>,
    /// The ways in which it was seen.
    pub seen_by: Views,
    /// The ways in which it should have been seen and was not: something hides it.
    pub hidden_from: Views,
}

impl Socket {
    /// Whether it waits for peers.
    pub fn is_listener(&self) -> bool {
        self.state == State::Listening
    }

    /// The port; `None` for raw and packet sockets, which have none.
    pub fn port(&self) -> Option<u16> {
        self.kind.transport().map(|_| self.local.port())
    }
}

/// The unspecified address of a family, for sockets that have no address.
pub fn unspecified(v6: bool) -> IpAddr {
    if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_follows_the_bind() {
        let scope = |addr: &str| Scope::of(addr.parse().unwrap(), false, false);
        assert_eq!(scope("127.0.0.53"), Scope::Loopback);
        assert_eq!(scope("::1"), Scope::Loopback);
        assert_eq!(scope("::ffff:127.0.0.1"), Scope::Loopback);
        assert_eq!(scope("::ffff:0.0.0.0"), Scope::Any);
        assert_eq!(scope("::"), Scope::Any);
        assert_eq!(scope("fe80::1"), Scope::Link);
        assert_eq!(scope("169.254.1.1"), Scope::Link);
        assert_eq!(scope("192.0.2.1"), Scope::Interface);
        assert_eq!(scope("239.1.2.3"), Scope::Group);
        assert_eq!(Scope::of("::".parse().unwrap(), true, false), Scope::Interface);
        assert_eq!(Scope::of("0.0.0.0".parse().unwrap(), true, true), Scope::Loopback);
    }
}
