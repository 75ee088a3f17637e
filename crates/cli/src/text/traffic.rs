//! What was on the wire, for people: one table of ports, the findings, and what it amounts to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use engine::{OwnedFlow, TrafficView, Verdict};
use model::{Certainty, Code, Finding, Recognised, Service, Severity, Subject, Timestamp, Transport, Utc};

use super::findings::write_one;
use super::list::{gap_lines, plural};
use super::paper::{field, heading, history, on_paper};
use super::table::{self, Cell, Column};
use super::{Form, cells};
use crate::sanitise;
use crate::style::Paint;

const COLUMNS: [Column; 8] = [
    Column { title: "PORT", right: true, least: 9, rank: 255 },
    Column { title: "FOR", right: false, least: 10, rank: 75 },
    Column { title: "RECOGNISED", right: false, least: 10, rank: 100 },
    Column { title: "SERVER", right: false, least: 10, rank: 60 },
    Column { title: "FLOWS", right: true, least: 5, rank: 40 },
    Column { title: "CLIENTS", right: true, least: 5, rank: 20 },
    Column { title: "BYTES", right: true, least: 6, rank: 30 },
    Column { title: "VERDICT", right: false, least: 8, rank: 255 },
];

/// At most so many lines and findings without being asked; --port, --json and `--flows` have all.
const MOST_LINES: usize = 200;
const MOST_FINDINGS: usize = 20;

/// One line of the table: servers that speak the same on the same port share it.
#[derive(Default)]
struct Line {
    /// The first server, and how many there are.
    server: Option<IpAddr>,
    servers: usize,
    flows: u64,
    clients: u64,
    bytes: u64,
    verdict: Option<(Verdict, Vec<Code>)>,
    software: Option<String>,
}

/// Writes the summary: what was read, the ports, the findings.
pub(crate) fn traffic(out: &mut String, view: &TrafficView, form: Form) {
    if form.headings {
        head(out, view, form);
    }
    services(out, view, form);
    if form.headings {
        out.push('\n');
        findings(out, view, form);
        foot(out, view, form);
    }
}

/// Writes everything about some ports that were asked for.
pub(crate) fn traffic_of_ports(
    out: &mut String,
    view: &TrafficView,
    ports: &[(u16, Option<Transport>)],
    form: Form,
) {
    head(out, view, form);
    for (port, only) in ports {
        let name = only.map(|transport| format!("/{}", transport.name())).unwrap_or_default();
        let _ = writeln!(out, "\n{}", form.style.paint(Paint::Bold, format!("Port {port}{name}")));
        on_paper(out, &view.paper, *port, *only, form);
        history(out, *port, *only, form);
        wire_of_port(out, view, *port, *only, form);
    }
    heading(out, "Verdict", form);
    for finding in &view.findings {
        write_finding(out, view, finding, form);
        out.push('\n');
    }
    accepted(out, view, form);
    foot(out, view, form);
}

/// Writes what was seen on the wire of one port.
pub(crate) fn wire_of_port(
    out: &mut String,
    view: &TrafficView,
    port: u16,
    only: Option<Transport>,
    form: Form,
) {
    heading(out, "On the wire", form);
    let mut said = false;
    let wanted =
        |transport: Transport, number: u16| number == port && only.is_none_or(|only| only == transport);
    for (index, service) in view.traffic.services.iter().enumerate() {
        if wanted(service.transport, service.server.port()) {
            write_service(out, view, index, service, form);
            said = true;
        }
    }
    for touch in view.traffic.touches.iter().filter(|touch| wanted(touch.transport, touch.port)) {
        let _ = writeln!(
            out,
            "  {} without an answer, {} refused; the first from {} to {} (frame {})",
            plural_of(touch.flows, "knock", "knocks"),
            touch.refused,
            touch.example_source,
            touch.example_target,
            touch.frame
        );
        said = true;
    }
    if !said {
        out.push_str("  Nothing was seen here.\n");
    }
}

