//! What may be typed about the service.

use std::path::PathBuf;

use clap::Args;

use super::JudgeArgs;

pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  portreeve serve                runs until it is told to end; systemd: contrib/systemd/portreeve.service
  portreeve serve --check        are policy, baseline and settings right?
  portreeve serve --status       how is the service that runs?
  portreeve serve --reload       it shall read policy, baseline and settings again (as SIGHUP does)

What it watches, keeps and tells is set in /etc/portreeve/portreeve.toml: see docs/service.md. What it saw is told by
portreeve history and portreeve findings; what would let it see more, by portreeve doctor.

Signals: SIGTERM and SIGINT end it, SIGHUP lets it read everything again, SIGUSR1 lets it say how it is.";

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// These settings instead of the usual files
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    /// Only say whether policy, baseline and settings are right
    #[arg(long, conflicts_with_all = ["status", "reload"])]
    pub(crate) check: bool,
    /// Ask the service that runs how it is
    #[arg(long, conflicts_with = "reload")]
    pub(crate) status: bool,
    /// Let the service that runs read policy, baseline and settings again
    #[arg(long)]
    pub(crate) reload: bool,
    /// With --status: one JSON document
    #[arg(long, requires = "status")]
    pub(crate) json: bool,
}
