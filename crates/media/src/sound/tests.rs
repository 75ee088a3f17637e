//! Samples out of packets, files and levels: numbers that are known, and a stranger's opinion.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers are our own")]

use std::process::{Command, Stdio};
use std::{env, fs, path::PathBuf};

use super::*;
use crate::audio::tests::{format, rtp};

fn packet<'a>(timestamp: u32, payload: &'a [u8]) -> Packet<'a> {
    Packet { time: None, frame: 1, udp_bytes: 0, rtp: rtp(0, timestamp, payload) }
}

#[test]
fn each_format_is_left_justified() {
    let of = |bits, channels, payload: &[u8]| {
        let mut sound = Planar::new(channels);
        let samples = unpack(&format(bits, 48_000, channels), payload, &mut sound);
        assert_eq!(samples, sound.samples());
        sound.channels
    };
    assert_eq!(of(8, 2, &[0, 0x80, 0xff, 1]), [[i32::MIN, 0x7f00_0000], [0, -0x7f00_0000]]);
    assert_eq!(of(16, 1, &[0x12, 0x34, 0x80, 0, 9]), [[0x1234_0000, i32::MIN]]);
    assert_eq!(of(24, 2, b"\x12\x34\x56\xff\xff\xff"), [[0x1234_5600], [-256]]);
    assert_eq!(of(20, 1, b"\x12\x34\x5f\xff\xfe"), [[0x1234_5000, -0x2000]]);
    assert_eq!(of(20, 2, b"\x12\x34\x5f\xff\xfe"), [[0x1234_5000], [-0x2000]]);
    assert_eq!(of(32, 2, b"\x18\x12\x34\x56\x08\xff\xff\xff"), [[0x1234_5600], [-256]]);
    assert_eq!(of(24, 0, &[1; 30]), Vec::<Vec<i32>>::new());
    assert_eq!(of(0, 1, &[1; 30]), [Vec::<i32>::new()]);
    // More channels than a payload holds take no memory.
    assert_eq!(of(24, u16::MAX, &[1; 1440]).len(), usize::from(MOST_CHANNELS));
}

#[test]
fn what_is_missing_becomes_silence() {
    let it = format(16, 48_000, 1);
    let (mut sequence, mut sound) = (Sequence::new(&it), Planar::new(1));
    sequence.handle(&packet(u32::MAX, &[0, 1, 0, 2]), &mut sound);
    sequence.handle(&packet(3, &[0, 3]), &mut sound);
    sequence.handle(&packet(1, &[0, 9]), &mut sound);
    sequence.handle(&packet(4, &[0, 4]), &mut sound);
    sequence.handle(&packet(1 << 30, &[0, 5]), &mut sound);
    let samples: Vec<i32> = sound.channels[0].iter().map(|sample| sample >> 16).collect();
    assert_eq!(samples, [1, 2, 0, 0, 3, 4, 5]);
    assert_eq!((sequence.filled(), sequence.left_out(), sequence.beginnings()), (2, 1, 2));
}

/// A sound by its formula, 24 bits.
fn made(channels: u16, seconds: f64, at: impl Fn(f64, u16) -> f64) -> Planar {
    let mut sound = Planar::new(channels);
    for n in 0..(seconds * 48_000.0) as u32 {
        let instant: Vec<i32> = (0..channels)
            .map(|channel| {
                let value = at(f64::from(n) / 48_000.0, channel);
                ((value * 8_388_607.0).round() as i32) << 8
            })
            .collect();
        sound.push(&instant);
    }
    sound
}

fn sine(hertz: f64, decibels: f64, t: f64) -> f64 {
    10_f64.powf(decibels / 20.0) * (t * hertz * std::f64::consts::TAU).sin()
}

fn levels(channels: u16, order: &str, sound: &Planar) -> model::media::sound::SoundFacts {
    let mut levels =
        Levels::new(&AudioFormat { channel_order: order.into(), ..format(24, 48_000, channels) });
    levels.handle(sound, 0);
    levels.facts()
}

