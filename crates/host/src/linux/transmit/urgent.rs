//! What a thread needs to run when it wants to: a processor, a place before others, memory that stays (sched(7), mlock(2)).

#![expect(unsafe_code, reason = "rustix has no scheduling policies")]

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use model::media::Effort;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity, set_current_timer_slack};

use crate::transmit::UrgencyRequest;

/// Above ordinary threads and interrupts' threads' default is 50: we are beside them.
const PRIORITY: i32 = 50;
/// Who stands by gives way to those who are urgent by themselves.
const BESIDE: i32 = PRIORITY - 1;
/// A thread with a deadline may run for so long in each so many nanoseconds: all the time.
const TURN_NS: u64 = 1_000_000;
/// How nice who works for an urgent thread is: it has nearly all of the time that ordinary threads share, and they still run.
const NICE: i32 = -15;

/// What was granted; what needs to be held, is held until this ends.
#[derive(Debug)]
pub struct Urgency {
    /// What was tried, and what was had.
    pub efforts: Vec<Effort>,
    _awake: Option<File>,
}

/// Asks for all of it, for the calling thread.
///
/// Whoever has it should sleep now and then: nobody else runs on its processor, not even the kernel's own threads.
pub fn urgency(request: &UrgencyRequest) -> Urgency {
    let mut efforts = Vec::new();
    // On a single processor we would wait for those whom we keep from running. Asked before we are bound to one of several.
    let several = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let mut note = |what: &str, outcome: io::Result<String>| {
        let outcome = outcome.map_err(|error| error.to_string());
        efforts.push(Effort { what: what.to_owned(), outcome });
    };
    if let Some(cpu) = request.cpu {
        let pinned = if cpu < CpuSet::MAX_CPU {
            sched_setaffinity(None, &set_of([cpu])).map_err(io::Error::from)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        };
        note("a processor of its own", pinned.map(|()| format!("processor {cpu}")));
    }
    note("timers without slack", without_slack().map(|()| "1 ns".to_owned()));
    if request.real_time {
        let had = match several {
            true => always(),
            false => Err(io::Error::other("there is one processor only")),
        };
        note("real-time scheduling", had);
    }
    let mut awake = None;
    if request.steady {
        // Not what comes later: where memory may not be locked without limit, there would be none to be had.
        let locked = mlockall(MlockAllFlags::CURRENT).map_err(io::Error::from);
        note("memory that stays", locked.map(|()| "locked".to_owned()));
        let opened = File::options().write(true).open("/dev/cpu_dma_latency").and_then(|mut file| {
            file.write_all(&0_i32.to_ne_bytes())?;
            awake = Some(file);
            Ok("no sleep states".to_owned())
        });
        note("processors that stay awake", opened);
    }
    Urgency { efforts, _awake: awake }
}

/// The calling thread works for an urgent one, and goes before ordinary threads. It leaves the processor that was asked for to
/// that one: whoever waits there, waits until it has left. Where neither may be had, it runs like others.
pub fn assist(request: &UrgencyRequest) {
    if let Some(cpu) = request.cpu {
        let set = set_of(allowed().filter(|home| *home != cpu));
        if set.count() > 0 {
            // Where that may not be, it stays.
            _ = sched_setaffinity(None, &set);
        }
    }
    if request.real_time {
        // In Linux this is of the calling thread (setpriority(2)).
        _ = setpriority_process(None, NICE);
    }
}

/// A thread that does what an urgent one does not come to.
#[derive(Debug)]
pub struct StandBy {
    /// How many threads run, or want to (proc_loadavg(5)).
    running: File,
}

/// Has the calling thread do what an urgent one does not come to: it runs before all ordinary ones, and until it sleeps.
pub fn stand_by() -> io::Result<StandBy> {
    let running = File::open("/proc/loadavg")?;
    without_slack()?;
    first_come(BESIDE)?;
    Ok(StandBy { running })
}

impl StandBy {
    /// Whether more threads than this one and the urgent one want to run now.
    pub fn others_wait(&self) -> bool {
        let mut text = [0; 64];
        let count = self.running.read_at(&mut text, 0).unwrap_or(0);
        running(text.get(..count).unwrap_or_default()).is_some_and(|running| running > 2)
    }
}

/// The fourth word is `running/all`.
fn running(loadavg: &[u8]) -> Option<u32> {
    let words = std::str::from_utf8(loadavg).ok()?;
    words.split_ascii_whitespace().nth(3)?.split('/').next()?.parse().ok()
}

fn without_slack() -> io::Result<()> {
    set_current_timer_slack(NonZeroU64::new(1)).map_err(io::Error::from)
}

/// The processors that this thread may run on.
fn allowed() -> impl Iterator<Item = usize> {
    let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::MAX_CPU).filter(move |cpu| set.is_set(*cpu))
}

