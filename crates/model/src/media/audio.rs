//! What was measured of audio.

use alloc::{string::String, vec::Vec};

use super::profile::Profile;

/// Least, mean and most of many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// The least.
    pub least_ns: i64,
    /// The mean, rounded down.
    pub mean_ns: i64,
    /// The most.
    pub most_ns: i64,
}

/// A packet time that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PacketTime {
    /// 80 µs: 4 samples at 48 kHz (ST 2110-31).
    Us80,
    /// 125 µs: 6 samples at 48 kHz.
    Us125,
    /// 250 µs: 12 samples at 48 kHz (AES67).
    Us250,
    /// 333⅓ µs: 16 samples at 48 kHz (AES67).
    Us333,
    /// 1 ms: 48 samples at 48 kHz.
    Ms1,
    /// 4 ms: 192 samples at 48 kHz (AES67).
    Ms4,
}

impl PacketTime {
    /// As people say it, for the rate of 48 kHz and its multiples; at 44.1 kHz the same number of samples lasts longer.
    pub const fn word(self) -> &'static str {
        match self {
            PacketTime::Us80 => "80 µs",
            PacketTime::Us125 => "125 µs",
            PacketTime::Us250 => "250 µs",
            PacketTime::Us333 => "333 µs",
            PacketTime::Ms1 => "1 ms",
            PacketTime::Ms4 => "4 ms",
        }
    }
}

/// A level of conformance: of linear audio (ST 2110-30) or of AES3 (ST 2110-31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AudioLevel {
    /// 48 kHz, 1 ms.
    A,
    /// 96 kHz, 1 ms.
    Ax,
    /// 48 kHz, 125 µs, few channels.
    B,
    /// 96 kHz, 125 µs, few channels.
    Bx,
    /// 48 kHz, 125 µs, many channels.
    C,
    /// 96 kHz, 125 µs, many channels.
    Cx,
    /// 48 kHz, 80 µs; of AES3 only.
    D,
    /// 96 kHz, 80 µs; of AES3 only.
    Dx,
}

impl AudioLevel {
    /// `A`, `AX`.
    pub const fn word(self) -> &'static str {
        match self {
            AudioLevel::A => "A",
            AudioLevel::Ax => "AX",
            AudioLevel::B => "B",
            AudioLevel::Bx => "BX",
            AudioLevel::C => "C",
            AudioLevel::Cx => "CX",
            AudioLevel::D => "D",
            AudioLevel::Dx => "DX",
        }
    }
}

/// What the difference between arrival and RTP time is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LatencyBasis {
    /// The capture's clock is TAI: it is the time from sampling to arrival.
    Absolute,
    /// The capture's clock is not known to be TAI: it counts from the first packet, and only its changes mean anything.
    Relative,
}

impl LatencyBasis {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            LatencyBasis::Absolute => "absolute",
            LatencyBasis::Relative => "relative",
        }
    }
}

/// What a limit is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioQuantity {
    /// The least of arrival minus RTP time.
    LeastLatency,
    /// The mean of arrival minus RTP time.
    MeanLatency,
    /// The most of arrival minus RTP time.
    MostLatency,
    /// The worst time-stamped delay factor.
    DelayFactor,
    /// The mean time between packets.
    MeanInterPacket,
    /// The longest time between packets.
    MostInterPacket,
}

impl AudioQuantity {
    /// As people say it.
    pub const fn word(self) -> &'static str {
        match self {
            AudioQuantity::LeastLatency => "least latency",
            AudioQuantity::MeanLatency => "mean latency",
            AudioQuantity::MostLatency => "most latency",
            AudioQuantity::DelayFactor => "TS-DF",
            AudioQuantity::MeanInterPacket => "mean inter-packet time",
            AudioQuantity::MostInterPacket => "most inter-packet time",
        }
    }
}

/// How a measured time stands to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// More than it should be, less than it must not be.
    Tolerated,
    /// Beyond.
    Beyond,
}

impl Grade {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            Grade::Good => "good",
            Grade::Tolerated => "tolerated",
            Grade::Beyond => "beyond",
        }
    }
}

/// A limit and what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioLimit {
    /// Whose limit.
    pub profile: Profile,
    /// Of what.
    pub quantity: AudioQuantity,
    /// What was measured.
    pub measured_ns: i64,
    /// It must not be less.
    pub least_ns: Option<i64>,
    /// It must not be more.
    pub most_ns: Option<i64>,
    /// How it stands.
    pub grade: Grade,
}

