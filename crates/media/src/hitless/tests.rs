//! Two legs with known losses and paths, and a recording of a real pair.

#![expect(clippy::cast_possible_truncation, reason = "the numbers are small and our own")]

use std::collections::BTreeSet;

use model::media::reception::{PathClass, Protection};
use model::{Timestamp, Utc};
use wire::capture::Step;
use wire::rtp;

use super::*;

const BEGIN: i64 = 1_800_000_000_000_000_000;

/// Number, when, on which leg, with this content.
fn packet(number: u64, at_ns: i64, payload: &[u8]) -> Packet<'_> {
    Packet {
        time: Some(Timestamp::<Utc>::from_ns(at_ns)),
        frame: number,
        udp_bytes: 1228,
        rtp: rtp::Packet {
            marker: false,
            payload_type: 96,
            sequence: (number % 65_536) as u16,
            timestamp: (number / 8) as u32,
            ssrc: 7,
            sources: 0,
            extension: None,
            payload,
            padding_bytes: 0,
        },
    }
}

/// Both legs in the order of time; `distance` between packets, `path` of the second behind the first.
fn merge(count: u64, distance: i64, path: i64, lost: impl Fn(usize, u64) -> bool) -> Hitless {
    let mut sent: Vec<(i64, usize, u64)> = Vec::new();
    for number in 0..count {
        let at = BEGIN + number as i64 * distance;
        sent.push((at, 0, number));
        sent.push((at + path, 1, number));
    }
    sent.sort_unstable();
    let mut hitless = Hitless::new(2);
    for (at, leg, number) in sent {
        if !lost(leg, number) {
            hitless.handle(leg, &packet(number + 65_000, at, &number.to_be_bytes()));
        }
    }
    hitless
}

#[test]
fn what_one_leg_lost_the_other_had() {
    let lost = |leg: usize, number: u64| match leg {
        0 => number % 100 == 7 || (5000..5010).contains(&number),
        _ => number % 50 == 9 || (5005..5008).contains(&number),
    };
    let hitless = merge(200_000, 10_000, 30_000, lost);
    let facts = hitless.facts();
    let lost_by = |leg: usize| (0..200_000).filter(|it| lost(leg, *it)).count() as u64;
    let both = (0..200_000).filter(|it| lost(0, *it) && lost(1, *it)).count() as u64;
    assert_eq!(both, 4);
    assert_eq!((facts.missing, facts.union), (both, 200_000 - both));
    assert_eq!([facts.legs[0].lost, facts.legs[1].lost], [lost_by(0) - both, lost_by(1) - both]);
    assert_eq!([facts.legs[0].only_here, facts.legs[1].only_here], [lost_by(1) - both, lost_by(0) - both]);
    assert_eq!(
        [facts.legs[0].received, facts.legs[1].received],
        [200_000 - lost_by(0), 200_000 - lost_by(1)]
    );
    assert_eq!((facts.identical, facts.different), (facts.common, 0));
    assert_eq!((facts.path_difference_ns.least, facts.path_difference_ns.greatest), (30_000, 30_000));
    assert_eq!((facts.class, facts.protection), (Some(PathClass::D), Protection::Protected));
    assert_eq!(facts.first_missing.unwrap().sequence, ((65_000 + 5008) % 65_536) as u16);
    let faults = hitless.faults();
    assert_eq!((faults.len(), faults[0].rule.name, faults[0].count), (1, "missing-on-all-legs", 4));
}

#[test]
fn paths_far_apart_at_a_high_rate_are_matched_over_the_wrap() {
    // 270,000 packets a second wrap after 243 ms; the second leg is 150 ms behind, more than half a turn.
    for (path, class) in
        [(149_000_000, Some(PathClass::C)), (-40_000_000, Some(PathClass::B)), (160_000_000, None)]
    {
        let facts = merge(200_000, 3700, path, |_, _| false).facts();
        assert_eq!((facts.union, facts.common, facts.identical), (200_000, 200_000, 200_000), "{path}");
        assert_eq!((facts.missing, facts.class, facts.resets), (0, class, 0));
        assert_eq!(facts.path_difference_ns.mean(), Some(path));
        assert_eq!(facts.legs[usize::from(path > 0)].first_here, 0);
    }
}

#[test]
fn a_leg_that_goes_and_comes_is_told() {
    let gone = |leg: usize, number: u64| leg == 1 && (3000..8000).contains(&number);
    let hitless = merge(12_000, 1_000_000, 10, gone);
    let facts = hitless.facts();
    assert_eq!((facts.protection, facts.protection_changes), (Protection::Protected, 2));
    assert_eq!((facts.legs[1].lost, facts.legs[0].only_here, facts.missing), (5000, 5000, 0));
    assert_eq!(hitless.faults()[0].rule.name, "leg-silent");
    let gone = |leg: usize, number: u64| leg == 1 && number > 3000;
    let facts = merge(12_000, 1_000_000, 10, gone).facts();
    assert_eq!((facts.protection, facts.legs[1].lost), (Protection::Degraded, 0));
    let facts = merge(100, 1_000_000, 10, |leg, _| leg == 1).facts();
    assert_eq!((facts.protection, facts.common, facts.class), (Protection::Single, 0, None));
}

#[test]
fn packets_that_differ_are_told() {
    let mut hitless = Hitless::new(2);
    for number in 0..100 {
        hitless.handle(0, &packet(number, BEGIN, b"the same content, longer than one block of it"));
        let other = number == 50;
        let content: &[u8] = if other {
            b"the same content, longer than one block of It"
        } else {
            b"the same content, longer than one block of it"
        };
        let mut twin = packet(number, BEGIN, content);
        twin.rtp.marker = number == 60;
        hitless.handle(1, &twin);
        hitless.handle(1, &twin);
    }
    let facts = hitless.facts();
    assert_eq!((facts.identical, facts.different, facts.common, facts.legs[1].duplicates), (98, 2, 100, 100));
    assert_eq!(facts.first_difference.unwrap().sequence, 50);
}

