//! Linear audio measured: streams made here, and captures of others.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are our own")]

use std::fs;

use model::Timestamp;
use model::media::audio::{AudioLevel, AudioQuantity, Grade, LatencyBasis, PacketTime};
use model::media::{AudioFormat, Profile};
use wire::capture::{Reader, Step};
use wire::packet::Decoded;
use wire::rtp;

use super::*;

pub(crate) fn format(bits: u8, sample_rate: u32, channels: u16) -> AudioFormat {
    let am824 = bits == 32;
    AudioFormat { bits, am824, sample_rate, channels, packet_time_ns: None, channel_order: String::new() }
}

pub(crate) fn rtp(sequence: u16, timestamp: u32, payload: &[u8]) -> rtp::Packet<'_> {
    rtp::Packet {
        marker: false,
        payload_type: 97,
        sequence,
        timestamp,
        ssrc: 1,
        sources: 0,
        extension: None,
        payload,
        padding_bytes: 0,
    }
}

fn packet(frame: u64, time_ns: i64, rtp: rtp::Packet<'_>) -> Packet<'_> {
    let udp_bytes = u16::try_from(rtp.payload.len() + 20).unwrap();
    Packet { time: Some(Timestamp::from_ns(time_ns)), frame, udp_bytes, rtp }
}

/// Hands every RTP packet of a capture to `take`; false where the capture is not there.
pub(crate) fn each_packet(name: &str, mut take: impl FnMut(&Packet<'_>)) -> bool {
    let path = format!("{}/../../../shared/corpus/pcap/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(bytes) = fs::read(&path) else {
        eprintln!("SKIPPED: {name} is not in the corpus beside the checkout");
        return false;
    };
    let (mut reader, mut rest, mut number) = (Reader::new(), bytes.as_slice(), 0);
    loop {
        let consumed = match reader.read(rest, true).unwrap() {
            Step::Frame { frame, consumed } => {
                number += 1;
                if let Ok(Decoded::Packet(found)) = wire::packet::decode(&frame)
                    && let Ok(rtp) = rtp::parse(found.payload)
                {
                    let udp_bytes = u16::try_from(found.payload_wire_bytes + 8).unwrap();
                    take(&Packet { time: frame.time, frame: number, udp_bytes, rtp });
                }
                consumed
            }
            Step::Skipped { consumed } | Step::Damaged { consumed, .. } => consumed,
            Step::NeedMore { .. } | Step::End => return true,
        };
        rest = &rest[consumed..];
    }
}

fn names(measure: &Measure) -> Vec<&'static str> {
    measure.tally().faults().iter().map(|fault| fault.rule.name).collect()
}

#[test]
fn eight_channels_of_125_us_as_a_stranger_sent_them() {
    let mut measure = Measure::new(&format(24, 48_000, 8)).with_profile(Profile::List);
    let mut detector = detect::Detector::default();
    if !each_packet("st2110-30/l24_48000_8ch_0125.pcap", |packet| {
        assert_eq!(packet.rtp.payload_type, 97);
        measure.handle(packet, None);
        detector.handle(packet);
    }) {
        return;
    }
    let facts = measure.facts();
    assert_eq!((facts.packets, facts.samples_per_packet, facts.other_lengths), (10_000, Some(6), 0));
    assert_eq!((facts.packet_time, facts.packet_time_ns), (Some(PacketTime::Us125), Some(125_000)));
    assert_eq!((facts.level, facts.step_faults, facts.missing), (Some(AudioLevel::B), 0, 0));
    let between = facts.inter_packet.unwrap();
    assert_eq!((between.least_ns / 100, between.most_ns / 100), (886, 1863));
    let factor = facts.delay_factor_200ms.unwrap();
    assert_eq!((factor.count, factor.least_ns / 100, factor.most_ns / 100), (6, 503, 775));
    assert_eq!(facts.latency_basis, Some(LatencyBasis::Relative));
    assert!(facts.rate_deviation_ppb.unwrap().abs() < 100_000, "{facts:?}");
    let factor = facts.limits.iter().find(|limit| limit.quantity == AudioQuantity::DelayFactor).unwrap();
    assert_eq!((factor.grade, facts.limits.len()), (Grade::Good, 1));
    assert!(names(&measure).is_empty(), "{:?}", measure.tally());
    let found = detector.detect().unwrap();
    assert_eq!((found.format.bits, found.format.channels, found.format.sample_rate), (24, 8, 48_000));
}

#[test]
fn header_extensions_and_packets_of_240_samples() {
    let mut measure = Measure::new(&format(24, 48_000, 2));
    if !each_packet("nmos/rtp-audio-l24-2chan.pcap", |packet| measure.handle(packet, None)) {
        return;
    }
    let facts = measure.facts();
    assert_eq!((facts.packets, facts.largest_udp_bytes, facts.step_faults), (9, 1460, 0), "{facts:?}");
    assert!(facts.extensions > 0);
    let whole = measure.tally().count(&rules::WHOLE);
    assert_eq!((facts.samples_per_packet, whole, facts.level), (Some(240), 0, None), "{facts:?}");
}

#[test]
fn both_legs_of_a_pair_are_audio() {
    let mut detectors = std::collections::BTreeMap::<u32, detect::Detector>::new();
    if each_packet("st2022-7/ST2022-7-Audio.pcap", |packet| {
        let leg = u32::from(packet.udp_bytes) ^ packet.rtp.ssrc;
        detectors.entry(leg).or_default().handle(packet);
    }) {
        // Both legs have one SSRC: their packets alternate, and are no stream together.
        assert!(!detectors.is_empty());
    }
}

#[test]
fn what_is_not_audio_is_not_called_so() {
    for name in [
        "not-media/srt_stream_loss_of_5.pcap",
        "st2110-22/125mbps-JPEGXS.pcap",
        "st2110-40/2110-40_5994i.pcap",
        "st2110-40/anc_with_some_rtp_padding.pcap",
        "nmos/rtp-data-st291-anc.pcap",
    ] {
        let mut detectors = std::collections::BTreeMap::<u32, detect::Detector>::new();
        each_packet(name, |packet| {
            let detector = detectors.entry(packet.rtp.ssrc).or_default();
            detector.handle(packet);
            assert_eq!(detector.detect(), None, "{name}: frame {}", packet.frame);
        });
    }
}

/// A tone with a little noise, as samples of so many bits; each channel has its own loudness.
fn tone(n: i64, channel: i64, bits: u32, seed: &mut u64) -> i32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let noise = f64::from((*seed >> 33) as u32) / f64::from(1_u32 << 31) - 0.5;
    let loud = 0.2 / (channel + 1) as f64;
    let phase = n as f64 * (440.0 + 100.0 * channel as f64) / 48_000.0 * std::f64::consts::TAU;
    let value = phase.sin() * loud + noise * 0.0005;
    (value * f64::from(1_u32 << (bits - 1))) as i32
}

