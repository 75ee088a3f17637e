//! What may be typed about alerts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const TEST_EXAMPLES: &str = "\
Examples:
  portreeve alert test                     by every way that is configured
  portreeve alert test pager siem          by these two
  portreeve alert test --config new.toml   before the file is put into its place

Exit status:
  0   every way took it
  2   at least one did not
  64  the command line is wrong";

/// Commands about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Tells a finding that is made up, by every way that is configured
    ///
    /// It says in its title that it is a test. Of each way is said whether it arrived, as far as the way tells; where it
    /// did not, why, and what to look at. Nothing is tried twice. Run it as the user that the service runs as.
    #[command(after_long_help = TEST_EXAMPLES)]
    Test {
        /// Ways by name; none means all
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        from: AlertSource,
    },
    /// Shows the ways that are configured, and what goes by each
    #[command(after_long_help = "Examples:\n  portreeve alert list\n  portreeve alert list --json")]
    List {
        #[command(flatten)]
        from: AlertSource,
    },
}

/// Where the ways are read, and in which form is answered.
#[derive(Debug, Args)]
pub(crate) struct AlertSource {
    /// Settings of this file only, instead of /etc/portreeve/portreeve.toml and its drop-ins
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One versioned JSON document
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}
