//! Where causes are collected until they are findings: one cause, one finding, however many sockets it touches.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use model::{
    Code, Confidence, Evidence, Finding, Forward, Process, Severity, Snapshot, Socket, Subject, Traffic,
    Transport,
};

use crate::known::who;
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
    /// A port on the wire, and what makes it a matter of its own: a protocol, or what came instead of one.
    Talk { transport: Transport, port: u16, kin: Kin },
    /// A change of one listener, and the number that changes of the same kind share.
    Change { listener: String, kin: u64 },
    /// A number that stands for itself: a reason.
    Number(usize),
    /// A text that stands for itself.
    Text(String),
}

/// What ports on the wire share that are in the same plight: a word, and a number where the word alone joins too much.
pub(crate) type Kin = (&'static str, u8);

/// What subjects are indices into.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ground<'a> {
    pub(crate) snapshot: Option<&'a Snapshot>,
    pub(crate) traffic: Option<&'a Traffic>,
}

impl<'a> Ground<'a> {
    fn socket(&self, index: usize) -> Option<&'a Socket> {
        self.snapshot?.sockets.get(index)
    }

    fn process(&self, pid: u32) -> Option<&'a Process> {
        self.snapshot?.process(pid).map(|process| &**process)
    }

    /// Where a service is, which is what it is called.
    fn door(&self, subject: &Subject) -> Option<(SocketAddr, Transport)> {
        let Subject::Service(index) = subject else { return None };
        self.traffic?.services.get(*index).map(|service| (service.server, service.transport))
    }

    /// What stands for a subject in a title; `None` where the title says it in other words.
    fn place(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Socket(index) => self.socket(*index).map(socket_name),
            Subject::Forward(index) => self.snapshot?.forwards.get(*index).map(forward_name),
            Subject::Service(_) | Subject::Touch(_) => self.traffic?.subject_name(subject),
            Subject::Beacon(index) => Some(self.traffic?.beacons.get(*index)?.client.to_string()),
            Subject::Entry(_) | Subject::Scan(_) | Subject::Capture | Subject::Visitor(_) => None,
            Subject::Stream(_) | Subject::Session(_) | Subject::Group(_) | Subject::Clock(_) => {
                self.traffic?.media.subject_name(subject)
            }
        }
    }
}

/// The words of a finding: the places it touches stand between `before` and `after` in its title.
pub(crate) struct Draft {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) next_step: String,
    /// The words for several ports of one program, of which each is something else.
    pub(crate) many: Option<Many>,
    /// The process that the words name, where others of the same program may share its plight.
    pub(crate) named: Option<u32>,
}

/// The words for several ports: `21/tcp (ftp), 23/tcp (telnet) and 3 more`, then `after`, then who holds them.
pub(crate) struct Many {
    /// What this port is.
    pub(crate) label: String,
    pub(crate) after: &'static str,
    pub(crate) holder: String,
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
    /// What each port is, where several were joined.
    labels: Vec<(u16, String)>,
    /// Whether the ports that were joined are not all held by the same processes.
    other_holders: bool,
}

/// A finding lists no more than this many pieces of evidence.
const MOST_EVIDENCE: usize = 16;
/// A title names no more than this many places.
const MOST_PLACES: usize = 3;
/// One program with more ports than this in the same plight is one finding.
const MOST_PORTS: usize = 4;

/// The list of cases.
pub(crate) struct Docket<'a> {
    ground: Ground<'a>,
    policy: &'a Policy,
    cases: Vec<Case>,
    index: HashMap<(Code, Cause, Option<usize>), usize>,
    /// Allowances that mean the thing that is judged now.
    allowances: Vec<usize>,
    /// Allowances that would, if the holder could be seen.
    unseen: Vec<usize>,
}

