//! What is written down together, in one transaction.

use std::sync::Arc;

use model::media::{Session, Stream};
use model::{Code, DecoyTouch, Finding, Flow, Gap, Snapshot, SocketEvent, Timestamp, Utc};

/// Everything that came since the last time.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What happened to sockets.
    pub events: Vec<SocketEvent>,
    /// A look at the machine: its sockets and holders were there at that time.
    pub look: Option<Arc<Snapshot>>,
    /// Flows that ended.
    pub flows: Vec<Flow>,
    /// Sessions that are known, with the time at which they were.
    pub sessions: Vec<(Timestamp<Utc>, Session)>,
    /// Streams that are measured, with the time at which they were.
    pub streams: Vec<(Timestamp<Utc>, Stream)>,
    /// What was judged.
    pub findings: Vec<Sighting>,
    /// What no longer holds: a judgement was made anew and the finding was not among its findings.
    pub resolved: Vec<Resolution>,
    /// Who came to decoys.
    pub touches: Vec<DecoyTouch>,
    /// What could not be seen, or was lost.
    pub gaps: Vec<(Timestamp<Utc>, Gap)>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.look.is_none()
            && self.flows.is_empty()
            && self.sessions.is_empty()
            && self.streams.is_empty()
            && self.findings.is_empty()
            && self.resolved.is_empty()
            && self.touches.is_empty()
            && self.gaps.is_empty()
    }
}

/// A finding that was seen at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// When.
    pub at: Timestamp<Utc>,
    /// What tells it from others of its code, and stays the same when it is seen again: `tcp 0.0.0.0:420 /usr/bin/nc`.
    /// Where it is about one port, it begins so: the transport, and the address with the port or the port alone.
    pub about: String,
    /// The finding.
    pub finding: Finding,
}

/// A finding that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Since when we know.
    pub at: Timestamp<Utc>,
    /// The finding's code.
    pub code: Code,
    /// What it was about, as in [`Sighting::about`].
    pub about: String,
}
