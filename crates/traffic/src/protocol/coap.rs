//! CoAP over UDP and TCP: tokens that are repeated, and options that are well formed (RFC 7252 §3, RFC 8323 §3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, as_captured, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How CoAP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "coap",
        title: "CoAP",
        reference: "RFC 7252",
        services: &["coap", "coaps"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc8, 0x40), In(0, 7)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xcf, 0x48), In(0, 7)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc8, 0x40), In(0x41, 0xa5)]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xcf, 0x48), In(0x41, 0xa5)]),
        // Over TCP both sides begin with their capabilities: code 7.01.
        Sign::classes(Side::Either, Over::Stream, &[Mask(0x0f, 0), Is(0xe1)]),
        Sign::classes(Side::Either, Over::Stream, &[Mask(0xff, 0xd0), Any, Is(0xe1)]),
    ],
    look,
};

#[derive(Debug, Clone)]
struct Message<'a> {
    kind: u8,
    code: u8,
    number: u16,
    token: &'a [u8],
    path: Vec<&'a [u8]>,
    options: u8,
}

/// A nibble and the bytes that extend it (RFC 7252 §3.1).
fn extended(reader: &mut Reader<'_>, nibble: u8) -> Part<u32> {
    match nibble {
        13 => Ok(u32::from(reader.u8()?) + 13),
        14 => Ok(u32::from(reader.be16()?) + 269),
        15 => Err(Not::Other),
        nibble => Ok(u32::from(nibble)),
    }
}

/// Known options of requests and answers (RFC 7252 §5.10, RFC 7641, RFC 7959, RFC 8613, RFC 9175).
const OPTIONS: &[u32] =
    &[1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 19, 20, 23, 27, 28, 31, 35, 39, 60, 252, 258, 292];

fn options<'a>(reader: &mut Reader<'a>, message: &mut Message<'a>, signalling: bool) -> Part<()> {
    let mut number = 0;
    while reader.left() > 0 {
        let first = reader.u8()?;
        if first == 0xff {
            // A marker and nothing behind it is forbidden (§3.1).
            return must(reader.left() > 0);
        }
        number += extended(reader, first >> 4)?;
        let length = extended(reader, first & 0x0f)?;
        let value = reader.take(length as usize)?;
        // Signals have options of their own, low numbers (RFC 8323 §5.2).
        must(if signalling {
            number <= 6 || number == 8
        } else {
            OPTIONS.contains(&number) || number >= 2048
        })?;
        let fits = match number {
            3 | 11 | 15 | 8 | 20 if !signalling => {
                value.len() <= 255 && value.iter().all(|byte| *byte >= 0x20)
            }
            7 | 12 | 17 | 16 if !signalling => value.len() <= 2,
            6 | 14 | 23 | 27 | 28 | 60 if !signalling => value.len() <= 4,
            _ => true,
        };
        must(fits)?;
        if number == 11 && !signalling {
            message.path.push(value);
        }
        message.options = message.options.saturating_add(1);
    }
    Ok(())
}

