//! What is remembered, as text: records, the past of a port, findings over time.

use std::fmt::Write as _;

use model::Severity;
use store::{
    DoorHistory, FindingRecord, FindingState, Findings, HolderName, Moment, PortHistory, Record, Records,
    Span, Statistics, Watched, What,
};

use super::Form;
use super::paper::{field, heading};
use super::table::{Cell, Column, render};
use crate::sanitise;
use crate::style::Paint;

/// A time without its fraction.
fn time(moment: Moment) -> String {
    moment.0.rfc3339()
}

fn times(count: u64) -> String {
    if count == 1 { String::from("once") } else { format!("{count} times") }
}

fn span(span: &Span) -> String {
    format!("first {}, last {}, {}", time(span.first), time(span.last), times(span.times))
}

/// For how long somebody watched, as part of a sentence.
fn watched(watched: &Watched) -> String {
    let days = super::plural(usize::try_from(watched.days).unwrap_or(usize::MAX), "day", "days");
    match watched.since {
        Some(since) => format!("{days} of history, since {}", time(since)),
        None => String::from("a history in which nothing is yet"),
    }
}

/// Who a holder is, in a line.
fn holder(name: &HolderName) -> String {
    let user = match (&name.user, name.uid) {
        (Some(user), _) => format!(" as {user}"),
        (None, Some(uid)) => format!(" as uid {uid}"),
        (None, None) => String::new(),
    };
    let state = match name.exe_state.as_str() {
        "present" => String::new(),
        state => format!(" ({state})"),
    };
    let place = [&name.unit, &name.container].into_iter().flatten().map(|place| format!(", {place}"));
    let exe = name.exe.as_deref().unwrap_or(&name.program);
    format!("{exe}{state}{user}{}", place.collect::<String>())
}

/// Writes the lines about the past of a port, in the page that has more than the past.
pub(crate) fn past(out: &mut String, history: &Result<PortHistory, String>, form: Form) {
    heading(out, "History", form);
    let history = match history {
        Ok(history) => history,
        Err(why) => {
            field(out, "not known", why, form);
            return;
        }
    };
    used(out, history, form);
    const MOST: usize = 5;
    let holders: Vec<_> = history.doors.iter().flat_map(|door| &door.holders).collect();
    for known in holders.iter().take(MOST) {
        field(out, "held by", &format!("{}; {}", holder(&known.holder), span(&known.seen)), form);
    }
    if holders.len() > MOST {
        field(
            out,
            "and",
            &format!("{} more: portreeve history {}", holders.len() - MOST, history.port),
            form,
        );
    }
}

fn used(out: &mut String, history: &PortHistory, form: Form) {
    let for_long = watched(&history.watched);
    let is_used = history.used.iter().any(|used| used.held.is_some() || used.served.is_some());
    if !is_used {
        field(out, "never used", &format!("on this machine, in {for_long}"), form);
    }
    for used in &history.used {
        for (what, seen) in [("held", &used.held), ("answered", &used.served), ("knocked at", &used.knocked)]
        {
            if let Some(seen) = seen {
                field(out, &format!("{what} ({})", used.transport), &span(seen), form);
            }
        }
    }
    if is_used {
        field(out, "watched", &for_long, form);
    }
}

/// Writes everything that is remembered of a port.
pub(crate) fn port_history(out: &mut String, history: &PortHistory, form: Form) {
    let title = format!("Port {}, as this machine remembers it", history.port);
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, title));
    used(out, history, form);
    if !history.doors.is_empty() {
        heading(out, "Doors", form);
        history.doors.iter().for_each(|known| door(out, history.port, known, form));
    }
    if !history.flows.is_empty() {
        heading(out, "Flows", form);
    }
    for flow in &history.flows {
        let protocol = flow.protocol.as_deref().unwrap_or("not recognised");
        let clients: Vec<String> = flow.some_clients.iter().map(ToString::to_string).collect();
        let text = format!(
            "{} packets, {} bytes; {}; clients {}",
            flow.packets,
            flow.bytes,
            span(&flow.seen),
            clients.join(" ")
        );
        field(out, &format!("{}/{protocol}", flow.transport), &text, form);
    }
    if !history.findings.is_empty() {
        heading(out, "Findings", form);
        findings_table(out, &history.findings, form);
    }
    if !history.records.records.is_empty() {
        heading(out, "What happened", form);
        records(out, &history.records, form);
    }
}

fn door(out: &mut String, port: u16, door: &DoorHistory, form: Form) {
    let netns =
        if door.netns.is_empty() { String::new() } else { format!(" in {}", sanitise::line(&door.netns)) };
    let title = form.style.paint(Paint::Bold, format!("{port}/{}", door.kind));
    let _ = writeln!(out, "  {title} on {}{netns}: {}", door.address, span(&door.seen));
    for known in &door.holders {
        let text = format!("{}; {}; lately process {}", holder(&known.holder), span(&known.seen), known.pid);
        field(out, "held by", &text, form);
    }
}

