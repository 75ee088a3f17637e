//! HTTP/1: a request line with a token as method, a response that begins with its version (RFC 9112).

use model::{Protocol, Secrecy, Wandering};
use wire::http::{self, Head, Start};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Claim, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How HTTP/1 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "http",
        title: "HTTP/1",
        reference: "RFC 9112",
        services: &[
            "http",
            "www",
            "www-http",
            "http-alt",
            "ipp",
            "wsman",
            "wbem-http",
            "xmpp-bosh",
            "privoxy",
            "docker",
            "wsdapi",
            "hkp",
            "pcsync-http",
            "etcd-client",
            "etcd-server",
            "radan-http",
            "http-mgmt",
            "http-rpc-epmap",
            "amt-soap-http",
            "websnp",
            "pmwebapi",
        ],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"HTTP/1."),
        // Methods are tokens, and new ones are made (RFC 9110 §16.1); all that exist begin with capitals.
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::In(b'A', b'Z'), Class::In(b' ', b'_'), Class::In(b' ', b'z')],
        ),
    ],
    look,
};

/// A first line of a known method that has gone on for this long without a fault is one, whatever its end is.
const LONG: usize = 1024;

/// Methods of RFC 9110, of WebDAV, and QUERY.
const METHODS: &[&[u8]] = &[
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"QUERY",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"MKCALENDAR",
    b"SUBSCRIBE",
    b"NOTIFY",
];

/// What the first line of a side is.
enum First<'a> {
    /// No first line of this protocol.
    Other,
    /// It has not ended yet.
    Open,
    /// It is one.
    Is(Head<'a>),
}

fn first<'a>(said: &Said<'a>) -> First<'a> {
    if !http::may_name(said.bytes(), b"HTTP/1.") {
        return First::Other;
    }
    match http::parse(said.bytes()) {
        Ok(Some(head)) if head.version.starts_with(b"HTTP/1.") => First::Is(head),
        Ok(None) if !said.is_empty() => First::Open,
        _ => First::Other,
    }
}

fn may_respond(said: &Said<'_>) -> bool {
    let begin = said.bytes();
    b"HTTP/1.".starts_with(begin.get(..begin.len().min(7)).unwrap_or_default())
}

/// The authority of an absolute target (RFC 9112 §3.2.2), without a name and password.
fn authority(target: &[u8]) -> Option<&[u8]> {
    let after = target.windows(3).position(|part| part == b"://")?;
    let rest = target.get(after + 3..)?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    rest.get(..end)?.rsplit(|byte| *byte == b'@').next()
}

/// What a request and its response say of themselves.
pub(super) fn details(mut claim: Claim, request: Option<&Head<'_>>, response: Option<&Head<'_>>) -> Claim {
    if let Some(head @ Head { start: Start::Request { method, target }, .. }) = request {
        claim = claim.with("method", method);
        if *method == b"CONNECT" {
            claim = claim.with("connect", target);
        } else if let Some(authority) = authority(target).filter(|_| !target.starts_with(b"/")) {
            claim = claim.with("proxied", authority);
        }
        for (field, name) in [("host", "host"), ("user-agent", "user_agent"), ("upgrade", "upgrade")] {
            if let Some(value) = head.field(field) {
                claim = claim.with(name, value);
            }
        }
        if head.field("authorization").is_some_and(|value| lines::word(value).eq_ignore_ascii_case(b"basic"))
        {
            claim = claim.with("authorization", b"Basic");
        }
    }
    if let Some(head @ Head { start: Start::Response { status, .. }, .. }) = response {
        claim = claim.showing("status", status);
        if let Some(value) = head.field("server") {
            claim = claim.with("server", value);
        }
    }
    claim
}

