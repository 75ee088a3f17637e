//! The command line: what may be typed. Nothing here looks at the machine.

mod alert;
mod census;
mod decoy;
mod doctor;
#[cfg(test)]
mod examples;
mod history;
mod mcp;
mod media;
pub(crate) mod receiving;
mod schema;
pub(crate) mod sending;
mod serve;
mod token;
mod top;
mod traffic;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::Threshold;
use model::Severity;

pub(crate) use alert::{AlertCommand, AlertSource};
pub(crate) use census::CensusArgs;
pub(crate) use decoy::DecoyArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use history::{FindingsArgs, FindingsCommand, HistoryArgs, MemoryArgs};
pub(crate) use mcp::McpArgs;
pub(crate) use media::{
    AgreedArgs, ComplaintLevel, MediaCommand, MediaLookArgs, MediaReportArgs, ProfileName, SdpCommand,
    SdpLintArgs, SessionArgs,
};
pub(crate) use schema::SchemaName;
pub(crate) use serve::ServeArgs;
pub(crate) use token::{ScopeName, TokenCommand, TokenPlace};
pub(crate) use top::TopArgs;
pub(crate) use traffic::{Only, ReadArgs, TrafficArgs, WireArgs};

const EXAMPLES: &str = "\
Examples:
  portreeve                      every listener: port, scope, holder, what it is for, verdict
  portreeve 420                  everything about port 420, used or not
  portreeve ssh                  the same for the port of a service
  portreeve -tl scope=any        TCP listeners that every address reaches
  portreeve user!=root port=1-1023
                                 low ports whose holder is not root
  portreeve check --fail-on warning
                                 one exit status for cron and CI
  portreeve baseline learn       accept what listens now; check then tells the difference

Exit status:
  0   all accounted for
  1   findings at or above --fail-on
  2   could not look, or not everywhere (a partial look is never 0)
  64  the command line is wrong
Findings decide before gaps: with both, the status is 1.

