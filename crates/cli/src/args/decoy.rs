//! What may be typed about decoys.

use clap::Args;

/// Arguments of `decoy`.
#[derive(Debug, Args)]
pub(crate) struct DecoyArgs {}
