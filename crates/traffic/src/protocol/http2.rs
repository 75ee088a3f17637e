//! HTTP/2 in the clear: the client's preface, and settings as the first frame of both sides (RFC 9113 §3.4).

use std::borrow::Cow;

use model::{Protocol, Secrecy, Wandering};
use wire::hpack::{self, Field};
use wire::http2::{self, PREFACE, kind};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How HTTP/2 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "http2",
        title: "HTTP/2",
        reference: "RFC 9113",
        services: &["http", "www", "www-http", "http-alt", "etcd-client", "etcd-server"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: SIGNS,
    look,
};

/// The preface, and a frame of settings.
pub(super) const SIGNS: &[Sign] = &[
    Sign::text(Side::Client, Over::Stream, b"PRI * HT"),
    Sign::classes(
        Side::Server,
        Over::Stream,
        &[
            Class::Is(0),
            Class::Is(0),
            Class::In(0, 0xc0),
            Class::Is(kind::SETTINGS),
            Class::Is(0),
            Class::Is(0),
            Class::Is(0),
            Class::Is(0),
        ],
    ),
];

/// What both sides said.
#[derive(Default)]
pub(super) struct Heard<'a> {
    by: Option<By>,
    /// The first bytes may still become what they should.
    open: bool,
    /// The server's settings say little, and nothing of the client speaks for it.
    weak: bool,
    /// Fields of the first request.
    pub(super) request: Vec<Field<'a>>,
    /// Fields of the first response.
    pub(super) response: Vec<Field<'a>>,
}

/// Whether a side's first frame is settings: `None` while there is too little of it.
fn settings(bytes: &[u8]) -> Option<bool> {
    match http2::parse(bytes) {
        Ok(frame) if frame.is_whole() => {
            Some(frame.kind == kind::SETTINGS && frame.flags == 0 && http2::are_settings(frame.payload))
        }
        Ok(frame) if frame.kind == kind::SETTINGS && frame.length <= 0xc0 => None,
        Err(_) if bytes.len() < 9 => None,
        _ => Some(false),
    }
}

/// Whether a server's frames cannot be anything else: settings with known names, or empty and then other frames.
fn speaks_for_itself(bytes: &[u8]) -> bool {
    let mut frames = http2::frames(bytes);
    let names = |frame: &http2::Frame<'_>| {
        frame.payload.chunks_exact(6).all(|setting| matches!(setting, [0, 1..=6 | 8 | 9, ..]))
    };
    let Some(first) = frames.next().filter(names) else { return false };
    let acknowledges = |frame: http2::Frame<'_>| frame.kind == kind::SETTINGS && frame.flags == 1;
    let grows = |frame: http2::Frame<'_>| frame.kind == kind::WINDOW_UPDATE && frame.is_whole();
    first.length > 0 || frames.next().is_some_and(|frame| acknowledges(frame) || grows(frame))
}

/// Fields of the first block of a side.
fn fields(bytes: &[u8], most: usize) -> Vec<Field<'_>> {
    match http2::first_fields(http2::frames(bytes)) {
        Some(Cow::Borrowed(block)) => hpack::parse_some(block, most).0,
        Some(Cow::Owned(block)) => {
            hpack::parse_some(&block, most).0.into_iter().map(Field::into_owned).collect()
        }
        None => Vec::new(),
    }
}

