//! The packets behind the findings, as a file that others can read.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::files::{ETHERNET, FORMS, PCAP, file};
use crate::packets::{Wire, scene};
use crate::support::{Home, err, out, status};
use crate::{array, document, installed, word};

/// SSH where it belongs, and where it does not.
fn capture() -> (Wire, usize) {
    let mut wire = Wire::default();
    wire.ssh((2, 50_001), (1, 22));
    let before = wire.packets.len();
    wire.ssh((2, 50_002), (1, 420));
    let of_finding = wire.packets.len() - before;
    wire.ssh((2, 50_003), (1, 22));
    (wire, of_finding)
}

#[test]
fn evidence_has_the_packets_of_the_finding_and_says_which() {
    let home = Home::new("evidence");
    let (wire, of_finding) = capture();
    let packets: BTreeSet<&[u8]> = wire.packets.iter().map(|(_, packet)| packet.as_slice()).collect();
    for (number, form) in FORMS.into_iter().enumerate() {
        let path = home.0.join(format!("in-{number}"));
        std::fs::write(&path, file(form, ETHERNET, &wire.packets)).unwrap();
        let written = home.0.join(format!("out-{number}.pcapng"));
        let output = home.run(&["read", word(&path), "--write", word(&written)]);
        assert_eq!(status(&output), 0, "{}", err(&output));
        assert!(err(&output).contains(&format!("{of_finding} packets written to")), "{}", err(&output));
        // We read it, and find the same again and nothing else.
        let again = document(&home, &[word(&written)]);
        assert_eq!(again["volume"]["frames"], of_finding);
        let original = document(&home, &[word(&path)]);
        let service = |document: &Value| {
            let mut service =
                array(document, "services").iter().find(|service| service["port"] == 420).unwrap().clone();
            service["frames"] = Value::Null;
            service
        };
        assert_eq!(service(&again), service(&original), "times and bytes are as they were");
        assert_eq!(array(&again, "services").len(), 1);
        assert_eq!(array(&again, "findings")[0]["title"], array(&original, "findings")[0]["title"]);
    }
    // The finding stands in the file, and the packets are those that were read, byte for byte.
    let bytes = std::fs::read(home.0.join("out-0.pcapng")).unwrap();
    let comment = b"portreeve: warning protocol-mismatch: 10.0.0.1:420/tcp speaks SSH";
    assert_eq!(bytes.windows(comment.len()).filter(|window| window == comment).count(), 1);
    let found = packets.iter().filter(|packet| bytes.windows(packet.len()).any(|window| window == **packet));
    assert_eq!(found.count(), of_finding);

    if !installed("tshark", "the evidence in another reader") {
        return;
    }
    let tshark = Command::new("tshark")
        .args(["-r", word(&home.0.join("out-1.pcapng")), "-T", "fields", "-E", "separator=|"])
        .args(["-e", "frame.number", "-e", "tcp.port", "-e", "frame.comment"])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let lines = out(&tshark);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), of_finding, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("420")), "{lines:?}");
    assert!(lines[0].contains("warning protocol-mismatch: 10.0.0.1:420/tcp speaks SSH"), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("portreeve:")).count(), 1, "{lines:?}");
}

#[test]
fn a_capture_without_findings_has_no_evidence() {
    let home = Home::new("clean");
    let mut wire = Wire::default();
    wire.ssh((2, 50_001), (1, 22));
    let path = home.0.join("in.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &wire.packets)).unwrap();
    let written = home.0.join("out.pcapng");
    let output = home.run(&["read", word(&path), "-w", word(&written)]);
    assert!(err(&output).contains("0 packets written"), "{}", err(&output));
    let again = document(&home, &[word(&written)]);
    assert_eq!((&again["volume"]["frames"], &again["exit_status"]), (&0.into(), &0.into()));
}

#[test]
fn what_can_be_read_once_only_has_evidence_too() {
    let home = Home::new("once");
    let (wire, of_finding) = capture();
    let bytes = file(PCAP, ETHERNET, &wire.packets);
    let written = home.0.join("out.pcapng");
    let mut child = home
        .command()
        .args(["read", "-", "--write", word(&written), "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0);
    assert_eq!(document(&home, &[word(&written)])["volume"]["frames"], of_finding);

    // A pipe with a name, as <(zcat …) makes one.
    let pipe = home.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let again = home.0.join("again.pcapng");
    let child = home
        .command()
        .args(["read", word(&pipe), "--write", word(&again)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::fs::write(&pipe, &bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&written).unwrap());
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_read() {
    let home = Home::new("unwritable");
    let path = home.0.join("in.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &scene().packets)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let folder = home.0.join("folder");
    std::fs::create_dir(&folder).unwrap();
    let missing = home.0.join("no/such/folder/out.pcapng");
    for (place, expected, words) in [
        (word(&missing), 2, "No such file or directory"),
        (word(&folder), 2, "it is a folder"),
        ("-", 64, "--write needs a file"),
        (word(&path), 64, "would replace"),
    ] {
        let output = home.run(&["read", word(&path), "--write", place]);
        assert_eq!((status(&output), out(&output)), (expected, String::new()), "{place}");
        let told = err(&output);
        assert!(told.contains(words) && !told.contains(".tmp"), "{place}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before, "what is read is not replaced");
    let left: BTreeSet<_> =
        std::fs::read_dir(&home.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, BTreeSet::from(["in.pcap".into(), "folder".into()]), "nothing is left behind");

    // A device stays one, and a link is followed.
    let null = home.run(&["read", word(&path), "--write", "/dev/null"]);
    assert_eq!(status(&null), 0, "{}", err(&null));
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    #[cfg(unix)]
    {
        let (link, target) = (home.0.join("link"), home.0.join("target"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(status(&home.run(&["read", word(&path), "--write", word(&link)])), 0);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(std::fs::metadata(&target).unwrap().len() > 1000);
    }
}

#[test]
fn evidence_of_one_port_is_of_that_port() {
    let home = Home::new("one-port");
    let path = home.0.join("in.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &scene().packets)).unwrap();
    let written = home.0.join("out.pcapng");
    let output = home.run(&["read", word(&path), "--port", "420/udp", "--write", word(&written)]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let again = document(&home, &[word(&written)]);
    let services: Vec<_> =
        array(&again, "services").iter().map(|it| (&it["transport"], &it["port"])).collect();
    assert_eq!(services, [(&"udp".into(), &420.into())]);
}
