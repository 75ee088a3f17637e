//! What a stream carries, in the words of ST 2110 and of RTP's payload formats.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// A positive ratio in smallest terms: a frame rate, a pixel aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u32,
    denominator: u32,
}

impl Ratio {
    /// In smallest terms; `None` where one of both is zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Ratio> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        let (mut a, mut b) = (numerator, denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Some(Ratio { numerator: numerator / a, denominator: denominator / a })
    }

    /// Above the line.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Below the line.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }
}

impl fmt::Display for Ratio {
    /// `50`, `60000/1001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

macro_rules! tokens {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident = $token:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[doc = $variant_doc])+ $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// As a session description writes it.
            pub const fn token(self) -> &'static str {
                match self { $($name::$variant => $token,)+ }
            }

            /// From what a session description writes; exact.
            pub fn from_token(token: &str) -> Option<$name> {
                match token { $($token => Some($name::$variant),)+ _ => None }
            }
        }
    };
}

tokens! {
    /// How colour and brightness are sampled (ST 2110-20:2022 §7.2, `sampling`).
    Sampling {
        /// Y'CbCr with as many colour samples as brightness samples.
        YCbCr444 = "YCbCr-4:4:4",
        /// Y'CbCr with half the colour samples across.
        YCbCr422 = "YCbCr-4:2:2",
        /// Y'CbCr with half the colour samples across and down.
        YCbCr420 = "YCbCr-4:2:0",
        /// Constant luminance, 4:4:4.
        ClYCbCr444 = "CLYCbCr-4:4:4",
        /// Constant luminance, 4:2:2.
        ClYCbCr422 = "CLYCbCr-4:2:2",
        /// Constant luminance, 4:2:0.
        ClYCbCr420 = "CLYCbCr-4:2:0",
        /// ICtCp, 4:4:4.
        ICtCp444 = "ICtCp-4:4:4",
        /// ICtCp, 4:2:2.
        ICtCp422 = "ICtCp-4:2:2",
        /// ICtCp, 4:2:0.
        ICtCp420 = "ICtCp-4:2:0",
        /// Red, green, blue.
        Rgb = "RGB",
        /// CIE X'Y'Z'.
        Xyz = "XYZ",
        /// A key (alpha) signal.
        Key = "KEY",
    }
}

tokens! {
    /// Bits of a sample (ST 2110-20:2022 §7.2, `depth`).
    Depth {
        /// 8 bits.
        Eight = "8",
        /// 10 bits.
        Ten = "10",
        /// 12 bits.
        Twelve = "12",
        /// 16 bits, integer.
        Sixteen = "16",
        /// 16 bits, floating point (IEEE 754 binary16).
        SixteenFloat = "16f",
    }
}

impl Depth {
    /// Bits of a sample.
    pub const fn bits(self) -> u32 {
        match self {
            Depth::Eight => 8,
            Depth::Ten => 10,
            Depth::Twelve => 12,
            Depth::Sixteen | Depth::SixteenFloat => 16,
        }
    }
}

tokens! {
    /// Which colours the numbers mean (ST 2110-20:2022 §7.5).
    Colorimetry {
        /// ITU-R BT.601.
        Bt601 = "BT601",
        /// ITU-R BT.709.
        Bt709 = "BT709",
        /// ITU-R BT.2020.
        Bt2020 = "BT2020",
        /// ITU-R BT.2100.
        Bt2100 = "BT2100",
        /// Academy colour encoding.
        St2065_1 = "ST2065-1",
        /// Academy density encoding.
        St2065_3 = "ST2065-3",
        /// Not said.
        Unspecified = "UNSPECIFIED",
        /// CIE 1931.
        Xyz = "XYZ",
        /// A key signal (2022 edition).
        Alpha = "ALPHA",
    }
}