impl<'a> Heard<'a> {
    /// Listens to both sides; so many fields of each are read at most.
    pub(super) fn of(talk: &Talk<'a>, most: usize) -> Heard<'a> {
        let (client, server) = (talk.client.bytes(), talk.server.bytes());
        let begun = PREFACE.starts_with(client.get(..client.len().min(24)).unwrap_or_default());
        let behind = client.strip_prefix(PREFACE);
        let asks = behind.is_some_and(|behind| settings(behind) != Some(false));
        let answer = if server.is_empty() { Some(false) } else { settings(server) };
        let answers = answer == Some(true);
        Heard {
            by: By::of(asks, answers),
            open: !asks && begun && !client.is_empty() || answer.is_none(),
            weak: !asks && answers && !speaks_for_itself(server),
            request: behind.map(|behind| fields(behind, most)).unwrap_or_default(),
            response: if answers { fields(server, most) } else { Vec::new() },
        }
    }

    /// A claim with what the fields say; `bits` is what the claim rests on where the client's preface was seen.
    pub(super) fn claim(&self, talk: &Talk<'_>, bits: u8, rules: [&'static str; 3]) -> Look {
        let [both, by_server, by_client] = rules;
        let (bits, rule, by) = match self.by {
            _ if self.open && !talk.ended => return Look::More,
            Some(by @ By::Both) => (bits, both, by),
            Some(by @ By::Server) => (if self.weak { 12 } else { bits.min(64) }, by_server, by),
            Some(by @ By::Client) => (bits, by_client, by),
            Some(By::Sender) | None => return Look::No,
        };
        let mut claim = talk.claim(by, bits, rule);
        for (fields, names) in [
            (
                &self.request,
                &[
                    (":method", "method"),
                    (":authority", "host"),
                    (":path", "path"),
                    ("user-agent", "user_agent"),
                ][..],
            ),
            (&self.response, &[(":status", "status"), ("server", "server")]),
        ] {
            for (field, name) in names {
                if let Some(field) = fields.iter().find(|found| *found.name == *field.as_bytes()) {
                    claim = claim.with(name, &field.value);
                }
            }
        }
        // Some servers speak first: the client's word may still name what is carried, and make a weak claim sure.
        let awaits = match by {
            By::Both => self.request.is_empty() || self.response.is_empty(),
            _ => self.weak || talk.client.is_empty(),
        };
        Look::Yes(if awaits && !talk.ended { claim.and_more() } else { claim })
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let rules = [
        "preface, and settings from both sides",
        "server begins with settings",
        "client begins with the preface",
    ];
    // One field says that a side has spoken; who wants no particulars wants no more.
    let most = if talk.particulars { usize::MAX } else { 1 };
    match Heard::of(talk, most).claim(talk, 150, rules) {
        // Where it leads on an HTTP/2 server is a matter of gRPC; paths may hold what is secret.
        Look::Yes(mut claim) => {
            claim.details.retain(|detail| detail.name != "path");
            Look::Yes(claim)
        }
        other => other,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    pub(crate) fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
    }

    pub(crate) fn client(block: &[u8]) -> Vec<u8> {
        let settings = frame(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0]);
        [&PREFACE[..], &settings, &frame(kind::HEADERS, 5, 1, block)].concat()
    }

    #[test]
    fn preface_settings_and_fields() {
        let ask = client(b"\x82\x86\x84\x41\x09a.example\x7a\x04curl");
        let settings = frame(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 128]);
        let answer = [settings.clone(), frame(kind::HEADERS, 4, 1, b"\x88\x76\x05nginx")].concat();
        let said = confirmed("http2", &tcp(&ask, &answer));
        assert_eq!((said.detail("host"), said.detail("method")), (Some("a.example"), Some("GET")));
        assert_eq!((said.detail("status"), said.detail("server")), (Some("200"), Some("nginx")));
        attempt("http2", &tcp(&ask, b""));
        confirmed("http2", &tcp(b"", &settings));
        assert_eq!(
            confirmed("http", &tcp(&ask, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
                .attempt
                .map(|other| other.name),
            Some("http2")
        );
    }

    #[test]
    fn neighbours_are_not_http2() {
        nothing(&tcp(b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", b""));
        nothing(&tcp(b"", &frame(kind::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 9])));
        nothing(&tcp(b"", &frame(kind::SETTINGS, 1, 0, &[])));
        nothing(&tcp(&[&PREFACE[..], b"GET / HTTP/1.1"].concat(), b""));
    }
}
