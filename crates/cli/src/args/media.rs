//! The command line of professional media: `media`, and the sessions that `read` and `watch` know of.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::receiving::ReceiveArgs;
use super::sending::SendCommand;
use super::{FailOn, OutputArgs, PolicyArgs, seconds};

const LS_EXAMPLES: &str = "\
Examples:
  portreeve media ls trace.pcapng
  portreeve media ls -i eth0 --duration 10
  portreeve media ls -i eth0 --nmos http://registry.example:8080 --sdp camera1.sdp

Exit status: 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be read, 64 wrong usage.";

const PROBE_EXAMPLES: &str = "\
Examples:
  portreeve media probe trace.pcapng --sdp camera1.sdp
  portreeve media probe -i eth0 --duration 10 --json
  portreeve media probe trace.pcapng --profile jt-nm-2022 --fail-on warning

Without a session the format is read from the payload where that is possible, and it is said what was assumed.
Exit status: 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be read, 64 wrong usage.";

const RECEIVE_EXAMPLES: &str = "\
Examples:
  portreeve media receive camera.sdp -i eth0 --out camera.yuv --count 50
  portreeve media receive camera.sdp -i eth0 -i eth1 --stills frames --every 25
  portreeve media receive sound.sdp --out sound.wav --duration 10
  portreeve media receive --at 239.1.1.1:5004 -i eth0 --pcapng came.pcapng --duration 2

Exit status: 0 something came, 2 nothing did, or it could not be written, 64 wrong usage.";

/// Commands about professional media.
#[derive(Debug, Subcommand)]
pub(crate) enum MediaCommand {
    /// Lists sessions and streams: who sends what where, whether it was agreed, and whether it comes whole
    #[command(after_long_help = LS_EXAMPLES)]
    Ls(Box<MediaLookArgs>),
    /// Measures streams against their standard: RTP, ST 2110-10 to -43, ST 2022-7, PTP
    #[command(after_long_help = PROBE_EXAMPLES)]
    Probe(Box<MediaLookArgs>),
    /// Writes what was measured as one HTML page, with plots, pictures and levels
    #[command(
        after_long_help = "Examples:\n  portreeve media report trace.pcapng --sdp camera1.sdp -o report.html\n  portreeve media report -i eth0 --duration 10 -o report.html\n\nPictures and levels are of captures only: standard input is kept in a temporary file to be read again."
    )]
    Report(Box<MediaReportArgs>),
    /// Tells of PTP as a listener sees it: clocks, who should lead, intervals, offsets, profile
    #[command(
        after_long_help = "Examples:\n  portreeve media ptp trace.pcapng\n  portreeve media ptp -i eth0 --duration 10\n\nOffsets are those between the clock of the capture and the master's."
    )]
    Ptp(Box<MediaLookArgs>),
    /// Checks session descriptions, or makes them
    #[command(subcommand)]
    Sdp(SdpCommand),
    /// Sends test streams: pictures, sound
    #[command(subcommand)]
    Send(SendCommand),
    /// Receives a stream into files, two legs merged (ST 2022-7)
    #[command(after_long_help = RECEIVE_EXAMPLES)]
    Receive(Box<ReceiveArgs>),
}

/// Arguments of what looks at media, in files or live.
#[derive(Debug, Args)]
pub(crate) struct MediaLookArgs {
    /// Capture files, read one after the other; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "interface", conflicts_with = "interface")]
    pub(crate) files: Vec<PathBuf>,
    /// Interface to read live (may be given several times; any for all)
    #[arg(short = 'i', long, value_name = "NAME", help_heading = "Capture")]
    pub(crate) interface: Vec<String>,
    /// Network namespace to read in: a name of ip netns or Docker, a PID, or a path
    #[arg(short = 'N', long, value_name = "NAME", requires = "interface", help_heading = "Capture")]
    pub(crate) netns: Option<String>,
    /// End after so many seconds; without it, Ctrl-C ends the look
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "interface", help_heading = "Capture")]
    pub(crate) duration: Option<std::time::Duration>,
    /// Memory that the kernel fills while we work, as in 64M
    #[arg(long, value_name = "SIZE", value_parser = super::traffic::size, default_value = "64M", help_heading = "Capture")]
    pub(crate) ring: u64,
    /// Only packets that match: an expression as tcpdump takes it (docs/filter.md)
    #[arg(long, short = 'f', value_name = "EXPRESSION", help_heading = "Reading")]
    pub(crate) filter: Option<String>,
    #[command(flatten)]
    pub(crate) sessions: SessionArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// No progress
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY", help_heading = "Judging")]
    pub(crate) fail_on: FailOn,
}