tokens! {
    /// The transfer characteristic (ST 2110-20:2022 §7.6, `TCS`).
    Transfer {
        /// Standard dynamic range.
        Sdr = "SDR",
        /// Perceptual quantisation.
        Pq = "PQ",
        /// Hybrid log-gamma.
        Hlg = "HLG",
        /// Linear floating point.
        Linear = "LINEAR",
        /// BT.2100 PQ, linear light.
        Bt2100LinPq = "BT2100LINPQ",
        /// BT.2100 HLG, linear light.
        Bt2100LinHlg = "BT2100LINHLG",
        /// Academy colour encoding.
        St2065_1 = "ST2065-1",
        /// Digital cinema.
        St428_1 = "ST428-1",
        /// Density.
        Density = "DENSITY",
        /// Not said.
        Unspecified = "UNSPECIFIED",
        /// ST 2115 log S3 (2022 edition).
        St2115LogS3 = "ST2115LOGS3",
    }
}

tokens! {
    /// Which of the numbers are used (ST 2110-20:2022 §7.3, `RANGE`).
    Range {
        /// Between black and white with room on both sides.
        Narrow = "NARROW",
        /// All but what SDI reserves.
        FullProtect = "FULLPROTECT",
        /// All.
        Full = "FULL",
    }
}

tokens! {
    /// How rows are cut into packets (ST 2110-20:2022 §6.3, `PM`).
    Packing {
        /// General: freely.
        General = "2110GPM",
        /// Block: always seven times 180 octets.
        Block = "2110BPM",
    }
}

tokens! {
    /// How evenly a sender sends (ST 2110-21:2022 §8.1, `TP`).
    SenderType {
        /// Narrow: as the raster is scanned, with its gap.
        Narrow = "2110TPN",
        /// Narrow linear: evenly over the frame.
        NarrowLinear = "2110TPNL",
        /// Wide: as software can.
        Wide = "2110TPW",
    }
}

/// How a picture is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Scan {
    /// Row after row.
    #[default]
    Progressive,
    /// Two fields, each of another moment.
    Interlaced,
    /// Two segments of the same moment (PsF).
    Segmented,
}

/// Uncompressed video (ST 2110-20).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VideoFormat {
    /// Sampling.
    pub sampling: Sampling,
    /// Depth.
    pub depth: Depth,
    /// Pixels of a row.
    pub width: u16,
    /// Rows of a frame (of both fields).
    pub height: u16,
    /// Frames a second, also where fields are sent.
    pub frame_rate: Ratio,
    /// Progressive, interlaced, or segmented.
    pub scan: Scan,
    /// Colorimetry.
    pub colorimetry: Colorimetry,
    /// Transfer characteristic.
    pub transfer: Transfer,
    /// Range.
    pub range: Range,
    /// Packing mode.
    pub packing: Packing,
    /// Largest UDP datagram in octets with its header: 1460 unless `MAXUDP` says more (ST 2110-10:2022 §6.3).
    pub max_udp_bytes: u16,
    /// What the sender says of its pacing.
    pub sender_type: Option<SenderType>,
    /// `TROFF`, in microseconds.
    pub offset_us: Option<u32>,
    /// `CMAX`.
    pub burst_packets: Option<u32>,
    /// Pixel aspect.
    pub pixel_aspect: Ratio,
}

/// Compressed video: JPEG XS (RFC 9134, ST 2110-22).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CompressedFormat {
    /// Pixels of a row, where said.
    pub width: Option<u16>,
    /// Rows of a frame, where said.
    pub height: Option<u16>,
    /// Frames a second, where said.
    pub frame_rate: Option<Ratio>,
    /// How it is scanned.
    pub scan: Scan,
    /// Whether packets end with slices (`packetmode=1`) instead of running through the codestream.
    pub slices: bool,
    /// Whether packets come in order (`transmode=1`).
    pub sequential: bool,
    /// Sampling, where said.
    pub sampling: Option<Sampling>,
    /// Depth, where said.
    pub depth: Option<Depth>,
    /// Colorimetry, where said.
    pub colorimetry: Option<Colorimetry>,
    /// Transfer characteristic, where said.
    pub transfer: Option<Transfer>,
    /// Range, where said.
    pub range: Option<Range>,
    /// Profile of the codestream, as it was said (ISO 21122-2); empty where it was not.
    pub profile: String,
    /// Level, as it was said.
    pub level: String,
    /// Sublevel, as it was said.
    pub sublevel: String,
    /// What the sender says of its pacing.
    pub sender_type: Option<SenderType>,
    /// `CMAX`.
    pub burst_packets: Option<u32>,
    /// `b=AS`, in kbit/s.
    pub bandwidth_kbps: Option<u64>,
}

