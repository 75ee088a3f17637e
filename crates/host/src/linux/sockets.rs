//! The sockets of one network namespace, as the kernel's own dump gives them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use model::{Area, Family, Gap, Interface, Kind, Reason, Scope, Socket, State, Views};
use rustix::io::Errno;
use rustix::net::netlink as protocols;
use wire::netlink::Request;
use wire::sock_diag::{self, Inet, Packet, family, state};

use super::netlink::{Dump, Error, Socket as Netlink};

/// What one namespace gave.
#[derive(Debug, Default)]
pub struct Found {
    /// Its sockets, without holders.
    pub sockets: Vec<Socket>,
    /// Where we could not look.
    pub gaps: Vec<Gap>,
    /// The kinds that the kernel has but does not dump; /proc/net may have them.
    pub not_dumped: Vec<Kind>,
}

/// What a dump should bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Connected sockets, too.
    pub connected: bool,
    /// Stream sockets that are bound and nothing else; finding them makes the kernel walk one more table.
    pub bound: bool,
}

/// Protocol numbers that the dump is asked for, with the names under which /proc/net/protocols counts them.
const INET_DUMPS: [(Kind, u16, [&str; 2]); 7] = [
    (Kind::Mptcp, 262, ["MPTCP", "MPTCPv6"]),
    (Kind::Tcp, 6, ["TCP", "TCPv6"]),
    (Kind::Udp, 17, ["UDP", "UDPv6"]),
    (Kind::UdpLite, 136, ["UDP-Lite", "UDPLITEv6"]),
    (Kind::Sctp, 132, ["SCTP", "SCTPv6"]),
    (Kind::Dccp, 33, ["DCCP", "DCCPv6"]),
    (Kind::Raw, 255, ["RAW", "RAWv6"]),
];

/// Dumps the namespace that the calling thread is in; `netns` is its inode number.
pub fn dump(netns: u32, wanted: Wanted) -> Found {
    let mut found = Found::default();
    let mut netlink = match Netlink::open(Some(protocols::SOCK_DIAG)) {
        Ok(netlink) => netlink,
        Err(errno) => {
            found.gaps.push(gap("sock_diag", Error::Refused(errno)));
            found.not_dumped = Kind::ALL.to_vec();
            return found;
        }
    };
    let counts = std::fs::read_to_string("/proc/thread-self/net/protocols").ok();
    let counts = counts.as_deref();
    let mut builder = Builder {
        netns,
        interfaces: HashMap::new(),
        sockets: Vec::new(),
        connected: wanted.connected,
        fault: None,
    };
    let mut multipath = Vec::new();
    for (kind, protocol, names) in INET_DUMPS {
        let first = builder.sockets.len();
        for (family, name) in [family::INET, family::INET6].into_iter().zip(names) {
            if !worth_asking(counts, name, kind, wanted) {
                continue;
            }
            // As many as the kernel counts, so that the list does not have to grow and move.
            let expected = counts.and_then(|text| socket_count(text, name)?.parse().ok()).unwrap_or(0);
            builder.sockets.reserve_exact(usize::min(expected, 1 << 20));
            let mut request = sock_diag::inet_request(family, protocol, wanted_states(kind, wanted));
            builder.dump(&mut netlink, &mut request, kind, &mut found);
        }
        match kind {
            // A listening MPTCP socket has a TCP socket under it with the same inode: one row, not two.
            Kind::Mptcp => {
                multipath = builder.sockets.iter().skip(first).map(|socket| socket.inode).collect()
            }
            Kind::Tcp if !multipath.is_empty() => {
                builder
                    .sockets
                    .retain(|socket| socket.kind != Kind::Tcp || !multipath.contains(&socket.inode));
            }
            _ => {}
        }
    }
    if worth_asking(counts, "PACKET", Kind::Packet, wanted) {
        builder.dump(&mut netlink, &mut sock_diag::packet_request(), Kind::Packet, &mut found);
    }
    if let Some(fault) = builder.fault {
        let what = format!("the kernel's answer: {fault}");
        found.gaps.push(Gap { area: Area::Sockets, reason: Reason::Damaged, what, count: None });
    }
    found.sockets = builder.sockets;
    found
}

/// Whether the namespace has such sockets, as far as the kernel counts them.
fn worth_asking(counts: Option<&str>, name: &str, kind: Kind, wanted: Wanted) -> bool {
    let Some(counts) = counts else { return true };
    match socket_count(counts, name) {
        // Asking for a protocol that is not there makes the kernel load its module: that must not be our doing.
        None => false,
        // Sockets that are merely bound are not counted.
        Some("0") => wanted.bound && is_stream(kind),
        Some(_) => true,
    }
}

