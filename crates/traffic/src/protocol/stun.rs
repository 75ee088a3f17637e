//! STUN and TURN: a header with the magic cookie, attributes to its end (RFC 8489 §5, RFC 8656).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How STUN/TURN is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "stun",
        title: "STUN/TURN",
        reference: "RFC 8489",
        services: &["stun", "turn", "stun-behavior"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Any,
            &[
                Class::In(0, 0x3f),
                Class::Any,
                Class::Any,
                Class::Mask(3, 0),
                Class::Is(0x21),
                Class::Is(0x12),
                Class::Is(0xa4),
                Class::Is(0x42),
            ],
        ),
        // Before there was a cookie (RFC 3489 §11.1).
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[Class::In(0, 1), Class::In(1, 0x12), Class::In(0, 2), Class::Mask(3, 0)],
        ),
    ],
    look,
};

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// One message.
#[derive(Clone, Copy)]
struct Message<'a> {
    method: u16,
    /// 0 asks, 1 tells, 2 answers well, 3 answers with an error.
    class: u16,
    identity: &'a [u8],
    /// Whether it has the cookie.
    new: bool,
    software: Option<&'a [u8]>,
}

fn message<'a>(said: &Said<'a>, datagram: bool) -> Option<Message<'a>> {
    let bytes = said.bytes();
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let [high, low, l1, l2, ..] = *header;
    let (kind, length) = (u16::from_be_bytes([high, low]), usize::from(u16::from_be_bytes([l1, l2])));
    let body = if datagram { rest } else { rest.get(..length)? };
    if kind & 0xc000 != 0 || body.len() != length || length % 4 != 0 {
        return None;
    }
    let new = bytes.get(4..8) == Some(&COOKIE);
    // The class lies between the bits of the method (RFC 8489 §5).
    let class = (kind >> 4 & 1) | (kind >> 7 & 2);
    let method = (kind & 0x0f) | (kind >> 1 & 0x70) | (kind >> 2 & 0xf80);
    let known =
        matches!(method, 1..=12 | 0x80) && (new || matches!(kind, 1 | 2 | 0x101 | 0x102 | 0x111 | 0x112));
    let mut software = None;
    let mut attributes = body;
    while let Some(([k1, k2, l1, l2], rest)) = attributes.split_first_chunk::<4>() {
        let (kind, length) = (u16::from_be_bytes([*k1, *k2]), usize::from(u16::from_be_bytes([*l1, *l2])));
        let value = rest.get(..length)?;
        if kind == 0x8022 {
            software = Some(value);
        }
        // Classic STUN knows eleven attributes, and what is optional.
        if !new && !matches!(kind, 1..=11 | 0x8000..) {
            return None;
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    (known && attributes.is_empty()).then_some(Message {
        method,
        class,
        identity: bytes.get(4..20)?,
        new,
        software,
    })
}

fn method_name(method: u16) -> &'static str {
    match method {
        1 => "Binding",
        2 => "SharedSecret",
        3 => "Allocate",
        4 => "Refresh",
        6 => "Send",
        7 => "Data",
        8 => "CreatePermission",
        9 => "ChannelBind",
        10 => "Connect",
        11 => "ConnectionBind",
        12 => "ConnectionAttempt",
        _ => "other",
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let datagram = talk.is_datagrams();
    let (client, server) = (message(&talk.client, datagram), message(&talk.server, datagram));
    // Who answers is no client: the other way round it is a server.
    let answers = |message: &Option<Message<'_>>| message.is_some_and(|message| message.class >= 2);
    if datagram && answers(&client) && !answers(&server) {
        return Look::No;
    }
    let Some(by) = By::of(client.is_some(), server.is_some()) else {
        let open = |said: &Said<'_>| said.bytes().get(4..8) == Some(&COOKIE) && said.bytes().len() < 2048;
        return if !datagram && !talk.ended && (open(&talk.client) || open(&talk.server)) {
            Look::More
        } else {
            Look::No
        };
    };
    let answers =
        matches!((client, server), (Some(one), Some(two)) if one.identity == two.identity && two.class >= 2);
    let new =
        client.or(server).is_some_and(|message| message.new) && server.is_none_or(|message| message.new);
    let (bits, rule) = match (new, answers) {
        (true, true) => (120, "a request with the magic cookie, and its answer"),
        (true, false) => (60, "the magic cookie, and attributes to the end"),
        (false, true) => (80, "a request of classic STUN, and its answer"),
        // A length that fits and a type are all there is.
        (false, false) => (12, "a header of classic STUN"),
    };
    let mut claim = talk.claim(by, bits, rule);
    for message in client.iter().chain(&server) {
        if message.class < 2 {
            claim = claim.with("method", method_name(message.method).as_bytes());
        }
        if let Some(software) = message.software {
            claim = claim.with("software", software);
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp, udp};

    fn message(kind: u16, cookie: [u8; 4], attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap();
        [&kind.to_be_bytes()[..], &length.to_be_bytes(), &cookie, b"0123456789ab", attributes].concat()
    }

    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

    #[test]
    fn requests_and_answers() {
        let (ask, tell) = (message(1, COOKIE, &[]), message(0x101, COOKIE, b"\x80\x22\x00\x05Coturpad"));
        let said = confirmed("stun", &udp(&[&ask], &[&tell]).talk());
        assert_eq!((said.detail("method"), said.detail("software")), (Some("Binding"), Some("Cotur")));
        confirmed("stun", &tcp(&ask, &tell));
        attempt("stun", &udp(&[&message(3, COOKIE, &[0, 0x19, 0, 4, 17, 0, 0, 0])], &[]).talk());
        let (old, answer) =
            (message(1, [1, 2, 3, 4], &[]), message(0x101, [1, 2, 3, 4], &[0, 1, 0, 4, 1, 2, 3, 4]));
        partial("stun", &udp(&[&old], &[]).talk());
        confirmed("stun", &udp(&[&old], &[&answer]).talk());
    }

    #[test]
    fn neighbours_are_not_stun() {
        let mut long = message(1, COOKIE, &[]);
        long.push(0);
        for bytes in [
            long,
            message(0x4001, COOKIE, &[]),
            message(1, COOKIE, &[0, 1, 0, 9, 1, 1, 1, 1]),
            message(0x0fff, COOKIE, &[]),
        ] {
            nothing(&udp(&[&bytes], &[]).talk());
        }
    }
}