/// What was agreed.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct AgreedArgs {
    /// A session description (may be given several times)
    #[arg(long, value_name = "FILE", help_heading = "Sessions")]
    pub(crate) sdp: Vec<PathBuf>,
    /// An NMOS Query API (http://host:port), or a node that has no registry; what goes on (watch, top) follows its changes
    #[arg(long, value_name = "URL", help_heading = "Sessions")]
    pub(crate) nmos: Vec<String>,
    /// A presentation of an RTSP server (rtsp://host/path, rtsps://host/path) to ask for its description
    #[arg(long, value_name = "URL", help_heading = "Sessions")]
    pub(crate) rtsp: Vec<String>,
}

/// What was agreed, and by whose rules streams are held to it.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct SessionArgs {
    #[command(flatten)]
    pub(crate) agreed: AgreedArgs,
    /// Whose limits streams are held to, where they differ from those of the standard
    #[arg(long, value_enum, default_value_t = ProfileName::Standard, value_name = "PROFILE", help_heading = "Judging")]
    pub(crate) profile: ProfileName,
}

/// Whose limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProfileName {
    /// The texts of SMPTE and the IETF
    #[default]
    Standard,
    /// What EBU LIST computes, departures included
    List,
    /// JT-NM Tested 2020
    #[value(name = "jt-nm-2020")]
    JtNm2020,
    /// JT-NM Tested 2022
    #[value(name = "jt-nm-2022")]
    JtNm2022,
    /// CBC/Radio-Canada
    Cbc,
}

/// Commands about session descriptions.
#[derive(Debug, Subcommand)]
pub(crate) enum SdpCommand {
    /// Says which rules a description breaks, by clause and edition (docs/sdp.md)
    #[command(
        after_long_help = "Examples:\n  portreeve media sdp lint camera1.sdp\n  portreeve media sdp lint *.sdp --edition 2017 --json\n\nExit status: 0 nothing to complain, 1 complaints at or above --fail-on, 2 a file could not be read, 64 wrong usage."
    )]
    Lint(SdpLintArgs),
    /// Writes the description of a stream as media send would send it, without sending it
    #[command(
        subcommand,
        after_long_help = "Example:\n  portreeve media sdp make video --raster 1080p50 --to 239.1.1.1:5004 > bars.sdp"
    )]
    Make(SendCommand),
}

/// Arguments of `media sdp lint`.
#[derive(Debug, Args)]
pub(crate) struct SdpLintArgs {
    /// Descriptions; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Which edition of ST 2110 to hold them to: named (what they say of themselves), rfc, 2017, 2022 or 2023
    #[arg(long, default_value = "named", value_name = "EDITION", value_parser = edition)]
    pub(crate) edition: media::sdp::Edition,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = ComplaintLevel::Error, value_name = "SEVERITY")]
    pub(crate) fail_on: ComplaintLevel,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How grave a complaint must be to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ComplaintLevel {
    /// Every complaint
    Note,
    /// Warnings and errors
    Warning,
    /// Errors
    Error,
}

fn edition(text: &str) -> Result<media::sdp::Edition, String> {
    media::sdp::Edition::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = media::sdp::Edition::ALL.iter().map(|edition| edition.word()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

/// Arguments of `media report`.
#[derive(Debug, Args)]
pub(crate) struct MediaReportArgs {
    #[command(flatten)]
    pub(crate) look: MediaLookArgs,
    /// Where to write the page; - for standard output
    #[arg(short = 'o', long, value_name = "FILE", default_value = "-", help_heading = "Output")]
    pub(crate) write: PathBuf,
}
