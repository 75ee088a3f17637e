//! The answer to "what is this port for": its standing on paper, and whether anybody uses it so.

use model::{Assignment, Status};

/// What the registry says of one port of one transport.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The one status that every port has.
    pub status: Status,
    /// The row that gives the status; `None` where the registry has no row for the port.
    pub assignment: Option<Assignment<'a>>,
    /// Whether an assigned port is in ordinary use.
    pub usage: Usage,
}

impl<'a> Standing<'a> {
    /// Further rows of the registry for the same port and transport: older names, duplicates.
    pub fn more(&self) -> impl Iterator<Item = Assignment<'a>> + 'a {
        core::iter::empty()
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
