//! Flows that other flows agreed: data connections of FTP, answers of TFTP from a new port.

use std::net::SocketAddr;

use model::{Certainty, Direction, Service, Traffic};
use portreeve_traffic::{Config, Observer, merge, shard_of};

use super::made::{ACK, BEGIN, Connection, MILLISECOND, PSH, SECOND, SYN, Tape};
use super::{config, end, facts, protocol, service};

const CLIENT: &str = "10.0.0.7:40000";
const SERVER: &str = "10.0.0.1:21";

/// A control connection up to where somebody is logged in.
fn control(tape: &mut Tape) -> Connection<'_> {
    Connection::new(tape, BEGIN, end(CLIENT), end(SERVER))
        .open()
        .answer(b"220 FTP server ready\r\n")
        .ask(b"USER me\r\n")
        .answer(b"331 go on\r\n")
        .ask(b"PASS x\r\n")
        .answer(b"230 welcome\r\n")
}

/// A connection in which one side sends a file and the other nothing.
fn data(tape: &mut Tape, at: i64, from: &str, to: &str, by_opener: bool) {
    let connection = Connection::new(tape, at, end(from), end(to)).open();
    let bytes: Vec<u8> = (0..2000_u32).map(|at| u8::try_from(at * 7 % 256).unwrap()).collect();
    if by_opener { connection.ask(&bytes) } else { connection.answer(&bytes) }.close();
}

fn agreed<'a>(traffic: &'a Traffic, server: &str) -> &'a Service {
    let found = service(traffic, server);
    let said = &found.recognised;
    assert_eq!((said.protocol.unwrap().name, said.certainty), ("ftp-data", Certainty::Confirmed));
    assert_eq!(said.agreed_on(), Some("10.0.0.7:40000 → 10.0.0.1:21/tcp"));
    assert!(found.answered && found.direction == Direction::Opened);
    found
}

#[test]
fn a_server_names_a_port_and_the_client_comes() {
    let mut tape = Tape::default();
    let after =
        control(&mut tape).ask(b"PASV\r\n").answer(b"227 Entering Passive Mode (10,0,0,1,117,48).\r\n");
    let at = after.at + MILLISECOND;
    data(&mut tape, at, "10.0.0.7:40001", "10.0.0.1:30000", false);
    let traffic = facts(&tape);
    let found = agreed(&traffic, "10.0.0.1:30000");
    assert_eq!(found.recognised.rule, "port that a 227 reply of FTP named");
    assert_eq!(found.recognised.appearance.name(), "looks encrypted");
    assert_eq!(protocol(service(&traffic, SERVER)), Some("ftp"));
}

#[test]
fn extended_replies_name_a_port_alone() {
    let mut tape = Tape::default();
    let after =
        control(&mut tape).ask(b"EPSV\r\n").answer(b"229 Entering Extended Passive Mode (|||30000|)\r\n");
    let at = after.at + MILLISECOND;
    data(&mut tape, at, "10.0.0.7:40001", "10.0.0.1:30000", true);
    let traffic = facts(&tape);
    assert_eq!(agreed(&traffic, "10.0.0.1:30000").recognised.rule, "port that a 229 reply of FTP named");
}

#[test]
fn a_client_names_a_port_and_the_server_comes() {
    for (asks, rule) in [
        (&b"PORT 10,0,0,7,156,66\r\n"[..], "port that a client of FTP named with PORT"),
        (b"EPRT |1|10.0.0.7|40002|\r\n", "port that a client of FTP named with EPRT"),
    ] {
        let mut tape = Tape::default();
        let after =
            control(&mut tape).ask(asks).answer(b"200 ok\r\n").ask(b"LIST\r\n").answer(b"150 here\r\n");
        let at = after.at + MILLISECOND;
        data(&mut tape, at, "10.0.0.1:20", "10.0.0.7:40002", true);
        let traffic = facts(&tape);
        assert_eq!(agreed(&traffic, "10.0.0.7:40002").recognised.rule, rule);
    }
}

