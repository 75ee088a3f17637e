//! Who did it: described by the kernel before its first event, and by /proc as long as it lives.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Parent, Process, Reason, Seen};
use wire::event_record::{ProcessRecord, Run, SocketRecord, text};

use crate::linux::process::{Dead, Depth, Reader};

/// Most processes that are remembered: as many as the kernel remembers to have described.
const REMEMBERED_MAX: usize = 1 << 14;

/// What the kernel says of a process.
#[derive(Debug)]
pub(super) struct Described {
    run: Run,
    euid: u32,
    inode: u64,
    no_file: bool,
    no_folder: bool,
    kernel: bool,
    exe: Option<String>,
    group: Option<Arc<str>>,
    arguments: Option<Vec<u8>>,
    parents: Vec<Parent>,
    comm: String,
}

impl Described {
    /// Takes over what a record says.
    pub(super) fn of(record: &ProcessRecord<'_>) -> Described {
        Described {
            run: record.run,
            euid: record.euid,
            inode: record.inode,
            no_file: record.no_file,
            no_folder: record.no_folder,
            kernel: record.kernel,
            exe: record.exe(),
            group: record.group().map(Arc::from),
            arguments: record.arguments().map(<[u8]>::to_vec),
            parents: record.parents().map(|(pid, comm)| Parent { pid, comm }).collect(),
            comm: text(&record.comm),
        }
    }

    fn dead(&self) -> Dead<'_> {
        Dead {
            pid: self.run.pid,
            comm: &self.comm,
            started_since_boot_ns: self.run.started_since_boot_ns,
            exe: self.exe.as_deref(),
            inode: self.inode,
            no_file: self.no_file,
            no_folder: self.no_folder,
            kernel: self.kernel,
            arguments: self.arguments.as_deref(),
            uid: self.euid,
            group: self.group.as_deref(),
            parents: &self.parents,
        }
    }

    /// Whether this is the process that /proc shows under its number now, and runs the same.
    fn is(&self, process: &Process, reader: &Reader) -> bool {
        process.started == Seen::Value(reader.started(self.run.started_since_boot_ns))
            && match (&process.exe, &self.exe) {
                (Seen::Value(exe), Some(path)) => exe.path == *path,
                (Seen::Absent, None) => self.kernel,
                _ => false,
            }
    }
}

#[derive(Debug)]
struct Known {
    process: Arc<Process>,
    group: Option<Arc<str>>,
    used: u64,
}

/// The processes that did something.
#[derive(Debug)]
pub(super) struct Processes {
    reader: Reader,
    known: HashMap<Run, Known>,
    batch: u64,
}

impl Processes {
    pub(super) fn new() -> Processes {
        Processes { reader: Reader::new(), known: HashMap::new(), batch: 0 }
    }

    /// Takes in what the kernel described since the last time; gives those that are forgotten for that.
    pub(super) fn learn(&mut self, described: Vec<Described>) -> Vec<u32> {
        self.batch += 1;
        let forgotten = self.forget();
        if described.is_empty() {
            return forgotten;
        }
        let pids: Vec<u32> = described.iter().map(|one| one.run.pid).filter(|pid| *pid != 0).collect();
        let depth = Depth { sha256: false, integrity: true };
        let living: HashMap<u32, Arc<Process>> =
            self.reader.read(&pids, &depth).into_iter().map(|process| (process.pid, process)).collect();
        for one in described {
            let here = living.get(&one.run.pid).filter(|process| one.is(process, &self.reader));
            let process = match here {
                Some(process) => Arc::clone(process),
                None => Arc::new(self.reader.dead(&one.dead())),
            };
            self.known.insert(one.run, Known { process, group: one.group, used: self.batch });
        }
        forgotten
    }

    /// Forgets the half that did nothing for longest, once there are too many.
    fn forget(&mut self) -> Vec<u32> {
        if self.known.len() <= REMEMBERED_MAX {
            return Vec::new();
        }
        let mut used: Vec<u64> = self.known.values().map(|known| known.used).collect();
        let middle = used.len() / 2;
        let (_, oldest_kept, _) = used.select_nth_unstable(middle);
        let oldest_kept = *oldest_kept;
        self.known.extract_if(|_, known| known.used <= oldest_kept).map(|(run, _)| run.pid).collect()
    }

    /// Who did this, and its control group.
    pub(super) fn of(&mut self, record: &SocketRecord) -> (Arc<Process>, Option<Arc<str>>) {
        let batch = self.batch;
        if let Some(known) = self.known.get_mut(&record.run) {
            known.used = batch;
            return (Arc::clone(&known.process), known.group.clone());
        }
        // There was no room for its description: /proc may still have it.
        let living = self.reader.read(&[record.run.pid], &Depth { sha256: false, integrity: true }).pop();
        let started = self.reader.started(record.run.started_since_boot_ns);
        let living = living.filter(|process| process.started == Seen::Value(started));
        let process = living.unwrap_or_else(|| Arc::new(self.nameless(record)));
        let known = Known { process: Arc::clone(&process), group: None, used: batch };
        self.known.insert(record.run, known);
        (process, None)
    }

    /// A process of which only this one record tells.
    fn nameless(&mut self, record: &SocketRecord) -> Process {
        let comm = text(&record.comm);
        let dead = Dead {
            pid: record.run.pid,
            comm: &comm,
            started_since_boot_ns: record.run.started_since_boot_ns,
            exe: None,
            inode: 0,
            no_file: false,
            no_folder: false,
            kernel: false,
            arguments: None,
            uid: record.uid,
            group: None,
            parents: &[],
        };
        let process = self.reader.dead(&dead);
        debug_assert_eq!(process.exe, Seen::Hidden(Reason::Exited));
        process
    }
}
