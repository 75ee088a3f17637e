//! GTP: the control plane of versions 1 and 2, and the user plane with a packet inside (3GPP TS 29.060, 29.274, 29.281).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How GTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "gtp",
        title: "GTP",
        reference: "3GPP TS 29.281",
        services: &["gtp-control", "gtp-user"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xf8, 0x30), Any, In(0, 0x3f), Any]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x48), In(1, 0xff), In(0, 0x0f), Any]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x40), In(1, 3), Is(0), Any]),
    ],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Message {
    version: u8,
    kind: u8,
    sequence: Option<u32>,
    user: bool,
    bits: u8,
}

/// Version 1: a length, an end point, and perhaps a number; user data is a whole IP packet.
fn first(mut reader: Reader<'_>) -> Part<Message> {
    let [flags, kind] = reader.array()?;
    let length = usize::from(reader.be16()?);
    let endpoint = reader.be32()?;
    must(flags & 0xf8 == 0x30 && length == reader.left())?;
    let mut sequence = None;
    if flags & 7 != 0 {
        let number = reader.be16()?;
        sequence = (flags & 2 != 0).then_some(u32::from(number));
        let [_, mut next] = reader.array()?;
        // Extension headers lie one behind the other, in units of four bytes (TS 29.281 §5.2.1).
        while flags & 4 != 0 && next != 0 {
            let units = usize::from(reader.u8()?);
            must(units > 0)?;
            reader.take(units * 4 - 2)?;
            next = reader.u8()?;
        }
    }
    let message = |user, bits| Message { version: 1, kind, sequence, user, bits };
    match kind {
        255 => {
            must(endpoint != 0)?;
            let packet = reader.rest();
            let whole = match packet.first().map(|first| first >> 4) {
                Some(4) => {
                    must(packet.first().is_some_and(|first| first & 0x0f >= 5))?;
                    packet
                        .get(2..4)
                        .and_then(|length| length.first_chunk())
                        .map(|length| usize::from(u16::from_be_bytes(*length)))
                }
                Some(6) => packet
                    .get(4..6)
                    .and_then(|length| length.first_chunk())
                    .map(|length| usize::from(u16::from_be_bytes(*length)) + 40),
                _ => None,
            };
            must(whole == Some(packet.len())).map(|()| message(true, 60))
        }
        // Echo: the number is mandatory, the end point is 0.
        1 | 2 => {
            must(endpoint == 0 && sequence.is_some() && reader.left() <= 64).map(|()| message(false, 56))
        }
        26 | 31 | 254 => must(reader.left() >= 4).map(|()| message(true, 40)),
        16..=21 | 48..=60 | 96..=106 | 112..=121 => {
            must(sequence.is_some() && reader.left() >= 2).map(|()| message(false, 36))
        }
        _ => Err(Not::Other),
    }
}

/// Version 2: elements with type, length and instance fill the message (TS 29.274 §8.2.1).
fn second(mut reader: Reader<'_>) -> Part<Message> {
    let [flags, kind] = reader.array()?;
    let length = usize::from(reader.be16()?);
    must(flags >> 5 == 2 && flags & 0x17 == 0 && length == reader.left())?;
    // The end point stands in all but echoes (§5.1).
    let echo = matches!(kind, 1..=3);
    must((flags & 8 == 0) == echo)?;
    if !echo {
        reader.be32()?;
    }
    let sequence = reader.be24()?;
    must(reader.u8()? & 0x0f == 0)?;
    let mut elements = 0_u8;
    while reader.left() > 0 {
        must(reader.u8()? > 0)?;
        let length = usize::from(reader.be16()?);
        must(reader.u8()? >> 4 == 0)?;
        reader.take(length)?;
        elements = elements.saturating_add(1);
    }
    must(elements > 0 || kind == 3)?;
    Ok(Message { version: 2, kind, sequence: Some(sequence), user: false, bits: 40 + elements.min(4) * 8 })
}

fn message(reader: Reader<'_>) -> Part<Message> {
    match reader.rest().first().map(|first| first >> 5) {
        Some(1) => first(reader),
        Some(2) => second(reader),
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Message, said: &Message| {
        asked.version == said.version
            && if asked.user || said.user {
                asked.user == said.user
            } else {
                asked.sequence == said.sequence && said.kind == asked.kind.wrapping_add(1)
            }
    };
    let (client, server) = hear_pair(talk, message, message, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            let rule = if asked.user {
                "packets inside of both sides"
            } else {
                "request, and an answer to its number"
            };
            (asked, talk.claim(By::Both, asked.bits + 32, rule))
        }
        (Ok(sent), Err(Not::Silent)) if sent.user => {
            (sent, talk.claim(By::Sender, sent.bits, "a whole packet inside"))
        }
        (Ok(asked), Err(Not::Silent)) => {
            (asked, talk.claim(By::Client, asked.bits, "client begins with a request"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    let plane: &[u8] = if message.user { b"user" } else { b"control" };
    Look::Yes(claim.showing("version", message.version).with("plane", plane))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    #[test]
    fn both_planes_and_versions() {
        let echo = b"\x32\x01\0\x04\0\0\0\0\0\x07\0\0";
        confirmed("gtp", &udp(&[echo], &[b"\x32\x02\0\x06\0\0\0\0\0\x07\0\0\x0e\0"]).talk());
        nothing(&udp(&[echo], &[b"\x32\x02\0\x06\0\0\0\0\0\x08\0\0\x0e\0"]).talk());
        let inner = [&b"\x45\0\0\x18"[..], &[1; 20]].concat();
        let data = [&b"\x30\xff\0\x18\0\0\0\x09"[..], &inner].concat();
        let said = confirmed("gtp", &udp(&[&data], &[]).talk());
        assert_eq!((said.detail("version"), said.detail("plane")), (Some("1"), Some("user")));
        let session = b"\x48\x20\0\x0d\0\0\0\0\0\0\x05\0\x01\0\x01\0\x09";
        assert_eq!(attempt("gtp", &udp(&[session], &[]).talk()).detail("version"), Some("2"));
        nothing(&udp(&[&[&data[..], b"x"].concat()], &[]).talk());
        nothing(&udp(&[b"\x48\x20\0\x0d\0\0\0\0\0\0\x05\0\x01\0\x02\0\x09"], &[]).talk());
        nothing(&udp(&[b"\x30\xff\0\x08\0\0\0\x09\x75\0\0\x08\0\0\0\0"], &[]).talk());
    }
}
