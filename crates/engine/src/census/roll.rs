//! The roll of a transport: its chairs by range, counted, and those that could be given back.

use core::ops::RangeInclusive;

use model::{Assignment, Status, Timestamp, Transport, Utc};
use registry::{Paper, Usage};

use super::attendance::{Attendance, Use};
use super::chair::{Chair, Seat};

/// The well-known ports, which the registry calls system ports (RFC 6335 §6).
pub const WELL_KNOWN: RangeInclusive<u16> = 0..=1023;

/// A range of ports with rules of its own (RFC 6335 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Range {
    /// 0 to 1023: well-known ports.
    System,
    /// 1024 to 49151: registered ports.
    User,
    /// 49152 to 65535: private ports, never assigned.
    Dynamic,
}

impl Range {
    /// Every range, in order.
    pub const ALL: [Range; 3] = [Range::System, Range::User, Range::Dynamic];

    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Range::System => "system",
            Range::User => "user",
            Range::Dynamic => "dynamic",
        }
    }

    /// Its ports.
    pub fn ports(self) -> RangeInclusive<u16> {
        match self {
            Range::System => WELL_KNOWN,
            Range::User => 1024..=49_151,
            Range::Dynamic => 49_152..=u16::MAX,
        }
    }

    /// The range of a port.
    pub fn of(port: u16) -> Range {
        match port {
            0..=1023 => Range::System,
            1024..=49_151 => Range::User,
            _ => Range::Dynamic,
        }
    }
}

/// How many ports of a range there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All of them.
    pub ports: u32,
    /// Given to a service.
    pub assigned: u32,
    /// Of those, in no ordinary use as far as our registry knows.
    pub silent: u32,
    /// Free to be asked for.
    pub unassigned: u32,
    /// Held back.
    pub reserved: u32,
    /// For private use.
    pub dynamic: u32,
    /// Used here, whatever their standing.
    pub used: u32,
    /// Used now.
    pub used_now: u32,
    /// Assigned and used.
    pub assigned_used: u32,
    /// Used by another service than their own.
    pub squatted: u32,
    /// Used although their service is silent.
    pub unexplained: u32,
    /// Used although nobody was assigned them.
    pub unlisted: u32,
    /// Assigned and not used here.
    pub never_used: u32,
    /// Assigned, silent and not used here.
    pub reclaimable: u32,
    /// How many look like each [`Seat`], by its number.
    pub seats: [u32; Seat::ALL.len()],
}

impl Tally {
    fn count(&mut self, chair: &Chair<'_>) {
        let add = |count: &mut u32, when: bool| *count += u32::from(when);
        let assigned = chair.status == Status::Assigned;
        let seat = chair.seat();
        self.ports += 1;
        add(&mut self.assigned, assigned);
        add(&mut self.silent, chair.is_silent());
        add(&mut self.unassigned, chair.status == Status::Unassigned);
        add(&mut self.reserved, chair.status == Status::Reserved);
        add(&mut self.dynamic, chair.status == Status::Dynamic);
        add(&mut self.used, chair.occupied.is_some());
        add(&mut self.used_now, chair.occupied.is_some_and(|occupied| occupied.now));
        add(&mut self.assigned_used, assigned && chair.occupied.is_some());
        add(&mut self.squatted, seat == Seat::Squatted);
        add(&mut self.unexplained, seat == Seat::Unexplained);
        add(&mut self.unlisted, seat == Seat::Unlisted);
        add(&mut self.never_used, assigned && chair.occupied.is_none());
        add(&mut self.reclaimable, seat == Seat::Empty);
        if let Some(count) = self.seats.get_mut(seat as usize) {
            *count += 1;
        }
    }

    /// How many look like this.
    pub fn seated(&self, seat: Seat) -> u32 {
        self.seats.get(seat as usize).copied().unwrap_or_default()
    }
}

/// An assignment that nobody seems to use: assigned, silent, and not used on this machine on any of its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// First port of the assignment.
    pub first: u16,
    /// Last port.
    pub last: u16,
    /// The row.
    pub assignment: Assignment<'a>,
    /// Why we believe that it is silent.
    pub reason: &'static str,
}

