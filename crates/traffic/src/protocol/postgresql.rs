//! PostgreSQL: start-up and encryption requests, and the server's answers (PostgreSQL protocol 3.0, "Message Formats").

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How PostgreSQL is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "postgresql",
        title: "PostgreSQL",
        reference: "PostgreSQL protocol 3.0",
        services: &["postgresql"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::Is(0),
                Class::Is(0),
                Class::In(0, 0x27),
                Class::Any,
                Class::Is(0),
                Class::Is(3),
                Class::Is(0),
                Class::In(0, 2),
            ],
        ),
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::Is(0),
                Class::Is(0),
                Class::Is(0),
                Class::In(8, 16),
                Class::Is(4),
                Class::Is(0xd2),
                Class::Is(0x16),
                Class::In(0x2e, 0x30),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(b'R'), Class::Is(0), Class::Is(0), Class::Is(0)],
        ),
        // Encryption is refused first, or agreed: then a server of TLS follows.
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(b'N'), Class::Is(b'R'), Class::Is(0), Class::Is(0), Class::Is(0)],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(b'N'), Class::Is(b'E'), Class::Is(0), Class::Is(0), Class::Any, Class::Any],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[
                Class::Is(b'S'),
                Class::Is(0x16),
                Class::Is(3),
                Class::In(1, 4),
                Class::Any,
                Class::Any,
                Class::Is(2),
            ],
        ),
        Sign::classes(
            Side::Server,
            Over::Stream,
            &[Class::Is(b'E'), Class::Is(0), Class::Is(0), Class::Any, Class::Any, Class::Is(b'S')],
        ),
    ],
    look,
};

/// Codes that stand in the place of a version: cancel, TLS, GSSAPI.
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSSAPI: u32 = 80_877_104;

#[derive(Debug, Default, Clone, Copy)]
struct Startup<'a> {
    user: Option<&'a [u8]>,
    database: Option<&'a [u8]>,
    application: Option<&'a [u8]>,
    /// Whether encryption was asked for.
    asked: bool,
}

