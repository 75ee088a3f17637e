//! AMQP: the protocol header of 0-8 to 1.0, and Connection.Start (AMQP 0-9-1 §4.2.2, AMQP 1.0 §2.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Claim, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How AMQP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "amqp",
        title: "AMQP",
        reference: "AMQP 0-9-1, ISO/IEC 19464",
        services: &["amqp", "amqps"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::text(Side::Either, Over::Stream, b"AMQP"),
        Sign::classes(Side::Server, Over::Stream, &[Class::Is(1), Class::Is(0), Class::Is(0), Class::Is(0)]),
    ],
    look,
};

/// The version that a protocol header names.
fn header(mut reader: Reader<'_>) -> Part<&'static str> {
    reader.is(b"AMQP")?;
    match reader.array::<4>()? {
        [0, 0, 9, 1] => Ok("0-9-1"),
        [1, 1, 0, 9] => Ok("0-9"),
        [1, 1, 8, 0] | [1, 1, 0, 8] => Ok("0-8"),
        [1, 1, 0, 10] => Ok("0-10"),
        [0 | 2 | 3, 1, 0, 0] => Ok("1.0"),
        _ => Err(crate::fields::Not::Other),
    }
}

/// What a server says: the version, and the frame's body where it is Connection.Start.
fn answer(mut reader: Reader<'_>) -> Part<(&'static str, &[u8])> {
    if reader.rest().first() != Some(&1) {
        return header(reader).map(|version| (version, &[][..]));
    }
    // A method frame on channel 0 (§2.3.5): class 10, method 10, version 0-8 or 0-9.
    reader.is(&[1, 0, 0])?;
    let length = reader.be32()?;
    must((12..0x2_0000).contains(&length))?;
    reader.is(&[0, 10, 0, 10, 0])?;
    let minor = reader.u8()?;
    must(minor == 8 || minor == 9)?;
    let table = reader.be32()?;
    must(table < length)?;
    Ok(("0-9-1", reader.up_to(table as usize)))
}

/// A text of the server's properties: a short name with its length, `S`, and a long text.
fn property<'a>(table: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = table.windows(name.len()).position(|window| window == name)?;
    let mut reader = Reader::new(table.get(at + name.len()..)?);
    let length = reader.be32().ok()?;
    reader.take(length as usize).ok().filter(|text| printable(text))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, header);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(_), Ok((version, table))) => {
            let claim = Claim::new(By::Both, 96, "protocol header and its answer")
                .with("version", version.as_bytes());
            let details = [("software", &b"\x07productS"[..]), ("software_version", b"\x07versionS")];
            details.into_iter().fold(claim, |claim, (name, key)| match property(table, key) {
                Some(value) => claim.with(name, value),
                None => claim,
            })
        }
        (_, Ok((version, _))) => {
            Claim::new(By::Server, 64, "server's header").with("version", version.as_bytes())
        }
        (Ok(version), _) => {
            Claim::new(By::Client, 64, "client begins with the header").with("version", version.as_bytes())
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn both_generations() {
        let table = b"\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8\x08platformS";
        let mut start = b"\x01\x00\x00\x00\x00\x00\x60\x00\x0a\x00\x0a\x00\x09\x00\x00\x00".to_vec();
        start.push(u8::try_from(table.len()).unwrap());
        start.extend_from_slice(table);
        let said = confirmed("amqp", &tcp(b"AMQP\x00\x00\x09\x01", &start));
        assert_eq!((said.detail("software"), said.detail("version")), (Some("RabbitMQ"), Some("0-9-1")));
        assert_eq!(said.detail("software_version"), Some("3.10.8"));
        let said = confirmed("amqp", &tcp(b"AMQP\x03\x01\x00\x00", b"AMQP\x03\x01\x00\x00"));
        assert_eq!(said.detail("version"), Some("1.0"));
        attempt("amqp", &tcp(b"AMQP\x00\x00\x09\x01", b""));
        nothing(&tcp(b"AMQPLAIN", b""));
        nothing(&tcp(b"", b"\x01\x00\x00\x00\x00\x00\x60\x00\x0a\x00\x0b\x00\x09\x00\x00\x00\x00"));
    }
}
