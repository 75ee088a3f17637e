//! One look at the machine: sockets, their holders, and the gaps, joined.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Area, Gap, Machine, Namespace, Process, Reason, Seen, Snapshot, Socket, Timestamp, Utc, Views};

use rustc_hash::FxHashSet;
use wire::holder_record::Wanted;

use super::holders::{Held, Holders};
use super::join::{self, Joined};
use super::namespaces::{self, Entrance};
use super::owners::Owners;
use super::process::{Depth, Reader};
use super::{forwards, hidden, port_rules, proc_net, sockets};
use crate::{Look, now};

/// Looks at the machine, and keeps between looks what stays true.
#[derive(Debug, Default)]
pub struct Looker {
    holders: Holders,
    owners: Owners,
    reader: Reader,
    last: Option<Last>,
}

/// What the last look's walk through the descriptor tables gave.
#[derive(Debug)]
struct Last {
    look: Look,
    at: Instant,
    held: Held,
}

/// After this long everything is asked anew, whatever a walk shows: sockets that no process holds, queues, rules,
/// and what processes say of themselves can change without it.
const ASK_ANEW_AFTER: Duration = Duration::from_secs(10);

/// What was seen inside one namespace.
#[derive(Debug)]
pub struct Inside {
    /// Its sockets.
    pub found: sockets::Found,
    rules: Seen<model::PortRules>,
    forwards: Vec<model::Forward>,
    forward_gaps: Vec<Gap>,
}

impl Looker {
    /// A looker that has not looked yet.
    pub fn new() -> Looker {
        Looker::default()
    }

    /// Whether another look is worth its cost: whether any process opened or closed a socket since the last look of
    /// this kind, or one changed its state, or that was too long ago. Where only a whole look can tell, the answer is yes.
    pub fn changed(&mut self, look: &Look) -> bool {
        let Some(last) = &self.last else { return true };
        let known = last.look == *look && look.probe.is_none() && last.held.fallback.is_none();
        if !known || last.at.elapsed() >= ASK_ANEW_AFTER {
            return true;
        }
        let held = self.holders.walk(Wanted { connected: look.connected, details: false });
        held.fallback.is_some() || !held.same_sockets(&last.held)
    }

    /// Looks once.
    pub fn snapshot(&mut self, look: &Look) -> Snapshot {
        let taken = now();
        let mut gaps = Vec::new();
        let own = namespaces::own().unwrap_or(0);
        let held = self.holders.walk(Wanted { connected: look.connected, details: false });
        let bound_in = held.bound_in.clone();
        let wanted = |netns: u32| sockets::Wanted {
            connected: look.connected,
            bound: bound_in.as_ref().is_none_or(|namespaces| namespaces.contains(&netns)),
        };
        let entrances = if look.all_namespaces { entrances(&held, &mut gaps) } else { BTreeMap::new() };
        let mut seen = BTreeMap::from([(own, Ok(see(own, look, wanted(own))))]);
        for (inode, entrance) in entrances.iter().filter(|(inode, _)| **inode != own) {
            seen.insert(*inode, namespaces::inside(entrance, || see(*inode, look, wanted(*inode))));
        }
        let mut dumps = join::Dumps::new();
        for (inode, inside) in &mut seen {
            let found = inside.as_mut().map(|inside| std::mem::take(&mut inside.found));
            dumps.insert(*inode, found.map_err(|reason| *reason));
        }
        let mut joined = join::join(&mut dumps, &held);
        let mut untold = (Vec::new(), 0);
        if !joined.doubtful.is_empty() {
            // Sockets without a holder: perhaps a process holds them that the kernel keeps its programs from.
            untold = held.untold();
            joined = join::with_untold(joined, &untold.0, untold.1);
            // Or the kernel itself: a machine with a tunnel need not be looked at twice each time.
            self.owners.settle(&mut joined, own, &entrances);
        }
        if !joined.doubtful.is_empty() {
            // Something came or went between the two ways of looking, or one of them hides it: look again.
            let again = seen
                .keys()
                .map(|inode| (*inode, dump_again(*inode, own, &entrances, wanted(*inode))))
                .collect();
            let held = self.holders.walk(Wanted { connected: look.connected, details: true });
            joined = join::join_again(again, &held, &joined.doubtful);
            joined = join::with_untold(joined, &untold.0, untold.1);
            if !look.all_namespaces {
                // The walk sees every process, whatever namespace its sockets are in.
                joined.sockets.retain(|socket| socket.netns == own);
            }
            self.owners.settle(&mut joined, own, &entrances);
        }
        self.last = Some(Last { look: look.clone(), at: Instant::now(), held });
        self.finish(look, taken, gaps, own, &entrances, seen, joined)
    }

