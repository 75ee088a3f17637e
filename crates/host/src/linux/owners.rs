//! Sockets that no process was seen to have open: asks the kernel which of them are its own.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::bpf::{self, LoadError};
use super::join::Joined;
use super::namespaces::{self, Entrance};

/// Asks whose sockets are, and keeps the programs loaded between looks. Costs nothing until it is needed.
#[derive(Debug, Default)]
pub struct Owners {
    loaded: Option<Result<bpf::Owners, LoadError>>,
}

impl Owners {
    /// Corrects the reason of each socket that the kernel itself uses.
    pub fn settle(&mut self, joined: &mut Joined, own: u32, entrances: &BTreeMap<u32, Entrance>) {
        let unheld = joined.namespaces_of_unheld();
        if unheld.is_empty() {
            return;
        }
        let Ok(programs) = self.loaded.get_or_insert_with(bpf::Owners::load) else { return };
        let mut by_kernel = BTreeMap::new();
        for netns in unheld {
            let answer: Option<FxHashMap<u64, bool>> = if netns == own {
                programs.by_cookie().ok()
            } else {
                let inside = entrances.get(&netns).map(|entrance| {
                    namespaces::inside(entrance, || programs.by_cookie().ok()).ok().flatten()
                });
                inside.flatten()
            };
            by_kernel.extend(answer.map(|answer| (netns, answer)));
        }
        joined.settle(&by_kernel);
    }
}