/// Writes everything about one flow.
pub(crate) fn write_flow(out: &mut String, owned: &OwnedFlow, form: Form) {
    let flow = &owned.flow;
    let title = format!("{} → {}/{}", flow.client, flow.server, flow.transport.name());
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, title));
    write_recognised(out, &flow.recognised, form);
    let direction = flow.direction.name().replace('_', " ");
    let state = flow.state.name().replace('_', " ");
    field(out, "state", &format!("{state}; who serves is known from: {direction}"), form);
    let tally = &flow.tally;
    let words = format!(
        "{} from the client ({}), {} from the server ({})",
        tally.client_packets,
        bytes(tally.client_bytes),
        tally.server_packets,
        bytes(tally.server_bytes)
    );
    field(out, "packets", &words, form);
    if let (Some(first), Some(last)) = (flow.first, flow.last) {
        field(out, "seen", &format!("{} to {}", first.rfc3339(), last.rfc3339()), form);
    }
    for (side, owner) in [("client", &owned.client), ("server", &owned.server)] {
        let Some(owner) = owner else { continue };
        let holders: Vec<String> =
            owner.holders.iter().map(|process| format!("{}[{}]", process.program(), process.pid)).collect();
        let missing = owner.missing.map(|reason| format!("; {}", reason.words())).unwrap_or_default();
        field(out, side, &format!("{} ({}){missing}", holders.join(", "), owner.quality.name()), form);
    }
    if let Some(vlan) = flow.vlan {
        field(out, "vlan", &vlan.to_string(), form);
    }
    if !flow.tunnel.is_empty() {
        field(out, "tunnel", &flow.tunnel, form);
    }
    field(out, "ip", &format!("hops left {}, DSCP {}", flow.ttl, flow.dscp), form);
    for (count, what) in [
        (u64::from(flow.icmp_errors), "ICMP errors"),
        (u64::from(flow.retransmissions), "segments came again"),
        (flow.missing_bytes, "bytes never came"),
    ] {
        if count > 0 {
            field(out, "", &format!("{count} {what}"), form);
        }
    }
    field(out, "community id", &flow.community_id, form);
}

/// Writes flows one by one.
pub(crate) fn flows(out: &mut String, flows: &[OwnedFlow], form: Form) {
    for flow in flows {
        flow_line(out, flow, form);
    }
}

/// Writes one flow in one line.
pub(crate) fn flow_line(out: &mut String, owned: &OwnedFlow, form: Form) {
    let flow = &owned.flow;
    let time = flow.first.map(clock).unwrap_or_default();
    let tally = &flow.tally;
    let _ = write!(
        out,
        "{}  {:4} {} → {}  {}  {} {}, {}",
        form.style.paint(Paint::Dim, time),
        flow.transport.name(),
        flow.client,
        flow.server,
        form.style.paint(Paint::Bold, recognised(&flow.recognised)),
        plural_of(tally.packets(), "packet", "packets"),
        bytes(tally.bytes()),
        flow.state.name().replace('_', " "),
    );
    for (side, owner) in [("client", &owned.client), ("server", &owned.server)] {
        let Some(owner) = owner else { continue };
        let holders: Vec<String> = owner
            .holders
            .iter()
            .take(4)
            .map(|process| format!("{}[{}]", sanitise::line(process.program()), process.pid))
            .collect();
        if !holders.is_empty() {
            let _ = write!(out, "  {side} {} ({})", holders.join(","), owner.quality.name());
        }
    }
    out.push('\n');
}

fn head(out: &mut String, view: &TrafficView, form: Form) {
    let traffic = &view.traffic;
    let volume = &traffic.volume;
    let names: Vec<String> =
        traffic.sources.iter().take(3).map(|name| sanitise::line(name).into_owned()).collect();
    let more = match traffic.sources.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let _ = write!(
        out,
        "{}{more}: {}, {}, {}",
        form.style.paint(Paint::Bold, names.join(", ")),
        plural_of(volume.frames, "frame", "frames"),
        bytes(volume.wire_bytes),
        plural_of(volume.flows, "flow", "flows"),
    );
    if let (Some(first), Some(last)) = (traffic.first, traffic.last) {
        let _ = write!(out, ", {} to {}", first.rfc3339(), last.rfc3339());
    }
    out.push('\n');
    let mut asides = Vec::new();
    for (count, words) in [
        (volume.filtered, "left out by the filter"),
        (volume.dropped, "dropped while capturing"),
        (volume.not_ip, "without IP"),
        (volume.encrypted, "of them encrypted on the link"),
        (volume.portless, "without ports"),
        (volume.cut, "cut short by the snap length"),
        (volume.reassembled, "put together from fragments"),
    ] {
        if count > 0 {
            asides.push(format!("{count} {words}"));
        }
    }
    if !asides.is_empty() {
        let _ = writeln!(out, "{}", form.style.paint(Paint::Dim, asides.join(", ")));
    }
    out.push('\n');
}

