//! What only many flows together tell: scan, beacon.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{
    Beacon, Certainty, Code, Confidence, Evidence, Protocol, Scan, ScanKind, Severity, Subject, Transport,
};

use super::home::{Homes, is_group, is_ordinary, is_private};
use super::words;
use crate::docket::{Cause, Docket, Draft, evidence};
use crate::judge::say;
use crate::rules::paper::history;
use crate::traffic::{Consent, Watch};

/// From so many open doors on, a scan found something.
const MANY_OPEN: u64 = 10;

/// One finding per source, whatever it looked for.
pub(crate) fn scans<'a>(watch: &Watch<'a>, consent: &mut Consent<'_>, docket: &mut Docket<'a>) {
    let mut sources: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for (index, scan) in watch.traffic.scans.iter().enumerate() {
        sources.entry(scan.source).or_default().push(index);
    }
    for (source, indices) in sources {
        let scans: Vec<&Scan> = indices.iter().filter_map(|index| watch.traffic.scans.get(*index)).collect();
        let open = scans.iter().map(|scan| scan.open).fold(0, u64::saturating_add);
        let severity = if open >= MANY_OPEN { Severity::Warning } else { Severity::Note };
        let probes = scans.iter().map(|scan| scan.probes).max().unwrap_or(0);
        let confidence = if probes >= 100 { Confidence::High } else { Confidence::Medium };
        for (index, scan) in indices.iter().zip(&scans) {
            let subject = Subject::Scan(*index);
            let place = (scan.transport, scan.lowest_port..=scan.highest_port);
            // Who scans is what people allow: their own scanner.
            consent.consider(Some(place), &[source], (subject.clone(), None), docket);
            let cause = Cause::Text(source.to_string());
            docket.raise(Code::Scan, (severity, confidence), cause, subject, || {
                let first = scans.first().map(|scan| sought(scan)).unwrap_or_default();
                let also = match scans.len() {
                    0 | 1 => String::new(),
                    several => format!(", and in {} more", words::count(several as u64 - 1, "way")),
                };
                let found = if open > 0 { words::grouped(open) } else { "nothing".to_owned() };
                let mut facts: Vec<(String, String)> = scans.iter().map(|scan| told(scan)).collect();
                facts.push((
                    "Looking for open doors comes before walking in: T1046, Network Service Discovery.".to_owned(),
                    "MITRE ATT&CK T1046".to_owned(),
                ));
                let step = if is_private(source) {
                    format!("find out what runs on {source}; if it is your scanner, allow its address in policy.toml")
                } else {
                    format!("block {source} if you like, and see that what it found open is meant to be")
                };
                let step = format!("{}; {step}", watch.keep(None));
                say(format!("{source} scans {first}{also}; found open: {found}"), "", facts, step)
            });
        }
    }
}

fn sought(scan: &Scan) -> String {
    let over = scan.transport.name();
    match scan.kind {
        ScanKind::Vertical => format!("{} of {} over {over}", words::count(scan.ports, "port"), scan.example),
        ScanKind::Horizontal => {
            format!("port {}/{over} of {}", scan.lowest_port, addresses(scan.addresses))
        }
        ScanKind::Block => {
            format!("{} of {} over {over}", words::count(scan.ports, "port"), addresses(scan.addresses))
        }
    }
}

fn addresses(number: u64) -> String {
    if number == 1 { "1 address".to_owned() } else { format!("{} addresses", words::grouped(number)) }
}

fn told(scan: &Scan) -> (String, String) {
    let fact = format!(
        "A {} scan over {}: {} at about {} and {}, ports {} to {}, for example {}: {} open, {} refused{}.",
        scan.kind.name(),
        scan.transport.name(),
        words::count(scan.probes, "probe"),
        addresses(scan.addresses),
        words::count(scan.ports, "port"),
        scan.lowest_port,
        scan.highest_port,
        scan.example,
        words::grouped(scan.open),
        words::grouped(scan.refused),
        words::when(scan.first, scan.last),
    );
    (fact, words::frame(scan.frame))
}

/// Below this, regularity is what people and programs have by chance.
const WORTH_A_WORD: f64 = 0.75;
/// From here on only a clock calls.
const LIKE_A_CLOCK: f64 = 0.9;
/// So many calls are no chance any more.
const MANY_CALLS: u64 = 100;

/// Protocols whose business is to call at intervals.
const CLOCKS: [&str; 10] =
    ["ntp", "ptp", "mdns", "dhcp", "dhcpv6", "ssdp", "llmnr", "rtcp", "bgp", "netbios-ns"];

/// Whoever calls no longer than this does one piece of work with many connections.
const BURST_NS: i64 = 10_000_000_000;

/// Whether all calls lie so close together that they are no habit.
fn is_burst(beacon: &Beacon) -> bool {
    let (Some(first), Some(last)) = (beacon.first, beacon.last) else { return false };
    last.as_ns().saturating_sub(first.as_ns()) < BURST_NS
}

