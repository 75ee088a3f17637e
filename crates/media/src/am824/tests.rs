//! AES3 subframes measured: streams made here.

#![expect(clippy::cast_possible_truncation, reason = "the numbers are our own")]

use model::media::audio::ChannelMode;
use wire::rtp;

use super::*;

/// A payload of so many frames from a frame number on, with one signal.
fn payload(from: u64, frames: u64, status: &[u8; 24], sample: impl Fn(u64, bool) -> i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in from..from + frames {
        let place = usize::try_from(frame % 192).unwrap();
        let bit = status[place / 8] >> (place % 8) & 1 != 0;
        for first in [true, false] {
            let it = Subframe::new(sample(frame, first), first && place == 0, first, bit, false, false);
            bytes.extend_from_slice(&it.0.to_be_bytes());
        }
    }
    bytes
}

fn feed(measure: &mut Measure, tally: &mut Tally, payload: &[u8], follows: bool) {
    let rtp = rtp::Packet {
        marker: false,
        payload_type: 97,
        sequence: 0,
        timestamp: 0,
        ssrc: 0,
        sources: 0,
        extension: None,
        payload,
        padding_bytes: 0,
    };
    measure.handle(&Packet { time: None, frame: 1, udp_bytes: 0, rtp }, follows, tally);
}

#[test]
fn a_subframe_is_what_it_was_made_of() {
    let it = Subframe::new(-1 << 8, true, true, true, false, true);
    assert!(it.is_block_start() && it.is_first() && it.status() && !it.user() && it.is_invalid());
    assert!(it.is_parity_even() && it.is_reserved_clear());
    assert_eq!((it.0, it.sample()), (0x35ff_ffff, -1 << 8));
    assert!(!Subframe(it.0 ^ 1).is_parity_even());
    assert!(Subframe::new(0x100, false, false, false, false, false).0 == 0x0800_0001);
}

#[test]
fn a_whole_stream_has_its_status() {
    let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
    let status = status::made(48_000, true);
    for k in 0..100 {
        // It begins in the middle of a block.
        feed(&mut measure, &mut tally, &payload(100 + k * 6, 6, &status, |n, _| (n as i32) << 12), k > 0);
    }
    let facts = measure.facts();
    assert!(tally.faults().is_empty(), "{tally:?}");
    assert_eq!((facts.subframes, facts.block_faults, facts.unmeasured_channels), (1200, 0, 0));
    let signal = facts.signals.first().unwrap();
    assert_eq!((signal.blocks, signal.status_changes, signal.bursts), (2, 0, 0));
    let said = signal.status[1].as_ref().unwrap();
    assert_eq!((said.bytes, said.check, said.mode), (status, Some(true), ChannelMode::Stereo));
}

#[test]
fn each_rule_can_ring() {
    let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
    let mut status = status::made(48_000, true);
    status[23] ^= 1;
    let whole = payload(0, 193, &status, |_, _| 0);
    feed(&mut measure, &mut tally, &whole, true);
    assert_eq!(tally.count(&CHECK), 2);
    let mut short = payload(191, 2, &status, |_, _| 0);
    short[3] ^= 1;
    short[4] ^= 0x80;
    feed(&mut measure, &mut tally, &short, true);
    assert_eq!((tally.count(&PARITY), tally.count(&RESERVED), tally.count(&BLOCK)), (1, 1, 1));
    short.rotate_left(4);
    feed(&mut measure, &mut tally, &short, true);
    assert_eq!(tally.count(&FRAME), 4);
    let (mut odd, mut other) = (Measure::new(3, 48_000), Tally::default());
    feed(&mut odd, &mut other, &[0; 24], true);
    assert_eq!((other.count(&PAIRS), odd.facts().unmeasured_channels), (1, 1));
}

