//! SAP: a short header, then a session in SDP (RFC 2974 §6).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How SAP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "sap",
        title: "SAP",
        reference: "RFC 2974",
        services: &["sapv1"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Class::Mask(0xc3, 0)])],
    look,
};

/// Whether it deletes a session, and what it says of it; `None` where it is no announcement.
fn announcement<'a>(said: &Said<'a>) -> Option<(bool, &'a [u8])> {
    let ([flags, authentication, hash @ ..], rest) = said.bytes().split_first_chunk::<4>()?;
    // Version 0 or 1, neither encrypted nor compressed; the origin is of four bytes or sixteen.
    if flags & 0xc3 != 0 || *hash == [0, 0] && flags & 0x20 != 0 {
        return None;
    }
    let origin = if flags & 0x10 == 0 { 4 } else { 16 };
    let rest = rest.get(origin + 4 * usize::from(*authentication)..)?;
    let payload = match rest.strip_prefix(b"application/sdp\0") {
        Some(payload) => payload,
        None => rest,
    };
    let deletes = flags & 0x04 != 0;
    // Who deletes may say only the origin.
    let is = super::sdp::describe(payload).is_some()
        || said.missing() > 0 && payload.starts_with(b"v=0\r\no=")
        || deletes && rest.len() > payload.len() && payload.starts_with(b"o=");
    is.then_some((deletes, payload))
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (announcement(&talk.client), announcement(&talk.server));
    let Some(by) = By::of(client.is_some(), server.is_some()) else { return Look::No };
    let mut claim = talk.claim(by, 96, "a header of SAP, and a session in SDP");
    if let Some((deletes, payload)) = server.or(client) {
        claim = claim.with("message", if deletes { b"deletion" } else { b"announcement" });
        if let Some((name, media)) = super::sdp::describe(payload) {
            claim = claim.with("session", name);
            if let Some(media) = media {
                claim = claim.with("media", media);
            }
        }
    }
    Look::Yes(claim)
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, nothing, snapped, udp};

    const SESSION: &[u8] =
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Camera 1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n";

    #[test]
    fn announcements_and_deletions() {
        let header = [0x20, 0, 0x12, 0x34, 192, 0, 2, 1];
        let typed = [&header[..], b"application/sdp\0", SESSION].concat();
        assert_eq!(attempt("sap", &udp(&[&typed], &[]).talk()).detail("session"), Some("Camera 1"));
        attempt("sap", &udp(&[&[&header[..], SESSION].concat()], &[]).talk());
        attempt("sap", &snapped(54, &[&typed], &[]).talk());
        nothing(&snapped(28, &[&typed], &[]).talk());
        let mut deletion = typed.clone();
        deletion[0] = 0x24;
        assert_eq!(attempt("sap", &udp(&[&deletion], &[]).talk()).detail("message"), Some("deletion"));
        let six = [&[0x30, 0, 1, 2][..], &[0; 16], SESSION].concat();
        attempt("sap", &udp(&[&six], &[]).talk());
        let mut encrypted = typed.clone();
        encrypted[0] = 0x22;
        nothing(&udp(&[&encrypted], &[]).talk());
        nothing(&udp(&[&[&header[..], b"text/plain\0hello"].concat()], &[]).talk());
    }
}
