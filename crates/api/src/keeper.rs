//! What the board does not have: the past, what people decided, and what they wrote down.

use engine::{Sighting, TrafficView};
use model::{Code, DecoyLevel, DecoyTouch, SocketEvent, Timestamp, Transport, Utc};

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
    /// Only this port.
    pub port: Option<(Transport, u16)>,
    /// Only with this number in the record, from where the last page ended.
    pub after: Option<u64>,
    /// At most so many.
    pub most: usize,
}

/// Something that was written down.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// It happened to a socket.
    Event(SocketEvent),
    /// It was found.
    Finding(Sighting),
    /// Somebody came to a decoy.
    Touch(DecoyTouch),
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
    /// What was written down, the newest first, each with its number.
    fn history(&self, _query: &Query) -> Result<Vec<(u64, Recorded)>, Refusal> {
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

    /// Who came to decoys last, the newest first.
    fn touches(&self, _most: usize) -> Vec<DecoyTouch> {
        Vec::new()
    }

    /// How large the record is in bytes; `None` where there is none.
    fn record_bytes(&self) -> Option<u64> {
        None
    }

    /// Judges what a capture holds, by what this machine is judged by.
    fn judge_capture(&self, traffic: model::Traffic) -> TrafficView {
        let grounds = engine::TrafficGrounds {
            policy: &engine::Policy::default(),
            earlier: None,
            live: false,
            today: engine::today(),
        };
        TrafficView::new(traffic, engine::Paper::builtin(), &grounds)
    }
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Keeper for Nobody {}
