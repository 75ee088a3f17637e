//! An instant that may be unknown, in eight bytes.

use model::{Timestamp, Utc};

/// Nanoseconds since 1970, or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When(i64);

impl When {
    pub(crate) const UNKNOWN: When = When(i64::MIN);

    #[inline]
    pub(crate) fn of(time: Option<Timestamp<Utc>>) -> When {
        time.map_or(When::UNKNOWN, |time| When(time.as_ns().max(i64::MIN + 1)))
    }

    #[cfg(test)]
    pub(crate) fn at(ns: i64) -> When {
        When(ns)
    }

    #[inline]
    pub(crate) fn known(self) -> Option<i64> {
        (self != When::UNKNOWN).then_some(self.0)
    }

    pub(crate) fn timestamp(self) -> Option<Timestamp<Utc>> {
        self.known().map(Timestamp::from_ns)
    }

    /// Unknown is before everything.
    #[inline]
    pub(crate) fn later(self, other: When) -> When {
        When(self.0.max(other.0))
    }

    #[inline]
    pub(crate) fn earlier(self, other: When) -> When {
        match (self.known(), other.known()) {
            (Some(a), Some(b)) => When(a.min(b)),
            (Some(_), None) => self,
            _ => other,
        }
    }

    /// Nanoseconds since `before`; 0 where either is unknown, negative where it is later.
    #[inline]
    pub(crate) fn since(self, before: When) -> i64 {
        if self == When::UNKNOWN || before == When::UNKNOWN { 0 } else { self.0.saturating_sub(before.0) }
    }
}
