//! Captures from the field against tshark, and clocks made wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use model::Timestamp;
use model::media::ptp::{DelayMechanism, PtpFacts, PtpProfile, PtpSender};
use wire::packet::{Decoded, OtherKind, decode};

use super::*;
use crate::pcap_tests::{corpus, frames};

/// Every PTP message of a capture.
fn messages(path: &Path, mut each: impl FnMut(&[u8], &Arrival)) {
    let bytes = std::fs::read(path).unwrap();
    frames(&bytes, |number, frame| {
        let arrival = |source, event_port| Arrival { source, time: frame.time, frame: number, event_port };
        match decode(frame) {
            Ok(Decoded::Packet(packet)) if [EVENT_PORT, GENERAL_PORT].contains(&packet.destination_port) => {
                let event = packet.destination_port == EVENT_PORT;
                each(packet.payload, &arrival(PtpSender::Ip(packet.source.to_ip()), Some(event)));
            }
            Ok(Decoded::Other(other))
                if other.kind == OtherKind::EtherType(wire::link::EtherType(ETHER_TYPE)) =>
            {
                let mac = *frame.bytes[6..].first_chunk().unwrap();
                each(other.payload, &arrival(PtpSender::Mac(mac), None));
            }
            _ => {}
        }
    });
}

fn seen(name: &str) -> Option<PtpFacts> {
    let path = corpus(&format!("ptp/{name}"))?;
    let mut observer = Observer::default();
    messages(&path, |bytes, arrival| observer.handle(bytes, arrival));
    Some(observer.facts())
}

fn count(facts: &PtpFacts, name: &str) -> u64 {
    facts.domains.iter().flat_map(|it| &it.counts).filter(|it| it.0 == name).map(|it| it.1).sum()
}

fn rung(facts: &PtpFacts) -> Vec<&'static str> {
    facts.faults.iter().map(|it| it.rule.name).collect()
}

/// What tshark reads, a line for each message: frame and fields.
fn by_tshark(path: &Path, fields: &[&str]) -> Option<BTreeMap<u64, Vec<String>>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args([
        "-Y",
        "ptp",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
        "-e",
        "frame.number",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: tshark is not installed");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let mut parts = line.split('\t').map(str::to_owned);
        (parts.next().unwrap().parse().unwrap(), parts.collect())
    });
    Some(lines.collect())
}

#[test]
fn tshark_reads_the_same() {
    let mut compared = 0;
    for name in [
        "PTP_clock.pcap",
        "ndpi-ptpv2.pcap",
        "ptp4l-veth-st2059-domain127-made-here.pcap",
        "ptpv2.pcap",
        "tcpdump-ptp.pcap",
        "tcpdump-ptp_corrections.pcap",
        "tcpdump-ptp_ethernet.pcap",
        "tcpdump-ptp_management.pcap",
        "tcpdump-ptp_v2_1.pcap",
        "undesired_mgt_msg.pcapng",
    ] {
        let Some(path) = corpus(&format!("ptp/{name}")) else { return };
        let fields = [
            "ptp.v2.messagetype",
            "ptp.v2.domainnumber",
            "ptp.v2.sequenceid",
            "ptp.v2.clockidentity",
            "ptp.v2.sourceportid",
            "ptp.v2.correction.ns",
            "ptp.v2.flags",
            "ptp.v2.logmessageperiod",
            "ptp.v2.minorversionptp",
            "ptp.v2.an.grandmasterclockidentity",
            "ptp.v2.an.priority1",
            "ptp.v2.an.grandmasterclockclass",
            "ptp.v2.an.origincurrentutcoffset",
            "ptp.v2.an.localstepsremoved",
        ];
        let Some(theirs) = by_tshark(&path, &fields) else { return };
        let mut ours = BTreeMap::new();
        messages(&path, |bytes, arrival| {
            let Ok(message) = parse(bytes) else { return };
            let header = message.header;
            let eui = |identity: model::media::ptp::ClockIdentity| {
                format!("0x{:016x}", u64::from_be_bytes(identity.0))
            };
            let bits = Kind::ALL.iter().position(|it| *it == header.kind).map(|_| bytes[0] & 0xf);
            let mut line = vec![
                format!("0x{:02x}", bits.unwrap()),
                header.domain.to_string(),
                header.sequence.to_string(),
                eui(header.source.clock),
                header.source.port.to_string(),
                (header.correction / 65_536).to_string(),
                format!("0x{:04x}", header.flags),
                header.log_interval.to_string(),
                header.version.1.to_string(),
            ];
            match message.body {
                Body::Announce(announce) => {
                    let data = announce.data;
                    line.extend([
                        eui(data.grandmaster),
                        data.priority1.to_string(),
                        data.class.to_string(),
                        data.utc_offset_s.to_string(),
                        data.steps_removed.to_string(),
                    ]);
                }
                _ => line.resize(14, String::new()),
            }
            ours.insert(arrival.frame, line);
        });
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (frame, line) in &ours {
            assert_eq!(line, &theirs[frame], "{name} frame {frame}");
            compared += 1;
        }
    }
    assert!(compared > 700, "{compared}");
}

