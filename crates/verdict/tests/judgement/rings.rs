//! Every alarm can ring, and rings for what it says.

use std::collections::BTreeSet;

use model::*;

use crate::support::*;

/// One scene with something wrong of every kind.
fn everything_wrong() -> Scene {
    let mut accepted = Scene::new();
    let old = accepted.process(process(50, "/usr/sbin/old").unit("old.service"));
    accepted.tcp("0.0.0.0:9901", &[old]);
    accepted.tcp("0.0.0.0:9902", &[old]);
    let baseline = portreeve_verdict::baseline::learn(&accepted.snapshot, &accepted.paper);
    let text = baseline.render();

    let mut scene = Scene::new().policy(
        "[[allow]]\nport = 1\nreason = \"never here\"\n\
         [[allow]]\nport = 2\nreason = \"long ago\"\nexpires = \"2020-01-01\"\n\
         [[deny]]\nport = 5000\nreason = \"no test servers\"\n",
    );
    scene.baseline = Some(portreeve_verdict::baseline::parse("baseline.toml", &text).unwrap());

    let python = scene.process(process(100, "/usr/bin/python3.11"));
    scene.tcp("127.0.0.1:420", &[python]); // silent
    scene.udp("0.0.0.0:4", &[python]); // unassigned
    scene.tcp("0.0.0.0:0", &[python]);
    scene.last().local.set_port(1023); // reserved
    scene.tcp("0.0.0.0:22", &[python]); // unexpected, misuse as evidence
    scene.tcp("0.0.0.0:6379", &[python]); // exposed
    scene.tcp("0.0.0.0:5000", &[python]); // denied
    scene.tcp("0.0.0.0:9902", &[python]); // changed; 9901 gone; the rest new

    let deleted = process(110, "/tmp/x").unpackaged().state(ExeState::Deleted);
    let deleted = scene.process(deleted);
    scene.tcp("0.0.0.0:31337", &[deleted]); // exe-deleted, misuse-history
    let replaced = scene.process(process(111, "/usr/sbin/cupsd").state(ExeState::Replaced));
    scene.tcp("127.0.0.1:631", &[replaced]);
    let memfd = scene.process(process(112, "/memfd:x").unpackaged().state(ExeState::Memfd));
    scene.tcp("0.0.0.0:8111", &[memfd]);
    let writable = scene.process(process(113, "/tmp/server").unpackaged());
    scene.tcp("0.0.0.0:8112", &[writable]);
    let unpackaged = scene.process(process(114, "/usr/lib/helper").unpackaged().unit("helper.service"));
    scene.tcp("127.0.0.1:8113", &[unpackaged]);
    let mut modified = process(115, "/usr/sbin/chronyd").user(102, "_chrony");
    if let Seen::Value(package) = &mut modified.package {
        package.integrity = Integrity::Modified;
    }
    let modified = scene.process(modified);
    scene.udp("0.0.0.0:123", &[modified]);
    let nginx = scene.process(process(116, "/usr/sbin/nginx").unit("nginx.service"));
    scene.tcp("0.0.0.0:80", &[nginx]); // needless-privilege
    scene.tcp("0.0.0.0:8114", &[]);
    scene.last().holders_missing = Some(Reason::Unknown);
    scene.tcp("0.0.0.0:8115", &[python]);
    scene.last().seen_by = Views::BPF;
    scene.last().hidden_from = Views::SOCK_DIAG;
    let mut hidden = process(117, "/usr/bin/ordinary");
    hidden.hidden_from_proc = true;
    let hidden = scene.process(hidden);
    scene.tcp("0.0.0.0:8116", &[hidden]);
    scene.socket(Kind::Packet, State::Bound, "0.0.0.0:3", &[python]);
    let mut preloaded = process(118, "/usr/bin/preloaded");
    preloaded.preload = Seen::Value(vec!["/dev/shm/.x.so".to_owned()]);
    let preloaded = scene.process(preloaded);
    scene.tcp("127.0.0.1:8117", &[preloaded]);
    scene
}

#[test]
fn every_alarm_can_ring() {
    let judgement = everything_wrong().judge();
    let rung: BTreeSet<&str> = judgement.findings.iter().map(|finding| finding.code.name()).collect();
    let of_the_wire: Vec<Code> = crate::wire_rings::of_traffic().collect();
    let all: BTreeSet<&str> =
        Code::ALL.iter().filter(|code| !of_the_wire.contains(code)).map(|code| code.name()).collect();
    assert_eq!(rung, all, "missing: {:?}", all.difference(&rung).collect::<Vec<_>>());
}

