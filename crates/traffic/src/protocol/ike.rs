//! IKE versions 1 and 2, with the marker that tells it from ESP or without (RFC 7296 §3.1, RFC 2408 §3.1, RFC 3948 §2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, as_captured, hear_pair, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How IKE is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ike",
        title: "IKE",
        reference: "RFC 7296",
        services: &["isakmp", "ipsec-nat-t"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Encrypted,
    },
    // The first eight bytes are a random number: there is no sign.
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[])],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Message {
    initiator: [u8; 8],
    responder: [u8; 8],
    version: u8,
    exchange: u8,
    /// Whether it says so; in version 1 none does.
    answers: bool,
}

/// The flag of an answer (RFC 7296 §3.1).
const RESPONSE: u8 = 0x20;

/// Payloads in the clear: they lie one behind the other and fill the message (RFC 7296 §3.2).
fn payloads(mut reader: Reader<'_>, version: u8, first: u8) -> Part<()> {
    let mut next = first;
    while next != 0 {
        let [following, reserved] = reader.array()?;
        let length = usize::from(reader.be16()?);
        must(reserved & 0x7f == 0 && length >= 4)?;
        reader.take(length - 4)?;
        // What is encrypted names as next the first payload inside it (RFC 7296 §3.14).
        next = if version == 0x20 && matches!(next, 46 | 53) { 0 } else { following };
    }
    must(reader.left() == 0)
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    if reader.rest().starts_with(&[0; 4]) {
        reader.take(4)?;
    }
    let whole = reader.left();
    let (initiator, responder) = (reader.array()?, reader.array()?);
    let [next, version, exchange, flags] = reader.array()?;
    let number = reader.be32()?;
    let length = reader.be32()?;
    must(u32::try_from(whole) == Ok(length) && initiator != [0; 8])?;
    match version {
        0x10 => {
            must(matches!(exchange, 1 | 2 | 4 | 5 | 32 | 33) && flags & !7 == 0 && next <= 21)?;
            // Phase 1 has the number 0 (RFC 2408 §3.1).
            must(exchange != 2 && exchange != 4 || number == 0)?;
        }
        0x20 => {
            must(matches!(exchange, 34..=37 | 43) && flags & !0x38 == 0 && (33..=54).contains(&next))?;
            must(exchange != 34 || number == 0)?;
        }
        _ => return Err(Not::Other),
    }
    let encrypted = version == 0x10 && flags & 1 != 0;
    if !encrypted {
        as_captured(payloads(reader, version, next))?;
    }
    let answers = version == 0x20 && flags & RESPONSE != 0;
    Ok(Message { initiator, responder, version, exchange, answers })
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Message, said: &Message| {
        asked.initiator == said.initiator
            && asked.version == said.version
            && (asked.responder == [0; 8] || asked.responder == said.responder)
    };
    let (client, server) = hear_pair(talk, message, message, pairs);
    // Who answers is no client, and who does not know the other's number began: the other way round it is a server.
    let begins = |message: &Message| message.responder == [0; 8];
    let turned = match (&client, &server) {
        (Ok(said), Ok(asked)) => said.answers && !asked.answers || begins(asked) && !begins(said),
        (Ok(said), Err(Not::Silent)) => said.answers,
        _ => false,
    };
    if turned {
        return Look::No;
    }
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            (asked, talk.claim(By::Both, 120, "request, and an answer with its initiator's number"))
        }
        (Ok(asked), Err(Not::Silent)) => {
            (asked, talk.claim(By::Client, 56, "client begins with an exchange"))
        }
        (Err(Not::Silent), Ok(said)) => (said, talk.claim(By::Server, 56, "server's part of an exchange")),
        _ => return otherwise(talk, &client, &server),
    };
    let exchange: &[u8] = match message.exchange {
        1 => b"base",
        2 => b"main",
        4 => b"aggressive",
        5 | 37 => b"informational",
        32 => b"quick",
        33 => b"new group",
        34 => b"init",
        35 => b"auth",
        36 => b"child",
        _ => b"intermediate",
    };
    let version: &[u8] = if message.version == 0x10 { b"1" } else { b"2" };
    Look::Yes(claim.with("version", version).with("exchange", exchange))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, snapped, udp};

    fn message(responder: u8, next: u8, version: u8, exchange: u8, flags: u8) -> Vec<u8> {
        let mut bytes = b"initiate".to_vec();
        bytes.extend_from_slice(&[responder; 8]);
        bytes.extend_from_slice(&[next, version, exchange, flags, 0, 0, 0, 0, 0, 0, 0, 44]);
        bytes.extend_from_slice(&[40, 0, 0, 8, 1, 2, 3, 4, 0, 0, 0, 8, 5, 6, 7, 8]);
        bytes
    }

    #[test]
    fn both_versions_with_and_without_marker() {
        let (ask, say) = (message(0, 33, 0x20, 34, 8), message(7, 33, 0x20, 34, 0x20));
        let said = confirmed("ike", &udp(&[&ask], &[&say]).talk());
        assert_eq!((said.detail("version"), said.detail("exchange")), (Some("2"), Some("init")));
        let marked = |bytes: &[u8]| [&[0; 4], bytes].concat();
        confirmed("ike", &udp(&[&marked(&ask)], &[&marked(&say)]).talk());
        attempt("ike", &udp(&[&message(0, 1, 0x10, 2, 0)], &[]).talk());
        // Cut within its payloads, and so that its length cannot be true.
        confirmed("ike", &snapped(33, &[&ask], &[&say]).talk());
        nothing(&snapped(33, &[&[&ask[..], b"x"].concat()], &[]).talk());
        // Who began is the client, whoever was seen first.
        nothing(&udp(&[&say], &[&ask]).talk());
        nothing(&udp(&[&say], &[]).talk());
        nothing(&udp(&[&message(7, 1, 0x10, 2, 0)], &[&message(0, 1, 0x10, 2, 0)]).talk());
    }

    #[test]
    fn forbidden_values() {
        for (place, value) in [(16, 9), (17, 0x30), (18, 38), (19, 1), (23, 1), (27, 45), (31, 7), (39, 9)] {
            let mut broken = message(0, 33, 0x20, 34, 8);
            broken[place] = value;
            nothing(&udp(&[&broken], &[]).talk());
        }
        let mut other = message(7, 33, 0x20, 34, 0x20);
        other[0] = b'x';
        nothing(&udp(&[&message(0, 33, 0x20, 34, 8)], &[&other]).talk());
    }
}