#[test]
fn a_row_that_begins_anew_is_followed_on_both_legs() {
    let mut hitless = Hitless::new(2);
    for number in (0..5000).chain(30_000..35_000) {
        hitless.handle(0, &packet(number, BEGIN + number as i64 * 1000, b"x"));
        hitless.handle(1, &packet(number, BEGIN + number as i64 * 1000 + 50, b"x"));
    }
    let facts = hitless.facts();
    assert_eq!((facts.resets, facts.different), (1, 0));
    assert!(facts.common >= 9998, "{facts:?}");
}

#[test]
fn wild_numbers_are_survived_within_bounds() {
    let mut seed = 5_u64;
    let mut hitless = Hitless::new(3);
    for _ in 0..100_000_u32 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = seed >> 30;
        let mut packet = packet(bits % 65_536, (bits as i64) << 8, &[]);
        packet.rtp.timestamp = (bits % 5) as u32;
        packet.time = packet.time.filter(|_| !bits.is_multiple_of(7));
        hitless.handle((bits % 4) as usize, &packet);
    }
    assert!(hitless.slots.len() <= MOST_SLOTS);
    let facts = hitless.facts();
    assert!(facts.common <= facts.union);
}

#[test]
fn a_merger_gives_each_packet_once_and_in_order() {
    let mut merger = Merger::new(MergePlan { hold_ns: 1_000_000, most_packets: 512 });
    let bytes = |number: u64| {
        let mut bytes = vec![0x80, 96];
        bytes.extend_from_slice(&((number % 65_536) as u16).to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]);
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes
    };
    let lost = |leg: usize, number: u64| number % 10 == leg as u64 || number == 70_000;
    let mut got = Vec::new();
    let mut sent: Vec<(i64, usize, u64)> = Vec::new();
    for number in 65_000..75_000 {
        let at = number as i64 * 10_000;
        sent.extend([(at, 0, number), (at + 400_000, 1, number)]);
    }
    sent.sort_unstable();
    for (at, leg, number) in sent {
        let now = Timestamp::from_ns(at);
        if !lost(leg, number) {
            merger.push(now, &bytes(number));
        }
        while let Some(packet) = merger.poll(now) {
            got.push(u64::from_be_bytes(*packet.last_chunk().unwrap()));
        }
    }
    assert!(merger.deadline().is_none());
    let all: Vec<u64> = (65_001..75_000).filter(|it| *it != 70_000).collect();
    // The very first came only on the second leg, when its turn was over.
    let wrong = got.iter().zip(&all).find(|(got, wanted)| got != wanted);
    assert_eq!((got.len(), wrong), (all.len(), None));
    assert_eq!((merger.counts().missing, merger.counts().late), (1, 1));
    assert_eq!(merger.push(Timestamp::from_ns(0), b"no"), Pushed::Unreadable);
    // Far away the row begins anew, once nothing waits.
    let now = Timestamp::from_ns(0);
    assert_eq!(merger.push(now, &bytes(30_000)), Pushed::New);
    assert_eq!(merger.push(now, &bytes(60_000)), Pushed::Refused);
    assert_eq!(merger.push(now, &bytes(30_000)), Pushed::Known);
    assert!(merger.poll(now).is_some());
    assert_eq!(merger.push(now, &bytes(60_000)), Pushed::New);
    assert_eq!(merger.counts().refused, 1);
}

/// Two legs of the same audio, told apart by their destination.
#[test]
fn a_real_pair() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/pcap/st2022-7/ST2022-7-Audio.pcap");
    let Ok(file) = std::fs::read(path) else {
        println!("SKIPPED: {path} is not there");
        return;
    };
    let mut hitless = Hitless::new(2);
    let mut legs = Vec::new();
    let mut frames = 0;
    let mut sequences = BTreeSet::new();
    let mut capture = wire::capture::Reader::new();
    loop {
        let at = usize::try_from(capture.position()).unwrap();
        let frame = match capture.read(&file[at..], true).unwrap() {
            Step::Frame { frame, .. } => frame,
            Step::End => break,
            _ => continue,
        };
        frames += 1;
        let Ok(wire::packet::Decoded::Packet(packet)) = wire::packet::decode(&frame) else { continue };
        let leg = legs.iter().position(|leg| *leg == packet.destination).unwrap_or_else(|| {
            legs.push(packet.destination);
            legs.len() - 1
        });
        let rtp = rtp::parse(packet.payload).unwrap();
        sequences.insert((rtp.timestamp, rtp.sequence));
        let udp_bytes = u16::try_from(packet.payload.len() + 8).unwrap();
        hitless.handle(leg, &Packet { time: frame.time, frame: frames, udp_bytes, rtp });
    }
    let facts = hitless.facts();
    assert_eq!(facts.legs.iter().map(|leg| leg.received).collect::<Vec<_>>(), [16_000, 16_000]);
    assert_eq!((facts.union, facts.common, facts.identical, facts.different), (16_001, 15_999, 15_999, 0));
    assert_eq!(facts.union, sequences.len() as u64);
    assert_eq!((facts.missing, facts.legs[0].lost, facts.legs[1].lost), (0, 0, 0));
    let path = facts.path_difference_ns;
    assert!(path.least >= -52 && path.greatest <= 52, "{path:?}");
    assert_eq!((facts.class, facts.protection), (Some(PathClass::D), Protection::Protected));
}
