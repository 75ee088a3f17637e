//! Looks at the machine beside the loop, when somebody wants one.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use host::{Look, Looker};
use model::Snapshot;

/// A thread that looks.
pub(super) struct Looks {
    wanted: SyncSender<()>,
    taken: Receiver<Snapshot>,
    /// Whether one is under way.
    waiting: bool,
}

impl Looks {
    /// Looks as `look` says, each time one is wanted, and keeps between looks what `looker` knows.
    pub(super) fn begin(mut looker: Looker, look: Look) -> Looks {
        let (wanted, wishes) = sync_channel(1);
        let (to, taken) = sync_channel(1);
        thread::spawn(move || {
            // It ends when nobody wants more.
            while wishes.recv().is_ok() {
                if to.send(looker.snapshot(&look)).is_err() {
                    break;
                }
            }
        });
        Looks { wanted, taken, waiting: false }
    }

    /// Asks for a look, unless one is under way.
    pub(super) fn want(&mut self) {
        if !self.waiting && !matches!(self.wanted.try_send(()), Err(TrySendError::Disconnected(()))) {
            self.waiting = true;
        }
    }

    /// The look that was asked for, once it is there.
    pub(super) fn take(&mut self) -> Option<Snapshot> {
        let snapshot = self.taken.try_recv().ok()?;
        self.waiting = false;
        Some(snapshot)
    }
}
