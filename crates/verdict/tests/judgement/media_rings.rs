//! Every judgement of media rings, and what was agreed and comes as it should rings none.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use model::Code;
use model::media::joined::Joined;
use model::media::ptp::{
    ClockIdentity, PortIdentity, PtpAnnounce, PtpCadence, PtpDomain, PtpPort, PtpProfile, PtpSender,
};
use model::media::reception::{HitlessFacts, HitlessLeg, ReceptionFacts, TimingFacts};
use model::media::shaping::{ShapingFacts, TypeFacts};
use model::media::spread::Spread;
use model::media::{
    AudioFormat, Basis, Essence, Format, Leg, Occurrence, ReferenceClock, SenderType, Session, SessionSource,
    Sources, Stream, StreamFault, StreamLeg, StreamRule,
};

use crate::wire_support::{Wire, addr, at};

static BROKEN: StreamRule =
    StreamRule { name: "srd-length", clause: "ST 2110-20:2022 §6.2.1", text: "A piece is cut." };
static OTHER: StreamRule =
    StreamRule { name: "audio-packet-time", clause: "RFC 3551 §4", text: "Too long." };

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn format() -> Format {
    let audio = AudioFormat {
        bits: 24,
        am824: false,
        sample_rate: 48_000,
        channels: 2,
        packet_time_ns: Some(1_000_000),
        channel_order: String::new(),
    };
    Format { payload_type: 97, clock_rate: 48_000, essence: Essence::Audio(audio) }
}

fn session(name: &str, destinations: &[&str]) -> Session {
    let leg = |to: &&str| Leg {
        destination: socket(to),
        sources: Sources::Only(vec![addr("192.0.2.1")]),
        rtcp: None,
        ttl: None,
    };
    Session {
        name: name.to_owned(),
        identity: name.to_owned(),
        source: SessionSource::File(format!("{name}.sdp")),
        formats: vec![format()],
        legs: destinations.iter().map(leg).collect(),
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    }
}

fn leg(source: &str, destination: &str) -> StreamLeg {
    StreamLeg {
        source: socket(source),
        destination: socket(destination),
        vlan: None,
        ttl: 64,
        dscp: 34,
        reception: ReceptionFacts {
            packets: 1000,
            expected: 1000,
            payload_bytes: 288_000,
            first: Some(at(1)),
            last: Some(at(2)),
            ..ReceptionFacts::default()
        },
        shaping: None,
        timing: None,
    }
}

fn stream(session: Option<usize>, legs: Vec<StreamLeg>) -> Stream {
    Stream {
        ssrc: 7,
        payload_type: 97,
        frame: 12,
        format: session.map(|at| (format(), Basis::Session(at))),
        assumed: Vec::new(),
        session,
        legs,
        hitless: None,
        video: None,
        compressed: None,
        audio: None,
        ancillary: None,
        metadata: None,
        text: None,
        faults: Vec::new(),
    }
}

fn fault(rule: &'static StreamRule) -> StreamFault {
    let first = Occurrence { frame: 40, sequence: 9, timestamp: 90 };
    StreamFault { rule, count: 3, first, detail: "7 octets".to_owned() }
}

fn master(number: u8, grandmaster: u8) -> PtpPort {
    PtpPort {
        identity: PortIdentity { clock: ClockIdentity([number; 8]), port: 1 },
        sender: PtpSender::Ip(addr("192.0.2.9")),
        several_senders: false,
        announce: Some(PtpAnnounce {
            grandmaster: ClockIdentity([grandmaster; 8]),
            priority1: 128,
            class: 6,
            accuracy: 0x21,
            variance: 0,
            priority2: 128,
            steps_removed: 0,
            time_source: 0x20,
            utc_offset_s: 37,
            utc_offset_valid: true,
            ptp_timescale: true,
            time_traceable: true,
            frequency_traceable: true,
            leap61: false,
            leap59: false,
        }),
        announce_changes: 0,
        announces: PtpCadence::default(),
        syncs: PtpCadence::default(),
        requests: PtpCadence::default(),
        responses: 0,
        request_log_interval: None,
        two_step: 0,
        one_step: 0,
        follow_ups: 0,
        follow_ups_missing: 0,
        sequence_gaps: 0,
        sync_delay_ns: Spread::default(),
        most_correction_ns: 0,
    }
}

fn domain(ports: Vec<PtpPort>) -> PtpDomain {
    PtpDomain {
        number: 127,
        sdo: 0,
        version: (2, 0),
        profile: PtpProfile::St2059,
        profile_reasons: Vec::new(),
        counts: Vec::new(),
        best: ports.first().map(|port| port.identity),
        master: ports.first().map(|port| port.identity),
        ports,
        changes_of_master: 0,
        delay: Default::default(),
        path_delay_ns: Spread::default(),
        capture_ahead_ns: Spread::default(),
        management: Vec::new(),
        extensions: Vec::new(),
        metadata: None,
    }
}

/// One stream that keeps what its session says.
fn in_order() -> Wire {
    let mut wire = Wire::new();
    wire.traffic.media.sessions = vec![session("right", &["239.1.1.1:5004"])];
    wire.traffic.media.streams = vec![stream(Some(0), vec![leg("192.0.2.1:5004", "239.1.1.1:5004")])];
    wire
}

