//! Policy, paper and facts to findings.
//!
//! Pure functions: [`judge`] takes a look at a machine, the registry, what people wrote down and what was accepted
//! before, and gives findings with their evidence; [`judge_traffic`] does the same for what was on the wire. No clock,
//! no file, no environment, and neither ever sees bytes of traffic.

mod accord;
pub mod baseline;
mod docket;
mod document;
mod fault;
mod glob;
mod judge;
mod known;
pub mod policy;
mod rules;
mod traffic;
mod usage;
mod visits;

pub use baseline::Baseline;
pub use fault::Fault;
pub use judge::judge;
pub use policy::Policy;
pub use rules::wire::home::is_at_home;
pub use traffic::{Earlier, TrafficFacts, judge_traffic};
pub use usage::{Usage, Used};
pub use visits::{SCAN_PORTS, judge_visits};

use model::media::Agreement;
use model::{Finding, Snapshot};
use registry::Paper;

/// Everything a judgement may rest on.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// What the registry says.
    pub paper: &'a Paper,
    /// What people wrote down; [`Policy::default`] says nothing.
    pub policy: &'a Policy,
    /// What was accepted on this machine, where there is such a list.
    pub baseline: Option<&'a Baseline>,
    /// What was agreed for its ports; [`Agreement::default`] says that nobody told.
    pub agreed: &'a Agreement,
    /// Which port numbers were used here before; [`Used::default`] says that nobody watched.
    pub used: &'a Used,
    /// The processes that are our own program, by what the system says of the file that they run.
    pub ourselves: &'a [u32],
    /// The day, counted since 1970-01-01 in UTC: entries of policy expire.
    pub today: i64,
}

/// What [`judge`] gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// What stands: by severity, gravest first, then by subject.
    pub findings: Vec<Finding>,
    /// What an entry of policy accepted: no longer a finding, and not forgotten.
    pub accepted: Vec<Accepted>,
}

/// A finding that an entry of policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The finding as it would have stood.
    pub finding: Finding,
    /// The entry that accepts it, by the name people can find it by (`policy.toml:12`).
    pub entry: String,
    /// Why, in the words of the entry.
    pub reason: String,
}