fn datagram(mut reader: Reader<'_>) -> Part<Message<'_>> {
    let [first, code] = reader.array()?;
    let number = reader.be16()?;
    let length = usize::from(first & 0x0f);
    must(first >> 6 == 1 && length <= 8)?;
    let token = reader.take(length)?;
    let mut message = Message { kind: first >> 4 & 3, code, number, token, path: Vec::new(), options: 0 };
    // Methods, and the classes of answers; an empty message is a ping, an acknowledgement or a reset (§4.1).
    must(match code {
        0 => length == 0 && reader.left() == 0 && message.kind != 1,
        1..=7 => message.kind <= 1,
        0x41..=0x5f | 0x80..=0x9d | 0xa0..=0xa5 => message.kind <= 2,
        _ => false,
    })?;
    as_captured(options(&mut reader, &mut message, false))?;
    Ok(message)
}

fn stream(mut reader: Reader<'_>) -> Part<Message<'_>> {
    let first = reader.u8()?;
    let length = extended(&mut reader, first >> 4)?;
    let code = reader.u8()?;
    must(code == 0xe1 && first & 0x0f <= 8 && length <= 64)?;
    let token = reader.take(usize::from(first & 0x0f))?;
    let mut body = Reader::new(reader.take(length as usize)?);
    let mut message = Message { kind: 0, code, number: 0, token, path: Vec::new(), options: 0 };
    options(&mut body, &mut message, true).map_err(|_| Not::Other)?;
    Ok(message)
}

/// Answers whose requests were not heard: several, each with a number of its own, all well formed.
fn answers(talk: &Talk<'_>) -> Option<u8> {
    let mut numbers: Vec<u16> = Vec::new();
    let mut bits = 0_u8;
    for (piece, missing) in talk.server.cut_pieces() {
        let said = datagram(Reader::of(piece, missing)).ok().filter(|said| said.code >= 0x41)?;
        if !numbers.contains(&said.number) {
            numbers.push(said.number);
            // The version, the class of the code, and options that are known and as long as they may be.
            bits = bits.saturating_add(6 + 5 * said.options.min(4));
        }
    }
    (numbers.len() >= 2).then_some(bits.min(40))
}

fn look(talk: &Talk<'_>) -> Look {
    if talk.is_datagrams() && talk.client.is_empty() {
        return match answers(talk) {
            Some(bits @ 20..) => {
                Look::Yes(talk.claim(By::Server, bits, "server's answers with known options"))
            }
            _ if talk.ended => Look::No,
            _ => Look::More,
        };
    }
    if !talk.is_datagrams() {
        let (client, server) = hear_pair(talk, stream, stream, |_, _| true);
        return match (&client, &server) {
            (Ok(_), Ok(_)) => Look::Yes(talk.claim(By::Both, 36, "both sides begin with their capabilities")),
            (Ok(message), Err(Not::Silent)) if message.options > 0 => {
                Look::Yes(talk.claim(By::Client, 14, "client begins with its capabilities"))
            }
            _ => otherwise(talk, &client, &server),
        };
    }
    let pairs = |asked: &Message<'_>, said: &Message<'_>| {
        let request = (1..=7).contains(&asked.code);
        let same = asked.number == said.number;
        match said.code {
            // An acknowledgement or a reset without a body.
            0 => same && said.kind >= 2 && asked.kind == 0,
            code => request && code >= 0x41 && asked.token == said.token && (same || said.kind != 2),
        }
    };
    let (client, server) = hear_pair(talk, datagram, datagram, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            let token = u8::try_from(asked.token.len()).unwrap_or(8) * 8;
            let number = if asked.number == said.number { 16 } else { 0 };
            let bits = 10 + token + number + asked.options.min(4) * 4;
            (asked, talk.claim(By::Both, bits, "request, and an answer to its number or token"))
        }
        (Ok(asked), Err(Not::Silent)) if (1..=7).contains(&asked.code) && asked.options > 0 => {
            let letters: usize =
                asked.path.iter().filter(|part| printable(part)).map(|part| part.len()).sum();
            // A path of letters is evidence; a short message without one is hardly any.
            let bits = if letters >= 3 { 20 + asked.options.min(4) * 4 } else { 10 };
            (asked, talk.claim(By::Client, bits, "client begins with a request"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    if message.path.is_empty() || !claim.particulars {
        return Look::Yes(claim);
    }
    Look::Yes(claim.with("path", &[b"/", &message.path.join(&b'/')[..]].concat()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp, udp};

    #[test]
    fn tokens_and_numbers() {
        let ask = b"\x42\x01\x12\x34\xaa\xbb\xbb.well-known\x04core";
        let say = b"\x62\x45\x12\x34\xaa\xbb\xc1\x28\xff</a>";
        assert_eq!(confirmed("coap", &udp(&[ask], &[say]).talk()).detail("path"), Some("/.well-known/core"));
        attempt("coap", &udp(&[ask], &[]).talk());
        confirmed("coap", &udp(&[ask], &[b"\x60\x00\x12\x34"]).talk());
        nothing(&udp(&[ask], &[b"\x62\x45\x12\x34\xaa\xbc\xc1\x28\xff</a>"]).talk());
        nothing(&udp(&[ask], &[b"\x60\x00\x12\x35"]).talk());
        partial("coap", &udp(&[b"\x40\x01\x12\x34\xb1a"], &[]).talk());
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let say = |number: u8| [0x62, 0x45, 0x12, number, 0xaa, number, 0xc1, 0x28, 0x20, 0xff, b'x'];
        let [one, two] = [say(1), say(2)];
        confirmed("coap", &udp(&[], &[&one, &two]).talk());
        nothing(&udp(&[], &[&one]).talk());
        nothing(&udp(&[], &[&one, &one]).talk());
        let mut wrong = two;
        wrong[6] = 0xa1;
        nothing(&udp(&[], &[&one, &wrong]).talk());
    }

    #[test]
    fn capabilities_over_tcp() {
        confirmed("coap", &tcp(b"\x30\xe1\x22\x04\x80", b"\x00\xe1"));
        partial("coap", &tcp(b"\x30\xe1\x22\x04\x80", b""));
        nothing(&tcp(b"\x30\xe1\x92\x04\x80", b""));
    }

    #[test]
    fn what_only_resembles_it() {
        // Reserved token lengths, unknown options, a marker without payload, a short header of QUIC.
        nothing(&udp(&[b"\x49\x01\x12\x34\xaa\xbb\xbb.well-known"], &[]).talk());
        nothing(&udp(&[b"\x40\x01\x12\x34\xd1\x60a"], &[]).talk());
        nothing(&udp(&[b"\x40\x01\x12\x34\xb1a\xff"], &[]).talk());
        nothing(&udp(&[b"\x40\x01\x12\x34\xf1a"], &[]).talk());
        nothing(&udp(&[b"\x4b\x93\x55\x1d\x8e\x02\x77\x41\x90\x0c\xaa\x10\x3d"], &[]).talk());
    }
}
