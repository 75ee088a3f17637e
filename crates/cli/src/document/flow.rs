//! One flow in JSON: both ends with who has them, how much, and what its bytes say.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::traffic::{Recognised, Tally, moment};

/// One end of a flow.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct End<'a> {
    /// Its address.
    address: IpAddr,
    /// Its port.
    port: u16,
    /// Who has it on this machine; null where it is not of this machine, or nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
}

/// Who has one end of a flow.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct Owner<'a> {
    /// How well the socket fits: `exact`, `gone`, `listener`, `wildcard`, `port` or `none`.
    quality: &'static str,
    /// The processes that hold it.
    holders: Vec<HolderOf<'a>>,
    /// Why there are none, or may be more.
    missing: Option<&'static str>,
}

/// A process, as briefly as a flow names it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
struct HolderOf<'a> {
    /// Its number.
    pid: u32,
    /// What it runs: the file name of its executable.
    program: &'a str,
    /// Its user's number.
    uid: Option<u32>,
    /// The systemd unit.
    unit: Option<&'a str>,
}

impl<'a> End<'a> {
    fn of(end: SocketAddr, owner: Option<&'a engine::owners::Owner>) -> End<'a> {
        End {
            address: end.ip(),
            port: end.port(),
            owner: owner.map(|owner| Owner {
                quality: owner.quality.name(),
                holders: owner
                    .holders
                    .iter()
                    .map(|process| HolderOf {
                        pid: process.pid,
                        program: process.program(),
                        uid: process.user.value().map(|user| user.uid),
                        unit: process.unit.value().map(|unit| unit.name.as_str()),
                    })
                    .collect(),
                missing: owner.missing.map(model::Reason::code),
            }),
        }
    }
}

/// A flow.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Flow<'a> {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    transport: &'static str,
    /// The client.
    client: End<'a>,
    /// The server.
    server: End<'a>,
    /// How we know which is which: `opened`, `spoken` or `first_seen`.
    direction: &'static str,
    /// `unanswered`, `refused`, `open`, `closed`, `reset` or `timed_out`.
    state: &'static str,
    /// How much.
    tally: Tally,
    /// The first packet (RFC 3339, UTC).
    first: Option<String>,
    /// The last packet.
    last: Option<String>,
    /// The number of its first frame, from 1.
    frame: u64,
    /// What its bytes say.
    recognised: Recognised<'a>,
    /// The outermost VLAN.
    vlan: Option<u16>,
    /// The innermost tunnel.
    tunnel: Option<&'a str>,
    /// Time to live of the client's first packet.
    ttl: u8,
    /// Differentiated services code point of the client's first packet.
    dscp: u8,
    /// ICMP errors that quote it.
    icmp_errors: u32,
    /// Segments that came again.
    retransmissions: u32,
    /// Bytes that never came, as far as reassembly looked.
    missing_bytes: u64,
    /// Community ID, version 1.
    community_id: &'a str,
}

impl<'a> Flow<'a> {
    pub(crate) fn of(flow: &'a engine::OwnedFlow) -> Flow<'a> {
        let engine::OwnedFlow { flow, client, server } = flow;
        Flow {
            transport: flow.transport.name(),
            client: End::of(flow.client, client.as_deref()),
            server: End::of(flow.server, server.as_deref()),
            direction: flow.direction.name(),
            state: flow.state.name(),
            tally: Tally::from(&flow.tally),
            first: moment(flow.first),
            last: moment(flow.last),
            frame: flow.frame,
            recognised: Recognised::of(&flow.recognised),
            vlan: flow.vlan,
            tunnel: Some(flow.tunnel.as_str()).filter(|tunnel| !tunnel.is_empty()),
            ttl: flow.ttl,
            dscp: flow.dscp,
            icmp_errors: flow.icmp_errors,
            retransmissions: flow.retransmissions,
            missing_bytes: flow.missing_bytes,
            community_id: &flow.community_id,
        }
    }
}
