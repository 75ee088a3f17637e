//! Which sockets have a port, as the kernel's dump says: at the beginning, and now and then, to mend what hooks miss.

use std::collections::HashMap;

use model::{Kind, Transport};
use rustix::net::netlink as protocols;
use wire::sock_diag::{self, family, state};

use super::table;
use crate::linux::netlink::{Dump, Error, Socket};

/// Kinds that take ports of TCP or UDP, by their number in a dump, and the states in which they do.
const ASKED: [(u16, Kind, Transport, u32); 3] = [
    (6, Kind::Tcp, Transport::Tcp, 1 << state::LISTEN | 1 << state::BOUND_INACTIVE),
    // A listener of several paths: the one of TCP below it has a name of its own.
    (262, Kind::Mptcp, Transport::Tcp, 1 << state::LISTEN),
    (17, Kind::Udp, Transport::Udp, state::ALL),
];

/// Looks at the sockets of the namespace that it was made in.
#[derive(Debug)]
pub struct Looks {
    netlink: Socket,
    multipath: bool,
}

impl Looks {
    /// In the namespace of the calling thread.
    pub fn open() -> Result<Looks, Error> {
        // Asking for a protocol that is not there would make the kernel load its module.
        let counts = std::fs::read_to_string("/proc/thread-self/net/protocols").unwrap_or_default();
        let multipath = counts.lines().any(|line| line.starts_with("MPTCP"));
        Ok(Looks { netlink: Socket::open(Some(protocols::SOCK_DIAG))?, multipath })
    }

    /// The place of every socket that has one, by the kernel's name for the socket; and whether that is all of them.
    pub fn take(&mut self) -> Result<(HashMap<u64, u32>, bool), Error> {
        let (mut all, mut whole) = (HashMap::new(), true);
        for (protocol, kind, transport, states) in ASKED {
            if kind == Kind::Mptcp && !self.multipath {
                continue;
            }
            for family in [family::INET, family::INET6] {
                let mut request = sock_diag::inet_request(family, protocol, states);
                let mut found: Vec<(u64, u32)> = Vec::new();
                let dump = self.netlink.dump(&mut request, &mut found, Vec::clear, |found, message| {
                    if let Ok(socket) = sock_diag::parse_inet(message.payload)
                        && socket.local_port != 0
                    {
                        found.push((socket.cookie, table::place(transport, socket.local_port)));
                    }
                });
                match dump {
                    Ok(dump) => whole &= dump == Dump::Consistent,
                    // The kernel may be built without it.
                    Err(Error::Refused(rustix::io::Errno::NOENT)) if kind == Kind::Mptcp => {}
                    Err(error) => return Err(error),
                }
                all.extend(found);
            }
        }
        Ok((all, whole))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn what_has_a_port_is_seen() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("[::1]:0");
        let (all, _) = Looks::open().unwrap().take().unwrap();
        let place = table::place(Transport::Tcp, tcp.local_addr().unwrap().port());
        assert!(all.values().any(|other| *other == place));
        if let Ok(udp) = udp {
            let place = table::place(Transport::Udp, udp.local_addr().unwrap().port());
            assert!(all.values().any(|other| *other == place));
        }
    }
}
