//! One look at the machine: sockets, their holders, and the gaps, joined.

use model::Snapshot;

use crate::Look;

/// Looks at the machine, and keeps between looks what stays true.
#[derive(Debug, Default)]
pub struct Looker {}

impl Looker {
    /// A looker that has not looked yet.
    pub fn new() -> Looker {
        Looker {}
    }

    /// Looks once.
    pub fn snapshot(&mut self, _look: &Look) -> Snapshot {
        Snapshot {
            taken: model::Timestamp::from_ns(0),
            machine: model::Machine::default(),
            namespaces: Vec::new(),
            sockets: Vec::new(),
            processes: Vec::new(),
            forwards: Vec::new(),
            views: model::Views::default(),
            gaps: Vec::new(),
        }
    }
}
