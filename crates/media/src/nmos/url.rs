//! The few parts of an address on the web that a client of these interfaces needs (RFC 3986 §3).

use std::fmt;

/// The longest that is taken.
const MOST_BYTES: usize = 2048;

/// An address with a host: scheme, authority, and the rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    /// `http`, `https`, `ws` or `wss`.
    scheme: &'static str,
    authority: String,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Reads one of the four schemes; no credentials, no blanks, nothing that could end a header line.
    pub fn parse(text: &str) -> Option<Url> {
        if text.len() > MOST_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = ["http", "https", "ws", "wss"].into_iter().find(|it| it.eq_ignore_ascii_case(scheme))?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let host = authority.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_:[]%".contains(&it));
        if authority.is_empty() || !host {
            return None;
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        Some(Url { scheme, authority: authority.to_ascii_lowercase(), path: path.to_owned(), query })
    }

    /// `http`, `https`, `ws` or `wss`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Host and port, as they were written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path, with its leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is read with HTTP.
    pub fn is_http(&self) -> bool {
        self.scheme.starts_with("http")
    }

    /// Whether it is a WebSocket's.
    pub fn is_websocket(&self) -> bool {
        self.scheme.starts_with("ws")
    }

    /// The same host with a path below this one's.
    #[must_use]
    pub fn below(&self, path: &str) -> Url {
        let whole = format!("{}/{}", self.path.trim_end_matches('/'), path.trim_start_matches('/'));
        Url { path: whole, query: None, ..self.clone() }
    }

    /// The same host with another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Url {
        Url { path: path.to_owned(), query: None, ..self.clone() }
    }

    /// The same with this query.
    #[must_use]
    pub fn with_query(&self, query: &str) -> Url {
        Url { query: (!query.is_empty()).then(|| query.to_owned()), ..self.clone() }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)?;
        self.query.iter().try_for_each(|query| write!(f, "?{query}"))
    }
}
