//! `check`: levels and exit statuses, policy, and what changed since a baseline.

use serde_json::Value;

use crate::document::array;
use crate::scene::Scene;
use crate::stage::{PYTHON, Stage, possible};
use crate::support::{err, out, status};

/// The codes of a check, once each.
fn codes(document: &Value) -> Vec<String> {
    let mut codes: Vec<String> = array(document, "findings")
        .iter()
        .map(|finding| {
            format!("{}:{}", finding["code"].as_str().unwrap(), finding["severity"].as_str().unwrap())
        })
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn levels_policy_and_forms_of_a_check() {
    if !possible("a check of the scene", &[]) {
        return;
    }
    let scene = Scene::plant("check");
    let stage = &scene.stage;
    let check = |words: &[&str]| {
        let mut all = vec!["check", "--own-netns", "--no-baseline"];
        all.extend_from_slice(words);
        stage.run(&all)
    };
    for (level, expected) in [("note", 1), ("warning", 1), ("alert", 1), ("never", 0)] {
        let output = check(&["--fail-on", level]);
        assert_eq!(status(&output), expected, "{level} {}", err(&output));
    }
    let text = out(&check(&[]));
    for words in ["silent-port-in-use", "exe-deleted", "packet-socket", "exposed-service", "31337/tcp"] {
        assert!(text.contains(words), "{words}\n{text}");
    }

    // Without the alert, a threshold of alert is kept.
    let accepted = stage.home.file(
        "policy.toml",
        "[[allow]]\nport = 31337\ncode = [\"exe-deleted\", \"misuse-history\"]\nreason = \"planted\"\n\n\
         [[allow]]\nport = 420\ntransport = \"tcp\"\nscope = \"loopback\"\nexe = \"/usr/bin/python3*\"\nreason = \"studio\"\n\n\
         [[deny]]\nport = 18002\nseverity = \"warning\"\nreason = \"one is enough\"\n\n\
         [[allow]]\nport = 9\nreason = \"nothing is here\"\n\n\
         [[allow]]\nport = 8080\nexpires = \"2020-01-01\"\nreason = \"long ago\"\n\n\
         [[expect]]\nport = 2222\nreason = \"the only way in\"\n",
    );
    let policy = accepted.to_str().unwrap();
    let document = stage.document(&["check", "--own-netns", "--no-baseline", "--policy", policy]);
    assert_eq!(
        codes(&document),
        [
            "exposed-service:warning",
            "packet-socket:warning",
            "policy-expired:warning",
            "policy-unmatched:note",
            "policy-violation:alert",
            "policy-violation:warning",
            "silent-port-in-use:warning",
            "unexpected-holder:note",
        ]
    );
    let accepted: Vec<&str> = array(&document, "accepted")
        .iter()
        .map(|accepted| accepted["finding"]["code"].as_str().or(accepted["code"].as_str()).unwrap())
        .collect();
    assert_eq!(accepted.len(), 3, "{}", document["accepted"]);
    // The entry is for the web server on TCP; the silent UDP socket beside it still stands.
    let silent: Vec<&Value> =
        array(&document, "findings").iter().filter(|it| it["code"] == "silent-port-in-use").collect();
    assert_eq!(silent.len(), 1);
    let index = usize::try_from(silent[0]["sockets"][0].as_u64().unwrap()).unwrap();
    assert_eq!(document["sockets"][index]["kind"], "udp");
    let expired = array(&document, "findings").iter().find(|it| it["code"] == "policy-expired").unwrap();
    assert!(expired["entries"][0].as_str().unwrap().contains("policy.toml:"), "{expired}");

    // The published schema holds for a real document.
    let schema = include_str!("../../../../docs/schema/portreeve-v1.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for words in [
        &["check", "--own-netns", "--policy", policy][..],
        &["420", "--own-netns"],
        &["list", "--own-netns", "-a"],
    ] {
        let document = stage.document(words);
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|fault| format!("{} {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{words:?} {faults:?}");
    }
    sarif(&check(&["--sarif", "--policy", policy]).stdout);
}

/// The shape that readers of SARIF 2.1.0 rely on (§3.13, §3.27).
fn sarif(bytes: &[u8]) {
    let log: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().contains("sarif"));
    let run = &log["runs"][0];
    let rules = array(&run["tool"]["driver"], "rules");
    let results = array(run, "results");
    assert!(!results.is_empty());
    for result in results {
        let rule = result["ruleId"].as_str().unwrap();
        if let Some(index) = result["ruleIndex"].as_u64() {
            assert_eq!(rules[usize::try_from(index).unwrap()]["id"], rule);
        }
        assert!(rules.iter().any(|known| known["id"] == rule), "{rule}");
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
    }
    assert_eq!(run["invocations"][0]["exitCode"], 1);
}

