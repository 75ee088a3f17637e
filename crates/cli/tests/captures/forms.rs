//! However a capture is stored and however it is read, it says the same.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::files::{ETHERNET, FORMS, LINKS, PCAP, file, gzip, zstd};
use crate::packets::scene;
use crate::support::{Home, err, status};
use crate::{array, document, word};

/// What does not depend on what the files are called.
fn said(document: &Value) -> Value {
    let findings: Vec<Value> = array(document, "findings")
        .iter()
        .map(|finding| json!([finding["code"], finding["severity"], finding["title"], finding["confidence"]]))
        .collect();
    let mut said = json!({ "findings": findings });
    for name in ["volume", "first", "last", "services", "touches", "scans", "beacons", "faults", "gaps"] {
        said[name] = document[name].clone();
    }
    said
}

fn codes(document: &Value) -> Vec<&str> {
    array(document, "findings").iter().filter_map(|finding| finding["code"].as_str()).collect()
}

#[test]
fn every_form_of_a_capture_says_the_same() {
    let home = Home::new("forms");
    let packets = scene().packets;
    let mut expected = None;
    let mut check = |name: &str, bytes: &[u8]| {
        let path = home.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        let document = document(&home, &[word(&path)]);
        assert_eq!(document["exit_status"], 0, "{name}");
        let said = said(&document);
        let expected = expected.get_or_insert_with(|| {
            // It is a scene worth comparing.
            assert_eq!(document["volume"]["frames"], packets.len());
            assert_eq!(array(&document, "services").len(), 6, "{}", document["services"]);
            assert_eq!(array(&document, "scans").len(), 1);
            assert_eq!(codes(&document).iter().filter(|code| **code == "protocol-mismatch").count(), 3);
            said.clone()
        });
        assert_eq!(&said, expected, "{name}");
    };
    for (number, form) in FORMS.into_iter().enumerate() {
        check(&format!("form-{number}"), &file(form, ETHERNET, &packets));
    }
    let plain = file(PCAP, ETHERNET, &packets);
    let (first, second) = plain.split_at(plain.len() / 3);
    check("gzip", &gzip(&plain));
    check("members", &[gzip(first), gzip(second)].concat());
    check("zstd", &zstd(&plain));
    check("frames", &[zstd(first), zstd(second)].concat());
}

#[test]
fn every_link_type_says_the_same() {
    let home = Home::new("links");
    let packets = scene().packets;
    let mut expected = None;
    for (link, _) in LINKS {
        let path = home.0.join(format!("link-{link}"));
        std::fs::write(&path, file(PCAP, link, &packets)).unwrap();
        let mut said = said(&document(&home, &[word(&path)]));
        // The frames differ by their headers.
        said["volume"]["wire_bytes"] = Value::Null;
        let expected = expected.get_or_insert_with(|| said.clone());
        assert_eq!(&said, expected, "link type {link}");
    }
}

#[test]
fn however_it_is_read_it_says_the_same() {
    let home = Home::new("read");
    let packets = scene().packets;
    let whole = home.0.join("whole.pcap");
    std::fs::write(&whole, file(PCAP, ETHERNET, &packets)).unwrap();
    let expected = said(&document(&home, &[word(&whole)]));

    for workers in ["1", "2", "4", "7"] {
        assert_eq!(said(&document(&home, &[word(&whole), "--workers", workers])), expected, "{workers}");
    }
    assert_eq!(said(&document(&home, &[word(&whole), "--flows"])), expected);

    // In several files, of different forms, whose frames are counted on.
    let (first, second) = packets.split_at(packets.len() / 2);
    let (one, two) = (home.0.join("1.pcap"), home.0.join("2.pcapng.gz"));
    std::fs::write(&one, file(PCAP, ETHERNET, first)).unwrap();
    std::fs::write(&two, gzip(&file(FORMS[7], ETHERNET, second))).unwrap();
    assert_eq!(said(&document(&home, &[word(&one), word(&two)])), expected);

    for bytes in [std::fs::read(&whole).unwrap(), gzip(&std::fs::read(&whole).unwrap())] {
        let mut command = home.command();
        command.args(["read", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(status(&output), 0, "{}", err(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["sources"], json!(["standard input"]));
        assert_eq!(said(&document), expected);
    }
    assert_eq!(status(&home.run(&["read", "-", "-"])), 64, "it can be read once only");
}

#[test]
fn a_filter_leaves_out_the_same_in_every_form() {
    let home = Home::new("filter");
    let packets = scene().packets;
    let mut expected = None;
    for (number, form) in FORMS.into_iter().enumerate() {
        for link in [ETHERNET, 101, 113] {
            let path = home.0.join(format!("{number}-{link}"));
            std::fs::write(&path, file(form, link, &packets)).unwrap();
            let document = document(&home, &[word(&path), "--filter", "port smpte and not host 10.0.0.5"]);
            assert_eq!(document["volume"]["frames"].as_u64().unwrap(), 16);
            assert_eq!(document["volume"]["filtered"], packets.len() - 16);
            let mut said = said(&document);
            said["volume"]["wire_bytes"] = Value::Null;
            let expected = expected.get_or_insert_with(|| said.clone());
            assert_eq!(&said, expected, "{form:?} {link}");
            assert_eq!(array(&document, "services").len(), 2);
        }
    }
}
