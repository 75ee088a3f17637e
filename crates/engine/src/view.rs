//! The read model: one row per socket and forward, with what was judged of it.

use std::sync::Arc;

use model::media::{Agreement, Session};
use model::{Finding, Forward, Severity, Snapshot, Socket, Subject, Timestamp, Utc};
use registry::Paper;
use verdict::Accepted;

use crate::outcome::{Outcome, Threshold, gap_matters, reason_matters};

/// What a row stands for, as an index into the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// A socket.
    Socket(u32),
    /// A port that is published without a socket.
    Forward(u32),
}

/// What was judged of one row, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing to say against it.
    Ok,
    /// Something was found, and an entry of policy accepts it.
    Accepted,
    /// Nothing was found, and we could not see all that a judgement needs.
    Unseen,
    /// The gravest finding about it.
    Found(Severity),
}

impl Verdict {
    /// The word used in output.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Accepted => "accepted",
            Verdict::Unseen => "unseen",
            Verdict::Found(severity) => severity.name(),
        }
    }
}

/// One line of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it stands for.
    pub door: Door,
    /// What was judged of it.
    pub verdict: Verdict,
    start: u32,
    end: u32,
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Sockets that wait for peers.
    pub listeners: usize,
    /// All sockets.
    pub sockets: usize,
    /// Processes that hold one.
    pub processes: usize,
    /// Ports published without a socket.
    pub forwards: usize,
    /// Findings that are notes.
    pub notes: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are alerts.
    pub alerts: usize,
    /// Findings that an entry of policy accepts.
    pub accepted: usize,
    /// Gaps.
    pub gaps: usize,
}

/// One look at a machine, judged.
pub struct View {
    /// What was seen.
    pub snapshot: Arc<Snapshot>,
    /// What the registry says.
    pub paper: Paper,
    /// One row per socket, then one per forward, in the snapshot's order.
    pub rows: Vec<Row>,
    /// What stands: gravest first.
    pub findings: Vec<Finding>,
    /// What an entry of policy accepts.
    pub accepted: Vec<Accepted>,
    /// What was agreed for the ports, and which sockets it explains.
    pub agreed: Agreement,
    /// Indices into `findings`, row after row.
    of_rows: Vec<u32>,
}

impl View {
    /// The same view of a machine that was looked at again and had not changed.
    pub fn at(mut self, taken: Timestamp<Utc>) -> View {
        Arc::make_mut(&mut self.snapshot).taken = taken;
        self
    }

    /// Sorts findings to their rows, where nothing was agreed.
    pub fn judged(
        snapshot: Arc<Snapshot>,
        paper: Paper,
        findings: Vec<Finding>,
        accepted: Vec<Accepted>,
    ) -> View {
        let sockets = snapshot.sockets.len();
        let total = sockets + snapshot.forwards.len();
        let mut rows: Vec<Row> = Vec::with_capacity(total);
        rows.extend(snapshot.sockets.iter().enumerate().map(|(index, socket)| Row {
            door: Door::Socket(narrow(index)),
            verdict: if unseen(socket) { Verdict::Unseen } else { Verdict::Ok },
            start: 0,
            end: 0,
        }));
        rows.extend((0..snapshot.forwards.len()).map(|index| Row {
            door: Door::Forward(narrow(index)),
            verdict: Verdict::Ok,
            start: 0,
            end: 0,
        }));

        for accepted in &accepted {
            for at in accepted.finding.subjects.iter().filter_map(|subject| row_of(subject, sockets)) {
                if let Some(row) = rows.get_mut(at) {
                    row.verdict = row.verdict.max(Verdict::Accepted);
                }
            }
        }
        // A counting sort: how many findings each row has, where its share begins, then the shares themselves.
        for finding in &findings {
            for at in finding.subjects.iter().filter_map(|subject| row_of(subject, sockets)) {
                if let Some(row) = rows.get_mut(at) {
                    row.end += 1;
                    row.verdict = row.verdict.max(Verdict::Found(finding.severity));
                }
            }
        }
        let mut next = 0;
        for row in &mut rows {
            let count = row.end;
            row.start = next;
            row.end = next;
            next += count;
        }
        let mut of_rows = vec![0; next as usize];
        for (index, finding) in findings.iter().enumerate() {
            for at in finding.subjects.iter().filter_map(|subject| row_of(subject, sockets)) {
                if let Some(row) = rows.get_mut(at) {
                    if let Some(slot) = of_rows.get_mut(row.end as usize) {
                        *slot = narrow(index);
                    }
                    row.end += 1;
                }
            }
        }
        View { snapshot, paper, rows, findings, accepted, agreed: Agreement::default(), of_rows }
    }

