//! Captures that are easily misread: legs far apart, numbers that wrap, frames that are cut or have more than they say.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use model::Timestamp;
use serde_json::Value;

use crate::studio::{Studio, description, send, session};
use crate::support::{Home, err, out};
use crate::{codes, kept, probe, word};

/// TAI: a second of the RTP clock of 48 kHz begins there.
const BEGIN_NS: i64 = 1_700_000_037_000_000_000;
const MILLISECOND: i64 = 1_000_000;
const SOURCE: &str = "192.0.2.1:5004";

/// A packet of two channels and a millisecond.
fn sound(number: u32) -> Vec<u8> {
    let sequence = u16::try_from((64_000 + number) & 0xffff).unwrap();
    // It was sampled in the millisecond before it is sent.
    let ticks = (BEGIN_NS / MILLISECOND - 1 + i64::from(number)) * 48;
    let timestamp = u32::try_from(ticks & 0xffff_ffff).unwrap();
    let mut packet = vec![0x80, 97];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&timestamp.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 7]);
    for sample in 0..96_u32 {
        let value = (number * 96 + sample).wrapping_mul(2_654_435_761);
        packet.extend_from_slice(&value.to_be_bytes()[..3]);
    }
    packet
}

fn described(legs: &[&str]) -> String {
    let mut text = String::from("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Sound\r\nt=0 0\r\n");
    if legs.len() > 1 {
        text.push_str("a=group:DUP 0 1\r\n");
    }
    for (mid, leg) in legs.iter().enumerate() {
        let (address, port) = leg.rsplit_once(':').unwrap();
        let ttl = if address.starts_with("239.") { "/32" } else { "" };
        write!(
            text,
            "m=audio {port} RTP/AVP 97\r\nc=IN IP4 {address}{ttl}\r\na=rtpmap:97 L24/48000/2\r\na=ptime:1\r\n\
             a=ts-refclk:ptp=IEEE1588-2008:traceable\r\na=mediaclk:direct=0\r\na=mid:{mid}\r\n"
        )
        .unwrap();
    }
    text
}

/// Two legs, the second so much later, each without its own packets; how many came on neither.
fn two_legs(studio: &mut Studio, legs: [&str; 2], delay_ns: i64, lost: [&HashSet<u32>; 2]) -> usize {
    let source: SocketAddr = SOURCE.parse().unwrap();
    for number in 0..3000 {
        let packet = sound(number);
        let at = BEGIN_NS + i64::from(number) * MILLISECOND;
        for (place, leg) in legs.iter().enumerate() {
            if !lost[place].contains(&number) {
                let at = at + if place == 0 { 0 } else { delay_ns };
                studio.datagram(Timestamp::from_ns(at), source, leg.parse().unwrap(), &packet);
            }
        }
    }
    lost[0].intersection(lost[1]).count()
}

/// Numbers that are lost: some by chance, and a run over the wrap of the sequence, which is at 1536.
fn lost(seed: u32, run: std::ops::Range<u32>) -> HashSet<u32> {
    let chance =
        (1..2999_u32).filter(|number| (number.wrapping_mul(2_654_435_761) ^ seed).is_multiple_of(53));
    chance.chain(run).collect()
}

