//! From where a guarded door can be reached: exposed-service, for sockets and for ports published without one.

use model::{Code, Confidence, Forward, Severity, Subject, Transport};
use registry::program::{self, Class, Program, Sensitive, SensitiveKind};

use crate::accord::forward_scope;
use crate::docket::{Cause, Docket};
use crate::judge::{Bench, Listener, say};
use crate::known::who_all;

pub(crate) fn judge<'a>(bench: &Bench<'a>, listener: &Listener<'_, 'a>, docket: &mut Docket<'a>) {
    // A container's own namespace is reached through what the machine publishes, and that is judged there.
    if !listener.is_beyond_loopback() || (!listener.own && listener.in_container()) {
        return;
    }
    let by_number = program::sensitive(listener.transport, listener.port);
    let registered = bench.facts.paper.standing(listener.transport, listener.port);
    let name = registered.assignment.map(|row| row.name);
    let serves = |program: &Program| program::serves(program, listener.transport, listener.port, name);
    let by_holder = || {
        // A database is one wherever it listens; its further ports, which the map lists, are judged by number.
        let known = listener
            .holders
            .iter()
            .filter(|holder| holder.odd.is_none())
            .filter_map(|holder| holder.program());
        known
            .chain(listener.activated)
            .filter(|program| !serves(program))
            .find_map(|program| guarded(bench, program))
    };
    let Some(door) = by_number.or_else(by_holder) else { return };
    let confirmed = listener.holders.iter().any(|holder| holder.is(serves)) || by_number.is_none();
    let known_other = !listener.holders.is_empty()
        && listener.holders.iter().all(|holder| holder.class() == Some(Class::Service) && !holder.is(serves));
    // Another known service is not that database at all, and the kernel's choice of a number says nothing.
    if !confirmed && (known_other || listener.is_ephemeral()) {
        return;
    }
    let common = program::commonly_seen(listener.transport, listener.port);
    let web = name.into_iter().chain(common).any(super::number::is_web);
    let class = |class: Class| listener.holders.iter().any(|holder| holder.class() == Some(class));
    let web_server = listener.holders.iter().any(|holder| {
        holder.is(|program| program.class == Class::Multiplexer && program.services.contains(&"http"))
    });
    let weight = match (web, confirmed) {
        // A web server, or a program of one's own, on a number that also speaks HTTP is most often just that.
        (true, _) if web_server => (Severity::Note, Confidence::Low),
        (true, false) if class(Class::Runtime) => (Severity::Note, Confidence::Low),
        // Debuggers have no number of their own: 1234 and 5555 are what people type when they try something.
        (_, false) if door.kind == SensitiveKind::Debugger || common.is_none() => {
            (Severity::Note, Confidence::Low)
        }
        // A program of one's own may take any user port. The numbers of databases everybody knows, and keeps off.
        (_, false)
            if door.kind != SensitiveKind::Database
                && !listener.is_system_port()
                && !listener.holders.is_empty()
                && !class(Class::Multiplexer) =>
        {
            (Severity::Note, Confidence::Low)
        }
        (_, true) if !class(Class::Runtime) => (Severity::Warning, Confidence::High),
        _ => (Severity::Warning, Confidence::Medium),
    };
    let cause = door_of(listener.port, listener.transport, listener.socket.netns);
    docket.raise(Code::ExposedService, weight, cause, listener.subject(), || {
        let who = who_all(listener.holders, listener.socket.holders_missing);
        let after = format!(
            " ({}, {}) can be reached from beyond {}; held by {who}",
            door.what,
            door.kind.name(),
            if listener.own { "this machine" } else { "its network namespace" }
        );
        let basis = if confirmed {
            "The holder is a program that serves it."
        } else {
            "That it is this service is known from the number only."
        };
        let facts = vec![
            (format!("Bound to {}.", listener.socket.local), "socket table".to_owned()),
            (format!("This door ought to stay shut: {}.", door.why), "sensitive ports".to_owned()),
            (basis.to_owned(), "program map".to_owned()),
        ];
        say("", after, facts, close_door(listener.port, listener.transport))
    });
}

pub(crate) fn judge_forward<'a>(bench: &Bench<'a>, index: usize, forward: &Forward, docket: &mut Docket<'a>) {
    let own = bench.snapshot.namespace(forward.netns).is_none_or(|namespace| namespace.own);
    if !own || !forward_scope(forward).beyond_loopback() {
        return;
    }
    // A range keeps its offsets, unless it is sent to one port.
    for port in forward.first..=forward.last {
        let target = forward.to_port.map_or(port, |to| if forward.first == forward.last { to } else { port });
        let found = program::sensitive(forward.transport, target);
        let Some(door) = found.or_else(|| program::sensitive(forward.transport, port)) else { continue };
        publish(index, forward, port, target, door, docket);
    }
}

fn publish(
    index: usize,
    forward: &Forward,
    port: u16,
    target: u16,
    door: Sensitive,
    docket: &mut Docket<'_>,
) {
    let weight = (Severity::Warning, Confidence::Medium);
    let cause = door_of(port, forward.transport, forward.netns);
    docket.raise(Code::ExposedService, weight, cause, Subject::Forward(index), || {
        let to = forward.to_addr.map_or_else(|| "this machine".to_owned(), |addr| addr.to_string());
        let container = forward
            .container
            .as_ref()
            .map(|container| format!(", container {}", container.name.value().unwrap_or(&container.id)));
        let after = format!(
            " is published to {to} port {target}{}: {}, {}",
            container.unwrap_or_default(),
            door.what,
            door.kind.name()
        );
        let facts = vec![
            (
                format!("Packets to {port}/{} go to {to} port {target}.", forward.transport.name()),
                forward.rule.clone(),
            ),
            (format!("This door ought to stay shut: {}.", door.why), "sensitive ports".to_owned()),
        ];
        let step = format!(
            "publish it on loopback only (docker: -p 127.0.0.1:{port}:{target}), or allow it with a reason"
        );
        say("", after, facts, step)
    });
}

/// A published port and the proxy that serves it are one cause.
fn door_of(port: u16, transport: Transport, netns: u32) -> Cause {
    Cause::Text(format!("{port}/{} {netns}", transport.name()))
}

/// The database that a program is, whatever the number.
fn guarded(bench: &Bench<'_>, program: &'static Program) -> Option<Sensitive> {
    if program.class != Class::Service {
        return None;
    }
    let registered =
        program.services.iter().flat_map(|name| bench.facts.paper.by_name(name)).filter_map(|row| {
            let transport = row.transport.filter(|transport| *transport == Transport::Tcp)?;
            Some((transport, row.first?))
        });
    let mut doors = program.ports.iter().copied().chain(registered);
    doors.find_map(|(transport, port)| {
        program::sensitive(transport, port).filter(|door| door.kind == SensitiveKind::Database)
    })
}

fn close_door(port: u16, transport: Transport) -> String {
    let transport = transport.name();
    format!(
        "bind it to 127.0.0.1, or let a firewall name who may come; more: portreeve {port}/{transport}, nft list ruleset"
    )
}
