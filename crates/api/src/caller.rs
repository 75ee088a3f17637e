//! Who asks, how we know, and what they may do.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use crate::access::{self, Scope, Token};
use crate::shared::Shared;

/// How long a login holds.
pub(crate) const LOGIN_LASTS: Duration = Duration::from_secs(12 * 3600);
/// Logins at a time.
const MOST_LOGINS: usize = 1000;
/// Peers whose requests are counted at a time.
const MOST_PEERS: usize = 4096;

/// A connection: both ends, and whose the other one is.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) here: SocketAddr,
    pub(crate) there: SocketAddr,
    pub(crate) tls: bool,
    /// Asked for once, where it matters.
    pub(crate) user: OnceCell<Option<u32>>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody with a token, by its id and name.
    Token { id: String, name: String },
    /// A process of this user on this machine.
    User(u32),
}

/// Who asks, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    pub(crate) scope: Scope,
    /// What a request that changes something must bring along, where a browser would send it for anybody who asked.
    pub(crate) csrf: Option<String>,
}

impl Caller {
    pub(crate) fn of_token(token: &Token, csrf: Option<String>) -> Caller {
        let who = Who::Token { id: token.id.clone(), name: token.name.clone() };
        Caller { who, scope: token.scope, csrf }
    }

    /// As decisions name them.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Token { name, .. } => format!("token {name}"),
            Who::User(uid) => format!("uid {uid}"),
        }
    }

    /// Whether their token still counts.
    pub(crate) fn is_welcome(&self, shared: &Shared) -> bool {
        match &self.who {
            Who::Token { id, .. } => shared.tokens().has(id),
            Who::User(_) => true,
        }
    }

    /// What their requests are counted by.
    pub(crate) fn key(&self) -> Peer {
        match &self.who {
            Who::Token { id, .. } => Peer::Token(id.clone()),
            Who::User(uid) => Peer::User(*uid),
        }
    }
}

/// Logins of browsers. Only hashes of what the cookies say are kept.
#[derive(Default)]
pub(crate) struct Logins {
    of: HashMap<[u8; 32], (Token, Instant)>,
}

fn digest(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

impl Logins {
    /// A new login; gives what the cookie says.
    pub(crate) fn begin(&mut self, token: Token, now: Instant) -> Option<String> {
        self.of.retain(|_, (_, began)| now.duration_since(*began) < LOGIN_LASTS);
        if self.of.len() >= MOST_LOGINS {
            let oldest = self.of.iter().min_by_key(|(_, (_, began))| *began).map(|(key, _)| *key);
            oldest.and_then(|key| self.of.remove(&key));
        }
        let cookie = access::hex(&access::random::<32>().ok()?);
        self.of.insert(digest(&cookie), (token, now));
        Some(cookie)
    }

    pub(crate) fn token(&self, cookie: &str, now: Instant) -> Option<&Token> {
        let (token, began) = self.of.get(&digest(cookie))?;
        (now.duration_since(*began) < LOGIN_LASTS).then_some(token)
    }

    pub(crate) fn end(&mut self, cookie: &str) {
        self.of.remove(&digest(cookie));
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    Token(String),
    User(u32),
    Stranger(IpAddr),
}

/// How many requests each peer may still make: what was not used comes back with time.
pub(crate) struct Rates {
    a_second: f64,
    left: HashMap<Peer, (f64, Instant)>,
}

impl Rates {
    pub(crate) fn new(a_second: u32) -> Rates {
        Rates { a_second: f64::from(a_second), left: HashMap::new() }
    }

    /// Takes `cost` requests; whether there were as many left.
    pub(crate) fn take(&mut self, peer: Peer, cost: f64, now: Instant) -> bool {
        let (a_second, most) = (self.a_second, self.a_second * 4.0);
        let refilled = |left: f64, since: Instant| {
            (left + now.saturating_duration_since(since).as_secs_f64() * a_second).min(most)
        };
        if self.left.len() >= MOST_PEERS && !self.left.contains_key(&peer) {
            self.left.retain(|_, (left, since)| refilled(*left, *since) < most);
            if self.left.len() >= MOST_PEERS {
                return false;
            }
        }
        let (left, since) = self.left.entry(peer).or_insert((most, now));
        *left = refilled(*left, *since);
        *since = now;
        if *left < cost {
            return false;
        }
        *left -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_bounded_and_come_back_with_time() {
        let mut rates = Rates::new(10);
        let begin = Instant::now();
        let peer = || Peer::User(1);
        assert!((0..40).all(|_| rates.take(peer(), 1.0, begin)));
        assert!(!rates.take(peer(), 1.0, begin));
        assert!(rates.take(Peer::User(2), 1.0, begin), "another peer has its own");
        assert!(rates.take(peer(), 1.0, begin + Duration::from_millis(101)));
        assert!(!rates.take(peer(), 1.0, begin + Duration::from_millis(101)));
        assert!((0..40).all(|_| rates.take(peer(), 1.0, begin + Duration::from_secs(100))));
        assert!(
            !rates.take(peer(), 1.0, begin + Duration::from_secs(100)),
            "never more than four seconds' worth"
        );
    }

    #[test]
    fn peers_that_are_counted_are_bounded() {
        let mut rates = Rates::new(1);
        let now = Instant::now();
        let fits = (0..10_000).filter(|uid| rates.take(Peer::User(*uid), 1.0, now)).count();
        assert_eq!(fits, MOST_PEERS);
        assert!(rates.take(Peer::User(99_999), 1.0, now + Duration::from_secs(60)));
    }
}
