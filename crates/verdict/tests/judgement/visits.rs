//! Who came to decoys: one finding for each source, as grave as what was said, and quiet where policy allows it.

use model::*;
use portreeve_verdict::{Judgement, Policy, judge_visits, policy};
use registry::Paper;

use crate::wire_support::*;

fn tally(ports: &[u16]) -> PortTally {
    PortTally {
        touches: ports.len() as u64,
        ports: u32::try_from(ports.len()).unwrap(),
        more: false,
        lowest: ports.iter().copied().min().unwrap_or(0),
        highest: ports.iter().copied().max().unwrap_or(0),
        some: ports.iter().copied().take(16).collect(),
        ranges: ports.iter().map(|port| *port..=*port).collect(),
    }
}

fn visit(source: &str, tcp: &[u16]) -> Visit {
    let at = Timestamp::from_ns(1_790_000_000_000_000_000);
    Visit {
        source: addr(source),
        netns: 0,
        first: at,
        last: at,
        tcp: tally(tcp),
        udp: PortTally::default(),
        connections: 0,
        received_bytes: 0,
        only_counted: 0,
        spoken: Vec::new(),
        example: None,
    }
}

fn spoke(mut visit: Visit, protocol: &'static Protocol, port: u16) -> Visit {
    visit.received_bytes = 20;
    visit.connections = 1;
    visit.spoken.push(Spoken { protocol, times: 1, port, transport: Transport::Tcp });
    visit
}

fn judged(visits: &[Visit], policy: &Policy) -> Judgement {
    judge_visits(visits, &Paper::builtin(), policy, 20_000)
}

#[test]
fn a_source_is_one_finding_as_grave_as_what_it_said() {
    let all: Vec<u16> = (1..=1023).collect();
    let mut bytes = visit("203.0.113.3", &[420]);
    bytes.received_bytes = 7;
    let visits = [
        visit("203.0.113.1", &[420]),
        visit("203.0.113.2", &all),
        bytes,
        spoke(visit("203.0.113.4", &[420]), &HTTP, 420),
        spoke(visit("10.0.0.5", &[420, 421]), &SSH, 420),
        spoke(visit("127.0.0.1", &[420]), &SSH, 420),
    ];
    let findings = judged(&visits, &Policy::default()).findings;
    assert_eq!(findings.len(), visits.len());
    let of = |source: &str| {
        let subject = Subject::Visitor(addr(source));
        findings.iter().find(|finding| finding.subjects == [subject.clone()]).unwrap()
    };
    for (source, severity, words) in [
        ("203.0.113.1", Severity::Note, "came to 420/tcp (SMPTE), where nobody is"),
        ("203.0.113.2", Severity::Note, "looked through 1,023 ports over TCP where nobody is"),
        ("203.0.113.3", Severity::Warning, "sent 7 bytes of no protocol that we know"),
        ("203.0.113.4", Severity::Warning, "and spoke HTTP"),
        ("10.0.0.5", Severity::Alert, "and spoke SSH"),
        ("127.0.0.1", Severity::Warning, "and spoke SSH"),
    ] {
        let finding = of(source);
        assert_eq!((finding.code, finding.severity), (Code::DecoyTouched, severity), "{finding:?}");
        assert!(finding.title.starts_with(source) && finding.title.contains(words), "{}", finding.title);
        assert!(!finding.next_step.is_empty());
        assert!(finding.evidence.iter().all(|piece| !piece.fact.is_empty() && !piece.source.is_empty()));
    }
    // The chair is told with what paper says of it.
    let paper = of("203.0.113.1").evidence.iter().any(|piece| piece.fact.contains("not in ordinary use"));
    assert!(paper, "{:?}", of("203.0.113.1"));
    assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

#[test]
fn a_scanner_that_is_allowed_is_accepted_and_nobody_else() {
    let text = "[[allow]]\naddress = \"10.0.0.9\"\ncode = \"decoy-touched\"\nreason = \"our scanner\"\n";
    let policy = policy::parse("p", text).unwrap();
    let visits = [visit("10.0.0.9", &[1, 2, 3, 4, 5, 6]), visit("10.0.0.8", &[1])];
    let judgement = judged(&visits, &policy);
    assert_eq!((judgement.findings.len(), judgement.accepted.len()), (1, 1));
    assert_eq!(judgement.accepted[0].finding.subjects, [Subject::Visitor(addr("10.0.0.9"))]);
    assert_eq!(judged(&[], &policy), Judgement::default());
}
