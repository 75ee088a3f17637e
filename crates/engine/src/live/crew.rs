//! Further workers of a live capture: each reads its share of the flows in a thread of its own.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use host::capture::Capture;

use crate::watching::Roll;
use crate::{Reading, Watching};

/// How long the kernel may keep frames before they are looked at.
const WAIT: Duration = Duration::from_millis(50);

/// Workers beside the one that talks to people.
pub(super) struct Crew {
    ended: Arc<AtomicBool>,
    workers: Vec<Worker>,
}

struct Worker {
    watching: Arc<Mutex<Watching>>,
    dropped: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Crew {
    pub(super) fn begin(captures: Vec<Capture>, reading: &Reading, roll: &Arc<Roll>) -> Crew {
        let ended = Arc::new(AtomicBool::new(false));
        let workers = captures
            .into_iter()
            .map(|mut capture| {
                let watching = Arc::new(Mutex::new(Watching::new(reading, Arc::clone(roll))));
                let dropped = Arc::new(AtomicU64::new(0));
                let (into, count, ended) = (Arc::clone(&watching), Arc::clone(&dropped), Arc::clone(&ended));
                let thread = thread::spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        match capture.wait(WAIT, &mut |captured| _ = held(&into).take(&captured.frame)) {
                            Ok(_) => {}
                            // Whoever talks to people tells of it.
                            Err(error) if error.kind() == io::ErrorKind::NetworkDown => {
                                thread::park_timeout(WAIT)
                            }
                            Err(error) => return Err(error),
                        }
                        count.store(capture.counts()?.dropped, Ordering::Relaxed);
                    }
                    let counts = capture.finish(&mut |captured| _ = held(&into).take(&captured.frame))?;
                    count.store(counts.dropped, Ordering::Relaxed);
                    Ok(())
                });
                Worker { watching, dropped, thread: Some(thread) }
            })
            .collect();
        Crew { ended, workers }
    }

    /// What each of them saw, while nobody writes to it.
    pub(super) fn each(&self) -> Vec<MutexGuard<'_, Watching>> {
        self.workers.iter().map(|worker| held(&worker.watching)).collect()
    }

    /// Frames that the kernel dropped before they could be read.
    pub(super) fn dropped(&self) -> u64 {
        self.workers.iter().map(|worker| worker.dropped.load(Ordering::Relaxed)).sum()
    }

    /// Lets all of them read to the end.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.ended.store(true, Ordering::Relaxed);
        for worker in &mut self.workers {
            let Some(thread) = worker.thread.take() else { continue };
            thread.join().map_err(|_| io::Error::other("a worker ended before its time"))??;
        }
        Ok(())
    }
}

fn held(watching: &Mutex<Watching>) -> MutexGuard<'_, Watching> {
    watching.lock().unwrap_or_else(PoisonError::into_inner)
}
