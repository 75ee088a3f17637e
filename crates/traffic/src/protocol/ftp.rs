//! FTP, its control connection: a reply 220, then the verbs of files; data connections by what it agrees, as `ftp-data` (RFC 959 §4).

pub(crate) mod control;

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How FTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "ftp",
        title: "FTP",
        reference: "RFC 959",
        services: &["ftp"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::CleartextCredentials,
    },
    signs: &[
        Sign::text(Side::Server, Over::Stream, b"220"),
        Sign::text(Side::Server, Over::Stream, b"421 "),
        Sign::text(Side::Server, Over::Stream, b"500 "),
        Sign::text(Side::Server, Over::Stream, b"530 "),
        // In the middle of a connection.
        Sign::text(Side::Server, Over::Stream, b"227 Ente"),
        Sign::text(Side::Server, Over::Stream, b"229 Ente"),
        Sign::word(Side::Client, Over::Stream, b"USER "),
        Sign::word(Side::Client, Over::Stream, b"AUTH "),
        Sign::word(Side::Client, Over::Stream, b"FEAT\r"),
        Sign::word(Side::Client, Over::Stream, b"OPTS UTF"),
    ],
    look,
};

/// Verbs that no other protocol of lines has.
const OWN: &[&str] =
    &["PASV", "EPSV", "PORT", "EPRT", "SYST", "FEAT", "OPTS", "CWD", "PWD", "MLSD", "PBSZ", "PROT", "CLNT"];

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (talk.client.bytes(), talk.server.bytes());
    let mut asked = lines::lines(client).map(lines::verb);
    let first = asked.next();
    let own = lines::lines(client).any(|line| lines::is_one_of(lines::verb(line).0, OWN));
    let user = first.is_some_and(|(verb, name)| verb.eq_ignore_ascii_case(b"USER") && !name.is_empty());
    let secures = first.is_some_and(|(verb, how)| {
        verb.eq_ignore_ascii_case(b"AUTH") && lines::is_one_of(how, &["TLS", "SSL", "TLS-C", "TLS-P"])
    });
    let begins = user || secures || first.is_some_and(|(verb, _)| lines::is_one_of(verb, OWN));
    let Some((code, _, banner)) = lines::lines(server).next().and_then(lines::reply) else {
        let open = !server.is_empty()
            && lines::in_first_line(server)
            && server.first().is_some_and(u8::is_ascii_digit);
        return match (open && !talk.ended, begins && own, server.is_empty()) {
            (true, ..) => Look::More,
            (_, true, _) => Look::Yes(talk.claim(By::Client, 32, "client uses verbs of FTP")),
            // POP3 has USER, too.
            (_, false, true) if secures => {
                Look::Yes(talk.claim(By::Client, 32, "client asks FTP to turn to TLS"))
            }
            _ => Look::No,
        };
    };
    if enters_passive_mode(server) {
        return Look::Yes(talk.claim(By::Server, 72, "reply that enters passive mode"));
    }
    // Banners have a first line and then lines of any text, until the number comes again with a space.
    let replies = || lines::lines(server).filter_map(lines::reply).filter(|(_, more, _)| !more);
    let named = lines::mentions(banner, "ftp") && !lines::mentions(banner, "smtp")
        || lines::mentions(banner, "filezilla")
        || lines::lines(server).take(24).any(|line| line.starts_with(b"220") && lines::mentions(line, "ftp"));
    let answers = replies().any(|(code, ..)| matches!(code, 331 | 230 | 234 | 530 | 332));
    let (by, bits, rule) = match (code, begins) {
        (220 | 421 | 530, true) if named || answers => {
            (By::Both, 72, "reply 220, and a client with verbs of FTP")
        }
        (220, true) if own => (By::Both, 48, "reply 220, and a client with verbs of FTP"),
        (220 | 421 | 500 | 530, _) if named => (By::Server, 48, "reply of a server that names FTP"),
        (220, _) if client.is_empty() && !talk.ended => return Look::More,
        (220, true) => (By::Server, 14, "reply 220, and a client that gives a name"),
        (220, false)
            if !super::smtp::is_domain(lines::word(banner))
                && !lines::mentions(banner, "smtp")
                && client.is_empty() =>
        {
            (By::Server, 10, "reply 220 without a domain")
        }
        _ => return Look::No,
    };
    let mut claim = talk.claim(by, bits, rule).with("banner", banner);
    for line in lines::lines(client) {
        let (verb, name) = lines::verb(line);
        if verb.eq_ignore_ascii_case(b"USER") && !claim.details.iter().any(|detail| detail.name == "user") {
            claim = claim.with("user", name);
        }
        if verb.eq_ignore_ascii_case(b"AUTH") {
            claim = claim.with("starttls", b"asked");
        }
    }
    Look::Yes(claim)
}

/// Whether a server's first line names the port of a data connection: nothing else says that in these words.
fn enters_passive_mode(server: &[u8]) -> bool {
    lines::lines(server).next().and_then(lines::reply).is_some_and(|(code, more, text)| {
        let named = match code {
            227 => control::passive(text),
            229 => control::extended_passive(text),
            _ => None,
        };
        !more && named.is_some()
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, tcp};

    #[test]
    fn banners_names_and_verbs() {
        let said = confirmed(
            "ftp",
            &tcp(
                b"USER anonymous\r\nPASS x\r\n",
                b"220 (vsFTPd 3.0.5)\r\n331 Please specify the password.\r\n",
            ),
        );
        assert_eq!((said.detail("user"), said.detail("banner")), (Some("anonymous"), Some("(vsFTPd 3.0.5)")));
        confirmed("ftp", &tcp(b"", b"220---------- Welcome to Pure-FTPd ----------\r\n"));
        confirmed("ftp", &tcp(b"AUTH TLS\r\n", b"220 ready\r\n234 AUTH TLS OK.\r\n"));
        confirmed("ftp", &tcp(b"", b"500 OOPS: vsftpd: refusing to run\r\n"));
        confirmed("ftp", &tcp(b"", b"220-FileZilla Server 1.8\r\n220 hello\r\n"));
        attempt("ftp", &tcp(b"USER me\r\nPASS x\r\nSYST\r\n", b""));
        partial("ftp", &tcp(b"", b"220 ready\r\n"));
    }

    #[test]
    fn neighbours_are_not_ftp() {
        nothing(&tcp(b"USER me\r\nPASS x\r\n", b""));
        confirmed("smtp", &tcp(b"", b"220 ftp.example ESMTP\r\n"));
        confirmed("pop3", &tcp(b"USER me\r\n", b"+OK ready\r\n+OK\r\n"));
    }

    #[test]
    fn a_port_for_data_in_the_middle_of_a_connection() {
        confirmed("ftp", &tcp(b"", b"227 Entering Passive Mode (10,0,0,9,4,1).\r\n"));
        confirmed("ftp", &tcp(b"EPSV\r\n", b"229 Entering Extended Passive Mode (|||6446|)\r\n150 ok\r\n"));
        nothing(&tcp(b"", b"229 Entering Extended Passive Mode (none)\r\n"));
        nothing(&tcp(b"", b"227 Entering the harbour\r\n"));
    }
}
