//! WireGuard: handshakes of exact size whose indices are repeated, and numbered data (WireGuard whitepaper §5.4).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, hear_pair, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How WireGuard is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "wireguard",
        title: "WireGuard",
        reference: "WireGuard whitepaper",
        services: &[],
        wandering: Wandering::Often,
        secrecy: Secrecy::Encrypted,
    },
    signs: &[Sign::classes(Side::Either, Over::Datagram, &[In(1, 4), Is(0), Is(0), Is(0)])],
    look,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Initiation { sender: u32 },
    Response { receiver: u32 },
    Cookie { receiver: u32 },
    Data { receiver: u32, counter: u64 },
}

fn message(mut reader: Reader<'_>) -> Part<Message> {
    let whole = reader.left();
    let kind = reader.u8()?;
    reader.is(&[0, 0, 0])?;
    let index = reader.le32()?;
    match (kind, whole) {
        (1, 148) => Ok(Message::Initiation { sender: index }),
        (2, 92) => Ok(Message::Response { receiver: reader.le32()? }),
        (3, 64) => Ok(Message::Cookie { receiver: index }),
        // A packet is padded to 16 bytes; none at all keeps the peer alive.
        (4, 32..) if whole.is_multiple_of(16) => {
            Ok(Message::Data { receiver: index, counter: reader.le64()? })
        }
        _ => Err(Not::Other),
    }
}

/// Whether all of a side is data to one peer, numbered in order, three packets at least.
fn numbered(said: &Said<'_>) -> bool {
    let mut before = None;
    let mut chained = 0;
    for piece in said.pieces().take(16) {
        let Ok(Message::Data { receiver, counter }) = message(Reader::new(piece)) else { return false };
        if let Some((peer, last)) = before {
            if receiver != peer || counter.wrapping_sub(last).wrapping_add(64) > 128 {
                return false;
            }
            chained += usize::from(counter == last.wrapping_add(1));
        }
        before = Some((receiver, counter));
    }
    chained >= 2
}

fn look(talk: &Talk<'_>) -> Look {
    let pairs = |asked: &Message, said: &Message| match (asked, said) {
        (Message::Initiation { sender }, Message::Response { receiver } | Message::Cookie { receiver }) => {
            sender == receiver
        }
        _ => false,
    };
    let (client, server) = hear_pair(talk, message, message, pairs);
    match (&client, &server) {
        (Ok(asked), Ok(said)) if pairs(asked, said) => {
            Look::Yes(talk.claim(By::Both, 104, "handshake, and a response to its index"))
        }
        (Ok(Message::Initiation { .. }), Err(Not::Silent)) => {
            Look::Yes(talk.claim(By::Client, 44, "client begins with a handshake of 148 bytes"))
        }
        (Ok(_), Ok(_)) if numbered(&talk.client) || numbered(&talk.server) => {
            Look::Yes(talk.claim(By::Both, 48, "data of both sides, numbered in order"))
        }
        (Ok(Message::Data { .. }), Err(Not::Silent)) if numbered(&talk.client) => {
            Look::Yes(talk.claim(By::Sender, 40, "data to one peer, numbered in order"))
        }
        (Ok(_), _) if !talk.ended => Look::More,
        _ => otherwise(talk, &client, &server),
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    fn sized(head: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = head.to_vec();
        bytes.resize(size, 0x77);
        bytes
    }

    #[test]
    fn handshakes_and_data() {
        let ask = sized(&[1, 0, 0, 0, 9, 8, 7, 6], 148);
        confirmed("wireguard", &udp(&[&ask], &[&sized(&[2, 0, 0, 0, 1, 2, 3, 4, 9, 8, 7, 6], 92)]).talk());
        confirmed("wireguard", &udp(&[&ask], &[&sized(&[3, 0, 0, 0, 9, 8, 7, 6], 64)]).talk());
        attempt("wireguard", &udp(&[&ask], &[]).talk());
        nothing(&udp(&[&ask], &[&sized(&[2, 0, 0, 0, 1, 2, 3, 4, 9, 8, 7, 7], 92)]).talk());
        nothing(&udp(&[&ask[..147]], &[]).talk());
        let data = |number| sized(&[4, 0, 0, 0, 5, 5, 5, 5, number, 0, 0, 0, 0, 0, 0, 0], 96);
        confirmed("wireguard", &udp(&[&data(7), &data(8), &data(9)], &[]).talk());
        nothing(&udp(&[&data(7), &data(8)], &[]).talk());
        nothing(&udp(&[&data(7), &data(90), &data(9)], &[]).talk());
    }
}
