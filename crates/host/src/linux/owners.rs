//! Sockets that no process was seen to have open: asks the kernel which of them are its own, and which travel in a
//! message.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::bpf::{self, Asked, LoadError};
use super::join::Joined;
use super::namespaces::{self, Entrance};

type Program<T> = Option<Result<T, LoadError>>;

/// Asks whose sockets are, and keeps the programs loaded between looks. Costs nothing until it is needed.
#[derive(Debug, Default)]
pub struct Owners {
    tcp: Program<bpf::Owners>,
    udp: Program<bpf::Owners>,
    travelling: Program<bpf::Travelling>,
}

impl Owners {
    /// Corrects the reason of each socket that the kernel itself uses, and of each that travels in a message.
    pub fn settle(&mut self, joined: &mut Joined, own: u32, entrances: &BTreeMap<u32, Entrance>) {
        for asked in [Asked::Tcp, Asked::Udp] {
            for (netns, ports) in joined.unheld(asked) {
                let program = match asked {
                    Asked::Tcp => &mut self.tcp,
                    Asked::Udp => &mut self.udp,
                };
                let Ok(program) = program.get_or_insert_with(|| bpf::Owners::load(asked)) else { break };
                let answer = within(netns, own, entrances, || program.by_cookie(ports).ok());
                if let Some(answer) = answer {
                    joined.settle(asked, netns, &answer);
                }
            }
        }
        let mut places = joined.namespaces_of_unseen();
        if places.is_empty() {
            return;
        }
        let Ok(program) = self.travelling.get_or_insert_with(bpf::Travelling::load) else { return };
        // The message may wait elsewhere than where the socket is; most likely where we are.
        places.insert(own);
        let mut cookies = FxHashSet::default();
        for netns in places {
            cookies.extend(within(netns, own, entrances, || program.cookies().ok()).into_iter().flatten());
        }
        joined.travel(&cookies);
    }
}

/// Does work inside a namespace; `None` where that is not possible.
fn within<T: Send>(
    netns: u32,
    own: u32,
    entrances: &BTreeMap<u32, Entrance>,
    work: impl FnOnce() -> Option<T> + Send,
) -> Option<T> {
    if netns == own {
        return work();
    }
    namespaces::inside(entrances.get(&netns)?, work).ok().flatten()
}
