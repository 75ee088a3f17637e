//! The command line of what sends and receives media: `media send`, `media receive`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::media::{Colorimetry, Depth, Packing, Range, Ratio, Sampling, Scan, SenderType, Transfer};

const SEND_EXAMPLES: &str = "\
Examples:
  portreeve media send video --to 239.1.1.1:5004 -i eth0 --sdp camera.sdp
  portreeve media send video --raster 1080i59.94 --type narrow --to 239.1.1.1:5004 --also 239.1.2.1:5004 --rtcp
  portreeve media send audio --channels 8 --packet-time 0.125 --to 239.1.1.2:5004 --duration 10
  portreeve media send video --to 239.1.1.1:5004 --with audio=239.1.1.2:5004 --sap

Every stream is aligned to the SMPTE epoch. Ctrl-C ends it, and says what was sent and how late it left.";

/// What to send.
#[derive(Debug, Subcommand)]
pub(crate) enum SendCommand {
    /// Sends a test picture (ST 2110-20), paced as ST 2110-21 wants it
    #[command(after_long_help = SEND_EXAMPLES)]
    Video(Box<SendVideoArgs>),
    /// Sends a test sound (ST 2110-30, ST 2110-31)
    #[command(after_long_help = SEND_EXAMPLES)]
    Audio(Box<SendAudioArgs>),
    /// Sends ancillary data: time code, captions, format description (ST 2110-40)
    #[command(after_long_help = SEND_EXAMPLES)]
    Ancillary(Box<SendAncillaryArgs>),
    /// Sends fast metadata (ST 2110-41)
    #[command(after_long_help = SEND_EXAMPLES)]
    Metadata(Box<SendMetadataArgs>),
}

/// What all that is sent has in common.
#[derive(Debug, Args, Clone)]
pub(crate) struct SendArgs {
    /// Where to send it
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = destination)]
    pub(crate) to: SocketAddr,
    /// Send everything here as well (ST 2022-7)
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = destination)]
    pub(crate) also: Option<SocketAddr>,
    /// Interface to send from
    #[arg(short = 'i', long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Interface of the second leg, where it is another
    #[arg(long, value_name = "NAME", requires = "also")]
    pub(crate) also_interface: Option<String>,
    /// Address to send from
    #[arg(long, value_name = "ADDRESS", help_heading = "Packets")]
    pub(crate) source: Option<IpAddr>,
    /// Time to live, or hop limit
    #[arg(long, value_name = "HOPS", default_value_t = 64, help_heading = "Packets")]
    pub(crate) ttl: u8,
    /// Class of service, from 0 to 63
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(..64), help_heading = "Packets")]
    pub(crate) dscp: Option<u8>,
    /// RTP payload type
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(96..128), help_heading = "Packets")]
    pub(crate) payload_type: Option<u8>,
    /// Synchronisation source; by chance where it is not given
    #[arg(long, value_name = "NUMBER", help_heading = "Packets")]
    pub(crate) ssrc: Option<u32>,
    /// Name of the session
    #[arg(long, value_name = "NAME", default_value = "Portreeve", help_heading = "Session")]
    pub(crate) name: String,
    /// Write the session description here; - for standard output
    #[arg(long, value_name = "FILE", help_heading = "Session")]
    pub(crate) sdp: Option<PathBuf>,
    /// Announce the session (RFC 2974)
    #[arg(long, help_heading = "Session")]
    pub(crate) sap: bool,
    /// Report on the stream, on the next port (RFC 3550)
    #[arg(long, help_heading = "Session")]
    pub(crate) rtcp: bool,
    /// Send another stream beside this one, as it comes by default: video, audio, ancillary or metadata, as in
    /// audio=239.1.1.2:5004 (may be given several times)
    #[arg(long, value_name = "KIND=ADDRESS:PORT", value_parser = with, help_heading = "Session")]
    pub(crate) with: Vec<(ContentKind, SocketAddr)>,
    /// Faults to make, as in loss=0.1%,reorder=5,jitter=100us; others are duplicate=1%, marker=1/100, rate=50ppm,
    /// late=5ms@1/10, jump=1000@1/500, ssrc=1%, payload-type=1%, oversize=200@1%, field=1/1 (the bit of the other field)
    #[arg(long, value_name = "FAULTS", help_heading = "Faults")]
    pub(crate) fault: Vec<String>,
    /// End after so many seconds; without it, Ctrl-C ends it
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds)]
    pub(crate) duration: Option<Duration>,
    /// Run on this processor only
    #[arg(long, value_name = "NUMBER", help_heading = "Pacing")]
    pub(crate) cpu: Option<usize>,
    /// Do not ask for real-time scheduling, locked memory and a second thread
    #[arg(long, help_heading = "Pacing")]
    pub(crate) modest: bool,
    /// For how many microseconds before a packet is due to stay awake; without it 60, and with narrow all the time, in two threads
    #[arg(long, value_name = "MICROSECONDS", help_heading = "Pacing")]
    pub(crate) spin: Option<u64>,
    /// Hand each packet over by itself, even where the kernel could cut several
    #[arg(long, help_heading = "Pacing")]
    pub(crate) no_segments: bool,
    /// One versioned JSON document of what was sent
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
}

