//! Redis: RESP 2 and 3, inline commands, and the errors that only Redis knows (RESP specification).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, between, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How Redis is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "redis",
        title: "Redis",
        reference: "RESP specification",
        services: &["redis"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::classes(Side::Client, Over::Stream, &[Class::Is(b'*'), Class::In(b'1', b'9')]),
        Sign::word(Side::Client, Over::Stream, b"PING\r\n"),
        Sign::word(Side::Client, Over::Stream, b"INFO\r\n"),
        Sign::word(Side::Client, Over::Stream, b"AUTH "),
        Sign::word(Side::Client, Over::Stream, b"HELLO "),
        Sign::text(Side::Server, Over::Stream, b"-NOAUTH "),
        Sign::text(Side::Server, Over::Stream, b"-DENIED "),
        Sign::text(Side::Server, Over::Stream, b"-ERR unk"),
        Sign::text(Side::Server, Over::Stream, b"-ERR wro"),
        Sign::text(Side::Server, Over::Stream, b"+PONG\r\n"),
    ],
    look,
};

/// What the client asked.
struct Command<'a> {
    name: &'a [u8],
    /// Whether it came as an array of texts, not as a line.
    array: bool,
}

fn number(line: &[u8]) -> Part<u32> {
    must((1..=7).contains(&line.len()) && line.iter().all(u8::is_ascii_digit))?;
    Ok(line.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn command(mut reader: Reader<'_>) -> Part<Command<'_>> {
    if reader.rest().first() != Some(&b'*') {
        let line = reader.line(512)?;
        let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        must(
            [&b"PING"[..], b"INFO", b"AUTH", b"HELLO"].iter().any(|known| name.eq_ignore_ascii_case(known)),
        )?;
        return Ok(Command { name, array: false });
    }
    reader.is(b"*")?;
    let count = number(reader.line(12)?)?;
    reader.is(b"$")?;
    let length = number(reader.line(12)?)?;
    must(count > 0 && (1..=32).contains(&length))?;
    let name = reader.take(length as usize)?;
    reader.is(b"\r\n")?;
    must(name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)))?;
    if count > 1 {
        reader.is(b"$")?;
    }
    Ok(Command { name, array: true })
}

/// A first line of an answer, and whether nobody but Redis says so.
fn answer(mut reader: Reader<'_>) -> Part<bool> {
    let kind = reader.u8()?;
    must(b"+-:$*%~#,_(=>".contains(&kind))?;
    let line = reader.line(512)?;
    match kind {
        b'+' => must(line.iter().all(|byte| (0x20..0x7f).contains(byte))).map(|()| line == b"PONG"),
        b'-' => {
            must(line.first().is_some_and(u8::is_ascii_uppercase))?;
            let known: [&[u8]; 5] = [
                b"NOAUTH Authentication required",
                b"DENIED Redis is running in protected mode",
                b"ERR unknown command",
                b"ERR wrong number of arguments for '",
                b"WRONGPASS invalid username-password",
            ];
            Ok(known.iter().any(|known| line.starts_with(known)))
        }
        b'#' => must(line == b"t" || line == b"f").map(|()| false),
        b'_' => must(line.is_empty()).map(|()| false),
        b',' | b'(' => Ok(false),
        _ => number(line.strip_prefix(b"-").unwrap_or(line)).map(|_| false),
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, command);
    let server = hear(talk, &talk.server, answer);
    let claim = match (&client, &server) {
        (Ok(command), Ok(_)) if command.array => talk.claim(By::Both, 72, "RESP command and answer"),
        (Ok(_), Ok(true)) => talk.claim(By::Both, 64, "inline command and Redis's answer"),
        (_, Ok(true)) if !talk.server.bytes().starts_with(b"+") => {
            talk.claim(By::Server, 96, "an error that Redis has")
        }
        // INFO as a line is answered by a long text.
        (Ok(_), Ok(_)) if talk.server.bytes().starts_with(b"$") => {
            talk.claim(By::Both, 48, "inline command and RESP answer")
        }
        (Ok(command), Err(Not::Silent | Not::Short)) if command.array => {
            talk.claim(By::Client, 48, "client begins with a RESP command")
        }
        _ => return otherwise(talk, &client, &server),
    };
    let claim = match between(talk.server.bytes(), b"redis_version:", b"\r\n") {
        Some(version) => claim.with("version", version),
        None => claim,
    };
    Look::Yes(match client {
        Ok(command) if claim.particulars => claim.with("command", &command.name.to_ascii_uppercase()),
        _ => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, not, tcp};

    #[test]
    fn arrays_lines_and_errors() {
        let said = confirmed("redis", &tcp(b"*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n", b"+OK\r\n"));
        assert_eq!((said.detail("command"), said.details.len()), (Some("AUTH"), 1));
        confirmed("redis", &tcp(b"PING\r\n", b"+PONG\r\n"));
        confirmed(
            "redis",
            &tcp(b"GET / HTTP/1.1\r\n", b"-ERR wrong number of arguments for 'get' command\r\n"),
        );
        confirmed("redis", &tcp(b"", b"-DENIED Redis is running in protected mode because\r\n"));
        let info = b"$40\r\n# Server\r\nredis_version:7.0.15\r\nredis_git";
        assert_eq!(confirmed("redis", &tcp(b"INFO\r\n", info)).detail("version"), Some("7.0.15"));
        confirmed("redis", &tcp(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", b"%7\r\n$6\r\nserver\r\n"));
        attempt("redis", &tcp(b"*1\r\n$4\r\nPING\r\n", b""));
    }

    #[test]
    fn other_services_that_say_ok_and_err() {
        not("redis", &tcp(b"USER me\r\n", b"-ERR no such user\r\n"));
        not("redis", &tcp(b"PING\r\n", b"220 ready\r\n"));
        not("redis", &tcp(b"", b"+PONG\r\n"));
        not("redis", &tcp(b"*1\r\n$4\r\nPING\r\n", b"HTTP/1.1 400 Bad Request\r\n"));
    }
}
