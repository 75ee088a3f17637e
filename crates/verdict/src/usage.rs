//! Whether a port number was used on this machine before: what somebody who watched it remembers.

use std::collections::BTreeMap;

use model::{Timestamp, Transport, Utc};

/// The use of one port number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Different days on which this machine was watched.
    pub watched_days: u32,
    /// When the number was used first; `None` where it never was.
    pub first: Option<Timestamp<Utc>>,
    /// When it was used last.
    pub last: Option<Timestamp<Utc>>,
}

/// The use of all port numbers; by default nobody watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Used {
    watched_days: u32,
    ports: BTreeMap<(Transport, u16), (Timestamp<Utc>, Timestamp<Utc>)>,
}

impl Used {
    /// From the numbers that were used, each with its first and last use.
    pub fn new(
        watched_days: u32,
        ports: impl IntoIterator<Item = ((Transport, u16), (Timestamp<Utc>, Timestamp<Utc>))>,
    ) -> Used {
        Used { watched_days, ports: ports.into_iter().collect() }
    }

    /// The use of a number; `None` where nobody watched.
    pub fn of(&self, transport: Transport, port: u16) -> Option<Usage> {
        let span = self.ports.get(&(transport, port));
        (self.watched_days > 0).then(|| Usage {
            watched_days: self.watched_days,
            first: span.map(|(first, _)| *first),
            last: span.map(|(_, last)| *last),
        })
    }
}

impl Usage {
    /// Whether it was used for the first time on this day, counted since 1970-01-01 in UTC, or never.
    pub fn is_new(&self, today: i64) -> bool {
        self.first.is_none_or(|first| first.as_seconds().div_euclid(86_400) >= today)
    }

    /// Whether the machine was watched for so long that never means something.
    pub fn is_long(&self) -> bool {
        const LONG_DAYS: u32 = 30;
        self.watched_days >= LONG_DAYS
    }
}
