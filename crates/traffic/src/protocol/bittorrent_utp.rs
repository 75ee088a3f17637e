//! BitTorrent, its transport over UDP: a header of version 1, and an answer that acknowledges it (BEP 29).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Class, Over, Side, Sign};
use crate::talk::Talk;
use wire::cursor::{array, be16};

/// How BitTorrent µTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bittorrent-utp",
        title: "BitTorrent µTP",
        reference: "BEP 29",
        services: &["bittorrent"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::classes(Side::Client, Over::Datagram, &[Class::Is(0x41), Class::In(0, 2)])],
    look,
};

/// Identity and number of the datagram that opens a connection (BEP 29).
fn opens(bytes: &[u8]) -> Option<(u16, u16)> {
    // A connection's first datagram acknowledges nothing, and has measured nothing.
    let nothing_yet = array::<4>(bytes, 8)? == [0; 4] && be16(bytes, 18)? == 0;
    let begins = matches!(bytes, [0x41, 0, ..]) && bytes.len() == 20
        || matches!(bytes, [0x41, 2, ..]) && bytes.len() == 30;
    (nothing_yet && begins).then(|| Some((be16(bytes, 2)?, be16(bytes, 16)?)))?
}

fn look(talk: &Talk<'_>) -> Look {
    let Some((identity, number)) = opens(talk.client.bytes()) else { return Look::No };
    let server = talk.server.bytes();
    let acknowledges = matches!(server, [0x21, 0..=2, ..])
        && be16(server, 2) == Some(identity)
        && be16(server, 18) == Some(number);
    if acknowledges {
        return Look::Yes(talk.claim(By::Both, 64, "a connection is opened and acknowledged"));
    }
    // One datagram of zeros and small numbers; without a window, as libtorrent sends it, it has too little to go by.
    let window = array::<4>(talk.client.bytes(), 12).is_some_and(|window| window != [0; 4]);
    match (talk.server.is_empty(), window) {
        (true, true) => Look::Yes(talk.claim(By::Client, 14, "a datagram that opens a connection")),
        (true, false) if !talk.ended => Look::More,
        _ => Look::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{confirmed, nothing, partial, udp};

    #[test]
    fn opened_and_acknowledged() {
        let ask = [0x41, 0, 0x12, 0x34, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0];
        let tell = [0x21, 0, 0x12, 0x34, 5, 6, 7, 8, 0, 0, 1, 1, 0, 0x10, 0, 0, 0x77, 0x77, 0, 1];
        confirmed("bittorrent-utp", &udp(&[&ask], &[&tell]).talk());
        partial("bittorrent-utp", &udp(&[&ask], &[]).talk());
        let mut other = tell;
        other[3] = 0x35;
        nothing(&udp(&[&ask], &[&other]).talk());
        nothing(&udp(&[&ask[..19]], &[]).talk());
        // Libtorrent's first datagram promises no window.
        let mut shut = ask;
        shut[12..16].fill(0);
        confirmed("bittorrent-utp", &udp(&[&shut], &[&tell]).talk());
        nothing(&udp(&[&shut], &[]).talk());
    }
}
