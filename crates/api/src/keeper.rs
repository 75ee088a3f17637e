//! What the board does not have: the past, what people decided, and what they wrote down.

use engine::store::Records;
use engine::{Grounds, Sighting};
use model::{Code, DecoyLevel, Timestamp, Transport, Utc};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is not kept here; the sentence says what to do.
    NotKept(String),
    /// There is no such thing.
    Unknown(String),
    /// What was asked for cannot be meant.
    Wrong(String),
    /// It failed.
    Failed(String),
}

/// When something was seen first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first time.
    pub first: Timestamp<Utc>,
    /// The last time.
    pub last: Timestamp<Utc>,
}

/// What is asked of the past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only from then on.
    pub since: Option<Timestamp<Utc>>,
    /// Only before then.
    pub until: Option<Timestamp<Utc>>,
    /// Only this transport.
    pub transport: Option<Transport>,
    /// Only this port.
    pub port: Option<u16>,
    /// Only these kinds, as [`engine::store::What`] names them; none for all.
    pub kinds: Vec<&'static str>,
    /// Only with this number in the record, from where the last page ended.
    pub after: Option<u64>,
    /// At most so many.
    pub most: usize,
}

/// What people decided about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Timestamp<Utc>,
    /// Who, as the token or the user is called.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when it holds; `None` for as long as the finding stands.
    pub until: Option<Timestamp<Utc>>,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody decided about it.
    Open,
    /// Somebody knows of it.
    Acknowledged,
    /// It stands no more.
    Over,
}

impl Standing {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Open => "open",
            Standing::Acknowledged => "acknowledged",
            Standing::Over => "over",
        }
    }
}

/// A finding with what is kept of it.
#[derive(Debug, Clone)]
pub struct KeptFinding {
    /// The finding, what it is about, and when it was last seen.
    pub sighting: Sighting,
    /// When it was first seen.
    pub first: Timestamp<Utc>,
    /// How it stands.
    pub standing: Standing,
    /// What was decided last.
    pub decision: Option<Decision>,
}

/// A file of policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A policy that somebody proposes; it was found to be sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// When.
    pub at: Timestamp<Utc>,
    /// Who, as the token or the user is called.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Which file it would replace; without it, it is one more.
    pub replaces: Option<String>,
    /// What it says.
    pub text: String,
}

/// A policy that was proposed, where it waits for an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What was proposed.
    pub proposed: Proposed,
    /// The file.
    pub file: String,
    /// What an administrator types to take it over.
    pub command: String,
}

/// A decoy, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoyStanding {
    /// The transport.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
    /// How it behaves.
    pub level: DecoyLevel,
    /// Whether it is there; else why not.
    pub trouble: Option<String>,
    /// How often somebody came.
    pub touches: u64,
}

/// Who keeps what the board does not have. What is not kept says so: nothing is made up.
pub trait Keeper: Send + Sync {
    /// What was written down, the newest first.
    fn history(&self, _query: &Query) -> Result<Records, Refusal> {
        Err(Refusal::NotKept(String::from("no history is kept: set [history] in the service's settings")))
    }

    /// When a port was used first and last.
    fn span(&self, _transport: Transport, _port: u16) -> Option<Span> {
        None
    }

    /// What was found before and stands no more, and what is kept of what stands.
    fn findings(&self) -> Vec<KeptFinding> {
        Vec::new()
    }

    /// Notes that somebody knows of a finding.
    fn acknowledge(&self, _code: Code, _about: &str, _decision: Decision) -> Result<(), Refusal> {
        Err(Refusal::NotKept(String::from("decisions are not kept: set [history] in the service's settings")))
    }

    /// Takes that back.
    fn reopen(&self, _code: Code, _about: &str, _by: &str) -> Result<(), Refusal> {
        Err(Refusal::NotKept(String::from("decisions are not kept: set [history] in the service's settings")))
    }

    /// What people wrote down.
    fn policies(&self) -> Vec<PolicyText> {
        Vec::new()
    }

    /// The decoys.
    fn decoys(&self) -> Vec<DecoyStanding> {
        Vec::new()
    }

    /// How large the record is in bytes; `None` where there is none.
    fn record_bytes(&self) -> Option<u64> {
        None
    }

    /// What everything is judged by now; by itself, the registry alone.
    fn grounds(&self) -> Grounds {
        Grounds::default()
    }

    /// Policies that somebody proposed and nobody has taken over, the newest first.
    fn proposals(&self) -> Vec<Proposal> {
        Vec::new()
    }

    /// Keeps a policy that somebody proposes, where it does not count.
    fn propose(&self, _proposed: Proposed) -> Result<Proposal, Refusal> {
        Err(Refusal::NotKept(String::from("proposals are not kept here")))
    }
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Keeper for Nobody {}
