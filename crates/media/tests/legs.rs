//! Two legs far apart that lose different packets: what either had is whole (ST 2022-7:2019 §7).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is how it fails")]

use std::net::SocketAddr;

use model::Timestamp;
use model::media::reception::PathClass;
use model::media::{
    Colorimetry, Depth, Essence, Format, Leg, Packing, Range, Ratio, Sampling, Scan, Session, SessionSource,
    Sources, Stream, Transfer, VideoFormat,
};
use portreeve_media::clock::Alignment;
use portreeve_media::make::Batch;
use portreeve_media::make::video::{Head, Signal, VideoMaker};
use portreeve_media::monitor::{Config, Datagram, Monitor};
use wire::address::Address;

const MS: i64 = 1_000_000;

fn format(width: u16, height: u16, scan: Scan) -> VideoFormat {
    VideoFormat {
        sampling: Sampling::YCbCr422,
        depth: Depth::Ten,
        width,
        height,
        frame_rate: Ratio::new(if scan == Scan::Progressive { 50 } else { 25 }, 1).unwrap(),
        scan,
        colorimetry: Colorimetry::Bt709,
        transfer: Transfer::Sdr,
        range: Range::Narrow,
        packing: Packing::General,
        max_udp_bytes: 1460,
        sender_type: None,
        offset_us: None,
        burst_packets: None,
        pixel_aspect: Ratio::new(1, 1).unwrap(),
    }
}

fn session(format: &VideoFormat) -> Session {
    let leg =
        |to: &str| Leg { destination: to.parse().unwrap(), sources: Sources::Any, rtcp: None, ttl: Some(32) };
    Session {
        name: "Two ways".into(),
        identity: "1".into(),
        source: SessionSource::File("made".into()),
        formats: vec![Format {
            payload_type: 96,
            clock_rate: 90_000,
            essence: Essence::Video(format.clone()),
        }],
        legs: vec![leg("239.1.1.1:5004"), leg("239.1.2.1:5004")],
        reference: None,
        media_clock: None,
        first: None,
        last: None,
        ended: None,
    }
}

/// A packet as it was sent: when, in which frame, at which place in it, and its bytes.
struct Sent {
    at: i64,
    frame: usize,
    place: usize,
    bytes: Vec<u8>,
}

fn send(format: &VideoFormat, frames: usize) -> Vec<Sent> {
    let head = Head { payload_type: 96, ssrc: 7, sequence: 0x0001_ff00 };
    let mut maker = VideoMaker::new(format, Signal::Bars, false, head).unwrap();
    let alignment = Alignment::new(format.frame_rate);
    let first = alignment.number(Timestamp::from_ns(1_790_000_000_000_000_000));
    let fields = Alignment::fields(format.frame_rate).unwrap();
    let mut sent = Vec::new();
    for (frame, number) in (0..frames).zip(first..) {
        let mut batch = Batch::default();
        let stamps = match format.scan {
            Scan::Interlaced => [fields.rtp(2 * number, 90_000), fields.rtp(2 * number + 1, 90_000)],
            _ => [alignment.rtp(number, 90_000); 2],
        };
        maker.frame(u64::try_from(number).unwrap(), stamps, &mut batch);
        let begin = alignment.point(number).as_ns();
        let count = i64::try_from(batch.len()).unwrap();
        for (place, bytes) in batch.iter().enumerate() {
            let at = begin + alignment.period_ns() * 19 / 20 * i64::try_from(place).unwrap() / count;
            sent.push(Sent { at, frame, place, bytes: bytes.to_vec() });
        }
    }
    sent
}

/// What a listener hears who is on both ways from this frame on, the second `apart_ns` later (or earlier), each with its
/// losses. From one of the first ten frames on, the leg that is ahead is heard first.
fn hear(
    format: &VideoFormat,
    frames: usize,
    from: usize,
    apart_ns: i64,
    lost: impl Fn(usize, &Sent) -> bool,
) -> Stream {
    let sent = send(format, frames);
    // In the middle of a frame.
    let begin = sent.iter().find(|it| it.frame == from).unwrap().at + 8 * MS + apart_ns.min(0);
    let mut arrivals: Vec<(i64, usize, &Sent)> = Vec::new();
    for it in &sent {
        let ways = [(it.at, 0), (it.at + apart_ns, 1)];
        arrivals.extend(ways.iter().filter(|(_, leg)| !lost(*leg, it)).map(|(at, leg)| (*at, *leg, it)));
    }
    arrivals.retain(|(at, ..)| *at >= begin);
    arrivals.sort_by_key(|(at, leg, _)| (*at, *leg));
    let ahead = usize::from(apart_ns < 0);
    if let Some(first) = arrivals.iter().find(|(_, leg, _)| from < 10 && *leg == ahead).map(|(at, ..)| *at) {
        arrivals.retain(|(at, ..)| *at >= first);
    }
    let mut monitor = Monitor::new(Config::default());
    monitor.agree(session(format));
    for (frame, (at, leg, it)) in (1..).zip(arrivals) {
        let ways: [([u8; 4], [u8; 4]); 2] =
            [([192, 0, 2, 1], [239, 1, 1, 1]), ([192, 0, 2, 2], [239, 1, 2, 1])];
        monitor.handle_datagram(&Datagram {
            time: Some(Timestamp::from_ns(at)),
            frame,
            source: (Address::from_v4(ways[leg].0), 5004),
            destination: (Address::from_v4(ways[leg].1), 5004),
            vlan: None,
            ttl: 32,
            dscp: 34,
            udp_bytes: u16::try_from(it.bytes.len() + 8).unwrap(),
            payload: &it.bytes,
        });
    }
    let mut streams = monitor.media().streams;
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].legs.len(), 2);
    let to: SocketAddr = "239.1.1.1:5004".parse().unwrap();
    assert!(streams[0].legs.iter().any(|leg| leg.destination == to));
    streams.remove(0)
}

