//! Work that goes on until it is done or somebody presses Ctrl-C, and a line that says meanwhile how it goes.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Stop;

/// How often the line is written anew.
const AGAIN: Duration = Duration::from_millis(100);

/// Does this when somebody presses Ctrl-C, or asks us to end.
pub(super) fn on_interrupt(stop: impl FnMut() + Send + 'static) -> Result<(), Stop> {
    ctrlc::set_handler(stop).map_err(|error| Stop::Failed(format!("cannot wait for Ctrl-C: {error}")))
}

/// A line that turns, for a person at a terminal.
pub(super) fn spinner(quiet: bool) -> ProgressBar {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Works, and says on a line how it goes.
pub(super) fn told<T>(quiet: bool, how: &(dyn Fn() -> String + Sync), work: impl FnOnce() -> T) -> T {
    let bar = spinner(quiet);
    let (ended, end) = channel::<()>();
    let done = thread::scope(|scope| {
        let bar = &bar;
        scope.spawn(move || {
            // Until the other end of the channel is gone.
            while !bar.is_hidden() && end.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout) {
                bar.set_message(how());
                bar.tick();
            }
        });
        let done = work();
        drop(ended);
        done
    });
    bar.finish_and_clear();
    done
}
