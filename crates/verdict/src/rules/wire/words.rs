//! What was on the wire, in the words of evidence.

use model::{Certainty, Direction, Evidence, Protocol, Service, Timestamp, Transport, Utc};
use registry::{Standing, Usage, program};

use super::home::is_private;
use crate::docket::evidence;
use crate::rules::paper::{purpose, service};
use crate::traffic::{Berthed, Watch};

/// The frames that show a service, as a source: `frame 12`, `frames 12, 40`.
pub(in crate::rules) fn frames(numbers: &[u64]) -> String {
    let listed: Vec<String> =
        numbers.iter().filter(|number| **number > 0).take(4).map(u64::to_string).collect();
    match listed.as_slice() {
        [] => "the capture".to_owned(),
        [one] => format!("frame {one}"),
        several => format!("frames {}", several.join(", ")),
    }
}

/// One frame as a source.
pub(in crate::rules) fn frame(number: u64) -> String {
    frames(&[number])
}

/// A number with its noun: `1 flow`, `12 flows`.
pub(in crate::rules) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number in groups of three digits: `1,204`.
pub(in crate::rules) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// When: `from 2026-… to …`, or nothing where the capture has no times.
pub(in crate::rules) fn when(first: Option<Timestamp<Utc>>, last: Option<Timestamp<Utc>>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first.as_seconds() != last.as_seconds() => {
            format!(", from {} to {}", first.rfc3339(), last.rfc3339())
        }
        (Some(first), _) => format!(", at {}", first.rfc3339()),
        (None, _) => String::new(),
    }
}

/// How much was seen of a service, by whom, when, and how we know who serves.
pub(super) fn amount(service: &Service) -> Evidence {
    let clients: Vec<String> = service.some_clients.iter().take(3).map(ToString::to_string).collect();
    let more = service.clients > clients.len() as u64;
    let of = match clients.as_slice() {
        [] => String::new(),
        clients => format!(" ({}{})", clients.join(", "), if more { ", …" } else { "" }),
    };
    let direction = match service.direction {
        Direction::Opened => "the opening was seen",
        Direction::Spoken => "who serves is told by the bytes",
        Direction::FirstSeen => "who sent first is taken for the client",
    };
    evidence(
        format!(
            "{}/{}: {} of {}{of}, {}, {}{}; {direction}.",
            service.server,
            service.transport.name(),
            count(service.flows, "flow"),
            count(service.clients.max(1), "client"),
            count(service.tally.packets(), "packet"),
            count(service.tally.bytes(), "byte"),
            when(service.first, service.last),
        ),
        frames(&service.frames),
    )
}

/// What was recognised, by which rule, and how sure that is.
pub(super) fn recognised(service: &Service, protocol: &Protocol) -> Evidence {
    let said = &service.recognised;
    let whose = match said.certainty {
        Certainty::Confirmed => "The server's bytes are",
        Certainty::Attempt => "The client's bytes are",
        Certainty::Partial | Certainty::Unknown => "A part of the bytes looks like",
    };
    let rule = if said.rule.is_empty() { String::new() } else { format!(": {}", said.rule) };
    // What it says of itself helps a person more than the rule does.
    let details: Vec<String> =
        said.details.iter().take(3).map(|detail| format!("{} {}", detail.name, detail.value)).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    evidence(
        format!("{whose} {} ({}){rule}{details}.", protocol.title, said.certainty.name()),
        frames(&service.frames),
    )
}

/// Where the protocol belongs.
pub(super) fn home_of(protocol: &Protocol) -> Evidence {
    let services: Vec<&str> = protocol.services.iter().copied().take(6).collect();
    let fact = if services.is_empty() {
        format!("{} has no port of its own.", protocol.title)
    } else {
        format!("{} is at home at the ports of: {}.", protocol.title, services.join(", "))
    };
    evidence(fact, protocol.reference)
}

/// What paper says of the port, whether anybody uses it so, what is commonly seen.
pub(super) fn paper(
    watch: &Watch<'_>,
    transport: Transport,
    port: u16,
    standing: &Standing<'_>,
) -> Vec<Evidence> {
    let mut facts = vec![crate::rules::paper::says(&watch.paper, transport, port, standing)];
    let common = program::commonly_seen(transport, port);
    match (standing.usage, common) {
        (_, Some(common)) if Some(common) != service(standing) => {
            facts.push(evidence(
                format!("Commonly seen on {port}/{}: {common}.", transport.name()),
                "program map",
            ));
        }
        (Usage::Silent(reason), None) => {
            facts.push(evidence(format!("Not in ordinary use: {reason}"), "silence table"));
        }
        _ => {}
    }
    facts
}

/// What the port is for, as a clause: `the port is ordinarily domain`.
pub(super) fn promise(berthed: &Berthed<'_>) -> String {
    let standing = &berthed.standing;
    let common = program::commonly_seen(berthed.transport, berthed.port);
    match (service(standing), common) {
        (Some(name), Some(common)) if name != common => {
            format!("the port is ordinarily {name} (commonly {common})")
        }
        (None, Some(common)) => format!("the port is commonly {common}"),
        (Some(name), _) if berthed.is_ordinary() => format!("the port is ordinarily {name}"),
        _ => nobody(standing),
    }
}

/// What is said of a port that nobody ordinarily uses.
pub(super) fn nobody(standing: &Standing<'_>) -> String {
    match standing.status {
        model::Status::Assigned => {
            format!("the port is assigned to {}, and not in ordinary use", purpose(standing))
        }
        model::Status::Reserved => "the port is held back by IANA".to_owned(),
        model::Status::Unassigned => "the port is assigned to nobody".to_owned(),
        model::Status::Dynamic => "the port is of the dynamic range, and nobody's".to_owned(),
    }
}

/// What to do about a service that should not be there.
pub(super) fn look_into(watch: &Watch<'_>, berthed: &Berthed<'_>, code: model::Code) -> String {
    let (port, server) = (berthed.port, berthed.service.server.ip());
    // Other people's servers cannot be asked who holds the port; one's own clients can.
    let ask = match berthed.service.some_clients.first().filter(|client| is_private(**client)) {
        Some(client) if !is_private(server) => {
            format!("on {client}: find the program that talks to {server} (portreeve list --all)")
        }
        _ => format!("on {server}: portreeve {port}"),
    };
    format!(
        "{}; {ask}; if it is meant to be so, allow it in policy.toml with code = \"{}\" and a reason",
        watch.keep(Some(port)),
        code.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1204), "1,204");
        assert_eq!(grouped(2_000_000), "2,000,000");
        assert_eq!(count(1, "flow"), "1 flow");
        assert_eq!(frames(&[0, 12]), "frame 12");
        assert_eq!(frames(&[12, 40]), "frames 12, 40");
        assert_eq!(frames(&[]), "the capture");
    }
}
