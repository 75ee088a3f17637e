//! What is known now, sorted by ports: who uses each, what was seen there, and what was judged of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::board::Current;
use engine::{Door, TrafficView, Verdict, View, about};
use model::{Code, Finding, Subject, Transport};

/// A port of a transport.
pub(crate) type Port = (Transport, u16);

/// What is known of one port that is used, or was seen on the wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spot {
    /// Sockets that wait here.
    pub(crate) listeners: Vec<u32>,
    /// Sockets that have the port otherwise: bound, or connected, and there to stay.
    pub(crate) others: Vec<u32>,
    /// Sockets that come and go with one conversation.
    pub(crate) passing: Vec<u32>,
    /// Ports published without a socket.
    pub(crate) forwards: Vec<u32>,
    /// Services that were seen on the wire, anywhere.
    pub(crate) services: Vec<usize>,
    /// Knocks where nobody spoke.
    pub(crate) touch: Option<usize>,
    /// The gravest of what was judged of its listeners and forwards.
    pub(crate) verdict: Option<Verdict>,
}

impl Spot {
    /// How it is used, in one word: the first that holds.
    pub(crate) fn using(&self) -> Using {
        if !self.listeners.is_empty() {
            Using::Listening
        } else if !self.forwards.is_empty() {
            Using::Published
        } else if !self.others.is_empty() {
            Using::Bound
        } else if !self.services.is_empty() {
            Using::Wire
        } else if self.touch.is_some() {
            Using::Touched
        } else if !self.passing.is_empty() {
            Using::Passing
        } else {
            Using::Free
        }
    }

    fn judge(&mut self, verdict: Verdict) {
        self.verdict = self.verdict.max(Some(verdict));
    }
}

/// How a port is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Using {
    /// Nobody is there, and nobody was seen.
    Free,
    /// Only sockets have it that come and go with one conversation: a client's, or what is left of one that is over.
    Passing,
    /// Somebody knocked, and nobody spoke.
    Touched,
    /// It was spoken at somewhere on the wire.
    Wire,
    /// A socket has it, and does not wait for peers.
    Bound,
    /// Packets to it are redirected; there is no socket.
    Published,
    /// A socket waits there.
    Listening,
}

impl Using {
    /// Whether anybody is there, or came there, who would want to be looked at.
    pub(crate) fn is_used(self) -> bool {
        self > Using::Passing
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Using::Free => "free",
            Using::Passing => "passing",
            Using::Touched => "touched",
            Using::Wire => "wire",
            Using::Bound => "bound",
            Using::Published => "published",
            Using::Listening => "listening",
        }
    }
}

/// A finding that stands, or that policy accepts, with what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// What tells it from others in addresses; the same when it is found again.
    pub(crate) id: String,
    /// Whether it is about the wire.
    pub(crate) of_wire: bool,
    /// Its place among the findings of its kind.
    pub(crate) index: usize,
    /// What it is about.
    pub(crate) about: String,
    /// The ports that it speaks of.
    pub(crate) ports: Vec<Port>,
}

/// What is known now, sorted by ports.
pub(crate) struct Atlas {
    pub(crate) machine: Arc<View>,
    pub(crate) traffic: Option<Arc<TrafficView>>,
    pub(crate) spots: BTreeMap<Port, Spot>,
    /// Gravest first.
    pub(crate) findings: Vec<Known>,
}

/// What tells a finding from others in addresses.
pub(crate) fn id_of(code: Code, about: &str) -> String {
    engine::store::finding_id(code, about)
}

impl Atlas {
    pub(crate) fn of(current: &Current) -> Atlas {
        let mut atlas = Atlas {
            machine: Arc::clone(&current.machine),
            traffic: current.traffic.clone(),
            spots: BTreeMap::new(),
            findings: Vec::new(),
        };
        atlas.sort_machine();
        atlas.sort_traffic();
        atlas.sort_findings();
        atlas
    }

    /// Whether it was worked out of what is known now.
    pub(crate) fn is_of(&self, current: &Current) -> bool {
        let same_traffic = match (&self.traffic, &current.traffic) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same_traffic && Arc::ptr_eq(&self.machine, &current.machine)
    }

    pub(crate) fn spot(&self, port: Port) -> Option<&Spot> {
        self.spots.get(&port)
    }

