//! Microsoft SQL Server: the PRELOGIN exchange of TDS 7, and in the middle requests with their headers (MS-TDS 2.2.6.5).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How SQL Server is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "mssql",
        title: "Microsoft SQL Server (TDS)",
        reference: "MS-TDS",
        services: &["ms-sql-s"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Stream, &[Class::Is(0x12), Class::In(0, 1), Class::In(0, 1)]),
        Sign::classes(Side::Server, Over::Stream, &[Class::Is(4), Class::Is(1), Class::In(0, 1)]),
        // In the middle: a request of one packet or more, without a process and without a window.
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[
                Class::In(1, 14),
                Class::In(0, 9),
                Class::In(0, 0x7f),
                Class::Any,
                Class::Is(0),
                Class::Is(0),
                Class::Is(1),
                Class::Is(0),
            ],
        ),
    ],
    look,
};

#[derive(Debug, Clone, Copy)]
struct Prelogin {
    version: [u8; 4],
    encryption: u8,
}

/// A PRELOGIN packet: its options lie where its table says, one behind the other.
fn prelogin(mut reader: Reader<'_>, kind: u8) -> Part<Prelogin> {
    reader.is(&[kind])?;
    must(reader.u8()? <= 1)?;
    let length = usize::from(reader.be16()?);
    // Header, process, packet number, window.
    let [_, _, _, window] = reader.array()?;
    must((26..512).contains(&length) && window == 0)?;
    let body = reader.take(length - 8)?;
    let mut table = Reader::new(body);
    let mut found = Prelogin { version: [0; 4], encryption: u8::MAX };
    let mut end = None;
    for index in 0..12 {
        let token = table.u8().map_err(|_| Not::Other)?;
        if token == 0xff {
            must(index >= 2 && end == Some(body.len()))?;
            return must(found.encryption <= 4 || found.encryption >= 0x20).map(|()| found);
        }
        let (offset, length) = (table.be16()?, table.be16()?);
        // The first option is the version, and each begins where the one before ends.
        must(token <= 9 && (index > 0 || (token == 0 && length == 6)))?;
        must(end.is_none_or(|end| end == usize::from(offset)))?;
        let mut value = Reader::new(body.get(usize::from(offset)..).ok_or(Not::Other)?);
        match token {
            0 => found.version = value.array().map_err(|_| Not::Other)?,
            1 => found.encryption = value.u8().map_err(|_| Not::Other)?,
            _ => {}
        }
        end = Some(usize::from(offset) + usize::from(length));
    }
    Err(Not::Other)
}

/// A request with the headers that every one has since TDS 7.2: of a transaction, and of no other (MS-TDS 2.2.5.3).
fn request(mut reader: Reader<'_>) -> Part<&'static [u8]> {
    let [kind, status] = reader.array()?;
    let kind: &[u8] = match kind {
        1 => b"batch",
        3 => b"remote procedure",
        14 => b"transaction",
        _ => return Err(Not::Other),
    };
    // The last packet or not; with or without a reset of the connection (MS-TDS 2.2.3.1.2).
    must(status & !0x19 == 0)?;
    must((30..=0x7fff).contains(&reader.be16()?))?;
    // Process, packet number, window.
    reader.is(&[0, 0, 1, 0])?;
    // All headers, this one, its kind; the transaction; how many requests are open.
    reader.is(&[22, 0, 0, 0, 18, 0, 0, 0, 2, 0])?;
    reader.take(8)?;
    reader.is(&[1, 0, 0, 0])?;
    Ok(kind)
}

/// The packet of a server that answers it: its header, and a token that a stream may begin with (MS-TDS 2.2.4).
fn answer(mut reader: Reader<'_>) -> Part<()> {
    let [kind, status] = reader.array()?;
    must(kind == 4 && status <= 1)?;
    let length = reader.be16()?;
    let [_, _, number, window] = reader.array()?;
    must((9..=0x7fff).contains(&length) && number == 1 && window == 0)?;
    must(matches!(
        reader.u8()?,
        0x79 | 0x81 | 0xa4 | 0xa5 | 0xa9 | 0xaa | 0xab | 0xd1 | 0xe3 | 0xfd | 0xfe | 0xff
    ))
}

/// Requests where the beginning was not seen: 18 of their bytes are fixed.
fn in_the_middle(talk: &Talk<'_>) -> Look {
    fn met<'a, T>(talk: &Talk<'_>, said: &Said<'a>, parse: impl FnOnce(Reader<'a>) -> Part<T>) -> Part<T> {
        if said.from_start { Err(Not::Other) } else { hear(talk, said, parse) }
    }
    let (client, server) = (met(talk, &talk.client, request), met(talk, &talk.server, answer));
    let (asks, by, bits) = match (client, server) {
        (Ok(asks), Ok(())) => (asks, By::Both, 144),
        (Ok(asks), Err(_)) => (asks, By::Client, 112),
        (client, server) => return otherwise(talk, &client, &server),
    };
    Look::Yes(talk.claim(by, bits, "requests with the headers of a transaction").with("request", asks))
}

