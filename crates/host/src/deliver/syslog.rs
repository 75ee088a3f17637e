//! A way to a syslog server: datagrams (RFC 5426), a stream with counted octets (RFC 6587 §3.4.1), the same inside TLS
//! (RFC 5425), or the socket of this machine.

use std::io;
use std::net::{ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use crate::client::{Error, Limits, Stream, Tls, Trust, host_and_port};

/// How long one message may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a socket of this machine may be full.
pub(super) const LOCAL_LIMIT: Duration = Duration::from_secs(2);

/// Which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The socket of this machine, `/dev/log`.
    Local(PathBuf),
    /// `host[:port]`, 514 where none is (RFC 5426 §3.3).
    Udp(String),
    /// `host[:port]`, 514 where none is.
    Tcp(String),
    /// `host[:port]`, 6514 where none is (RFC 5425 §4.1).
    Tls(String, Trust),
}

/// A way that is opened when it is used, and again when it broke.
#[derive(Debug)]
pub struct Syslog {
    route: Route,
    link: Option<Link>,
}

#[derive(Debug)]
enum Link {
    #[cfg(unix)]
    Local(std::os::unix::net::UnixDatagram),
    Udp(UdpSocket),
    Stream(Box<Stream>),
}

impl Syslog {
    /// By this way.
    pub fn new(route: Route) -> Syslog {
        Syslog { route, link: None }
    }

    /// Hands over one message.
    pub fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        // A server that went away is noticed before something is lost in its old connection.
        let gone = match &mut self.link {
            Some(Link::Stream(stream)) => stream.is_gone(),
            _ => false,
        };
        if gone {
            self.link = None;
        }
        let link = match &mut self.link {
            Some(link) => link,
            none => none.insert(open(&self.route)?),
        };
        let sent = match link {
            #[cfg(unix)]
            Link::Local(socket) => crate::uninterrupted(LOCAL_LIMIT, || socket.send(message))
                .map(drop)
                .map_err(|error| Error::of(&error)),
            Link::Udp(socket) => crate::uninterrupted(LOCAL_LIMIT, || socket.send(message))
                .map(drop)
                .map_err(|error| Error::of(&error)),
            Link::Stream(stream) => {
                let mut frame = format!("{} ", message.len()).into_bytes();
                frame.extend_from_slice(message);
                stream.allow(LIMIT);
                stream.send(&frame)
            }
        };
        sent.map_err(|error| {
            self.link = None;
            failed(&self.route, error)
        })
    }

    /// Whether the machine at the other end says that nobody listens; only datagrams leave that open.
    pub fn is_refused(&self) -> bool {
        let Some(Link::Udp(socket)) = &self.link else { return false };
        let waits = socket.set_read_timeout(Some(Duration::from_millis(300))).is_ok();
        waits
            && crate::uninterrupted(LOCAL_LIMIT, || socket.recv(&mut [0])).is_err_and(|error| {
                matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
            })
    }
}

fn failed(route: &Route, error: Error) -> Failure {
    let name = match route {
        Route::Local(path) => path.display().to_string(),
        Route::Udp(to) => format!("{to} (UDP)"),
        Route::Tcp(to) => format!("{to} (TCP)"),
        Route::Tls(to, _) => format!("{to} (TLS)"),
    };
    let Failure { why, again } = Failure::from(error);
    Failure { why: format!("{name}: {why}"), again }
}

fn open(route: &Route) -> Result<Link, Failure> {
    let limits = Limits { connect: Duration::from_secs(5), whole: LIMIT, redirects: 0 };
    let opened = match route {
        Route::Local(path) => local(path),
        Route::Udp(to) => datagrams(to).map(Link::Udp),
        Route::Tcp(to) => Stream::connect(to, 514, limits).map(|stream| Link::Stream(Box::new(stream))),
        Route::Tls(to, trust) => Tls::new(trust)
            .and_then(|tls| Stream::connect_tls(to, 6514, limits, &tls))
            .map(|stream| Link::Stream(Box::new(stream))),
    };
    opened.map_err(|error| failed(route, error))
}

fn datagrams(to: &str) -> Result<UdpSocket, Error> {
    let address = || Error::Address(to.to_owned());
    let (host, port) = host_and_port(to, 514).ok_or_else(address)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = address();
    for address in (host, port).to_socket_addrs().map_err(|error| Error::of(&error))? {
        let from = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(from).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => {
                socket.set_write_timeout(Some(LOCAL_LIMIT)).map_err(|error| Error::of(&error))?;
                return Ok(socket);
            }
            Err(error) => last = Error::of(&error),
        }
    }
    Err(last)
}

#[cfg(unix)]
fn local(path: &std::path::Path) -> Result<Link, Error> {
    let open = || {
        let socket = std::os::unix::net::UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A logger that does not read must not hold us.
        socket.set_write_timeout(Some(LOCAL_LIMIT))?;
        Ok(Link::Local(socket))
    };
    open().map_err(|error: io::Error| Error::of(&error))
}

#[cfg(not(unix))]
fn local(_: &std::path::Path) -> Result<Link, Error> {
    Err(Error::NotSupported("this system has no socket for syslog; name a server instead"))
}
