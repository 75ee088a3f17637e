//! Everything known about a process that holds a socket.
//!
//! A process is read in full once. After that, one line of `stat` and one stat of its executable tell whether it still
//! is what it was: the same start, the same execve, the same file. What can change without either (its user, its
//! directory, its capabilities) is read again after half a minute, and while the process is young.

pub(crate) mod accounts;
mod clock;
mod dead;
mod exe;
mod facts;
mod lineage;
mod owner;
pub(crate) mod tree;
mod unseen;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Activation, Area, Container, ExeState, Gap, Kind, Process, Reason, Seen, Unit, UnitScope};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use wire::proc_stat::ProcStat;

use super::container::Containers;
use super::package::{self, cache::Cache};
use super::unit::Units;
use accounts::Accounts;
use clock::Clock;
pub(crate) use clock::clock_ns;
pub(crate) use dead::Dead;
use exe::{Executables, Key};
use lineage::Lineage;
use tree::{RootId, Stamp, Tree, read_once, reason, stat_at};
use unseen::{gone, unseen};

/// How deep to look into executables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// SHA-256 of each running file.
    pub sha256: bool,
    /// Which package owns each executable, and whether its digest is the recorded one.
    pub integrity: bool,
}

/// How long facts stay that nothing announces the change of.
const FRESH: Duration = Duration::from_secs(30);
/// A process that is younger than this may still give up its privileges.
const YOUNG_NS: i64 = 2_000_000_000;
/// Space for one file of /proc: arguments and environment beyond this are left out.
const SPACE: usize = 128 << 10;

/// Reads processes, and keeps between looks what stays true.
#[derive(Debug)]
pub struct Reader {
    proc_root: PathBuf,
    proc: Option<OwnedFd>,
    system_root: PathBuf,
    system: Option<Tree>,
    space: Vec<u8>,
    known: HashMap<u32, Known>,
    executables: Executables,
    lineage: Lineage,
    accounts: Accounts,
    containers: Containers,
    units: Units,
    witness: package::Witness,
    cache: Cache,
    preloads: HashMap<RootId, Result<Vec<String>, Reason>>,
    package_gaps: Vec<Gap>,
    gaps: Vec<Gap>,
    clock: Clock,
    buried: dead::Buried,
}

/// A process that was read, and what must be unchanged for it to be so still.
#[derive(Debug)]
struct Known {
    identity: Identity,
    stamp: Option<Stamp>,
    depth: Depth,
    settled: bool,
    read_at: Instant,
    process: Arc<Process>,
}

/// What `stat` says that names one execve of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    start_ticks: u64,
    arg_start: u64,
    parent: u32,
    zombie: bool,
    comm: String,
}

impl Identity {
    fn is(&self, stat: &ProcStat<'_>) -> bool {
        self.start_ticks == stat.start_ticks
            && self.arg_start == stat.arg_start
            && self.parent == stat.parent
            && self.zombie == stat.is_zombie()
            && self.comm.as_bytes() == stat.comm
    }
}

/// A process read in this look, before its package is known.
struct Draft {
    process: Process,
    identity: Identity,
    key: Option<Key>,
    settled: bool,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader of this machine, which keeps on disk what it learns about its executables.
    pub fn new() -> Reader {
        let reader = Reader::with_roots(Path::new("/proc"), Path::new("/"));
        Reader { cache: Cache::of_this_user(), ..reader }
    }

    /// A reader of another tree that looks like /proc, beside another file system. It keeps nothing on disk.
    pub fn with_roots(proc_root: &Path, system_root: &Path) -> Reader {
        Reader {
            proc_root: proc_root.to_path_buf(),
            proc: None,
            system_root: system_root.to_path_buf(),
            system: None,
            space: vec![0; SPACE],
            known: HashMap::new(),
            executables: Executables::default(),
            lineage: Lineage::default(),
            accounts: Accounts::default(),
            containers: Containers::default(),
            units: Units::default(),
            witness: package::Witness::default(),
            cache: Cache::none(),
            preloads: HashMap::new(),
            package_gaps: Vec::new(),
            gaps: Vec::new(),
            clock: Clock::now(),
            buried: dead::Buried::default(),
        }
    }

