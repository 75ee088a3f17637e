//! A socket on each port: what every system has. It needs no privilege beyond that for the ports themselves.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use model::{Area, Gap, Reason};
use socket2::{Domain, Protocol, Socket, Type};

use super::visitor::canonical;
use super::{Coverage, DecoyError, DecoyRequest, Knock, KnockCounts, MOST_PLAIN, PortSet, Visitor, Way};

/// How often sockets are asked.
const NAP: Duration = Duration::from_millis(20);
/// Connections that may wait at each.
const BACKLOG: i32 = 16;
/// What is kept of a datagram.
const ROOM_BYTES: usize = 2048;
/// Of one socket, so much is taken before others get their turn.
const TURN: usize = 64;

/// Plain sockets.
#[derive(Debug)]
pub(crate) struct Plain {
    listeners: Vec<TcpListener>,
    sockets: Vec<UdpSocket>,
    excluded: Vec<super::Prefix>,
    coverage: Coverage,
    counts: KnockCounts,
}

impl Plain {
    /// Opens them. `why` says why there is no better way, if one was wanted.
    pub fn open(request: &DecoyRequest, why: Option<&str>) -> Result<Plain, DecoyError> {
        if !request.answer {
            return Err(DecoyError::NotSupported(format!(
                "only to observe needs a kernel program{}; plain sockets answer: ask for --level accept",
                why.map_or_else(String::new, |why| format!(", and {why}"))
            )));
        }
        let families = usize::from(request.v4) + usize::from(request.v6);
        let wanted = (request.tcp.count() + request.udp.count()) * families;
        if wanted > MOST_PLAIN {
            return Err(DecoyError::TooMany(wanted, why.map(ToOwned::to_owned)));
        }
        let mut plain = Plain {
            listeners: Vec::new(),
            sockets: Vec::new(),
            excluded: request.excluded.clone(),
            coverage: Coverage {
                way: Way::Plain,
                netns: 0,
                tcp: PortSet::default(),
                udp: PortSet::default(),
                held_tcp: PortSet::default(),
                held_udp: PortSet::default(),
                ephemeral: PortSet::default(),
                gaps: gaps(why),
            },
            counts: KnockCounts::default(),
        };
        let mut refused = 0;
        for address in families_of(request) {
            for port in request.tcp.iter() {
                let at = SocketAddr::new(address, port);
                match listen(at) {
                    Ok(listener) => {
                        plain.coverage.tcp.insert(port);
                        plain.listeners.push(listener);
                    }
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        plain.coverage.held_tcp.insert(port);
                    }
                    Err(error) => refused += plain.not_had(at, &error),
                }
            }
            for port in request.udp.iter() {
                let at = SocketAddr::new(address, port);
                match receive(at) {
                    Ok(socket) => {
                        plain.coverage.udp.insert(port);
                        plain.sockets.push(socket);
                    }
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        plain.coverage.held_udp.insert(port);
                    }
                    Err(error) => refused += plain.not_had(at, &error),
                }
            }
        }
        // Somebody has it in one family: then we want it in none.
        let (held_tcp, held_udp) = (&plain.coverage.held_tcp, &plain.coverage.held_udp);
        let port_of = |address: io::Result<SocketAddr>| address.map_or(0, |address| address.port());
        plain.listeners.retain(|listener| !held_tcp.has(port_of(listener.local_addr())));
        plain.sockets.retain(|socket| !held_udp.has(port_of(socket.local_addr())));
        let (tcp, udp) = (plain.coverage.tcp.without(held_tcp), plain.coverage.udp.without(held_udp));
        (plain.coverage.tcp, plain.coverage.udp) = (tcp, udp);
        if plain.listeners.is_empty() && plain.sockets.is_empty() {
            return Err(match (refused, why) {
                (0, _) => DecoyError::NoPort(String::from("every one of them has a holder")),
                (_, Some(why)) => DecoyError::NoPermission(format!(
                    "{why}; and plain sockets may not have these ports: run as root, or name ports from 1024 on"
                )),
                (_, None) => DecoyError::NoPermission(String::from(
                    "these ports need a privilege: run as root, or name ports from 1024 on",
                )),
            });
        }
        Ok(plain)
    }

    /// Notes a port that could not be had; 1 where another account could have it.
    fn not_had(&mut self, at: SocketAddr, error: &io::Error) -> usize {
        let denied = error.kind() == io::ErrorKind::PermissionDenied;
        if at.is_ipv4() || denied {
            let reason = if denied { Reason::NoPermission } else { Reason::NotSupported };
            let what = format!("port {at}: {error}");
            if self.coverage.gaps.len() < 16 {
                self.coverage.gaps.push(Gap { area: Area::Sockets, reason, what, count: None });
            }
        }
        usize::from(denied)
    }

    /// What is covered.
    pub fn coverage(&self) -> Coverage {
        self.coverage.clone()
    }

    /// What became of packets so far.
    pub fn counts(&self) -> KnockCounts {
        self.counts
    }

    /// Hands out who came, and waits for somebody where nobody is there.
    pub fn wait(&mut self, timeout: Duration, each: &mut dyn FnMut(Knock<'_>)) -> io::Result<usize> {
        let end = Instant::now() + timeout;
        loop {
            let seen = self.hand_out(each)?;
            let left = end.saturating_duration_since(Instant::now());
            if seen > 0 || left.is_zero() {
                return Ok(seen);
            }
            std::thread::sleep(left.min(NAP));
        }
    }

    fn hand_out(&mut self, each: &mut dyn FnMut(Knock<'_>)) -> io::Result<usize> {
        let before = self.counts.seen;
        let is_excluded = |peer: SocketAddr| self.excluded.iter().any(|prefix| prefix.has(peer.ip()));
        for listener in &self.listeners {
            for _ in 0..TURN {
                let (stream, peer) = match listener.accept() {
                    Ok(visit) => visit,
                    Err(error) if ends_a_turn(&error) => break,
                    // Who hung up again was there all the same, but nothing is known of it.
                    Err(_) => continue,
                };
                if is_excluded(peer) {
                    self.counts.excluded += 1;
                } else if let Ok(visitor) = Visitor::new(stream, peer, crate::now()) {
                    self.counts.seen += 1;
                    each(Knock::Connection(visitor));
                }
            }
        }
        let mut room = [0; ROOM_BYTES];
        for socket in &self.sockets {
            let Ok(local) = socket.local_addr() else { continue };
            for _ in 0..TURN {
                let (length, peer) = match socket.recv_from(&mut room) {
                    Ok(datagram) => datagram,
                    Err(error) if ends_a_turn(&error) => break,
                    Err(_) => continue,
                };
                if is_excluded(peer) {
                    self.counts.excluded += 1;
                    continue;
                }
                self.counts.seen += 1;
                let bytes = room.get(..length).unwrap_or_default();
                let (peer, local) = (canonical(peer), canonical(local));
                each(Knock::Datagram { at: crate::now(), peer, local, bytes, whole_bytes: length });
            }
        }
        Ok(usize::try_from(self.counts.seen - before).unwrap_or(usize::MAX))
    }
}

/// Whether nothing is there, or nothing can be taken now.
fn ends_a_turn(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    !matches!(error.kind(), Interrupted | ConnectionAborted | ConnectionReset)
}

fn families_of(request: &DecoyRequest) -> impl Iterator<Item = IpAddr> {
    let v4 = request.v4.then_some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let v6 = request.v6.then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    v4.into_iter().chain(v6)
}

fn gaps(why: Option<&str>) -> Vec<Gap> {
    let gap = |what: String| Gap { area: Area::Sockets, reason: Reason::NotSupported, what, count: None };
    let mut gaps = vec![
        gap(String::from("who only knocks (SYN scans): plain sockets see connections that come about")),
        gap(String::from("programs that want one of these ports later: they cannot have it while we do")),
    ];
    gaps.extend(why.map(|why| gap(format!("a kernel program for all ports: {why}"))));
    gaps
}

fn socket(at: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), kind, Some(protocol))?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(at, Type::STREAM, Protocol::TCP)?;
    // On Unix it lets the port be had again at once; on Windows it would take one from its holder.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn receive(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket(at, Type::DGRAM, Protocol::UDP)?;
    socket.bind(&at.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    /// Two ports that were free a moment ago.
    fn free() -> (u16, u16) {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port())
    }

    #[test]
    fn who_comes_is_handed_out_and_ended_without_a_trace() {
        let (tcp, udp) = free();
        let request = DecoyRequest {
            tcp: PortSet::of(&[tcp..=tcp]),
            udp: PortSet::of(&[udp..=udp]),
            v6: false,
            answer: true,
            ..DecoyRequest::default()
        };
        let mut plain = Plain::open(&request, None).unwrap();
        assert_eq!((plain.coverage().tcp, plain.coverage().udp), (request.tcp.clone(), request.udp.clone()));
        let mut client = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        client.write_all(b"hello").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"datagram", ("127.0.0.1", udp)).unwrap();
        let (mut visitors, mut datagrams) = (Vec::new(), Vec::new());
        while visitors.is_empty() || datagrams.is_empty() {
            plain
                .wait(Duration::from_secs(5), &mut |knock| match knock {
                    Knock::Connection(visitor) => visitors.push(visitor),
                    Knock::Datagram { bytes, peer, local, .. } => {
                        datagrams.push((bytes.to_vec(), peer, local))
                    }
                    Knock::Packet { .. } => panic!("plain sockets see no packets"),
                })
                .unwrap();
        }
        // Which of the machine's addresses it was sent to is not told.
        assert_eq!(
            datagrams,
            [(b"datagram".to_vec(), sender.local_addr().unwrap(), ([0, 0, 0, 0], udp).into())]
        );
        let mut visitor = visitors.pop().unwrap();
        assert_eq!((visitor.peer, visitor.local.port()), (client.local_addr().unwrap(), tcp));
        let mut bytes = [0; 16];
        let read = loop {
            if let Some(read) = visitor.read(&mut bytes).unwrap() {
                break read;
            }
        };
        assert_eq!(bytes[..read], *b"hello");
        assert_eq!(visitor.say(b"greeting"), 8);
        drop((visitor, plain));
        let mut heard = Vec::new();
        // A reset ends it, which some systems tell as an error after the bytes.
        let _ = client.read_to_end(&mut heard);
        // Without SO_REUSEADDR: nothing of the connection is left.
        let again = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        again.bind(&SocketAddr::from(([127, 0, 0, 1], tcp)).into()).unwrap();
    }

    #[test]
    fn a_port_with_a_holder_is_left_alone_and_too_many_are_refused() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let request = DecoyRequest {
            tcp: PortSet::of(&[port..=port]),
            v6: false,
            answer: true,
            ..DecoyRequest::default()
        };
        assert!(matches!(Plain::open(&request, None), Err(DecoyError::NoPort(_))));
        let many = DecoyRequest { tcp: PortSet::of(&[2000..=2999]), ..request.clone() };
        assert!(matches!(Plain::open(&many, None), Err(DecoyError::TooMany(1000, None))));
        let observe = DecoyRequest { answer: false, ..request };
        assert!(matches!(Plain::open(&observe, None), Err(DecoyError::NotSupported(_))));
    }
}
