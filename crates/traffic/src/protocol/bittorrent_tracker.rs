//! BitTorrent, its tracker over UDP: a magic number, and an answer with the same identity (BEP 15).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::{Over, Side, Sign};
use crate::talk::Talk;

/// How BitTorrent UDP tracker is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "bittorrent-tracker",
        title: "BitTorrent UDP tracker",
        reference: "BEP 15",
        services: &["bittorrent"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[Sign::text(Side::Client, Over::Datagram, b"\x00\x00\x04\x17\x27\x10\x19\x80")],
    look,
};

const MAGIC: &[u8] = b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00";

fn look(talk: &Talk<'_>) -> Look {
    let Some(identity) = talk.client.bytes().strip_prefix(MAGIC).and_then(<[u8]>::first_chunk::<4>) else {
        return Look::No;
    };
    let answers = match talk.server.bytes().split_first_chunk::<8>() {
        Some((head, rest)) => {
            let action =
                head.starts_with(&[0, 0, 0, 0]) && rest.len() >= 8 || head.starts_with(&[0, 0, 0, 3]);
            action && head.ends_with(identity)
        }
        None => false,
    };
    let by = if answers { By::Both } else { By::Client };
    Look::Yes(talk.claim(by, 96, "the magic number of the tracker"))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    #[test]
    fn a_connection_and_its_answer() {
        let ask = b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00abcd";
        confirmed("bittorrent-tracker", &udp(&[ask], &[b"\x00\x00\x00\x00abcd12345678"]).talk());
        attempt("bittorrent-tracker", &udp(&[ask], &[b"\x00\x00\x00\x00abce12345678"]).talk());
        attempt("bittorrent-tracker", &udp(&[ask], &[]).talk());
        nothing(&udp(&[b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x09abcd"], &[]).talk());
    }
}
