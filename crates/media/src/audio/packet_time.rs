//! Packet times and the levels of conformance that go with them (ST 2110-30, ST 2110-31, AES67).

use model::media::AudioFormat;
use model::media::audio::{AudioLevel, PacketTime};

/// Nanoseconds that samples last, rounded towards zero; negative for what lies before.
pub fn ns_of(samples: i64, sample_rate: u32) -> i64 {
    let rate = i64::from(sample_rate.max(1));
    let seconds = (samples / rate).saturating_mul(1_000_000_000);
    // A remainder is below 2^32 and a thousand million below 2^30.
    seconds.saturating_add(samples % rate * 1_000_000_000 / rate)
}

/// How many samples a packet of this time has. Descriptions round it (`0.12`, `1.09`), so the nearest number is meant.
pub fn samples_of(packet_time_ns: u64, sample_rate: u32) -> Option<u32> {
    let samples =
        packet_time_ns.checked_mul(u64::from(sample_rate))?.checked_add(500_000_000)? / 1_000_000_000;
    u32::try_from(samples).ok().filter(|samples| *samples > 0)
}

/// Which packet time of the texts so many samples are. 44.1 kHz has the numbers of 48 kHz, which last longer there.
pub fn packet_time(samples: u32, sample_rate: u32) -> Option<PacketTime> {
    let at_48_khz = match sample_rate {
        44_100 | 48_000 => samples,
        88_200 | 96_000 if samples.is_multiple_of(2) => samples / 2,
        176_400 | 192_000 if samples.is_multiple_of(4) => samples / 4,
        _ => return None,
    };
    Some(match at_48_khz {
        4 => PacketTime::Us80,
        6 => PacketTime::Us125,
        12 => PacketTime::Us250,
        16 => PacketTime::Us333,
        48 => PacketTime::Ms1,
        192 => PacketTime::Ms4,
        _ => return None,
    })
}

/// The level that a sender of such packets keeps.
pub fn level(format: &AudioFormat, samples: u32) -> Option<AudioLevel> {
    let time = packet_time(samples, format.sample_rate)?;
    if format.am824 {
        return aes3_level(format, time);
    }
    Some(match (format.sample_rate, time, format.channels) {
        (48_000, PacketTime::Ms1, 1..=8) => AudioLevel::A,
        (96_000, PacketTime::Ms1, 1..=4) => AudioLevel::Ax,
        (48_000, PacketTime::Us125, 1..=8) => AudioLevel::B,
        (96_000, PacketTime::Us125, 1..=8) => AudioLevel::Bx,
        (48_000, PacketTime::Us125, 9..=64) => AudioLevel::C,
        (96_000, PacketTime::Us125, 9..=32) => AudioLevel::Cx,
        _ => return None,
    })
}

fn aes3_level(format: &AudioFormat, time: PacketTime) -> Option<AudioLevel> {
    if !format.channels.is_multiple_of(2) {
        return None;
    }
    Some(match (format.sample_rate, time, format.channels) {
        (48_000, PacketTime::Ms1, 2..=6) => AudioLevel::A,
        (48_000, PacketTime::Us125, 2..=8) => AudioLevel::B,
        (48_000, PacketTime::Us125, 9..=60) => AudioLevel::C,
        (48_000, PacketTime::Us80, 2..=80) => AudioLevel::D,
        // The longer packets of 44.1 kHz are as large as those of 48 kHz.
        (44_100, PacketTime::Ms1, 2..=6) | (96_000, PacketTime::Ms1, 2) => AudioLevel::Ax,
        (44_100, PacketTime::Us125, 2..=8) | (96_000, PacketTime::Us125, 2..=4) => AudioLevel::Bx,
        (44_100, PacketTime::Us125, 9..=60) | (96_000, PacketTime::Us125, 5..=30) => AudioLevel::Cx,
        (44_100, PacketTime::Us80, 2..=80) | (96_000, PacketTime::Us80, 2..=40) => AudioLevel::Dx,
        _ => return None,
    })
}

