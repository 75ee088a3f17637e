//! The binary and a history that a service left: asked, filtered, decided about; and what a page and a verdict say of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is how it fails")]

mod support;

use std::net::TcpListener;
use std::path::PathBuf;

use model::{
    Code, Confidence, Evidence, Exe, ExeState, Family, Finding, Happened, Kind, Process, Seen, Severity,
    SocketEvent, Subject, Timestamp, User, Utc, Witness,
};
use serde_json::Value;
use store::{Batch, Limits, Sighting, Store, finding_id};
use support::{Home, err, out, status};

const DAY: i64 = 86_400_000_000_000;
/// 2026-01-10T00:00:00Z.
const BEGIN: i64 = 20_463 * DAY;
const ABOUT: &str = "tcp 0.0.0.0:420 /usr/bin/nc";

fn at(day: i64) -> Timestamp<Utc> {
    Timestamp::from_ns(BEGIN + day * DAY)
}

fn event(day: i64, port: u16, exe: &str) -> SocketEvent {
    let process = Process {
        pid: 900,
        comm: String::from("x"),
        started: Seen::Absent,
        exe: Seen::Value(Exe {
            path: exe.to_owned(),
            state: ExeState::Present,
            world_writable: false,
            temporary: false,
            sha256: None,
        }),
        cmdline: Seen::Value(vec![exe.to_owned()]),
        cwd: Seen::Absent,
        user: Seen::Value(User { uid: 33, name: Some(String::from("www-data")) }),
        capabilities: Seen::Absent,
        parents: Vec::new(),
        unit: Seen::Absent,
        container: Seen::Absent,
        package: Seen::Absent,
        hidden_from_proc: false,
        preload: Seen::Absent,
    };
    SocketEvent {
        interface: None,
        tid: None,
        at: at(day),
        happened: Happened::Listening,
        witness: Witness::Kernel,
        kind: Kind::Tcp,
        family: Family::V4,
        local: format!("0.0.0.0:{port}").parse().unwrap(),
        netns: 0,
        cookie: 1,
        uid: Some(33),
        holder: Seen::Value(std::sync::Arc::new(process)),
        cgroup: None,
        lived_ns: Some(200_000),
    }
}

/// A history of forty days: port 420 once, another port each day, one finding.
fn history(home: &Home, port: u16) -> PathBuf {
    let folder = home.0.join("history");
    let store = Store::open(&folder, Limits::default()).unwrap();
    for day in 0..40 {
        store.append(&Batch { events: vec![event(day, port, "/opt/daily")], ..Batch::default() }).unwrap();
    }
    let finding = Finding {
        code: Code::SilentPortInUse,
        severity: Severity::Warning,
        confidence: Confidence::High,
        subjects: vec![Subject::Capture],
        title: String::from("420/tcp is held by nc\u{1b}[2J"),
        evidence: vec![Evidence { fact: String::from("it listens"), source: String::from("test") }],
        next_step: String::from("ps -p 900"),
    };
    let sighting = Sighting { at: at(5), about: ABOUT.to_owned(), finding };
    store
        .append(&Batch {
            events: vec![event(5, 420, "/usr/bin/nc")],
            findings: vec![sighting],
            ..Batch::default()
        })
        .unwrap();
    folder
}

fn json(home: &Home, words: &[&str]) -> Value {
    let output = home.run(words);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {words:?} {}", err(&output)))
}

#[test]
fn what_happened_is_told_page_by_page() {
    let home = Home::new("history-pages");
    let folder = history(&home, 4000);
    let folder = folder.to_str().unwrap();
    let text = out(&home.run(&["history", "--history", folder, "--limit", "3"]));
    assert!(text.contains("finding opened") && text.contains("listening after 200 µs"), "{text}");
    assert!(text.contains("0.0.0.0:420") && text.contains("/usr/bin/nc as www-data"), "{text}");
    assert!(!text.contains('\u{1b}') && text.contains("The next page: --before "), "{text}");

    let page = json(&home, &["history", "--history", folder, "--json", "--limit", "1000"]);
    assert_eq!(page["schema_version"], 1);
    let records = page["records"]["records"].as_array().unwrap();
    assert_eq!(records.len(), 42);
    assert_eq!(page["records"]["next"], Value::Null);
    let narrow = ["history", "--history", folder, "--json", "--since", "2026-01-12", "--until", "2026-01-13"];
    assert_eq!(json(&home, &narrow)["records"]["records"].as_array().unwrap().len(), 2);
    let of_nc = json(&home, &["history", "--history", folder, "--json", "--holder", "NC"]);
    assert_eq!(of_nc["records"]["records"].as_array().unwrap().len(), 1);

    let port = json(&home, &["history", "420/tcp", "--history", folder, "--json"]);
    assert_eq!(port["port"]["watched"]["days"], 40);
    assert_eq!(port["port"]["doors"][0]["holders"][0]["holder"]["exe"], "/usr/bin/nc");
    assert_eq!(port["port"]["findings"][0]["id"], finding_id(Code::SilentPortInUse, ABOUT));
    let text = out(&home.run(&["history", "420", "--history", folder]));
    assert!(text.contains("Doors") && text.contains("What happened"), "{text}");

    let csv = out(&home.run(&["history", "--history", folder, "--csv"]));
    assert!(csv.starts_with("number,at,record,what,where,pid,who\r\n") && csv.lines().count() == 43, "{csv}");
    let statistics = json(&home, &["history", "--statistics", "--history", folder, "--json"]);
    assert_eq!(statistics["statistics"]["records_ever"], 42);
    assert!(out(&home.run(&["history", "--statistics", "--history", folder])).contains("40 days of history"));
}

