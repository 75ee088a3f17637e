//! LDAP over TCP, and its searches over UDP: messages by their number (RFC 4511 §4.1.1).

use model::{Protocol, Secrecy, Wandering};
use wire::ber::{self, Class as Tagged, ENUMERATED, OCTET_STRING, SEQUENCE};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How LDAP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ldap",
        title: "LDAP",
        reference: "RFC 4511",
        services: &["ldap", "ldaps", "msft-gc", "msft-gc-ssl"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        // A message begins with its number; its length has one byte or up to five.
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), In(5, 0x7f), Is(2), In(1, 4)]),
        Sign::classes(Side::Either, Over::Any, &[Is(0x30), Is(0x81), In(0x80, 0xff), Is(2), In(1, 4)]),
        Sign::classes(
            Side::Either,
            Over::Any,
            &[Is(0x30), Is(0x82), In(0, 255), In(0, 255), Is(2), In(1, 4)],
        ),
        Sign::classes(
            Side::Either,
            Over::Any,
            &[Is(0x30), Is(0x84), Is(0), Is(0), In(0, 255), In(0, 255), Is(2), In(1, 4)],
        ),
    ],
    look,
};

/// Number, operation, and what is there of the operation.
fn message(mut reader: Reader<'_>) -> Part<(i64, u32, Reader<'_>)> {
    let (outer, mut inside) = reader.opened()?;
    must(outer.class == Tagged::Universal && outer.tag == SEQUENCE && outer.constructed)?;
    must(outer.body_bytes < 1 << 24)?;
    let before = inside.left();
    let number = inside.element()?.integer().ok_or(Not::Other)?;
    must((0..=i64::from(i32::MAX)).contains(&number))?;
    let used = before - inside.left();
    let (operation, body) = inside.opened()?;
    must(operation.class == Tagged::Application && operation.tag <= 25)?;
    // The operation ends with its message, or a list of controls follows (RFC 4511 §4.1.11).
    must(used + operation.header_bytes + operation.body_bytes <= outer.body_bytes)?;
    Ok((number, operation.tag, body))
}

