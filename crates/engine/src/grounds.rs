//! What everything is judged by: the registry, what people wrote down, and what was agreed.

use std::collections::HashMap;
use std::sync::Arc;

use model::media::{Agreement, Session};
use model::{Area, Finding, Gap, Kind, Reason, Scope, Snapshot, Socket, Traffic, Transport};
use registry::Paper;
use store::PortHistory;
use verdict::{Baseline, Earlier, Policy, Used};

use crate::about;
use crate::traffic_view::TrafficView;
use crate::view::View;

/// What everything is judged by.
#[derive(Debug, Clone)]
pub struct Grounds {
    /// What the registry says.
    pub paper: Paper,
    /// What people wrote down.
    pub policy: Policy,
    /// What was accepted on this machine.
    pub baseline: Option<Baseline>,
    /// Which port numbers were used here before; by default nobody watched.
    pub used: Used,
    /// What is remembered of the ports that were asked for, or why that could not be read.
    pub past: HashMap<(u16, Option<Transport>), Result<PortHistory, String>>,
    /// What was agreed for ports.
    pub sessions: Vec<Session>,
    /// What should have counted and could not be read.
    pub wrong: Vec<String>,
}

impl Default for Grounds {
    /// The registry as it was built in, and nothing else.
    fn default() -> Grounds {
        Grounds {
            paper: Paper::builtin(),
            policy: Policy::default(),
            baseline: None,
            used: Used::default(),
            past: HashMap::new(),
            sessions: Vec::new(),
            wrong: Vec::new(),
        }
    }
}

impl Grounds {
    /// Judges a look. What could not be read of ours is a gap like any other.
    pub fn judge(&self, mut snapshot: Snapshot) -> View {
        for error in &self.wrong {
            // As the operating system words it (EACCES).
            let denied = error.contains("(os error 13)");
            snapshot.gaps.push(Gap {
                area: Area::Configuration,
                reason: if denied { Reason::NoPermission } else { Reason::Damaged },
                what: error.clone(),
                count: Some(1),
            });
        }
        let agreed = self.agreement(&mut snapshot);
        self.judge_agreed(Arc::new(snapshot), agreed)
    }

    /// Judges what is known of a machine, with what was agreed for its sockets.
    pub(crate) fn judge_agreed(&self, snapshot: Arc<Snapshot>, agreed: Agreement) -> View {
        let judgement = self.judgement(&snapshot, &agreed);
        let mut view = View::judged(snapshot, self.paper.clone(), judgement.findings, judgement.accepted);
        view.agreed = agreed;
        view
    }

    fn judgement(&self, snapshot: &Snapshot, agreed: &Agreement) -> verdict::Judgement {
        verdict::judge(&verdict::Facts {
            snapshot,
            paper: &self.paper,
            policy: &self.policy,
            baseline: self.baseline.as_ref(),
            agreed,
            used: &self.used,
            ourselves: &host::ourselves(&snapshot.processes),
            today: today(),
        })
    }

    /// Judges what was on the wire; `earlier` are services that were seen before.
    pub fn judge_traffic(&self, traffic: Traffic, earlier: Option<&Earlier>, live: bool) -> TrafficView {
        let by = crate::TrafficGrounds { policy: &self.policy, earlier, live, today: today() };
        TrafficView::new(traffic, self.paper.clone(), &by)
    }

    /// The findings about what is known already, judged anew by these grounds; each with what it is about.
    pub fn judge_known(&self, machine: &View, traffic: Option<&TrafficView>) -> Vec<(String, Finding)> {
        let judged = self.judgement(&machine.snapshot, &machine.agreed);
        let on_machine = |finding: Finding| (about::on_machine(&machine.snapshot, &finding), finding);
        let mut found: Vec<_> = judged.findings.into_iter().map(on_machine).collect();
        if let Some(view) = traffic {
            let by =
                crate::TrafficGrounds { policy: &self.policy, earlier: None, live: true, today: today() };
            let on_wire = |finding: Finding| (about::on_wire(&view.traffic, &finding), finding);
            found.extend(by.judge(&view.traffic, &self.paper).findings.into_iter().map(on_wire));
        }
        found
    }

    /// Asks who joined which group where that can say something: of a machine that knows of no session and has no
    /// socket that could be a medium's, nothing.
    fn agreement(&self, snapshot: &mut Snapshot) -> Agreement {
        let known = !self.sessions.is_empty();
        if !known && !snapshot.sockets.iter().any(may_have_joined) {
            return Agreement::default();
        }
        let memberships = host::memberships();
        // Where nobody told of sessions, nobody asked for groups: what is not seen of them takes nothing from the look.
        // And which namespaces it could not enter, the look itself says.
        let matter = |gap: &Gap| known && gap.area != Area::Namespaces;
        snapshot.gaps.extend(memberships.gaps.into_iter().filter(matter));
        Agreement::of(self.sessions.clone(), memberships.joined, &snapshot.sockets)
    }
}

/// Whether a socket may have joined a group of somebody's: not one of discovery, nor one that the kernel chose a
/// port for.
fn may_have_joined(socket: &Socket) -> bool {
    /// SSDP, WS-Discovery, mDNS, LLMNR; those of DHCPv6 and clocks are system ports.
    const DISCOVERY: [u16; 4] = [1900, 3702, 5353, 5355];
    let port = socket.local.port();
    socket.kind == Kind::Udp
        && socket.is_listener()
        && socket.scope != Scope::Loopback
        && matches!(port, 1024..=32_767 | 61_000..)
        && !DISCOVERY.contains(&port)
}

/// Days since 1970-01-01 in UTC.
pub fn today() -> i64 {
    host::now().as_ns().div_euclid(86_400 * 1_000_000_000)
}