#[test]
fn tones_have_the_levels_that_are_known() {
    // EBU Tech 3341, case 1: stereo, 1 kHz at −23 dBFS in both channels for as long as you like is −23.0 LUFS.
    let facts = levels(2, "ST", &made(2, 5.0, |t, _| sine(1000.0, -23.0, t)));
    let one = &facts.programmes[0];
    assert!((one.integrated_clu.unwrap() + 2300).abs() <= 10, "{one:?}");
    assert!((one.most_momentary_clu.unwrap() + 2300).abs() <= 10, "{one:?}");
    assert!((one.most_short_term_clu.unwrap() + 2300).abs() <= 10, "{one:?}");
    assert_eq!(facts.channels[1].peak_cdb, Some(-2300));
    assert_eq!(facts.channels[1].rms_cdb, Some(-2601));
    assert!((facts.channels[1].true_peak_cdb.unwrap() + 2300).abs() <= 10);
    // Case 6: 5.1 with −28, −28, −24, and −30 at the sides is −23.0 LUFS.
    let sound = made(6, 3.0, |t, channel| match channel {
        0 | 1 => sine(1000.0, -28.0, t),
        2 => sine(1000.0, -24.0, t),
        3 => sine(50.0, -3.0, t),
        _ => sine(1000.0, -30.0, t),
    });
    let facts = levels(6, "51", &sound);
    assert!((facts.programmes[0].integrated_clu.unwrap() + 2300).abs() <= 10, "{facts:?}");
    assert!(facts.order_stated);
}

#[test]
fn blocks_may_be_cut_anywhere() {
    let sound = made(2, 3.3, |t, channel| sine(997.0 + f64::from(channel), -12.0, t));
    let whole = levels(2, "", &sound);
    let mut cut = Levels::new(&format(24, 48_000, 2));
    let mut from = 0;
    for length in (1..).map(|k| k * 37 % 6000 + 1) {
        let to = (from + length).min(sound.samples());
        let part = sound.channels.iter().map(|samples| samples[from..to].to_vec()).collect();
        cut.handle(&Planar { channels: part }, 0);
        from = to;
        if from == sound.samples() {
            break;
        }
    }
    assert_eq!(cut.facts(), whole);
    assert!(!whole.order_stated && whole.programmes.len() == 1);
}

#[test]
fn silence_has_no_level() {
    let facts = levels(3, "", &made(3, 4.0, |_, _| 0.0));
    assert!(
        facts
            .channels
            .iter()
            .all(|it| it.peak_cdb.is_none() && it.rms_cdb.is_none() && it.true_peak_cdb.is_none())
    );
    assert_eq!((facts.programmes.len(), facts.programmes[0].integrated_clu), (2, None));
    assert_eq!(facts.channels[0].longest_silence, 192_000);
    let none = levels(0, "", &Planar::new(0));
    assert!(none.channels.is_empty() && none.programmes.is_empty());
    let odd = Levels::new(&format(24, u32::MAX, u16::MAX)).facts();
    assert_eq!((odd.unmeasured_channels, odd.programmes.len()), (u16::MAX - MOST_CHANNELS, 0));
}

/// Samples that are used in all their bits.
fn noise(channels: u16, samples: u32) -> Planar {
    let (mut sound, mut seed) = (Planar::new(channels), 42_u64);
    for _ in 0..samples {
        let mut instant = Vec::new();
        for channel in 0..channels {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            instant.push(((seed >> 32) as u32).cast_signed() >> channel & !0xff);
        }
        sound.push(&instant);
    }
    sound
}

