//! Rows as comma-separated values (RFC 4180), one line per socket or forward.

use engine::census::{Attendance, Chair, Use, WELL_KNOWN};
use engine::{Row, TrafficView, View};
use media::sdp::Complaint;
use model::{Timestamp, Transport, Utc};
use registry::Paper;

use crate::sanitise;
use crate::selection::forward_scope;
use crate::text::cells;

const HEADINGS: &str = "kind,port,address,scope,state,status,registered,silent,commonly_seen,recognised,programs,pids,\
                        users,executables,unit_or_container,netns,verdict,codes,holders_missing,peer,session";

/// Writes the census: one line for each port that is well-known, assigned or used.
pub(crate) fn census(out: &mut String, paper: &Paper, attendance: &Attendance, headings: bool) {
    const HEADINGS: [&str; 12] = [
        "transport",
        "port",
        "status",
        "registered",
        "assignee",
        "registration_date",
        "silent",
        "seat",
        "now",
        "last_seen",
        "holders",
        "spoken",
    ];
    let told = |transport: Transport| {
        (0..=u16::MAX).filter_map(move |port| {
            let chair = Chair::of(paper, attendance, transport, port);
            let assigned = chair.status == model::Status::Assigned;
            (assigned || chair.occupied.is_some() || WELL_KNOWN.contains(&port)).then(|| {
                let row = |field: fn(&model::Assignment<'_>) -> String| {
                    chair.assignment.as_ref().map(field).unwrap_or_default()
                };
                let used = |field: &dyn Fn(&Use) -> String| chair.occupied.map(field).unwrap_or_default();
                [
                    transport.name().to_owned(),
                    port.to_string(),
                    chair.status.name().to_owned(),
                    row(|row| row.name.to_owned()),
                    row(|row| row.assignee.to_owned()),
                    row(|row| row.registered.to_owned()),
                    if assigned { chair.is_silent().to_string() } else { String::new() },
                    chair.seat().name().to_owned(),
                    used(&|it| it.now.to_string()),
                    used(&|it| it.earlier.map(|time| time.rfc3339()).unwrap_or_default()),
                    used(&|it| it.holders.join("; ")),
                    used(&|it| it.spoken.join("; ")),
                ]
            })
        })
    };
    let rows = [Transport::Tcp, Transport::Udp].into_iter().flat_map(told);
    if headings {
        table(out, HEADINGS, rows);
    } else {
        rows.for_each(|row| record(out, &row));
    }
}