Files:
  /etc/portreeve/policy.toml, /etc/portreeve/policy.d/*.toml
  ~/.config/portreeve/policy.toml, ~/.config/portreeve/policy.d/*.toml
  /etc/portreeve/baseline.toml (root), ~/.config/portreeve/baseline.toml
Under sudo the files of the user who called it count only if that user owns them.";

const FILTERS: &str = "\
Filters are KEY=VALUE or KEY!=VALUE. Several values stand with commas, several filters must all match.
Keys: port transport scope family state user program exe unit container package ns pid verdict code.
Numbers take ranges (port=1-1023,8080), words take * and ? (exe=/opt/*), and 'none' means that there is no such thing
(package=none).

Examples:
  portreeve list -l4
  portreeve list -u port=1024-65535 scope=any
  portreeve list container=* verdict!=ok
  portreeve list unit=none user=root --csv";

/// Who holds which port, what is it for, and is that right?
///
/// Without a command: every listener of this machine, in all its network namespaces, with its holders, what the
/// registry says that the port is for, and a verdict. With a port: everything about that port, used or not.
///
/// Three names are kept apart: what the registry says (marked with ?, since the number alone proves nothing), what
/// is commonly seen there, and what was recognised in the bytes.
#[derive(Debug, Parser)]
#[command(name = "portreeve", version, args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
#[command(max_term_width = 110)]
pub(crate) struct Cli {
    /// What to do; without it: list, or the page of the port that is given.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// What to list.
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists sockets with holders, purpose and verdict
    #[command(visible_alias = "ls", after_long_help = FILTERS)]
    List(ListArgs),
    /// Tells everything about one port, used or not
    ///
    /// What the registry says for each transport, which rules this machine has for it, its history of misuse with
    /// sources, who holds it now, the connections on it, and a verdict with its evidence.
    #[command(
        after_long_help = "Examples:\n  portreeve port 420\n  portreeve port 420/udp --json\n  portreeve port ssh --hash"
    )]
    Port(PortArgs),
    /// Judges the machine: findings with evidence, and one exit status
    ///
    /// Compares with the policy and, where there is one, with the baseline. For cron, CI and fleets.
    #[command(
        after_long_help = "Examples:\n  portreeve check\n  portreeve check --fail-on alert\n  portreeve check --baseline expected.toml --sarif > portreeve.sarif\n  portreeve check code=baseline-*"
    )]
    Check(CheckArgs),
    /// Reads captures: which protocols are really spoken on which port, and whether that is right
    ///
    /// pcap and pcapng, plain or packed with gzip or zstd. Protocols are read from bytes, never from the number. What
    /// the ports are for, and what was found there, is judged as for a live machine.
    #[command(after_long_help = traffic::READ_EXAMPLES)]
    Read(ReadArgs),
    /// Watches sockets and packets: who listens, flows with their holders, recognised protocols, and findings
    ///
    /// Tells what happens to sockets as it happens. Reads the interfaces of this machine, or of one network namespace,
    /// and joins each flow with the socket and the processes that have it. Packets need CAP_NET_RAW, events of sockets
    /// CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; privileges that only the opening needs are given up afterwards.
    #[command(after_long_help = traffic::WATCH_EXAMPLES)]
    Watch(Box<WireArgs>),
    /// Shows ports, holders, flows, findings and streams on the terminal, as they change
    ///
    /// One row per port with who holds it, what it is for, what is spoken there and a verdict; and everything about it
    /// at a key. What is seen is what list, watch and media see: the same looks, the same packets, the same judgements.
    #[command(after_long_help = top::EXAMPLES)]
    Top(Box<TopArgs>),
    /// Professional media: sessions and streams, looked at and measured
    #[command(subcommand)]
    Media(MediaCommand),
    /// Learns what listens here, and tells the difference later
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Checks or shows what people wrote down
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Searches the port registry, or replaces it with a newer one
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Explains a finding code, or lists all of them
    #[command(after_long_help = "Examples:\n  portreeve explain\n  portreeve explain silent-port-in-use")]
    Explain {
        /// A finding code, as `check` prints it
        code: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Counts the registry against use: which ports are used, silent, squatted or never used on this machine
    ///
    /// Of the 1,024 well-known ports and of all others, for TCP and UDP: how many are assigned, how many of those are
    /// used here, by whom, and which assignments nobody seems to use.
    #[command(after_long_help = census::EXAMPLES)]
    Census(Box<CensusArgs>),
    /// Lists what was found on this machine over time, and keeps what people decided about it
    #[command(after_long_help = history::FINDINGS_EXAMPLES)]
    Findings(Box<FindingsArgs>),
    /// Tells what was seen on this machine, and when
    #[command(after_long_help = history::HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Lets empty ports tell who comes to them
    ///
    /// A port that nobody has is watched over, and if wanted answered, by one kernel program for all of them. A port that
    /// has a holder, now or later, is never touched. When the decoy ends, however it ends, the machine is as it was.
    #[command(after_long_help = decoy::EXAMPLES)]
    Decoy(Box<DecoyArgs>),
    /// Tests the ways by which findings are told to others
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Runs as a service: watches, remembers, and tells
    ///
    /// Follows what happens to sockets and on the wire, judges it, keeps a history, and tells others what it finds. What
    /// only the beginning needs is given up, and the process shuts itself off from the rest of the machine.
    #[command(after_long_help = serve::SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Serves assistants over the Model Context Protocol (standard input and output); only reads
    ///
    /// Offers tools that list listeners, explain ports and findings, judge the machine, compare with the baseline, search
    /// the registry and read captures. What others wrote is marked as such.
    #[command(after_long_help = mcp::EXAMPLES)]
    Mcp(McpArgs),
    /// Says who may ask the service's API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Says what works on this machine, and what to do about what does not
    ///
    /// Kernel, rights, limits, files and the service: for each thing what it is for, how it is, and what helps.
    #[command(after_long_help = doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Prints the JSON Schema of --json
    Schema {
        /// Which document
        #[arg(value_enum, default_value_t = SchemaName::Portreeve)]
        document: SchemaName,
    },
    /// Prints shell completions
    #[command(after_long_help = "Example:\n  portreeve completions bash > /etc/bash_completion.d/portreeve")]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, or writes all pages to a folder
    Man {
        /// Folder for the pages of every command (made if it is not there)
        dir: Option<PathBuf>,
    },
}

/// Arguments of `list`.
#[derive(Debug, Args, Default)]
pub(crate) struct ListArgs {
    /// Ports, ranges or services to look at closely, and filters KEY=VALUE
    #[arg(value_name = "PORT|FILTER")]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    #[command(flatten)]
    pub(crate) agreed: AgreedArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
}

/// Arguments of `port`.
#[derive(Debug, Args, Default)]
pub(crate) struct PortArgs {
    /// A port (420), with transport (420/udp), a range (5000-5010) or a service (ssh)
    #[arg(required = true)]
    pub(crate) port: Vec<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    #[command(flatten)]
    pub(crate) agreed: AgreedArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Filters KEY=VALUE: judge everything, report only what matches
    #[arg(value_name = "FILTER")]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    #[command(flatten)]
    pub(crate) agreed: AgreedArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// SARIF 2.1.0, for code-scanning services
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    pub(crate) sarif: bool,
    /// Fail with status 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
}

/// Which sockets, in the manner of ss.
#[derive(Debug, Args, Default, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch of the command line")]
pub(crate) struct SelectArgs {
    /// TCP
    #[arg(short = 't', long, help_heading = "Sockets")]
    pub(crate) tcp: bool,
    /// UDP and UDP-Lite
    #[arg(short = 'u', long, help_heading = "Sockets")]
    pub(crate) udp: bool,
    /// Raw IP
    #[arg(short = 'w', long, help_heading = "Sockets")]
    pub(crate) raw: bool,
    /// Link-layer packet sockets
    #[arg(short = '0', long, help_heading = "Sockets")]
    pub(crate) packet: bool,
    /// SCTP
    #[arg(short = 'S', long, help_heading = "Sockets")]
    pub(crate) sctp: bool,
    /// DCCP
    #[arg(short = 'd', long, help_heading = "Sockets")]
    pub(crate) dccp: bool,
    /// Multipath TCP
    #[arg(short = 'M', long, help_heading = "Sockets")]
    pub(crate) mptcp: bool,
    /// IPv4 (dual-stack sockets count)
    #[arg(short = '4', long, help_heading = "Sockets")]
    pub(crate) ipv4: bool,
    /// IPv6
    #[arg(short = '6', long, help_heading = "Sockets")]
    pub(crate) ipv6: bool,
    /// Only listeners, without those that are only bound
    #[arg(short = 'l', long, help_heading = "Sockets")]
    pub(crate) listening: bool,
    /// Connected sockets, too
    #[arg(short = 'a', long, conflicts_with = "listening", help_heading = "Sockets")]
    pub(crate) all: bool,
    /// Only this network namespace: its name or inode number
    #[arg(short = 'N', long, value_name = "NAME", help_heading = "Sockets")]
    pub(crate) netns: Option<String>,
    /// For the fingers of ss users: numbers are always shown
    #[arg(short = 'n', long, hide = true)]
    pub(crate) numeric: bool,
    /// For the fingers of ss users: holders are always shown
    #[arg(short = 'p', long, hide = true)]
    pub(crate) processes: bool,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// How to look.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct LookArgs {
    /// SHA-256 of each holder's executable
    #[arg(long, help_heading = "Looking")]
    pub(crate) hash: bool,
    /// Try to bind every port that nobody lists, to find what hides
    #[arg(long, value_name = "FIRST-LAST", num_args = 0..=1, require_equals = true, default_missing_value = "1-65535",
          value_parser = port_range, help_heading = "Looking")]
    pub(crate) probe: Option<RangeInclusive<u16>>,
    /// Only the network namespace that we run in
    #[arg(long, help_heading = "Looking")]
    pub(crate) own_netns: bool,
    /// Leave out ports that address translation publishes without a socket
    #[arg(long, help_heading = "Looking")]
    pub(crate) no_forwards: bool,
}

/// What to judge by.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct JudgeArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// This baseline file instead of the usual one
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) baseline: Option<PathBuf>,
    /// Compare with no baseline
    #[arg(long, conflicts_with = "baseline", help_heading = "Judging")]
    pub(crate) no_baseline: bool,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
}

/// How to write the result.
#[derive(Debug, Args, Default, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one per switch of the command line")]
pub(crate) struct OutputArgs {
    /// One versioned JSON document (see: portreeve schema)
    #[arg(long, conflicts_with = "csv", help_heading = "Output")]
    pub(crate) json: bool,
    /// Comma-separated values (RFC 4180)
    #[arg(long, help_heading = "Output")]
    pub(crate) csv: bool,
    /// Every column in full, however wide
    #[arg(long, help_heading = "Output")]
    pub(crate) wide: bool,
    /// No heading and no summary
    #[arg(short = 'H', long, help_heading = "Output")]
    pub(crate) no_header: bool,
    /// Write to the terminal itself however long it is
    #[arg(long, help_heading = "Output")]
    pub(crate) no_pager: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: ColorWhen,
}

/// Looking again and again.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct WatchArgs {
    /// Look again every so many seconds; with --json one document per line
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Output")]
    pub(crate) watch: Option<std::time::Duration>,
}

/// What traffic is judged by.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct PolicyArgs {
    /// This policy file instead of the usual ones (may be given several times)
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(crate) policy: Vec<PathBuf>,
}

/// Commands about the baseline.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Accepts everything that listens now, and writes it down
    #[command(
        after_long_help = "Examples:\n  portreeve baseline learn\n  portreeve baseline learn --output - | less"
    )]
    Learn {
        /// Where to write it; - for standard output
        #[arg(long, short = 'o', value_name = "FILE")]
        output: Option<PathBuf>,
        /// Replace a baseline that is there
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        look: LookArgs,
    },
    /// Shows the baseline
    Show {
        /// The baseline file
        #[arg(long, value_name = "FILE")]
        baseline: Option<PathBuf>,
    },
    /// Tells the difference between the baseline and now; status 1 if there is one
    Diff {
        /// The baseline file
        #[arg(long, value_name = "FILE")]
        baseline: Option<PathBuf>,
        #[command(flatten)]
        look: LookArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Takes changes over into the baseline
    #[command(
        after_long_help = "Examples:\n  portreeve baseline accept 420/tcp\n  portreeve baseline accept 8000-8010\n  portreeve baseline accept all"
    )]
    Accept {
        /// Which: all, a port, a range, with or without transport
        #[arg(required = true)]
        what: Vec<String>,
        /// The baseline file
        #[arg(long, value_name = "FILE")]
        baseline: Option<PathBuf>,
        #[command(flatten)]
        look: LookArgs,
    },
}

/// Commands about the policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Reads the policy files and says what is wrong with them
    Check {
        /// Files to read instead of the usual ones
        files: Vec<PathBuf>,
    },
    /// Shows which policy files count, and their text
    Show {
        /// Files to read instead of the usual ones
        files: Vec<PathBuf>,
    },
}

/// Commands about the registry.
#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Finds rows that have a text in any field
    #[command(
        after_long_help = "Examples:\n  portreeve registry search smpte\n  portreeve registry search \"video\" --json"
    )]
    Search {
        /// The text, in any case
        #[arg(required = true)]
        text: Vec<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Shows every row of a port, range or service
    Show {
        /// A port, a range or a service; without it: where the registry comes from
        port: Vec<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Replaces the built-in registry with IANA's own CSV or XML
    ///
    /// A broken file is refused with line and reason, and changes nothing.
    Import {
        /// The file: service-names-port-numbers.csv or .xml; - for standard input
        file: PathBuf,
    },
    /// Returns to the built-in registry
    Reset,
}

/// From which severity to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FailOn {
    /// Findings never fail
    #[default]
    Never,
    /// Every finding
    Note,
    /// Warnings and alerts
    Warning,
    /// Alerts
    Alert,
}

impl FailOn {
    /// The threshold it means.
    pub(crate) fn threshold(self) -> Threshold {
        match self {
            FailOn::Never => Threshold::Never,
            FailOn::Note => Threshold::At(Severity::Note),
            FailOn::Warning => Threshold::At(Severity::Warning),
            FailOn::Alert => Threshold::At(Severity::Alert),
        }
    }
}

/// When to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

fn port_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    crate::target::ports(text).ok_or_else(|| String::from("expected FIRST-LAST, as in 1-1023"))
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.05..=86_400.0).contains(seconds))
        .map(std::time::Duration::from_secs_f64)
        .ok_or_else(|| String::from("expected seconds, from 0.05 to 86400"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_people_type_is_understood() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap();
        assert!(parse("portreeve").command.is_none());
        assert_eq!(parse("portreeve 420").list.what, ["420"]);
        let ss = parse("portreeve -tulpnH").list;
        assert!(ss.select.tcp && ss.select.udp && ss.select.listening && ss.output.no_header);
        assert_eq!(parse("portreeve -u scope=any user!=root").list.what, ["scope=any", "user!=root"]);
        assert!(matches!(parse("portreeve check --fail-on alert").command, Some(Command::Check(_))));
        assert!(matches!(parse("portreeve explain exe-memfd").command, Some(Command::Explain { .. })));
        let probe = |line: &str| parse(line).list.select.look.probe;
        assert_eq!(probe("portreeve --probe 420"), Some(1..=65535));
        assert_eq!(probe("portreeve --probe=1-1023"), Some(1..=1023));
        for wrong in
            ["portreeve --json --csv", "portreeve -la", "portreeve --probe=9-1", "portreeve --watch 0"]
        {
            assert!(Cli::try_parse_from(wrong.split(' ')).is_err(), "{wrong}");
        }
    }
}
