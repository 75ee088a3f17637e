//! Judging has a budget: it runs at every refresh, over every listener.

use std::time::Instant;

use model::*;

use crate::support::*;

/// 20,000 listeners over 200 processes.
pub fn crowd() -> Scene {
    let mut scene = Scene::new();
    for pid in 0..200 {
        let exe = ["/usr/bin/python3.11", "/usr/sbin/nginx", "/usr/local/bin/app", "/usr/lib/jvm/bin/java"];
        scene.process(process(1000 + pid, exe[pid as usize % 4]).user(1000, "load").unit("load.service"));
    }
    for number in 0..20_000_u32 {
        let port = 1024 + number % 30_000;
        scene.tcp(&format!("127.0.0.1:{port}"), &[1000 + number % 200]);
    }
    scene
}

#[test]
fn twenty_thousand_listeners_are_judged_in_time() {
    let scene = crowd();
    let best = (0..5)
        .map(|_| {
            let start = Instant::now();
            let judgement = scene.judge();
            assert!(judgement.findings.len() < 100, "{}", judgement.findings.len());
            start.elapsed()
        })
        .min()
        .unwrap();
    eprintln!("20,000 listeners judged in {best:?}");
    // 15 ms is the budget of a release build; a debug build on a busy machine says only that the cost is linear.
    let budget = if cfg!(debug_assertions) { 1500 } else { 15 };
    assert!(best.as_millis() <= budget, "{best:?}");
}

#[test]
fn a_baseline_and_a_long_policy_stay_within_reason() {
    let mut text = String::new();
    for port in 1..=2000 {
        text.push_str(&format!("[[allow]]\nport = {port}\nexe = \"/usr/bin/*\"\nreason = \"r\"\n"));
    }
    let mut scene = crowd().policy(&text);
    scene.baseline = Some(portreeve_verdict::baseline::learn(&scene.snapshot, &scene.paper));
    let look = || {
        let start = Instant::now();
        let judgement = scene.judge();
        assert!(judgement.findings.iter().all(|finding| finding.code != Code::BaselineNew));
        start.elapsed()
    };
    let took = (0..3).map(|_| look()).min().unwrap();
    eprintln!("20,000 listeners against 2,000 entries and a baseline of as many doors: {took:?}");
    let budget = if cfg!(debug_assertions) { 5000 } else { 150 };
    assert!(took.as_millis() <= budget, "{took:?}");
}

#[test]
fn twenty_thousand_things_wrong_stay_few_findings() {
    let mut scene = crowd();
    for socket in &mut scene.snapshot.sockets {
        socket.holders.clear();
        socket.holders_missing = Some(Reason::Unknown);
    }
    let findings = scene.judge().findings;
    let unknown = findings.iter().filter(|finding| finding.code == Code::HolderUnknown).count();
    assert_eq!(unknown, 1);
}
