//! A policy file: read the same way twice, entries where the file has them, and faults at a place that exists.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines = text.split('\n').count();
    match verdict::policy::parse("p", text) {
        Ok(policy) => {
            assert_eq!(verdict::policy::parse("p", text), Ok(policy.clone()));
            let mut last = 0;
            for entry in policy.entries() {
                let line: usize = entry.name.strip_prefix("p:").unwrap().parse().unwrap();
                assert!((last..=lines).contains(&line) && line > 0, "{}", entry.name);
                last = line;
                assert!(!entry.reason.is_empty() && !entry.describe().is_empty());
                if let Some(day) = entry.expires {
                    assert!(entry.applies(day) && !entry.applies(day + 1));
                }
            }
            for session in policy.sessions() {
                assert!(!session.reason.is_empty() && !session.title.is_empty());
                let agreed = session.session(None);
                assert_eq!(agreed.is_none(), session.sdp.is_some());
                assert!(agreed.is_none_or(|it| !it.legs.is_empty() && it.legs.iter().all(|leg| leg.destination.port() > 0)));
            }
            let twice = verdict::Policy::merge(vec![policy.clone(), policy.clone()]);
            assert_eq!(twice.entries().len(), 2 * policy.entries().len());
            assert_eq!(twice.sessions().len(), 2 * policy.sessions().len());
            assert_eq!(twice.closed(), policy.closed());
        }
        Err(fault) => {
            assert!((1..=lines).contains(&fault.line), "{fault}");
            let line = text.split('\n').nth(fault.line - 1).unwrap();
            assert!((1..=line.chars().count() + 1).contains(&fault.column), "{fault}");
            assert!(!fault.reason.is_empty());
        }
    }
});
