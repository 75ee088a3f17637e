//! What unknown streams are taken for, and what must not be taken for video.

use super::detect::Detector;
use super::measure_tests::{Sent, packets, send};
use crate::Packet;
use crate::make::video::Signal;
use crate::make::video::tests::format;
use model::Timestamp;
use model::media::{Depth, Essence, Packing, Ratio, Sampling, Scan, VideoFormat};

fn detect(sent: &[Sent]) -> Option<super::Detection> {
    let mut detector = Detector::default();
    packets(sent).for_each(|packet| detector.handle(&packet));
    detector.found()
}

#[test]
fn what_is_sent_is_found() {
    let rate = |n, d| Ratio::new(n, d).unwrap();
    for scan in [Scan::Progressive, Scan::Interlaced, Scan::Segmented] {
        for packing in [Packing::General, Packing::Block] {
            for (sampling, depth, frame_rate) in [
                (Sampling::YCbCr422, Depth::Ten, rate(25, 1)),
                (Sampling::YCbCr422, Depth::Eight, rate(60_000, 1001)),
                (Sampling::YCbCr422, Depth::Twelve, rate(24_000, 1001)),
                (Sampling::YCbCr420, Depth::Ten, rate(60, 1)),
                (Sampling::Rgb, Depth::Ten, rate(30_000, 1001)),
                (Sampling::YCbCr444, Depth::Twelve, rate(50, 1)),
            ] {
                {
                    let format = VideoFormat {
                        width: 1920,
                        height: 40,
                        scan,
                        packing,
                        frame_rate,
                        ..format(sampling, depth)
                    };
                    if sampling == Sampling::YCbCr420 && scan != Scan::Progressive {
                        continue;
                    }
                    let sent = send(&format, Signal::Bars, 6);
                    let Some(detection) = detect(&sent[5..]) else { panic!("nothing found of {format:?}") };
                    let Essence::Video(found) = &detection.essence else { panic!("{detection:?}") };
                    assert_eq!((found.width, found.height), (1920, 40), "{detection:?}");
                    assert_eq!((found.frame_rate, found.scan), (frame_rate, scan), "{detection:?}");
                    assert_eq!(found.packing, packing, "{detection:?}");
                    assert!(detection.fits.contains(&(sampling, depth)), "{detection:?} of {format:?}");
                    assert!(detection.certainty.certain.contains("rows of 1920 pixels"), "{detection:?}");
                }
            }
        }
    }
}

#[test]
fn four_two_two_in_ten_bits_is_certain() {
    let sent = send(
        &VideoFormat { width: 1920, height: 40, ..format(Sampling::YCbCr422, Depth::Ten) },
        Signal::Bars,
        6,
    );
    let detection = detect(&sent).unwrap();
    let systems = [Sampling::YCbCr422, Sampling::ClYCbCr422, Sampling::ICtCp422];
    assert_eq!(detection.fits, systems.map(|sampling| (sampling, Depth::Ten)));
}

#[test]
fn nothing_is_said_too_early_or_of_what_contradicts_itself_often() {
    let format = VideoFormat { width: 1920, height: 40, ..format(Sampling::YCbCr422, Depth::Ten) };
    let sent = send(&format, Signal::Bars, 6);
    assert!(detect(&sent[..2 * 160]).is_none());
    let mut damaged = sent;
    for at in (100..damaged.len()).step_by(15) {
        damaged[at].bytes.truncate(900);
    }
    assert!(detect(&damaged).is_none());
}

