//! What works on this machine, in JSON.

use serde::Serialize;

use super::SCHEMA_VERSION;
use super::tables::Generator;
use crate::doctor::{Facts, Row, exit_status};

/// What works on this machine, and what to do about what does not.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve doctor", deny_unknown_fields))]
pub(crate) struct DoctorDocument<'a> {
    /// The version of this form.
    schema_version: u32,
    /// What made it.
    generator: Generator,
    /// `linux`, `macos` or `windows`.
    system: &'a str,
    /// The kernel's release.
    kernel: Option<&'a str>,
    /// The user who asked.
    uid: Option<u32>,
    /// What was looked at, in the order of the text.
    rows: Vec<Thing<'a>>,
    /// 0 all works, 1 something works in part or not at all, 2 something could not be found out.
    exit_status: u8,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Thing<'a> {
    /// Its name, stable.
    name: &'a str,
    /// `ok`, `limited`, `no` or `unknown`.
    state: &'a str,
    /// Whether all else works without it; such a thing does not count for the exit status.
    optional: bool,
    /// What it is for.
    purpose: &'a str,
    /// How it is, and why.
    why: &'a str,
    /// What to do, where something helps.
    advice: Option<&'a str>,
}

impl<'a> DoctorDocument<'a> {
    pub(crate) fn of(facts: &'a Facts, rows: &'a [Row]) -> DoctorDocument<'a> {
        let thing = |row: &'a Row| Thing {
            name: &row.name,
            state: row.state.word(),
            optional: row.optional,
            purpose: row.purpose,
            why: &row.why,
            advice: row.advice.as_deref(),
        };
        DoctorDocument {
            schema_version: SCHEMA_VERSION,
            generator: Generator::this(),
            system: facts.means.system,
            kernel: facts.means.kernel.as_deref(),
            uid: facts.means.uid,
            rows: rows.iter().map(thing).collect(),
            exit_status: exit_status(rows),
        }
    }
}