/// A kind of stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContentKind {
    /// A picture
    Video,
    /// Sound
    Audio,
    /// Ancillary data
    Ancillary,
    /// Fast metadata
    Metadata,
}

/// Where packets can go: an address and a port that are some.
pub(crate) fn destination(text: &str) -> Result<SocketAddr, String> {
    let expected = || String::from("expected ADDRESS:PORT, as in 239.1.1.1:5004 or [ff3e::8000:1]:5004");
    let to: SocketAddr = text.parse().map_err(|_| expected())?;
    if to.port() == 0 || to.ip().is_unspecified() { Err(expected()) } else { Ok(to) }
}

fn with(text: &str) -> Result<(ContentKind, SocketAddr), String> {
    let expected = || String::from("expected KIND=ADDRESS:PORT, as in audio=239.1.1.2:5004");
    let (kind, to) = text.split_once('=').ok_or_else(expected)?;
    let kind = ContentKind::from_str(kind, false).map_err(|_| expected())?;
    Ok((kind, destination(to).map_err(|_| expected())?))
}

/// A picture to send.
#[derive(Debug, Args, Clone)]
pub(crate) struct SendVideoArgs {
    #[command(flatten)]
    pub(crate) common: SendArgs,
    /// Size, scan and rate: 1080p50, 1080i59.94, 1080psf25, 720p60, 2160p50, 625i50, 640x480p25
    #[arg(long, value_name = "RASTER", value_parser = raster, default_value = "1080p50", help_heading = "Picture")]
    pub(crate) raster: Raster,
    /// Sampling: YCbCr-4:2:2, YCbCr-4:4:4, YCbCr-4:2:0, RGB, KEY and the others of ST 2110-20
    #[arg(long, value_name = "SAMPLING", value_parser = sampling, default_value = "YCbCr-4:2:2", help_heading = "Picture")]
    pub(crate) sampling: Sampling,
    /// Bits of a sample: 8, 10, 12, 16 or 16f
    #[arg(long, value_name = "BITS", value_parser = depth, default_value = "10", help_heading = "Picture")]
    pub(crate) depth: Depth,
    /// What it shows: bars, zone-plate or ramp
    #[arg(long, value_name = "SIGNAL", default_value = "bars", help_heading = "Picture")]
    pub(crate) signal: String,
    /// Leave out the time that is written into each frame
    #[arg(long, help_heading = "Picture")]
    pub(crate) no_time: bool,
    /// Colorimetry: BT601, BT709, BT2020, BT2100; by the raster where it is not given
    #[arg(long, value_name = "NAME", value_parser = colorimetry, help_heading = "Picture")]
    pub(crate) colorimetry: Option<Colorimetry>,
    /// Transfer characteristic: SDR, PQ, HLG
    #[arg(long, value_name = "NAME", value_parser = transfer, default_value = "SDR", help_heading = "Picture")]
    pub(crate) transfer: Transfer,
    /// Which numbers are used: NARROW, FULLPROTECT or FULL
    #[arg(long, value_name = "RANGE", value_parser = range, default_value = "NARROW", help_heading = "Picture")]
    pub(crate) range: Range,
    /// How rows are cut into packets; with gpm, packets are filled across rows for narrow and narrow-linear, and where they would else be small
    #[arg(long, value_enum, default_value_t = PackingName::Gpm, value_name = "MODE", help_heading = "Packets")]
    pub(crate) packing: PackingName,
    /// Largest UDP datagram in octets: more than 1460 is signalled as MAXUDP
    #[arg(long, value_name = "OCTETS", default_value_t = 1460, value_parser = clap::value_parser!(u16).range(576..=8960), help_heading = "Packets")]
    pub(crate) max_udp: u16,
    /// How evenly it is sent
    #[arg(long = "type", value_enum, default_value_t = TypeName::Wide, value_name = "TYPE", help_heading = "Pacing")]
    pub(crate) sender_type: TypeName,
    /// How many packets leave together; as many as are best where it is not given
    #[arg(long, value_name = "PACKETS", help_heading = "Pacing")]
    pub(crate) burst: Option<u32>,
}

