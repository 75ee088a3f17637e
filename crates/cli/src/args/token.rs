//! What may be typed about tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Commands about tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token, and shows it this once
    #[command(after_long_help = "Example:\n  portreeve token new dashboard --scope read")]
    New {
        /// What it is for, so that people know it again
        name: String,
        /// What it allows
        #[arg(long, value_enum, default_value_t = ScopeName::Read)]
        scope: ScopeName,
        #[command(flatten)]
        place: TokenPlace,
    },
    /// Lists tokens, without themselves
    List {
        #[command(flatten)]
        place: TokenPlace,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Takes a token back
    Revoke {
        /// Its name or id
        name: String,
        #[command(flatten)]
        place: TokenPlace,
    },
}

/// Where the tokens stand.
#[derive(Debug, Args)]
pub(crate) struct TokenPlace {
    /// These settings of the service instead of the usual files
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeName {
    /// To see
    Read,
    /// To acknowledge findings, too
    Ack,
    /// Everything
    Admin,
}
