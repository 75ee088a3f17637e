//! What was found out about executables, kept on disk from one run to the next: owner and integrity.
//!
//! Asking the databases of packages costs milliseconds, a digest more; most executables are the ones of last time. A
//! line holds for one path and one stamp of the file, all of them for one root and one state of the databases.
//!
//! Why it may be trusted. Whoever changes a file or its name moves its ctime, which nobody can set back but root by way
//! of the clock or the disk. Two changes within one tick of that clock look alike, so nothing is learned about a file
//! or database that changed a moment ago. An owner counts only for files on the file systems of `/` and `/usr`, which
//! are mounted now: a file system that a user made, with any inode and ctime, cannot have their device number. The
//! file counts only if it and its folder are ours and nobody else can write them; root takes no folder but
//! `/var/cache/portreeve`, whatever the environment says. So whoever can write root's file is root. What is no longer
//! as it was delivered is never kept: it is compared anew each time.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use model::{Integrity, Manager, Package, Seen};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::Witness;
use crate::linux::process::tree::{Stamp, Tree, read_stream};

const FOLDER: &str = "portreeve";
const FILE: &str = "executables";
/// The first line, up to the check sum of what follows.
const FORMAT: &str = "portreeve executables 1 ";
/// The oldest lines beyond these are dropped.
const ENTRIES_MAX: usize = 4096;
const BYTES_MAX: usize = 1 << 20;
const LINE_MAX: usize = 8 << 10;
/// What changed less than this long ago may change again without a sign: ctime moves in ticks of the kernel's clock.
const SETTLED_NS: i128 = 2_000_000_000;

/// Owners and integrity of executables of the machine's own tree.
#[derive(Debug)]
pub(crate) struct Cache {
    /// The folder that holds ours, such as `/var/cache`.
    base: Option<PathBuf>,
    settled_ns: i128,
    /// When the look began: what was asked since is no older.
    began_ns: i128,
    /// What every line depends on: the root and the databases.
    grounds: String,
    /// Device numbers whose file systems are the machine's own.
    devices: [Option<u64>; 2],
    learns: bool,
    /// The lines, once read from disk: oldest first, each ended.
    lines: Option<Vec<u8>>,
    changed: bool,
}

impl Cache {
    /// One that knows and keeps nothing.
    pub(crate) const fn none() -> Cache {
        Cache {
            base: None,
            settled_ns: SETTLED_NS,
            began_ns: 0,
            grounds: String::new(),
            devices: [None; 2],
            learns: false,
            lines: None,
            changed: false,
        }
    }

    /// One below `base`.
    fn at(base: PathBuf) -> Cache {
        Cache { base: Some(base), ..Cache::none() }
    }

    /// The machine's own for this user. Under a test it is none: tests neither depend on it nor leave it behind.
    pub(crate) fn of_this_user() -> Cache {
        if cfg!(test) {
            return Cache::none();
        }
        let root = rustix::process::geteuid().is_root();
        place(root, |name| std::env::var_os(name).map(PathBuf::from)).map_or_else(Cache::none, Cache::at)
    }

    /// One below `base` that learns at once, for trees that were made a moment ago.
    #[cfg(test)]
    pub(crate) fn hasty(base: &Path) -> Cache {
        Cache { settled_ns: 0, ..Cache::at(base.to_path_buf()) }
    }

    /// Puts another text into the file below `base`, with the sum that it then has.
    #[cfg(test)]
    pub(crate) fn amend(base: &Path, old: &str, new: &str) {
        let text = std::fs::read_to_string(base.join(FOLDER).join(FILE)).unwrap();
        let body = text.split_once('\n').unwrap().1.replace(old, new);
        write(base, format!("{FORMAT}{:016x}\n{body}", sum(body.as_bytes())).as_bytes()).unwrap();
    }

    /// A look begins: what was learned about another root or other databases does not hold.
    pub(crate) fn begin(&mut self, system: &Tree, witness: &Witness) {
        if self.base.is_none() {
            return;
        }
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        self.began_ns = ns((now.tv_sec, now.tv_nsec));
        let usr = system.stat("usr").ok().map(|stat| stat.st_dev);
        self.devices = [Some(system.id.dev), usr];
        self.learns = witness.iter().flatten().all(|stamp| self.is_settled(stamp));
        let mut grounds = format!("{} {}", system.id.dev, system.id.ino);
        for stamp in witness {
            grounds.push_str(" /");
            if let Some(stamp) = stamp {
                push_stamp(&mut grounds, stamp);
            }
        }
        grounds.push('\n');
        if grounds != self.grounds {
            (self.grounds, self.lines, self.changed) = (grounds, None, false);
        }
    }

