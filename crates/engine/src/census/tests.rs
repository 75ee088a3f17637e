//! The census of made facts: every kind of chair, and counts that add up.

use std::sync::Arc;

use model::{
    Confidence, Evidence, Family, Finding, Kind, Machine, Scope, Severity, Snapshot, Socket, State, Views,
};
use registry::Paper;

use super::*;
use crate::view::View;
use model::{Code, Subject, Timestamp, Transport};

fn socket(kind: Kind, port: u16) -> Socket {
    Socket {
        kind,
        family: Family::V4,
        local: format!("0.0.0.0:{port}").parse().unwrap(),
        peer: None,
        state: State::Listening,
        scope: Scope::Any,
        interface: None,
        netns: 1,
        inode: 1,
        cookie: 1,
        uid: Some(0),
        queued: None,
        backlog: None,
        holders: Vec::new(),
        holders_missing: None,
        activation: None,
        seen_by: Views::SOCK_DIAG,
        hidden_from: Views::default(),
    }
}

fn finding(code: Code, socket: usize) -> Finding {
    Finding {
        code,
        severity: Severity::Warning,
        confidence: Confidence::High,
        subjects: vec![Subject::Socket(socket)],
        title: String::from("t"),
        evidence: vec![Evidence { fact: String::from("f"), source: String::from("s") }],
        next_step: String::from("n"),
    }
}

/// SSH in its place, SMPTE's chair with somebody in it, somebody else at HTTPS, a port of nobody, a dynamic one.
fn view() -> View {
    let mut connected = socket(Kind::Tcp, 25);
    connected.state = State::Established;
    let sockets = vec![
        socket(Kind::Tcp, 22),
        socket(Kind::Tcp, 420),
        socket(Kind::Tcp, 443),
        socket(Kind::Udp, 4),
        socket(Kind::Udp, 50_000),
        connected,
    ];
    let snapshot = Snapshot {
        taken: Timestamp::from_ns(0),
        machine: Machine::default(),
        namespaces: Vec::new(),
        sockets,
        processes: Vec::new(),
        forwards: Vec::new(),
        views: Views::SOCK_DIAG,
        gaps: Vec::new(),
    };
    let findings = vec![finding(Code::SilentPortInUse, 1), finding(Code::ExposedService, 0)];
    let accepted = vec![verdict::Accepted {
        finding: finding(Code::UnexpectedHolder, 2),
        entry: String::from("policy.toml:1"),
        reason: String::from("ours"),
    }];
    View::judged(Arc::new(snapshot), Paper::builtin(), findings, accepted)
}

#[test]
fn every_chair_says_who_sits_there() {
    let view = view();
    let attendance = Attendance::of(&view);
    let census = Census::take(&view.paper, &attendance);
    let [tcp, udp] = &census.rolls;
    let seat = |roll: &Roll<'_>, port: u16| roll.chairs[usize::from(port)].seat();
    assert_eq!(seat(tcp, 22), Seat::Taken);
    assert_eq!(seat(tcp, 420), Seat::Unexplained);
    assert_eq!(seat(udp, 420), Seat::Empty);
    // What policy accepts is no less a fact.
    assert_eq!(seat(tcp, 443), Seat::Squatted);
    assert_eq!(seat(udp, 4), Seat::Unlisted);
    // A connection is not an offer.
    assert_eq!(seat(tcp, 25), Seat::Waiting);
    assert_eq!(seat(tcp, 0), Seat::Reserved);
    assert_eq!(seat(tcp, 4), Seat::Unassigned);
    assert_eq!(udp.occupied.iter().map(|chair| chair.port).collect::<Vec<_>>(), [4, 50_000]);
    assert_eq!(udp.occupied[1].seat(), Seat::Taken);
    assert_eq!(tcp.seated(Seat::Squatted).count(), 1);
}

