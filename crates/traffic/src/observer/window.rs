//! Windows of time: an observer that runs for weeks tells what is, not what once was.

use crate::observer::Observer;
use crate::part::Part;
use crate::when::When;

impl Observer {
    /// Begins a new window where one is full; the facts of the one before the last are forgotten.
    pub(super) fn roll(&mut self, now: When) {
        let Some(window) = self.config.window_ns else { return };
        // A clock that was set back begins it anew.
        self.part.begun = self.part.begun.earlier(now);
        if now.since(self.part.begun) >= window {
            let full = std::mem::replace(&mut self.part, Part::of(&self.config));
            self.part.begun = now;
            self.before = Some(full);
        }
    }
}

/// The facts of a window, with those of the window before.
pub(super) fn joined(before: Option<Part>, part: Part) -> Part {
    let Some(mut whole) = before else { return part };
    whole.merge(part);
    whole
}
