//! WS-Discovery: SOAP envelopes in datagrams with the namespace of discovery (WS-Discovery 1.1 §4).

use std::sync::LazyLock;

use memchr::memmem::Finder;
use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How WS-Discovery is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ws-discovery",
        title: "WS-Discovery",
        reference: "WS-Discovery 1.1",
        services: &["ws-discovery"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Class::Is(b'<')])],
    look,
};

/// The namespaces of the drafts of 2004 and 2005, and of the standard of 2009.
static NAMESPACES: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| {
    [
        "http://schemas.xmlsoap.org/ws/2005/04/discovery",
        "http://schemas.xmlsoap.org/ws/2004/10/discovery",
        "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
    ]
    .map(Finder::new)
});

const MESSAGES: &[&str] = &["ProbeMatches", "Probe", "ResolveMatches", "Resolve", "Hello", "Bye"];

/// The message that the action behind the namespace names; empty where none is named.
fn message(said: &Said<'_>) -> Option<&'static str> {
    let bytes = said.bytes();
    memchr::memmem::find(bytes, b"Envelope")?;
    let mut found = None;
    for namespace in &*NAMESPACES {
        for at in namespace.find_iter(bytes) {
            let rest = bytes.get(at + namespace.needle().len()..).and_then(|rest| rest.strip_prefix(b"/"));
            let named = |name: &&&str| rest.is_some_and(|rest| rest.starts_with(name.as_bytes()));
            found = found
                .or(Some(""))
                .filter(|name| !name.is_empty())
                .or(MESSAGES.iter().find(named).copied())
                .or(Some(""));
        }
    }
    found
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (message(&talk.client), message(&talk.server));
    let (by, rule) = match (client, server) {
        (Some(_), Some(_)) => (By::Both, "SOAP with the namespace of discovery from both sides"),
        (None, Some(_)) => (By::Server, "server sends SOAP with the namespace of discovery"),
        (Some(_), None) => (By::Client, "client sends SOAP with the namespace of discovery"),
        (None, None) => return Look::No,
    };
    let mut claim = talk.claim(by, 200, rule);
    for name in client.into_iter().chain(server).filter(|name| !name.is_empty()) {
        claim = claim.with("message", name.as_bytes());
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    const PROBE: &[u8] = b"<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header></e:Envelope>";

    #[test]
    fn a_probe_and_its_matches() {
        let matches = String::from_utf8_lossy(PROBE).replace("/Probe", "/ProbeMatches").into_bytes();
        let said = confirmed("ws-discovery", &udp(&[PROBE], &[&matches]).talk());
        assert_eq!(said.details.last().unwrap().value, "ProbeMatches");
        assert_eq!(attempt("ws-discovery", &udp(&[PROBE], &[]).talk()).detail("message"), Some("Probe"));
        nothing(&udp(&[b"<Envelope xmlns=\"urn:x\"/>"], &[]).talk());
        nothing(&udp(&[b"<p>http://schemas.xmlsoap.org/ws/2005/04/discovery</p>"], &[]).talk());
    }
}
