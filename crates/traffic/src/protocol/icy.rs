//! SHOUTcast: an audio server that answers HTTP requests with `ICY 200 OK`.

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SHOUTcast is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "icy",
        title: "SHOUTcast",
        reference: "SHOUTcast streaming standard",
        services: &["shoutcast"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::text(Side::Server, Over::Stream, b"ICY ")],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    let said = talk.server.bytes();
    let mut lines = lines::lines(said);
    let Some(first) = lines.next() else {
        let open = said.starts_with(b"ICY ") && lines::in_first_line(said) && !talk.ended;
        return if open { Look::More } else { Look::No };
    };
    let Some((status @ 100..=599, false, _)) = first.strip_prefix(b"ICY ").and_then(lines::reply) else {
        return Look::No;
    };
    let mut claim = talk.claim(By::Server, 56, "server answers ICY and a status");
    claim = claim.showing("status", status);
    for line in lines {
        if let Some(name) = line.strip_prefix(b"icy-name:") {
            claim = claim.with("station", name.trim_ascii());
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, tcp};

    #[test]
    fn an_answer_with_a_status() {
        let request = b"GET /stream HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n";
        let said = confirmed("icy", &tcp(request, b"ICY 200 OK\r\nicy-name:Harbour Radio\r\n\r\n"));
        assert_eq!(said.detail("station"), Some("Harbour Radio"));
        assert_eq!(said.attempt.map(|protocol| protocol.name), Some("http"));
        nothing(&tcp(b"", b"ICY weather today\r\n"));
    }
}
