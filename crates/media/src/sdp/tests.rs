//! Documents, the sessions they agree, and the documents that describe sessions.

use model::media::{
    AncillaryFormat, AudioFormat, Colorimetry, CompressedFormat, Depth, Essence, Format, Leg, MediaClock,
    Packing, Range, Ratio, ReferenceClock, Sampling, Scan, SenderType, Session, SessionSource, Sources,
    Transfer, VideoFormat,
};

use super::lint::Severity;
use super::*;

/// Two copies of one video, and a sound; one line ends with LF only, one is nobody's, one is empty.
const PAIR: &str = "v=0\r
o=- 7 3 IN IP4 192.0.2.1\r
s=Studio\r
x=of our own\r
t=0 0\r
a=group:DUP one two\r
a=ts-refclk:ptp=IEEE1588-2008:00-1B-19-FF-FE-00-00-01:127\n\r
m=video 50000 RTP/AVP 112\r
c=IN IP4 239.100.9.10/32\r
a=source-filter: incl IN IP4 239.100.9.10 192.0.2.1\r
a=rtpmap:112 raw/90000\r
a=fmtp:112 sampling=YCbCr-4:2:2; width=1280; height=720; exactframerate=60000/1001; depth=10; TCS=SDR; colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN;\r
a=mediaclk:direct=0\r
a=mid:one\r
m=video 50020 RTP/AVP 112\r
c=IN IP4 239.101.9.10/32\r
a=source-filter: incl IN IP4 239.101.9.10 198.51.100.1\r
a=rtpmap:112 raw/90000\r
a=fmtp:112 sampling=YCbCr-4:2:2; width=1280; height=720; exactframerate=60000/1001; depth=10; TCS=SDR; colorimetry=BT709; PM=2110GPM; SSN=ST2110-20:2017; TP=2110TPN;\r
a=mediaclk:direct=0\r
a=mid:two\r
m=audio 5004 RTP/AVP 97 0\r
i=Desk\r
c=IN IP6 ff3e::8000:1\r
a=rtpmap:97 L24/48000/2\r
a=ptime:0.12\r
a=rtcp:6001\r
a=mediaclk:sender\r
";

fn agreed(text: &str) -> (Vec<Session>, Vec<&'static str>) {
    let (document, _) = parse(text.as_bytes());
    let (sessions, faults) = sessions(&document, &SessionSource::File("x.sdp".into()));
    (sessions, faults.into_iter().map(|fault| fault.what).collect())
}

/// Of a medium's lines, with the rest of a description around it.
fn medium(lines: &str) -> (Vec<Session>, Vec<&'static str>) {
    agreed(&format!("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n{lines}"))
}

fn at(text: &str) -> core::net::SocketAddr {
    text.parse().unwrap()
}

#[test]
fn lines_are_kept_and_faults_named() {
    let (document, faults) = parse(PAIR.as_bytes());
    assert_eq!(faults.iter().map(|fault| (fault.at, fault.what)).collect::<Vec<_>>(), [(8, "an empty line")]);
    assert_eq!(document.media.len(), 3);
    assert_eq!(
        document.session.first('x').map(|line| (line.at, line.value.as_str())),
        Some((4, "of our own"))
    );
    // Nobody's line comes after those that have a place.
    assert_eq!(document.session.lines.last().map(|line| line.kind), Some('x'));
    assert_eq!(document.media[2].attribute("ptime"), Some("0.12"));
    let text = write(&document);
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    assert_eq!(parse(text.as_bytes()), (document, Vec::new()));
    let (odd, faults) = parse(b"hello\rv=0\r\ra =b\nm=x");
    assert_eq!((odd.session.lines.len(), odd.media.len(), faults.len()), (1, 1, 3));
    let (latin, faults) = parse(b"s=Caf\xe9\r\n");
    assert_eq!((latin.session.lines[0].value.as_str(), faults.len()), ("Caf\u{e9}", 1));
}