#[test]
fn a_pair_of_ptp4l_in_domain_127() {
    let Some(facts) = seen("ptp4l-veth-st2059-domain127-made-here.pcap") else { return };
    let [domain] = facts.domains.as_slice() else { panic!("{facts:#?}") };
    assert_eq!(
        (domain.number, domain.profile, domain.delay),
        (127, PtpProfile::St2059, DelayMechanism::EndToEnd)
    );
    assert_eq!(
        (count(&facts, "Sync"), count(&facts, "Follow_Up"), count(&facts, "Announce")),
        (124, 124, 63)
    );
    assert_eq!((count(&facts, "Delay_Req"), count(&facts, "Delay_Resp")), (130, 130));
    let master = &domain.ports[0];
    assert_eq!((domain.master, domain.best), (Some(master.identity), Some(master.identity)));
    assert_eq!((master.syncs.log_interval, master.announces.log_interval), (Some(-3), Some(-2)));
    assert!(
        (120_000_000..135_000_000).contains(&master.syncs.interval_ns.mean().unwrap_or(0)),
        "{:?}",
        master.syncs
    );
    assert_eq!((master.two_step, master.follow_ups_missing, master.sequence_gaps), (124, 0, 0));
    assert!(
        domain.path_delay_ns.count > 100 && domain.path_delay_ns.mean().unwrap_or(0).abs() < 100_000,
        "{:?}",
        domain.path_delay_ns
    );
    // The clock of a ptp4l that stamps in software is the system's, and it says so: its time is not TAI.
    assert_eq!((facts.tai, master.announce.unwrap().ptp_timescale), (None, false));
    assert_eq!(rung(&facts), ["ptp-timescale", "ptp-metadata"], "{:#?}", facts.faults);
}

#[test]
fn version_1_is_read() {
    let Some(facts) = seen("ptpv1.pcap") else { return };
    assert_eq!((facts.version1_messages, facts.messages, facts.malformed), (4, 0, 0));
    let master = facts.version1.iter().find(|it| it.counts[0] == 1).unwrap();
    assert_eq!((master.subdomain.as_str(), master.counts), ("_DFLT", [1, 0, 1, 1, 0]));
    assert!(master.grandmaster.is_some() && master.stratum.is_some());
}

#[test]
fn peer_delay_over_ethernet_and_udp() {
    let Some(facts) = seen("ptpv2.pcap") else { return };
    assert_eq!(facts.malformed, 0);
    assert!(count(&facts, "Pdelay_Req") == 22 && count(&facts, "Sync") == 11, "{facts:#?}");
    assert!(facts.domains.iter().any(|it| it.delay == DelayMechanism::PeerToPeer));
    let Some(facts) = seen("tcpdump-ptp_v2_1.pcap") else { return };
    assert_eq!(facts.domains[0].version, (2, 1));
    assert_eq!(count(&facts, "Announce"), 5);
}