#[test]
fn the_counts_add_up() {
    let view = view();
    let attendance = Attendance::of(&view);
    let census = Census::take(&view.paper, &attendance);
    for roll in &census.rolls {
        for range in Range::ALL {
            let tally = roll.tally(range);
            assert_eq!(tally.ports as usize, range.ports().count());
            assert_eq!(tally.assigned + tally.unassigned + tally.reserved + tally.dynamic, tally.ports);
            assert_eq!(tally.assigned_used + tally.never_used, tally.assigned);
            assert!(tally.silent <= tally.assigned && tally.reclaimable <= tally.silent);
            assert_eq!(Seat::ALL.iter().map(|seat| tally.seated(*seat)).sum::<u32>(), tally.ports);
            assert_eq!(tally.seated(Seat::Squatted), tally.squatted);
        }
        assert_eq!(roll.total().ports, 65_536);
        assert_eq!(roll.chairs.len(), 1024);
        assert_eq!(roll.total().used as usize, roll.occupied.len());
        let of_rows: u32 = roll.candidates.iter().map(|it| u32::from(it.last - it.first) + 1).sum();
        assert!(of_rows <= roll.total().reclaimable && of_rows > 1000, "{of_rows}");
        assert!(roll.candidates.iter().all(|candidate| candidate.reason.starts_with("assigned")));
    }
    let [tcp, udp] = &census.rolls;
    assert_eq!((tcp.total().used, tcp.total().squatted, tcp.total().unexplained), (3, 1, 1));
    assert_eq!((udp.total().used, udp.total().unlisted, udp.tally(Range::Dynamic).used), (2, 1, 1));
    // SMPTE's chair is to be asked back for UDP, where nobody came, and not for TCP, where somebody did.
    let smpte = |roll: &Roll<'_>| roll.candidates.iter().any(|it| it.assignment.name == "smpte");
    assert!(smpte(udp) && !smpte(tcp));
}

#[test]
fn what_is_remembered_counts_as_use() {
    let view = view();
    let mut attendance = Attendance::of(&view);
    let last = Timestamp::from_ns(7);
    let remembered = |transport, port, fit| Remembered {
        transport,
        port,
        last,
        holder: Some(String::from("old")),
        fit,
        spoken: None,
    };
    attendance.remember(
        &view.paper,
        Timestamp::from_ns(3),
        [
            remembered(Transport::Udp, 420, Fit::Unexplained),
            remembered(Transport::Tcp, 22, Fit::Squatted),
            remembered(Transport::Tcp, 22, Fit::Fitting),
        ],
    );
    let census = Census::take(&view.paper, &attendance);
    assert_eq!(census.since, Some(Timestamp::from_ns(3)));
    let [tcp, udp] = &census.rolls;
    let chair = &udp.chairs[420];
    assert_eq!(chair.seat(), Seat::Unexplained);
    let occupied = chair.occupied.unwrap();
    assert!(!occupied.now && occupied.earlier == Some(last) && occupied.holders == ["old"]);
    // The gravest of what is known stands.
    assert_eq!(tcp.chairs[22].seat(), Seat::Squatted);
    assert_eq!((udp.total().used, udp.total().used_now), (3, 2));
}

#[test]
fn who_speaks_something_else_sits_in_anothers_chair() {
    let view = view();
    let heard = |port: u16, protocol: &'static str| {
        let mut attendance = Attendance::default();
        let spoken = Some(protocol.to_owned());
        let (transport, last) = (Transport::Tcp, Timestamp::from_ns(7));
        let one = Remembered { transport, port, last, holder: None, fit: Fit::Fitting, spoken };
        attendance.remember(&view.paper, Timestamp::from_ns(3), [one]);
        let census = Census::take(&view.paper, &attendance);
        let [tcp, _] = &census.rolls;
        let chair = &tcp.chairs[usize::from(port)];
        assert_eq!(chair.occupied.unwrap().spoken, [protocol]);
        chair.seat()
    };
    assert_eq!(heard(22, "ssh"), Seat::Taken);
    assert_eq!(heard(443, "tls"), Seat::Taken, "what carries a service is at home there");
    assert_eq!(heard(443, "ssh"), Seat::Squatted);
    assert_eq!(heard(420, "ssh"), Seat::Squatted);
}

#[test]
fn holders_are_bounded_and_named_once() {
    let mut attendance = Attendance::default();
    attendance.remember(
        &view().paper,
        Timestamp::from_ns(0),
        (0..40).map(|number| Remembered {
            transport: Transport::Tcp,
            port: 80,
            last: Timestamp::from_ns(number),
            holder: Some(format!("p{}", number % 20)),
            fit: Fit::Fitting,
            spoken: None,
        }),
    );
    let seat = attendance.at(Transport::Tcp, 80).unwrap();
    assert_eq!(seat.holders.len(), 8);
    assert_eq!(seat.earlier, Some(Timestamp::from_ns(39)));
    assert!(attendance.at(Transport::Udp, 80).is_none());
}