    /// The findings about a row, as indices into [`View::findings`], gravest first.
    pub fn findings_of(&self, row: &Row) -> &[u32] {
        self.of_rows.get(row.start as usize..row.end as usize).unwrap_or_default()
    }

    /// The row of the socket with this index in the snapshot.
    pub fn row_of_socket(&self, index: usize) -> Option<&Row> {
        if index < self.snapshot.sockets.len() { self.rows.get(index) } else { None }
    }

    /// The row that a finding speaks of, if it speaks of one.
    pub fn row_of(&self, subject: &Subject) -> Option<&Row> {
        self.rows.get(row_of(subject, self.snapshot.sockets.len())?)
    }

    /// The socket of a row, if it is one.
    pub fn socket(&self, row: &Row) -> Option<&Socket> {
        match row.door {
            Door::Socket(index) => self.snapshot.sockets.get(index as usize),
            Door::Forward(_) => None,
        }
    }

    /// The forward of a row, if it is one.
    pub fn forward(&self, row: &Row) -> Option<&Forward> {
        match row.door {
            Door::Forward(index) => self.snapshot.forwards.get(index as usize),
            Door::Socket(_) => None,
        }
    }

    /// The session that explains a row most surely, and how many do.
    pub fn session_of(&self, row: &Row) -> Option<(usize, &Session, usize)> {
        let Door::Socket(index) = row.door else { return None };
        let served = self.agreed.sessions_of(index as usize);
        let first = served.first()?;
        Some((first.session, self.agreed.sessions.get(first.session)?, served.len()))
    }

    /// How much there is of everything.
    pub fn counts(&self) -> Counts {
        let severity = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        Counts {
            listeners: self.snapshot.sockets.iter().filter(|socket| socket.is_listener()).count(),
            sockets: self.snapshot.sockets.len(),
            processes: self.snapshot.processes.len(),
            forwards: self.snapshot.forwards.len(),
            notes: severity(Severity::Note),
            warnings: severity(Severity::Warning),
            alerts: severity(Severity::Alert),
            accepted: self.accepted.len(),
            gaps: self.snapshot.gaps.len(),
        }
    }

    /// Whether something could not be looked at that a judgement would need.
    pub fn is_partial(&self) -> bool {
        self.snapshot.gaps.iter().any(gap_matters) || self.snapshot.sockets.iter().any(unseen)
    }

    /// What the look amounts to.
    pub fn outcome(&self, threshold: Threshold) -> Outcome {
        if self.findings.iter().any(|finding| threshold.reached_by(finding.severity)) {
            Outcome::Findings
        } else if self.is_partial() {
            Outcome::Partial
        } else {
            Outcome::Accounted
        }
    }
}

fn unseen(socket: &Socket) -> bool {
    socket.holders_missing.is_some_and(reason_matters)
}

