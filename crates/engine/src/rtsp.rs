//! What an RTSP server has, by asking it.

use std::fmt;
use std::net::SocketAddr;

use host::client::{Error, Limits, Stream, Tls, Trust};
use media::rtsp::{Client, Outcome};
use model::media::Session;

/// The port where none is said (RFC 2326 §3.2).
const PORT: u16 = 554;

/// The same inside TLS (RFC 7826 §4.2).
const SECURE_PORT: u16 = 322;

/// How often to follow where it is said to be.
const MOST_MOVES: u32 = 3;

/// What a server described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The server that answered.
    pub server: SocketAddr,
    /// Its description.
    pub text: Vec<u8>,
    /// The media in it. Those that go to one receiver have no leg before somebody sets them up.
    pub sessions: Vec<Session>,
}

/// Why there is no description.
#[derive(Debug)]
pub enum Trouble {
    /// It is no address of RTSP.
    Address,
    /// The connection failed.
    Connection(Error),
    /// The server answered, and did not describe.
    Answer(Outcome),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Address => {
                f.write_str("not an address of the form rtsp://host[:port]/path or rtsps://host[:port]/path")
            }
            Trouble::Connection(error) => error.fmt(f),
            Trouble::Answer(Outcome::Refused(status)) => write!(f, "the server refuses with status {status}"),
            Trouble::Answer(Outcome::WhoAreYou) => f.write_str("the server asks for a name and a password"),
            Trouble::Answer(Outcome::NotBelieved) => {
                f.write_str("the server does not accept this name and password")
            }
            Trouble::Answer(Outcome::Moved(to)) => write!(f, "it is said to be at {to}"),
            Trouble::Answer(Outcome::Ended) => {
                f.write_str("the server ended the connection without an answer")
            }
            Trouble::Answer(_) => f.write_str("what came is not RTSP"),
        }
    }
}

impl std::error::Error for Trouble {}

/// Asks the server of this address for its description; it follows to other addresses of RTSP only.
pub fn describe(url: &str, credentials: Option<(&str, &str)>, limits: Limits) -> Result<Answer, Trouble> {
    describe_with(url, credentials, limits, &Trust::default())
}

/// The same, and `rtsps` believes whom this says.
pub fn describe_with(
    url: &str,
    credentials: Option<(&str, &str)>,
    limits: Limits,
    trust: &Trust,
) -> Result<Answer, Trouble> {
    let mut client = Client::new(url, credentials).ok_or(Trouble::Address)?;
    for _ in 0..=MOST_MOVES {
        let server = exchange(&mut client, limits, trust).map_err(Trouble::Connection)?;
        match client.outcome() {
            Some(Outcome::Described { text }) => {
                let sessions = client.sessions(server, Some(host::now()));
                return Ok(Answer { server, text: text.clone(), sessions });
            }
            Some(Outcome::Moved(place)) => {
                let Some(next) = client.moved(place) else {
                    return Err(Trouble::Answer(Outcome::Moved(place.clone())));
                };
                if client.is_secure() && !next.is_secure() {
                    let why = format!("it leads out of TLS, to {place}");
                    return Err(Trouble::Connection(Error::Broken(why)));
                }
                client = next;
            }
            other => return Err(Trouble::Answer(other.cloned().unwrap_or(Outcome::Broken))),
        }
    }
    Err(Trouble::Connection(Error::Broken("the server leads from place to place".into())))
}

fn exchange(client: &mut Client, limits: Limits, trust: &Trust) -> Result<SocketAddr, Error> {
    let mut stream = if client.is_secure() {
        Stream::connect_tls(client.authority(), SECURE_PORT, limits, &Tls::new(trust)?)?
    } else {
        Stream::connect(client.authority(), PORT, limits)?
    };
    let server = stream.peer().ok_or_else(|| Error::Broken("the connection is gone".into()))?;
    let mut room = vec![0; 16 << 10];
    while client.outcome().is_none() {
        if let Some(request) = client.poll() {
            stream.send(&request)?;
        }
        match stream.receive(&mut room)? {
            [] => client.close(),
            bytes => client.handle(bytes),
        }
    }
    Ok(server)
}
