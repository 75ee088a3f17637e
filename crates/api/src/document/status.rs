//! How the watching itself goes.

use engine::board::Current;
use serde::Serialize;

use super::{Gap, moment};

/// How the watching itself goes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Status {
    /// The version of the program.
    version: &'static str,
    /// The machine's name.
    hostname: String,
    /// Its operating system.
    os: &'static str,
    /// Its kernel.
    kernel: String,
    /// When watching began.
    pub(crate) since: String,
    /// When the machine was last looked at.
    pub(crate) looked: String,
    /// Whether that look saw everything that a judgement needs.
    pub(crate) partial: bool,
    /// Where we could not look.
    pub(crate) gaps: Vec<Gap>,
    /// The interfaces that are read.
    pub(crate) interfaces: Vec<String>,
    /// How socket events are known: `kernel` or `looks`; null where nobody listens for them.
    pub(crate) witness: Option<&'static str>,
    /// Socket events that were told.
    events_seen: u64,
    /// Socket events that there was no room for.
    pub(crate) events_lost: u64,
    /// Frames read.
    pub(crate) frames: u64,
    /// Frames that were dropped.
    pub(crate) dropped: u64,
    /// The number of the last change.
    pub(crate) last_change: u64,
    /// Who asks.
    you: String,
    /// What they may do.
    scope: &'static str,
    /// What a request of a browser that changes something must bring along; null where a token is sent each time.
    csrf: Option<String>,
}

impl Status {
    pub(crate) fn of(current: &Current, last_change: u64, caller: &crate::caller::Caller) -> Status {
        let snapshot = &current.machine.snapshot;
        let volume = current.traffic.as_ref().map(|view| view.traffic.volume).unwrap_or_default();
        let of_wire = current.traffic.iter().flat_map(|view| &view.traffic.gaps);
        Status {
            version: env!("CARGO_PKG_VERSION"),
            hostname: snapshot.machine.hostname.clone(),
            os: snapshot.machine.os,
            kernel: snapshot.machine.kernel.clone(),
            since: moment(current.since),
            looked: moment(snapshot.taken),
            partial: current.machine.is_partial(),
            gaps: snapshot.gaps.iter().chain(of_wire).take(100).map(Gap::of).collect(),
            interfaces: current.interfaces.clone(),
            witness: current.witness.map(model::Witness::name),
            events_seen: current.events.seen,
            events_lost: current.events.lost,
            frames: volume.frames,
            dropped: volume.dropped,
            last_change,
            you: caller.name(),
            scope: caller.scope.name(),
            csrf: caller.csrf.clone(),
        }
    }
}
