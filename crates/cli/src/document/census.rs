//! The JSON document of `census`.

use serde::Serialize;

use engine::View;
use engine::census::{self as counted, Chair, Range, Roll};
use model::Transport;
use registry::Usage;

use super::SCHEMA_VERSION;
use super::tables::{Gap, Generator, Machine, Registry};

/// The registry against use on a machine.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve census", deny_unknown_fields))]
pub(crate) struct CensusDocument<'a> {
    /// Version of this form.
    pub(super) schema_version: u32,
    /// When the machine was looked at (RFC 3339, UTC).
    generated: String,
    /// What made it.
    generator: Generator,
    /// The machine.
    machine: Machine<'a>,
    /// The registry that was counted.
    pub(super) registry: Registry<'a>,
    /// Since when use is counted; null where only the present was looked at.
    since: Option<String>,
    /// TCP and UDP.
    pub(super) transports: Vec<Transports<'a>>,
    /// Where we could not look.
    gaps: Vec<Gap<'a>>,
    /// The exit status.
    exit_status: u8,
}

/// The census of one transport.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(super) struct Transports<'a> {
    /// `tcp` or `udp`.
    transport: &'static str,
    /// Rows of the registry with a port of this transport.
    rows: u32,
    /// Counts of each range.
    ranges: Vec<Counts>,
    /// Counts of all ports.
    total: Counts,
    /// What each well-known port looks like, from port 0 on: `taken`, `squatted`, `unexplained`, `unlisted`, `waiting`,
    /// `empty`, `reserved` or `unassigned`.
    well_known: Vec<&'static str>,
    /// Every port that is used.
    used: Vec<Used<'a>>,
    /// Assignments that nobody seems to use: assigned, silent, and not used here.
    reclaimable: Vec<Reclaimable<'a>>,
}

/// How many ports there are of each kind.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Counts {
    /// `system`, `user`, `dynamic` or `all`.
    range: &'static str,
    /// First port.
    first: u16,
    /// Last port.
    last: u16,
    /// All of them.
    ports: u32,
    /// Given to a service.
    assigned: u32,
    /// Inferred: of those, in no ordinary use.
    silent: u32,
    /// Free to be asked for.
    unassigned: u32,
    /// Held back.
    reserved: u32,
    /// For private use.
    dynamic: u32,
    /// Used here, whatever their standing.
    used: u32,
    /// Used now.
    used_now: u32,
    /// Assigned and used.
    assigned_used: u32,
    /// Inferred: used by another service than their own.
    squatted: u32,
    /// Inferred: used although their service is silent.
    unexplained: u32,
    /// Used although nobody was assigned them.
    unlisted: u32,
    /// Assigned and not used here.
    never_used: u32,
    /// Inferred: assigned, silent and not used here.
    reclaimable: u32,
}

/// A port that is used.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Used<'a> {
    /// The port.
    port: u16,
    /// `assigned`, `unassigned`, `reserved` or `dynamic`.
    status: &'static str,
    /// The registry's name for it.
    registered: Option<&'a str>,
    /// Who was given it.
    assignee: Option<&'a str>,
    /// Inferred: assigned, but not in ordinary use; null where nothing is assigned.
    silent: Option<bool>,
    /// Inferred: `taken`, `squatted`, `unexplained` or `unlisted`.
    seat: &'static str,
    /// Whether something is there now.
    now: bool,
    /// When something was last there before, where that is remembered.
    last_seen: Option<String>,
    /// The programs that hold it.
    holders: Vec<&'a str>,
    /// The protocols that its servers spoke, by their bytes, as far as that is remembered.
    spoken: Vec<&'static str>,
}

/// An assignment that nobody seems to use.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Reclaimable<'a> {
    /// First port.
    first: u16,
    /// Last port.
    last: u16,
    /// Service name.
    name: Option<&'a str>,
    /// Who was given it.
    assignee: Option<&'a str>,
    /// Date of registration.
    registered: Option<&'a str>,
    /// Why we believe that it is silent.
    reason: &'static str,
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl<'a> CensusDocument<'a> {
    pub(crate) fn of(view: &'a View, census: &counted::Census<'a>, exit_status: u8) -> CensusDocument<'a> {
        CensusDocument {
            schema_version: SCHEMA_VERSION,
            generated: view.snapshot.taken.rfc3339(),
            generator: Generator::this(),
            machine: Machine::of(&view.snapshot.machine),
            registry: Registry::of(&view.paper),
            since: census.since.map(|since| since.rfc3339()),
            transports: census.rolls.iter().map(Transports::of).collect(),
            gaps: view.snapshot.gaps.iter().map(Gap::of).collect(),
            exit_status,
        }
    }
}

impl<'a> Transports<'a> {
    fn of(roll: &Roll<'a>) -> Transports<'a> {
        let range = |range: Range| {
            let ports = range.ports();
            Counts::of(range.name(), (*ports.start(), *ports.end()), roll.tally(range))
        };
        Transports {
            transport: Transport::name(roll.transport),
            rows: roll.rows,
            ranges: Range::ALL.into_iter().map(range).collect(),
            total: Counts::of("all", (0, u16::MAX), roll.total()),
            well_known: roll.chairs.iter().map(|chair| chair.seat().name()).collect(),
            used: roll.occupied.iter().map(Used::of).collect(),
            reclaimable: roll
                .candidates
                .iter()
                .map(|candidate| Reclaimable {
                    first: candidate.first,
                    last: candidate.last,
                    name: filled(candidate.assignment.name),
                    assignee: filled(candidate.assignment.assignee),
                    registered: filled(candidate.assignment.registered),
                    reason: candidate.reason,
                })
                .collect(),
        }
    }
}

impl Counts {
    fn of(range: &'static str, (first, last): (u16, u16), tally: counted::Tally) -> Counts {
        Counts {
            range,
            first,
            last,
            ports: tally.ports,
            assigned: tally.assigned,
            silent: tally.silent,
            unassigned: tally.unassigned,
            reserved: tally.reserved,
            dynamic: tally.dynamic,
            used: tally.used,
            used_now: tally.used_now,
            assigned_used: tally.assigned_used,
            squatted: tally.squatted,
            unexplained: tally.unexplained,
            unlisted: tally.unlisted,
            never_used: tally.never_used,
            reclaimable: tally.reclaimable,
        }
    }
}

impl<'a> Used<'a> {
    fn of(chair: &Chair<'a>) -> Used<'a> {
        Used {
            port: chair.port,
            status: chair.status.name(),
            registered: chair.assignment.and_then(|row| filled(row.name)),
            assignee: chair.assignment.and_then(|row| filled(row.assignee)),
            silent: match chair.usage {
                Usage::Silent(_) => Some(true),
                Usage::Ordinary(_) => Some(false),
                Usage::NotAssigned => None,
            },
            seat: chair.seat().name(),
            now: chair.occupied.is_some_and(|occupied| occupied.now),
            last_seen: chair.occupied.and_then(|occupied| occupied.earlier).map(|time| time.rfc3339()),
            holders: chair
                .occupied
                .map(|occupied| occupied.holders.iter().map(String::as_str).collect())
                .unwrap_or_default(),
            spoken: chair.occupied.map(|occupied| occupied.spoken.clone()).unwrap_or_default(),
        }
    }
}
