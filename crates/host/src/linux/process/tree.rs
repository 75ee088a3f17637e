//! A file system as one process, or the machine, sees it: read with bounds, and never led outside of it.
//!
//! A container's files belong to whoever runs in it. A link there must not lead to our files, a FIFO must not stop us,
//! and a file that grows must not fill our memory.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use model::Reason;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// Names a root folder for good: two processes with the same one see the same tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RootId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

impl RootId {
    /// From what stat says of the root folder.
    pub(crate) fn of(stat: &Stat) -> RootId {
        RootId { dev: stat.st_dev, ino: stat.st_ino }
    }
}

/// Names a file's content for good, as far as a file system can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) size: u64,
    pub(crate) mtime: (i64, i64),
    pub(crate) ctime: (i64, i64),
}

impl Stamp {
    /// From what stat says of the file.
    pub(crate) fn of(stat: &Stat) -> Stamp {
        // The widths of these fields differ between architectures; none of them loses bits that matter here.
        Stamp {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            ctime: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        }
    }

    /// Whether both are the same inode.
    pub(crate) fn same_file(&self, other: &Stamp) -> bool {
        (self.dev, self.ino) == (other.dev, other.ino)
    }
}

/// Why an operation on a process or file failed.
pub(crate) fn reason(errno: Errno) -> Reason {
    match errno {
        Errno::ACCESS | Errno::PERM => Reason::NoPermission,
        Errno::SRCH | Errno::NOENT => Reason::Exited,
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::FBIG => Reason::LimitReached,
        Errno::ISDIR | Errno::NOTDIR | Errno::LOOP | Errno::INVAL => Reason::Damaged,
        _ => Reason::Unknown,
    }
}

/// The tree below one root folder.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    /// Which root it is.
    pub(crate) id: RootId,
}

impl Tree {
    /// The tree below `path`.
    pub(crate) fn open(path: &Path) -> Result<Tree, Errno> {
        Tree::open_at(rustix::fs::CWD, path)
    }

    /// The tree below `path`, seen from `dir`.
    pub(crate) fn open_at(dir: BorrowedFd<'_>, path: &Path) -> Result<Tree, Errno> {
        let root =
            rustix::fs::openat(dir, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let id = RootId::of(&rustix::fs::fstat(&root)?);
        Ok(Tree { root, id })
    }

    fn open_path(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        // A FIFO or terminal must not hold us up; openat2 takes no such flags for a mere path.
        let patient =
            if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NONBLOCK | OFlags::NOCTTY };
        let flags = flags | OFlags::CLOEXEC | patient;
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            // Linux before 5.6, or a filter around us.
            Err(Errno::NOSYS) => {
                rustix::fs::openat(&self.root, path.trim_start_matches('/'), flags, Mode::empty())
            }
            other => other,
        }
    }

    /// What stat says of a path.
    pub(crate) fn stat(&self, path: &str) -> Result<Stat, Errno> {
        rustix::fs::fstat(self.open_path(path, OFlags::PATH)?)
    }

    /// The content of a regular file of at most `limit` bytes.
    pub(crate) fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, Errno> {
        let file = self.open_path(path, OFlags::RDONLY)?;
        let mut out = Vec::new();
        read_file(file.as_fd(), &mut out, limit)?;
        Ok(out)
    }

    /// A regular file, for reading in parts.
    pub(crate) fn open_file(&self, path: &str) -> Result<OwnedFd, Errno> {
        let file = self.open_path(path, OFlags::RDONLY)?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        if kind == FileType::RegularFile { Ok(file) } else { Err(Errno::INVAL) }
    }

    /// A folder of the tree, for many files of it.
    pub(crate) fn folder(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.open_path(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// The names in a folder, at most `limit`.
    pub(crate) fn names(&self, path: &str, limit: usize) -> Result<Vec<String>, Errno> {
        names(&self.folder(path)?, limit)
    }
}

/// The names in an open folder, at most `limit`, without those that are not UTF-8.
pub(crate) fn names(folder: &OwnedFd, limit: usize) -> Result<Vec<String>, Errno> {
    let mut out = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)?.take(limit) {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            out.push(name.to_owned());
        }
    }
    Ok(out)
}

/// Reads a regular file from its start into `out`, which is emptied first.
pub(crate) fn read_file(file: BorrowedFd<'_>, out: &mut Vec<u8>, limit: usize) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    let expected = usize::try_from(stat.st_size).unwrap_or(0);
    if expected > limit {
        return Err(Errno::FBIG);
    }
    read_stream(file, out, expected + 1, limit)
}

/// Reads until the end, with a first guess of the size; more than `limit` bytes is an error.
pub(crate) fn read_stream(
    file: BorrowedFd<'_>,
    out: &mut Vec<u8>,
    guess: usize,
    limit: usize,
) -> Result<(), Errno> {
    let mut filled = 0;
    loop {
        let room = if filled == 0 { guess.max(64) } else { 16 * 1024 };
        if out.len() < filled + room {
            out.resize(filled + room, 0);
        }
        let Some(free) = out.get_mut(filled..) else { break };
        match rustix::io::read(file, free) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        if filled > limit {
            return Err(Errno::FBIG);
        }
    }
    out.truncate(filled);
    Ok(())
}

/// One read of a small /proc file into a buffer that is kept. What does not fit is left out.
pub(crate) fn read_once<'b>(
    dir: BorrowedFd<'_>,
    name: &str,
    buffer: &'b mut [u8],
) -> Result<&'b [u8], Errno> {
    let file = rustix::fs::openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    loop {
        match rustix::io::read(&file, &mut *buffer) {
            Ok(count) => return Ok(buffer.get(..count).unwrap_or_default()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// What stat says of a path below an open folder, links followed.
pub(crate) fn stat_at(dir: BorrowedFd<'_>, path: impl rustix::path::Arg) -> Result<Stat, Errno> {
    rustix::fs::statat(dir, path, AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_not_left_and_a_fifo_does_not_stop_us() {
        let path = std::env::temp_dir().join(format!("portreeve-tree-{}", std::process::id()));
        std::fs::create_dir_all(path.join("in")).unwrap();
        std::fs::write(path.join("in/file"), "12345").unwrap();
        std::os::unix::fs::symlink("/in/file", path.join("inside")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", path.join("outside")).unwrap();
        std::os::unix::fs::symlink("../../../../../../etc/passwd", path.join("in/above")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path.join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let tree = Tree::open(&path).unwrap();
        assert_eq!(tree.stat("in/file").unwrap().st_size, 5);
        assert_eq!(tree.read("inside", 5).unwrap(), b"12345");
        assert_eq!(tree.read("/in/file", 4), Err(Errno::FBIG));
        assert_eq!(tree.read("outside", 1 << 20), Err(Errno::NOENT));
        assert_eq!(tree.read("in/above", 1 << 20), Err(Errno::NOENT));
        assert_eq!(tree.read("fifo", 1 << 20), Err(Errno::INVAL));
        assert_eq!(tree.read("in", 1 << 20), Err(Errno::INVAL));
        assert_eq!(tree.names("in", 10).unwrap().len(), 2);
        std::fs::remove_dir_all(&path).unwrap();
    }
}
