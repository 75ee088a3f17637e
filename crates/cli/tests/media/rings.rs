//! Every judgement of media rings where its cause was made, and a stream that keeps all rules rings none.

use std::net::SocketAddr;

use media::make::video::Head;
use model::media::{Essence, Scan, SenderType, Sources, VideoFormat};

use crate::studio::{Studio, description, format, send, send_as, session, session_of};
use crate::support::Home;
use crate::{codes, kept, probe, word};

const SENDER: &str = "192.0.2.1:5004";
const GROUP: &str = "239.1.1.1:5004";
const OTHER_GROUP: &str = "239.1.2.1:5004";

/// What is found of a capture and a description.
fn found(name: &str, studio: Studio, text: &str) -> (serde_json::Value, Vec<String>) {
    let home = Home::new(name);
    let capture = kept(&home, "made.pcapng", &studio.finish());
    let file = kept(&home, "made.sdp", text.as_bytes());
    let document = probe(&home, &[word(&capture), "--sdp", word(&file)]);
    let codes = codes(&document);
    (document, codes)
}

fn agreed() -> String {
    description(session("192.0.2.1", &[GROUP]))
}

/// What is found of ten frames that were harmed.
fn harmed(name: &str, harm: &str) -> Vec<String> {
    let mut studio = Studio::new();
    send(&mut studio, 10, harm, SENDER, GROUP, 7);
    found(name, studio, &agreed()).1
}

#[test]
fn a_stream_that_keeps_every_rule_rings_nothing() {
    let mut studio = Studio::new();
    send(&mut studio, 10, "", SENDER, GROUP, 7);
    let (document, codes) = found("media-right", studio, &agreed());
    assert_eq!(codes, [""; 0], "{:#}", document["findings"]);
    let stream = &document["streams"][0];
    assert_eq!(stream["session"], 0);
    assert_eq!(stream["format_known_by"], "session");
    assert_eq!(stream["video"]["complete"], 10);
    let shaping = &stream["legs"][0]["shaping"];
    assert_eq!(shaping["satisfied"], "2110TPNL");
    assert_eq!(shaping["basis"], "utc-assumed");
    let timing = &stream["legs"][0]["timing"];
    assert_eq!((&timing["steps_odd"], &timing["future"]), (&0.into(), &0.into()));
}

#[test]
fn loss_rings() {
    assert!(harmed("media-loss", "loss=5%").contains(&"stream-loss warning".into()));
}

#[test]
fn late_frames_ring() {
    let codes = harmed("media-late", "late=15ms@1/3");
    assert!(codes.contains(&"pacing-not-kept warning".into()), "{codes:?}");
}

#[test]
fn a_wrong_marker_rings() {
    let codes = harmed("media-marker", "marker=1/100");
    assert!(codes.contains(&"essence-fault warning".into()), "{codes:?}");
}

#[test]
fn fields_that_are_marked_the_wrong_way_round_ring() {
    let fields = VideoFormat { scan: Scan::Interlaced, ..format() };
    let text = description(session_of(fields.clone(), "192.0.2.1", &[GROUP]));
    let rung = |name: &str, harm: &str| {
        let mut studio = Studio::new();
        let head = Head { payload_type: 96, ssrc: 7, sequence: 0 };
        send_as(&mut studio, &fields, SenderType::NarrowLinear, (10, 1, harm), (SENDER, GROUP, head));
        let (document, codes) = found(name, studio, &text);
        let faults = document["streams"][0]["faults"].as_array().unwrap();
        (faults.iter().any(|fault| fault["rule"] == "fields-swapped"), codes)
    };
    // One wrong bit of hundreds is a mistake of its sender, and no other format.
    assert_eq!(harmed("media-field", "field=1/700"), ["essence-fault warning"]);
    assert_eq!(rung("media-fields", ""), (false, vec![]));
    let (swapped, codes) = rung("media-fields-swapped", "field=1/1");
    assert!(swapped && codes.contains(&"essence-fault warning".into()), "{codes:?}");
}

#[test]
fn a_jump_of_the_sequence_rings() {
    let codes = harmed("media-jump", "jump=20000@1/500");
    assert!(codes.contains(&"stream-reset note".into()), "{codes:?}");
}

#[test]
fn a_datagram_that_is_too_long_rings() {
    let codes = harmed("media-oversize", "oversize=600@1/50");
    assert!(codes.contains(&"essence-fault warning".into()), "{codes:?}");
}

#[test]
fn another_payload_type_rings() {
    let codes = harmed("media-payload-type", "payload-type=1/100");
    assert!(codes.contains(&"essence-fault warning".into()), "{codes:?}");
}

#[test]
fn packets_of_another_source_ring_and_are_not_called_lost() {
    let codes = harmed("media-source", "ssrc=1/100");
    assert!(codes.contains(&"several-senders warning".into()), "{codes:?}");
    assert!(!codes.iter().any(|code| code.starts_with("stream-loss")), "{codes:?}");
    let codes = harmed("media-source-loss", "ssrc=1/100,loss=5%");
    assert!(codes.contains(&"stream-loss warning".into()), "{codes:?}");
}

#[test]
fn packets_that_come_twice_or_out_of_order_are_noted() {
    for harm in ["duplicate=1/100", "reorder=5@1/100"] {
        let codes = harmed("media-order", harm);
        assert!(codes.contains(&"essence-fault note".into()), "{harm}: {codes:?}");
    }
}