/// The count of a protocol, as text: its third column, after name and size.
fn socket_count<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        (fields.next()? == name).then(|| fields.nth(1))?
    })
}

fn is_stream(kind: Kind) -> bool {
    matches!(kind, Kind::Tcp | Kind::Mptcp | Kind::Sctp | Kind::Dccp)
}

fn wanted_states(kind: Kind, wanted: Wanted) -> u32 {
    match (is_stream(kind), wanted.connected) {
        (true, false) if wanted.bound => 1 << state::LISTEN | 1 << state::BOUND_INACTIVE,
        (true, false) => 1 << state::LISTEN,
        _ => state::ALL,
    }
}

fn gap(what: &str, error: Error) -> Gap {
    let (reason, cause) = match error {
        Error::Refused(Errno::ACCESS | Errno::PERM) => (Reason::NoPermission, "not permitted".to_owned()),
        Error::Refused(errno) => (Reason::NotSupported, errno.to_string()),
        Error::Lost => (Reason::LimitReached, "the kernel dropped part of its answer".to_owned()),
        Error::Damaged(fault) => (Reason::Damaged, fault.to_string()),
    };
    Gap { area: Area::Sockets, reason, what: format!("{what}: {cause}"), count: None }
}

struct Builder {
    netns: u32,
    interfaces: HashMap<u32, Option<String>>,
    sockets: Vec<Socket>,
    connected: bool,
    fault: Option<wire::Fault>,
}

impl Builder {
    fn dump(&mut self, netlink: &mut Netlink, request: &mut Request, kind: Kind, found: &mut Found) {
        let first = self.sockets.len();
        let answer = netlink.dump(
            request,
            self,
            |builder| builder.sockets.truncate(first),
            |builder, message| {
                let parsed = if kind == Kind::Packet {
                    sock_diag::parse_packet(message.payload).map(|packet| builder.packet(&packet))
                } else {
                    sock_diag::parse_inet(message.payload).map(|inet| builder.inet(kind, &inet))
                };
                if let Err(fault) = parsed {
                    builder.fault.get_or_insert(fault);
                }
            },
        );
        match answer {
            Ok(Dump::Consistent) => {}
            Ok(Dump::Changing) => found.gaps.push(Gap {
                area: Area::Sockets,
                reason: Reason::LimitReached,
                what: format!("{} sockets changed while we looked, each time", kind.name()),
                count: None,
            }),
            // The kernel has the protocol, but not the module that dumps it.
            Err(Error::Refused(Errno::NOENT | Errno::OPNOTSUPP)) => {
                if !found.not_dumped.contains(&kind) {
                    found.not_dumped.push(kind);
                }
            }
            Err(error) => found.gaps.push(gap(&format!("{} sockets", kind.name()), error)),
        }
    }

    fn inet(&mut self, kind: Kind, inet: &Inet) {
        let Some(state) = state_of(kind, inet) else { return };
        if !self.connected && matches!(state, State::Established | State::Opening | State::Closing) {
            return;
        }
        let interface = self.interface(inet.interface);
        let on_loopback = interface.as_ref().and_then(|i| i.name.as_deref()) == Some("lo");
        let listens = state == State::Listening && kind != Kind::Raw;
        self.sockets.push(Socket {
            kind,
            family: match (inet.family, inet.v6_only) {
                (family::INET6, Some(false)) if inet.local.is_unspecified() => Family::Dual,
                // Bound to a v4-mapped address: an IPv6 socket that IPv4 reaches.
                (family::INET6, _) if inet.local.to_canonical().is_ipv4() => Family::Dual,
                (family::INET6, _) => Family::V6,
                _ => Family::V4,
            },
            local: address(inet.local, inet.local_port, inet.interface),
            peer: (inet.peer_port != 0 || !inet.peer.is_unspecified())
                .then(|| address(inet.peer, inet.peer_port, inet.interface)),
            state,
            scope: Scope::of(inet.local, interface.is_some(), on_loopback),
            interface,
            netns: self.netns,
            inode: u64::from(inet.inode),
            cookie: inet.cookie,
            uid: Some(inet.uid),
            queued: Some(inet.receive_queue),
            backlog: (listens && kind.transport() == Some(model::Transport::Tcp)).then_some(inet.send_queue),
            holders: Vec::new(),
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG,
            hidden_from: Views::default(),
        });
    }

