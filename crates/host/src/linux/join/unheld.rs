//! Sockets that no process was seen to have: which of them can be asked about, and what the answers change.

use std::collections::{BTreeMap, BTreeSet};

use model::{Area, Gap, Kind, Reason, Socket, State, Views};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::bpf::Asked;
use super::Joined;

impl Joined {
    /// The ports of sockets that no process was seen to have although kernel programs looked, by namespace.
    pub fn unheld(&self, asked: Asked) -> BTreeMap<u32, Vec<u16>> {
        let mut ports: BTreeMap<u32, Vec<u16>> = BTreeMap::new();
        if self.worth_asking() {
            let unheld = self.unheld.iter().filter_map(|at| self.sockets.get(*at));
            for socket in unheld.filter(|socket| asks_for_owner(socket) == Some(asked)) {
                ports.entry(socket.netns).or_default().push(socket.local.port());
            }
        }
        ports
    }

    /// Whether kernel programs may be asked about sockets without holders, and few enough are to be gone through.
    fn worth_asking(&self) -> bool {
        // A process that may not be looked at is the likelier holder: asking costs a pass over every socket then, and
        // is not worth it where there are many.
        const FEW: usize = 4096;
        self.views.has(Views::BPF) && (self.refused == 0 || self.sockets.len() < FEW)
    }

    /// The namespaces of sockets that a process may have which we cannot see.
    pub fn namespaces_of_unseen(&self) -> BTreeSet<u32> {
        if !self.worth_asking() {
            return BTreeSet::new();
        }
        let unheld = self.unheld.iter().filter_map(|at| self.sockets.get(*at));
        unheld.filter(|socket| may_be_unseen(socket)).map(|socket| socket.netns).collect()
    }

    /// Takes in the cookies of sockets that travel in messages: no process need have those.
    pub fn travel(&mut self, cookies: &FxHashSet<u64>) {
        for at in &self.unheld {
            let Some(socket) = self.sockets.get_mut(*at) else { continue };
            if may_be_unseen(socket) && cookies.contains(&socket.cookie) {
                socket.holders_missing = Some(Reason::InFlight);
            }
        }
        self.count_refused();
    }

    /// Takes in, by cookie, whether the kernel itself uses a socket of this namespace.
    pub fn settle(&mut self, asked: Asked, netns: u32, by_kernel: &FxHashMap<u64, bool>) {
        for at in &self.unheld {
            let Some(socket) = self.sockets.get_mut(*at) else { continue };
            if socket.netns != netns || asks_for_owner(socket) != Some(asked) {
                continue;
            }
            match by_kernel.get(&socket.cookie) {
                Some(true) => {
                    socket.holders_missing = Some(Reason::KernelOwned);
                    self.doubtful.remove(&socket.inode);
                }
                // It has a file, so somebody has that, and what we knew of the reason stands.
                Some(false) => {}
                // It is gone by now.
                None => socket.holders_missing = Some(Reason::Exited),
            }
        }
        self.count_refused();
    }

    /// Says in one gap how many sockets may have holders among the processes that refused.
    pub(super) fn count_refused(&mut self) {
        self.gaps.retain(|gap| gap.area != Area::Holders);
        let reason = Reason::NoPermission;
        let unheld = self.unheld.iter().filter_map(|at| self.sockets.get(*at));
        let refused = unheld.filter(|socket| socket.holders_missing == Some(reason)).count();
        if refused > 0 {
            let refused = refused as u64;
            let what = format!(
                "who holds {}: {} did not let us look",
                count(refused, "socket", "sockets"),
                count(self.refused, "process", "processes")
            );
            self.gaps.push(Gap { area: Area::Holders, reason, what, count: Some(refused) });
        }
    }
}

/// Whether a process may have the socket that we cannot see.
fn may_be_unseen(socket: &Socket) -> bool {
    let unseen = [Reason::NoPermission, Reason::OtherPidNamespace];
    socket.cookie != 0 && socket.holders_missing.is_some_and(|reason| unseen.contains(&reason))
}

/// Which program can say whose the socket is; `None` where none can, or where that is known.
fn asks_for_owner(socket: &Socket) -> Option<Asked> {
    let open = [Reason::Exited, Reason::InFlight, Reason::NoPermission, Reason::OtherPidNamespace];
    if socket.cookie == 0 || !socket.holders_missing.is_some_and(|reason| open.contains(&reason)) {
        return None;
    }
    match (socket.kind, socket.state) {
        (Kind::Tcp, State::Listening) => Some(Asked::Tcp),
        (Kind::Udp, State::Listening) => Some(Asked::Udp),
        _ => None,
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