#[test]
fn every_finding_says_what_where_why_and_what_next() {
    let judgement = everything_wrong().judge();
    for finding in &judgement.findings {
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
fn the_judgement_is_the_same_every_time_and_gravest_first() {
    let scene = everything_wrong();
    let first = scene.judge();
    assert_eq!(first, scene.judge());
    assert!(first.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

/// What people read, kept beside the code: `UPDATE_EXPECT=1 cargo test` writes it anew.
#[test]
fn the_words_are_as_expected() {
    compare("everything.expect", &everything_wrong().judge().findings);
}

/// The scene of the planted listeners, all by root with Python or a test binary.
#[test]
fn a_planted_scene_raises_what_it_should_and_nothing_else() {
    let mut scene = Scene::new();
    let python = |pid| process(pid, "/usr/bin/python3.11");
    for pid in 100..112 {
        scene.process(python(pid));
    }
    let http = scene.tcp("127.0.0.1:420", &[100]);
    let silent = scene.udp("0.0.0.0:420", &[101]);
    let banner = scene.tcp("0.0.0.0:8080", &[102]);
    let shared = scene.tcp("127.0.0.1:18000", &[103, 104]);
    let pair = [scene.tcp("0.0.0.0:18001", &[105]), scene.tcp("0.0.0.0:18001", &[106])];
    let any6 = scene.tcp("[::]:9443", &[107]);
    let bound = scene.socket(Kind::Tcp, State::Bound, "0.0.0.0:7777", &[108]);
    let gone = process(200, "/tmp/scene/server").unpackaged().state(ExeState::Deleted);
    let gone = scene.process(gone);
    let deleted = scene.tcp("0.0.0.0:31337", &[gone]);
    scene.snapshot.namespaces.push(namespace(LAB, "lab"));
    let second = scene.tcp("0.0.0.0:8088", &[109]);
    scene.last().netns = LAB;
    let redis = scene.tcp("0.0.0.0:6379", &[110]);
    let packet = scene.socket(Kind::Packet, State::Bound, "0.0.0.0:3", &[111]);

    assert_eq!(scene.rings_for(http), ["silent-port-in-use"]);
    assert_eq!(scene.rings_for(silent), ["silent-port-in-use"]);
    assert_eq!(scene.rings_for(deleted), ["exe-deleted", "misuse-history"]);
    assert_eq!(scene.rings_for(redis), ["exposed-service", "unexpected-holder"]);
    assert_eq!(scene.rings_for(packet), ["packet-socket"]);
    for quiet in [banner, shared, pair[0], pair[1], any6, bound, second] {
        assert_eq!(scene.rings_for(quiet), [""; 0], "{:?}", scene.snapshot.sockets[quiet].local);
    }
    let finding =
        |code: Code| scene.judge().findings.into_iter().find(|finding| finding.code == code).unwrap();
    let silent = finding(Code::SilentPortInUse);
    assert!(silent.title.contains("SMPTE"), "{}", silent.title);
    assert!(
        silent
            .evidence
            .iter()
            .any(|piece| piece.fact.contains("93") && piece.fact.contains("proves nothing"))
    );
    assert_eq!(finding(Code::ExeDeleted).severity, Severity::Alert);
}

#[test]
fn fifty_ports_of_one_deleted_file_are_one_finding() {
    let mut scene = Scene::new();
    let gone = scene.process(process(200, "/usr/sbin/gone").unpackaged().state(ExeState::Deleted));
    for port in 18_000..18_050 {
        scene.tcp(&format!("127.0.0.1:{port}"), &[gone]);
    }
    let mut findings = scene.judge().findings;
    // Some of these numbers have a history; that is the other finding, and there is one of it as well.
    assert!(findings.len() <= 2);
    findings.retain(|finding| finding.code == Code::ExeDeleted);
    assert_eq!(findings[0].subjects.len(), 50);
    assert!(findings[0].title.contains("and 47 more are held by"), "{}", findings[0].title);
}

#[test]
fn one_program_on_many_silent_ports_is_one_finding_and_two_programs_are_two() {
    let mut scene = Scene::new();
    for (pid, exe) in [(100, "/usr/bin/python3.11"), (101, "/usr/bin/perl")] {
        scene.process(process(pid, exe));
    }
    for port in 416..432 {
        scene.tcp(&format!("0.0.0.0:{port}"), &[100]);
    }
    let silent = |scene: &Scene| scene.rings().iter().filter(|ring| ring.starts_with("silent")).count();
    assert_eq!(silent(&scene), 1, "{:?}", scene.rings());
    assert!(scene.judge().findings.len() <= 4, "{:?}", scene.rings());
    scene.tcp("127.0.0.1:420", &[101]);
    assert_eq!(silent(&scene), 2);
}

#[test]
fn the_title_of_several_ports_is_true_of_each() {
    let mut scene = Scene::new();
    let python = scene.process(process(100, "/usr/bin/python3.11"));
    let other = scene.process(process(101, "/usr/bin/python3.11"));
    for port in [21, 23, 25, 79] {
        scene.tcp(&format!("0.0.0.0:{port}"), &[python]);
    }
    scene.tcp("0.0.0.0:119", &[other]);
    let quiet = scene.tcp("127.0.0.1:6379", &[python]);
    let judgement = scene.judge();
    let of = |index: usize| -> Vec<&Finding> {
        let subject = Subject::Socket(index);
        judgement.findings.iter().filter(|it| it.subjects.contains(&subject)).collect()
    };
    let low = of(0)[0];
    assert_eq!(
        low.title,
        "21/tcp (ftp), 23/tcp (telnet), 25/tcp (smtp) and 2 more are ordinarily held by other programs than \
         python3.11 (PID 100, user root), and by others of the same program"
    );
    for service in ["ftp", "telnet", "smtp", "finger", "nntp"] {
        let told = low.evidence.iter().any(|piece| piece.fact.contains(&format!("assigned: {service}")));
        assert!(told, "{service}: {:#?}", low.evidence);
    }
    // What is grave on one port makes nothing graver on another.
    assert!(of(quiet).iter().all(|it| it.severity == Severity::Note), "{:#?}", of(quiet));
}

#[test]
fn both_transports_of_a_port_are_one_finding_with_the_facts_of_each() {
    let mut scene = Scene::new();
    let python = scene.process(process(100, "/usr/bin/python3.11"));
    scene.tcp("127.0.0.1:420", &[python]);
    scene.udp("0.0.0.0:420", &[python]);
    let findings = scene.judge().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].title,
        "420/tcp and 420/udp: assigned to SMPTE, not in ordinary use; held by python3.11 (PID 100, user root)"
    );
    for bound in ["127.0.0.1:420", "0.0.0.0:420"] {
        assert!(findings[0].evidence.iter().any(|piece| piece.fact.contains(bound)), "{bound}");
    }
}

#[test]
fn the_same_door_in_two_namespaces_is_two_findings() {
    let mut scene = Scene::new();
    let redis = scene.process(process(100, "/usr/bin/redis-server").user(110, "redis"));
    let other = scene.process(process(101, "/usr/bin/python3.11"));
    scene.snapshot.namespaces.push(namespace(LAB, "lab"));
    scene.tcp("0.0.0.0:6379", &[redis]);
    let there = scene.tcp("0.0.0.0:6379", &[other]);
    scene.last().netns = LAB;
    let findings = scene.judge().findings;
    let exposed: Vec<&Finding> = findings.iter().filter(|it| it.code == Code::ExposedService).collect();
    assert_eq!(exposed.len(), 2, "{exposed:#?}");
    let there = exposed.iter().find(|it| it.subjects == [Subject::Socket(there)]).unwrap();
    assert!(there.title.contains("beyond its network namespace; held by python3.11"), "{}", there.title);
}

#[test]
fn ipv4_and_ipv6_of_one_server_are_one_finding() {
    let mut scene = Scene::new();
    let python = scene.process(process(100, "/usr/bin/python3.11"));
    scene.tcp("0.0.0.0:420", &[python]);
    scene.tcp("[::]:420", &[python]);
    let findings = scene.judge().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].subjects, [Subject::Socket(0), Subject::Socket(1)]);
}

