//! DNS: messages that are consistent to their last byte, in datagrams or behind their length (RFC 1035 §4).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::names::{self, Naming};
use crate::recognise::Look;
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;

/// How DNS is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "dns",
        title: "DNS",
        reference: "RFC 1035",
        services: &["domain"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[Class::Any, Class::Any, Class::Any, Class::Mask(0x40, 0), Class::Is(0), Class::In(0, 1)],
        ),
        Sign::classes(
            Side::Either,
            Over::Stream,
            &[
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Any,
                Class::Mask(0x40, 0),
                Class::Is(0),
                Class::In(0, 1),
            ],
        ),
    ],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    names::look(
        talk,
        Naming::Dns,
        [
            "a query, and a response with its identity",
            "server sends a consistent response",
            "client sends a consistent query",
        ],
    )
}

#[cfg(test)]
mod tests {
    use crate::names::tests::{answer, question};
    use crate::protocol::testing::{attempt, confirmed, nothing, partial, snapped, tcp, udp};

    const NAME: &[u8] = b"\x01a\x07example\x00";

    fn framed(message: &[u8]) -> Vec<u8> {
        [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
    }

    #[test]
    fn queries_and_responses_over_both_kinds() {
        let (ask, tell) = (question(7, 0x0100, NAME, 1, 1), answer(7, 0x8180, NAME, 1, 1));
        let said = confirmed("dns", &udp(&[&ask], &[&tell]).talk());
        assert_eq!((said.detail("query"), said.detail("type")), (Some("a.example"), Some("A")));
        assert_eq!(said.detail("outcome"), Some("NOERROR"));
        confirmed("dns", &tcp(&framed(&ask), &framed(&tell)));
        confirmed("dns", &udp(&[], &[&tell]).talk());
        attempt("dns", &udp(&[&ask], &[]).talk());
        // Who answers serves, whoever was seen first.
        nothing(&udp(&[&tell], &[]).talk());
        nothing(&udp(&[&tell], &[&ask]).talk());
        attempt("dns", &tcp(&framed(&ask), b""));
    }

    #[test]
    fn a_response_must_answer_what_was_asked() {
        let ask = question(7, 0x0100, NAME, 1, 1);
        attempt("dns", &udp(&[&ask], &[&answer(8, 0x8180, NAME, 1, 1)]).talk());
        attempt("dns", &udp(&[&ask], &[b"\x00\x07hello"]).talk());
    }

    #[test]
    fn answers_over_a_stream_come_in_any_order() {
        let asked =
            [framed(&question(7, 0x0100, NAME, 1, 1)), framed(&question(8, 0x0100, NAME, 28, 1))].concat();
        confirmed("dns", &tcp(&asked, &framed(&answer(8, 0x8180, NAME, 28, 1))));
        attempt("dns", &tcp(&asked, &framed(&answer(9, 0x8180, NAME, 28, 1))));
    }

    #[test]
    fn a_long_transfer_and_an_error_without_a_question() {
        let transfer = question(7, 0, NAME, 252, 1);
        let mut tell = answer(7, 0x8400, NAME, 252, 1);
        tell[7] = 200;
        let begun = [&[0x60, 0][..], &tell].concat();
        confirmed("dns", &tcp(&framed(&transfer), &begun));
        partial("dns", &udp(&[], &[&[0, 7, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]]).talk());
    }

    #[test]
    fn what_a_snap_length_left() {
        let (ask, tell) = (question(7, 0x0100, NAME, 1, 1), answer(7, 0x8180, NAME, 1, 1));
        confirmed("dns", &snapped(ask.len(), &[&ask], &[&tell]).talk());
        confirmed("dns", &snapped(ask.len() + 3, &[], &[&tell]).talk());
        nothing(&snapped(ask.len() - 1, &[], &[&tell]).talk());
    }

    #[test]
    fn neighbours_are_not_dns() {
        let mut longer = question(7, 0x0100, NAME, 1, 1);
        longer.push(0);
        nothing(&udp(&[&longer], &[]).talk());
        nothing(&udp(&[&[0; 12]], &[&[0; 12]]).talk());
        nothing(&udp(&[&[0; 48]], &[]).talk());
    }
}
