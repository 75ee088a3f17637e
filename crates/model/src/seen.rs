//! A value that we saw, that is absent, or that we could not look at: three things, never two.

use crate::gap::Reason;

/// What looking at one fact gave.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seen<T> {
    /// We looked, and this is it.
    Value(T),
    /// We looked, and there is none.
    Absent,
    /// We could not look, for this reason.
    Hidden(Reason),
}

impl<T> Seen<T> {
    /// The value, if there is one that we saw.
    pub fn value(&self) -> Option<&T> {
        match self {
            Seen::Value(value) => Some(value),
            Seen::Absent | Seen::Hidden(_) => None,
        }
    }

    /// Why we could not look, if we could not.
    pub fn hidden(&self) -> Option<Reason> {
        match self {
            Seen::Hidden(reason) => Some(*reason),
            Seen::Value(_) | Seen::Absent => None,
        }
    }
}

impl<T> From<Option<T>> for Seen<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Seen::Absent, Seen::Value)
    }
}