#[test]
fn what_we_may_not_see_is_one_quiet_note() {
    let mut scene = Scene::new();
    for port in ["0.0.0.0:22", "0.0.0.0:8080", "127.0.0.1:18000", "0.0.0.0:31337"] {
        scene.tcp(port, &[]);
        scene.last().holders_missing = Some(Reason::NoPermission);
    }
    assert_eq!(scene.rings(), ["holder-unknown note"]);
    assert_eq!(scene.judge().findings[0].subjects.len(), 4);
}

#[test]
fn the_kind_of_packet_socket_and_of_its_holder_decide() {
    let ring = |exe: &str, kind: Kind, number: u16| {
        let mut scene = Scene::new();
        let pid = scene.process(process(100, exe));
        scene.socket(kind, State::Bound, &format!("0.0.0.0:{number}"), &[pid]);
        scene.rings()
    };
    assert_eq!(ring("/usr/sbin/tcpdump", Kind::Packet, 3), ["packet-socket note"]);
    assert_eq!(ring("/usr/bin/python3.11", Kind::Packet, 3), ["packet-socket warning"]);
    assert_eq!(ring("/usr/bin/python3.11", Kind::Packet, 0), ["packet-socket note"]);
    assert_eq!(ring("/usr/bin/ping", Kind::Raw, 1), [""; 0]);
    assert_eq!(ring("/usr/sbin/dhclient", Kind::Packet, 3), [""; 0]);
    assert_eq!(ring("/usr/sbin/lldpd", Kind::Packet, 0x88cc), [""; 0]);
    assert_eq!(ring("/usr/sbin/lldpd", Kind::Packet, 3), ["packet-socket note"]);
    assert_eq!(
        ring("/tmp/dhclient", Kind::Packet, 3),
        ["exe-writable-place warning", "packet-socket warning"]
    );
    assert_eq!(ring("/usr/sbin/unheard-of", Kind::Raw, 6), ["packet-socket warning"]);
    assert_eq!(ring("/usr/sbin/unheard-of", Kind::Raw, 89), ["packet-socket note"]);
}

