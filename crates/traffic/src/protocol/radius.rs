//! RADIUS: code, length and attributes that fill the packet, answers by their identifier (RFC 2865 §3, RFC 2866 §3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How RADIUS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "radius",
        title: "RADIUS",
        reference: "RFC 2865",
        services: &["radius", "radius-acct", "radius-dynauth"],
        wandering: Wandering::Seldom,
        // Passwords are only hidden with MD5 and a secret of both sides.
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[In(1, 13), Any, In(0, 15), Any]),
        Sign::classes(Side::Either, Over::Datagram, &[In(40, 45), Any, In(0, 15), Any]),
    ],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Packet<'a> {
    code: u8,
    /// How many attributes it has.
    attributes: u8,
    identifier: u8,
    station: Option<&'a [u8]>,
}

/// What kind it is, and its value.
fn attribute<'a>(reader: &mut Reader<'a>) -> Part<(u8, &'a [u8])> {
    let [kind, length] = reader.array()?;
    must(kind > 0 && length >= 3)?;
    Ok((kind, reader.take(usize::from(length) - 2)?))
}

fn packet(mut reader: Reader<'_>) -> Part<Packet<'_>> {
    let whole = reader.left();
    let [code, identifier] = reader.array()?;
    let length = usize::from(reader.be16()?);
    must(length == whole && (20..=4096).contains(&length))?;
    let authenticator: [u8; 16] = reader.array()?;
    let (mut seen, mut station, mut attributes) = ([false; 256], None, 0_u8);
    // Of what a snap length left, whole attributes are read.
    let is_cut = reader.is_cut();
    while reader.left() > 0 {
        let (kind, value) = match attribute(&mut reader) {
            Err(Not::Cut) => break,
            attribute => attribute?,
        };
        attributes = attributes.saturating_add(1);
        // Those that are numbers or addresses have four bytes (RFC 2865 §5).
        let number =
            matches!(kind, 4..=10 | 12..=16 | 23 | 27..=29 | 37 | 40..=43 | 45..=49 | 51..=53 | 55 | 61 | 62);
        must(!number || value.len() == 4)?;
        must(kind != 80 || value.len() == 16)?;
        if let Some(seen) = seen.get_mut(usize::from(kind)) {
            *seen = true;
        }
        if kind == 32 && printable(value) {
            station = Some(value);
        }
    }
    let has = |kind: u8| seen.get(usize::from(kind)).copied().unwrap_or(false);
    let client = has(4) || has(32) || has(95);
    must(match code {
        1..=5 | 11 | 12 | 40..=45 if is_cut => attributes > 0 && (code != 1 || authenticator != [0; 16]),
        // Who asks must be named, and there is a password of some kind or a state (RFC 2865 §4.1, RFC 5997 §4).
        1 => {
            authenticator != [0; 16]
                && (has(1) || client)
                && (has(2) || has(3) || has(79) || has(24) || has(1))
        }
        // Start, stop, interim update (RFC 2866 §5.1).
        4 => has(40) && (client || has(44)),
        2 | 3 | 5 => true,
        11 => has(24) || has(79) || has(18),
        12 => has(80),
        // Whose session, or a proof of who asks (RFC 5176 §3).
        40 | 43 => has(1) || has(44) || client || has(31) || has(80),
        41 | 42 | 44 | 45 => true,
        _ => false,
    })?;
    Ok(Packet { code, attributes, identifier, station })
}

fn pairs(asked: &Packet<'_>, said: &Packet<'_>) -> bool {
    let fits = match asked.code {
        1 => matches!(said.code, 2 | 3 | 11),
        4 => said.code == 5,
        12 => matches!(said.code, 2 | 5),
        40 => matches!(said.code, 41 | 42),
        43 => matches!(said.code, 44 | 45),
        _ => false,
    };
    fits && asked.identifier == said.identifier
}

/// Answers whose request was not heard: one with attributes, or several without, each with a proof of its own.
fn answers<'a>(talk: &Talk<'a>) -> Option<Packet<'a>> {
    let mut first = None;
    let mut proofs: Vec<&[u8]> = Vec::new();
    let mut attributes = 0_u8;
    for (piece, missing) in talk.server.cut_pieces() {
        let said =
            packet(Reader::of(piece, missing)).ok().filter(|said| matches!(said.code, 2 | 3 | 5 | 11))?;
        let proof = piece.get(4..20)?;
        // A proof is a hash: no two are alike, but of an answer that is sent again, and none is one byte repeated.
        if !proofs.contains(&proof) && proof.iter().any(|byte| Some(byte) != proof.first()) {
            proofs.push(proof);
        }
        attributes = attributes.saturating_add(said.attributes);
        first = first.or(Some(said));
    }
    first.filter(|_| attributes > 0 && !proofs.is_empty() || proofs.len() >= LEAST_ANSWERS)
}

