//! Where causes are collected until they are findings: one cause, one finding, however many sockets it touches.

use std::collections::HashMap;

use model::{Code, Confidence, Evidence, Finding, Forward, Severity, Snapshot, Socket, Subject};

use crate::policy::{Entry, Policy};
use crate::{Accepted, Judgement};

/// What makes two sockets a matter of the same finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// A running file.
    Exe(u32),
    /// A process.
    Process(u32),
    /// A port and the running file that holds it.
    Port { port: u16, netns: u32, exe: Option<u32> },
    /// A change of one listener, and the number that changes of the same kind share.
    Change { listener: String, kin: u64 },
    /// A number that stands for itself: a reason.
    Number(usize),
    /// A text that stands for itself.
    Text(String),
}

/// The words of a finding: the places it touches stand between `before` and `after` in its title.
pub(crate) struct Draft {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) next_step: String,
}

struct Case {
    code: Code,
    cause: Cause,
    severity: Severity,
    confidence: Confidence,
    subjects: Vec<Subject>,
    draft: Draft,
    /// The allowance that accepts or lowers it, as an index into the policy.
    allowed: Option<usize>,
}

/// A finding lists no more than this many pieces of evidence.
const MOST_EVIDENCE: usize = 12;
/// A title names no more than this many places.
const MOST_PLACES: usize = 3;
/// One program with more ports than this in the same plight is one finding.
const MOST_PORTS: usize = 4;

/// The list of cases.
pub(crate) struct Docket<'a> {
    snapshot: &'a Snapshot,
    policy: &'a Policy,
    cases: Vec<Case>,
    index: HashMap<(Code, Cause, Option<usize>), usize>,
    /// Allowances that mean the thing that is judged now.
    allowances: Vec<usize>,
    /// Allowances that would, if the holder could be seen.
    unseen: Vec<usize>,
}

