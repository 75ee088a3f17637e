//! SRT: its handshake, or data and control packets that belong together (draft-sharabayko-srt §3).

use model::{Protocol, Secrecy, Wandering};

use super::Recogniser;
use crate::fields::{Not, Part, Reader, as_captured, hear, must, otherwise};
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How SRT is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "srt",
        title: "SRT",
        reference: "draft-sharabayko-srt",
        services: &[],
        wandering: Wandering::Often,
        secrecy: Secrecy::Optional,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Is(0x80), In(0, 8), Is(0), Is(0)]),
        // Data: a number of 31 bits, and a whole message in one packet.
        Sign::classes(
            Side::Either,
            Over::Datagram,
            &[Mask(0x80, 0), Any, Any, Any, Mask(0xc0, 0xc0), Any, Any, Any],
        ),
    ],
    look,
};

struct Handshake {
    version: u32,
    socket: u32,
    destination: u32,
}

fn handshake(mut reader: Reader<'_>) -> Part<Handshake> {
    reader.is(&[0x80, 0, 0, 0, 0, 0, 0, 0])?;
    reader.be32()?;
    let destination = reader.be32()?;
    let version = reader.be32()?;
    let (encryption, extension) = (reader.be16()?, reader.be16()?);
    reader.be32()?;
    let (most_bytes, window, kind) = (reader.be32()?, reader.be32()?, reader.be32()?);
    let socket = reader.be32()?;
    reader.be32()?;
    must((version == 4 && extension == 2) || version == 5)?;
    must(encryption <= 4 && (64..=65_536).contains(&most_bytes) && window > 0 && socket != 0)?;
    // Wave a hand, induction, conclusion, agreement, done, or a reason for refusal (§3.2.1).
    must(matches!(kind, 0 | 1 | 0xffff_fffd..=0xffff_ffff | 1000..=1020))?;
    must(extension == 2 || extension == 0x4a17 || extension < 8)?;
    as_captured(extensions(reader))?;
    Ok(Handshake { version, socket, destination })
}

/// Behind the peer's address, extensions lie one behind the other (§3.2.1).
fn extensions(mut reader: Reader<'_>) -> Part<()> {
    let _peer: [u8; 16] = reader.array()?;
    while reader.left() > 0 {
        let (name, words) = (reader.be16()?, reader.be16()?);
        must((1..=9).contains(&name))?;
        reader.take(usize::from(words) * 4)?;
    }
    Ok(())
}

/// Whether a side sends data to one socket, packet by packet, each a whole message; gives the socket.
fn data(said: &Said<'_>) -> Option<u32> {
    let mut before: Option<(u32, u32, u32, u32)> = None;
    let mut chained = 0;
    for piece in said.pieces().take(32) {
        let mut reader = Reader::new(piece);
        let mut words = [0; 4];
        for word in &mut words {
            *word = reader.be32().ok()?;
        }
        let [number, flags, time, socket] = words;
        if number >> 31 == 1 {
            // Control packets may stand between: ten kinds, and one for extensions (§3.2).
            match (number & 0x7fff_ffff) >> 16 {
                0..=9 | 0x7fff => continue,
                _ => return None,
            }
        }
        if flags >> 30 != 3 || reader.left() == 0 || socket == 0 {
            return None;
        }
        let message = flags & 0x03ff_ffff;
        if let Some((last, last_message, last_time, last_socket)) = before {
            // One that is sent again has an old number and says so.
            if flags >> 26 & 1 == 1 {
                continue;
            }
            let step = number.wrapping_sub(last);
            if socket != last_socket || step == 0 || step > 64 || message != last_message.wrapping_add(step) {
                return None;
            }
            if time.wrapping_sub(last_time) > 60_000_000 {
                return None;
            }
            chained += usize::from(step == 1);
        }
        before = Some((number, message, time, socket));
    }
    before.filter(|_| chained >= 3).map(|(.., socket)| socket)
}

/// Whether a side has sent fewer packets than are needed, and each is a whole message.
fn few(said: &Said<'_>) -> bool {
    let whole = |piece: &[u8]| {
        let mut reader = Reader::new(piece);
        matches!((reader.be32(), reader.be32()), (Ok(number), Ok(flags)) if number >> 31 == 0 && flags >> 30 == 3)
    };
    (1..4).contains(&said.pieces().count()) && said.pieces().all(whole)
}

