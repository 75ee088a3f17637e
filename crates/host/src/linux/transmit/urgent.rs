//! What a thread needs to run when it wants to: a processor, a place before others, memory that stays (sched(7), mlock(2)).

#![expect(unsafe_code, reason = "rustix has no scheduling policies")]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};

use model::media::Effort;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity, set_current_timer_slack};

use crate::transmit::UrgencyRequest;

/// Above ordinary threads and interrupts' threads' default is 50: we are beside them.
const PRIORITY: i32 = 50;
/// How nice who works for an urgent thread is: it has nearly all of the time that ordinary threads share, and they still run.
const NICE: i32 = -15;

/// The threads that work for an urgent one. They keep off its processor: whoever waits there, waits until it has left.
#[derive(Debug, Default)]
pub struct Crew(Mutex<Vec<Pid>>);

/// A thread that works for an urgent one, until this ends.
#[derive(Debug)]
pub struct Member<'a> {
    crew: &'a Crew,
    thread: Pid,
}

impl Crew {
    /// The calling thread works for an urgent one, and goes before ordinary threads. It leaves the processor that was asked for
    /// to that one. Where neither may be had, it runs like others.
    pub fn join(&self, request: &UrgencyRequest) -> Member<'_> {
        if let Some(cpu) = request.cpu {
            keep_off(None, cpu, &allowed());
        }
        if request.real_time {
            // In Linux this is of the calling thread (setpriority(2)).
            _ = setpriority_process(None, NICE);
        }
        let thread = gettid();
        self.threads().push(thread);
        Member { crew: self, thread }
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.crew.threads().retain(|thread| *thread != self.thread);
    }
}

/// Has a thread run on all of these but one, as long as there is another one.
fn keep_off(thread: Option<Pid>, cpu: usize, homes: &VecDeque<usize>) {
    let set = set_of(homes.iter().copied().filter(|home| *home != cpu));
    if set.count() > 0 {
        // Where that may not be, it stays.
        _ = sched_setaffinity(thread, &set);
    }
}

/// What was granted; what needs to be held, is held until this ends.
#[derive(Debug)]
pub struct Urgency<'a> {
    /// What was tried, and what was had.
    pub efforts: Vec<Effort>,
    /// The processors to run on by turns, the next one first.
    homes: VecDeque<usize>,
    crew: &'a Crew,
    _awake: Option<File>,
}

impl Urgency<'_> {
    /// Leaves this processor to those who wait for it, and goes on on the next one: where ordinary threads wait for a second,
    /// the kernel stops us for 50 ms (the fair server of Linux 6.12), which is two frames and more. The crew leaves that one first.
    ///
    /// Does nothing where we run like others, or where somebody has chosen a processor.
    pub fn move_on(&mut self) {
        self.homes.rotate_left(self.homes.len().min(1));
        if let Some(next) = self.homes.front().copied() {
            self.crew.threads().iter().for_each(|thread| keep_off(Some(*thread), next, &self.homes));
            // Where it may not be had any more, we stay.
            _ = sched_setaffinity(None, &set_of([next]));
        }
    }
}

/// Asks for all of it, for the calling thread, which a crew works for.
pub fn urgency<'a>(request: &UrgencyRequest, crew: &'a Crew) -> Urgency<'a> {
    let mut efforts = Vec::new();
    // On a single processor we would wait for those whom we keep from running. Asked before we are bound to one of several.
    let several = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let mut note = |what: &str, had: String, result: io::Result<()>| {
        let outcome = result.map(|()| had).map_err(|error| error.to_string());
        efforts.push(Effort { what: what.to_owned(), outcome });
    };
    if let Some(cpu) = request.cpu {
        let pinned = if cpu < CpuSet::MAX_CPU {
            sched_setaffinity(None, &set_of([cpu])).map_err(io::Error::from)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        };
        note("a processor of its own", format!("processor {cpu}"), pinned);
    }
    note(
        "timers without slack",
        "1 ns".to_owned(),
        set_current_timer_slack(NonZeroU64::new(1)).map_err(io::Error::from),
    );
    let mut homes = VecDeque::new();
    if request.real_time {
        let result =
            if several { first_come() } else { Err(io::Error::other("there is one processor only")) };
        let mut had = format!("SCHED_FIFO, priority {PRIORITY}");
        if result.is_ok() && request.cpu.is_none() {
            homes = allowed();
            had.push_str(", on each processor for a while");
        }
        note("real-time scheduling", had, result);
    }
    let mut awake = None;
    if request.steady {
        // Not what comes later: where memory may not be locked without limit, there would be none to be had.
        let locked = mlockall(MlockAllFlags::CURRENT).map_err(io::Error::from);
        note("memory that stays", "locked".to_owned(), locked);
        let opened = File::options().write(true).open("/dev/cpu_dma_latency").and_then(|mut file| {
            file.write_all(&0_i32.to_ne_bytes())?;
            awake = Some(file);
            Ok(())
        });
        note("processors that stay awake", "no sleep states".to_owned(), opened);
    }
    Urgency { efforts, homes, crew, _awake: awake }
}

