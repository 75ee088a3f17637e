//! Traffic to an empty chair: silent-port-traffic, unassigned-port-traffic, reserved-port-traffic.

use std::collections::HashSet;
use std::net::IpAddr;

use model::{
    Appearance, Certainty, Code, Confidence, Direction, Scan, Severity, Status, Subject, Touch, Traffic,
    Transport,
};
use registry::Standing;

use super::home::{Homes, is_ordinary};
use super::mismatch::looks;
use super::words;
use crate::docket::{Cause, Docket, Draft, Many, evidence};
use crate::judge::SYSTEM_PORTS_END;
use crate::rules::paper::{history, purpose};
use crate::traffic::{Berthed, Consent, Watch};

/// A service on a system port whose number promises nobody that we know.
pub(super) fn judge<'a>(
    watch: &Watch<'a>,
    berthed: &Berthed<'a>,
    homes: &mut Homes,
    docket: &mut Docket<'a>,
) {
    let said = &berthed.service.recognised;
    let as_promised = said.protocol.is_some_and(|protocol| homes.at_home(protocol, berthed));
    if !berthed.is_system() || berthed.is_ordinary() || as_promised {
        return;
    }
    let service = berthed.service;
    // What other flows of the same door told is the finding, or explains it.
    if said.protocol.is_none() && watch.speaks_otherwise(service) {
        return;
    }
    if !service.answered && said.protocol.is_none() && told_elsewhere(watch.traffic, berthed) {
        return;
    }
    let mut weight = match (service.answered, service.direction) {
        (true, Direction::Opened) => (Severity::Warning, Confidence::High),
        (true, _) => (Severity::Warning, Confidence::Medium),
        (false, _) => (Severity::Note, Confidence::Medium),
    };
    // Callers take source ports from 512 to 1023 (bindresvport(3)): in the middle of a connection they look like servers.
    let caller = berthed.port >= 512 && service.direction == Direction::FirstSeen && said.protocol.is_none();
    if berthed.is_doubtful() || caller || berthed.is_group() {
        weight = (Severity::Note, Confidence::Low);
    }
    let code = code(&berthed.standing);
    let cause = Cause::Talk { transport: berthed.transport, port: berthed.port, kin: ("chair", 0) };
    docket.raise(code, weight, cause, berthed.subject(), || {
        let does = match (said.protocol, said.certainty, service.answered) {
            (Some(protocol), Certainty::Confirmed | Certainty::Partial, _) => {
                format!(" speaks {}", protocol.title)
            }
            (Some(protocol), _, true) => format!(" answers a client that tries {}", protocol.title),
            (Some(protocol), _, false) => format!(" is sent {}, without an answer", protocol.title),
            (None, _, true) => match said.appearance {
                Appearance::Empty => " answers, without a word".to_owned(),
                appearance => format!(" answers with bytes that {}", looks(appearance)),
            },
            (None, _, false) => " is sent packets, without an answer".to_owned(),
        };
        let mut facts = Vec::new();
        if let Some(protocol) = said.protocol {
            facts.push(words::recognised(service, protocol));
        }
        facts.extend(words::paper(watch, berthed.transport, berthed.port, &berthed.standing));
        facts.push(words::amount(service));
        facts.extend(history(berthed.transport, berthed.port));
        Draft {
            before: String::new(),
            after: format!("{does}; {}", words::nobody(&berthed.standing)),
            evidence: facts,
            next_step: words::look_into(watch, berthed, code),
            many: Some(Many { label: label(&berthed.standing), after: many(code), holder: String::new() }),
            named: None,
        }
    });
}

/// Ports that were knocked at without an answer, except what a scan explains.
pub(crate) fn judge_touches<'a>(watch: &Watch<'a>, consent: &mut Consent<'_>, docket: &mut Docket<'a>) {
    for (index, touch) in watch.traffic.touches.iter().enumerate() {
        if touch.port >= SYSTEM_PORTS_END {
            continue;
        }
        let standing = watch.facts.paper.standing(touch.transport, touch.port);
        if is_ordinary(&standing, touch.transport, touch.port) || is_explained(watch.traffic, touch) {
            continue;
        }
        let subject = Subject::Touch(index);
        let place = (touch.transport, touch.port..=touch.port);
        consent.consider(Some(place), &[touch.example_target], (subject.clone(), None), docket);
        let code = code(&standing);
        let weight = (Severity::Note, Confidence::Medium);
        let cause = Cause::Talk { transport: touch.transport, port: touch.port, kin: ("touch", 0) };
        docket.raise(code, weight, cause, subject, || {
            let flows = words::count(touch.flows, "time");
            let mut facts = vec![evidence(
                format!(
                    "{} knocked at {}{}: {} to {} and others, {} refused{}.",
                    words::count(touch.sources.max(1), "source"),
                    format_args!("{}/{}", touch.port, touch.transport.name()),
                    format_args!(" {flows}"),
                    touch.example_source,
                    touch.example_target,
                    words::grouped(touch.refused),
                    words::when(touch.first, touch.last),
                ),
                words::frame(touch.frame),
            )];
            facts.extend(words::paper(watch, touch.transport, touch.port, &standing));
            facts.extend(history(touch.transport, touch.port));
            Draft {
                before: String::new(),
                after: format!(" was knocked at {flows}, and nobody answered; {}", words::nobody(&standing)),
                evidence: facts,
                next_step: format!(
                    "{}; look at who knocks: {}",
                    watch.keep(Some(touch.port)),
                    touch.example_source
                ),
                many: Some(Many {
                    label: label(&standing),
                    after: " were knocked at, and nobody answered",
                    holder: String::new(),
                }),
                named: None,
            }
        });
    }
}

/// Whether knocks that nobody answered are told as a touch of the port, or as the scan of those who knocked.
fn told_elsewhere(traffic: &Traffic, berthed: &Berthed<'_>) -> bool {
    let service = berthed.service;
    let touched = traffic
        .touches
        .iter()
        .any(|touch| touch.transport == berthed.transport && touch.port == berthed.port);
    let scans = |client: &IpAddr| {
        traffic
            .scans
            .iter()
            .any(|scan| scan.source == *client && covers(scan, berthed.transport, berthed.port))
    };
    let all_named = service.some_clients.len() as u64 >= service.clients.max(1);
    touched || all_named && service.some_clients.iter().all(scans)
}

fn covers(scan: &Scan, transport: Transport, port: u16) -> bool {
    scan.transport == transport && (scan.lowest_port..=scan.highest_port).contains(&port)
}

/// Whether scans reach the port, and there are as many of them as sources that knocked.
fn is_explained(traffic: &Traffic, touch: &Touch) -> bool {
    let there = traffic.scans.iter().filter(|scan| covers(scan, touch.transport, touch.port));
    let sources: HashSet<IpAddr> = there.map(|scan| scan.source).collect();
    sources.len() as u64 >= touch.sources.max(1)
}

fn code(standing: &Standing<'_>) -> Code {
    match standing.status {
        Status::Assigned => Code::SilentPortTraffic,
        Status::Reserved => Code::ReservedPortTraffic,
        Status::Unassigned | Status::Dynamic => Code::UnassignedPortTraffic,
    }
}

fn label(standing: &Standing<'_>) -> String {
    match standing.status {
        Status::Assigned => purpose(standing).to_owned(),
        status => status.name().to_owned(),
    }
}

fn many(code: Code) -> &'static str {
    match code {
        Code::SilentPortTraffic => " have traffic; they are assigned, and not in ordinary use",
        Code::ReservedPortTraffic => " have traffic; they are held back by IANA",
        _ => " have traffic; they are assigned to nobody",
    }
}