    fn open(&mut self) -> Result<(), Errno> {
        if self.proc.is_none() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.proc = Some(rustix::fs::open(&self.proc_root, flags, Mode::empty())?);
        }
        if self.system.is_none() {
            self.system = Some(Tree::open(&self.system_root)?);
        }
        Ok(())
    }

    /// The processes with these numbers, in order of PID; one that ended keeps its row.
    pub fn read(&mut self, pids: &[u32], depth: &Depth) -> Vec<Arc<Process>> {
        self.gaps.clear();
        let mut pids = pids.to_vec();
        pids.sort_unstable();
        pids.dedup();
        if let Err(errno) = self.open() {
            let what = self.proc_root.display().to_string();
            let count = Some(pids.len() as u64);
            self.gaps.push(Gap { area: Area::Processes, reason: reason(errno), what, count });
            return pids.into_iter().map(|pid| Arc::new(unseen(pid, reason(errno), false))).collect();
        }
        let (Some(proc), Some(system)) = (self.proc.take(), self.system.take()) else { return Vec::new() };
        let out = self.read_all(proc.as_fd(), &system, &pids, *depth);
        (self.proc, self.system) = (Some(proc), Some(system));
        self.count_gaps(&out);
        out
    }

    fn read_all(
        &mut self,
        proc: BorrowedFd<'_>,
        system: &Tree,
        pids: &[u32],
        depth: Depth,
    ) -> Vec<Arc<Process>> {
        let now = Instant::now();
        self.lineage.clear();
        self.preloads.clear();
        self.accounts.refresh(system);
        self.containers.begin();
        self.executables.begin();
        self.units.begin();
        if depth.integrity {
            let witness = package::witness(system);
            if witness != self.witness {
                self.witness = witness;
                self.executables.forget_packages();
                self.package_gaps.clear();
                self.known.clear();
            }
            self.cache.begin(system, &witness);
        }
        let mut known = std::mem::take(&mut self.known);
        let mut rows: Vec<Result<Known, Draft>> = Vec::with_capacity(pids.len());
        let mut lost: Vec<Process> = Vec::new();
        let mut name = String::with_capacity(24);
        for pid in pids {
            match known.remove(pid) {
                Some(entry) if self.still(proc, *pid, &entry, depth, now, &mut name) => rows.push(Ok(entry)),
                _ => match self.draft(proc, system, *pid, &mut name) {
                    Ok(draft) => rows.push(Err(draft)),
                    Err(errno) => lost.push(gone(*pid, errno)),
                },
            }
        }
        self.find_hidden(proc, &mut rows);
        self.finish_executables(proc, system, &rows, depth);

        let mut out: Vec<Arc<Process>> = Vec::with_capacity(pids.len());
        for row in rows {
            let entry = match row {
                Ok(entry) => entry,
                Err(draft) => self.complete(draft, depth, now),
            };
            out.push(Arc::clone(&entry.process));
            self.known.insert(entry.process.pid, entry);
        }
        if !lost.is_empty() {
            out.extend(lost.into_iter().map(Arc::new));
            out.sort_unstable_by_key(|process| process.pid);
        }
        out
    }

    /// Whether a process is what it was when it was read.
    fn still(
        &mut self,
        proc: BorrowedFd<'_>,
        pid: u32,
        entry: &Known,
        depth: Depth,
        now: Instant,
        name: &mut String,
    ) -> bool {
        let deep_enough =
            (entry.depth.sha256 || !depth.sha256) && (entry.depth.integrity || !depth.integrity);
        // Spread by PID, so that one look does not read all of them again.
        let fresh = FRESH + Duration::from_millis(u64::from(pid % 1024) * 16);
        if !deep_enough || !entry.settled || now.duration_since(entry.read_at) > fresh {
            return false;
        }
        if let Some(stamp) = entry.stamp {
            path_of(name, pid, "/exe");
            if stat_at(proc, name.as_str()).map(|stat| Stamp::of(&stat)) != Ok(stamp) {
                return false;
            }
        }
        path_of(name, pid, "/stat");
        let Ok(text) = read_once(proc, name, &mut self.space) else { return false };
        let Ok(stat) = wire::proc_stat::parse(text) else { return false };
        if !entry.identity.is(&stat) {
            return false;
        }
        self.lineage.note(pid, &entry.process.comm, stat.parent);
        true
    }

    fn draft(
        &mut self,
        proc: BorrowedFd<'_>,
        system: &Tree,
        pid: u32,
        name: &mut String,
    ) -> Result<Draft, Errno> {
        path_of(name, pid, "");
        let folder = rustix::fs::openat(
            proc,
            name.as_str(),
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let dir = folder.as_fd();
        let text = read_once(dir, "stat", &mut self.space)?;
        let stat = wire::proc_stat::parse(text).map_err(|_| Errno::INVAL)?;
        let (kernel_thread, zombie) = (stat.is_kernel_thread(), stat.is_zombie());
        let comm = String::from_utf8_lossy(stat.comm).into_owned();
        let identity = Identity {
            start_ticks: stat.start_ticks,
            arg_start: stat.arg_start,
            parent: stat.parent,
            zombie,
            comm: comm.clone(),
        };
        // A process may end its first thread and live on in others: then those know what it is.
        let living = if zombie { living_thread(dir, &mut self.space) } else { None };
        let dir = living.as_ref().map_or(dir, AsFd::as_fd);
        let zombie = zombie && living.is_none();
        let started = self.clock.at_ticks(identity.start_ticks);
        let settled = self.clock.look_ns().saturating_sub(started.as_ns()) >= YOUNG_NS;
        self.lineage.note(pid, &comm, identity.parent);

        let (user, capabilities) =
            match read_once(dir, "status", &mut self.space).map(wire::proc_status::parse) {
                Ok(Ok(status)) => (
                    Seen::Value(facts::user(status.uid, &self.accounts)),
                    status.capabilities.map_or(Seen::Hidden(Reason::NotSupported), Seen::Value),
                ),
                Ok(Err(_)) => (Seen::Hidden(Reason::Damaged), Seen::Hidden(Reason::Damaged)),
                Err(errno) => (Seen::Hidden(reason(errno)), Seen::Hidden(reason(errno))),
            };
        let root = stat_at(dir, "root").ok().map(|stat| RootId::of(&stat));
        let key = self.executables.look(dir, root, system);
        let exe = match &key {
            Ok(key) => self.executables.record(key).map(|record| record.exe.clone()).into(),
            Err(errno) => exe::unreadable(*errno, kernel_thread, zombie),
        };
        let package = match &exe {
            Seen::Value(exe) if exe.state == ExeState::Memfd => Seen::Absent,
            Seen::Value(_) => Seen::Hidden(Reason::LimitReached),
            Seen::Absent => Seen::Absent,
            Seen::Hidden(why) => Seen::Hidden(*why),
        };
        // Memory goes before the state says so: without a file that it runs, it has no arguments to show any more.
        let ending = zombie || exe == Seen::Hidden(Reason::Exited);
        let cmdline = if kernel_thread { Seen::Absent } else { facts::cmdline(dir, ending, &mut self.space) };
        let cwd = match facts::link(dir, "cwd") {
            Ok(path) => Seen::Value(path),
            Err(errno) => exe::unreadable(errno, kernel_thread, zombie),
        };
        let parents = self.lineage.chain(proc, identity.parent, &mut self.space);
        let (unit, container) = self.place(dir, root, kernel_thread, system);
        let preload = if kernel_thread { Seen::Absent } else { self.preload(proc, dir, pid, root, system) };
        let process = Process {
            pid,
            comm,
            started: Seen::Value(started),
            exe,
            cmdline,
            cwd,
            user,
            capabilities,
            parents,
            unit,
            container,
            package,
            hidden_from_proc: false,
            preload,
        };
        Ok(Draft { process, identity, key: key.ok(), settled })
    }

    fn place(
        &mut self,
        dir: BorrowedFd<'_>,
        root: Option<RootId>,
        kernel_thread: bool,
        system: &Tree,
    ) -> (Seen<Unit>, Seen<Container>) {
        let text = match read_once(dir, "cgroup", &mut self.space) {
            Ok(text) => text,
            Err(errno) => return (Seen::Hidden(reason(errno)), Seen::Hidden(reason(errno))),
        };
        let (place, fault) = wire::cgroup::place(text);
        let unit = place.unit.map(|unit| Unit {
            name: unit.name.to_owned(),
            scope: unit.user.map_or(UnitScope::System, UnitScope::User),
        });
        let none = || fault.map_or(Seen::Absent, |_| Seen::Hidden(Reason::Damaged));
        let unit = unit.map_or_else(none, Seen::Value);
        let by_group = place.container.map(|found| self.containers.name(&found, system, &self.accounts));
        let container = match by_group {
            Some(Seen::Absent) | None if kernel_thread => Seen::Absent,
            // A process without unit may be in a container whose control group looks like the root from here.
            Some(Seen::Absent) | None if root != Some(system.id) || unit.value().is_none() => {
                let hint = root.and_then(|root| self.containers.by_root(dir, root));
                match hint {
                    Some(found) => self.containers.name(&found, system, &self.accounts),
                    // Neither its group nor its mounts could tell.
                    None if root.is_none() && unit.value().is_none() => Seen::Hidden(Reason::NoPermission),
                    None => none_of(fault.is_some()),
                }
            }
            Some(found) => found,
            None => none_of(fault.is_some()),
        };
        (unit, container)
    }

    fn preload(
        &mut self,
        proc: BorrowedFd<'_>,
        dir: BorrowedFd<'_>,
        pid: u32,
        root: Option<RootId>,
        system: &Tree,
    ) -> Seen<Vec<String>> {
        let own = facts::preload(dir, &mut self.space);
        let root = root.unwrap_or(system.id);
        let everybody = self.preloads.entry(root).or_insert_with(|| {
            const FILE: &str = "etc/ld.so.preload";
            let text = if root == system.id {
                system.read(FILE, 1 << 20)
            } else {
                Tree::open_at(proc, Path::new(&format!("{pid}/root")))
                    .and_then(|tree| tree.read(FILE, 1 << 20))
            };
            match text {
                Ok(text) => Ok(facts::libraries(&without_comments(&text))),
                Err(Errno::NOENT | Errno::NOTDIR) => Ok(Vec::new()),
                Err(errno) => Err(reason(errno)),
            }
        });
        match (own, &*everybody) {
            (Seen::Value(mut own), Ok(all)) => {
                own.extend(all.iter().cloned());
                Seen::Value(own)
            }
            (Seen::Value(own), Err(_)) if !own.is_empty() => Seen::Value(own),
            (Seen::Value(_), Err(why)) => Seen::Hidden(*why),
            (_, Ok(all)) if !all.is_empty() => Seen::Value(all.clone()),
            (hidden, _) => hidden,
        }
    }

    /// A process that can be opened and still is left out of the listing of /proc is hidden from ordinary tools.
    fn find_hidden(&mut self, proc: BorrowedFd<'_>, rows: &mut [Result<Known, Draft>]) {
        if rows.iter().all(Result::is_ok) {
            return;
        }
        // Listed after they were read: who was there before and is there afterwards must be in between.
        let Ok(listed) = listing(proc) else { return };
        for draft in rows.iter_mut().filter_map(|row| row.as_mut().err()) {
            let pid = draft.process.pid;
            if listed.binary_search(&pid).is_ok() {
                continue;
            }
            let text = read_once(proc, &format!("{pid}/stat"), &mut self.space);
            let alive = text.is_ok_and(|text| {
                wire::proc_stat::parse(text).is_ok_and(|stat| stat.start_ticks == draft.identity.start_ticks)
            });
            // A thread can be opened by its number as well, and is never listed.
            let leader = read_once(proc, &format!("{pid}/status"), &mut self.space).is_ok_and(|text| {
                memchr::memmem::find(text, format!("\nTgid:\t{pid}\n").as_bytes()).is_some()
            });
            draft.process.hidden_from_proc = alive && leader;
        }
    }

    fn complete(&mut self, draft: Draft, depth: Depth, now: Instant) -> Known {
        let Draft { mut process, identity, key, settled } = draft;
        if let Some(record) = key.as_ref().and_then(|key| self.executables.record(key)) {
            if depth.sha256
                && let Seen::Value(exe) = &mut process.exe
            {
                exe.sha256 = record.exe.sha256;
            }
            if let Some(package) = record.package.as_ref().filter(|_| depth.integrity) {
                process.package = package.clone();
            }
        }
        let stamp = key.and_then(|key| key.stamp);
        Known { identity, stamp, depth, settled, read_at: now, process: Arc::new(process) }
    }

    fn count_gaps(&mut self, processes: &[Arc<Process>]) {
        // A database that failed once is not asked again until it changes, and is one gap.
        let mut failed: Vec<Gap> = Vec::new();
        for gap in self.package_gaps.drain(..) {
            if !failed.contains(&gap) {
                failed.push(gap);
            }
        }
        self.gaps.extend(failed.iter().cloned());
        self.package_gaps = failed;
        let mut count = |area, what: &str, hidden: &dyn Fn(&Process) -> Option<Reason>| {
            let mut by_reason: Vec<(Reason, u64)> = Vec::new();
            for why in processes.iter().filter_map(|process| hidden(process)) {
                match by_reason.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, number)) => *number += 1,
                    None => by_reason.push((why, 1)),
                }
            }
            for (reason, number) in by_reason {
                let what =
                    format!("{what} of {number} {}", if number == 1 { "process" } else { "processes" });
                self.gaps.push(Gap { area, reason, what, count: Some(number) });
            }
        };
        // Those that ended are rows with their own reason; they are no gap.
        let lasting = |why: Option<Reason>| why.filter(|why| *why != Reason::Exited);
        count(Area::Processes, "the executable", &|process| lasting(process.exe.hidden()));
        count(Area::Containers, "the container", &|process| lasting(process.container.hidden()));
        count(Area::Containers, "the container's name", &|process| {
            lasting(process.container.value().and_then(|container| container.name.hidden()))
        });
    }

    /// Where the last [`Reader::read`] could not look, counted.
    pub fn gaps(&mut self) -> Vec<Gap> {
        self.gaps.clone()
    }

    /// The service behind a socket that systemd holds: PID 1, a user's own manager, or the manager in a container.
    pub fn activation(&mut self, holder: &Process, kind: Kind, local: SocketAddr) -> Option<Activation> {
        if holder.comm != "systemd" && holder.program() != "systemd" {
            return None;
        }
        self.open().ok()?;
        let system = self.system.as_ref()?;
        if holder.pid == 1 {
            return self.units.activation(system, None, kind, local);
        }
        let manager = holder.unit.value()?;
        let uid = manager.name.strip_prefix("user@").and_then(|rest| rest.strip_suffix(".service"));
        if let Some(uid) = uid.and_then(|uid| uid.parse::<u32>().ok()) {
            let home = self.accounts.home(uid).unwrap_or("/nonexistent").to_owned();
            return self.units.activation(system, Some((uid, &home)), kind, local);
        }
        if holder.container.value().is_some() && manager.name == "init.scope" {
            let proc = self.proc.as_ref()?;
            let tree = Tree::open_at(proc.as_fd(), Path::new(&format!("{}/root", holder.pid))).ok()?;
            return self.units.activation(&tree, None, kind, local);
        }
        None
    }

    /// The container that has this address on a network of its runtime.
    pub fn container_by_ip(&mut self, ip: IpAddr) -> Option<Container> {
        self.open().ok()?;
        self.containers.by_ip(ip, self.system.as_ref()?, &self.accounts)
    }
}