#[test]
fn management_and_negotiation_are_put_into_words() {
    let Some(facts) = seen("tcpdump-ptp_management.pcap") else { return };
    let items: Vec<_> = facts.domains[0].management.iter().map(|it| (it.item.as_str(), it.action)).collect();
    assert!(items.contains(&("default data set", "answer")) && items.contains(&("port data set", "read")));
    let Some(facts) = seen("undesired_mgt_msg.pcapng") else { return };
    let refused = facts.domains.iter().flat_map(|it| &it.management).find(|it| it.action == "error").unwrap();
    assert_eq!((refused.count, refused.last.as_str()), (10, "no such item"));
    let Some(facts) = seen("ndpi-ptpv2.pcap") else { return };
    let extensions: Vec<_> = facts.domains.iter().flat_map(|it| &it.extensions).collect();
    assert!(extensions.iter().any(|(text, _)| text.contains("unicast")), "{extensions:?}");
}

#[test]
fn corrections_and_ethernet() {
    let Some(facts) = seen("tcpdump-ptp_corrections.pcap") else { return };
    assert_eq!((facts.messages, facts.malformed), (3, 0));
    let Some(facts) = seen("tcpdump-ptp_ethernet.pcap") else { return };
    let [domain] = facts.domains.as_slice() else { panic!("{facts:#?}") };
    assert_eq!((count(&facts, "Sync"), count(&facts, "Follow_Up"), count(&facts, "Announce")), (70, 70, 35));
    assert!(matches!(domain.ports[0].sender, PtpSender::Mac(_)));
    assert_eq!(domain.ports[0].follow_ups_missing, 0);
}

/// A message of the given kind from clock `clock`, with its body.
fn made(kind: u8, clock: u8, sequence: u16, log: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(34 + body.len()).unwrap();
    let mut bytes = vec![kind, 2];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[127, 0]);
    bytes.extend_from_slice(&flags.to_be_bytes());
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(&[clock; 8]);
    bytes.extend_from_slice(&[0, 1]);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&[0, log]);
    bytes.extend_from_slice(body);
    bytes
}

fn time(ns: i64) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend_from_slice(&u32::try_from(ns / 1_000_000_000).unwrap().to_be_bytes());
    bytes.extend_from_slice(&u32::try_from(ns % 1_000_000_000).unwrap().to_be_bytes());
    bytes
}

fn announce(priority: u8, clock: u8) -> Vec<u8> {
    let mut body = time(0);
    body.extend_from_slice(&[0, 37, 0, priority, 6, 0x21, 0x4e, 0x5d, 128]);
    body.extend_from_slice(&[clock; 8]);
    body.extend_from_slice(&[0, 0, 0x20]);
    body
}

fn arrival(ns: i64, event: bool) -> Arrival {
    Arrival {
        source: PtpSender::Ip([10, 0, 0, 1].into()),
        time: Some(Timestamp::from_ns(ns)),
        frame: 1,
        event_port: Some(event),
    }
}

const SECOND: i64 = 1_000_000_000;
/// Where the capture's clock begins, and how far TAI is ahead of it.
const START: i64 = 1_700_000_000 * SECOND;
const AHEAD: i64 = 37 * SECOND + 123_456;

