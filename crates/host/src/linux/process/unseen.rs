//! Rows of processes that could not be looked at: they ended, or something hides them.

use model::{Process, Reason, Seen};
use rustix::io::Errno;

use super::tree::reason;

/// The row of a process that could not be opened.
pub(super) fn gone(pid: u32, errno: Errno) -> Process {
    let why = reason(errno);
    if why != Reason::Exited {
        return unseen(pid, why, false);
    }
    // It cannot be opened, and yet it may take signals: then something hides it.
    let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    match number.map(rustix::process::test_kill_process) {
        Some(Ok(())) => unseen(pid, Reason::Unknown, true),
        // /proc mounted with hidepid shows us no process of others.
        Some(Err(Errno::PERM)) => unseen(pid, Reason::NoPermission, false),
        _ => unseen(pid, Reason::Exited, false),
    }
}

/// A row in which everything is hidden for one reason.
pub(super) fn unseen(pid: u32, why: Reason, hidden_from_proc: bool) -> Process {
    Process {
        pid,
        comm: String::new(),
        started: Seen::Hidden(why),
        exe: Seen::Hidden(why),
        cmdline: Seen::Hidden(why),
        cwd: Seen::Hidden(why),
        user: Seen::Hidden(why),
        capabilities: Seen::Hidden(why),
        parents: Vec::new(),
        unit: Seen::Hidden(why),
        container: Seen::Hidden(why),
        package: Seen::Hidden(why),
        hidden_from_proc,
        preload: Seen::Hidden(why),
    }
}
