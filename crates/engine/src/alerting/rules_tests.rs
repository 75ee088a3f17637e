//! The rules on a clock of our own.

use model::Confidence;

use super::*;

fn rules() -> Rules {
    Rules {
        least: Severity::Note,
        codes: Vec::new(),
        except: Vec::new(),
        group_for: Duration::ZERO,
        repeat_every: None,
        resolved: true,
        most_per_minute: 0,
    }
}

fn seen(code: Code, severity: Severity, about: &str) -> Arc<Sighting> {
    let finding = Finding {
        code,
        severity,
        confidence: Confidence::High,
        subjects: Vec::new(),
        title: "title".into(),
        evidence: Vec::new(),
        next_step: "next".into(),
    };
    Arc::new(Sighting { at: Timestamp::from_ns(5), about: about.into(), finding })
}

fn scan(about: &str) -> Arc<Sighting> {
    seen(Code::Scan, Severity::Note, about)
}

const SECOND: Duration = Duration::from_secs(1);

/// State and seconds of each finding that is told, as the clock goes to `until` in steps of a second.
fn states(sorter: &mut Sorter, from: Instant, until: u32) -> Vec<(u32, Vec<&'static str>)> {
    let mut all = Vec::new();
    for second in 0..=until {
        while let Some(notice) = sorter.poll(from + SECOND * second) {
            let names = match notice {
                Notice::Findings { told, .. } => told.iter().map(|it| it.state.name()).collect(),
                Notice::HeldBack { .. } => vec!["held"],
            };
            all.push((second, names));
        }
    }
    all
}

#[test]
fn what_stands_is_told_once_and_again_when_it_returns() {
    let (mut sorter, now) = (Sorter::new(rules()), Instant::now());
    for second in 0..100 {
        sorter.handle(now + SECOND * second, scan("udp 192.0.2.1:1"));
    }
    sorter.over(now + SECOND * 100, scan("udp 192.0.2.1:1"));
    sorter.over(now + SECOND * 101, scan("udp 192.0.2.1:1"));
    sorter.handle(now + SECOND * 102, scan("udp 192.0.2.1:1"));
    let told = states(&mut sorter, now, 102);
    let told: Vec<_> = told.into_iter().flat_map(|(_, names)| names).collect();
    assert_eq!(told, ["found", "over", "found"]);
    assert_eq!(sorter.wake(), None);
}

#[test]
fn what_stands_is_told_again_when_it_was_asked_for_or_is_graver() {
    let repeat_every = Some(SECOND * 60);
    let (mut sorter, now) = (Sorter::new(Rules { repeat_every, ..rules() }), Instant::now());
    let mut told = Vec::new();
    for second in 0..=130 {
        let severity = if second < 70 { Severity::Note } else { Severity::Alert };
        let at = now + SECOND * second;
        sorter.handle(at, seen(Code::Beacon, severity, "x"));
        while let Some(Notice::Findings { told: some, .. }) = sorter.poll(at) {
            told.extend(some.iter().map(|it| (second, it.state, it.times)));
        }
    }
    let expected =
        [(0, State::Found, 1), (60, State::Again, 61), (70, State::Graver, 71), (130, State::Again, 131)];
    assert_eq!(told, expected);
}

#[test]
fn what_is_known_or_not_asked_for_is_not_told() {
    let only = Rules {
        least: Severity::Warning,
        codes: vec!["s*".into()],
        except: vec!["*-traffic".into()],
        resolved: false,
        ..rules()
    };
    let (mut sorter, now) = (Sorter::new(only), Instant::now());
    sorter.handle(now, scan("a"));
    sorter.handle(now, seen(Code::Beacon, Severity::Alert, "a"));
    sorter.handle(now, seen(Code::SilentPortTraffic, Severity::Alert, "a"));
    let known = seen(Code::SilentPortInUse, Severity::Warning, "before");
    sorter.known(now, &known);
    sorter.handle(now, known.clone());
    sorter.over(now, known);
    assert_eq!(sorter.poll(now), None);
    sorter.handle(now, seen(Code::SilentPortInUse, Severity::Warning, "new"));
    assert_eq!(states(&mut sorter, now, 0), [(0, vec!["found"])]);
}

#[test]
fn one_cause_is_one_notice() {
    let (mut sorter, now) = (Sorter::new(Rules { group_for: SECOND * 5, ..rules() }), Instant::now());
    for (second, about) in [
        (0, "tcp 0.0.0.0:420 /usr/bin/nc"),
        (1, "tcp [::]:421 /usr/bin/nc"),
        (2, "udp 0.0.0.0:9 /usr/bin/socat"),
        (4, "udp 0.0.0.0:422 /usr/bin/nc"),
    ] {
        sorter.handle(now + SECOND * second, seen(Code::SilentPortInUse, Severity::Note, about));
    }
    assert_eq!(sorter.wake(), Some(now + SECOND * 5));
    let told = states(&mut sorter, now, 10);
    assert_eq!(told, [(5, vec!["found", "found", "found"]), (7, vec!["found"])]);
    // Without a holder the code is the cause; more than there is room for is counted.
    for port in 0..100 {
        sorter.handle(now, seen(Code::BaselineGone, Severity::Note, &format!("tcp 0.0.0.0:{port}")));
    }
    let Some(Notice::Findings { told, more }) = sorter.poll(now + SECOND * 5) else { panic!() };
    assert_eq!((told.len(), more), (MOST_IN_GROUP, 68));
}

#[test]
fn more_than_the_limit_is_held_back_and_summed_up() {
    let (mut sorter, now) = (Sorter::new(Rules { most_per_minute: 6, ..rules() }), Instant::now());
    for number in 0..500 {
        sorter.handle(now, scan(&format!("{number}")));
    }
    let mut told = 0;
    let mut held = Vec::new();
    for second in 0..=200 {
        while let Some(notice) = sorter.poll(now + SECOND * second) {
            match notice {
                Notice::Findings { .. } => told += 1,
                Notice::HeldBack { count, codes, .. } => held.push((second, count, codes)),
            }
        }
    }
    assert_eq!((told, held), (6, vec![(60, 494, vec![(Code::Scan, 494)])]));
    // After a while there is room again: one in ten seconds.
    let mut more = 0;
    for second in 300..360 {
        sorter.handle(now + SECOND * second, scan(&format!("later {second}")));
        more += u32::from(matches!(sorter.poll(now + SECOND * second), Some(Notice::Findings { .. })));
    }
    assert_eq!(more, 6 + 5);
}

#[test]
fn memory_is_bounded_and_the_end_waits_for_nothing() {
    let rules = Rules { group_for: SECOND * 3600, ..rules() };
    let (mut sorter, now) = (Sorter::new(rules), Instant::now());
    let mut told = 0;
    for number in 0..100_000 {
        sorter.handle(now, scan(&format!("tcp x {number}")));
        while let Some(Notice::Findings { told: some, .. }) = sorter.poll(now) {
            told += some.len();
        }
    }
    assert!(sorter.known.len() == MOST_KNOWN && sorter.order.len() == MOST_KNOWN);
    assert!(sorter.groups.len() <= MOST_GROUPS);
    sorter.flush(now);
    while let Some(Notice::Findings { told: some, .. }) = sorter.poll(now) {
        told += some.len();
    }
    assert_eq!(told, 100_000);
    // What could not be remembered is told once more rather than never.
    sorter.handle(now, scan("tcp x 0"));
    assert_eq!(sorter.groups.len(), 1);
}
