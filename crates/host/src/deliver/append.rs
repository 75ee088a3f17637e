//! A file of lines that others read and rotate: only ever appended to, readable by its owner alone.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Failure;

/// The file, opened anew where another has taken its name.
#[derive(Debug)]
pub struct Append {
    path: PathBuf,
    file: Option<File>,
    /// A line was cut short, so the next begins on a new one.
    torn: bool,
}

impl Append {
    /// At this path; it is opened with the first line.
    pub fn new(path: PathBuf) -> Append {
        Append { path, file: None, torn: false }
    }

    /// Writes lines, each with its end, in one go.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), Failure> {
        self.try_write(lines).map_err(|error| {
            self.file = None;
            Failure::later(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    fn try_write(&mut self, lines: &[u8]) -> io::Result<()> {
        // Whoever rotates it renames it; a file that is gone has no lines for anybody.
        if self.file.as_ref().is_some_and(|file| !is_still(file, &self.path)) {
            self.file = None;
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(open(&self.path)?),
        };
        if self.torn {
            file.write_all(b"\n")?;
            self.torn = false;
        }
        let written = file.write(lines)?;
        self.torn = written > 0 && written < lines.len();
        file.write_all(lines.get(written..).unwrap_or_default())?;
        self.torn = false;
        Ok(())
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // A pipe without a reader would hold us, and a link would lead us elsewhere.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |about: io::Result<Metadata>| about.ok().map(|it| (it.dev(), it.ino()));
    identity(file.metadata()).is_some_and(|open| identity(path.symlink_metadata()) == Some(open))
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(unix)]
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Who else may read it, where somebody may who should not.
#[cfg(unix)]
pub(super) fn too_open(about: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;
    // The group of root, as the service manager hands secrets over, has root's secrets anyway.
    let others = if about.gid() == 0 { 0o037 } else { 0o077 };
    (about.mode() & others != 0).then_some("can be read or written by others than its owner")
}

#[cfg(not(unix))]
pub(super) fn too_open(_: &Metadata) -> Option<&'static str> {
    None
}