fn set_of(cpus: impl IntoIterator<Item = usize>) -> CpuSet {
    let mut set = CpuSet::new();
    cpus.into_iter().filter(|cpu| *cpu < CpuSet::MAX_CPU).for_each(|cpu| set.set(cpu));
    set
}

/// All of a processor's time. With a deadline the kernel's fair server does not stop us (Linux 6.12): it gives ordinary threads
/// that have waited for a second 50 ms of whoever has SCHED_FIFO. A thread that is bound to a processor may have no deadline.
fn always() -> io::Result<String> {
    let by_deadline = with_deadline().map(|()| "SCHED_DEADLINE, all of a processor".to_owned());
    by_deadline.or_else(|_| first_come(PRIORITY).map(|()| format!("SCHED_FIFO, priority {PRIORITY}")))
}

fn with_deadline() -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is a value; some C libraries have more of them than others.
    let mut wish: libc::sched_attr = unsafe { std::mem::zeroed() };
    wish.size = u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(0);
    wish.sched_policy = libc::SCHED_DEADLINE.unsigned_abs();
    wish.sched_flags = u64::from(libc::SCHED_FLAG_RESET_ON_FORK.unsigned_abs());
    (wish.sched_runtime, wish.sched_deadline, wish.sched_period) = (TURN_NS, TURN_NS, TURN_NS);
    // SAFETY: the kernel reads as much of `wish` as its size says, and it lives until the call returns; 0 is the calling thread.
    let answer = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wish, 0) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn first_come(priority: i32) -> io::Result<()> {
    // SAFETY: all fields are numbers, for which zero is a value; some C libraries have more of them than others.
    let mut wish: libc::sched_param = unsafe { std::mem::zeroed() };
    wish.sched_priority = priority;
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
        let answers = |cpu: Option<usize>| {
            let wish = UrgencyRequest { cpu, real_time: true, steady: false };
            std::thread::spawn(move || urgency(&wish).efforts).join().unwrap()
        };
        let bound = answers(Some(0));
        assert_eq!(bound.len(), 3);
        // Bound to one processor, it has not become the only one.
        let several = std::thread::available_parallelism().unwrap().get() > 1;
        let said_one =
            |effort: &Effort| effort.outcome.as_ref().is_err_and(|why| why.contains("one processor"));
        assert_eq!(bound.iter().any(said_one), !several);
        assert!(bound.iter().any(|effort| effort.what == "timers without slack" && effort.outcome.is_ok()));
        // Whoever may have the one, may have the other where nothing binds it, unless others have deadlines.
        let had = |efforts: &[Effort]| efforts.last().unwrap().outcome.clone();
        let free = answers(None);
        assert_eq!(had(&bound).is_ok(), had(&free).is_ok(), "{free:?}");
        assert!(had(&bound).is_err() || had(&bound).is_ok_and(|what| what.contains("SCHED_FIFO")));
        assert!(answers(Some(CpuSet::MAX_CPU)).first().unwrap().outcome.is_err());
    }

    #[test]
    fn who_stands_by_is_first_come_below_the_urgent() {
        let (answer, policy) = std::thread::spawn(|| {
            let answer = stand_by().map(|beside| beside.others_wait());
            // SAFETY: it reads nothing of ours; 0 is the calling thread.
            (answer, unsafe { libc::sched_getscheduler(0) })
        })
        .join()
        .unwrap();
        // The kernel adds the wish of those who do not hand it on.
        let is_first_come = policy & !libc::SCHED_RESET_ON_FORK == libc::SCHED_FIFO;
        assert_eq!(answer.is_ok(), is_first_come, "{answer:?}");
        const { assert!(BESIDE < PRIORITY) };
        assert_eq!(running(b"0.30 1.31 1.80 3/121 17887\n"), Some(3));
        assert!(
            [&b""[..], b"0.30 1.31", b"0.30 1.31 1.80 x/121 1", b"\xff"]
                .iter()
                .all(|it| running(it).is_none())
        );
    }

    #[test]
    fn who_works_for_an_urgent_thread_leaves_its_processor_to_it() {
        let all: Vec<_> = allowed().collect();
        let after = |cpu: Option<usize>| {
            let wish = UrgencyRequest { cpu, ..UrgencyRequest::default() };
            let assisting = move || {
                assist(&wish);
                allowed().collect::<Vec<_>>()
            };
            std::thread::spawn(assisting).join().unwrap()
        };
        let first = all.first().copied();
        let others = if all.len() > 1 { all.iter().skip(1).copied().collect() } else { all.clone() };
        // The only one there is stays.
        assert_eq!(after(first), others);
        assert_eq!(after(None), all);
        assert_eq!(after(Some(CpuSet::MAX_CPU)), all);
    }
}