fn look(talk: &Talk<'_>) -> Look {
    let request = match first(&talk.client) {
        First::Is(head) if matches!(head.start, Start::Request { .. }) => Some(head),
        _ => None,
    };
    let response = match first(&talk.server) {
        First::Is(head) if matches!(head.start, Start::Response { .. }) => Some(head),
        First::Open if may_respond(&talk.server) && !talk.ended => return Look::More,
        _ => None,
    };
    let (by, bits, rule) = match (&request, &response) {
        (Some(_), Some(_)) => (By::Both, 136, "request line, and a response HTTP/1.x"),
        (None, Some(_)) => (By::Server, 72, "server begins with HTTP/1.x and a status"),
        (Some(_), None) => (By::Client, 80, "client asks with a request line HTTP/1.x"),
        (None, None) => return unfinished(talk),
    };
    let more = !talk.ended && response.as_ref().or(request.as_ref()).is_some_and(|head| !head.complete);
    let claim = talk.claim(by, bits, rule);
    let claim = if more { claim.and_more() } else { claim };
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    Look::Yes(details(claim, request.as_ref(), response.as_ref()))
}

/// A request whose first line has not ended.
fn unfinished(talk: &Talk<'_>) -> Look {
    let said = talk.client.bytes();
    let open = matches!(first(&talk.client), First::Open);
    let Some((method, target)) = http::unfinished_request(said).filter(|_| open) else {
        let begins = said.len() < 24
            && open
            && http::is_token(said)
            && said.first().is_some_and(u8::is_ascii_uppercase);
        return if begins && !talk.ended { Look::More } else { Look::No };
    };
    if !METHODS.contains(&method) {
        return if talk.ended || target.len() > LONG { Look::No } else { Look::More };
    }
    let form = target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://");
    match (form, target.len() > LONG, talk.ended) {
        (true, true, _) => {
            let rule = "client asks with a known method and a long target";
            Look::Yes(talk.claim(By::Client, 40, rule).with("method", method))
        }
        (true, false, true) if target.len() > 1 => {
            Look::Yes(talk.claim(By::Client, 12, "client begins a request").with("method", method))
        }
        (_, _, false) => Look::More,
        _ => Look::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.26.3\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_request_and_its_response() {
        let said = confirmed(
            "http",
            &tcp(b"GET / HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: curl/8.5.0\r\n\r\n", OK),
        );
        assert_eq!(said.detail("host"), Some("a.example:8080"));
        assert_eq!(said.detail("user_agent"), Some("curl/8.5.0"));
        assert_eq!((said.detail("status"), said.detail("server")), (Some("200"), Some("nginx/1.26.3")));
        confirmed("http", &tcp(b"", OK));
        confirmed("http", &tcp(b"\x00\x01garbage", b"HTTP/1.0 400 Bad Request\r\n\r\n"));
    }

    #[test]
    fn methods_are_tokens_and_targets_have_four_forms() {
        for request in [
            &b"QUERY /search HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"VERSION-CONTROL / HTTP/1.1\r\n\r\n",
            b"X / HTTP/1.0\n\n",
            b"OPTIONS * HTTP/1.1\r\n\r\n",
        ] {
            attempt("http", &tcp(request, b""));
        }
        let said = attempt("http", &tcp(b"CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", b""));
        assert_eq!(said.detail("connect"), Some("b.example:443"));
        let said = attempt("http", &tcp(b"GET http://u:p@c.example/x HTTP/1.1\r\n\r\n", b""));
        assert_eq!(said.detail("proxied"), Some("c.example"));
    }

    #[test]
    fn long_first_lines_do_not_hide_it() {
        let mut long = b"POST /".to_vec();
        long.resize(6000, b'a');
        attempt("http", &tcp(&long, b""));
        confirmed("http", &tcp(&long, OK));
        partial("http", &tcp(b"GET /index", b""));
    }

    #[test]
    fn neighbours_are_not_http() {
        for (client, server) in [
            (&b"GET key\r\n"[..], &b"$3\r\nabc\r\n"[..]),
            (b"HELLO / WORLD\r\n", b""),
            (b"GET / HTTP/2\r\n", b""),
            (b"", b"HTTP/1.1 OK 200\r\n"),
            (b"", b"HTTP/2.0 200 OK\r\n"),
            (b"FROB /index", b""),
        ] {
            nothing(&tcp(client, server));
        }
    }
}
