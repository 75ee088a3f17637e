//! Looks at the machine beside the loop, when somebody wants one.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use host::{Look, Looker};
use model::Snapshot;

/// A thread that looks.
pub(super) struct Looks {
    wanted: SyncSender<Worth>,
    taken: Receiver<Option<Snapshot>>,
    /// Whether one is under way.
    waiting: bool,
}

/// When a look is worth its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// Where something changed, as far as that is known without one.
    Changed,
    /// In any case.
    Anyway,
}

/// What a look gave.
#[derive(Debug)]
pub(super) enum Taken {
    /// Nothing changed since the last one.
    Same,
    /// This.
    Other(Box<Snapshot>),
}

impl Looks {
    /// Looks as `look` says, each time one is wanted, and keeps between looks what `looker` knows.
    pub(super) fn begin(mut looker: Looker, look: Look) -> Looks {
        let (wanted, wishes) = sync_channel(1);
        let (to, taken) = sync_channel(1);
        thread::spawn(move || {
            // It ends when nobody wants more.
            while let Ok(worth) = wishes.recv() {
                let other = worth == Worth::Anyway || looker.changed(&look);
                if to.send(other.then(|| looker.snapshot(&look))).is_err() {
                    break;
                }
            }
        });
        Looks { wanted, taken, waiting: false }
    }

    /// Asks for a look, unless one is under way.
    pub(super) fn want(&mut self, worth: Worth) {
        if !self.waiting && !matches!(self.wanted.try_send(worth), Err(TrySendError::Disconnected(_))) {
            self.waiting = true;
        }
    }

    /// What was asked for, once it is there.
    pub(super) fn take(&mut self) -> Option<Taken> {
        let taken = self.taken.try_recv().ok()?;
        self.waiting = false;
        Some(taken.map_or(Taken::Same, |snapshot| Taken::Other(Box::new(snapshot))))
    }
}
