//! Flows, services and knocks: what was on the wire.

use std::net::{IpAddr, SocketAddr};

use engine::owners::Owner;
use engine::{OwnedFlow, TrafficView};
use serde::Serialize;

use super::moment;

/// One end of a flow.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct End {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Its port.
    pub(crate) port: u16,
    /// The programs that have it on this machine, as `program[pid]`; null where it is not of this machine.
    pub(crate) holders: Option<Vec<String>>,
}

impl End {
    fn of(end: SocketAddr, owner: Option<&Owner>) -> End {
        let name = |owner: &Owner| {
            owner.holders.iter().map(|process| format!("{}[{}]", process.program(), process.pid)).collect()
        };
        End { address: end.ip(), port: end.port(), holders: owner.map(name) }
    }
}

/// What bytes say of their protocol.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Recognised {
    /// The protocol; null where nothing decided.
    pub(crate) protocol: Option<&'static str>,
    /// `confirmed`, `attempt`, `partial` or `unknown`.
    pub(crate) certainty: &'static str,
    /// The rule that decided.
    rule: Option<&'static str>,
    /// What the bytes look like where nothing decided.
    appearance: &'static str,
    /// What the protocol says of itself: a stranger's words.
    pub(crate) details: Vec<Detail>,
}

/// A particular that a protocol says of itself.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Detail {
    /// What it is.
    pub(crate) name: &'static str,
    /// What was said.
    pub(crate) value: String,
}

impl Recognised {
    pub(crate) fn of(recognised: &model::Recognised) -> Recognised {
        let details = recognised.details.iter();
        Recognised {
            protocol: recognised.protocol.map(|it| it.name),
            certainty: recognised.certainty.name(),
            rule: (!recognised.rule.is_empty()).then_some(recognised.rule),
            appearance: recognised.appearance.name(),
            details: details.map(|it| Detail { name: it.name, value: it.value.clone() }).collect(),
        }
    }
}

/// A flow that has ended.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Flow {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub(crate) transport: &'static str,
    /// The client.
    pub(crate) client: End,
    /// The server.
    pub(crate) server: End,
    /// How we know which is which.
    direction: &'static str,
    /// What came of it.
    pub(crate) state: &'static str,
    /// Packets from the client.
    client_packets: u64,
    /// Packets from the server.
    server_packets: u64,
    /// Bytes from the client.
    pub(crate) client_bytes: u64,
    /// Bytes from the server.
    pub(crate) server_bytes: u64,
    /// The first packet.
    pub(crate) first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// What its bytes say.
    pub(crate) recognised: Recognised,
    /// Community ID, version 1.
    community_id: String,
}

impl Flow {
    pub(crate) fn of(owned: &OwnedFlow) -> Flow {
        let OwnedFlow { flow, client, server } = owned;
        Flow {
            transport: flow.transport.name(),
            client: End::of(flow.client, client.as_deref()),
            server: End::of(flow.server, server.as_deref()),
            direction: flow.direction.name(),
            state: flow.state.name(),
            client_packets: flow.tally.client_packets,
            server_packets: flow.tally.server_packets,
            client_bytes: flow.tally.client_bytes,
            server_bytes: flow.tally.server_bytes,
            first: flow.first.map(moment),
            last: flow.last.map(moment),
            recognised: Recognised::of(&flow.recognised),
            community_id: flow.community_id.clone(),
        }
    }
}

/// A server's endpoint with a protocol that was spoken there.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Service {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    pub(crate) transport: &'static str,
    /// The server's address.
    pub(crate) address: IpAddr,
    /// The server's port.
    pub(crate) port: u16,
    /// What the bytes say.
    pub(crate) recognised: Recognised,
    /// Whether the server ever answered.
    answered: bool,
    /// Flows.
    pub(crate) flows: u64,
    /// Bytes both ways.
    pub(crate) bytes: u64,
    /// Different clients, at least.
    pub(crate) clients: u64,
    /// The first packet.
    first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// What was judged of it.
    pub(crate) verdict: &'static str,
}

impl Service {
    pub(crate) fn of(view: &TrafficView, index: usize) -> Option<Service> {
        let service = view.traffic.services.get(index)?;
        Some(Service {
            transport: service.transport.name(),
            address: service.server.ip(),
            port: service.server.port(),
            recognised: Recognised::of(&service.recognised),
            answered: service.answered,
            flows: service.flows,
            bytes: service.tally.bytes(),
            clients: service.clients,
            first: service.first.map(moment),
            last: service.last.map(moment),
            verdict: view.verdict_of_service(index).name(),
        })
    }
}

/// Knocks at a port where nobody spoke.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Touch {
    /// Flows that ended at the door.
    pub(crate) flows: u64,
    /// How many of them were refused.
    refused: u64,
    /// Different sources, about.
    pub(crate) sources: u64,
    /// Who knocked first.
    pub(crate) example_source: IpAddr,
    /// The first knock.
    first: Option<String>,
    /// The last knock.
    pub(crate) last: Option<String>,
}

impl Touch {
    pub(crate) fn of(touch: &model::Touch) -> Touch {
        Touch {
            flows: touch.flows,
            refused: touch.refused,
            sources: touch.sources,
            example_source: touch.example_source,
            first: touch.first.map(moment),
            last: touch.last.map(moment),
        }
    }
}
