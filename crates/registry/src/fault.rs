//! A stored table that is not what it claims to be.

use core::fmt;

/// These bytes are no table of this crate, or a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Offset in bytes from the start of the table.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "registry table at byte {}: {}", self.at, self.what)
    }
}

impl core::error::Error for Fault {}
