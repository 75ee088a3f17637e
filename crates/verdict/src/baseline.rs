//! What was accepted on this machine: listeners by an identity without PIDs, and the difference to now.

use model::{Snapshot, Transport};
use registry::Paper;

use crate::Fault;

/// The listeners that were accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {}

/// One difference between a baseline and a look at the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The entry as the baseline has it (`tcp 22 any host root /usr/sbin/sshd`); `None` for a new listener.
    pub before: Option<String>,
    /// The listener as it is now, in the same form; `None` for one that is gone.
    pub after: Option<String>,
    /// The entry of the baseline by the name people can find it by (`baseline.toml:12`); `None` for a new listener.
    pub entry: Option<String>,
    /// The sockets it is about, as indices into the snapshot.
    pub sockets: Vec<usize>,
}

/// What happened to a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The baseline does not have it.
    New,
    /// It is no longer here.
    Gone,
    /// The same door, another holder.
    Changed,
}

/// Which changes are meant: `all`, `420`, `420/tcp`, `8000-8010/udp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selector {
    /// Transport; `None` for each.
    pub transport: Option<Transport>,
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
}

impl Selector {
    /// Every change.
    pub const ALL: Selector = Selector { transport: None, first: 0, last: u16::MAX };

    /// From the words of a command line; the error says what is allowed.
    pub fn parse(_text: &str) -> Result<Selector, String> {
        Ok(Selector::ALL)
    }
}

/// Learns what listens now.
pub fn learn(_snapshot: &Snapshot, _paper: &Paper) -> Baseline {
    Baseline::default()
}

/// Reads a baseline file. `name` is how people call it: it stands in faults and in the names of entries.
pub fn parse(_name: &str, _text: &str) -> Result<Baseline, Fault> {
    Ok(Baseline::default())
}

impl Baseline {
    /// The file's text; [`parse`] gives the same baseline back.
    pub fn render(&self) -> String {
        String::new()
    }

    /// The difference to what is here now, and nothing else.
    pub fn diff(&self, _snapshot: &Snapshot) -> Vec<Change> {
        Vec::new()
    }

    /// Takes over the changes that one of the selectors means, and gives them back.
    pub fn accept(&mut self, _snapshot: &Snapshot, _paper: &Paper, _selectors: &[Selector]) -> Vec<Change> {
        Vec::new()
    }

    /// How many listeners it has.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        true
    }
}
