//! IRC: messages of a prefix, a command and its parameters (RFC 2812 §2.3.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How IRC is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "irc",
        title: "IRC",
        reference: "RFC 2812",
        services: &["irc", "irc-serv", "ircu"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b":"),
        Sign::word(Side::Server, Over::Stream, b"NOTICE "),
        Sign::word(Side::Server, Over::Stream, b"PING :"),
        Sign::word(Side::Server, Over::Stream, b"ERROR :"),
        Sign::word(Side::Client, Over::Stream, b"NICK "),
        Sign::word(Side::Client, Over::Stream, b"USER "),
        Sign::word(Side::Client, Over::Stream, b"PASS "),
        Sign::word(Side::Client, Over::Stream, b"CAP "),
    ],
    look,
};

/// One message (RFC 2812 §2.3.1).
struct Message<'a> {
    /// Who says it; servers begin with it.
    prefix: Option<&'a [u8]>,
    command: &'a [u8],
    parameters: &'a [u8],
}

fn message(line: &[u8]) -> Option<Message<'_>> {
    let (prefix, rest) = match line.strip_prefix(b":") {
        Some(rest) => {
            let (prefix, rest) = lines::verb(rest);
            (Some(prefix), rest)
        }
        None => (None, line),
    };
    let (command, parameters) = lines::verb(rest);
    let word = !command.is_empty() && command.iter().all(u8::is_ascii_alphabetic);
    let number = command.len() == 3 && command.iter().all(u8::is_ascii_digit);
    let named = prefix.is_none_or(|prefix| !prefix.is_empty());
    ((word || number) && named).then_some(Message { prefix, command, parameters })
}

/// A name of at most thirty letters, digits and the signs that are allowed (RFC 2812 §2.3.1).
fn is_nick(name: &[u8]) -> bool {
    let name = name.strip_prefix(b":").unwrap_or(name);
    (1..=30).contains(&name.len())
        && !name.first().is_some_and(u8::is_ascii_digit)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-[]\\`^{}_|".contains(byte))
}

/// How many bits the client's first messages are worth.
fn client(bytes: &[u8]) -> (u8, Option<&[u8]>) {
    let (mut bits, mut nick) = (0, None);
    for Message { command, parameters, .. } in lines::lines(bytes).take(6).map_while(message) {
        match command.to_ascii_uppercase().as_slice() {
            b"NICK" if is_nick(parameters) => {
                bits += 16;
                nick = nick.or(Some(parameters));
            }
            // Name, two that are not used, and the real name to the end of the line (RFC 2812 §3.1.3).
            b"USER" => {
                let last = parameters.splitn(4, |byte| *byte == b' ').nth(3);
                if !last
                    .is_some_and(|last| last.starts_with(b":") || !last.is_empty() && !last.contains(&b' '))
                {
                    break;
                }
                bits += 16;
            }
            b"CAP" if lines::is_one_of(lines::word(parameters), &["LS", "REQ", "END"]) => bits += 24,
            b"PASS" | b"JOIN" | b"PONG" => {}
            _ => break,
        }
    }
    (bits, nick)
}

/// How many bits the server's first messages are worth.
fn server(bytes: &[u8]) -> u8 {
    let mut bits: u8 = 0;
    for Message { prefix, command, parameters } in lines::lines(bytes).take(6).map_while(message) {
        let number = command.iter().all(u8::is_ascii_digit);
        bits = bits.saturating_add(match (prefix, command) {
            // A number, whom it is for, and a text.
            (Some(_), _) if number && parameters.contains(&b' ') => 28,
            (_, b"NOTICE") if parameters.starts_with(b"* :") || parameters.starts_with(b"AUTH :") => 40,
            (Some(_), b"NOTICE" | b"CAP" | b"MODE" | b"JOIN" | b"PRIVMSG") if parameters.contains(&b' ') => {
                24
            }
            (None, b"PING") if parameters.starts_with(b":") => 14,
            (None, b"ERROR") if parameters.starts_with(b":Closing Link") => 40,
            _ => break,
        });
    }
    bits
}

fn look(talk: &Talk<'_>) -> Look {
    let ((asked, nick), answered) = (client(talk.client.bytes()), server(talk.server.bytes()));
    let (by, bits, rule) = match (asked >= 16, answered >= 14) {
        (true, true) => (By::Both, asked.saturating_add(answered), "messages of IRC from both sides"),
        (false, true) if answered >= 24 => (By::Server, answered, "messages of an IRC server"),
        (true, false) if asked >= 24 => (By::Client, asked, "client gives a name as in IRC"),
        _ if !talk.ended && (asked > 0 || answered > 0) => return Look::More,
        (true, false) if talk.server.is_empty() => (By::Client, 12, "client gives a nick name"),
        _ => return Look::No,
    };
    let claim = talk.claim(by, bits, rule);
    Look::Yes(match nick {
        Some(nick) => claim.with("user", nick),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn messages_of_both_sides() {
        let server =
            b":irc.example NOTICE * :*** Looking up your hostname...\r\n:irc.example 001 me :Welcome\r\n";
        let said = confirmed("irc", &tcp(b"CAP LS 302\r\nNICK me\r\nUSER me 0 * :Me\r\n", server));
        assert_eq!(said.detail("user"), Some("me"));
        confirmed("irc", &tcp(b"", server));
        confirmed("irc", &tcp(b"", b"NOTICE AUTH :*** Checking Ident\r\n"));
        attempt("irc", &tcp(b"NICK me\r\nUSER me 0 * :Me\r\n", b""));
        partial("irc", &tcp(b"NICK me\r\n", b""));
        nothing(&tcp(b"NICK 3rd\r\n", b""));
        nothing(&tcp(b"USER me\r\nPASS x\r\n", b""));
        nothing(&tcp(b"", b":smile\r\n"));
        nothing(&tcp(b"", b": 001\r\n"));
    }
}
