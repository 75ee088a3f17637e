//! From what an API has told to the sessions that it speaks of.

use model::media::{Essence, Format, Leg, ReferenceClock, Session};
use model::{Timestamp, Utc};

use super::registry::{End, Held, Registry};
use super::resource::{ClockReference, Flow, Resource, Sender, Source};
use super::{Id, Kind, essence};

impl Registry {
    /// Every session: one for each sender and each receiver that has somewhere to send to or to receive from, and those
    /// that ended lately.
    pub fn sessions(&self) -> Vec<Session> {
        let ends = self.of_kind(Kind::Sender).chain(self.of_kind(Kind::Receiver));
        let nothing = End::default();
        let now = ends.filter_map(|held| {
            let end = self.ends.get(&held.resource.core().id).unwrap_or(&nothing);
            self.session(held, end, end.stopped)
        });
        let gone = self.ended.iter().filter_map(|it| self.session(&it.held, &it.end, Some(it.at)));
        now.chain(gone).collect()
    }

    fn session(&self, held: &Held, end: &End, ended: Option<Timestamp<Utc>>) -> Option<Session> {
        let (of_device, flow, sender) = match &held.resource {
            Resource::Sender(sender) => (sender.device, sender.flow, Some(sender)),
            // What a receiver takes is known by the sender that it is connected to.
            Resource::Receiver(receiver) => {
                let peer = end.active.as_ref().and_then(|active| active.peer).or(receiver.sender);
                let peer = peer.and_then(|id| self.sender(id));
                (peer.and_then(|peer| peer.device), peer.and_then(|peer| peer.flow), peer)
            }
            _ => return None,
        };
        let core = held.resource.core();
        let flow = flow.and_then(|id| self.flow(id));
        let source = flow.and_then(|flow| flow.source).and_then(|id| self.source(id));
        let described = end.described.as_ref();
        let legs = legs(end, described);
        if legs.is_empty() {
            return None;
        }
        let of_flow = flow.and_then(|flow| Some((flow, essence::format(flow, source, sender)?)));
        let formats = formats(described, of_flow);
        let name = if core.label.is_empty() { core.id.to_string() } else { core.label.clone() };
        Some(Session {
            name,
            identity: core.id.to_string(),
            source: self.source_of(core.id),
            formats,
            legs,
            reference: described.and_then(|it| it.reference.clone()).or_else(|| {
                let device = of_device.or(source.and_then(|source| source.device));
                self.reference(device, source?.clock.as_deref()?)
            }),
            media_clock: described.and_then(|it| it.media_clock),
            first: Some(held.first),
            last: Some(held.last),
            ended,
        })
    }

    fn sender(&self, id: Id) -> Option<&Sender> {
        match self.resource(Kind::Sender, id)? {
            Resource::Sender(sender) => Some(sender),
            _ => None,
        }
    }

    fn flow(&self, id: Id) -> Option<&Flow> {
        match self.resource(Kind::Flow, id)? {
            Resource::Flow(flow) => Some(flow),
            _ => None,
        }
    }

    fn source(&self, id: Id) -> Option<&Source> {
        match self.resource(Kind::Source, id)? {
            Resource::Source(source) => Some(source),
            _ => None,
        }
    }

    /// What the clock of this name follows, on the node that has this device.
    fn reference(&self, device: Option<Id>, clock: &str) -> Option<ReferenceClock> {
        let Resource::Device(device) = self.resource(Kind::Device, device?)? else { return None };
        let Resource::Node(node) = self.resource(Kind::Node, device.node?)? else { return None };
        match &node.clocks.iter().find(|it| it.name == clock)?.reference {
            ClockReference::Internal => None,
            ClockReference::Ptp { version, grandmaster, traceable, .. } => Some(ReferenceClock::Ptp {
                version: version.clone(),
                grandmaster: grandmaster.filter(|_| !traceable),
                domain: None,
            }),
        }
    }
}

/// What is in force counts; where a leg says nothing of TTL, or nothing is known of it, the transport file does.
fn legs(end: &End, described: Option<&Session>) -> Vec<Leg> {
    let told = described.map(|it| it.legs.as_slice()).unwrap_or_default();
    let Some(active) = &end.active else { return told.to_vec() };
    // Some leave "auto" in what is in force; what became of it stands in the file.
    let open = |leg: &super::connection::Leg| {
        leg.enabled
            && leg.automatic.iter().any(|name| matches!(name.as_str(), "destination_ip" | "destination_port"))
    };
    if active.enabled && active.legs.iter().any(open) && !told.is_empty() {
        return told.to_vec();
    }
    let mut legs: Vec<Leg> = active.legs.iter().filter_map(super::connection::Leg::endpoint).collect();
    for leg in &mut legs {
        leg.ttl = told.iter().find(|it| it.destination == leg.destination).and_then(|it| it.ttl);
    }
    legs
}

/// The file knows payload types; where it says less than ST 2110 wants, the flow knows what it is.
fn formats(described: Option<&Session>, of_flow: Option<(&Flow, Format)>) -> Vec<Format> {
    let told = described.map(|it| it.formats.as_slice()).unwrap_or_default();
    if told.is_empty() {
        return of_flow.into_iter().map(|(_, format)| format).collect();
    }
    let better = |format: &Format| match (&format.essence, &of_flow) {
        (Essence::Other(name), Some((flow, known))) if names(flow, name) => {
            Format { essence: known.essence.clone(), ..format.clone() }
        }
        (Essence::RawVideo(_), Some((flow, known))) if names(flow, "raw") => {
            Format { essence: known.essence.clone(), ..format.clone() }
        }
        _ => format.clone(),
    };
    told.iter().map(better).collect()
}

/// Whether a flow's media type is of this encoding.
fn names(flow: &Flow, encoding: &str) -> bool {
    let subtype = flow.media_type.as_deref().and_then(|media_type| media_type.split_once('/'));
    subtype.is_some_and(|(_, name)| name.eq_ignore_ascii_case(encoding))
}
