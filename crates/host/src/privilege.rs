//! Giving up privilege once everything that needs it is open.

use std::fmt;
use std::io;

#[cfg(any(target_os = "macos", target_os = "windows"))]
pub use crate::elsewhere::{account, give_up, group};
#[cfg(target_os = "linux")]
pub use crate::linux::privilege::{account, give_up, group};

/// Whom to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// The numbers of all its groups, the first among them.
    pub groups: Vec<u32>,
}

/// What was given up, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Capabilities that we had and have no more, as bits (capabilities(7)).
    pub capabilities: u64,
    /// Capabilities that we still have.
    pub kept: u64,
    /// Whom we became.
    pub account: Option<Account>,
    /// Whether a program that we start can have no more than we have kept, whatever its file says.
    pub bounded: bool,
}

/// Why privilege was not given up.
#[derive(Debug)]
pub enum PrivilegeError {
    /// This system has no such means.
    NotSupported,
    /// There are this many threads, and each has its own: it is given up before others start.
    Threads(usize),
    /// The system refused.
    Refused(&'static str, io::Error),
}

impl fmt::Display for PrivilegeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrivilegeError::NotSupported => f.write_str("this system has no capabilities to give up"),
            PrivilegeError::Threads(count) => {
                write!(f, "privilege is given up before threads start, and {count} run")
            }
            PrivilegeError::Refused(what, error) => write!(f, "the system refused to {what}: {error}"),
        }
    }
}

impl std::error::Error for PrivilegeError {}

/// The capabilities by which a look sees every holder, as bits: CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_SYS_ADMIN (to enter
/// namespaces), CAP_PERFMON and CAP_BPF.
pub const LOOKING: u64 = 1 << 2 | 1 << 19 | 1 << 21 | 1 << 38 | 1 << 39;

/// The account of whoever called us by sudo.
pub fn invoker() -> Option<Account> {
    let said = |name| std::env::var(name).ok();
    let uid: u32 = said("SUDO_UID")?.parse().ok().filter(|uid| *uid != 0)?;
    account(&uid.to_string()).or_else(|| {
        // Accounts may be kept elsewhere than in files.
        let gid = said("SUDO_GID")?.parse().ok()?;
        Some(Account { name: said("SUDO_USER").unwrap_or_default(), uid, gid, groups: vec![gid] })
    })
}
