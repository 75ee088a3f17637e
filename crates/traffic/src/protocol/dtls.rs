//! DTLS: the messages of TLS in datagrams, with a cookie and in fragments (RFC 9147, RFC 6347).

use std::borrow::Cow;

use model::{Protocol, Secrecy, Wandering};
use wire::tls::{self, ClientHello, ServerHello, content, handshake};

use super::Recogniser;
use crate::fingerprint::Carrier;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};
use crate::{certificate, hello};

/// How DTLS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dtls",
        title: "DTLS",
        reference: "RFC 9147",
        services: &[
            "coaps",
            "stuns",
            "turns",
            "stun-behaviors",
            "domain-s",
            "radsec",
            "syslog-tls",
            "snmpdtls",
            "snmpdtls-trap",
            "ipfixs",
            "capwap-control",
            "capwap-data",
            "gre-udp-dtls",
            "mpls-udp-dtls",
            "babel-dtls",
            "hncp-dtls-port",
            "ethernet-ip-s",
            "radiusdtls",
        ],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Datagram,
        &[Class::In(20, 26), Class::In(1, 0xfe), Class::In(0, 0xff), Class::Is(0), Class::In(0, 2)],
    )],
    look,
};

/// What one side says.
#[derive(Default)]
struct Speech<'a> {
    /// Handshake messages that are whole.
    messages: Vec<(u8, Cow<'a, [u8]>)>,
    /// Fragments of others were seen.
    partly: bool,
    /// Every datagram is made of records to its end.
    only_records: bool,
    /// An alert in the clear.
    alert: Option<u8>,
}

fn speech<'a>(said: &Said<'a>) -> Speech<'a> {
    let mut alert = None;
    let mut only_records = !said.is_empty();
    for mut rest in said.pieces() {
        while !rest.is_empty() && only_records {
            let Ok(record) = tls::datagram_record(rest) else {
                only_records = false;
                break;
            };
            if let (content::ALERT, 0, [1..=2, description]) = (record.kind, record.epoch, record.fragment) {
                alert = alert.or(Some(*description));
            }
            rest = rest.get(13 + record.fragment.len()..).unwrap_or_default();
        }
    }
    let (messages, partly) = tls::datagram_handshakes(said.pieces());
    Speech { messages, partly, only_records, alert }
}

