//! Events as Suricata writes them: each line with the keys and forms that its readers expect.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::files::{ETHERNET, PCAP, file};
use crate::packets::scene;
use crate::support::{Home, err, out, status};
use crate::{array, document, installed, word};

fn events(home: &Home, words: &[&str]) -> Vec<Value> {
    let output = home.run(&[&["read", "--eve"], words].concat());
    assert_eq!(status(&output), 0, "{}", err(&output));
    out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `2026-11-26T12:00:00.001000+0000`.
fn is_time(value: &Value) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddddd+0000";
    value.as_str().is_some_and(|text| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                form => byte == form,
            })
    })
}

#[test]
fn every_event_has_what_its_readers_expect() {
    let home = Home::new("eve");
    let path = home.0.join("in.pcap");
    let packets = scene().packets;
    std::fs::write(&path, file(PCAP, ETHERNET, &packets)).unwrap();
    let events = events(&home, &[word(&path)]);
    let document = document(&home, &[word(&path), "--flows"]);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        let kind = event["event_type"].as_str().unwrap();
        *kinds.entry(kind).or_default() += 1;
        assert!(is_time(&event["timestamp"]), "{event}");
        if kind == "stats" {
            assert_eq!(event["stats"]["decoder"]["pkts"], packets.len());
            assert_eq!(event["stats"]["flow"]["total"], document["volume"]["flows"]);
            continue;
        }
        for name in ["src_ip", "dest_ip"] {
            assert!(event[name].as_str().unwrap().parse::<std::net::IpAddr>().is_ok(), "{event}");
        }
        assert!(event["dest_port"].as_u64().is_some_and(|port| port <= 65_535), "{event}");
        assert!(matches!(event["proto"].as_str(), Some("TCP" | "UDP")), "{event}");
    }
    assert_eq!(kinds["flow"], array(&document, "flows").len());
    assert_eq!((kinds["ssh"], kinds["http"], kinds["dns"], kinds["stats"]), (2, 2, 2, 1), "{kinds:?}");

    let about = |kind: &str| &events.iter().find(|event| event["event_type"] == kind).unwrap()[kind];
    assert_eq!(about("ssh")["server"]["software_version"], "OpenSSH_9.2");
    assert_eq!((&about("http")["hostname"], &about("http")["status"]), (&"shop.example".into(), &200.into()));
    assert_eq!((&about("dns")["rrname"], &about("dns")["rrtype"]), (&"www.example".into(), &"A".into()));

    for event in events.iter().filter(|event| event["event_type"] == "flow") {
        assert!(event["src_port"].is_u64() && event["flow_id"].is_u64() && event["app_proto"].is_string());
        assert!(event["community_id"].as_str().unwrap().starts_with("1:"));
        let flow = &event["flow"];
        for name in ["pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient", "age"] {
            assert!(flow[name].is_u64(), "{name} {event}");
        }
        assert!(is_time(&flow["start"]) && is_time(&flow["end"]));
        assert!(matches!(flow["state"].as_str(), Some("new" | "established" | "closed")));
        assert!(matches!(flow["reason"].as_str(), Some("timeout" | "forced")));
    }

    // One alert for each place that a finding speaks of; about a server it has a flow to be joined with.
    let alerts: Vec<&Value> = events.iter().filter(|event| event["event_type"] == "alert").collect();
    let mismatches: Vec<&&Value> =
        alerts.iter().filter(|event| event["alert"]["metadata"]["code"][0] == "protocol-mismatch").collect();
    assert_eq!(mismatches.len(), 3);
    let numbers: BTreeSet<u64> =
        mismatches.iter().map(|event| event["alert"]["signature_id"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), 1, "one code has one number");
    for event in &alerts {
        let alert = &event["alert"];
        assert_eq!(
            (&alert["action"], &alert["gid"], &alert["rev"]),
            (&"allowed".into(), &420.into(), &1.into())
        );
        assert!(alert["severity"].as_u64().is_some_and(|severity| (1..=3).contains(&severity)));
        assert!(alert["signature"].is_string() && alert["category"].is_string());
    }
    for event in mismatches {
        assert_eq!((&event["dest_port"], &event["alert"]["severity"]), (&420.into(), &2.into()));
        let same = |flow: &&Value| flow["event_type"] == "flow" && flow["flow_id"] == event["flow_id"];
        let flow = events.iter().find(same).unwrap();
        for name in ["src_ip", "src_port", "dest_ip", "dest_port", "proto", "community_id", "app_proto"] {
            assert_eq!(flow[name], event[name], "{name}");
        }
        assert_eq!(flow["flow"]["start"], event["flow"]["start"]);
    }

    // Only what was asked for.
    let of_port = self::events(&home, &[word(&path), "--port", "420/udp"]);
    assert!(of_port.iter().all(|event| event["event_type"] == "stats" || event["dest_port"] == 420));
    assert!(of_port.iter().any(|event| event["event_type"] == "flow"));
}

#[test]
fn community_ids_are_those_of_another_program() {
    let home = Home::new("community");
    let path = home.0.join("in.pcap");
    std::fs::write(&path, file(PCAP, ETHERNET, &scene().packets)).unwrap();
    let ours: BTreeSet<String> = events(&home, &[word(&path)])
        .iter()
        .filter(|event| event["event_type"] == "flow")
        .map(|event| event["community_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ours.len(), 67);
    if !installed("tshark", "Community ID by another program") {
        return;
    }
    let tshark = Command::new("tshark")
        .args(["-r", word(&path), "--enable-protocol", "communityid", "-T", "fields", "-e", "communityid"])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let theirs: BTreeSet<String> =
        out(&tshark).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(ours, theirs);
}