#[test]
fn a_baseline_knows_a_restart_from_a_change() {
    if !possible("a baseline", &[]) {
        return;
    }
    let stage = Stage::new("drift");
    let file = stage.home.0.join("baseline.toml");
    let file = file.to_str().unwrap();
    let service = r#"s = tcp(18601, "0.0.0.0"); u = udp(18602); ready()"#;
    let first = stage.plant(service);
    let second = stage.plant("s = tcp(18603); ready()");
    let learned = stage.run(&["baseline", "learn", "--own-netns", "--output", file]);
    assert_eq!(status(&learned), 0, "{}", err(&learned));

    let drift = || {
        let document = stage.document(&["check", "--own-netns", "--baseline", file]);
        let found: Vec<String> = array(&document, "findings")
            .iter()
            .map(|finding| {
                let title = finding["title"].as_str().unwrap();
                let ports =
                    ["18601", "18602", "18603", "18604"].into_iter().filter(|port| title.contains(port));
                format!("{} {}", finding["code"].as_str().unwrap(), ports.collect::<Vec<_>>().join(" "))
            })
            .collect();
        (found, document["summary"]["exit_status"].as_u64().unwrap())
    };
    let nothing: (Vec<String>, u64) = (Vec::new(), 0);
    assert_eq!(drift(), nothing);

    // The same service with another process number, and a worker more.
    let before = first.pid();
    drop(first);
    let again = stage.plant(r#"s = tcp(18601, "0.0.0.0"); u = udp(18602); ready(worker=fork(lambda: None))"#);
    assert_ne!(again.pid(), before);
    assert_eq!(drift(), nothing);

    // A new listener.
    let new = stage.plant("s = tcp(18604); ready()");
    assert_eq!(drift(), (vec!["baseline-new 18604".to_owned()], 1));
    let diff = stage.run(&["baseline", "diff", "--own-netns", "--baseline", file, "--json"]);
    assert_eq!(status(&diff), 1);
    let changes: Value = serde_json::from_slice(&diff.stdout).unwrap();
    assert_eq!(array(&changes, "changes").len(), 1);
    let schema = include_str!("../../../../docs/schema/changes-v1.schema.json");
    assert!(jsonschema::is_valid(&serde_json::from_str(schema).unwrap(), &changes), "{changes}");
    let accepted = stage.run(&["baseline", "accept", "18604/tcp", "--own-netns", "--baseline", file]);
    assert_eq!(status(&accepted), 0, "{}", err(&accepted));
    assert_eq!(drift(), nothing);

    // Gone, which is a note.
    drop(new);
    assert_eq!(drift(), (vec!["baseline-gone 18604".to_owned()], 0));
    assert_eq!(status(&stage.run(&["baseline", "accept", "all", "--own-netns", "--baseline", file])), 0);

    // Another user holds it: another holder.
    drop(second);
    let _third = stage.plant_with(
        &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PYTHON],
        "s = tcp(18603); ready()",
    );
    assert_eq!(drift(), (vec!["baseline-changed 18603".to_owned()], 1));
    // Reachable from elsewhere now: a door that was not there, and one that is gone.
    drop(again);
    let _wide = stage.plant(r#"s = tcp(18601, "127.0.0.1"); u = udp(18602); ready()"#);
    let (found, exit) = drift();
    assert_eq!(exit, 1);
    assert!(found.contains(&"baseline-new 18601".to_owned()), "{found:?}");
    assert!(found.contains(&"baseline-gone 18601".to_owned()), "{found:?}");
}