/// A sound to send.
#[derive(Debug, Args, Clone)]
pub(crate) struct SendAudioArgs {
    #[command(flatten)]
    pub(crate) common: SendArgs,
    /// Samples a second
    #[arg(long, value_name = "HERTZ", default_value_t = 48_000, help_heading = "Sound")]
    pub(crate) rate: u32,
    /// Channels
    #[arg(long, value_name = "COUNT", default_value_t = 2, help_heading = "Sound")]
    pub(crate) channels: u16,
    /// Bits of a sample
    #[arg(long, value_enum, default_value_t = Encoding::L24, value_name = "ENCODING", help_heading = "Sound")]
    pub(crate) encoding: Encoding,
    /// Milliseconds of a packet: 1, 0.125, 0.333, 4
    #[arg(long, value_name = "MILLISECONDS", value_parser = packet_time, default_value = "1", help_heading = "Sound")]
    pub(crate) packet_time: u64,
    /// What it is: tone, ident, sweep or silence
    #[arg(long, value_name = "SIGNAL", default_value = "ident", help_heading = "Sound")]
    pub(crate) signal: String,
    /// Pitch of the tone, in cycles a second
    #[arg(long, value_name = "HERTZ", default_value_t = 1000, help_heading = "Sound")]
    pub(crate) hertz: u32,
    /// Level of the tone, in dBFS
    #[arg(long, value_name = "DECIBELS", value_parser = decibels, default_value = "-18", allow_hyphen_values = true, help_heading = "Sound")]
    pub(crate) level: i32,
    /// Channel order (ST 2110-30): ST, 51, M,M
    #[arg(long, value_name = "ORDER", help_heading = "Sound")]
    pub(crate) channel_order: Option<String>,
}

/// Ancillary data to send.
#[derive(Debug, Args, Clone)]
pub(crate) struct SendAncillaryArgs {
    #[command(flatten)]
    pub(crate) common: SendArgs,
    /// Size, scan and rate of the pictures that it belongs to
    #[arg(long, value_name = "RASTER", value_parser = raster, default_value = "1080p50", help_heading = "Data")]
    pub(crate) raster: Raster,
    /// What to send, as DID/SDID in hexadecimal digits: 60/60 (time code), 61/01 (captions), 41/05 (format description);
    /// all of them where none is given
    #[arg(long, value_name = "DID/SDID", value_parser = kind, help_heading = "Data")]
    pub(crate) kind: Vec<(u8, u8)>,
    /// What the captions say
    #[arg(long, value_name = "TEXT", default_value = "PORTREEVE", help_heading = "Data")]
    pub(crate) captions: String,
}

/// Fast metadata to send.
#[derive(Debug, Args, Clone)]
pub(crate) struct SendMetadataArgs {
    #[command(flatten)]
    pub(crate) common: SendArgs,
    /// Size, scan and rate of the pictures that it belongs to
    #[arg(long, value_name = "RASTER", value_parser = raster, default_value = "1080p50", help_heading = "Data")]
    pub(crate) raster: Raster,
    /// Type of the data items, in hexadecimal digits (may be given several times); a private one where none is given
    #[arg(long, value_name = "TYPE", value_parser = item_type, default_value = "200000", help_heading = "Data")]
    pub(crate) item: Vec<u32>,
}

fn kind(text: &str) -> Result<(u8, u8), String> {
    let octet = |text: &str| u8::from_str_radix(text, 16).ok();
    let parts = text.split_once('/').and_then(|(did, sdid)| Some((octet(did)?, octet(sdid)?)));
    parts.ok_or_else(|| String::from("expected DID/SDID in hexadecimal digits, as in 60/60"))
}

fn item_type(text: &str) -> Result<u32, String> {
    // 22 bits (ST 2110-41:2024 §5).
    let kind = u32::from_str_radix(text, 16).ok().filter(|kind| *kind < 1 << 22);
    kind.ok_or_else(|| String::from("expected a type in hexadecimal digits, up to 3FFFFF"))
}

/// What is sent beside another stream is as it comes by default.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Beside<T: Args> {
    #[command(flatten)]
    args: T,
}

