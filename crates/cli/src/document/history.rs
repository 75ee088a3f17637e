//! The documents of `history` and `findings`: answers of the history, with what every document has.

use serde::Serialize;

use store::{Answer, FindingRecord, PortHistory, Records, Statistics};

use super::SCHEMA_VERSION;
use super::tables::Generator;

/// What was asked of a history.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve history", deny_unknown_fields))]
pub(crate) struct HistoryDocument<'a> {
    /// Version of this form.
    schema_version: u32,
    /// What made it.
    generator: Generator,
    /// Everything about the port that was asked for; null where none was.
    port: Option<&'a PortHistory>,
    /// What happened; null where a port or statistics were asked for.
    records: Option<&'a Records>,
    /// How much is kept; null where something else was asked for.
    statistics: Option<&'a Statistics>,
}

impl<'a> HistoryDocument<'a> {
    /// From an answer.
    pub(crate) fn of(answer: &'a Answer) -> HistoryDocument<'a> {
        let (port, records, statistics) = match answer {
            Answer::Port(port) => (Some(port), None, None),
            Answer::Records(records) => (None, Some(records), None),
            Answer::Statistics(statistics) => (None, None, Some(statistics)),
            Answer::Findings(_) | Answer::Finding(_) | Answer::Usage(_) | Answer::Spoken(_) => {
                (None, None, None)
            }
        };
        HistoryDocument {
            schema_version: SCHEMA_VERSION,
            generator: Generator::this(),
            port,
            records,
            statistics,
        }
    }
}

/// Findings over time.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve findings", deny_unknown_fields))]
pub(crate) struct FindingsDocument<'a> {
    /// Version of this form.
    schema_version: u32,
    /// What made it.
    generator: Generator,
    /// The findings, gravest first, then the one seen last.
    findings: &'a [FindingRecord],
    /// How many fit in all; more than are here where `--limit` cut them.
    total: u64,
    /// 0, or 1 where an open finding is as grave as `--fail-on` says.
    exit_status: u8,
}

impl<'a> FindingsDocument<'a> {
    /// From findings.
    pub(crate) fn of(findings: &'a [FindingRecord], total: u64, exit_status: u8) -> FindingsDocument<'a> {
        let generator = Generator::this();
        FindingsDocument { schema_version: SCHEMA_VERSION, generator, findings, total, exit_status }
    }
}