    fn packet(&mut self, packet: &Packet) {
        let interface = self.interface(packet.interface);
        let on_loopback = interface.as_ref().and_then(|i| i.name.as_deref()) == Some("lo");
        self.sockets.push(Socket {
            kind: Kind::Packet,
            family: Family::Link,
            local: SocketAddr::new(model::socket::unspecified(false), packet.ether_type),
            peer: None,
            state: State::Listening,
            scope: match (on_loopback, &interface) {
                (true, _) => Scope::Loopback,
                (_, Some(_)) => Scope::Link,
                (_, None) => Scope::Any,
            },
            interface,
            netns: self.netns,
            inode: u64::from(packet.inode),
            cookie: packet.cookie,
            uid: None,
            queued: None,
            backlog: None,
            holders: Vec::new(),
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG,
            hidden_from: Views::default(),
        });
    }

    fn interface(&mut self, index: u32) -> Option<Box<Interface>> {
        (index != 0).then(|| {
            let name = self.interfaces.entry(index).or_insert_with(|| interface_name(index)).clone();
            Box::new(Interface { index, name })
        })
    }
}

/// The name of an interface of the namespace that the calling thread is in.
pub fn interface_name(index: u32) -> Option<String> {
    use rustix::net::{AddressFamily, SocketType, netdevice, socket};
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    netdevice::index_to_name(any, index).ok()
}

/// An address with its zone: only link-local ones have one.
fn address(ip: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match ip {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => SocketAddrV6::new(v6, port, 0, interface).into(),
        _ => SocketAddr::new(ip, port),
    }
}

/// What a socket does; `None` for one without a port, which is nobody's port.
fn state_of(kind: Kind, inet: &Inet) -> Option<State> {
    let has_peer = inet.peer_port != 0 || !inet.peer.is_unspecified();
    state_from(is_stream(kind), kind == Kind::Raw, inet.state, inet.local_port, has_peer)
}

/// The same for every way of looking.
pub fn state_from(
    stream: bool,
    raw: bool,
    kernel_state: u8,
    local_port: u16,
    has_peer: bool,
) -> Option<State> {
    Some(match kernel_state {
        state::LISTEN => State::Listening,
        state::CLOSE | state::BOUND_INACTIVE if stream => {
            if local_port == 0 {
                return None;
            } else {
                State::Bound
            }
        }
        state::ESTABLISHED => State::Established,
        state::SYN_SENT | state::SYN_RECV | state::NEW_SYN_RECV => State::Opening,
        state::CLOSE if raw => State::Listening,
        state::CLOSE if local_port == 0 => return None,
        state::CLOSE if has_peer => State::Established,
        state::CLOSE => State::Listening,
        _ => State::Closing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn sees_our_own_sockets_with_family_scope_and_inode() {
        let tcp = TcpListener::bind("[::]:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(udp.local_addr().unwrap()).unwrap();
        let found = dump(1, Wanted { connected: false, bound: true });
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        let port = |port| found.sockets.iter().find(|socket| socket.local.port() == port);
        let listener = port(tcp.local_addr().unwrap().port()).unwrap();
        assert_eq!(
            (listener.family, listener.scope, listener.state),
            (Family::Dual, Scope::Any, State::Listening)
        );
        assert!(listener.inode != 0 && listener.backlog.is_some());
        let bound = port(udp.local_addr().unwrap().port()).unwrap();
        assert_eq!((bound.kind, bound.scope, bound.state), (Kind::Udp, Scope::Loopback, State::Listening));
        assert!(port(client.local_addr().unwrap().port()).is_none());
        let connected = dump(1, Wanted { connected: true, bound: true });
        let client_port = client.local_addr().unwrap().port();
        let socket =
            connected.sockets.iter().find(|s| s.kind == Kind::Udp && s.local.port() == client_port).unwrap();
        assert_eq!((socket.state, socket.peer), (State::Established, Some(udp.local_addr().unwrap())));
    }

    #[test]
    fn only_protocols_that_have_sockets_are_asked_for() {
        let text = "protocol  size sockets\nMPTCPv6 1 2\nTCP  3 0\nUDP-Lite 1 -1\n";
        let wanted = Wanted { connected: false, bound: false };
        let asked = |name, kind| worth_asking(Some(text), name, kind, wanted);
        assert!(asked("MPTCPv6", Kind::Mptcp) && asked("UDP-Lite", Kind::UdpLite));
        assert!(!asked("TCP", Kind::Tcp) && !asked("SCTP", Kind::Sctp) && !asked("UDP", Kind::Udp));
        assert!(worth_asking(Some(text), "TCP", Kind::Tcp, Wanted { bound: true, ..wanted }));
        assert!(worth_asking(None, "SCTP", Kind::Sctp, wanted));
    }
}
