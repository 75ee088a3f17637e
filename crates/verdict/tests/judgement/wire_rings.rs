//! Every alarm of the wire can ring, and rings for what it says.

use std::collections::BTreeSet;

use model::Transport::{Tcp, Udp};
use model::*;

use crate::wire_support::*;

/// One capture with something wrong of every kind.
pub fn everything_wrong() -> Wire {
    let mut wire = Wire::new().policy("[[deny]]\nport = 23\nreason = \"nothing unencrypted\"\n");
    let mut earlier = portreeve_verdict::Earlier::default();
    for server in ["192.168.1.7", "192.168.1.8", "203.0.113.7", "198.51.100.20"] {
        for port in [22, 420, 53, 443, 445, 4, 1023, 23, 8006, 8007] {
            earlier.add(addr(server), Tcp, port);
            earlier.add(addr(server), Udp, port);
        }
    }
    wire.earlier = Some(earlier);

    wire.speaks(Tcp, "192.168.1.7:420", &SSH)
        .recognised
        .details
        .push(Detail { name: "software", value: "OpenSSH_9.2p1".to_owned() });
    wire.speaks(Tcp, "192.168.1.8:420", &SSH);
    wire.speaks(Tcp, "203.0.113.7:53", &SMB);
    wire.speaks(Tcp, "192.168.1.7:22", &SSH).recognised.attempt = Some(&HTTP);
    wire.mutters(Tcp, "198.51.100.20:443", Appearance::Encrypted);
    wire.mutters(Udp, "192.168.1.8:420", Appearance::Binary);
    wire.mutters(Udp, "192.168.1.7:4", Appearance::Text).answered = true;
    wire.mutters(Tcp, "192.168.1.7:1023", Appearance::Empty);
    wire.speaks(Tcp, "192.168.1.7:8100", &HTTP); // new
    wire.speaks(Tcp, "198.51.100.20:23", &TELNET); // denied, and in the clear
    wire.speaks(Tcp, "192.168.1.7:8006", &TLS).recognised.certificate =
        Some(certificate("old.example.org", -400..-30, false));
    wire.speaks(Tcp, "192.168.1.8:8006", &TLS).recognised.certificate =
        Some(certificate("self.example.org", -40..300, true));
    wire.touch(Tcp, 421, 2);
    wire.scan("203.0.113.99", ScanKind::Vertical, (1, 1000)).open = 12;
    wire.scan("203.0.113.99", ScanKind::Horizontal, (22, 22));
    wire.beacon("192.168.1.50", "198.51.100.20:443", 0.97);
    wire.traffic.faults.push(WireFault {
        layer: "tcp",
        what: "header length below 20 bytes (RFC 9293 §3.1)",
        count: 12,
        frame: 7,
        at: 34,
    });
    wire.traffic.unread_links.push((147, 1_204));
    wire
}

#[test]
fn every_alarm_of_the_wire_can_ring() {
    let judgement = everything_wrong().judge();
    let rung: BTreeSet<Code> = judgement.findings.iter().map(|finding| finding.code).collect();
    let missing: Vec<&str> =
        of_the_wire().filter(|code| !rung.contains(code)).map(|code| code.name()).collect();
    assert_eq!(missing, [""; 0]);
}

/// The codes that only traffic raises, of media or not.
pub fn of_traffic() -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(|code| *code >= Code::ProtocolMismatch)
}

/// Those of them that are not about media.
pub fn of_the_wire() -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(|code| (Code::ProtocolMismatch..=Code::UnreadLink).contains(code))
}

#[test]
fn every_finding_of_the_wire_says_what_where_why_and_what_next() {
    for finding in &everything_wrong().judge().findings {
        let name = finding.code.name();
        assert!(!finding.subjects.is_empty() && !finding.evidence.is_empty(), "{name}");
        assert!(finding.title.len() > 15 && !finding.title.starts_with(' '), "{name}: {:?}", finding.title);
        assert!(finding.next_step.len() > 8, "{name}: {}", finding.next_step);
        for piece in &finding.evidence {
            assert!(!piece.fact.is_empty() && !piece.source.is_empty(), "{name}: {piece:?}");
        }
        assert!(!finding.title.contains("malware") && !finding.title.contains("trojan"), "{name}");
    }
}

