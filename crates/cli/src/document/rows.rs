//! One socket, and one published port.

use std::net::IpAddr;

use serde::Serialize;

use engine::{Row, View};
use registry::{Paper, Usage, program};

use crate::selection::forward_scope;

/// A socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Socket<'a> {
    /// `tcp`, `mptcp`, `udp`, `udplite`, `sctp`, `dccp`, `raw` or `packet`.
    pub(crate) kind: &'static str,
    /// The local port; for `raw` the IP protocol number, for `packet` the EtherType.
    pub(crate) port: u16,
    /// The local address; null for packet sockets.
    pub(crate) addr: Option<IpAddr>,
    /// `ipv4`, `ipv6`, `dual` (IPv6 that takes IPv4 as well) or `link`.
    pub(crate) family: &'static str,
    /// `loopback`, `link`, `interface`, `group` or `any`, as the bind says.
    pub(crate) scope: &'static str,
    /// `listening`, `bound`, `established`, `opening`, `closing` or `unbound`.
    pub(crate) state: &'static str,
    /// The peer, where connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<Peer>,
    /// The interface it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interface: Option<Interface<'a>>,
    /// Inode number of its network namespace.
    pub(crate) netns: u32,
    /// Its inode number; 0 where the kernel shows none.
    pub(crate) inode: u64,
    /// The kernel's cookie; 0 where not known.
    pub(crate) cookie: u64,
    /// The user who made it; null where not known.
    pub(crate) uid: Option<u32>,
    /// Connections waiting to be accepted, or bytes waiting to be read; null where not known.
    pub(crate) queued: Option<u32>,
    /// The most connections that may wait; null for anything but listening TCP.
    pub(crate) backlog: Option<u32>,
    /// Every holder that we found.
    pub(crate) holders: Vec<Holder>,
    /// Why there are none, or why there may be more; null where the list is complete.
    pub(crate) holders_missing: Option<&'static str>,
    /// The service that systemd starts for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<Activation<'a>>,
    /// Reported by the registry for the number alone: status of the port.
    pub(crate) status: Option<&'static str>,
    /// Reported by the registry for the number alone: the name of the service.
    pub(crate) registered: Option<&'a str>,
    /// Inferred: assigned, but not in ordinary use; null where nothing is assigned.
    pub(crate) silent: Option<bool>,
    /// Inferred from known programs: what is commonly seen on this number.
    pub(crate) commonly_seen: Option<&'static str>,
    /// Recognised in the bytes; null while no traffic was captured.
    pub(crate) recognised: Option<&'static str>,
    /// The session that explains it, as an index into `sessions`; there only where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<usize>,
    /// Inferred: `ok`, `accepted`, `unseen`, `note`, `warning` or `alert`.
    pub(crate) verdict: &'static str,
    /// The ways in which it was seen.
    pub(crate) seen_by: Vec<&'static str>,
    /// The ways in which it should have been seen and was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hidden_from: Vec<&'static str>,
}

/// The other end of a connection.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) addr: IpAddr,
    /// Its port.
    pub(crate) port: u16,
}

/// A network interface.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Interface<'a> {
    /// Its index in the namespace.
    pub(crate) index: u32,
    /// Its name; null where it could not be read.
    pub(crate) name: Option<&'a str>,
}

/// A process that has the socket open.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Holder {
    /// The process; see `processes`.
    pub(crate) pid: u32,
    /// The thread, where only a thread with its own descriptor table has it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tid: Option<u32>,
    /// The descriptor; null where the way of looking does not tell it.
    pub(crate) fd: Option<u32>,
    /// How we know: `bpf_iterator`, `proc_fd` or `system_table`.
    pub(crate) how: &'static str,
}

/// A socket that systemd holds for a service.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Activation<'a> {
    /// The socket unit.
    pub(crate) socket_unit: &'a str,
    /// The service that it starts.
    pub(crate) service: &'a str,
    /// The program of that service, where its unit file says.
    pub(crate) program: Option<&'a str>,
}

