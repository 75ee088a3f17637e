//! LLMNR: messages of DNS that ask for one label and never for recursion (RFC 4795 §2.1).
//!
//! From the bytes alone it may be a query of DNS by a resolver that asks for one label: it is never more than partial.

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::names::{self, Naming};
use crate::recognise::Look;
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How LLMNR is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "llmnr",
        title: "LLMNR",
        reference: "RFC 4795",
        services: &["llmnr"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(
        Side::Either,
        Over::Datagram,
        &[Class::Any, Class::Any, Class::Mask(0x79, 0), Class::Mask(0xf0, 0), Class::Is(0), Class::Is(1)],
    )],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    names::look(
        talk,
        Naming::LinkLocal,
        [
            "a query for one label without recursion, and its response",
            "a response for one label without recursion",
            "a query for one label without recursion",
        ],
    )
}

#[cfg(test)]
mod tests {
    use crate::names::tests::{answer, question};
    use crate::protocol::testing::{attempt, partial, udp};

    #[test]
    fn one_label_without_recursion() {
        let ask = question(7, 0, b"\x07printer\x00", 1, 1);
        let said = partial("llmnr", &udp(&[&ask], &[]).talk());
        assert_eq!(said.detail("query"), Some("printer"));
        partial("llmnr", &udp(&[&ask], &[&answer(7, 0x8000, b"\x07printer\x00", 1, 1)]).talk());
        attempt("dns", &udp(&[&question(7, 0x0100, b"\x07printer\x00", 1, 1)], &[]).talk());
    }
}
