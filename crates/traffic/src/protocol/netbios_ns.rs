//! NetBIOS names: messages of DNS whose names are half-bytes in letters (RFC 1002 §4.2).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::names::{self, Naming};
use crate::recognise::Look;
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How NetBIOS Name Service is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "netbios-ns",
        title: "NetBIOS Name Service",
        reference: "RFC 1002",
        services: &["netbios-ns"],
        wandering: Wandering::Never,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Datagram,
        &[
            Class::Any,
            Class::Any,
            Class::Any,
            Class::Any,
            Class::Is(0),
            Class::In(0, 1),
            Class::Is(0),
            Class::In(0, 1),
        ],
    )],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    names::look(
        talk,
        Naming::NetBios,
        [
            "a NetBIOS query, and a response with its identity",
            "server sends a NetBIOS response",
            "client sends a NetBIOS message",
        ],
    )
}

#[cfg(test)]
mod tests {
    use crate::names::tests::question;
    use crate::protocol::testing::{attempt, confirmed, udp};

    const NAME: &[u8] = b"\x20FHEPFCELFDFEEBFEEJEPEOCACACACAAA\x00";

    #[test]
    fn queries_registrations_and_responses() {
        let ask = question(7, 0x0110, NAME, 32, 1);
        let said = attempt("netbios-ns", &udp(&[&ask], &[]).talk());
        assert_eq!((said.detail("query"), said.detail("suffix")), (Some("WORKSTATION"), Some("0x00")));
        let mut tell = [&[0, 7, 0x85, 0, 0, 0, 0, 1, 0, 0, 0, 0][..], NAME].concat();
        tell.extend_from_slice(&[0, 32, 0, 1, 0, 0, 1, 0, 0, 6, 0, 0, 192, 0, 2, 1]);
        confirmed("netbios-ns", &udp(&[&ask], &[&tell]).talk());
        confirmed("netbios-ns", &udp(&[], &[&tell]).talk());
        let mut broken = ask.clone();
        broken[14] = b'Z';
        attempt("dns", &udp(&[&question(7, 0x0110, NAME, 1, 3)], &[]).talk());
        assert!(crate::recognise(&udp(&[&broken], &[]).talk()).found.is_none());
    }
}
