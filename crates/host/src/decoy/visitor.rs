//! A connection that somebody made to a decoy: read, answered with a few words, and ended without a trace.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use model::{Timestamp, Utc};
use socket2::SockRef;

/// A connection to a decoy. It ends when this is dropped, at once: nothing of it stays with the port.
#[derive(Debug)]
pub struct Visitor {
    stream: TcpStream,
    /// Who came.
    pub peer: SocketAddr,
    /// To where.
    pub local: SocketAddr,
    /// When the connection was taken.
    pub at: Timestamp<Utc>,
}

impl Visitor {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, at: Timestamp<Utc>) -> io::Result<Visitor> {
        stream.set_nonblocking(true)?;
        // A port in TIME-WAIT, or with unsent bytes, would be refused to whoever wants it next.
        SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))?;
        let local = stream.local_addr()?;
        Ok(Visitor { stream, peer: canonical(peer), local: canonical(local), at })
    }

    /// Reads what has come; `None` where nothing is there now, and 0 where nothing more will come.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match self.stream.read(into) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says something, as far as the system takes it at once; gives how many bytes it took.
    pub fn say(&mut self, bytes: &[u8]) -> usize {
        self.stream.write(bytes).unwrap_or(0)
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn descriptor(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.stream)
    }
}

/// An address of IPv4 as such, however the system tells it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
