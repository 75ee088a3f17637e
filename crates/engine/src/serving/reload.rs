//! Reading policy, baseline and settings again: somebody wants it, the loop does it, and who asked hears how it went.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is wanted, and what became of it.
#[derive(Debug, Default)]
pub struct Reload {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How often it was wanted.
    wanted: u64,
    /// How many of those the last reading answered: one reading answers all that were there when it began.
    done: u64,
    /// What that reading found wrong.
    wrong: Vec<String>,
}

impl Reload {
    /// Somebody wants it; the number to wait for.
    pub fn want(&self) -> u64 {
        let mut state = self.state();
        state.wanted += 1;
        state.wanted
    }

    /// What is to be done now, as a number to give back to [`Reload::is_done`]; `None` where nobody wants anything.
    pub fn next(&self) -> Option<u64> {
        let state = self.state();
        (state.wanted > state.done).then_some(state.wanted)
    }

    /// Everything up to this number was done, and this was wrong; where nothing was, the new counts.
    pub fn is_done(&self, number: u64, wrong: Vec<String>) {
        let mut state = self.state();
        state.done = number;
        state.wrong = wrong;
        drop(state);
        self.done.notify_all();
    }

    /// Waits until this number was done, and gives what was wrong; `None` where the time is over before.
    pub fn wait(&self, number: u64, within: Duration) -> Option<Vec<String>> {
        let waiting = |state: &mut State| state.done < number;
        let waited = self.done.wait_timeout_while(self.state(), within, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        (!timeout.timed_out()).then(|| state.wrong.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_asks_hears_how_it_went() {
        let reload = Reload::default();
        assert_eq!(reload.next(), None);
        let number = reload.want();
        assert_eq!(reload.wait(number, Duration::ZERO), None, "nobody has done it");
        std::thread::scope(|scope| {
            let told = scope.spawn(|| reload.wait(number, LONG));
            let next = reload.next().unwrap();
            reload.is_done(next, vec![String::from("a wrong line")]);
            assert_eq!(told.join().unwrap().unwrap(), ["a wrong line"]);
        });
        assert_eq!(reload.next(), None);
    }

    #[test]
    fn what_was_wanted_meanwhile_is_done_again() {
        let reload = Reload::default();
        let (one, two) = (reload.want(), reload.want());
        let begun = reload.next().unwrap();
        let three = reload.want();
        reload.is_done(begun, Vec::new());
        assert_eq!(
            [one, two].map(|it| reload.wait(it, Duration::ZERO)),
            [Some(Vec::new()), Some(Vec::new())]
        );
        assert_eq!(reload.wait(three, Duration::ZERO), None);
        assert_eq!(reload.next(), Some(three));
    }
}