#[test]
fn legs_that_both_lose_are_one_stream_however_late_the_second_is() {
    let home = Home::new("media-legs-apart");
    let legs = ["239.1.1.1:5004", "239.1.2.1:5004"];
    let sdp = kept(&home, "legs.sdp", described(&legs).as_bytes());
    let (first, second) = (lost(1, 1530..1540), lost(2, 1533..1545));
    for delay_ns in [0, 100_000, 5_000_000, 60_000_000, 400_000_000] {
        let mut studio = Studio::new();
        let neither = two_legs(&mut studio, legs, delay_ns, [&first, &second]);
        assert!(neither >= 7);
        let capture = kept(&home, "legs.pcapng", &studio.finish());
        for more in [["--sdp", word(&sdp)].as_slice(), &[]] {
            let document = probe(&home, &[&[word(&capture)], more].concat());
            assert_eq!(document["streams"].as_array().unwrap().len(), 1, "{delay_ns}");
            let stream = &document["streams"][0];
            let leg = |at: usize| stream["legs"][at]["reception"]["lost"].as_u64().unwrap();
            assert_eq!((leg(0), leg(1)), (first.len() as u64, second.len() as u64));
            let hitless = &stream["hitless"];
            assert_eq!(hitless["missing"], neither, "{delay_ns}");
            assert_eq!(hitless["union"], 3000 - neither);
            assert_eq!(hitless["common"], hitless["identical"]);
            let apart = &hitless["path_difference_ns"];
            // Which leg is the first is said by a session; without one, it is the one that was known first.
            let known_second = stream["legs"][0]["destination"] == "239.1.2.1";
            assert!(!known_second || more.is_empty());
            let apart = [&apart["least"], &apart["greatest"]].map(|it| it.as_i64().unwrap());
            assert_eq!(apart, [if known_second { -delay_ns } else { delay_ns }; 2]);
            // Of noise nobody can say that it is sound.
            if !more.is_empty() {
                assert_eq!(stream["audio"]["missing"], neither, "what came late is not missing");
            }
        }
    }
}

