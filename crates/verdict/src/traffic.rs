//! What was on the wire to findings: one walk over the services, then what only the whole can tell.

use core::ops::RangeInclusive;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use model::{Certainty, Protocol, Service, Subject, Timestamp, Traffic, Transport, Utc};
use registry::{Paper, Standing};

use crate::Judgement;
use crate::accord::{self, Berth, Index, Match};
use crate::docket::{Docket, Ground};
use crate::known::shell;
use crate::policy::{Policy, Verb};
use crate::rules::{media, paper, wire, written};

/// Everything that a judgement of traffic may rest on.
#[derive(Clone, Copy)]
pub struct TrafficFacts<'a> {
    /// What was on the wire.
    pub traffic: &'a Traffic,
    /// Whether it was captured live: then commands name the interface.
    pub live: bool,
    /// What the registry says.
    pub paper: &'a Paper,
    /// What people wrote down; [`Policy::default`] says nothing.
    pub policy: &'a Policy,
    /// Services that were seen before, where there is such a memory.
    pub earlier: Option<&'a Earlier>,
    /// Every protocol that can be recognised: only where one of them is at home do foreign bytes say something.
    pub recognisable: &'a [&'static Protocol],
    /// The day that entries of policy are held against where the capture has no times, counted since 1970-01-01.
    pub today: i64,
}

/// Services that were seen before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    servers: HashSet<IpAddr>,
    doors: HashSet<(IpAddr, Transport, u16)>,
}

impl Earlier {
    /// Takes in every service of this traffic that answered, except ports that were agreed for once.
    pub fn remember(&mut self, traffic: &Traffic) {
        let stays = |service: &&Service| service.answered && service.recognised.agreed_on().is_none();
        for service in traffic.services.iter().filter(stays) {
            self.add(service.server.ip(), service.transport, service.server.port());
        }
    }

    /// Takes in one service.
    pub fn add(&mut self, server: IpAddr, transport: Transport, port: u16) {
        self.servers.insert(server);
        self.doors.insert((server, transport, port));
    }

    /// Whether the server was seen on this port.
    pub fn knows(&self, server: IpAddr, transport: Transport, port: u16) -> bool {
        self.doors.contains(&(server, transport, port))
    }

    /// Whether the server was seen on any port.
    pub fn knows_server(&self, server: IpAddr) -> bool {
        self.servers.contains(&server)
    }

    /// Whether nothing was ever taken in.
    pub fn is_empty(&self) -> bool {
        self.doors.is_empty()
    }
}

/// What every rule of the wire may look at.
pub(crate) struct Watch<'a> {
    pub(crate) facts: &'a TrafficFacts<'a>,
    pub(crate) traffic: &'a Traffic,
    /// The registry's title and date, as evidence cites it.
    pub(crate) paper: String,
    /// Whether packets were cut short or lost, so that bytes may be missing.
    pub(crate) incomplete: bool,
    /// Doors where the server's own bytes told what it speaks, in some flow.
    spoken: HashSet<(SocketAddr, Transport)>,
}

/// Ports from here on are never assigned (RFC 6335 §6).
const DYNAMIC_PORTS: u16 = 49_152;
/// Ports that one system or another gives to whoever asks for any: Linux begins here.
pub(crate) const CHANCE_PORTS: u16 = 32_768;

/// A service with what paper says of its port.
pub(crate) struct Berthed<'a> {
    pub(crate) index: usize,
    pub(crate) service: &'a Service,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) standing: Standing<'a>,
}

impl Berthed<'_> {
    pub(crate) fn subject(&self) -> Subject {
        Subject::Service(self.index)
    }

    pub(crate) fn is_system(&self) -> bool {
        self.port < crate::judge::SYSTEM_PORTS_END
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        self.port >= DYNAMIC_PORTS
    }

    /// Whether another flow agreed the port: then it is for what was agreed. A system port is nobody's to agree.
    pub(crate) fn is_agreed(&self) -> bool {
        !self.is_system() && self.service.recognised.agreed_on().is_some()
    }

    /// Whether the system may have chosen the port: then the number says nothing.
    pub(crate) fn is_chance(&self) -> bool {
        self.port >= CHANCE_PORTS
    }

    /// Whether somebody ordinarily uses the port.
    pub(crate) fn is_ordinary(&self) -> bool {
        wire::home::is_ordinary(&self.standing, self.transport, self.port)
    }

    /// Whether packets go to many at once: nobody serves there.
    pub(crate) fn is_group(&self) -> bool {
        wire::home::is_group(self.service.server.ip())
    }

    /// Whether only who sent first says who serves, in the middle of a connection that is not datagrams.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.service.direction == model::Direction::FirstSeen && self.transport != Transport::Udp
    }
}

