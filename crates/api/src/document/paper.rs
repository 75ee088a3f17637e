//! Paper: what a port is for.

use engine::registry::{self, Usage, program};
use model::Transport;
use serde::Serialize;

/// One row of the registry.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Assignment {
    /// The service's name; null for reserved and unassigned rows.
    pub(crate) name: Option<String>,
    /// First port; null where a service has none.
    first: Option<u16>,
    /// Last port of a range.
    last: Option<u16>,
    /// The transport; null where it is for none in particular.
    transport: Option<&'static str>,
    /// `assigned`, `unassigned`, `reserved` or `dynamic`.
    status: &'static str,
    /// What the registry says it is.
    description: Option<String>,
    /// Who was given it.
    assignee: Option<String>,
    /// When.
    registered: Option<String>,
    /// When it was changed last.
    modified: Option<String>,
    /// The document that defines it.
    reference: Option<String>,
    /// Known unauthorised uses, in the registry's words.
    unauthorised: Option<String>,
    /// Notes, in the registry's words.
    notes: Option<String>,
}

pub(crate) fn words(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Assignment {
    pub(crate) fn of(row: &model::Assignment<'_>) -> Assignment {
        Assignment {
            name: words(row.name),
            first: row.first,
            last: row.last,
            transport: row.transport.map(Transport::name),
            status: row.status.name(),
            description: words(row.description),
            assignee: words(row.assignee),
            registered: words(row.registered),
            modified: words(row.modified),
            reference: words(row.reference),
            unauthorised: words(row.unauthorised),
            notes: words(row.notes),
        }
    }
}

/// What a port is for.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Paper {
    /// `assigned`, `unassigned`, `reserved` or `dynamic`.
    status: &'static str,
    /// Whether an assigned port is in ordinary use: `ordinary` or `silent`; null where it is not assigned.
    usage: Option<&'static str>,
    /// Why we believe so.
    usage_reason: Option<&'static str>,
    /// The rows of the registry, the one that gives the status first.
    registered: Vec<Assignment>,
    /// The name that programs are commonly seen under on this port; no paper says so.
    commonly_seen: Option<&'static str>,
    /// Its history of misuse, each in one sentence. The number alone proves nothing.
    misuse: Vec<String>,
}

pub(crate) fn usage_name(usage: Usage) -> Option<&'static str> {
    match usage {
        Usage::Ordinary(_) => Some("ordinary"),
        Usage::Silent(_) => Some("silent"),
        Usage::NotAssigned => None,
    }
}

impl Paper {
    pub(crate) fn of(paper: &engine::Paper, transport: Transport, port: u16) -> Paper {
        let standing = paper.standing(transport, port);
        Paper {
            status: standing.status.name(),
            usage: usage_name(standing.usage),
            usage_reason: standing.usage.reason(),
            registered: standing
                .assignment
                .iter()
                .copied()
                .chain(standing.more())
                .map(|row| Assignment::of(&row))
                .collect(),
            commonly_seen: program::commonly_seen(transport, port),
            misuse: registry::misuse(transport, port).map(|misuse| misuse.to_string()).collect(),
        }
    }
}

impl Paper {
    pub(crate) fn usage_reason(&self) -> Option<&'static str> {
        self.usage_reason
    }

    pub(crate) fn rows(&self) -> &[Assignment] {
        &self.registered
    }

    pub(crate) fn misuse(&self) -> &[String] {
        &self.misuse
    }
}

impl Assignment {
    pub(crate) fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub(crate) fn assignee(&self) -> Option<&str> {
        self.assignee.as_deref()
    }

    pub(crate) fn registered(&self) -> Option<&str> {
        self.registered.as_deref()
    }

    pub(crate) fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    pub(crate) fn unauthorised(&self) -> Option<&str> {
        self.unauthorised.as_deref()
    }
}
