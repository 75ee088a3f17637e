//! SDP by itself: a description of a session, line by line in its order (RFC 8866 §5).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::lines;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How SDP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "sdp",
        title: "SDP",
        reference: "RFC 8866",
        services: &[],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::text(Side::Either, Over::Any, b"v=0\r\no="),
        Sign::text(Side::Either, Over::Any, b"v=0\no="),
    ],
    look,
};

/// Name and first media of a description; `None` where it is none.
pub(super) fn describe(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut lines = lines::lines(bytes);
    let version = lines.next()? == b"v=0";
    // User, identity, version, network, kind and address (RFC 8866 §5.2).
    let origin = lines.next()?.strip_prefix(b"o=")?;
    let six = origin.split(|byte| *byte == b' ').filter(|part| !part.is_empty()).count() >= 6;
    let name = lines.next()?.strip_prefix(b"s=")?;
    let mut media = None;
    for line in lines {
        match line {
            [letter, b'=', rest @ ..] if letter.is_ascii_lowercase() => {
                if *letter == b'm' && media.is_none() {
                    media = Some(rest);
                }
            }
            [] => break,
            _ => return None,
        }
    }
    (version && six).then_some((name, media))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (describe(talk.client.bytes()), describe(talk.server.bytes()));
    let Some(by) = By::of(client.is_some(), server.is_some()) else {
        let open = [talk.client.bytes(), talk.server.bytes()]
            .iter()
            .any(|bytes| bytes.starts_with(b"v=0") && lines::lines(bytes).count() < 3);
        return if open && !talk.ended && !talk.is_datagrams() { Look::More } else { Look::No };
    };
    let mut claim = talk.claim(by, 72, "a description of a session");
    if let Some((name, media)) = server.or(client) {
        claim = claim.with("session", name);
        if let Some(media) = media {
            claim = claim.with("media", media);
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, tcp, udp};

    const SESSION: &[u8] =
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Camera 1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n";

    #[test]
    fn lines_in_their_order() {
        let said = attempt("sdp", &udp(&[SESSION], &[]).talk());
        assert_eq!(
            (said.detail("session"), said.detail("media")),
            (Some("Camera 1"), Some("video 5004 RTP/AVP 96"))
        );
        confirmed("sdp", &tcp(b"", SESSION));
        nothing(&udp(&[b"v=0\r\no=- 1 IN\r\ns=x\r\n"], &[]).talk());
        nothing(&udp(&[b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\n"], &[]).talk());
        nothing(&udp(&[b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=x\r\nhello\r\n"], &[]).talk());
    }
}
