//! Where the file is, how it comes to be, and how a damaged one is moved aside.

use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use redb::{Builder, Database};

use crate::fault::StoreError;
use crate::schema::Plan;

/// The name of the file in its folder.
pub const FILE: &str = "history.redb";

/// Pages that are kept in memory: enough for what is written in a second, little beside what a daemon may take.
const CACHE_BYTES: usize = 8 << 20;

/// The file that a path means: itself, or the one in that folder.
pub fn file_in(path: &Path) -> PathBuf {
    let is_file = path.is_file() || path.extension().is_some_and(|extension| extension == "redb");
    if is_file { path.to_path_buf() } else { path.join(FILE) }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// Opens a file that is there, and compares every page with its checksum.
pub(crate) fn open(path: &Path, plan: Plan) -> Result<Database, StoreError> {
    if fs::metadata(path).map_err(|error| StoreError::io(path, error))?.len() == 0 {
        // It comes to be under another name, so one that is empty lost what it had.
        return Err(StoreError::damaged(path, "it is empty"));
    }
    opened(path, plan, || builder().open(path))
}

/// The same for what is no file.
#[cfg(test)]
pub(crate) fn open_backend(
    path: &Path,
    plan: Plan,
    backend: impl redb::StorageBackend,
) -> Result<Database, StoreError> {
    opened(path, plan, || builder().create_with_backend(backend))
}

fn opened(
    path: &Path,
    plan: Plan,
    open: impl FnOnce() -> Result<Database, redb::DatabaseError>,
) -> Result<Database, StoreError> {
    let database = guarded(path, || open().map_err(|error| StoreError::of(path, error)))?;
    plan.follow(path, &database)?;
    Ok(database)
}

/// What is done with bytes that may be damaged: if the database gives up over them, that is an error like another.
pub(crate) fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::damaged(path, "the database gave up over what it read")))
}

/// Makes a new file where none is: whole under another name, and then in its place, so that there never is half of one.
pub(crate) fn create(path: &Path, plan: Plan) -> Result<(), StoreError> {
    let fault = |error: io::Error| StoreError::Io { path: path.to_path_buf(), error };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder).map_err(fault)?;
    let coming = path.with_extension("redb.new");
    let make = || -> Result<(), StoreError> {
        drop(private().open(&coming).map_err(fault)?);
        let database = builder().create(&coming).map_err(|error| StoreError::of(&coming, error))?;
        plan.follow(&coming, &database)
    };
    match make() {
        Ok(()) => {}
        Err(StoreError::Damaged { .. }) => {
            // Somebody was stopped while making one. Nothing was ever in it.
            fs::remove_file(&coming).map_err(fault)?;
            make()?;
        }
        Err(other) => return Err(other),
    }
    match fs::rename(&coming, path) {
        Ok(()) => sync_folder(folder).map_err(fault),
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => Ok(()),
        Err(error) => Err(fault(error)),
    }
}

/// Only its owner reads it: command lines stand in it.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // A new name is on the disk only when its folder is. Where a folder cannot be opened, the system sees to it.
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Moves a damaged history aside, so that the next start begins a new one, and tells where it is now. One that can be
/// opened stays.
pub fn rebuild(path: &Path) -> Result<PathBuf, StoreError> {
    let path = file_in(path);
    match open(&path, crate::schema::PLAN) {
        Ok(_) => {
            return Err(StoreError::Io {
                path,
                error: io::Error::other("it is whole, so it was not moved aside"),
            });
        }
        Err(StoreError::Damaged { .. }) => {}
        Err(other) => return Err(other),
    }
    let aside = (1..1000)
        .map(|number| path.with_extension(format!("damaged-{number}.redb")))
        .find(|aside| !aside.exists())
        .ok_or_else(|| StoreError::damaged(&path, "and so are a thousand others beside it"))?;
    fs::rename(&path, &aside).map_err(|error| StoreError::io(&path, error))?;
    Ok(aside)
}