    /// The finding that is meant.
    pub(crate) fn finding(&self, known: &Known) -> Option<&Finding> {
        if known.of_wire {
            self.traffic.as_ref()?.findings.get(known.index)
        } else {
            self.machine.findings.get(known.index)
        }
    }

    fn sort_machine(&mut self) {
        let machine = Arc::clone(&self.machine);
        for row in &machine.rows {
            match row.door {
                Door::Socket(index) => {
                    let Some(socket) = machine.socket(row) else { continue };
                    let (Some(transport), Some(port)) = (socket.kind.transport(), socket.port()) else {
                        continue;
                    };
                    if socket.state == model::State::Unbound {
                        continue;
                    }
                    let spot = self.spots.entry((transport, port)).or_default();
                    if socket.is_listener() {
                        spot.listeners.push(index);
                        spot.judge(row.verdict);
                    } else if machine.snapshot.is_passing(socket) && !matches!(row.verdict, Verdict::Found(_))
                    {
                        spot.passing.push(index);
                    } else {
                        spot.others.push(index);
                        if socket.peer.is_none() {
                            spot.judge(row.verdict);
                        }
                    }
                }
                Door::Forward(index) => {
                    let Some(forward) = machine.forward(row) else { continue };
                    for port in forward.first..=forward.last {
                        let spot = self.spots.entry((forward.transport, port)).or_default();
                        spot.forwards.push(index);
                        spot.judge(row.verdict);
                    }
                }
            }
        }
    }

    fn sort_traffic(&mut self) {
        let Some(view) = self.traffic.clone() else { return };
        for (index, service) in view.traffic.services.iter().enumerate() {
            self.spots.entry((service.transport, service.server.port())).or_default().services.push(index);
        }
        for (index, touch) in view.traffic.touches.iter().enumerate() {
            self.spots.entry((touch.transport, touch.port)).or_default().touch = Some(index);
        }
    }

    fn sort_findings(&mut self) {
        let machine = Arc::clone(&self.machine);
        let of_machine = machine.findings.iter().enumerate().map(|(index, finding)| {
            let about = about::on_machine(&machine.snapshot, finding);
            (
                finding,
                Known {
                    id: id_of(finding.code, &about),
                    of_wire: false,
                    index,
                    ports: ports_on_machine(&machine, finding),
                    about,
                },
            )
        });
        let traffic = self.traffic.clone();
        let of_wire = traffic.iter().flat_map(|view| {
            view.findings.iter().enumerate().map(move |(index, finding)| {
                let about = about::on_wire(&view.traffic, finding);
                (
                    finding,
                    Known {
                        id: id_of(finding.code, &about),
                        of_wire: true,
                        index,
                        ports: ports_on_wire(view, finding),
                        about,
                    },
                )
            })
        });
        let mut all: Vec<_> = of_machine.chain(of_wire).collect();
        all.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
        self.findings = all.into_iter().map(|(_, known)| known).collect();
    }
}

fn ports_on_machine(view: &View, finding: &Finding) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    for subject in &finding.subjects {
        match subject {
            Subject::Socket(index) => {
                let socket = view.snapshot.sockets.get(*index);
                ports.extend(socket.and_then(|socket| Some((socket.kind.transport()?, socket.port()?))));
            }
            Subject::Forward(index) => {
                let forward = view.snapshot.forwards.get(*index);
                ports.extend(forward.map(|forward| (forward.transport, forward.first)));
            }
            _ => {}
        }
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn ports_on_wire(view: &TrafficView, finding: &Finding) -> Vec<Port> {
    let traffic = &view.traffic;
    let port_of = |subject: &Subject| match subject {
        Subject::Service(at) => traffic.services.get(*at).map(|it| (it.transport, it.server.port())),
        Subject::Touch(at) => traffic.touches.get(*at).map(|it| (it.transport, it.port)),
        Subject::Beacon(at) => traffic.beacons.get(*at).map(|it| (it.transport, it.server.port())),
        Subject::Stream(at) => {
            let leg = traffic.media.streams.get(*at)?.legs.first()?;
            Some((Transport::Udp, leg.destination.port()))
        }
        Subject::Session(at) => {
            let leg = traffic.media.sessions.get(*at)?.legs.first()?;
            Some((Transport::Udp, leg.destination.port()))
        }
        _ => None,
    };
    let mut ports: Vec<Port> = finding.subjects.iter().filter_map(port_of).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
