//! How loud sound is. Decibels are in hundredths, so that equal is equal; `None` is silence.

use alloc::{string::String, vec::Vec};

/// How loud one channel is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelLevel {
    /// `L`, `Ls`; its number from 1 where no name was given.
    pub name: String,
    /// The highest sample, in hundredths of dBFS.
    pub peak_cdb: Option<i32>,
    /// The highest value between samples, too, in hundredths of dBTP (ITU-R BS.1770).
    pub true_peak_cdb: Option<i32>,
    /// Root of the mean square over all samples, in hundredths of dBFS; a sine of full scale has −3.01 dB.
    pub rms_cdb: Option<i32>,
    /// Samples that are at the end of the scale.
    pub full_scale: u64,
    /// The longest run of samples of exact zero.
    pub longest_silence: u64,
}

/// How loud a programme is: channels that belong together (EBU R 128).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loudness {
    /// Its group: `ST`, `51`.
    pub group: String,
    /// Its first channel, from 0.
    pub first_channel: u16,
    /// Its channels.
    pub channels: u16,
    /// Integrated loudness, in hundredths of LUFS.
    pub integrated_clu: Option<i32>,
    /// Loudness range, in hundredths of LU (EBU Tech 3342).
    pub range_clu: Option<i32>,
    /// The highest momentary loudness (400 ms), in hundredths of LUFS.
    pub most_momentary_clu: Option<i32>,
    /// The highest short-term loudness (3 s), in hundredths of LUFS.
    pub most_short_term_clu: Option<i32>,
    /// The highest true peak of its channels, in hundredths of dBTP.
    pub true_peak_cdb: Option<i32>,
}

/// How loud a stream is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoundFacts {
    /// Samples of each channel.
    pub samples: u64,
    /// Each channel.
    pub channels: Vec<ChannelLevel>,
    /// Each programme.
    pub programmes: Vec<Loudness>,
    /// Whether the session said which channels belong together; else they are taken in pairs.
    pub order_stated: bool,
    /// Samples of each channel that stand for lost ones, as silence.
    pub filled: u64,
    /// Channels that were left out.
    pub unmeasured_channels: u16,
}
