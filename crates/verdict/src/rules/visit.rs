//! Who came to a port where nobody is: decoy-touched.

use model::{Code, Confidence, Evidence, PortTally, Protocol, Severity, Subject, Transport, Visit};
use registry::{Paper, Usage};

use super::paper::{history, purpose, says};
use super::wire::home::is_private;
use super::wire::words::{count, grouped, when};
use crate::docket::{Cause, Docket, Draft, evidence};
use crate::traffic::Consent;
use crate::visits::SCAN_PORTS;

/// What every visit is judged by.
pub(crate) struct Bench<'a> {
    pub(crate) paper: &'a Paper,
    /// The registry's title and date, as evidence cites it.
    pub(crate) cited: String,
}

/// Protocols by which one takes over a machine or what it keeps.
const CONTROL: [&str; 16] = [
    "ssh",
    "telnet",
    "rdp",
    "vnc",
    "smb",
    "dce-rpc",
    "x11",
    "mssql",
    "mysql",
    "postgresql",
    "mongodb",
    "redis",
    "memcached",
    "s7",
    "modbus",
    "zookeeper",
];
/// Evidence speaks of no more ports than this.
const MOST_PORTS: usize = 3;
/// A title names no more protocols than this.
const MOST_PROTOCOLS: usize = 3;

/// One finding for each source and for what it did: a scan, or a touch.
pub(crate) fn judge(bench: &Bench<'_>, visit: &Visit, consent: &mut Consent<'_>, docket: &mut Docket<'_>) {
    let subject = Subject::Visitor(visit.source);
    consent.consider(Some(place(visit)), &[visit.source], (subject.clone(), None), docket);
    let scans = visit.ports() >= SCAN_PORTS;
    let cause = Cause::Text(format!("{} {scans}", visit.source));
    docket.raise(Code::DecoyTouched, weight(visit), cause, subject, || Draft {
        before: title(bench, visit, scans),
        after: String::new(),
        evidence: facts(bench, visit, scans),
        next_step: next_step(visit),
        many: None,
        named: None,
    });
}

/// The transport that it used most, and the ports.
fn place(visit: &Visit) -> (Transport, core::ops::RangeInclusive<u16>) {
    let (transport, tally) = if visit.udp.touches > visit.tcp.touches {
        (Transport::Udp, &visit.udp)
    } else {
        (Transport::Tcp, &visit.tcp)
    };
    (transport, tally.lowest..=tally.highest)
}

fn weight(visit: &Visit) -> (Severity, Confidence) {
    let controls = visit.spoken.iter().any(|spoken| CONTROL.contains(&spoken.protocol.name));
    let inside = is_private(visit.source) && !visit.source.to_canonical().is_loopback();
    if controls && inside {
        // From within, nobody tries doors by chance.
        (Severity::Alert, Confidence::Medium)
    } else if !visit.spoken.is_empty() {
        (Severity::Warning, Confidence::High)
    } else if visit.received_bytes > 0 {
        (Severity::Warning, Confidence::Medium)
    } else {
        (Severity::Note, Confidence::High)
    }
}

fn title(bench: &Bench<'_>, visit: &Visit, scans: bool) -> String {
    let over = match (visit.tcp.ports, visit.udp.ports) {
        (0, _) => "UDP",
        (_, 0) => "TCP",
        _ => "TCP and UDP",
    };
    let mut text = if scans {
        format!("{} looked through {} over {over} where nobody is", visit.source, ports(visit))
    } else {
        let each = doors(visit).map(|(transport, port)| named(bench, transport, port)).collect::<Vec<_>>();
        format!("{} came to {}, where nobody is", visit.source, each.join(", "))
    };
    let protocols: Vec<&str> =
        visit.spoken.iter().take(MOST_PROTOCOLS).map(|spoken| spoken.protocol.title).collect();
    match (protocols.as_slice(), visit.received_bytes) {
        ([], 0) => {}
        ([], bytes) => {
            text.push_str(&format!(", and sent {} of no protocol that we know", count(bytes, "byte")))
        }
        (names, _) => {
            let more = if visit.spoken.len() > MOST_PROTOCOLS { " and more" } else { "" };
            text.push_str(&format!(", and spoke {}{more}", names.join(", ")));
        }
    }
    text
}

