//! Sockets with a path, by which programs of one machine talk: the file says who may come, the kernel says who came.

use std::fmt;
use std::io;
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;

#[cfg(unix)]
mod there;
#[cfg(unix)]
pub use there::{LocalListener, LocalStream};
#[cfg(not(unix))]
mod absent;
#[cfg(not(unix))]
pub use absent::{LocalListener, LocalStream};

/// Who may connect, besides root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The user whose service it is.
    Owner,
    /// That user, and the members of this group.
    Group(u32),
    /// Everybody on the machine.
    Everyone,
}

/// Who is at the other end, as the kernel knew when the connection was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// The process; `None` where the system does not tell, or where it is in a namespace that we do not see into.
    pub pid: Option<u32>,
}

impl Peer {
    /// Whether it may change what the service keeps: root may, and the user whose service it is.
    pub fn may_change(&self) -> bool {
        self.uid == 0 || self.uid == own_user()
    }
}

/// Why there is no socket, or nobody behind it.
#[derive(Debug)]
pub enum LocalError {
    /// This system has no such sockets for us.
    NotSupported,
    /// A service has the socket already; its process, where it said.
    Running(PathBuf, Option<u32>),
    /// No service runs: there is no socket, or nobody listens on it.
    NotRunning(PathBuf),
    /// The file does not let us connect.
    NotAllowed(PathBuf),
    /// The service is there and takes no connection.
    NoAnswer(PathBuf),
    /// The place is not one for a socket of ours, and why.
    Place(PathBuf, String),
    /// The system refused.
    Refused(&'static str, PathBuf, io::Error),
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalError::NotSupported => f.write_str("this system has no socket for a service of ours"),
            LocalError::Running(path, Some(pid)) => {
                write!(f, "a service runs already, pid {pid} (it has {})", path.display())
            }
            LocalError::Running(path, None) => write!(f, "a service runs already: it has {}", path.display()),
            LocalError::NotRunning(path) => {
                write!(f, "no service runs: nobody listens at {}", path.display())
            }
            LocalError::NotAllowed(path) => {
                write!(f, "not allowed to ask the service at {}: be of its group, or root", path.display())
            }
            LocalError::NoAnswer(path) => write!(f, "the service at {} does not answer", path.display()),
            LocalError::Place(path, why) => write!(f, "{}: {why}", path.display()),
            LocalError::Refused(what, path, error) => {
                write!(f, "{}: the system refused to {what}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for LocalError {}

/// The folders where a service of ours may have its socket, the likeliest first: where systemd says that it is, of a user
/// the user's own, then the system's.
pub fn runtime_folders() -> Vec<PathBuf> {
    let said = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = said("XDG_RUNTIME_DIR").filter(|_| own_user() != 0).map(|base| base.join("portreeve"));
    said("RUNTIME_DIRECTORY").into_iter().chain(own).chain([PathBuf::from("/run/portreeve")]).collect()
}

/// The folder where a service that we start puts what lives as long as it does.
pub fn runtime_folder() -> PathBuf {
    // A user without a folder of its own cannot have one in the system's place either, and is told so there.
    runtime_folders().into_iter().next().unwrap_or_else(|| PathBuf::from("/run/portreeve"))
}

#[cfg(unix)]
fn own_user() -> u32 {
    there::own_user()
}

#[cfg(not(unix))]
fn own_user() -> u32 {
    u32::MAX
}

/// Beside the socket: who has it.
#[cfg(unix)]
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    path.with_file_name(name)
}