/// A part of the time in which a stream was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioSpan {
    /// When it began, after the first packet.
    pub from_ns: i64,
    /// Arrival minus RTP time of its packets.
    pub latency: Spread,
}

/// The time-stamped delay factor of one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayWindow {
    /// Its first packet, in nanoseconds of the capture's clock.
    pub at_ns: i64,
    /// How far arrival minus RTP time moved.
    pub delay_factor_ns: i64,
}

/// What was measured of audio (ST 2110-30, -31, AES67).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudioFacts {
    /// Packets.
    pub packets: u64,
    /// Packets that came before one with a lower number, or again; they are in no other figure but `packets`.
    pub out_of_order: u64,
    /// Packets that no leg brought, neither in time nor late.
    pub missing: u64,
    /// Octets of payload.
    pub payload_bytes: u64,
    /// Sampling instants that were received.
    pub samples: u64,
    /// Samples of one channel in a packet, where most packets agree.
    pub samples_per_packet: Option<u32>,
    /// Packets with another number of samples than that.
    pub other_lengths: u64,
    /// The fewest and the most samples in a packet.
    pub samples_range: Option<(u32, u32)>,
    /// How long those samples last.
    pub packet_time_ns: Option<u64>,
    /// Which packet time of the texts that is.
    pub packet_time: Option<PacketTime>,
    /// The level that a sender of this keeps.
    pub level: Option<AudioLevel>,
    /// The levels whose receivers must take it.
    pub receivers: Vec<AudioLevel>,
    /// Steps of the RTP timestamp other than the number of samples sent.
    pub step_faults: u64,
    /// Times the RTP timestamp jumped by more than a second: what counts from a first packet began anew.
    pub jumps: u64,
    /// Packets with the marker set.
    pub markers: u64,
    /// Packets with a header extension.
    pub extensions: u64,
    /// Packets with padding.
    pub padded: u64,
    /// The longest datagram in octets, with its UDP header.
    pub largest_udp_bytes: u16,
    /// Time between packets that follow each other.
    pub inter_packet: Option<Spread>,
    /// Time-stamped delay factor over windows of a second (EBU Tech 3337).
    pub delay_factor_1s: Option<Spread>,
    /// The last of these windows, oldest first, at most 1,024.
    pub delay_windows: Vec<DelayWindow>,
    /// The same over windows of 200 ms, as EBU LIST has it.
    pub delay_factor_200ms: Option<Spread>,
    /// Arrival minus RTP time.
    pub latency: Option<Spread>,
    /// What that is worth.
    pub latency_basis: Option<LatencyBasis>,
    /// The same along the time: at most some hundred spans, which are longer the longer was measured.
    pub course: Vec<AudioSpan>,
    /// By how many parts in a thousand million the samples come faster than agreed, by the capture's clock; over a
    /// second at least.
    pub rate_deviation_ppb: Option<i64>,
    /// How it stands to limits of a profile.
    pub limits: Vec<AudioLimit>,
    /// AES3 subframes, where it carries them.
    pub aes3: Option<Aes3Facts>,
    /// What was taken for granted, in sentences.
    pub assumed: Vec<String>,
}

/// What was measured of AES3 subframes (ST 2110-31).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aes3Facts {
    /// Subframes that were looked at.
    pub subframes: u64,
    /// Subframes whose parity is odd.
    pub parity_faults: u64,
    /// Subframes whose two highest bits are not zero.
    pub reserved_faults: u64,
    /// Subframes that do not say rightly whether they are the first of a frame.
    pub frame_faults: u64,
    /// Block starts that did not come after 192 frames.
    pub block_faults: u64,
    /// Signals, each of two channels; the first ones only where there are very many.
    pub signals: Vec<Aes3Signal>,
    /// Channels that were not looked at.
    pub unmeasured_channels: u16,
}

/// One AES3 signal: two channels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Aes3Signal {
    /// Whole blocks of 192 frames.
    pub blocks: u64,
    /// Subframes that say they are not fit to be heard (V).
    pub invalid: u64,
    /// Subframes with a user bit that is set.
    pub user_bits: u64,
    /// Blocks of professional channel status whose check failed, of both subframes.
    pub check_faults: u64,
    /// The last whole channel status of each subframe.
    pub status: [Option<ChannelStatus>; 2],
    /// Times that channel status changed, of both subframes; time codes and checks within it left out.
    pub status_changes: u64,
    /// What is carried in place of sound (SMPTE ST 337), the newest kind.
    pub data: Option<DataBurst>,
    /// Bursts of such data.
    pub bursts: u64,
}