fn startup(mut reader: Reader<'_>) -> Part<Startup<'_>> {
    let mut asked = false;
    let length = loop {
        let length = reader.be32()?;
        let code = reader.be32()?;
        match code {
            TLS | GSSAPI if length == 8 && !asked => asked = true,
            // A second one, where the first was refused.
            TLS if length == 8 => {}
            CANCEL if length == 16 => return reader.take(8).map(|_| Startup::default()),
            0x3_0000 | 0x3_0002 => break length,
            _ => return Err(Not::Other),
        }
        // What follows is the same once more, or a TLS handshake.
        if reader.left() == 0 || reader.rest().first() == Some(&0x16) {
            return Ok(Startup { asked, ..Startup::default() });
        }
    };
    must((9..=10_000).contains(&length))?;
    let mut startup = Startup { asked, ..Startup::default() };
    loop {
        let name = reader.c_string(64)?;
        if name.is_empty() {
            break;
        }
        must(printable(name))?;
        let value = reader.c_string(1024)?;
        match name {
            b"user" => startup.user = Some(value),
            b"database" => startup.database = Some(value),
            b"application_name" => startup.application = Some(value),
            _ => {}
        }
    }
    must(startup.user.is_some())?;
    Ok(startup)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Only the byte that answers a wish for encryption.
    Encryption(bool),
    /// It asks for authentication in this way.
    Authentication(&'static str),
    /// It refuses.
    Error,
}

fn answer(talk: &Talk<'_>, mut reader: Reader<'_>) -> Part<Answer> {
    // `N` refuses encryption and the talk goes on, `S` and `G` agree.
    let mut kind = reader.u8()?;
    if matches!(kind, b'N' | b'S' | b'G')
        && matches!(reader.rest().first(), None | Some(b'R' | b'E' | 0x16 | b'N' | b'S'))
    {
        let agreed = kind != b'N';
        if reader.left() == 0 || agreed {
            return Ok(Answer::Encryption(agreed));
        }
        kind = reader.u8()?;
        if kind == b'N' || kind == b'S' {
            if reader.left() == 0 || kind == b'S' {
                return Ok(Answer::Encryption(kind == b'S'));
            }
            kind = reader.u8()?;
        }
    }
    let length = reader.be32()?;
    if kind == b'E' {
        must((8..1 << 15).contains(&length))?;
        let mut fields = [false; 3];
        for _ in 0..16 {
            let field = reader.u8()?;
            if field == 0 {
                break;
            }
            let value = reader.c_string(4096)?;
            for (seen, (is, fits)) in fields.iter_mut().zip([
                (b'S', !value.is_empty()),
                (b'C', value.len() == 5 && value.iter().all(u8::is_ascii_alphanumeric)),
                (b'M', !value.is_empty()),
            ]) {
                *seen |= is == field && fits;
            }
        }
        return must(fields == [true; 3]).map(|()| Answer::Error);
    }
    must(kind == b'R')?;
    let method = match (reader.be32()?, length) {
        (0, 8) => "none",
        (2, 8) => "kerberos",
        (3, 8) => "password in the clear",
        (5, 12) => "md5",
        (7, 8) => "gssapi",
        (9, 8) => "sspi",
        (10, 12..=256) => {
            must(reader.rest().starts_with(b"SCRAM-") || reader.left() < 6 && !talk.ended)?;
            "scram"
        }
        _ => return Err(Not::Other),
    };
    Ok(Answer::Authentication(method))
}

/// The server's version among the parameters that it reports.
fn version(bytes: &[u8]) -> Option<&[u8]> {
    let name = b"server_version\0";
    let at = bytes.windows(name.len()).position(|window| window == name)?;
    Reader::new(bytes.get(at + name.len()..)?).c_string(64).ok().filter(|text| printable(text))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, startup);
    let server = hear(talk, &talk.server, |reader| answer(talk, reader));
    let claim = match (&client, &server) {
        (Ok(startup), Ok(Answer::Encryption(_))) if startup.asked => {
            talk.claim(By::Both, 64, "request for encryption and its answer").and_more()
        }
        (Ok(_), Ok(Answer::Authentication(_) | Answer::Error)) => {
            talk.claim(By::Both, 112, "start-up and its answer")
        }
        (Err(Not::Silent), Ok(Answer::Encryption(true)))
            if matches!(talk.server.bytes(), [b'S', 0x16, 3, 1..=4, _, _, 2, 0, ..]) =>
        {
            talk.claim(By::Server, 48, "server agrees to encryption, and begins with TLS")
        }
        (_, Ok(Answer::Authentication(_))) => talk.claim(By::Server, 56, "server asks for authentication"),
        (_, Ok(Answer::Error)) => talk.claim(By::Server, 56, "server's error with its SQLSTATE"),
        (Ok(_), _) => talk.claim(By::Client, 64, "client begins with a start-up or encryption request"),
        _ => return otherwise(talk, &client, &server),
    };
    let startup = client.unwrap_or_default();
    let encryption = match server {
        Ok(Answer::Encryption(agreed)) => Some(if agreed { &b"agreed"[..] } else { b"refused" }),
        _ => None,
    };
    let method = match server {
        Ok(Answer::Authentication(method)) => Some(method.as_bytes()),
        _ => None,
    };
    let details = [
        ("user", startup.user),
        ("database", startup.database),
        ("application", startup.application),
        ("encryption", encryption),
        ("authentication", method),
        ("version", version(talk.server.bytes())),
    ];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, value)| match value {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    const STARTUP: &[u8] = b"\x00\x00\x00\x21\x00\x03\x00\x00user\x00ann\x00database\x00shop\x00\x00";

    #[test]
    fn start_up_and_encryption() {
        let scram = b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00";
        let said = confirmed("postgresql", &tcp(STARTUP, scram));
        assert_eq!((said.detail("user"), said.detail("database")), (Some("ann"), Some("shop")));
        assert_eq!(said.detail("authentication"), Some("scram"));
        let ask = b"\x00\x00\x00\x08\x04\xd2\x16\x2f";
        let said = confirmed("postgresql", &tcp(&[&ask[..], b"\x16\x03\x01"].concat(), b"S\x16\x03\x03"));
        assert_eq!(said.detail("encryption"), Some("agreed"));
        let refused = [b"N", &scram[..]].concat();
        confirmed("postgresql", &tcp(&[&ask[..], STARTUP].concat(), &refused));
        confirmed("postgresql", &tcp(ask, b"N"));
        let ready = b"R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x1aserver_version\x0015.5\x00";
        assert_eq!(confirmed("postgresql", &tcp(STARTUP, ready)).detail("version"), Some("15.5"));
        let error = b"E\x00\x00\x00\x2aSFATAL\x00C28P01\x00Mno such user\x00\x00";
        confirmed("postgresql", &tcp(b"", error));
        attempt("postgresql", &tcp(STARTUP, b""));
        // The server alone: encryption is refused, and agreed.
        confirmed("postgresql", &tcp(b"", &refused));
        let said = confirmed("postgresql", &tcp(b"", b"S\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"));
        assert_eq!(said.detail("encryption"), Some("agreed"));
        nothing(&tcp(b"", b"S\x16\x03\x03\x00\x7a\x01\x00\x00\x76\x03\x03"));
        nothing(&tcp(b"", b"S"));
    }

    #[test]
    fn what_only_resembles_it() {
        nothing(&tcp(b"\x00\x00\x00\x09\x04\xd2\x16\x2f\x00", b"N"));
        nothing(&tcp(b"\x00\x00\x00\x0f\x00\x03\x00\x00port\x001\x00\x00", b""));
        nothing(&tcp(b"", b"R\x00\x00\x00\x09\x00\x00\x00\x00\x00"));
        nothing(&tcp(b"", b"E\x00\x00\x00\x20SFATAL\x00Mno such user\x00\x00"));
        nothing(&tcp(b"hello", b"S"));
    }
}
