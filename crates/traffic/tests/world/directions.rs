//! Who serves, what a door speaks, and what came of a flow.

use model::{Certainty, Direction, FlowState, Transport};

use portreeve_traffic::Config;

use super::made::{ACK, BEGIN, Connection, MILLISECOND, PSH, SECOND, SYN, Tape};
use super::{config, end, facts, protocol, service, watch};

const BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

#[test]
fn an_opened_connection_is_known_by_the_server_s_bytes_on_any_port() {
    let mut tape = Tape::default();
    Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:420"))
        .open()
        .answer(BANNER)
        .ask(b"SSH-2.0-Go\r\n")
        .answer(&[7; 3000])
        .close();
    let traffic = facts(&tape);
    let found = service(&traffic, "10.0.0.9:420");
    assert_eq!((protocol(found), found.recognised.certainty), (Some("ssh"), Certainty::Confirmed));
    assert_eq!((found.direction, found.answered, found.flows), (Direction::Opened, true, 1));
    assert_eq!(found.tally.packets(), tape.len() as u64);
    assert_eq!(found.frames, [1]);
    assert_eq!(found.some_clients, [end("10.0.0.1:1").ip()]);
}

#[test]
fn http_to_an_ssh_server_is_no_other_service() {
    let mut tape = Tape::default();
    Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:22"))
        .open()
        .ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .answer(BANNER)
        .close();
    let traffic = facts(&tape);
    let found = service(&traffic, "10.0.0.9:22");
    assert_eq!((protocol(found), found.recognised.certainty), (Some("ssh"), Certainty::Confirmed));
}

#[test]
fn a_source_port_of_53_changes_nothing() {
    for port in [53, 50_000] {
        let mut tape = Tape::default();
        let client = end(&format!("10.0.0.1:{port}"));
        Connection::new(&mut tape, BEGIN, client, end("10.0.0.9:420")).open().answer(BANNER).close();
        for count in 0..3 {
            tape.udp(BEGIN + count * SECOND, client, end("10.0.0.9:421"), b"\x01\x02 whatever this is");
        }
        let traffic = facts(&tape);
        assert_eq!(protocol(service(&traffic, "10.0.0.9:420")), Some("ssh"));
        let other = service(&traffic, "10.0.0.9:421");
        assert_eq!((protocol(other), other.answered, other.direction), (None, false, Direction::FirstSeen));
    }
}

#[test]
fn a_capture_that_begins_in_the_middle_finds_the_server_by_the_syn_ack() {
    let mut tape = Tape::default();
    let (client, server) = (end("10.0.0.1:50000"), end("10.0.0.9:2222"));
    tape.tcp(BEGIN, (server, client), SYN | ACK, (1000, 501), b"");
    tape.tcp(BEGIN + 1, (client, server), ACK, (501, 1001), b"");
    tape.tcp(BEGIN + 2, (server, client), ACK | PSH, (1001, 501), BANNER);
    let traffic = facts(&tape);
    let found = service(&traffic, "10.0.0.9:2222");
    assert_eq!((protocol(found), found.recognised.certainty), (Some("ssh"), Certainty::Confirmed));
    assert_eq!(found.direction, Direction::Opened);
}

#[test]
fn met_in_the_middle_a_port_that_is_given_to_clients_is_a_client_s() {
    for (first, second, server) in [
        ("10.0.0.9:179", "10.0.0.1:50000", "10.0.0.9:179"),
        ("10.0.0.9:445", "10.0.0.1:36802", "10.0.0.9:445"),
        ("10.0.0.9:44818", "10.0.0.1:52593", "10.0.0.9:44818"),
        ("10.0.0.1:50000", "10.0.0.9:179", "10.0.0.9:179"),
        // A client of NFS calls from below 1024, too.
        ("10.0.0.1:923", "10.0.0.9:2049", "10.0.0.9:2049"),
        // These numbers say nothing: who is heard first asked.
        ("10.0.0.1:2000", "10.0.0.9:3000", "10.0.0.9:3000"),
    ] {
        let (first, second) = (end(first), end(second));
        let mut tape = Tape::default();
        tape.tcp(BEGIN, (first, second), ACK | PSH, (1000, 500), b"\x07\x01\x02 something");
        tape.tcp(BEGIN + 1, (second, first), ACK | PSH, (500, 1012), b"\x07\x03\x04 other");
        let traffic = facts(&tape);
        let found = service(&traffic, server);
        assert_eq!((found.direction, found.answered), (Direction::FirstSeen, true));
    }
    // No connection begins without SYN, and none goes on without ACK: nobody answers there.
    let mut tape = Tape::default();
    tape.tcp(BEGIN, (end("10.0.0.1:80"), end("10.0.0.9:50000")), 0, (1000, 0), b"");
    let traffic = facts(&tape);
    assert!(traffic.touches.iter().all(|touch| touch.port != 80), "{:?}", traffic.touches);
}