/// Runs a clock of domain 127 for eight seconds; `change` may spoil what it sends.
fn run(mut change: impl FnMut(u16, &mut Vec<(Vec<u8>, Arrival)>)) -> Observer {
    let mut observer = Observer::default();
    for index in 0..64_u16 {
        let now = START + i64::from(index) * SECOND / 8;
        let mut sent = vec![
            // It left 5 µs before it came.
            (made(0, 1, index, 0xfd, 0x0200, &time(0)), arrival(now + 5000, true)),
            (made(8, 1, index, 0xfd, 0, &time(now + AHEAD)), arrival(now + 9000, false)),
            (made(1, 9, index, 0x7f, 0, &time(0)), arrival(now + 20_000, true)),
        ];
        // The request came to the master 3 µs later, by a path that is as long.
        let mut response = time(now + AHEAD + 25_000);
        response.extend_from_slice(&[9; 8]);
        response.extend_from_slice(&[0, 1]);
        sent.push((made(9, 1, index, 0xfd, 0, &response), arrival(now + 30_000, false)));
        if index % 2 == 0 {
            sent.push((
                made(0xb, 1, index / 2, 0xfe, 0x001c, &announce(128, 1)),
                arrival(now + 40_000, false),
            ));
        }
        if index % 8 == 0 {
            let mut body = vec![0xff; 10];
            body.extend_from_slice(&[1, 1, 3, 0]);
            let metadata = model::media::ptp::SynchronizationMetadata {
                frame_rate: (25, 1),
                locking: 4,
                drop_frame: false,
                colour_frame: false,
                local_offset_s: 0,
                jump_s: 0,
                next_jump_s: 0,
                next_jam_s: 0,
                previous_jam_s: 0,
                previous_jam_offset_s: 0,
                daylight: 0,
                leap: 0,
            };
            tlv::write_metadata(&metadata, &mut body);
            sent.push((made(0xd, 1, index / 8, 0x7f, 0, &body), arrival(now + 50_000, false)));
        }
        change(index, &mut sent);
        for (bytes, arrival) in sent {
            observer.handle(&bytes, &arrival);
        }
    }
    observer
}

#[test]
fn a_good_clock_is_quiet_and_its_offset_exact() {
    let observer = run(|_, _| {});
    let facts = observer.facts();
    assert_eq!(rung(&facts), [""; 0], "{:#?}", facts.faults);
    let domain = &facts.domains[0];
    assert_eq!((domain.path_delay_ns.least, domain.path_delay_ns.greatest), (5000, 5000));
    let tai = observer.tai_offset_ns().unwrap();
    assert_eq!((tai.add_ns, tai.spread_ns, tai.path_delay_known, tai.traceable), (AHEAD, 0, true, true));
    assert_eq!(domain.metadata.unwrap().locking, 4);
    assert_eq!(domain.ports[0].announce.unwrap().class_meaning(), "locked to a primary reference");
}

#[test]
fn the_link_to_a_neighbour_is_as_long_as_it_was_made() {
    for two_step in [true, false] {
        let observer = run(|index, sent| {
            // No end-to-end exchange; the slave asks its neighbour, which is the master, over 5 µs each way.
            sent.retain(|(bytes, _)| bytes[0] != 1 && bytes[0] != 9);
            let now = START + i64::from(index) * SECOND / 8 + 60_000;
            let body = |ns: i64| [time(ns), vec![9; 8], vec![0, 1]].concat();
            sent.push((made(2, 9, index, 0x7f, 0, &[0; 20]), arrival(now, true)));
            let back = arrival(now + 80_000, true);
            if two_step {
                sent.push((made(3, 1, index, 0x7f, 0x0200, &body(now + AHEAD + 5000)), back));
                let mut follow_up = made(0xa, 1, index, 0x7f, 0, &body(now + AHEAD + 74_000));
                // Another microsecond in its correction field.
                follow_up[8..16].copy_from_slice(&(1000_i64 << 16).to_be_bytes());
                sent.push((follow_up, arrival(now + 90_000, false)));
            } else {
                let mut response = made(3, 1, index, 0x7f, 0, &body(0));
                response[8..16].copy_from_slice(&(70_000_i64 << 16).to_be_bytes());
                sent.push((response, back));
            }
            // The master asks as well, and its own question says nothing of the path to it.
            sent.push((made(2, 1, index, 0x7f, 0, &[0; 20]), arrival(now + 1000, true)));
            let answer = [time(0), vec![1; 8], vec![0, 1]].concat();
            sent.push((made(3, 9, index, 0x7f, 0, &answer), arrival(now + 1500, true)));
        });
        let facts = observer.facts();
        let domain = &facts.domains[0];
        assert_eq!(domain.delay, DelayMechanism::PeerToPeer);
        let path = domain.path_delay_ns;
        assert_eq!((path.count, path.least, path.greatest), (64, 5000, 5000), "two steps: {two_step}");
        let tai = observer.tai_offset_ns().unwrap();
        assert_eq!((tai.add_ns, tai.path_delay_known), (AHEAD, true));
    }
}

