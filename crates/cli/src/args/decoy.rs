//! What may be typed about decoys.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use engine::decoys::Level;
use host::decoy::{PortSet, Prefix, Ways};

use super::{ColorWhen, FailOn, PolicyArgs, seconds};

pub(super) const EXAMPLES: &str = "\
Examples:
  portreeve decoy --ports 420,1-1023
                                 tells who comes to empty ports, and answers nobody
  portreeve decoy --ports 1-1023 -t --level accept --write visits.pcapng
                                 takes connections, and keeps the first bytes of each
  portreeve decoy --ports 22,2222 -t --level greet=ssh
  portreeve decoy --ports 1-9999 --exclude 22,80 --exclude-source 10.0.0.9 --json
  portreeve decoy --ports 1-1023 --netns blue --only-findings --fail-on warning --duration 3600
  portreeve decoy --ports 2323,8022 --level accept --ways plain
                                 without a kernel program: a socket on each port

Ports that somebody has are let through, also those that are opened later. The range from which the kernel gives ports
to anybody (net.ipv4.ip_local_port_range) is never covered, but for what ip_local_reserved_ports keeps from it. A
datagram is never answered. See docs/decoys.md.

Exit status: 0 all accounted for, 1 findings at or above --fail-on, 2 could not look, 64 wrong usage.";

/// Arguments of `decoy`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch of the command line")]
pub(crate) struct DecoyArgs {
    /// Ports and ranges to cover where nobody is, as in 420,1-1023
    #[arg(long, short = 'p', required = true, value_name = "PORTS", value_parser = engine::decoys::parse_ports, help_heading = "What to cover")]
    pub(crate) ports: PortSet,
    /// TCP only
    #[arg(short = 't', long, help_heading = "What to cover")]
    pub(crate) tcp: bool,
    /// UDP only
    #[arg(short = 'u', long, help_heading = "What to cover")]
    pub(crate) udp: bool,
    /// IPv4 only
    #[arg(short = '4', long, help_heading = "What to cover")]
    pub(crate) ipv4: bool,
    /// IPv6 only
    #[arg(short = '6', long, help_heading = "What to cover")]
    pub(crate) ipv6: bool,
    /// Ports to leave out
    #[arg(long, value_name = "PORTS", value_parser = engine::decoys::parse_ports, help_heading = "What to cover")]
    pub(crate) exclude: Vec<PortSet>,
    /// Source that finds the machine as it is: an address or a prefix (may be given several times)
    #[arg(long, value_name = "CIDR", value_parser = prefix, help_heading = "What to cover")]
    pub(crate) exclude_source: Vec<Prefix>,
    /// Network namespace: a name of ip netns or Docker, a PID, or a path
    #[arg(short = 'N', long, value_name = "NAME", help_heading = "What to cover")]
    pub(crate) netns: Option<String>,
    /// How whoever comes is treated: observe, accept, or greet=PROTOCOL (ssh, smtp, http …)
    #[arg(long, value_name = "LEVEL", value_parser = Level::parse, default_value = "observe", help_heading = "How")]
    pub(crate) level: Level,
    /// By a kernel program, by a plain socket on each port, or by what can be had
    #[arg(long, value_enum, default_value_t = WaysWord::Any, help_heading = "How")]
    pub(crate) ways: WaysWord,
    /// Bytes to keep of one visit
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(16..=65_536), default_value_t = 4096, help_heading = "How")]
    pub(crate) first_bytes: u32,
    /// Seconds that a connection may last
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=300), default_value_t = 10, help_heading = "How")]
    pub(crate) limit: u16,
    /// Connections at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096), default_value_t = 256, help_heading = "How")]
    pub(crate) connections: u16,
    /// Connections at once of one source
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096), default_value_t = 16, help_heading = "How")]
    pub(crate) connections_per_source: u16,
    /// Touches of one source that are told in a minute; more are counted
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = 60, help_heading = "How")]
    pub(crate) told_per_minute: u32,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "How")]
    pub(crate) duration: Option<Duration>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Write what came to a pcapng file, as packets made from it
    #[arg(long, short = 'w', value_name = "FILE", help_heading = "Output")]
    pub(crate) write: Option<PathBuf>,
    /// Findings only, without a line per touch
    #[arg(long, help_heading = "Output")]
    pub(crate) only_findings: bool,
    /// JSON Lines: one event per line, which is begin, touch, finding or at the end summary
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: ColorWhen,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY", help_heading = "Judging")]
    pub(crate) fail_on: FailOn,
}

/// By which way ports are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaysWord {
    /// A kernel program, else plain sockets
    Any,
    /// A kernel program
    Kernel,
    /// A plain socket on each port
    Plain,
}

impl WaysWord {
    /// The ways that it means.
    pub(crate) fn ways(self) -> Ways {
        match self {
            WaysWord::Any => Ways::Any,
            WaysWord::Kernel => Ways::Kernel,
            WaysWord::Plain => Ways::Plain,
        }
    }
}

fn prefix(text: &str) -> Result<Prefix, String> {
    text.parse()
}
