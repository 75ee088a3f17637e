//! Two ways of looking, joined: the kernel's socket dump, and the descriptor tables. What one hides from the other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use model::{Gap, Holder, How, Kind, Reason, Socket, State, Views};
use rustc_hash::{FxHashMap, FxHashSet};

use super::holders::{Held, socket_of};
use super::sockets::Found;

mod unheld;

/// What each namespace's dump gave, by its inode number, or why it could not be entered.
pub type Dumps = BTreeMap<u32, Result<Found, Reason>>;

/// Both ways together.
#[derive(Debug)]
pub struct Joined {
    /// Every socket, with its holders.
    pub sockets: Vec<Socket>,
    /// Where we could not look.
    pub gaps: Vec<Gap>,
    /// The ways that worked.
    pub views: Views,
    /// The inodes of sockets that only one way shows: they came or went meanwhile, something hides them, or only a
    /// look with details can say what they are.
    pub doubtful: FxHashSet<u64>,
    /// The namespaces of sockets that only the walk told us of, since nobody is in them and no file names them.
    pub unentered: BTreeSet<u32>,
    /// The places of the sockets that no process was seen to have.
    unheld: Vec<usize>,
    /// How many processes did not let us read what they have open.
    refused: u64,
}

/// Joins what one moment's dumps and walk gave.
pub fn join(dumps: &mut Dumps, held: &Held) -> Joined {
    let (sockets, gaps) = together(dumps);
    let (joined, only_held) = merge(sockets, gaps, held, &|_| false);
    let doubtful = joined.doubtful.into_iter().chain(only_held).collect();
    Joined { doubtful, ..joined }
}

/// Takes in holders that only /proc knew, and how many processes did not let us look there either.
pub fn with_untold(mut joined: Joined, untold: &[(u64, Holder)], refused: u64) -> Joined {
    let mut by_inode: FxHashMap<u64, Vec<Holder>> = FxHashMap::default();
    for (inode, holder) in untold.iter().filter(|(inode, _)| *inode != 0) {
        by_inode.entry(*inode).or_default().push(*holder);
    }
    if !by_inode.is_empty() {
        for socket in &mut joined.sockets {
            if let Some(holders) = by_inode.get(&socket.inode) {
                socket.holders.extend(holders);
                socket.holders.sort_unstable_by_key(|holder| (holder.pid, holder.tid, holder.fd));
                socket.holders_missing = None;
                joined.doubtful.remove(&socket.inode);
            }
        }
    }
    joined.refused = refused;
    let sockets = &mut joined.sockets;
    joined.unheld.retain(|at| sockets.get(*at).is_some_and(|socket| socket.holders.is_empty()));
    if refused > 0 {
        for at in &joined.unheld {
            let Some(socket) = joined.sockets.get_mut(*at) else { continue };
            socket.holders_missing = Some(Reason::NoPermission);
            // Without the right to look, looking again shows no more.
            joined.doubtful.remove(&socket.inode);
        }
    }
    joined.count_refused();
    joined
}

/// Joins again after an earlier join left doubts; the walk must have details. What is still seen in one way only is
/// hidden, not late.
pub fn join_again(mut dumps: Dumps, held: &Held, doubtful: &FxHashSet<u64>) -> Joined {
    let (sockets, gaps) = together(&mut dumps);
    let (mut joined, only_held) = merge(sockets, gaps, held, &|inode| doubtful.contains(&inode));
    for mut socket in held.open(&only_held).filter_map(socket_of) {
        let dumped =
            matches!(dumps.get(&socket.netns), Some(Ok(found)) if !found.not_dumped.contains(&socket.kind));
        if dumped && should_be_dumped(&socket) {
            if !doubtful.contains(&socket.inode) {
                // It came after the dump: the next look will show it.
                continue;
            }
            socket.hidden_from = Views::SOCK_DIAG;
        }
        if !dumps.contains_key(&socket.netns) {
            joined.unentered.insert(socket.netns);
        }
        let entries = held.entries();
        let first = entries.partition_point(|(inode, _)| *inode < socket.inode);
        let own = entries.iter().skip(first).take_while(|(inode, _)| *inode == socket.inode);
        socket.holders.extend(own.map(|(_, holder)| *holder));
        joined.sockets.push(socket);
    }
    Joined { doubtful: FxHashSet::default(), ..joined }
}

/// A connection that its process has closed lives on without a holder until its end: that is how TCP works.
fn needs_holder(socket: &Socket) -> bool {
    matches!(socket.state, State::Listening | State::Bound)
}

