//! Audio made: tones, identification, sweeps and silence, by the number of the sample since the SMPTE epoch (ST 2110-30, ST 2110-31).
//!
//! What a sample is follows from its number alone, in whole numbers, so that senders that know the time are in phase.

use core::f64::consts::TAU;

use model::media::AudioFormat;

use super::Batch;
use crate::am824::{self, Subframe};
use crate::audio::{MOST_UDP_BYTES, packet_time};

/// What every channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A steady tone.
    Tone(Tone),
    /// A tone that tells channels apart: of two channels, the left is interrupted for a quarter of a second every three
    /// seconds and the right is steady; of another number, each channel beeps as often as its number, then rests.
    Ident(Tone),
    /// From one frequency to another in equal steps of pitch, again and again.
    Sweep {
        /// Where it begins, in hertz.
        from_hz: u32,
        /// Where it ends, in hertz.
        to_hz: u32,
        /// How many seconds it takes.
        seconds: u32,
        /// How loud, in hundredths of dBFS.
        level_cdb: i32,
    },
    /// Nothing.
    Silence,
}

/// A sine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    /// How many cycles a second.
    pub hertz: u32,
    /// How high its peak is, in hundredths of dBFS: −1800 for alignment by EBU R 68, −2000 by SMPTE RP 155.
    pub level_cdb: i32,
}

impl Default for Tone {
    /// 1 kHz at −18 dBFS.
    fn default() -> Tone {
        Tone { hertz: 1000, level_cdb: -1800 }
    }
}

/// Why nothing can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Not 16 or 24 bits, or 32 as AM824.
    Bits,
    /// Not one of the rates of ST 2110-30.
    SampleRate,
    /// No channels, or an odd number of AES3 subframes.
    Channels,
    /// A packet would be empty.
    PacketTime,
    /// A packet would be larger than ST 2110-10 allows.
    TooLarge,
    /// Above half the sample rate, or of no cycles.
    Frequency,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::Bits => "only samples of 16 and 24 bits and AM824 are made",
            Refused::SampleRate => "only 44.1, 48 and 96 kHz are made",
            Refused::Channels => "there must be channels, and for AM824 an even number of them",
            Refused::PacketTime => "a packet would have no samples",
            Refused::TooLarge => "a packet would be larger than 1460 octets with its UDP header",
            Refused::Frequency => "a frequency must be below half the sample rate and not zero",
        })
    }
}

/// The length of the table of a sine; a frequency with more phases is computed for each sample.
const MOST_PHASES: u32 = 4096;

/// How a channel's samples come to be.
#[derive(Debug, Clone)]
struct Voice {
    signal: Signal,
    /// One cycle, where it repeats soon.
    table: Vec<i32>,
}

/// Makes the packets of one audio stream.
#[derive(Debug, Clone)]
pub struct AudioMaker {
    format: AudioFormat,
    payload_type: u8,
    ssrc: u32,
    samples: u32,
    voices: Vec<Voice>,
    /// Channel status of both subframes.
    status: [u8; 24],
}

impl AudioMaker {
    /// For a stream of this format with the same signal in all channels. Where no packet time was said it is 1 ms.
    pub fn new(
        format: &AudioFormat,
        signal: Signal,
        payload_type: u8,
        ssrc: u32,
    ) -> Result<AudioMaker, Refused> {
        AudioMaker::with_channels(format, &[signal], payload_type, ssrc)
    }