/// Each leg loses packets here and there, ends of frames, rows of packets and whole frames, and never both the same.
fn by_turns(leg: usize, it: &Sent) -> bool {
    match (leg, it.frame % 8) {
        (0, 2) => true,
        (1, 2) => false,
        (0, 5) => (100..300).contains(&it.place),
        (1, 5) => it.place > 300,
        (1, 7) => true,
        (0, 7) => false,
        _ => it.place % 10 == 3 + leg,
    }
}

#[test]
fn what_either_leg_had_is_whole() {
    let hd = format(1920, 1080, Scan::Progressive);
    let small = format(640, 360, Scan::Progressive);
    let fields = format(720, 576, Scan::Interlaced);
    for (format, frames, apart_ms, class) in [
        (&small, 40, 0, PathClass::D),
        (&small, 40, 5, PathClass::A),
        (&small, 40, 30, PathClass::B),
        (&small, 40, 100, PathClass::C),
        (&small, 40, -100, PathClass::C),
        (&small, 70, 440, PathClass::C),
        (&fields, 40, 5, PathClass::A),
        (&fields, 40, 100, PathClass::C),
        // Numbers wrap after 300 ms; at 145 ms the second leg is nearly half a turn behind.
        (&hd, 13, 145, PathClass::C),
    ] {
        let stream = hear(format, frames, 3, apart_ms * MS, by_turns);
        let video = stream.video.unwrap();
        let case = (format.width, format.scan, apart_ms);
        let parts = if format.scan == Scan::Progressive { 1 } else { 2 };
        let all = (frames - 4) * parts;
        assert_eq!((video.incomplete, video.pixels_missing, video.skipped), (0, 0, 0), "{case:?}");
        let complete = usize::try_from(video.complete).unwrap();
        assert!((all..=all + parts).contains(&complete), "{case:?}: {complete} of {all}, {} cut", video.cut);
        assert!(video.cut <= 1, "{case:?}");
        let hitless = stream.hitless.unwrap();
        assert_eq!((hitless.missing, hitless.different), (0, 0), "{case:?}: {hitless:?}");
        // A whole frame of more than 3000 packets may be a new begin, as far as its leg alone tells.
        assert_eq!(hitless.resets, u64::from(format.width == 1920), "{case:?}: {hitless:?}");
        assert_eq!(hitless.class, Some(class), "{case:?}");
        let faults: Vec<&str> = stream.faults.iter().map(|fault| fault.rule.name).collect();
        assert!(!faults.contains(&"legs-differ") && !faults.contains(&"missing-on-all-legs"), "{faults:?}");
        assert!(
            !faults.iter().any(|name| name.starts_with("marker") || name.starts_with("field")),
            "{faults:?}"
        );
    }
}

#[test]
fn who_hears_the_late_leg_first_takes_no_packet_for_another() {
    let small = format(640, 360, Scan::Progressive);
    for (apart_ms, frames_apart) in [(30, 2), (100, 5), (-100, 5)] {
        // From here on both are heard: one brings what the other had before.
        let stream = hear(&small, 40, 15, apart_ms * MS, by_turns);
        let (video, hitless) = (stream.video.unwrap(), stream.hitless.unwrap());
        assert_eq!((hitless.missing, hitless.different, hitless.resets), (0, 0, 0), "{apart_ms}");
        // Only of what came before the leg that is ahead was heard may something be missing.
        assert!(video.incomplete + video.skipped <= frames_apart + 1, "{apart_ms}: {video:?}");
        assert!(video.complete >= 40 - 16 - 1, "{apart_ms}: {video:?}");
    }
}

#[test]
fn what_no_leg_had_is_missing() {
    let small = format(640, 360, Scan::Progressive);
    for apart_ms in [5, 30, 100] {
        // Of one frame both lose the same packet, another neither has at all.
        let lost = |leg: usize, it: &Sent| match it.frame {
            20 => it.place == 77,
            30 => true,
            _ => by_turns(leg, it),
        };
        let stream = hear(&small, 45, 3, apart_ms * MS, lost);
        let video = stream.video.unwrap();
        assert_eq!((video.incomplete, video.skipped), (1, 1), "{apart_ms}");
        assert!(video.pixels_missing > 0 && video.pixels_missing < 1000, "{apart_ms}");
    }
}

#[test]
fn what_waits_is_bounded_where_both_legs_lose() {
    // The second leg brings nothing new: what waits leaves after its time, and is counted.
    let small = format(640, 360, Scan::Progressive);
    let stream = hear(&small, 90, 3, 30 * MS, |_, it| it.place == 5);
    let video = stream.video.unwrap();
    // The first and the last of the capture may have been cut by it.
    assert_eq!((video.complete, video.cut), (0, 2));
    assert_eq!(video.incomplete, 90 - 5);
}
