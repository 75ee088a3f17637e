//! What strangers are told: types of our own, so that nothing changes for them when something changes within.

pub(crate) mod change;
mod finding;
mod flow;
mod machine;
mod media;
mod paper;
mod port;
mod record;
mod status;

use model::{Seen, Timestamp, Utc};
use serde::Serialize;

pub(crate) use finding::Finding;
pub(crate) use flow::{End, Flow, Service, Touch};
pub(crate) use machine::{Gap, Socket};
pub(crate) use media::{Ancillary, Clock, Loud, Session, Stream, stream_id};
pub(crate) use paper::{Assignment, Paper};
pub(crate) use port::{Answers, Summary};
pub(crate) use record::{CaptureReport, Checked, Decoys, Policies, Preview, Previewed, Record, Waiting};
pub(crate) use status::Status;

/// The version of all documents; it rises when something is taken away or means something else.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// One page of a list.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Page<T> {
    /// 1.
    pub(crate) schema_version: u32,
    /// How many there are in all that pass the filter.
    pub(crate) total: usize,
    /// Where the next page begins, for `cursor`; null on the last page.
    pub(crate) next: Option<String>,
    /// What is on this page.
    pub(crate) items: Vec<T>,
}

/// One thing, with the version of its form.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct One<T> {
    /// 1.
    pub(crate) schema_version: u32,
    /// The thing itself.
    #[serde(flatten)]
    pub(crate) it: T,
}

impl<T> One<T> {
    pub(crate) fn of(it: T) -> One<T> {
        One { schema_version: SCHEMA_VERSION, it }
    }
}

/// A moment as strangers read it (RFC 3339).
pub(crate) fn moment(at: Timestamp<Utc>) -> String {
    at.rfc3339()
}

/// A fact that may be hidden: its value, or why it is not known; both null where there is none.
pub(crate) fn seen<'a, T, U>(fact: &'a Seen<T>, value: impl FnOnce(&'a T) -> U) -> Fact<U> {
    Fact { value: fact.value().map(value), hidden: fact.hidden().map(model::Reason::code) }
}

/// A fact that may be hidden.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Fact<T> {
    /// What it is; null where there is none, or it is hidden.
    pub(crate) value: Option<T>,
    /// Why it could not be seen; null where it could.
    pub(crate) hidden: Option<&'static str>,
}