fn services(out: &mut String, view: &TrafficView, form: Form) {
    let mut lines: BTreeMap<(u16, Transport, String), Line> = BTreeMap::new();
    for (index, service) in view.traffic.services.iter().enumerate() {
        let key = (service.server.port(), service.transport, recognised(&service.recognised));
        let line = lines.entry(key).or_default();
        line.server.get_or_insert(service.server.ip());
        line.servers += 1;
        line.flows += service.flows;
        line.clients = line.clients.max(service.clients);
        line.bytes += service.tally.bytes();
        if line.software.is_none() {
            line.software = service.recognised.detail("software").map(str::to_owned);
        }
        let verdict = view.verdict_of_service(index);
        let codes = || view.findings_of_service(index).map(|finding| finding.code).collect();
        if line.verdict.as_ref().is_none_or(|(known, _)| verdict > *known) {
            line.verdict = Some((verdict, codes()));
        }
    }
    if lines.is_empty() {
        if form.headings {
            out.push_str("Nobody spoke: no service was seen.\n");
        }
        return;
    }
    let hidden = if form.headings { lines.len().saturating_sub(MOST_LINES) } else { 0 };
    let mut order: Vec<_> = lines.into_iter().collect();
    if hidden > 0 {
        // What was judged matters most, then what there is most of.
        let weight = |line: &Line| (line.verdict.as_ref().map(|(verdict, _)| *verdict), line.bytes);
        order.sort_by_key(|(_, line)| std::cmp::Reverse(weight(line)));
        order.truncate(MOST_LINES);
        order.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let rows: Vec<[Cell; 8]> = order
        .into_iter()
        .map(|((port, transport, said), line)| {
            let (verdict, codes) = line.verdict.unwrap_or((Verdict::Ok, Vec::new()));
            let first = line.server.map(|server| server.to_string()).unwrap_or_default();
            let servers = match line.servers {
                0 | 1 => first,
                more => format!("{first} +{}", more - 1),
            };
            [
                Cell::painted(format!("{port}/{}", transport.name()), Paint::Bold),
                Cell::plain(cells::service(&view.paper, Some(transport), port)),
                Cell::plain(said),
                Cell::plain(servers),
                Cell::plain(line.flows.to_string()),
                Cell::plain(line.clients.to_string()),
                Cell::plain(bytes(line.bytes)),
                Cell::painted(cells::verdict(verdict, &codes), Paint::of(verdict)),
            ]
        })
        .collect();
    table::render(out, &COLUMNS, &rows, form);
    if hidden > 0 {
        let _ =
            writeln!(out, "… {} more (--json has all, --port looks at one)", plural(hidden, "line", "lines"));
    }
}

/// The protocol with the word of confidence, where it is not simply confirmed.
pub(crate) fn recognised(recognised: &Recognised) -> String {
    match (recognised.protocol, recognised.certainty) {
        (Some(protocol), Certainty::Confirmed) => protocol.name.to_owned(),
        (Some(protocol), certainty) => format!("{} ({})", protocol.name, certainty.name()),
        (None, _) => match recognised.attempt {
            Some(attempt) => format!("unknown ({}), {} tried", recognised.appearance.name(), attempt.name),
            None => format!("unknown ({})", recognised.appearance.name()),
        },
    }
}

/// Writes everything about one service.
pub(crate) fn write_service(
    out: &mut String,
    view: &TrafficView,
    index: usize,
    service: &Service,
    form: Form,
) {
    let verdict = view.verdict_of_service(index);
    let codes: Vec<Code> = view.findings_of_service(index).map(|finding| finding.code).collect();
    let _ = writeln!(
        out,
        "  {} {}  {}",
        form.style.paint(Paint::Bold, format!("{}/{}", service.server, service.transport.name())),
        recognised(&service.recognised),
        form.style.paint(Paint::of(verdict), cells::verdict(verdict, &codes))
    );
    write_recognised(out, &service.recognised, form);
    let clients: Vec<String> = service.some_clients.iter().take(8).map(ToString::to_string).collect();
    field(out, "clients", &format!("{}: {}", service.clients, clients.join(", ")), form);
    let tally = &service.tally;
    let words = format!(
        "{}, {} from clients ({}), {} from the server ({})",
        plural_of(service.flows, "flow", "flows"),
        tally.client_packets,
        bytes(tally.client_bytes),
        tally.server_packets,
        bytes(tally.server_bytes)
    );
    field(out, "packets", &words, form);
    if let (Some(first), Some(last)) = (service.first, service.last) {
        field(out, "seen", &format!("{} to {}", first.rfc3339(), last.rfc3339()), form);
    }
    let frames: Vec<String> = service.frames.iter().map(ToString::to_string).collect();
    field(out, "frames", &frames.join(", "), form);
}

/// Writes what the bytes say, and how we know.
fn write_recognised(out: &mut String, known: &Recognised, form: Form) {
    if let Some(protocol) = known.protocol {
        let certainty = known.certainty.name();
        field(out, "protocol", &format!("{} ({}), {certainty}", protocol.title, protocol.reference), form);
        field(out, "rule", known.rule, form);
    }
    if let Some(attempt) = known.attempt {
        field(out, "client tried", attempt.title, form);
    }
    for detail in &known.details {
        field(out, &detail.name.replace('_', " "), &detail.value, form);
    }
    if let Some(certificate) = &known.certificate {
        let own = if certificate.self_signed { ", self-signed" } else { "" };
        let words = format!(
            "{}; issuer {}{own}; valid {} to {}",
            certificate.subject,
            certificate.issuer,
            certificate.not_before.rfc3339(),
            certificate.not_after.rfc3339()
        );
        field(out, "certificate", &words, form);
        field(out, "names", &certificate.names.join(", "), form);
    }
}

pub(super) fn findings(out: &mut String, view: &TrafficView, form: Form) {
    let grave: Vec<&Finding> =
        view.findings.iter().filter(|finding| finding.severity >= Severity::Warning).collect();
    for finding in grave.iter().take(MOST_FINDINGS) {
        finding_line(out, finding, form);
    }
    if grave.len() > MOST_FINDINGS {
        let _ = writeln!(out, "… {} more (--json has all, --port looks at one)", grave.len() - MOST_FINDINGS);
    }
    if !grave.is_empty() {
        out.push('\n');
    }
    accepted(out, view, form);
}

fn accepted(out: &mut String, view: &TrafficView, form: Form) {
    if view.accepted.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, "Accepted by policy"));
    for accepted in view.accepted.iter().take(MOST_FINDINGS) {
        super::findings::accepted_line(out, accepted);
    }
    if view.accepted.len() > MOST_FINDINGS {
        let _ = writeln!(out, "  … {} more (--json has all)", view.accepted.len() - MOST_FINDINGS);
    }
    out.push('\n');
}