#[test]
fn unicast_legs_meet_whatever_the_number_of_workers() {
    let home = Home::new("media-unicast-legs");
    for last in 1..6 {
        let legs = [format!("192.0.2.{}:5004", 10 * last), format!("198.51.100.{last}:5004")];
        let legs = [legs[0].as_str(), legs[1].as_str()];
        let sdp = kept(&home, "legs.sdp", described(&legs).as_bytes());
        let mut studio = Studio::new();
        let (first, second) = (lost(1, 0..0), lost(2, 0..0));
        let neither = two_legs(&mut studio, legs, 5_000_000, [&first, &second]);
        let capture = kept(&home, "legs.pcapng", &studio.finish());
        let words = ["read", "--json", "--workers", "4", "--sdp", word(&sdp), word(&capture)];
        let document: Value = serde_json::from_slice(&home.run(&words).stdout).unwrap();
        let streams = document["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 1, "{legs:?}");
        assert_eq!(streams[0]["legs"].as_array().unwrap().len(), 2);
        assert_eq!(streams[0]["hitless"]["missing"], neither);
    }
}

#[test]
fn what_the_capture_cut_short_is_nobodys_fault() {
    let home = Home::new("media-cut");
    let leg = "239.1.1.1:5004";
    let sdp = kept(&home, "sound.sdp", described(&[leg]).as_bytes());
    for kept_bytes in [64, 90, 200] {
        let mut studio = Studio::cut(kept_bytes);
        for number in 0..3000 {
            let at = Timestamp::from_ns(BEGIN_NS + i64::from(number) * MILLISECOND);
            studio.datagram(at, SOURCE.parse().unwrap(), leg.parse().unwrap(), &sound(number));
        }
        let capture = kept(&home, "cut.pcapng", &studio.finish());
        let document = probe(&home, &[word(&capture), "--sdp", word(&sdp)]);
        assert_eq!(codes(&document), [""; 0], "{kept_bytes}");
        let stream = &document["streams"][0];
        assert_eq!(stream["faults"], serde_json::json!([]));
        assert_eq!(stream["legs"][0]["reception"]["packets"], 3000);
        assert_eq!(stream["legs"][0]["timing"]["latency_ns"]["greatest"], 1_000_000);
        let gaps = document["gaps"].to_string();
        assert!(gaps.contains("cut short") && gaps.contains("\"count\":3000"), "{gaps}");
    }
}

#[test]
fn of_pictures_that_the_capture_cut_short_the_headers_are_measured() {
    let home = Home::new("media-cut-pictures");
    let sdp = home.file("made.sdp", &description(session("192.0.2.1", &["239.1.1.1:5004"])));
    let seen = |most_bytes: usize, harm: &str, agreed: bool| {
        let mut studio = Studio::cut(most_bytes);
        send(&mut studio, 6, harm, SOURCE, "239.1.1.1:5004", 7);
        let capture = kept(&home, "cut.pcapng", &studio.finish());
        let all = [word(&capture), "--sdp", word(&sdp)];
        probe(&home, if agreed { &all } else { &all[..1] })
    };
    let whole = seen(usize::MAX, "", true);
    for kept_bytes in [54, 64, 96, 300] {
        for agreed in [true, false] {
            let document = seen(kept_bytes, "", agreed);
            let stream = &document["streams"][0];
            assert_eq!(stream["faults"], serde_json::json!([]), "{kept_bytes} {agreed}");
            let (video, wanted) = (&stream["video"], &whole["streams"][0]["video"]);
            assert_eq!(video["headers_only"], video["packets"], "{kept_bytes} {agreed}");
            for name in ["complete", "right_edge", "max_row", "packets_per_unit", "segments", "data_bytes"] {
                assert_eq!(video[name], wanted[name], "{kept_bytes} {agreed} {name}");
            }
            assert_eq!(
                (&stream["format"]["width"], &stream["format"]["height"]),
                (&1280.into(), &720.into())
            );
            assert!(document["gaps"].to_string().contains("cut short"));
        }
    }
    // What is wrong is told as of whole packets: markers, what is behind the rows, what is missing.
    for harm in ["marker=1/100", "oversize=600@1/50", "loss=2%"] {
        let rules = |document: &Value| -> Vec<String> {
            let faults = document["streams"][0]["faults"].as_array().unwrap();
            faults.iter().map(|fault| format!("{} {}", fault["rule"], fault["count"])).collect()
        };
        let (whole, cut) = (seen(usize::MAX, harm, true), seen(96, harm, true));
        assert_eq!(rules(&whole), rules(&cut), "{harm}");
        assert!(!rules(&cut).is_empty(), "{harm}");
        let missing = |it: &Value| it["streams"][0]["video"]["pixels_missing"].clone();
        assert_eq!(missing(&whole), missing(&cut), "{harm}");
    }
    // Where not even the header is there, nothing is said of it.
    let document = seen(45, "", true);
    let video = &document["streams"][0]["video"];
    assert_eq!((&video["unreadable"], &video["complete"]), (&video["packets"], &0.into()));
    assert_eq!(document["streams"][0]["faults"], serde_json::json!([]));
}

#[test]
fn packets_that_the_kernel_joined_are_counted_one_by_one() {
    let home = Home::new("media-joined");
    let leg = "239.1.1.1:5004";
    let sdp = home.file("made.sdp", &description(session("192.0.2.1", &[leg])));
    let mut alone = Studio::new();
    send(&mut alone, 4, "", "192.0.2.1:5004", leg, 7);
    let mut joined = Studio::new();
    // As a capture on the sender's own machine has them: eight of one length and the rest of a frame beside.
    joined.join(&alone, 8);
    let probed = |name: &str, studio: Studio| {
        let capture = kept(&home, name, &studio.finish());
        (probe(&home, &[word(&capture), "--sdp", word(&sdp)]), capture)
    };
    let (alone, _) = probed("alone.pcapng", alone);
    let (joined, capture) = probed("joined.pcapng", joined);
    for document in [&alone, &joined] {
        let stream = &document["streams"][0];
        // How they are paced is not seen of those that came together.
        let faults = stream["faults"].as_array().unwrap().iter().map(|fault| fault["rule"].as_str().unwrap());
        assert_eq!(faults.filter(|rule| *rule != "burst").collect::<Vec<_>>(), [""; 0]);
        assert_eq!(
            (&stream["legs"][0]["reception"]["lost"], &stream["video"]["complete"]),
            (&0.into(), &4.into())
        );
    }
    let video = |document: &Value| document["streams"][0]["video"].clone();
    assert_eq!(video(&alone)["packets"], video(&joined)["packets"]);
    assert_eq!(video(&alone)["udp_bytes"], video(&joined)["udp_bytes"]);
    assert_eq!(alone["gaps"], serde_json::json!([]));
    assert!(joined["gaps"].to_string().contains("UDP_SEGMENT"), "{}", joined["gaps"]);
    // Pictures of a report are whole, too.
    let report = home.run(&["media", "report", word(&capture), "--sdp", word(&sdp)]);
    assert!(out(&report).contains("data:image/png"), "{}", err(&report));
}

#[test]
fn a_report_does_nothing_that_a_strangers_description_says() {
    let home = Home::new("media-report-hostile");
    let leg = "239.1.1.1:5004";
    let hostile =
        "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\u{1b}[2J\u{202e}{{x}}";
    let text = described(&[leg]).replace("s=Sound", &format!("s={hostile}\r\ni={hostile}"));
    let sdp = kept(&home, "</script><b>.sdp".replace('/', "-").as_str(), text.as_bytes());
    let mut studio = Studio::new();
    for number in 0..300 {
        let at = Timestamp::from_ns(BEGIN_NS + i64::from(number) * MILLISECOND);
        studio.datagram(at, SOURCE.parse().unwrap(), leg.parse().unwrap(), &sound(number));
    }
    let capture = kept(&home, "<img src=x onerror=alert(3)>.pcapng", &studio.finish());
    let output = home.run(&["media", "report", word(&capture), "--sdp", word(&sdp)]);
    let page = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "{}", err(&output));
    for forbidden in ["<script>alert", "<img", "onerror=alert(2)>", "\u{1b}", "\u{202e}", "<b>.sdp"] {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    // It stands alone: nothing is fetched. Names of vocabularies are no addresses.
    let page = page.replace("http://www.w3.org/", "");
    for fetched in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}

#[test]
fn sound_in_packets_of_two_lengths_is_still_the_sound_that_was_agreed() {
    let home = Home::new("media-lengths");
    let leg = "239.1.1.1:5004";
    // As FFmpeg describes and sends it: without a packet time, and cut where its own buffers end.
    let text = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=Sound\r\nc=IN IP4 239.1.1.1/5\r\nt=0 0\r\n\
                m=audio 5004 RTP/AVP 97\r\na=rtpmap:97 L24/48000/2\r\n";
    let sdp = kept(&home, "sound.sdp", text.as_bytes());
    let mut studio = Studio::new();
    let mut samples = 0;
    for number in 0..300_u16 {
        let now = if number % 3 == 2 { 40 } else { 48 };
        let mut packet = sound(0)[..12 + now * 6].to_vec();
        packet[2..4].copy_from_slice(&number.to_be_bytes());
        packet[4..8].copy_from_slice(&u32::try_from(samples).unwrap().to_be_bytes());
        let at = Timestamp::from_ns(BEGIN_NS + i64::try_from(samples).unwrap() * 1_000_000_000 / 48_000);
        studio.datagram(at, SOURCE.parse().unwrap(), leg.parse().unwrap(), &packet);
        samples += now;
    }
    let capture = kept(&home, "lengths.pcapng", &studio.finish());
    let document = probe(&home, &[word(&capture), "--sdp", word(&sdp)]);
    assert_eq!(codes(&document), ["essence-fault warning"]);
    let faults = document["streams"][0]["faults"].to_string();
    assert!(faults.contains("audio-length"), "{faults}");
}

#[test]
fn a_registry_that_is_not_there_is_told_once_and_without_a_password() {
    let home = Home::new("media-nobody");
    let capture = kept(&home, "nothing.pcapng", &Studio::new().finish());
    // Nobody listens at port 1.
    let output = home.run(&["media", "probe", word(&capture), "--nmos", "http://127.0.0.1:1"]);
    let said = err(&output);
    let lines: Vec<&str> = said.lines().collect();
    let different: HashSet<&str> = lines.iter().copied().collect();
    assert!(lines.len() >= 2 && different.len() == lines.len(), "{said}");
    let output = home.run(&["media", "probe", word(&capture), "--nmos", "http://me:secret@127.0.0.1:1"]);
    assert!(!output.status.success() && !err(&output).contains("secret"), "{}", err(&output));
}
