//! What is told: findings with their state, or how many were held back.

use std::sync::Arc;

use model::{Code, Confidence, Evidence, Finding, Severity, Timestamp, Utc};
use store::Sighting;

/// Who tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The number of our process.
    pub process: u32,
}

impl Machine {
    /// The one that this runs on.
    pub fn this() -> Machine {
        Machine { name: host::machine_name(), process: std::process::id() }
    }
}

/// Why a finding is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is new.
    Found,
    /// It was told before, and still stands.
    Again,
    /// It was told before, and is graver now.
    Graver,
    /// It is over.
    Over,
    /// Nothing was found: somebody tries the way.
    Test,
}

impl State {
    /// The word in documents.
    pub fn name(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Again => "again",
            State::Graver => "graver",
            State::Over => "over",
            State::Test => "test",
        }
    }

    /// What stands before the title, for people.
    pub(super) fn before_title(self) -> &'static str {
        match self {
            State::Found => "",
            State::Again => "still: ",
            State::Graver => "graver: ",
            State::Over => "over: ",
            State::Test => "TEST, nothing was found: ",
        }
    }
}

/// A finding as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The finding, and when it was seen.
    pub sighting: Arc<Sighting>,
    /// Why it is told now.
    pub state: State,
    /// How often it was seen since it was new.
    pub times: u64,
}

/// What is told at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Findings of one cause; never none.
    Findings {
        /// The findings.
        told: Vec<Told>,
        /// How many more of the same cause there were no room for.
        more: u64,
    },
    /// What was not told, because it was too much.
    HeldBack {
        /// When the last of it was seen.
        at: Timestamp<Utc>,
        /// How many findings.
        count: u64,
        /// How many of each code, the most first.
        codes: Vec<(Code, u64)>,
    },
}

impl Notice {
    /// The gravest of what it tells.
    pub fn severity(&self) -> Severity {
        match self {
            Notice::Findings { told, .. } => {
                told.iter().map(|it| it.sighting.finding.severity).max().unwrap_or(Severity::Note)
            }
            Notice::HeldBack { .. } => Severity::Warning,
        }
    }

    /// How many findings it tells of.
    pub fn count(&self) -> u64 {
        match self {
            Notice::Findings { told, more } => u64::try_from(told.len()).unwrap_or(u64::MAX) + more,
            Notice::HeldBack { count, .. } => *count,
        }
    }

    /// When the last of it was seen.
    pub fn at(&self) -> Timestamp<Utc> {
        match self {
            Notice::Findings { told, .. } => {
                told.iter().map(|it| it.sighting.at).max().unwrap_or(Timestamp::from_ns(0))
            }
            Notice::HeldBack { at, .. } => *at,
        }
    }

    /// A finding that is made up, and says so.
    pub fn test(at: Timestamp<Utc>) -> Notice {
        let finding = Finding {
            code: Code::SilentPortInUse,
            severity: Severity::Alert,
            confidence: Confidence::Low,
            subjects: Vec::new(),
            title: "this is a test of the way by which findings are told".into(),
            evidence: vec![Evidence {
                fact: "somebody ran the test; no port was looked at".into(),
                source: "portreeve alert test".into(),
            }],
            next_step: "nothing; the way works".into(),
        };
        let about = "tcp 192.0.2.1:420 (made up)".into();
        let sighting = Arc::new(Sighting { at, about, finding });
        Notice::Findings { told: vec![Told { sighting, state: State::Test, times: 1 }], more: 0 }
    }
}
