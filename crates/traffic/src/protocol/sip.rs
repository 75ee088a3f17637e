//! SIP: requests and responses in the grammar of HTTP, over datagrams and streams (RFC 3261 §7).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use model::{Protocol, Secrecy, Wandering};
use wire::http::{self, Head, Start};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How SIP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "sip",
        title: "SIP",
        reference: "RFC 3261",
        services: &["sip"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Either, Over::Any, b"SIP/2.0 "),
        Sign::classes(
            Side::Either,
            Over::Any,
            &[Class::In(b'A', b'Z'), Class::In(b'A', b'Z'), Class::In(b'A', b'Z')],
        ),
    ],
    look,
};

fn head<'a>(said: &Said<'a>) -> Option<Head<'a>> {
    if !http::may_name(said.bytes(), b"SIP/2.0") {
        return None;
    }
    let head = http::parse(said.bytes()).ok()??;
    let target = match head.start {
        Start::Request { target, .. } => {
            // sip:, sips: or tel: (RFC 3261 §19.1, RFC 3966).
            let colon = target.iter().position(|byte| *byte == b':')?;
            let scheme = target.get(..colon)?;
            [&b"sip"[..], b"sips", b"tel", b"urn", b"im", b"pres"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
        }
        Start::Response { status, .. } => (100..700).contains(&status),
    };
    (head.version == b"SIP/2.0" && target).then_some(head)
}

/// How the target of a request begins.
static SCHEME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" sip"));

fn is_open(said: &Said<'_>) -> bool {
    let bytes = said.bytes();
    if memchr::memchr(b'\n', bytes).is_some() {
        return false;
    }
    let begin = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    let begins = begin.starts_with(b"SIP/2.0 ") || SCHEME.find(begin).is_some();
    begins && matches!(http::parse(bytes), Ok(None))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (head(&talk.client), head(&talk.server));
    // Who answers is no client: the other way round it is a server.
    let answers = |head: &Option<Head<'_>>| {
        head.as_ref().is_some_and(|head| matches!(head.start, Start::Response { .. }))
    };
    if talk.is_datagrams() && answers(&client) && !answers(&server) {
        return Look::No;
    }
    let (by, rule) = match (&client, &server) {
        (Some(_), Some(_)) => (By::Both, "both sides speak SIP/2.0"),
        (None, Some(_)) => (By::Server, "server's first line has SIP/2.0"),
        (Some(_), None) => (By::Client, "client's first line has SIP/2.0"),
        (None, None) => {
            let open = is_open(&talk.client) || is_open(&talk.server);
            return if open && !talk.ended && !talk.is_datagrams() { Look::More } else { Look::No };
        }
    };
    let mut claim = talk.claim(by, 80, rule);
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    for head in client.iter().chain(&server) {
        match head.start {
            Start::Request { method, .. } => claim = claim.with("method", method),
            Start::Response { status, .. } => claim = claim.showing("status", status),
        }
        for (field, short, name) in [
            ("from", "f", "from"),
            ("to", "t", "to"),
            ("user-agent", "user-agent", "user_agent"),
            ("server", "server", "server"),
        ] {
            if claim.details.iter().any(|detail| detail.name == name) {
                continue;
            }
            if let Some(value) = head.field(field).or_else(|| head.field(short)) {
                claim = claim.with(name, value);
            }
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    const OPTIONS: &[u8] = b"OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nf: <sip:c@d.example>\r\nUser-Agent: sipsak\r\n\r\n";
    const OK: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nServer: Kamailio\r\n\r\n";

    #[test]
    fn requests_and_responses_over_both_kinds() {
        let said = confirmed("sip", &udp(&[OPTIONS], &[OK]).talk());
        assert_eq!(said.detail("from"), Some("<sip:c@d.example>"));
        assert_eq!((said.detail("method"), said.detail("server")), (Some("OPTIONS"), Some("Kamailio")));
        confirmed("sip", &tcp(OPTIONS, OK));
        confirmed("sip", &tcp(b"", OK));
        attempt("sip", &udp(&[OPTIONS], &[]).talk());
        nothing(&udp(&[b"OPTIONS rtsp://b SIP/2.0\r\n"], &[]).talk());
        nothing(&udp(&[], &[b"SIP/2.0 900 Odd\r\n"]).talk());
    }
}
