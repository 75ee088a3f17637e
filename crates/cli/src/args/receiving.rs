//! The command line of `media receive`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// What to receive, and what to make of it.
#[derive(Debug, Args)]
pub(crate) struct ReceiveArgs {
    /// The session description of what to receive
    #[arg(value_name = "SDP", required_unless_present = "pcapng")]
    pub(crate) sdp: Option<PathBuf>,
    /// Which stream of the description, from 1
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) stream: u16,
    /// Receive here instead of where the description says; twice for two legs
    #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "sdp", value_parser = super::sending::destination)]
    pub(crate) at: Vec<SocketAddr>,
    /// Only from this source (may be given several times), where a description says none
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Vec<IpAddr>,
    /// Interface to receive on; twice for two legs
    #[arg(short = 'i', long, value_name = "NAME")]
    pub(crate) interface: Vec<String>,
    /// Write pictures as raw planes, sound as WAV, ancillary data as text, or JPEG XS as codestreams
    #[arg(short = 'o', long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Write stills (PNG) into this folder
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub(crate) stills: Option<PathBuf>,
    /// One still of so many frames
    #[arg(long, value_name = "FRAMES", default_value_t = 1, help_heading = "Output")]
    pub(crate) every: u64,
    /// Write what came as a capture, before it is merged
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "stills"], help_heading = "Output")]
    pub(crate) pcapng: Option<PathBuf>,
    /// End after so many frames, or so many samples of sound
    #[arg(long, value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    /// End after so many seconds; without it, Ctrl-C ends it
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds)]
    pub(crate) duration: Option<Duration>,
    /// Memory that the system fills while we work, as in 64M
    #[arg(long, value_name = "SIZE", value_parser = super::traffic::size, default_value = "64M")]
    pub(crate) buffer: u64,
    /// One versioned JSON document of what was received
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
}
