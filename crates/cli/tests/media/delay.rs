//! TS-DF against a second opinion: each second's delay factor is the one that a program of another hand finds by exact fractions
//! in what tshark reads of the same capture.

use std::path::Path;
use std::process::{Command, Stdio};

use model::Timestamp;
use serde_json::Value;

use crate::studio::Studio;
use crate::support::{Home, err};
use crate::{PYTHON, capture, has, kept, probe, word};

fn other_hand(path: &Path, port: u64, rate: u64, window_ms: &str) -> Vec<Value> {
    let decode = format!("udp.port=={port},rtp");
    let mut tshark = Command::new("tshark");
    tshark.args(["-r", word(path), "-d", &decode, "-Y", "rtp", "-T", "fields"]);
    tshark.args(["-e", "frame.time_epoch", "-e", "rtp.seq", "-e", "rtp.timestamp"]);
    let mut tshark = tshark.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = Command::new(PYTHON)
        .args(["-c", include_str!("delay.py"), &rate.to_string(), window_ms])
        .stdin(tshark.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(tshark.wait().unwrap().success() && output.status.success(), "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether a number of whole nanoseconds is the exact one, rounded.
fn is_about(ours: &Value, theirs: &Value) -> bool {
    let (least, most) = (theirs["least"].as_i64().unwrap(), theirs["most"].as_i64().unwrap());
    (least..=most).contains(&ours.as_i64().unwrap())
}

/// Holds all windows of a capture of one stream against the other hand; how many seconds there were.
fn agree(path: &Path, words: &[&str]) -> usize {
    let home = Home::new("media-delay");
    let document = probe(&home, &[&[word(path)], words].concat());
    let stream = &document["streams"][0];
    let port = stream["legs"][0]["destination_port"].as_u64().unwrap();
    let rate = stream["format"]["sample_rate"].as_u64().unwrap();
    for (name, window_ms) in [("delay_factor_1s", "1000"), ("delay_factor_200ms", "200")] {
        let theirs = other_hand(path, port, rate, window_ms);
        let ours = &stream["audio"][name];
        let least = theirs.iter().min_by_key(|it| it["least"].as_i64()).unwrap();
        let most = theirs.iter().max_by_key(|it| it["least"].as_i64()).unwrap();
        assert_eq!(ours["count"].as_u64().unwrap(), theirs.len() as u64, "{name}");
        assert!(is_about(&ours["least"], least), "{name}: {ours}");
        assert!(is_about(&ours["greatest"], most), "{name}: {ours}");
    }
    let theirs = other_hand(path, port, rate, "1000");
    let series = document["series"].as_array().unwrap();
    let series = series.iter().find(|series| series["leg"].is_null()).unwrap();
    let ours = series["delay_windows"].as_array().unwrap();
    assert_eq!((ours.len(), &series["delay_windows_left_out"]), (theirs.len(), &0.into()));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours["at_ns"], theirs["at_ns"]);
        assert!(is_about(&ours["delay_factor_ns"], theirs), "{ours} {theirs}");
    }
    ours.len()
}

#[test]
fn sound_of_the_field_has_the_delay_factors_that_another_hand_computes() {
    if !has("a second opinion of TS-DF", &["tshark", PYTHON]) {
        return;
    }
    for (name, seconds) in [("st2110-30/l24_48000_8ch_0125.pcap", 1), ("st2022-7/ST2022-7-Audio.pcap", 2)] {
        if let Some(path) = capture(name) {
            assert_eq!(agree(&path, &[]), seconds, "{name}");
        }
    }
}

#[test]
fn sound_made_here_has_the_delay_factors_that_another_hand_computes() {
    if !has("a second opinion of TS-DF", &["tshark", PYTHON]) {
        return;
    }
    // Sample rates, of which one is no whole number of nanoseconds, packet times, and a clock that runs away.
    for (rate, samples, drift_ppm) in [(48_000, 48, 0), (48_000, 6, 20), (96_000, 96, -300), (44_100, 48, 7)]
    {
        let mut studio = Studio::new();
        let mut seed = 5_u64;
        let (source, to) = ("192.0.2.1:5004".parse().unwrap(), "239.1.1.2:5004".parse().unwrap());
        let count = 5 * rate / samples;
        for number in 0..count {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let exact = i64::from(number) * i64::from(samples) * 1_000_000_000 / i64::from(rate);
            let drift = exact / 1_000_000 * drift_ppm;
            let late =
                i64::try_from(seed >> 33).unwrap() % 40_000 + if number % 997 == 5 { 300_000 } else { 0 };
            let at = 1_700_000_037_000_000_000 + exact + drift + late;
            let timestamp = u32::MAX - 70_000;
            let mut packet = vec![0x80, 97];
            packet.extend_from_slice(&u16::try_from((number + 65_000) & 0xffff).unwrap().to_be_bytes());
            packet.extend_from_slice(&timestamp.wrapping_add(number * samples).to_be_bytes());
            packet.extend_from_slice(&[0, 0, 0, 7]);
            packet.resize(12 + usize::try_from(samples).unwrap() * 2 * 3, 0);
            // Some are lost, and of short packets some are overtaken.
            if number % 501 != 77 {
                studio.datagram(Timestamp::from_ns(at), source, to, &packet);
            }
        }
        let home = Home::new("media-delay-made");
        let path = kept(&home, "made.pcapng", &studio.finish());
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Sound\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n\
             c=IN IP4 239.1.1.2/32\r\na=rtpmap:97 L24/{rate}/2\r\n"
        );
        let sdp = home.file("made.sdp", &text);
        assert!(agree(&path, &["--sdp", word(&sdp)]) >= 4, "{rate} {samples}");
    }
}