/// Data in place of sound (SMPTE ST 337).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DataBurst {
    /// Bits of a word: 16, 20 or 24.
    pub word_bits: u8,
    /// The kind, 0 to 31 (SMPTE ST 338).
    pub kind: u8,
    /// Which stream of several.
    pub stream: u8,
    /// Whether the sender says that it is damaged.
    pub error: bool,
    /// Its length in bits.
    pub length_bits: u32,
    /// Whether it lies in one subframe of each frame, and not in both.
    pub one_subframe: bool,
}

impl DataBurst {
    /// The kind in words; `None` for one we do not know.
    pub const fn name(&self) -> Option<&'static str> {
        Some(match self.kind {
            0 => "null",
            1 => "AC-3",
            2 => "time stamp",
            3 => "pause",
            4 => "MPEG-1 layer 1",
            5 => "MPEG-1 layer 2 or 3",
            6 => "MPEG-2 with extension",
            7 => "MPEG-2 AAC",
            8 => "MPEG-2 layer 1, low sampling rate",
            9 => "MPEG-2 layer 2 or 3, low sampling rate",
            10 => "MPEG-4 AAC in ADTS or LATM",
            11 => "MPEG-4 HE-AAC in ADTS or LATM",
            16 => "E-AC-3",
            17 => "DTS",
            26 => "utility",
            27 => "KLV",
            28 => "Dolby E",
            29 => "captions",
            30 => "user-defined",
            31 => "extended",
            _ => return None,
        })
    }
}

/// What AES3 says of a channel, decoded from a block of 192 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChannelStatus {
    /// The 24 octets themselves.
    pub bytes: [u8; 24],
    /// Professional use, and not consumer use (IEC 60958-3).
    pub professional: bool,
    /// Whether it is something else than linear samples.
    pub other_than_sound: bool,
    /// Samples a second, where said.
    pub sample_rate: Option<u32>,
    /// Whether the rate is said to be not locked; professional only.
    pub unlocked: bool,
    /// Emphasis.
    pub emphasis: Emphasis,
    /// What the two channels are to each other.
    pub mode: ChannelMode,
    /// Bits of a sample, where said.
    pub word_bits: Option<u8>,
    /// Where it came from, as four letters; empty where not said.
    pub origin: String,
    /// Where it goes, as four letters; empty where not said.
    pub destination: String,
    /// Whether the check is right; `None` where there is none to be expected.
    pub check: Option<bool>,
    /// Whether copying is allowed; consumer only.
    pub copy_permitted: Option<bool>,
    /// The category of the device; consumer only.
    pub category: Option<u8>,
}

/// Emphasis of high notes before sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Emphasis {
    /// Not said.
    NotIndicated,
    /// None.
    Off,
    /// 50 and 15 µs.
    Us50And15,
    /// ITU-T J.17.
    J17,
    /// A value that nothing is assigned to.
    Reserved(u8),
}

impl Emphasis {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            Emphasis::NotIndicated => "not_indicated",
            Emphasis::Off => "none",
            Emphasis::Us50And15 => "50_15_us",
            Emphasis::J17 => "j17",
            Emphasis::Reserved(_) => "reserved",
        }
    }
}

/// What the two channels of an AES3 signal are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelMode {
    /// Not said.
    NotIndicated,
    /// Two independent channels.
    TwoChannels,
    /// One channel, in the first subframe.
    OneChannel,
    /// Primary and secondary.
    PrimarySecondary,
    /// Left and right.
    Stereo,
    /// One channel at twice the rate; which one, where said.
    DoubleRate(Option<Side>),
    /// More than two; which one is said in octet 3.
    Many(u8),
    /// A value that nothing is assigned to.
    Reserved(u8),
}

impl ChannelMode {
    /// The word used in output.
    pub const fn word(self) -> &'static str {
        match self {
            ChannelMode::NotIndicated => "not_indicated",
            ChannelMode::TwoChannels => "two_channels",
            ChannelMode::OneChannel => "one_channel",
            ChannelMode::PrimarySecondary => "primary_secondary",
            ChannelMode::Stereo => "stereo",
            ChannelMode::DoubleRate(_) => "double_rate",
            ChannelMode::Many(_) => "many",
            ChannelMode::Reserved(_) => "reserved",
        }
    }
}

/// Left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}