fn look(talk: &Talk<'_>) -> Look {
    let middle = in_the_middle(talk);
    if matches!(middle, Look::Yes(_)) {
        return middle;
    }
    let client = hear(talk, &talk.client, |reader| prelogin(reader, 0x12));
    let server = hear(talk, &talk.server, |reader| prelogin(reader, 4));
    let (said, claim) = match (&client, &server) {
        (Ok(_), Ok(said)) => (said, talk.claim(By::Both, 128, "PRELOGIN and its answer")),
        (_, Ok(said)) => (said, talk.claim(By::Server, 80, "server's PRELOGIN answer")),
        (Ok(_), _) => return Look::Yes(talk.claim(By::Client, 80, "client begins with PRELOGIN")),
        _ if middle == Look::More => return middle,
        _ => return otherwise(talk, &client, &server),
    };
    let [major, minor, build @ ..] = said.version;
    let version = format!("{major}.{minor}.{}", u16::from_be_bytes(build));
    let encryption: &[u8] = match said.encryption & 0x1f {
        0 => b"login only",
        1 => b"on",
        2 => b"not supported",
        _ => b"required",
    };
    Look::Yes(claim.with("version", version.as_bytes()).with("encryption", encryption))
}

#[cfg(test)]
mod tests {
    use model::Transport;

    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};
    use crate::talk::{Said, Talk};

    const BATCH: &[u8] = b"\x01\x01\0\x30\0\0\x01\0\x16\0\0\0\x12\0\0\0\x02\0\0\0\0\0\0\0\0\0\x01\0\0\0\
        S\0E\0L\0E\0C\0T\0 \x001\0";
    const ROWS: &[u8] = b"\x04\x01\0\x21\0\x34\x01\0\x81\x01\0\0\0\0\0\x20\0\x38\0\xd1";

    /// A connection that was joined in its middle.
    fn joined<'a>(client: &'a [u8], server: &'a [u8]) -> Talk<'a> {
        let (client, server) = (Said::stream(client, false), Said::stream(server, false));
        Talk { transport: Transport::Tcp, client, server, ended: true, particulars: true }
    }

    #[test]
    fn requests_where_the_beginning_was_not_seen() {
        assert_eq!(partial("mssql", &joined(BATCH, ROWS)).detail("request"), Some("batch"));
        partial("mssql", &joined(BATCH, b""));
        // An answer alone has too little of its own, and nobody begins like this.
        nothing(&joined(b"", ROWS));
        nothing(&tcp(BATCH, ROWS));
        for place in [0, 1, 4, 6, 7, 8, 12, 16, 17, 26, 27] {
            let mut broken = BATCH.to_vec();
            broken[place] ^= 0x44;
            nothing(&joined(&broken, ROWS));
        }
    }

    fn prelogin(kind: u8, version: [u8; 6], encryption: u8) -> Vec<u8> {
        let mut bytes = vec![kind, 1, 0, 26, 0, 0, 1, 0, 0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
        bytes.extend_from_slice(&version);
        bytes.push(encryption);
        bytes
    }

    #[test]
    fn the_server_tells_its_version() {
        let ask = prelogin(0x12, [0; 6], 0);
        let said = confirmed("mssql", &tcp(&ask, &prelogin(4, [15, 0, 7, 208, 0, 0], 1)));
        assert_eq!((said.detail("version"), said.detail("encryption")), (Some("15.0.2000"), Some("on")));
        attempt("mssql", &tcp(&ask, b""));
        confirmed("mssql", &tcp(b"", &prelogin(4, [15, 0, 7, 208, 0, 0], 3)));
        for place in [3, 7, 8, 10, 12, 15, 18] {
            let mut broken = ask.clone();
            broken[place] ^= 0x11;
            nothing(&tcp(&broken, b""));
        }
    }
}
