//! How an observer works: its memory, its secret, its time-outs.

const SECOND: i64 = 1_000_000_000;

/// How long a flow may be quiet before it is over, in nanoseconds of the packets' time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOuts {
    /// A connection that was asked for and not answered, and a lone packet of TCP.
    pub opening_ns: i64,
    /// An open connection.
    pub open_ns: i64,
    /// A connection that was closed, reset or refused.
    pub closing_ns: i64,
    /// Datagrams in one direction.
    pub datagrams_ns: i64,
    /// Datagrams in both directions.
    pub answered_datagrams_ns: i64,
}

impl TimeOuts {
    /// The shortest of them.
    pub(crate) fn shortest_ns(&self) -> i64 {
        let all =
            [self.opening_ns, self.open_ns, self.closing_ns, self.datagrams_ns, self.answered_datagrams_ns];
        all.into_iter().min().unwrap_or(0)
    }
}

impl Default for TimeOuts {
    fn default() -> TimeOuts {
        TimeOuts {
            opening_ns: 30 * SECOND,
            open_ns: 3600 * SECOND,
            closing_ns: 5 * SECOND,
            datagrams_ns: 60 * SECOND,
            answered_datagrams_ns: 180 * SECOND,
        }
    }
}

/// How an observer works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// So much memory may be used, about. With several observers, each has its share.
    pub memory_bytes: usize,
    /// A secret, so that nobody can choose packets that make tables slow; the same for observers whose parts are merged.
    pub seed: u64,
    /// When flows are over.
    pub time_outs: TimeOuts,
    /// Facts go back at least so long, and at most twice as long, in nanoseconds; without it they go back to the first
    /// frame. Only where time is told to pass, by [`crate::Observer::pass`].
    pub window_ns: Option<i64>,
    /// Whether flows that are over are kept for [`Observer::poll`].
    pub flows: bool,
    /// A beacon has at least so many connections.
    pub beacon_connections: u64,
    /// A beacon scores at least this, from 0 to 1.
    pub beacon_score: f64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            memory_bytes: 256 << 20,
            seed: 0,
            time_outs: TimeOuts::default(),
            window_ns: None,
            flows: false,
            beacon_connections: 10,
            beacon_score: 0.75,
        }
    }
}
