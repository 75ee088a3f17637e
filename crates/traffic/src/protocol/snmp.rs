//! SNMP versions 1, 2c and 3: messages by version and request number (RFC 1157 §4, RFC 3416 §3, RFC 3412 §6).

use model::{Protocol, Secrecy, Wandering};
use wire::ber::{OBJECT_IDENTIFIER, SEQUENCE};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, as_captured, hear_pair, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SNMP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "snmp",
        title: "SNMP",
        reference: "RFC 3416",
        services: &["snmp", "snmptrap"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), In(10, 0x7f), Is(2), Is(1), In(0, 3)]),
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), Is(0x81), Any, Is(2), Is(1), In(0, 3)]),
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), Is(0x82), Any, Any, Is(2), Is(1), In(0, 3)]),
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), Is(0x84), Is(0), Is(0), Any, Any, Is(2), Is(1)]),
    ],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Wants an answer.
    Asks,
    /// Is one.
    Answers,
    /// Wants none: a trap.
    Tells,
}

#[derive(Debug, Clone, Copy)]
struct Message {
    version: &'static str,
    kind: Kind,
    operation: &'static str,
    number: i64,
}

fn message(talk: &Talk<'_>, mut reader: Reader<'_>) -> Part<Message> {
    let whole = reader.left();
    let (outer, mut inside) = reader.opened()?;
    must(outer.constructed && outer.tag == SEQUENCE && outer.header_bytes + outer.body_bytes < 1 << 16)?;
    must(!talk.is_datagrams() || outer.header_bytes + outer.body_bytes == whole)?;
    let version = match inside.element()?.integer() {
        Some(0) => "1",
        Some(1) => "2c",
        Some(3) => return third(inside),
        _ => return Err(Not::Other),
    };
    // The community: a password, and not looked at.
    inside.element()?.octets().ok_or(Not::Other)?;
    let (unit, mut body) = inside.opened()?;
    must(unit.class == wire::ber::Class::Context && unit.constructed && unit.tag <= 8)?;
    if unit.tag == 4 {
        // A trap of version 1: enterprise, address, generic and specific trap.
        must(version == "1" && body.element()?.is(OBJECT_IDENTIFIER))?;
        let address = body.element()?;
        must(address.class == wire::ber::Class::Application && address.tag == 0 && address.body.len() == 4)?;
        must(body.element()?.integer().is_some_and(|trap| (0..=6).contains(&trap)))?;
        return Ok(Message { version, kind: Kind::Tells, operation: "trap", number: 0 });
    }
    let number = body.element()?.integer().ok_or(Not::Other)?;
    let (status, index) = (body.element()?.integer(), body.element()?.integer());
    // In GETBULK these are counts (RFC 3416 §4.2.3).
    must(status.is_some_and(|status| (0..=18).contains(&status) || unit.tag == 5) && index.is_some())?;
    as_captured(bindings(body))?;
    let (kind, operation) = match unit.tag {
        0 => (Kind::Asks, "get"),
        1 => (Kind::Asks, "getnext"),
        2 => (Kind::Answers, "response"),
        3 => (Kind::Asks, "set"),
        5 if version == "2c" => (Kind::Asks, "getbulk"),
        6 if version == "2c" => (Kind::Asks, "inform"),
        7 if version == "2c" => (Kind::Tells, "trap"),
        8 => (Kind::Tells, "report"),
        _ => return Err(Not::Other),
    };
    Ok(Message { version, kind, operation, number })
}

/// The list of what is asked for or told.
fn bindings(mut body: Reader<'_>) -> Part<()> {
    let (bindings, mut list) = body.opened()?;
    must(bindings.tag == SEQUENCE && bindings.constructed)?;
    if bindings.body_bytes > 0 {
        let (binding, mut first) = list.opened()?;
        must(binding.tag == SEQUENCE && first.element()?.is(OBJECT_IDENTIFIER))?;
    }
    Ok(())
}

