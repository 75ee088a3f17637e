//! Sockets from the text tables in /proc/net: the second way, where the kernel's own dump is not to be had.
//!
//! The tables say less: no cookie, no backlog, no interface (but for packet sockets), no bound-not-listening TCP
//! socket, and not whether an IPv6 socket takes IPv4 too, so that `[::]` is given as IPv6.

use std::fs;
use std::io::ErrorKind;

use model::{Area, Family, Gap, Interface, Kind, Reason, Scope, Socket, State, Views};
use wire::proc_net::{self, Row, Table};

use super::sockets::{interface_name, state_from};

/// Tables by kind.
const TABLES: [(Kind, Table, &str); 11] = [
    (Kind::Tcp, Table::Inet, "tcp"),
    (Kind::Tcp, Table::Inet, "tcp6"),
    (Kind::Udp, Table::Inet, "udp"),
    (Kind::Udp, Table::Inet, "udp6"),
    (Kind::UdpLite, Table::Inet, "udplite"),
    (Kind::UdpLite, Table::Inet, "udplite6"),
    (Kind::Sctp, Table::SctpEndpoints, "sctp/eps"),
    (Kind::Sctp, Table::SctpAssociations, "sctp/assocs"),
    (Kind::Raw, Table::Inet, "raw"),
    (Kind::Raw, Table::Inet, "raw6"),
    (Kind::Packet, Table::Packet, "packet"),
];

