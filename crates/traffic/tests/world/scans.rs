//! Who knocks at many doors is one row; who knocks at few leaves a touch.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use model::{ScanKind, Transport};

use super::made::{BEGIN, Connection, MILLISECOND, SECOND, Tape};
use super::{end, facts, service};

fn about(count: u64, expected: u64) -> bool {
    count.abs_diff(expected) * 10 <= expected
}

fn host(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a01_0000 + number))
}

#[test]
fn the_kind_of_a_scan_is_what_it_runs_over() {
    type Door = fn(u32) -> (u32, u16);
    let doors: [(ScanKind, Door, u64, u64); 3] = [
        (ScanKind::Vertical, |count| (1, u16::try_from(count).unwrap() + 1), 1, 4000),
        (ScanKind::Horizontal, |count| (count, 420), 4000, 1),
        (ScanKind::Block, |count| (count % 100, u16::try_from(count / 100).unwrap() + 1), 100, 40),
    ];
    for (kind, door, addresses, ports) in doors {
        let mut tape = Tape::default();
        for count in 0..4000 {
            let (number, port) = door(count);
            let at = BEGIN + i64::from(count) * MILLISECOND;
            let probe =
                Connection::new(&mut tape, at, end("192.0.2.66:40000"), SocketAddr::new(host(number), port));
            match count % 4 {
                0 => probe.refused(),
                1 if count < 40 => probe.half_open(),
                _ => probe.unanswered(),
            };
        }
        let traffic = facts(&tape);
        let [scan] = traffic.scans.as_slice() else { panic!("{kind:?}: {:?}", traffic.scans) };
        assert_eq!((scan.kind, scan.probes, scan.refused, scan.open), (kind, 4000, 1000, 10));
        assert_eq!((scan.source, scan.transport), (end("192.0.2.66:1").ip(), Transport::Tcp));
        assert!(about(scan.addresses, addresses) && about(scan.ports, ports), "{scan:?}");
        assert_eq!(scan.frame, 1);
        assert!(traffic.touches.is_empty(), "the scan says it all: {:?}", traffic.touches);
        // Doors that opened are services, in which nobody said anything.
        assert!(traffic.services.len() <= 10 && !traffic.services.is_empty());
    }
}

#[test]
fn few_knocks_are_touches_and_no_scan() {
    let mut tape = Tape::default();
    for count in 0..10_u16 {
        let at = BEGIN + i64::from(count) * SECOND;
        let client = SocketAddr::new(host(u32::from(count % 2)), 40_000 + count);
        Connection::new(&mut tape, at, client, end("10.0.0.9:420")).unanswered();
        Connection::new(&mut tape, at, client, end("10.0.0.9:421")).refused();
    }
    let traffic = facts(&tape);
    assert!(traffic.scans.is_empty() && traffic.services.is_empty());
    let [silent, refused] = traffic.touches.as_slice() else { panic!("{:?}", traffic.touches) };
    assert_eq!((silent.port, silent.flows, silent.refused, silent.sources), (420, 10, 0, 2));
    assert_eq!((refused.port, refused.flows, refused.refused), (421, 10, 10));
    assert_eq!((silent.frame, silent.example_source), (1, host(0)));
}

#[test]
fn a_busy_client_with_some_dead_peers_does_not_scan() {
    let mut tape = Tape::default();
    for count in 0..200_u16 {
        let at = BEGIN + i64::from(count) * SECOND;
        let client = SocketAddr::new(host(7), 40_000 + count);
        let server = SocketAddr::new(host(1000 + u32::from(count)), 443);
        let connection = Connection::new(&mut tape, at, client, server);
        if count % 4 == 0 {
            connection.unanswered();
        } else {
            connection.open().ask(b"\x16\x03\x01 something").answer(b"\x16\x03\x03 something else").close();
        }
    }
    assert!(facts(&tape).scans.is_empty());
}

#[test]
fn a_connection_that_is_answered_late_is_no_probe() {
    let mut tape = Tape::default();
    Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:22")).unanswered();
    Connection::new(&mut tape, BEGIN + 3 * SECOND, end("10.0.0.1:50000"), end("10.0.0.9:22"))
        .open()
        .answer(b"SSH-2.0-x\r\n")
        .close();
    let traffic = facts(&tape);
    assert!(traffic.touches.is_empty());
    assert_eq!(service(&traffic, "10.0.0.9:22").flows, 1);
}

#[test]
fn a_machine_that_calls_regularly_is_a_beacon_and_its_failures_do_not_count() {
    let mut tape = Tape::default();
    let (client, server) = (host(3), end("198.51.100.7:8443"));
    for count in 0..60_u16 {
        let at = BEGIN + i64::from(count) * 300 * MILLISECOND;
        let from = SocketAddr::new(client, 30_000 + count);
        let connection = Connection::new(&mut tape, at, from, server);
        if count % 10 == 9 {
            connection.unanswered();
        } else {
            connection.open().ask(&[0x5a; 200]).answer(&[0xa5; 90]).close();
        }
    }
    let traffic = facts(&tape);
    let [beacon] = traffic.beacons.as_slice() else { panic!("{:?}", traffic.beacons) };
    assert_eq!((beacon.client, beacon.server, beacon.connections), (client, server, 54));
    assert_eq!(beacon.interval_ns, 300 * MILLISECOND);
    assert!(beacon.score > 0.9, "{beacon:?}");
}
