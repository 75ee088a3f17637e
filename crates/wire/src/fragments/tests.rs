//! Pieces in and out of order, twice, overlapping, forged, late, and too many.

use std::vec;
use std::vec::Vec;

use model::Timestamp;

use super::check::piece;
use super::*;
use crate::made;
use crate::packet::{Decoded, decode, decode_whole};
use crate::{Fault, LinkType};

fn at(ns: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(ns)
}

fn fresh() -> Reassembler {
    Reassembler::new(Limits::default())
}

#[test]
fn pieces_in_any_order_make_the_whole() {
    let whole: Vec<u8> = (0..=99).collect();
    let parts = [(0, true, 0..40), (40, true, 40..80), (80, false, 80..100)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for version in [Version::V4, Version::V6] {
            let mut reassembler = fresh();
            let mut results = Vec::new();
            for index in order {
                let (offset, more, range) = parts[index].clone();
                results.push(reassembler.handle(&piece(version, 7, offset, more, &whole[range]), at(0)));
            }
            assert_eq!(results[..2], [None, None]);
            assert_eq!(results[2].as_ref().unwrap().payload, whole);
            assert_eq!((reassembler.waiting(), reassembler.used_bytes()), (0, 0));
        }
    }
}

#[test]
fn of_ipv4_what_came_first_stays_and_of_ipv6_nothing() {
    let mut reassembler = fresh();
    for version in [Version::V4, Version::V6] {
        assert_eq!(reassembler.handle(&piece(version, 1, 8, true, &[1; 16]), at(0)), None);
        assert_eq!(reassembler.handle(&piece(version, 1, 0, true, &[2; 16]), at(0)), None);
        assert_eq!(reassembler.counts().overlaps, 1 + u64::from(version == Version::V6));
        let last = reassembler.handle(&piece(version, 1, 24, false, &[3; 4]), at(0));
        match version {
            Version::V4 => {
                assert_eq!(last.unwrap().payload, [&[2; 8][..], &[1; 16], &[3; 4]].concat());
            }
            Version::V6 => assert_eq!(last, None),
        }
    }
    // The rest of a packet that was given up is thrown away until it is forgotten.
    assert_eq!(reassembler.counts().discarded, 1);
    assert_eq!(reassembler.waiting(), 1);
    reassembler.expire(at(60_000_000_001));
    assert_eq!((reassembler.waiting(), reassembler.counts().timed_out), (0, 0));
}

#[test]
fn a_piece_that_comes_twice_is_no_overlap() {
    let mut reassembler = fresh();
    let first = piece(Version::V6, 1, 0, true, &[1; 8]);
    assert_eq!(reassembler.handle(&first, at(0)), None);
    assert_eq!(reassembler.handle(&first, at(0)), None);
    assert!(reassembler.handle(&piece(Version::V6, 1, 8, false, &[2; 3]), at(0)).is_some());
    assert_eq!((reassembler.counts().duplicates, reassembler.counts().overlaps), (1, 0));
}

#[test]
fn pieces_that_no_packet_has_are_refused() {
    let mut reassembler = fresh();
    for (offset, more, length) in
        [(0, true, 7), (0, false, 0), (8, true, 0), (65_528, false, 8), (65_528, true, 8)]
    {
        assert_eq!(reassembler.handle(&piece(Version::V4, 1, offset, more, &vec![0; length]), at(0)), None);
    }
    assert_eq!(reassembler.counts().malformed, 5);
    let mut snapped = piece(Version::V4, 1, 0, true, &[0; 8]);
    snapped.fragment.as_mut().unwrap().wire_bytes = 16;
    assert_eq!(reassembler.handle(&snapped, at(0)), None);
    assert_eq!((reassembler.counts().snapped, reassembler.waiting()), (1, 0));
    // The end is where the first last piece put it.
    assert_eq!(reassembler.handle(&piece(Version::V4, 2, 16, false, &[0; 8]), at(0)), None);
    assert_eq!(reassembler.handle(&piece(Version::V4, 2, 24, false, &[0; 8]), at(0)), None);
    assert_eq!(reassembler.handle(&piece(Version::V4, 2, 24, true, &[0; 8]), at(0)), None);
    assert_eq!(reassembler.counts().overlaps, 2);
    assert_eq!(
        reassembler.handle(&piece(Version::V4, 2, 0, true, &[0; 16]), at(0)).unwrap().payload.len(),
        24
    );
}

