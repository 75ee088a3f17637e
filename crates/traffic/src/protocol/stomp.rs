//! STOMP: the frames CONNECT or STOMP, CONNECTED and ERROR (STOMP 1.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear, otherwise, printable};
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How STOMP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "stomp",
        title: "STOMP",
        reference: "STOMP 1.2",
        services: &[],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::text(Side::Client, Over::Stream, b"CONNECT\n"),
        Sign::text(Side::Client, Over::Stream, b"CONNECT\r"),
        Sign::text(Side::Client, Over::Stream, b"STOMP\n"),
        Sign::text(Side::Client, Over::Stream, b"STOMP\r\n"),
        Sign::text(Side::Server, Over::Stream, b"CONNECTED"),
        Sign::text(Side::Server, Over::Stream, b"ERROR\n"),
        Sign::text(Side::Server, Over::Stream, b"ERROR\r\n"),
    ],
    look,
};

/// A frame whose command is one of these and which has headers up to its empty line; the value of each wanted header.
fn frame<'a, const N: usize>(
    mut reader: Reader<'a>,
    commands: &[&[u8]],
    wanted: [&[u8]; N],
) -> Part<[Option<&'a [u8]>; N]> {
    if !commands.contains(&reader.line(11)?) {
        return Err(Not::Other);
    }
    let mut found = [None; N];
    for _ in 0..32 {
        let line = reader.line(1024)?;
        if line.is_empty() {
            return Ok(found);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Not::Other)?;
        let (name, value) = line.split_at_checked(colon).ok_or(Not::Other)?;
        if !printable(name) {
            return Err(Not::Other);
        }
        for (slot, wanted) in found.iter_mut().zip(wanted) {
            if slot.is_none() && name == wanted {
                *slot = value.get(1..);
            }
        }
    }
    Err(Not::Other)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, |reader| {
        match frame(reader, &[b"CONNECT", b"STOMP"], [b"accept-version", b"host", b"login"])? {
            [None, None, None] => Err(Not::Other),
            [_, host, _] => Ok(host),
        }
    });
    let server = hear(talk, &talk.server, |reader| {
        match frame(reader, &[b"CONNECTED", b"ERROR"], [b"version", b"server", b"session", b"message"])? {
            [None, _, None, None] => Err(Not::Other),
            [version, software, ..] => Ok((version, software)),
        }
    });
    let claim = match (&client, &server) {
        (Ok(_), Ok(_)) => talk.claim(By::Both, 120, "CONNECT and its answer"),
        (_, Ok((Some(_), _))) => talk.claim(By::Server, 96, "server begins with CONNECTED"),
        (Ok(_), _) => talk.claim(By::Client, 80, "client begins with CONNECT or STOMP"),
        _ => return otherwise(talk, &client, &server),
    };
    let (version, software) = server.unwrap_or_default();
    let details = [("version", version), ("software", software), ("host", client.unwrap_or_default())];
    Look::Yes(details.into_iter().fold(claim, |claim, (name, value)| match value {
        Some(value) => claim.with(name, value),
        None => claim,
    }))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn frames_with_headers() {
        let connect = b"CONNECT\naccept-version:1.2\nhost:shop\nlogin:guest\npasscode:guest\n\n\x00\n";
        let connected =
            b"CONNECTED\nserver:RabbitMQ/3.10.8\nsession:s-1\nheart-beat:0,0\nversion:1.2\n\n\x00\n";
        let said = confirmed("stomp", &tcp(connect, connected));
        assert_eq!(said.detail("software"), Some("RabbitMQ/3.10.8"));
        assert_eq!((said.detail("host"), said.details.len()), (Some("shop"), 3));
        confirmed("stomp", &tcp(connect, b"ERROR\nmessage:Bad CONNECT\n\nAccess refused\x00"));
        attempt("stomp", &tcp(connect, b""));
        nothing(&tcp(b"CONNECT\nsomething else\n\n", b"ERROR\nno\n\n"));
        nothing(&tcp(b"CONNECT\na:b\n\n", b"ERROR\n\n"));
    }
}
