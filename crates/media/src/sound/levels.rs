//! How loud sound is: peaks, true peaks, means, and loudness (ITU-R BS.1770, EBU R 128, EBU Tech 3341 and 3342).

use ebur128::{Channel, EbuR128, Mode};
use model::media::AudioFormat;
use model::media::sound::{ChannelLevel, Loudness, SoundFacts};

use super::{MOST_CHANNELS, Planar, order};

/// The highest sample by its size; the lowest of 24 bits is one step below the end of the scale.
const FULL_SCALE: u32 = 0x7fff_0000;

/// Decibels of a share of full scale, in hundredths; `None` for silence.
fn cdb(decibels: f64) -> Option<i32> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a finite number of decibels is small, and rounding is wanted"
    )]
    decibels.is_finite().then(|| (decibels * 100.0).round() as i32)
}

/// One channel while it is measured.
#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    peak: u32,
    squares: f64,
    full_scale: u64,
    silence: u64,
    longest_silence: u64,
}

impl Meter {
    fn handle(&mut self, samples: &[i32]) {
        let mut squares = 0.0;
        for sample in samples {
            let size = sample.unsigned_abs();
            self.peak = self.peak.max(size);
            self.full_scale += u64::from(size >= FULL_SCALE);
            self.silence = if size == 0 { self.silence + 1 } else { 0 };
            self.longest_silence = self.longest_silence.max(self.silence);
            let share = f64::from(*sample) / 2_147_483_648.0;
            squares += share * share;
        }
        self.squares += squares;
    }
}

/// Channels that belong together, while their loudness is measured.
struct Programme {
    group: order::Group,
    meter: EbuR128,
    most_momentary: f64,
    most_short_term: f64,
}

impl Programme {
    fn new(group: order::Group, sample_rate: u32) -> Option<Programme> {
        let channels = u32::try_from(group.names.len()).ok()?;
        // With a histogram, its memory does not grow with time.
        let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let mut meter = EbuR128::new(channels, sample_rate, mode).ok()?;
        let weights: Vec<Channel> = group.names.iter().map(|name| weight(group.kind, name)).collect();
        meter.set_channel_map(&weights).ok()?;
        Some(Programme {
            group,
            meter,
            most_momentary: f64::NEG_INFINITY,
            most_short_term: f64::NEG_INFINITY,
        })
    }

    fn poll(&mut self, samples: u64, sample_rate: u64) {
        // A window is not loud before it is full.
        if samples * 10 >= sample_rate * 4 {
            self.most_momentary =
                self.meter.loudness_momentary().unwrap_or(f64::NAN).max(self.most_momentary);
        }
        if samples >= sample_rate * 3 {
            self.most_short_term =
                self.meter.loudness_shortterm().unwrap_or(f64::NAN).max(self.most_short_term);
        }
    }
}

/// What a channel counts: those at the sides 1.5 dB more, those for low frequencies nothing (ITU-R BS.1770).
fn weight(kind: order::Kind, name: &str) -> Channel {
    match (kind, name) {
        (_, "LFE" | "LFE1" | "LFE2") => Channel::Unused,
        (order::Kind::Surround51, "Ls") | (order::Kind::Surround71, "Lss") => Channel::LeftSurround,
        (order::Kind::Surround51, "Rs") | (order::Kind::Surround71, "Rss") => Channel::RightSurround,
        // By their angle: 60° to 120° to the sides, and not high above.
        (order::Kind::Surround222, "FL" | "SiL") => Channel::LeftSurround,
        (order::Kind::Surround222, "FR" | "SiR") => Channel::RightSurround,
        _ => Channel::Left,
    }
}

/// Measures how loud a stream is.
pub struct Levels {
    sample_rate: u64,
    samples: u64,
    filled: u64,
    channels: Vec<Meter>,
    names: Vec<String>,
    programmes: Vec<Programme>,
    order_stated: bool,
    unmeasured_channels: u16,
}

impl core::fmt::Debug for Levels {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Levels").field("samples", &self.samples).field("channels", &self.channels).finish()
    }
}

