//! BitTorrent, its distributed table: questions and answers as dictionaries (BEP 5).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How BitTorrent DHT is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bittorrent-dht",
        title: "BitTorrent DHT",
        reference: "BEP 5",
        services: &["bittorrent"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Either, Over::Datagram, b"d1:"),
        Sign::text(Side::Either, Over::Datagram, b"d2:ip"),
    ],
    look,
};

/// How deep values lie in each other at most.
const MOST_DEPTH: u8 = 6;

/// One value, and what follows it.
fn value(bytes: &[u8], depth: u8) -> Option<(&[u8], &[u8])> {
    let mut rest = match bytes.first()? {
        b'0'..=b'9' => return string(bytes).map(|(_, rest)| (before(bytes, rest), rest)),
        b'i' => {
            let end = memchr::memchr(b'e', bytes.get(..bytes.len().min(22))?)?;
            let number = bytes.get(1..end)?;
            let digits = number.strip_prefix(b"-").unwrap_or(number);
            let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            return plain.then(|| bytes.split_at_checked(end + 1))?;
        }
        b'l' | b'd' if depth < MOST_DEPTH => bytes.get(1..)?,
        _ => return None,
    };
    while rest.first()? != &b'e' {
        if bytes.first() == Some(&b'd') {
            rest = string(rest)?.1;
        }
        rest = value(rest, depth + 1)?.1;
    }
    let rest = rest.get(1..)?;
    Some((before(bytes, rest), rest))
}

fn before<'a>(bytes: &'a [u8], rest: &[u8]) -> &'a [u8] {
    bytes.get(..bytes.len() - rest.len()).unwrap_or_default()
}

/// A string behind its length, and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = bytes.iter().take(6).position(|byte| *byte == b':')?;
    let digits = bytes.get(..colon)?;
    let length = digits.iter().try_fold(0, |length: usize, digit| {
        digit.is_ascii_digit().then(|| length * 10 + usize::from(digit - b'0'))
    })?;
    if digits.is_empty() {
        return None;
    }
    bytes.get(colon + 1..)?.split_at_checked(length)
}

/// The values of some keys, and what follows the dictionary.
type Found<'a, const N: usize> = ([Option<&'a [u8]>; N], &'a [u8]);

/// The values of these keys in a dictionary, the first of each, and what follows it.
fn entries<'a, const N: usize>(dictionary: &'a [u8], keys: [&[u8]; N], depth: u8) -> Option<Found<'a, N>> {
    let mut found = [None; N];
    let mut rest = dictionary.strip_prefix(b"d")?;
    while rest.first()? != &b'e' {
        let (name, after) = string(rest)?;
        let (value, after) = value(after, depth + 1)?;
        for (place, _) in found.iter_mut().zip(keys).filter(|(_, key)| *key == name) {
            place.get_or_insert(value);
        }
        rest = after;
    }
    Some((found, rest.get(1..)?))
}

/// What a message is; `None` where it is none.
fn message<'a>(said: &Said<'a>) -> Option<&'a [u8]> {
    let bytes = said.bytes();
    if said.missing() > 0 {
        // Keys stand in their order, so that who it is comes first.
        let begins = [(&b"d1:ad2:id20:"[..], &b"question"[..]), (b"d1:rd2:id20:", b"answer")];
        return begins.into_iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, name)| name);
    }
    let keys: [&[u8]; 6] = [b"t", b"y", b"q", b"a", b"r", b"e"];
    let ([identity, kind, question, arguments, answer, error], rest) = entries(bytes, keys, 0)?;
    let text = |value: &'a [u8]| string(value).map(|(text, _)| text);
    let is_named = |inner: Option<&'a [u8]>| {
        let id = inner.and_then(|inner| entries(inner, [b"id"], 1)).and_then(|([id], _)| id);
        id.and_then(text).is_some_and(|id| id.len() == 20)
    };
    identity.and_then(text)?;
    let name = match kind.and_then(text)? {
        b"q" if is_named(arguments) => question.and_then(text)?,
        b"r" if is_named(answer) => b"answer",
        b"e" if error?.starts_with(b"l") => b"error",
        _ => return None,
    };
    rest.is_empty().then_some(name)
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (message(&talk.client), message(&talk.server));
    let Some(by) = By::of(client.is_some(), server.is_some()) else { return Look::No };
    let claim = talk.claim(by, 120, "a dictionary with a question or an answer of the table");
    Look::Yes(match client.or(server) {
        Some(name) => claim.with("message", name),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    #[test]
    fn questions_and_answers() {
        let ask = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
        let tell = b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re";
        assert_eq!(confirmed("bittorrent-dht", &udp(&[ask], &[tell]).talk()).detail("message"), Some("ping"));
        attempt("bittorrent-dht", &udp(&[b"d1:eli201e4:oopse1:t2:aa1:y1:ee"], &[]).talk());
        for bad in [
            &b"d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe"[..],
            b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe!",
            b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe",
            b"d1:ad2:id99:abc",
            b"d1:alllllllllllllllllleeeeeeeeeeeeeeeeeee",
        ] {
            nothing(&udp(&[bad], &[]).talk());
        }
    }
}