fn everything_wrong() -> Wire {
    let mut wire = in_order();
    let media = &mut wire.traffic.media;
    media.sessions.push(session("silent", &["239.1.1.9:5004"]));
    let mut elsewhere = session("elsewhere", &["239.1.1.1:5004"]);
    elsewhere.reference = Some(ReferenceClock::Ptp {
        version: "IEEE1588-2008".to_owned(),
        grandmaster: Some([9; 8]),
        domain: Some(127),
    });
    media.sessions.push(elsewhere);

    let mut foreign = leg("192.0.2.66:5004", "239.1.1.1:5004");
    foreign.reception.lost = 30;
    foreign.reception.loss_runs = 2;
    foreign.reception.resets = 1;
    foreign.shaping = Some(ShapingFacts {
        declared: Some(SenderType::Narrow),
        units: 10,
        types: vec![TypeFacts {
            sender_type: SenderType::Narrow,
            burst_limit: Some(4),
            buffer_limit: Some(8),
            kept: 4,
            bursts: 6,
            overflows: 1,
            underflows: 2,
            first_violation: None,
        }],
        ..ShapingFacts::default()
    });
    foreign.timing = Some(TimingFacts { steps_odd: 4, steps: vec![(1800, 90)], ..TimingFacts::default() });
    let mut broken = stream(Some(0), vec![foreign]);
    broken.faults = vec![fault(&BROKEN), fault(&OTHER)];
    media.streams.push(broken);
    let legs = vec![leg("192.0.2.1:5004", "239.1.2.1:5004"), leg("192.0.2.1:5004", "239.1.2.2:5004")];
    let mut twice = stream(None, legs);
    twice.hitless = Some(HitlessFacts {
        legs: vec![HitlessLeg { received: 990, lost: 10, ..HitlessLeg::default() }; 2],
        union: 1000,
        common: 980,
        different: 1,
        ..HitlessFacts::default()
    });
    media.streams.push(twice);
    media.ptp.domains = vec![domain(vec![master(1, 1), master(2, 2)])];
    media.joined = vec![Joined {
        group: addr("239.77.1.1"),
        sources: Sources::Any,
        interface: 2,
        interface_name: Some("eth0".to_owned()),
        netns: 1,
        socket: None,
        users: 1,
    }];
    wire
}

fn rung(wire: &Wire) -> BTreeSet<Code> {
    wire.judge().findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn every_alarm_of_media_can_ring() {
    let rung = rung(&everything_wrong());
    let all = Code::ALL
        .iter()
        .copied()
        .filter(|code| (Code::StreamWithoutSession..=Code::ClockDisagreement).contains(code));
    let missing: Vec<&str> = all.filter(|code| !rung.contains(code)).map(|code| code.name()).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn what_comes_as_it_was_agreed_rings_nothing() {
    assert_eq!(rung(&in_order()), BTreeSet::new());
}

#[test]
fn every_finding_of_media_says_what_where_why_and_what_next() {
    for finding in &everything_wrong().judge().findings {
        let name = finding.code.name();
        assert!(!finding.subjects.is_empty() && !finding.evidence.is_empty(), "{name}");
        assert!(finding.title.len() > 15 && !finding.title.starts_with(' '), "{name}: {:?}", finding.title);
        assert!(finding.next_step.len() > 8, "{name}: {}", finding.next_step);
        assert!(finding.evidence.iter().all(|it| !it.fact.is_empty() && !it.source.is_empty()), "{name}");
    }
}

#[test]
fn what_goes_on_after_the_end_of_its_session_rings_after_a_grace() {
    let of = |ended: i64, source: SessionSource| {
        let mut wire = in_order();
        let media = &mut wire.traffic.media;
        let last = media.streams[0].legs[0].reception.last.unwrap();
        let at = media.streams[0].session.unwrap();
        media.sessions[at].ended =
            Some(model::Timestamp::from_ns(last.as_ns().saturating_sub(ended * 1_000_000_000)));
        media.sessions[at].source = source;
        rung(&wire)
    };
    let sap = || SessionSource::Sap(addr("192.0.2.1"));
    let rtsp = || SessionSource::Rtsp(socket("192.0.2.1:554"));
    assert_eq!(of(10, sap()), BTreeSet::new());
    assert_eq!(of(11, sap()), BTreeSet::from([Code::StreamWithoutSession]));
    assert_eq!(of(90, rtsp()), BTreeSet::new());
    assert_eq!(of(91, rtsp()), BTreeSet::from([Code::StreamWithoutSession]));
}

#[test]
fn groups_that_the_network_lives_by_are_nobodys_session() {
    for group in ["224.0.0.251", "224.0.1.129", "239.255.255.250", "ff02::fb", "ff05::2"] {
        let mut wire = in_order();
        wire.traffic.media.joined = vec![Joined {
            group: addr(group),
            sources: Sources::Any,
            interface: 2,
            interface_name: None,
            netns: 1,
            socket: None,
            users: 1,
        }];
        assert_eq!(rung(&wire), BTreeSet::new(), "{group}");
        // What somebody took for a time is not the network's, however short its number.
        if let Some(taken) = group.strip_prefix("ff05") {
            wire.traffic.media.joined[0].group = addr(&format!("ff15{taken}"));
            assert_eq!(rung(&wire), BTreeSet::from([Code::GroupWithoutSession]));
        }
    }
}
