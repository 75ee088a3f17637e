//! EtherNet/IP: the encapsulation header, and answers that repeat its context (CIP Vol. 2 §2-3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How EtherNet/IP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ethernet-ip",
        title: "EtherNet/IP",
        reference: "CIP Vol. 2",
        services: &["EtherNet-IP-2", "EtherNet-IP-1"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Any, &[Is(4), Is(0), Any, In(0, 1), Any, Any, Any, Any]),
        Sign::classes(Side::Either, Over::Any, &[In(0x63, 0x66), Is(0), Any, In(0, 1), Any, Any, Any, Any]),
        Sign::classes(Side::Either, Over::Any, &[In(0x6f, 0x70), Is(0), Any, In(0, 2), Any, Any, Any, Any]),
    ],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Message<'a> {
    command: u16,
    context: [u8; 8],
    body: &'a [u8],
}

fn message<'a>(mut reader: Reader<'a>, answers: bool) -> Part<Message<'a>> {
    let (command, length) = (reader.le16()?, usize::from(reader.le16()?));
    let (session, status) = (reader.le32()?, reader.le32()?);
    let context = reader.array()?;
    must(reader.le32()? == 0 && length <= 1024)?;
    must(if answers { matches!(status, 0..=3 | 100 | 101 | 105) } else { status == 0 })?;
    let body = reader.take(length)?;
    let fits = match command {
        // Services, identity, interfaces are asked for without a body.
        4 | 0x63 | 0x64 => session == 0 && (answers || (body.is_empty() && reader.left() == 0)),
        // Version 1, no options (CIP Vol. 2 §2-4.4).
        0x65 => body == [1, 0, 0, 0] && (session != 0) == (answers && status == 0),
        0x66 => body.is_empty() && session != 0,
        // Interface 0 is CIP, and items follow.
        0x6f | 0x70 => {
            session != 0 && body.len() >= 8 && body.starts_with(&[0; 4]) || (answers && status != 0)
        }
        _ => false,
    };
    must(fits)?;
    Ok(Message { command, context, body })
}

/// The product's name in the answer to a question for identity.
fn product<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    if message.command != 0x63 {
        return None;
    }
    let mut reader = Reader::new(message.body.get(38..)?);
    let length = reader.u8().ok()?;
    reader.take(usize::from(length)).ok().filter(|name| printable(name))
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Message<'_>, said: &Message<'_>| {
        asked.command == said.command && asked.context == said.context
    };
    let (client, server) =
        hear_pair(talk, |reader| message(reader, false), |reader| message(reader, true), pairs);
    let claim = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            let claim = talk.claim(By::Both, 120, "request, and an answer with its context");
            match product(said) {
                Some(name) => claim.with("product", name),
                None => claim,
            }
        }
        (Ok(_), Err(Not::Silent | Not::Short)) => talk.claim(By::Client, 64, "client begins with a request"),
        // A session's number, or a product's name: what other answers have may be all zeros.
        (Err(Not::Silent), Ok(said)) if said.command == 0x65 || product(said).is_some() => {
            let claim = talk.claim(By::Server, 64, "server answers a request that was not seen");
            match product(said) {
                Some(name) => claim.with("product", name),
                None => claim,
            }
        }
        _ => return otherwise(talk, &client, &server),
    };
    let name: &[u8] = match client.or(server).map(|message| message.command) {
        Ok(4) => b"list services",
        Ok(0x63) => b"list identity",
        Ok(0x64) => b"list interfaces",
        Ok(0x65) => b"register session",
        Ok(0x66) => b"unregister session",
        _ => b"send data",
    };
    Look::Yes(claim.with("command", name))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    fn message(command: u8, session: u8, context: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![command, 0, u8::try_from(body.len()).unwrap(), 0, session, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&[context; 8]);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn sessions_and_identities() {
        let ask = message(0x65, 0, 7, &[1, 0, 0, 0]);
        confirmed("ethernet-ip", &tcp(&ask, &message(0x65, 9, 7, &[1, 0, 0, 0])));
        attempt("ethernet-ip", &tcp(&ask, b""));
        confirmed("ethernet-ip", &tcp(b"", &message(0x65, 9, 7, &[1, 0, 0, 0])));
        nothing(&tcp(b"", &ask));
        nothing(&tcp(b"", &message(0x64, 0, 0, &[0, 0])));
        nothing(&tcp(&ask, &message(0x65, 9, 8, &[1, 0, 0, 0])));
        nothing(&tcp(&message(0x65, 0, 7, &[2, 0, 0, 0]), b""));
        nothing(&tcp(&message(0x65, 3, 7, &[1, 0, 0, 0]), b""));
        let identity = [&[0; 38][..], &[5], b"1756-", &[3]].concat();
        let said = confirmed(
            "ethernet-ip",
            &udp(&[&message(0x63, 0, 0, b"")], &[&message(0x63, 0, 0, &identity)]).talk(),
        );
        assert_eq!(said.detail("product"), Some("1756-"));
    }
}