fn ffmpeg(arguments: &[&str]) -> Option<(Vec<u8>, String)> {
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin"])
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let Ok(output) = run else {
        eprintln!("SKIPPED: ffmpeg is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    Some((output.stdout, said))
}

struct File(PathBuf);

impl File {
    fn new(name: &str, format: &AudioFormat, sound: &Planar) -> File {
        let path = env::temp_dir().join(format!("portreeve-{}-{name}.wav", std::process::id()));
        let wav = Wav::new(format);
        let samples = sound.samples() as u64;
        let mut bytes = wav.head(samples);
        wav.block(sound, &mut bytes);
        bytes.extend_from_slice(wav.tail(samples));
        fs::write(&path, bytes).unwrap();
        File(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_stranger_reads_our_files_sample_by_sample() {
    for (bits, channels, order) in
        [(24, 1, "M"), (24, 2, "ST"), (24, 6, "51"), (16, 3, ""), (24, 16, ""), (32, 2, "")]
    {
        let sound = noise(channels, 4801);
        let it = AudioFormat { channel_order: order.into(), ..format(bits, 48_000, channels) };
        let file = File::new(&format!("samples-{bits}-{channels}"), &it, &sound);
        let Some((bytes, _)) =
            ffmpeg(&["-v", "error", "-i", file.name(), "-f", "s32le", "-c:a", "pcm_s32le", "-"])
        else {
            return;
        };
        let mask = if bits == 16 { !0xffff } else { !0xff };
        let read: Vec<i32> = bytes.as_chunks::<4>().0.iter().map(|it| i32::from_le_bytes(*it)).collect();
        let ours: Vec<i32> = (0..sound.samples())
            .flat_map(|n| sound.channels.iter().map(move |channel| channel[n] & mask))
            .collect();
        assert!(read == ours, "{bits} bits, {channels} channels: {} and {} samples", read.len(), ours.len());
    }
}

/// The number after the last time a word stands in what was said.
fn number(said: &str, word: &str) -> f64 {
    let after = said.rsplit(word).next().unwrap();
    after.trim_start_matches([':', ' ', '=']).split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_stranger_finds_the_same_levels() {
    let it = AudioFormat { channel_order: "ST".into(), ..format(24, 48_000, 2) };
    let signals: [(&str, Planar); 4] = [
        ("tone", made(2, 2.0, |t, _| sine(1000.0, -18.0, t))),
        (
            "steps",
            made(2, 16.0, |t, channel| {
                sine(440.0, if t < 8.0 { -15.0 } else { -33.0 } - f64::from(channel) * 4.0, t)
            }),
        ),
        ("sweep", made(2, 3.0, |t, _| 0.4 * (t * t * 3200.0 * std::f64::consts::TAU).sin())),
        ("noise", noise(2, 100_000)),
    ];
    for (name, sound) in &signals {
        let file = File::new(name, &it, sound);
        let Some((_, said)) =
            ffmpeg(&["-i", file.name(), "-af", "ebur128=peak=true+sample", "-f", "null", "-"])
        else {
            return;
        };
        let summary = said.rsplit("Summary:").next().unwrap();
        let facts = levels(2, "ST", sound);
        let one = &facts.programmes[0];
        let near = |ours: Option<i32>, theirs: f64, tolerance: f64| {
            let ours = f64::from(ours.unwrap()) / 100.0;
            assert!((ours - theirs).abs() <= tolerance, "{name}: {ours} and {theirs}");
        };
        // ffmpeg rounds to a tenth; both may differ in the filters' last digit.
        near(one.integrated_clu, number(summary, "    I:"), 0.11);
        // The range needs windows of three seconds: their first ones, which are not full, count for ffmpeg.
        if *name == "steps" {
            near(one.range_clu, number(summary, "LRA:"), 0.21);
        }
        let (_, true_peak) = summary.split_once("True peak:").unwrap();
        // Their interpolation between samples is another: up to a decibel where it is white noise.
        near(one.true_peak_cdb, number(true_peak, "Peak:"), if *name == "noise" { 1.0 } else { 0.2 });
        let (_, said) = ffmpeg(&["-i", file.name(), "-af", "astats", "-f", "null", "-"]).unwrap();
        let overall = said.rsplit("Channel: 2").next().unwrap();
        let second = overall.split("Overall").next().unwrap();
        near(facts.channels[1].peak_cdb, number(second, "Peak level dB"), 0.011);
        near(facts.channels[1].rms_cdb, number(second, "RMS level dB"), 0.011);
    }
}
