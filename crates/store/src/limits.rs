//! How much is kept: by age, by size and by number.

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Days that what happened, flow summaries and resolved findings are kept, by the history's own clock.
    pub keep_days: u32,
    /// Days that first and last seen of doors and holders are kept; those of port numbers stay.
    pub keep_summaries_days: u32,
    /// The longest that the file may become. It grows by doubling, and a commit needs room beside what it replaces, so
    /// rows fill a quarter of it.
    pub most_bytes: u64,
    /// Most findings that are kept; resolved ones go first.
    pub most_findings: u64,
    /// Most doors, holders, and pairs of them, each.
    pub most_summaries: u64,
    /// A finding that was not seen for so many hours is resolved.
    pub resolve_after_hours: u32,
}

impl Limits {
    /// The least that [`Limits::most_bytes`] may be.
    pub const LEAST_BYTES: u64 = 4 << 20;

    /// What rows may take of the file, as we count them: of the half that it may fill before it doubles once more, the
    /// half that pages which are not full and those that a commit replaces leave.
    pub(crate) fn row_bytes(&self) -> u64 {
        self.most_bytes.max(Limits::LEAST_BYTES) / 4
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            keep_days: 90,
            keep_summaries_days: 730,
            most_bytes: 256 << 20,
            most_findings: 20_000,
            most_summaries: 50_000,
            resolve_after_hours: 24,
        }
    }
}