/// A record in words: what, where, who.
pub(crate) fn record_words(what: &What) -> (String, String, String) {
    match what {
        What::Socket(socket) => {
            let netns = if socket.netns.is_empty() { String::new() } else { format!(" in {}", socket.netns) };
            let place =
                format!("{} {}{netns}", socket.kind, std::net::SocketAddr::new(socket.address, socket.port));
            let pid = socket.pid.map(|pid| format!("[{pid}] ")).unwrap_or_default();
            let who = match (&socket.holder, socket.uid) {
                (Some(name), _) => holder(name),
                (None, Some(uid)) => format!("uid {uid}"),
                (None, None) => String::new(),
            };
            let lived = socket.lived_ns.map(|ns| format!(" after {}", lasted(ns))).unwrap_or_default();
            (format!("{}{lived}", socket.happened.replace('_', " ")), place, format!("{pid}{who}"))
        }
        What::Touch(touch) => {
            let place =
                format!("{} {}", touch.transport, std::net::SocketAddr::new(touch.address, touch.port));
            let said = touch.recognised.as_deref().map(|said| format!(", {said}")).unwrap_or_default();
            let who = std::net::SocketAddr::new(touch.peer, touch.peer_port);
            (String::from("decoy touched"), place, format!("{who}, {} bytes{said}", touch.received_bytes))
        }
        What::Gap(gap) => {
            (String::from("gap"), format!("{}: {}", gap.area, gap.reason.replace('_', " ")), gap.what.clone())
        }
        What::Finding { change, id, code, title } => {
            let code = code.as_deref().unwrap_or("a finding");
            (format!("finding {change}"), format!("{id} {code}"), title.clone().unwrap_or_default())
        }
        What::Session(session) => {
            let word = if session.ended { "session ended" } else { "session" };
            (
                word.to_owned(),
                session.destinations.join(" "),
                format!("{} ({})", session.name, session.source),
            )
        }
        What::Stream(stream) => (
            String::from("stream"),
            stream.destination.clone(),
            format!("{} {}", stream.source, stream.format),
        ),
    }
}

/// A time that passed, in the unit that fits.
fn lasted(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{} µs", ns / 1000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..120_000_000_000 => format!("{} s", ns / 1_000_000_000),
        _ => format!("{} min", ns / 60_000_000_000),
    }
}

/// Writes records as a table.
pub(crate) fn records(out: &mut String, page: &Records, form: Form) {
    const COLUMNS: [Column; 4] = [
        Column { title: "TIME", right: false, least: 20, rank: 255 },
        Column { title: "WHAT", right: false, least: 9, rank: 60 },
        Column { title: "WHERE", right: false, least: 15, rank: 50 },
        Column { title: "WHO", right: false, least: 12, rank: 40 },
    ];
    let row = |record: &Record| {
        let (what, place, who) = record_words(&record.what);
        let text = |text: &str| Cell::plain(sanitise::line(text));
        [text(&time(record.at)), text(&what), text(&place), text(&who)]
    };
    let rows: Vec<[Cell; 4]> = page.records.iter().map(row).collect();
    if rows.is_empty() {
        if form.headings {
            out.push_str("Nothing like that is remembered.\n");
        }
        return;
    }
    render(out, &COLUMNS, &rows, form);
    if let (Some(next), true) = (page.next, form.headings) {
        let _ = writeln!(out, "\nThe next page: --before {next}");
    }
}

/// Writes findings as a table, and how many there are.
pub(crate) fn findings(out: &mut String, found: &Findings, form: Form) {
    if found.findings.is_empty() {
        if form.headings {
            out.push_str("No such finding (--state all shows those that are accepted or resolved).\n");
        }
        return;
    }
    findings_table(out, &found.findings, form);
    if form.headings {
        let shown = u64::try_from(found.findings.len()).unwrap_or(u64::MAX);
        let more = match found.total.saturating_sub(shown) {
            0 => String::new(),
            more => format!(", and {more} more (--limit)"),
        };
        let _ = writeln!(out, "\n{shown} findings{more}. The whole of one: portreeve findings show ID");
    }
}

fn findings_table(out: &mut String, list: &[FindingRecord], form: Form) {
    const COLUMNS: [Column; 7] = [
        Column { title: "ID", right: false, least: 10, rank: 255 },
        Column { title: "SEVERITY", right: false, least: 7, rank: 90 },
        Column { title: "STATE", right: false, least: 4, rank: 80 },
        Column { title: "LAST SEEN", right: false, least: 20, rank: 30 },
        Column { title: "TIMES", right: true, least: 3, rank: 10 },
        Column { title: "CODE", right: false, least: 12, rank: 70 },
        Column { title: "TITLE", right: false, least: 20, rank: 60 },
    ];
    let row = |finding: &FindingRecord| {
        let text = |text: &str| Cell::plain(sanitise::line(text));
        [
            Cell::painted(sanitise::line(&finding.id), Paint::Bold),
            Cell::painted(sanitise::line(&finding.severity), paint(&finding.severity)),
            text(finding.state.name()),
            text(&time(finding.seen.last)),
            text(&finding.seen.times.to_string()),
            text(&finding.code),
            text(&finding.title),
        ]
    };
    let rows: Vec<[Cell; 7]> = list.iter().map(row).collect();
    render(out, &COLUMNS, &rows, form);
}

