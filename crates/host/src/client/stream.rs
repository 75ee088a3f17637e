//! A stream of bytes to a server, plain or inside TLS, with an end in time for all of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::{Error, Limits, connect, host_and_port};
use crate::tls::Tls;

/// A connection that fails when its time is over, however slowly the other side goes on.
#[derive(Debug)]
pub struct Stream {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// The connection itself.
#[derive(Debug)]
struct Timed {
    tcp: TcpStream,
    end: Option<Instant>,
    /// How long to wait for the next byte, where there is no end.
    patience: Duration,
}

impl Stream {
    /// Connects to `host` or `host:port`; everything that follows must be done within the limit.
    pub fn connect(authority: &str, default_port: u16, limits: Limits) -> Result<Stream, Error> {
        Ok(Stream { inner: Inner::Plain(open(authority, default_port, limits)?.0) })
    }

    /// The same inside TLS: the server has shown that it is who we asked for.
    pub fn connect_tls(
        authority: &str,
        default_port: u16,
        limits: Limits,
        tls: &Tls,
    ) -> Result<Stream, Error> {
        let (mut tcp, host) = open(authority, default_port, limits)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::Address(authority.to_owned()))?;
        let mut tls = ClientConnection::new(tls.config.clone(), name)
            .map_err(|error| Error::Broken(crate::tls::said(&error)))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).map_err(|error| Error::of(&error))?;
        }
        Ok(Stream { inner: Inner::Tls(Box::new(StreamOwned::new(tls, tcp))) })
    }

    fn timed(&mut self) -> &mut Timed {
        match &mut self.inner {
            Inner::Plain(timed) => timed,
            Inner::Tls(stream) => &mut stream.sock,
        }
    }

    /// From now on there is no end, but the wait for a byte is this long.
    pub(super) fn wait_for_each(&mut self, patience: Duration) {
        let timed = self.timed();
        (timed.end, timed.patience) = (None, patience);
    }

    /// What follows must be done within this time from now.
    pub fn allow(&mut self, whole: Duration) {
        self.timed().end = Some(Instant::now() + whole);
    }

    /// The other side.
    pub fn peer(&self) -> Option<SocketAddr> {
        match &self.inner {
            Inner::Plain(timed) => timed.tcp.peer_addr().ok(),
            Inner::Tls(stream) => stream.sock.tcp.peer_addr().ok(),
        }
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // Inside TLS only the flush tells whether it could be sent.
        self.write_all(bytes).and_then(|()| self.flush()).map_err(|error| Error::of(&error))
    }

    /// Some bytes; none at the end.
    pub fn receive<'a>(&mut self, room: &'a mut [u8]) -> Result<&'a [u8], Error> {
        let count = self.read(room).map_err(|error| Error::of(&error))?;
        Ok(room.get(..count).unwrap_or_default())
    }

    /// Whether the other side has ended it, as far as it is known here. What it said meanwhile is thrown away.
    pub fn is_gone(&mut self) -> bool {
        if self.timed().tcp.set_nonblocking(true).is_err() {
            return true;
        }
        let mut room = [0; 1024];
        let gone = loop {
            match self.read(&mut room) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        self.timed().tcp.set_nonblocking(false).is_err() || gone
    }
}

/// Connects, and says to which host.
fn open(authority: &str, default_port: u16, limits: Limits) -> Result<(Timed, &str), Error> {
    let address = || Error::Address(authority.to_owned());
    let (host, port) = host_and_port(authority, default_port).ok_or_else(address)?;
    let tcp = connect(host, port, limits.connect)?;
    tcp.set_nodelay(true).map_err(|error| Error::of(&error))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((Timed { tcp, end: Some(Instant::now() + limits.whole), patience: limits.whole }, host))
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let Some(end) = self.end else { return Ok(self.patience) };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        crate::uninterrupted(self.patience, || {
            self.tcp.set_read_timeout(Some(self.left()?))?;
            self.tcp.read(room)
        })
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        crate::uninterrupted(self.patience, || {
            self.tcp.set_write_timeout(Some(self.left()?))?;
            self.tcp.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(stream) => stream.read(room),
            Inner::Tls(stream) => stream.read(room),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Plain(stream) => stream.write(bytes),
            Inner::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.inner {
            Inner::Plain(stream) => stream.flush(),
            Inner::Tls(stream) => stream.flush(),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The other side is told that this is the end (RFC 8446 §6.1), where it can be told at once.
        if let Inner::Tls(stream) = &mut self.inner {
            stream.conn.send_close_notify();
            if stream.sock.tcp.set_nonblocking(true).is_ok() {
                let _ = stream.conn.write_tls(&mut stream.sock.tcp);
            }
        }
    }
}
