//! Several observers that each see whole flows say together what one says alone.

use std::net::SocketAddr;

use model::Traffic;
use portreeve_traffic::{Config, Observer, merge, shard_of};
use wire::{Frame, LinkType};

use super::bounds::Chance;
use super::made::{BEGIN, Connection, MILLISECOND, SECOND, Tape};
use super::{config, end, facts};

fn world() -> Tape {
    let mut tape = Tape::default();
    let mut chance = Chance(3);
    for count in 0..3000_u16 {
        let at = BEGIN + i64::from(count) * 7 * MILLISECOND;
        let client = end(&format!("10.0.{}.{}:{}", chance.below(3), chance.below(40), 20_000 + count));
        let server = end(&format!("10.9.0.{}:{}", chance.below(9), [22, 80, 420][usize::from(count % 3)]));
        let connection = Connection::new(&mut tape, at, client, server);
        match count % 5 {
            0 => connection.unanswered(),
            1 => connection.refused(),
            2 => connection.open().answer(b"SSH-2.0-x\r\n").close(),
            3 => connection.open().ask(b"\x00\x01\x02 what?").answer(b"\x09\x08\x07 that").close(),
            _ => connection.half_open(),
        };
        if count % 3 == 0 {
            tape.udp(at, client, server, b"some words");
            tape.unreachable(at + MILLISECOND, 17, client, server);
        }
        let scanned = SocketAddr::new([10, 8, 0, u8::try_from(count % 250).unwrap()].into(), 23);
        Connection::new(&mut tape, at, end("192.0.2.66:40000"), scanned).unanswered();
    }
    for count in 0..40_u16 {
        let at = BEGIN + i64::from(count) * SECOND / 2;
        let client = end(&format!("10.0.0.77:{}", 50_000 + count));
        Connection::new(&mut tape, at, client, end("10.9.0.1:4444"))
            .open()
            .ask(b"\x01\x02\x03")
            .answer(b"\x04")
            .close();
    }
    tape.sort();
    tape
}

fn sharded(tape: &Tape, shards: usize) -> Traffic {
    let mut observers: Vec<Observer> = (0..shards).map(|_| Observer::new(config())).collect();
    for (index, frame) in tape.frames().enumerate() {
        observers[shard_of(&frame, shards)].handle(&frame, index as u64 + 1);
    }
    merge(observers.into_iter().map(Observer::part).collect())
}

#[test]
fn the_facts_do_not_depend_on_how_many_looked() {
    let tape = world();
    let alone = facts(&tape);
    assert!(!alone.scans.is_empty() && !alone.touches.is_empty() && !alone.beacons.is_empty());
    for shards in [2, 3, 8] {
        assert_eq!(sharded(&tape, shards), alone, "{shards} observers");
    }
}

#[test]
fn each_gets_a_share() {
    let tape = world();
    let mut counts = [0_usize; 4];
    for frame in tape.frames() {
        counts[shard_of(&frame, 4)] += 1;
    }
    assert!(counts.iter().all(|count| *count * 12 > tape.len()), "{counts:?}");
}

#[test]
fn a_snapshot_says_what_the_end_would_say() {
    let tape = world();
    let observer = super::watch(&tape, config());
    let now = observer.snapshot();
    assert_eq!(now, observer.finish());
}

#[test]
fn the_facts_do_not_depend_on_whether_flows_are_asked_for() {
    let tape = world();
    let mut observer = super::watch(&tape, Config { flows: true, ..config() });
    observer.end();
    let mut flows = 0;
    while observer.poll().is_some() {
        flows += 1;
    }
    let traffic = observer.finish();
    assert_eq!(flows, traffic.volume.flows);
    assert_eq!(traffic, facts(&tape));
}

#[test]
fn what_is_damaged_or_not_read_is_counted_together() {
    let tape = world();
    let frames: Vec<Frame<'_>> = tape
        .frames()
        .enumerate()
        .map(|(index, frame)| match index % 50 {
            7 => Frame { bytes: &frame.bytes[..30], ..frame },
            8 => Frame { bytes: &frame.bytes[..40], ..frame },
            9 => Frame { link: LinkType(147), ..frame },
            10 => Frame { link: LinkType(148), ..frame },
            _ => frame,
        })
        .collect();
    let seen_by = |shards: usize| {
        let mut observers: Vec<Observer> = (0..shards).map(|_| Observer::new(config())).collect();
        for (frame, number) in frames.iter().zip(1..) {
            observers[shard_of(frame, shards)].handle(frame, number);
        }
        merge(observers.into_iter().map(Observer::part).collect())
    };
    let alone = seen_by(1);
    assert!(alone.volume.damaged > 0 && !alone.faults.is_empty() && alone.unread_links.len() == 2);
    assert!(alone.volume.cut > 0);
    for shards in [2, 3, 8] {
        assert_eq!(seen_by(shards), alone, "{shards} observers");
    }
}

#[test]
fn both_kinds_of_ethernet_go_the_same_way() {
    let tape = world();
    // Every other frame has a length where its type was, and says its type behind that.
    let with_length = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len() - 14 + 8).unwrap().to_be_bytes();
        [&bytes[..12], &length, &[0xaa, 0xaa, 3, 0, 0, 0], &bytes[12..]].concat()
    };
    let frames: Vec<Vec<u8>> = (0..tape.len())
        .map(|index| {
            let bytes = tape.frame(index).bytes;
            if index % 2 == 0 { with_length(bytes) } else { bytes.to_vec() }
        })
        .collect();
    let seen_by = |shards: usize| {
        let mut observers: Vec<Observer> = (0..shards).map(|_| Observer::new(config())).collect();
        for (index, bytes) in frames.iter().enumerate() {
            let wire_bytes = u32::try_from(bytes.len()).unwrap();
            let frame = Frame { bytes, wire_bytes, ..tape.frame(index) };
            observers[shard_of(&frame, shards)].handle(&frame, index as u64 + 1);
        }
        merge(observers.into_iter().map(Observer::part).collect())
    };
    let alone = seen_by(1);
    assert_eq!(alone.services, facts(&tape).services);
    for shards in [2, 3, 8] {
        assert_eq!(seen_by(shards), alone, "{shards} observers");
    }
}

#[test]
fn what_bounds_left_out_of_each_is_told_of_all() {
    let tape = world();
    // So little that every one of them has to leave something out.
    let config = Config { memory_bytes: 1 << 14, ..config() };
    let mut observers: Vec<Observer> = (0..3).map(|_| Observer::new(config)).collect();
    let mut gaps = [0_u64; 3];
    for (index, frame) in tape.frames().enumerate() {
        observers[shard_of(&frame, 3)].handle(&frame, index as u64 + 1);
    }
    let counted = |traffic: &Traffic, what: &str| -> u64 {
        traffic.gaps.iter().filter(|gap| gap.what.contains(what)).filter_map(|gap| gap.count).sum()
    };
    for (gap, observer) in gaps.iter_mut().zip(&observers) {
        *gap = counted(&observer.snapshot(), "closed early");
    }
    assert!(gaps.iter().all(|gap| *gap > 0), "{gaps:?}");
    let merged = merge(observers.into_iter().map(Observer::part).collect());
    assert_eq!(counted(&merged, "closed early"), gaps.iter().sum::<u64>());
    assert_eq!(merged.volume.frames, tape.len() as u64);
}
