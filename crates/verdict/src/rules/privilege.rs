//! Privilege that the port does not ask for: needless-privilege.

use model::{Code, Confidence, Severity};
use registry::program::Class;

use crate::docket::{Cause, Docket};
use crate::judge::{Bench, Listener, say};
use crate::known::{Known, shell, who};

pub(crate) fn judge<'a>(_bench: &Bench<'a>, listener: &Listener<'_, 'a>, docket: &mut Docket<'a>) {
    let Some(rules) = listener.rules else { return };
    if listener.port >= rules.unprivileged_start || listener.socket.activation.is_some() {
        return;
    }
    // One holder without root is the worker of a master that has it: privilege is kept apart already.
    let [first, ..] = listener.holders else { return };
    let all = listener.holders.iter().all(|holder| holder.is_all_powerful() && !holder.in_container);
    if !all || listener.holders.iter().any(|holder| holder.process.pid == 1 || needs_root(holder)) {
        return;
    }
    let confidence = match first.class() {
        Some(Class::Service | Class::Multiplexer) => Confidence::Medium,
        // What a program of one's own needs root for is not known; where systemd runs it, giving less is easy.
        Some(Class::Runtime) | None if first.is_system_service() => Confidence::Low,
        _ => return,
    };
    let weight = (Severity::Note, confidence);
    docket.raise(Code::NeedlessPrivilege, weight, Cause::Exe(first.exe), listener.subject(), || {
        let process = first.process;
        let after = format!(" is held with every privilege of root by {}", who(process));
        let facts = vec![
            (
                format!("Ports below {} need one capability, CAP_NET_BIND_SERVICE.", rules.unprivileged_start),
                "/proc/sys/net/ipv4/ip_unprivileged_port_start".to_owned(),
            ),
            ("It runs as user 0 with CAP_SYS_ADMIN effective.".to_owned(), format!("/proc/{}/status", process.pid)),
        ];
        let step = match process.unit.value().filter(|unit| unit.name.ends_with(".service")) {
            Some(unit) => format!(
                "systemctl edit -- {}: set User=, AmbientCapabilities=CAP_NET_BIND_SERVICE and NoNewPrivileges=yes",
                shell(&unit.name)
            ),
            None => "run it as a user of its own with CAP_NET_BIND_SERVICE: setpriv --ambient-caps +net_bind_service".to_owned(),
        };
        say("", after, facts, step)
    });
}

fn needs_root(holder: &Known<'_>) -> bool {
    holder.is(|program| program.needs_root || program.class == Class::Sniffer)
}
