//! The sessions that two others negotiate, from the bytes of their connection.

use std::collections::VecDeque;
use std::net::SocketAddr;

use model::media::{Leg, Session, SessionSource, Sources};
use model::{Timestamp, Utc};

use super::message::{Item, Message, Start, parse};
use super::transport::{Lower, Transport};
use crate::described::{Described, Medium, described};

/// Media that are kept of one connection.
pub(super) const MOST_TRACKS: usize = 64;

/// Requests that wait for their answer.
const MOST_REQUESTS: usize = 64;

/// Descriptions that are kept of one connection.
const MOST_DESCRIPTIONS: usize = 8;

/// Bytes that wait for the rest of their message; a message is no longer.
const MOST_WAITING: usize = 160 << 10;

/// Letters of an address that are kept.
const MOST_LETTERS: usize = 1024;

/// The type of a description (RFC 8866 §8.1).
const SDP: &[u8] = b"application/sdp";

/// Whose bytes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The one who connected.
    Client,
    /// The one who was connected to.
    Server,
}

/// What a request is for, as far as its answer says something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Describe,
    SetUp,
    /// Something else, which is a sign of life.
    Other,
    /// The request was not seen.
    Unseen,
}

/// A request without its answer.
#[derive(Debug, Clone)]
struct Waiting {
    method: Method,
    /// Its number, and what it is about.
    words: String,
    /// Where the number ends.
    sequence: usize,
}

impl Waiting {
    fn new(method: &str, sequence: &str, uri: &str) -> Waiting {
        let method = match method {
            "DESCRIBE" => Method::Describe,
            "SETUP" => Method::SetUp,
            _ => Method::Other,
        };
        let sequence = short(sequence);
        Waiting { method, words: [sequence, short(uri)].concat(), sequence: sequence.len() }
    }

    fn sequence(&self) -> &str {
        self.words.get(..self.sequence).unwrap_or_default()
    }

    fn uri(&self) -> &str {
        self.words.get(self.sequence..).unwrap_or_default()
    }
}

/// As much of a text as is kept.
fn short(text: &str) -> &str {
    if text.len() <= MOST_LETTERS {
        return text;
    }
    let end = text.char_indices().nth(MOST_LETTERS).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}

/// A description; it is read when something is set up that may go elsewhere than over its connection.
#[derive(Debug, Clone)]
enum Description {
    Text(Vec<u8>),
    Read(Described),
}

/// A medium that was set up.
#[derive(Debug, Clone)]
struct Track {
    uri: String,
    transport: Transport,
    first: Option<Timestamp<Utc>>,
    last: Option<Timestamp<Utc>>,
    ended: Option<Timestamp<Utc>>,
    over: bool,
}

/// One side's bytes.
#[derive(Debug, Clone, Default)]
struct Bytes {
    waiting: Vec<u8>,
    /// Bytes of a frame that are still to come.
    skip: usize,
    /// What came is not RTSP; nothing more is read.
    lost: bool,
}

/// A connection that is overheard.
#[derive(Debug, Clone)]
pub struct Overheard {
    client: SocketAddr,
    server: SocketAddr,
    from_client: Bytes,
    from_server: Bytes,
    requests: VecDeque<Waiting>,
    descriptions: VecDeque<(String, Description)>,
    tracks: Vec<Track>,
}

