//! Video is paced as its type says (ST 2110-21:2022): judged by a model of the test's own, on what tcpdump saw of it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::other_hand;
use crate::stage::{Stage, possible};
use crate::support::err;

/// 720p25 of 4:2:2 and ten bits: 720 rows of 3200 octets.
const FRAME_PS: i128 = 40_000_000_000;
/// Of 750 lines, the picture begins at the 28th, and 720 are active.
const OFFSET_PS: i128 = FRAME_PS * 28 / 750;
const ACTIVE_PS: i128 = FRAME_PS * 720 / 750;

/// How a type is judged: how far the reads of a frame spread, and what the two buffers hold.
struct Limits {
    word: &'static str,
    packets: i128,
    reads_ps: i128,
    burst: i128,
    buffer: i128,
}

/// Three packets for each row.
const WIDE: Limits = Limits { word: "wide", packets: 2160, reads_ps: FRAME_PS, burst: 16, buffer: 720 };
/// 1425 octets in each packet.
const NARROW: Limits = Limits { word: "narrow", packets: 1617, reads_ps: ACTIVE_PS, burst: 4, buffer: 8 };

/// A packet: when it came in picoseconds of UTC, and the time and the marker of its frame.
struct Seen {
    at_ps: i128,
    timestamp: u32,
    marker: bool,
    sequence: u16,
}

/// The packets of a capture with nanoseconds, which may still be written.
fn seen(pcap: &str) -> Vec<Seen> {
    let bytes = std::fs::read(pcap).unwrap_or_default();
    let word = |at: usize| i128::from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()));
    let (mut at, mut seen) = (24, Vec::new());
    while bytes.len() >= at + 16 {
        let kept = usize::try_from(word(at + 8)).unwrap();
        let Some(frame) = bytes.get(at + 16..at + 16 + kept) else { break };
        seen.push(Seen {
            at_ps: (word(at) * 1_000_000_000 + word(at + 4)) * 1000,
            timestamp: u32::from_be_bytes(frame[46..50].try_into().unwrap()),
            marker: frame[43] & 0x80 != 0,
            sequence: u16::from_be_bytes(frame[44..46].try_into().unwrap()),
        });
        at += 16 + kept;
    }
    seen
}

/// How many whole frames keep to the limits, of how many.
fn kept(seen: &[Seen], limits: &Limits) -> (usize, usize) {
    let drain_ps = FRAME_PS * 10 / (11 * limits.packets);
    let (mut level, mut drained) = (0, 0);
    let (mut good, mut all) = (0, 0);
    for frame in seen.chunk_by(|one, next| one.timestamp == next.timestamp) {
        let whole = i128::try_from(frame.len()).unwrap() == limits.packets && frame.last().unwrap().marker;
        // A frame whose packets came more than half a frame late would be taken for the next one.
        let begin_ps = frame[0].at_ps.div_euclid(FRAME_PS) * FRAME_PS + OFFSET_PS;
        let read_ps = |packet: i128| begin_ps + packet * limits.reads_ps / limits.packets;
        let (mut keeps, mut read) = (true, 0);
        for (packet, one) in (0..).zip(frame) {
            let drains = one.at_ps / drain_ps;
            level = (level - (drains - drained)).max(0) + 1;
            drained = drains;
            while read < packet && read_ps(read) <= one.at_ps {
                read += 1;
            }
            keeps &=
                one.at_ps <= read_ps(packet) && packet + 1 - read <= limits.buffer && level <= limits.burst;
        }
        all += usize::from(whole);
        good += usize::from(whole && keeps);
    }
    (good, all)
}

#[test]
fn video_is_paced_as_its_type_says() {
    if !possible("video is paced as its type says", &["tcpdump"]) {
        return;
    }
    for limits in [WIDE, NARROW] {
        let stage = Stage::new("pacing");
        stage.sh("ip link add q0 type veth peer name q1 && ip address add 192.0.2.1/24 dev q0");
        stage.sh("ip link set q0 up && ip link set q1 up");
        let pcap = stage.home.0.join("sent.pcap").to_str().unwrap().to_owned();
        let words = [
            ["tcpdump", "-i", "q1", "-n", "-U", "-s", "64", "-B", "65536"].as_slice(),
            &["--time-stamp-precision=nano", "-w", &pcap, "udp dst port 5004"],
        ]
        .concat();
        let dump = stage.serve(&words, "listening on");
        let us = ["media", "send", "video", "--to", "239.1.1.1:5004", "-i", "q0", "--no-segments"];
        let how = ["--raster", "720p25", "--type", limits.word, "--duration", "2", "--json"];
        let output = stage.run(&[us.as_slice(), &how].concat());
        assert!(output.status.success(), "{}", err(&output));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sent = usize::try_from(told["streams"][0]["legs"][0]["packets"].as_u64().unwrap()).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        let mut packets = seen(&pcap);
        while packets.len() < sent && Instant::now() < end {
            std::thread::yield_now();
            packets = seen(&pcap);
        }
        drop(dump);
        assert_eq!(packets.len(), sent);
        let (good, all) = kept(&packets, &limits);
        eprintln!("{}: {good} of {all} frames as their type says, by tcpdump's clock", limits.word);
        // A machine that is busy stops everybody for longer than narrow allows; wide is ahead by milliseconds.
        let least = if limits.word == "wide" { all * 6 / 10 } else { 1 };
        assert!(all > 0 && good >= least, "{}: {good} of {all}: {told}", limits.word);
    }
}