impl<'a> Docket<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, policy: &'a Policy) -> Docket<'a> {
        Docket {
            snapshot,
            policy,
            cases: Vec::new(),
            index: HashMap::new(),
            allowances: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Turns to the next thing, with the allowances that mean it.
    pub(crate) fn turn_to(&mut self, allowances: &[usize], unseen: &[usize]) {
        self.allowances.clear();
        self.allowances.extend_from_slice(allowances);
        self.unseen.clear();
        self.unseen.extend_from_slice(unseen);
    }

    /// Notes that a thing has this plight. The words are made only for the first thing of a cause.
    pub(crate) fn raise(
        &mut self,
        code: Code,
        (mut severity, confidence): (Severity, Confidence),
        cause: Cause,
        subject: Subject,
        draft: impl FnOnce() -> Draft,
    ) {
        let entries = self.policy.entries();
        let accepting = |number: &usize| entries.get(*number).is_some_and(|entry| entry.accepts(code));
        let allowed = self.allowances.iter().copied().find(accepting);
        if let Some(entry) = allowed.and_then(|number| entries.get(number)) {
            severity = entry.severity.map_or(severity, |lower| lower.min(severity));
        }
        let key = (code, cause, allowed);
        if let Some(case) = self.index.get(&key).and_then(|at| self.cases.get_mut(*at)) {
            if case.subjects.last() != Some(&subject) {
                case.subjects.push(subject);
            }
            case.severity = case.severity.max(severity);
            case.confidence = case.confidence.max(confidence);
            return;
        }
        let mut draft = draft();
        if let Some(entry) =
            self.unseen.iter().copied().find(accepting).and_then(|number| entries.get(number))
        {
            draft
                .evidence
                .push(evidence("This entry may accept it; the holder could not be seen.", &entry.name));
        }
        if let Some(entry) = allowed.and_then(|number| entries.get(number)) {
            draft.evidence.push(evidence(format!("Accepted in writing: {}", entry.reason), &entry.name));
        }
        self.index.insert(key.clone(), self.cases.len());
        let (code, cause, allowed) = key;
        self.cases.push(Case { code, cause, severity, confidence, subjects: vec![subject], draft, allowed });
    }

    /// Closes the list: what stands, and what policy accepts.
    pub(crate) fn close(mut self) -> Judgement {
        self.join_ports();
        let mut judgement = Judgement::default();
        for case in core::mem::take(&mut self.cases) {
            let entry: Option<&Entry> = case.allowed.and_then(|number| self.policy.entries().get(number));
            let finding = self.finding(case);
            match entry {
                // An entry with a severity lowers; one without accepts.
                Some(entry) if entry.severity.is_none() => judgement.accepted.push(Accepted {
                    finding,
                    entry: entry.name.clone(),
                    reason: entry.reason.clone(),
                }),
                _ => judgement.findings.push(finding),
            }
        }
        let order = |finding: &Finding| {
            (core::cmp::Reverse(finding.severity), finding.subjects.clone(), finding.code)
        };
        judgement.findings.sort_by_cached_key(order);
        judgement.accepted.sort_by_cached_key(|accepted| (order(&accepted.finding), accepted.entry.clone()));
        judgement
    }

    /// One program with the same plight on many ports is one cause.
    fn join_ports(&mut self) {
        type Group = (Code, u32, u64, Option<usize>);
        let group = |case: &Case| -> Option<Group> {
            match case.cause {
                Cause::Port { netns, exe: Some(exe), .. } => {
                    Some((case.code, netns, exe.into(), case.allowed))
                }
                Cause::Change { kin, .. } => Some((case.code, 0, kin, case.allowed)),
                _ => None,
            }
        };
        let mut sizes: HashMap<Group, usize> = HashMap::new();
        for key in self.cases.iter().filter_map(group) {
            *sizes.entry(key).or_default() += 1;
        }
        sizes.retain(|(code, ..), size| {
            // Changes of one kind came about together; ports in the same plight may not have.
            let together = matches!(code, Code::BaselineNew | Code::BaselineGone | Code::BaselineChanged);
            *size > if together { 1 } else { MOST_PORTS }
        });
        if sizes.is_empty() {
            return;
        }
        let mut firsts: HashMap<Group, usize> = HashMap::new();
        let mut joined: Vec<Case> = Vec::with_capacity(self.cases.len());
        for case in core::mem::take(&mut self.cases) {
            let key = group(&case).filter(|key| sizes.contains_key(key));
            let Some(key) = key else {
                joined.push(case);
                continue;
            };
            match firsts.get(&key).and_then(|at| joined.get_mut(*at)) {
                Some(first) => {
                    first.subjects.extend(case.subjects);
                    first.severity = first.severity.max(case.severity);
                    first.confidence = first.confidence.max(case.confidence);
                    first.draft.evidence.extend(case.draft.evidence);
                }
                None => {
                    firsts.insert(key, joined.len());
                    joined.push(case);
                }
            }
        }
        self.cases = joined;
    }

    fn finding(&self, case: Case) -> Finding {
        let Case { code, severity, confidence, mut subjects, mut draft, .. } = case;
        subjects.sort_unstable();
        subjects.dedup();
        let (places, several) = self.places(&subjects);
        // The words were chosen when there was one place.
        let after = match draft.after.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')) {
            Some(("is", rest)) if several => format!(" are {rest}"),
            Some(("has", rest)) if several => format!(" have {rest}"),
            _ => draft.after,
        };
        let title = format!("{}{places}{after}", draft.before);
        let mut seen: Vec<Evidence> = Vec::with_capacity(draft.evidence.len());
        for piece in draft.evidence.drain(..) {
            if !seen.contains(&piece) {
                seen.push(piece);
            }
        }
        if seen.len() > MOST_EVIDENCE {
            let left = seen.len() - MOST_EVIDENCE;
            seen.truncate(MOST_EVIDENCE);
            seen.push(evidence(
                format!("{left} more facts of the same kind are left out."),
                "this judgement",
            ));
        }
        Finding { code, severity, confidence, subjects, title, evidence: seen, next_step: draft.next_step }
    }

    /// The places of a finding in words (`420/tcp`; `80/tcp, 81/tcp, 82/tcp and 47 more`), and whether there are
    /// several.
    fn places(&self, subjects: &[Subject]) -> (String, bool) {
        let mut names: Vec<String> = Vec::new();
        let mut more = 0_usize;
        for subject in subjects {
            let name = match subject {
                Subject::Socket(index) => self.snapshot.sockets.get(*index).map(socket_name),
                Subject::Forward(index) => self.snapshot.forwards.get(*index).map(forward_name),
                Subject::Entry(_) => None,
            };
            let Some(name) = name else { continue };
            if names.contains(&name) {
                continue;
            }
            if names.len() < MOST_PLACES { names.push(name) } else { more += 1 }
        }
        let listed = names.join(", ");
        if names.is_empty() && subjects.len() > 1 {
            return (format!(" and {} more", subjects.len() - 1), true);
        }
        match more {
            0 => (listed, names.len() > 1),
            _ => (format!("{listed} and {more} more"), true),
        }
    }
}

fn socket_name(socket: &Socket) -> String {
    match socket.port() {
        Some(port) => format!("{port}/{}", socket.kind.name()),
        None => format!("{} {}", socket.kind.name(), protocol_name(socket)),
    }
}

/// The protocol number of a raw socket, or the EtherType of a packet socket.
pub(crate) fn protocol_name(socket: &Socket) -> String {
    let number = socket.local.port();
    if socket.kind == model::Kind::Packet { format!("0x{number:04x}") } else { number.to_string() }
}

fn forward_name(forward: &Forward) -> String {
    let transport = forward.transport.name();
    if forward.first == forward.last {
        format!("{}/{transport}", forward.first)
    } else {
        format!("{}-{}/{transport}", forward.first, forward.last)
    }
}

pub(crate) fn evidence(fact: impl Into<String>, source: impl Into<String>) -> Evidence {
    Evidence { fact: fact.into(), source: source.into() }
}
