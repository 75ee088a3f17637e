//! ZooKeeper: a connection request and its answer, or words of four letters (ZooKeeper, `ConnectRequest`).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, between, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How ZooKeeper is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "zookeeper",
        title: "Apache ZooKeeper",
        reference: "ZooKeeper ConnectRequest",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Client,
            Over::Stream,
            &[Is(0), Is(0), Is(0), In(44, 45), Is(0), Is(0), Is(0), Is(0)],
        ),
        Sign::text(Side::Client, Over::Stream, b"ruok"),
        Sign::text(Side::Client, Over::Stream, b"srvr"),
        Sign::text(Side::Client, Over::Stream, b"mntr"),
        Sign::text(Side::Client, Over::Stream, b"stat"),
        Sign::text(Side::Client, Over::Stream, b"envi"),
    ],
    look,
};

/// Whether it asked in the binary protocol; else in a word of four letters.
fn request(mut reader: Reader<'_>) -> Part<bool> {
    if reader.rest().first() != Some(&0) {
        let word = reader.take(4)?;
        must([&b"ruok"[..], b"srvr", b"mntr", b"stat", b"envi"].contains(&word))?;
        return must(matches!(reader.rest(), b"" | b"\n" | b"\r\n")).map(|()| false);
    }
    let length = reader.be32()?;
    let (version, _last, timeout) = (reader.be32()?, reader.be64()?, reader.be32()?);
    reader.be64()?;
    let password = reader.be32()?;
    must((44..=45).contains(&length) && version == 0 && password == 16)?;
    must((100..=3_600_000).contains(&timeout)).map(|()| true)
}

/// The same of an answer.
fn answer(mut reader: Reader<'_>) -> Part<bool> {
    if reader.rest().first() != Some(&0) {
        let known: [&[u8]; 5] =
            [b"imok", b"Zookeeper version: ", b"zk_version\t", b"Environment:", b"This ZooKeeper"];
        let rest = reader.rest();
        if known.iter().any(|known| rest.starts_with(known))
            || rest.windows(26).any(|part| part == b"is not executed because it")
        {
            return Ok(false);
        }
        // A known beginning may still be cut.
        return Err(if known.iter().any(|known| known.starts_with(rest)) { Not::Short } else { Not::Other });
    }
    let length = reader.be32()?;
    let (version, timeout) = (reader.be32()?, reader.be32()?);
    reader.be64()?;
    must((36..=37).contains(&length) && version == 0 && reader.be32()? == 16)?;
    must(timeout <= 3_600_000).map(|()| true)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, request);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(true), Ok(true)) => talk.claim(By::Both, 144, "connection request and its answer"),
        (Ok(false), Ok(false)) => talk.claim(By::Both, 64, "a word of four letters, and ZooKeeper's answer"),
        (Ok(true), Err(Not::Silent | Not::Short)) => {
            talk.claim(By::Client, 96, "client begins with a connection request")
        }
        _ => return otherwise(talk, &client, &server),
    };
    let said = talk.server.bytes();
    let version =
        between(said, b"ookeeper version: ", b"-, \n").or_else(|| between(said, b"zk_version\t", b"-, \n"));
    Look::Yes(match version {
        Some(version) => claim.with("version", version),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn requests_and_words() {
        let mut ask = b"\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10".to_vec();
        ask.resize(49, 0);
        let mut say = b"\0\0\0\x25\0\0\0\0\0\0\x75\x30\x01\0\0\0\0\0\0\x09\0\0\0\x10".to_vec();
        say.resize(41, 7);
        confirmed("zookeeper", &tcp(&ask, &say));
        attempt("zookeeper", &tcp(&ask, b""));
        confirmed("zookeeper", &tcp(b"ruok", b"imok"));
        let said = confirmed("zookeeper", &tcp(b"srvr\n", b"Zookeeper version: 3.8.0-abc, built on 2022\n"));
        assert_eq!(said.detail("version"), Some("3.8.0"));
        nothing(&tcp(b"stats\r\n", b"imok"));
        nothing(&tcp(b"ruok", b"220 hello\r\n"));
    }
}
