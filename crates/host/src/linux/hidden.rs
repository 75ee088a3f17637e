//! Ports that refuse a bind although no way of looking lists them.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use model::{Family, Gap, Kind, Reason, Scope, Socket, State, Views};
use rustc_hash::FxHashSet;

use super::{bind_probe, sockets};

/// Tries to bind every port of `ports` that no socket of our namespace has, and adds a row for each that refuses.
pub fn probe(ports: &RangeInclusive<u16>, own: u32, sockets: &mut Vec<Socket>, gaps: &mut Vec<Gap>) {
    for kind in [Kind::Tcp, Kind::Udp] {
        let known = ports_of(sockets, own, kind);
        let (refused, probe_gaps) = bind_probe::probe(kind, ports.clone(), &|_, port| known.contains(&port));
        gaps.extend(probe_gaps);
        if refused.is_empty() {
            continue;
        }
        // Somebody may have come between the list and the probe: what a new list explains is not hidden.
        let now = sockets::dump(own, sockets::Wanted { connected: true, bound: true }).sockets;
        let known = ports_of(&now, own, kind);
        sockets.extend(refused.into_iter().filter(|port| !known.contains(port)).map(|port| Socket {
            kind,
            family: Family::V4,
            local: SocketAddr::new(model::socket::unspecified(false), port),
            peer: None,
            state: State::Bound,
            scope: Scope::Any,
            interface: None,
            netns: own,
            inode: 0,
            cookie: 0,
            uid: None,
            queued: None,
            backlog: None,
            holders: Vec::new(),
            holders_missing: Some(Reason::Unknown),
            activation: None,
            seen_by: Views::BIND_PROBE,
            hidden_from: Views::SOCK_DIAG.and(Views::BPF),
        }));
    }
}

fn ports_of(sockets: &[Socket], own: u32, kind: Kind) -> FxHashSet<u16> {
    let same_ports = |socket: &&Socket| socket.netns == own && socket.kind.transport() == kind.transport();
    sockets.iter().filter(same_ports).map(|socket| socket.local.port()).collect()
}
