//! Two ways of looking, joined: the kernel's socket dump, and the descriptor tables. What one hides from the other.

use std::collections::BTreeMap;

use model::{Area, Gap, How, Kind, Reason, Socket, State, Views};
use rustc_hash::FxHashSet;

use super::holders::{Held, socket_of};
use super::sockets::Found;

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
}

/// The inode numbers of sockets that only one way shows: they came or went meanwhile, or something hides them.
pub fn doubtful(dumps: &Dumps, held: &Held) -> FxHashSet<u64> {
    let mut doubtful = FxHashSet::default();
    let mut dumped = FxHashSet::default();
    for socket in dumps.values().flatten().flat_map(|found| &found.sockets) {
        dumped.insert(socket.inode);
        // Without the right to look, looking again shows no more.
        let could_be_held = held.refused == 0 && socket.inode != 0 && needs_holder(socket);
        if could_be_held && held.of(socket.inode).next().is_none() {
            doubtful.insert(socket.inode);
        }
    }
    doubtful.extend(missing(dumps, held, &dumped).map(|socket| socket.inode));
    doubtful
}

/// A connection that its process has closed lives on without a holder until its end: that is how TCP works.
fn needs_holder(socket: &Socket) -> bool {
    matches!(socket.state, State::Listening | State::Bound)
}

/// The sockets that processes have open and that the dump of their namespace should have shown.
fn missing<'a>(
    dumps: &'a Dumps,
    held: &'a Held,
    dumped: &'a FxHashSet<u64>,
) -> impl Iterator<Item = Socket> + 'a {
    held.open().filter(|open| !dumped.contains(&open.inode)).filter_map(socket_of).filter(|socket| {
        dumps.get(&socket.netns).is_some_and(|found| match found {
            Ok(found) => should_be_dumped(socket) && !found.not_dumped.contains(&socket.kind),
            Err(_) => false,
        })
    })
}

/// Only what every kernel's dump shows: sockets that are merely bound appear in it from Linux 6.8 on.
fn should_be_dumped(socket: &Socket) -> bool {
    socket.state == State::Listening && !matches!(socket.kind, Kind::Sctp | Kind::Dccp)
}

/// Joins. `doubtful` are those of an earlier look: what is still seen in one way only is hidden, not late.
pub fn join(mut dumps: Dumps, held: &Held, doubtful: Option<&FxHashSet<u64>>) -> Joined {
    let was_doubtful = |inode| doubtful.is_some_and(|doubtful| doubtful.contains(&inode));
    let total = dumps.values().flatten().map(|found| found.sockets.len()).sum();
    let mut sockets: Vec<Socket> = Vec::with_capacity(total);
    let mut gaps = Vec::new();
    for found in dumps.values_mut().flatten() {
        sockets.append(&mut found.sockets);
        gaps.append(&mut found.gaps);
    }
    let dumped: FxHashSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let mut views = Views::SOCK_DIAG;
    if held.how == How::BpfIterator {
        views = views.and(Views::BPF);
    }
    let hidden: FxHashSet<u64> = missing(&dumps, held, &dumped).map(|socket| socket.inode).collect();
    // What only the descriptor tables show: in namespaces that we could not enter, of kinds that the kernel does not
    // dump, merely bound on an older kernel, or hidden.
    for mut socket in held.open().filter(|open| !dumped.contains(&open.inode)).filter_map(socket_of) {
        let hides = hidden.contains(&socket.inode);
        if hides && !was_doubtful(socket.inode) {
            // It came after the dump: the next look will show it.
            continue;
        }
        if hides {
            socket.hidden_from = Views::SOCK_DIAG;
        }
        sockets.push(socket);
    }
    let without_holder = holder_reasons(held);
    let mut refused_sockets = 0_u64;
    for socket in &mut sockets {
        socket.holders.extend(held.of(socket.inode));
        if !socket.holders.is_empty() {
            if held.how == How::BpfIterator {
                socket.seen_by = socket.seen_by.and(Views::BPF);
            }
        } else if needs_holder(socket) {
            let reason = without_holder.reason(socket, was_doubtful(socket.inode));
            socket.holders_missing = Some(reason);
            refused_sockets += u64::from(reason == Reason::NoPermission);
        }
    }
    if refused_sockets > 0 {
        let what = format!("who holds {refused_sockets} sockets: {} processes of other users", held.refused);
        gaps.push(Gap {
            area: Area::Holders,
            reason: Reason::NoPermission,
            what,
            count: Some(refused_sockets),
        });
    }
    Joined { sockets, gaps, views }
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
    fn reason(&self, socket: &Socket, seen_twice: bool) -> Reason {
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
