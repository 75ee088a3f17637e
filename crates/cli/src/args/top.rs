//! What may be typed about the terminal UI.

use std::time::Duration;

use clap::Args;

use super::{ColorWhen, JudgeArgs, SelectArgs, SessionArgs, seconds};

pub(super) const EXAMPLES: &str = "\
Examples:
  portreeve top                  ports, holders, flows, findings and streams of this machine
  portreeve top -tl              TCP listeners only
  portreeve top scope=any verdict!=ok
                                 what every address reaches and is not accounted for
  portreeve top -i eth0          the packets of one interface
  portreeve top --no-packets     sockets only
  portreeve top --sdp camera1.sdp
                                 a stream, with the session that was agreed for it

Keys:
  1-5 Tab   ports, holders, flows, findings, streams
  ↑ ↓ PgUp PgDn Home End         rows;  Enter  everything about one;  Esc  back
  s r       sort by the next column, the other way round
  /         filter: words, and KEY=VALUE as in portreeve list
  Space     freeze;  ?  help;  q  quit

Packets need CAP_NET_RAW: without it sockets are shown alone, and the screen says so. The privileges that only the
opening needs are given up before anything is read. See docs/top.md.

Exit status: 0 ended by a person, 2 could not look, 64 the command line is wrong, or there is no terminal.";

/// Arguments of `top`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch of the command line")]
pub(crate) struct TopArgs {
    /// Filters to begin with: words, and KEY=VALUE as in list
    #[arg(value_name = "FILTER")]
    pub(crate) what: Vec<String>,
    /// TCP
    #[arg(short = 't', long, help_heading = "Sockets")]
    tcp: bool,
    /// UDP and UDP-Lite
    #[arg(short = 'u', long, help_heading = "Sockets")]
    udp: bool,
    /// IPv4 (dual-stack sockets count)
    #[arg(short = '4', long, help_heading = "Sockets")]
    ipv4: bool,
    /// IPv6
    #[arg(short = '6', long, help_heading = "Sockets")]
    ipv6: bool,
    /// Only listeners, without those that are only bound
    #[arg(short = 'l', long, help_heading = "Sockets")]
    listening: bool,
    /// Interface to read (may be given several times; default: all)
    #[arg(short = 'i', long, value_name = "NAME", help_heading = "Capture")]
    pub(crate) interface: Vec<String>,
    /// Only sockets: no packets, which need CAP_NET_RAW
    #[arg(long, conflicts_with_all = ["no_sockets", "interface"], help_heading = "Capture")]
    pub(crate) no_packets: bool,
    /// Only packets: neither sockets nor their holders
    #[arg(long, help_heading = "Capture")]
    pub(crate) no_sockets: bool,
    /// Look at the machine at most every so many seconds, and at least as often where the kernel tells of no change
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1", help_heading = "Looking")]
    pub(crate) interval: Duration,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    #[command(flatten)]
    pub(crate) sessions: SessionArgs,
    /// Colours
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: ColorWhen,
}

impl TopArgs {
    /// Which sockets are meant.
    pub(crate) fn select(&self) -> SelectArgs {
        SelectArgs {
            tcp: self.tcp,
            udp: self.udp,
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            listening: self.listening,
            ..SelectArgs::default()
        }
    }
}
