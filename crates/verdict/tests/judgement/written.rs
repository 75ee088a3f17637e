//! What people wrote down decides: allow, deny, expect, closed, and the baseline.

use model::*;
use portreeve_verdict::baseline::{self, ChangeKind, Selector};

use crate::support::*;

fn scene(policy: &str) -> (Scene, usize) {
    let mut scene = Scene::new().policy(policy);
    let python = process(100, "/usr/bin/python3.11").user(1000, "ann").unit("demo.service");
    let pid = scene.process(python);
    let socket = scene.tcp("127.0.0.1:420", &[pid]);
    (scene, socket)
}

#[test]
fn an_allowance_accepts_and_is_not_forgotten() {
    let keys = [
        "port = 420",
        "port = \"400-500\"",
        "port = [80, \"419-421\"]",
        "transport = \"tcp\"",
        "scope = \"loopback\"",
        "address = \"127.0.0.0/8\"",
        "namespace = \"host\"",
        "user = \"ann\"",
        "user = [\"root\", \"1000\"]",
        "exe = \"/usr/bin/python3*\"",
        "unit = \"demo.*\"",
        "package = \"python3.11\"",
        "code = \"silent-port-in-use\"",
    ];
    for key in keys {
        let (scene, _) = scene(&format!("[[allow]]\n{key}\nreason = \"test bench\"\n"));
        let judgement = scene.judge();
        assert_eq!(judgement.findings, [], "{key}");
        assert_eq!(judgement.accepted.len(), 1, "{key}");
        assert_eq!(judgement.accepted[0].entry, "policy.toml:1");
        assert_eq!(judgement.accepted[0].reason, "test bench");
        assert_eq!(judgement.accepted[0].finding.code, Code::SilentPortInUse);
    }
}

#[test]
fn an_allowance_for_something_else_accepts_nothing_and_says_so() {
    let keys = [
        "port = 421",
        "transport = \"udp\"",
        "scope = \"any\"",
        "address = \"10.0.0.0/8\"",
        "namespace = \"lab\"",
        "user = \"root\"",
        "exe = \"/usr/bin/perl\"",
        "exe = \"/usr/*\"",
        "unit = \"other.service\"",
        "container = \"*\"",
        "image = \"*\"",
        "package = \"perl\"",
    ];
    for key in keys {
        let (scene, _) = scene(&format!("[[allow]]\n{key}\nreason = \"test bench\"\n"));
        assert_eq!(scene.rings(), ["silent-port-in-use warning", "policy-unmatched note"], "{key}");
    }
}

#[test]
fn an_allowance_has_to_fit_every_holder() {
    let (mut scene, socket) =
        scene("[[allow]]\nport = 420\nexe = \"/usr/bin/python3*\"\nreason = \"ours\"\n");
    let other = scene.process(process(101, "/usr/bin/perl"));
    scene.snapshot.sockets[socket].holders.push(Holder { pid: other, tid: None, fd: None, how: How::ProcFd });
    assert_eq!(scene.rings_for(socket), ["silent-port-in-use"]);
}

#[test]
fn tampering_is_accepted_only_by_name() {
    let with = |code: &str| {
        let mut scene = Scene::new().policy(&format!("[[allow]]\nport = 18000\n{code}\nreason = \"ours\"\n"));
        let pid = scene.process(process(100, "/memfd:x").unpackaged().state(ExeState::Memfd));
        scene.tcp("127.0.0.1:18000", &[pid]);
        scene.rings()
    };
    assert_eq!(with(""), ["exe-memfd alert"]);
    assert_eq!(with("code = \"exe-memfd\""), [""; 0]);
    assert_eq!(with("code = \"exe-memfd\"\nseverity = \"note\""), ["exe-memfd note"]);
}

#[test]
fn expiry_is_a_day_and_the_last_one_counts() {
    let with =
        |day: &str| scene(&format!("[[allow]]\nport = 420\nreason = \"r\"\nexpires = {day}\n")).0.rings();
    assert_eq!(with("\"2026-11-24\""), [""; 0]);
    assert_eq!(with("2026-11-24"), [""; 0]);
    assert_eq!(with("\"2026-11-23\""), ["silent-port-in-use warning", "policy-expired warning"]);
}

