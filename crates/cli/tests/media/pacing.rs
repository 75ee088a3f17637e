//! ST 2110-21 against a second opinion: every frame's extremes of the receiver's buffer and of the network's bucket are
//! those that a program of another hand finds by exact fractions in what tshark reads of the same capture.

use media::make::video::Head;
use model::media::{Ratio, Scan, SenderType, VideoFormat};
use serde_json::Value;

use crate::studio::{Studio, description, format, send_as, session_of};
use crate::support::{Home, out, status};
use crate::{PYTHON, capture, has, kept, other_hand, probe, word};

const SENDER: &str = "192.0.2.10:5004";
const GROUP: &str = "239.1.1.1:5004";

/// Each frame says the same in both.
fn agree(case: &str, document: &Value, theirs: &[Value], names: &[&str]) {
    let series = document["series"].as_array().unwrap();
    assert_eq!(series.len(), 1, "{case}: {document}");
    let ours = series[0]["units"].as_array().unwrap();
    assert_eq!(series[0]["units_left_out"], 0, "{case}");
    // Where a packet overtook the very first one, nothing says that the capture does not begin within a frame.
    let unjudged = theirs.len() - ours.len();
    assert!(unjudged == 0 || unjudged == 1 && case.ends_with("jitter=40us"), "{case}: {unjudged}");
    let theirs = &theirs[unjudged..];
    for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!(theirs["whole"], true, "{case}: {number}");
        for name in names {
            assert_eq!(ours[name], theirs[name], "{case}: {name} of {number}");
        }
    }
}

