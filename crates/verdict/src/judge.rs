//! Facts to findings: one walk over the sockets, one over the forwards, then what only the whole can tell.

use model::{Code, Confidence, Namespace, PortRules, Snapshot, Socket, Subject, Transport};
use registry::program::{self, Program};

use crate::accord::{self, Index, Match};
use crate::docket::{Cause, Docket, Draft, Ground, evidence};
use crate::known::{Directory, Known};
use crate::policy::Verb;
use crate::rules;
use crate::{Facts, Judgement};

/// What every rule may look at.
pub(crate) struct Bench<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) snapshot: &'a Snapshot,
    /// The registry's title and date, as evidence cites it.
    pub(crate) paper: String,
}

/// A listener with its holders.
pub(crate) struct Listener<'l, 'a> {
    pub(crate) index: usize,
    pub(crate) socket: &'a Socket,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) holders: &'l [&'l Known<'a>],
    /// The program that systemd starts for it, where it holds the socket for a service.
    pub(crate) activated: Option<&'static Program>,
    pub(crate) rules: Option<&'a PortRules>,
    /// Whether it is in the namespace we run in.
    pub(crate) own: bool,
}

/// Ports below this are system ports (RFC 6335 §6).
pub(crate) const SYSTEM_PORTS_END: u16 = 1024;

impl<'a> Listener<'_, 'a> {
    pub(crate) fn subject(&self) -> Subject {
        Subject::Socket(self.index)
    }

    pub(crate) fn is_system_port(&self) -> bool {
        self.port < SYSTEM_PORTS_END
    }

    pub(crate) fn is_beyond_loopback(&self) -> bool {
        self.socket.scope.beyond_loopback()
    }

    /// Whether the kernel may have chosen the port: then the number says nothing.
    pub(crate) fn is_ephemeral(&self) -> bool {
        // Where somebody opened the whole range, the usual one still tells chance from choice.
        self.port >= 32_768 && self.rules.map_or(self.port <= 60_999, |rules| rules.gives_out(self.port))
    }

    /// Whether every holder runs in a container.
    pub(crate) fn in_container(&self) -> bool {
        !self.holders.is_empty() && self.holders.iter().all(|holder| holder.in_container)
    }

    /// The cause of what is said about this port.
    pub(crate) fn cause(&self) -> Cause {
        let exe = self.holders.first().map(|holder| holder.exe);
        Cause::Port { port: self.port, netns: self.socket.netns, exe }
    }
}

/// Judges one look at a machine. The same facts give the same findings in the same order.
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let bench = Bench { facts, snapshot: facts.snapshot, paper: rules::paper::cited(facts.paper) };
    let directory = Directory::of(bench.snapshot, facts.ourselves);
    let mut docket =
        Docket::new(Ground { snapshot: Some(bench.snapshot), ..Ground::default() }, facts.policy);
    let mut policy = Ledger::new(&bench);

    sockets(&bench, &directory, &mut policy, &mut docket);
    for (index, forward) in bench.snapshot.forwards.iter().enumerate() {
        policy.consider_forward(&bench, index, &mut docket);
        rules::reach::judge_forward(&bench, index, forward, &mut docket);
    }
    if let Some(baseline) = facts.baseline {
        rules::drift::judge(&bench, baseline, &directory, &mut policy, &mut docket);
    }
    docket.turn_to(&[], &[]);
    policy.close(&bench, &mut docket);
    docket.close()
}

fn sockets<'a>(bench: &Bench<'a>, directory: &Directory<'a>, policy: &mut Ledger, docket: &mut Docket<'a>) {
    let snapshot = bench.snapshot;
    let mut holders: Vec<&Known<'a>> = Vec::new();
    let mut namespace: Option<&Namespace> = None;
    let groups = bench.facts.agreed.groups();
    for (index, socket) in snapshot.sockets.iter().enumerate() {
        let sniffs = socket.kind.transport().is_none();
        if !sniffs && !socket.is_listener() && !rules::unseen::concerns(directory, socket) {
            continue;
        }
        if namespace.is_none_or(|namespace| namespace.inode != socket.netns) {
            namespace = snapshot.namespace(socket.netns);
        }
        directory.holders(socket, &mut holders);
        policy.consider(bench, index, socket, &holders, docket);
        rules::unseen::judge(bench, index, socket, &holders, docket);
        // We know why we are there; of the file that we run, all is said that is said of others.
        let ours = !holders.is_empty() && holders.iter().all(|holder| holder.ours);
        if sniffs {
            if !ours {
                let others: Vec<&Known<'a>> = holders.iter().copied().filter(|holder| !holder.ours).collect();
                rules::sniff::judge(bench, index, socket, &others, docket);
            }
            rules::exe::judge(bench, index, socket, &holders, docket);
            continue;
        }
        let (true, Some(transport), Some(port)) =
            (socket.is_listener(), socket.kind.transport(), socket.port())
        else {
            continue;
        };
        rules::exe::judge(bench, index, socket, &holders, docket);
        if ours {
            continue;
        }
        let listener = Listener {
            index,
            socket,
            port,
            transport,
            holders: &holders,
            activated: activated(socket),
            rules: namespace.and_then(|namespace| namespace.rules.value()),
            own: namespace.is_none_or(|namespace| namespace.own),
        };
        // A port that was agreed upon is what its session says, whatever paper says of the number.
        if bench.facts.agreed.sessions_of(index).is_empty() {
            rules::number::judge(bench, &listener, docket);
        }
        rules::agreed::judge(bench, &listener, &groups, docket);
        rules::reach::judge(bench, &listener, docket);
        rules::privilege::judge(bench, &listener, docket);
    }
}

