//! Microsoft SQL Server: the PRELOGIN exchange of TDS 7 (MS-TDS 2.2.6.5).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, must, otherwise};
use crate::recognise::{By, Claim, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

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

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| prelogin(reader, 0x12));
    let server = hear(talk, &talk.server, |reader| prelogin(reader, 4));
    let (said, claim) = match (&client, &server) {
        (Ok(_), Ok(said)) => (said, Claim::new(By::Both, 128, "PRELOGIN and its answer")),
        (_, Ok(said)) => (said, Claim::new(By::Server, 80, "server's PRELOGIN answer")),
        (Ok(_), _) => return Look::Yes(Claim::new(By::Client, 80, "client begins with PRELOGIN")),
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
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

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