fn sound(bits: u32, channels: i64, samples: i64, from: i64, seed: &mut u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for n in from..from + samples {
        for channel in 0..channels {
            let sample = tone(n, channel, bits, seed);
            bytes.extend_from_slice(&sample.to_be_bytes()[4 - bits as usize / 8..]);
        }
    }
    bytes
}

fn found(samples: i64, mut payload: impl FnMut(i64) -> Vec<u8>) -> Option<Detected> {
    let mut detector = detect::Detector::default();
    for k in 0..24 {
        let bytes = payload(k);
        let time_ns = k * samples * 1_000_000_000 / 48_000;
        let timestamp = u32::try_from(k * samples).unwrap().wrapping_sub(100);
        detector.handle(&packet(1, time_ns, rtp((k as u16).wrapping_sub(3), timestamp, &bytes)));
    }
    detector.detect()
}

#[test]
fn samples_are_told_by_how_they_move() {
    let mut seed = 9;
    for (bits, channels, samples) in [
        (24, 2, 48),
        (24, 8, 6),
        (16, 2, 48),
        (16, 6, 48),
        (16, 3, 48),
        (24, 4, 48),
        (16, 12, 6),
        (24, 1, 48),
    ] {
        let it = found(samples, |k| sound(bits, channels, samples, k * samples, &mut seed)).unwrap();
        let is = (u32::from(it.format.bits), i64::from(it.format.channels), it.format.sample_rate);
        assert_eq!(is, (bits, channels, 48_000), "{samples} samples");
        assert_eq!((it.encoding, it.sample_rate), (Ground::Certain, Ground::Certain));
        assert!(it.assumptions().is_empty());
    }
    // Sixteen bits in words of 24.
    let padded = found(48, |k| {
        let short = sound(16, 2, 48, k * 48, &mut seed);
        short.chunks(2).flat_map(|sample| [sample[0], sample[1], 0]).collect()
    });
    assert_eq!(padded.map(|it| (it.format.bits, it.format.channels)), Some((24, 2)));
    // Silence tells nothing: the usual is assumed, and said.
    let silent = found(48, |_| vec![0; 288]).unwrap();
    assert_eq!((silent.format.bits, silent.encoding, silent.assumptions().len()), (24, Ground::Assumed, 1));
}

