//! RDP: the connection request and confirm of X.224 with what RDP adds to them (MS-RDPBCGR 2.2.1.1, 2.2.1.2).
//!
//! Others use the same frame (RFC 1006): S7 and MMS name transport selectors there, H.323 carries Q.931.

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How RDP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rdp",
        title: "Remote Desktop (RDP)",
        reference: "MS-RDPBCGR",
        services: &["ms-wbt-server"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Is(3), Is(0), In(0, 1), Any, Any, Is(0xe0), Is(0), Is(0)],
        ),
        Sign::classes(Side::Server, Over::Stream, &[Is(3), Is(0), Is(0), In(11, 19), In(6, 14), Is(0xd0)]),
    ],
    look,
};

/// The variable part of a request or confirm, whose lengths agree.
fn variable<'a>(reader: &mut Reader<'a>, code: u8) -> Part<&'a [u8]> {
    reader.is(&[3, 0])?;
    let length = usize::from(reader.be16()?);
    let indicator = usize::from(reader.u8()?);
    must(length == indicator + 5 && indicator >= 6)?;
    reader.is(&[code])?;
    reader.take(4)?;
    // Class 0.
    must(reader.u8()? == 0)?;
    reader.take(indicator - 6)
}

struct Request<'a> {
    cookie: Option<&'a [u8]>,
    negotiates: bool,
}

fn request(mut reader: Reader<'_>) -> Part<Request<'_>> {
    let mut body = Reader::new(variable(&mut reader, 0xe0)?);
    let mut cookie = None;
    if matches!(body.rest().first(), Some(b'C' | b't')) {
        // `Cookie: mstshash=` names a user, `Cookie: msts=` or a token routes to a host of a farm.
        let line = body.line(256).map_err(|_| Not::Other)?;
        must(line.starts_with(b"Cookie: ") || line.starts_with(b"tsv:"))?;
        cookie = Some(line.strip_prefix(b"Cookie: ").unwrap_or(line)).filter(|line| printable(line));
    }
    let negotiates = body.left() > 0;
    if negotiates {
        let ([kind, flags], length, protocols) =
            (body.array::<2>().map_err(|_| Not::Other)?, body.le16(), body.le32());
        must(kind == 1 && flags & !0x0b == 0 && length == Ok(8))?;
        must(protocols.is_ok_and(|protocols| protocols & !0x1f == 0))?;
        // Correlation information may follow (2.2.1.1.2).
        must(body.left() == 0 || (flags & 8 != 0 && body.left() == 36))?;
    }
    Ok(Request { cookie, negotiates })
}

enum Answer {
    Plain,
    Chosen(u32),
    Refused(u32),
}

fn answer(mut reader: Reader<'_>) -> Part<Answer> {
    let mut body = Reader::new(variable(&mut reader, 0xd0)?);
    if body.left() == 0 {
        return Ok(Answer::Plain);
    }
    let ([kind, flags], length, value) =
        (body.array::<2>().map_err(|_| Not::Other)?, body.le16(), body.le32());
    must(length == Ok(8) && body.left() == 0)?;
    match (kind, value) {
        (2, Ok(chosen @ (0 | 1 | 2 | 4 | 8 | 16))) if flags & !0x1f == 0 => Ok(Answer::Chosen(chosen)),
        (3, Ok(code @ 1..=7)) => Ok(Answer::Refused(code)),
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, answer);
    let known = |request: &Request<'_>| request.negotiates || request.cookie.is_some();
    let claim = match (&client, &server) {
        (Ok(_), Ok(Answer::Chosen(_) | Answer::Refused(_))) => {
            talk.claim(By::Both, 120, "connection request, and an answer with RDP's negotiation")
        }
        (Ok(request), Ok(Answer::Plain)) if known(request) => {
            talk.claim(By::Both, 96, "connection request of RDP, and a plain confirm")
        }
        // Without cookie and negotiation it is only a transport that others use, too.
        (Ok(_), Ok(Answer::Plain)) => talk.claim(By::Both, 12, "connection request and confirm of class 0"),
        (_, Ok(Answer::Chosen(_) | Answer::Refused(_))) => {
            talk.claim(By::Server, 72, "server's confirm with RDP's negotiation")
        }
        (Ok(request), Err(Not::Silent | Not::Short)) if known(request) => {
            talk.claim(By::Client, 72, "client begins with RDP's connection request")
        }
        _ => return otherwise(talk, &client, &server),
    };
    let claim = match server {
        Ok(Answer::Chosen(chosen)) => claim.with(
            "security",
            match chosen {
                0 => b"RDP",
                1 => b"TLS",
                2 => b"CredSSP",
                4 => b"RDSTLS",
                8 => b"CredSSP with early authorisation",
                _ => b"Entra ID",
            },
        ),
        Ok(Answer::Refused(code)) => claim.showing("refused", code),
        _ => claim,
    };
    Look::Yes(match client.ok().and_then(|request| request.cookie) {
        Some(cookie) => claim.with("cookie", cookie),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    const ASK: &[u8] = b"\x03\0\0\x29\x24\xe0\0\0\0\0\0Cookie: mstshash=ann\r\n\x01\0\x08\0\x03\0\0\0";
    const SAY: &[u8] = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x0f\x08\0\x02\0\0\0";

    #[test]
    fn negotiations() {
        let said = confirmed("rdp", &tcp(ASK, SAY));
        assert_eq!((said.detail("security"), said.detail("cookie")), (Some("CredSSP"), Some("mstshash=ann")));
        let refused = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x03\0\x08\0\x05\0\0\0";
        assert_eq!(confirmed("rdp", &tcp(b"", refused)).detail("refused"), Some("5"));
        attempt("rdp", &tcp(b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0", b""));
        let bare = b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0";
        partial("rdp", &tcp(bare, b"\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0"));
        nothing(&tcp(bare, b""));
    }

    #[test]
    fn others_in_the_same_frame() {
        // S7: transport selectors. MMS: the same, longer. H.323: Q.931 behind the frame.
        let s7 = b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x02\0";
        nothing(&tcp(b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\0\x01\xc2\x02\0\x01", b""));
        nothing(&tcp(&s7[..20], b""));
        nothing(&tcp(b"\x03\0\0\x0c\x08\x02\0\x01\x05\x04\x03\x80", b""));
        let mut broken = ASK.to_vec();
        broken[3] = 0x2b;
        nothing(&tcp(&broken, b""));
    }
}