/// What a client asked.
enum Asked<'a> {
    Bind { version: i64, mechanism: &'a [u8] },
    Search { base: &'a [u8] },
    Extended { name: &'a [u8] },
}

fn request(reader: Reader<'_>) -> Part<(i64, Asked<'_>)> {
    let (number, operation, mut body) = message(reader)?;
    must(number > 0)?;
    let asked = match operation {
        0 => {
            let version = body.element()?.integer().ok_or(Not::Other)?;
            must((2..=3).contains(&version))?;
            body.element()?.octets().ok_or(Not::Other)?;
            let (method, mut inside) = body.opened()?;
            must(method.class == Tagged::Context)?;
            let mechanism = match (method.tag, method.constructed) {
                (0, false) => &b"simple"[..],
                (3, true) => inside.element()?.octets().filter(|name| printable(name)).ok_or(Not::Other)?,
                // What Active Directory asks before NTLM (MS-ADTS 5.1.1.1.3).
                (9..=11, false) => b"sicily",
                _ => return Err(Not::Other),
            };
            Asked::Bind { version, mechanism }
        }
        3 => {
            let base = body.element()?.octets().ok_or(Not::Other)?;
            for most in [3, 3] {
                let choice = body.element()?;
                must(
                    choice.is(ENUMERATED)
                        && choice.integer().is_some_and(|value| (0..=most).contains(&value)),
                )?;
            }
            for _ in 0..2 {
                must(body.element()?.integer().is_some_and(|limit| limit >= 0))?;
            }
            let types = body.element()?;
            must(types.is(ber::BOOLEAN) && types.body.len() == 1)?;
            Asked::Search { base }
        }
        23 => {
            let name = body.element()?;
            must(name.is_context(0) && name.body.len() >= 5)?;
            must(name.body.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))?;
            Asked::Extended { name: name.body }
        }
        _ => return Err(Not::Other),
    };
    Ok((number, asked))
}

fn answer(reader: Reader<'_>) -> Part<(i64, i64)> {
    let (number, operation, mut body) = message(reader)?;
    match operation {
        1 | 5 | 7 | 9 | 11 | 13 | 15 | 24 => {
            let result = body.element()?;
            let code = result.integer().filter(|code| result.is(ENUMERATED) && (0..=4096).contains(code));
            must(body.element()?.is(OCTET_STRING) && body.element()?.is(OCTET_STRING))?;
            Ok((number, code.ok_or(Not::Other)?))
        }
        4 => {
            must(body.element()?.is(OCTET_STRING))?;
            let (attributes, _) = body.opened()?;
            must(attributes.class == Tagged::Universal && attributes.tag == SEQUENCE).map(|()| (number, 0))
        }
        19 => {
            must(body.element()?.octets().is_some_and(|link| link.starts_with(b"ldap"))).map(|()| (number, 0))
        }
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = hear_pair(talk, request, answer, |asked, said| asked.0 == said.0);
    let claim = match (&client, &server) {
        (Ok((asked, _)), Ok((said, _))) if asked == said => {
            talk.claim(By::Both, 88, "request, and an answer to its number")
        }
        // A notice of disconnection has the number 0 (RFC 4511 §4.4.1).
        (Ok(_), Ok((0, _))) => talk.claim(By::Both, 80, "request, and a notice of disconnection"),
        (Ok(_), Err(Not::Silent | Not::Short)) => talk.claim(By::Client, 56, "client begins with a request"),
        (Err(Not::Silent), Ok(_)) => {
            return Look::Yes(talk.claim(By::Server, 50, "server answers what was not seen"));
        }
        _ => return otherwise(talk, &client, &server),
    };
    let Ok((_, asked)) = client else { return Look::No };
    Look::Yes(match asked {
        Asked::Bind { version, mechanism } => {
            claim.showing("version", version).with("authentication", mechanism)
        }
        Asked::Search { base } => claim.with("base", base),
        Asked::Extended { name: b"1.3.6.1.4.1.1466.20037" } => claim.with("extension", b"StartTLS"),
        Asked::Extended { name } => claim.with("extension", name),
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    const BIND: &[u8] = b"\x30\x18\x02\x01\x01\x60\x13\x02\x01\x03\x04\x06cn=ann\x80\x06secret";
    const BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[test]
    fn binds_and_searches() {
        let said = confirmed("ldap", &tcp(BIND, BOUND));
        assert_eq!((said.detail("version"), said.detail("authentication")), (Some("3"), Some("simple")));
        assert!(!format!("{said:?}").contains("secret"));
        let sasl = b"\x30\x18\x02\x01\x02\x60\x13\x02\x01\x03\x04\x00\xa3\x0c\x04\x0aGSS-SPNEGO";
        assert_eq!(attempt("ldap", &tcp(sasl, b"")).detail("authentication"), Some("GSS-SPNEGO"));
        let search = b"\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x0bobjectclass\x30\x00";
        let entry =
            b"\x30\x84\x00\x00\x00\x11\x02\x01\x01\x64\x84\x00\x00\x00\x08\x04\x00\x30\x84\x00\x00\x00\x00";
        confirmed("ldap", &udp(&[search], &[entry]).talk());
        // Of a capture with one direction.
        confirmed("ldap", &tcp(b"", BOUND));
        let tls = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
        assert_eq!(attempt("ldap", &tcp(tls, b"")).detail("extension"), Some("StartTLS"));
    }

    #[test]
    fn neighbours_in_the_same_encoding() {
        // SNMP, with a version where LDAP has its number.
        nothing(&tcp(b"\x30\x0b\x02\x01\x01\x04\x06public", b""));
        nothing(&tcp(b"", b"\x30\x0c\x02\x01\x01\x61\x07\x02\x01\x00\x04\x00\x04\x00"));
        // A wrong number, a wrong version, a wrong kind of authentication.
        nothing(&tcp(BIND, b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"));
        for (place, value) in [(2, 4), (9, 7), (18, 0x84), (5, 0xa0)] {
            let mut broken = BIND.to_vec();
            broken[place] = value;
            nothing(&tcp(&broken, b""));
        }
    }
}
