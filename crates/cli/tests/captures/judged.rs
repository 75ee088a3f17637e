//! What `read` is asked for, it does: forms of output, policy, thresholds, earlier readings, bounds, wrong words.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::files::{ETHERNET, PCAP, file};
use crate::packets::{Wire, scene};
use crate::support::{Home, err, out, status};
use crate::{array, document, word};

fn scene_at(home: &Home) -> PathBuf {
    let path = home.0.join("scene.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &scene().packets)).unwrap();
    path
}

#[test]
fn json_is_what_its_schema_says() {
    let home = Home::new("schema");
    let path = scene_at(&home);
    let cut = home.0.join("cut.pcap");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() - 5]).unwrap();
    let schema = home.run(&["schema", "traffic"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for words in [&["--flows"][..], &["--port", "420"], &["--filter", "udp"]] {
        for file in [&path, &cut] {
            let document = document(&home, &[words, &[word(file)]].concat());
            let faults: Vec<String> =
                validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}");
        }
    }
    let mut wrong = document(&home, &[word(&path)]);
    wrong["services"][0]["port"] = "420".into();
    assert!(!validator.is_valid(&wrong), "the schema says something");
}

#[test]
fn csv_has_a_line_for_each_service() {
    let home = Home::new("csv");
    let path = scene_at(&home);
    let csv = out(&home.run(&["read", "--csv", word(&path)]));
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("transport,port,address,"), "{csv}");
    assert_eq!(lines.len(), 1 + 6 + 1, "{csv}");
    let ssh = lines.iter().find(|line| line.starts_with("tcp,420,10.0.0.1,")).unwrap();
    assert!(ssh.contains(",ssh,confirmed,") && ssh.ends_with("warning,protocol-mismatch"), "{ssh}");
    let bare = out(&home.run(&["read", "--csv", "--no-header", word(&path)]));
    assert_eq!(bare.split("\r\n").count(), 6 + 1);
    assert_eq!(status(&home.run(&["read", "--csv", "--json", word(&path)])), 64);
    assert_eq!(status(&home.run(&["read", "--csv", "--eve", word(&path)])), 64);
}

