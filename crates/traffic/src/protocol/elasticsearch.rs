//! Elasticsearch's transport between nodes: ES, a length, a request's number and a version (Elasticsearch, `TcpHeader`).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Elasticsearch's transport is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "elasticsearch",
        title: "Elasticsearch transport",
        reference: "Elasticsearch TcpHeader",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Stream, &[Is(b'E'), Is(b'S'), Is(0), In(0, 0x7f)])],
    look,
};

struct Header {
    number: u64,
    answers: bool,
}

fn header(mut reader: Reader<'_>) -> Part<Header> {
    reader.is(b"ES")?;
    let length = reader.be32()?;
    let number = reader.be64()?;
    let status = reader.u8()?;
    let version = reader.be32()?;
    // Bits: answer, error, compressed, handshake. Versions are written 7_17_00_99, 8_500_001, and the like.
    must((13..1 << 24).contains(&length) && number < 1 << 48 && status & 0xf0 == 0)?;
    must((1_000_000..20_000_000).contains(&(version & 0x7ff_ffff)))?;
    Ok(Header { number, answers: status & 1 == 1 })
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, header);
    let server = hear(talk, &talk.server, header);
    match (&client, &server) {
        (Ok(asked), Ok(said)) if asked.number == said.number && said.answers && !asked.answers => {
            Look::Yes(talk.claim(By::Both, 112, "request, and an answer to its number"))
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) if !asked.answers => {
            Look::Yes(talk.claim(By::Client, 48, "client begins with a request"))
        }
        _ => otherwise(talk, &client, &server),
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn numbers_pair() {
        let ask = b"ES\0\0\0\x11\0\0\0\0\0\0\0\x05\x08\0\x6c\x3f\x4f\0\0\0\0";
        let say = b"ES\0\0\0\x11\0\0\0\0\0\0\0\x05\x09\0\x6c\x3f\x4f\0\0\0\0";
        confirmed("elasticsearch", &tcp(ask, say));
        attempt("elasticsearch", &tcp(ask, b""));
        nothing(&tcp(ask, ask));
        nothing(&tcp(b"ES\0\0\0\x11\0\0\0\0\0\0\0\x05\x48\0\x6c\x3f\x4f\0\0\0\0", b""));
    }
}
