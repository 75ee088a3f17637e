//! mDNS: messages of DNS without identity, of names on the link (RFC 6762 §18).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::names::{self, Naming};
use crate::recognise::Look;
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How mDNS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "mdns",
        title: "mDNS",
        reference: "RFC 6762",
        services: &["mdns", "mdnsresponder"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Datagram,
        &[Class::Is(0), Class::Is(0), Class::Mask(0x79, 0), Class::Is(0)],
    )],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    names::look(
        talk,
        Naming::Multicast,
        [
            "both sides send multicast queries or answers",
            "server sends a multicast answer",
            "a multicast query or answer",
        ],
    )
}

#[cfg(test)]
mod tests {
    use crate::names::tests::{answer, question};
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    const NAME: &[u8] = b"\x04_ipp\x04_tcp\x05local\x00";

    #[test]
    fn queries_and_answers() {
        let said = attempt("mdns", &udp(&[&question(0, 0, NAME, 12, 1)], &[]).talk());
        assert_eq!((said.detail("query"), said.detail("type")), (Some("_ipp._tcp.local"), Some("PTR")));
        let tell = answer(0, 0x8400, NAME, 12, 1);
        attempt("mdns", &udp(&[&tell], &[]).talk());
        confirmed("mdns", &udp(&[&question(0, 0, NAME, 12, 0x8001)], &[&tell]).talk());
        nothing(&udp(&[&question(0, 0x0800, NAME, 12, 1)], &[]).talk());
    }
}
