//! What the API asks of the service beside the board: the history, what people decided, policy and decoys.

use std::sync::{Arc, Mutex, PoisonError};

use api::{
    Decision, DecoyStanding, Keeper, KeptFinding, PolicyText, Query, Recorded, Refusal, Span, Standing,
};
use engine::decoys::DecoyState;
use engine::serving::Shared;
use engine::{Grounds, Sighting, TrafficView};
use model::{
    Code, Confidence, DecoyLevel, DecoyTouch, Evidence, Family, Finding, Happened, Kind, Severity,
    SocketEvent, Timestamp, Traffic, Transport, Utc, Witness,
};
use store::{Answer, FindingFilter, FindingRecord, FindingState, Moment, RecordFilter, RefusalKind, What};

use crate::files::Places;
use crate::look;

/// Findings, and touches, that are shown at most.
const MOST_FINDINGS: u32 = 10_000;
const MOST_RECORDS: u32 = 10_000;

/// The service, as the API asks it.
pub(super) struct Kept {
    pub(super) shared: Arc<Shared>,
    pub(super) places: Places,
    /// What captures are judged by: the same as the machine.
    pub(super) grounds: Arc<Mutex<Grounds>>,
    /// What the decoys cover.
    pub(super) decoys: Option<DecoyState>,
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

    fn records(&self, filter: RecordFilter) -> Result<Vec<store::Record>, Refusal> {
        match self.ask(&store::Query::Records { filter })? {
            Answer::Records(records) => Ok(records.records),
            _ => Err(unexpected()),
        }
    }
}

fn unexpected() -> Refusal {
    Refusal::Failed(String::from("the history answered another question"))
}

fn now() -> Moment {
    Moment(host::now())
}

impl Keeper for Kept {
    fn history(&self, query: &Query) -> Result<Vec<(u64, Recorded)>, Refusal> {
        let filter = RecordFilter {
            since: query.since.map(Moment),
            until: query.until.map(Moment),
            transport: query.port.map(|(transport, _)| transport.name().to_owned()),
            port: query.port.map(|(_, port)| port),
            before: query.after,
            limit: u32::try_from(query.most).unwrap_or(MOST_RECORDS).min(MOST_RECORDS),
            ..RecordFilter::default()
        };
        let records = self.records(filter)?;
        Ok(records.into_iter().filter_map(|it| Some((it.number, recorded(&it)?))).collect())
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
        let of = |transport, ports: &host::decoy::PortSet| -> Vec<DecoyStanding> {
            let one = |port| DecoyStanding { transport, port, level, trouble: None, touches: 0 };
            ports.iter().map(one).collect()
        };
        let mut all = of(Transport::Tcp, &state.coverage.tcp);
        all.extend(of(Transport::Udp, &state.coverage.udp));
        all
    }

    fn touches(&self, most: usize) -> Vec<DecoyTouch> {
        let records = self.records(RecordFilter { limit: MOST_RECORDS, ..RecordFilter::default() });
        let touches = records.unwrap_or_default().into_iter().filter_map(|it| match it.what {
            What::Touch(touch) => Some(touched(it.at.0, &touch)),
            _ => None,
        });
        touches.flatten().take(most).collect()
    }

    fn record_bytes(&self) -> Option<u64> {
        match self.ask(&store::Query::Statistics) {
            Ok(Answer::Statistics(statistics)) => Some(statistics.file_bytes),
            _ => None,
        }
    }

    fn judge_capture(&self, traffic: Traffic) -> TrafficView {
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        grounds.judge_traffic(traffic, None, false)
    }
}

/// A record as the API shows it; `None` for what it has no place for.
fn recorded(record: &store::Record) -> Option<Recorded> {
    match &record.what {
        What::Socket(socket) => {
            let named = |name: &str, all: &[Happened]| all.iter().copied().find(|it| it.name() == name);
            let happened = [Happened::Bound, Happened::AutoBound, Happened::Listening, Happened::Closed];
            let witness = [Witness::Kernel, Witness::Looks];
            Some(Recorded::Event(SocketEvent {
                at: record.at.0,
                happened: named(&socket.happened, &happened)?,
                witness: witness.into_iter().find(|it| it.name() == socket.witness)?,
                kind: Kind::ALL.into_iter().find(|it| it.name() == socket.kind)?,
                family: if socket.address.is_ipv4() { Family::V4 } else { Family::V6 },
                local: (socket.address, socket.port).into(),
                interface: None,
                netns: 0,
                cookie: 0,
                uid: socket.uid,
                tid: None,
                holder: socket.holder.as_ref().map(|it| Arc::new(process(socket.pid, it))).into(),
                cgroup: socket.cgroup.clone(),
                lived_ns: socket.lived_ns,
            }))
        }
        What::Touch(touch) => touched(record.at.0, touch).map(Recorded::Touch),
        What::Finding { .. } | What::Gap(_) | What::Session(_) | What::Stream(_) => None,
    }
}

/// A process as far as the history remembers it.
fn process(pid: Option<u32>, holder: &store::HolderName) -> model::Process {
    use model::{Reason, Seen};
    let forgotten = Reason::Exited;
    model::Process {
        pid: pid.unwrap_or_default(),
        comm: holder.program.clone(),
        started: Seen::Hidden(forgotten),
        exe: Seen::Hidden(forgotten),
        cmdline: Seen::Value(holder.command_line.split(' ').map(str::to_owned).collect()),
        cwd: Seen::Hidden(forgotten),
        user: holder.uid.map(|uid| model::User { uid, name: holder.user.clone() }).into(),
        capabilities: Seen::Hidden(forgotten),
        parents: Vec::new(),
        unit: Seen::Hidden(forgotten),
        container: Seen::Hidden(forgotten),
        package: Seen::Hidden(forgotten),
        hidden_from_proc: false,
        preload: Seen::Hidden(forgotten),
    }
}

fn touched(at: Timestamp<Utc>, touch: &store::TouchRecord) -> Option<DecoyTouch> {
    let level = match touch.level.as_str() {
        "observe" => DecoyLevel::Observe,
        // As what it greeted is not kept.
        _ => DecoyLevel::Accept,
    };
    Some(DecoyTouch {
        at,
        transport: Transport::from_name(&touch.transport)?,
        peer: (touch.peer, touch.peer_port).into(),
        local: (touch.address, touch.port).into(),
        netns: 0,
        level,
        connected: touch.connected,
        received_bytes: touch.received_bytes,
        sent_bytes: touch.sent_bytes,
        first_bytes: bytes(&touch.first_bytes),
        recognised: None,
        lasted_ns: touch.lasted_ns,
    })
}

/// Bytes from hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
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
