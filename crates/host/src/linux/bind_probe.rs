//! The bind probe: asks the kernel for each port that nobody lists. A port that is refused is held by something
//! that the tables do not show.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use model::{Area, Gap, Kind, Reason};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

/// What one attempt to take a port gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Free,
    Taken,
    Denied,
    /// The kernel does not offer this kind or family.
    NotOffered,
    /// Too many descriptors or too little memory; says nothing about the port.
    Unclear,
}

/// Tries every port of the range that `known` does not list, in the namespace of the calling thread. `known` must
/// cover connected sockets and TIME-WAIT too: they hold their port as well.
///
/// The ports given back were refused twice although nobody lists them; whoever asks should list the sockets again,
/// because one may have been opened meanwhile. Each port is ours for some microseconds: a program that wants it at
/// that moment is refused, so that nobody should probe the ephemeral range of a busy machine without need.
pub fn probe(
    kind: Kind,
    ports: RangeInclusive<u16>,
    known: &dyn Fn(Kind, u16) -> bool,
) -> (Vec<u16>, Vec<Gap>) {
    let mut hits = Vec::new();
    let (mut denied, mut unclear) = (Vec::new(), 0_u64);
    let mut offered = [true; 2];
    for port in ports.filter(|port| *port != 0) {
        if known(kind, port) {
            continue;
        }
        for (v6, offered) in [false, true].into_iter().zip(&mut offered) {
            if !*offered {
                continue;
            }
            let answer = match take(kind, v6, port) {
                // A socket that closed at this moment leaves the port free the second time.
                Answer::Taken if !known(kind, port) => take(kind, v6, port),
                first => first,
            };
            match answer {
                Answer::Free => {}
                Answer::Taken => hits.push(port),
                Answer::Denied => denied.push(port),
                Answer::NotOffered => *offered = false,
                Answer::Unclear => unclear += 1,
            }
        }
    }
    hits.dedup();
    denied.dedup();
    hits.retain(|port| !known(kind, *port));
    (hits, gaps(kind, &denied, unclear, offered == [false; 2]))
}

fn gaps(kind: Kind, denied: &[u16], unclear: u64, not_offered: bool) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut add = |reason, what: String, count| gaps.push(Gap { area: Area::Sockets, reason, what, count });
    let name = kind.name();
    if let (Some(first), Some(last)) = (denied.first(), denied.last()) {
        let what = format!("bind probe of {name} ports between {first} and {last}");
        add(Reason::NoPermission, what, Some(denied.len() as u64));
    }
    if unclear > 0 {
        add(Reason::LimitReached, format!("bind probe of {name} ports"), Some(unclear));
    }
    if not_offered {
        add(Reason::NotSupported, format!("bind probe of {name} ports: no such sockets here"), None);
    }
    gaps
}