/// Judges what was on the wire. The same facts give the same findings in the same order.
///
/// Policy accepts and forbids by `port`, `transport`, `address` and `code`: an entry that asks for a holder, a scope or
/// a namespace cannot be decided from packets and accepts nothing. An entry that nothing here matches is not a finding,
/// and a closed policy is not held against a capture: both speak of a machine.
pub fn judge_traffic(facts: &TrafficFacts<'_>) -> Judgement {
    let traffic = facts.traffic;
    let watch = Watch {
        facts,
        traffic,
        paper: paper::cited(facts.paper),
        incomplete: traffic.volume.cut > 0 || traffic.volume.dropped > 0,
        spoken: traffic
            .services
            .iter()
            .filter(|service| service.recognised.certainty == Certainty::Confirmed)
            .map(|service| (service.server, service.transport))
            .collect(),
    };
    let mut docket = Docket::new(Ground { traffic: Some(traffic), ..Ground::default() }, facts.policy);
    let mut consent = Consent::of(facts.policy, watch.day());
    let mut homes = wire::home::Homes::default();

    for (index, service) in traffic.services.iter().enumerate() {
        let port = service.server.port();
        let berthed = Berthed {
            index,
            service,
            port,
            transport: service.transport,
            standing: facts.paper.standing(service.transport, port),
        };
        let subject = (berthed.subject(), service.answered.then_some(port));
        let place = (service.transport, port..=port);
        consent.consider(Some(place), &[service.server.ip()], subject, &mut docket);
        wire::judge(&watch, &berthed, &mut homes, &mut docket);
    }
    wire::novelty::judge(&watch, &mut consent, &mut docket);
    wire::chair::judge_touches(&watch, &mut consent, &mut docket);
    wire::pattern::scans(&watch, &mut consent, &mut docket);
    wire::pattern::beacons(&watch, &homes, &mut consent, &mut docket);
    media::judge(&watch, &mut consent, &mut docket);
    consent.consider(None, &[], (Subject::Capture, None), &mut docket);
    wire::damage::judge(&watch, &mut docket);
    docket.turn_to(&[], &[]);
    consent.close(&mut docket);
    docket.close()
}

impl Watch<'_> {
    /// The day of the capture; today where it has no times.
    fn day(&self) -> i64 {
        let last = self.traffic.last.or(self.traffic.first);
        last.map_or(self.facts.today, |time: Timestamp<Utc>| time.as_seconds().div_euclid(86_400))
    }

    /// Whether other flows of the same door told what the server speaks.
    pub(crate) fn speaks_otherwise(&self, service: &Service) -> bool {
        self.spoken.contains(&(service.server, service.transport))
    }

    /// The command that shows packets of these ports and keeps them.
    pub(crate) fn keep(&self, port: Option<u16>) -> String {
        let port = port.map(|port| format!(" --port {port}")).unwrap_or_default();
        let mut text =
            if self.facts.live { "portreeve watch".to_owned() } else { "portreeve read".to_owned() };
        let sources: Vec<&String> = self.traffic.sources.iter().filter(|source| *source != "-").collect();
        for source in sources.iter().take(3) {
            text.push_str(if self.facts.live { " -i " } else { " " });
            text.push_str(&shell(source));
        }
        if sources.is_empty() && !self.facts.live {
            text.push_str(" FILE");
        }
        text.push_str(&format!("{port} --write evidence.pcapng"));
        text
    }
}

/// What policy says of each thing on the wire.
pub(crate) struct Consent<'a> {
    policy: &'a Policy,
    index: Index,
    /// Entries that had expired on the day of the capture.
    lapsed: Index,
    /// Those of them that would have meant something here.
    missed: HashSet<usize>,
    allowances: Vec<usize>,
    unseen: Vec<usize>,
}

impl<'a> Consent<'a> {
    pub(crate) fn of(policy: &'a Policy, day: i64) -> Consent<'a> {
        Consent {
            policy,
            index: Index::of(policy, day),
            lapsed: Index::of_those(policy, |entry| !entry.applies(day)),
            missed: HashSet::new(),
            allowances: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Asks every entry that can mean what is at this place, and turns the docket to it. A prohibition is broken only
    /// where somebody answered: `subject` then has a port.
    pub(crate) fn consider(
        &mut self,
        place: Option<(Transport, RangeInclusive<u16>)>,
        addresses: &[IpAddr],
        (subject, answered): (Subject, Option<u16>),
        docket: &mut Docket<'_>,
    ) {
        let (transport, ports) =
            place.map_or((None, None), |(transport, ports)| (Some(transport), Some(ports)));
        let berth = Berth { transport, ports, addresses };
        let single =
            berth.ports.as_ref().filter(|ports| ports.start() == ports.end()).map(|ports| *ports.start());
        let candidates = |index: &Index| -> Vec<usize> {
            match (&berth.ports, single) {
                _ if index.is_empty() => Vec::new(),
                // A range of ports is within a wide entry or within a list of ports: every entry is asked.
                (Some(_), None) => index.all(),
                _ => index.candidates(single).collect(),
            }
        };
        self.allowances.clear();
        self.unseen.clear();
        let mut denied: Vec<usize> = Vec::new();
        for number in candidates(&self.index) {
            let Some(entry) = self.policy.entries().get(number) else { continue };
            match (entry.verb, accord::means_wire(entry, &berth)) {
                (Verb::Allow, Match::Yes) => self.allowances.push(number),
                (Verb::Allow, Match::Unseen) => self.unseen.push(number),
                (Verb::Deny, Match::Yes) => denied.push(number),
                _ => {}
            }
        }
        for number in candidates(&self.lapsed) {
            let Some(entry) = self.policy.entries().get(number) else { continue };
            if single.is_some()
                && entry.verb != Verb::Expect
                && accord::means_wire(entry, &berth) == Match::Yes
            {
                self.missed.insert(number);
            }
        }
        // An entry by its line, however it was found.
        self.allowances.sort_unstable();
        docket.turn_to(&self.allowances, &self.unseen);
        for number in denied.into_iter().filter(|_| answered.is_some()) {
            written::denied(self.policy, number, (subject.clone(), answered), docket);
        }
    }

    /// What is said about the entries themselves: that one would have mattered here, had it not expired.
    pub(crate) fn close(&self, docket: &mut Docket<'_>) {
        let mut missed: Vec<usize> = self.missed.iter().copied().collect();
        missed.sort_unstable();
        for entry in missed.into_iter().filter_map(|number| self.policy.entries().get(number)) {
            written::expired(entry, docket);
        }
    }
}