fn look(talk: &Talk<'_>) -> Look {
    let client = hear(talk, &talk.client, handshake);
    let server = hear(talk, &talk.server, handshake);
    // Only an answer knows to which socket it goes (§3.2.1): where the first that was seen does, it is the server's.
    let is_sent_to = |part: &Part<Handshake>| part.as_ref().is_ok_and(|said| said.destination != 0);
    if is_sent_to(&client) && !is_sent_to(&server) {
        return Look::No;
    }
    let (version, claim) = match (&client, &server) {
        // An answer goes to the socket that asked.
        (Ok(asked), Ok(said)) if said.destination == asked.socket || said.destination == 0 => {
            (said.version, talk.claim(By::Both, 112, "handshake and its answer"))
        }
        (Ok(asked), Err(Not::Silent)) => {
            (asked.version, talk.claim(By::Client, 96, "client begins with a handshake"))
        }
        (Err(Not::Silent), Ok(said)) if said.destination != 0 => {
            (said.version, talk.claim(By::Server, 96, "server answers a handshake"))
        }
        (Err(_), Err(_)) if data(&talk.client).or(data(&talk.server)).is_some() => {
            let claim = talk.claim(By::Sender, 90, "data packets to one socket, numbered in order");
            return Look::Yes(claim);
        }
        // Too few data packets to judge by.
        (Err(_), Err(_)) if !talk.ended && (few(&talk.client) || few(&talk.server)) => return Look::More,
        _ => return otherwise(talk, &client, &server),
    };
    let version = if version == 4 { "4 (UDT)" } else { "5" };
    Look::Yes(claim.with("handshake_version", version.as_bytes()))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{attempt, confirmed, nothing, udp};

    fn handshake(destination: u8, version: u8, extension: [u8; 2], kind: [u8; 4], socket: u8) -> Vec<u8> {
        let mut bytes = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, destination];
        bytes.extend_from_slice(&[0, 0, 0, version, 0, 0]);
        bytes.extend_from_slice(&extension);
        bytes.extend_from_slice(&[0x12, 0x34, 0x56, 0x78, 0, 0, 5, 0xdc, 0, 0, 0x20, 0]);
        bytes.extend_from_slice(&kind);
        bytes.extend_from_slice(&[0, 0, 0, socket, 0xab, 0xcd, 0xef, 1]);
        bytes.extend_from_slice(&[0; 16]);
        bytes
    }

    fn packet(number: u8, flags: u8) -> Vec<u8> {
        [&[0, 0, 0x10, number, flags, 0, 0, number, 0, 0, number, 0, 0, 0, 0, 9][..], &[0x47; 188]].concat()
    }

    #[test]
    fn handshakes() {
        let ask = handshake(0, 4, [0, 2], [0, 0, 0, 1], 7);
        let say = handshake(7, 5, [0x4a, 0x17], [0, 0, 0, 1], 0x20);
        let said = confirmed("srt", &udp(&[&ask], &[&say]).talk());
        assert_eq!(said.detail("handshake_version"), Some("5"));
        attempt("srt", &udp(&[&ask], &[]).talk());
        // Who answers serves, whoever was seen first.
        nothing(&udp(&[&say], &[&ask]).talk());
        nothing(&udp(&[&say], &[]).talk());
        confirmed("srt", &udp(&[], &[&say]).talk());
        nothing(&udp(&[&ask], &[&handshake(8, 5, [0x4a, 0x17], [0, 0, 0, 1], 0x20)]).talk());
        nothing(&udp(&[&handshake(0, 6, [0, 2], [0, 0, 0, 1], 7)], &[]).talk());
        nothing(&udp(&[&[&ask[..], &[0, 1, 0, 9, 0]].concat()], &[]).talk());
    }

    #[test]
    fn data_in_the_middle_is_srt_and_never_rtp() {
        let packets: Vec<Vec<u8>> = (1..6).map(|number| packet(number, 0xe0)).collect();
        let slices: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        confirmed("srt", &udp(&slices, &[]).talk());
        nothing(&udp(&slices[..3], &[]).talk());
        nothing(&udp(&[slices[0], slices[3], slices[1], slices[2]], &[]).talk());
        let loose: Vec<Vec<u8>> = (1..6).map(|number| packet(number, 0x60)).collect();
        nothing(&udp(&loose.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[]).talk());
    }
}