#[test]
fn the_same_over_ipv6() {
    let mut tape = Tape::default();
    let (client, server) = (end("[2001:db8::7]:40000"), end("[2001:db8::1]:21"));
    let after = Connection::new(&mut tape, BEGIN, client, server)
        .open()
        .answer(b"220 FTP server ready\r\n")
        .ask(b"USER me\r\n")
        .answer(b"331 go on\r\n")
        .ask(b"EPRT |2|2001:db8::7|40002|\r\n")
        .answer(b"200 ok\r\n");
    let at = after.at + MILLISECOND;
    data(&mut tape, at, "[2001:db8::1]:20", "[2001:db8::7]:40002", true);
    let traffic = facts(&tape);
    let said = &service(&traffic, "[2001:db8::7]:40002").recognised;
    assert_eq!(said.agreed_on(), Some("[2001:db8::7]:40000 → [2001:db8::1]:21/tcp"));
}

/// What stands between the login and a connection to a port, and what makes the port unknown all the same.
fn not_agreed(said: &[(bool, &[u8])], from: &str, to: &str, wait: i64) -> Traffic {
    let mut tape = Tape::default();
    let mut connection = control(&mut tape);
    for (asks, bytes) in said {
        connection = if *asks { connection.ask(bytes) } else { connection.answer(bytes) };
    }
    let at = connection.at + wait;
    data(&mut tape, at, from, to, false);
    let traffic = facts(&tape);
    assert_eq!(protocol(service(&traffic, to)), None, "{said:?}");
    traffic
}

#[test]
fn what_was_not_said_is_not_agreed() {
    const PASSIVE: &[u8] = b"227 Entering Passive Mode (10,0,0,1,117,48).\r\n";
    let (client, port) = ("10.0.0.7:40001", "10.0.0.1:30000");
    // Nothing was said; by the wrong side; of another port; for somebody else; too long ago.
    not_agreed(&[], client, port, SECOND);
    not_agreed(&[(true, PASSIVE)], client, port, SECOND);
    not_agreed(&[(false, PASSIVE)], client, "10.0.0.1:30001", SECOND);
    not_agreed(&[(false, PASSIVE)], "10.0.0.8:40001", port, SECOND);
    not_agreed(&[(false, PASSIVE)], client, port, 61 * SECOND);
    // The server did not take it.
    let asked = (true, &b"PORT 10,0,0,7,156,66\r\n"[..]);
    not_agreed(&[asked, (false, b"500 no\r\n")], "10.0.0.1:20", "10.0.0.7:40002", SECOND);
    not_agreed(&[asked], "10.0.0.1:20", "10.0.0.7:40002", SECOND);
    // It is agreed once.
    let mut tape = Tape::default();
    let after = control(&mut tape).answer(PASSIVE);
    let at = after.at + MILLISECOND;
    data(&mut tape, at, client, port, false);
    data(&mut tape, at + SECOND, "10.0.0.7:40003", port, false);
    let traffic = facts(&tape);
    let names: Vec<_> = traffic
        .services
        .iter()
        .filter(|it| it.server == end(port))
        .map(|it| (protocol(it), it.flows))
        .collect();
    assert_eq!(names, [(None, 1), (Some("ftp-data"), 1)]);
}

#[test]
fn an_address_of_somebody_else_is_noted_and_not_followed() {
    let asked = (true, &b"PORT 10,0,0,66,0,22\r\n"[..]);
    for (answer, note) in [
        (&b"200 ok\r\n"[..], "10.0.0.66:22"),
        (&b"500 Illegal PORT command.\r\n"[..], "10.0.0.66:22, refused"),
    ] {
        let traffic = not_agreed(&[asked, (false, answer)], "10.0.0.1:20", "10.0.0.66:22", SECOND);
        assert_eq!(service(&traffic, SERVER).recognised.detail("port_elsewhere"), Some(note));
    }
    // A server behind a translation names what it has itself; the client keeps to what it reached.
    let said = (false, &b"227 Entering Passive Mode (192,168,1,5,117,48).\r\n"[..]);
    let traffic = not_agreed(&[said], "10.0.0.7:40001", "192.168.1.5:30000", SECOND);
    let note = service(&traffic, SERVER).recognised.detail("passive_elsewhere");
    assert_eq!(note, Some("192.168.1.5:30000"));
    let mut tape = Tape::default();
    let after = control(&mut tape).answer(said.1);
    let at = after.at + MILLISECOND;
    data(&mut tape, at, "10.0.0.7:40001", "10.0.0.1:30000", false);
    agreed(&facts(&tape), "10.0.0.1:30000");
}