/// Writes one finding in one line.
pub(crate) fn finding_line(out: &mut String, finding: &Finding, form: Form) {
    let severity = finding.severity;
    let word = form.style.paint(Paint::severity(severity), format!("{:7}", severity.name()));
    let _ = writeln!(out, "{word} {}: {}", finding.code.name(), sanitise::line(&finding.title));
}

/// Writes one finding in full.
pub(crate) fn write_finding(out: &mut String, view: &TrafficView, finding: &Finding, form: Form) {
    let about = |subject: &Subject| match subject {
        Subject::Entry(entry) => Some(entry.clone()),
        subject => view.traffic.subject_name(subject),
    };
    let subjects: Vec<String> = finding.subjects.iter().filter_map(about).collect();
    write_one(out, finding, &subjects, form);
}

pub(super) fn foot(out: &mut String, view: &TrafficView, form: Form) {
    super::comments::write(out, &view.traffic, form);
    let traffic = &view.traffic;
    let mut parts = vec![plural(traffic.services.len(), "service", "services")];
    for (count, one, many) in [
        (traffic.scans.len(), "scan", "scans"),
        (traffic.beacons.len(), "beacon", "beacons"),
        (traffic.touches.len(), "port without an answer", "ports without an answer"),
    ] {
        if count > 0 {
            parts.push(plural(count, one, many));
        }
    }
    let _ = writeln!(out, "{}; {}.", parts.join(", "), judged(&view.findings, view.accepted.len(), form));
    gap_lines(out, &traffic.gaps, form);
}