#[test]
fn the_judgement_of_the_wire_is_the_same_every_time_and_gravest_first() {
    let wire = everything_wrong();
    let first = wire.judge();
    assert_eq!(first, wire.judge());
    assert!(first.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

/// What people read, kept beside the code: `UPDATE_EXPECT=1 cargo test` writes it anew.
#[test]
fn the_words_of_the_wire_are_as_expected() {
    crate::support::compare("wire.expect", &everything_wrong().judge().findings);
}

#[test]
fn ten_protocols_on_the_smpte_port_are_ten_findings() {
    let mut wire = Wire::new();
    for protocol in [&SSH, &MQTT, &HTTP, &SIP, &SMB, &MODBUS] {
        wire.speaks(Tcp, "192.168.1.7:420", protocol);
    }
    for protocol in [&TFTP, &DNS, &SNMP, &KERBEROS] {
        wire.speaks(Udp, "192.168.1.7:420", protocol);
    }
    let findings = wire.judge().findings;
    let named = |finding: &&Finding| finding.code == Code::ProtocolMismatch;
    assert_eq!(findings.iter().filter(named).count(), 10, "{findings:#?}");
    for finding in findings.iter().filter(named) {
        assert!(finding.severity >= Severity::Warning, "{}", finding.title);
        assert!(
            finding.title.ends_with("the port is assigned to SMPTE, and not in ordinary use"),
            "{}",
            finding.title
        );
        assert!(finding.evidence.iter().any(|piece| piece.source == "silence table"), "{}", finding.title);
    }
    // The chair is a part of each, not a finding of its own; SNMP is in the clear besides.
    let others: Vec<&str> =
        findings.iter().filter(|finding| !named(finding)).map(|finding| finding.code.name()).collect();
    assert_eq!(others, ["cleartext-credentials"]);
}

/// What one service raises.
fn ring(make: impl FnOnce(&mut Wire)) -> Vec<String> {
    let mut wire = Wire::new();
    make(&mut wire);
    wire.rings()
}

#[test]
fn severity_follows_the_protocol_and_the_port() {
    let tcp = |port: u16, protocol: &'static Protocol| {
        ring(|wire| {
            wire.speaks(Tcp, &format!("192.168.1.7:{port}"), protocol);
        })
    };
    for (port, protocol, expected) in [
        // It has no business elsewhere.
        (53, &SMB, "protocol-mismatch alert"),
        (420, &MODBUS, "protocol-mismatch alert"),
        (3306, &SMB, "protocol-mismatch warning"),
        (13131, &SMB, "protocol-mismatch warning"),
        (50000, &RDP, "protocol-mismatch warning"),
        // It has ports of its own.
        (53, &SIP, "protocol-mismatch warning"),
        (5432, &REDIS, "protocol-mismatch warning"),
        (12121, &REDIS, "protocol-mismatch note"),
        // It wanders.
        (53, &SSH, "protocol-mismatch warning"),
        (443, &SSH, "protocol-mismatch warning"),
        (443, &HTTP, "protocol-mismatch warning"),
        (420, &TLS, "protocol-mismatch warning"),
        (3306, &HTTP, "protocol-mismatch note"),
        (12121, &HTTP, "protocol-mismatch note"),
        // The service of the port, under TLS.
        (80, &TLS, "protocol-mismatch note"),
        (53, &TLS, "protocol-mismatch note"),
        // A chair that is nobody's is its own finding, whoever sits there.
        (4, &SSH, "unassigned-port-traffic warning"),
        (1023, &SMB, "reserved-port-traffic warning"),
    ] {
        assert_eq!(tcp(port, protocol), [expected], "{} on {port}", protocol.title);
    }
}

#[test]
fn a_part_of_the_bytes_is_less_than_all_of_them() {
    let partial = |protocol| {
        ring(|wire| wire.speaks(Tcp, "192.168.1.7:53", protocol).recognised.certainty = Certainty::Partial)
    };
    assert_eq!(partial(&SMB), ["protocol-mismatch warning"]);
    assert_eq!(partial(&SSH), ["protocol-mismatch note"]);
    let chair =
        ring(|wire| wire.speaks(Tcp, "192.168.1.7:420", &SSH).recognised.certainty = Certainty::Partial);
    assert_eq!(chair, ["protocol-mismatch warning"], "an empty chair in use is seen in full");
}

#[test]
fn where_the_answer_was_seen_first_the_port_may_be_the_clients() {
    let turned = ring(|wire| {
        wire.speaks(Udp, "192.168.1.50:50123", &KERBEROS);
    });
    assert_eq!(turned, ["protocol-mismatch note"]);
    let opened = ring(|wire| {
        wire.speaks(Tcp, "192.168.1.50:50123", &KERBEROS);
    });
    assert_eq!(opened, ["protocol-mismatch warning"]);
}

#[test]
fn an_attempt_is_never_a_mismatch() {
    // A client that speaks HTTP to an SSH server is an attempt, and SSH stays SSH.
    let ssh = ring(|wire| wire.speaks(Tcp, "192.168.1.7:22", &SSH).recognised.attempt = Some(&HTTP));
    assert_eq!(ssh, ["protocol-attempt note"]);
    let unanswered = ring(|wire| wire.tried(Udp, "192.168.1.7:53", &SNMP).answered = false);
    assert_eq!(unanswered, ["protocol-attempt note"]);
    // What the port is for may be tried, and wanderers may be tried on anything that is nobody's.
    assert_eq!(ring(|wire| wire.tried(Tcp, "192.168.1.7:443", &TLS).answered = false), [""; 0]);
    assert_eq!(ring(|wire| wire.tried(Tcp, "192.168.1.7:13131", &HTTP).answered = false), [""; 0]);
    assert_eq!(
        ring(|wire| wire.tried(Tcp, "192.168.1.7:13131", &SMB).answered = false),
        ["protocol-attempt note"]
    );
    // On an empty chair the traffic is the finding, and what was tried a part of it.
    let mut wire = Wire::new();
    wire.tried(Udp, "192.168.1.7:420", &SNMP).answered = false;
    let findings = wire.judge().findings;
    assert_eq!(wire.rings(), ["silent-port-traffic note"]);
    assert!(findings[0].title.contains("is sent SNMP, without an answer"), "{}", findings[0].title);
}

#[test]
fn foreign_bytes_need_a_port_that_we_would_know() {
    let bytes = |transport, place: &str| {
        ring(|wire| {
            wire.mutters(transport, place, Appearance::Encrypted);
        })
    };
    assert_eq!(bytes(Tcp, "192.168.1.7:53"), ["foreign-bytes warning"]);
    assert_eq!(bytes(Udp, "192.168.1.7:53"), ["foreign-bytes warning"]);
    assert_eq!(bytes(Udp, "192.168.1.7:123"), ["foreign-bytes warning"]);
    assert_eq!(bytes(Tcp, "192.168.1.7:143"), ["foreign-bytes warning"]);
    // QUIC cannot be recognised in its middle.
    assert_eq!(bytes(Udp, "192.168.1.7:443"), ["foreign-bytes note"]);
    assert_eq!(bytes(Tcp, "192.168.1.7:6379"), ["foreign-bytes note"]);
    // Finger: nobody here would know it.
    assert_eq!(bytes(Tcp, "192.168.1.7:79"), [""; 0]);

    let middle = ring(|wire| {
        wire.mutters(Tcp, "192.168.1.7:443", Appearance::Binary).direction = Direction::FirstSeen
    });
    assert_eq!(middle, ["foreign-bytes note"]);
    let cut = ring(|wire| {
        wire.mutters(Tcp, "192.168.1.7:443", Appearance::Binary);
        wire.traffic.volume.cut = 5;
    });
    assert_eq!(cut, ["foreign-bytes note"]);
    let all_cut = ring(|wire| {
        wire.mutters(Tcp, "192.168.1.7:443", Appearance::Binary);
        wire.traffic.volume.cut = wire.traffic.volume.frames;
    });
    assert_eq!(all_cut, [""; 0]);
    let others = ring(|wire| {
        wire.mutters(Tcp, "192.168.1.7:443", Appearance::Binary);
        wire.speaks(Tcp, "192.168.1.7:443", &TLS);
    });
    assert_eq!(others, ["foreign-bytes note"]);
}

#[test]
fn an_empty_chair_is_a_warning_if_somebody_answers_and_a_note_if_not() {
    assert_eq!(
        ring(|wire| {
            wire.mutters(Tcp, "192.168.1.7:420", Appearance::Binary);
        }),
        ["silent-port-traffic warning"]
    );
    assert_eq!(
        ring(|wire| wire.mutters(Tcp, "192.168.1.7:420", Appearance::Empty).answered = false),
        ["silent-port-traffic note"]
    );
    assert_eq!(
        ring(|wire| {
            wire.touch(Tcp, 420, 1);
        }),
        ["silent-port-traffic note"]
    );
    assert_eq!(
        ring(|wire| {
            wire.touch(Tcp, 1023, 1);
        }),
        ["reserved-port-traffic note"]
    );
    // A caller from a reserved port, seen from the middle.
    let caller = ring(|wire| {
        wire.mutters(Tcp, "192.168.1.7:700", Appearance::Binary).direction = Direction::FirstSeen
    });
    assert!(caller.iter().all(|rung| rung.ends_with("note")), "{caller:?}");
    // Told once: as the protocol that other flows of the same door showed.
    let both = ring(|wire| {
        wire.speaks(Tcp, "192.168.1.7:420", &SSH);
        wire.mutters(Tcp, "192.168.1.7:420", Appearance::Empty);
    });
    assert_eq!(both, ["protocol-mismatch warning"]);
}

#[test]
fn a_scan_explains_its_knocks() {
    let scanned = |sources| {
        ring(|wire| {
            wire.scan("203.0.113.9", ScanKind::Vertical, (1, 1000));
            for port in [420, 421, 4] {
                wire.touch(Tcp, port, sources);
            }
        })
    };
    assert_eq!(scanned(1), ["scan note"]);
    let [scan, silent, unassigned] =
        ["scan note", "silent-port-traffic note", "unassigned-port-traffic note"];
    assert_eq!(scanned(2), [scan, silent, silent, unassigned]);
    // A service that only the scanner met is the scanner's.
    let met = ring(|wire| {
        wire.scan("192.168.1.50", ScanKind::Vertical, (1, 1000));
        wire.mutters(Tcp, "192.168.1.7:420", Appearance::Empty).answered = false;
    });
    assert_eq!(met, ["scan note"]);
}

#[test]
fn a_scan_is_one_finding_per_source_and_a_warning_if_it_found_much() {
    let mut wire = Wire::new();
    for (kind, ports) in
        [(ScanKind::Vertical, (1, 1000)), (ScanKind::Horizontal, (22, 22)), (ScanKind::Block, (1, 9))]
    {
        wire.scan("203.0.113.9", kind, ports);
    }
    wire.scan("203.0.113.10", ScanKind::Horizontal, (445, 445)).open = 40;
    assert_eq!(wire.rings(), ["scan warning", "scan note"]);
    let findings = wire.judge().findings;
    assert_eq!(findings[1].subjects, [Subject::Scan(0), Subject::Scan(1), Subject::Scan(2)]);
    assert_eq!(
        findings[1].title,
        "203.0.113.9 scans 1,000 ports of 192.168.1.1 over tcp, and in 2 ways more; found open: 6"
    );
}

#[test]
fn a_beacon_explains_each_of_its_numbers() {
    let mut wire = Wire::new();
    wire.beacon("192.168.1.50", "203.0.113.7:443", 0.97);
    wire.beacon("192.168.1.51", "203.0.113.7:443", 0.95);
    wire.beacon("192.168.1.50", "192.168.1.9:443", 0.97);
    wire.beacon("192.168.1.50", "203.0.113.8:443", 0.8);
    assert_eq!(wire.rings(), ["beacon warning", "beacon note", "beacon note"]);
    let finding = &wire.judge().findings[0];
    assert_eq!(
        finding.title,
        "192.168.1.50 and 192.168.1.51 call 203.0.113.7:443/tcp every 60 s, as regularly as a clock (score 0.97)"
    );
    for name in ["Interval score 0.97", "Size score 0.97", "Duration score 0.97", "Histogram score 0.97"] {
        assert!(finding.evidence.iter().any(|piece| piece.fact.starts_with(name)), "{name}");
    }
}

#[test]
fn passwords_in_the_clear_are_graver_beyond_private_addresses() {
    assert_eq!(
        ring(|wire| {
            wire.speaks(Tcp, "192.168.1.7:23", &TELNET);
        }),
        ["cleartext-credentials note"]
    );
    assert_eq!(
        ring(|wire| {
            wire.speaks(Tcp, "203.0.113.7:23", &TELNET);
        }),
        ["cleartext-credentials warning"]
    );
    let from_afar =
        ring(|wire| wire.speaks(Tcp, "192.168.1.7:23", &TELNET).some_clients.push(addr("203.0.113.7")));
    assert_eq!(from_afar, ["cleartext-credentials warning"]);
    let attempt = ring(|wire| {
        wire.tried(Tcp, "192.168.1.7:23", &TELNET);
    });
    assert_eq!(attempt, [""; 0]);
}

#[test]
fn a_password_that_was_seen_is_told_of_http() {
    let with = |scheme: &str| {
        let detail = Detail { name: "authorization", value: scheme.to_owned() };
        ring(|wire| wire.speaks(Tcp, "203.0.113.7:80", &HTTP).recognised.details.push(detail))
    };
    assert_eq!(with("Basic"), ["cleartext-credentials warning"]);
    assert_eq!(with("Digest"), [""; 0]);
}

#[test]
fn a_tls_server_that_refuses_plain_http_is_a_note() {
    let status = |status: &str| {
        let detail = Detail { name: "status", value: status.to_owned() };
        ring(|wire| wire.speaks(Tcp, "203.0.113.7:443", &HTTP).recognised.details.push(detail))
    };
    assert_eq!(status("400"), ["protocol-mismatch note"]);
    assert_eq!(status("200"), ["protocol-mismatch warning"]);
}

#[test]
fn certificates_are_held_against_the_time_of_the_packets() {
    let shown = |days| {
        ring(|wire| {
            wire.speaks(Tcp, "203.0.113.7:443", &TLS).recognised.certificate =
                Some(certificate("www.example.org", days, false));
        })
    };
    assert_eq!(shown(-400..-1), ["tls-expired note"]);
    assert_eq!(shown(1..400), ["tls-expired note"]);
    assert_eq!(shown(-1..1), [""; 0]);
    // The same certificate on two servers is one finding.
    let mut wire = Wire::new();
    for server in ["203.0.113.7:443", "203.0.113.8:443"] {
        wire.speaks(Tcp, server, &TLS).recognised.certificate =
            Some(certificate("www.example.org", -9..-1, true));
    }
    assert_eq!(wire.rings(), ["tls-expired note", "tls-self-signed note"]);
    assert!(
        wire.judge().findings[0]
            .title
            .starts_with("203.0.113.7:443/tcp and 203.0.113.8:443/tcp show a certificate")
    );
}

#[test]
fn many_ports_in_the_same_plight_are_one_finding() {
    let mut wire = Wire::new();
    for port in [3306, 5432, 6379, 5672, 1883, 9042] {
        wire.speaks(Tcp, &format!("192.168.1.7:{port}"), &SSH);
    }
    let findings = wire.judge().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].subjects.len(), 6);
    assert_eq!(
        findings[0].title,
        "192.168.1.7:3306/tcp (mysql), 192.168.1.7:5432/tcp (postgresql), 192.168.1.7:6379/tcp (redis) and 3 more \
         speak what these ports are not for: SSH"
    );
}

