//! NNTP: a reply 200 or 201, and the verbs of news (RFC 3977 §5.1).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How NNTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "nntp",
        title: "NNTP",
        reference: "RFC 3977",
        services: &["nntp", "nnsp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"200 "),
        Sign::text(Side::Server, Over::Stream, b"201 "),
        Sign::text(Side::Server, Over::Stream, b"400 "),
        Sign::text(Side::Server, Over::Stream, b"502 "),
        Sign::word(Side::Client, Over::Stream, b"MODE REA"),
        Sign::word(Side::Client, Over::Stream, b"CAPABILI"),
        Sign::word(Side::Client, Over::Stream, b"AUTHINFO"),
    ],
    look,
};

/// Verbs of news that a client begins with.
fn asks(bytes: &[u8]) -> bool {
    let Some(line) = lines::lines(bytes).next() else { return false };
    let (verb, rest) = lines::verb(line);
    match verb.to_ascii_uppercase().as_slice() {
        b"CAPABILITIES" => true,
        b"MODE" => lines::is_one_of(rest, &["READER", "STREAM"]),
        b"AUTHINFO" => lines::is_one_of(lines::word(rest), &["USER", "PASS", "SASL", "GENERIC"]),
        b"GROUP" | b"LISTGROUP" => rest.contains(&b'.'),
        b"ARTICLE" | b"STAT" | b"IHAVE" | b"CHECK" | b"TAKETHIS" => {
            rest.starts_with(b"<") && rest.ends_with(b">")
        }
        b"XOVER" | b"XHDR" | b"NEWGROUPS" | b"NEWNEWS" => !rest.is_empty(),
        _ => false,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    let greeting = lines::lines(server)
        .next()
        .and_then(lines::reply)
        .filter(|(code, more, _)| matches!(code, 200 | 201 | 400 | 502) && !more);
    let asks = asks(client);
    let Some((code, _, banner)) = greeting else {
        let open = server.len() >= 4
            && lines::in_first_line(server)
            && server.first().is_some_and(u8::is_ascii_digit);
        return match (open && !talk.ended, asks) {
            (true, _) => Look::More,
            (false, true) => Look::Yes(talk.claim(By::Client, 40, "client uses verbs of news")),
            (false, false) => Look::No,
        };
    };
    let words = ["nntp", "nnrp", "innd", "usenet", "internetnews", "posting", "news server"];
    let named = words.iter().any(|word| lines::mentions(banner, word));
    let (by, bits, rule) = match (asks, named, code) {
        (true, ..) => (By::Both, 64, "reply 200 or 201, and a client with verbs of news"),
        (false, true, _) => (By::Server, 48, "reply of a server that names news"),
        (false, false, 200 | 201) if client.is_empty() && !talk.ended => return Look::More,
        _ => return Look::No,
    };
    Look::Yes(talk.claim(by, bits, rule).with("banner", banner))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp};

    #[test]
    fn greetings_and_verbs() {
        let banner = b"200 news.example InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n";
        confirmed("nntp", &tcp(b"MODE READER\r\n", banner));
        confirmed("nntp", &tcp(b"", banner));
        confirmed("nntp", &tcp(b"GROUP comp.lang.rust\r\n", b"201 hello\r\n"));
        attempt("nntp", &tcp(b"CAPABILITIES\r\n", b""));
        nothing(&tcp(b"", b"200 hello\r\n"));
        nothing(&tcp(b"GROUP 7\r\n", b"200 ok\r\n"));
    }
}