/// A port that address translation publishes without a socket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Forward<'a> {
    /// `tcp`, `udp`, `sctp` or `dccp`.
    transport: &'static str,
    /// First published port.
    first: u16,
    /// Last published port.
    last: u16,
    /// The published address; null for every address.
    addr: Option<IpAddr>,
    /// `loopback`, `link`, `interface`, `group` or `any`.
    scope: &'static str,
    /// Where packets go; null for this machine itself.
    to_addr: Option<IpAddr>,
    /// The port they go to; null where it stays the same.
    to_port: Option<u16>,
    /// Inode number of the namespace that redirects.
    netns: u32,
    /// Who wrote the rule.
    rule: &'a str,
    /// The container behind the target address.
    container: Option<super::process::Container<'a>>,
    /// Reported by the registry for the number alone: status of the first port.
    status: &'static str,
    /// Reported by the registry for the number alone: the name of the service.
    registered: Option<&'a str>,
    /// Inferred: assigned, but not in ordinary use; null where nothing is assigned.
    silent: Option<bool>,
    /// Inferred from known programs: what is commonly seen on this number.
    commonly_seen: Option<&'static str>,
    /// Inferred: `ok`, `accepted`, `note`, `warning` or `alert`.
    verdict: &'static str,
}

/// What a number alone says, with and without paper.
pub(crate) struct Names<'a> {
    pub(crate) status: Option<&'static str>,
    pub(crate) registered: Option<&'a str>,
    pub(crate) silent: Option<bool>,
    pub(crate) commonly_seen: Option<&'static str>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(paper: &'a Paper, transport: Option<model::Transport>, port: u16) -> Names<'a> {
        let Some(transport) = transport else {
            return Names { status: None, registered: None, silent: None, commonly_seen: None };
        };
        let standing = paper.standing(transport, port);
        Names {
            status: Some(standing.status.name()),
            registered: standing.assignment.map(|row| row.name).filter(|name| !name.is_empty()),
            silent: match standing.usage {
                Usage::Silent(_) => Some(true),
                Usage::Ordinary(_) => Some(false),
                Usage::NotAssigned => None,
            },
            commonly_seen: program::commonly_seen(transport, port),
        }
    }
}

impl<'a> Forward<'a> {
    pub(super) fn of(view: &'a View, row: &Row, forward: &'a model::Forward) -> Forward<'a> {
        let names = Names::of(&view.paper, Some(forward.transport), forward.first);
        Forward {
            transport: forward.transport.name(),
            first: forward.first,
            last: forward.last,
            addr: forward.addr,
            scope: forward_scope(forward).name(),
            to_addr: forward.to_addr,
            to_port: forward.to_port,
            netns: forward.netns,
            rule: &forward.rule,
            container: forward.container.as_ref().map(super::process::Container::of),
            status: names.status.unwrap_or_default(),
            registered: names.registered,
            silent: names.silent,
            commonly_seen: names.commonly_seen,
            verdict: row.verdict.name(),
        }
    }
}

#[cfg(test)]
impl<'a> Socket<'a> {
    pub(super) fn of(view: &'a View, row: &Row, socket: &'a model::Socket) -> Socket<'a> {
        let names = Names::of(&view.paper, socket.kind.transport(), socket.local.port());
        Socket {
            kind: socket.kind.name(),
            port: socket.local.port(),
            addr: (socket.family != model::Family::Link).then(|| socket.local.ip()),
            family: socket.family.name(),
            scope: socket.scope.name(),
            state: socket.state.name(),
            peer: socket.peer.map(|peer| Peer { addr: peer.ip(), port: peer.port() }),
            interface: socket
                .interface
                .as_ref()
                .map(|interface| Interface { index: interface.index, name: interface.name.as_deref() }),
            netns: socket.netns,
            inode: socket.inode,
            cookie: socket.cookie,
            uid: socket.uid,
            queued: socket.queued,
            backlog: socket.backlog,
            holders: socket
                .holders
                .iter()
                .map(|holder| Holder {
                    pid: holder.pid,
                    tid: holder.tid,
                    fd: holder.fd,
                    how: holder.how.code(),
                })
                .collect(),
            holders_missing: socket.holders_missing.map(model::Reason::code),
            activation: socket.activation.as_ref().map(|activation| Activation {
                socket_unit: &activation.socket_unit,
                service: &activation.service,
                program: activation.program.as_deref(),
            }),
            status: names.status,
            registered: names.registered,
            silent: names.silent,
            commonly_seen: names.commonly_seen,
            recognised: None,
            session: view.session_of(row).map(|(index, ..)| index),
            verdict: row.verdict.name(),
            seen_by: socket.seen_by.names().collect(),
            hidden_from: socket.hidden_from.names().collect(),
        }
    }
}
