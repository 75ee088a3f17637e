//! One port in a census: what paper says of it, and who sits there.

use model::{Assignment, Status, Transport};
use registry::{Paper, Usage};

use super::attendance::{Attendance, Fit, Use};

/// What a chair looks like from afar: paper, use and verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Seat {
    /// Nobody was assigned it, and nobody is there.
    Unassigned,
    /// Held back, or for private use, and nobody is there.
    Reserved,
    /// Assigned to a service in ordinary use, and not used here.
    Waiting,
    /// Assigned to a service that is not in ordinary use, and not used here: nobody ever came.
    Empty,
    /// Used, and nothing speaks against it.
    Taken,
    /// Used although its service is not in ordinary use.
    Unexplained,
    /// Used by something else than what it is for.
    Squatted,
    /// Used although nobody was assigned it.
    Unlisted,
}

impl Seat {
    /// Every one, in the order of a legend.
    pub const ALL: [Seat; 8] = [
        Seat::Taken,
        Seat::Squatted,
        Seat::Unexplained,
        Seat::Unlisted,
        Seat::Waiting,
        Seat::Empty,
        Seat::Reserved,
        Seat::Unassigned,
    ];

    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Seat::Unassigned => "unassigned",
            Seat::Reserved => "reserved",
            Seat::Waiting => "waiting",
            Seat::Empty => "empty",
            Seat::Taken => "taken",
            Seat::Unexplained => "unexplained",
            Seat::Squatted => "squatted",
            Seat::Unlisted => "unlisted",
        }
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Seat::Unassigned => "unassigned, not used here",
            Seat::Reserved => "reserved, not used here",
            Seat::Waiting => "assigned, in ordinary use elsewhere, not used here",
            Seat::Empty => "assigned and silent: nobody came",
            Seat::Taken => "used, and nothing speaks against it",
            Seat::Unexplained => "used although its service is silent",
            Seat::Squatted => "used by another service than its own",
            Seat::Unlisted => "used although nobody was assigned it",
        }
    }
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chair<'a> {
    /// The port.
    pub port: u16,
    /// Its standing on paper.
    pub status: Status,
    /// The row that gives the standing.
    pub assignment: Option<Assignment<'a>>,
    /// Whether its service is in ordinary use, and why we believe so.
    pub usage: Usage,
    /// Who is or was there; `None` where nobody came.
    pub occupied: Option<&'a Use>,
}

impl<'a> Chair<'a> {
    /// The chair of this port.
    pub fn of(paper: &'a Paper, attendance: &'a Attendance, transport: Transport, port: u16) -> Chair<'a> {
        let standing = paper.standing(transport, port);
        Chair {
            port,
            status: standing.status,
            assignment: standing.assignment,
            usage: standing.usage,
            occupied: attendance.at(transport, port),
        }
    }

    /// Whether its service is assigned and not in ordinary use.
    pub fn is_silent(&self) -> bool {
        matches!(self.usage, Usage::Silent(_))
    }

    /// What it looks like from afar.
    pub fn seat(&self) -> Seat {
        match (self.occupied, self.status) {
            (None, Status::Unassigned) => Seat::Unassigned,
            (None, Status::Reserved | Status::Dynamic) => Seat::Reserved,
            (None, Status::Assigned) if self.is_silent() => Seat::Empty,
            (None, Status::Assigned) => Seat::Waiting,
            (Some(occupied), Status::Assigned) => match occupied.fit {
                Fit::Squatted => Seat::Squatted,
                Fit::Unexplained => Seat::Unexplained,
                // A judgement may be switched off by policy; that the service is silent stays a fact.
                Fit::Fitting if self.is_silent() => Seat::Unexplained,
                Fit::Fitting => Seat::Taken,
            },
            // What the dynamic ports are for is being used by anybody.
            (Some(_), Status::Dynamic) => Seat::Taken,
            (Some(_), Status::Unassigned | Status::Reserved) => Seat::Unlisted,
        }
    }
}
