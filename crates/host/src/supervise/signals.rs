//! Signals as something to wait for: each writes into a pipe of its own, and that is all that happens in a handler.

use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

use super::Signal;

/// What each signal means; where several came, the first of these is told first.
const MEANINGS: [(i32, Signal); 4] =
    [(SIGTERM, Signal::End), (SIGINT, Signal::End), (SIGHUP, Signal::Reload), (SIGUSR1, Signal::Status)];

/// Signals that no longer end the process but are waited for, as long as this lives.
#[derive(Debug)]
pub struct Signals {
    waited: Vec<(UnixStream, Signal, SigId)>,
}

impl Signals {
    /// Takes the signals from now on.
    pub fn begin() -> io::Result<Signals> {
        let mut signals = Signals { waited: Vec::new() };
        for (number, meaning) in MEANINGS {
            let (ours, theirs) = UnixStream::pair()?;
            ours.set_nonblocking(true)?;
            let id = signal_hook::low_level::pipe::register(number, theirs)?;
            signals.waited.push((ours, meaning, id));
        }
        Ok(signals)
    }

    /// The next signal; `None` when none came within `patience`. Without it, waits as long as it takes.
    pub fn wait(&self, patience: Option<Duration>) -> io::Result<Option<Signal>> {
        let end = patience.map(|patience| Instant::now() + patience);
        loop {
            if let Some(came) = self.waited.iter().find(|(pipe, ..)| take(pipe)) {
                return Ok(Some(came.1));
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            let mut fds: Vec<PollFd<'_>> = self
                .waited
                .iter()
                .map(|(pipe, ..)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN))
                .collect();
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut fds, left.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether the signal came, once or several times since it was last asked.
fn take(mut pipe: &UnixStream) -> bool {
    let mut came = false;
    loop {
        match pipe.read(&mut [0; 64]) {
            Ok(count) if count > 0 => came = true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return came,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for (_, _, id) in &self.waited {
            signal_hook::low_level::unregister(*id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal as Raised, getpid, kill_process};

    #[test]
    fn signals_are_waited_for_and_the_end_comes_first() {
        let signals = Signals::begin().unwrap();
        let wait = |ms| signals.wait(Some(Duration::from_millis(ms))).unwrap();
        assert_eq!(wait(1), None);
        let long = 20_000;
        for (raised, meaning) in [
            (Raised::HUP, Signal::Reload),
            (Raised::USR1, Signal::Status),
            (Raised::INT, Signal::End),
            (Raised::TERM, Signal::End),
        ] {
            kill_process(getpid(), raised).unwrap();
            assert_eq!(wait(long), Some(meaning));
        }
        // The kernel may hand these to any thread of ours: both have come before both are asked for.
        kill_process(getpid(), Raised::HUP).unwrap();
        assert_eq!(wait(long), Some(Signal::Reload));
        kill_process(getpid(), Raised::HUP).unwrap();
        kill_process(getpid(), Raised::HUP).unwrap();
        assert_eq!(wait(long), Some(Signal::Reload));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| signals.wait(None).unwrap());
            kill_process(getpid(), Raised::TERM).unwrap();
            let mut came = vec![waiting.join().unwrap()];
            came.extend(std::iter::from_fn(|| wait(1)).map(Some));
            assert!(came.contains(&Some(Signal::End)), "{came:?}");
        });
    }
}
