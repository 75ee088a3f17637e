//! QUIC: Initial packets that their own keys open, retries, negotiation of versions; Google's by its version (RFC 9000).

use model::{Protocol, Secrecy, Wandering};
use wire::quic::{self, Kind, Packet, version};
use wire::tls::{self, ClientHello, ServerHello, handshake};

use super::Recogniser;
use crate::fingerprint::Carrier;
use crate::hello;
use crate::initial::{self, End};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How QUIC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "quic",
        title: "QUIC",
        reference: "RFC 9000",
        services: &["https", "domain-s"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[
                Class::Mask(0xc0, 0xc0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(1),
                Class::In(0, 20),
            ],
        ),
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[
                Class::Mask(0xc0, 0xc0),
                Class::Is(0x6b),
                Class::Is(0x33),
                Class::Is(0x43),
                Class::Is(0xcf),
                Class::In(0, 20),
            ],
        ),
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[
                Class::Mask(0xc0, 0xc0),
                Class::Is(0xff),
                Class::Is(0),
                Class::Is(0),
                Class::In(0x16, 0x22),
                Class::In(0, 20),
            ],
        ),
        // mvfst.
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[
                Class::Mask(0xc0, 0xc0),
                Class::Is(0xfa),
                Class::Is(0xce),
                Class::Is(0xb0),
                Class::In(0x01, 0x0e),
                Class::In(0, 20),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Datagram,
            &[
                Class::Mask(0x80, 0x80),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::In(0, 20),
            ],
        ),
        // Google's: from Q046 on, and before.
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[
                Class::Mask(0xc0, 0xc0),
                Class::In(b'Q', b'T'),
                Class::Is(b'0'),
                Class::In(b'0', b'9'),
                Class::In(b'0', b'9'),
            ],
        ),
        Sign::classes(Side::Either, Over::Datagram, &[Class::Mask(0xcb, 0x09)]),
    ],
    look,
};

fn packets<'a>(said: &Said<'a>) -> impl Iterator<Item = Packet<'a>> {
    said.pieces().take(16).flat_map(quic::packets)
}

fn version_name(number: u32) -> String {
    match number {
        version::V1 => "1".to_owned(),
        version::V2 => "2".to_owned(),
        version::DRAFT_22..=version::DRAFT_34 => format!("draft-{}", number & 0xff),
        _ => format!("{number:#010x}"),
    }
}

/// What the server's first packet with a long header says to this client.
fn answer(talk: &Talk<'_>, client: Option<&Packet<'_>>) -> Option<&'static str> {
    let server = packets(&talk.server).next()?;
    if client.is_some_and(|client| client.source != server.destination) {
        return None;
    }
    match server.kind {
        Kind::Negotiation(list) => {
            let known = list
                .chunks_exact(4)
                .any(|one| one.first_chunk().is_some_and(|bytes| quic::is_known(u32::from_be_bytes(*bytes))));
            (known || client.is_some()).then_some("server negotiates the version")
        }
        Kind::Retry => Some("server asks to begin again"),
        _ => Some("server answers with a long header of QUIC"),
    }
}

fn google(talk: &Talk<'_>) -> Look {
    let heard = |said: &Said<'_>| quic::parse_google(said.bytes()).ok().map(|(version, _)| version);
    let Some(by) = By::of(heard(&talk.client).is_some(), heard(&talk.server).is_some()) else {
        return Look::No;
    };
    let version = heard(&talk.client).or(heard(&talk.server)).unwrap_or_default();
    let claim = talk.claim(by, 44, "a version of Google's QUIC in its header").with("version", &version);
    let name = quic::google_server_name(talk.client.bytes());
    Look::Yes(match name {
        Some(name) => claim.with("sni", name),
        None => claim,
    })
}

fn look(talk: &Talk<'_>) -> Look {
    let first = packets(&talk.client).find(|packet| matches!(packet.kind, Kind::Initial { .. }));
    let (client, server) = heard(talk);
    // Where only the other side's opens, that side is the client.
    if first.is_some() && client.is_none() && heard(&talk.reversed()).0.is_some() {
        return Look::No;
    }
    let answer = answer(talk, first.as_ref());
    let (by, bits, rule) = match (&first, client.is_some(), server.is_some(), answer) {
        (_, _, true, _) => (By::Both, 200, "Initial packets of both sides open with their keys"),
        (_, true, _, Some(rule)) => (By::Both, 120, rule),
        (_, true, _, None) => (By::Client, 200, "the client's Initial opens with its key"),
        (Some(_), false, _, Some(rule)) => (By::Both, 80, rule),
        (None, _, _, Some(rule)) => (By::Server, 44, rule),
        (Some(_), false, _, None) => (By::Client, 40, "client sends an Initial that does not open"),
        (None, _, _, None) => return google(talk),
    };
    let shown = first.or_else(|| packets(&talk.server).next());
    let mut claim = talk.claim(by, bits, rule);
    claim.more = client.is_some() && server.is_none();
    let client = client.unwrap_or_default();
    let mut messages = tls::messages(&client).take(1);
    let message = messages.find(|message| message.kind == handshake::CLIENT_HELLO);
    let offer = message
        .and_then(|message| ClientHello::parse(message.body, false).ok().filter(|_| message.is_whole()));
    claim.more = (claim.more || message.is_some() && offer.is_none()) && !talk.ended;
    if claim.is_enough(talk) {
        return Look::Yes(claim);
    }
    if let Some(packet) = shown {
        claim = claim.with("version", version_name(packet.version).as_bytes());
    }
    if let Some(offer) = offer {
        claim = hello::offered(claim, &offer, Carrier::Quic);
    }
    let server = server.unwrap_or_default();
    let choice =
        tls::messages(&server).find(|message| message.kind == handshake::SERVER_HELLO && message.is_whole());
    if let Some(choice) = choice.and_then(|message| ServerHello::parse(message.body).ok()) {
        claim = claim.showing("cipher", format_args!("{:#06x}", choice.cipher));
    }
    Look::Yes(claim)
}

