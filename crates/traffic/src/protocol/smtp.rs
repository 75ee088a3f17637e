//! SMTP: a reply 220 and then the verbs of mail (RFC 5321 §3.1); what a banner alone leaves open stays partial.

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SMTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "smtp",
        title: "SMTP",
        reference: "RFC 5321",
        services: &["smtp", "submission"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"220"),
        Sign::text(Side::Server, Over::Stream, b"554"),
        Sign::text(Side::Server, Over::Stream, b"421"),
        Sign::word(Side::Client, Over::Stream, b"EHLO "),
        Sign::word(Side::Client, Over::Stream, b"HELO "),
        Sign::word(Side::Client, Over::Stream, b"LHLO "),
    ],
    look,
};

/// Whether the first line of a client greets (RFC 5321 §4.1.1.1), and as whom.
fn greets(bytes: &[u8]) -> Option<&[u8]> {
    let (verb, name) = lines::verb(lines::lines(bytes).next()?);
    let one_word = !name.is_empty() && !name.trim_ascii().contains(&b' ');
    (lines::is_one_of(verb, &["EHLO", "HELO", "LHLO"]) && one_word).then_some(name.trim_ascii())
}

/// Whether a word is a domain of two labels or more, or an address in brackets: what a banner begins with.
pub(super) fn is_domain(word: &[u8]) -> bool {
    let label = |label: &[u8]| {
        !label.is_empty()
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let labels = word.split(|byte| *byte == b'.');
    (word.contains(&b'.') && labels.clone().all(label)) || (word.starts_with(b"[") && word.ends_with(b"]"))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    let Some((code, _, banner)) = lines::lines(server).next().and_then(lines::reply) else {
        let open = !server.is_empty()
            && lines::in_first_line(server)
            && server.first().is_some_and(u8::is_ascii_digit);
        return match greets(client) {
            _ if open && !talk.ended => Look::More,
            Some(name) => {
                Look::Yes(talk.claim(By::Client, 44, "client greets as mail does").with("client_name", name))
            }
            None => Look::No,
        };
    };
    let named = lines::mentions(banner, "smtp") || lines::mentions(banner, "lmtp");
    let later = || lines::lines(server).filter_map(lines::reply);
    let extensions =
        ["PIPELINING", "8BITMIME", "STARTTLS", "ENHANCEDSTATUSCODES", "SMTPUTF8", "CHUNKING", "DSN", "SIZE"];
    let extends =
        later().any(|(code, _, text)| code == 250 && lines::is_one_of(lines::word(text), &extensions));
    let (by, bits, rule) = match (code, greets(client)) {
        (220 | 421 | 554, Some(_)) if later().nth(1).is_none_or(|(code, ..)| (200..600).contains(&code)) => {
            (By::Both, 72, "reply 220, and a client that greets as mail does")
        }
        (220, None) if named => (By::Server, 56, "reply 220 of a server that names SMTP"),
        (220, None) if extends => (By::Server, 48, "reply 220, then extensions of SMTP"),
        (421 | 554, None) if named => (By::Server, 48, "refusal of a server that names SMTP"),
        (220, None) if client.is_empty() && !talk.ended => return Look::More,
        // The banner begins with the server's domain (RFC 5321 §4.2).
        (220, None) if is_domain(lines::word(banner)) && !lines::mentions(banner, "ftp") => {
            (By::Server, 12, "reply 220 and a domain")
        }
        _ => return Look::No,
    };
    let mut claim = talk.claim(by, bits, rule).with("banner", banner);
    if let Some(name) = greets(client) {
        claim = claim.with("client_name", name);
    }
    if lines::lines(client).any(|line| line.eq_ignore_ascii_case(b"STARTTLS")) {
        claim = claim.with("starttls", b"asked");
    } else if later().any(|(_, _, text)| text.eq_ignore_ascii_case(b"STARTTLS")) {
        claim = claim.with("starttls", b"offered");
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn banners_greetings_and_extensions() {
        let server = b"220 mx.example ESMTP Postfix\r\n250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
        let said = confirmed("smtp", &tcp(b"EHLO client.example\r\n", server));
        assert_eq!(
            (said.detail("client_name"), said.detail("starttls")),
            (Some("client.example"), Some("offered"))
        );
        confirmed("smtp", &tcp(b"", b"220 mx.example ESMTP Postfix\r\n"));
        confirmed("smtp", &tcp(b"helo x\r\n", b"220 hello there\r\n250 ok\r\n"));
        confirmed("smtp", &tcp(b"GET / HTTP/1.0\r\n\r\n", b"220 mx.example ESMTP\r\n502 what?\r\n"));
        attempt("smtp", &tcp(b"EHLO [192.0.2.1]\r\n", b""));
        partial("smtp", &tcp(b"", b"220 mx.example ready\r\n"));
    }

    #[test]
    fn neighbours_are_not_smtp() {
        for (client, server) in [
            (&b"EHLO\r\n"[..], &b""[..]),
            (b"EHLO you there\r\n", b""),
            (b"", b"2200 items\r\n"),
            (b"", b"554 items\r\n"),
        ] {
            nothing(&tcp(client, server));
        }
    }
}