#[test]
fn documents_are_bounded() {
    let media = "m=video 1 RTP/AVP 96\n".repeat(document::MAX_MEDIA + 5);
    let (document, faults) = parse(media.as_bytes());
    assert_eq!((document.media.len(), faults.len()), (document::MAX_MEDIA, 1));
    let lines = "a=x\n".repeat(document::MAX_SECTION_LINES + 5);
    let (document, faults) = parse(lines.as_bytes());
    assert_eq!((document.session.lines.len(), faults.len()), (document::MAX_SECTION_LINES, 1));
    let sections = format!("m=x\n{lines}").repeat(6);
    let (document, faults) = parse(sections.as_bytes());
    let kept: usize = document.media.iter().map(|section| section.lines.len()).sum();
    assert_eq!((kept <= document::MAX_LINES, faults.len()), (true, 5));
    let (document, faults) = parse(&vec![b'a'; document::MAX_BYTES + 5]);
    assert_eq!((document.session.lines.len(), faults.len()), (0, 2));
    let (sessions, _) = medium(&"m=video 2/64 RTP/AVP 96\nc=IN IP4 239.1.1.1/1\n".repeat(40));
    assert_eq!(sessions.len(), sessions::MAX_SESSIONS);
}

#[test]
fn copies_are_legs_of_one_session() {
    let (sessions, faults) = agreed(PAIR);
    assert_eq!(faults, [""; 0]);
    let [video, audio] = sessions.as_slice() else { panic!("{sessions:?}") };
    assert_eq!((video.name.as_str(), audio.name.as_str()), ("Studio", "Studio: Desk"));
    assert_eq!(video.identity, "- 7 IN IP4 192.0.2.1 m1");
    let places: Vec<_> = video.legs.iter().map(|leg| (leg.destination, leg.rtcp, leg.ttl)).collect();
    let rtcp = |text| Some(at(text));
    assert_eq!(
        places,
        [
            (at("239.100.9.10:50000"), rtcp("239.100.9.10:50001"), Some(32)),
            (at("239.101.9.10:50020"), rtcp("239.101.9.10:50021"), Some(32)),
        ]
    );
    assert_eq!(video.legs[1].sources, Sources::Only(vec!["198.51.100.1".parse().unwrap()]));
    assert!(matches!(&video.reference, Some(ReferenceClock::Ptp { domain: Some(127), .. })));
    let Essence::Video(format) = &video.formats[0].essence else { panic!("{video:?}") };
    assert_eq!((format.height, format.frame_rate.to_string().as_str()), (720, "60000/1001"));
    assert_eq!(audio.legs[0].rtcp, Some(at("[ff3e::8000:1]:6001")));
    assert_eq!((audio.legs[0].sources.clone(), audio.media_clock), (Sources::Any, Some(MediaClock::Sender)));
    let Essence::Audio(format) = &audio.formats[0].essence else { panic!("{audio:?}") };
    assert_eq!((format.packet_time_ns, format.channels), (Some(125_000), 2));
    // A number with a fixed meaning needs no map (RFC 3551 §6).
    assert_eq!(audio.formats[1].essence, Essence::Other("PCMU".into()));
}

#[test]
fn copies_by_source_and_by_delay() {
    let base = "m=video 30000 RTP/AVP 100\nc=IN IP4 233.252.0.1/127\na=rtpmap:100 MP2T/90000\n";
    let filter = "a=source-filter: incl IN IP4 233.252.0.1 198.51.100.1 198.51.100.2\n";
    let (sessions, _) = medium(&format!("{base}{filter}a=ssrc-group:DUP 1009 1010\n"));
    let sources: Vec<_> = sessions[0].legs.iter().map(|leg| leg.sources.clone()).collect();
    let only = |text: &str| Sources::Only(vec![text.parse().unwrap()]);
    assert_eq!(sources, [only("198.51.100.1"), only("198.51.100.2")]);
    let (sessions, _) = medium(&format!("{base}a=ssrc-group:DUP 1009 1010\na=duplication-delay:50\n"));
    assert_eq!(sessions[0].legs.len(), 2);
    let (sessions, _) = medium(&format!("{base}{filter}"));
    assert_eq!((sessions[0].legs.len(), sessions.len()), (1, 1));
}