    /// With a signal of its own for each channel; the last is repeated for those that are left.
    pub fn with_channels(
        format: &AudioFormat,
        signals: &[Signal],
        payload_type: u8,
        ssrc: u32,
    ) -> Result<AudioMaker, Refused> {
        let rate = format.sample_rate;
        if !matches!((format.bits, format.am824), (16 | 24, false) | (32, true)) {
            return Err(Refused::Bits);
        }
        if !matches!(rate, 44_100 | 48_000 | 96_000) {
            return Err(Refused::SampleRate);
        }
        if format.channels == 0 || (format.am824 && !format.channels.is_multiple_of(2)) {
            return Err(Refused::Channels);
        }
        let usual = if rate == 96_000 { 96 } else { 48 };
        let samples = match format.packet_time_ns {
            None => usual,
            Some(ns) => packet_time::samples_of(ns, rate).ok_or(Refused::PacketTime)?,
        };
        let octets = u64::from(samples) * u64::from(format.channels) * u64::from(format.bits / 8);
        // The headers of UDP and RTP.
        if octets + 20 > u64::from(MOST_UDP_BYTES) {
            return Err(Refused::TooLarge);
        }
        let last = signals.last().copied().unwrap_or(Signal::Silence);
        let each = signals.iter().copied().chain(core::iter::repeat(last)).take(usize::from(format.channels));
        Ok(AudioMaker {
            format: format.clone(),
            payload_type: payload_type & 0x7f,
            ssrc,
            samples,
            voices: each.map(|signal| Voice::new(signal, rate)).collect::<Result<_, _>>()?,
            status: am824::status::made(rate, format.channels == 2),
        })
    }

    /// Samples of each channel in a packet.
    pub fn samples_per_packet(&self) -> u32 {
        self.samples
    }

    /// The packet that holds the sample of this instant, in nanoseconds since the SMPTE epoch on TAI.
    pub fn packet_at(&self, tai_ns: u64) -> u64 {
        let sample = u128::from(tai_ns) * u128::from(self.format.sample_rate) / 1_000_000_000;
        u64::try_from(sample / u128::from(self.samples)).unwrap_or(u64::MAX)
    }

    /// When a packet's last sample is there, and it can leave: nanoseconds since the SMPTE epoch on TAI, rounded up.
    pub fn ready_ns(&self, packet: u64) -> u64 {
        let after = (u128::from(packet) + 1) * u128::from(self.samples);
        let ns = (after * 1_000_000_000).div_ceil(u128::from(self.format.sample_rate));
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// Adds packet number `packet` since the SMPTE epoch. Its timestamp is the number of its first sample
    /// (ST 2110-10:2022 §7.6.1), its sequence number the lowest bits of its own.
    pub fn packet(&self, packet: u64, batch: &mut Batch) {
        let first = packet.wrapping_mul(u64::from(self.samples));
        batch.add(|to| {
            to.extend_from_slice(&[0x80, self.payload_type]);
            to.extend(packet.to_be_bytes().last_chunk::<2>().into_iter().flatten());
            to.extend(first.to_be_bytes().last_chunk::<4>().into_iter().flatten());
            to.extend_from_slice(&self.ssrc.to_be_bytes());
            for sample in (0..u64::from(self.samples)).map(|n| first.wrapping_add(n)) {
                self.instant(sample, to);
            }
        });
    }

    fn instant(&self, sample: u64, to: &mut Vec<u8>) {
        for (channel, voice) in (0..).zip(&self.voices) {
            let value = voice.value(sample, channel, self.format.channels, self.format.sample_rate);
            let [a, b, c, _] = value.to_be_bytes();
            match self.format.bits {
                16 => to.extend_from_slice(&[a, b]),
                24 => to.extend_from_slice(&[a, b, c]),
                _ => {
                    let place = sample % u64::from(am824::BLOCK_FRAMES);
                    let is_first = channel.is_multiple_of(2);
                    let octet = usize::try_from(place / 8).ok().and_then(|octet| self.status.get(octet));
                    let status = octet.is_some_and(|octet| octet >> (place % 8) & 1 != 0);
                    let start = is_first && place == 0;
                    let subframe = Subframe::new(value, start, is_first, status, false, false);
                    to.extend_from_slice(&subframe.0.to_be_bytes());
                }
            }
        }
    }
}

/// A share of full scale as 24 bits, left-justified.
fn quantise(share: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "it is held to 24 bits first")]
    let value = (share * 8_388_607.0).round().clamp(-8_388_608.0, 8_388_607.0) as i32;
    value << 8
}