#[test]
fn what_waits_is_bounded_by_number_bytes_and_time() {
    let limits = Limits { most_packets: 10, most_bytes: 100_000, timeout_ns: 1000 };
    let mut reassembler = Reassembler::new(limits);
    for id in 0..1000 {
        assert_eq!(reassembler.handle(&piece(Version::V4, id, 0, true, &[0; 800]), at(0)), None);
        assert!(reassembler.waiting() <= 10);
    }
    assert_eq!(reassembler.counts().evicted, 990);
    for offset in 0..8000_u16 {
        let one = piece(Version::V4, 5000, offset * 8, true, &[0; 8]);
        assert_eq!(reassembler.handle(&one, at(1)), None);
        assert!(reassembler.used_bytes() <= 100_000);
    }
    reassembler.expire(at(1002));
    assert_eq!((reassembler.waiting(), reassembler.used_bytes()), (0, 0));
}

#[test]
fn a_datagram_in_pieces_is_read_from_its_frames() -> Result<(), Fault> {
    let datagram = made::udp(5004, 420, &[9; 100]);
    let (head, tail) = datagram.split_at(48);
    let fragment = |next: u8, offset_and_more: u16, data: &[u8]| {
        let [high, low] = offset_and_more.to_be_bytes();
        made::ipv6(44, &made::join(&[&[next, 0, high, low, 0, 0, 0, 1], data]))
    };
    // Destination options behind the Fragment header belong to the whole.
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let files: [[Vec<u8>; 2]; 3] = [
        [made::ipv4_piece(17, 1, 0x2000, head), made::ipv4_piece(17, 1, 6, tail)],
        [fragment(17, 1, head), fragment(17, 48, tail)],
        [fragment(60, 1, &made::join(&[&options, head])), fragment(60, 56, tail)],
    ];
    for [first, second] in &files {
        let mut reassembler = fresh();
        let frames = [first, second].map(|bytes| made::frame(LinkType::RAW, bytes));
        let Decoded::Packet(piece) = decode(&frames[0])? else { panic!("not a packet") };
        assert_eq!((piece.source_port, piece.destination_port), (5004, 420));
        assert!(piece.fragment.unwrap().more);
        assert_eq!(reassembler.handle(&piece, at(0)), None);
        let Decoded::Packet(last) = decode(&frames[1])? else { panic!("not a packet") };
        assert_eq!((last.source_port, last.payload), (0, tail));
        let whole = reassembler.handle(&last, at(0)).unwrap();
        let Decoded::Packet(packet) = decode_whole(&last, &whole)? else { panic!("not a packet") };
        assert_eq!((packet.source_port, packet.destination_port), (5004, 420));
        assert_eq!((packet.payload, packet.fragment), (&[9; 100][..], None));
        assert_eq!(packet.source, piece.source);
    }
    Ok(())
}

#[test]
fn many_scripts_of_pieces_are_survived() {
    let mut seed = 5_u64;
    for round in 0..1000_usize {
        let mut script = Vec::new();
        for _ in 0..round % 200 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [_, _, _, how, place, length, fill, _] = seed.to_le_bytes();
            let length = if how & 2 == 0 { (length & 3) * 8 } else { length & 31 };
            script.extend([how & 0x71, place & 15, length]);
            script.extend(vec![fill; usize::from(length)]);
        }
        check(&script);
    }
}