/// A stream of this kind as it comes by default, with what it has in common with the one beside it.
fn usual<T: Args>(common: &SendArgs) -> Option<T> {
    let to = common.to.to_string();
    Beside::<T>::try_parse_from(["--to", &to]).ok().map(|beside| beside.args)
}

impl SendVideoArgs {
    /// As it comes by default.
    pub(crate) fn usual(common: SendArgs) -> Option<SendVideoArgs> {
        usual::<SendVideoArgs>(&common).map(|args| SendVideoArgs { common, ..args })
    }
}

impl SendAudioArgs {
    /// As it comes by default.
    pub(crate) fn usual(common: SendArgs) -> Option<SendAudioArgs> {
        usual::<SendAudioArgs>(&common).map(|args| SendAudioArgs { common, ..args })
    }
}

impl SendAncillaryArgs {
    /// As it comes by default.
    pub(crate) fn usual(common: SendArgs) -> Option<SendAncillaryArgs> {
        usual::<SendAncillaryArgs>(&common).map(|args| SendAncillaryArgs { common, ..args })
    }
}

impl SendMetadataArgs {
    /// As it comes by default.
    pub(crate) fn usual(common: SendArgs) -> Option<SendMetadataArgs> {
        usual::<SendMetadataArgs>(&common).map(|args| SendMetadataArgs { common, ..args })
    }
}

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// 16 bits
    #[value(name = "L16")]
    L16,
    /// 24 bits
    #[value(name = "L24")]
    L24,
    /// AES3 subframes (ST 2110-31)
    #[value(name = "AM824")]
    Am824,
}

/// Size, scan and rate of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raster {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) scan: Scan,
    /// Frames a second.
    pub(crate) rate: Ratio,
}

fn raster(text: &str) -> Result<Raster, String> {
    let expected = || String::from("expected a raster, as in 1080p50, 1080i59.94, 720p60 or 640x480p25");
    let lower = text.to_ascii_lowercase();
    let at = lower.find(['p', 'i']).ok_or_else(expected)?;
    let (size, rest) = lower.split_at_checked(at).ok_or_else(expected)?;
    let (scan, rate) = if let Some(rate) = rest.strip_prefix("psf") {
        (Scan::Segmented, rate)
    } else if let Some(rate) = rest.strip_prefix('i') {
        (Scan::Interlaced, rate)
    } else {
        (Scan::Progressive, rest.strip_prefix('p').unwrap_or(rest))
    };
    let (width, height) = match size.split_once('x') {
        Some((width, height)) => {
            (width.parse().map_err(|_| expected())?, height.parse().map_err(|_| expected())?)
        }
        None => {
            let height: u16 = size.parse().map_err(|_| expected())?;
            match height {
                // Of 525 lines 486 are a picture, of 625 lines 576.
                525 | 480 | 486 => (720, if height == 525 { 486 } else { height }),
                625 | 576 => (720, 576),
                720 => (1280, 720),
                1080 => (1920, 1080),
                2160 => (3840, 2160),
                4320 => (7680, 4320),
                _ => return Err(format!("{height} lines have no usual width: write WIDTHx{height}")),
            }
        }
    };
    let (above, below) = match rate {
        "" if scan == Scan::Interlaced && size == "525" => (60_000, 1001),
        "" if scan == Scan::Interlaced && size == "625" => (50, 1),
        "23.98" | "23.976" => (24_000, 1001),
        "29.97" => (30_000, 1001),
        "47.95" => (48_000, 1001),
        "59.94" => (60_000, 1001),
        "119.88" => (120_000, 1001),
        _ => match rate.split_once('/') {
            Some((above, below)) => {
                (above.parse().map_err(|_| expected())?, below.parse().map_err(|_| expected())?)
            }
            None => (rate.parse().map_err(|_| expected())?, 1),
        },
    };
    // Of interlaced video, people count fields.
    let below = if scan == Scan::Interlaced { below * 2 } else { below };
    let rate = Ratio::new(above, below).ok_or_else(expected)?;
    Ok(Raster { width, height, scan, rate })
}

fn sampling(text: &str) -> Result<Sampling, String> {
    Sampling::from_token(text).ok_or_else(|| all(Sampling::ALL.iter().map(|it| it.token())))
}

fn depth(text: &str) -> Result<Depth, String> {
    Depth::from_token(text).ok_or_else(|| all(Depth::ALL.iter().map(|it| it.token())))
}