impl Overheard {
    /// A connection from one to the other.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Overheard {
        Overheard {
            client,
            server,
            from_client: Bytes::default(),
            from_server: Bytes::default(),
            requests: VecDeque::new(),
            descriptions: VecDeque::new(),
            tracks: Vec::new(),
        }
    }

    /// Takes the next bytes of one side, in order. Where some were lost, nothing more can be told of that side.
    pub fn feed(&mut self, from: From, bytes: &[u8], now: Option<Timestamp<Utc>>) {
        let mut side = std::mem::take(self.side(from));
        let skipped = side.skip.min(bytes.len());
        side.skip -= skipped;
        if !side.lost {
            side.waiting.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
            let mut at = 0;
            loop {
                match parse(side.waiting.get(at..).unwrap_or_default()) {
                    Ok(Some((item, used))) => {
                        at += used;
                        match item {
                            Item::Message(message) => self.handle(from, &message, now),
                            Item::Frame { length, .. } => {
                                let here = usize::from(length).min(side.waiting.len().saturating_sub(at));
                                at += here;
                                side.skip = usize::from(length) - here;
                            }
                        }
                    }
                    Ok(None) => break,
                    Err(_) => {
                        side.lost = true;
                        break;
                    }
                }
            }
            side.waiting.drain(..at.min(side.waiting.len()));
            side.lost |= side.waiting.len() > MOST_WAITING;
            if side.lost {
                side.waiting = Vec::new();
            }
        }
        *self.side(from) = side;
    }

    /// The connection is at its end, and with it what was negotiated on it.
    pub fn close(&mut self, now: Option<Timestamp<Utc>>) {
        for track in self.tracks.iter_mut().filter(|track| !track.over) {
            (track.over, track.ended) = (true, now);
        }
    }

    /// The sessions that were set up, in their order. Media that stay on this connection need no port, and are none.
    pub fn sessions(&self) -> Vec<Session> {
        self.tracks.iter().filter_map(|track| self.session(track)).collect()
    }

    fn side(&mut self, from: From) -> &mut Bytes {
        match from {
            From::Client => &mut self.from_client,
            From::Server => &mut self.from_server,
        }
    }

    fn handle(&mut self, from: From, message: &Message<'_>, now: Option<Timestamp<Utc>>) {
        let sequence = message.header("CSeq").unwrap_or_default();
        match (from, message.start) {
            (From::Client, Start::Request { method, uri }) => {
                // Whatever is answered, and many do not wait for it: who asked listens no more.
                if method == "TEARDOWN" {
                    for track in self.tracks.iter_mut().filter(|it| !it.over && below(&it.uri, uri)) {
                        (track.over, track.ended) = (true, now);
                    }
                }
                if self.requests.len() >= MOST_REQUESTS {
                    self.requests.pop_front();
                }
                self.requests.push_back(Waiting::new(method, sequence, uri));
            }
            (From::Server, Start::Response { status }) => {
                let place = self.requests.iter().position(|it| it.sequence() == sequence);
                let request = place.and_then(|place| self.requests.remove(place));
                if (200..300).contains(&status) {
                    self.answer(request, message, now);
                }
            }
            // A server asks, too; nothing of that is a session.
            _ => {}
        }
    }

    fn answer(&mut self, request: Option<Waiting>, message: &Message<'_>, now: Option<Timestamp<Utc>>) {
        let kind = message.header("Content-Type").unwrap_or_default().as_bytes();
        let (method, uri) =
            request.as_ref().map_or((Method::Unseen, ""), |request| (request.method, request.uri()));
        let is_sdp = kind.get(..SDP.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(SDP));
        // Where the request was not seen, a description is one all the same.
        if is_sdp && matches!(method, Method::Describe | Method::Unseen) {
            let base = message.header("Content-Base").or(message.header("Content-Location")).unwrap_or(uri);
            if self.descriptions.len() >= MOST_DESCRIPTIONS {
                self.descriptions.pop_front();
            }
            self.descriptions.push_back((short(base).to_owned(), Description::Text(message.body.to_vec())));
        }
        match method {
            Method::SetUp => {
                let value = message.header("Transport").unwrap_or_default();
                if let Some(transport) = Transport::parse(value).next() {
                    self.set_up(uri.to_owned(), transport, now);
                }
            }
            // Each sign of life.
            _ => {
                for track in self.tracks.iter_mut().filter(|it| !it.over && below(&it.uri, uri)) {
                    track.last = now;
                }
            }
        }
        if self.tracks.iter().any(|track| self.leg(&track.transport).is_some()) {
            self.read_descriptions();
        }
    }

    fn read_descriptions(&mut self) {
        for (_, description) in &mut self.descriptions {
            if let Description::Text(text) = description {
                *description = Description::Read(described(text, &SessionSource::Rtsp(self.server)));
            }
        }
    }

    fn set_up(&mut self, uri: String, transport: Transport, now: Option<Timestamp<Utc>>) {
        let track = Track { uri, transport, first: now, last: now, ended: None, over: false };
        match self.tracks.iter_mut().find(|it| it.uri == track.uri && !it.over) {
            Some(same) => *same = Track { first: same.first, ..track },
            None => {
                if self.tracks.len() < MOST_TRACKS {
                    self.tracks.push(track);
                }
            }
        }
    }

    fn session(&self, track: &Track) -> Option<Session> {
        let leg = self.leg(&track.transport)?;
        let found = self.descriptions.iter().rev().find_map(|(base, description)| {
            let Description::Read(described) = description else { return None };
            let medium = described.media.iter().find(|it| is_control(base, it, &track.uri))?;
            Some((described, medium))
        });
        let (described, medium) = found.unzip();
        let name = described.map(|it| it.name.as_str()).filter(|name| !name.is_empty());
        let kind = medium.map(|medium| medium.kind.as_str()).filter(|kind| !kind.is_empty());
        let name = match (name, kind) {
            (Some(name), Some(kind)) => format!("{name}: {kind}"),
            (Some(name), None) => name.to_owned(),
            (None, _) => track.uri.clone(),
        };
        Some(Session {
            name,
            identity: format!("{} {}", track.uri, self.client),
            source: SessionSource::Rtsp(self.server),
            formats: medium.map(|medium| medium.formats.clone()).unwrap_or_default(),
            legs: vec![leg],
            reference: medium.and_then(|it| it.reference.clone()),
            media_clock: medium.and_then(|it| it.media_clock),
            first: track.first,
            last: track.last,
            ended: track.ended,
        })
    }

    fn leg(&self, transport: &Transport) -> Option<Leg> {
        if transport.lower == Lower::Tcp || transport.interleaved.is_some() {
            return None;
        }
        let ports = if transport.multicast {
            transport.port.or(transport.client_port)
        } else {
            transport.client_port
        };
        let (port, rtcp_port) = ports.filter(|(port, _)| *port != 0)?;
        let ip = match transport.destination {
            Some(ip) if !ip.is_unspecified() => ip,
            _ if transport.multicast => return None,
            _ => self.client.ip(),
        };
        let source = transport.source.filter(|source| !source.is_unspecified()).unwrap_or(self.server.ip());
        let rtcp_port = rtcp_port.or(port.checked_add(1));
        Some(Leg {
            destination: SocketAddr::new(ip, port),
            sources: Sources::Only(vec![source]),
            rtcp: rtcp_port.map(|port| SocketAddr::new(ip, port)),
            ttl: transport.ttl,
        })
    }
}

/// Whether one address is the other, or below it.
fn below(uri: &str, whole: &str) -> bool {
    let whole = whole.trim_end_matches('/');
    uri.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a medium of a description at `base` is set up by this address (RFC 2326 §C.1.1).
fn is_control(base: &str, medium: &Medium, uri: &str) -> bool {
    match medium.control.as_deref() {
        None | Some("" | "*") => base.trim_end_matches('/') == uri.trim_end_matches('/'),
        Some(control) if control.contains("://") => control == uri,
        // Servers join them with a slash or without, whatever the base ends with.
        Some(control) => {
            let rest = uri.strip_prefix(base.trim_end_matches('/')).map(|rest| rest.trim_start_matches('/'));
            rest == Some(control.trim_start_matches('/')) || uri.ends_with(&format!("/{control}"))
        }
    }
}
