//! Streams that come before what agrees to them, that are moved away from, and that go on after their end.

use std::net::IpAddr;

use model::media::{Basis, Essence, Leg, Session, SessionSource, Sources};
use model::{Timestamp, Utc};
use wire::address::Address;

use super::*;
use crate::sdp;

const SECOND: i64 = 1_000_000_000;

fn at(ms: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(1_700_000_000 * SECOND + ms * 1_000_000)
}

/// A session of sound, to this group.
fn session(group: &str) -> Session {
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Sound\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n\
         c=IN IP4 {group}/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n"
    );
    let source = SessionSource::Nmos { api: "http://registry".into(), id: "one".into() };
    let (document, _) = sdp::parse(text.as_bytes());
    let (sessions, _) = sdp::sessions(&document, &source);
    sessions.into_iter().next().unwrap()
}

/// Packets of sound, one a millisecond, from one to another.
fn send(monitor: &mut Monitor, from_ms: i64, to_ms: i64) {
    for ms in from_ms..to_ms {
        let mut payload = vec![0x80, 97];
        payload.extend_from_slice(&u16::try_from(ms & 0xffff).unwrap().to_be_bytes());
        payload.extend_from_slice(&u32::try_from(ms * 48).unwrap().to_be_bytes());
        payload.extend_from_slice(&[0, 0, 0, 7]);
        payload.resize(12 + 48 * 2 * 3, 0);
        monitor.handle_datagram(&Datagram {
            time: Some(at(ms)),
            frame: u64::try_from(ms).unwrap() + 1,
            source: (Address::from("192.0.2.1".parse::<IpAddr>().unwrap()), 5004),
            destination: (Address::from("239.1.1.1".parse::<IpAddr>().unwrap()), 5004),
            vlan: None,
            ttl: 32,
            dscp: 34,
            udp_bytes: 308,
            payload: &payload,
        });
    }
}

/// A report of a receiver at this address that so many packets of source 7 were lost, to a group and port.
fn report(monitor: &mut Monitor, from: &str, to: (&str, u16), lost: u8) {
    let mut payload = vec![0x81, 201, 0, 7, 0, 0, 0, 99, 0, 0, 0, 7, 5, 0, 0, lost];
    payload.resize(32, 0);
    let of = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
    monitor.handle_datagram(&Datagram {
        time: Some(at(200)),
        frame: 1000,
        source: (of(from), 5005),
        destination: (of(to.0), to.1),
        vlan: None,
        ttl: 32,
        dscp: 0,
        udp_bytes: 40,
        payload: &payload,
    });
}

#[test]
fn what_receivers_report_to_the_group_counts_and_what_they_report_of_others_does_not() {
    let mut monitor = Monitor::default();
    send(&mut monitor, 0, 100);
    report(&mut monitor, "192.0.2.50", ("239.1.1.1", 5005), 17);
    report(&mut monitor, "192.0.2.51", ("239.1.1.1", 5004), 18);
    report(&mut monitor, "192.0.2.50", ("192.0.2.1", 5005), 19);
    for elsewhere in [("239.1.1.2", 5005), ("239.1.1.1", 6001), ("192.0.2.60", 5005)] {
        report(&mut monitor, "192.0.2.50", elsewhere, 99);
    }
    let reports = only(&monitor).legs[0].reception.reports.clone().unwrap();
    // Straight to the sender, it went to whom the group is of, and nothing says that it is of this stream.
    assert_eq!((reports.receiver_reports, reports.reported_lost_most), (2, 18));
}

fn only(monitor: &Monitor) -> model::media::Stream {
    let mut streams = monitor.media().streams;
    assert_eq!(streams.len(), 1);
    streams.pop().unwrap()
}

#[test]
fn what_is_agreed_later_explains_what_is_there_already() {
    let mut monitor = Monitor::default();
    send(&mut monitor, 0, 100);
    assert_eq!(only(&monitor).session, None);
    monitor.agree(session("239.1.1.1"));
    send(&mut monitor, 100, 200);
    assert_eq!(only(&monitor).session, None, "nobody has settled it yet");
    monitor.settle(Some(at(250)));
    // What was on its way before does not belong to it.
    send(&mut monitor, 200, 250);
    assert_eq!(only(&monitor).session, None);
    send(&mut monitor, 250, 300);
    let stream = only(&monitor);
    assert_eq!(stream.session, Some(0));
    let (format, basis) = stream.format.unwrap();
    assert!(matches!(format.essence, Essence::Audio(_)) && basis == Basis::Session(0));
    assert_eq!(stream.audio.unwrap().packets, 50);
    assert_eq!(stream.legs[0].reception.packets, 300);
}