#[test]
fn prohibitions_and_expectations() {
    let (deny, socket) = scene("[[deny]]\nport = 420\nreason = \"no\"\n");
    assert_eq!(deny.rings_for(socket), ["policy-violation", "silent-port-in-use"]);
    let (mild, _) = scene("[[deny]]\nport = 420\nseverity = \"note\"\nreason = \"no\"\n");
    assert!(mild.rings().contains(&"policy-violation note".to_owned()));
    assert_eq!(scene("[[deny]]\nport = 421\nreason = \"no\"\n").0.rings(), ["silent-port-in-use warning"]);
    assert_eq!(scene("[[expect]]\nport = 420\nreason = \"yes\"\n").0.rings(), ["silent-port-in-use warning"]);
    assert_eq!(
        scene("[[expect]]\nport = 22\nreason = \"yes\"\n").0.rings(),
        ["policy-violation alert", "silent-port-in-use warning"]
    );
    let lifted = scene(
        "[[deny]]\nport = 420\nreason = \"no\"\n[[allow]]\nport = 420\ncode = \"policy-violation\"\nreason = \"but\"\n",
    );
    assert_eq!(lifted.0.rings(), ["silent-port-in-use warning"]);
}

#[test]
fn a_closed_policy_forbids_what_it_does_not_name() {
    let closed = |entry: &str| scene(&format!("mode = \"closed\"\n{entry}")).0.rings();
    assert_eq!(closed(""), ["policy-violation alert", "silent-port-in-use warning"]);
    assert_eq!(closed("[[allow]]\nport = 420\nreason = \"r\"\n"), [""; 0]);
    // Accepting one finding everywhere does not open every door.
    assert_eq!(
        closed("[[allow]]\ncode = \"silent-port-in-use\"\nreason = \"r\"\n"),
        ["policy-violation alert"]
    );
}

#[test]
fn what_could_not_be_seen_neither_accepts_nor_accuses() {
    let (mut hidden, socket) = scene(
        "mode = \"closed\"\n[[allow]]\nport = 420\nuser = \"ann\"\nreason = \"r\"\n\
         [[deny]]\nuser = \"eve\"\nreason = \"r\"\n[[expect]]\nuser = \"ann\"\nreason = \"r\"\n",
    );
    hidden.snapshot.sockets[socket].holders.clear();
    hidden.snapshot.sockets[socket].holders_missing = Some(Reason::NoPermission);
    let judgement = hidden.judge();
    assert_eq!(hidden.rings(), ["silent-port-in-use warning", "holder-unknown note"]);
    let silent = &judgement.findings[0];
    assert!(silent.evidence.iter().any(|piece| piece.source == "policy.toml:2"), "{:?}", silent.evidence);
}

#[test]
fn an_activated_socket_is_its_service() {
    let mut scene = Scene::new()
        .policy("[[allow]]\nport = 420\nunit = \"demo.service\"\nexe = \"/opt/demo\"\nreason = \"r\"\n");
    scene.process(process(1, "/usr/lib/systemd/systemd"));
    scene.tcp("0.0.0.0:420", &[1]);
    scene.last().activation = Some(Box::new(Activation {
        socket_unit: "demo.socket".to_owned(),
        service: "demo.service".to_owned(),
        program: Some("/opt/demo".to_owned()),
    }));
    assert_eq!(scene.rings(), [""; 0]);
    assert_eq!(scene.judge().accepted.len(), 1);
}

