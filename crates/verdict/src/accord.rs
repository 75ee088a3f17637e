//! Whether an entry of policy means a socket: yes, no, or not to be told because the holder could not be seen.

use core::ops::RangeInclusive;
use std::collections::HashMap;
use std::net::IpAddr;

use model::{Activation, Forward, Process, Seen, Snapshot, Socket, Transport};

use crate::known::Known;
use crate::policy::{Door, Entry, Policy, Verb};

/// The answer to "does this entry mean this socket".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// What would decide it could not be looked at.
    Unseen,
}

impl Match {
    fn from(yes: bool) -> Match {
        if yes { Match::Yes } else { Match::No }
    }

    fn and(self, other: Match) -> Match {
        match (self, other) {
            (Match::No, _) | (_, Match::No) => Match::No,
            (Match::Unseen, _) | (_, Match::Unseen) => Match::Unseen,
            (Match::Yes, Match::Yes) => Match::Yes,
        }
    }
}

/// Entries by port, so that a long policy costs a socket no more than the entries that can mean it.
pub(crate) struct Index {
    by_port: HashMap<u16, Vec<usize>>,
    wide: Vec<usize>,
}

/// Ranges wider than this are looked at for every socket instead of being listed port by port.
const WIDE: usize = 256;

impl Index {
    pub(crate) fn of(policy: &Policy, today: i64) -> Index {
        Index::of_those(policy, |entry| entry.applies(today))
    }

    /// Of the entries that the question is answered with yes for.
    pub(crate) fn of_those(policy: &Policy, wanted: impl Fn(&Entry) -> bool) -> Index {
        let mut index = Index { by_port: HashMap::new(), wide: Vec::new() };
        for (number, entry) in policy.entries().iter().enumerate() {
            if !wanted(entry) {
                continue;
            }
            let ports: usize = entry.ports.iter().map(ExactSizeIterator::len).sum();
            if ports == 0 || ports > WIDE {
                index.wide.push(number);
                continue;
            }
            for port in entry.ports.iter().cloned().flatten() {
                let list = index.by_port.entry(port).or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        }
        index
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wide.is_empty() && self.by_port.is_empty()
    }

    /// Every entry that applies, where a range of ports is asked for.
    pub(crate) fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.by_port.values().flatten().chain(&self.wide).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn candidates(&self, port: Option<u16>) -> impl Iterator<Item = usize> + '_ {
        let exact = port.and_then(|port| self.by_port.get(&port));
        exact.into_iter().flatten().chain(&self.wide).copied()
    }
}

/// Whether the entry means the socket. An allowance has to fit every holder; the others need one that fits.
pub(crate) fn means(entry: &Entry, snapshot: &Snapshot, socket: &Socket, holders: &[&Known<'_>]) -> Match {
    let port_fits = entry.ports.is_empty()
        || socket.port().is_some_and(|port| entry.ports.iter().any(|range| range.contains(&port)));
    let door_fits = entry.doors.is_empty() || entry.doors.contains(&door(socket));
    let scope_fits = entry.scopes.is_empty() || entry.scopes.contains(&socket.scope);
    let address_fits = entry.addresses.is_empty() || address_fits(entry, socket.local.ip());
    if !(port_fits
        && door_fits
        && scope_fits
        && address_fits
        && namespace_fits(entry, snapshot, socket.netns))
    {
        return Match::No;
    }
    if !entry.names_holder() {
        return Match::Yes;
    }
    if holders.is_empty() {
        return if socket.holders_missing.is_some() { Match::Unseen } else { Match::No };
    }
    let each = holders.iter().map(|holder| holder_fits(entry, holder.process, socket.activation.as_deref()));
    if entry.verb == Verb::Allow {
        let complete = if socket.holders_missing.is_some() { Match::Unseen } else { Match::Yes };
        return each.fold(complete, Match::and);
    }
    let mut best = Match::No;
    for fit in each {
        match fit {
            Match::Yes => return Match::Yes,
            Match::Unseen => best = Match::Unseen,
            Match::No => {}
        }
    }
    best
}

/// Whether the entry means a port that is published without a socket.
pub(crate) fn means_forward(entry: &Entry, snapshot: &Snapshot, forward: &Forward) -> Match {
    // An allowance has to cover every port that is published; a prohibition is broken by one.
    let ports = entry.ports.is_empty()
        || entry.ports.iter().any(|range| match entry.verb {
            Verb::Allow => *range.start() <= forward.first && forward.last <= *range.end(),
            Verb::Deny | Verb::Expect => *range.start() <= forward.last && forward.first <= *range.end(),
        });
    let doors = entry.doors.is_empty() || entry.doors.contains(&Door::Port(forward.transport));
    let scopes = entry.scopes.is_empty() || entry.scopes.contains(&forward_scope(forward));
    let addresses = entry.addresses.is_empty()
        || forward.addr.is_some_and(|addr| entry.addresses.iter().any(|network| network.has(addr)));
    let plain = entry.users.is_empty()
        && entry.exes.is_empty()
        && entry.units.is_empty()
        && entry.packages.is_empty();
    if !(ports && doors && scopes && addresses && plain && namespace_fits(entry, snapshot, forward.netns)) {
        return Match::No;
    }
    container_fits(entry, &Seen::from(forward.container.clone()))
}

/// Where something happened on the wire, as an entry can name it; what is `None` or empty cannot be named.
pub(crate) struct Berth<'a> {
    pub(crate) transport: Option<Transport>,
    pub(crate) ports: Option<RangeInclusive<u16>>,
    /// Any of these has to be one of the entry's addresses.
    pub(crate) addresses: &'a [IpAddr],
}

