//! Small clients of the network, each with bounds on time and bytes: HTTP, WebSocket, and a plain stream.
//!
//! `https`, `wss` and streams inside TLS believe the authorities that the system believes, unless [`Trust`] says
//! otherwise ([`crate::tls`]).

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

pub use crate::tls::{Tls, Trust};

mod http;
mod stream;
mod websocket;

pub use http::{Http, Response};
pub use stream::Stream;
pub use websocket::WebSocket;

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, from the beginning to its last byte.
    pub whole: Duration,
    /// How many redirects to follow.
    pub redirects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connect: Duration::from_secs(4), whole: Duration::from_secs(20), redirects: 3 }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Error {
    /// This build cannot do it, and what helps.
    NotSupported(&'static str),
    /// The address is none.
    Address(String),
    /// It took too long.
    TimedOut,
    /// It is longer than asked for.
    TooLong(usize),
    /// The connection failed, or what came is not its protocol.
    Broken(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotSupported(what) => f.write_str(what),
            Error::Address(address) => write!(f, "not an address: {address}"),
            Error::TimedOut => f.write_str("no answer in time"),
            Error::TooLong(most) => write!(f, "an answer of more than {most} bytes"),
            Error::Broken(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    pub(crate) fn of(error: &io::Error) -> Error {
        if let Some(error) = crate::tls::inside(error) {
            return Error::Broken(crate::tls::said(error));
        }
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
            _ => Error::Broken(error.to_string()),
        }
    }
}

/// Connects to the first address of a host that answers.
fn connect(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Error> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let end = Instant::now() + limit;
    let mut last = Error::Address(format!("{host}:{port}"));
    for address in (host, port).to_socket_addrs().map_err(|error| Error::of(&error))? {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::TimedOut);
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Error::of(&error),
        }
    }
    Err(last)
}

/// Host and port of `host`, `host:port`, `[::1]:port`.
pub(crate) fn host_and_port(authority: &str, default: u16) -> Option<(&str, u16)> {
    let after = authority.rfind(']').unwrap_or(0);
    match authority.rfind(':').filter(|at| *at > after) {
        Some(at) => {
            let (host, port) = authority.split_at_checked(at)?;
            Some((host, port.strip_prefix(':')?.parse().ok()?))
        }
        None => Some((authority, default)),
    }
}

#[cfg(test)]
mod tests;