fn paint(severity: &str) -> Paint {
    Severity::ALL.into_iter().find(|it| it.name() == severity).map_or(Paint::Plain, Paint::severity)
}

/// Writes one finding in full.
pub(crate) fn finding(out: &mut String, finding: &FindingRecord, form: Form) {
    let severity = form.style.paint(paint(&finding.severity), sanitise::line(&finding.severity));
    let code = form.style.paint(Paint::Bold, sanitise::line(&finding.code));
    let _ = writeln!(out, "{severity} {code}: {}", sanitise::line(&finding.title));
    field(out, "id", &finding.id, form);
    field(out, "about", &finding.about, form);
    field(out, "seen", &span(&finding.seen), form);
    let state = format!("{} since {}", finding.state.name(), time(finding.state_since));
    field(out, "state", &state, form);
    if let Some(accepted) =
        finding.acknowledged.as_ref().filter(|_| finding.state == FindingState::Acknowledged)
    {
        let until = accepted.until.map_or_else(|| String::from("reopened"), time);
        field(out, "accepted by", &format!("{}, until {until}", accepted.by), form);
        field(out, "reason", &accepted.reason, form);
    }
    for fact in &finding.evidence {
        field(out, "evidence", &format!("{} [{}]", fact.fact, fact.source), form);
    }
    field(out, "confidence", &finding.confidence, form);
    field(out, "next step", &finding.next_step, form);
    field(out, "explained by", &format!("portreeve explain {}", finding.code), form);
}

/// Writes how much is kept.
pub(crate) fn statistics(out: &mut String, statistics: &Statistics, form: Form) {
    let mebibytes = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    field(out, "file", &statistics.file, form);
    let length =
        format!("{} of at most {}", mebibytes(statistics.file_bytes), mebibytes(statistics.most_bytes));
    field(out, "length", &length, form);
    field(out, "watched", &watched(&statistics.watched), form);
    field(out, "records ever", &statistics.records_ever.to_string(), form);
    let gone = format!("{} were too old, {} had no room", statistics.aged_out, statistics.crowded_out);
    field(out, "rows that went", &gone, form);
    for table in statistics.tables.iter().filter(|table| table.rows > 0) {
        field(out, &table.name, &format!("{} rows, {} bytes", table.rows, table.bytes), form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    const FORM: Form = Form { width: Some(100), style: Style::PLAIN, headings: true };

    fn moment(day: i64) -> Moment {
        Moment::from_ns(day * 86_400_000_000_000)
    }

    #[test]
    fn a_port_that_nobody_used_says_for_how_long_it_was_watched() {
        let watched = Watched { since: Some(moment(1)), latest: Some(moment(90)), days: 61 };
        let history = PortHistory {
            port: 420,
            watched,
            used: Vec::new(),
            doors: Vec::new(),
            flows: Vec::new(),
            findings: Vec::new(),
            records: Records { records: Vec::new(), next: None },
        };
        let mut out = String::new();
        past(&mut out, &Ok(history), FORM);
        assert!(out.contains("never used") && out.contains("61 days of history, since 1970-01-02"), "{out}");
        let mut out = String::new();
        past(&mut out, &Err(String::from("not allowed\u{1b}[2J")), FORM);
        assert!(out.contains("not allowed\\x1b[2J"), "{out}");
    }

    #[test]
    fn what_strangers_chose_is_sanitised() {
        let finding = FindingRecord {
            id: String::from("0123456789"),
            code: String::from("exe-memfd"),
            about: String::from("\u{1b}[31mx"),
            severity: String::from("alert"),
            confidence: String::from("high"),
            title: String::from("a\u{202e}b"),
            evidence: Vec::new(),
            next_step: String::from("n\n"),
            seen: Span { first: moment(1), last: moment(2), times: 1 },
            state: FindingState::Open,
            state_since: moment(1),
            acknowledged: None,
        };
        let mut out = String::new();
        super::finding(&mut out, &finding, FORM);
        findings_table(&mut out, &[finding], FORM);
        assert!(!out.contains(['\u{1b}', '\u{202e}']), "{out}");
        assert!(out.contains("first 1970-01-02T00:00:00Z, last 1970-01-03T00:00:00Z, once"), "{out}");
    }

    #[test]
    fn times_that_passed_have_a_unit() {
        let words = [200_000, 5_000_000, 3_000_000_000, 600_000_000_000].map(lasted);
        assert_eq!(words, ["200 µs", "5 ms", "3 s", "10 min"]);
    }
}