const ALL: &[&str] = &[
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

#[test]
fn every_frame_is_as_another_hand_computes_it() {
    if !has("a second opinion of ST 2110-21", &["tshark", PYTHON]) {
        return;
    }
    let home = Home::new("media-pacing");
    let hd = |rate: (u32, u32), scan| VideoFormat {
        width: 1920,
        height: 1080,
        frame_rate: Ratio::new(rate.0, rate.1).unwrap(),
        scan,
        ..format()
    };
    let uhd = VideoFormat { width: 3840, height: 2160, ..hd((50, 1), Scan::Progressive) };
    let sd = VideoFormat { width: 720, height: 576, ..hd((25, 1), Scan::Interlaced) };
    let formats = [
        ("1080p50", hd((50, 1), Scan::Progressive)),
        ("1080i50", hd((25, 1), Scan::Interlaced)),
        ("1080p59.94", hd((60_000, 1001), Scan::Progressive)),
        ("1080i59.94", hd((30_000, 1001), Scan::Interlaced)),
        ("720p50", format()),
        ("576i50", sd),
        ("2160p50", uhd),
    ];
    let mut extremes = std::collections::BTreeSet::new();
    // Exact; in bursts, some of which are too large; and by chance, so that packets overtake each other.
    let ways = [(1, ""), (24, ""), (1, "jitter=40us")];
    for (number, (name, made)) in formats.into_iter().enumerate() {
        for (turn, sender_type) in SenderType::ALL.iter().enumerate() {
            let (burst, harm) = ways[(number + turn) % 3];
            // What reads without a gap leaves no room for a frame's last packet to come after the next one's first.
            let linear = *sender_type != SenderType::Narrow;
            let harm = if linear && !harm.is_empty() { "jitter=1us" } else { harm };
            let case = format!("{name} {} {burst} {harm}", sender_type.token());
            let made = VideoFormat { sender_type: Some(*sender_type), ..made.clone() };
            let mut studio = Studio::cut(64);
            let head = Head { payload_type: 96, ssrc: 7, sequence: 0 };
            send_as(&mut studio, &made, *sender_type, (3, burst, harm), (SENDER, GROUP, head));
            let path = kept(&home, "made.pcapng", &studio.finish());
            let sdp = home.file("made.sdp", &description(session_of(made.clone(), "192.0.2.10", &[GROUP])));
            let document = probe(&home, &[word(&path), "--sdp", word(&sdp)]);
            let rate = format!("{}/{}", made.frame_rate.numerator(), made.frame_rate.denominator());
            let scan = if made.scan == Scan::Progressive { "progressive" } else { "interlaced" };
            let theirs = other_hand::units(&path, 5004, &rate, scan, made.height, "raw").unwrap();
            agree(&case, &document, &theirs, ALL);
            extremes.extend(
                theirs.iter().map(|unit| unit["linear"].to_string() + &unit["burst_most"].to_string()),
            );
        }
    }
    // Many different cases were compared, and not one many times.
    assert!(extremes.len() > 15, "{extremes:?}");
}

#[test]
fn compressed_video_of_the_field_fills_the_network_as_another_hand_computes_it() {
    let Some(path) = capture("st2110-22/125mbps-JPEGXS.pcap") else { return };
    if !has("a second opinion of ST 2110-22", &["tshark", PYTHON]) {
        return;
    }
    let home = Home::new("media-pacing-xs");
    let document = probe(&home, &[word(&path)]);
    let stream = &document["streams"][0];
    let format = &stream["format"];
    let port = u16::try_from(stream["legs"][0]["destination_port"].as_u64().unwrap()).unwrap();
    let rate = format["frame_rate"].as_str().unwrap();
    let mut theirs = other_hand::units(&path, port, rate, "interlaced", 1080, "compressed").unwrap();
    // Whether the capture begins with a field's first packet is not said: that one is not judged. It leaves nothing behind.
    theirs.remove(0);
    agree("JPEG XS", &document, &theirs, &["packets", "burst_most", "gap_ns"]);
}

#[test]
fn table_report_and_document_say_the_same() {
    let home = Home::new("media-series");
    let mut studio = Studio::new();
    send_as(
        &mut studio,
        &format(),
        SenderType::NarrowLinear,
        (4, 8, ""),
        (SENDER, GROUP, Head { payload_type: 96, ssrc: 7, sequence: 0 }),
    );
    let path = kept(&home, "made.pcapng", &studio.finish());
    let sdp = home.file("made.sdp", &description(session_of(format(), "192.0.2.10", &[GROUP])));
    let common = [word(&path), "--sdp", word(&sdp)];
    let document = probe(&home, &common);
    let units = document["series"][0]["units"].as_array().unwrap();
    assert_eq!(units.len(), 4);

    let table = out(&home.run(&[&["media", "probe", "--csv"], &common[..]].concat()));
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap(),
        "stream,leg,at_ns,packets,cinst_most,vrx_gapped_least,vrx_gapped_most,vrx_linear_least,vrx_linear_most,\
         first_packet_ns,rtp_offset_ticks,latency_ns,gap_ns,delay_factor_ns"
    );
    for (line, unit) in lines.by_ref().zip(units) {
        let numbers: Vec<i64> = line.split(',').filter_map(|field| field.parse().ok()).collect();
        let names = ["at_ns", "packets", "burst_most", "gapped", "linear"];
        let mut wanted = vec![0, 0];
        for value in names.iter().map(|name| &unit[name]) {
            match value.as_array() {
                Some(pair) => wanted.extend(pair.iter().map(|it| it.as_i64().unwrap())),
                None => wanted.push(value.as_i64().unwrap()),
            }
        }
        let names = ["first_packet_ns", "rtp_offset_ticks", "latency_ns", "gap_ns"];
        wanted.extend(names.iter().map(|name| unit[name].as_i64().unwrap()));
        assert_eq!(numbers, wanted, "{line}");
    }
    assert_eq!(lines.next(), None);

    let page = home.0.join("page.html");
    let report = home.run(&[&["media", "report", "--json", "-o", word(&page)], &common[..]].concat());
    let beside: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(beside["series"], document["series"]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    for words in [&["media", "ls", "--csv"][..], &["media", "report", "--json", "-o", "-"]] {
        assert_eq!(status(&home.run(&[words, &common[..]].concat())), 64, "{words:?}");
    }
}
