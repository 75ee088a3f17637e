//! Findings: seen, seen again, no longer there.

use model::{Confidence, Severity};

use crate::batch::{Resolution, Sighting};
use crate::desk::{Desk, FINDINGS};
use crate::fault::StoreError;
use crate::identity::{self, MOST_TEXT, beginning};
use crate::row::{FindingRow, FindingStateRow, SpanRow, WhatRow};

use super::{extend, record, span};

/// So many pieces of evidence are kept.
const MOST_EVIDENCE: usize = 16;

/// What a record says of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Reopened,
    Acknowledged,
    Resolved,
    Expired,
}

impl Change {
    /// The number that stays.
    pub(crate) fn number(self) -> u8 {
        match self {
            Change::Opened => 0,
            Change::Reopened => 1,
            Change::Acknowledged => 2,
            Change::Resolved => 3,
            Change::Expired => 4,
        }
    }

    /// The word used in output, of the change with this number.
    pub(crate) fn word(number: u8) -> &'static str {
        match number {
            0 => "opened",
            1 => "reopened",
            2 => "acknowledged",
            3 => "resolved",
            _ => "expired",
        }
    }
}

/// A severity as a number that stays and has its order.
fn of_severity(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Alert => 2,
    }
}

fn of_confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 0,
        Confidence::Medium => 1,
        Confidence::High => 2,
    }
}

pub(super) fn sighting(desk: &mut Desk<'_>, sighting: &Sighting) -> Result<(), StoreError> {
    let finding = &sighting.finding;
    let key = identity::of_finding(finding.code, &sighting.about);
    let at_ns = sighting.at.as_ns();
    let now = span(desk, sighting.at);
    let known: Option<FindingRow> = desk.row(FINDINGS, &key)?;
    let (span, state, change) = match known {
        None => (now, FindingStateRow::Open { since_ns: at_ns }, Some(Change::Opened)),
        Some(row) => {
            let (state, change) = match row.state {
                FindingStateRow::Resolved { .. } => {
                    (FindingStateRow::Open { since_ns: at_ns }, Some(Change::Reopened))
                }
                FindingStateRow::Acknowledged { until_ns: Some(until), .. } if until <= at_ns => {
                    (FindingStateRow::Open { since_ns: at_ns }, Some(Change::Expired))
                }
                state => (state, None),
            };
            let mut span: SpanRow = row.span;
            extend(&mut span, &now);
            (span, state, change)
        }
    };
    let text = |text: &str| beginning(text, 4 * MOST_TEXT);
    let row = FindingRow {
        span,
        code: finding.code.name().to_owned(),
        about: text(&sighting.about),
        severity: of_severity(finding.severity),
        confidence: of_confidence(finding.confidence),
        title: text(&finding.title),
        evidence: (finding.evidence.iter().take(MOST_EVIDENCE))
            .map(|evidence| (text(&evidence.fact), text(&evidence.source)))
            .collect(),
        next_step: text(&finding.next_step),
        state,
    };
    desk.put(FINDINGS, &key, &row)?;
    match change {
        Some(change) => tell(desk, sighting.at, key, &row.about, change),
        None => Ok(()),
    }
}

pub(super) fn resolved(desk: &mut Desk<'_>, resolution: &Resolution) -> Result<(), StoreError> {
    let key = identity::of_finding(resolution.code, &resolution.about);
    let Some(mut row) = desk.row::<FindingRow>(FINDINGS, &key)? else { return Ok(()) };
    // What people decided stays theirs until it expires: it may be seen again tomorrow.
    if !matches!(row.state, FindingStateRow::Open { .. }) {
        return Ok(());
    }
    row.state = FindingStateRow::Resolved { at_ns: resolution.at.as_ns() };
    desk.put(FINDINGS, &key, &row)?;
    tell(desk, resolution.at, key, &row.about, Change::Resolved)
}

/// Puts a change among the records.
pub(crate) fn tell(
    desk: &mut Desk<'_>,
    at: model::Timestamp<model::Utc>,
    key: [u8; 16],
    about: &str,
    change: Change,
) -> Result<(), StoreError> {
    let port = identity::port_of(about).map(|(transport, port)| identity::of_port(transport, port));
    record(desk, at, port, WhatRow::Finding { key, change: change.number(), port })
}
