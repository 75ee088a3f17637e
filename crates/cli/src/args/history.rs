//! What may be typed about history and findings.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::Severity;
use store::{FindingState, Moment};

use super::{FailOn, OutputArgs};

pub(super) const HISTORY_EXAMPLES: &str = "\
Examples:
  portreeve history                    what happened, the latest first
  portreeve history 420                everything about one port: first and last use, doors, holders, flows, findings
  portreeve history --since 7d --holder nginx
  portreeve history --since 2026-11-01 --until 2026-11-02T12:00:00Z --json
  portreeve history --statistics       how much is kept, and for how long it was watched

The history is kept by portreeve serve. While it runs it is asked; else the file is opened.";

pub(super) const FINDINGS_EXAMPLES: &str = "\
Examples:
  portreeve findings                   what is open
  portreeve findings --state all --since 30d code=exe-*
  portreeve findings --severity warning --fail-on warning
  portreeve findings show 1f3a9c
  portreeve findings ack 1f3a9c --reason \"our test server\" --for 30d
  portreeve findings reopen 1f3a9c

An id may be cut short as long as no other begins so. A finding that is accepted stays so until its time is over or
somebody reopens it; one that is not seen any more is resolved, and open again when it is seen again.";

/// Where the history is.
#[derive(Debug, Args, Default, Clone)]
pub(crate) struct MemoryArgs {
    /// The folder of the history, or its file, instead of the usual one
    #[arg(long, value_name = "FOLDER", help_heading = "History")]
    pub(crate) history: Option<PathBuf>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// A port (420), with transport (420/udp), or a service (ssh)
    pub(crate) port: Option<String>,
    /// Not before: a time (2026-11-01, 2026-11-01T12:00:00Z) or so long ago (30m, 12h, 7d, 4w)
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub(crate) since: Option<When>,
    /// Not after
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub(crate) until: Option<When>,
    /// Only of holders with this in the name of program, executable, unit, container, user or package
    #[arg(long, value_name = "NAME")]
    pub(crate) holder: Option<String>,
    /// So many records at most
    #[arg(long, default_value_t = 50, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Only records before the one with this number: the next page
    #[arg(long, value_name = "NUMBER")]
    pub(crate) before: Option<u64>,
    /// How much is kept, and for how long it was watched
    #[arg(long, conflicts_with_all = ["port", "since", "until", "holder", "before", "csv"])]
    pub(crate) statistics: bool,
    /// Move a damaged history aside, so that the next start of the service begins a new one
    #[arg(long, conflicts_with_all = ["port", "since", "until", "holder", "before", "statistics"])]
    pub(crate) rebuild: bool,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Arguments of `findings`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct FindingsArgs {
    /// What to do; without it: list
    #[command(subcommand)]
    pub(crate) command: Option<FindingsCommand>,
    /// Codes, as code=exe-*
    #[arg(value_name = "FILTER", value_parser = code)]
    pub(crate) codes: Vec<String>,
    /// In which state
    #[arg(long, value_enum, default_value_t = StateName::Open, value_name = "STATE")]
    pub(crate) state: StateName,
    /// Last seen not before: a time or so long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub(crate) since: Option<When>,
    /// Of this severity and graver
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) severity: Option<SeverityName>,
    /// So many at most
    #[arg(long, default_value_t = 1000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Fail with status 1 where an open finding that is listed has this severity or a graver one
    #[arg(long, value_enum, default_value_t = FailOn::Never, value_name = "SEVERITY")]
    pub(crate) fail_on: FailOn,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Commands about one finding.
#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// Shows one finding with its evidence and what became of it
    Show {
        /// Its id, or the beginning of it
        id: String,
        #[command(flatten)]
        memory: MemoryArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Accepts a finding, with a reason
    Ack {
        /// Its id, or the beginning of it
        id: String,
        /// Why it is all right
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// For how long (12h, 30d, 4w); without it until somebody reopens it
        #[arg(long = "for", value_name = "TIME", value_parser = duration)]
        lasting: Option<i64>,
        #[command(flatten)]
        memory: MemoryArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Takes an acceptance back
    Reopen {
        /// Its id, or the beginning of it
        id: String,
        #[command(flatten)]
        memory: MemoryArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// A time as people give one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// A time.
    At(Moment),
    /// So many nanoseconds ago.
    Ago(i64),
}

impl When {
    /// The time that is meant now.
    pub(crate) fn from(self, now: Moment) -> Moment {
        match self {
            When::At(moment) => moment,
            When::Ago(ns) => Moment::from_ns(now.as_ns().saturating_sub(ns)),
        }
    }
}

/// In which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum StateName {
    /// Seen, and nobody decided
    #[default]
    Open,
    /// Accepted, with a reason
    Acknowledged,
    /// Not there any more
    Resolved,
    /// Every state
    All,
}

impl StateName {
    /// The states it means.
    pub(crate) fn states(self) -> Vec<FindingState> {
        match self {
            StateName::Open => vec![FindingState::Open],
            StateName::Acknowledged => vec![FindingState::Acknowledged],
            StateName::Resolved => vec![FindingState::Resolved],
            StateName::All => Vec::new(),
        }
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeverityName {
    /// Worth knowing
    Note,
    /// Worth looking at soon
    Warning,
    /// Worth looking at now
    Alert,
}

impl SeverityName {
    /// The severity it means.
    pub(crate) fn severity(self) -> Severity {
        match self {
            SeverityName::Note => Severity::Note,
            SeverityName::Warning => Severity::Warning,
            SeverityName::Alert => Severity::Alert,
        }
    }
}

/// `30m`, `12h`, `7d`, `4w`: nanoseconds.
fn duration(text: &str) -> Result<i64, String> {
    let seconds = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        'w' => Some(7 * 86_400),
        _ => None,
    };
    let read = || -> Option<i64> {
        let unit = text.chars().next_back()?;
        let number = text.strip_suffix(unit)?;
        let number: i64 = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
        (number > 0).then_some(number)?.checked_mul(seconds(unit)?)?.checked_mul(1_000_000_000)
    };
    read().ok_or_else(|| String::from("expected a time as in 30m, 12h, 7d or 4w"))
}

fn when(text: &str) -> Result<When, String> {
    if let Ok(ns) = duration(text) {
        return Ok(When::Ago(ns));
    }
    let day = format!("{text}T00:00:00Z");
    let moment = Moment::parse(text).or_else(|| Moment::parse(&day));
    moment.map(When::At).ok_or_else(|| {
        String::from(
            "expected a time in UTC as in 2026-11-01 or 2026-11-01T12:00:00Z, or so long ago as in 12h or 7d",
        )
    })
}

fn code(text: &str) -> Result<String, String> {
    let pattern = text.strip_prefix("code=").filter(|pattern| !pattern.is_empty());
    pattern.map(str::to_owned).ok_or_else(|| String::from("expected code=PATTERN, as in code=exe-*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let second = 1_000_000_000;
        assert_eq!(when("7d"), Ok(When::Ago(7 * 86_400 * second)));
        assert_eq!(when("90s"), Ok(When::Ago(90 * second)));
        assert_eq!(when("1970-01-02"), Ok(When::At(Moment::from_ns(86_400 * second))));
        assert_eq!(when("1970-01-01T00:00:01Z"), Ok(When::At(Moment::from_ns(second))));
        for wrong in ["", "7", "d", "0d", "-1d", "+1d", "7y", "1970-13-01", "9223372036854775807w", "ä", "7ä"]
        {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }
}