    /// What is known of the file at `path`; `None` where it has to be found out.
    pub(crate) fn find(&mut self, path: &str, stamp: &Stamp) -> Option<Seen<Package>> {
        let name = name_of(path)?;
        let lines = self.lines()?;
        let line = lines.get(line_at(lines, &name)?)?;
        let rest = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.get(name.len()..)?;
        let mut wanted = String::new();
        push_stamp(&mut wanted, stamp);
        let found = parse(rest.strip_prefix(wanted.as_str())?)?;
        (found == Seen::Absent || self.devices.contains(&Some(stamp.dev))).then_some(found)
    }

    /// Keeps what was found out. Only what lasts is kept: a reason for not knowing is not, nor is a changed file.
    pub(crate) fn learn(&mut self, path: &str, stamp: &Stamp, found: &Seen<Package>) {
        if !self.learns || !self.is_settled(stamp) {
            return;
        }
        let value = match found {
            Seen::Absent => " none\n".to_owned(),
            Seen::Value(package) if self.devices.contains(&Some(stamp.dev)) => {
                let integrity = match package.integrity {
                    Integrity::Intact | Integrity::NotRecorded => package.integrity.name(),
                    Integrity::Modified | Integrity::NotCompared(_) => return,
                };
                let (name, version) = (escaped(&package.name), escaped(&package.version));
                format!(" {} {integrity} {name} {version}\n", package.manager.name())
            }
            _ => return,
        };
        let Some(mut line) = name_of(path) else { return };
        let name_len = line.len();
        push_stamp(&mut line, stamp);
        line.push_str(&value);
        if line.len() > LINE_MAX {
            return;
        }
        let Some(lines) = self.lines() else { return };
        // One line for each path: the file that was there before is gone.
        let name = line.get(..name_len).unwrap_or_default();
        while let Some(old) = line_at(lines, name) {
            lines.drain(old);
        }
        lines.extend_from_slice(line.as_bytes());
        self.changed = true;
    }

    /// Writes what is new. Where that cannot be, the next run finds it out again.
    pub(crate) fn save(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let (Some(base), Some(lines)) = (&self.base, &mut self.lines) else { return };
        let head_len = FORMAT.len() + 17 + self.grounds.len();
        bound(lines, BYTES_MAX.saturating_sub(head_len));
        let body = [self.grounds.as_bytes(), lines].concat();
        let mut text = format!("{FORMAT}{:016x}\n", sum(&body)).into_bytes();
        text.extend_from_slice(&body);
        let _ = write(base, &text);
    }

    fn is_settled(&self, stamp: &Stamp) -> bool {
        ns(stamp.ctime) + self.settled_ns <= self.began_ns
    }

    fn lines(&mut self) -> Option<&mut Vec<u8>> {
        let base = self.base.as_deref()?;
        let grounds = self.grounds.as_str();
        Some(self.lines.get_or_insert_with(|| read(base, grounds).unwrap_or_default()))
    }
}

fn ns((seconds, part): (i64, i64)) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(part)
}

/// The folder for caches. Root has one whatever its environment says: under sudo that may be another user's.
fn place(root: bool, env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/cache"));
    }
    let absolute = |path: &PathBuf| path.is_absolute();
    env("XDG_CACHE_HOME").filter(absolute).or_else(|| Some(env("HOME").filter(absolute)?.join(".cache")))
}

/// Whether nobody else can have written it.
fn is_ours(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_mode & 0o022 == 0
}

fn open_folder(base: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(base.join(FOLDER), flags, Mode::empty())?;
    if is_ours(&rustix::fs::fstat(&folder)?, FileType::Directory) { Ok(folder) } else { Err(Errno::PERM) }
}

/// The lines that hold on these grounds; nothing where anything is not as we write it.
fn read(base: &Path, grounds: &str) -> Option<Vec<u8>> {
    let folder = open_folder(base).ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, FILE, flags, Mode::empty()).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    let size = usize::try_from(stat.st_size).ok().filter(|size| *size <= BYTES_MAX)?;
    if !is_ours(&stat, FileType::RegularFile) {
        return None;
    }
    let mut text = Vec::new();
    read_stream(file.as_fd(), &mut text, size + 1, BYTES_MAX).ok()?;
    let end = memchr::memchr(b'\n', &text)?;
    let told = text.get(..end)?.strip_prefix(FORMAT.as_bytes())?;
    let body = text.get(end + 1..)?;
    if told != format!("{:016x}", sum(body)).as_bytes() {
        return None;
    }
    let lines = body.strip_prefix(grounds.as_bytes())?;
    (lines.is_empty() || lines.ends_with(b"\n")).then(|| lines.to_vec())
}

