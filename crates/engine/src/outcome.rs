//! What a look amounts to: the exit status, and the rule behind it.

use model::{Area, Gap, Reason, Severity};

/// From which severity a finding makes a look fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Findings never make it fail.
    Never,
    /// Findings of this severity or a graver one do.
    At(Severity),
}

impl Threshold {
    /// Whether a finding of this severity makes the look fail.
    pub fn reached_by(self, severity: Severity) -> bool {
        match self {
            Threshold::Never => false,
            Threshold::At(least) => severity >= least,
        }
    }
}

/// What a look amounts to.
///
/// A finding is knowledge and a gap is the lack of it, so where both are there the finding decides: nothing that we
/// did not see could take it back. Both are always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was looked at, and nothing reached the threshold.
    Accounted,
    /// At least one finding reached the threshold.
    Findings,
    /// Nothing that we saw reached the threshold, but we could not see everything.
    Partial,
}

impl Outcome {
    /// The exit status.
    pub fn exit_status(self) -> u8 {
        match self {
            Outcome::Accounted => 0,
            Outcome::Findings => 1,
            Outcome::Partial => 2,
        }
    }
}

/// Whether a gap may hide something that a judgement would need.
pub(crate) fn gap_matters(gap: &Gap) -> bool {
    gap.count != Some(0) && reason_matters(gap.reason) && gap.area != Area::PortRules
}

/// Whether a fact that is missing for this reason is one that a better look would find.
///
/// A socket of the kernel has no holder to find, and a process that ended no longer holds anything.
pub(crate) fn reason_matters(reason: Reason) -> bool {
    match reason {
        Reason::NoPermission
        | Reason::OtherPidNamespace
        | Reason::OtherNetworkNamespace
        | Reason::NotSupported
        | Reason::LimitReached
        | Reason::Damaged => true,
        Reason::KernelOwned
        | Reason::Exited
        | Reason::InFlight
        | Reason::PublishedWithoutSocket
        | Reason::Unknown => false,
    }
}