#[test]
fn a_block_counts_once_it_is_whole_and_its_rate_is_that_of_the_sound() {
    let run = |status: &[u8; 24]| {
        let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
        for k in 0..16 {
            feed(&mut measure, &mut tally, &payload(k * 48, 48, status, |_, _| 0), k > 0);
        }
        (measure.facts().signals[0].blocks, tally.count(&STATUS_RATE), tally.faults().len())
    };
    assert_eq!(run(&status::made(48_000, true)), (4, 0, 0));
    assert_eq!(run(&status::made(44_100, true)), (4, 8, 1));
    // What is damaged says nothing, nor who sends each sample of 96 kHz in two frames (mode 1000).
    let mut damaged = status::made(44_100, true);
    damaged[23] ^= 1;
    assert_eq!(run(&damaged).1, 0);
    let mut double = status::made(96_000, false);
    double[1] = 1;
    double[23] = status::check_of(&double[..23]);
    assert_eq!(run(&double), (4, 0, 0));
    // And none that says none.
    assert_eq!(run(&[0; 24].map(|_| 0)).1, 8, "a consumer's zero is 44.1 kHz");
}

#[test]
fn a_block_never_ends_where_a_packet_is_missing() {
    let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
    let status = status::made(48_000, false);
    for k in 0..64 {
        if k % 8 != 5 {
            feed(&mut measure, &mut tally, &payload(k * 48, 48, &status, |_, _| 0), k % 8 != 6);
        }
    }
    // A block is four packets; of two blocks in each eight packets, one is broken.
    let facts = measure.facts();
    assert_eq!((facts.signals[0].blocks, facts.block_faults), (8, 0));
    assert!(tally.faults().is_empty());
}

#[test]
fn data_in_place_of_sound_is_told() {
    let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
    let head = [0x6f_8720, 0x54_e1f0, 0x00_1c00, 0x01_0000];
    let word = |n: u64, first: bool| {
        let place = usize::try_from(n % 96 * 2).unwrap() + usize::from(!first);
        head.get(place).map_or(0x12_3450, |word: &i32| *word) << 8
    };
    feed(&mut measure, &mut tally, &payload(0, 192, &[0; 24], word), true);
    let signal = &measure.facts().signals[0];
    assert_eq!((signal.bursts, signal.data.unwrap().name()), (2, Some("Dolby E")));
}

#[test]
fn samples_the_wrong_way_round_are_told() {
    let run = |bits: u32, reversed: bool| {
        let (mut measure, mut tally) = (Measure::new(2, 48_000), Tally::default());
        let sample = |n: u64, _: bool| {
            let value = (n as f64 * 0.13).sin() * 0.3 * 2_147_483_647.0;
            let [a, b, c, _] = ((value as i32) >> (32 - bits) << (32 - bits)).to_be_bytes();
            i32::from_be_bytes(if reversed { [c, b, a, 0] } else { [a, b, c, 0] })
        };
        for k in 0..80 {
            feed(&mut measure, &mut tally, &payload(k * 48, 48, &[0; 24], sample), k > 0);
        }
        tally.count(&ORDER)
    };
    assert_eq!([run(24, false), run(20, false), run(16, false), run(24, true)], [0, 0, 0, 1]);
}

#[test]
fn channels_that_are_merely_claimed_take_no_memory() {
    let mut measure = Measure::new(u16::MAX, 48_000);
    feed(&mut measure, &mut Tally::default(), &[0; 1440], true);
    let facts = measure.facts();
    assert_eq!((facts.signals.len(), facts.unmeasured_channels, facts.subframes), (64, u16::MAX - 128, 0));
    assert_eq!(Measure::new(0, 48_000).facts().signals.len(), 0);
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut tape = vec![2, 6];
    tape.extend_from_slice(&payload(0, 400, &status::made(48_000, true), |n, _| (n as i32) << 20));
    for end in (0..tape.len()).step_by(7) {
        check(&tape[..end]);
    }
    let mut seed = 3_u64;
    for _ in 0..500 {
        let mut copy = tape.clone();
        for _ in 0..6 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = (seed >> 33) as usize % copy.len();
            copy[place] = seed.to_le_bytes()[5];
        }
        check(&copy);
    }
}
