//! What may be typed about what works here.

use std::path::PathBuf;

use clap::Args;

use super::OutputArgs;

pub(super) const EXAMPLES: &str = "\
Examples:
  portreeve doctor
  sudo portreeve doctor          the same with the rights that the service has
  portreeve doctor --json        the form of it: portreeve schema doctor
  portreeve doctor --config new.toml
                                 whether a file of settings is right, before it counts

Exit status: 0 all works, 1 something works in part or not at all, 2 something could not be found out, 64 wrong usage.
What all works without (the service, a unit file, clocks of network cards) does not count.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Settings to read instead of /etc/portreeve/portreeve.toml and its drop-ins
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
