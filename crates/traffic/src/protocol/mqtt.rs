//! MQTT: CONNECT and CONNACK of 3.1, 3.1.1 and 5 (OASIS MQTT 5.0 §3.1, §3.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How MQTT is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "mqtt",
        title: "MQTT",
        reference: "OASIS MQTT 5.0",
        services: &["mqtt", "secure-mqtt"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Class::Is(0x10), Class::Any, Class::Is(0), Class::In(4, 6), Class::Is(b'M'), Class::Is(b'Q')],
        ),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::Is(0x10),
                Class::In(0x80, 0xff),
                Class::Any,
                Class::Is(0),
                Class::In(4, 6),
                Class::Is(b'M'),
                Class::Is(b'Q'),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(0x20), Class::In(2, 0x7f), Class::In(0, 1), Class::Any],
        ),
    ],
    look,
};

struct Connect<'a> {
    level: u8,
    client_id: &'a [u8],
}

/// A number of up to four bytes of seven bits (§1.5.5).
fn variable(reader: &mut Reader<'_>) -> Part<u32> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let byte = reader.u8()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Not::Other)
}

fn connect(mut reader: Reader<'_>) -> Part<Connect<'_>> {
    reader.is(&[0x10])?;
    let length = variable(&mut reader)?;
    must(length >= 12)?;
    let name = reader.text16()?;
    let level = reader.u8()?;
    must(matches!((name, level), (b"MQTT", 4 | 5) | (b"MQIsdp", 3)))?;
    let flags = reader.u8()?;
    // The lowest bit is reserved, and a will has a quality of 0 to 2 (§3.1.2.3, §3.1.2.6).
    must(flags & 1 == 0 && flags & 0x18 != 0x18)?;
    reader.be16()?;
    if level == 5 {
        let properties = variable(&mut reader)?;
        must(properties < length)?;
        reader.take(usize::try_from(properties).map_err(|_| Not::Other)?)?;
    }
    Ok(Connect { level, client_id: reader.text16()? })
}

/// CONNACK: whether its code is one of version 5.
fn connack(mut reader: Reader<'_>) -> Part<()> {
    reader.is(&[0x20])?;
    let length = reader.u8()?;
    let flags = reader.u8()?;
    let code = reader.u8()?;
    must(flags <= 1 && (2..0x80).contains(&length))?;
    must(if length == 2 { code <= 5 } else { code == 0 || code >= 0x80 })
}

/// What a server says whose client was not heard: CONNACK, and then only packets that a server sends, each as long as it
/// says, up to where the bytes end. How many follow.
fn serves(mut reader: Reader<'_>) -> Part<u8> {
    connack(reader)?;
    let mut followers = 0_u8;
    for place in 0..MOST_PACKETS {
        let kind = match reader.u8() {
            Ok(kind) => kind,
            Err(_) => break,
        };
        let length = variable(&mut reader)?;
        let body = reader.up_to(usize::try_from(length).map_err(|_| Not::Other)?);
        let is_whole = u32::try_from(body.len()) == Ok(length);
        let fits = match (kind, length) {
            (0x20, _) if place == 0 => is_properties(body),
            // PUBLISH has a topic, which is text (§3.3.2.1).
            (0x30..=0x3f, 2..) if kind & 6 != 6 => {
                let mut topic = Reader::new(body);
                match topic.text16() {
                    Ok(text) => !text.is_empty() && std::str::from_utf8(text).is_ok() && !text.contains(&0),
                    Err(_) => !is_whole,
                }
            }
            // Acknowledgements begin with a number (§3.4, §3.5, §3.6, §3.7, §3.9, §3.11).
            (0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xb0, 2..=256) => body.get(..2) != Some(&[0, 0]),
            (0xd0, 0) => true,
            // A server of version 5 says why it leaves (§3.14).
            (0xe0, 0..=256) => true,
            _ => false,
        };
        must(fits)?;
        if place > 0 && is_whole {
            followers = followers.saturating_add(1);
        }
    }
    Ok(followers)
}

/// Packets behind CONNACK that are looked at.
const MOST_PACKETS: usize = 32;

/// The body of CONNACK: of version 5, properties fill it (§3.2.2.3).
fn is_properties(body: &[u8]) -> bool {
    let mut reader = Reader::new(body);
    if reader.take(2).is_err() || reader.left() == 0 {
        return body.len() == 2;
    }
    variable(&mut reader).is_ok_and(|length| u32::try_from(reader.left()) == Ok(length))
}

fn look(talk: &Talk<'_>) -> Look {
    if talk.client.is_empty() {
        return match hear(talk, &talk.server, serves) {
            // Four bytes alone may be anything.
            Ok(0) if talk.ended => Look::Yes(talk.claim(By::Server, 14, "server begins with CONNACK")),
            Ok(0) | Err(Not::Short) if !talk.ended => Look::More,
            Ok(1..) => Look::Yes(talk.claim(By::Server, 40, "CONNACK, and what servers send behind it")),
            _ => Look::No,
        };
    }
    let client = hear(talk, &talk.client, connect);
    let server = hear(talk, &talk.server, connack);
    let (connect, claim) = match (&client, &server) {
        (Ok(connect), Ok(())) => (connect, talk.claim(By::Both, 80, "CONNECT and CONNACK")),
        (Ok(connect), _) => (connect, talk.claim(By::Client, 64, "client begins with CONNECT")),
        _ => return otherwise(talk, &client, &server),
    };
    let version: &[u8] = match connect.level {
        3 => b"3.1",
        4 => b"3.1.1",
        _ => b"5",
    };
    Look::Yes(claim.with("version", version).with("client_id", connect.client_id))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn three_versions_and_no_secret() {
        let connect = b"\x10\x19\x00\x04MQTT\x04\xc2\x00\x3c\x00\x05lamp1\x00\x01u\x00\x01p";
        let said = confirmed("mqtt", &tcp(connect, b"\x20\x02\x00\x00"));
        assert_eq!((said.detail("version"), said.detail("client_id")), (Some("3.1.1"), Some("lamp1")));
        assert_eq!(said.details.len(), 2);
        let old = b"\x10\x13\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x05lamp1";
        assert_eq!(confirmed("mqtt", &tcp(old, b"\x20\x02\x00\x05")).detail("version"), Some("3.1"));
        let five = b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x05lamp1";
        assert_eq!(confirmed("mqtt", &tcp(five, b"\x20\x03\x00\x87\x00")).detail("version"), Some("5"));
        attempt("mqtt", &tcp(five, b""));
        attempt("mqtt", &tcp(five, b"go away\r\n"));
    }

    #[test]
    fn a_server_whose_client_was_not_heard() {
        let begun = b"\x20\x02\x00\x00";
        let heard = [&begun[..], b"\x90\x03\x00\x01\x00\x30\x08\x00\x04lamp\x6f\x6e"].concat();
        confirmed("mqtt", &tcp(b"", &heard));
        confirmed("mqtt", &tcp(b"", b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14\xd0\x00"));
        partial("mqtt", &tcp(b"", begun));
        // What only a client sends, a length that is wrong, a topic that is no text.
        nothing(&tcp(b"", &[&begun[..], b"\x82\x06\x00\x01\x00\x01a\x00"].concat()));
        nothing(&tcp(b"", &[&begun[..], b"\xd0\x01\x00"].concat()));
        nothing(&tcp(b"", &[&begun[..], b"\x30\x06\x00\x04\xff\xfe\x00\x01"].concat()));
        nothing(&tcp(b"", b"\x20\x09\x00\x00\x07\x22\x00\x0a\x21\x00\x14"));
    }

    #[test]
    fn reserved_flags_and_unknown_levels_are_something_else() {
        nothing(&tcp(b"\x10\x11\x00\x04MQTT\x04\x03\x00\x3c\x00\x05lamp1", b"\x20\x02\x00\x00"));
        nothing(&tcp(b"\x10\x11\x00\x04MQTT\x07\x02\x00\x3c\x00\x05lamp1", b"\x20\x02\x00\x00"));
        nothing(&tcp(b"\x10\x02\x00\x04MQTT\x04\x02\x00\x3c\x00\x05lamp1", b""));
    }
}