fn colorimetry(text: &str) -> Result<Colorimetry, String> {
    Colorimetry::from_token(text).ok_or_else(|| all(Colorimetry::ALL.iter().map(|it| it.token())))
}

fn transfer(text: &str) -> Result<Transfer, String> {
    Transfer::from_token(text).ok_or_else(|| all(Transfer::ALL.iter().map(|it| it.token())))
}

fn range(text: &str) -> Result<Range, String> {
    Range::from_token(text).ok_or_else(|| all(Range::ALL.iter().map(|it| it.token())))
}

fn all(tokens: impl Iterator<Item = &'static str>) -> String {
    format!("there are {}", tokens.collect::<Vec<_>>().join(", "))
}

/// Milliseconds with fractions, in nanoseconds.
fn packet_time(text: &str) -> Result<u64, String> {
    let ms = text.parse::<f64>().ok().filter(|ms| (0.02..=20.0).contains(ms));
    let ms = ms.ok_or_else(|| String::from("expected milliseconds, from 0.02 to 20"))?;
    u64::try_from(Duration::from_secs_f64(ms / 1000.0).as_nanos()).map_err(|error| error.to_string())
}

/// Decibels with fractions, in hundredths.
fn decibels(text: &str) -> Result<i32, String> {
    let expected = || String::from("expected dBFS, from -120 to 0, with two digits after the point at most");
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i32 = whole.parse().map_err(|_| expected())?;
    let part: i32 = match part.len() {
        0 => 0,
        1 => part.parse::<i32>().map_err(|_| expected())? * 10,
        2 => part.parse().map_err(|_| expected())?,
        _ => return Err(expected()),
    };
    let level =
        whole.checked_mul(100).and_then(|whole| whole.checked_add(part)).ok_or_else(expected)? * minus;
    if (-12_000..=0).contains(&level) { Ok(level) } else { Err(expected()) }
}

/// How rows are cut into packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PackingName {
    /// General: each row in equal packets
    Gpm,
    /// Block: always 1260 octets
    Bpm,
}

impl PackingName {
    pub(crate) fn packing(self) -> Packing {
        match self {
            PackingName::Gpm => Packing::General,
            PackingName::Bpm => Packing::Block,
        }
    }
}

/// How evenly a stream is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TypeName {
    /// As the raster is scanned, with its gap (2110TPN)
    Narrow,
    /// Evenly over the frame (2110TPNL)
    NarrowLinear,
    /// As software can (2110TPW)
    Wide,
}

impl TypeName {
    pub(crate) fn sender_type(self) -> SenderType {
        match self {
            TypeName::Narrow => SenderType::Narrow,
            TypeName::NarrowLinear => SenderType::NarrowLinear,
            TypeName::Wide => SenderType::Wide,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rasters_are_read_as_people_write_them() {
        let of = |text: &str| {
            let raster = raster(text).unwrap();
            (raster.width, raster.height, raster.scan, raster.rate.to_string())
        };
        assert_eq!(of("1080p50"), (1920, 1080, Scan::Progressive, "50".into()));
        assert_eq!(of("1080i50"), (1920, 1080, Scan::Interlaced, "25".into()));
        assert_eq!(of("1080i59.94"), (1920, 1080, Scan::Interlaced, "30000/1001".into()));
        assert_eq!(of("1080PsF23.98"), (1920, 1080, Scan::Segmented, "24000/1001".into()));
        assert_eq!(of("525i"), (720, 486, Scan::Interlaced, "30000/1001".into()));
        assert_eq!(of("640x480p25"), (640, 480, Scan::Progressive, "25".into()));
        assert_eq!(of("2160p60000/1001"), (3840, 2160, Scan::Progressive, "60000/1001".into()));
        for wrong in ["", "p", "1080", "1080p", "1080p0", "333p50", "x5p5", "1080p50/0", "1080q50"] {
            assert!(raster(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_with_fractions_are_exact() {
        assert_eq!((packet_time("0.125"), packet_time("1")), (Ok(125_000), Ok(1_000_000)));
        assert!(packet_time("0").is_err() && packet_time("NaN").is_err());
        assert_eq!(
            (decibels("-18"), decibels("-0.5"), decibels("-20.25"), decibels("0")),
            (Ok(-1800), Ok(-50), Ok(-2025), Ok(0))
        );
        for wrong in ["1", "-121", "-1.234", "x", "", "-"] {
            assert!(decibels(wrong).is_err(), "{wrong}");
        }
    }
}