/// Writes what could not be read, and what would help.
pub(crate) fn gaps_of_traffic(out: &mut String, view: &TrafficView, form: Form) {
    gap_lines(out, &view.traffic.gaps, form);
}

/// How many findings of each severity.
pub(super) fn judged(findings: &[Finding], accepted: usize, form: Form) -> String {
    let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    super::list::judged_words(
        [of(Severity::Alert), of(Severity::Warning), of(Severity::Note), accepted],
        form,
    )
}

fn plural_of(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A number of bytes with three digits or so: `812 B`, `1.4 kB`, `2.1 GB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    // Tenths of the unit, rounded half up, without leaving whole numbers.
    let mut divisor: u64 = 1000;
    let mut unit = UNITS.iter();
    let mut name = unit.next().copied().unwrap_or_default();
    while count / divisor >= 1000 {
        let Some(next) = unit.next() else { break };
        (divisor, name) = (divisor.saturating_mul(1000), next);
    }
    let tenths = (u128::from(count) * 10 + u128::from(divisor) / 2) / u128::from(divisor);
    if tenths >= 1000 {
        format!("{} {name}", tenths / 10)
    } else {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    }
}

/// The time of day, as a line of a log has it.
pub(crate) fn clock(time: Timestamp<Utc>) -> String {
    let text = time.rfc3339_ns();
    text.get(11..23).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        for (count, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1449, "1.4 kB"),
            (99_949, "99.9 kB"),
            (123_456, "123 kB"),
            (2_100_000_000, "2.1 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), words);
        }
    }

    fn text(write: impl FnOnce(&mut String, &TrafficView, Form)) -> String {
        let mut out = String::new();
        let form = Form { width: None, style: crate::style::Style::PLAIN, headings: true };
        write(&mut out, &crate::fixture::traffic::view(), form);
        assert!(!out.contains('\u{1b}'), "{out}");
        out
    }

    #[test]
    fn the_summary_says_what_is_spoken_where_and_what_is_wrong() {
        let text = text(traffic);
        for expected in [
            "60 frames, 30.0 kB, 8 flows",
            "1 cut short",
            "420/tcp",
            "warning protocol-mismatch",
            "unknown (looks encrypted)",
            "3 services, 1 scan, 1 beacon, 1 port without an answer; 1 warning, 4 notes, 1 accepted.",
            "raise --memory",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn the_page_of_a_port_says_everything_about_it() {
        let text = text(|out, view, form| {
            traffic_of_ports(out, view, &[(420, None), (443, Some(Transport::Tcp)), (9, None)], form);
        });
        for expected in [
            "Port 420\n",
            "SSH (RFC 4253), confirmed",
            "4 knocks without an answer, 1 refused",
            "Port 443/tcp",
            "CN=www.example; issuer CN=www.example, self-signed",
            "Nothing was seen here.",
            "warning protocol-mismatch: 420 speaks SSH",
            "192.0.2.1:420/tcp",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn a_flow_is_one_line() {
        let mut out = String::new();
        flows(
            &mut out,
            &[crate::fixture::traffic::flow()],
            Form { width: None, style: crate::style::Style::PLAIN, headings: true },
        );
        assert_eq!(out.lines().count(), 1);
        assert!(out.contains("192.0.2.7:50000 → 192.0.2.1:420  ssh  19 packets 10.0 kB, closed"), "{out}");
    }
}
