//! What is written down together, in one transaction.

use std::sync::Arc;

use model::media::{Session, Stream};
use model::{DecoyTouch, Finding, Flow, Gap, Snapshot, SocketEvent, Timestamp, Utc};

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
    /// Who came to decoys.
    pub touches: Vec<DecoyTouch>,
    /// What could not be seen, or was lost.
    pub gaps: Vec<(Timestamp<Utc>, Gap)>,
}

/// A finding that was seen at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// When.
    pub at: Timestamp<Utc>,
    /// What tells it from others of its code, and stays the same when it is seen again: `tcp 0.0.0.0:420 /usr/bin/nc`.
    pub about: String,
    /// The finding.
    pub finding: Finding,
}
