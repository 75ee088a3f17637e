//! What may be typed about what works here.

use clap::Args;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {}