#[test]
fn layers_are_sessions_of_their_own() {
    let (sessions, faults) = medium("m=video 49170/2 RTP/AVP 31\nc=IN IP4 233.252.0.1/127/2\n");
    let to: Vec<_> = sessions.iter().map(|session| session.legs[0].destination).collect();
    assert_eq!((to, faults), (vec![at("233.252.0.1:49170"), at("233.252.0.2:49172")], vec![]));
    assert_eq!(sessions[1].identity, "- 1 IN IP4 192.0.2.1 m1.2");
    let (sessions, _) = medium("m=video 49170/3 RTP/AVP 31\nc=IN IP4 192.0.2.7\n");
    assert_eq!(sessions[2].legs[0].destination, at("192.0.2.7:49174"));
    let (sessions, _) = medium("m=video 49170 RTP/AVP 31\nc=IN IP4 233.252.0.1/1\nc=IN IP4 233.252.0.9/1\n");
    assert_eq!(sessions[1].legs[0].destination, at("233.252.0.9:49170"));
    let (sessions, faults) = medium("m=video 65534/3 RTP/AVP 31\nc=IN IP4 192.0.2.7\n");
    assert_eq!((sessions.len(), faults.len()), (1, 1));
    let (sessions, faults) = medium("m=video 2/4 RTP/AVP 31\nc=IN IP4 233.252.0.1/1/2\n");
    assert_eq!((sessions.len(), faults.len()), (2, 1));
}

#[test]
fn what_is_no_session() {
    for (lines, faults) in [
        ("m=video 0 RTP/AVP 31\nc=IN IP4 192.0.2.7\n", 0),
        ("m=video 9 TCP/RTP/AVP 31\nc=IN IP4 192.0.2.7\n", 1),
        ("m=video x RTP/AVP 31\nc=IN IP4 192.0.2.7\n", 1),
        ("m=video 9 RTP/AVP 31\n", 1),
        ("m=video 9 RTP/AVP 31\nc=IN IP4 host.example.com\n", 2),
        ("m=video 9 RTP/AVP 31\nc=IN IP4 0.0.0.0\n", 2),
    ] {
        let (sessions, told) = medium(lines);
        assert_eq!((sessions.len(), told.len()), (0, faults), "{lines} {told:?}");
    }
}

#[test]
fn filters_of_the_medium_take_the_place_of_the_sessions() {
    let text = |own: &str| {
        format!(
            "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 232.1.1.1/1\nt=0 0\n\
             a=source-filter: excl IN IP4 * 192.0.2.66\nm=audio 6 RTP/AVP 0\n{own}"
        )
    };
    let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    for (own, expected) in [
        ("", Sources::AllBut(list(&["192.0.2.66"]))),
        ("a=source-filter: incl IN IP4 232.1.1.1 192.0.2.5\n", Sources::Only(list(&["192.0.2.5"]))),
        ("a=source-filter: incl IN IP4 232.1.1.2 192.0.2.5\n", Sources::Any),
        ("a=source-filter: incl IN IP4 * a.example.com\n", Sources::Any),
        ("a=source-filter: incl IN IP4 * a.example.com 192.0.2.5\n", Sources::Only(list(&["192.0.2.5"]))),
    ] {
        assert_eq!(agreed(&text(own)).0[0].legs[0].sources, expected, "{own}");
    }
}

