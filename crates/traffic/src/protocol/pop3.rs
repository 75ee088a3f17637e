//! POP3: a greeting `+OK`, and the verbs of a mailbox (RFC 1939 §4).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How POP3 is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "pop3",
        title: "POP3",
        reference: "RFC 1939",
        services: &["pop3"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"+OK"),
        Sign::word(Side::Client, Over::Stream, b"APOP "),
    ],
    look,
};

const VERBS: &[&str] =
    &["USER", "PASS", "APOP", "CAPA", "STLS", "AUTH", "STAT", "LIST", "UIDL", "NOOP", "QUIT"];

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    let asks = lines::lines(client).next().map(|line| lines::is_one_of(lines::verb(line).0, VERBS));
    let Some(first) = lines::lines(server).next() else {
        let open = server.starts_with(b"+OK") && lines::in_first_line(server) && !talk.ended;
        return if open { Look::More } else { Look::No };
    };
    let Some(banner) = first.strip_prefix(b"+OK").filter(|rest| matches!(rest.first(), None | Some(b' ')))
    else {
        return Look::No;
    };
    // Every line that is not inside an answer of several is a status (RFC 1939 §3).
    let (by, bits, rule) = match asks {
        Some(true) => (By::Both, 56, "greeting +OK, and a client with verbs of POP3"),
        _ if banner.len() > 3 => (By::Server, 32, "greeting +OK and a text"),
        None if !talk.ended => return Look::More,
        // Redis says +OK to what is asked of it, and so do others.
        _ => return Look::No,
    };
    let mut claim = talk.claim(by, bits, rule).with("banner", banner.trim_ascii());
    for line in lines::lines(client) {
        let (verb, name) = lines::verb(line);
        match verb.to_ascii_uppercase().as_slice() {
            b"STLS" => claim = claim.with("starttls", b"asked"),
            b"USER" => claim = claim.with("user", name),
            _ => continue,
        }
        break;
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, tcp};

    #[test]
    fn greetings_and_verbs() {
        let said = confirmed(
            "pop3",
            &tcp(b"USER me\r\nPASS x\r\n", b"+OK Dovecot ready.\r\n+OK\r\n+OK Logged in.\r\n"),
        );
        assert_eq!((said.detail("user"), said.detail("banner")), (Some("me"), Some("Dovecot ready.")));
        confirmed("pop3", &tcp(b"CAPA\r\n", b"+OK\r\n"));
        confirmed("pop3", &tcp(b"GET / HTTP/1.1\r\n\r\n", b"+OK POP3 server\r\n-ERR\r\n"));
        nothing(&tcp(b"", b"+OK\r\n"));
        nothing(&tcp(b"SET key value\r\n", b"+OK\r\n"));
        nothing(&tcp(b"", b"+OKAY then\r\n"));
    }
}
