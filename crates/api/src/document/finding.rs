//! Findings, with what people decided about them.

use serde::Serialize;

use super::moment;
use crate::atlas::{Known, Port};
use crate::keeper::{Decision, KeptFinding, Standing};

/// One fact that a judgement rests on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Evidence {
    /// What was seen.
    fact: String,
    /// Where.
    source: String,
}

/// A port that a finding speaks of.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct OnPort {
    transport: &'static str,
    port: u16,
}

/// What was decided about a finding.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Decided {
    /// When (RFC 3339, UTC).
    pub(crate) at: String,
    /// By whom.
    pub(crate) by: String,
    /// Why.
    pub(crate) reason: String,
    /// Until when; null for as long as the finding stands.
    pub(crate) until: Option<String>,
}

impl Decided {
    fn of(decision: &Decision) -> Decided {
        Decided {
            at: moment(decision.at),
            by: decision.by.clone(),
            reason: decision.reason.clone(),
            until: decision.until.map(moment),
        }
    }
}

/// A finding.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Finding {
    /// What tells it from others; the same when it is found again.
    pub(crate) id: String,
    /// Its code; each has a page in the documentation.
    pub(crate) code: &'static str,
    /// `note`, `warning` or `alert`.
    pub(crate) severity: &'static str,
    /// `low`, `medium` or `high`.
    pub(crate) confidence: &'static str,
    /// `open`, `acknowledged` or `over`.
    pub(crate) standing: &'static str,
    /// What it is about.
    pub(crate) about: String,
    /// One sentence with the particulars.
    pub(crate) title: String,
    /// What it rests on.
    evidence: Vec<Evidence>,
    /// What to do next.
    pub(crate) next_step: String,
    /// The ports that it speaks of.
    ports: Vec<OnPort>,
    /// When it was first seen; null where nobody keeps that.
    pub(crate) first: Option<String>,
    /// When it was last seen; null where nobody keeps that.
    pub(crate) last: Option<String>,
    /// What was decided last; null where nothing was.
    pub(crate) decision: Option<Decided>,
}

impl Finding {
    fn new(id: String, finding: &model::Finding, about: &str, ports: &[Port]) -> Finding {
        let evidence = finding.evidence.iter();
        Finding {
            id,
            code: finding.code.name(),
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
            standing: Standing::Open.name(),
            about: about.to_owned(),
            title: finding.title.clone(),
            evidence: evidence
                .map(|it| Evidence { fact: it.fact.clone(), source: it.source.clone() })
                .collect(),
            next_step: finding.next_step.clone(),
            ports: ports
                .iter()
                .map(|(transport, port)| OnPort { transport: transport.name(), port: *port })
                .collect(),
            first: None,
            last: None,
            decision: None,
        }
    }

    /// One that stands, with what is kept of it.
    pub(crate) fn standing(finding: &model::Finding, known: &Known, kept: Option<&KeptFinding>) -> Finding {
        let mut told = Finding::new(known.id.clone(), finding, &known.about, &known.ports);
        if let Some(kept) = kept {
            told.keep(kept);
            if kept.standing == Standing::Over {
                // It stands again, and whoever keeps it will know soon.
                told.standing = Standing::Open.name();
            }
        }
        told
    }

    /// One of which only what is kept is known.
    pub(crate) fn kept(id: String, kept: &KeptFinding) -> Finding {
        let mut told = Finding::new(id, &kept.sighting.finding, &kept.sighting.about, &[]);
        told.keep(kept);
        told
    }

    fn keep(&mut self, kept: &KeptFinding) {
        self.standing = kept.standing.name();
        self.first = Some(moment(kept.first));
        self.last = Some(moment(kept.sighting.at));
        self.decision = kept.decision.as_ref().map(Decided::of);
    }

    /// The evidence, as sentence and place.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = (&str, &str)> {
        self.evidence.iter().map(|it| (it.fact.as_str(), it.source.as_str()))
    }

    /// The ports that it speaks of.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (&'static str, u16)> {
        self.ports.iter().map(|it| (it.transport, it.port))
    }
}