/// The census of one transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll<'a> {
    /// The transport.
    pub transport: Transport,
    /// Rows of the registry with a port of this transport.
    pub rows: u32,
    /// One tally for each range, in order.
    pub tallies: [Tally; 3],
    /// The well-known ports, all of them, in order.
    pub chairs: Vec<Chair<'a>>,
    /// Every port that is used, in order.
    pub occupied: Vec<Chair<'a>>,
    /// Assignments that could be asked for back, in order of port.
    pub candidates: Vec<Candidate<'a>>,
}

impl<'a> Roll<'a> {
    fn take(paper: &'a Paper, attendance: &'a Attendance, transport: Transport) -> Roll<'a> {
        let mut roll = Roll {
            transport,
            rows: 0,
            tallies: [Tally::default(); 3],
            chairs: Vec::with_capacity(1024),
            occupied: Vec::new(),
            candidates: Vec::new(),
        };
        roll.rows = u32::try_from(paper.range(transport, 0..=u16::MAX).count()).unwrap_or(u32::MAX);
        // The row whose ports are being gone through, for assignments of several ports.
        let mut open: Option<Candidate<'a>> = None;
        for port in 0..=u16::MAX {
            let chair = Chair::of(paper, attendance, transport, port);
            if let Some(tally) = roll.tallies.get_mut(Range::of(port) as usize) {
                tally.count(&chair);
            }
            let reclaimable = chair.seat() == Seat::Empty;
            match (&mut open, chair.assignment, chair.usage) {
                (Some(candidate), Some(row), Usage::Silent(_))
                    if reclaimable && candidate.assignment == row =>
                {
                    candidate.last = port;
                }
                (_, Some(assignment), Usage::Silent(reason)) if reclaimable => {
                    roll.candidates.extend(open.replace(Candidate {
                        first: port,
                        last: port,
                        assignment,
                        reason,
                    }));
                }
                _ => roll.candidates.extend(open.take()),
            }
            if chair.occupied.is_some() {
                roll.occupied.push(chair.clone());
            }
            if WELL_KNOWN.contains(&port) {
                roll.chairs.push(chair);
            }
        }
        roll.candidates.extend(open);
        // Of an assignment that is used on one of its ports nothing is to be asked back.
        roll.candidates.retain(|candidate| {
            (candidate.assignment.first, candidate.assignment.last)
                == (Some(candidate.first), Some(candidate.last))
        });
        roll
    }

    /// The tally of a range.
    pub fn tally(&self, range: Range) -> Tally {
        self.tallies.get(range as usize).copied().unwrap_or_default()
    }

    /// All ranges together.
    pub fn total(&self) -> Tally {
        let mut sum = Tally::default();
        for tally in &self.tallies {
            sum.ports += tally.ports;
            sum.assigned += tally.assigned;
            sum.silent += tally.silent;
            sum.unassigned += tally.unassigned;
            sum.reserved += tally.reserved;
            sum.dynamic += tally.dynamic;
            sum.used += tally.used;
            sum.used_now += tally.used_now;
            sum.assigned_used += tally.assigned_used;
            sum.squatted += tally.squatted;
            sum.unexplained += tally.unexplained;
            sum.unlisted += tally.unlisted;
            sum.never_used += tally.never_used;
            sum.reclaimable += tally.reclaimable;
            for (sum, count) in sum.seats.iter_mut().zip(tally.seats) {
                *sum += count;
            }
        }
        sum
    }

    /// The used ports that look like this.
    pub fn seated(&self, seat: Seat) -> impl Iterator<Item = &Chair<'a>> {
        self.occupied.iter().filter(move |chair| chair.seat() == seat)
    }
}

/// The registry against use on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census<'a> {
    /// Since when use is counted; `None` where only the present was looked at.
    pub since: Option<Timestamp<Utc>>,
    /// TCP and UDP.
    pub rolls: [Roll<'a>; 2],
}

impl<'a> Census<'a> {
    /// Counts.
    pub fn take(paper: &'a Paper, attendance: &'a Attendance) -> Census<'a> {
        let roll = |transport| Roll::take(paper, attendance, transport);
        Census { since: attendance.since, rolls: [roll(Transport::Tcp), roll(Transport::Udp)] }
    }

    /// What is known of use at a port, where somebody came.
    pub fn occupied(&self) -> impl Iterator<Item = (Transport, &Chair<'a>, &'a Use)> {
        self.rolls.iter().flat_map(|roll| {
            roll.occupied.iter().filter_map(move |chair| Some((roll.transport, chair, chair.occupied?)))
        })
    }
}
