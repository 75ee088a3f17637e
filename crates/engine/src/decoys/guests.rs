//! Who is here: connections that are open, and knocks of which no connection has come yet. Both are bounded.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use host::decoy::Visitor;
use model::{Timestamp, Utc};

use super::settings::Level;

/// So long a knock may take to become a connection; then it was nothing but a knock.
const KNOCK: Duration = Duration::from_secs(2);
/// So many knocks wait; the oldest make room.
const MOST_KNOCKS: usize = 8192;
/// Who spoke and is silent for so long has said it.
const PAUSE: Duration = Duration::from_secs(1);
/// The same where it waits for an answer of ours.
const PAUSE_GREETED: Duration = Duration::from_secs(3);

/// From where to where.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// Knocks that may become connections.
#[derive(Debug, Default)]
pub(super) struct Knocks {
    waiting: HashMap<Ends, Timestamp<Utc>>,
    /// In the order in which they came; those that became connections are no longer in `waiting`.
    order: VecDeque<(Instant, Ends)>,
}

impl Knocks {
    /// Adds one, unless it is the same again; gives the one that made room.
    pub(super) fn add(
        &mut self,
        ends: Ends,
        at: Timestamp<Utc>,
        now: Instant,
    ) -> Option<(Ends, Timestamp<Utc>)> {
        if self.waiting.contains_key(&ends) {
            return None;
        }
        let oldest = if self.waiting.len() >= MOST_KNOCKS || self.order.len() >= 2 * MOST_KNOCKS {
            self.next(None)
        } else {
            None
        };
        self.waiting.insert(ends, at);
        self.order.push_back((now, ends));
        oldest
    }

    /// A connection came of one; gives when it knocked.
    pub(super) fn take(&mut self, ends: &Ends) -> Option<Timestamp<Utc>> {
        self.waiting.remove(ends)
    }

    /// The next that has waited too long; all of them, the oldest first, where no time is given.
    pub(super) fn next(&mut self, now: Option<Instant>) -> Option<(Ends, Timestamp<Utc>)> {
        loop {
            let (since, ends) = self.order.front()?;
            if now.is_some_and(|now| now.saturating_duration_since(*since) < KNOCK) {
                return None;
            }
            let ends = *ends;
            self.order.pop_front();
            if let Some(at) = self.waiting.remove(&ends) {
                return Some((ends, at));
            }
        }
    }

    /// Whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) visitor: Visitor,
    /// When it knocked.
    pub(super) at: Timestamp<Utc>,
    pub(super) since: Instant,
    heard: Instant,
    /// The first bytes, as many as are kept.
    pub(super) bytes: Vec<u8>,
    pub(super) received: u64,
    pub(super) sent: u64,
    greeted: bool,
}

impl Guest {
    pub(super) fn new(visitor: Visitor, at: Timestamp<Utc>, now: Instant, level: Level) -> Guest {
        let mut guest = Guest {
            visitor,
            at,
            since: now,
            heard: now,
            bytes: Vec::new(),
            received: 0,
            sent: 0,
            greeted: false,
        };
        if let Level::Greet(greeting) = level
            && !greeting.after_request
        {
            guest.greet(greeting.words);
        }
        guest
    }

    fn greet(&mut self, words: &[u8]) {
        if !self.greeted {
            self.greeted = true;
            self.sent += self.visitor.say(words) as u64;
        }
    }

    /// Hears what it says; whether it is over.
    pub(super) fn hear(&mut self, most: usize, limit: Duration, now: Instant, level: Level) -> bool {
        /// So often it is read before others get their turn.
        const TURNS: usize = 4;
        let mut room = [0; 4096];
        for _ in 0..TURNS {
            match self.visitor.read(&mut room) {
                Ok(Some(0)) | Err(_) => return true,
                Ok(Some(count)) => {
                    self.received += count as u64;
                    self.heard = now;
                    let left = most.saturating_sub(self.bytes.len()).min(count);
                    self.bytes.extend_from_slice(room.get(..left).unwrap_or_default());
                    if self.bytes.len() >= most {
                        return true;
                    }
                    if let Level::Greet(greeting) = level {
                        self.greet(greeting.words);
                    }
                }
                Ok(None) => break,
            }
        }
        let pause = if self.greeted { PAUSE_GREETED } else { PAUSE };
        let said = self.received > 0 && now.saturating_duration_since(self.heard) >= pause;
        said || now.saturating_duration_since(self.since) >= limit
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Guests {
    pub(super) all: Vec<Guest>,
    by_source: HashMap<IpAddr, usize>,
}

impl Guests {
    /// Whether there is room for another of this source.
    pub(super) fn has_room(&self, source: IpAddr, most: usize, most_of_source: usize) -> bool {
        self.all.len() < most && self.by_source.get(&source).is_none_or(|count| *count < most_of_source)
    }

    pub(super) fn add(&mut self, guest: Guest) {
        *self.by_source.entry(guest.visitor.peer.ip()).or_default() += 1;
        self.all.push(guest);
    }

    /// Takes out those that are over.
    pub(super) fn over(&mut self, mut is_over: impl FnMut(&mut Guest) -> bool) -> Vec<Guest> {
        let over: Vec<Guest> = self.all.extract_if(.., |guest| is_over(guest)).collect();
        for guest in &over {
            let source = guest.visitor.peer.ip();
            if let Some(count) = self.by_source.get_mut(&source) {
                *count -= 1;
                if *count == 0 {
                    self.by_source.remove(&source);
                }
            }
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(number: usize) -> Ends {
        let port = u16::try_from(number % 60_000 + 1).unwrap();
        (
            SocketAddr::from(([10, 0, u8::try_from(number / 60_000).unwrap(), 1], port)),
            ([10, 0, 0, 2], 420).into(),
        )
    }

    #[test]
    fn knocks_wait_for_their_connection_and_the_oldest_make_room() {
        let mut knocks = Knocks::default();
        let (now, at) = (Instant::now(), Timestamp::from_ns(7));
        assert_eq!(knocks.add(ends(0), at, now), None);
        assert_eq!(knocks.add(ends(0), Timestamp::from_ns(8), now), None);
        assert_eq!(knocks.take(&ends(0)), Some(at));
        assert!(knocks.is_empty() && knocks.next(None).is_none());
        let mut evicted = 0;
        for number in 0..3 * MOST_KNOCKS {
            evicted += usize::from(knocks.add(ends(number), at, now).is_some());
        }
        assert_eq!((evicted, knocks.waiting.len()), (2 * MOST_KNOCKS, MOST_KNOCKS));
        assert_eq!(knocks.next(Some(now)), None, "none has waited long");
        assert_eq!(knocks.next(Some(now + KNOCK)).unwrap().0, ends(2 * MOST_KNOCKS));
        // Many that became connections leave no trace either.
        for number in 0..5 * MOST_KNOCKS {
            knocks.add(ends(number), at, now);
            knocks.take(&ends(number));
        }
        assert!(knocks.order.len() <= 2 * MOST_KNOCKS);
    }
}
