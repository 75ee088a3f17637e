//! Sound for people: samples out of packets, WAV files and levels.

pub mod levels;
pub mod order;
pub mod wav;

use model::media::AudioFormat;

use crate::{Packet, am824};

pub use levels::Levels;
pub use wav::Wav;

/// Channels that are given out; a description can claim more than any packet has.
pub const MOST_CHANNELS: u16 = 128;

/// Seconds of silence that stand for what was lost at once; what is missing longer is a new beginning.
const MOST_GAP_SECONDS: u32 = 10;

/// Samples of each channel by itself, left-justified in 32 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planar {
    channels: Vec<Vec<i32>>,
}

impl Planar {
    /// With so many channels and no samples.
    pub fn new(channels: u16) -> Planar {
        Planar { channels: vec![Vec::new(); usize::from(channels.min(MOST_CHANNELS))] }
    }

    /// Forgets the samples, and keeps the memory.
    pub fn clear(&mut self) {
        self.channels.iter_mut().for_each(Vec::clear);
    }

    /// Samples of each channel.
    pub fn samples(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Every channel.
    pub fn channels(&self) -> &[Vec<i32>] {
        &self.channels
    }

    /// Appends one sample of each channel; channels that are not given are silent.
    pub fn push(&mut self, instant: &[i32]) {
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.push(instant.get(index).copied().unwrap_or(0));
        }
    }

    /// Appends silence.
    pub fn silence(&mut self, samples: usize) {
        for channel in &mut self.channels {
            channel.resize(channel.len() + samples, 0);
        }
    }
}

/// Appends the samples of a payload, and says how many of each channel. What is left over at the end is left out.
pub fn unpack(format: &AudioFormat, payload: &[u8], to: &mut Planar) -> usize {
    let channels = usize::from(format.channels);
    let bits = channels * usize::from(format.bits);
    let samples = (payload.len() * 8).checked_div(bits).unwrap_or(0);
    if format.bits == 20 {
        // Two samples in five octets, the highest bit first (RFC 3190 §4).
        for (index, channel) in to.channels.iter_mut().enumerate() {
            channel.extend((0..samples).map(|n| twenty(payload, n * channels + index)));
        }
        return samples;
    }
    let octets = usize::from(format.bits / 8);
    if octets == 0 || to.channels.is_empty() {
        return 0;
    }
    for (index, channel) in to.channels.iter_mut().enumerate().take(channels) {
        let instants = payload.chunks_exact(channels * octets);
        channel.extend(instants.map(|instant| {
            let sample = instant.get(index * octets..).unwrap_or_default();
            match (octets, sample) {
                // Eight bits count from the middle (RFC 3551 §4.5.10).
                (1, [a, ..]) => i32::from_be_bytes([a ^ 0x80, 0, 0, 0]),
                (2, [a, b, ..]) => i32::from_be_bytes([*a, *b, 0, 0]),
                (3, [a, b, c, ..]) => i32::from_be_bytes([*a, *b, *c, 0]),
                (4, [a, b, c, d, ..]) if format.am824 => {
                    am824::Subframe(u32::from_be_bytes([*a, *b, *c, *d])).sample()
                }
                (4, [a, b, c, d, ..]) => i32::from_be_bytes([*a, *b, *c, *d]),
                _ => 0,
            }
        }));
    }
    samples
}

fn twenty(payload: &[u8], index: usize) -> i32 {
    let at = index * 20 / 8;
    let octet = |after: usize| payload.get(at + after).copied().unwrap_or(0);
    let word = i32::from_be_bytes([octet(0), octet(1), octet(2), 0]);
    let shifted = if index.is_multiple_of(2) { word } else { word << 4 };
    shifted & !0xfff
}

/// Puts packets after each other by their timestamps: what is missing becomes silence, so that sound keeps its time.
///
/// Packets are to come in order; one that comes late is left out, for its silence was given out already.
#[derive(Debug, Clone)]
pub struct Sequence {
    format: AudioFormat,
    next: Option<u32>,
    filled: u64,
    left_out: u64,
    beginnings: u64,
}

impl Sequence {
    /// For a stream of this format.
    pub fn new(format: &AudioFormat) -> Sequence {
        Sequence { format: format.clone(), next: None, filled: 0, left_out: 0, beginnings: 0 }
    }

    /// Appends what a packet adds.
    pub fn handle(&mut self, packet: &Packet<'_>, to: &mut Planar) {
        let timestamp = packet.rtp.timestamp;
        let most = self.format.sample_rate.saturating_mul(MOST_GAP_SECONDS);
        let ahead = self.next.map(|next| timestamp.wrapping_sub(next).cast_signed());
        match ahead {
            Some(0) => {}
            Some(behind) if behind < 0 && behind.unsigned_abs() <= most => {
                self.left_out = self.left_out.saturating_add(1);
                return;
            }
            Some(missing) if missing > 0 && missing.unsigned_abs() <= most => {
                self.filled = self.filled.saturating_add(u64::from(missing.unsigned_abs()));
                to.silence(usize::try_from(missing).unwrap_or(0));
            }
            _ => self.beginnings = self.beginnings.saturating_add(1),
        }
        let samples = unpack(&self.format, packet.rtp.payload, to);
        self.next = u32::try_from(samples).ok().map(|samples| timestamp.wrapping_add(samples));
    }

    /// Samples of each channel that stand for lost ones.
    pub fn filled(&self) -> u64 {
        self.filled
    }

    /// Packets that came too late, or again.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How often the timestamps began: 1 where they never jumped.
    pub fn beginnings(&self) -> u64 {
        self.beginnings
    }
}

#[cfg(test)]
mod tests;