#[test]
fn subframes_are_told_by_their_parity() {
    let mut seed = 4;
    let it = found(6, |k| {
        let mut bytes = Vec::new();
        for n in 0..6 {
            for channel in 0..6 {
                let sample = tone(k * 6 + n, channel, 24, &mut seed) << 8;
                let start = (k * 6 + n) % 192 == 0 && channel % 2 == 0;
                let subframe =
                    am824::Subframe::new(sample, start, channel % 2 == 0, n % 2 == 0, false, false);
                bytes.extend_from_slice(&subframe.0.to_be_bytes());
            }
        }
        bytes
    });
    let it = it.unwrap();
    assert_eq!(
        (it.format.bits, it.format.am824, it.format.channels, it.encoding),
        (32, true, 6, Ground::Certain)
    );
}

#[test]
fn chance_telephony_and_pictures_are_no_sound() {
    let mut seed = 77_u64;
    let mut chance = |length: usize| {
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                seed.to_le_bytes()[5]
            })
            .collect::<Vec<u8>>()
    };
    for _ in 0..200 {
        for (length, samples) in [(288, 48), (144, 6), (192, 48), (96, 4), (12, 4), (1152, 48)] {
            assert_eq!(found(samples, |_| chance(length)), None, "{length} octets of chance");
        }
    }
    // G.711: one octet for each sample; two channels of it move smoothly in both octets.
    assert_eq!(found(160, |k| (0..160).map(|n| ((k * 160 + n) % 50) as u8 + 0x60).collect()), None);
    assert_eq!(found(160, |k| (0..320).map(|n| ((k * 160 + n / 2) % 50) as u8 + 0x60).collect()), None);
    // Timestamps that stand still, as in a picture.
    let mut detector = detect::Detector::default();
    for k in 0..50 {
        detector.handle(&packet(1, 0, rtp(k, 3600, &[7; 1200])));
    }
    assert_eq!(detector.detect(), None);
    // Payloads that change their length.
    assert_eq!(found(48, |k| vec![0; 288 + usize::try_from(k).unwrap() % 7]), None);
}