/// Writes what was measured of media frame by frame, and of sound second by second.
pub(crate) fn media(out: &mut String, view: &TrafficView, headings: bool) {
    const HEADINGS: [&str; 14] = [
        "stream",
        "leg",
        "at_ns",
        "packets",
        "cinst_most",
        "vrx_gapped_least",
        "vrx_gapped_most",
        "vrx_linear_least",
        "vrx_linear_most",
        "first_packet_ns",
        "rtp_offset_ticks",
        "latency_ns",
        "gap_ns",
        "delay_factor_ns",
    ];
    fn told<T: ToString>(value: Option<T>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    let streams = &view.traffic.media.streams;
    let legs = streams.iter().enumerate().flat_map(|(stream, about)| {
        about
            .legs
            .iter()
            .enumerate()
            .filter_map(move |(leg, about)| Some((stream, leg, about.shaping.as_ref()?)))
    });
    let units = legs.flat_map(|(stream, leg, shaping)| {
        shaping.series.iter().map(move |unit| {
            [
                stream.to_string(),
                leg.to_string(),
                unit.at_ns.to_string(),
                unit.packets.to_string(),
                unit.burst_most.to_string(),
                told(unit.gapped.map(|(least, _)| least)),
                told(unit.gapped.map(|(_, most)| most)),
                told(unit.linear.map(|(least, _)| least)),
                told(unit.linear.map(|(_, most)| most)),
                told(unit.first_packet_ns),
                told(unit.rtp_offset_ticks),
                told(unit.latency_ns),
                unit.gap_ns.to_string(),
                String::new(),
            ]
        })
    });
    let sound =
        streams.iter().enumerate().filter_map(|(stream, about)| Some((stream, about.audio.as_ref()?)));
    let seconds = sound.flat_map(|(stream, audio)| {
        audio.delay_windows.iter().map(move |window| {
            let mut row = [const { String::new() }; 14];
            row[0] = stream.to_string();
            row[2] = window.at_ns.to_string();
            row[13] = window.delay_factor_ns.to_string();
            row
        })
    });
    let rows = units.chain(seconds);
    if headings {
        table(out, HEADINGS, rows);
    } else {
        rows.for_each(|row| record(out, &row));
    }
}

/// Writes the services that were seen on the wire.
pub(crate) fn services(out: &mut String, view: &TrafficView, headings: bool) {
    const HEADINGS: [&str; 20] = [
        "transport",
        "port",
        "address",
        "status",
        "registered",
        "silent",
        "commonly_seen",
        "recognised",
        "certainty",
        "rule",
        "attempt",
        "appearance",
        "flows",
        "clients",
        "packets",
        "bytes",
        "first",
        "last",
        "verdict",
        "codes",
    ];
    let rows = view.traffic.services.iter().enumerate().map(|(index, service)| {
        let port = service.server.port();
        let names = Names::of(&view.paper, Some(service.transport), port);
        let said = &service.recognised;
        let moment = |time: Option<Timestamp<Utc>>| time.map(Timestamp::rfc3339_ns).unwrap_or_default();
        let codes: Vec<&str> = view.findings_of_service(index).map(|finding| finding.code.name()).collect();
        [
            service.transport.name().to_owned(),
            port.to_string(),
            service.server.ip().to_string(),
            names.status,
            names.registered,
            names.silent,
            names.commonly_seen,
            said.protocol.map(|protocol| protocol.name.to_owned()).unwrap_or_default(),
            said.certainty.name().to_owned(),
            said.rule.to_owned(),
            said.attempt.map(|protocol| protocol.name.to_owned()).unwrap_or_default(),
            said.appearance.name().to_owned(),
            service.flows.to_string(),
            service.clients.to_string(),
            service.tally.packets().to_string(),
            service.tally.bytes().to_string(),
            moment(service.first),
            moment(service.last),
            view.verdict_of_service(index).name().to_owned(),
            codes.join(" "),
        ]
    });
    if headings {
        table(out, HEADINGS, rows);
    } else {
        for row in rows {
            record(out, &row);
        }
    }
}

/// Writes the rows, with a heading.
pub(crate) fn rows(out: &mut String, view: &View, rows: &[&Row], headings: bool) {
    if headings {
        out.push_str(HEADINGS);
        out.push_str("\r\n");
    }
    for row in rows {
        let fields = if let Some(socket) = view.socket(row) {
            let processes = || socket.holders.iter().filter_map(|holder| view.snapshot.process(holder.pid));
            let names = Names::of(&view.paper, socket.kind.transport(), socket.local.port());
            let executables =
                processes().filter_map(|process| process.exe.value()).map(|exe| exe.path.clone());
            let pids: Vec<String> = socket.holders.iter().map(|holder| holder.pid.to_string()).collect();
            [
                socket.kind.name().to_owned(),
                socket.local.port().to_string(),
                cells::address(socket),
                socket.scope.name().to_owned(),
                socket.state.name().to_owned(),
                names.status,
                names.registered,
                names.silent,
                names.commonly_seen,
                String::new(),
                distinct(processes().map(|process| cells::called(process).to_owned())),
                pids.join(" "),
                cells::users(view, socket),
                distinct(executables),
                cells::unit(view, socket),
                cells::namespace(view, socket.netns),
                row.verdict.name().to_owned(),
                codes(view, row),
                socket.holders_missing.map(|reason| reason.code().to_owned()).unwrap_or_default(),
                socket.peer.map(|peer| peer.to_string()).unwrap_or_default(),
                cells::session(view, row),
            ]
        } else if let Some(forward) = view.forward(row) {
            let names = Names::of(&view.paper, Some(forward.transport), forward.first);
            let ports = if forward.first == forward.last {
                forward.first.to_string()
            } else {
                format!("{}-{}", forward.first, forward.last)
            };
            [
                forward.transport.name().to_owned(),
                ports,
                cells::forward_address(forward),
                forward_scope(forward).name().to_owned(),
                String::from("forward"),
                names.status,
                names.registered,
                names.silent,
                names.commonly_seen,
                String::new(),
                cells::forward_to(forward),
                String::new(),
                String::new(),
                String::new(),
                forward.container.as_ref().map(cells::container).unwrap_or_default(),
                cells::namespace(view, forward.netns),
                row.verdict.name().to_owned(),
                codes(view, row),
                String::from("published_without_socket"),
                String::new(),
                String::new(),
            ]
        } else {
            continue;
        };
        record(out, &fields);
    }
}

struct Names {
    status: String,
    registered: String,
    silent: String,
    commonly_seen: String,
}

impl Names {
    fn of(paper: &registry::Paper, transport: Option<model::Transport>, port: u16) -> Names {
        let names = crate::document::Names::of(paper, transport, port);
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Names {
            status: text(names.status),
            registered: text(names.registered),
            silent: names.silent.map(|silent| silent.to_string()).unwrap_or_default(),
            commonly_seen: text(names.commonly_seen),
        }
    }
}

fn distinct(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

fn codes(view: &View, row: &Row) -> String {
    cells::codes(view, row).iter().map(|code| code.name()).collect::<Vec<_>>().join(" ")
}

/// Writes a table of text, with a heading.
pub(crate) fn table<const N: usize>(
    out: &mut String,
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    out.push_str(&headings.join(","));
    out.push_str("\r\n");
    for row in rows {
        record(out, &row);
    }
}

/// Writes which rules descriptions break, one line per complaint.
pub(crate) fn complaints(out: &mut String, files: &[(String, Vec<Complaint>)], headings: bool) {
    if headings {
        out.push_str("file,line,code,severity,clause,text,next_step\r\n");
    }
    for (file, complaint) in files.iter().flat_map(|(file, list)| list.iter().map(move |it| (file, it))) {
        let (code, severity) = (complaint.code.name(), complaint.severity.word());
        let (line, clause) = (complaint.line.to_string(), complaint.clause);
        let fields = [file, &line, code, severity, clause, &complaint.text, complaint.next];
        record(out, &fields.map(str::to_owned));
    }
}

/// Writes what happened, one line per record.
pub(crate) fn records(out: &mut String, records: &[store::Record]) {
    let rows = records.iter().map(|record| {
        let (kind, pid) = match &record.what {
            store::What::Socket(socket) => ("socket", socket.pid.map(|pid| pid.to_string())),
            store::What::Touch(_) => ("touch", None),
            store::What::Gap(_) => ("gap", None),
            store::What::Finding { .. } => ("finding", None),
            store::What::Session(_) => ("session", None),
            store::What::Stream(_) => ("stream", None),
        };
        let (what, place, who) = crate::text::record_words(&record.what);
        let (number, at) = (record.number.to_string(), record.at.to_string());
        [number, at, kind.to_owned(), what, place, pid.unwrap_or_default(), who]
    });
    table(out, ["number", "at", "record", "what", "where", "pid", "who"], rows);
}

/// Writes findings over time, one line each.
pub(crate) fn findings(out: &mut String, findings: &[store::FindingRecord]) {
    let headings = [
        "id",
        "severity",
        "state",
        "code",
        "first",
        "last",
        "times",
        "about",
        "title",
        "accepted_by",
        "reason",
    ];
    let rows = findings.iter().map(|finding| {
        let accepted = finding.acknowledged.as_ref();
        [
            finding.id.clone(),
            finding.severity.clone(),
            finding.state.name().to_owned(),
            finding.code.clone(),
            finding.seen.first.to_string(),
            finding.seen.last.to_string(),
            finding.seen.times.to_string(),
            finding.about.clone(),
            finding.title.clone(),
            accepted.map(|accepted| accepted.by.clone()).unwrap_or_default(),
            accepted.map(|accepted| accepted.reason.clone()).unwrap_or_default(),
        ]
    });
    table(out, headings, rows);
}

fn record(out: &mut String, fields: &[String]) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&sanitise::csv_field(field));
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_connection_names_its_peer() {
        let mut view = fixture::view();
        let mut snapshot = (*view.snapshot).clone();
        snapshot.sockets[0].peer = Some("192.0.2.9:50000".parse().unwrap());
        view.snapshot = std::sync::Arc::new(snapshot);
        let mut out = String::new();
        rows(&mut out, &view, &[&view.rows[0]], true);
        let fields: Vec<Vec<&str>> = out.lines().map(|line| line.trim_end().split(',').collect()).collect();
        let peer = fields[0].iter().position(|heading| *heading == "peer").unwrap();
        assert_eq!(fields[1][peer], "192.0.2.9:50000", "{out}");
    }

    #[test]
    fn every_row_has_every_field_and_nothing_that_runs() {
        let view = fixture::view();
        let all: Vec<&Row> = view.rows.iter().collect();
        let mut out = String::new();
        rows(&mut out, &view, &all, true);
        let lines: Vec<&str> = out.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), view.rows.len() + 1);
        let commas = HEADINGS.matches(',').count();
        for line in &lines {
            // Outside quotes there is exactly one comma fewer than fields.
            let outside: String = line.split('"').step_by(2).collect();
            assert_eq!(outside.matches(',').count(), commas, "{line}");
            assert!(!line.contains('\u{1b}'));
        }
        assert!(lines.iter().any(|line| line.starts_with("tcp,420,127.0.0.1,loopback,listening,")), "{out}");
    }
}