/// Takes the port on every address of one family and gives it back at once.
fn take(kind: Kind, v6: bool, port: u16) -> Answer {
    let (socket_type, protocol) = match kind {
        Kind::Tcp => (SocketType::STREAM, ipproto::TCP),
        Kind::Mptcp => (SocketType::STREAM, ipproto::MPTCP),
        Kind::Udp => (SocketType::DGRAM, ipproto::UDP),
        Kind::UdpLite => (SocketType::DGRAM, ipproto::UDPLITE),
        // A one-to-one SCTP socket: it binds and closes like TCP.
        Kind::Sctp => (SocketType::STREAM, ipproto::SCTP),
        // DCCP wants a service code before it listens, raw and packet sockets share their "ports" freely.
        Kind::Dccp | Kind::Raw | Kind::Packet => return Answer::NotOffered,
    };
    let family = if v6 { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = match net::socket_with(family, socket_type, SocketFlags::CLOEXEC, Some(protocol)) {
        Ok(socket) => socket,
        Err(
            Errno::AFNOSUPPORT
            | Errno::PROTONOSUPPORT
            | Errno::SOCKTNOSUPPORT
            | Errno::PROTOTYPE
            | Errno::NOPROTOOPT,
        ) => return Answer::NotOffered,
        Err(errno) => return judge(errno),
    };
    // Without this the IPv6 socket would ask for the IPv4 port as well, and one hit would look like two.
    if v6 && let Err(errno) = sockopt::set_ipv6_v6only(&socket, true) {
        return judge(errno);
    }
    let address: SocketAddr =
        if v6 { (Ipv6Addr::UNSPECIFIED, port).into() } else { (Ipv4Addr::UNSPECIFIED, port).into() };
    let bound = net::bind(&socket, &address);
    // A socket with SO_REUSEADDR shares a bind with ours only if neither listens; ours asks for no sharing, so
    // that the bind alone decides. Nothing is listened on: no peer ever sees the probe.
    bound.map_or_else(judge, |()| Answer::Free)
}

fn judge(errno: Errno) -> Answer {
    match errno {
        Errno::ADDRINUSE => Answer::Taken,
        Errno::ACCESS | Errno::PERM => Answer::Denied,
        Errno::ADDRNOTAVAIL => Answer::NotOffered,
        _ => Answer::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::linux::sandbox;

    #[test]
    fn what_nobody_lists_is_found_and_the_rest_is_free() {
        sandbox::run("bind probe", || {
            let v4 = TcpListener::bind("127.0.0.1:0").or_else(|_| TcpListener::bind("0.0.0.0:0")).unwrap();
            let v6 = TcpListener::bind("[::]:0").unwrap();
            let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
            let [a, b, c] =
                [v4.local_addr(), v6.local_addr(), udp.local_addr()].map(|addr| addr.unwrap().port());
            let mut wanted = vec![a, b];
            wanted.sort_unstable();
            let all = 1..=u16::MAX;
            assert_eq!(probe(Kind::Tcp, all.clone(), &|_, _| false), (wanted, Vec::new()));
            assert_eq!(probe(Kind::Udp, all.clone(), &|_, _| false), (vec![c], Vec::new()));
            // Listed ones are not even tried, and nothing is left behind.
            assert_eq!(probe(Kind::Tcp, all.clone(), &|_, port| port == a), (vec![b], Vec::new()));
            drop((v4, v6, udp));
            assert_eq!(probe(Kind::Tcp, all.clone(), &|_, _| false), (Vec::new(), Vec::new()));
            assert_eq!(probe(Kind::Udp, all, &|_, _| false), (Vec::new(), Vec::new()));
        });
    }

    #[test]
    fn a_shareable_port_is_found_as_well() {
        sandbox::run("bind probe of a shared port", || {
            let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            sockopt::set_socket_reuseaddr(&socket, true).unwrap();
            sockopt::set_socket_reuseport(&socket, true).unwrap();
            net::bind(&socket, &SocketAddr::from((Ipv4Addr::UNSPECIFIED, 4200))).unwrap();
            assert_eq!(probe(Kind::Tcp, 4190..=4210, &|_, _| false).0, [4200]);
            net::listen(&socket, 1).unwrap();
            assert_eq!(probe(Kind::Tcp, 4190..=4210, &|_, _| false).0, [4200]);
        });
    }

    #[test]
    fn kinds_without_ports_are_a_gap() {
        let (hits, gaps) = probe(Kind::Packet, 1..=3, &|_, _| false);
        assert!(hits.is_empty());
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].reason, Reason::NotSupported);
    }

    #[test]
    fn privileged_ports_are_a_gap_for_others() {
        sandbox::run("bind probe without privilege", || {
            sandbox::without(rustix::thread::CapabilitySet::NET_BIND_SERVICE);
            let (hits, gaps) = probe(Kind::Tcp, 1..=2000, &|_, port| port == 5);
            assert!(hits.is_empty());
            assert_eq!((gaps.len(), gaps[0].reason, gaps[0].count), (1, Reason::NoPermission, Some(1022)));
            assert_eq!(gaps[0].what, "bind probe of tcp ports between 1 and 1023");
        });
    }

    #[test]
    fn denied_ports_are_one_gap_with_their_number() {
        let gaps = gaps(Kind::Tcp, &[1, 2, 9], 0, false);
        assert_eq!((gaps.len(), gaps[0].reason, gaps[0].count), (1, Reason::NoPermission, Some(3)));
    }
}