/// Audio: linear samples (ST 2110-30, AES67) or AES3 subframes (ST 2110-31).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AudioFormat {
    /// Bits of a sample: 16 or 24; 32 for AM824 subframes.
    pub bits: u8,
    /// Whether the samples are AES3 subframes (AM824).
    pub am824: bool,
    /// Samples a second of one channel.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
    /// Packet time in nanoseconds, where it was said.
    pub packet_time_ns: Option<u64>,
    /// `channel-order` without its convention: `ST,51`; empty where not said.
    pub channel_order: String,
}

/// Ancillary data (RFC 8331, ST 2110-40).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AncillaryFormat {
    /// Frames a second, where said.
    pub frame_rate: Option<Ratio>,
    /// Which kinds are announced, as DID and SDID; empty for any.
    pub kinds: Vec<(u8, u8)>,
    /// Whether the low-latency transmission model is signalled (`TM=LLTM`).
    pub low_latency: bool,
    /// `VPID_Code`.
    pub vpid_code: Option<u8>,
}

/// What a stream carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Essence {
    /// Uncompressed video (ST 2110-20).
    Video(VideoFormat),
    /// Uncompressed video whose description lacks what ST 2110-20 demands: what was said, as it was said.
    RawVideo(String),
    /// JPEG XS (ST 2110-22).
    Compressed(CompressedFormat),
    /// Audio (ST 2110-30, -31, AES67).
    Audio(AudioFormat),
    /// Ancillary data (ST 2110-40).
    Ancillary(AncillaryFormat),
    /// Fast metadata (ST 2110-41), with the data item types that are announced.
    FastMetadata(Vec<u32>),
    /// Timed text (ST 2110-43).
    TimedText,
    /// A whole SDI signal (ST 2022-6, ST 2022-8).
    Sdi,
    /// An MPEG transport stream.
    TransportStream,
    /// Something else, by its encoding name.
    Other(String),
}

impl Essence {
    /// One word for it: `video`, `audio`, `ancillary`.
    pub fn word(&self) -> &'static str {
        match self {
            Essence::Video(_) | Essence::RawVideo(_) => "video",
            Essence::Compressed(_) => "jpeg-xs",
            Essence::Audio(_) => "audio",
            Essence::Ancillary(_) => "ancillary",
            Essence::FastMetadata(_) => "fast-metadata",
            Essence::TimedText => "timed-text",
            Essence::Sdi => "sdi",
            Essence::TransportStream => "mpeg-ts",
            Essence::Other(_) => "other",
        }
    }
}

/// What a stream carries, and under which number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Format {
    /// RTP payload type.
    pub payload_type: u8,
    /// Ticks a second of the RTP clock.
    pub clock_rate: u32,
    /// What it is.
    pub essence: Essence,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn ratios_are_in_smallest_terms() {
        assert_eq!(Ratio::new(50, 2).unwrap().to_string(), "25");
        assert_eq!(Ratio::new(60_000, 1001).unwrap().to_string(), "60000/1001");
        assert_eq!(Ratio::new(0, 1), None);
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn every_token_is_read_as_it_is_written() {
        assert!(Sampling::ALL.iter().all(|it| Sampling::from_token(it.token()) == Some(*it)));
        assert!(Transfer::ALL.iter().all(|it| Transfer::from_token(it.token()) == Some(*it)));
        assert_eq!(SenderType::from_token("2110tpn"), None);
    }
}
