//! Kernel programs: loading them, and what they answer.
//!
//! The loader is our own because starting is what a command does each time: it resolves just the structures that a
//! program reads, where the general loaders build the whole of the kernel's type information first.
//!
//! [`loader::Opened`] is an object with its maps; each of its programs is loaded, and tied to where it runs. Nothing is
//! pinned: a program is gone when the descriptor of its tie is closed, also by a process that is killed.

pub(crate) mod control_group;
mod hook;
mod joined;
pub(crate) mod kernel_types;
pub(crate) mod loader;
pub(crate) mod maps;
mod owners;
pub(crate) mod ring;
pub(crate) mod sys;
mod travelling;
mod walk;
pub(crate) mod words;

pub use joined::joined;
pub use owners::{Asked, Owners};
pub use travelling::Travelling;
pub use walk::Walker;

use std::fmt;
use std::io;

/// Why a kernel program cannot be used here.
#[derive(Debug)]
pub enum LoadError {
    /// The kernel refused.
    Refused(&'static str, io::Error),
    /// The kernel has no type information, or lacks something the program reads.
    NotSupported(String),
    /// Our own object is not what it should be.
    Damaged(wire::Fault),
}

impl LoadError {
    /// The reason, in the words of a gap.
    pub fn reason(&self) -> model::Reason {
        match self {
            LoadError::Refused(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                model::Reason::NoPermission
            }
            LoadError::Refused(..) | LoadError::NotSupported(_) => model::Reason::NotSupported,
            LoadError::Damaged(_) => model::Reason::Damaged,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Refused(what, error) => write!(f, "the kernel refused to {what}: {error}"),
            LoadError::NotSupported(what) => write!(f, "this kernel has no {what}"),
            LoadError::Damaged(fault) => write!(f, "kernel object: {fault}"),
        }
    }
}
