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

fn look(talk: &Talk<'_>) -> Look {
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
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

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
    fn reserved_flags_and_unknown_levels_are_something_else() {
        nothing(&tcp(b"\x10\x11\x00\x04MQTT\x04\x03\x00\x3c\x00\x05lamp1", b"\x20\x02\x00\x00"));
        nothing(&tcp(b"\x10\x11\x00\x04MQTT\x07\x02\x00\x3c\x00\x05lamp1", b"\x20\x02\x00\x00"));
        nothing(&tcp(b"\x10\x02\x00\x04MQTT\x04\x02\x00\x3c\x00\x05lamp1", b""));
    }
}