#[test]
fn media_without_a_session_rings_harder_where_sessions_are_known() {
    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, OTHER_GROUP, 7);
    let (_, codes) = found("media-unagreed", studio, &agreed());
    assert!(codes.contains(&"stream-without-session warning".into()), "{codes:?}");
    assert!(codes.contains(&"session-without-stream note".into()), "{codes:?}");
}

#[test]
fn a_source_that_is_not_allowed_rings_and_so_do_two_at_once() {
    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    send(&mut studio, 4, "", "192.0.2.66:5004", GROUP, 8);
    let (_, codes) = found("media-two", studio, &agreed());
    assert!(codes.contains(&"source-not-agreed alert".into()), "{codes:?}");
    assert!(codes.contains(&"several-senders alert".into()), "{codes:?}");
}

#[test]
fn another_format_than_agreed_rings() {
    let mut small = session("192.0.2.1", &[GROUP]);
    if let Essence::Video(format) = &mut small.formats[0].essence {
        format.height = 700;
    }
    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    let (_, codes) = found("media-format", studio, &description(small));
    assert!(codes.contains(&"format-not-agreed warning".into()), "{codes:?}");

    let mut other = session("192.0.2.1", &[GROUP]);
    other.formats[0].payload_type = 112;
    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    let (_, codes) = found("media-number", studio, &description(other));
    assert!(codes.contains(&"format-not-agreed warning".into()), "{codes:?}");
}

#[test]
fn two_legs_guard_each_other_and_a_silent_one_rings() {
    let twice = session("192.0.2.1", &[GROUP, OTHER_GROUP]);
    let mut studio = Studio::new();
    send(&mut studio, 6, "loss=2%", SENDER, GROUP, 7);
    send(&mut studio, 6, "", SENDER, OTHER_GROUP, 7);
    let (document, codes) = found("media-legs", studio, &description(twice.clone()));
    assert!(codes.contains(&"legs-differ note".into()), "{codes:?}");
    assert!(!codes.iter().any(|code| code.starts_with("stream-loss")), "{codes:?}");
    let hitless = &document["streams"][0]["hitless"];
    assert_eq!(hitless["missing"], 0);
    assert_eq!(hitless["different"], 0);

    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    let (_, codes) = found("media-silent-leg", studio, &description(twice.clone()));
    assert!(codes.contains(&"session-without-stream warning".into()), "{codes:?}");

    // Each with a source of its own, no receiver can join them.
    let mut studio = Studio::new();
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    send(&mut studio, 4, "", SENDER, OTHER_GROUP, 8);
    let (document, codes) = found("media-two-streams", studio, &description(twice));
    let rung = codes.iter().filter(|code| *code == "legs-differ warning").count();
    assert_eq!(rung, 1, "{codes:?}: {:#}", document["findings"]);
}

#[test]
fn an_announcement_on_the_wire_is_an_agreement() {
    let mut announced = session("192.0.2.1", &[GROUP]);
    announced.legs[0].sources = Sources::Any;
    let text = description(announced);
    let mut bytes = vec![0x20, 0, 0x12, 0x34, 192, 0, 2, 1];
    bytes.extend_from_slice(b"application/sdp\0");
    bytes.extend_from_slice(text.as_bytes());
    let mut studio = Studio::new();
    let to: SocketAddr = "239.255.255.255:9875".parse().unwrap();
    let before = model::Timestamp::from_ns(1_789_999_999_000_000_000);
    studio.datagram(before, "192.0.2.1:9875".parse().unwrap(), to, &bytes);
    send(&mut studio, 4, "", SENDER, GROUP, 7);
    let home = Home::new("media-announced");
    let capture = kept(&home, "made.pcapng", &studio.finish());
    let document = probe(&home, &[word(&capture)]);
    assert_eq!(document["sessions"][0]["known_by"], "sap");
    assert_eq!(document["streams"][0]["session"], 0);
    assert_eq!(codes(&document), [""; 0], "{:#}", document["findings"]);
}

#[test]
fn without_a_session_the_payload_tells_and_it_says_what_was_assumed() {
    let mut studio = Studio::new();
    send(&mut studio, 10, "", SENDER, GROUP, 7);
    let home = Home::new("media-payload");
    let capture = kept(&home, "made.pcapng", &studio.finish());
    let stream = probe(&home, &[word(&capture)])["streams"][0].clone();
    assert_eq!(stream["format_known_by"], "payload");
    assert_eq!(stream["format"]["essence"], "video");
    assert_eq!((&stream["format"]["width"], &stream["format"]["height"]), (&1280.into(), &720.into()));
    assert!(!stream["assumed"].as_array().unwrap().is_empty());
    assert_eq!(stream["video"]["complete"], 10, "it is measured from its first frame on");
}

#[test]
fn a_report_is_one_page_with_a_picture_and_no_request() {
    let mut studio = Studio::new();
    send(&mut studio, 6, "loss=1%", SENDER, GROUP, 7);
    let home = Home::new("media-report");
    let capture = kept(&home, "made.pcapng", &studio.finish());
    let mut named = session("192.0.2.1", &[GROUP]);
    named.name = "<script>alert(1)</script>".into();
    let file = kept(&home, "made.sdp", description(named).as_bytes());
    let page = home.0.join("report.html");
    let output = home.run(&["media", "report", word(&capture), "--sdp", word(&file), "-o", word(&page)]);
    assert!(output.status.success(), "{}", crate::err(&output));
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("data:image/png;base64,") && text.contains("<svg"));
    assert!(text.contains("stream-loss"));
    assert!(!text.contains("<script>"), "what strangers write is no markup");
    assert!(!text.contains("src=\"http") && !text.contains("url(http"));
}