#[test]
fn what_we_hold_ourselves_is_explained_and_our_file_is_judged_as_any() {
    let scene = |ourselves: &[u32], exe: Process| {
        let mut scene = Scene::new();
        scene.ourselves = ourselves.to_vec();
        let pid = scene.process(exe);
        scene.socket(Kind::Packet, State::Bound, "0.0.0.0:3", &[pid]);
        scene.tcp("127.0.0.1:7420", &[pid]);
        // A decoy.
        scene.tcp("0.0.0.0:420", &[pid]);
        scene
    };
    let ours = || process(100, "/usr/bin/portreeve");
    assert_eq!(scene(&[100], ours()).rings(), [""; 0]);
    let by_name_alone = scene(&[], ours()).rings();
    assert_eq!(by_name_alone, ["packet-socket warning", "silent-port-in-use warning"]);
    let deleted = ours().unpackaged().state(ExeState::Deleted);
    assert_eq!(scene(&[100], deleted).rings(), ["exe-deleted warning"]);
    // Somebody else has the socket, too.
    let mut shared = scene(&[100], ours());
    let other = shared.process(process(101, "/usr/bin/python3.11"));
    let socket = shared.socket(Kind::Packet, State::Bound, "0.0.0.0:3", &[100, other]);
    assert_eq!(shared.rings_for(socket), ["packet-socket"]);
    let findings = shared.judge().findings;
    assert!(findings.iter().any(|finding| finding.title.contains("python3.11 (PID 101")), "{findings:#?}");
}

#[test]
fn a_published_database_is_one_finding_with_its_proxy() {
    let mut scene = Scene::new();
    let proxy = scene.process(process(100, "/usr/bin/docker-proxy").unit("docker.service"));
    scene.tcp("0.0.0.0:6379", &[proxy]);
    scene.snapshot.forwards.push(Forward {
        transport: Transport::Tcp,
        addr: None,
        first: 6379,
        last: 6379,
        to_addr: Some("172.17.0.2".parse().unwrap()),
        to_port: Some(6379),
        netns: HOST,
        rule: "nftables ip nat DOCKER".to_owned(),
        container: None,
    });
    let findings = scene.judge().findings;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].subjects, [Subject::Socket(0), Subject::Forward(0)]);
    scene.snapshot.forwards[0].addr = Some("127.0.0.1".parse().unwrap());
    scene.snapshot.sockets[0].scope = Scope::Loopback;
    assert_eq!(scene.judge().findings, []);
}

#[test]
fn a_database_on_another_port_is_known_by_its_holder() {
    let mut scene = Scene::new();
    let redis = scene.process(process(100, "/usr/bin/redis-server").user(110, "redis"));
    let odd = scene.tcp("0.0.0.0:17000", &[redis]);
    assert_eq!(scene.rings_for(odd), ["exposed-service"]);
}