impl Levels {
    /// For a stream of this format. Loudness is left out where its rate is none that sound has.
    pub fn new(format: &AudioFormat) -> Levels {
        let channels = format.channels.min(MOST_CHANNELS);
        let (groups, order_stated) = order::groups(&format.channel_order, channels);
        let names = groups.iter().flat_map(|group| group.names.iter().cloned()).collect();
        // Two times one channel are two programmes, and four channels of SDI are taken in pairs.
        let programmes = groups.into_iter().flat_map(|group| {
            let each = match group.kind {
                order::Kind::DualMono => 1,
                order::Kind::SdiGroup | order::Kind::Undefined => 2,
                _ => group.names.len().max(1),
            };
            let firsts = (group.first..).step_by(each);
            let parts: Vec<_> = group
                .names
                .chunks(each)
                .zip(firsts)
                .map(|(names, first)| order::Group {
                    first,
                    names: names.to_vec(),
                    symbol: group.symbol.clone(),
                    kind: group.kind,
                })
                .collect();
            parts
        });
        let usual = (8000..=384_000).contains(&format.sample_rate);
        let programmes = programmes.filter(|_| usual);
        Levels {
            sample_rate: u64::from(format.sample_rate.max(1)),
            samples: 0,
            filled: 0,
            channels: vec![Meter::default(); usize::from(channels)],
            names,
            programmes: programmes.filter_map(|group| Programme::new(group, format.sample_rate)).collect(),
            order_stated,
            unmeasured_channels: format.channels - channels,
        }
    }

    /// Takes sound; `filled` of its samples, or of those before, stand for lost ones.
    pub fn handle(&mut self, sound: &Planar, filled: u64) {
        self.filled = self.filled.saturating_add(filled);
        for (meter, samples) in self.channels.iter_mut().zip(sound.channels()) {
            meter.handle(samples);
        }
        // Loudness moves in steps of 100 ms, wherever blocks begin and end.
        let step = (self.sample_rate / 10).max(1);
        let (mut from, end) = (0, sound.samples());
        while from < end {
            let left = step - self.samples % step;
            let to = usize::try_from(left).map_or(end, |left| (from + left).min(end));
            for programme in &mut self.programmes {
                let first = usize::from(programme.group.first);
                let parts = sound.channels().iter().skip(first).take(programme.group.names.len());
                let parts: Vec<&[i32]> = parts.filter_map(|samples| samples.get(from..to)).collect();
                // It fails only with another number of channels than it was made for.
                let _ = programme.meter.add_frames_planar_i32(&parts);
            }
            self.samples += (to - from) as u64;
            from = to;
            if self.samples.is_multiple_of(step) {
                let (samples, rate) = (self.samples, self.sample_rate);
                self.programmes.iter_mut().for_each(|programme| programme.poll(samples, rate));
            }
        }
    }

    /// What was measured so far.
    pub fn facts(&self) -> SoundFacts {
        let mut channels: Vec<ChannelLevel> = self
            .channels
            .iter()
            .zip(&self.names)
            .map(|(meter, name)| {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a mean of so many samples has no more digits"
                )]
                let mean = meter.squares / self.samples as f64;
                ChannelLevel {
                    name: name.clone(),
                    peak_cdb: cdb(20.0 * (f64::from(meter.peak) / 2_147_483_648.0).log10()),
                    true_peak_cdb: None,
                    rms_cdb: cdb(10.0 * mean.log10()),
                    full_scale: meter.full_scale,
                    longest_silence: meter.longest_silence,
                }
            })
            .collect();
        let mut programmes = Vec::new();
        for programme in &self.programmes {
            let mut most = f64::NEG_INFINITY;
            for (index, place) in (0..).zip(
                channels
                    .iter_mut()
                    .skip(usize::from(programme.group.first))
                    .take(programme.group.names.len()),
            ) {
                let peak = programme.meter.true_peak(index).unwrap_or(f64::NAN);
                place.true_peak_cdb = cdb(20.0 * peak.log10());
                most = most.max(peak);
            }
            let loudness = |value: Result<f64, ebur128::Error>| value.ok().and_then(cdb);
            programmes.push(Loudness {
                group: programme.group.symbol.clone(),
                first_channel: programme.group.first,
                channels: u16::try_from(programme.group.names.len()).unwrap_or(u16::MAX),
                integrated_clu: loudness(programme.meter.loudness_global()),
                range_clu: loudness(programme.meter.loudness_range()),
                most_momentary_clu: cdb(programme.most_momentary),
                most_short_term_clu: cdb(programme.most_short_term),
                true_peak_cdb: cdb(20.0 * most.log10()),
            });
        }
        SoundFacts {
            samples: self.samples,
            channels,
            programmes,
            order_stated: self.order_stated,
            filled: self.filled,
            unmeasured_channels: self.unmeasured_channels,
        }
    }
}
