//! What a finding is about, in words that stay the same when it is found again.
//!
//! Where it is about one port, they begin with the transport, and the address with the port or the port alone.

use model::{Finding, Process, Snapshot, Subject, Traffic};

/// What tells a finding about a machine from others of its code: the first of its subjects.
pub fn on_machine(snapshot: &Snapshot, finding: &Finding) -> String {
    let names = finding.subjects.iter().filter_map(|subject| match subject {
        Subject::Socket(index) => socket(snapshot, *index),
        Subject::Forward(index) => {
            let forward = snapshot.forwards.get(*index)?;
            Some(format!("{} {}-{} published", forward.transport.name(), forward.first, forward.last))
        }
        Subject::Entry(name) => Some(name.clone()),
        _ => None,
    });
    // One cause may have many sockets, in whatever order: the least of the names is always the same.
    names.min().unwrap_or_default()
}

/// What tells a finding about traffic from others of its code.
pub fn on_wire(traffic: &Traffic, finding: &Finding) -> String {
    let name = |subject: &Subject| match subject {
        Subject::Service(at) => {
            traffic.services.get(*at).map(|it| format!("{} {}", it.transport.name(), it.server))
        }
        Subject::Touch(at) => {
            traffic.touches.get(*at).map(|it| format!("{} {}", it.transport.name(), it.port))
        }
        Subject::Entry(name) => Some(name.clone()),
        subject => traffic.subject_name(subject).or_else(|| traffic.media.subject_name(subject)),
    };
    finding.subjects.iter().filter_map(name).min().unwrap_or_default()
}

/// What tells a finding about decoys from others of its code: the source.
pub fn at_decoys(finding: &Finding) -> String {
    let source = |subject: &Subject| match subject {
        Subject::Visitor(source) => Some(source.to_string()),
        Subject::Entry(name) => Some(name.clone()),
        _ => None,
    };
    finding.subjects.iter().filter_map(source).min().unwrap_or_default()
}

/// A socket by its kind, address and program: `tcp 0.0.0.0:420 nc`.
fn socket(snapshot: &Snapshot, index: usize) -> Option<String> {
    let socket = snapshot.sockets.get(index)?;
    let program = |pid| snapshot.process(pid).map(|process| Process::program(process));
    let holder = socket.holders.iter().filter_map(|holder| program(holder.pid)).min();
    let place = format!("{} {}", socket.kind.name(), socket.local);
    Some(match holder {
        Some(holder) => format!("{place} {holder}"),
        None => place,
    })
}