/// The levels whose receivers must take such packets.
pub fn receivers(format: &AudioFormat, samples: u32) -> &'static [AudioLevel] {
    use AudioLevel::{A, Ax, B, Bx, C, Cx, D, Dx};
    let many = format.channels > 8;
    match (level(format, samples), format.am824) {
        (Some(A), false) => &[A, Ax, B, Bx, C, Cx],
        (Some(Ax), false) => &[Ax, Bx, Cx],
        (Some(B), false) => &[B, Bx, C, Cx],
        (Some(Bx), false) => &[Bx, Cx],
        (Some(C), false) => &[C, Cx],
        (Some(Cx), false) => &[Cx],
        (Some(A), true) => &[A, B, C, D, Ax, Bx, Cx, Dx],
        (Some(B), true) => &[B, C, D, Bx, Cx, Dx],
        (Some(C), true) => &[C, D, Cx, Dx],
        (Some(D), true) => &[D, Dx],
        (Some(Ax), true) => &[Ax, Bx, Cx, Dx],
        (Some(Bx), true) if !many => &[Bx, Cx, Dx],
        (Some(Bx | Cx), true) => &[Cx, Dx],
        (Some(Dx), true) => &[Dx],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(sample_rate: u32, channels: u16, am824: bool) -> AudioFormat {
        let bits = if am824 { 32 } else { 24 };
        AudioFormat { bits, am824, sample_rate, channels, packet_time_ns: None, channel_order: String::new() }
    }

    #[test]
    fn what_descriptions_say_is_a_number_of_samples() {
        for (ns, rate, samples) in [
            (1_000_000, 48_000, 48),
            (125_000, 48_000, 6),
            (120_000, 48_000, 6),
            (80_000, 48_000, 4),
            (330_000, 48_000, 16),
            (1_000_000, 96_000, 96),
            (120_000, 96_000, 12),
            (80_000, 96_000, 8),
            (1_090_000, 44_100, 48),
            (140_000, 44_100, 6),
            (90_000, 44_100, 4),
        ] {
            assert_eq!(samples_of(ns, rate), Some(samples), "{ns} at {rate}");
        }
        assert_eq!(
            (samples_of(0, 48_000), samples_of(u64::MAX, 48_000), samples_of(1, 0)),
            (None, None, None)
        );
    }

    #[test]
    fn times_of_samples_are_exact() {
        assert_eq!(ns_of(48_000, 48_000), 1_000_000_000);
        assert_eq!(ns_of(-6, 48_000), -125_000);
        assert_eq!(ns_of(48, 44_100), 1_088_435);
        assert_eq!(ns_of(i64::MAX, 1), i64::MAX);
        assert_eq!(ns_of(1, 0), 1_000_000_000);
    }

    #[test]
    fn levels_have_their_channels() {
        for (rate, samples, channels, level_is) in [
            (48_000, 48, 8, Some(AudioLevel::A)),
            (48_000, 48, 9, None),
            (96_000, 96, 4, Some(AudioLevel::Ax)),
            (96_000, 96, 5, None),
            (48_000, 6, 8, Some(AudioLevel::B)),
            (48_000, 6, 64, Some(AudioLevel::C)),
            (48_000, 6, 65, None),
            (96_000, 12, 8, Some(AudioLevel::Bx)),
            (96_000, 12, 32, Some(AudioLevel::Cx)),
            (48_000, 192, 2, None),
            (44_100, 48, 2, None),
            (8_000, 8, 1, None),
        ] {
            assert_eq!(
                level(&format(rate, channels, false), samples),
                level_is,
                "{rate} {samples} {channels}"
            );
        }
        for (rate, samples, channels, level_is) in [
            (48_000, 48, 6, Some(AudioLevel::A)),
            (48_000, 48, 8, None),
            (48_000, 6, 60, Some(AudioLevel::C)),
            (48_000, 4, 80, Some(AudioLevel::D)),
            (48_000, 6, 3, None),
            (96_000, 96, 2, Some(AudioLevel::Ax)),
            (44_100, 4, 80, Some(AudioLevel::Dx)),
        ] {
            assert_eq!(
                level(&format(rate, channels, true), samples),
                level_is,
                "{rate} {samples} {channels}"
            );
        }
    }

    #[test]
    fn a_sender_of_a_level_is_taken_by_its_receivers() {
        for rate in [44_100, 48_000, 96_000] {
            for samples in [4, 6, 8, 12, 48, 96] {
                for channels in 1..=80 {
                    for am824 in [false, true] {
                        let format = format(rate, channels, am824);
                        let taken = receivers(&format, samples);
                        match level(&format, samples) {
                            Some(level) => assert!(taken.contains(&level)),
                            None => assert!(taken.is_empty()),
                        }
                    }
                }
            }
        }
    }
}