#[test]
fn a_finding_is_accepted_with_a_reason_and_taken_back() {
    let home = Home::new("history-findings");
    let folder = history(&home, 4000);
    let folder = folder.to_str().unwrap();
    let id = finding_id(Code::SilentPortInUse, ABOUT);
    let short = id.get(..6).unwrap();
    let run = |words: &[&str]| home.run(&[words, &["--history", folder]].concat());
    let listed = |words: &[&str]| {
        let document = json(&home, &[&["findings", "--json", "--history", folder], words].concat());
        document["findings"].as_array().unwrap().len()
    };
    assert_eq!((listed(&[]), listed(&["code=exe-*"]), listed(&["--severity", "alert"])), (1, 0, 0));
    assert_eq!(status(&run(&["findings", "--fail-on", "warning"])), 1);
    assert_eq!(status(&run(&["findings", "--fail-on", "alert"])), 0);
    let shown = out(&run(&["findings", "show", short]));
    assert!(shown.contains("it listens [test]") && shown.contains("open since 2026-01-15"), "{shown}");

    let output = run(&["findings", "ack", short, "--reason", "our test server", "--for", "30d"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert!(err(&output).contains("is accepted"), "{}", err(&output));
    assert_eq!((listed(&[]), listed(&["--state", "acknowledged"]), listed(&["--state", "all"])), (0, 1, 1));
    assert_eq!(status(&run(&["findings", "--fail-on", "warning"])), 0);
    assert!(out(&run(&["findings", "show", short])).contains("our test server"));
    assert_eq!(status(&run(&["findings", "reopen", short])), 0);
    assert_eq!(listed(&[]), 1);

    for (words, hint) in [
        (&["findings", "show", "zz"][..], "hexadecimal"),
        (&["findings", "show", "0000000000"], "no finding"),
        (&["findings", "ack", short], "--reason"),
        (&["findings", "ack", short, "--reason", " "], "reason"),
        (&["findings", "ack", short, "--reason", "x", "--for", "ever"], "30m"),
        (&["findings", "--since", "yesterday"], "2026-11-01"),
        (&["history", "1-9"], "several ports"),
        (&["findings", "exe-*"], "code="),
    ] {
        let output = run(words);
        assert_eq!(status(&output), 64, "{words:?} {}", err(&output));
        assert!(err(&output).contains(hint), "{words:?} {}", err(&output));
    }
}

#[test]
fn without_a_history_the_way_to_one_is_told() {
    let home = Home::new("history-none");
    let folder = home.0.join("nowhere");
    for command in ["history", "findings"] {
        let output = home.run(&[command, "--history", folder.to_str().unwrap()]);
        assert_eq!(status(&output), 2);
        assert!(err(&output).contains("portreeve serve"), "{}", err(&output));
    }
    assert!(!folder.exists(), "asking makes no history");
    let damaged = home.file("history.redb", "this is no history");
    let damaged = damaged.to_str().unwrap();
    let output = home.run(&["history", "--history", damaged]);
    assert_eq!(status(&output), 2);
    assert!(err(&output).contains("damaged") && err(&output).contains("--rebuild"), "{}", err(&output));
    let output = home.run(&["history", "--rebuild", "--history", damaged]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert!(home.0.join("history.damaged-1.redb").exists());
}

#[test]
fn a_page_says_when_a_port_was_used_and_for_how_long_it_was_not() {
    let home = Home::new("history-page");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = history(&home, port);
    let folder = folder.to_str().unwrap();
    let page = out(&home.run(&[&port.to_string(), "--history", folder]));
    assert!(page.contains("held (tcp)") && page.contains("first 2026-01-10T00:00:00Z"), "{page}");
    assert!(page.contains("last 2026-02-18T00:00:00Z, 40 times"), "{page}");
    assert!(page.contains("/opt/daily as www-data"), "{page}");
    let page = out(&home.run(&["port", "421", "--history", folder]));
    assert!(page.contains("never used") && page.contains("40 days of history"), "{page}");
    let document = json(&home, &["421", "--history", folder, "--json"]);
    assert_eq!(document["ports"][0]["history"]["watched"]["days"], 40);
    assert!(document["ports"][0]["history"]["used"].as_array().unwrap().is_empty());
    // One that was named and is not there is something that we could not look at.
    let output = home.run(&["421", "--history", "/nowhere/at/all"]);
    assert_eq!(status(&output), 2);
    assert!(out(&output).contains("not known"), "{}", out(&output));
}