/// One finding per server that is called.
pub(crate) fn beacons<'a>(
    watch: &Watch<'a>,
    homes: &Homes,
    consent: &mut Consent<'_>,
    docket: &mut Docket<'a>,
) {
    let mut spoken: BTreeMap<(IpAddr, Transport, u16), &'static Protocol> = BTreeMap::new();
    for service in &watch.traffic.services {
        if let (Some(protocol), Certainty::Confirmed) =
            (service.recognised.protocol, service.recognised.certainty)
        {
            spoken.insert((service.server.ip(), service.transport, service.server.port()), protocol);
        }
    }
    for (index, beacon) in watch.traffic.beacons.iter().enumerate() {
        let (server, port) = (beacon.server.ip(), beacon.server.port());
        // A score that is no number says nothing.
        let worth = beacon.score >= WORTH_A_WORD;
        if !worth || is_group(server) || is_burst(beacon) || server == beacon.client {
            continue;
        }
        let protocol = spoken.get(&(server, beacon.transport, port)).copied();
        if protocol.is_some_and(|protocol| {
            CLOCKS.contains(&protocol.name) && homes.is_known_home(protocol, beacon.transport, port)
        }) {
            continue;
        }
        let subject = Subject::Beacon(index);
        let place = (beacon.transport, port..=port);
        consent.consider(Some(place), &[server, beacon.client], (subject.clone(), None), docket);
        let severity = if beacon.score >= LIKE_A_CLOCK && !is_private(server) {
            Severity::Warning
        } else {
            Severity::Note
        };
        let confidence = if beacon.connections >= MANY_CALLS && beacon.score >= LIKE_A_CLOCK {
            Confidence::Medium
        } else {
            Confidence::Low
        };
        let cause = Cause::Text(format!("{} {}", beacon.server, beacon.transport.name()));
        docket.raise(Code::Beacon, (severity, confidence), cause, subject, || {
            let with = protocol.map(|protocol| format!(" with {}", protocol.title)).unwrap_or_default();
            Draft {
                before: String::new(),
                after: format!(
                    " calls {}/{}{with} every {}, as regularly as a clock (score {})",
                    beacon.server,
                    beacon.transport.name(),
                    interval(beacon.interval_ns),
                    score(beacon.score)
                ),
                evidence: explained(watch, beacon),
                next_step: format!(
                    "{}; on {}: find the program that calls (portreeve list --all); updates, monitoring and \
                     mail do this, too",
                    watch.keep(Some(port)),
                    beacon.client
                ),
                many: None,
                named: None,
            }
        });
    }
}

/// Each number with what it means.
fn explained(watch: &Watch<'_>, beacon: &Beacon) -> Vec<Evidence> {
    let frame = words::frame(beacon.frame);
    let mut facts = vec![evidence(
        format!(
            "{} from {} to {}/{}{}; the median interval is {}. Failed ones are not counted.",
            words::count(beacon.connections, "connection"),
            beacon.client,
            beacon.server,
            beacon.transport.name(),
            words::when(beacon.first, beacon.last),
            interval(beacon.interval_ns)
        ),
        frame,
    )];
    for (name, value, meaning) in [
        (
            "Interval",
            beacon.interval_score,
            "how evenly the connections follow each other (symmetry and spread)",
        ),
        ("Size", beacon.size_score, "how alike the amounts are that the client sends"),
        ("Duration", beacon.duration_score, "how much of the observed time they cover, and without a gap"),
        ("Histogram", beacon.histogram_score, "how evenly they fill equal parts of the observed time"),
    ] {
        facts.push(evidence(
            format!("{name} score {} of 1: {meaning}.", score(value)),
            "beacon scores; their mean is the whole",
        ));
    }
    let (transport, port) = (beacon.transport, beacon.server.port());
    if !is_ordinary(&watch.facts.paper.standing(transport, port), transport, port) {
        facts.extend(history(transport, port));
    }
    facts
}

/// A score with two digits.
fn score(value: f64) -> String {
    format!("{value:.2}")
}

/// A span of time as people say it: `250 ms`, `60 s`, `15 min`.
fn interval(ns: i64) -> String {
    let ns = ns.max(0);
    let with_rest = |unit: i64, name: &str| {
        let tenths = ns / (unit / 10).max(1);
        if tenths % 10 == 0 {
            format!("{} {name}", tenths / 10)
        } else {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    };
    const SECOND: i64 = 1_000_000_000;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => with_rest(1_000, "µs"),
        1_000_000..SECOND => with_rest(1_000_000, "ms"),
        _ if ns < 120 * SECOND => with_rest(SECOND, "s"),
        _ if ns < 7_200 * SECOND => with_rest(60 * SECOND, "min"),
        _ => with_rest(3_600 * SECOND, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        for (ns, text) in [
            (0, "0 ns"),
            (-5, "0 ns"),
            (250_000_000, "250 ms"),
            (1_500, "1.5 µs"),
            (60_000_000_000, "60 s"),
            (60_250_000_000, "60.2 s"),
            (900_000_000_000, "15 min"),
            (86_400_000_000_000, "24 h"),
        ] {
            assert_eq!(interval(ns), text);
        }
    }
}