#[test]
fn who_was_expected_and_does_not_answer_is_nobody() {
    let mut tape = Tape::default();
    let after = control(&mut tape).answer(b"229 Entering Extended Passive Mode (|||30000|)\r\n");
    let at = after.at + MILLISECOND;
    Connection::new(&mut tape, at, end("10.0.0.7:40001"), end("10.0.0.1:30000")).refused();
    let traffic = facts(&tape);
    assert_eq!((traffic.services.len(), traffic.touches.len()), (1, 1));
}

#[test]
fn who_fetches_many_empty_files_does_not_scan() {
    let mut tape = Tape::default();
    let mut ends = Vec::new();
    let mut connection = control(&mut tape);
    for port in 30_000..30_100_u16 {
        connection =
            connection.answer(format!("229 Entering Extended Passive Mode (|||{port}|)\r\n").as_bytes());
        ends.push((connection.at, port));
        connection.at += 20 * MILLISECOND;
    }
    for (at, port) in ends {
        let from = SocketAddr::new([10, 0, 0, 7].into(), port + 20_000);
        Connection::new(&mut tape, at, from, SocketAddr::new([10, 0, 0, 1].into(), port)).open().close();
    }
    tape.sort();
    let traffic = facts(&tape);
    assert_eq!((traffic.scans.len(), traffic.touches.len(), traffic.services.len()), (0, 0, 101));
}

#[test]
fn a_control_connection_that_is_met_in_its_middle_agrees_as_well() {
    let mut tape = Tape::default();
    let said = b"227 Entering Passive Mode (10,0,0,1,117,48).\r\n";
    tape.tcp(BEGIN, (end(SERVER), end(CLIENT)), PSH | ACK, (77, 1), said);
    // Once more, and only once more.
    tape.tcp(BEGIN, (end(SERVER), end(CLIENT)), PSH | ACK, (77, 1), said);
    data(&mut tape, BEGIN + SECOND, "10.0.0.7:40001", "10.0.0.1:30000", false);
    let traffic = facts(&tape);
    let control = service(&traffic, SERVER);
    assert_eq!((protocol(control), control.recognised.certainty), (Some("ftp"), Certainty::Partial));
    agreed(&traffic, "10.0.0.1:30000");
}

#[test]
fn the_answer_to_an_opening_may_be_seen_first() {
    let mut tape = Tape::default();
    let after = control(&mut tape).answer(b"229 Entering Extended Passive Mode (|||30000|)\r\n");
    let at = after.at + MILLISECOND;
    let (client, port) = (end("10.0.0.7:40001"), end("10.0.0.1:30000"));
    tape.tcp(at, (port, client), SYN | ACK, (5, 9), b"");
    tape.tcp(at + 1, (client, port), PSH | ACK, (9, 6), b"a file");
    agreed(&facts(&tape), "10.0.0.1:30000");
}

const ASK: &[u8] = b"\0\x01pxelinux.0\0octet\0";

/// A transfer of TFTP between these ports.
fn transfer(tape: &mut Tape, client: SocketAddr, asked: SocketAddr, answers: SocketAddr, first: &[u8]) {
    tape.udp(BEGIN, client, asked, ASK);
    tape.udp(BEGIN + MILLISECOND, answers, client, first);
    tape.udp(BEGIN + 2 * MILLISECOND, client, answers, b"\0\x04\0\x01");
}

