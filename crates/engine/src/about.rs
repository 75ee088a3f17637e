//! What a finding is about, in words that stay the same when it is found again.

use model::{Finding, Process, Snapshot, Subject, Traffic};

/// What tells a finding about a machine from others of its code: the first of its subjects.
pub fn on_machine(snapshot: &Snapshot, finding: &Finding) -> String {
    let names = finding.subjects.iter().filter_map(|subject| match subject {
        Subject::Socket(index) => socket(snapshot, *index),
        Subject::Forward(index) => {
            let forward = snapshot.forwards.get(*index)?;
            Some(format!("{}-{}/{} published", forward.first, forward.last, forward.transport.name()))
        }
        Subject::Entry(name) => Some(name.clone()),
        _ => None,
    });
    // One cause may have many sockets, in whatever order: the least of the names is always the same.
    names.min().unwrap_or_default()
}

/// What tells a finding about traffic from others of its code.
pub fn on_wire(traffic: &Traffic, finding: &Finding) -> String {
    let name = |subject: &Subject| {
        let entry = || match subject {
            Subject::Entry(name) => Some(name.clone()),
            _ => None,
        };
        traffic.subject_name(subject).or_else(|| traffic.media.subject_name(subject)).or_else(entry)
    };
    finding.subjects.iter().filter_map(name).min().unwrap_or_default()
}

/// A socket by its kind, address and program: `0.0.0.0:420/tcp nc`.
fn socket(snapshot: &Snapshot, index: usize) -> Option<String> {
    let socket = snapshot.sockets.get(index)?;
    let program = |pid| snapshot.process(pid).map(|process| Process::program(process));
    let holder = socket.holders.iter().filter_map(|holder| program(holder.pid)).min();
    let place = format!("{}/{}", socket.local, socket.kind.name());
    Some(match holder {
        Some(holder) => format!("{place} {holder}"),
        None => place,
    })
}
