//! Kafka: requests by size, key, version and client, answers by their correlation id (Kafka protocol guide).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Kafka is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "kafka",
        title: "Apache Kafka",
        reference: "Kafka protocol guide",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[Sign::classes(
        Side::Client,
        Over::Stream,
        &[
            Class::Is(0),
            Class::In(0, 6),
            Class::Any,
            Class::Any,
            Class::Is(0),
            Class::In(0, 92),
            Class::Is(0),
            Class::In(0, 20),
        ],
    )],
    look,
};

/// The key of the question which versions a broker speaks.
const VERSIONS: u16 = 18;

struct Request<'a> {
    correlation: u32,
    client_id: Option<&'a [u8]>,
}

fn request(mut reader: Reader<'_>) -> Part<Request<'_>> {
    let size = reader.be32()?;
    let key = reader.be16()?;
    let version = reader.be16()?;
    must((10..100 << 20).contains(&size) && key <= 92 && version <= 20)?;
    let correlation = reader.be32()?;
    // Clients count from 0 or 1; a first request with a huge number is no first request.
    must(correlation < 1 << 24)?;
    let length = reader.be16()?;
    if length == 0 || length == u16::MAX {
        // Without a name there must be nothing else: the question for versions, by itself.
        must(key == VERSIONS && version <= 4 && size <= 64 && reader.left() + 10 == size as usize)?;
        return Ok(Request { correlation, client_id: None });
    }
    must(length <= 256 && u32::from(length) + 10 <= size)?;
    let client_id = reader.take(usize::from(length))?;
    must(printable(client_id))?;
    Ok(Request { correlation, client_id: Some(client_id) })
}

fn response(mut reader: Reader<'_>) -> Part<u32> {
    let size = reader.be32()?;
    must((6..100 << 20).contains(&size))?;
    reader.be32()
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, response);
    let named = |request: &Request<'_>| request.client_id.is_some_and(|id| id.len() >= 3);
    let (request, claim) = match (&client, &server) {
        (Ok(request), Ok(correlation)) if *correlation == request.correlation => {
            (request, talk.claim(By::Both, 60, "request, and an answer with its correlation id"))
        }
        (Ok(request), Err(crate::fields::Not::Silent)) if named(request) => {
            (request, talk.claim(By::Client, 40, "request with the name of its client"))
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match request.client_id {
        Some(id) if !id.is_empty() => claim.with("client_id", id),
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn answers_are_known_by_their_number() {
        let request = b"\x00\x00\x00\x11\x00\x12\x00\x00\x00\x00\x00\x07\x00\x07rdkafka";
        let said =
            confirmed("kafka", &tcp(request, b"\x00\x00\x00\x0a\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00"));
        assert_eq!(said.detail("client_id"), Some("rdkafka"));
        attempt("kafka", &tcp(request, b""));
        nothing(&tcp(request, b"\x00\x00\x00\x0a\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"));
        nothing(&tcp(request, b"SSH?"));
        nothing(&tcp(b"\x00\x00\x00\x11\x00\x12\x00\x00\x00\x00\x00\x07\x00\x07rd\x00afka", b""));
        let anonymous = b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff";
        confirmed("kafka", &tcp(anonymous, b"\x00\x00\x00\x0a\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00"));
        nothing(&tcp(anonymous, b""));
    }
}
