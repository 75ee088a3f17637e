//! RIST, simple profile: RTCP in which an application's packet is named RIST (VSF TR-06-1 §5.3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use super::rtcp::reports;
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How RIST is recognised: only by its own control packets, for its media is ordinary RTP.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rist",
        title: "RIST",
        reference: "VSF TR-06-1",
        services: &[],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc0, 0x80), In(200, 207), In(0, 1), Any])],
    look,
};

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (reports(&talk.client), reports(&talk.server));
    let named = [&client, &server]
        .into_iter()
        .flatten()
        .any(|reports| reports.application.is_some_and(|name| name == *b"RIST"));
    if !named {
        return Look::No;
    }
    let by = if client.is_some() && server.is_some() { By::Both } else { By::Sender };
    Look::Yes(talk.claim(by, 140, "RTCP with an application's packet named RIST"))
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::tests::compound;
    use crate::protocol::testing::{confirmed, udp};

    #[test]
    fn the_name_decides() {
        let request =
            [&b"\x80\xc9\x00\x01\x00\x00\x00\x09\x80\xcc\x00\x03\x00\x00\x00\x01RIST\x00\x05\x00\x00"[..]]
                .concat();
        confirmed("rist", &udp(&[&compound()], &[&request]).talk());
        let other =
            [&b"\x80\xc9\x00\x01\x00\x00\x00\x09\x80\xcc\x00\x03\x00\x00\x00\x01abcd\x00\x05\x00\x00"[..]]
                .concat();
        confirmed("rtcp", &udp(&[&compound()], &[&other]).talk());
    }
}
