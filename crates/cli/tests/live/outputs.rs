//! What `media receive` writes, against another reading of the same packets: ancillary data as text, stills pixel by pixel,
//! and captures in other programs.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::stage::{PYTHON, Planter, Stage, possible};
use crate::support::err;

const US: &str = env!("CARGO_BIN_EXE_portreeve");
const WIRE: &[&str] = &["--to", "239.1.1.1:5004", "-i", "lo", "--modest", "--no-progress", "--no-segments"];

fn stage(name: &str) -> Stage {
    let stage = Stage::new(name);
    stage.sh("ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo");
    stage
}

fn path(stage: &Stage, name: &str) -> String {
    stage.home.0.join(name).to_str().unwrap().to_owned()
}

/// Sends so long; its description may be wanted.
fn send(stage: &Stage, kind: &str, more: &[&str], seconds: &str) -> Value {
    let words = [&[US, "media", "send", kind], WIRE, more, &["--json", "--duration", seconds]].concat();
    let output = stage.command(&words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn receive(stage: &Stage, words: &[&str]) -> Child {
    let all = [&[US, "media", "receive"], words, &["-i", "lo", "--json", "--no-progress"]].concat();
    stage.command(&all).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn told(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn dump(stage: &Stage, pcap: &str) -> Planter {
    let words = ["tcpdump", "-i", "lo", "-n", "-U", "--immediate-mode", "-B", "65536", "-w", pcap];
    stage.serve(&[&words[..], &["udp dst port 5004"]].concat(), "listening on")
}

/// What the other reading says.
fn other_hand(words: &[&str]) -> String {
    let program = include_str!("outputs.py");
    let output = Command::new(PYTHON).args(["-c", program]).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", err(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn ancillary_data_is_written_as_another_hand_reads_it() {
    if !possible("another reading of ancillary data", &["tcpdump"]) {
        return;
    }
    for raster in ["1080i50", "720p50"] {
        let stage = stage("outputs-anc");
        let (pcap, sdp, text) = (path(&stage, "anc.pcap"), path(&stage, "anc.sdp"), path(&stage, "anc.txt"));
        let raster = ["--raster", raster];
        send(&stage, "ancillary", &[&raster[..], &["--sdp", &sdp]].concat(), "0.05");
        let dump = dump(&stage, &pcap);
        let us = receive(&stage, &[&sdp, "-o", &text, "--duration", "5"]);
        send(&stage, "ancillary", &raster, "3");
        assert_eq!(told(us)["written"][1]["count"], 0, "none is wrong");
        drop(dump);
        let theirs = other_hand(&["ancillary", &pcap]);
        // Of ours, what is not on the wire is left out: when it came, and what identifiers mean.
        let ours = std::fs::read_to_string(&text).unwrap();
        let ours: Vec<String> = ours
            .lines()
            .map(|line| {
                let (_, line) = line.split_once(' ').unwrap();
                let (head, words) = line.split_once(": ").unwrap();
                let at = head.find('/').unwrap() + 3;
                format!("{}: {words}", head.split_at(at).0)
            })
            .collect();
        let theirs: Vec<&str> = theirs.lines().collect();
        // The first may have been sent before we listened.
        assert!(ours.len() > 150 && theirs.ends_with(&ours.iter().map(String::as_str).collect::<Vec<_>>()));
    }
}

#[test]
fn stills_have_the_colours_that_another_hand_computes() {
    let images = Command::new(PYTHON).args(["-c", "import PIL"]).stderr(Stdio::null()).status();
    if !images.is_ok_and(|found| found.success()) {
        eprintln!("SKIPPED: another reading of stills needs python3-pil");
        return;
    }
    if !possible("another reading of stills", &["tcpdump"]) {
        return;
    }
    for (sampling, depth, scan, signal) in [
        ("YCbCr-4:2:2", "10", "p", "bars"),
        ("YCbCr-4:2:2", "10", "p", "ramp"),
        ("YCbCr-4:2:2", "10", "i", "zone-plate"),
        ("RGB", "8", "p", "bars"),
        ("RGB", "8", "i", "bars"),
        ("YCbCr-4:2:0", "8", "p", "bars"),
    ] {
        let stage = stage("outputs-stills");
        let (pcap, sdp, folder) =
            (path(&stage, "video.pcap"), path(&stage, "video.sdp"), path(&stage, "stills"));
        let raster = format!("320x180{scan}25");
        let format = ["--raster", &raster, "--sampling", sampling, "--depth", depth, "--signal", signal];
        let format = [&format[..], &["--colorimetry", "BT709"]].concat();
        send(&stage, "video", &[&format[..], &["--sdp", &sdp]].concat(), "0.05");
        let dump = dump(&stage, &pcap);
        let us =
            receive(&stage, &[&sdp, "--stills", &folder, "--every", "7", "--count", "22", "--duration", "8"]);
        send(&stage, "video", &format, "3");
        let written = told(us);
        drop(dump);
        let words = ["pictures", &pcap, sampling, depth, "320", "180", scan, &folder];
        let said = other_hand(&words);
        let (equal, colours) = said.trim().split_once(' ').unwrap();
        let case = format!("{sampling} {depth} {scan} {signal}: {said} {written}");
        assert!(equal.parse::<u32>().unwrap() >= 2 && colours.parse::<u32>().unwrap() > 20, "{case}");
    }
}

#[test]
fn a_capture_of_what_came_is_read_by_others_without_a_complaint() {
    if !possible("a capture in other programs", &["tshark", "capinfos"]) {
        return;
    }
    let stage = stage("outputs-pcapng");
    let came = path(&stage, "came.pcapng");
    let at = ["--at", "239.1.1.1:5004", "--at", "239.1.2.1:5004", "-i", "lo"];
    let us = receive(&stage, &[&at[..], &["--pcapng", &came, "--duration", "4"]].concat());
    send(&stage, "audio", &["--also", "239.1.2.1:5004"], "2");
    let count = told(us)["written"][0]["count"].as_u64().unwrap();
    assert!(count > 1000, "{count}");
    let quiet = |words: &[&str]| {
        let output =
            Command::new(words[0]).args(&words[1..]).env("WIRESHARK_RUN_FROM_BUILD_DIRECTORY", "1").output();
        let output = output.unwrap();
        let said = err(&output);
        // That root reads it is not about the capture.
        let said: Vec<&str> = said.lines().filter(|line| !line.contains("Running as user")).collect();
        assert!(output.status.success() && said.is_empty(), "{words:?}: {said:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = quiet(&["capinfos", "-M", &came]);
    for expected in
        [format!("Number of packets:   {count}"), "Number of interfaces in file: 2".into(), "pcapng".into()]
    {
        assert!(told.contains(&expected), "{expected}: {told}");
    }
    // Every packet is whole, and has a right checksum or none.
    let checks =
        ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-d", "udp.port==5004,rtp"];
    let fields = ["-T", "fields", "-e", "frame.interface_id", "-e", "rtp.seq"];
    let lines = quiet(&[&["tshark", "-r", &came], &checks[..], &fields].concat());
    assert_eq!(lines.lines().count() as u64, count);
    assert!(lines.lines().all(|line| line.split('\t').all(|field| !field.is_empty())), "{lines}");
    let odd = ["-Y", "_ws.malformed or _ws.short or ip.checksum.status == 0 or udp.checksum.status == 0"];
    assert_eq!(quiet(&[&["tshark", "-r", &came], &checks[..], &odd].concat()), "");
    for leg in ["0", "1"] {
        let numbers: Vec<u32> =
            lines.lines().filter_map(|line| line.strip_prefix(leg)?.trim().parse().ok()).collect();
        // In their order, each once; a machine that is busy may lose some.
        let steps = numbers.windows(2).map(|pair| (pair[1] + 65_536 - pair[0]) % 65_536);
        assert!(numbers.len() > 400 && steps.into_iter().all(|step| (1..1000).contains(&step)), "{leg}");
    }
}