#[test]
fn a_domain_has_the_highest_version_that_is_spoken() {
    let facts = run(|_, sent| {
        for (bytes, _) in sent.iter_mut().filter(|(bytes, _)| bytes[0] == 0) {
            bytes[1] = 0x12;
        }
    })
    .facts();
    assert_eq!(facts.domains[0].version, (2, 1));
}

#[test]
fn each_rule_rings() {
    type Change = fn(u16, &mut Vec<(Vec<u8>, Arrival)>);
    let cases: &[(&str, Change)] = &[
        ("ptp-follow-up-missing", |index, sent| {
            if index == 20 {
                sent.remove(1);
            }
        }),
        ("ptp-sequence", |index, sent| {
            if index == 20 {
                sent.drain(..2);
            }
        }),
        ("ptp-malformed", |_, sent| sent[0].0.truncate(40)),
        ("ptp-reserved", |_, sent| sent[0].0[0] = 7),
        ("ptp-port", |_, sent| sent[0].1.event_port = Some(false)),
        ("ptp-senders", |index, sent| {
            if index == 9 {
                sent[0].1.source = PtpSender::Mac([1; 6])
            }
        }),
        ("ptp-transport", |_, sent| sent.iter_mut().for_each(|it| it.1.source = PtpSender::Mac([1; 6]))),
        ("ptp-interval", |_, sent| sent[0].0[33] = 0xfc),
        ("ptp-sync-interval", |_, sent| sent[0].0[33] = 0),
        ("ptp-announce-interval", |_, sent| {
            if sent.len() > 4 {
                sent[4].0[33] = 2
            }
        }),
        ("ptp-request-interval", |_, sent| sent[3].0[33] = 0xfc),
        ("ptp-timescale", |_, sent| {
            if sent.len() > 4 {
                sent[4].0[7] = 0
            }
        }),
        ("ptp-domain", |_, sent| sent.iter_mut().for_each(|it| it.0[4] = 128)),
        ("ptp-metadata", |index, sent| {
            if index % 8 == 0 {
                sent.truncate(5)
            }
        }),
        ("ptp-two-masters", |index, sent| {
            let other = (made(0, 2, index, 0xfd, 0, &time(0)), sent[0].1);
            sent.push(other);
        }),
        ("ptp-not-best", |index, sent| {
            let other = (made(0xb, 2, index, 0xfd, 0x001c, &announce(1, 2)), sent[1].1);
            sent.push(other);
        }),
    ];
    for (expected, change) in cases {
        let facts = run(change).facts();
        assert!(rung(&facts).contains(expected), "{expected}: {:?}", rung(&facts));
    }
}

#[test]
fn any_octets_are_survived() {
    let mut sample = Vec::new();
    run(|index, sent| {
        if index < 2 {
            for (bytes, _) in sent.iter() {
                sample.extend_from_slice(&[u8::try_from(bytes.len()).unwrap(), 4]);
                sample.extend_from_slice(bytes);
            }
        }
    });
    let mut seed = 11_u64;
    for _ in 0..600 {
        let mut copy = sample.clone();
        for _ in 0..6 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            copy[at] = seed.to_le_bytes()[5];
        }
        check(&copy);
        check(&copy[2..]);
    }
    (0..sample.len()).for_each(|end| check(&sample[..end]));
}
