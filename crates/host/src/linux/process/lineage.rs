//! Parents of processes: each forefather is read once per look, however many children it has.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::fd::BorrowedFd;

use model::Parent;

use super::tree::read_once;

/// No chain is longer: it ends a loop that a changing /proc could show.
const CHAIN_MAX: usize = 64;

/// The forefathers seen in one look.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    seen: HashMap<u32, Option<(String, u32)>>,
}

impl Lineage {
    /// Forgets the last look.
    pub(super) fn clear(&mut self) {
        self.seen.clear();
    }

    /// What is known already of a process.
    pub(super) fn note(&mut self, pid: u32, comm: &str, parent: u32) {
        self.seen.entry(pid).or_insert_with(|| Some((comm.to_owned(), parent)));
    }

    /// The chain that begins with `parent`, nearest first.
    pub(super) fn chain(&mut self, proc: BorrowedFd<'_>, parent: u32, buffer: &mut [u8]) -> Vec<Parent> {
        let mut out: Vec<Parent> = Vec::new();
        let mut pid = parent;
        while pid != 0 && out.len() < CHAIN_MAX && out.iter().all(|known| known.pid != pid) {
            let entry = self.seen.entry(pid).or_insert_with(|| {
                let mut name = String::with_capacity(16);
                write!(name, "{pid}/stat").ok()?;
                let stat = wire::proc_stat::parse(read_once(proc, &name, buffer).ok()?).ok()?;
                Some((String::from_utf8_lossy(stat.comm).into_owned(), stat.parent))
            });
            let Some((comm, next)) = entry else { break };
            out.push(Parent { pid, comm: comm.clone() });
            pid = *next;
        }
        out
    }
}
