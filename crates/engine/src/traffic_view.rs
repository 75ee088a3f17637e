//! The read model of traffic: what was on the wire, with what was judged of it.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Finding, Flow, Subject, Traffic, Transport};
use registry::Paper;
use verdict::{Accepted, Earlier, Policy};

use crate::outcome::{Outcome, Threshold, gap_matters};
use crate::owners::Owner;
use crate::view::Verdict;

/// A flow with who has its ends on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedFlow {
    /// The flow.
    pub flow: Flow,
    /// Who has the client's end, if it is of this machine.
    pub client: Option<Arc<Owner>>,
    /// Who has the server's end, if it is of this machine.
    pub server: Option<Arc<Owner>>,
}

impl From<Flow> for OwnedFlow {
    fn from(flow: Flow) -> OwnedFlow {
        OwnedFlow { flow, client: None, server: None }
    }
}

/// What traffic is judged by, beside the registry.
#[derive(Clone, Copy)]
pub struct TrafficGrounds<'a> {
    /// What people wrote down.
    pub policy: &'a Policy,
    /// Services that were seen before.
    pub earlier: Option<&'a Earlier>,
    /// Whether it is watched live.
    pub live: bool,
    /// The day, counted since 1970-01-01 in UTC, where the capture has no times.
    pub today: i64,
}

impl TrafficGrounds<'_> {
    /// What stands of traffic, and what is accepted.
    pub(crate) fn judge(&self, traffic: &Traffic, paper: &Paper) -> verdict::Judgement {
        let recognisable: Vec<_> = traffic::protocol::all().collect();
        verdict::judge_traffic(&verdict::TrafficFacts {
            traffic,
            live: self.live,
            paper,
            policy: self.policy,
            earlier: self.earlier,
            recognisable: &recognisable,
            today: self.today,
        })
    }
}

/// Traffic, judged.
pub struct TrafficView {
    /// What was on the wire.
    pub traffic: Traffic,
    /// What the registry says.
    pub paper: Paper,
    /// What stands: gravest first.
    pub findings: Vec<Finding>,
    /// What an entry of policy accepts.
    pub accepted: Vec<Accepted>,
    /// Per service: its findings, as indices, and what they amount to.
    of_services: Vec<(Vec<u32>, Verdict)>,
}

impl TrafficView {
    /// Judges traffic.
    pub fn new(traffic: Traffic, paper: Paper, grounds: &TrafficGrounds<'_>) -> TrafficView {
        let judgement = grounds.judge(&traffic, &paper);
        TrafficView::judged(traffic, paper, judgement.findings, judgement.accepted)
    }

    /// From findings that are already there.
    pub fn judged(
        traffic: Traffic,
        paper: Paper,
        findings: Vec<Finding>,
        accepted: Vec<Accepted>,
    ) -> TrafficView {
        let mut of_services = vec![(Vec::new(), Verdict::Ok); traffic.services.len()];
        let services = |finding: &Finding| -> Vec<usize> {
            let service = |subject: &Subject| match subject {
                Subject::Service(at) => Some(*at),
                _ => None,
            };
            finding.subjects.iter().filter_map(service).collect()
        };
        for accepted in &accepted {
            for at in services(&accepted.finding) {
                if let Some((_, verdict)) = of_services.get_mut(at) {
                    *verdict = Verdict::Accepted;
                }
            }
        }
        for (index, finding) in findings.iter().enumerate() {
            for at in services(finding) {
                if let Some((list, verdict)) = of_services.get_mut(at) {
                    list.push(u32::try_from(index).unwrap_or(u32::MAX));
                    *verdict = (*verdict).max(Verdict::Found(finding.severity));
                }
            }
        }
        TrafficView { traffic, paper, findings, accepted, of_services }
    }

    /// What was judged of the service with this index.
    pub fn verdict_of_service(&self, index: usize) -> Verdict {
        self.of_services.get(index).map_or(Verdict::Ok, |(_, verdict)| *verdict)
    }

    /// The findings about the service with this index, gravest first.
    pub fn findings_of_service(&self, index: usize) -> impl Iterator<Item = &Finding> {
        let list = self.of_services.get(index).map(|(list, _)| list.as_slice()).unwrap_or_default();
        list.iter().filter_map(|at| self.findings.get(*at as usize))
    }

    /// The same with nothing but some ports: services, touches, beacons and findings about others are left out.
    #[must_use]
    pub fn only(mut self, wanted: &dyn Fn(Transport, u16) -> bool) -> TrafficView {
        let services = keep(&mut self.traffic.services, |it| wanted(it.transport, it.server.port()));
        let touches = keep(&mut self.traffic.touches, |it| wanted(it.transport, it.port));
        let beacons = keep(&mut self.traffic.beacons, |it| wanted(it.transport, it.server.port()));
        let scans = keep(&mut self.traffic.scans, |it| {
            it.lowest_port == it.highest_port && wanted(it.transport, it.lowest_port)
        });
        let renamed = |finding: &mut Finding| {
            finding.subjects = finding
                .subjects
                .iter()
                .filter_map(|subject| match subject {
                    Subject::Service(at) => services.get(at).copied().map(Subject::Service),
                    Subject::Touch(at) => touches.get(at).copied().map(Subject::Touch),
                    Subject::Beacon(at) => beacons.get(at).copied().map(Subject::Beacon),
                    Subject::Scan(at) => scans.get(at).copied().map(Subject::Scan),
                    Subject::Capture | Subject::Entry(_) => None,
                    Subject::Socket(_) | Subject::Forward(_) | Subject::Visitor(_) => None,
                    Subject::Session(_) | Subject::Stream(_) | Subject::Group(_) | Subject::Clock(_) => None,
                })
                .collect();
            !finding.subjects.is_empty()
        };
        self.findings.retain_mut(renamed);
        self.accepted.retain_mut(|accepted| renamed(&mut accepted.finding));
        TrafficView::judged(self.traffic, self.paper, self.findings, self.accepted)
    }

    /// Whether a finding is about some ports.
    pub fn concerns(&self, finding: &Finding, wanted: &dyn Fn(Transport, u16) -> bool) -> bool {
        let traffic = &self.traffic;
        finding.subjects.iter().any(|subject| match subject {
            Subject::Service(at) => {
                traffic.services.get(*at).is_some_and(|it| wanted(it.transport, it.server.port()))
            }
            Subject::Touch(at) => traffic.touches.get(*at).is_some_and(|it| wanted(it.transport, it.port)),
            Subject::Beacon(at) => {
                traffic.beacons.get(*at).is_some_and(|it| wanted(it.transport, it.server.port()))
            }
            Subject::Scan(at) => traffic
                .scans
                .get(*at)
                .is_some_and(|it| it.lowest_port == it.highest_port && wanted(it.transport, it.lowest_port)),
            _ => false,
        })
    }

    /// Whether something could not be read that a judgement would need.
    pub fn is_partial(&self) -> bool {
        self.traffic.gaps.iter().any(gap_matters)
    }

    /// What the reading amounts to.
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

/// Keeps some entries, and tells where each of them stands now by where it stood.
fn keep<T>(list: &mut Vec<T>, mut wanted: impl FnMut(&T) -> bool) -> HashMap<usize, usize> {
    let mut places = HashMap::new();
    let mut at = 0;
    list.retain(|entry| {
        let stays = wanted(entry);
        if stays {
            places.insert(at, places.len());
        }
        at += 1;
        stays
    });
    places
}
