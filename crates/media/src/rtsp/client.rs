//! A client without I/O that asks a server what it has: OPTIONS, DESCRIBE (RFC 2326 §10.1 and §10.2).

use std::net::SocketAddr;

use model::media::{Session, SessionSource};
use model::{Timestamp, Utc};

use super::digest::{Challenge, Credentials};
use super::message::{Item, Message, Start, parse};
use crate::described::described;

/// More is not read of an answer.
const MOST_BYTES: usize = 192 << 10;

/// Attempts to say who one is: once, and once more where the server's nonce was too old.
const MOST_ATTEMPTS: u32 = 2;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A description.
    Described {
        /// Its text.
        text: Vec<u8>,
    },
    /// It is said to be elsewhere.
    Moved(String),
    /// The server refuses, with this status.
    Refused(u16),
    /// It asks who we are, and we did not say.
    WhoAreYou,
    /// It does not believe us who we are, or asks in a way that we cannot answer.
    NotBelieved,
    /// What came is not RTSP.
    Broken,
    /// The connection ended without an answer.
    Ended,
}

/// A client of one server. `poll` gives bytes to send, `handle` takes what came, until there is an outcome.
#[derive(Debug)]
pub struct Client {
    url: String,
    authority: String,
    secure: bool,
    credentials: Option<Credentials>,
    challenge: Option<Challenge>,
    method: &'static str,
    sequence: u32,
    attempts: u32,
    to_send: bool,
    received: Vec<u8>,
    /// Bytes of a frame of media that are still to come.
    skip: usize,
    outcome: Option<Outcome>,
}

impl Client {
    /// For `rtsp://[name:password@]host[:port]/…` or `rtsps://…`; name and password may be given apart. `None` where
    /// it is no such address.
    pub fn new(url: &str, credentials: Option<(&str, &str)>) -> Option<Client> {
        if url.len() > 2048 || !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (user.split_once(':').or(Some((user, ""))), authority),
            None => (None, authority),
        };
        let scheme = ["rtsp", "rtsps"].into_iter().find(|it| it.eq_ignore_ascii_case(scheme))?;
        if authority.is_empty() {
            return None;
        }
        Some(Client {
            url: format!("{scheme}://{authority}{path}"),
            authority: authority.to_owned(),
            secure: scheme == "rtsps",
            credentials: credentials.or(user).and_then(|(name, password)| Credentials::new(name, password)),
            challenge: None,
            method: "OPTIONS",
            sequence: 0,
            attempts: 0,
            to_send: true,
            received: Vec::new(),
            skip: 0,
            outcome: None,
        })
    }

    /// Whether the connection must be inside TLS (RFC 7826 §4.2).
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port to connect to, as they were written; where no port is, it is 554, or 322 inside TLS.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What to send now.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.to_send) || self.outcome.is_some() {
            return None;
        }
        self.sequence += 1;
        let (method, url) = (self.method, &self.url);
        let mut request =
            format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: portreeve\r\n", self.sequence);
        if method == "DESCRIBE" {
            request += "Accept: application/sdp\r\n";
        }
        if let (Some(challenge), Some(who)) = (&self.challenge, &self.credentials) {
            let answer = challenge.answer(who, method, url, self.sequence);
            request += &format!("Authorization: {answer}\r\n");
        }
        Some((request + "\r\n").into_bytes())
    }

    /// Takes bytes that came.
    pub fn handle(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        let mut received = std::mem::take(&mut self.received);
        received.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        let mut at = 0;
        while self.outcome.is_none() {
            match parse(received.get(at..).unwrap_or_default()) {
                Ok(Some((Item::Message(message), used))) => {
                    at += used;
                    self.take(&message);
                }
                Ok(Some((Item::Frame { length, .. }, used))) => {
                    at += used;
                    let here = usize::from(length).min(received.len().saturating_sub(at));
                    at += here;
                    self.skip = usize::from(length) - here;
                }
                Ok(None) => break,
                Err(_) => self.outcome = Some(Outcome::Broken),
            }
        }
        received.drain(..at.min(received.len()));
        if received.len() > MOST_BYTES {
            self.outcome.get_or_insert(Outcome::Broken);
        }
        if self.outcome.is_none() {
            self.received = received;
        }
    }

    /// The connection is at its end.
    pub fn close(&mut self) {
        self.outcome.get_or_insert(Outcome::Ended);
    }

    /// For where a server says that it is. Who we are is told to the same server only.
    pub fn moved(&self, place: &str) -> Option<Client> {
        let mut client = Client::new(place, None)?;
        let same = client.authority.eq_ignore_ascii_case(&self.authority) && client.secure == self.secure;
        if same && client.credentials.is_none() {
            client.credentials.clone_from(&self.credentials);
        }
        Some(client)
    }

    /// What came of it; `None` while there is more to do.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The sessions of the description: those whose address is settled before anybody sets them up.
    pub fn sessions(&self, server: SocketAddr, now: Option<Timestamp<Utc>>) -> Vec<Session> {
        let Some(Outcome::Described { text }) = &self.outcome else { return Vec::new() };
        let source = SessionSource::Rtsp(server);
        let described = described(text, &source);
        let media = described.media.iter().enumerate();
        let sessions = media.map(|(index, medium)| Session {
            name: if described.name.is_empty() {
                self.url.clone()
            } else {
                format!("{}: {}", described.name, medium.kind)
            },
            identity: format!("{} {}", self.url, index + 1),
            source: source.clone(),
            formats: medium.formats.clone(),
            legs: medium.legs.clone(),
            reference: medium.reference.clone(),
            media_clock: medium.media_clock,
            first: now,
            last: now,
            ended: None,
        });
        sessions.collect()
    }

    fn take(&mut self, message: &Message<'_>) {
        let Start::Response { status } = message.start else { return };
        let ours = message.header("CSeq").and_then(|it| it.parse().ok()) == Some(self.sequence);
        if !ours || self.to_send {
            return;
        }
        match (status, self.method) {
            (401, _) => self.identify(message),
            // What else it offers is of no use to us; a server that refuses to tell may still describe.
            (_, "OPTIONS") => {
                self.method = "DESCRIBE";
                self.to_send = true;
            }
            (200..=299, _) => self.outcome = Some(Outcome::Described { text: message.body.to_vec() }),
            (300..=399, _) => {
                let place = message.header("Location").unwrap_or_default().to_owned();
                self.outcome = Some(Outcome::Moved(place));
            }
            (status, _) => self.outcome = Some(Outcome::Refused(status)),
        }
    }

    fn identify(&mut self, message: &Message<'_>) {
        let challenge = Challenge::of(message);
        let again = self.challenge.is_none() || challenge.as_ref().is_some_and(Challenge::is_stale);
        if self.credentials.is_none() {
            self.outcome = Some(Outcome::WhoAreYou);
            return;
        }
        if challenge.is_none() || !again || self.attempts >= MOST_ATTEMPTS {
            self.outcome = Some(Outcome::NotBelieved);
            return;
        }
        self.attempts += 1;
        (self.challenge, self.to_send) = (challenge, true);
    }
}
