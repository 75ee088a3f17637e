//! ESP in UDP: one security association whose packets are numbered, and nothing else to read (RFC 3948 §2.1, RFC 4303 §2).

use model::{Protocol, Secrecy, Wandering};
use wire::few::Few;

use super::Recogniser;
use crate::fields::Reader;
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Is};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How ESP in UDP is recognised: by numbers that grow under one index, which others have too, so only in part.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "esp-udp",
        title: "ESP in UDP",
        reference: "RFC 3948",
        services: &["ipsec-nat-t"],
        wandering: Wandering::Seldom,
        secrecy: Secrecy::Encrypted,
    },
    // An index, and a number whose upper half is zero in the first 65,536 packets.
    signs: &[Sign::classes(
        Side::Either,
        Over::Datagram,
        &[Any, Any, Any, Any, Is(0), In(0, 0xff), Any, Any],
    )],
    look,
};

/// Packets of one side that must be in order.
const ENOUGH: usize = 4;

/// The index of a side whose packets are all of one association; `Err` is how many packets there are to judge by.
fn association(said: &Said<'_>) -> Result<u32, usize> {
    let mut packets = Few::default();
    for piece in said.pieces().take(32) {
        // A single byte keeps the address translation alive (RFC 3948 §2.3).
        if piece == [0xff] {
            continue;
        }
        let mut reader = Reader::new(piece);
        let (Ok(index), Ok(number)) = (reader.be32(), reader.be32()) else { return Err(usize::MAX) };
        // Initialisation vector, a block, integrity: everything is a multiple of four bytes (RFC 4303 §2.4).
        if index < 256 || number == 0 || piece.len() < 32 || !piece.len().is_multiple_of(4) {
            return Err(usize::MAX);
        }
        packets.push((index, number, reader.rest()));
    }
    let count = packets.len();
    let Some((index, ..)) = packets.first().copied() else { return Err(count) };
    for ((_, before, one), (same, after, other)) in packets.iter().zip(packets.iter().skip(1)) {
        // What is encrypted looks different each time, from its first bytes on.
        let alike = one.iter().zip(*other).take(16).filter(|(one, other)| one == other).count();
        if *same != index || *after != before.wrapping_add(1) || alike > 3 {
            // A counter as initialisation vector differs in its last bytes only; the text behind it differs.
            let later = one.iter().zip(*other).skip(8).take(16).filter(|(one, other)| one == other).count();
            if *same != index || *after != before.wrapping_add(1) || later > 3 {
                return Err(usize::MAX);
            }
        }
    }
    if count >= ENOUGH { Ok(index) } else { Err(count) }
}

fn look(talk: &Talk<'_>) -> Look {
    let (client, server) = (association(&talk.client), association(&talk.server));
    let (by, index) = match (client, server) {
        (Ok(_), Ok(index)) => (By::Both, index),
        (Ok(index), Err(count)) | (Err(count), Ok(index)) if count < usize::MAX => (By::Sender, index),
        (Err(one), Err(other))
            if one < usize::MAX && other < usize::MAX && one + other > 0 && !talk.ended =>
        {
            return Look::More;
        }
        _ => return Look::No,
    };
    let claim = talk.claim(by, 12, "one index, and packets numbered in order");
    Look::Yes(claim.showing("spi", format_args!("0x{index:08x}")))
}

#[cfg(test)]
mod tests {
    use crate::protocol::testing::{nothing, partial, udp};

    fn packets(count: u32) -> Vec<Vec<u8>> {
        let mut state = 0x1234_5678_u32;
        (1..=count)
            .map(|number| {
                let mut bytes = [&[0xc0, 0xff, 0xee, 1][..], &number.to_be_bytes()].concat();
                for _ in 0..20 {
                    state ^= state << 13;
                    state ^= state >> 17;
                    state ^= state << 5;
                    bytes.extend_from_slice(&state.to_be_bytes());
                }
                bytes
            })
            .collect()
    }

    #[test]
    fn four_in_order_are_likely_an_association() {
        let packets = packets(5);
        let slices: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        let said = partial("esp-udp", &udp(&slices, &[b"\xff"]).talk());
        assert_eq!(said.detail("spi"), Some("0xc0ffee01"));
        nothing(&udp(&slices[..3], &[]).talk());
        nothing(&udp(&[slices[0], slices[1], slices[3], slices[4]], &[]).talk());
        // Numbers, but the same words each time.
        let plain: Vec<Vec<u8>> = slices.iter().map(|piece| [&piece[..8], &[7; 40]].concat()).collect();
        nothing(&udp(&plain.iter().map(Vec::as_slice).collect::<Vec<_>>(), &[]).talk());
    }
}
