//! What could not be seen, and what hides: holder-unknown, hidden-socket, hidden-holder.

use model::{Code, Confidence, Reason, Severity, Socket, Subject, Views};

use crate::docket::{Cause, Docket};
use crate::judge::{Bench, say};
use crate::known::{Directory, Known, who, who_all};

/// Whether a socket that waits for nobody is still a matter for these rules.
pub(crate) fn concerns(directory: &Directory<'_>, socket: &Socket) -> bool {
    socket.hidden_from != Views::default()
        || socket.holders.iter().any(|holder| {
            holder.tid.is_some()
                || directory.by_pid(holder.pid).is_some_and(|known| known.process.hidden_from_proc)
        })
}

pub(crate) fn judge<'a>(
    _bench: &Bench<'a>,
    index: usize,
    socket: &Socket,
    holders: &[&Known<'a>],
    docket: &mut Docket<'a>,
) {
    let subject = Subject::Socket(index);
    if socket.hidden_from != Views::default() {
        hidden_socket(socket, holders, subject.clone(), docket);
    }
    for holder in holders.iter().filter(|holder| holder.process.hidden_from_proc) {
        hidden_holder(holder, subject.clone(), docket);
    }
    for holder in &socket.holders {
        let known = holders.iter().find(|known| known.process.pid == holder.pid);
        if let (Some(tid), Some(known)) = (holder.tid, known)
            && !known.process.hidden_from_proc
        {
            thread(known, tid, subject.clone(), docket);
        }
    }
    // Raw and packet sockets are packet-socket's matter, with or without a holder.
    let listens = socket.is_listener() && socket.port().is_some();
    if socket.holders.is_empty() && listens && socket.activation.is_none() {
        unknown(socket.holders_missing.unwrap_or(Reason::Unknown), subject, docket);
    }
}

fn unknown(reason: Reason, subject: Subject, docket: &mut Docket<'_>) {
    let weight = match reason {
        Reason::InFlight | Reason::Unknown | Reason::Damaged => (Severity::Warning, Confidence::Medium),
        Reason::KernelOwned | Reason::PublishedWithoutSocket => (Severity::Note, Confidence::Medium),
        _ => (Severity::Note, Confidence::High),
    };
    let cause =
        Cause::Number(Reason::ALL.iter().position(|other| *other == reason).unwrap_or(Reason::ALL.len()));
    docket.raise(Code::HolderUnknown, weight, cause, subject, || {
        let fact = format!("No process was found that has it open: {}.", reason.words());
        say(
            "the holder of ",
            format!(" is not known: {}", reason.words()),
            vec![(fact, reason.code().to_owned())],
            reason.help(),
        )
    });
}

fn hidden_socket(socket: &Socket, holders: &[&Known<'_>], subject: Subject, docket: &mut Docket<'_>) {
    // A listener stays; a connection may simply have come and gone between two looks.
    let confidence = if socket.is_listener() { Confidence::High } else { Confidence::Medium };
    let names = |views: Views| views.names().collect::<Vec<_>>().join(", ");
    let (seen, hidden) = (names(socket.seen_by), names(socket.hidden_from));
    let cause = Cause::Text(format!("{hidden} {:?}", holders.first().map(|holder| holder.exe)));
    docket.raise(Code::HiddenSocket, (Severity::Alert, confidence), cause, subject, || {
        let who = who_all(holders, socket.holders_missing);
        let after = format!(" is hidden from {hidden}; held by {who}");
        let facts = vec![
            (format!("Seen by: {}.", if seen.is_empty() { "nothing else" } else { &seen }), "portreeve".to_owned()),
            (format!("Missing from: {hidden}."), "portreeve".to_owned()),
        ];
        say("", after, facts, "look again to rule out chance; then from outside: scan the port from another machine, and start the disk from a clean system")
    });
}

fn hidden_holder(holder: &Known<'_>, subject: Subject, docket: &mut Docket<'_>) {
    let process = holder.process;
    let weight = (Severity::Alert, Confidence::High);
    docket.raise(Code::HiddenHolder, weight, Cause::Process(process.pid), subject, || {
        let after = format!(" is held by {}, which /proc does not show", who(process));
        let fact = format!("The kernel runs process {}; the list of /proc does not have it.", process.pid);
        let step = format!(
            "ls -d /proc/{0}; cat /proc/{0}/status; lsmod; look at the disk from a clean system",
            process.pid
        );
        say("", after, vec![(fact, "BPF iterator and /proc".to_owned())], step)
    });
}

fn thread(holder: &Known<'_>, tid: u32, subject: Subject, docket: &mut Docket<'_>) {
    let process = holder.process;
    let weight = (Severity::Note, Confidence::Low);
    docket.raise(Code::HiddenHolder, weight, Cause::Process(tid), subject, || {
        let after =
            format!(" is held by thread {tid} of {} alone, with a descriptor table of its own", who(process));
        let fact = format!(
            "Thread {tid} has the socket open; /proc/{}/fd, where most tools look, does not.",
            process.pid
        );
        let step = format!("ls -l /proc/{}/task/{tid}/fd", process.pid);
        say("", after, vec![(fact, format!("/proc/{}/task/{tid}/fd", process.pid))], step)
    });
}