/// Whether the entry means what happened there. Holders, scopes and namespaces cannot be read from packets.
pub(crate) fn means_wire(entry: &Entry, berth: &Berth<'_>) -> Match {
    let inside = |range: &RangeInclusive<u16>| {
        let Some(ports) = &berth.ports else { return false };
        range.contains(ports.start()) && range.contains(ports.end())
    };
    let ports = entry.ports.is_empty() || entry.ports.iter().any(inside);
    let doors = entry.doors.is_empty()
        || berth.transport.is_some_and(|transport| entry.doors.contains(&Door::Port(transport)));
    let addresses =
        entry.addresses.is_empty() || berth.addresses.iter().any(|addr| address_fits(entry, *addr));
    if !(ports && doors && addresses) {
        return Match::No;
    }
    let plain = entry.scopes.is_empty() && entry.namespaces.is_empty() && !entry.names_holder();
    if plain { Match::Yes } else { Match::Unseen }
}

/// From where a published port can be reached.
pub(crate) fn forward_scope(forward: &Forward) -> model::Scope {
    match forward.addr {
        None => model::Scope::Any,
        Some(addr) => model::Scope::of(addr, false, false),
    }
}

fn door(socket: &Socket) -> Door {
    match socket.kind {
        model::Kind::Packet => Door::Packet,
        _ => socket.kind.transport().map_or(Door::Raw, Door::Port),
    }
}

fn address_fits(entry: &Entry, addr: IpAddr) -> bool {
    entry.addresses.iter().any(|network| network.has(addr))
}

fn namespace_fits(entry: &Entry, snapshot: &Snapshot, netns: u32) -> bool {
    entry.namespaces.is_empty()
        || snapshot
            .namespace(netns)
            .is_some_and(|namespace| entry.namespaces.iter().any(|glob| glob.matches(&namespace.name)))
}

fn holder_fits(entry: &Entry, process: &Process, activation: Option<&Activation>) -> Match {
    // What systemd holds for a service is judged as that service.
    let for_service = activation.filter(|_| process.pid == 1);
    let users = key(&entry.users, &process.user, |key, user| {
        user.name.as_deref() == Some(key.as_str()) || key.parse() == Ok(user.uid)
    });
    let exes = match for_service.and_then(|activation| activation.program.as_deref()) {
        Some(program) if entry.exes.iter().any(|glob| glob.matches(program)) => Match::Yes,
        _ => key(&entry.exes, &process.exe, |glob, exe| glob.matches(&exe.path)),
    };
    let units = match for_service {
        Some(activation) if !entry.units.is_empty() => Match::from(
            entry
                .units
                .iter()
                .any(|glob| glob.matches(&activation.service) || glob.matches(&activation.socket_unit)),
        ),
        _ => key(&entry.units, &process.unit, |glob, unit| glob.matches(&unit.name)),
    };
    let packages = match for_service {
        // Which package the service comes from is not known before it runs.
        Some(_) if !entry.packages.is_empty() => Match::Unseen,
        _ => key(&entry.packages, &process.package, |glob, package| glob.matches(&package.name)),
    };
    users.and(exes).and(units).and(packages).and(container_fits(entry, &process.container))
}

fn container_fits(entry: &Entry, container: &Seen<model::Container>) -> Match {
    let names = key(&entry.containers, container, |glob, container| {
        container.name.value().is_some_and(|name| glob.matches(name)) || glob.matches(&container.id)
    });
    let images = key(&entry.images, container, |glob, container| {
        container.image.value().is_some_and(|image| glob.matches(image))
    });
    names.and(images)
}

fn key<K, T>(keys: &[K], seen: &Seen<T>, fits: impl Fn(&K, &T) -> bool) -> Match {
    if keys.is_empty() {
        return Match::Yes;
    }
    match seen {
        Seen::Value(value) => Match::from(keys.iter().any(|key| fits(key, value))),
        Seen::Absent => Match::No,
        Seen::Hidden(_) => Match::Unseen,
    }
}