#[test]
fn an_even_stream_breaks_nothing_and_latency_is_absolute_by_tai() {
    let mut measure =
        Measure::new(&format(24, 48_000, 2)).with_profile(Profile::JtNm2022).with_offset(1 << 40 | 5);
    let payload = [0; 288];
    // 2026, TAI; the first packet arrives 1.5 ms after its first sample.
    let begin = 1_790_000_000_000_000_000_i64;
    let first = u32::try_from(i128::from(begin) * 48_000 / 1_000_000_000 % (1 << 32)).unwrap();
    for k in 0..1500_u32 {
        let tai_ns = begin + i64::from(k) * 1_000_000 + 1_500_000;
        let rtp = rtp(k as u16, (first + k * 48).wrapping_add(5), &payload);
        measure.handle(&packet(u64::from(k) + 1, tai_ns - 37_000_000_000, rtp), Some(tai_ns));
    }
    let facts = measure.facts();
    let latency = facts.latency.unwrap();
    assert_eq!((latency.least_ns, latency.most_ns), (1_500_000, 1_500_000));
    assert_eq!((facts.latency_basis, facts.level), (Some(LatencyBasis::Absolute), Some(AudioLevel::A)));
    assert_eq!(facts.delay_factor_1s.map(|it| (it.count, it.most_ns)), Some((1, 0)));
    assert_eq!((facts.rate_deviation_ppb, facts.receivers.len()), (Some(0), 6));
    assert_eq!((facts.course.len(), facts.course[1].latency.count), (8, 200));
    assert!(facts.limits.len() == 6 && facts.limits.iter().all(|limit| limit.grade == Grade::Good));
    assert!(names(&measure).is_empty(), "{:?}", measure.tally());
}

#[test]
fn a_packet_before_its_time_is_told_at_any_rate() {
    for (rate, ticks) in [(44_100, 441), (48_000, 480), (96_000, 960)] {
        for wrap in [0_i64, 89_478_485_333_333, 1_790_000_000_123_456_789] {
            let now = wrap + 10_000_000;
            let sampled =
                u32::try_from(i128::from(wrap) * i128::from(rate) / 1_000_000_000 % (1 << 32)).unwrap();
            let late = since_sampled_ns(now, sampled, rate);
            assert!((10_000_000..10_023_000).contains(&late), "{late} at {rate}");
            let early = since_sampled_ns(now, sampled.wrapping_add(2 * ticks), rate);
            assert!((-10_000_000..-9_977_000).contains(&early), "{early} at {rate}");
        }
    }
    let mut measure = Measure::new(&format(16, 48_000, 1));
    measure.handle(&packet(1, 0, rtp(0, 48, &[0; 96])), Some(0));
    assert_eq!(measure.facts().latency.map(|it| it.least_ns), Some(-1_000_000));
}

#[test]
fn each_rule_can_ring() {
    let said = AudioFormat { packet_time_ns: Some(125_000), ..format(24, 48_000, 2) };
    let mut measure = Measure::new(&said);
    let mut frame = 0;
    let mut send = |measure: &mut Measure, sequence: u16, timestamp: u32, octets: usize, marker: bool| {
        frame += 1;
        let payload = vec![0; octets];
        let rtp = rtp::Packet { marker, ..rtp(sequence, timestamp, &payload) };
        measure.handle(&packet(frame, i64::try_from(frame).unwrap() * 125_000, rtp), None);
    };
    send(&mut measure, 0, 0, 36, true);
    send(&mut measure, 1, 6, 36, false);
    assert!(names(&measure).is_empty());
    send(&mut measure, 2, 13, 36, false);
    assert_eq!(names(&measure), ["audio-timestamp-step"]);
    send(&mut measure, 3, 19, 37, true);
    send(&mut measure, 4, 25, 0, false);
    send(&mut measure, 5, 25, 72, false);
    send(&mut measure, 6, 37, 60, false);
    send(&mut measure, 7, 47, 1446, false);
    assert_eq!(
        names(&measure)[1..],
        [
            "audio-whole-samples",
            "audio-marker",
            "audio-empty",
            "audio-length",
            "audio-packet-time",
            "audio-level",
        ]
    );
    let facts = measure.facts();
    assert_eq!((facts.packets, facts.samples_per_packet, facts.other_lengths), (8, Some(6), 4));
    assert_eq!((facts.samples_range, facts.markers, facts.step_faults), (Some((0, 241)), 2, 1));
}

