//! What happened to a socket, in JSON.

use std::net::IpAddr;

use serde::Serialize;

use super::process::Process;

/// Something happened to a socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct SocketEvent<'a> {
    /// When (RFC 3339, UTC).
    at: String,
    /// `bound`, `auto_bound`, `listening` or `closed`.
    happened: &'static str,
    /// How we know: `kernel` as it happened, or `looks` that differ.
    witness: &'static str,
    /// `tcp`, `udp`, `mptcp`, `udplite`, `sctp` or `dccp`.
    kind: &'static str,
    /// `ipv4`, `ipv6` or `dual`.
    family: &'static str,
    /// Its own address.
    address: IpAddr,
    /// Its port.
    port: u16,
    /// What the registry says of the port: a name from the number alone.
    registered: Option<&'a str>,
    /// The inode number of its network namespace; null where that is not known.
    netns: Option<u32>,
    /// The kernel's name for the socket; null where that is not known.
    cookie: Option<u64>,
    /// The user's number.
    uid: Option<u32>,
    /// The process that did it, as it was then.
    holder: Option<Process<'a>>,
    /// Why the process is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_missing: Option<&'static str>,
    /// The control group that it ran in.
    cgroup: Option<&'a str>,
    /// How long it had been bound or listening, in nanoseconds; only of what is closed.
    lived_ns: Option<u64>,
}

impl<'a> SocketEvent<'a> {
    /// `registered` is what the registry says of the port.
    pub(crate) fn of(event: &'a model::SocketEvent, registered: Option<&'a str>) -> SocketEvent<'a> {
        SocketEvent {
            at: event.at.rfc3339(),
            happened: event.happened.name(),
            witness: event.witness.name(),
            kind: event.kind.name(),
            family: event.family.name(),
            address: event.local.ip(),
            port: event.local.port(),
            registered,
            netns: Some(event.netns).filter(|inode| *inode != 0),
            cookie: Some(event.cookie).filter(|cookie| *cookie != 0),
            uid: event.uid,
            holder: event.holder.value().map(|process| Process::of(process)),
            holder_missing: event.holder.hidden().map(model::Reason::code),
            cgroup: event.cgroup.as_deref(),
            lived_ns: event.lived_ns,
        }
    }
}
