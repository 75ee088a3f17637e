//! Processes that ended before they could be read: what the kernel noted of them, and what that leads to.

use std::collections::HashMap;

use model::{
    Exe, ExeState, Integrity, Package, Parent, Process, Reason, Seen, Timestamp, Unit, UnitScope, Utc,
};

use super::tree::Tree;
use super::{Reader, facts};
use crate::linux::package;

/// Most executables whose package is remembered.
const REMEMBERED_MAX: usize = 1024;

/// What the kernel noted of a process while it ran.
#[derive(Debug, Clone)]
pub(crate) struct Dead<'d> {
    pub(crate) pid: u32,
    pub(crate) comm: &'d str,
    pub(crate) started_since_boot_ns: u64,
    /// The path of the file that it ran; `None` where that could not be told.
    pub(crate) exe: Option<&'d str>,
    pub(crate) inode: u64,
    /// The file had no name any more, or never had one.
    pub(crate) no_file: bool,
    pub(crate) no_folder: bool,
    pub(crate) kernel: bool,
    pub(crate) arguments: Option<&'d [u8]>,
    pub(crate) uid: u32,
    pub(crate) group: Option<&'d str>,
    pub(crate) parents: &'d [Parent],
}

/// Executables of processes that ended: their packages, by path and inode number.
#[derive(Debug, Default)]
pub(super) struct Buried {
    packages: HashMap<(String, u64), Seen<Package>>,
}

impl Reader {
    /// When a process started, as [`Reader::read`] tells it.
    pub(crate) fn started(&self, since_boot_ns: u64) -> Timestamp<Utc> {
        self.clock.at_boot_ns(since_boot_ns)
    }

    /// Tells of a process that ended. What nobody noted is hidden by its end.
    pub(crate) fn dead(&mut self, dead: &Dead<'_>) -> Process {
        const GONE: Reason = Reason::Exited;
        let opened = self.open().is_ok();
        let system = self.system.take().filter(|_| opened);
        let place = dead.group.map(wire::cgroup::read_path);
        let unit = match &place {
            Some(place) => Seen::from(place.unit.map(|unit| Unit {
                name: unit.name.to_owned(),
                scope: unit.user.map_or(UnitScope::System, UnitScope::User),
            })),
            None => Seen::Hidden(GONE),
        };
        let container = match (&place, &system) {
            (Some(place), Some(system)) => match &place.container {
                Some(found) => self.containers.name(found, system, &self.accounts),
                None => Seen::Absent,
            },
            _ => Seen::Hidden(GONE),
        };
        let (exe, package) = match (dead.exe, &system) {
            _ if dead.kernel => (Seen::Absent, Seen::Absent),
            (Some(path), Some(system)) => self.file_of(dead, path, system),
            _ => (Seen::Hidden(GONE), Seen::Hidden(GONE)),
        };
        if let Some(system) = system {
            self.system = Some(system);
        }
        Process {
            pid: dead.pid,
            comm: dead.comm.to_owned(),
            started: Seen::Value(self.clock.at_boot_ns(dead.started_since_boot_ns)),
            exe,
            cmdline: match dead.arguments {
                _ if dead.kernel => Seen::Absent,
                Some(text) => facts::arguments(text).into(),
                None => Seen::Hidden(GONE),
            },
            cwd: Seen::Hidden(GONE),
            user: Seen::Value(facts::user(dead.uid, &self.accounts)),
            capabilities: Seen::Hidden(GONE),
            parents: dead.parents.to_vec(),
            unit,
            container,
            package,
            hidden_from_proc: false,
            preload: Seen::Hidden(GONE),
        }
    }

    fn file_of(&mut self, dead: &Dead<'_>, path: &str, system: &Tree) -> (Seen<Exe>, Seen<Package>) {
        let memory = dead.no_folder && path.starts_with("/memfd:");
        let there = system.stat(path).ok();
        let same = there.as_ref().is_some_and(|stat| stat.st_ino == dead.inode);
        let state = match (&there, dead.no_file) {
            _ if memory => ExeState::Memfd,
            _ if same => ExeState::Present,
            (Some(_), true) => ExeState::Replaced,
            (None, true) => ExeState::Deleted,
            // It lay in a tree that is not the machine's own: there is nobody to ask any more.
            (_, false) => ExeState::Present,
        };
        let writable = same
            && (there.is_some_and(|stat| super::exe::everybody_writes(stat.st_mode))
                || super::exe::system_folders_writable(system, path.as_bytes()));
        let exe = Exe {
            path: path.to_owned(),
            state,
            world_writable: writable,
            temporary: !memory && super::exe::is_temporary(path),
            sha256: None,
        };
        let package = match state {
            ExeState::Memfd => Seen::Absent,
            _ if same => self.package_of(path, dead.inode, system),
            _ => Seen::Hidden(Reason::Exited),
        };
        (Seen::Value(exe), package)
    }

    /// The package of a file that still is at its path.
    fn package_of(&mut self, path: &str, inode: u64, system: &Tree) -> Seen<Package> {
        let witness = package::witness(system);
        if witness != self.witness || self.buried.packages.len() >= REMEMBERED_MAX {
            self.buried.packages.clear();
        }
        let key = (path.to_owned(), inode);
        if let Some(known) = self.buried.packages.get(&key) {
            return known.clone();
        }
        let mut gaps = Vec::new();
        let found = match package::owners(system, &[path], &mut gaps).pop() {
            Some(Seen::Value(owned)) => {
                let file = system.open_file(path).ok().zip(system.stat(path).ok());
                let integrity = match file {
                    Some((file, stat)) => package::digest::compare(
                        &file,
                        u64::try_from(stat.st_size).unwrap_or(0),
                        &owned.recorded,
                    ),
                    None => Integrity::NotCompared(Reason::Exited),
                };
                Seen::Value(Package {
                    manager: owned.manager,
                    name: owned.name,
                    version: owned.version,
                    integrity,
                })
            }
            Some(Seen::Absent) => Seen::Absent,
            Some(Seen::Hidden(why)) => Seen::Hidden(why),
            None => Seen::Hidden(Reason::Unknown),
        };
        self.buried.packages.insert(key, found.clone());
        found
    }
}
