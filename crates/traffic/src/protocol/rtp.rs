//! RTP: version, one source, and numbers that go on over several packets of one side (RFC 3550 §5.1, Appendix A.1).
//!
//! Never by port, never by payload type: four packets in a row whose numbers rise by one are the evidence.

mod payload;

use model::{Protocol, Secrecy, Wandering};
use wire::rtp::{self, Packet};

use super::Recogniser;
use crate::recognise::{By, Look};
use crate::sign::Class::{Any, In, Mask};
use crate::sign::{Over, Side, Sign};
use crate::talk::{Said, Talk};

/// How RTP is recognised.
pub(super) static RECOGNISER: Recogniser = Recogniser {
    protocol: Protocol {
        name: "rtp",
        title: "RTP",
        reference: "RFC 3550",
        services: &["avt-profile-1"],
        wandering: Wandering::Often,
        secrecy: Secrecy::Cleartext,
    },
    signs: &[
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc0, 0x80), In(0, 0xbf), Any, Any]),
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc0, 0x80), In(0xe0, 0xff), Any, Any]),
        // RTCP of the same port may come first (RFC 5761).
        Sign::classes(Side::Either, Over::Datagram, &[Mask(0xc0, 0x80), In(200, 207), In(0, 1), Any]),
    ],
    look,
};

/// Packets of one side that must be in order.
const ENOUGH: usize = 4;
/// Packets of one side from which on nothing more is to be learnt.
const MANY: usize = 8;
/// Packets that are looked at.
const MOST: usize = 32;
/// Ticks between two packets: ten seconds of a 90 kHz clock, or more than 200 s of a telephone's.
const MOST_TICKS: u32 = 900_000;

/// The packets of a side, without its RTCP (RFC 5761 §4); `None` where one is neither.
fn packets<'a>(said: &Said<'a>) -> Option<Vec<Packet<'a>>> {
    let mut found = Vec::new();
    for piece in said.pieces().take(MOST) {
        if piece.get(1).is_some_and(|kind| (192..=223).contains(kind)) {
            continue;
        }
        let packet = rtp::parse(piece).ok()?;
        // A mirror of two ports shows each packet twice.
        let is_same = |before: &Packet<'_>| {
            (before.sequence, before.timestamp, before.payload)
                == (packet.sequence, packet.timestamp, packet.payload)
        };
        if !found.iter().rev().take(4).any(is_same) {
            found.push(packet);
        }
    }
    Some(found)
}

