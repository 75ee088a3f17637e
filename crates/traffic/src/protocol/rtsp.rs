//! RTSP: requests and responses in the grammar of HTTP, both sides may ask (RFC 7826, RFC 2326).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use model::{Protocol, Secrecy, Wandering};
use wire::http::{self, Head, Start};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How RTSP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rtsp",
        title: "RTSP",
        reference: "RFC 7826",
        services: &["rtsp", "rtsp-alt"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Either, Over::Any, b"RTSP/"),
        Sign::classes(
            Side::Either,
            Over::Any,
            &[Class::In(b'A', b'Z'), Class::In(b'A', b'_'), Class::In(b'A', b'_')],
        ),
    ],
    look,
};

fn head<'a>(said: &Said<'a>) -> Option<Head<'a>> {
    if !http::may_name(said.bytes(), b"RTSP/") {
        return None;
    }
    let head = http::parse(said.bytes()).ok()??;
    let version = [&b"RTSP/1.0"[..], b"RTSP/2.0"].contains(&head.version);
    // A request names what it asks for by its URI, or the whole server by `*`.
    let target = match head.start {
        Start::Request { target, .. } => {
            target == b"*"
                || target.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"rtsp"))
                || target.starts_with(b"/")
        }
        Start::Response { .. } => true,
    };
    (version && target).then_some(head)
}

/// How the target of a request begins.
static SCHEME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" rtsp"));

/// Whether a first line may still become one.
fn is_open(said: &Said<'_>) -> bool {
    let bytes = said.bytes();
    if memchr::memchr(b'\n', bytes).is_some() {
        return false;
    }
    let begins = bytes.starts_with(b"RTSP/")
        || SCHEME.find(bytes.get(..bytes.len().min(64)).unwrap_or_default()).is_some();
    begins && matches!(http::parse(bytes), Ok(None)) && lines::in_first_line(bytes)
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (head(&talk.client), head(&talk.server));
    let (by, rule) = match (&client, &server) {
        (Some(_), Some(_)) => (By::Both, "both sides speak RTSP"),
        (None, Some(_)) => (By::Server, "server's first line has RTSP and its version"),
        (Some(_), None) => (By::Client, "client asks with a request line RTSP"),
        (None, None) => {
            let open = is_open(&talk.client) || is_open(&talk.server);
            return if open && !talk.ended { Look::More } else { Look::No };
        }
    };
    let mut claim = talk.claim(by, 80, rule);
    for head in client.iter().chain(&server) {
        match head.start {
            Start::Request { method, target } => claim = claim.with("method", method).with("target", target),
            Start::Response { status, .. } => claim = claim.showing("status", status),
        }
        for (field, name) in [("user-agent", "user_agent"), ("server", "server")] {
            if let Some(value) = head.field(field) {
                claim = claim.with(name, value);
            }
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn requests_and_responses() {
        let ask = b"DESCRIBE rtsp://cam.example/1 RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: ffplay\r\n\r\n";
        let answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: GStreamer RTSP server\r\n\r\n";
        let said = confirmed("rtsp", &tcp(ask, answer));
        assert_eq!(said.detail("server"), Some("GStreamer RTSP server"));
        assert_eq!(said.detail("target"), Some("rtsp://cam.example/1"));
        confirmed("rtsp", &tcp(b"", answer));
        attempt("rtsp", &tcp(b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", b""));
        nothing(&tcp(b"OPTIONS rtsp://x RTSP/3.7\r\n", b""));
        nothing(&tcp(b"OPTIONS sip:x RTSP/1.0\r\n", b""));
    }
}