#[test]
fn a_datagram_that_answers_comes_from_the_server_also_where_it_is_seen_first() {
    let (client, server) = (end("10.0.0.1:50000"), end("10.0.0.9:420"));
    let name = b"\x01a\x07example\0\0\x01\0\x01";
    let question = [&b"\0\x07\x01\0\0\x01\0\0\0\0\0\0"[..], name].concat();
    let answer = [&b"\0\x07\x81\x83\0\x01\0\0\0\0\0\0"[..], name].concat();
    for asked in [false, true] {
        let mut tape = Tape::default();
        tape.udp(BEGIN, server, client, &answer);
        if asked {
            tape.udp(BEGIN + 1, client, server, &question);
        }
        let traffic = facts(&tape);
        let found = service(&traffic, "10.0.0.9:420");
        assert_eq!((protocol(found), found.recognised.certainty), (Some("dns"), Certainty::Confirmed));
        assert_eq!(traffic.services.len(), 1);
    }
}

#[test]
fn diameter_is_read_from_the_messages_of_an_association() {
    let attribute = |code: u8, value: &[u8]| {
        let length = u8::try_from(8 + value.len()).unwrap();
        let mut bytes = [&[0, 0, 1, code, 0x40, 0, 0, length][..], value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    // Capabilities are exchanged (RFC 6733 §5.3): Origin-Host and Origin-Realm.
    let message = |flags: u8, host: &[u8]| {
        let body = [attribute(8, host), attribute(40, b"example")].concat();
        let length = u8::try_from(20 + body.len()).unwrap();
        let head = [1, 0, 0, length, flags, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 5];
        [&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 46][..], &head, &body].concat()
    };
    let (client, server) = (end("10.0.0.1:50000"), end("10.0.0.9:420"));
    let mut tape = Tape::default();
    tape.sctp(BEGIN, client, server, (1, 0), &[0; 16]);
    tape.sctp(BEGIN + 1, server, client, (2, 0), &[0; 16]);
    tape.sctp(BEGIN + 2, client, server, (0, 3), &message(0x80, b"mme.example"));
    tape.sctp(BEGIN + 3, server, client, (0, 3), &message(0, b"hss.example"));
    let traffic = facts(&tape);
    let found = service(&traffic, "10.0.0.9:420");
    assert_eq!((protocol(found), found.recognised.certainty), (Some("diameter"), Certainty::Confirmed));
    assert_eq!((found.transport, found.direction), (Transport::Sctp, Direction::Opened));
}

#[test]
fn states_are_those_of_the_connection() {
    type Play = for<'a> fn(Connection<'a>) -> Connection<'a>;
    let cases: [(&str, FlowState, Play); 5] = [
        ("closed", FlowState::Closed, |connection| connection.open().answer(BANNER).close()),
        ("open", FlowState::Open, |connection| connection.open().answer(BANNER)),
        ("refused", FlowState::Refused, |connection| connection.refused()),
        ("unanswered", FlowState::Unanswered, |connection| connection.unanswered()),
        ("reset", FlowState::Reset, |connection| connection.half_open()),
    ];
    for (name, expected, play) in cases {
        let mut tape = Tape::default();
        play(Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:420")));
        let mut observer = watch(&tape, Config { flows: true, ..config() });
        assert!(observer.poll().is_none(), "{name}: nothing is over yet");
        observer.end();
        let flow = observer.poll().unwrap();
        assert_eq!(flow.state, expected, "{name}");
        assert_eq!((flow.client, flow.server), (end("10.0.0.1:50000"), end("10.0.0.9:420")), "{name}");
        assert_eq!((flow.ttl, flow.frame, flow.tally.packets()), (64, 1, tape.len() as u64), "{name}");
        assert!(flow.community_id.starts_with("1:"), "{name}");
        assert!(observer.poll().is_none());
    }
}

#[test]
fn ports_used_again_are_another_connection() {
    let mut tape = Tape::default();
    for round in 0..3 {
        Connection::new(&mut tape, BEGIN + round * SECOND, end("10.0.0.1:50000"), end("10.0.0.9:22"))
            .open()
            .answer(BANNER)
            .close();
    }
    assert_eq!(service(&facts(&tape), "10.0.0.9:22").flows, 3);
}

#[test]
fn quiet_flows_end_by_the_packets_time() {
    let mut tape = Tape::default();
    let (client, server) = (end("10.0.0.1:5000"), end("10.0.0.9:7000"));
    for at in [0, 1, 200, 201, 500] {
        tape.udp(BEGIN + at * SECOND, client, server, b"\x00\x01\x02\x03 ping");
        tape.udp(BEGIN + at * SECOND + MILLISECOND, server, client, b"\x00\x01\x02\x03 pong");
    }
    let mut observer = watch(&tape, Config { flows: true, ..config() });
    let mut packets = Vec::new();
    while let Some(flow) = observer.poll() {
        assert_eq!(flow.state, FlowState::TimedOut);
        packets.push(flow.tally.packets());
    }
    assert_eq!(packets, [4, 4], "the last one is still open");
    assert_eq!(service(&observer.finish(), "10.0.0.9:7000").flows, 3);
}

#[test]
fn icmp_errors_are_counted_at_their_flow() {
    let mut tape = Tape::default();
    let (client, server) = (end("10.0.0.1:5000"), end("10.0.0.9:420"));
    tape.udp(BEGIN, client, server, b"hello?");
    tape.unreachable(BEGIN + MILLISECOND, 17, client, server);
    let mut observer = watch(&tape, Config { flows: true, ..config() });
    observer.end();
    let flow = observer.poll().unwrap();
    assert_eq!((flow.state, flow.icmp_errors), (FlowState::Refused, 1));
    let traffic = observer.finish();
    let [touch] = traffic.touches.as_slice() else { panic!("{:?}", traffic.touches) };
    assert_eq!((touch.port, touch.transport, touch.flows, touch.refused), (420, Transport::Udp, 1, 1));
    assert_eq!((touch.example_source, touch.example_target), (client.ip(), server.ip()));
    assert_eq!(traffic.volume.portless, 1);
}

#[test]
fn what_comes_again_and_what_never_comes_is_counted() {
    let mut tape = Tape::default();
    Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:22"))
        .open()
        .answer(BANNER)
        .answer(&[1; 1000])
        .answer(&[2; 1000])
        .answer(&[3; 1000]);
    // Handshake and banner; then the first block comes again at the end, and the second never.
    tape.repeat(4);
    tape.remove(5);
    let mut observer = watch(&tape, Config { flows: true, ..config() });
    observer.end();
    let flow = observer.poll().unwrap();
    assert_eq!((flow.retransmissions, flow.missing_bytes), (1, 1000), "{flow:?}");
}

#[test]
fn lost_repeated_and_reordered_segments_hide_nothing() {
    for (one, other) in [(3, 4), (4, 5), (3, 5)] {
        let mut tape = Tape::default();
        Connection::new(&mut tape, BEGIN, end("10.0.0.1:50000"), end("10.0.0.9:420"))
            .open()
            .answer(b"SSH-2.0-Ope")
            .answer(b"nSSH_9.2p1 De")
            .answer(b"bian-2\r\n")
            .answer(&[9; 100])
            .close();
        tape.swap(one, other);
        tape.repeat(4);
        tape.repeat(0);
        let traffic = facts(&tape);
        let found = service(&traffic, "10.0.0.9:420");
        assert_eq!(found.recognised.detail("software"), Some("OpenSSH_9.2p1 Debian-2"), "{one} and {other}");
    }
}

#[test]
fn a_packet_in_pieces_is_one_packet() {
    let mut tape = Tape::default();
    let (client, server) = (end("10.0.0.1:5000"), end("10.0.0.9:7000"));
    for count in 0..3 {
        tape.udp(BEGIN + count * SECOND, client, server, &[b'x'; 1000]);
        tape.cut(400);
    }
    // The last piece of the last one is lost.
    tape.remove(5);
    let traffic = facts(&tape);
    assert_eq!((traffic.volume.reassembled, traffic.volume.fragments), (2, 3));
    let [touch] = traffic.touches.as_slice() else { panic!("{:?}", traffic.touches) };
    assert_eq!((touch.port, touch.flows, touch.frame), (7000, 1, 2));
}

#[test]
fn on_a_quiet_wire_flows_end_when_time_passes() {
    let mut tape = Tape::default();
    let mut last = BEGIN;
    for client in 0..50 {
        let client = end(&format!("10.0.0.1:{}", 50_000 + client));
        Connection::new(&mut tape, BEGIN, client, end("10.0.0.9:420")).open().answer(BANNER).close();
        tape.udp(BEGIN, client, end("10.0.0.9:421"), b"anybody there?");
        last += MILLISECOND;
    }
    tape.sort();
    let mut observer = watch(&tape, Config { flows: true, ..config() });
    assert!(observer.poll().is_none(), "nothing is over yet");
    let mut over = Vec::new();
    for second in 1..=120 {
        observer.pass(model::Timestamp::from_ns(last + second * SECOND));
        over.extend(std::iter::from_fn(|| observer.poll()));
    }
    assert_eq!(over.len(), 100);
    assert!(
        over.iter()
            .filter(|flow| flow.transport == Transport::Tcp)
            .all(|flow| flow.state == FlowState::Closed)
    );
}
