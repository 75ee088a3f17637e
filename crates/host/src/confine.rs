//! Shutting ourselves off, once everything is open: what this process, and single threads of it, can never do again.
//!
//! Two fences stand one in the other. [`process`] is for all of it: capabilities, user, system calls. [`thread`] is for
//! threads that do not look at other processes: files and ports (Landlock). It cannot be for all, since the kernel lets
//! nobody behind it look at processes before it, and to look at them is our work.

use std::fmt;
use std::path::PathBuf;

use crate::privilege::{Account, GivenUp, PrivilegeError};

/// What the process as a whole keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Capabilities, as bits (capabilities(7)).
    pub keep: u64,
    /// Whom to become.
    pub account: Option<Account>,
    /// Whether other programs may be started: to send mail, or by a command that was set.
    pub programs: bool,
}

/// What a thread, and what it starts, keeps of files and ports. All else is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rooms {
    /// Files and folders that are read; none named means all.
    pub read: Option<Vec<PathBuf>>,
    /// Files that are there, and folders, that are written.
    pub write: Vec<PathBuf>,
    /// Programs that are started. What they are loaded by is added.
    pub execute: Vec<PathBuf>,
    /// TCP ports of others that are connected to; `None` for all.
    pub connect: Option<Vec<u16>>,
    /// TCP ports of ours that are bound; `None` for all.
    pub bind: Option<Vec<u16>>,
}

/// Whether a fence stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fence {
    /// It stands.
    Whole,
    /// It stands as far as this system can; what is missing.
    Partly(String),
    /// It does not stand, and why.
    None(String),
}

/// One fence: what it is for, and whether it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Its name, as the kernel's documentation has it.
    pub name: &'static str,
    /// What it keeps us from.
    pub keeps_from: String,
    /// Whether it stands.
    pub fence: Fence,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measure { name, keeps_from, fence } = self;
        match fence {
            Fence::Whole => write!(f, "{name}: {keeps_from}"),
            Fence::Partly(missing) => write!(f, "{name}, in part: {keeps_from}; {missing}"),
            Fence::None(why) => write!(f, "no {name}: {why}"),
        }
    }
}

/// What was given up, and which fences stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    /// Capabilities and user.
    pub given_up: GivenUp,
    /// The fences.
    pub measures: Vec<Measure>,
}

/// Shuts the process off. It is for a process that has one thread: threads that start later have what is left.
pub fn process(bounds: &Bounds) -> Result<Confined, PrivilegeError> {
    #[cfg(target_os = "linux")]
    return crate::linux::confine::process(bounds);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bounds;
        Err(PrivilegeError::NotSupported)
    }
}

/// Shuts the calling thread off, with what it starts from now on. The rest of the process stays as it is.
pub fn thread(rooms: &Rooms) -> Measure {
    #[cfg(target_os = "linux")]
    return crate::linux::confine::landlock::thread(rooms);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = rooms;
        let why = String::from("this system has no such means");
        Measure { name: "Landlock", keeps_from: String::new(), fence: Fence::None(why) }
    }
}

/// Which fences this system could put up, without putting them up.
pub fn possible() -> Vec<Measure> {
    #[cfg(target_os = "linux")]
    return vec![crate::linux::confine::landlock::possible(), crate::linux::confine::calls::possible()];
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}
