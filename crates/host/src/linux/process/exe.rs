//! The file a process runs: whether it is still there, and who could have written it.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;

use model::{Exe, ExeState, Package, Reason, Seen};
use rustix::io::Errno;

use super::tree::{RootId, Stamp, Tree, reason, stat_at};

/// Most executables that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// What is known of one file that runs, for every process that runs it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The facts for people.
    pub(super) exe: Exe,
    /// Its owner, once asked.
    pub(super) package: Option<Seen<Package>>,
    /// Whether its SHA-256 was asked for, whatever came of it.
    pub(super) hashed: bool,
    /// Whether the path is one of the machine's own tree, though the process has another root.
    pub(super) in_system: bool,
    /// The look in which it was last of use.
    used: u64,
}

/// Which file, seen from which root, under which name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The root of the process that runs it.
    pub(super) root: Option<RootId>,
    /// What the kernel calls it.
    raw: Vec<u8>,
    /// Which file; `None` where it could not be asked.
    pub(super) stamp: Option<Stamp>,
}

/// The executables that run.
#[derive(Debug, Default)]
pub(super) struct Executables {
    records: HashMap<Key, Record>,
    look: u64,
}

impl Executables {
    /// A new look begins: what nobody used in the last one is forgotten once there are many.
    pub(super) fn begin(&mut self) {
        if self.records.len() > REMEMBERED_MAX {
            let look = self.look;
            self.records.retain(|_, record| record.used == look);
            if self.records.len() > REMEMBERED_MAX {
                self.records.clear();
            }
        }
        self.look += 1;
    }

    /// The record of a file that was read in this look.
    pub(super) fn record(&mut self, key: &Key) -> Option<&mut Record> {
        self.records.get_mut(key)
    }

    /// Packages have changed: every owner is asked for again.
    pub(super) fn forget_packages(&mut self) {
        for record in self.records.values_mut() {
            record.package = None;
        }
    }

    /// Looks at the executable of the process in `dir`.
    pub(super) fn look(
        &mut self,
        dir: BorrowedFd<'_>,
        root: Option<RootId>,
        system: &Tree,
    ) -> Result<Key, Errno> {
        let mut space = [0u8; 4096];
        let filled = rustix::fs::readlinkat_raw(dir, "exe", &mut space)?;
        let raw = space.get(..filled).unwrap_or_default().to_vec();
        let running = stat_at(dir, "exe").ok();
        let key = Key { root, raw, stamp: running.as_ref().map(Stamp::of) };
        if let Some(record) = self.records.get_mut(&key) {
            record.used = self.look;
            return Ok(key);
        }
        let file_writable = running.as_ref().is_some_and(|stat| everybody_writes(stat.st_mode));
        let nameless = running.as_ref().is_some_and(|stat| stat.st_nlink == 0);
        let record = describe(&key, dir, system, file_writable, nameless, self.look);
        self.records.insert(key.clone(), record);
        Ok(key)
    }
}

/// Why an executable could not be told: a kernel thread has none, and that is not a gap.
pub(super) fn unreadable<T>(errno: Errno, kernel_thread: bool, zombie: bool) -> Seen<T> {
    match reason(errno) {
        Reason::Exited if kernel_thread => Seen::Absent,
        Reason::Exited if zombie => Seen::Hidden(Reason::Exited),
        other => Seen::Hidden(other),
    }
}