impl Speech<'_> {
    fn message(&self, kind: u8) -> Option<&[u8]> {
        self.messages.iter().find(|(found, _)| *found == kind).map(|(_, body)| &**body)
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (speech(&talk.client), speech(&talk.server));
    // Where the first datagram that was seen is the server's, it is so the other way round.
    let answers = [handshake::SERVER_HELLO, handshake::HELLO_VERIFY_REQUEST];
    if answers.iter().any(|kind| client.message(*kind).is_some())
        || server.message(handshake::CLIENT_HELLO).is_some()
    {
        return Look::No;
    }
    // Behind a cookie the client greets again: the last hello counts.
    let offers = client.messages.iter().rev().filter(|(kind, _)| *kind == handshake::CLIENT_HELLO);
    let offer = offers.filter_map(|(_, body)| ClientHello::parse(body, true).ok()).next();
    let choice = server.message(handshake::SERVER_HELLO).and_then(|body| ServerHello::parse(body).ok());
    let cookie = server.message(handshake::HELLO_VERIFY_REQUEST).is_some_and(|body| {
        // Version, then a cookie to the end (RFC 6347 §4.2.1).
        matches!(body, [0xfe | 1, _, length, cookie @ ..] if cookie.len() == usize::from(*length))
    });
    let alert = server.alert.filter(|_| server.only_records).and_then(tls::alert_name);
    let (by, bits, rule) = match (&offer, choice.is_some() || cookie, alert) {
        (Some(_), true, _) => (By::Both, 120, "ClientHello and the server's answer"),
        (None, true, _) => (By::Server, 100, "server answers a ClientHello"),
        (Some(_), false, Some(_)) => (By::Both, 100, "ClientHello, and an alert as the answer"),
        (None, false, Some(_)) => (By::Server, 50, "server answers with a DTLS alert"),
        (Some(_), false, None) => (By::Client, 100, "client begins with a ClientHello"),
        (None, false, None) if server.only_records => {
            (By::Server, 30, "records of DTLS to the end of each datagram")
        }
        (None, false, None) if client.only_records => {
            (By::Client, 30, "records of DTLS to the end of each datagram")
        }
        _ => return Look::No,
    };
    let own = server.message(handshake::CERTIFICATE).and_then(|body| tls::certificates(body).next());
    let awaits = cookie && choice.is_none() || server.partly || choice.is_some() && own.is_none();
    let mut claim = talk.claim(by, bits, rule);
    if awaits && !talk.ended {
        claim = claim.and_more();
    }
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    if let Some(offer) = &offer {
        claim = hello::offered(claim, offer, Carrier::Datagram);
    }
    if let Some(choice) = &choice {
        claim = hello::chosen(claim, choice, Carrier::Datagram);
    }
    if let Some(alert) = alert {
        claim = claim.with("alert", alert.as_bytes());
    }
    claim.certificate = own.and_then(certificate::read).map(Box::new);
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::certificate::tests::made;
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        [&[kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0][..], &length, fragment].concat()
    }

    fn length(length: usize) -> Vec<u8> {
        u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec()
    }

    fn fragment(kind: u8, sequence: u8, whole: usize, offset: usize, part: &[u8]) -> Vec<u8> {
        [&[kind][..], &length(whole), &[0, sequence], &length(offset), &length(part.len()), part].concat()
    }

    fn client_hello() -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0, 0, 2, 0xc0, 0x2b, 1, 0]);
        record(22, &fragment(1, 0, body.len(), 0, &body))
    }

    fn server_hello() -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend_from_slice(&[9; 32]);
        body.extend_from_slice(&[0, 0xc0, 0x2b, 0]);
        record(22, &fragment(2, 1, body.len(), 0, &body))
    }

    #[test]
    fn hellos_cookies_and_certificates_in_fragments() {
        let der = made("cam", "cam");
        let chain = [length(der.len() + 3), length(der.len()), der].concat();
        let (one, two) = chain.split_at(100);
        let certificate = [
            record(22, &fragment(11, 2, chain.len(), 0, one)),
            record(22, &fragment(11, 2, chain.len(), 100, two)),
        ];
        let talk = udp(&[&client_hello()], &[&server_hello(), &certificate[0], &certificate[1]]);
        let said = confirmed("dtls", &talk.talk());
        assert_eq!((said.detail("version"), said.detail("cipher")), (Some("DTLS 1.2"), Some("0xc02b")));
        assert!(said.detail("ja4").unwrap().starts_with("dd2i"));
        assert_eq!(said.certificate.unwrap().subject, "CN=cam");
        let verify = record(22, &fragment(3, 0, 7, 0, &[0xfe, 0xff, 4, 1, 2, 3, 4]));
        confirmed("dtls", &udp(&[&client_hello()], &[&verify]).talk());
        // Who greets is the client, whoever was seen first.
        for answer in [&verify, &server_hello()] {
            nothing(&udp(&[answer], &[&client_hello()]).talk());
            nothing(&udp(&[answer], &[]).talk());
            confirmed("dtls", &udp(&[], &[answer]).talk());
        }
        attempt("dtls", &udp(&[&client_hello()], &[]).talk());
        confirmed("dtls", &udp(&[&client_hello()], &[&record(21, &[2, 40])]).talk());
    }

    #[test]
    fn neighbours_are_not_dtls() {
        for bytes in [
            &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1][..],
            &[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
            &[28, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
        ] {
            nothing(&udp(&[bytes], &[bytes]).talk());
        }
    }
}
