//! NATS: the server's INFO line, and the client's CONNECT (NATS client protocol).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, json_text, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How NATS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "nats",
        title: "NATS",
        reference: "NATS client protocol",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"INFO {\""),
        Sign::text(Side::Client, Over::Stream, b"CONNECT {"),
    ],
    look,
};

/// A server's line may be long: it names every server of the cluster.
const MOST_LINE: usize = 8192;

fn info(mut reader: Reader<'_>) -> Part<&[u8]> {
    reader.is(b"INFO {\"")?;
    let line = reader.line(MOST_LINE)?;
    must(line.trim_ascii_end().ends_with(b"}"))?;
    must(json_text(line, "server_id").is_some() || line.starts_with(b"server_id\""))?;
    Ok(line)
}

fn connect(mut reader: Reader<'_>) -> Part<()> {
    reader.is(b"CONNECT {\"")?;
    must(reader.line(MOST_LINE)?.trim_ascii_end().ends_with(b"}"))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, connect);
    let server = hear(talk, &talk.server, info);
    let (line, claim) = match (&client, &server) {
        (Ok(()), Ok(line)) => (line, talk.claim(By::Both, 136, "INFO and CONNECT")),
        (_, Ok(line)) => (line, talk.claim(By::Server, 120, "server begins with INFO")),
        (Ok(()), _) => return Look::Yes(talk.claim(By::Client, 72, "client begins with CONNECT {")),
        // The line was cut, and its first letters are what no other server says.
        (_, Err(Not::Short)) if talk.ended && talk.server.bytes().starts_with(b"INFO {\"server_id\":\"") => {
            return Look::Yes(talk.claim(By::Server, 96, "server begins with INFO"));
        }
        _ => return otherwise(talk, &client, &server),
    };
    Look::Yes(match json_text(line, "version") {
        Some(version) => claim.with("version", version),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn a_server_introduces_itself() {
        let info =
            b"INFO {\"server_id\":\"NABC\",\"version\":\"2.9.10\",\"proto\":1,\"max_payload\":1048576} \r\n";
        let connect = b"CONNECT {\"verbose\":false,\"pass\":\"secret\"}\r\nPING\r\n";
        let said = confirmed("nats", &tcp(connect, info));
        assert_eq!((said.detail("version"), said.details.len()), (Some("2.9.10"), 1));
        confirmed("nats", &tcp(b"", info));
        attempt("nats", &tcp(connect, b""));
        nothing(&tcp(b"", b"INFO {\"level\":\"warn\"}\r\n"));
        nothing(&tcp(b"CONNECT example.org:443 HTTP/1.1\r\n\r\n".get(..7).unwrap(), b""));
    }
}