/// The processors that this thread may run on.
fn allowed() -> VecDeque<usize> {
    let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

fn set_of(cpus: impl IntoIterator<Item = usize>) -> CpuSet {
    let mut set = CpuSet::new();
    cpus.into_iter().filter(|cpu| *cpu < CpuSet::MAX_CPU).for_each(|cpu| set.set(cpu));
    set
}

fn first_come() -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is a value; some C libraries have more of them than others.
    let mut wish: libc::sched_param = unsafe { std::mem::zeroed() };
    wish.sched_priority = PRIORITY;
    // SAFETY: the kernel reads `wish`, which lives until the call returns; 0 is the calling thread.
    let answer =
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const wish) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_has_an_answer() {
        // In a thread of its own, which takes what it was granted with it.
        let answers = std::thread::spawn(|| {
            urgency(&UrgencyRequest { cpu: Some(0), real_time: true, steady: false }, &Crew::default())
                .efforts
        });
        let answers = answers.join().unwrap();
        assert_eq!(answers.len(), 3);
        // Bound to one processor, it has not become the only one.
        let several = std::thread::available_parallelism().unwrap().get() > 1;
        let said_one =
            |effort: &Effort| effort.outcome.as_ref().is_err_and(|why| why.contains("one processor"));
        assert_eq!(answers.iter().any(said_one), !several);
        assert!(answers.iter().any(|effort| effort.what == "timers without slack" && effort.outcome.is_ok()));
        let refused = std::thread::spawn(|| {
            let wish = UrgencyRequest { cpu: Some(CpuSet::MAX_CPU), real_time: false, steady: false };
            urgency(&wish, &Crew::default()).efforts
        });
        assert!(refused.join().unwrap().first().unwrap().outcome.is_err());
    }

    #[test]
    fn who_works_for_an_urgent_thread_leaves_its_processor_to_it() {
        let all = allowed();
        let after = |cpu: Option<usize>| {
            let wish = UrgencyRequest { cpu, ..UrgencyRequest::default() };
            std::thread::spawn(move || {
                let crew = Crew::default();
                let _member = crew.join(&wish);
                allowed()
            })
            .join()
            .unwrap()
        };
        let first = all.front().copied();
        let mut others = all.clone();
        if others.len() > 1 {
            others.pop_front();
        }
        // The only one there is stays.
        assert_eq!(after(first), others);
        assert_eq!(after(None), all);
        assert_eq!(after(Some(CpuSet::MAX_CPU)), all);
    }

    #[test]
    fn who_moves_on_is_on_another_processor_each_time_and_comes_back() {
        let seen = std::thread::spawn(|| {
            let mut homes = allowed();
            let count = homes.len();
            homes.truncate(2);
            let crew = Crew::default();
            let mut granted = Urgency { efforts: Vec::new(), homes, crew: &crew, _awake: None };
            let places = [(); 4].map(|()| {
                granted.move_on();
                allowed()
            });
            (count, places)
        });
        let (count, [a, b, c, d]) = seen.join().unwrap();
        assert!([&a, &b, &c, &d].iter().all(|place| place.len() == 1));
        assert_eq!((a == b, a == c, b == d), (count < 2, true, true));
        // Who has no places stays everywhere.
        let free = std::thread::spawn(|| {
            let crew = Crew::default();
            Urgency { efforts: Vec::new(), homes: VecDeque::new(), crew: &crew, _awake: None }.move_on();
            allowed().len()
        });
        assert_eq!(free.join().unwrap(), allowed().len());
    }

    #[test]
    fn the_crew_keeps_off_the_processor_that_the_urgent_thread_is_on() {
        let crew = Crew::default();
        let (joined, has_joined) = std::sync::mpsc::channel();
        let (moved, has_moved) = std::sync::mpsc::channel::<()>();
        let (all, home, left) = std::thread::scope(|scope| {
            let crew = &crew;
            let member = scope.spawn(move || {
                let _member = crew.join(&UrgencyRequest::default());
                joined.send(()).unwrap();
                // Until the other one has gone.
                _ = has_moved.recv();
                allowed()
            });
            has_joined.recv().unwrap();
            let urgent = scope.spawn(move || {
                let homes = allowed();
                let mut granted = Urgency { efforts: Vec::new(), homes: homes.clone(), crew, _awake: None };
                granted.move_on();
                (homes, allowed())
            });
            let (homes, home) = urgent.join().unwrap();
            drop(moved);
            (homes, home, member.join().unwrap())
        });
        let wanted: VecDeque<usize> = all.iter().copied().filter(|cpu| !home.contains(cpu)).collect();
        assert_eq!(left, if wanted.is_empty() { all } else { wanted });
        assert!(crew.threads().is_empty());
    }
}
