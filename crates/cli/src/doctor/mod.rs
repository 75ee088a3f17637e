//! What works on this machine: facts of it, and what they mean for each thing that we do.
//!
//! [`Facts`] are gathered once; [`rows`] is a function of them alone.

mod files;
mod gather;
mod kernel;
mod rights;
mod seen;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use host::events::EventSource;
use host::means::Means;
use model::Gap;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// It works in part.
    Limited,
    /// It does not work, or is not there.
    No,
    /// We could not find out.
    Unknown,
}

impl State {
    /// The stable word, as in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Limited => "limited",
            State::No => "no",
            State::Unknown => "unknown",
        }
    }
}

/// One thing that we looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its name, stable.
    pub(crate) name: String,
    pub(crate) state: State,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// How it is, and why.
    pub(crate) why: String,
    /// What to do, where something helps.
    pub(crate) advice: Option<String>,
    /// Whether all works without it.
    pub(crate) optional: bool,
}

impl Row {
    fn new(name: impl Into<String>, purpose: &'static str, state: State, why: impl Into<String>) -> Row {
        Row { name: name.into(), state, purpose, why: why.into(), advice: None, optional: false }
    }

    fn advise(mut self, advice: impl Into<String>) -> Row {
        self.advice = Some(advice.into());
        self
    }

    fn optional(mut self) -> Row {
        self.optional = true;
        self
    }
}

/// Files of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileFacts {
    /// Those that count.
    pub(crate) files: Vec<PathBuf>,
    /// What is wrong with them or with others that should count.
    pub(crate) faults: Vec<String>,
}

/// Where the registry comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TableFacts {
    /// As its source has it, at least a year and a month.
    pub(crate) date: String,
    pub(crate) imported: bool,
    pub(crate) fault: Option<String>,
}

/// The folder where history is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryFacts {
    pub(crate) folder: PathBuf,
    pub(crate) exists: bool,
    /// Free bytes on its disk, or why nobody knows.
    pub(crate) free: Result<u64, String>,
}

/// Whether a service of ours runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServiceFacts {
    Runs(PathBuf),
    Not,
    /// It runs, and we may not ask it or it does not answer.
    Unreachable(String),
}

/// Everything that rows are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) means: Means,
    /// Where one whole look could not look.
    pub(crate) gaps: Vec<Gap>,
    /// How many sockets it saw, and of how many no holder.
    pub(crate) sockets: (usize, usize),
    /// Ways to learn what happens to sockets.
    pub(crate) events: Vec<EventSource>,
    /// Interfaces that are up, or why nobody knows.
    pub(crate) interfaces: Result<Vec<String>, String>,
    pub(crate) table: TableFacts,
    pub(crate) policy: FileFacts,
    pub(crate) baseline: FileFacts,
    pub(crate) settings: FileFacts,
    /// Memory that the service is set to use, in bytes.
    pub(crate) wanted_bytes: u64,
    pub(crate) history: Option<HistoryFacts>,
    pub(crate) service: ServiceFacts,
    /// The unit file, where it is installed.
    pub(crate) unit: Option<PathBuf>,
    /// Days since 1970-01-01.
    pub(crate) today: i64,
}

/// What the facts mean, in a fixed order: kernel, rights, what a look saw, files, service.
pub(crate) fn rows(facts: &Facts) -> Vec<Row> {
    let mut rows = Vec::new();
    kernel::rows(facts, &mut rows);
    rights::rows(facts, &mut rows);
    seen::rows(facts, &mut rows);
    files::rows(facts, &mut rows);
    rows
}

/// The exit status: 0 where all is well, 1 where something is not, 2 where we could not look. What is optional does
/// not count.
pub(crate) fn exit_status(rows: &[Row]) -> u8 {
    let is = |state| rows.iter().any(|row| !row.optional && row.state == state);
    match () {
        () if is(State::Limited) || is(State::No) => 1,
        () if is(State::Unknown) => 2,
        () => 0,
    }
}
