//! Streams that nobody described, or not wholly: what their packets tell, and that it is said what was assumed.

use model::Timestamp;
use model::media::{Essence, VideoFormat};
use serde_json::Value;

use crate::studio::{Studio, description, send, session_of};
use crate::support::Home;
use crate::{codes, kept, probe, word};

const SENDER: &str = "192.0.2.1:5004";
const GROUP: &str = "239.1.1.1:5004";
const BEGIN_NS: i64 = 1_700_000_037_000_000_000;

/// What is said of a capture's only stream, with a description or without.
fn told(name: &str, studio: Studio, described: Option<&str>) -> (Value, Vec<String>) {
    let home = Home::new(name);
    let capture = kept(&home, "made.pcapng", &studio.finish());
    let mut words = vec![word(&capture).to_owned()];
    if let Some(text) = described {
        words.extend(["--sdp".to_owned(), word(&kept(&home, "made.sdp", text.as_bytes())).to_owned()]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let document = probe(&home, &words);
    let streams = document["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1, "{name}");
    (streams[0].clone(), codes(&document))
}

fn frames(count: u64, harm: &str) -> Studio {
    let mut studio = Studio::new();
    send(&mut studio, count, harm, SENDER, GROUP, 7);
    studio
}

#[test]
fn a_raster_is_known_though_every_frame_loses_packets() {
    let (stream, _) = told("media-guess-loss", frames(10, "loss=1%"), None);
    let format = &stream["format"];
    assert_eq!(stream["format_known_by"], "payload");
    assert_eq!(
        (&format["width"], &format["height"], &format["frame_rate"]),
        (&1280.into(), &720.into(), &"50".into())
    );
    assert!(stream["video"]["incomplete"].as_u64().unwrap() > 5, "{}", stream["video"]);
    assert!(stream["legs"][0]["shaping"]["units"].as_u64().is_some());
}

#[test]
fn frames_that_are_late_are_not_lost() {
    let (stream, codes) = told("media-guess-late", frames(10, "late=15ms@1/3"), None);
    let reception = &stream["legs"][0]["reception"];
    assert_eq!(reception["lost"], 0, "{reception}");
    assert!(reception["reordered"].as_u64().unwrap() > 100, "{reception}");
    assert!(!codes.iter().any(|code| code.starts_with("stream-loss")), "{codes:?}");
    assert!(!codes.iter().any(|code| code.starts_with("timestamps-not-kept")), "{codes:?}");
}

#[test]
fn what_a_description_leaves_out_is_found_in_the_stream() {
    let head = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=No Name\r\nc=IN IP4 239.1.1.1/8\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n";
    // As FFmpeg writes it: nothing tells how many frames a second.
    let ffmpeg =
        "a=rtpmap:96 raw/90000\r\na=fmtp:96 sampling=YCbCr-4:2:2; width=1280; height=720; depth=10\r\n";
    let (stream, _) = told("media-guess-ffmpeg", frames(10, ""), Some(&format!("{head}{ffmpeg}")));
    assert_eq!(stream["format_known_by"], "session");
    assert_eq!((&stream["session"], &stream["format"]["frame_rate"]), (&0.into(), &"50".into()));
    assert!(
        stream["assumed"][0].as_str().unwrap().starts_with("50 frames a second"),
        "{}",
        stream["assumed"]
    );
    assert!(stream["video"]["complete"].as_u64().unwrap() >= 6, "{}", stream["video"]);
    // As GStreamer does: with names of RFC 4175.
    let gstreamer = "a=rtpmap:96 RAW/90000\r\na=framerate:50\r\n\
        a=fmtp:96 sampling=YCbCr-4:2:2;depth=(string)10;width=1280;height=720;colorimetry=BT601-5\r\n";
    let gstreamer = format!("{head}{}", gstreamer.replace("(string)", ""));
    let (stream, _) = told("media-guess-gstreamer", frames(10, ""), Some(&gstreamer));
    assert_eq!(
        (&stream["format"]["colorimetry"], &stream["video"]["complete"]),
        (&"BT601".into(), &10.into())
    );
}

#[test]
fn a_smaller_picture_than_agreed_is_another_format() {
    let large = VideoFormat { width: 1920, height: 1080, ..crate::studio::format() };
    let text = description(session_of(large, "192.0.2.1", &[GROUP]));
    let (stream, codes) = told("media-guess-smaller", frames(6, ""), Some(&text));
    assert!(codes.contains(&"format-not-agreed warning".into()), "{codes:?}");
    let faults = stream["faults"].to_string();
    assert!(faults.contains("1280x720 instead of 1920x1080"), "{faults}");
}

/// Packets of one payload type, a tenth of a second apart.
fn packets(payloads: &[Vec<u8>], marker: bool) -> Studio {
    let mut studio = Studio::new();
    for (number, payload) in (0..).zip(payloads) {
        let at_ns = BEGIN_NS + i64::from(number) * 100_000_000;
        let timestamp = u32::try_from((at_ns / 1_000_000 * 90) & 0xffff_ffff).unwrap();
        let mut packet = vec![0x80, if marker { 0xe0 } else { 0x60 }];
        packet.extend(u16::try_from(number).unwrap().to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 7]);
        packet.extend(payload);
        let (source, group) = (SENDER.parse().unwrap(), GROUP.parse().unwrap());
        studio.datagram(Timestamp::from_ns(at_ns + 1000), source, group, &packet);
    }
    studio
}

#[test]
fn data_is_known_without_a_session() {
    // Documents of TTML, each followed by a sign of life.
    let document = "<?xml version=\"1.0\"?>\n<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div><p>Harbour</p></div></body></tt>";
    let mut text = vec![0, 0, 0, u8::try_from(document.len()).unwrap()];
    text.extend(document.bytes());
    let payloads = vec![[text, vec![0; 4]]; 6].concat();
    let (stream, _) = told("media-guess-text", packets(&payloads, true), None);
    assert_eq!(
        (&stream["format"]["essence"], &stream["timed_text"]["documents"]),
        (&"timed-text".into(), &6.into())
    );
    assert_eq!(stream["timed_text"]["last"], "Harbour");

    // An item of a private type and of two words, and one of HDMI.
    let items = |number: u8| {
        let mut payload = (0x20_0000_u32 << 10 | 2).to_be_bytes().to_vec();
        payload.extend([number; 8]);
        payload.extend((0x10_0100_u32 << 10 | 1).to_be_bytes());
        payload.extend([1, 2, 3, 4]);
        payload
    };
    let payloads: Vec<Vec<u8>> = (0..60).map(items).collect();
    let (stream, _) = told("media-guess-items", packets(&payloads, false), None);
    assert_eq!(stream["format"]["essence"], "fast-metadata");
    assert_eq!(stream["metadata"]["packets"], 60, "{}", stream["metadata"]);
    assert!(stream["assumed"].to_string().contains("Fast metadata is assumed"));
    // What only resembles it is not: silence, and a payload in which the last item does not fit.
    for other in [vec![0; 96], [items(1), vec![0, 0, 0, 9]].concat()] {
        let (stream, _) = told("media-guess-no-items", packets(&vec![other; 60], false), None);
        assert_ne!(stream["format"]["essence"], "fast-metadata");
    }

    // Ancillary data that never holds any.
    let payloads: Vec<Vec<u8>> = (0..30).map(|_| vec![0; 8]).collect();
    let (stream, _) = told("media-guess-keep-alive", packets(&payloads, true), None);
    assert_eq!(
        (&stream["format"]["essence"], &stream["ancillary"]["keep_alives"]),
        (&"ancillary".into(), &30.into())
    );
    assert!(stream["assumed"].to_string().contains("which hold none"), "{}", stream["assumed"]);
}

#[test]
fn sound_whose_timestamps_do_not_go_on_with_its_samples_rings() {
    let mut studio = Studio::new();
    for number in 0..600_u32 {
        let at_ns = BEGIN_NS + i64::from(number) * 1_000_000;
        let skipped = if number >= 300 { 7 } else { 0 };
        let timestamp = u32::try_from((at_ns / 1_000_000 * 48) & 0xffff_ffff).unwrap().wrapping_add(skipped);
        let mut packet = vec![0x80, 97];
        packet.extend(u16::try_from(number).unwrap().to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0, 0, 0, 7]);
        for sample in 0..96_u32 {
            // A triangle, of which both channels have the same.
            let phase = (number * 48 + sample / 2) % 96;
            let level = if phase < 48 { phase } else { 96 - phase };
            packet.extend(((level * 40_001) << 8).to_be_bytes().iter().take(3));
        }
        let at = Timestamp::from_ns(at_ns + 1_100_000);
        studio.datagram(at, SENDER.parse().unwrap(), GROUP.parse().unwrap(), &packet);
    }
    let (stream, codes) = told("media-guess-steps", studio, None);
    assert_eq!(stream["format"]["text"], "L24 48 kHz 2 ch");
    assert!(codes.contains(&"timestamps-not-kept warning".into()), "{codes:?}");
}

#[test]
fn formats_compare_by_what_they_say() {
    // What is guessed of a stream that keeps all rules is what its session says, but for what packets do not tell.
    let (guessed, _) = told("media-guess-right", frames(6, ""), None);
    let Essence::Video(made) = &session_of(crate::studio::format(), "192.0.2.1", &[GROUP]).formats[0].essence
    else {
        panic!("a picture");
    };
    assert_eq!(guessed["format"]["sampling"], made.sampling.token());
    assert_eq!(guessed["format"]["depth"], made.depth.token());
    assert_eq!(guessed["video"]["packing"], made.packing.token());
    assert_eq!(guessed["legs"][0]["shaping"]["satisfied"], "2110TPNL");
}