fn share(level_cdb: i32) -> f64 {
    10_f64.powf(f64::from(level_cdb.min(0)) / 2000.0)
}

impl Voice {
    fn new(signal: Signal, sample_rate: u32) -> Result<Voice, Refused> {
        let allowed = |hertz: u32| hertz > 0 && hertz < sample_rate / 2;
        let mut table = Vec::new();
        match signal {
            Signal::Tone(tone) | Signal::Ident(tone) => {
                if !allowed(tone.hertz) {
                    return Err(Refused::Frequency);
                }
                let cycles = gcd(tone.hertz, sample_rate);
                let phases = sample_rate / cycles;
                if phases <= MOST_PHASES {
                    table = (0..phases).map(|n| sine(tone, u64::from(n), sample_rate)).collect();
                }
            }
            Signal::Sweep { from_hz, to_hz, seconds, .. } => {
                if !allowed(from_hz) || !allowed(to_hz) || seconds == 0 || from_hz == to_hz {
                    return Err(Refused::Frequency);
                }
            }
            Signal::Silence => {}
        }
        Ok(Voice { signal, table })
    }

    /// The sample with this number, in 24 bits, left-justified.
    fn value(&self, sample: u64, channel: u16, channels: u16, sample_rate: u32) -> i32 {
        match self.signal {
            Signal::Tone(tone) => self.tone(tone, sample, sample_rate),
            Signal::Ident(tone) if is_heard(sample, channel, channels, sample_rate) => {
                self.tone(tone, sample, sample_rate)
            }
            Signal::Sweep { from_hz, to_hz, seconds, level_cdb } => {
                let length = u64::from(seconds) * u64::from(sample_rate);
                quantise(share(level_cdb) * sweep(sample % length, from_hz, to_hz, length, sample_rate))
            }
            Signal::Ident(_) | Signal::Silence => 0,
        }
    }

    fn tone(&self, tone: Tone, sample: u64, sample_rate: u32) -> i32 {
        let phases = self.table.len() as u64;
        let place = sample.checked_rem(phases).and_then(|place| usize::try_from(place).ok());
        place
            .and_then(|place| self.table.get(place))
            .copied()
            .unwrap_or_else(|| sine(tone, sample, sample_rate))
    }
}

/// A sine whose phase is a whole number of parts of a second: it never drifts.
fn sine(tone: Tone, sample: u64, sample_rate: u32) -> i32 {
    let rate = u64::from(sample_rate);
    let part = sample % rate * u64::from(tone.hertz) % rate;
    let phase = u32::try_from(part).map_or(0.0, f64::from) / f64::from(sample_rate);
    quantise(share(tone.level_cdb) * (phase * TAU).sin())
}

/// A sine whose pitch rises evenly; from its n-th sample alone.
fn sweep(n: u64, from_hz: u32, to_hz: u32, length: u64, sample_rate: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a sweep is shorter than 2^52 samples")]
    let (n, length) = (n as f64, length as f64);
    let (from, ratio) = (f64::from(from_hz), (f64::from(to_hz) / f64::from(from_hz)).ln());
    let seconds = length / f64::from(sample_rate);
    (TAU * from * seconds / ratio * ((n / length * ratio).exp() - 1.0)).sin()
}

/// Whether a channel is heard at this sample where channels are told apart. All times are whole milliseconds, in which
/// 1 kHz has whole cycles: nothing clicks.
fn is_heard(sample: u64, channel: u16, channels: u16, sample_rate: u32) -> bool {
    let ms = |cycle: u64| sample % (cycle * u64::from(sample_rate) / 1000) * 1000 / u64::from(sample_rate);
    if channels == 2 {
        return channel != 0 || ms(3000) >= 250;
    }
    // Beeps of 100 ms with 100 ms between, and a second of rest at least.
    let cycle = (u64::from(channels) * 200 + 1000).next_multiple_of(1000);
    let at = ms(cycle);
    at / 200 <= u64::from(channel) && at % 200 < 100
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests;
