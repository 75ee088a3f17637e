//! What changes, for whoever listens: each change is put into words once, however many listen.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::board::Board;
use model::{Timestamp, Utc};
use tokio::sync::watch;

use crate::document::change;

/// So many changes are kept, as the board does.
const MOST: usize = 10_000;
/// How long the thread that listens to the board waits before it looks whether it shall end.
const WAIT: Duration = Duration::from_millis(500);

/// A change in words.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) number: u64,
    /// What kind: `socket`, `flow`, `found`, `over`, `touch`, `looked`, `traffic`.
    pub(crate) kind: &'static str,
    pub(crate) json: Arc<str>,
}

/// The changes in words.
pub(crate) struct Feed {
    /// What tells the numbers of this watch from those of another.
    pub(crate) epoch: String,
    kept: Mutex<VecDeque<Said>>,
    last: watch::Sender<u64>,
}

impl Feed {
    pub(crate) fn new(since: Timestamp<Utc>) -> Feed {
        Feed { epoch: format!("{:x}", since.as_ns()), kept: Mutex::default(), last: watch::Sender::new(0) }
    }

    /// Listens to the board until told to end.
    pub(crate) fn listen(&self, board: &Board, end: &AtomicBool) {
        let mut number = 0;
        while !end.load(Ordering::Relaxed) {
            for (at, change) in board.changes_after(number, WAIT).changes {
                number = at;
                let (kind, json) = change::words(&change);
                self.push(Said { number, kind, json: json.into() });
            }
            self.last.send_if_modified(|last| std::mem::replace(last, number) != number);
        }
    }

    fn push(&self, said: Said) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(said);
    }

    /// Tells when something comes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The number of the last change.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// What came after this number, at most so many, and how many came earlier and are gone.
    pub(crate) fn after(&self, number: u64, most: usize) -> (Vec<Said>, u64) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.front().map_or(number.saturating_add(1), |said| said.number);
        let missed = first.saturating_sub(number.saturating_add(1));
        let skip = usize::try_from(number.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        (kept.iter().skip(skip).take(most).cloned().collect(), missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_counted() {
        let feed = Feed::new(Timestamp::from_ns(1));
        let said = |number| Said { number, kind: "looked", json: "{}".into() };
        assert_eq!(feed.after(0, 10).1, 0);
        (1..=MOST as u64 + 5).for_each(|number| feed.push(said(number)));
        let (all, missed) = feed.after(0, 3);
        assert_eq!((missed, all.iter().map(|it| it.number).collect::<Vec<_>>()), (5, vec![6, 7, 8]));
        let (rest, missed) = feed.after(MOST as u64 + 4, 3);
        assert_eq!((missed, rest.len()), (0, 1));
        assert!(feed.after(MOST as u64 + 5, 3).0.is_empty());
    }
}