#[test]
fn the_same_protocol_on_the_same_port_of_many_servers_is_one_finding() {
    let mut wire = Wire::new();
    for last in 1..=200 {
        wire.speaks(Tcp, &format!("10.0.0.{last}:53"), &SSH);
    }
    let findings = wire.judge().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].subjects.len(), 200);
    assert!(
        findings[0].title.ends_with("and 197 more speak SSH; the port is ordinarily domain (commonly dns)"),
        "{}",
        findings[0].title
    );
    assert!(findings[0].evidence.len() <= 17);
}

#[test]
fn what_is_new_is_told_by_what_was_known() {
    let mut wire = Wire::new();
    let mut earlier = portreeve_verdict::Earlier::default();
    earlier.add(addr("192.168.1.7"), Tcp, 22);
    earlier.add(addr("203.0.113.7"), Tcp, 443);
    wire.earlier = Some(earlier);
    wire.speaks(Tcp, "192.168.1.7:22", &SSH);
    assert_eq!(wire.rings(), [""; 0]);
    wire.speaks(Tcp, "192.168.1.7:80", &HTTP);
    wire.speaks(Tcp, "192.168.1.8:80", &HTTP);
    wire.speaks(Tcp, "203.0.113.7:80", &HTTP);
    for last in 1..100 {
        wire.speaks(Tcp, &format!("198.51.100.{last}:443"), &TLS);
    }
    assert_eq!(
        wire.rings(),
        ["service-new warning", "service-new note", "service-new note", "service-new note"]
    );
    // The other transport of a known door is another door; a port that a system chose is none.
    let rung = wire.rings().len();
    wire.speaks(Tcp, "192.168.1.7:50000", &TLS);
    assert_eq!(wire.rings().len(), rung);
}