/// Version 3: the global header, and security parameters as a string (RFC 3412 §6).
fn third(mut inside: Reader<'_>) -> Part<Message> {
    let header = inside.element()?;
    must(header.is(SEQUENCE))?;
    let mut fields = Reader::new(header.body);
    let number = fields.element()?.integer().ok_or(Not::Other)?;
    let size = fields.element()?.integer().ok_or(Not::Other)?;
    let flags = fields.element()?.octets().ok_or(Not::Other)?;
    let model = fields.element()?.integer().ok_or(Not::Other)?;
    must(number >= 0 && size >= 484 && (1..=255).contains(&model) && fields.left() == 0)?;
    let [flags] = flags else { return Err(Not::Other) };
    must(*flags < 8 && *flags & 3 != 2)?;
    match inside.element() {
        Err(Not::Cut) => {}
        element => _ = element?.octets().ok_or(Not::Other)?,
    }
    let kind = if flags & 4 != 0 { Kind::Asks } else { Kind::Answers };
    Ok(Message { version: "3", kind, operation: "", number })
}

fn look(talk: &Talk<'_>) -> Look {
    let read = |reader| message(talk, reader);
    let pairs = |asked: &Message, said: &Message| {
        asked.number == said.number && asked.kind == Kind::Asks && said.kind != Kind::Asks
    };
    let (client, server) = hear_pair(talk, read, read, pairs);
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            (asked, talk.claim(By::Both, 96, "request, and an answer to its number"))
        }
        // Who answers is no client: the other way round it is a server. Of version 3, an answer looks like a trap.
        (Ok(told), Ok(asked)) if told.kind != Kind::Asks && asked.kind == Kind::Asks => return Look::No,
        (Ok(told), _) if told.operation == "response" && talk.is_datagrams() => return Look::No,
        (Ok(told), _) if told.kind != Kind::Asks && talk.is_datagrams() => {
            (told, talk.claim(By::Sender, 64, "a trap, or an answer to what was not seen"))
        }
        (Ok(asked), Err(Not::Silent | Not::Short)) => {
            (asked, talk.claim(By::Client, 64, "client begins with a request"))
        }
        (Err(Not::Silent), Ok(said)) => (said, talk.claim(By::Server, 64, "server's answer")),
        _ => return otherwise(talk, &client, &server),
    };
    let claim = claim.with("version", message.version.as_bytes());
    Look::Yes(match message.operation {
        "" => claim,
        operation => claim.with("operation", operation.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    fn unit(version: u8, tag: u8, number: u8) -> Vec<u8> {
        let mut bytes = vec![0x30, 0x26, 2, 1, version, 4, 6];
        bytes.extend_from_slice(b"s3cret");
        bytes.extend_from_slice(&[
            tag, 0x19, 2, 1, number, 2, 1, 0, 2, 1, 0, 0x30, 14, 0x30, 12, 6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0,
            5, 0,
        ]);
        bytes
    }

    #[test]
    fn three_versions_without_their_secret() {
        let (ask, say) = (unit(1, 0xa0, 5), unit(1, 0xa2, 5));
        let said = confirmed("snmp", &udp(&[&ask], &[&say]).talk());
        assert_eq!((said.detail("version"), said.detail("operation")), (Some("2c"), Some("get")));
        assert!(!format!("{said:?}").contains("s3cret"));
        // The first question went unanswered.
        confirmed("snmp", &udp(&[&unit(0, 0xa1, 4), &unit(0, 0xa1, 5)], &[&unit(0, 0xa2, 5)]).talk());
        confirmed("snmp", &udp(&[&unit(1, 0xa7, 9)], &[]).talk());
        attempt("snmp", &udp(&[&ask], &[]).talk());
        confirmed("snmp", &tcp(&ask, &say));
        let third = b"\x30\x1d\x02\x01\x03\x30\x0e\x02\x01\x07\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03\x04\x03abc\x30\x03\x04\x01x";
        attempt("snmp", &udp(&[third], &[]).talk());
    }

    #[test]
    fn neighbours_and_lengths() {
        nothing(&udp(&[&unit(1, 0xa0, 5)], &[&unit(1, 0xa2, 6)]).talk());
        nothing(&udp(&[&unit(2, 0xa0, 5)], &[]).talk());
        nothing(&udp(&[&unit(1, 0xa9, 5)], &[]).talk());
        nothing(&udp(&[&unit(0, 0xa5, 5)], &[]).talk());
        nothing(&udp(&[&[&unit(1, 0xa0, 5)[..], b"x"].concat()], &[]).talk());
        // A search of a directory.
        nothing(&udp(&[b"\x30\x0b\x02\x01\x01\x63\x06\x04\x04abcd"], &[]).talk());
    }
}
