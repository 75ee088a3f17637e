//! Oracle: CONNECT, ACCEPT, REFUSE, REDIRECT and RESEND of the Transparent Network Substrate.

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, between, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Oracle is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "oracle",
        title: "Oracle TNS",
        reference: "Oracle Net Services",
        // 66 is on paper for SQL*NET; the listener's ordinary port, 1521, is granted to somebody else.
        services: &["sql-net"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::In(0, 3),
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Is(1),
                Class::Any,
                Class::Is(0),
                Class::Is(0),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::In(0, 3),
                Class::Any,
                Class::Is(0),
                Class::Is(0),
                Class::Is(4),
                Class::Any,
                Class::Is(0),
                Class::Is(0),
            ],
        ),
    ],
    look,
};

/// Versions of the substrate that were ever in use.
const VERSIONS: core::ops::RangeInclusive<u16> = 300..=330;

fn connect(mut reader: Reader<'_>) -> Part<(u16, &[u8])> {
    let all = reader.rest();
    let length = reader.be16()?;
    let checksum = reader.be16()?;
    reader.is(&[1])?;
    reader.u8()?;
    reader.is(&[0, 0])?;
    let (version, lowest) = (reader.be16()?, reader.be16()?);
    must(checksum == 0 && (58..1024).contains(&length))?;
    must(VERSIONS.contains(&version) && VERSIONS.contains(&lowest) && lowest <= version)?;
    reader.take(10)?;
    must(reader.be16()? == 1)?;
    let (data, at) = (reader.be16()?, reader.be16()?);
    must((34..=length).contains(&at))?;
    // A description that does not fit comes in a packet of its own.
    let text = all.get(usize::from(at)..).unwrap_or_default();
    Ok((version, text.get(..text.len().min(usize::from(data))).unwrap_or_default()))
}

enum Answer {
    Accept,
    Refuse,
    Redirect,
    Resend,
}

fn answer(mut reader: Reader<'_>) -> Part<Answer> {
    let length = reader.be16()?;
    let checksum = reader.be16()?;
    let kind = reader.u8()?;
    reader.u8()?;
    reader.is(&[0, 0])?;
    // From version 315 on, ACCEPT may have a length of 32 bits, whose upper half is then 0 here.
    must((checksum == 0 || (length == 0 && kind == 2)) && length < 1024)?;
    match kind {
        2 => must(VERSIONS.contains(&reader.be16()?)).map(|()| Answer::Accept),
        4 => {
            reader.take(4)?;
            let text = reader.up_to(usize::from(length).saturating_sub(12));
            must(text.starts_with(b"(DESCRIPTION=")).map(|()| Answer::Refuse)
        }
        5 => must(length >= 10).map(|()| Answer::Redirect),
        11 => must(length == 8).map(|()| Answer::Resend),
        _ => Err(Not::Other),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, connect);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(_), Ok(answer)) => {
            let rule = match answer {
                Answer::Accept => "CONNECT and ACCEPT",
                Answer::Refuse => "CONNECT and REFUSE",
                Answer::Redirect => "CONNECT and REDIRECT",
                Answer::Resend => "CONNECT and RESEND",
            };
            talk.claim(By::Both, 120, rule)
        }
        (_, Ok(Answer::Refuse)) => talk.claim(By::Server, 120, "server's REFUSE"),
        (Ok(_), _) => talk.claim(By::Client, 72, "client begins with CONNECT"),
        _ => return otherwise(talk, &client, &server),
    };
    let Ok((version, text)) = client else { return Look::Yes(claim) };
    let claim = claim.showing("version", version);
    let service = between(text, b"SERVICE_NAME=", b")").or_else(|| between(text, b"SID=", b")"));
    Look::Yes(match service {
        Some(service) => claim.with("service", service),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    fn connect() -> Vec<u8> {
        let text = b"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=shop)(CID=(PROGRAM=x))))";
        let mut bytes = vec![0, u8::try_from(58 + text.len()).unwrap(), 0, 0, 1, 0, 0, 0, 1, 0x3e, 1, 0x2c];
        bytes.extend_from_slice(&[0x0c, 0x41, 0x20, 0, 0xff, 0xff, 0x7f, 0x08, 0, 0, 0, 1]);
        bytes.extend_from_slice(&[0, u8::try_from(text.len()).unwrap(), 0, 58, 0, 0, 8, 0, 0x41, 0x41]);
        bytes.resize(58, 0);
        bytes.extend_from_slice(text);
        bytes
    }

    #[test]
    fn connections() {
        let said = confirmed("oracle", &tcp(&connect(), b"\x00\x08\x00\x00\x0b\x00\x00\x00"));
        assert_eq!((said.detail("service"), said.detail("version")), (Some("shop"), Some("318")));
        let refuse = b"\x00\x2a\x00\x00\x04\x00\x00\x00\x22\x00\x00\x1e(DESCRIPTION=(ERR=12514)(VSN=0))";
        confirmed("oracle", &tcp(b"", refuse));
        attempt("oracle", &tcp(&connect(), b""));
        attempt("oracle", &tcp(&connect(), b"zzyzx\r\n"));
        for place in [2, 4, 8, 10, 23] {
            let mut broken = connect();
            broken[place] ^= 0x40;
            nothing(&tcp(&broken, b""));
        }
    }
}
