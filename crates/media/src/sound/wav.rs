//! WAV files, as blocks of bytes that the caller writes: with RF64 in place once they pass four gigabytes (EBU Tech 3306).

use model::media::AudioFormat;

use super::{Planar, order};

/// Octets of the head; it stays as long when it is written anew at the end.
pub const HEAD_BYTES: usize = 104;

/// What a WAV file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wav {
    channels: u16,
    sample_rate: u32,
    bits: u16,
    /// Which loudspeaker each channel is for; 0 where that is not said.
    speakers: u32,
}

impl Wav {
    /// For the sound of a stream: bits as in the stream, in whole octets up to 24.
    pub fn new(format: &AudioFormat) -> Wav {
        let bits = match format.bits {
            ..=8 => 8,
            9..=16 => 16,
            _ => 24,
        };
        let channels = format.channels.min(super::MOST_CHANNELS);
        let (groups, _) = order::groups(&format.channel_order, channels);
        let speakers = match groups.as_slice() {
            [one] if one.names.len() == usize::from(channels) => match one.kind {
                order::Kind::Mono => 0x4,
                order::Kind::Stereo | order::Kind::Matrix => 0x3,
                // Front, centre, low, sides.
                order::Kind::Surround51 => 0x60f,
                // And behind, which comes before the sides in a file, and so cannot be said of this order.
                _ => 0,
            },
            _ => 0,
        };
        Wav { channels, sample_rate: format.sample_rate, bits, speakers }
    }

    /// Octets of all channels at one instant.
    fn align(&self) -> u16 {
        self.channels.saturating_mul(self.bits / 8)
    }

    /// The head of a file with so many samples of each channel. Write it first with 0, and at the end anew in its place;
    /// where that cannot be done, as in a pipe, write it once with `u64::MAX`: then the length is unknown.
    pub fn head(&self, samples: u64) -> Vec<u8> {
        let unknown = samples == u64::MAX;
        let data = if unknown { u64::MAX } else { samples.saturating_mul(u64::from(self.align())) };
        let padded = data.saturating_add(data % 2);
        let riff = padded.saturating_add(HEAD_BYTES as u64 - 8);
        let is_long = !unknown && riff > u64::from(u32::MAX - 1);
        let short = |length: u64| u32::try_from(length).ok().filter(|_| !is_long).unwrap_or(u32::MAX);
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let mut put = |bytes: &[u8]| head.extend_from_slice(bytes);
        put(if is_long { b"RF64" } else { b"RIFF" });
        put(&short(riff).to_le_bytes());
        put(b"WAVE");
        put(if is_long { b"ds64" } else { b"JUNK" });
        put(&28_u32.to_le_bytes());
        for length in [riff, data, samples] {
            put(&if is_long { length } else { 0 }.to_le_bytes());
        }
        put(&0_u32.to_le_bytes());
        put(b"fmt ");
        put(&40_u32.to_le_bytes());
        put(&0xfffe_u16.to_le_bytes());
        put(&self.channels.to_le_bytes());
        put(&self.sample_rate.to_le_bytes());
        put(&self.sample_rate.saturating_mul(u32::from(self.align())).to_le_bytes());
        put(&self.align().to_le_bytes());
        put(&self.bits.to_le_bytes());
        put(&22_u16.to_le_bytes());
        put(&self.bits.to_le_bytes());
        put(&self.speakers.to_le_bytes());
        // That the samples are linear, as a GUID.
        put(&[1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
        put(b"data");
        put(&short(data).to_le_bytes());
        head
    }

    /// Appends samples as they stand in the file.
    pub fn block(&self, sound: &Planar, to: &mut Vec<u8>) {
        let octets = usize::from(self.bits / 8);
        let start = to.len();
        let stride = usize::from(self.channels) * octets;
        to.resize(start + sound.samples() * stride, 0);
        let Some(block) = to.get_mut(start..) else { return };
        for (channel, samples) in sound.channels().iter().take(usize::from(self.channels)).enumerate() {
            let places = block.chunks_exact_mut(stride.max(1));
            for (place, sample) in places.zip(samples) {
                let Some(place) = place.get_mut(channel * octets..(channel + 1) * octets) else { continue };
                let [_, low, middle, high] = sample.to_le_bytes();
                match place {
                    // Eight bits count from the middle.
                    [one] => *one = high ^ 0x80,
                    [one, two] => (*one, *two) = (middle, high),
                    [one, two, three] => (*one, *two, *three) = (low, middle, high),
                    _ => {}
                }
            }
        }
    }

    /// What follows the last block: a chunk of odd length is filled up.
    pub fn tail(&self, samples: u64) -> &'static [u8] {
        if samples.wrapping_mul(u64::from(self.align())).is_multiple_of(2) { &[] } else { &[0] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(bits: u8, channels: u16, channel_order: &str) -> Wav {
        Wav::new(&AudioFormat {
            bits,
            am824: bits == 32,
            sample_rate: 48_000,
            channels,
            packet_time_ns: None,
            channel_order: channel_order.into(),
        })
    }

    #[test]
    fn heads_stay_as_long_when_they_are_written_anew() {
        let wav = wav(24, 8, "");
        let heads = [wav.head(0), wav.head(48_000), wav.head(1 << 40), wav.head(u64::MAX)];
        assert!(heads.iter().all(|head| head.len() == HEAD_BYTES));
        assert_eq!((&heads[1][..4], &heads[1][4..8]), (&b"RIFF"[..], &1_152_096_u32.to_le_bytes()[..]));
        assert_eq!((&heads[2][..4], &heads[2][12..16]), (&b"RF64"[..], &b"ds64"[..]));
        assert_eq!(heads[2][28..36], (24_u64 << 40).to_le_bytes());
        assert_eq!((&heads[3][..4], &heads[3][100..]), (&b"RIFF"[..], &[0xff; 4][..]));
        // The last length that fits, and the first that does not.
        let last = (u64::from(u32::MAX) - 1 - 96) / 24;
        assert_eq!((&wav.head(last)[..4], &wav.head(last + 1)[..4]), (&b"RIFF"[..], &b"RF64"[..]));
    }

    #[test]
    fn samples_are_cut_to_the_bits_of_the_file() {
        let mut sound = Planar::new(2);
        sound.push(&[0x1234_5600, i32::MIN]);
        sound.push(&[-1 << 8, i32::MAX]);
        let bytes = |bits| {
            let mut to = Vec::new();
            wav(bits, 2, "ST").block(&sound, &mut to);
            to
        };
        assert_eq!(bytes(24), b"\x56\x34\x12\0\0\x80\xff\xff\xff\xff\xff\x7f");
        assert_eq!(bytes(32), bytes(24));
        assert_eq!(bytes(16), b"\x34\x12\0\x80\xff\xff\xff\x7f");
        assert_eq!(bytes(8), b"\x92\0\x7f\xff");
        assert_eq!((wav(24, 1, "M").tail(3), wav(24, 1, "M").tail(2)), (&[0][..], &[][..]));
        assert_eq!((wav(24, 6, "51").speakers, wav(24, 6, "ST").speakers), (0x60f, 0));
    }
}