#[test]
fn a_published_port_can_be_allowed_and_denied() {
    let forward = Forward {
        transport: Transport::Tcp,
        addr: None,
        first: 9200,
        last: 9200,
        to_addr: Some("172.17.0.2".parse().unwrap()),
        to_port: Some(9200),
        netns: HOST,
        rule: "nftables ip nat DOCKER".to_owned(),
        container: process(1, "/x").in_container("search", "search:8").container.value().cloned(),
    };
    let with = |policy: &str| {
        let mut scene = Scene::new().policy(policy);
        scene.snapshot.forwards.push(forward.clone());
        scene.rings()
    };
    assert_eq!(with(""), ["exposed-service warning"]);
    assert_eq!(with("[[allow]]\nport = 9200\ncontainer = \"search\"\nreason = \"r\""), [""; 0]);
    assert_eq!(
        with("[[deny]]\nimage = \"search:*\"\nreason = \"r\""),
        ["policy-violation alert", "exposed-service warning"]
    );
    assert_eq!(with("mode = \"closed\""), ["policy-violation alert", "exposed-service warning"]);
    let range = |policy: &str| {
        let mut scene = Scene::new().policy(policy);
        scene.snapshot.forwards.push(Forward {
            first: 18_000,
            last: 18_010,
            to_port: None,
            ..forward.clone()
        });
        scene.rings()
    };
    assert_eq!(range("[[deny]]\nport = 18005\nreason = \"r\""), ["policy-violation alert"]);
    assert_eq!(range("[[allow]]\nport = 18005\nreason = \"r\""), ["policy-unmatched note"]);
}

#[test]
fn the_difference_and_nothing_else() {
    let (mut scene, _) = scene("[[allow]]\nport = 420\ncode = \"silent-port-in-use\"\nreason = \"r\"\n");
    let mut learned = baseline::learn(&scene.snapshot, &scene.paper);
    assert_eq!(learned.len(), 1);
    assert_eq!(learned.diff(&scene.snapshot), []);

    let perl = scene.process(process(101, "/usr/bin/perl"));
    scene.tcp("0.0.0.0:8080", &[perl]);
    scene.snapshot.sockets[0].holders[0].pid = perl;
    let kinds = |changes: &[portreeve_verdict::baseline::Change]| {
        changes.iter().map(|c| (c.kind, c.port)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&learned.diff(&scene.snapshot)), [(ChangeKind::Changed, 420), (ChangeKind::New, 8080)]);
    scene.baseline = Some(learned.clone());
    assert_eq!(scene.rings(), ["baseline-changed warning", "baseline-new warning"]);

    let accepted = learned.accept(&scene.snapshot, &scene.paper, &[Selector::parse("420/tcp").unwrap()]);
    assert_eq!(kinds(&accepted), [(ChangeKind::Changed, 420)]);
    assert_eq!(kinds(&learned.diff(&scene.snapshot)), [(ChangeKind::New, 8080)]);
    learned.accept(&scene.snapshot, &scene.paper, &[Selector::ALL]);
    assert_eq!(learned.diff(&scene.snapshot), []);

    scene.snapshot.sockets.remove(0);
    assert_eq!(kinds(&learned.diff(&scene.snapshot)), [(ChangeKind::Gone, 420)]);
    // Where we could not look, nothing is gone.
    scene.snapshot.gaps.push(Gap {
        area: Area::Sockets,
        reason: Reason::NoPermission,
        what: "tcp".to_owned(),
        count: None,
    });
    assert_eq!(learned.diff(&scene.snapshot), []);
}

#[test]
fn without_privilege_nothing_seems_changed() {
    let (mut scene, socket) = scene("");
    let learned = baseline::learn(&scene.snapshot, &scene.paper);
    scene.snapshot.sockets[socket].holders.clear();
    scene.snapshot.sockets[socket].holders_missing = Some(Reason::NoPermission);
    assert_eq!(learned.diff(&scene.snapshot), []);
}

#[test]
fn many_new_listeners_of_one_program_are_one_finding() {
    let (mut scene, _) = scene("[[allow]]\nport = 420\ncode = \"silent-port-in-use\"\nreason = \"r\"\n");
    scene.baseline = Some(baseline::learn(&scene.snapshot, &scene.paper));
    let python = 100;
    for port in 18_000..18_020 {
        scene.tcp(&format!("127.0.0.1:{port}"), &[python]);
    }
    let findings = scene.judge().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].subjects.len(), 20);
}
