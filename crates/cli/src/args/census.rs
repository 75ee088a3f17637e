//! What may be typed about the census.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{JudgeArgs, LookArgs, OutputArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  portreeve census
  portreeve census --html census.html      a page to read, to send and to print
  portreeve census --svg - > census.svg    the figure alone, for a talk
  portreeve census --csv > census.csv      one line for each well-known, assigned or used port
  portreeve census --since 30d             what was used in the last 30 days (needs a history)

What looks unused on one machine may be used on another: a census of many machines says more.";

/// Arguments of `census`.
#[derive(Debug, Args)]
pub(crate) struct CensusArgs {
    /// Count what was used since then, as the history of this machine remembers it (30d, 12h, 4w)
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub(crate) since: Option<Duration>,
    /// Write the figure: the map of the well-known ports, and bars by range; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"], help_heading = "Output")]
    pub(crate) svg: Option<PathBuf>,
    /// Write a page with the figure and the tables, which needs no other file; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"], help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A length of time as people write it: a number and s, m, h, d or w.
fn period(text: &str) -> Result<Duration, String> {
    const WRONG: &str = "expected a number and a unit: 90m, 12h, 30d, 4w";
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some('w') => 7 * 86_400,
        _ => return Err(String::from(WRONG)),
    };
    let number = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_number = text.len() == number.len() + 1 && number.bytes().all(|byte| byte.is_ascii_digit());
    let count = number.parse::<u64>().ok().filter(|count| is_number && *count > 0);
    // A hundred years, so that no arithmetic with it can go wrong.
    const MOST: u64 = 36_525 * 86_400;
    let seconds = count.and_then(|count| count.checked_mul(unit)).filter(|seconds| *seconds <= MOST);
    seconds.map(Duration::from_secs).ok_or_else(|| String::from(WRONG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        assert_eq!(period("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(period("90m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "30", "d", "-1d", "1.5h", "0d", "3dd", "30 d", "99999999999999999999w", "9999999w"]
        {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
