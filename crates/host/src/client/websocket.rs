//! A WebSocket that is listened to (RFC 6455).

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tungstenite::protocol::WebSocketConfig;
use tungstenite::{HandshakeError, Message};

use super::{Error, Limits, Stream, Tls, Trust};

/// How long one wait for a message is.
const PATIENCE: Duration = Duration::from_millis(500);

/// After this long without a byte the other side is asked whether it is there.
const PING_AFTER: Duration = Duration::from_secs(20);

/// After this long it is not.
const DEAD_AFTER: Duration = Duration::from_secs(60);

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    inner: tungstenite::WebSocket<Stream>,
    most_bytes: usize,
    heard: Instant,
    asked: bool,
}

impl WebSocket {
    /// Opens it; messages longer than `most_bytes` end it.
    pub fn open(url: &str, limits: Limits, most_bytes: usize) -> Result<WebSocket, Error> {
        WebSocket::open_with(url, limits, most_bytes, &Trust::default())
    }

    /// The same, and `wss` believes whom this says.
    pub fn open_with(
        url: &str,
        limits: Limits,
        most_bytes: usize,
        trust: &Trust,
    ) -> Result<WebSocket, Error> {
        let address = || Error::Address(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(address)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let stream = match scheme.to_ascii_lowercase().as_str() {
            "ws" => Stream::connect(authority, 80, limits)?,
            "wss" => Stream::connect_tls(authority, 443, limits, &Tls::new(trust)?)?,
            _ => return Err(address()),
        };
        let config =
            WebSocketConfig::default().max_message_size(Some(most_bytes)).max_frame_size(Some(most_bytes));
        let opened = tungstenite::client::client_with_config(url, stream, Some(config));
        let (mut inner, _) = opened.map_err(|error| match error {
            HandshakeError::Interrupted(_) => Error::TimedOut,
            HandshakeError::Failure(error) => said(&error, most_bytes),
        })?;
        inner.get_mut().wait_for_each(PATIENCE);
        Ok(WebSocket { inner, most_bytes, heard: Instant::now(), asked: false })
    }

    /// The next message; `None` where none came for half a second. An error ends the WebSocket.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let message = match self.inner.read() {
            Ok(message) => message,
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                return self.wait().map(|()| None);
            }
            Err(error) => return Err(said(&error, self.most_bytes)),
        };
        (self.heard, self.asked) = (Instant::now(), false);
        Ok(match message {
            Message::Text(text) => Some(text.as_bytes().to_vec()),
            Message::Binary(bytes) => Some(bytes.to_vec()),
            _ => None,
        })
    }

    /// Nothing came: is there still somebody?
    fn wait(&mut self) -> Result<(), Error> {
        let silent = self.heard.elapsed();
        if silent > DEAD_AFTER {
            return Err(Error::TimedOut);
        }
        if silent > PING_AFTER && !self.asked {
            self.asked = true;
            let sent = self.inner.send(Message::Ping(Vec::new().into()));
            return sent.map_err(|error| said(&error, self.most_bytes));
        }
        Ok(())
    }
}

fn said(error: &tungstenite::Error, most_bytes: usize) -> Error {
    match error {
        tungstenite::Error::Capacity(_) => Error::TooLong(most_bytes),
        tungstenite::Error::Io(error) => Error::of(error),
        error => Error::Broken(error.to_string()),
    }
}