#[test]
fn rates_and_times_as_people_write_them() {
    use super::format::{decimal_rate, packet_time, whole_samples};
    let rate = |text| decimal_rate(text).map(|rate| rate.to_string());
    for (text, expected) in [
        ("25", Some("25")),
        ("25.00", Some("25")),
        ("29.97", Some("30000/1001")),
        ("23.98", Some("24000/1001")),
        ("23.976", Some("24000/1001")),
        ("59.94", Some("60000/1001")),
        ("119.88", Some("120000/1001")),
        ("12.5", Some("25/2")),
        ("60000/1001", Some("60000/1001")),
        ("0", None),
        ("x", None),
        ("1.1234567", None),
    ] {
        assert_eq!(rate(text).as_deref(), expected, "{text}");
    }
    for (text, sample_rate, expected) in [
        ("1", 48_000, 1_000_000),
        ("0.125", 48_000, 125_000),
        ("0.12", 48_000, 125_000),
        ("0.08", 48_000, 83_333),
        ("1.09", 44_100, 1_088_435),
        ("0.14", 44_100, 136_054),
        ("0.09", 44_100, 90_703),
        ("0.33", 48_000, 333_333),
    ] {
        let ns = whole_samples(packet_time(text).unwrap(), sample_rate);
        assert_eq!(ns, expected, "{text}");
        let audio = |am824| AudioFormat {
            bits: 24,
            am824,
            sample_rate,
            channels: 2,
            packet_time_ns: None,
            channel_order: String::new(),
        };
        let written = super::format::packet_time_text(ns, &audio(text != "0.125" && text != "0.33"));
        assert_eq!(written, text);
    }
    assert_eq!((packet_time("0"), packet_time("-1"), packet_time("1e3")), (None, None, None));
}

/// One format of each essence.
pub(crate) fn formats() -> Vec<(&'static str, Format)> {
    let rate = Ratio::new(30_000, 1001).unwrap();
    let video = VideoFormat {
        sampling: Sampling::YCbCr422,
        depth: Depth::Ten,
        width: 1920,
        height: 1080,
        frame_rate: rate,
        scan: Scan::Interlaced,
        colorimetry: Colorimetry::Bt2100,
        transfer: Transfer::Hlg,
        range: Range::Full,
        packing: Packing::Block,
        max_udp_bytes: 1460,
        sender_type: Some(SenderType::Narrow),
        offset_us: Some(630),
        burst_packets: Some(4),
        pixel_aspect: Ratio::new(12, 11).unwrap(),
    };
    let key = VideoFormat {
        sampling: Sampling::Key,
        colorimetry: Colorimetry::Alpha,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        scan: Scan::Segmented,
        packing: Packing::General,
        max_udp_bytes: 8960,
        ..video.clone()
    };
    let audio = |bits, am824, order: &str| {
        Essence::Audio(AudioFormat {
            bits,
            am824,
            sample_rate: 48_000,
            channels: 8,
            packet_time_ns: Some(125_000),
            channel_order: order.into(),
        })
    };
    let compressed = CompressedFormat {
        width: Some(1280),
        height: Some(720),
        frame_rate: Some(rate),
        scan: Scan::Progressive,
        slices: false,
        sequential: true,
        sampling: Some(Sampling::YCbCr422),
        depth: Some(Depth::Ten),
        colorimetry: Some(Colorimetry::Bt709),
        transfer: Some(Transfer::Sdr),
        range: Some(Range::Full),
        profile: "High444.12".into(),
        level: "1k-1".into(),
        sublevel: "Sublev3bpp".into(),
        sender_type: Some(SenderType::Wide),
        burst_packets: None,
        bandwidth_kbps: Some(116_000),
    };
    let data = AncillaryFormat {
        frame_rate: Some(rate),
        kinds: vec![(0x61, 0x02), (0x60, 0x60)],
        low_latency: true,
        vpid_code: Some(133),
    };
    let essences = [
        ("video", 90_000, Essence::Video(video)),
        ("key", 90_000, Essence::Video(key)),
        ("audio", 48_000, audio(24, false, "51,ST")),
        ("samples of 16 bits", 48_000, audio(16, false, "")),
        ("subframes", 48_000, audio(32, true, "AES3,AES3,AES3,AES3")),
        ("jpeg-xs", 90_000, Essence::Compressed(compressed)),
        ("ancillary", 90_000, Essence::Ancillary(data)),
        ("metadata", 90_000, Essence::FastMetadata(vec![0x100, 0x10_0100])),
        ("text", 90_000, Essence::TimedText),
        ("sdi", 27_000_000, Essence::Sdi),
        ("transport stream", 90_000, Essence::TransportStream),
    ];
    let format = |(name, clock_rate, essence)| (name, Format { payload_type: 96, clock_rate, essence });
    essences.into_iter().map(format).collect()
}

