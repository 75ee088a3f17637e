//! The command line of what looks at packets: `read` and `watch`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ColorWhen, FailOn, OutputArgs, PolicyArgs, SessionArgs, seconds};

pub(super) const READ_EXAMPLES: &str = "\
Examples:
  portreeve read trace.pcapng
  portreeve read *.pcap.gz --port 420
  portreeve read trace.pcap --filter 'tcp and not port 22' --json
  portreeve read trace.pcap --write evidence.pcapng
                                 the packets behind the findings, each with its finding as a comment
  portreeve read trace.pcap --eve > eve.json
  portreeve read monday.pcap --json > monday.json
  portreeve read tuesday.pcap --earlier monday.json
                                 services that monday did not have are findings
  ssh router tcpdump -U -w - | portreeve read -

Exit status: 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be read, 64 wrong usage.
The language of --filter is that of tcpdump: see docs/filter.md. The form of --json: portreeve schema traffic.";

pub(super) const WATCH_EXAMPLES: &str = "\
Examples:
  portreeve watch
  portreeve watch -i eth0 -i lo --duration 60
  portreeve watch --port 420     packets to and from the servers of one port
  portreeve watch --filter 'net 192.0.2.0/24 and not port 22' --json
  portreeve watch --only findings --fail-on warning --duration 3600
  portreeve watch --netns blue --eve >> eve.json
  portreeve watch --no-packets --only sockets
                                 who listens, from when to when, however short

What happens to sockets is told at once, with the process even where it is gone already. A flow is told when it has ended; Ctrl-C ends the watch and all that goes on, and the summary follows. Packets that the
kernel had to drop are counted there; a larger --ring, or a --filter, helps. Without root: give the binary CAP_NET_RAW,
or pipe a capture into portreeve read -.

Exit status: 0 all accounted for, 1 findings at or above --fail-on, 2 not everything could be seen, 64 wrong usage.";

/// Arguments of `read`.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Capture files, read one after the other; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) traffic: TrafficArgs,
    #[command(flatten)]
    pub(crate) sessions: SessionArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// How many workers share the flows (default: one per processor, at most 4)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Reading")]
    pub(crate) workers: Option<u16>,
    /// Every flow, too: a line each, and objects in --json
    #[arg(long, help_heading = "Output")]
    pub(crate) flows: bool,
    /// No progress bar
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY", help_heading = "Judging")]
    pub(crate) fail_on: FailOn,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub(crate) struct WireArgs {
    /// Interface to read (may be given several times; default: all)
    #[arg(short = 'i', long, value_name = "NAME", help_heading = "Capture")]
    pub(crate) interface: Vec<String>,
    /// Network namespace to read in: a name of ip netns or Docker, a PID, or a path
    #[arg(short = 'N', long, value_name = "NAME", help_heading = "Capture")]
    pub(crate) netns: Option<String>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Capture")]
    pub(crate) duration: Option<std::time::Duration>,
    /// Memory that the kernel fills while we work, as in 16M; a larger one survives longer bursts
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16M", help_heading = "Capture")]
    pub(crate) ring: u64,
    /// How many workers share the flows, on as many processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), default_value_t = 1, help_heading = "Capture")]
    pub(crate) workers: u16,
    /// Bytes to keep of each packet
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(96..=262_144), default_value_t = 262_144, help_heading = "Capture")]
    pub(crate) snap: u32,
    /// Packets for other machines, too; of the interfaces that -i names
    #[arg(long, help_heading = "Capture")]
    pub(crate) promiscuous: bool,
    #[command(flatten)]
    pub(crate) traffic: TrafficArgs,
    #[command(flatten)]
    pub(crate) sessions: SessionArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Do not look for the processes behind the flows
    #[arg(long, help_heading = "Judging")]
    pub(crate) no_holders: bool,
    /// Only packets: not what happens to sockets
    #[arg(long, help_heading = "Capture")]
    pub(crate) no_sockets: bool,
    /// Only what happens to sockets: no packets, which need CAP_NET_RAW
    #[arg(long, conflicts_with_all = ["no_sockets", "interface", "eve", "write"], help_heading = "Capture")]
    pub(crate) no_packets: bool,
    /// Tell this only (may be given several times)
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Output")]
    pub(crate) only: Vec<Only>,
    /// Also what clients do to their own ends: ports that the kernel chose, binds without listening
    #[arg(long, help_heading = "Output")]
    pub(crate) all_sockets: bool,
    /// JSON Lines: one event per line, which is begin, socket, flow, finding or at the end summary
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: ColorWhen,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY", help_heading = "Judging")]
    pub(crate) fail_on: FailOn,
}

/// What `watch` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// What was found
    Findings,
    /// Flows that have ended
    Flows,
    /// What happened to sockets
    Sockets,
}

/// What `read` and `watch` share.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct TrafficArgs {
    /// Only packets that match: an expression as tcpdump takes it (docs/filter.md)
    #[arg(long, short = 'f', value_name = "EXPRESSION", help_heading = "Reading")]
    pub(crate) filter: Option<String>,
    /// Only this port, range or service of a server (may be given several times); read shows it closely
    #[arg(long, short = 'p', value_name = "PORT", help_heading = "Output")]
    pub(crate) port: Vec<String>,
    /// Memory for flows, as in 64M or 2G; what does not fit is counted, not kept
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256M", help_heading = "Reading")]
    pub(crate) memory: u64,
    /// What read --json wrote before: services that are new since then are findings
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) earlier: Option<PathBuf>,
    /// Events as Suricata writes them, one JSON object per line: flows, protocols, alerts (docs/eve.md)
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    pub(crate) eve: bool,
    /// Write the packets behind the findings to a pcapng file, with the findings as comments
    #[arg(long, short = 'w', value_name = "FILE", help_heading = "Output")]
    pub(crate) write: Option<PathBuf>,
}

/// Bytes, with K, M or G for powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1),
    };
    number
        .and_then(|number| number.parse::<u64>().ok()?.checked_mul(factor))
        .filter(|bytes| (1 << 20..=1 << 40).contains(bytes))
        .ok_or_else(|| String::from("expected a size from 1M to 1024G, as in 256M"))
}
