//! Without root: what is ours is shown in full, and what is not is said to be unseen, never to be absent.

use std::path::PathBuf;

use serde_json::Value;

use crate::document::array;
use crate::stage::{PYTHON, Planter, Stage, possible};
use crate::support::{err, out, status};

const NOBODY: [&str; 5] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];

struct Bare {
    stage: Stage,
    _root: Planter,
    nobody: Planter,
    /// The binary, where everybody may run it.
    binary: PathBuf,
}

impl Bare {
    fn new(name: &str) -> Bare {
        let stage = Stage::new(name);
        let root = stage.plant(r#"s = tcp(420, "0.0.0.0"); t = tcp(18501); ready()"#);
        let mut words = NOBODY.to_vec();
        words.push(PYTHON);
        let nobody = stage.plant_with(&words, r#"s = tcp(18502); u = udp(18503, "0.0.0.0"); ready()"#);
        let binary = stage.home.0.join("portreeve");
        // A folder above may be closed to others.
        std::fs::copy(env!("CARGO_BIN_EXE_portreeve"), &binary).unwrap();
        Bare { stage, _root: root, nobody, binary }
    }

    fn run(&self, before: &[&str], words: &[&str]) -> std::process::Output {
        let mut all = before.to_vec();
        all.push(self.binary.to_str().unwrap());
        all.extend_from_slice(words);
        self.stage
            .command(&all)
            .env("HOME", "/nonexistent")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }
}

fn row(document: &Value, port: u16) -> &Value {
    let mut rows = array(document, "sockets").iter().filter(|socket| socket["port"] == port);
    let row = rows.next().unwrap_or_else(|| panic!("{port} is missing"));
    assert!(rows.next().is_none(), "{port} is there twice");
    row
}

#[test]
fn a_user_without_rights_sees_every_socket_and_why_there_is_no_holder() {
    if !possible("a look without root", &[]) {
        return;
    }
    let bare = Bare::new("bare");
    let output = bare.run(&NOBODY, &["list", "--own-netns", "--json"]);
    assert_eq!(status(&output), 2, "a partial look is never 0: {}", err(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["machine"]["privileged"], false);
    assert_eq!(document["summary"]["partial"], true);

    // What belongs to others: the row is there, the holder is refused and not absent.
    for port in [420, 18501] {
        let row = row(&document, port);
        assert_eq!(row["holders_missing"], "no_permission", "{row}");
        assert_eq!(row["uid"], 0);
        assert!(array(row, "holders").is_empty());
        assert_ne!(row["verdict"], "ok");
    }
    // What is ours is complete.
    for port in [18502, 18503] {
        let row = row(&document, port);
        assert_eq!(row["holders"][0]["pid"], bare.nobody.pid(), "{row}");
        assert!(row["holders_missing"].is_null());
        assert_eq!(row["verdict"], "ok");
    }
    let processes = array(&document, "processes");
    assert_eq!(processes.len(), 1);
    let ours = &processes[0];
    assert!(ours["exe"]["path"].as_str().unwrap().contains("python3"), "{ours}");
    assert_eq!(ours["exe"]["state"], "present");
    assert_eq!(ours["user"]["uid"], 65534);
    assert!(ours["cwd"].is_string() && ours["started"].is_string() && ours["capabilities"].is_object());

    let gaps = array(&document, "gaps");
    assert!(!gaps.is_empty());
    for gap in gaps {
        assert!(gap["what"].as_str().is_some_and(|what| !what.is_empty()), "{gap}");
        assert!(gap["help"].as_str().is_some_and(|help| !help.is_empty()), "{gap}");
    }
    let holders = gaps.iter().find(|gap| gap["area"] == "holders" && gap["reason"] == "no_permission");
    assert_eq!(holders.unwrap()["count"], 2);
    let findings = array(&document, "findings");
    assert!(findings.iter().any(|finding| finding["code"] == "holder-unknown"));
    assert!(findings.iter().any(|finding| finding["code"] == "silent-port-in-use"));
    let accused =
        ["hidden-socket", "hidden-holder", "exe-deleted", "unpackaged-service", "unexpected-holder"];
    assert!(
        findings.iter().all(|finding| !accused.contains(&finding["code"].as_str().unwrap())),
        "{findings:?}"
    );
}

#[test]
fn people_without_rights_are_told_what_was_not_visible() {
    if !possible("a look without root, as text", &[]) {
        return;
    }
    let bare = Bare::new("told");
    let output = bare.run(&NOBODY, &["--own-netns"]);
    assert_eq!(status(&output), 2);
    let text = out(&output);
    for words in ["420/tcp", "18502/tcp", "not allowed to look", "root"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(text.contains(&format!("[{}]", bare.nobody.pid())), "{text}");
    // The page of a port that we may not look behind says so; so does a check, whose findings come first.
    let page = bare.run(&NOBODY, &["port", "420", "--own-netns"]);
    assert_eq!(status(&page), 2, "{}", out(&page));
    assert!(out(&page).contains("not allowed to look"), "{}", out(&page));
    assert_eq!(status(&bare.run(&NOBODY, &["check", "--own-netns", "--fail-on", "alert"])), 2);
    assert_eq!(status(&bare.run(&NOBODY, &["check", "--own-netns", "--fail-on", "warning"])), 1);
    // A look that misses nothing that was asked for is still a partial look at the machine.
    let whole = bare.run(&NOBODY, &["port=18502"]);
    assert_eq!(status(&whole), 2);
}

#[test]
fn root_in_a_user_namespace_is_not_root() {
    if !possible("root in a user namespace", &[]) {
        return;
    }
    let bare = Bare::new("userns");
    let before: Vec<&str> = NOBODY.iter().copied().chain(["unshare", "-Ur"]).collect();
    if !bare.stage.command(&[&before[..], &["true"]].concat()).status().unwrap().success() {
        eprintln!("SKIPPED: no user namespaces for users without rights here");
        return;
    }
    let output = bare.run(&before, &["list", "--own-netns", "--json"]);
    assert_eq!(status(&output), 2, "{}", err(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["machine"]["privileged"], false);
    // Not even the same user's processes outside of it may be looked at.
    for port in [420, 18501, 18502, 18503] {
        assert_eq!(row(&document, port)["holders_missing"], "no_permission");
    }
    // It may not enter other namespaces, and says so.
    let output = bare.run(&before, &["list", "--json"]);
    assert_eq!(status(&output), 2);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(array(&document, "gaps").iter().any(|gap| gap["area"] == "namespaces"), "{}", document["gaps"]);
}
