//! What the API asks of the service beside the board: the history, what people decided, policy and decoys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use api::{
    Decision, DecoyStanding, Keeper, KeptFinding, PolicyText, Proposal, Proposed, Query, Refusal, Span,
    Standing,
};
use engine::decoys::DecoyState;
use engine::serving::Shared;
use engine::{Grounds, Sighting};
use model::{Code, Confidence, Evidence, Finding, Severity, Transport};
use store::{
    Answer, FindingFilter, FindingRecord, FindingState, Moment, RecordFilter, Records, RefusalKind, What,
};

use super::proposals::Proposals;
use crate::files::Places;
use crate::look;

/// Findings and records that are shown at most.
const MOST_FINDINGS: u32 = 10_000;
const MOST_RECORDS: u32 = 10_000;
/// Touches of an earlier service that are counted, so many in one piece.
const MOST_TOUCHES: u32 = 100_000;
const TOUCHES_AT_ONCE: u32 = 1_000;

/// How often somebody came to each port.
type Touches = HashMap<(Transport, u16), u64>;

/// The service, as the API asks it.
pub(super) struct Kept {
    pub(super) shared: Arc<Shared>,
    pub(super) places: Places,
    /// What captures are judged by: the same as the machine.
    pub(super) grounds: Arc<Mutex<Grounds>>,
    /// What the decoys cover.
    pub(super) decoys: Option<DecoyState>,
    /// Where proposed policies wait.
    pub(super) proposals: Proposals,
    /// Who came to decoys before.
    pub(super) earlier_touches: OnceLock<Touches>,
}

impl Kept {
    fn ask(&self, query: &store::Query) -> Result<Answer, Refusal> {
        let none = || Refusal::NotKept(String::from("no history is kept: portreeve serve --status says why"));
        let recorder = self.shared.recorder.as_ref().ok_or_else(none)?;
        recorder.store().answer(query).map_err(|refusal| match refusal.kind {
            RefusalKind::Asked => Refusal::Unknown(refusal.text),
            RefusalKind::Absent => Refusal::NotKept(refusal.text),
            RefusalKind::Failed => Refusal::Failed(refusal.text),
        })
    }

    fn records(&self, filter: RecordFilter) -> Result<Records, Refusal> {
        match self.ask(&store::Query::Records { filter })? {
            Answer::Records(records) => Ok(records),
            _ => Err(unexpected()),
        }
    }

    /// How often somebody came to each port before this service began, as far as the history goes back; read once.
    fn earlier_touches(&self) -> &Touches {
        self.earlier_touches.get_or_init(|| {
            let mut touches = Touches::new();
            let mut filter = RecordFilter {
                until: Some(Moment(self.shared.board.current().since)),
                kinds: vec![String::from("touch")],
                limit: TOUCHES_AT_ONCE,
                ..RecordFilter::default()
            };
            for _ in 0..MOST_TOUCHES / TOUCHES_AT_ONCE {
                let Ok(page) = self.records(filter.clone()) else { break };
                for record in page.records {
                    if let What::Touch(touch) = &record.what
                        && let Some(transport) = Transport::from_name(&touch.transport)
                    {
                        *touches.entry((transport, touch.port)).or_default() += 1;
                    }
                }
                filter.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            touches
        })
    }
}

fn unexpected() -> Refusal {
    Refusal::Failed(String::from("the history answered another question"))
}

fn now() -> Moment {
    Moment(host::now())
}

impl Keeper for Kept {
    fn history(&self, query: &Query) -> Result<Records, Refusal> {
        self.records(RecordFilter {
            since: query.since.map(Moment),
            until: query.until.map(Moment),
            transport: query.transport.map(|transport| transport.name().to_owned()),
            port: query.port,
            kinds: query.kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            before: query.after,
            limit: u32::try_from(query.most).unwrap_or(MOST_RECORDS).min(MOST_RECORDS),
            ..RecordFilter::default()
        })
    }

