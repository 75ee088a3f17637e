//! What may be typed about alerts.

use clap::Subcommand;

/// Commands about alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Tells a finding that is made up, by every way that is configured
    Test,
}