fn activated(socket: &Socket) -> Option<&'static Program> {
    let activation = socket.activation.as_ref()?;
    let by_program = activation
        .program
        .as_deref()
        .and_then(|path| program::by_executable(path.rsplit('/').next().unwrap_or(path)));
    by_program.or_else(|| program::by_unit(&activation.service))
}

/// What came of each entry of policy.
pub(crate) struct Ledger {
    index: Index,
    /// Per entry: matched something; might have, if the holder could be seen.
    found: Vec<(bool, bool)>,
    allowances: Vec<usize>,
    unseen: Vec<usize>,
}

impl Ledger {
    fn new(bench: &Bench<'_>) -> Ledger {
        let policy = bench.facts.policy;
        Ledger {
            index: Index::of(policy, bench.facts.today),
            found: vec![(false, false); policy.entries().len()],
            allowances: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Asks every entry that can mean the socket, and turns the docket to it.
    pub(crate) fn consider<'a>(
        &mut self,
        bench: &Bench<'a>,
        index: usize,
        socket: &Socket,
        holders: &[&Known<'a>],
        docket: &mut Docket<'a>,
    ) {
        let means = |entry: &crate::policy::Entry| accord::means(entry, bench.snapshot, socket, holders);
        let waits = socket.is_listener() && socket.port().is_some();
        let candidates = self.candidates(|index| index.candidates(socket.port()).collect());
        self.ask(bench, &candidates, means, Subject::Socket(index), waits, docket);
    }

    pub(crate) fn consider_forward<'a>(&mut self, bench: &Bench<'a>, index: usize, docket: &mut Docket<'a>) {
        let Some(forward) = bench.snapshot.forwards.get(index) else { return };
        let means = |entry: &crate::policy::Entry| accord::means_forward(entry, bench.snapshot, forward);
        let candidates = self.candidates(Index::all);
        self.ask(bench, &candidates, means, Subject::Forward(index), true, docket);
    }

    fn candidates(&self, of: impl Fn(&Index) -> Vec<usize>) -> Vec<usize> {
        if self.index.is_empty() { Vec::new() } else { of(&self.index) }
    }

    fn ask<'a>(
        &mut self,
        bench: &Bench<'a>,
        candidates: &[usize],
        means: impl Fn(&crate::policy::Entry) -> Match,
        subject: Subject,
        waits: bool,
        docket: &mut Docket<'a>,
    ) {
        self.allowances.clear();
        self.unseen.clear();
        let policy = bench.facts.policy;
        let mut denied: Vec<usize> = Vec::new();
        for number in candidates.iter().copied() {
            let Some(entry) = policy.entries().get(number) else { continue };
            let fits = means(entry);
            if let Some(found) = self.found.get_mut(number) {
                found.0 |= fits == Match::Yes;
                found.1 |= fits == Match::Unseen;
            }
            match (entry.verb, fits) {
                (Verb::Allow, Match::Yes) => self.allowances.push(number),
                (Verb::Allow, Match::Unseen) => self.unseen.push(number),
                (Verb::Deny, Match::Yes) => denied.push(number),
                _ => {}
            }
        }
        // An entry by its line, however it was found.
        self.allowances.sort_unstable();
        docket.turn_to(&self.allowances, &self.unseen);
        let port = match &subject {
            Subject::Socket(index) => bench.snapshot.sockets.get(*index).and_then(Socket::port),
            Subject::Forward(index) => bench.snapshot.forwards.get(*index).map(|forward| forward.first),
            _ => None,
        };
        for number in denied {
            rules::written::denied(policy, number, (subject.clone(), port), docket);
        }
        if let Some(place) = policy.closed().filter(|_| waits) {
            // An entry with codes accepts those and no more; what could not be seen is not accused.
            let opens =
                |number: &usize| policy.entries().get(*number).is_some_and(|entry| entry.codes.is_empty());
            if !self.allowances.iter().chain(&self.unseen).any(opens) {
                rules::written::not_allowed(bench, place, subject, docket);
            }
        }
    }

    fn close<'a>(&self, bench: &Bench<'a>, docket: &mut Docket<'a>) {
        for (entry, (found, unseen)) in bench.facts.policy.entries().iter().zip(&self.found) {
            rules::written::entry(bench, entry, *found, *unseen, docket);
        }
    }
}

/// A finding with words that are at hand.
pub(crate) fn say(
    before: impl Into<String>,
    after: impl Into<String>,
    facts: Vec<(String, String)>,
    next_step: impl Into<String>,
) -> Draft {
    Draft {
        before: before.into(),
        after: after.into(),
        evidence: facts.into_iter().map(|(fact, source)| evidence(fact, source)).collect(),
        next_step: next_step.into(),
        many: None,
        named: None,
    }
}

/// The confidence of a code's plain case.
pub(crate) const SURE: Confidence = Confidence::High;

/// The severity that a code has unless the evidence says more or less.
pub(crate) fn usual(code: Code) -> model::Severity {
    code.default_severity()
}