/// How many of these packets are out of order, where they are of one stream; one in eight may be lost or late.
fn disorders(packets: &[Packet<'_>]) -> Option<usize> {
    let first = packets.first()?;
    if packets.iter().any(|packet| packet.ssrc != first.ssrc || packet.payload.is_empty()) {
        return None;
    }
    let mut disorders = 0;
    for (before, after) in packets.iter().zip(packets.iter().skip(1)) {
        let step = after.sequence.wrapping_sub(before.sequence);
        let ticks = after.timestamp.wrapping_sub(before.timestamp);
        let near = step.wrapping_add(16) <= 48 && ticks.wrapping_add(MOST_TICKS) <= 2 * MOST_TICKS;
        if !near {
            return None;
        }
        disorders += usize::from(step != 1 || ticks > MOST_TICKS);
    }
    Some(disorders)
}

/// Puts packets that came in another order into their own, where there are many, and hardly one is missing in it.
fn put_in_order(side: &mut Option<Vec<Packet<'_>>>) {
    let Some(packets) = side.as_mut().filter(|packets| packets.len() >= MANY) else { return };
    let Some(first) = packets.first().map(|packet| packet.sequence) else { return };
    let place = |packet: &Packet<'_>| packet.sequence.wrapping_sub(first).wrapping_add(1 << 15);
    let mut ordered = packets.clone();
    ordered.sort_by_key(place);
    if disorders(&ordered).is_some_and(|disorders| disorders * 8 <= ordered.len()) {
        *packets = ordered;
    }
}

fn look(talk: &Talk<'_>) -> Look {
    let (mut client, mut server) = (packets(&talk.client), packets(&talk.server));
    put_in_order(&mut client);
    put_in_order(&mut server);
    let orderly = |side: &Option<Vec<Packet<'_>>>| {
        let packets = side.as_deref().unwrap_or_default();
        disorders(packets)
            .map(|disorders| (packets.len() >= ENOUGH && disorders * 8 <= packets.len(), packets.len()))
    };
    let (ours, theirs) = (orderly(&client), orderly(&server));
    let (by, packets) = match (ours, theirs) {
        (Some((true, _)), Some((true, _))) => (By::Both, server),
        (Some((true, _)), _) => (By::Sender, client),
        (_, Some((true, _))) => (By::Sender, server),
        _ => {
            let more = [ours, theirs].into_iter().flatten().any(|(_, count)| count < MANY);
            return if more && !talk.ended { Look::More } else { Look::No };
        }
    };
    let packets = packets.unwrap_or_default();
    let Some(first) = packets.first() else { return Look::No };
    let claim = talk
        .claim(by, 60, "version 2, one source, numbers in order over four packets")
        .showing("ssrc", format_args!("0x{:08x}", first.ssrc))
        .showing("payload_type", first.payload_type);
    // What the payload looks like is told better by more packets.
    let claim = if packets.len() < MANY && !talk.ended { claim.and_more() } else { claim };
    Look::Yes(match payload::payload(&packets) {
        Some(payload::Evidence::Told(name)) => claim.with("payload", name.as_bytes()),
        Some(payload::Evidence::LooksLike(name)) => claim.with("looks_like", name.as_bytes()),
        None => claim,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use crate::protocol::testing::{confirmed, not, nothing, udp};

    /// A stream of packets with these payloads.
    pub(crate) fn stream(kind: u8, ticks: u32, payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let (mut sequence, mut timestamp) = (0xfffe_u16, 0xffff_ff00_u32);
        for payload in payloads {
            let mut packet = vec![0x80, kind];
            packet.extend_from_slice(&sequence.to_be_bytes());
            packet.extend_from_slice(&timestamp.to_be_bytes());
            packet.extend_from_slice(&[0xca, 0xfe, 0, 1]);
            packet.extend_from_slice(payload);
            packets.push(packet);
            sequence = sequence.wrapping_add(1);
            timestamp = timestamp.wrapping_add(ticks);
        }
        packets
    }

    fn slices(packets: &[Vec<u8>]) -> Vec<&[u8]> {
        packets.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn four_in_order_are_a_stream_and_three_are_not() {
        let packets = stream(97, 960, &vec![vec![0x55; 288]; 6]);
        let all = slices(&packets);
        let said = confirmed("rtp", &udp(&all, &[]).talk());
        assert_eq!((said.detail("ssrc"), said.detail("payload_type")), (Some("0xcafe0001"), Some("97")));
        assert_eq!((said.detail("payload"), said.detail("looks_like")), (None, None));
        confirmed("rtp", &udp(&[b"\x00\x01"], &all).talk());
        nothing(&udp(&all[..3], &[]).talk());
        // One in six is late.
        nothing(&udp(&[all[0], all[2], all[1], all[3], all[4]], &[]).talk());
        // Of many, all may be late by a little, and all may have come twice.
        let many = stream(97, 960, &vec![vec![0x55; 288]; 8]);
        let swapped: Vec<&[u8]> = many.chunks(2).flat_map(|pair| [&pair[1][..], &pair[0][..]]).collect();
        confirmed("rtp", &udp(&swapped, &[]).talk());
        nothing(&udp(&swapped[..7], &[]).talk());
        let twice: Vec<&[u8]> = many.iter().take(4).flat_map(|packet| [&packet[..], &packet[..]]).collect();
        confirmed("rtp", &udp(&twice, &[]).talk());
        nothing(&udp(&twice[..6], &[]).talk());
        nothing(&udp(&[&many[0][..]; 8], &[]).talk());
        let many = stream(97, 960, &vec![vec![0x55; 288]; 20]);
        let mut many = slices(&many);
        many.remove(7);
        confirmed("rtp", &udp(&many, &[]).talk());
    }

    #[test]
    fn rtcp_may_stand_between() {
        let packets = stream(0, 160, &vec![vec![0xff; 160]; 5]);
        let mut all = slices(&packets);
        all.insert(0, b"\x80\xc9\x00\x01\xca\xfe\x00\x01");
        all.insert(3, b"\x80\xc9\x00\x01\xca\xfe\x00\x01");
        assert_eq!(confirmed("rtp", &udp(&all, &[]).talk()).detail("payload"), Some("PCMU"));
    }

    #[test]
    fn neighbours_that_count_elsewhere() {
        let many = |make: &dyn Fn(u8) -> Vec<u8>| (1..9).map(make).collect::<Vec<Vec<u8>>>();
        // ESP whose index begins with the same bits, SRT's keepalives, STUN, a short header of QUIC, TURN's channels.
        let tail = |number: u8| (0..60_u8).map(move |at| at.wrapping_mul(number.wrapping_mul(77)) ^ 0x3c);
        for packets in [
            many(&|number| {
                [0x80, 0x60, 0x12, 0x34, 0, 0, 0, number].into_iter().chain(tail(number)).collect()
            }),
            many(&|number| vec![0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, number, 0, 0, 0, 0, 9]),
            many(&|number| vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            many(&|number| [0x4b, number].into_iter().chain(tail(number)).collect()),
            many(&|number| [0x40, 0, 0, 60, 0x80, 0x60, 0, number].into_iter().chain(tail(number)).collect()),
        ] {
            not("rtp", &udp(&slices(&packets), &[]).talk());
        }
    }

    #[test]
    fn another_source_a_jump_and_another_version_are_something_else() {
        let packets = stream(97, 960, &vec![vec![0x55; 64]; 5]);
        for (packet, place, value) in [(2, 8, 1), (3, 2, 9), (1, 0, 0x40), (2, 4, 0x70), (4, 3, 0x90)] {
            let mut copy = packets.clone();
            copy[packet][place] = value;
            nothing(&udp(&slices(&copy), &[]).talk());
        }
        let empty = stream(97, 960, &vec![vec![]; 5]);
        nothing(&udp(&slices(&empty), &[]).talk());
    }
}
