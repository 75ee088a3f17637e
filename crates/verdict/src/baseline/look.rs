//! A snapshot as doors and holders.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{Container, Namespace, Process, Scope, Snapshot, Socket, Transport, UnitScope};
use registry::program;

use super::{Door, Holders};

/// What a look gave of one door.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) holders: Arc<Holders>,
    pub(super) sockets: Vec<usize>,
    pub(super) forwards: Vec<usize>,
    /// Whether some of its holders could not be seen.
    pub(super) unseen: bool,
}

/// A range of published ports is learned port by port up to this many.
const MOST_FORWARDED: usize = 256;

pub(super) fn doors(snapshot: &Snapshot) -> BTreeMap<Door, Seen> {
    let mut doors: BTreeMap<Door, Seen> = BTreeMap::new();
    for (index, socket) in snapshot.sockets.iter().enumerate() {
        if let Some(door) = door(snapshot, socket) {
            doors.entry(door).or_default().sockets.push(index);
        }
    }
    // One program has many doors: what is said of it is made once.
    let mut made: HashMap<Vec<u32>, (Arc<Holders>, bool)> = HashMap::new();
    for seen in doors.values_mut() {
        let sockets: Vec<&Socket> =
            seen.sockets.iter().filter_map(|index| snapshot.sockets.get(*index)).collect();
        let mut pids: Vec<u32> =
            sockets.iter().flat_map(|socket| socket.holders.iter().map(|holder| holder.pid)).collect();
        pids.sort_unstable();
        pids.dedup();
        let (holders, complete) = if sockets.iter().any(|socket| socket.activation.is_some()) {
            activated(snapshot, &sockets)
        } else {
            made.entry(pids).or_insert_with_key(|pids| of(snapshot, pids)).clone()
        };
        seen.holders = holders;
        seen.unseen = !complete || sockets.iter().any(|socket| socket.holders_missing.is_some());
    }
    for (index, forward) in snapshot.forwards.iter().enumerate() {
        let namespace = name_at(snapshot, forward.netns);
        for port in (forward.first..=forward.last).take(MOST_FORWARDED) {
            let (transport, scope) = (forward.transport, crate::accord::forward_scope(forward));
            let door =
                Door { transport, port, scope, address: None, namespace: namespace.clone(), published: true };
            let seen = doors.entry(door).or_default();
            seen.forwards.push(index);
            match &forward.container {
                Some(container) => add_container(Arc::make_mut(&mut seen.holders), container),
                None => seen.unseen = true,
            }
        }
    }
    doors
}

/// The holders of a door, and whether all of them could be seen.
fn of(snapshot: &Snapshot, pids: &[u32]) -> (Arc<Holders>, bool) {
    let mut holders = Holders::default();
    let mut complete = true;
    for pid in pids {
        complete &= snapshot.process(*pid).is_some_and(|process| add(&mut holders, process));
    }
    (Arc::new(holders), complete)
}

/// The holders of a door that systemd opens for a service: whether it still waits or the service already runs is not
/// a change.
fn activated(snapshot: &Snapshot, sockets: &[&Socket]) -> (Arc<Holders>, bool) {
    let mut holders = Holders::default();
    let mut complete = true;
    for socket in sockets {
        for holder in &socket.holders {
            match &socket.activation {
                Some(activation) if holder.pid == 1 => {
                    holders.unit.insert(activation.service.clone());
                    match &activation.program {
                        Some(program) => drop(holders.exe.insert(program.clone())),
                        None => complete = false,
                    }
                }
                _ => {
                    complete &= snapshot.process(holder.pid).is_some_and(|process| add(&mut holders, process))
                }
            }
        }
    }
    (Arc::new(holders), complete)
}

fn door(snapshot: &Snapshot, socket: &Socket) -> Option<Door> {
    let (transport, port) = (socket.kind.transport()?, socket.port()?);
    if !socket.is_listener() || chosen_by_kernel(snapshot, socket, transport, port) {
        return None;
    }
    let address = socket.local.ip().to_canonical();
    let usual = ["127.0.0.1", "::1"].iter().any(|usual| usual.parse() == Ok(address));
    let address = match socket.scope {
        Scope::Group => Some(address),
        Scope::Loopback if !usual && address.is_loopback() => Some(address),
        // An address of an interface changes with the network that the machine is in.
        _ => None,
    };
    let namespace = name_at(snapshot, socket.netns);
    Some(Door { transport, port, scope: socket.scope, address, namespace, published: false })
}

fn chosen_by_kernel(snapshot: &Snapshot, socket: &Socket, transport: Transport, port: u16) -> bool {
    let rules = snapshot.namespace(socket.netns).and_then(|namespace| namespace.rules.value());
    let ephemeral = rules.map_or((32_768..=60_999).contains(&port), |rules| rules.ephemeral.contains(&port));
    let like_a_client = transport == Transport::Udp || socket.scope == Scope::Loopback;
    ephemeral && like_a_client && program::commonly_seen(transport, port).is_none()
}

/// A namespace by a name that outlives its processes.
pub(super) fn namespace_name(namespace: &Namespace) -> &str {
    if namespace.name.starts_with("pid ") { "unnamed" } else { &namespace.name }
}

fn name_at(snapshot: &Snapshot, netns: u32) -> String {
    snapshot.namespace(netns).map_or("host", namespace_name).to_owned()
}

/// Adds a process; false if what tells it apart could not be seen.
fn add(holders: &mut Holders, process: &Process) -> bool {
    if let Some(user) = process.user.value() {
        holders.user.insert(user.name.clone().unwrap_or_else(|| user.uid.to_string()));
    }
    if let Some(exe) = process.exe.value() {
        holders.exe.insert(exe.path.clone());
    }
    if let Some(package) = process.package.value() {
        holders.package.insert(package.name.clone());
    }
    match process.container.value() {
        Some(container) => add_container(holders, container),
        None => {
            // Scopes and transient units have a new name at every start.
            let lasting = |name: &str| name.ends_with(".service") && !name.starts_with("run-");
            let unit =
                process.unit.value().filter(|unit| unit.scope == UnitScope::System && lasting(&unit.name));
            holders.unit.extend(unit.map(|unit| unit.name.clone()));
        }
    }
    process.exe.value().is_some() && process.user.value().is_some()
}

fn add_container(holders: &mut Holders, container: &Container) {
    let insert = |set: &mut BTreeSet<String>, value: Option<&String>| {
        set.extend(value.cloned());
    };
    // An identifier is new at every start; a name is given, or made of the pod's, which is new as well.
    let name = container.name.value().filter(|_| container.pod.is_none());
    insert(&mut holders.container, name);
    insert(&mut holders.image, container.image.value());
}
