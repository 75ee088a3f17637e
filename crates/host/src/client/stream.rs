//! A stream of bytes to a server, with an end in time for all of it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Error, Limits, connect, host_and_port};

/// A connection that fails when its time is over, however slowly the other side goes on.
#[derive(Debug)]
pub struct Stream {
    tcp: TcpStream,
    end: Option<Instant>,
    /// How long to wait for the next byte, where there is no end.
    patience: Duration,
}

impl Stream {
    /// Connects to `host` or `host:port`; everything that follows must be done within the limit.
    pub fn connect(authority: &str, default_port: u16, limits: Limits) -> Result<Stream, Error> {
        let address = || Error::Address(authority.to_owned());
        let (host, port) = host_and_port(authority, default_port).ok_or_else(address)?;
        let tcp = connect(host, port, limits.connect)?;
        tcp.set_nodelay(true).map_err(|error| Error::of(&error))?;
        Ok(Stream { tcp, end: Some(Instant::now() + limits.whole), patience: limits.whole })
    }

    /// From now on there is no end, but the wait for a byte is this long.
    pub(super) fn wait_for_each(&mut self, patience: Duration) {
        (self.end, self.patience) = (None, patience);
    }

    /// The other side.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.tcp.peer_addr().ok()
    }

    /// Sends all of it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes).map_err(|error| Error::of(&error))
    }

    /// Some bytes; none at the end.
    pub fn receive<'a>(&mut self, room: &'a mut [u8]) -> Result<&'a [u8], Error> {
        let count = self.read(room).map_err(|error| Error::of(&error))?;
        Ok(room.get(..count).unwrap_or_default())
    }

    fn left(&self) -> io::Result<Duration> {
        let Some(end) = self.end else { return Ok(self.patience) };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.left()?))?;
        self.tcp.read(room)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.left()?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}