fn row_of(subject: &Subject, sockets: usize) -> Option<usize> {
    match subject {
        Subject::Socket(index) if *index < sockets => Some(*index),
        Subject::Forward(index) => sockets.checked_add(*index),
        Subject::Socket(_) | Subject::Entry(_) => None,
        // What was on the wire has no row among the machine's doors.
        Subject::Service(_)
        | Subject::Scan(_)
        | Subject::Beacon(_)
        | Subject::Touch(_)
        | Subject::Capture
        | Subject::Session(_)
        | Subject::Stream(_)
        | Subject::Group(_)
        | Subject::Clock(_)
        | Subject::Visitor(_) => None,
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use model::{
        Area, Code, Confidence, Evidence, Family, Gap, Kind, Machine, Reason, Scope, State, Timestamp, Views,
    };

    use super::*;

    fn socket(port: u16) -> Socket {
        Socket {
            kind: Kind::Tcp,
            family: Family::V4,
            local: format!("0.0.0.0:{port}").parse().unwrap(),
            peer: None,
            state: State::Listening,
            scope: Scope::Any,
            interface: None,
            netns: 1,
            inode: 1,
            cookie: 1,
            uid: Some(0),
            queued: None,
            backlog: None,
            holders: Vec::new(),
            holders_missing: None,
            activation: None,
            seen_by: Views::SOCK_DIAG,
            hidden_from: Views::default(),
        }
    }

    fn snapshot(ports: &[u16]) -> Snapshot {
        Snapshot {
            taken: Timestamp::from_ns(0),
            machine: Machine::default(),
            namespaces: Vec::new(),
            sockets: ports.iter().map(|port| socket(*port)).collect(),
            processes: Vec::new(),
            forwards: Vec::new(),
            views: Views::SOCK_DIAG,
            gaps: Vec::new(),
        }
    }

    fn finding(severity: Severity, subjects: Vec<Subject>) -> Finding {
        Finding {
            code: Code::SilentPortInUse,
            severity,
            confidence: Confidence::High,
            subjects,
            title: String::from("t"),
            evidence: vec![Evidence { fact: String::from("f"), source: String::from("s") }],
            next_step: String::from("n"),
        }
    }

    fn view(snapshot: Snapshot, findings: Vec<Finding>) -> View {
        View::judged(Arc::new(snapshot), Paper::builtin(), findings, Vec::new())
    }

    #[test]
    fn findings_go_to_their_rows_and_the_gravest_decides() {
        let view = view(
            snapshot(&[1, 2, 3]),
            vec![
                finding(Severity::Alert, vec![Subject::Socket(2)]),
                finding(
                    Severity::Note,
                    vec![Subject::Socket(0), Subject::Socket(2), Subject::Entry("p:1".into())],
                ),
                finding(Severity::Warning, vec![Subject::Socket(99), Subject::Forward(7)]),
            ],
        );
        let of = |at: usize| view.findings_of(&view.rows[at]).to_vec();
        assert_eq!((of(0), of(1), of(2)), (vec![1], vec![], vec![0, 1]));
        assert_eq!(view.rows[0].verdict, Verdict::Found(Severity::Note));
        assert_eq!(view.rows[1].verdict, Verdict::Ok);
        assert_eq!(view.rows[2].verdict, Verdict::Found(Severity::Alert));
    }

    #[test]
    fn a_partial_look_is_never_zero_and_a_finding_outweighs_it() {
        let at = |severity| Threshold::At(severity);
        let clean = view(snapshot(&[1]), vec![]);
        assert_eq!(clean.outcome(Threshold::Never).exit_status(), 0);

        let mut hidden = snapshot(&[1]);
        hidden.sockets[0].holders_missing = Some(Reason::NoPermission);
        let hidden = view(hidden, vec![finding(Severity::Note, vec![Subject::Socket(0)])]);
        assert_eq!(hidden.outcome(Threshold::Never).exit_status(), 2);
        assert_eq!(hidden.outcome(at(Severity::Warning)).exit_status(), 2);
        assert_eq!(hidden.outcome(at(Severity::Note)).exit_status(), 1);

        for (reason, count, status) in [
            (Reason::NoPermission, None, 2),
            (Reason::NoPermission, Some(0), 0),
            (Reason::Damaged, Some(1), 2),
            (Reason::Exited, Some(3), 0),
        ] {
            let mut gappy = snapshot(&[1]);
            gappy.gaps.push(Gap { area: Area::Sockets, reason, what: String::from("w"), count });
            assert_eq!(
                view(gappy, vec![]).outcome(at(Severity::Alert)).exit_status(),
                status,
                "{reason:?} {count:?}"
            );
        }
    }

    #[test]
    fn a_socket_whose_holder_is_the_kernel_is_not_unseen() {
        let mut kernel = snapshot(&[2049]);
        kernel.sockets[0].holders_missing = Some(Reason::KernelOwned);
        assert_eq!(view(kernel, vec![]).rows[0].verdict, Verdict::Ok);
    }
}