#[test]
fn policy_accepts_forbids_and_expires_on_the_wire() {
    let judge = |text: &str| {
        let mut wire = Wire::new().policy(text);
        wire.speaks(Tcp, "192.168.1.7:420", &SSH);
        wire.mutters(Udp, "192.168.1.7:420", Appearance::Binary);
        wire.judge()
    };
    let standing =
        |text: &str| judge(text).findings.iter().map(|finding| finding.code.name()).collect::<Vec<_>>();
    let both = ["protocol-mismatch", "silent-port-traffic"];
    // That something is there is one thing, that it speaks what it should not another.
    assert_eq!(standing("[[allow]]\nport = 420\nreason = \"r\"\n"), ["protocol-mismatch"]);
    let named = "[[allow]]\nport = 420\ntransport = \"tcp\"\ncode = \"protocol-mismatch\"\nreason = \"r\"\n";
    assert_eq!(standing(named), ["silent-port-traffic"]);
    assert_eq!(judge(named).accepted[0].reason, "r");
    let address = "[[allow]]\naddress = \"192.168.0.0/16\"\ncode = [\"protocol-mismatch\", \"silent-port-traffic\"]\nreason = \"r\"\n";
    assert_eq!(standing(address), [""; 0]);
    assert_eq!(standing(&address.replace("192.168", "10.0")), both);
    // Who holds it cannot be read from packets: nothing is accepted, and the evidence says which entry might.
    let holder =
        "[[allow]]\nport = 420\nexe = \"/usr/sbin/sshd\"\ncode = \"protocol-mismatch\"\nreason = \"r\"\n";
    assert_eq!(standing(holder), both);
    assert!(judge(holder).findings[0].evidence.iter().any(|piece| piece.source == "policy.toml:1"));
    // An entry that had expired when the packets were seen accepts nothing, and is told where it would have mattered.
    let expired = format!("{named}expires = \"2026-01-01\"\n");
    let codes = standing(&expired);
    assert!(codes.contains(&"protocol-mismatch") && codes.contains(&"policy-expired"), "{codes:?}");
    assert_eq!(
        standing(&named.replace("420", "421").replace("reason", "expires = \"2026-01-01\"\nreason")),
        both
    );
    let lowered = format!("{named}severity = \"note\"\n");
    assert_eq!(
        judge(&lowered).findings.iter().find(|it| it.code == Code::ProtocolMismatch).unwrap().severity,
        Severity::Note
    );
    // What is forbidden is a violation only where somebody answered.
    let deny = "[[deny]]\nport = 420\ntransport = \"tcp\"\nreason = \"never\"\n";
    assert_eq!(standing(deny), ["policy-violation", "protocol-mismatch", "silent-port-traffic"]);
    let mut wire = Wire::new().policy(deny);
    wire.mutters(Tcp, "192.168.1.7:420", Appearance::Empty).answered = false;
    assert_eq!(wire.rings(), ["silent-port-traffic note"]);
}