#[test]
fn of_two_threads_each_packet_leaves_once() {
    if !possible("narrow video from two threads", &["tcpdump"]) {
        return;
    }
    let stage = Stage::new("pacing-turns");
    stage.sh("ip link add q0 type veth peer name q1 && ip address add 192.0.2.1/24 dev q0");
    stage.sh("ip link set q0 up && ip link set q1 up");
    let pcap = stage.home.0.join("sent.pcap").to_str().unwrap().to_owned();
    let words = ["tcpdump", "-i", "q1", "-n", "-U", "-s", "64", "-B", "65536"].as_slice();
    let filter = ["--time-stamp-precision=nano", "-w", &pcap, "udp dst port 5004"];
    let dump = stage.serve(&[words, &filter].concat(), "listening on");
    let us = ["media", "send", "video", "--to", "239.1.1.1:5004", "-i", "q0", "--raster", "720p25"];
    let how = ["--type", "narrow", "--duration", "1", "--json"];
    let output = stage.run(&[us.as_slice(), &how].concat());
    assert!(output.status.success(), "{}", err(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sent = usize::try_from(told["streams"][0]["legs"][0]["packets"].as_u64().unwrap()).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let mut packets = seen(&pcap);
    while packets.len() < sent && Instant::now() < end {
        std::thread::yield_now();
        packets = seen(&pcap);
    }
    drop(dump);
    assert!(packets.len() == sent && sent > 0, "{} of {sent}: {told}", packets.len());
    // Some may have overtaken others.
    let begin = packets[0].sequence.wrapping_sub(1000);
    packets.sort_by_key(|packet| (packet.timestamp, packet.sequence.wrapping_sub(begin)));
    for frame in packets.chunk_by(|one, next| one.timestamp == next.timestamp) {
        let numbers = frame.iter().map(|packet| packet.sequence);
        let wanted = (0..1617).map(|number| frame[0].sequence.wrapping_add(number));
        assert!(numbers.eq(wanted) && frame[1616].marker, "{told}");
    }
}

#[test]
fn every_frame_that_left_is_as_another_hand_computes_it() {
    if !possible("a second opinion of what was sent", &["tcpdump", "tshark"]) {
        return;
    }
    for (raster, rate, scan, height, kind) in [
        ("625i50", "25/1", "interlaced", 576, "narrow"),
        ("625i50", "25/1", "interlaced", 576, "wide"),
        ("720p25", "25/1", "progressive", 720, "narrow-linear"),
    ] {
        let stage = Stage::new("pacing-other");
        stage.sh("ip link add q0 type veth peer name q1 && ip address add 192.0.2.1/24 dev q0");
        stage.sh("ip link set q0 up && ip link set q1 up");
        let path = |name: &str| stage.home.0.join(name);
        let (pcap, sdp) = (path("sent.pcap"), path("sent.sdp"));
        let words = ["tcpdump", "-i", "q1", "-n", "-U", "-B", "65536", "--time-stamp-precision=nano", "-w"];
        let filter = [pcap.to_str().unwrap(), "udp dst port 5004"];
        let dump = stage.serve(&[&words[..], &filter].concat(), "listening on");
        let us = ["media", "send", "video", "--to", "239.1.1.1:5004", "-i", "q0", "--no-segments", "--json"];
        let how = ["--raster", raster, "--type", kind, "--duration", "1.5", "--sdp", sdp.to_str().unwrap()];
        let output = stage.run(&[us.as_slice(), &how].concat());
        assert!(output.status.success(), "{}", err(&output));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let sent = told["streams"][0]["legs"][0]["packets"].as_u64().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while (seen(pcap.to_str().unwrap()).len() as u64) < sent && Instant::now() < end {
            std::thread::yield_now();
        }
        drop(dump);
        let probe = ["media", "probe", "--json", pcap.to_str().unwrap(), "--sdp", sdp.to_str().unwrap()];
        let output = stage.run(&probe);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ours = document["series"][0]["units"].as_array().unwrap();
        let Some(theirs) = other_hand::units(&pcap, 5004, rate, scan, height, "raw") else {
            eprintln!("SKIPPED: {raster} {kind}: this machine sent a frame more than half a frame late");
            continue;
        };
        let begin = |unit: &Value| unit["at_ns"].as_i64().unwrap();
        let known: Vec<_> = ours.iter().map(begin).collect();
        let alone: Vec<_> = theirs.iter().enumerate().filter(|it| !known.contains(&begin(it.1))).collect();
        assert!(
            ours.len() == theirs.len() && ours.len() > 10,
            "{} and {}: {alone:?}",
            ours.len(),
            theirs.len()
        );
        let names = [
            "at_ns",
            "packets",
            "burst_most",
            "gapped",
            "linear",
            "first_packet_ns",
            "rtp_offset_ticks",
            "latency_ns",
            "gap_ns",
        ];
        for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            for name in names {
                assert_eq!(ours[name], theirs[name], "{raster} {kind}: {name} of {number}");
            }
        }
        eprintln!("{raster} {kind}: {} frames and fields of what was sent are the same in both", ours.len());
    }
}
