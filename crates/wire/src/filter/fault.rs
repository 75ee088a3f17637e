//! What is wrong with a filter expression, where, and what to write instead.

use alloc::string::String;
use core::fmt;

/// An expression that cannot be read, or that a link type cannot answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The byte of the text where it stands, counted from 1.
    pub column: usize,
    /// What is wrong, in words that end before "at column".
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl FilterError {
    pub(super) fn new(column: usize, what: impl Into<String>, hint: impl Into<String>) -> Self {
        FilterError { column, what: what.into(), hint: hint.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at column {}; {}", self.what, self.column, self.hint)
    }
}

impl core::error::Error for FilterError {}