fn ports(visit: &Visit) -> String {
    let least = if visit.tcp.more || visit.udp.more { "at least " } else { "" };
    format!("{least}{}", count(u64::from(visit.ports()), "port"))
}

/// The first few ports that it came to.
fn doors(visit: &Visit) -> impl Iterator<Item = (Transport, u16)> + '_ {
    let tcp = visit.tcp.some.iter().map(|port| (Transport::Tcp, *port));
    tcp.chain(visit.udp.some.iter().map(|port| (Transport::Udp, *port)))
}

fn named(bench: &Bench<'_>, transport: Transport, port: u16) -> String {
    let standing = bench.paper.standing(transport, port);
    let what = match standing.assignment {
        Some(_) if standing.usage != Usage::NotAssigned => purpose(&standing).to_owned(),
        _ => standing.status.name().to_owned(),
    };
    format!("{port}/{} ({what})", transport.name())
}

fn facts(bench: &Bench<'_>, visit: &Visit, scans: bool) -> Vec<Evidence> {
    const SOURCE: &str = "decoy";
    let mut facts = vec![evidence(
        format!(
            "{} came {}{}: {}{}.",
            visit.source,
            count(visit.touches(), "time"),
            when(Some(visit.first), Some(visit.last)),
            [("TCP", &visit.tcp), ("UDP", &visit.udp)]
                .into_iter()
                .filter(|(_, tally)| tally.touches > 0)
                .map(|(name, tally)| range(name, tally))
                .collect::<Vec<_>>()
                .join("; "),
            if visit.only_counted > 0 {
                format!("; {} of them were only counted", grouped(visit.only_counted))
            } else {
                String::new()
            },
        ),
        SOURCE,
    )];
    if visit.connections > 0 || visit.received_bytes > 0 {
        facts.push(evidence(
            format!(
                "{} came about, and {} came.",
                count(visit.connections, "connection"),
                count(visit.received_bytes, "byte")
            ),
            SOURCE,
        ));
    }
    for spoken in visit.spoken.iter().take(MOST_PROTOCOLS) {
        facts.push(spoke(spoken.protocol, spoken.times, spoken.transport, spoken.port));
    }
    // In a scan the numbers say nothing; what was spoken to may.
    let first: Vec<(Transport, u16)> =
        visit.spoken.iter().map(|spoken| (spoken.transport, spoken.port)).collect();
    let all: Vec<(Transport, u16)> = if scans { first } else { doors(visit).collect() };
    for (transport, port) in all.into_iter().take(MOST_PORTS) {
        let standing = bench.paper.standing(transport, port);
        facts.push(says(&bench.cited, transport, port, &standing));
        if let Usage::Silent(reason) = standing.usage {
            facts.push(evidence(format!("{port}/{} is not in ordinary use.", transport.name()), reason));
        }
        facts.extend(history(transport, port));
    }
    facts
}

fn range(name: &str, tally: &PortTally) -> String {
    let least = if tally.more { "at least " } else { "" };
    if tally.ports == 1 {
        return format!("{name} port {}", tally.lowest);
    }
    format!(
        "{least}{} of {name}, from {} to {}",
        count(u64::from(tally.ports), "port"),
        tally.lowest,
        tally.highest
    )
}

fn spoke(protocol: &Protocol, times: u64, transport: Transport, port: u16) -> Evidence {
    evidence(
        format!(
            "It spoke {} {}, first to {port}/{}.",
            protocol.title,
            count(times, "time"),
            transport.name()
        ),
        protocol.reference,
    )
}

fn next_step(visit: &Visit) -> String {
    let source = visit.source;
    if source.to_canonical().is_loopback() {
        return "find the program on this machine that calls a port where nobody is: portreeve watch"
            .to_owned();
    }
    if is_private(source) {
        return format!(
            "find out what runs on {source}: nothing there has business at these ports; if it is your scanner, exclude it \
             (--exclude-source {source})"
        );
    }
    format!("block {source} if you like, and see that what listens here is meant to: portreeve scope=any")
}