    #[expect(clippy::too_many_arguments, reason = "the second half of one function")]
    fn finish(
        &mut self,
        look: &Look,
        taken: Timestamp<Utc>,
        mut gaps: Vec<Gap>,
        own: u32,
        entrances: &BTreeMap<u32, Entrance>,
        mut seen: BTreeMap<u32, Result<Inside, Reason>>,
        joined: Joined,
    ) -> Snapshot {
        let Joined { mut sockets, gaps: join_gaps, views, unentered, .. } = joined;
        gaps.extend(join_gaps);
        for inode in unentered.into_iter().filter(|_| look.all_namespaces) {
            seen.entry(inode).or_insert(Err(Reason::OtherNetworkNamespace));
        }
        let pids: FxHashSet<u32> =
            sockets.iter().flat_map(|s| s.holders.iter().map(|holder| holder.pid)).collect();
        let pids: Vec<u32> = pids.into_iter().collect();
        let depth = Depth { sha256: look.sha256, integrity: look.integrity };
        let mut processes = self.reader.read(&pids, &depth);
        if views.has(Views::BPF) {
            self.name_hidden(&mut processes);
        }
        gaps.extend(self.reader.gaps());
        self.activate(&mut sockets, &processes);
        let mut forwards = Vec::new();
        let mut refused_forwards = 0;
        for inside in seen.values_mut().flatten() {
            forwards.append(&mut inside.forwards);
            for gap in inside.forward_gaps.drain(..) {
                if gap.reason == Reason::NoPermission && refused_forwards > 0 {
                    continue;
                }
                refused_forwards += u32::from(gap.reason == Reason::NoPermission);
                gaps.push(gap);
            }
        }
        for forward in &mut forwards {
            forward.container = forward.to_addr.and_then(|ip| self.reader.container_by_ip(ip));
        }
        for (inode, reason) in seen.iter().filter_map(|(inode, inside)| Some((inode, inside.as_ref().err()?)))
        {
            if *reason != Reason::Exited {
                let what = format!("the sockets of network namespace {inode} that no process of ours shares");
                gaps.push(Gap { area: Area::Namespaces, reason: *reason, what, count: None });
            }
        }
        let namespaces = self.namespaces(own, entrances, &seen);
        let mut sockets = in_order(sockets);
        if let Some(ports) = &look.probe {
            hidden::probe(ports, own, &mut sockets, &mut gaps);
        }
        Snapshot { taken, machine: machine(views), namespaces, sockets, processes, forwards, views, gaps }
    }

    /// Names, from the kernel itself, the processes that /proc does not show although they run.
    fn name_hidden(&mut self, processes: &mut [Arc<Process>]) {
        let unnamed = |process: &Process| {
            process.comm.is_empty()
                && (process.hidden_from_proc || process.started.hidden() == Some(Reason::Exited))
        };
        if !processes.iter().any(|process| unnamed(process)) {
            return;
        }
        let held = self.holders.walk(Wanted::default());
        for process in processes {
            if !unnamed(process) {
                continue;
            }
            if let Some(task) = held.task(process.pid) {
                let process = Arc::make_mut(process);
                process.hidden_from_proc = true;
                let comm = task.comm.split(|byte| *byte == 0).next().unwrap_or_default();
                process.comm = String::from_utf8_lossy(comm).into_owned();
            }
        }
    }

    /// Names the services behind sockets that systemd holds for them.
    fn activate(&mut self, sockets: &mut [Socket], processes: &[Arc<Process>]) {
        let managers: Vec<&Arc<Process>> =
            processes.iter().filter(|p| p.pid == 1 || p.comm == "systemd").collect();
        if managers.is_empty() {
            return;
        }
        for socket in sockets.iter_mut().filter(|socket| socket.is_listener()) {
            let manager = managers.iter().find(|m| socket.holders.iter().any(|holder| holder.pid == m.pid));
            if let Some(manager) = manager {
                socket.activation = self.reader.activation(manager, socket.kind, socket.local).map(Box::new);
            }
        }
    }

    fn namespaces(
        &mut self,
        own: u32,
        entrances: &BTreeMap<u32, Entrance>,
        seen: &BTreeMap<u32, Result<Inside, Reason>>,
    ) -> Vec<Namespace> {
        let first = namespaces::of_first_process().or_else(|| self.last.as_ref()?.held.of_kernel_threads());
        let mut all: Vec<Namespace> = seen
            .iter()
            .filter(|(_, inside)| !matches!(inside, Err(Reason::Exited)))
            .map(|(inode, inside)| {
                let entrance = entrances.get(inode);
                Namespace {
                    inode: *inode,
                    name: self.namespace_name(*inode, own, first, entrance),
                    own: *inode == own,
                    pid: entrance.and_then(|entrance| entrance.pid),
                    entered: inside.is_ok(),
                    rules: match inside {
                        Ok(inside) => inside.rules.clone(),
                        Err(reason) => Seen::Hidden(*reason),
                    },
                }
            })
            .collect();
        all.sort_by_key(|namespace| (!namespace.own, namespace.inode));
        all
    }

