//! The corpus of the wire, made with real daemons and clients: what is said of each capture, on its own port and on 420.
//!
//! `corpus/wire/EXPECT.tsv` is what we say, `corpus/wire/OTHERS.tsv` what tshark and nDPI say, and `docs/protocols.md` is
//! made of both. With PORTREEVE_BLESS set they are written instead of compared.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where something is wrong")]

mod corpus {
    pub mod others;
    pub mod paper;
    pub mod table;
}
#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::collections::BTreeSet;

use corpus::table::{Line, captures, committed, compare, listen, own_port, write};
use corpus::{others, paper};

/// What is played on the port of SMPTE.
const TEN: [&str; 10] = ["ssh", "mqtt", "http", "sip", "tftp", "dns", "smb", "snmp", "modbus", "kerberos"];

#[test]
fn every_capture_says_what_it_should() {
    let lines: Vec<Line> = captures().iter().flat_map(|capture| listen(capture)).collect();
    compare("corpus/wire/EXPECT.tsv", &write(&lines));
}

#[test]
fn ten_protocols_on_the_port_of_smpte_are_named_with_the_finding() {
    let lines = committed();
    for protocol in TEN {
        let capture = format!("{protocol}-420");
        let line = lines.iter().find(|line| line.capture == capture && line.port == 420).unwrap();
        assert_eq!(line.protocol, protocol, "{line:?}");
        // TFTP answers from a port of its own, and is known by the answer all the same.
        assert_eq!(
            (line.certainty.as_str(), line.findings.as_str()),
            ("confirmed", "protocol-mismatch"),
            "{line:?}"
        );
    }
}

#[test]
fn a_protocol_at_home_raises_nothing_and_the_same_one_on_420_does() {
    for line in committed().iter().filter(|line| !line.capture.starts_with("crossed-")) {
        let home = own_port(&line.capture);
        if home && line.protocol != "-" {
            let quiet = line.findings.split(',').all(|code| matches!(code, "-" | "tls-self-signed"));
            assert!(quiet || paper::REASONS.iter().any(|(capture, _)| *capture == line.capture), "{line:?}");
        }
        if !home && line.port == 420 {
            assert_ne!(line.findings, "-", "{line:?}");
        }
    }
}

#[test]
fn crossed_talk_is_judged_by_the_server() {
    let lines = committed();
    let of = |capture: &str| {
        let line = lines.iter().find(|line| line.capture == capture).unwrap();
        [&line.protocol, &line.certainty, &line.attempt, &line.findings].map(String::as_str)
    };
    // HTTP to an SSH server is an attempt, and SSH stays SSH.
    assert_eq!(of("crossed-http-to-ssh-22"), ["ssh", "confirmed", "http", "protocol-attempt"]);
    assert_eq!(
        of("crossed-http-to-ssh-420"),
        ["ssh", "confirmed", "http", "protocol-attempt,protocol-mismatch"]
    );
    assert_eq!(of("crossed-http-silent-9"), ["http", "attempt", "-", "protocol-attempt"]);
    // A source port of 53 changes nothing.
    assert_eq!(of("crossed-from-53-80"), of("http-80"));
    assert_eq!(of("crossed-from-53-420"), of("http-420"));
    assert_eq!(of("crossed-syslog-from-53-514"), ["syslog", "confirmed", "-", "-"]);
    // Bytes decide, not the number of the server's port.
    assert_eq!(of("crossed-ssh-on-53-53"), ["ssh", "confirmed", "-", "protocol-mismatch"]);
    assert_eq!(of("crossed-tls-on-25-25"), ["tls", "confirmed", "-", "protocol-mismatch"]);
    // A recording that begins in the middle is never confirmed.
    assert_eq!(of("crossed-midstream-6379"), ["redis", "partial", "-", "-"]);
}

#[test]
fn the_second_opinions_are_those_that_are_written_down() {
    let Some(now) = others::ask(&captures()) else { return };
    compare("corpus/wire/OTHERS.tsv", &now);
}

#[test]
fn tshark_agrees_or_the_difference_is_explained() {
    let mut unexplained = BTreeSet::new();
    for line in committed().iter().filter(|line| own_port(&line.capture) && line.protocol != "-") {
        let agrees = paper::tshark_agrees(line);
        let explained = paper::reason(line).is_some();
        if agrees == explained {
            unexplained.insert(format!(
                "{} {}: agrees {agrees}, explained {explained}",
                line.capture, line.protocol
            ));
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

#[test]
fn the_paper_on_protocols_is_made_of_the_tables() {
    compare("docs/protocols.md", &paper::markdown());
}
