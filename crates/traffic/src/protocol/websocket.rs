//! WebSocket: an HTTP request to upgrade, the answer 101, then frames (RFC 6455 §4).

use model::{Protocol, Secrecy, Wandering};
use wire::http::{self, Head, Start};

use super::Recogniser;
use super::http::details;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How WebSocket is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "websocket",
        title: "WebSocket",
        reference: "RFC 6455",
        services: &["http", "www", "www-http", "http-alt", "websnp"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Client, Over::Stream, b"GET "),
        Sign::text(Side::Server, Over::Stream, b"HTTP/1.1"),
    ],
    look,
};

fn upgrades(head: &Head<'_>) -> bool {
    head.field("upgrade").is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
}

fn head<'a>(said: &Said<'a>) -> Option<Head<'a>> {
    if !http::may_name(said.bytes(), b"HTTP/1.1") {
        return None;
    }
    http::parse(said.bytes()).ok()?.filter(|head| head.version == b"HTTP/1.1" && upgrades(head))
}

/// Whether what follows a head may be frames (RFC 6455 §5.2): known operation, no reserved bits of ours, masked or not.
fn may_be_frame(body: &[u8], masked: bool) -> bool {
    match body {
        [first, second, ..] => {
            let operation = first & 0x0f;
            // Bit 0x40 says that the payload is compressed (RFC 7692 §6).
            first & 0x30 == 0 && matches!(operation, 0..=2 | 8..=10) && (second & 0x80 != 0) == masked
        }
        _ => true,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    // Most of what is HTTP is answered otherwise.
    let answer = talk.server.bytes();
    if !answer.is_empty() && !answer.starts_with(b"HTTP/1.1 101") {
        return Look::No;
    }
    let request = head(&talk.client).filter(|head| {
        matches!(head.start, Start::Request { .. }) && head.field("sec-websocket-key").is_some()
    });
    let response = head(&talk.server).filter(|head| {
        matches!(head.start, Start::Response { status: 101, .. })
            && head.field("sec-websocket-accept").is_some()
    });
    let (by, rule) = match (&request, &response) {
        (Some(_), Some(_)) => (By::Both, "asked to upgrade to websocket, and accepted"),
        (None, Some(_)) => (By::Server, "server accepts to upgrade to websocket"),
        (Some(_), None) if talk.server.is_empty() => (By::Client, "client asks to upgrade to websocket"),
        _ => return Look::No,
    };
    let frames = [(&request, true), (&response, false)];
    if !frames.iter().all(|(head, masked)| head.is_none_or(|head| may_be_frame(head.body, *masked))) {
        return Look::No;
    }
    // More than HTTP's own claim: this is HTTP, and then more.
    let claim = details(talk.claim(by, 200, rule), request.as_ref(), response.as_ref());
    let subprotocol = response.and_then(|head| head.field("sec-websocket-protocol"));
    Look::Yes(match subprotocol {
        Some(name) => claim.with("subprotocol", name),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, tcp};

    const ASK: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const YES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n\x81\x02hi";

    #[test]
    fn accepted_refused_and_alone() {
        let said = confirmed("websocket", &tcp(ASK, YES));
        assert_eq!((said.detail("host"), said.detail("subprotocol")), (Some("a.example"), Some("mqtt")));
        confirmed("websocket", &tcp(b"", YES));
        attempt("websocket", &tcp(ASK, b""));
        confirmed("http", &tcp(ASK, b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    }

    #[test]
    fn what_follows_must_be_frames() {
        let other = [YES.strip_suffix(b"\x81\x02hi").unwrap(), b"\xff\xffhi"].concat();
        confirmed("http", &tcp(ASK, &other));
    }
}