#[test]
fn policy_knows_scanners_by_their_address() {
    let mut wire =
        Wire::new().policy("[[allow]]\naddress = \"10.0.0.9\"\ncode = \"scan\"\nreason = \"ours\"\n");
    wire.scan("10.0.0.9", ScanKind::Block, (1, 65_535));
    wire.scan("10.0.0.10", ScanKind::Block, (1, 65_535));
    let judgement = wire.judge();
    assert_eq!((judgement.findings.len(), judgement.accepted.len()), (1, 1));
    assert!(
        judgement.findings[0].title.starts_with("10.0.0.10 scans 65,535 ports of 250 addresses over tcp")
    );
}

#[test]
fn few_unread_frames_are_a_note_and_a_damaged_file_says_so() {
    let mut wire = Wire::new();
    wire.traffic.unread_links.push((147, 3));
    wire.traffic.faults.push(WireFault {
        layer: "pcapng",
        what: "block cut short",
        count: 1,
        frame: 0,
        at: 4_096,
    });
    wire.traffic.faults.push(WireFault {
        layer: "ipv4",
        what: "length beyond the end",
        count: 1,
        frame: 3,
        at: 16,
    });
    assert_eq!(wire.rings(), ["damaged-traffic note", "damaged-traffic note", "unread-link note"]);
    let findings = wire.judge().findings;
    assert!(findings.iter().any(|it| it.title == "The capture is damaged: 1 fault in pcapng"));
    assert!(findings[0].evidence[0].fact.contains("at byte"), "{findings:#?}");
}

