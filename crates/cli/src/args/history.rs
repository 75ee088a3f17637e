//! What may be typed about history and findings.

use clap::Args;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {}

/// Arguments of `findings`.
#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {}