impl<'a> Docket<'a> {
    pub(crate) fn new(ground: Ground<'a>, policy: &'a Policy) -> Docket<'a> {
        Docket {
            ground,
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
            // The same port of another transport, in another reach, or of another server, has facts of its own.
            let own_facts = match key.1 {
                Cause::Port { .. } => is_another(self.ground, &case.subjects, &subject),
                Cause::Talk { .. } => case.draft.evidence.len() < MOST_EVIDENCE,
                _ => false,
            };
            if own_facts {
                for piece in draft().evidence {
                    if case.draft.evidence.len() < MOST_EVIDENCE && !case.draft.evidence.contains(&piece) {
                        case.draft.evidence.push(piece);
                    }
                }
            }
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
        self.cases.push(Case {
            code,
            cause,
            severity,
            confidence,
            subjects: vec![subject],
            draft,
            allowed,
            labels: Vec::new(),
            other_holders: false,
        });
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
        /// What joins ports: their holder, the change, or what is on the wire.
        #[derive(PartialEq, Eq, Hash)]
        enum Bond {
            Holder(u32, u32),
            Change(u64),
            Talk(Kin),
        }
        type Group = (Code, Severity, Bond, Option<usize>);
        let group = |case: &Case| -> Option<Group> {
            let bond = match case.cause {
                Cause::Port { netns, exe: Some(exe), .. } => Bond::Holder(netns, exe),
                Cause::Change { kin, .. } => Bond::Change(kin),
                Cause::Talk { kin, .. } => Bond::Talk(kin),
                _ => return None,
            };
            Some((case.code, case.severity, bond, case.allowed))
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
        for mut case in core::mem::take(&mut self.cases) {
            let key = group(&case).filter(|key| sizes.contains_key(key));
            let Some(key) = key else {
                joined.push(case);
                continue;
            };
            match firsts.get(&key).and_then(|at| joined.get_mut(*at)) {
                Some(first) => {
                    first.subjects.append(&mut case.subjects);
                    first.confidence = first.confidence.max(case.confidence);
                    // The first fact of a port says what it is: that one is told of every port.
                    let one = matches!(case.cause, Cause::Port { .. } | Cause::Talk { .. });
                    let told = if one { 1 } else { usize::MAX };
                    first.draft.evidence.extend(case.draft.evidence.drain(..).take(told));
                    let holder = |case: &Case| case.draft.many.as_ref().map(|many| many.holder.clone());
                    first.other_holders |= holder(&case) != holder(first);
                    first.labels.extend(label(&mut case));
                }
                None => {
                    firsts.insert(key, joined.len());
                    let own = label(&mut case);
                    case.labels.extend(own);
                    joined.push(case);
                }
            }
        }
        self.cases = joined;
    }

    fn finding(&self, case: Case) -> Finding {
        let Case { code, severity, confidence, mut subjects, mut draft, labels, other_holders, .. } = case;
        subjects.sort_unstable();
        subjects.dedup();
        let differ = labels.iter().any(|(_, label)| labels.first().is_some_and(|(_, first)| first != label));
        let (places, several) = self.places(&subjects, if differ { &labels } else { &[] });
        let others = if other_holders { ", and by others of the same program" } else { "" };
        if let Some(process) = draft.named.and_then(|pid| self.ground.process(pid))
            && self.others_run_it(process, &subjects)
        {
            let name = who(process);
            draft.after = draft.after.replacen(&name, &format!("{name} and others of the same program"), 1);
        }
        let title = match &draft.many {
            Some(many) if differ => {
                format!("{}{places}{}{}{others}", draft.before, many.after, many.holder)
            }
            _ if several => format!("{}{places}{}{others}", plural(&draft.before), plural(&draft.after)),
            _ => format!("{}{places}{}", draft.before, draft.after),
        };
        // Tens of thousands of ports may have been joined.
        let mut told: HashSet<Evidence> = HashSet::with_capacity(draft.evidence.len());
        let mut seen: Vec<Evidence> = draft.evidence;
        seen.retain(|piece| told.insert(piece.clone()));
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

    /// Whether other processes that run the same file hold some of the sockets.
    fn others_run_it(&self, named: &Process, subjects: &[Subject]) -> bool {
        let path = named.exe.value().map(|exe| &exe.path);
        let other = |pid: u32| {
            pid != named.pid
                && self.ground.process(pid).is_some_and(|it| it.exe.value().map(|exe| &exe.path) == path)
        };
        subjects.iter().any(|subject| match subject {
            Subject::Socket(index) => {
                let socket = self.ground.socket(*index);
                socket.is_some_and(|socket| socket.holders.iter().any(|holder| other(holder.pid)))
            }
            _ => false,
        })
    }

    /// The places of a finding in words (`420/tcp`; `80/tcp, 81/tcp, 82/tcp and 47 more`), each with its label where
    /// it has one, and whether there are several.
    fn places(&self, subjects: &[Subject], labels: &[(u16, String)]) -> (String, bool) {
        let mut names: Vec<String> = Vec::new();
        let mut left: HashSet<String> = HashSet::new();
        // Of tens of thousands of services a few are named: the others are told apart without their names.
        let mut doors: HashSet<(SocketAddr, Transport)> = HashSet::new();
        let mut more = 0;
        for subject in subjects {
            if let Some(door) = self.ground.door(subject) {
                if !doors.insert(door) {
                    continue;
                }
                if names.len() >= MOST_PLACES {
                    more += 1;
                    continue;
                }
            }
            let Some(name) = self.ground.place(subject) else { continue };
            if names.contains(&name) {
                continue;
            }
            if names.len() < MOST_PLACES {
                names.push(name);
            } else {
                left.insert(name);
            }
        }
        let left = left.len() + more;
        let entries = subjects.iter().filter(|subject| matches!(subject, Subject::Entry(_))).count();
        if names.is_empty() && entries > 1 {
            return (format!(" and {} more", entries - 1), true);
        }
        let several = names.len() > 1 || left > 0;
        for name in &mut names {
            // `420/tcp`, or with the address of a server before it.
            let port = name.split('/').next().and_then(|door| door.rsplit(':').next()?.parse::<u16>().ok());
            let of_port = |(known, _): &&(u16, String)| Some(*known) == port;
            if let Some((_, label)) = labels.iter().find(of_port) {
                name.push_str(&format!(" ({label})"));
            }
        }
        let last = if left == 0 { names.pop() } else { Some(format!("{left} more")) };
        let listed = match (names.as_slice(), last) {
            ([], last) => last.unwrap_or_default(),
            (names, Some(last)) => format!("{} and {last}", names.join(", ")),
            (names, None) => names.join(", "),
        };
        (listed, several)
    }
}

/// What the port of a case is, for the title of those that it is joined with.
fn label(case: &mut Case) -> Option<(u16, String)> {
    let (Cause::Port { port, .. } | Cause::Talk { port, .. }) = case.cause else { return None };
    case.draft.many.as_mut().map(|many| (port, core::mem::take(&mut many.label)))
}

/// Whether none of the subjects has the transport and the reach of this one.
fn is_another(ground: Ground<'_>, subjects: &[Subject], subject: &Subject) -> bool {
    let look = |subject: &Subject| match subject {
        Subject::Socket(index) => ground.socket(*index).map(|socket| (socket.kind, socket.scope)),
        _ => None,
    };
    // Thousands of sockets may share a port; the few first of them show every kind there ordinarily is.
    !subjects.iter().take(8).any(|other| look(other) == look(subject))
}

/// The words were chosen when there was one place.
fn plural(text: &str) -> String {
    const BEGINNINGS: [(&str, &str); 8] = [
        (" is ", " are "),
        (" was ", " were "),
        (" has ", " have "),
        (" speaks ", " speak "),
        (" answers ", " answer "),
        (" shows ", " show "),
        (" calls ", " call "),
        ("the holder of ", "the holders of "),
    ];
    for (one, many) in BEGINNINGS {
        if let Some(rest) = text.strip_prefix(one) {
            // What is said of the places may be followed by more of the same.
            return format!("{many}{}", rest.replace("; its holder has ", "; the holder has "));
        }
    }
    text.to_owned()
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