/// Only what every kernel's dump shows: sockets that are merely bound appear in it from Linux 6.8 on.
fn should_be_dumped(socket: &Socket) -> bool {
    socket.state == State::Listening && !matches!(socket.kind, Kind::Sctp | Kind::Dccp)
}

/// The sockets and gaps of every namespace.
fn together(dumps: &mut Dumps) -> (Vec<Socket>, Vec<Gap>) {
    let mut found: Vec<&mut Found> = dumps.values_mut().flatten().collect();
    let gaps = found.iter_mut().flat_map(|found| found.gaps.drain(..)).collect();
    // The longest list takes the others in, so that most sockets stay where they are.
    found.sort_by_key(|found| Reverse(found.sockets.len()));
    let total: usize = found.iter().map(|found| found.sockets.len()).sum();
    let mut sockets: Vec<Socket> = Vec::new();
    for found in found {
        if sockets.is_empty() {
            sockets = std::mem::take(&mut found.sockets);
            sockets.reserve_exact(total - sockets.len());
        } else {
            sockets.append(&mut found.sockets);
        }
    }
    (sockets, gaps)
}

/// Gives every dumped socket its holders, and the inodes that only the walk saw. Both sides are in order of inode,
/// so one pass is enough.
fn merge(
    mut sockets: Vec<Socket>,
    gaps: Vec<Gap>,
    held: &Held,
    seen_before: &dyn Fn(u64) -> bool,
) -> (Joined, FxHashSet<u64>) {
    let by_kernel = held.how == How::BpfIterator;
    let reasons = holder_reasons(held);
    let mut order: Vec<(u64, usize)> =
        sockets.iter().enumerate().map(|(at, socket)| (socket.inode, at)).collect();
    order.sort_unstable();
    let mut entries = held.entries().iter().peekable();
    let mut only_held = FxHashSet::default();
    let mut doubtful = FxHashSet::default();
    let mut unheld = Vec::new();
    // Through /proc we also see sockets of families that have no ports: those are not missing from the dump.
    let mut missed = |(inode, holder): &(u64, Holder)| {
        if holder.how == How::BpfIterator {
            only_held.insert(*inode);
        }
    };
    for (inode, at) in order {
        while let Some(entry) = entries.next_if(|(held, _)| *held < inode) {
            missed(entry);
        }
        let Some(socket) = sockets.get_mut(at) else { continue };
        while let Some((_, holder)) = entries.next_if(|(held, _)| *held == inode && inode != 0) {
            if socket.holders.is_empty() {
                socket.holders.reserve_exact(1);
            }
            socket.holders.push(*holder);
        }
        if !socket.holders.is_empty() {
            if by_kernel {
                socket.seen_by = socket.seen_by.and(Views::BPF);
            }
        } else if needs_holder(socket) {
            let reason = reasons.of(socket, seen_before(inode));
            socket.holders_missing = Some(reason);
            unheld.push(at);
            // Without the right to look, looking again shows no more.
            if !reasons.refused && inode != 0 {
                doubtful.insert(inode);
            }
        }
    }
    entries.for_each(&mut missed);
    let views = if by_kernel { Views::SOCK_DIAG.and(Views::BPF) } else { Views::SOCK_DIAG };
    let mut joined =
        Joined { sockets, gaps, views, doubtful, unentered: BTreeSet::new(), unheld, refused: held.refused };
    joined.count_refused();
    (joined, only_held)
}

/// Why a socket may have no holder that we see.
struct HolderReasons {
    refused: bool,
    own_pid_namespace_is_first: bool,
}

fn holder_reasons(held: &Held) -> HolderReasons {
    use std::os::unix::fs::MetadataExt;
    // `PROC_PID_INIT_INO` in include/linux/proc_ns.h: the first PID namespace, which sees every process.
    const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;
    let own = std::fs::metadata("/proc/self/ns/pid").map(|metadata| metadata.ino());
    HolderReasons {
        refused: held.refused > 0,
        own_pid_namespace_is_first: own.is_ok_and(|inode| inode == FIRST_PID_NAMESPACE),
    }
}

impl HolderReasons {
    fn of(&self, socket: &Socket, seen_twice: bool) -> Reason {
        if self.refused {
            Reason::NoPermission
        } else if !self.own_pid_namespace_is_first {
            Reason::OtherPidNamespace
        } else if socket.inode == 0 {
            Reason::KernelOwned
        } else if seen_twice {
            Reason::InFlight
        } else {
            Reason::Exited
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
