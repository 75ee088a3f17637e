//! The sockets that answer for empty ports: one listener and one datagram socket of each family.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use model::{Area, Gap, Reason};
use socket2::{Domain, Protocol, Socket, Type};

use super::datagrams::Room;
use crate::decoy::{DecoyRequest, Knock, Visitor};
use crate::linux::datagram;

/// Connections that may wait to be taken.
const BACKLOG: i32 = 4096;
/// Room for datagrams that wait to be taken.
const BUFFER_BYTES: usize = 4 << 20;
/// Of one socket, so much is taken before others get their turn.
const TURN: usize = 256;
const IPV6_FREEBIND: i32 = 78;
const IPV6_RECVORIGDSTADDR: i32 = 74;

/// The sockets.
#[derive(Debug)]
pub struct Answering {
    families: Vec<Pair>,
    room: Room,
    received: u64,
}

/// The sockets of one family.
#[derive(Debug)]
struct Pair {
    v6: bool,
    tcp: TcpListener,
    udp: UdpSocket,
    /// Their own ports: who comes to these was led by nobody.
    own: [u16; 2],
}

impl Answering {
    /// Opens them in the network namespace of the calling thread.
    pub fn open(request: &DecoyRequest, gaps: &mut Vec<Gap>) -> io::Result<Answering> {
        let mut families = Vec::new();
        if request.v4 {
            families.push(pair(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?);
        }
        if request.v6 {
            match pair(SocketAddr::from((Ipv6Addr::LOCALHOST, 0))) {
                Ok(pair) => families.push(pair),
                // A machine may have one family only.
                Err(error) if request.v4 => gaps.push(Gap {
                    area: Area::Sockets,
                    reason: Reason::NotSupported,
                    what: format!("answering in IPv6: {error}"),
                    count: None,
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(Answering { families, room: Room::new(), received: 0 })
    }

    /// Each socket, with its number in the program's map.
    pub fn sockets(&self) -> impl Iterator<Item = (u32, BorrowedFd<'_>)> {
        self.families.iter().flat_map(|pair| {
            let first = if pair.v6 { 2 } else { 0 };
            [(first, pair.tcp.as_fd()), (first + 1, pair.udp.as_fd())]
        })
    }

    /// Takes connections that wait, a bounded number.
    pub fn accept(&mut self) -> Vec<Visitor> {
        let mut visitors = Vec::new();
        for pair in &self.families {
            for _ in 0..TURN {
                match pair.tcp.accept() {
                    Ok((stream, peer)) => {
                        let visitor = Visitor::new(stream, peer, crate::now());
                        visitors.extend(visitor.ok().filter(|it| !pair.own.contains(&it.local.port())));
                    }
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(_) => break,
                }
            }
        }
        visitors
    }

    /// Hands out datagrams that wait, a bounded number; gives how many.
    pub fn receive(&mut self, each: &mut dyn FnMut(Knock<'_>)) -> usize {
        let mut seen = 0;
        for pair in &self.families {
            for _ in 0..TURN {
                match self.room.receive(pair.udp.as_fd()) {
                    Ok(datagram) if pair.own.contains(&datagram.local.port()) => {}
                    Ok(datagram) => {
                        seen += 1;
                        each(Knock::Datagram {
                            at: crate::now(),
                            peer: datagram.peer,
                            local: datagram.local,
                            bytes: datagram.bytes,
                            whole_bytes: datagram.whole_bytes,
                        });
                    }
                    // Somebody claims that a datagram of ours was refused: we send none.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    Err(_) => break,
                }
            }
        }
        self.received += seen as u64;
        seen
    }

    /// Datagrams that were handed out.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Datagrams for which there was no room.
    pub fn dropped(&self) -> u64 {
        // `SO_MEMINFO`: nine numbers, the last of them how many were dropped.
        const MEMORY: i32 = 55;
        let dropped = |pair: &Pair| {
            let mut told = [0_u32; 9];
            let asked = datagram::read(pair.udp.as_fd(), libc::SOL_SOCKET, MEMORY, &mut told);
            asked.ok().and_then(|()| told.last().copied()).map_or(0, u64::from)
        };
        self.families.iter().map(dropped).sum()
    }
}

/// On loopback, where only this machine reaches their own ports, even while loopback is down.
fn pair(at: SocketAddr) -> io::Result<Pair> {
    let v6 = at.is_ipv6();
    let socket = |kind, protocol| {
        let socket = Socket::new(Domain::for_address(at), kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        if v6 {
            socket.set_only_v6(true)?;
        }
        let (level, name) =
            if v6 { (libc::IPPROTO_IPV6, IPV6_FREEBIND) } else { (libc::IPPROTO_IP, libc::IP_FREEBIND) };
        datagram::set(socket.as_fd(), level, name, &1)?;
        Ok::<Socket, io::Error>(socket)
    };
    let tcp = socket(Type::STREAM, Protocol::TCP)?;
    // Connections inherit it: a program that sets it too, as servers do, may have the port while somebody is here.
    tcp.set_reuse_address(true)?;
    tcp.bind(&at.into())?;
    tcp.listen(BACKLOG)?;
    let udp = socket(Type::DGRAM, Protocol::UDP)?;
    let (level, name) = if v6 {
        (libc::IPPROTO_IPV6, IPV6_RECVORIGDSTADDR)
    } else {
        (libc::IPPROTO_IP, libc::IP_RECVORIGDSTADDR)
    };
    datagram::set(udp.as_fd(), level, name, &1)?;
    datagram::buffer(udp.as_fd(), BUFFER_BYTES, true)?;
    udp.bind(&at.into())?;
    let (tcp, udp): (TcpListener, UdpSocket) = (tcp.into(), udp.into());
    let own = [tcp.local_addr()?.port(), udp.local_addr()?.port()];
    Ok(Pair { v6, tcp, udp, own })
}
