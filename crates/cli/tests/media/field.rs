//! Captures of the field: what is known of them must be found. They are read where they are at hand.

use serde_json::Value;

use crate::support::{Home, out};
use crate::{capture, probe, word};

fn only_stream(name: &str) -> Option<Value> {
    let path = capture(name)?;
    let home = Home::new("media-field");
    let document = probe(&home, &[word(&path)]);
    let streams = document["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1, "{name}");
    Some(streams[0].clone())
}

#[test]
fn audio_of_eight_channels() {
    let Some(stream) = only_stream("st2110-30/l24_48000_8ch_0125.pcap") else { return };
    assert_eq!(stream["payload_type"], 97);
    assert_eq!((&stream["format"]["channels"], &stream["format"]["bits"]), (&8.into(), &24.into()));
    assert_eq!(stream["legs"][0]["reception"]["packets"], 10_000);
    let audio = &stream["audio"];
    assert_eq!((&audio["samples_per_packet"], &audio["packet_time_ns"]), (&6.into(), &125_000.into()));
    assert_eq!(audio["latency_basis"], "relative", "its clock is not that of PTP");
    let within = |value: &Value, least: i64, most: i64| (least..=most).contains(&value.as_i64().unwrap());
    assert!(within(&audio["inter_packet"]["least"], 88_500, 88_700), "{}", audio["inter_packet"]);
    assert!(within(&audio["inter_packet"]["greatest"], 186_200, 186_400), "{}", audio["inter_packet"]);
    assert!(within(&audio["delay_factor_200ms"]["least"], 50_000, 51_000), "{audio}");
    assert!(within(&audio["delay_factor_200ms"]["greatest"], 77_000, 78_000), "{audio}");
}

#[test]
fn jpeg_xs_of_an_interlaced_picture() {
    let Some(stream) = only_stream("st2110-22/125mbps-JPEGXS.pcap") else { return };
    assert_eq!((&stream["payload_type"], &stream["format"]["essence"]), (&100.into(), &"jpeg-xs".into()));
    assert_eq!(stream["legs"][0]["reception"]["packets"], 1085);
    let units = &stream["compressed"]["packets_per_unit"];
    assert_eq!((&units["min"], &units["max"]), (&217.into(), &217.into()));
    assert_eq!(stream["compressed"]["frame_counters"], serde_json::json!([11, 15]));
}

#[test]
fn ancillary_data_of_an_interlaced_picture() {
    let Some(stream) = only_stream("st2110-40/2110-40_5994i.pcap") else { return };
    let data = &stream["ancillary"];
    assert_eq!((&data["packets"], &data["checksum_errors"]), (&90.into(), &0.into()));
    assert_eq!(data["keep_alives"], 30);
    let count = |did: u64, sdid: u64| {
        let kinds = data["kinds"].as_array().unwrap();
        let kind = kinds.iter().find(|kind| kind["did"] == did && kind["sdid"] == sdid);
        kind.map_or(0, |kind| kind["packets"].as_u64().unwrap())
    };
    assert_eq!((count(0x60, 0x60), count(0x61, 1)), (45, 15));
}

#[test]
fn ancillary_data_that_is_broken() {
    let Some(path) = capture("st2110-40/anc_with_1of4_invalid_DID_SDID.pcap") else { return };
    let home = Home::new("media-field-anc");
    // Who writes such packets is not known by them: the session says that they are ancillary data.
    let document = probe(&home, &[word(&path)]);
    let leg = &document["streams"][0]["legs"][0];
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=anc\r\nt=0 0\r\nm=video {} RTP/AVP {}\r\nc=IN IP4 {}/32\r\na=rtpmap:{} smpte291/90000\r\n",
        leg["destination_port"],
        document["streams"][0]["payload_type"],
        leg["destination"].as_str().unwrap(),
        document["streams"][0]["payload_type"]
    );
    let file = home.file("anc.sdp", &text);
    let document = probe(&home, &[word(&path), "--sdp", word(&file)]);
    let data = &document["streams"][0]["ancillary"];
    // Every packet of 01/01; and 20 whose checksum has a wrong tenth bit. A reader of a few lines counts the same.
    assert_eq!((&data["parity_errors"], &data["checksum_errors"]), (&37.into(), &20.into()));
}

#[test]
fn two_legs_of_one_stream() {
    let Some(stream) = only_stream("st2022-7/ST2022-7-Audio.pcap") else { return };
    let hitless = &stream["hitless"];
    assert_eq!((&hitless["union"], &hitless["common"]), (&16_001.into(), &15_999.into()));
    assert_eq!((&hitless["identical"], &hitless["missing"]), (&15_999.into(), &0.into()));
    let difference = &hitless["path_difference_ns"];
    assert_eq!((&difference["least"], &difference["greatest"]), (&(-52).into(), &52.into()));
    assert_eq!(stream["legs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_no_media_is_not_called_so() {
    let Some(path) = capture("not-media/srt_stream_loss_of_5.pcap") else { return };
    let home = Home::new("media-field-srt");
    assert_eq!(probe(&home, &[word(&path)])["streams"], serde_json::json!([]));
}

#[test]
fn clocks_of_domain_127() {
    let Some(path) = capture("ptp/ptp4l-veth-st2059-domain127-made-here.pcap") else { return };
    let home = Home::new("media-field-ptp");
    let document = probe(&home, &[word(&path)]);
    let domain = &document["ptp"]["domains"][0];
    assert_eq!((&domain["number"], &domain["profile"]), (&127.into(), &"ST 2059-2".into()));
    let port = &domain["ports"][0];
    assert_eq!(
        (&port["announces"]["log_interval"], &port["syncs"]["log_interval"]),
        (&(-2).into(), &(-3).into())
    );
}

#[test]
fn a_master_that_announced_nothing_is_not_said_to_be_the_wrong_one() {
    let Some(path) = capture("ptp/PTP_clock.pcap") else { return };
    let told = out(&Home::new("media-field-ptp").run(&["media", "ptp", word(&path)]));
    assert!(told.contains("nothing was announced that says who it should be"), "{told}");
    assert!(!told.contains("should be none"), "{told}");
}
