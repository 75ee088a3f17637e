//! What audio an RTP stream carries that no session names: by its timestamps and by the look of its samples.
//!
//! Timestamps that advance by the same number packet after packet, while payloads keep their length, give the octets of
//! one sampling instant. How they are cut into samples is read from the octets themselves: the highest octet of a
//! sample moves little from one instant to the next, the lowest is like noise. Where nothing moves little, nothing is said.

use model::media::AudioFormat;

use crate::{Packet, am824};

/// Packets that are kept to look at.
const MOST_PACKETS: usize = 24;

/// Octets of a payload in a datagram that audio may have (ST 2110-10:2022 §6.3).
const MOST_OCTETS: usize = 1440;

/// Packets that must agree.
const FEWEST_PACKETS: usize = 8;

/// Sampling instants that must be there: fewer say little about chance.
const FEWEST_INSTANTS: usize = 96;

/// Times that a stream may begin anew before we no longer look.
const MOST_STARTS: u32 = 200;

/// Octets of chance differ by 64 in the mean (of 256, either way); the highest octet of a sample by less than this.
const SMOOTH: u32 = 44;

/// The lowest octet of a sample that moves differs by more than this.
const ROUGH: u32 = 32;

/// The most channels that ST 2110-30 has.
const MOST_CHANNELS: usize = 64;

/// How sure something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// The packets leave no other reading.
    Certain,
    /// It is what is usual.
    Assumed,
}

/// What an unknown stream was found to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The format; its rate is that of the RTP clock.
    pub format: AudioFormat,
    /// Its payload type.
    pub payload_type: u8,
    /// How sure bits, encoding and channels are: they go together.
    pub encoding: Ground,
    /// How sure the rate is.
    pub sample_rate: Ground,
    /// From how many packets.
    pub packets: usize,
}

impl Detected {
    /// What was taken for granted, in sentences.
    pub fn assumptions(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.encoding == Ground::Assumed {
            let (bits, channels) = (self.format.bits, self.format.channels);
            all.push(format!("{channels} channels of {bits} bits are assumed: the samples do not tell."));
        }
        if self.sample_rate == Ground::Assumed {
            let rate = self.format.sample_rate;
            all.push(format!("A rate of {rate} Hz is assumed: the times of arrival do not tell."));
        }
        all
    }
}

/// Looks at packets of one stream until it can be said what they carry. Keeps a few packets, whatever comes.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    payloads: Vec<u8>,
    length: usize,
    packets: usize,
    step: u32,
    payload_type: u8,
    ssrc: u32,
    last: Option<(u16, u32)>,
    first_ns: Option<i64>,
    last_ns: Option<i64>,
    starts: u32,
}

