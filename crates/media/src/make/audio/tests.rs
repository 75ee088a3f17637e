//! Audio made, and measured by what measures audio.

use model::Timestamp;
use model::media::audio::{AudioLevel, ChannelMode};

use super::*;
use crate::audio::tests::format;
use crate::audio::{Detector, Measure};
use crate::sound::{Levels, Planar, Sequence};
use crate::{Packet, sound};

fn with_time(bits: u8, rate: u32, channels: u16, packet_time_ns: u64) -> AudioFormat {
    AudioFormat { packet_time_ns: Some(packet_time_ns), ..format(bits, rate, channels) }
}

/// Hands so many packets from the one at a time on to `take`, with the time at which each leaves.
fn each(maker: &AudioMaker, from_ns: u64, packets: u64, mut take: impl FnMut(&Packet<'_>, i64)) {
    let mut batch = Batch::default();
    let first = maker.packet_at(from_ns);
    for packet in first..first + packets {
        batch.clear();
        maker.packet(packet, &mut batch);
        let bytes = batch.packet(0).unwrap();
        let ns = i64::try_from(maker.ready_ns(packet)).unwrap();
        let rtp = wire::rtp::parse(bytes).unwrap();
        let udp_bytes = u16::try_from(bytes.len() + 8).unwrap();
        take(&Packet { time: Some(Timestamp::from_ns(ns)), frame: packet - first + 1, udp_bytes, rtp }, ns);
    }
}

const NOW: u64 = 1_795_734_000_123_456_789;

#[test]
fn every_packet_time_of_the_levels_is_kept() {
    for (bits, rate, channels, ns, samples, level) in [
        (24, 48_000, 8, 1_000_000, 48, Some(AudioLevel::A)),
        (16, 48_000, 2, 125_000, 6, Some(AudioLevel::B)),
        (24, 48_000, 64, 125_000, 6, Some(AudioLevel::C)),
        (24, 96_000, 4, 1_000_000, 96, Some(AudioLevel::Ax)),
        (24, 96_000, 8, 125_000, 12, Some(AudioLevel::Bx)),
        (24, 96_000, 32, 125_000, 12, Some(AudioLevel::Cx)),
        (24, 48_000, 2, 333_333, 16, None),
        (24, 48_000, 2, 4_000_000, 192, None),
        (32, 48_000, 6, 1_000_000, 48, Some(AudioLevel::A)),
        (32, 48_000, 60, 120_000, 6, Some(AudioLevel::C)),
        (32, 48_000, 80, 80_000, 4, Some(AudioLevel::D)),
        (32, 96_000, 2, 1_000_000, 96, Some(AudioLevel::Ax)),
        (32, 44_100, 6, 1_090_000, 48, Some(AudioLevel::Ax)),
        (32, 44_100, 8, 140_000, 6, Some(AudioLevel::Bx)),
        (32, 44_100, 80, 90_000, 4, Some(AudioLevel::Dx)),
    ] {
        let it = with_time(bits, rate, channels, ns);
        let maker = AudioMaker::new(&it, Signal::Ident(Tone::default()), 97, 7).unwrap();
        assert_eq!(maker.samples_per_packet(), samples);
        let (mut measure, mut detector) = (Measure::new(&it), Detector::default());
        each(&maker, NOW, 1200, |packet, ns| {
            measure.handle(packet, Some(ns));
            detector.handle(packet);
        });
        let facts = measure.facts();
        assert_eq!((facts.samples_per_packet, facts.level, facts.step_faults), (Some(samples), level, 0));
        // A packet leaves when it is full, which is its own time after its first sample, rounded to a nanosecond.
        let (latency, packet_ns) =
            (facts.latency.unwrap(), i64::try_from(facts.packet_time_ns.unwrap()).unwrap());
        assert!(
            latency.most_ns - packet_ns <= 2 && packet_ns - latency.least_ns <= 2,
            "{latency:?} {packet_ns}"
        );
        let broken: Vec<_> = measure.tally().faults().iter().map(|fault| fault.rule.name).collect();
        assert!(if level.is_some() { broken.is_empty() } else { broken == ["audio-level"] }, "{broken:?}");
        if bits == 32 {
            let found = detector.detect().unwrap().format;
            assert_eq!((found.am824, found.channels), (true, channels));
            let aes3 = facts.aes3.unwrap();
            let signal = &aes3.signals[0];
            let blocks = 1200 * u64::from(samples) / 192;
            assert!(
                signal.blocks + 2 >= blocks
                    && aes3.parity_faults + aes3.block_faults + aes3.frame_faults == 0
            );
            let status = signal.status[1].as_ref().unwrap();
            let mode = if channels == 2 { ChannelMode::Stereo } else { ChannelMode::TwoChannels };
            assert_eq!((status.sample_rate, status.check, status.mode), (Some(rate), Some(true), mode));
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let of = |it: AudioFormat, signal| AudioMaker::new(&it, signal, 97, 1).err();
    let tone = Signal::Tone(Tone::default());
    assert_eq!(of(format(20, 48_000, 2), tone), Some(Refused::Bits));
    assert_eq!(of(format(24, 47_999, 2), tone), Some(Refused::SampleRate));
    assert_eq!(of(format(24, 48_000, 0), tone), Some(Refused::Channels));
    assert_eq!(of(format(32, 48_000, 3), tone), Some(Refused::Channels));
    assert_eq!(of(with_time(24, 48_000, 2, 1), tone), Some(Refused::PacketTime));
    assert_eq!(of(with_time(24, 48_000, 64, 1_000_000), tone), Some(Refused::TooLarge));
    assert_eq!(of(format(24, 48_000, u16::MAX), tone), Some(Refused::TooLarge));
    assert_eq!(of(format(24, 48_000, 10), tone), None);
    for hertz in [0, 24_000] {
        assert_eq!(
            of(format(24, 48_000, 2), Signal::Tone(Tone { hertz, level_cdb: 0 })),
            Some(Refused::Frequency)
        );
    }
    let sweep = Signal::Sweep { from_hz: 20, to_hz: 20, seconds: 1, level_cdb: 0 };
    assert_eq!(of(format(24, 48_000, 2), sweep), Some(Refused::Frequency));
}

fn heard(it: &AudioFormat, signals: &[Signal], from_ns: u64, packets: u64) -> Planar {
    let maker = AudioMaker::with_channels(it, signals, 97, 1).unwrap();
    let (mut sequence, mut to) = (Sequence::new(it), Planar::new(it.channels));
    each(&maker, from_ns, packets, |packet, _| sequence.handle(packet, &mut to));
    assert_eq!((sequence.filled(), sequence.left_out(), sequence.beginnings()), (0, 0, 1));
    to
}

#[test]
fn a_tone_is_as_loud_as_was_asked_and_never_drifts() {
    for rate in [44_100, 48_000, 96_000] {
        let tones = [1000, 997].map(|hertz| Signal::Tone(Tone { hertz, level_cdb: -1800 }));
        let it = format(24, rate, 2);
        let heard_now = heard(&it, &tones, NOW, 1000);
        let mut levels = Levels::new(&it);
        levels.handle(&heard_now, 0);
        for channel in levels.facts().channels {
            assert!(
                (channel.peak_cdb.unwrap() + 1800).abs() <= 1 && (channel.rms_cdb.unwrap() + 2101).abs() <= 1
            );
        }
        // A whole number of seconds later, all phases are the same; packets begin elsewhere in it.
        let seconds = 86_400 * 365;
        let maker = AudioMaker::with_channels(&it, &tones, 97, 1).unwrap();
        let sample = NOW / 1_000_000_000 * u64::from(rate) + 5;
        for voice in &maker.voices {
            let later = sample + seconds * u64::from(rate);
            assert_eq!(voice.value(sample, 0, 2, rate), voice.value(later, 0, 2, rate));
        }
        assert_eq!(
            maker.voices.iter().map(|voice| voice.table.is_empty()).collect::<Vec<_>>(),
            [false, true]
        );
    }
}

#[test]
fn the_left_is_interrupted_and_the_right_is_steady() {
    let it = format(16, 48_000, 2);
    let sound = heard(&it, &[Signal::Ident(Tone::default())], 1_795_734_000_000_000_000, 3000);
    let silent = |channel: usize, ms: std::ops::Range<usize>| {
        sound.channels()[channel][ms.start * 48..ms.end * 48].iter().all(|sample| *sample == 0)
    };
    assert!(silent(0, 0..250) && !silent(0, 250..252) && !silent(1, 0..2));
    // Nowhere is there a longer pause than between two samples of the sine.
    let mut levels = Levels::new(&it);
    levels.handle(&sound, 0);
    let longest: Vec<u64> = levels.facts().channels.iter().map(|it| it.longest_silence).collect();
    assert!((12_000..12_003).contains(&longest[0]) && longest[1] <= 3, "{longest:?}");
}

#[test]
fn each_of_many_channels_beeps_its_number() {
    let it = with_time(24, 48_000, 16, 125_000);
    let sound = heard(&it, &[Signal::Ident(Tone::default())], 5 * 1_000_000_000 * 1000, 8000 * 5);
    for (number, channel) in (1..).zip(sound.channels()) {
        let loud: Vec<bool> = channel.chunks(48).map(|ms| ms.iter().any(|sample| *sample != 0)).collect();
        let beeps = loud.windows(2).filter(|pair| pair[0] && !pair[1]).count();
        assert_eq!(beeps, number);
    }
}

#[test]
fn a_sweep_goes_through_its_range_and_begins_anew() {
    let it = format(24, 48_000, 1);
    let signal = Signal::Sweep { from_hz: 100, to_hz: 10_000, seconds: 2, level_cdb: -600 };
    let sound = heard(&it, &[signal], 1_795_734_000_000_000_000, 2000);
    let crossings = |from: usize| {
        let part = &sound.channels()[0][from..from + 4800];
        part.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count()
    };
    // In a tenth of a second: the mean pitch at the begin, the middle and the end.
    assert!((10..14).contains(&crossings(0)), "{}", crossings(0));
    assert!((100..125).contains(&crossings(48_000)), "{}", crossings(48_000));
    assert!((850..1000).contains(&crossings(91_200)), "{}", crossings(91_200));
    assert_eq!(sound.channels()[0][0], 0);
}

#[test]
fn silence_is_zero_and_each_channel_has_its_own_signal() {
    let it = format(32, 48_000, 4);
    let signals = [Signal::Silence, Signal::Tone(Tone::default()), Signal::Silence];
    let sound: sound::Planar = heard(&it, &signals, NOW, 10);
    let quiet: Vec<bool> =
        sound.channels().iter().map(|channel| channel.iter().all(|sample| *sample == 0)).collect();
    assert_eq!(quiet, [true, false, true, true]);
}

#[test]
fn numbers_at_the_end_of_the_scale_are_survived() {
    let maker = AudioMaker::new(&format(24, 44_100, 1), Signal::Tone(Tone::default()), 0xff, 1).unwrap();
    let mut batch = Batch::default();
    maker.packet(u64::MAX, &mut batch);
    assert_eq!(batch.packet(0).unwrap()[1], 0x7f);
    assert_eq!((maker.ready_ns(u64::MAX), maker.packet_at(0)), (u64::MAX, 0));
    assert!(maker.packet_at(u64::MAX) > 0);
}