#[test]
fn a_wrong_rate_is_told_from_a_slow_clock() {
    let run = |every_ns: i64| {
        let mut measure = Measure::new(&format(16, 48_000, 1));
        let payload = [0; 96];
        for k in 0..2500_u16 {
            let time_ns = i64::from(k) * every_ns;
            measure.handle(&packet(1, time_ns, rtp(k, u32::from(k) * 48, &payload)), None);
        }
        (measure.tally().count(&rules::RATE), measure.facts().rate_deviation_ppb.unwrap())
    };
    assert_eq!(run(1_088_435).0, 1, "of two seconds the second");
    // A hundred parts in a million.
    assert_eq!(run(1_000_100), (0, -99_990));
}

#[test]
fn a_pause_is_no_other_rate() {
    let mut measure = Measure::new(&format(16, 48_000, 1));
    let payload = [0; 96];
    for k in 0..4000_u16 {
        // Nothing for 150 ms, and what was missed all at once.
        let time_ns = (i64::from(k) * 1_000_000).max(if k > 900 { 1_050_000_000 } else { 0 });
        measure.handle(&packet(1, time_ns, rtp(k, u32::from(k) * 48, &payload)), None);
    }
    assert_eq!(names(&measure), [""; 0]);
}

#[test]
fn loss_lateness_and_a_new_beginning() {
    let mut measure = Measure::new(&format(16, 48_000, 1));
    let payload = [0; 96];
    let mut at = 0;
    let mut send = |measure: &mut Measure, sequence: u16, timestamp: u32| {
        at += 1_000_000;
        measure.handle(&packet(1, at, rtp(sequence, timestamp, &payload)), None);
    };
    send(&mut measure, 65_534, 0);
    send(&mut measure, 65_535, 48);
    // Three are lost, then one of them comes late, and one comes twice.
    send(&mut measure, 3, 240);
    send(&mut measure, 1, 144);
    send(&mut measure, 3, 240);
    let facts = measure.facts();
    assert_eq!((facts.missing, facts.out_of_order, facts.step_faults), (3, 2, 0));
    assert_eq!(facts.inter_packet.unwrap().count, 1);
    // The sender begins anew far away: the second packet shows it.
    send(&mut measure, 40_000, 900_000_000);
    send(&mut measure, 40_001, 900_000_048);
    send(&mut measure, 40_002, 900_000_096);
    let facts = measure.facts();
    assert_eq!((facts.jumps, facts.step_faults, facts.missing), (1, 0, 3));
    assert!(names(&measure).is_empty(), "{:?}", measure.tally());
}

#[test]
fn twenty_bits_are_counted_in_halves_of_octets() {
    let mut measure = Measure::new(&format(20, 48_000, 1));
    measure.handle(&packet(1, 0, rtp(0, 0, &[0; 120])), None);
    measure.handle(&packet(2, 1, rtp(1, 48, &[0; 3])), None);
    assert_eq!(measure.tally().count(&rules::WHOLE), 0);
    assert_eq!(measure.facts().samples, 49);
}

#[test]
fn every_prefix_and_many_damaged_copies_are_survived() {
    let mut tape = vec![2, 3, 3, 1];
    for k in 0..20_u8 {
        tape.extend_from_slice(&[36, 0x80, 97, 0, k, 0, 0, 0, k * 4, 0, 0, 0, 1]);
        tape.extend_from_slice(&[k; 24]);
    }
    for end in 0..tape.len() {
        check(&tape[..end]);
    }
    let mut seed = 3_u64;
    for _ in 0..4000 {
        let mut copy = tape.clone();
        for _ in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = (seed >> 33) as usize % copy.len();
            copy[place] = seed.to_le_bytes()[5];
        }
        check(&copy);
    }
}
