//! What may be asked of a history, as it travels to whoever has the file open.

use serde::{Deserialize, Serialize};

use crate::answer::FindingState;
use crate::moment::Moment;

/// A question, or something that people decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// Everything about one port number.
    Port {
        /// `tcp`, `udp`, `sctp` or `dccp`; without it each of them.
        transport: Option<String>,
        /// The number.
        port: u16,
        /// So many of the latest records.
        records: u32,
        /// The asker's time: acknowledgements expire by it.
        now: Moment,
    },
    /// What happened, the latest first.
    Records {
        /// Which.
        filter: RecordFilter,
    },
    /// Findings, gravest first.
    Findings {
        /// Which.
        filter: FindingFilter,
        /// The asker's time.
        now: Moment,
    },
    /// One finding.
    Finding {
        /// Its id, or a beginning of it that no other has.
        id: String,
        /// The asker's time.
        now: Moment,
    },
    /// Somebody accepts a finding.
    Acknowledge {
        /// Its id, or a beginning of it that no other has.
        id: String,
        /// Why.
        reason: String,
        /// Who.
        by: String,
        /// Until when; without it until somebody reopens it.
        until: Option<Moment>,
        /// The asker's time.
        now: Moment,
    },
    /// Somebody takes that back.
    Reopen {
        /// Its id, or a beginning of it that no other has.
        id: String,
        /// The asker's time.
        now: Moment,
    },
    /// First and last use of port numbers.
    Usage {
        /// Which numbers; none for all.
        ports: Vec<u16>,
    },
    /// What servers spoke, by the bytes of flows that were still seen then or later.
    Spoken {
        /// Since when.
        since: Moment,
    },
    /// How much there is.
    Statistics,
}

impl Query {
    /// Whether it changes something.
    pub fn changes(&self) -> bool {
        matches!(self, Query::Acknowledge { .. } | Query::Reopen { .. })
    }
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordFilter {
    /// Not before.
    pub since: Option<Moment>,
    /// Not after.
    pub until: Option<Moment>,
    /// Holders with this in their program, executable, unit, container, user or package; in any case.
    pub holder: Option<String>,
    /// Only this transport.
    pub transport: Option<String>,
    /// Only this port.
    pub port: Option<u16>,
    /// Only records of these kinds, as [`crate::What::name`] calls them; none for all.
    pub kinds: Vec<String>,
    /// Only records with a smaller number: how the next page is asked for.
    pub before: Option<u64>,
    /// So many at most.
    pub limit: u32,
}

/// Which findings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FindingFilter {
    /// Of these states; none for all.
    pub states: Vec<FindingState>,
    /// Last seen not before.
    pub since: Option<Moment>,
    /// `note`, `warning` or `alert`, and graver.
    pub severity: Option<String>,
    /// Codes, with `*` and `?`; none for all.
    pub codes: Vec<String>,
    /// So many are left out at the beginning.
    pub skip: u32,
    /// So many at most.
    pub limit: u32,
}
