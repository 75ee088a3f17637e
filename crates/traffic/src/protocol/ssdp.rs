//! SSDP: HTTP's grammar in datagrams, to find devices (UPnP Device Architecture 2.0 §1).

use model::{Protocol, Secrecy, Wandering};
use wire::http::{self, Head, Start};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How SSDP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ssdp",
        title: "SSDP",
        reference: "UPnP Device Architecture 2.0",
        services: &["ssdp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Either, Over::Datagram, b"M-SEARCH"),
        Sign::text(Side::Either, Over::Datagram, b"NOTIFY *"),
        Sign::text(Side::Either, Over::Datagram, b"HTTP/1.1"),
    ],
    look,
};

fn head<'a>(said: &Said<'a>) -> Option<Head<'a>> {
    let head = http::parse(said.bytes()).ok()??;
    let has = |name| head.field(name).is_some();
    let is = match head.start {
        Start::Request { method: b"M-SEARCH", target: b"*" } => has("man") || has("st"),
        Start::Request { method: b"NOTIFY", target: b"*" } => has("nt") || has("nts"),
        Start::Response { .. } => has("st") || has("usn"),
        Start::Request { .. } => false,
    };
    (head.version == b"HTTP/1.1" && is).then_some(head)
}

/// Whether a datagram was cut whose first line nobody else writes.
fn is_cut(said: &Said<'_>) -> bool {
    let begins = |line: &[u8]| said.bytes().starts_with(line);
    said.missing() > 0 && (begins(b"M-SEARCH * HTTP/1.1\r\n") || begins(b"NOTIFY * HTTP/1.1\r\n"))
}

fn look(talk: &Talk<'_>) -> Look {
    if is_cut(&talk.client) && head(&talk.client).is_none() && talk.server.is_empty() {
        let rule = "M-SEARCH or NOTIFY in a datagram that was cut";
        return Look::Yes(talk.claim(By::Client, 96, rule));
    }
    let (client, server) = (head(&talk.client), head(&talk.server));
    let (by, rule) = match (&client, &server) {
        (Some(_), Some(_)) => (By::Both, "a search and its answer"),
        (None, Some(_)) => (By::Server, "server answers a search for devices"),
        (Some(_), None) => (By::Client, "M-SEARCH, NOTIFY or an answer in a datagram"),
        (None, None) => return Look::No,
    };
    let mut claim = talk.claim(by, 96, rule);
    for head in client.iter().chain(&server) {
        if let Start::Request { method, .. } = head.start {
            claim = claim.with("method", method);
        }
        for (field, name) in
            [("st", "search"), ("nt", "kind"), ("server", "server"), ("location", "location")]
        {
            if let Some(value) = head.field(field) {
                claim = claim.with(name, value);
            }
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, snapped, udp};

    #[test]
    fn searches_answers_and_announcements() {
        let search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nST: ssdp:all\r\n\r\n";
        let answer =
            b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\nSERVER: Linux UPnP/1.0 x/1\r\n\r\n";
        let said = confirmed("ssdp", &udp(&[search], &[answer]).talk());
        assert_eq!(
            (said.detail("search"), said.detail("server")),
            (Some("ssdp:all"), Some("Linux UPnP/1.0 x/1"))
        );
        attempt("ssdp", &udp(&[b"NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\n\r\n"], &[]).talk());
        attempt("ssdp", &snapped(54, &[search], &[]).talk());
        nothing(&snapped(18, &[search], &[]).talk());
        // The answer comes from another address than was asked: a flow of its own.
        attempt("ssdp", &udp(&[answer], &[]).talk());
        nothing(&udp(&[b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"], &[]).talk());
        nothing(&udp(&[b"NOTIFY * HTTP/1.1\r\nHost: a\r\n\r\n"], &[]).talk());
    }
}