    fn namespace_name(
        &mut self,
        inode: u32,
        own: u32,
        first: Option<u32>,
        entrance: Option<&Entrance>,
    ) -> String {
        if first == Some(inode) {
            return "host".into();
        }
        if let Some((_, name)) = entrance.and_then(|entrance| entrance.mount.as_ref()) {
            return name.clone();
        }
        let pid = entrance.and_then(|entrance| entrance.pid);
        let process = pid.and_then(|pid| self.reader.read(&[pid], &Depth::default()).pop());
        if let Some(Seen::Value(container)) = process.as_ref().map(|process| &process.container) {
            let name = container.name.value().unwrap_or(&container.id);
            return format!("{}:{name}", container.runtime.name());
        }
        match pid {
            _ if inode == own => "own".into(),
            Some(pid) => format!("pid {pid}"),
            None => format!("net:[{inode}]"),
        }
    }
}

/// By kind, port, address and namespace. Only short keys are sorted; the sockets then change places where they lie.
fn in_order(mut sockets: Vec<Socket>) -> Vec<Socket> {
    let mut order: Vec<(u32, u32)> = Vec::with_capacity(sockets.len());
    order.extend(
        sockets
            .iter()
            .zip(0..)
            .map(|(socket, at)| (u32::from(socket.local.port()) | (socket.kind as u32) << 16, at)),
    );
    let socket = |at: u32| sockets.get(at as usize);
    order.sort_unstable_by(|(key, at), (other_key, other)| {
        let rest = |at| socket(at).map(|s| (s.local.ip(), s.netns, s.inode));
        key.cmp(other_key).then_with(|| rest(*at).cmp(&rest(*other)))
    });
    // Along each circle of places: every swap brings one socket to where it belongs.
    for start in 0..order.len() {
        let mut at = start;
        while let Some((_, source)) = order.get_mut(at) {
            let from = std::mem::replace(source, narrow(at)) as usize;
            if from == start {
                break;
            }
            sockets.swap(at, from);
            at = from;
        }
    }
    sockets
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Everything that has to be seen from inside a namespace.
fn see(netns: u32, look: &Look, wanted: sockets::Wanted) -> Inside {
    let (forwards, forward_gaps) = if look.forwards { forwards::read(netns) } else { Default::default() };
    Inside { found: dump(netns, wanted), rules: port_rules::read(), forwards, forward_gaps }
}

/// The sockets of the namespace that the calling thread is in; what the kernel does not dump is read as text.
fn dump(netns: u32, wanted: sockets::Wanted) -> sockets::Found {
    let mut found = sockets::dump(netns, wanted);
    if !found.not_dumped.is_empty() {
        let (sockets, gaps) = proc_net::read(netns, wanted.connected, &found.not_dumped);
        found.sockets.extend(sockets);
        found.gaps.extend(gaps);
    }
    found
}

fn dump_again(
    inode: u32,
    own: u32,
    entrances: &BTreeMap<u32, Entrance>,
    wanted: sockets::Wanted,
) -> Result<sockets::Found, Reason> {
    if inode == own {
        return Ok(dump(own, wanted));
    }
    let entrance = entrances.get(&inode).ok_or(Reason::Exited)?;
    namespaces::inside(entrance, || dump(inode, wanted))
}

/// The ways into every namespace that we know of.
fn entrances(held: &Held, gaps: &mut Vec<Gap>) -> BTreeMap<u32, Entrance> {
    if held.fallback.is_none() {
        return namespaces::all(held.tasks.iter().filter_map(|task| Some((task.netns?, task.pid))));
    }
    let pids: Vec<u32> = held.tasks.iter().map(|task| task.pid).collect();
    let (pairs, refused) = namespaces::from_proc(&pids);
    if refused > 0 {
        let what = format!("which network namespaces {refused} processes of other users are in");
        gaps.push(Gap { area: Area::Namespaces, reason: Reason::NoPermission, what, count: Some(refused) });
    }
    namespaces::all(pairs.into_iter())
}

fn machine(views: Views) -> Machine {
    let names = rustix::system::uname();
    Machine {
        hostname: names.nodename().to_string_lossy().into_owned(),
        os: "linux",
        kernel: names.release().to_string_lossy().into_owned(),
        privileged: views.has(Views::BPF) && rustix::process::geteuid().is_root(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::join::tests::socket;

    #[test]
    fn sockets_come_in_order_whatever_order_they_had() {
        let mut seed = 5_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u32
        };
        for count in [0, 1, 2, 3, 50, 999] {
            let kinds = [model::Kind::Udp, model::Kind::Tcp, model::Kind::Packet];
            let made = (0..count).map(|inode| {
                let port = u16::try_from(random() % 40).unwrap();
                socket(kinds[random() as usize % 3], inode, port)
            });
            let made: Vec<Socket> = made.collect();
            let mut expected = made.clone();
            expected.sort_by_key(|s| (s.kind as u32, s.local.port(), s.local.ip(), s.netns, s.inode));
            assert_eq!(in_order(made), expected, "{count}");
        }
    }
}
