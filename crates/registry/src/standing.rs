//! The answer to "what is this port for": its standing on paper, and whether anybody uses it so.

use core::fmt;
use core::ops::Range;

use model::{Assignment, Status};

use crate::paper::Paper;
use crate::table::NO_PART;

/// What the registry says of one port of one transport.
#[derive(Clone)]
pub struct Standing<'a> {
    /// The one status that every port has.
    pub status: Status,
    /// The row that gives the status; `None` where the registry has no row for the port.
    pub assignment: Option<Assignment<'a>>,
    /// Whether an assigned port is in ordinary use.
    pub usage: Usage,
    /// Which parts of the source gave the row.
    pub provenance: Provenance,
    paper: &'a Paper,
    more: Range<usize>,
}

impl<'a> Standing<'a> {
    #[inline]
    pub(crate) fn new(
        paper: &'a Paper,
        status: Status,
        assignment: Option<Assignment<'a>>,
        usage: Usage,
        provenance: Provenance,
        more: Range<usize>,
    ) -> Standing<'a> {
        Standing { status, assignment, usage, provenance, paper, more }
    }

    /// Further rows of the registry for the same port and transport: older names, duplicates, ranges around it.
    pub fn more(&self) -> impl Iterator<Item = Assignment<'a>> + 'a {
        let paper = self.paper;
        self.more.clone().filter_map(move |entry| paper.listed(entry).map(|(row, _)| row))
    }
}

impl fmt::Debug for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing")
            .field("status", &self.status)
            .field("assignment", &self.assignment)
            .field("usage", &self.usage)
            .field("provenance", &self.provenance)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Standing<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status
            && self.assignment == other.assignment
            && self.usage == other.usage
            && self.more().eq(other.more())
    }
}

/// Which parts of the source gave a row: numbers that [`Paper::part`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The part that has the row, its name and its description; `None` where it follows from a rule.
    pub row: Option<u8>,
    /// The part that has assignee, contact, dates, reference, unauthorised use and notes; `None` where none has.
    pub details: Option<u8>,
}

impl Provenance {
    pub(crate) fn of(parts: u8) -> Provenance {
        let part = |bits: u8| Some(bits & 7).filter(|bits| *bits != NO_PART);
        Provenance { row: part(parts >> 3), details: part(parts) }
    }
}

/// Whether an assigned port is in ordinary use, and why we believe so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// In ordinary use; the reason names its source.
    Ordinary(&'static str),
    /// Assigned, but not in ordinary use; the reason names its source.
    Silent(&'static str),
    /// Reserved, unassigned or dynamic: there is no use to speak of.
    NotAssigned,
}

impl Usage {
    /// The reason, where there is one.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Usage::Ordinary(reason) | Usage::Silent(reason) => Some(reason),
            Usage::NotAssigned => None,
        }
    }
}
