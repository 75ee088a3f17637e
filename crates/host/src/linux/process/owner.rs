//! Packages and digests of executables: each file is asked for once, with all others of the same look.

use std::collections::HashMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use model::{ExeState, Integrity, Package, Reason, Seen};
use rustix::fs::{Mode, OFlags};

use super::exe::Key;
use super::tree::{RootId, Stamp, Tree, reason};
use super::{Depth, Draft, Known, Reader};
use crate::linux::package;

impl Reader {
    /// Packages and digests of the executables that this look saw for the first time.
    pub(super) fn finish_executables(
        &mut self,
        proc: BorrowedFd<'_>,
        system: &Tree,
        rows: &[Result<Known, Draft>],
        depth: Depth,
    ) {
        if depth.sha256 {
            for draft in rows.iter().filter_map(|row| row.as_ref().err()) {
                let Some((key, record)) =
                    draft.key.as_ref().and_then(|key| Some((key, self.executables.record(key)?)))
                else {
                    continue;
                };
                if record.hashed {
                    continue;
                }
                record.hashed = true;
                record.exe.sha256 = running_file(proc, draft.process.pid, key)
                    .and_then(|(file, size)| package::digest::sha256(&file, size))
                    .ok();
            }
        }
        if !depth.integrity {
            return;
        }
        // The files to ask for, each with one process that runs it, by the tree that they are in.
        let mut asked: HashMap<RootId, Vec<(&Key, u32, String, ExeState)>> = HashMap::new();
        for draft in rows.iter().filter_map(|row| row.as_ref().err()) {
            let Some(key) = &draft.key else { continue };
            let Some(record) = self.executables.record(key) else { continue };
            if record.package.is_some() || record.exe.state == ExeState::Memfd {
                continue;
            }
            record.package = Some(Seen::Hidden(Reason::Unknown));
            let root = if record.in_system { Some(system.id) } else { key.root };
            let Some(root) = root else {
                record.package = Some(Seen::Hidden(Reason::NoPermission));
                continue;
            };
            if let Some(stamp) = lasting(key, root, system, record.exe.state)
                && let Some(found) = self.cache.find(&record.exe.path, stamp)
            {
                record.package = Some(found);
                continue;
            }
            let entry = (key, draft.process.pid, record.exe.path.clone(), record.exe.state);
            asked.entry(root).or_default().push(entry);
        }
        for (root, files) in asked {
            let paths: Vec<&str> = files.iter().map(|(_, _, path, _)| path.as_str()).collect();
            let gaps_before = self.package_gaps.len();
            let owners = if root == system.id {
                package::owners(system, &paths, &mut self.package_gaps)
            } else {
                let path = files.first().map(|(_, pid, _, _)| format!("{pid}/root")).unwrap_or_default();
                match Tree::open_at(proc, Path::new(&path)) {
                    Ok(tree) => package::owners(&tree, &paths, &mut self.package_gaps),
                    Err(errno) => vec![Seen::Hidden(reason(errno)); files.len()],
                }
            };
            // What failed is told in every look, so it is not kept.
            let complete = self.package_gaps.len() == gaps_before;
            for ((key, pid, path, state), owner) in files.iter().zip(owners) {
                let found = match owner {
                    Seen::Value(owned) => Seen::Value(Package {
                        integrity: integrity(proc, *pid, key, *state, &owned.recorded),
                        manager: owned.manager,
                        name: owned.name,
                        version: owned.version,
                    }),
                    Seen::Absent => Seen::Absent,
                    Seen::Hidden(why) => Seen::Hidden(why),
                };
                if complete && let Some(stamp) = lasting(key, root, system, *state) {
                    self.cache.learn(path, stamp, &found);
                }
                if let Some(record) = self.executables.record(key) {
                    record.package = Some(found);
                }
            }
        }
        self.cache.save();
    }
}

/// The stamp by which owner and integrity may be kept on disk: only for the machine's own tree, whose databases are
/// watched, and only where the file that runs is the one at its path.
fn lasting<'k>(key: &'k Key, root: RootId, system: &Tree, state: ExeState) -> Option<&'k Stamp> {
    key.stamp.as_ref().filter(|_| root == system.id && state == ExeState::Present)
}

/// The file that a process runs, open, if it still is the one that was seen.
fn running_file(proc: BorrowedFd<'_>, pid: u32, key: &Key) -> Result<(OwnedFd, u64), Reason> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(proc, format!("{pid}/exe"), flags, Mode::empty()).map_err(reason)?;
    let stamp = Stamp::of(&rustix::fs::fstat(&file).map_err(reason)?);
    if key.stamp == Some(stamp) { Ok((file, stamp.size)) } else { Err(Reason::Exited) }
}

fn integrity(
    proc: BorrowedFd<'_>,
    pid: u32,
    key: &Key,
    state: ExeState,
    recorded: &package::digest::Recorded,
) -> Integrity {
    let found = match running_file(proc, pid, key) {
        Ok((file, size)) => package::digest::compare(&file, size, recorded),
        Err(why) => Integrity::NotCompared(why),
    };
    match found {
        // The database describes the file that is at the path now; the one that runs may be the last version.
        Integrity::Modified if state != ExeState::Present => Integrity::NotCompared(Reason::Unknown),
        other => other,
    }
}
