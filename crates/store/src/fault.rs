//! Why the history could not be read or written: whose fault, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the history could not be read or written.
#[derive(Debug)]
pub enum StoreError {
    /// There is none.
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// Another process has it open.
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It is not what we wrote.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A newer program wrote it.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its form.
        found: u32,
        /// The newest that we know.
        known: u32,
    },
    /// The system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// An earlier failure closed it; it has to be opened again.
    Closed {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Whether waiting may help: another process may close it, a disk may be emptied.
    pub fn may_pass(&self) -> bool {
        match self {
            StoreError::Busy { .. } | StoreError::Io { .. } | StoreError::Closed { .. } => true,
            StoreError::Absent { .. } | StoreError::Damaged { .. } | StoreError::Newer { .. } => false,
        }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::NotFound => StoreError::Absent { path: path.to_path_buf() },
            // Reading beyond the end: the file is shorter than it says of itself.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                StoreError::Damaged { path: path.to_path_buf(), what: error.to_string() }
            }
            _ => StoreError::Io { path: path.to_path_buf(), error },
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: path.to_path_buf(), what: what.into() }
    }

    /// From any error of the database.
    pub(crate) fn of(path: &Path, error: impl Into<redb::Error>) -> StoreError {
        let path = path.to_path_buf();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => StoreError::Busy { path },
            redb::Error::Io(error) => StoreError::io(&path, error),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => StoreError::Closed { path },
            other => StoreError::Damaged { path, what: other.to_string() },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Absent { path } => write!(
                f,
                "there is no history at {}; portreeve serve keeps one from its first start on",
                path.display()
            ),
            StoreError::Busy { path } => write!(
                f,
                "another process has {} open: portreeve serve, or a command that reads it",
                path.display()
            ),
            StoreError::Damaged { path, what } => write!(
                f,
                "{} is damaged: {what}; nothing was changed (restore a copy, or begin anew beside it: portreeve history \
                 --rebuild)",
                path.display()
            ),
            StoreError::Newer { path, found, known } => write!(
                f,
                "{} was written by a newer portreeve (form {found}, this one knows up to {known}); nothing was changed",
                path.display()
            ),
            StoreError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            StoreError::Closed { path } => {
                write!(f, "{} was closed after a failure and is not open again yet", path.display())
            }
        }
    }
}

impl std::error::Error for StoreError {}
