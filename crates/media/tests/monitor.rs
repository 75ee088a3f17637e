//! A monitor that listens for weeks: streams that ended leave, those that go on stay, and none takes the other's place.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how it fails")]

use model::Timestamp;
use portreeve_media::monitor::{Config, Datagram, Monitor};
use wire::address::Address;

const MINUTE: i64 = 60_000_000_000;

fn packet(stream: u8, sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 96];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend((u32::from(sequence) * 160).to_be_bytes());
    bytes.extend([0, 0, 0, stream]);
    bytes.extend([stream; 100]);
    bytes
}

fn send(monitor: &mut Monitor, stream: u8, sequence: u16, at: i64) {
    let address = |last| Address::from_v4([192, 0, 2, last]);
    monitor.handle_datagram(&Datagram {
        time: Some(Timestamp::from_ns(at)),
        frame: u64::from(sequence) + 1,
        source: (address(stream), 5000),
        destination: (address(200), 6000 + 2 * u16::from(stream)),
        vlan: None,
        ttl: 64,
        dscp: 0,
        udp_bytes: 120,
        payload: &packet(stream, sequence),
    });
}

/// Who sends, and how many packets were counted of it.
fn streams(monitor: &Monitor) -> Vec<(u32, u64)> {
    let streams = monitor.media().streams;
    let mut all: Vec<_> =
        streams.iter().map(|it| (it.ssrc, it.legs.first().unwrap().reception.packets)).collect();
    all.sort_unstable();
    all
}

#[test]
fn streams_that_ended_leave_and_the_others_go_on_in_their_place() {
    let mut monitor = Monitor::new(Config { most_streams: 3, ..Config::default() });
    for sequence in 0..10 {
        for stream in 1..=3 {
            send(&mut monitor, stream, sequence, i64::from(sequence));
        }
    }
    assert_eq!(streams(&monitor), [(1, 10), (2, 10), (3, 10)]);
    // The second goes on alone.
    for sequence in 10..20 {
        send(&mut monitor, 2, sequence, MINUTE + i64::from(sequence));
    }
    monitor.forget(Timestamp::from_ns(0));
    assert_eq!(streams(&monitor).len(), 3, "all were heard since");
    monitor.forget(Timestamp::from_ns(MINUTE));
    assert_eq!(streams(&monitor), [(2, 20)]);
    // There is room again: for one that is new, and for one that comes back and is counted from there.
    for sequence in 20..30 {
        for stream in [2, 3, 4] {
            send(&mut monitor, stream, sequence, 2 * MINUTE + i64::from(sequence));
        }
    }
    assert_eq!(streams(&monitor), [(2, 30), (3, 10), (4, 10)]);
    assert!(monitor.media().gaps.is_empty());
}