fn none_of<T>(damaged: bool) -> Seen<T> {
    if damaged { Seen::Hidden(Reason::Damaged) } else { Seen::Absent }
}

fn path_of(name: &mut String, pid: u32, file: &str) {
    name.clear();
    // Writing to a string cannot fail.
    let _ = write!(name, "{pid}{file}");
}

/// The folder of a thread that has not ended.
fn living_thread(dir: BorrowedFd<'_>, space: &mut [u8]) -> Option<OwnedFd> {
    const MOST: usize = 1024;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::openat(dir, "task", OFlags::RDONLY | flags, Mode::empty()).ok()?;
    let threads = rustix::fs::Dir::read_from(&tasks).ok()?;
    threads.take(MOST).flatten().find_map(|thread| {
        let thread =
            rustix::fs::openat(&tasks, thread.file_name(), OFlags::PATH | flags, Mode::empty()).ok()?;
        let text = read_once(thread.as_fd(), "stat", space).ok()?;
        let stat = wire::proc_stat::parse(text).ok()?;
        (!stat.is_zombie()).then_some(thread)
    })
}

fn without_comments(text: &[u8]) -> Vec<u8> {
    text.split(|b| *b == b'\n')
        .flat_map(|line| line.split(|b| *b == b'#').next().unwrap_or_default().iter().chain(b"\n"))
        .copied()
        .collect()
}

/// The process numbers that /proc lists, in order.
fn listing(proc: BorrowedFd<'_>) -> Result<Vec<u32>, Errno> {
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(proc)? {
        if let Some(pid) = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok()) {
            out.push(pid);
        }
    }
    out.sort_unstable();
    Ok(out)
}

#[cfg(test)]
mod tests;
