//! Kerberos 5: tickets asked for and given, over UDP and TCP (RFC 4120 §5.4, §5.9.1, §7.2.2).

use model::{Protocol, Secrecy, Wandering};
use wire::ber::{self, Class as Tagged, GENERAL_STRING, SEQUENCE};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How Kerberos is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "kerberos",
        title: "Kerberos",
        reference: "RFC 4120",
        services: &["kerberos", "kerberos-adm", "kpasswd"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[In(0x6a, 0x6d), In(0x20, 0x84)]),
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x7e), In(0x20, 0x84)]),
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[Is(0), In(0, 1), Any, Any, In(0x6a, 0x6d), In(0x20, 0x84)],
        ),
        Sign::classes(Side::Either, Over::Stream, &[Is(0), In(0, 1), Any, Any, Is(0x7e), In(0x20, 0x84)]),
    ],
    look,
};

const AS_REQUEST: u32 = 10;
const AS_REPLY: u32 = 11;
const TGS_REQUEST: u32 = 12;
const TGS_REPLY: u32 = 13;
const ERROR: u32 = 30;

#[derive(Debug, Clone, Copy)]
struct Message<'a> {
    kind: u32,
    realm: Option<&'a [u8]>,
    error: Option<i64>,
}

/// The next element inside the context tag `tag`.
fn tagged<'a>(fields: &mut Reader<'a>, tag: u32) -> Part<ber::Element<'a>> {
    let (header, mut inside) = fields.opened()?;
    must(header.class == Tagged::Context && header.constructed && header.tag == tag)?;
    inside.element()
}

fn text(element: ber::Element<'_>) -> Option<&[u8]> {
    (element.is(GENERAL_STRING) && printable(element.body)).then_some(element.body)
}

fn message<'a>(talk: &Talk<'_>, mut reader: Reader<'a>) -> Part<Message<'a>> {
    let claimed = if talk.is_datagrams() { reader.left() } else { reader.be32()? as usize };
    let (outer, mut inside) = reader.opened()?;
    must(outer.class == Tagged::Application && outer.constructed)?;
    must(outer.header_bytes + outer.body_bytes == claimed)?;
    let (sequence, mut fields) = inside.opened()?;
    must(sequence.tag == SEQUENCE && sequence.constructed)?;
    must(sequence.header_bytes + sequence.body_bytes == outer.body_bytes)?;
    let kind = outer.tag;
    let request = match kind {
        AS_REQUEST | TGS_REQUEST => true,
        AS_REPLY | TGS_REPLY | ERROR => false,
        _ => return Err(Not::Other),
    };
    // Requests count their fields from 1, and everything else from 0.
    let first = u32::from(request);
    must(tagged(&mut fields, first)?.integer() == Some(5))?;
    must(tagged(&mut fields, first + 1)?.integer() == Some(i64::from(kind)))?;
    let mut found = Message { kind, realm: None, error: None };
    for _ in 0..12 {
        // A list of data before authentication, or a ticket, may be cut off.
        let Ok((header, mut inside)) = fields.opened() else { break };
        let Ok(element) = inside.element() else { continue };
        match (kind, header.tag) {
            (AS_REQUEST | TGS_REQUEST, 4) => found.realm = element.field(2).and_then(text),
            (AS_REPLY | TGS_REPLY, 3) | (ERROR, 9) => found.realm = text(element),
            (ERROR, 6) => found.error = element.integer(),
            _ => {}
        }
    }
    Ok(found)
}

fn look(talk: &Talk<'_>) -> Look {
    let is_request = |kind| kind == AS_REQUEST || kind == TGS_REQUEST;
    let client = hear(talk, &talk.client, |reader| {
        let message = message(talk, reader)?;
        must(is_request(message.kind)).map(|()| message)
    });
    let server = hear(talk, &talk.server, |reader| {
        let message = message(talk, reader)?;
        must(!is_request(message.kind)).map(|()| message)
    });
    let (message, claim) = match (&client, &server) {
        (Ok(asked), Ok(said)) if said.kind == ERROR || said.kind == asked.kind + 1 => {
            (asked, talk.claim(By::Both, 120, "request for a ticket and its answer"))
        }
        (Err(Not::Silent), Ok(said)) => {
            (said, talk.claim(By::Server, 80, "a ticket, or the error in its place"))
        }
        (Ok(asked), Err(_)) => (asked, talk.claim(By::Client, 80, "client asks for a ticket")),
        _ => return otherwise(talk, &client, &server),
    };
    let said = server.as_ref().ok();
    let claim = match message.realm.or(said.and_then(|said| said.realm)) {
        Some(realm) => claim.with("realm", realm),
        None => claim,
    };
    Look::Yes(match said.and_then(|said| said.error) {
        Some(code) => claim.showing("error", code),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    fn element(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(body.len()).unwrap()], body].concat()
    }

    fn number(tag: u8, value: u8) -> Vec<u8> {
        element(tag, &element(2, &[value]))
    }

    fn request(version: u8, kind: u8) -> Vec<u8> {
        let options = element(0xa0, &element(3, &[0, 0x50, 0, 0, 0]));
        let realm = element(0xa2, &element(0x1b, b"EXAMPLE.ORG"));
        let body = element(0xa4, &element(0x30, &[options, realm].concat()));
        element(0x60 + kind, &element(0x30, &[number(0xa1, version), number(0xa2, kind), body].concat()))
    }

    fn error() -> Vec<u8> {
        let realm = element(0xa9, &element(0x1b, b"EXAMPLE.ORG"));
        let fields = [number(0xa0, 5), number(0xa1, 30), number(0xa6, 25), realm].concat();
        element(0x7e, &element(0x30, &fields))
    }

    fn marked(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    #[test]
    fn tickets_over_both_transports() {
        let ask = request(5, 10);
        let said = confirmed("kerberos", &udp(&[&ask], &[&error()]).talk());
        assert_eq!((said.detail("realm"), said.detail("error")), (Some("EXAMPLE.ORG"), Some("25")));
        confirmed("kerberos", &tcp(&marked(&ask), &marked(&error())));
        attempt("kerberos", &tcp(&marked(&request(5, 12)), b""));
    }

    #[test]
    fn lengths_versions_and_kinds_must_agree() {
        nothing(&udp(&[&request(4, 10)], &[]).talk());
        nothing(&udp(&[&[&request(5, 10)[..], b"x"].concat()], &[]).talk());
        let mut other = request(5, 10);
        other[0] = 0x6c;
        nothing(&udp(&[&other], &[]).talk());
        let mut short = marked(&request(5, 10));
        short[3] -= 1;
        nothing(&tcp(&short, b""));
    }
}
