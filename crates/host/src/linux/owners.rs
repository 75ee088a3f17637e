//! Sockets that no process was seen to have open: asks the kernel which of them are its own.

use std::collections::BTreeMap;

use super::bpf::{self, Asked, LoadError};
use super::join::Joined;
use super::namespaces::{self, Entrance};

type Program = Option<Result<bpf::Owners, LoadError>>;

/// Asks whose sockets are, and keeps the programs loaded between looks. Costs nothing until it is needed.
#[derive(Debug, Default)]
pub struct Owners {
    tcp: Program,
    udp: Program,
}

impl Owners {
    /// Corrects the reason of each socket that the kernel itself uses.
    pub fn settle(&mut self, joined: &mut Joined, own: u32, entrances: &BTreeMap<u32, Entrance>) {
        for asked in [Asked::Tcp, Asked::Udp] {
            for (netns, ports) in joined.unheld(asked) {
                let program = match asked {
                    Asked::Tcp => &mut self.tcp,
                    Asked::Udp => &mut self.udp,
                };
                let Ok(program) = program.get_or_insert_with(|| bpf::Owners::load(asked)) else { break };
                let answer = if netns == own {
                    program.by_cookie(ports).ok()
                } else {
                    let entrance = entrances.get(&netns);
                    let ask = |entrance| namespaces::inside(entrance, || program.by_cookie(ports).ok());
                    entrance.and_then(|entrance| ask(entrance).ok().flatten())
                };
                if let Some(answer) = answer {
                    joined.settle(asked, netns, &answer);
                }
            }
        }
    }
}