#[test]
fn loss_in_every_frame_and_a_mistake_now_and_then_leave_a_raster() {
    for scan in [Scan::Progressive, Scan::Interlaced] {
        let format = VideoFormat { width: 1920, height: 80, scan, ..format(Sampling::YCbCr422, Depth::Ten) };
        let sent = send(&format, Signal::Bars, 8);
        type Harm = fn(usize, &mut Sent) -> bool;
        // Whether a packet comes, and how.
        let harms: [(&str, Harm); 5] = [
            ("one of 40 is lost", |at, _| at % 40 != 7),
            ("two in a row are lost", |at, _| at % 100 > 1),
            ("one of 150 is cut", |at, packet| {
                packet.bytes.truncate(if at % 150 == 100 { 900 } else { 2000 });
                true
            }),
            ("a marker is missing", |at, packet| {
                packet.bytes[1] &= if at == 4 * 320 - 1 { 0x7f } else { 0xff };
                true
            }),
            ("a marker is too much", |at, packet| {
                packet.bytes[1] |= if at == 500 { 0x80 } else { 0 };
                true
            }),
        ];
        for (name, harm) in harms {
            let mut harmed = sent.clone();
            let mut at = 0;
            harmed.retain_mut(|packet| {
                at += 1;
                harm(at - 1, packet)
            });
            let Some(detection) = detect(&harmed) else { panic!("{scan:?}: {name}") };
            let Essence::Video(found) = &detection.essence else { panic!("{detection:?}") };
            assert_eq!((found.width, found.height, found.scan), (1920, 80, scan), "{name}: {detection:?}");
            assert_eq!(found.frame_rate, format.frame_rate, "{name}: {detection:?}");
        }
    }
}

/// A stream of payloads that no rows are in.
fn other(seed: u64, payload: impl Fn(u64, &mut Vec<u8>)) -> Option<super::Detection> {
    let mut detector = Detector::default();
    let mut state = seed;
    for number in 0..5000_u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = vec![0x80, if number % 50 == 49 { 0xe0 } else { 0x60 }];
        bytes.extend(u16::try_from(number % 65_536).unwrap().to_be_bytes());
        bytes.extend(u32::try_from(number / 50 * 1800).unwrap().to_be_bytes());
        bytes.extend([0, 0, 0, 1]);
        payload(state, &mut bytes);
        let rtp = wire::rtp::parse(&bytes).unwrap();
        detector.handle(&Packet { time: Some(Timestamp::from_ns(0)), frame: number, udp_bytes: 1300, rtp });
    }
    detector.found()
}

#[test]
fn other_streams_are_not_taken_for_video() {
    let random = |state: u64, bytes: &mut Vec<u8>| {
        let mut state = state;
        for _ in 0..200 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push(state.to_le_bytes()[5]);
        }
    };
    assert_eq!(other(1, random), None);
    // Silence, and an MPEG transport stream (RIST).
    assert_eq!(other(2, |_, bytes| bytes.extend([0; 288])), None);
    assert_eq!(
        other(3, |state, bytes| (0..7).for_each(|_| {
            bytes.extend([0x47, 0x01, 0x00, 0x10]);
            random(state, bytes);
            bytes.truncate(bytes.len() - 16);
        })),
        None
    );
    // Headers that are right, rows that do not follow each other.
    assert_eq!(
        other(4, |state, bytes| {
            bytes.extend([0, 0, 0, 100, 0, state.to_le_bytes()[6], 0, 0]);
            bytes.extend([0; 100]);
        }),
        None
    );
}

#[test]
fn recordings() {
    for (path, is_xs) in [
        ("st2110-22/125mbps-JPEGXS.pcap", true),
        ("st2110-30/l24_48000_8ch_0125.pcap", false),
        ("st2110-40/2110-40_5994i.pcap", false),
        ("st2022-7/ST2022-7-Audio.pcap", false),
        ("nmos/rtp-audio-l24-2chan.pcap", false),
        ("not-media/srt_stream_loss_of_5.pcap", false),
        ("ptp/PTP_clock.pcap", false),
    ] {
        let Some(capture) = crate::recordings_tests::read(path) else { return };
        let mut detector = Detector::default();
        crate::recordings_tests::packets(&capture, |packet| detector.handle(packet));
        let found = detector.found();
        assert_eq!(found.is_some(), is_xs, "{path}: {found:?}");
        if let Some(found) = found {
            let Essence::Compressed(format) = &found.essence else { panic!("{found:?}") };
            assert_eq!(
                (format.width, format.height, format.scan),
                (Some(1920), Some(1080), Scan::Interlaced)
            );
            assert_eq!(format.frame_rate, Ratio::new(30_000, 1001));
            assert_eq!(found.fits, [(Sampling::YCbCr422, Depth::Ten)]);
            assert!(!format.slices && format.sequential);
        }
    }
}
