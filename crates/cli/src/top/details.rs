//! Everything that is known about one row, in the words of the other commands.

use std::fmt::Write as _;

use engine::{Row, TrafficView, View, about};
use model::{Subject, Transport};

use super::holders;
use super::known::Known;
use super::ports;
use super::sheet::Thing;
use crate::sanitise;
use crate::selection;
use crate::style::{Paint, Style};
use crate::target::Target;
use crate::text::{self, Form};

/// So many events of one port are told.
const MOST_EVENTS: usize = 20;

/// What a thing is called.
pub(super) fn title(thing: &Thing) -> String {
    match thing {
        Thing::Port(port, transport) => format!("Port {port}/{}", transport.name()),
        Thing::Door(_) => String::from("Socket"),
        Thing::Process(pid) => format!("Process {pid}"),
        Thing::Service(server, transport, _) => format!("Service {server}/{}", transport.name()),
        Thing::Flow(_) => String::from("Flow"),
        Thing::Finding(code, _) => format!("Finding {}", code.name()),
        Thing::Stream(..) => String::from("Stream"),
        Thing::Session(_) => String::from("Session"),
    }
}

/// Writes everything about a thing, in so many columns.
pub(super) fn write(thing: &Thing, known: &Known, width: usize) -> String {
    let form = Form { width: Some(width), style: Style::COLOUR, headings: true };
    let mut out = String::new();
    let machine = &*known.current.machine;
    let traffic = known.current.traffic.as_deref();
    match thing {
        Thing::Port(port, transport) => of_port(&mut out, known, *port, *transport, form),
        Thing::Door(id) => match ports::find(machine, *id) {
            Some(row) => text::list(&mut out, machine, &[row], form),
            None => gone(&mut out),
        },
        Thing::Process(pid) => of_process(&mut out, machine, *pid, form),
        Thing::Service(server, transport, protocol) => {
            let found = traffic.and_then(|view| {
                let is_it = |it: &model::Service| {
                    (it.server, it.transport, it.recognised.protocol.map_or("", |it| it.name))
                        == (*server, *transport, *protocol)
                };
                let at = view.traffic.services.iter().position(is_it)?;
                Some((view, at, view.traffic.services.get(at)?))
            });
            match found {
                Some((view, at, service)) => {
                    text::write_service(&mut out, view, at, service, form);
                    findings_of_wire(&mut out, view, &Subject::Service(at), form);
                }
                None => gone(&mut out),
            }
        }
        Thing::Flow(flow) => text::write_flow(&mut out, flow, form),
        Thing::Finding(code, about) => of_finding(&mut out, known, *code, about, form),
        Thing::Stream(ssrc, destination) => {
            let found = traffic.and_then(|view| {
                let is_it = |it: &model::media::Stream| {
                    it.ssrc == *ssrc && it.legs.first().is_some_and(|leg| leg.destination == *destination)
                };
                let at = view.traffic.media.streams.iter().position(is_it)?;
                Some((view, at, view.traffic.media.streams.get(at)?))
            });
            match found {
                Some((view, at, stream)) => {
                    text::media_page(&mut out, view, at, stream, form);
                    findings_of_wire(&mut out, view, &Subject::Stream(at), form);
                }
                None => gone(&mut out),
            }
        }
        Thing::Session(identity) => {
            let found = traffic.and_then(|view| {
                let at = view.traffic.media.sessions.iter().position(|it| it.identity == *identity)?;
                Some((view, at, view.traffic.media.sessions.get(at)?))
            });
            match found {
                Some((view, at, session)) => {
                    let name = form.style.paint(Paint::Bold, sanitise::line(&session.name));
                    let _ = writeln!(out, "{name} ({})", session.source.word());
                    text::field(&mut out, "known from", &session.source.to_string(), form);
                    for format in &session.formats {
                        text::field(&mut out, "format", &format.essence.to_string(), form);
                    }
                    for leg in &session.legs {
                        text::field(&mut out, "to", &leg.destination.to_string(), form);
                    }
                    text::field(&mut out, "state", "nothing came yet", form);
                    findings_of_wire(&mut out, view, &Subject::Session(at), form);
                }
                None => gone(&mut out),
            }
        }
    }
    out
}

fn gone(out: &mut String) {
    out.push_str("It is not there any more.\n");
}

fn of_port(out: &mut String, known: &Known, port: u16, transport: Transport, form: Form) {
    let view = &*known.current.machine;
    let one = Target { ports: port..=port, transport: Some(transport) };
    let selection = selection::ports_of(&[one], &crate::args::LookArgs::default());
    let rows: Vec<&Row> = view.rows.iter().filter(|row| selection.matches(view, row)).collect();
    let beyond = text::Beyond { past: None, wire: known.current.traffic.as_deref() };
    text::page(out, view, (port, Some(transport)), &rows, beyond, form);
    let of_port = |event: &&std::sync::Arc<model::SocketEvent>| {
        event.local.port() == port && event.kind.transport() == Some(transport)
    };
    let mut events = known.events.iter().rev().filter(of_port).take(MOST_EVENTS).peekable();
    if events.peek().is_some() {
        text::heading(out, "What happened, the newest first", form);
        for event in events {
            text::event_line(out, event, &view.paper, form);
        }
    }
}

fn of_process(out: &mut String, view: &View, pid: u32, form: Form) {
    let rows = holders::rows_of(view, pid);
    let Some(process) = view.snapshot.process(pid) else {
        gone(out);
        return;
    };
    let holder = rows
        .iter()
        .filter_map(|row| view.socket(row))
        .flat_map(|socket| &socket.holders)
        .find(|holder| holder.pid == pid);
    if let Some(holder) = holder {
        text::write_holder(out, holder, process, form);
    }
    text::heading(out, "Holds", form);
    text::list(out, view, &rows, form);
}

fn of_finding(out: &mut String, known: &Known, code: model::Code, name: &str, form: Form) {
    let machine = &*known.current.machine;
    let mut any = false;
    for finding in machine.findings.iter().filter(|it| it.code == code) {
        if about::on_machine(&machine.snapshot, finding) == name {
            text::write_finding(out, machine, finding, &|_| false, form);
            any = true;
        }
    }
    for view in known.current.traffic.iter() {
        for finding in view.findings.iter().filter(|it| it.code == code) {
            if about::on_wire(&view.traffic, finding) == name {
                text::write_traffic_finding(out, view, finding, form);
                any = true;
            }
        }
    }
    let noted =
        known.noted.iter().rev().find(|it| it.sighting.finding.code == code && it.sighting.about == name);
    if let Some(noted) = noted {
        if !any {
            text::write_one(out, &noted.sighting.finding, std::slice::from_ref(&noted.sighting.about), form);
        }
        text::field(out, "found", &noted.sighting.at.rfc3339(), form);
        if noted.over {
            text::field(out, "state", "it stands no more", form);
        }
    } else if !any {
        gone(out);
        return;
    }
    text::field(out, "more", &format!("portreeve explain {}", code.name()), form);
}

fn findings_of_wire(out: &mut String, view: &TrafficView, subject: &Subject, form: Form) {
    for finding in view.findings.iter().filter(|it| it.subjects.contains(subject)) {
        out.push('\n');
        text::write_traffic_finding(out, view, finding, form);
    }
}
