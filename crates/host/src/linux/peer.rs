//! Who is on the other side of a TCP connection of this machine, as the kernel's table says.

use std::fs;
use std::net::SocketAddr;

use wire::proc_net::{self, Row, Table};

/// `TCP_ESTABLISHED` (`include/net/tcp_states.h`).
const ESTABLISHED: u8 = 1;

/// The user whose socket is the other end.
pub fn user(here: SocketAddr, there: SocketAddr) -> Option<u32> {
    let tables: &[&str] = if there.is_ipv4() { &["tcp", "tcp6"] } else { &["tcp6"] };
    tables.iter().find_map(|table| {
        let text = fs::read(format!("/proc/thread-self/net/{table}")).ok()?;
        among(&proc_net::parse(Table::Inet, &text).0, here, there)
    })
}

/// A socket that its process has closed, or that nobody has accepted yet, is shown as root's: it proves nothing.
fn among(rows: &[Row], here: SocketAddr, there: SocketAddr) -> Option<u32> {
    let same = |one: SocketAddr, other: SocketAddr| {
        one.ip().to_canonical() == other.ip().to_canonical() && one.port() == other.port()
    };
    let is_open = |row: &&Row| row.state == ESTABLISHED && row.inode != 0;
    rows.iter().filter(is_open).find(|row| same(row.local, there) && same(row.peer, here)).map(|row| row.uid)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn our_own_connection_is_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (here, there) = (server.local_addr().unwrap(), server.peer_addr().unwrap());
        assert_eq!(user(here, there), Some(rustix::process::geteuid().as_raw()));
        drop(client);
        assert_eq!(user(here, there), None, "a closed end proves nothing");
    }

    #[test]
    fn what_is_closed_or_not_accepted_is_nobodys() {
        let (here, there) = ("127.0.0.1:7420".parse().unwrap(), "127.0.0.1:50000".parse().unwrap());
        let row =
            Row { local: there, peer: here, state: ESTABLISHED, queued: 0, uid: 0, inode: 7, interface: 0 };
        assert_eq!(among(&[row], here, there), Some(0));
        assert_eq!(among(&[Row { state: 6, ..row }], here, there), None, "TIME-WAIT is shown as root's");
        assert_eq!(among(&[Row { inode: 0, ..row }], here, there), None);
        assert_eq!(among(&[row], there, here), None, "our own end is not the other one");
    }
}