impl Detector {
    /// Takes a packet of the stream.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        if self.packets >= MOST_PACKETS || self.starts > MOST_STARTS {
            return;
        }
        let rtp = &packet.rtp;
        if rtp.payload.len() > MOST_OCTETS {
            self.starts += 1;
            (self.packets, self.last) = (0, None);
            self.payloads.clear();
            return;
        }
        let time_ns = packet.time.map(|time| time.as_ns());
        let last = self.last.replace((rtp.sequence, rtp.timestamp));
        if let Some((sequence, timestamp)) = last {
            let step = rtp.timestamp.wrapping_sub(timestamp);
            let follows = rtp.sequence == sequence.wrapping_add(1)
                && (rtp.payload_type, rtp.ssrc) == (self.payload_type, self.ssrc)
                && rtp.payload.len() == self.length
                && (self.packets == 1 || step == self.step);
            if follows {
                self.step = step;
                self.packets += 1;
                self.payloads.extend_from_slice(rtp.payload);
                self.last_ns = time_ns;
                return;
            }
        }
        self.starts += 1;
        self.payloads.clear();
        self.payloads.extend_from_slice(rtp.payload);
        (self.packets, self.length, self.step) = (1, rtp.payload.len(), 0);
        (self.payload_type, self.ssrc) = (rtp.payload_type, rtp.ssrc);
        (self.first_ns, self.last_ns) = (time_ns, time_ns);
    }

    /// Whether more packets will not change the answer.
    pub fn is_done(&self) -> bool {
        self.packets >= MOST_PACKETS || self.starts > MOST_STARTS
    }

    /// What it is; `None` where it is no audio that we know, or not enough of it was seen.
    pub fn detect(&self) -> Option<Detected> {
        let step = usize::try_from(self.step).ok().filter(|step| *step > 0)?;
        let instant = self.length / step;
        let enough = self.packets >= FEWEST_PACKETS && self.packets * step >= FEWEST_INSTANTS;
        if !enough || !self.length.is_multiple_of(step) || instant < 2 {
            return None;
        }
        let (bits, channels, encoding) = self.samples(instant)?;
        let (sample_rate, rate_is) = self.rate();
        let format = AudioFormat {
            bits,
            am824: bits == 32,
            sample_rate,
            channels,
            packet_time_ns: None,
            channel_order: String::new(),
        };
        let (payload_type, packets) = (self.payload_type, self.packets);
        Some(Detected { format, payload_type, encoding, sample_rate: rate_is, packets })
    }

    /// Bits and channels, where an instant has so many octets.
    fn samples(&self, instant: usize) -> Option<(u8, u16, Ground)> {
        let channels = |octets: usize| u16::try_from(instant / octets).ok();
        if instant.is_multiple_of(8) && am824::is_likely(&self.payloads, instant / 4) {
            return Some((32, channels(4)?, Ground::Certain));
        }
        let may_be = |octets: usize| instant.is_multiple_of(octets) && instant / octets <= MOST_CHANNELS;
        let octets = self.octets(instant);
        let long = may_be(3) && is_sound(&octets, 3);
        let short = may_be(2) && is_sound(&octets, 2);
        // Silence, or nearly, has no highest octets to tell by.
        let quiet = octets.iter().step_by(if long { 3 } else { 2 }).all(|octet| octet.is_sign);
        let ground = if quiet || (long && short) { Ground::Assumed } else { Ground::Certain };
        match (long, short) {
            (true, _) => Some((24, channels(3)?, ground)),
            (false, true) => Some((16, channels(2)?, ground)),
            (false, false) => None,
        }
    }

    /// How each octet of an instant moves from one instant to the next.
    fn octets(&self, instant: usize) -> Vec<Octet> {
        let mut octets = vec![Octet { rough: 0, is_sign: true }; instant];
        let mut count = 0;
        let pairs = self.payloads.chunks_exact(instant).zip(self.payloads.chunks_exact(instant).skip(1));
        for (before, after) in pairs {
            count += 1;
            for ((octet, a), b) in octets.iter_mut().zip(before).zip(after) {
                octet.rough += u32::from(b.wrapping_sub(*a).cast_signed().unsigned_abs());
                octet.is_sign &= matches!(b, 0 | 0xff);
            }
        }
        for octet in &mut octets {
            // What moves now and then is not still.
            octet.rough = octet.rough.div_ceil(count.max(1));
        }
        octets
    }

    /// The rate by arrival: the nearest one that is usual.
    fn rate(&self) -> (u32, Ground) {
        const USUAL: [u32; 10] =
            [8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000];
        // Eight samples are 80 µs, 96 are a millisecond at this rate only.
        let assumed = if matches!(self.step, 8 | 96) { 96_000 } else { 48_000 };
        let elapsed_ns =
            self.first_ns.zip(self.last_ns).map_or(0, |(first, last)| last.saturating_sub(first));
        let samples = self.packets.saturating_sub(1) as u64 * u64::from(self.step);
        let Some(measured) = u64::try_from(elapsed_ns)
            .ok()
            .and_then(|elapsed_ns| samples.checked_mul(1_000_000_000)?.checked_div(elapsed_ns))
        else {
            return (assumed, Ground::Assumed);
        };
        let away = |rate: u32| measured.abs_diff(u64::from(rate)).saturating_mul(1000) / u64::from(rate);
        match USUAL.into_iter().min_by_key(|rate| away(*rate)) {
            Some(rate) if away(rate) < 20 => (rate, Ground::Certain),
            Some(rate) if away(rate) < 100 => (rate, Ground::Assumed),
            _ => (assumed, Ground::Assumed),
        }
    }
}

/// How an octet at the same place of each instant moves.
#[derive(Debug, Clone, Copy)]
struct Octet {
    /// By how much it differs from the one before, in the mean.
    rough: u32,
    /// Whether it is never more than the sign of a number: all zeros or all ones.
    is_sign: bool,
}

/// Whether octets look like samples of so many octets each, the highest first.
fn is_sound(octets: &[Octet], bytes: usize) -> bool {
    octets.chunks_exact(bytes).all(|sample| {
        // Words of fewer bits leave the lowest octet still.
        let lowest = sample.iter().rev().find(|octet| octet.rough > 0).map_or(0, |octet| octet.rough);
        let highest = sample.first().map_or(0, |octet| octet.rough);
        let is_sign = sample.first().is_some_and(|octet| octet.is_sign);
        // What moves smoothly in its lowest octet, too, is no sound of so many bits.
        highest < SMOOTH && (is_sign || lowest >= ROUGH)
    })
}

/// What packets of one stream carry.
pub fn detect(packets: &[Packet<'_>]) -> Option<Detected> {
    let mut detector = Detector::default();
    packets.iter().for_each(|packet| detector.handle(packet));
    detector.detect()
}