#[test]
fn a_server_of_tftp_answers_from_a_new_port() {
    let (client, asked, answers) = (end("10.0.0.7:2070"), end("10.0.0.1:69"), end("10.0.0.1:50123"));
    for first in [&b"\0\x03\0\x01abc"[..], b"\0\x05\0\x01File not found\0", b"\0\x06blksize\x001428\0"] {
        let mut tape = Tape::default();
        transfer(&mut tape, client, asked, answers, first);
        let traffic = facts(&tape);
        assert_eq!(traffic.services.len(), 2);
        let question = service(&traffic, "10.0.0.1:69");
        assert_eq!((protocol(question), question.recognised.certainty), (Some("tftp"), Certainty::Confirmed));
        assert_eq!(question.recognised.detail("answered_from"), Some("10.0.0.1:50123"));
        assert_eq!(question.recognised.detail("file"), Some("pxelinux.0"));
        let answer = service(&traffic, "10.0.0.1:50123");
        assert_eq!((protocol(answer), answer.recognised.certainty), (Some("tftp"), Certainty::Confirmed));
        assert_eq!(answer.recognised.agreed_on(), Some("10.0.0.7:2070 → 10.0.0.1:69/udp"));
        assert!(question.answered && answer.answered && answer.direction == Direction::Spoken);
    }
}

#[test]
fn what_a_server_of_tftp_does_not_say_is_no_answer() {
    let (client, asked) = (end("10.0.0.7:2070"), end("10.0.0.1:69"));
    for (answers, first) in [
        // Of another machine, to another port, and with other words.
        (end("10.0.0.2:50123"), &b"\0\x03\0\x01abc"[..]),
        (end("10.0.0.1:50123"), b"\0\x03\0\x09abc"),
        (end("10.0.0.1:50123"), b"hello"),
    ] {
        let mut tape = Tape::default();
        transfer(&mut tape, client, asked, answers, first);
        let traffic = facts(&tape);
        assert!(traffic.services.iter().all(|it| it.recognised.agreed_on().is_none()), "{first:?}");
        let question = service(&traffic, "10.0.0.1:69");
        assert_eq!((question.answered, question.recognised.certainty), (false, Certainty::Attempt));
    }
}

#[test]
fn several_observers_agree_as_one_does() {
    let mut tape = Tape::default();
    for client in 1..60_u8 {
        let (from, server) = (SocketAddr::new([10, 0, 1, client].into(), 40_000), end(SERVER));
        let at = BEGIN + i64::from(client) * MILLISECOND;
        let after = Connection::new(&mut tape, at, from, server)
            .open()
            .answer(b"220 FTP server ready\r\n")
            .ask(b"USER me\r\n")
            .answer(b"331 go on\r\n")
            .answer(
                format!("229 Entering Extended Passive Mode (|||{}|)\r\n", 30_000 + u32::from(client))
                    .as_bytes(),
            );
        let at = after.at + MILLISECOND;
        let to = format!("10.0.0.1:{}", 30_000 + u32::from(client));
        data(&mut tape, at, &format!("10.0.1.{client}:40001"), &to, false);
        let answers = SocketAddr::new([10, 0, 0, 1].into(), 50_000 + u16::from(client));
        transfer(
            &mut tape,
            SocketAddr::new([10, 0, 1, client].into(), 2070),
            end("10.0.0.1:69"),
            answers,
            b"\0\x03\0\x01",
        );
    }
    tape.sort();
    let alone = facts(&tape);
    let named = |name| alone.services.iter().filter(|it| protocol(it) == Some(name)).count();
    assert_eq!((named("ftp-data"), named("tftp")), (59, 60));
    for shards in [2, 3] {
        let mut observers: Vec<Observer> = (0..shards).map(|_| Observer::new(config())).collect();
        for (index, frame) in tape.frames().enumerate() {
            observers[shard_of(&frame, shards)].handle(&frame, index as u64 + 1);
        }
        assert_eq!(merge(observers.into_iter().map(Observer::part).collect()), alone);
    }
    let mut observer = super::watch(&tape, Config { flows: true, ..config() });
    assert_eq!(observer.snapshot().services, alone.services);
    observer.end();
    let flows: Vec<_> = std::iter::from_fn(|| observer.poll()).collect();
    assert_eq!(flows.iter().filter(|flow| flow.recognised.agreed_on().is_some()).count(), 118);
}