#[test]
fn a_session_that_moves_leaves_its_stream_alone_after_a_grace() {
    let mut monitor = Monitor::default();
    monitor.agree(session("239.1.1.1"));
    send(&mut monitor, 0, 1000);
    monitor.agree(session("239.1.1.2"));
    monitor.settle(Some(at(1000)));
    send(&mut monitor, 1000, 5900);
    assert_eq!(only(&monitor).session, Some(0), "the sender needs a moment");
    send(&mut monitor, 5900, 6100);
    let stream = only(&monitor);
    assert_eq!(stream.session, None);
    assert_eq!(stream.audio.unwrap().packets, 6100, "what was measured counts on");
    // And it comes back.
    monitor.agree(session("239.1.1.1"));
    monitor.settle(Some(at(6100)));
    send(&mut monitor, 6100, 6200);
    assert_eq!(only(&monitor).session, Some(0));
}

#[test]
fn a_stream_that_ended_in_time_keeps_its_session() {
    let mut monitor = Monitor::default();
    monitor.agree(session("239.1.1.1"));
    send(&mut monitor, 0, 1000);
    monitor.agree(session("239.1.1.2"));
    monitor.settle(Some(at(9000)));
    assert_eq!(only(&monitor).session, Some(0));
}

/// An announcement of SAP, from 192.0.2.1, with this text.
fn announce(monitor: &mut Monitor, ms: i64, text: &str) {
    let payload = [&[0x20, 0, 0x12, 0x34, 192, 0, 2, 1], text.as_bytes()].concat();
    monitor.handle_datagram(&Datagram {
        time: Some(at(ms)),
        frame: 1,
        source: (Address::from_v4([192, 0, 2, 1]), 9875),
        destination: (Address::from_v4([239, 255, 255, 255]), 9875),
        vlan: None,
        ttl: 32,
        dscp: 0,
        udp_bytes: u16::try_from(payload.len() + 8).unwrap(),
        payload: &payload,
    });
}

#[test]
fn what_is_announced_ends_with_its_version_and_with_silence_and_is_forgotten_in_the_end() {
    let medium = |group: u8| {
        format!(
            "m=audio 5004 RTP/AVP 97\r\nc=IN IP4 239.1.1.{group}/32\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n"
        )
    };
    let text = |version: u8, media: &[u8]| {
        let media: String = media.iter().map(|group| medium(*group)).collect();
        format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.1\r\ns=Desk\r\nt=0 0\r\n{media}")
    };
    let mut monitor = Monitor::default();
    monitor.agree(session("239.9.9.9"));
    let ended = |monitor: &Monitor| -> Vec<bool> {
        monitor.media().sessions.iter().map(|session| session.ended.is_some()).collect()
    };
    announce(&mut monitor, 0, &text(1, &[7, 1]));
    send(&mut monitor, 0, 1000);
    assert_eq!(only(&monitor).session, Some(2));
    announce(&mut monitor, 1000, &text(2, &[7]));
    assert_eq!(ended(&monitor), [false, false, true], "a medium that the next version leaves out is over");
    announce(&mut monitor, 2000, &text(3, &[7, 1]));
    assert_eq!(ended(&monitor), [false, false, false]);
    monitor.pass(at(3_000_000));
    assert_eq!(ended(&monitor), [false, false, false]);
    monitor.pass(at(4_000_000));
    assert_eq!(ended(&monitor), [false, true, true], "silence of an hour");
    monitor.forget(at(0));
    assert_eq!(ended(&monitor), [false, true, true]);
    send(&mut monitor, 3_999_000, 4_001_000);
    assert_eq!(only(&monitor).session, Some(2));
    monitor.forget(at(4_000_500));
    assert_eq!(ended(&monitor), [false]);
    let stream = only(&monitor);
    assert_eq!((stream.session, stream.format.map(|(_, basis)| basis)), (None, Some(Basis::Payload)));
}

#[test]
fn what_says_nothing_new_unsettles_nothing() {
    let mut book = Book::default();
    assert!(book.agree(session("239.1.1.1")));
    let heard_again = Session { last: Some(at(7)), ..session("239.1.1.1") };
    assert!(!book.agree(heard_again));
    let leg = Leg {
        destination: "239.1.1.1:5004".parse().unwrap(),
        sources: Sources::Only(Vec::new()),
        rtcp: None,
        ttl: None,
    };
    assert!(book.agree(Session { legs: vec![leg], ..session("239.1.1.1") }));
    let (source, identity) = (session("239.1.1.1").source, session("239.1.1.1").identity);
    assert!(book.withdraw(&source, &identity, Some(at(1))));
    assert!(!book.withdraw(&source, &identity, Some(at(2))));
    assert_eq!(book.sessions()[0].ended, Some(at(1)), "it ended when that was first said");
}