    fn span(&self, transport: Transport, port: u16) -> Option<Span> {
        let Ok(Answer::Usage(usage)) = self.ask(&store::Query::Usage { ports: vec![port] }) else {
            return None;
        };
        let used = engine::serving::used(&usage).of(transport, port)?;
        Some(Span { first: used.first?, last: used.last? })
    }

    fn findings(&self) -> Vec<KeptFinding> {
        let filter = FindingFilter { limit: MOST_FINDINGS, ..FindingFilter::default() };
        match self.ask(&store::Query::Findings { filter, now: now() }) {
            Ok(Answer::Findings(findings)) => findings.findings.iter().filter_map(kept).collect(),
            _ => Vec::new(),
        }
    }

    fn acknowledge(&self, code: Code, about: &str, decision: Decision) -> Result<(), Refusal> {
        let id = store::finding_id(code, about);
        let Decision { by, reason, until, at } = decision;
        let query = store::Query::Acknowledge { id, reason, by, until: until.map(Moment), now: Moment(at) };
        self.ask(&query).map(drop)
    }

    fn reopen(&self, code: Code, about: &str, _: &str) -> Result<(), Refusal> {
        let id = store::finding_id(code, about);
        self.ask(&store::Query::Reopen { id, now: now() }).map(drop)
    }

    fn policies(&self) -> Vec<PolicyText> {
        let (texts, _) = look::policy_texts(&self.places, &[]);
        texts.into_iter().map(|(path, text)| PolicyText { name: path.display().to_string(), text }).collect()
    }

    fn decoys(&self) -> Vec<DecoyStanding> {
        let Some(state) = &self.decoys else { return Vec::new() };
        let level = state.level.fact();
        let earlier = self.earlier_touches();
        let since = self.shared.touches.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of = |transport, ports: &host::decoy::PortSet| -> Vec<DecoyStanding> {
            let one = |port| {
                let of = |touches: &Touches| touches.get(&(transport, port)).copied().unwrap_or(0);
                let touches = of(earlier).saturating_add(of(&since));
                DecoyStanding { transport, port, level, trouble: None, touches }
            };
            ports.iter().map(one).collect()
        };
        let mut all = of(Transport::Tcp, &state.coverage.tcp);
        all.extend(of(Transport::Udp, &state.coverage.udp));
        all
    }

    fn record_bytes(&self) -> Option<u64> {
        match self.ask(&store::Query::Statistics) {
            Ok(Answer::Statistics(statistics)) => Some(statistics.file_bytes),
            _ => None,
        }
    }

    fn grounds(&self) -> Grounds {
        self.grounds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn proposals(&self) -> Vec<Proposal> {
        self.proposals.all(&self.places)
    }

    fn propose(&self, proposed: Proposed) -> Result<Proposal, Refusal> {
        self.proposals.keep(&self.places, proposed)
    }
}

fn kept(record: &FindingRecord) -> Option<KeptFinding> {
    let severity = Severity::ALL.into_iter().find(|it| it.name() == record.severity)?;
    let confidences = [Confidence::Low, Confidence::Medium, Confidence::High];
    let finding = Finding {
        code: Code::ALL.iter().copied().find(|it| it.name() == record.code)?,
        severity,
        confidence: confidences.into_iter().find(|it| it.name() == record.confidence)?,
        subjects: Vec::new(),
        title: record.title.clone(),
        evidence: record
            .evidence
            .iter()
            .map(|it| Evidence { fact: it.fact.clone(), source: it.source.clone() })
            .collect(),
        next_step: record.next_step.clone(),
    };
    Some(KeptFinding {
        sighting: Sighting { at: record.seen.last.0, about: record.about.clone(), finding },
        first: record.seen.first.0,
        standing: match record.state {
            FindingState::Open => Standing::Open,
            FindingState::Acknowledged => Standing::Acknowledged,
            FindingState::Resolved => Standing::Over,
        },
        decision: record.acknowledged.as_ref().map(|it| Decision {
            at: record.state_since.0,
            by: it.by.clone(),
            reason: it.reason.clone(),
            until: it.until.map(|until| until.0),
        }),
    })
}
