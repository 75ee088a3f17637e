//! Cassandra: frames of the CQL binary protocol, versions 3 to 5 (CQL native protocol v5 §2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Cassandra is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "cassandra",
        title: "Cassandra CQL",
        reference: "CQL native protocol v5",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::In(3, 5),
                Class::In(0, 0x1f),
                Class::Any,
                Class::Any,
                Class::In(1, 5),
                Class::Is(0),
                Class::Is(0),
            ],
        ),
        // A driver may begin with a version of DataStax, and is told which ones there are.
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::In(0x41, 0x42),
                Class::In(0, 0x1f),
                Class::Any,
                Class::Any,
                Class::In(1, 5),
                Class::Is(0),
                Class::Is(0),
            ],
        ),
    ],
    look,
};

struct Frame {
    version: u8,
    stream: u16,
}

fn request(mut reader: Reader<'_>) -> Part<Frame> {
    let version = reader.u8()?;
    let flags = reader.u8()?;
    let stream = reader.be16()?;
    let code = reader.u8()?;
    let length = reader.be32()?;
    must(matches!(version, 3..=5 | 0x41 | 0x42) && flags & !0x1f == 0)?;
    match code {
        // OPTIONS has no body.
        5 => must(length == 0 && reader.left() == 0 && flags & !0x10 == 0)?,
        // STARTUP is a map of texts that must name the version of the language (§4.1.1).
        1 => {
            must((22..512).contains(&length))?;
            let body = reader.take(length as usize)?;
            must(body.windows(11).any(|window| window == b"CQL_VERSION"))?;
        }
        _ => return Err(Not::Other),
    }
    Ok(Frame { version, stream })
}

fn answer(mut reader: Reader<'_>) -> Part<Frame> {
    let version = reader.u8()?;
    let flags = reader.u8()?;
    let stream = reader.be16()?;
    let code = reader.u8()?;
    let length = reader.be32()?;
    must(matches!(version, 0x83..=0x86 | 0xc1 | 0xc2) && flags & !0x1f == 0)?;
    must(match code {
        2 => length == 0,
        0 | 3 | 6 => (2..1 << 16).contains(&length),
        _ => false,
    })?;
    Ok(Frame { version: version & 0x7f, stream })
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, answer);
    let (version, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if asked.stream == said.stream => {
            (said.version, talk.claim(By::Both, 104, "request, and an answer on its stream"))
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) => {
            (asked.version, talk.claim(By::Client, 56, "client begins with OPTIONS or STARTUP"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(claim.showing("version", version))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn streams_pair() {
        let options = b"\x04\x00\x00\x01\x05\x00\x00\x00\x00";
        let supported = b"\x84\x00\x00\x01\x06\x00\x00\x00\x04\x00\x01\x00\x00";
        assert_eq!(confirmed("cassandra", &tcp(options, supported)).detail("version"), Some("4"));
        let startup = b"\x03\x00\x00\x02\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0";
        confirmed("cassandra", &tcp(startup, b"\x83\x00\x00\x02\x02\x00\x00\x00\x00"));
        let newer = b"\x42\x00\x00\x00\x05\x00\x00\x00\x00";
        confirmed("cassandra", &tcp(newer, b"\x85\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x0a\x00\x00"));
        attempt("cassandra", &tcp(startup, b""));
        nothing(&tcp(startup, b"\x83\x00\x00\x03\x02\x00\x00\x00\x00"));
        nothing(&tcp(b"\x04\x00\x00\x01\x05\x00\x00\x00\x01x", b""));
        nothing(&tcp(options, b"\x84\x00\x00\x01\x02\x00\x00\x00\x01"));
    }
}