fn session(name: &str, format: Format, last: u8) -> Session {
    let leg = |net: u8| Leg {
        destination: core::net::SocketAddr::new([239, net, 0, last].into(), 5004),
        sources: Sources::Only(vec![[192, 0, 2, net].into()]),
        rtcp: Some(core::net::SocketAddr::new([239, net, 0, last].into(), 5005)),
        ttl: Some(16),
    };
    Session {
        name: name.into(),
        identity: format!("- 5 IN IP4 192.0.2.1 m{}", usize::from(last) * 2 - 1),
        source: SessionSource::File("x.sdp".into()),
        formats: vec![format],
        legs: vec![leg(1), leg(2)],
        reference: Some(ReferenceClock::Ptp {
            version: "IEEE1588-2008".into(),
            grandmaster: Some([0, 0x1b, 0x19, 0xff, 0xfe, 0, 0, 1]),
            domain: Some(127),
        }),
        media_clock: Some(MediaClock::Direct { offset: 0, rate: None }),
        first: None,
        last: None,
        ended: None,
    }
}

#[test]
fn what_is_described_is_agreed_and_right() {
    let mut all = Vec::new();
    for (name, format) in formats() {
        let session = session(name, format, u8::try_from(all.len()).unwrap() + 1);
        let alone = Session { identity: "- 5 IN IP4 192.0.2.1 m1".into(), ..session.clone() };
        let document = describe(std::slice::from_ref(&alone), &Origin::new(5, 1, [192, 0, 2, 1].into()));
        let text = write(&document);
        assert_eq!(agreed(&text), (vec![alone], vec![]), "{text}");
        let complaints = lint(text.as_bytes(), Edition::Named);
        let worst = complaints.iter().map(|complaint| complaint.severity).max();
        // Only what the formats themselves lack is said; and the first edition wants a semicolon.
        let known = [Lint::TransferColorimetry, Lint::PacketTimeLevel, Lint::SeveralStreams];
        assert!(
            complaints.iter().all(|complaint| known.contains(&complaint.code))
                && worst < Some(Severity::Error),
            "{complaints:?}\n{text}"
        );
        all.push(session);
    }
    let text = write(&describe(&all, &Origin::new(5, 1, [192, 0, 2, 1].into())));
    let (told, faults) = agreed(&text);
    assert_eq!((told.len(), faults.len()), (all.len(), 0));
    assert_eq!(told[0], all[0]);
    assert_eq!(told[3].legs, all[3].legs);
}

#[test]
fn a_format_can_be_written_without_a_document() {
    let format = super::format::written(97, "L24/48000/2", "channel-order=SMPTE2110.(ST)").unwrap();
    let Essence::Audio(audio) = format.essence else { panic!("{format:?}") };
    assert_eq!((audio.channels, audio.channel_order.as_str(), audio.packet_time_ns), (2, "ST", None));
    assert_eq!(super::format::written(97, "L24", ""), None);
}

#[test]
fn names_of_strangers_stay_in_their_line() {
    let format = formats().remove(0).1;
    let session = session("a\r\nm=video 1 RTP/AVP 96", format, 1);
    let document = describe(&[session], &Origin::new(5, 1, [192, 0, 2, 1].into()));
    let (again, _) = parse(write(&document).as_bytes());
    assert_eq!((again.media.len(), again), (2, document));
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    for end in 0..PAIR.len() {
        check(&PAIR.as_bytes()[..end]);
    }
    let mut seed = 5_u64;
    for _ in 0..800 {
        let mut copy = PAIR.as_bytes().to_vec();
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % copy.len();
            copy[at] = seed.to_le_bytes()[3];
        }
        check(&copy);
    }
}
