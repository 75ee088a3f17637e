//! OPC UA binary: HEL, ACK, ERR and OPN with lengths that fit (OPC 10000-6 §7.1.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Part, Reader, hear, must, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How OPC UA is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "opcua",
        title: "OPC UA",
        reference: "OPC 10000-6",
        services: &["opcua-tcp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Client, Over::Stream, b"HELF"),
        Sign::text(Side::Server, Over::Stream, b"ACKF"),
        Sign::text(Side::Server, Over::Stream, b"ERRF"),
        // A server behind a wall calls its client.
        Sign::text(Side::Client, Over::Stream, b"RHEF"),
    ],
    look,
};

/// Buffers have 8,192 bytes at least (§7.1.2.3).
const LEAST_BUFFER: u32 = 8192;

fn hello(mut reader: Reader<'_>) -> Part<&[u8]> {
    if reader.rest().starts_with(b"R") {
        reader.is(b"RHEF")?;
        let length = reader.le32()?;
        let (server, endpoint) = (text(&mut reader)?, text(&mut reader)?);
        must(server.len() + endpoint.len() + 16 == length as usize && printable(endpoint))?;
        return Ok(endpoint);
    }
    reader.is(b"HELF")?;
    let length = reader.le32()?;
    let (_version, receive, send) = (reader.le32()?, reader.le32()?, reader.le32()?);
    reader.take(8)?;
    must(receive >= LEAST_BUFFER && send >= LEAST_BUFFER)?;
    let endpoint = text(&mut reader)?;
    must(endpoint.len() + 32 == length as usize && (endpoint.is_empty() || printable(endpoint)))?;
    Ok(endpoint)
}

fn text<'a>(reader: &mut Reader<'a>) -> Part<&'a [u8]> {
    let length = reader.le32()?;
    if length == u32::MAX {
        return Ok(&[]);
    }
    must(length <= 4096)?;
    reader.take(length as usize)
}

enum Answer<'a> {
    Acknowledged,
    Refused(&'a [u8]),
}

fn answer(mut reader: Reader<'_>) -> Part<Answer<'_>> {
    let kind: [u8; 4] = reader.array()?;
    let length = reader.le32()?;
    if kind == *b"ACKF" {
        let (_version, receive, send) = (reader.le32()?, reader.le32()?, reader.le32()?);
        must(length == 28 && receive >= LEAST_BUFFER && send >= LEAST_BUFFER)?;
        return Ok(Answer::Acknowledged);
    }
    must(kind == *b"ERRF" && (16..=4112).contains(&length))?;
    // A status code of the kind "bad".
    must(reader.le32()? >> 31 == 1)?;
    let reason = text(&mut reader)?;
    must(length == 16 || reason.len() + 16 == length as usize)?;
    Ok(Answer::Refused(reason))
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, hello);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(_), Ok(Answer::Acknowledged)) => talk.claim(By::Both, 160, "HEL and ACK"),
        (Ok(_), Ok(Answer::Refused(_))) => talk.claim(By::Both, 140, "HEL and ERR"),
        (_, Ok(Answer::Acknowledged)) => talk.claim(By::Server, 90, "server's ACK"),
        (_, Ok(Answer::Refused(_))) => talk.claim(By::Server, 60, "server's ERR"),
        (Ok(_), Err(_)) if talk.client.bytes().starts_with(b"RHEF") => {
            talk.claim(By::Client, 90, "a server calls its client")
        }
        (Ok(_), Err(_)) => talk.claim(By::Client, 90, "client begins with HEL"),
        _ => return otherwise(talk, &client, &server),
    };
    let claim = match server {
        Ok(Answer::Refused(reason)) if printable(reason) => claim.with("refused", reason),
        _ => claim,
    };
    Look::Yes(match client {
        Ok(endpoint) if !endpoint.is_empty() => claim.with("endpoint", endpoint),
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn hello_and_acknowledgement() {
        let mut ask = b"HELF\x37\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\x17\0\0\0".to_vec();
        ask.extend_from_slice(b"opc.tcp://plc.test:4840");
        let say = b"ACKF\x1c\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0";
        assert_eq!(confirmed("opcua", &tcp(&ask, say)).detail("endpoint"), Some("opc.tcp://plc.test:4840"));
        confirmed("opcua", &tcp(&ask, b"ERRF\x10\0\0\0\0\0\x83\x80\xff\xff\xff\xff"));
        attempt("opcua", &tcp(&ask, b""));
        ask[4] = 0x38;
        nothing(&tcp(&ask, b""));
        nothing(&tcp(b"", b"ACKF\x1d\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0"));
    }
}
