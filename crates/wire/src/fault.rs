//! These bytes are not what they claim: which layer, where, and which rule they break.

use core::fmt;

/// Bytes that are not what they claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The format: `netlink`, `dpkg list`, `rpm header`.
    pub layer: &'static str,
    /// Offset in bytes from the start of what was given to the parser; in text formats, the line number from 1.
    pub at: usize,
    /// What is wrong, with the clause or kernel header it breaks where there is one.
    pub what: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.layer, self.at, self.what)
    }
}

impl core::error::Error for Fault {}