#[test]
fn a_file_that_several_processes_run_is_not_held_by_one_alone() {
    let mut scene = Scene::new();
    let first = scene.process(process(100, "/tmp/server").unpackaged());
    let second = scene.process(process(101, "/tmp/server").unpackaged().user(1000, "ann"));
    scene.tcp("0.0.0.0:8112", &[first]);
    let title = |scene: &Scene| scene.judge().findings[0].title.clone();
    assert!(title(&scene).contains("held by server (PID 100, user root), whose"), "{}", title(&scene));
    scene.tcp("0.0.0.0:8113", &[second]);
    let named = "held by server (PID 100, user root) and others of the same program, whose";
    assert!(title(&scene).contains(named), "{}", title(&scene));
}

#[test]
fn a_number_that_was_only_counted_is_a_note_and_one_that_reports_name_a_warning() {
    let ring = |port: u16| {
        let mut scene = Scene::new();
        let odd = scene.process(process(100, "/tmp/server").unpackaged());
        scene.tcp(&format!("0.0.0.0:{port}"), &[odd]);
        scene.rings()
    };
    assert_eq!(ring(31_337), ["exe-writable-place warning", "misuse-history warning"]);
    assert_eq!(ring(8111), ["exe-writable-place warning", "misuse-history note"]);
}

#[test]
fn a_process_that_has_a_socket_open_twice_is_one_holder() {
    let mut scene = Scene::new();
    let memcached = scene.process(process(100, "/usr/bin/memcached").user(110, "memcache"));
    scene.udp("0.0.0.0:11211", &[memcached, memcached, memcached]);
    let title = &scene.judge().findings[0].title;
    assert!(title.ends_with("held by memcached (PID 100, user memcache)"), "{title}");
}

#[test]
fn an_impostor_on_a_system_port_is_told_by_its_place() {
    let mut scene = Scene::new();
    let sshd = scene.process(process(100, "/home/ann/.cache/sshd").unpackaged());
    let place = scene.tcp("0.0.0.0:22", &[sshd]);
    assert_eq!(scene.rings_for(place), ["unexpected-holder"]);
}

#[test]
fn hostile_names_stay_in_quotes_in_commands() {
    let mut scene = Scene::new();
    let name = "/tmp/x'; reboot; '$(reboot)";
    let bad = scene.process(process(100, name).unpackaged().unit("a;reboot.service"));
    scene.tcp("0.0.0.0:8112", &[bad]);
    scene.tcp("0.0.0.0:420", &[bad]);
    let findings = scene.judge().findings;
    assert!(!findings.is_empty());
    for finding in findings {
        let outside = outside_quotes(&finding.next_step);
        assert!(!outside.contains("$(") && !outside.contains("reboot"), "{}", finding.next_step);
    }
}

/// What a shell would read as its own: everything that is neither in quotes nor escaped.
fn outside_quotes(command: &str) -> String {
    let mut outside = String::new();
    let mut quoted = false;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => quoted = !quoted,
            '\\' if !quoted => drop(letters.next()),
            letter if !quoted => outside.push(letter),
            _ => {}
        }
    }
    assert!(!quoted, "{command}");
    outside
}

#[test]
fn a_number_that_was_empty_for_a_month_makes_us_sure_and_one_in_use_is_told() {
    let mut scene = Scene::new();
    let python = scene.process(process(100, "/usr/bin/python3.11"));
    scene.tcp("127.0.0.1:420", &[python]);
    let day = |day: i64| Timestamp::from_ns(day * 86_400_000_000_000);
    let finding = |scene: &Scene| {
        let findings = scene.judge().findings;
        let finding = findings.into_iter().find(|it| it.code == Code::SilentPortInUse).unwrap();
        let remembered = finding.evidence.iter().find(|it| it.source == "history of this machine");
        (finding.confidence, remembered.map(|evidence| evidence.fact.clone()))
    };
    let used = |days, first: Option<i64>| {
        let port = first.map(|first| ((Transport::Tcp, 420), (day(first), day(TODAY))));
        portreeve_verdict::Used::new(days, port)
    };
    assert_eq!(finding(&scene), (Confidence::Medium, None));
    scene.used = used(29, None);
    let (confidence, fact) = finding(&scene);
    assert_eq!(confidence, Confidence::Medium);
    assert!(fact.unwrap().contains("before today, in 29 days"));
    scene.used = used(30, Some(TODAY));
    assert_eq!(finding(&scene).0, Confidence::High);
    scene.used = used(300, Some(TODAY - 3));
    let (confidence, fact) = finding(&scene);
    assert_eq!(confidence, Confidence::Medium);
    assert!(fact.unwrap().starts_with("Used on this machine since "));
}
