//! NetBIOS datagrams: a header with the sender, then two names in letters (RFC 1002 §4.4).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::{Said, Talk};
use wire::dns;

/// How NetBIOS Datagram Service is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "netbios-dgm",
        title: "NetBIOS Datagram Service",
        reference: "RFC 1002",
        services: &["netbios-dgm"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Class::In(0x10, 0x16), Class::In(0, 0x0f)])],
    look,
};

/// A name of 32 letters in one label, and what follows.
pub(super) fn name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let ([0x20, letters @ ..], mut rest) = bytes.split_first_chunk::<33>()? else { return None };
    let (name, _) = dns::netbios_name(letters)?;
    // The scope, in labels, up to an empty one.
    while let [length @ 1..=63, more @ ..] = rest {
        rest = more.get(usize::from(*length)..)?;
    }
    Some((name, rest.strip_prefix(&[0])?))
}

/// Sender and receiver.
fn names(said: &Said<'_>) -> Option<(String, String)> {
    let (header, rest) = said.bytes().split_first_chunk::<10>()?;
    match header {
        // Its length is of what follows, also where it is a part of more (RFC 1002 §4.4.2).
        [0x10..=0x12, ..] => {
            let ([high, low, _, _], rest) = rest.split_first_chunk::<4>()?;
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (from, after) = name(rest)?;
            let to = match name(after) {
                // Whoever captured it may have cut the receiver away.
                None if said.missing() > 0 => String::new(),
                to => to?.0,
            };
            (length == rest.len() + said.missing()).then_some((from, to))
        }
        // A question whether a name is here, and its answers.
        [0x14..=0x16, ..] => {
            let (to, rest) = name(rest)?;
            rest.is_empty().then(|| (String::new(), to))
        }
        _ => None,
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (names(&talk.client), names(&talk.server));
    let Some(by) = By::of(client.is_some(), server.is_some()) else { return Look::No };
    let claim = talk.claim(by, 200, "a header of a NetBIOS datagram, and its names");
    Look::Yes(match client.or(server) {
        Some((from, to)) => claim.with("from", from.as_bytes()).with("to", to.as_bytes()),
        None => claim,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, nothing, udp};

    const FROM: &[u8] = b"\x20FHEPFCELFDFEEBFEEJEPEOCACACACAAA\x00";
    const TO: &[u8] = b"\x20FHEPFCELEHFCEPFFFACACACACACACABN\x00";

    #[test]
    fn two_names_and_a_length() {
        let body = [FROM, TO, b"\xffSMB%"].concat();
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        let datagram = [&[0x11, 2, 0, 1, 192, 0, 2, 1, 0, 138][..], &length, &[0, 0], &body].concat();
        let said = attempt("netbios-dgm", &udp(&[&datagram], &[]).talk());
        assert_eq!((said.detail("from"), said.detail("to")), (Some("WORKSTATION"), Some("WORKGROUP")));
        let mut longer = datagram.clone();
        longer.push(0);
        nothing(&udp(&[&longer], &[]).talk());
        let mut other = datagram;
        other[20] = b'q';
        nothing(&udp(&[&other], &[]).talk());
    }
}