#[test]
fn commands_name_the_file_in_quotes_or_the_interface() {
    let mut wire = Wire::new();
    wire.traffic.sources = vec!["x'; reboot; '.pcap".to_owned()];
    wire.speaks(Tcp, "192.168.1.7:420", &SSH);
    let step = &wire.judge().findings[0].next_step;
    assert!(
        step.starts_with(r"portreeve read 'x'\''; reboot; '\''.pcap' --port 420 --write evidence.pcapng"),
        "{step}"
    );
}

#[test]
fn a_hundred_thousand_services_are_judged_in_time() {
    let mut wire = Wire::new();
    for number in 0..100_000_u32 {
        let (port, last) = (1 + number % 60_000, number / 256 % 256);
        let server = format!("10.{}.{last}.{}:{port}", number / 65_536, number % 254 + 1);
        match number % 3 {
            0 => wire.speaks(Tcp, &server, &HTTP),
            1 => wire.mutters(Tcp, &server, Appearance::Encrypted),
            _ => wire.speaks(Tcp, &server, &SMB),
        };
    }
    let start = std::time::Instant::now();
    let findings = wire.judge().findings;
    let took = start.elapsed();
    eprintln!("100,000 services judged in {took:?}, {} findings", findings.len());
    assert!(findings.len() < 200, "{}", findings.len());
    let budget = if cfg!(debug_assertions) { 60_000 } else { 1_000 };
    assert!(took.as_millis() <= budget, "{took:?}");
}

#[test]
fn frames_that_are_encrypted_on_the_link_are_told_and_none_are_not() {
    let mut wire = Wire::new();
    assert_eq!(wire.rings(), [""; 0]);
    wire.traffic.volume.encrypted = 30;
    assert_eq!(wire.rings(), ["unread-link note"]);
    wire.traffic.volume.encrypted = 30_000;
    assert_eq!(wire.rings(), ["unread-link warning"]);
}