#[test]
fn the_summary_and_the_page_of_a_port_say_what_was_seen() {
    let home = Home::new("text");
    let path = scene_at(&home);
    let summary = home.run(&["read", word(&path)]);
    assert_eq!((status(&summary), err(&summary)), (0, String::new()));
    let summary = out(&summary);
    for words in ["420/tcp", "420/udp", "smpte? silent", "22/tcp", "1 scan", "warning protocol-mismatch"] {
        assert!(summary.contains(words), "{words}\n{summary}");
    }
    let page = out(&home.run(&["read", word(&path), "--port", "420/tcp"]));
    for words in [
        "Port 420/tcp",
        "On paper",
        "SMPTE",
        "On the wire",
        "10.0.0.1:420/tcp",
        "10.0.0.4:420/tcp",
        "Verdict",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    assert!(!page.contains("420/udp speaks") && !page.contains("10.0.0.1:22"), "{page}");
    // Knocks are on the page of their port, and a name is as good as a number.
    let knocks = out(&home.run(&["read", word(&path), "--port", "31337"]));
    assert!(knocks.contains("1 knock without an answer"), "{knocks}");
    let ssh = out(&home.run(&["read", word(&path), "-p", "ssh"]));
    assert!(ssh.contains("10.0.0.1:22/tcp") && !ssh.contains("10.0.0.1:420"), "{ssh}");
    let nothing = out(&home.run(&["read", word(&path), "-p", "9999"]));
    assert!(nothing.contains("Nothing was seen here"), "{nothing}");

    let flows = out(&home.run(&["read", word(&path), "--flows"]));
    let line = flows.lines().find(|line| line.contains("10.0.0.2:50001 → 10.0.0.1:420")).unwrap();
    assert!(line.contains("ssh") && line.contains("8 packets"), "{line}");
    let document = document(&home, &[word(&path), "--flows", "--port", "420"]);
    assert_eq!(array(&document, "flows").len(), 3);
    assert_eq!(array(&document, "flows")[0]["client"]["port"], 50_001);
}

#[test]
fn policy_accepts_and_thresholds_decide() {
    let home = Home::new("policy");
    let path = scene_at(&home);
    let run = |words: &[&str]| home.run(&[&["read", word(&path)], words].concat());
    assert_eq!(status(&run(&[])), 0, "findings do not fail unless they are asked to");
    assert_eq!(status(&run(&["--fail-on", "warning"])), 1);
    assert_eq!(status(&run(&["--fail-on", "alert"])), 0);
    assert_eq!(status(&run(&["--fail-on", "warning", "--port", "22"])), 0);

    let policy = home.file(
        "policy.toml",
        "[[allow]]\nport = 420\ncode = [\"protocol-mismatch\"]\nreason = \"a test stands here\"\n",
    );
    let accepted = document(&home, &[word(&path), "--policy", word(&policy)]);
    let list = array(&accepted, "accepted");
    assert_eq!(list.len(), 3, "{}", accepted["accepted"]);
    for entry in list {
        assert_eq!(entry["reason"], "a test stands here");
        assert!(entry["entry"].as_str().unwrap().contains("policy.toml"), "{entry}");
        assert_eq!(entry["finding"]["code"], "protocol-mismatch");
    }
    assert!(array(&accepted, "findings").iter().all(|finding| finding["code"] != "protocol-mismatch"));
    let text = run(&["--policy", word(&policy), "--fail-on", "warning"]);
    assert_eq!(status(&text), 0, "{}", out(&text));
    for words in
        ["Accepted by policy", "protocol-mismatch: 10.0.0.1:420/tcp speaks SSH", "a test stands here"]
    {
        assert!(out(&text).contains(words), "{words}\n{}", out(&text));
    }
    let wrong = home.file("wrong.toml", "[[allow]]\nport = \"many\"\n");
    let output = run(&["--policy", word(&wrong)]);
    assert_eq!((status(&output), out(&output)), (2, String::new()));
    assert!(
        err(&output).contains("nothing was read") && err(&output).contains("wrong.toml:"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_service_is_new_beside_an_earlier_reading() {
    let home = Home::new("earlier");
    let mut wire = Wire::default();
    wire.ssh((2, 50_001), (1, 22));
    let monday = home.0.join("monday.pcap");
    std::fs::write(&monday, file(PCAP, ETHERNET, &wire.packets)).unwrap();
    let earlier = home.file("monday.json", &out(&home.run(&["read", "--json", word(&monday)])));
    wire.ssh((2, 50_002), (3, 2222));
    let tuesday = home.0.join("tuesday.pcap");
    std::fs::write(&tuesday, file(PCAP, ETHERNET, &wire.packets)).unwrap();
    let new = |file| {
        let document = document(&home, &[word(file), "--earlier", word(&earlier)]);
        let titles = array(&document, "findings").iter().filter(|finding| finding["code"] == "service-new");
        titles.map(|finding| finding["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(new(&monday).is_empty());
    let found = new(&tuesday);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("10.0.0.3:2222"), "{found:?}");
    let output = home.run(&["read", word(&monday), "--earlier", word(&monday)]);
    assert_eq!(status(&output), 2);
    assert!(err(&output).contains("monday.pcap"), "{}", err(&output));
}

#[test]
fn wrong_words_are_told_with_their_place() {
    let home = Home::new("words");
    let path = scene_at(&home);
    for (words, hints) in [
        (&["--filter", "tcp and prot 420"][..], &["column 9", "did you mean 'port'"][..]),
        (&["--filter", "port"], &["--filter", "column"]),
        (&["--port", "70000"], &["65535"]),
        (&["--port", "sssh"], &["sssh"]),
        (&["--memory", "12"], &["1M"]),
        (&["--workers", "0"], &["1..=64"]),
        (&["--fail-on", "panic"], &["warning"]),
    ] {
        let output = home.run(&[&["read", word(&path)], words].concat());
        assert_eq!((status(&output), out(&output)), (64, String::new()), "{words:?}");
        assert!(hints.iter().all(|hint| err(&output).contains(hint)), "{words:?}: {}", err(&output));
    }
    assert_eq!(status(&home.run(&["read"])), 64);
    // One that is missing stops the reading of all, by its name.
    let output = home.run(&["read", word(&path), "missing.pcap"]);
    assert_eq!((status(&output), out(&output)), (2, String::new()));
    assert!(err(&output).contains("missing.pcap"), "{}", err(&output));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = Home::new("leaves");
    let mut wire = Wire::default();
    // A thousand flows of each of some clients.
    for port in 0..5000 {
        wire.dns(((3 + port % 8) as u8, 10_000 + port), (200, 53));
    }
    let path = home.0.join("many.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &wire.packets)).unwrap();
    for words in [&["--eve"][..], &["--flows"], &["--flows", "--json"]] {
        let mut child = home
            .command()
            .args([&["read", word(&path)], words].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 8];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()), "{words:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn more_flows_than_memory_are_counted_and_told() {
    let home = Home::new("memory");
    let mut wire = Wire::default();
    const FLOWS: u16 = 50_000;
    for round in 0..2 {
        for port in 0..FLOWS {
            wire.udp((10 + round, 10_000 + port), (1, 9000), b"once and");
            wire.udp((1, 9000), (10 + round, 10_000 + port), b"back again");
        }
    }
    let bytes = file(PCAP, ETHERNET, &wire.packets);
    let mut peaks = Vec::new();
    for memory in ["1M", "256M"] {
        let mut child = home
            .command()
            .args(["read", "-", "--json", "--workers", "1", "--memory", memory])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&bytes).unwrap();
        // All but what fits into the pipe has been read.
        let about = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = about.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peaks.push(peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let volume = &document["volume"];
        assert_eq!(volume["frames"], wire.packets.len());
        let is_bounded = memory == "1M";
        assert_eq!(volume["flows_merged"].as_u64().unwrap() > 0, is_bounded, "{volume}");
        let early = |gap: &&Value| gap["what"].as_str().is_some_and(|what| what.contains("closed early"));
        let gap = array(&document, "gaps").iter().find(early);
        assert_eq!(gap.is_some(), is_bounded, "{}", document["gaps"]);
        if let Some(gap) = gap {
            assert!(gap["help"].as_str().unwrap().contains("--memory"), "{gap}");
            assert_eq!(status(&output), 2);
        }
    }
    // The program itself takes about 20 MB, and the frames in hand some more.
    assert!(peaks[0] < 60_000, "{peaks:?} kB");
    assert!(peaks[1] > peaks[0] + 5_000, "the bound is what kept it small: {peaks:?} kB");
}