/// So many answers of twenty bytes are needed.
const LEAST_ANSWERS: usize = 3;

fn look(talk: &Talk<'_>) -> Look {
    if talk.client.is_empty() {
        let Some(said) = answers(talk) else { return if talk.ended { Look::No } else { Look::More } };
        let use_of_it: &[u8] = if said.code == 5 { b"accounting" } else { b"access" };
        return Look::Yes(
            talk.claim(By::Server, 36, "server's answers, which attributes fill").with("use", use_of_it),
        );
    }
    let (client, server) = hear_pair(talk, packet, packet, pairs);
    let (packet, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            (asked, talk.claim(By::Both, 72, "request, and an answer to its identifier"))
        }
        (Ok(asked), Err(Not::Silent)) if matches!(asked.code, 1 | 4 | 12 | 40 | 43) => {
            (asked, talk.claim(By::Client, 36, "client begins with a request"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let use_of_it: &[u8] = match packet.code {
        1 => b"access",
        4 => b"accounting",
        12 => b"status",
        _ => b"dynamic authorisation",
    };
    let claim = claim.with("use", use_of_it);
    Look::Yes(match packet.station {
        Some(station) => claim.with("nas", station),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, snapped, udp};

    fn packet(code: u8, identifier: u8, attributes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(20 + attributes.len()).unwrap();
        [&[code, identifier, 0, length][..], &[0x5a; 16], attributes].concat()
    }

    #[test]
    fn access_and_accounting() {
        let ask = packet(1, 7, b"\x01\x05ann\x02\x12hiddenhiddenhidd\x20\x05nas");
        let said = confirmed("radius", &udp(&[&ask], &[&packet(2, 7, b"")]).talk());
        assert_eq!((said.detail("use"), said.detail("nas")), (Some("access"), Some("nas")));
        assert!(!format!("{said:?}").contains("hidden"));
        let account = packet(4, 9, b"\x28\x06\0\0\0\x01\x2c\x04ab");
        confirmed("radius", &udp(&[&account], &[&packet(5, 9, b"")]).talk());
        attempt("radius", &udp(&[&account], &[]).talk());
        confirmed("radius", &snapped(27, &[&ask], &[&packet(2, 7, b"\x06\x06\0\0\0\x02")]).talk());
        nothing(&snapped(27, &[&[&ask[..], b"x"].concat()], &[]).talk());
    }

    #[test]
    fn a_session_that_is_ended_from_outside() {
        let proof = [&b"\x50\x12"[..], &[0x33; 16]].concat();
        let (ask, tell) = (packet(40, 3, &proof), packet(42, 3, &proof));
        let said = confirmed("radius", &udp(&[&ask], &[&tell]).talk());
        assert_eq!(said.detail("use"), Some("dynamic authorisation"));
        // Without a name, a session or a proof nobody would do it.
        nothing(&udp(&[&packet(40, 3, b"\x21\x04ab")], &[]).talk());
    }

    #[test]
    fn what_only_resembles_it() {
        let ask = packet(1, 7, b"\x01\x05ann\x02\x12hiddenhiddenhidd\x20\x05nas");
        nothing(&udp(&[&ask], &[&packet(2, 8, b"")]).talk());
        nothing(&udp(&[&ask], &[&packet(5, 7, b"")]).talk());
        nothing(&udp(&[&packet(4, 9, b"\x28\x07\0\0\0\x01\x01\x2c\x04ab")], &[]).talk());
        nothing(&udp(&[&packet(4, 9, b"\x2c\x04ab")], &[]).talk());
        nothing(&udp(&[&packet(1, 9, b"\x01\x01")], &[]).talk());
        nothing(&udp(&[&[&ask[..], b"\0"].concat()], &[]).talk());
        nothing(&udp(&[], &[&packet(2, 7, b"")]).talk());
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let proven = |code: u8, proof: u8, attributes: &[u8]| {
            let mut bytes = packet(code, proof, attributes);
            for (byte, value) in bytes[4..20].iter_mut().zip(proof..) {
                *byte = value;
            }
            bytes
        };
        let said = confirmed("radius", &udp(&[], &[&proven(2, 1, b"\x06\x06\0\0\0\x02")]).talk());
        assert_eq!(said.detail("use"), Some("access"));
        let three = [proven(5, 1, b""), proven(5, 2, b""), proven(5, 3, b"")];
        confirmed("radius", &udp(&[], &[&three[0], &three[1], &three[2]]).talk());
        nothing(&udp(&[], &[&three[0], &three[1]]).talk());
        nothing(&udp(&[], &[&three[0], &three[0], &three[0]]).talk());
        nothing(&udp(&[], &[&proven(2, 1, b"\x06\x05\0\0\x02")]).talk());
        nothing(&udp(&[], &[&proven(4, 1, b"\x28\x06\0\0\0\x01\x2c\x04ab")]).talk());
    }
}
