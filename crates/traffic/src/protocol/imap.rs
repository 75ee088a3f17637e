//! IMAP: an untagged greeting, then commands behind tags (RFC 9051 §7.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How IMAP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "imap",
        title: "IMAP",
        reference: "RFC 9051",
        services: &["imap"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"* OK"),
        Sign::text(Side::Server, Over::Stream, b"* PREAUT"),
        Sign::text(Side::Server, Over::Stream, b"* BYE"),
        Sign::classes(Side::Client, Over::Stream, &[Class::In(b'0', b'z')]),
    ],
    look,
};

/// Commands that a client begins with, without those that others have.
const COMMANDS: &[&str] =
    &["CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "SELECT", "EXAMINE", "ENABLE", "LOGOUT"];

/// The command of a client's first line, behind its tag.
fn command(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, rest) = lines::verb(lines::lines(bytes).next()?);
    let plain = (1..=16).contains(&tag.len())
        && tag.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let (command, arguments) = lines::verb(rest);
    (plain && lines::is_one_of(command, COMMANDS)).then_some((command, arguments))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    let asks = command(client);
    let greeting = lines::lines(server).next().and_then(|line| {
        [&b"* OK"[..], b"* PREAUTH", b"* BYE"].iter().find_map(|begin| line.strip_prefix(*begin))
    });
    let greeting = greeting.and_then(|rest| rest.strip_prefix(b" "));
    if greeting.is_none() && server.starts_with(b"* ") && lines::in_first_line(server) && !talk.ended {
        return Look::More;
    }
    let (by, bits, rule) = match (asks.is_some(), greeting.is_some()) {
        (true, true) => (By::Both, 80, "an untagged greeting, and a command behind a tag"),
        (false, true) => (By::Server, 40, "server greets with an untagged status"),
        (true, false) => (By::Client, 40, "a command of IMAP behind a tag"),
        (false, false) => return Look::No,
    };
    let mut claim = talk.claim(by, bits, rule);
    if let Some(greeting) = greeting {
        claim = claim.with("banner", greeting);
    }
    if let Some((command, arguments)) = asks {
        if command.eq_ignore_ascii_case(b"LOGIN") {
            claim = claim.with("user", lines::word(arguments));
        }
        if command.eq_ignore_ascii_case(b"STARTTLS") {
            claim = claim.with("starttls", b"asked");
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn greetings_and_commands() {
        let server = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\na1 OK\r\n";
        let said = confirmed("imap", &tcp(b"a1 LOGIN me secret\r\n", server));
        assert_eq!(said.detail("user"), Some("me"));
        assert!(said.details.iter().all(|detail| !detail.value.contains("secret")));
        confirmed("imap", &tcp(b"", b"* BYE too many\r\n"));
        attempt("imap", &tcp(b"A001 CAPABILITY\r\n", b""));
        nothing(&tcp(b"please LIST all\r\n", b"* OKAY\r\n"));
        nothing(&tcp(b"(a) LOGIN\r\n", b"* one\r\n* two\r\n"));
    }
}
