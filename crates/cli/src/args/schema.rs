//! What may be typed about schemas.

use clap::ValueEnum;

/// Which schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// The document of list, port and check
    Portreeve,
    /// The document of baseline diff
    Changes,
    /// The document of registry search and show
    Assignments,
    /// The document of read; in the last line of watch it is below traffic, and in others flows and findings are
    Traffic,
    /// The document of media ls, media probe and media ptp
    Media,
    /// The document of media send
    Sending,
    /// The document of media receive
    Receiving,
    /// The document of media sdp lint
    Complaints,
    /// The document of doctor
    Doctor,
    /// The document of census
    Census,
    /// The document of history
    History,
    /// The document of findings
    Findings,
    /// The lines of decoy
    Decoy,
    /// What a webhook or a command of an alert gets
    Alert,
}