/// Reads the sockets of these kinds in the network namespace of the calling thread, whose inode number is `netns`;
/// `connected` as in [`crate::Look`]. A table that is not there belongs to a protocol that is not there.
pub fn read(netns: u32, connected: bool, kinds: &[Kind]) -> (Vec<Socket>, Vec<Gap>) {
    let mut sockets = Vec::new();
    let mut gaps = Vec::new();
    for (kind, table, name) in TABLES {
        if !kinds.contains(&kind) || (table == Table::SctpAssociations && !connected) {
            continue;
        }
        let mut gap = |reason, what, count| gaps.push(Gap { area: Area::Sockets, reason, what, count });
        // Not /proc/net: that is the namespace of the process, not of this thread.
        match fs::read(format!("/proc/thread-self/net/{name}")) {
            Ok(text) => {
                let (rows, faults) = proc_net::parse(table, &text);
                sockets.extend(
                    rows.iter().filter_map(|row| socket(kind, netns, row)).filter(|socket| {
                        connected || matches!(socket.state, State::Listening | State::Bound)
                    }),
                );
                if let Some(fault) = faults.first() {
                    gap(Reason::Damaged, format!("/proc/net/{name}: {fault}"), Some(faults.len() as u64));
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::NotFound => {}
                ErrorKind::PermissionDenied => gap(Reason::NoPermission, format!("/proc/net/{name}"), None),
                _ => gap(Reason::Unknown, format!("/proc/net/{name}: {error}"), None),
            },
        }
    }
    (sockets, gaps)
}

fn socket(kind: Kind, netns: u32, row: &Row) -> Option<Socket> {
    let ip = row.local.ip();
    let interface = (row.interface != 0)
        .then(|| Box::new(Interface { index: row.interface, name: interface_name(row.interface) }));
    let on_loopback = interface.as_ref().and_then(|interface| interface.name.as_deref()) == Some("lo");
    let has_peer = row.peer.port() != 0 || !row.peer.ip().is_unspecified();
    let (family, state, scope) = if kind == Kind::Packet {
        let scope = match (on_loopback, &interface) {
            (true, _) => Scope::Loopback,
            (false, Some(_)) => Scope::Link,
            (false, None) => Scope::Any,
        };
        (Family::Link, State::Listening, scope)
    } else {
        let stream = matches!(kind, Kind::Tcp | Kind::Sctp);
        let state = state_from(stream, kind == Kind::Raw, row.state, row.local.port(), has_peer)?;
        let family = if ip.is_ipv6() { Family::V6 } else { Family::V4 };
        (family, state, Scope::of(ip, false, false))
    };
    Some(Socket {
        kind,
        family,
        local: row.local,
        peer: has_peer.then_some(row.peer),
        state,
        scope,
        interface,
        netns,
        inode: row.inode,
        cookie: 0,
        uid: Some(row.uid),
        queued: Some(row.queued),
        backlog: None,
        holders: Vec::new(),
        holders_missing: None,
        activation: None,
        seen_by: Views::PROC_NET,
        hidden_from: Views::default(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

    use rustix::net::{AddressFamily, Protocol, SocketType, bind, ipproto, socket_with};
    use wire::netlink::{ACK, Request};

    use super::*;
    use crate::linux::{netlink, sandbox, sockets};

    /// What both ways must agree on.
    type Facts = (Kind, SocketAddr, Option<SocketAddr>, State, Scope, u64, Option<u32>);

    fn facts(sockets: &[Socket]) -> Vec<Facts> {
        let mut all: Vec<Facts> = sockets
            .iter()
            .map(|s| {
                (s.kind, s.local, s.peer, s.state, s.scope, s.inode, s.interface.as_ref().map(|i| i.index))
            })
            .collect();
        all.sort();
        all
    }

    /// Sets the loopback interface of this namespace up (`RTM_NEWLINK`, index 1, `IFF_UP`).
    fn loopback_up() {
        let mut body = vec![0; 4];
        [1_u32, 1, 1].iter().for_each(|word| body.extend_from_slice(&word.to_ne_bytes()));
        let mut request = Request::new(16, ACK).body(&body);
        netlink::Socket::open(None).unwrap().dump(&mut request, &mut (), |()| {}, |(), _| {}).unwrap();
    }

    #[test]
    fn both_ways_of_looking_agree() {
        sandbox::run("proc net beside sock_diag", || {
            loopback_up();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let _v6 = TcpListener::bind("[::1]:0").unwrap();
            let _any = UdpSocket::bind("0.0.0.0:0").unwrap();
            let _any_v6 = UdpSocket::bind("[::]:0").unwrap();
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let connected = UdpSocket::bind("127.0.0.1:0").unwrap();
            connected.connect("127.0.0.1:9").unwrap();
            let open = |family, kind, protocol: Option<Protocol>| {
                socket_with(family, kind, rustix::net::SocketFlags::CLOEXEC, protocol).unwrap()
            };
            let _raw = open(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP));
            let _raw_v6 = open(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6));
            let lite = open(AddressFamily::INET, SocketType::DGRAM, Some(ipproto::UDPLITE));
            bind(&lite, &"127.0.0.1:4200".parse::<SocketAddr>().unwrap()).unwrap();
            // ETH_P_ARP, in the order of the network
            let arp = rustix::net::RawProtocol::new(0x0806_u32.swap_bytes() >> 16).map(Protocol::from_raw);
            let _packet = open(AddressFamily::PACKET, SocketType::RAW, arp);
            for all in [false, true] {
                let (found, gaps) = read(3, all, &Kind::ALL);
                assert!(gaps.is_empty(), "{gaps:?}");
                assert_eq!(found.len(), if all { 11 } else { 8 }, "{:#?}", facts(&found));
                // A kernel may lack the module that dumps a kind; then this is the only way.
                let other = sockets::dump(3, sockets::Wanted { connected: all, bound: true });
                let mut both = found.clone();
                both.retain(|socket| !other.not_dumped.contains(&socket.kind));
                assert!(both.len() >= if all { 6 } else { 4 }, "{:?}", other.not_dumped);
                assert_eq!(facts(&both), facts(&other.sockets), "connected: {all}");
                assert!(
                    found.iter().all(|s| s.netns == 3 && s.seen_by == Views::PROC_NET && s.uid == Some(0))
                );
            }
        });
    }

    #[test]
    fn only_the_kinds_that_are_asked_for() {
        let _udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (found, _) = read(0, true, &[Kind::Udp]);
        assert!(!found.is_empty() && found.iter().all(|socket| socket.kind == Kind::Udp));
        assert!(read(0, true, &[]).0.is_empty());
    }
}