/// The handshake bytes of both sides, where their packets open.
fn heard(talk: &Talk<'_>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    // Keys follow from the identity that the client chose for the server; behind a retry, from the server's own.
    let mut identities: Vec<&[u8]> = Vec::new();
    for packet in packets(&talk.client) {
        if !identities.contains(&packet.destination) && identities.len() < 3 {
            identities.push(packet.destination);
        }
    }
    let client = initial::handshake(packets(&talk.client), &identities, End::Client);
    let server = match client {
        Some(_) => initial::handshake(packets(&talk.server), &identities, End::Server),
        None => None,
    };
    (client, server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::tests::{crypto, sealed};
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    fn client_hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0, 2, 0x13, 0x01, 1, 0, 0, 34]);
        body.extend_from_slice(&[0, 0, 0, 14, 0, 12, 0, 0, 9]);
        body.extend_from_slice(b"a.example");
        body.extend_from_slice(&[0, 16, 0, 5, 0, 3, 2, b'h', b'3', 0, 43, 0, 3, 2, 3, 4]);
        let length = u8::try_from(body.len()).unwrap();
        [&[1, 0, 0, length][..], &body].concat()
    }

    #[test]
    fn initials_over_several_datagrams_open_with_their_keys() {
        let hello = client_hello();
        let (one, two) = hello.split_at(30);
        let first = sealed(version::V1, b"identity", b"client", End::Client, &crypto(0, one));
        let second = sealed(version::V1, b"identity", b"client", End::Client, &crypto(30, two));
        let mut choice = vec![2, 0, 0, 38, 3, 3];
        choice.extend_from_slice(&[9; 32]);
        choice.extend_from_slice(&[0, 0x13, 0x01, 0]);
        let answer = sealed(version::V1, b"identity", b"server", End::Server, &crypto(0, &choice));
        let said = confirmed("quic", &udp(&[&first, &second], &[&answer]).talk());
        assert_eq!((said.detail("sni"), said.detail("alpn_offered")), (Some("a.example"), Some("h3")));
        assert_eq!((said.detail("version"), said.detail("cipher")), (Some("1"), Some("0x1301")));
        assert!(said.detail("ja4").unwrap().starts_with("q13d0103h3_"));
        attempt("quic", &udp(&[&first], &[]).talk());
        confirmed("quic", &udp(&[], &[&answer]).talk());
    }

    #[test]
    fn negotiation_retry_and_strangers() {
        let first = sealed(version::V2, b"identity", b"client", End::Client, &crypto(0, &client_hello()));
        let offer = [&[0x95, 0, 0, 0, 0, 6][..], b"client\x08identity", &[0, 0, 0, 1]].concat();
        confirmed("quic", &udp(&[&first], &[&offer]).talk());
        let retry = [&[0xc5, 0x6b, 0x33, 0x43, 0xcf, 6][..], b"client\x03new", &[7; 40]].concat();
        confirmed("quic", &udp(&[&first], &[&retry]).talk());
        let stranger = [&[0x95, 0, 0, 0, 0, 6][..], b"CLIENT\x08identity", &[0, 0, 0, 1]].concat();
        attempt("quic", &udp(&[&first], &[&stranger]).talk());
        let mut damaged = first.clone();
        damaged[600] ^= 1;
        assert!(attempt("quic", &udp(&[&damaged], &[]).talk()).detail("sni").is_none());
    }

    #[test]
    fn google_and_neighbours() {
        let old = [&[0x09, 1, 2, 3, 4, 5, 6, 7, 8][..], b"Q043\x01............CHLO"].concat();
        assert_eq!(attempt("quic", &udp(&[&old], &[]).talk()).detail("version"), Some("Q043"));
        nothing(&udp(&[&[0xc3, 0, 0, 0, 1, 8, 1, 2, 3]], &[]).talk());
        nothing(&udp(&[], &[&[0x80, 0, 0, 0, 0, 1, 1, 1, 1, 9, 9, 9, 9]]).talk());
    }
}