fn describe(
    key: &Key,
    dir: BorrowedFd<'_>,
    system: &Tree,
    file_writable: bool,
    nameless: bool,
    used: u64,
) -> Record {
    let in_process = |path: &[u8]| {
        let mut full = b"root".to_vec();
        full.extend_from_slice(path);
        stat_at(dir, full.as_slice()).ok().map(|stat| Stamp::of(&stat))
    };
    // A process in a changed root is named as we see it: its own root does not have that path.
    let other_root = key.root != Some(system.id);
    let in_system = |path: &[u8]| {
        let path = std::str::from_utf8(path).ok().filter(|_| other_root)?;
        system.stat(path).ok().map(|stat| Stamp::of(&stat))
    };
    let is_it = |found: &Option<Stamp>| match (found, &key.stamp) {
        (Some(found), Some(running)) => found.same_file(running),
        _ => false,
    };
    let raw = key.raw.as_slice();
    let cut = raw.strip_suffix(b" (deleted)");
    let record = |path: &[u8], state, writable, in_system| {
        let path = String::from_utf8_lossy(path).into_owned();
        let temporary = state != ExeState::Memfd && is_temporary(&path);
        let exe = Exe { path, state, world_writable: writable, temporary, sha256: None };
        Record { exe, package: None, hashed: false, in_system, used }
    };
    if let Some(path) = cut.filter(|path| path.starts_with(b"/memfd:") && nameless) {
        return record(path, ExeState::Memfd, false, false);
    }
    let here = in_process(raw);
    if is_it(&here) {
        return record(raw, ExeState::Present, file_writable || folders_writable(dir, raw), false);
    }
    if is_it(&in_system(raw)) {
        // The folders are the machine's own; this process cannot be asked about them.
        let writable = file_writable || system_folders_writable(system, raw);
        return record(raw, ExeState::Present, writable, true);
    }
    if let Some(path) = cut {
        let writable = file_writable || folders_writable(dir, path);
        let now = in_process(path);
        // The kernel says "deleted" of the name it was started by; the file may have been put back there.
        let (state, of_system) = if is_it(&now) {
            (ExeState::Present, false)
        } else if now.is_some() {
            (ExeState::Replaced, false)
        } else if is_it(&in_system(path)) {
            (ExeState::Present, true)
        } else if in_system(path).is_some() && in_process(parent(path)).is_none() {
            (ExeState::Replaced, true)
        } else {
            (ExeState::Deleted, false)
        };
        return record(path, state, writable, of_system);
    }
    // Another file is mounted over it, or its file system is out of our reach: only the first is a replacement.
    let state = if here.is_some() && key.stamp.is_some() { ExeState::Replaced } else { ExeState::Present };
    record(raw, state, file_writable || folders_writable(dir, raw), false)
}

pub(super) const fn everybody_writes(mode: u32) -> bool {
    mode & 0o002 != 0
}

fn parent(path: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'/', path).unwrap_or(0);
    path.get(..end.max(1)).unwrap_or_default()
}

/// Whether everybody can put a file at this path: the folder itself can be written by everybody (sticky or not), or a
/// folder above it can, without the sticky bit that keeps others from renaming what is in it. Access lists do not count.
fn folders_writable(dir: BorrowedFd<'_>, path: &[u8]) -> bool {
    walk(path, |folder| {
        let mut full = b"root".to_vec();
        full.extend_from_slice(folder);
        stat_at(dir, full.as_slice()).ok().map(|stat| stat.st_mode)
    })
}

pub(super) fn system_folders_writable(system: &Tree, path: &[u8]) -> bool {
    walk(path, |folder| system.stat(std::str::from_utf8(folder).ok()?).ok().map(|stat| stat.st_mode))
}

fn walk(path: &[u8], mode_of: impl Fn(&[u8]) -> Option<u32>) -> bool {
    const STICKY: u32 = 0o1000;
    let mut folder = parent(path);
    let mut nearest = true;
    while folder.len() > 1 {
        if let Some(mode) = mode_of(folder)
            && everybody_writes(mode)
            && (nearest || mode & STICKY == 0)
        {
            return true;
        }
        nearest = false;
        folder = parent(folder);
    }
    false
}

pub(super) fn is_temporary(path: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/"].iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sticky_folder_counts_only_when_the_file_lies_right_in_it() {
        let modes = |folder: &[u8]| {
            Some(match folder {
                b"/tmp" => 0o41777,
                b"/open" => 0o40777,
                _ => 0o40755,
            })
        };
        assert!(walk(b"/tmp/a", modes));
        assert!(!walk(b"/tmp/mine/a", modes));
        assert!(walk(b"/open/mine/deep/a", modes));
        assert!(!walk(b"/usr/bin/a", modes));
        assert!(!walk(b"/a", modes));
        assert!(!walk(b"", modes));
    }

    #[test]
    fn temporary_places() {
        assert!(is_temporary("/tmp/x") && is_temporary("/run/user/1000/x") && is_temporary("/dev/shm/x"));
        assert!(!is_temporary("/tmpx/x") && !is_temporary("/run/x") && !is_temporary("/usr/tmp"));
    }
}