fn write(base: &Path, text: &[u8]) -> Result<(), Errno> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let folder = match open_folder(base) {
        Err(Errno::NOENT) => {
            // A home without .cache gets one; nothing above it is made.
            let _ = rustix::fs::mkdir(base, Mode::RWXU);
            match rustix::fs::mkdir(base.join(FOLDER), Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => open_folder(base)?,
                Err(errno) => return Err(errno),
            }
        }
        other => other?,
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let new = format!("{FILE}.{}.{number}", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written =
        rustix::fs::openat(&folder, new.as_str(), flags, Mode::RUSR | Mode::WUSR).and_then(|file| {
            let mut left = text;
            while !left.is_empty() {
                match rustix::io::write(&file, left) {
                    Ok(0) => return Err(Errno::IO),
                    Ok(count) => left = left.get(count..).unwrap_or_default(),
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(errno),
                }
            }
            rustix::fs::renameat(&folder, new.as_str(), &folder, FILE)
        });
    if written.is_err() {
        // Also one that a run of the same number left behind when it was killed.
        let _ = rustix::fs::unlinkat(&folder, new.as_str(), rustix::fs::AtFlags::empty());
    }
    written
}

/// Drops the oldest lines until the rest is small enough.
fn bound(lines: &mut Vec<u8>, bytes_max: usize) {
    let count = memchr::memchr_iter(b'\n', lines).count();
    let by_count = count.checked_sub(ENTRIES_MAX + 1).and_then(|last| {
        // The end of the last line that goes.
        memchr::memchr_iter(b'\n', lines).nth(last).map(|end| end + 1)
    });
    let by_bytes = lines.len().checked_sub(bytes_max).filter(|over| *over > 0).map(|over| {
        lines
            .get(over - 1..)
            .and_then(|rest| memchr::memchr(b'\n', rest))
            .map_or(lines.len(), |end| over + end)
    });
    let cut = by_count.unwrap_or(0).max(by_bytes.unwrap_or(0));
    lines.drain(..cut);
}

/// The check sum: FNV-1a. It finds damage; it is no defence, which the file's owner and mode are.
fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Where the line that begins with `name` is, with its end.
fn line_at(lines: &[u8], name: &str) -> Option<std::ops::Range<usize>> {
    let begins = |at: usize| at.checked_sub(1).is_none_or(|before| lines.get(before) == Some(&b'\n'));
    let start = memchr::memmem::find_iter(lines, name.as_bytes()).find(|at| begins(*at))?;
    let len = memchr::memchr(b'\n', lines.get(start..)?)?;
    Some(start..start + len + 1)
}

/// What a path's line begins with. A name that was not UTF-8 has lost something, and may be another's.
fn name_of(path: &str) -> Option<String> {
    (!path.contains(char::REPLACEMENT_CHARACTER)).then(|| escaped(path) + " ")
}

fn push_stamp(out: &mut String, stamp: &Stamp) {
    let Stamp { dev, ino, size, mtime, ctime } = stamp;
    // Writing to a string cannot fail.
    let _ = write!(out, "{dev} {ino} {size} {} {} {} {}", mtime.0, mtime.1, ctime.0, ctime.1);
}

fn parse(value: &str) -> Option<Seen<Package>> {
    let mut parts = value.strip_prefix(' ')?.split(' ');
    let managers = [Manager::Dpkg, Manager::Rpm, Manager::Apk];
    let first = parts.next()?;
    let found = if first == "none" {
        Seen::Absent
    } else {
        let manager = managers.into_iter().find(|manager| manager.name() == first)?;
        let word = parts.next()?;
        let integrity =
            [Integrity::Intact, Integrity::NotRecorded].into_iter().find(|known| known.name() == word)?;
        let (name, version) = (plain(parts.next()?)?, plain(parts.next()?)?);
        Seen::Value(Package { manager, name, version, integrity })
    };
    parts.next().is_none().then_some(found)
}

/// Text without white space or control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c <= ' ' || c == '%' || c == '\u{7f}' {
            let _ = write!(out, "%{:02x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn plain(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        out.push(char::from(u8::from_str_radix(digits, 16).ok()?));
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests;
