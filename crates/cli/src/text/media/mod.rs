//! Sessions and streams, for people.

mod essence;
mod pacing;
mod probe;
mod ptp;
mod received;
mod sent;

use std::fmt::Write as _;

use engine::{TrafficView, Verdict};
use model::media::{Basis, Session, Stream};
use model::{Severity, Subject};

use super::list::plural;
use super::table::{self, Cell, Column};
use super::{Form, traffic};
use crate::sanitise;
use crate::style::Paint;

pub(crate) use probe::{media_page, media_probe, rate};
pub(crate) use ptp::media_ptp;
pub(crate) use received::media_received;
pub(crate) use sent::media_sent;

const COLUMNS: [Column; 7] = [
    Column { title: "TO", right: false, least: 12, rank: 255 },
    Column { title: "FROM", right: false, least: 9, rank: 60 },
    Column { title: "WHAT", right: false, least: 12, rank: 100 },
    Column { title: "SESSION", right: false, least: 8, rank: 80 },
    Column { title: "PACKETS", right: true, least: 7, rank: 50 },
    Column { title: "LOST", right: true, least: 4, rank: 70 },
    Column { title: "VERDICT", right: false, least: 8, rank: 255 },
];

/// Writes a line for each leg of a stream, and for each session of which nothing came.
pub(crate) fn media_list(out: &mut String, view: &TrafficView, form: Form) {
    media_table(out, view, form);
    media_foot(out, view, form);
}

/// What was found, and where it could not be looked: what the exit status is about.
pub(crate) fn media_foot(out: &mut String, view: &TrafficView, form: Form) {
    if form.headings {
        out.push('\n');
        traffic::findings(out, view, form);
        traffic::foot(out, view, form);
    }
}

/// The table alone.
pub(crate) fn media_table(out: &mut String, view: &TrafficView, form: Form) {
    let media = &view.traffic.media;
    let mut rows = Vec::new();
    for (index, stream) in media.streams.iter().enumerate() {
        let verdict = verdict_of(view, &Subject::Stream(index));
        for (at, leg) in stream.legs.iter().enumerate() {
            let first = at == 0;
            let lost = leg.reception.lost;
            rows.push([
                Cell::plain(leg.destination.to_string()),
                Cell::plain(leg.source.to_string()),
                Cell::plain(if first { what(stream) } else { String::from("  second leg") }),
                Cell::plain(if first {
                    session_name(&media.sessions, stream.session)
                } else {
                    String::new()
                }),
                Cell::plain(leg.reception.packets.to_string()),
                Cell::painted(lost.to_string(), if lost > 0 { Paint::Yellow } else { Paint::Plain }),
                if first { verdict_cell(verdict) } else { Cell::plain("") },
            ]);
        }
    }
    for (index, session) in media.sessions.iter().enumerate() {
        let came = |stream: &Stream| stream.session == Some(index);
        if media.streams.iter().any(came) {
            continue;
        }
        let what = session.formats.first().map(|format| format.essence.to_string()).unwrap_or_default();
        for leg in &session.legs {
            rows.push([
                Cell::plain(leg.destination.to_string()),
                Cell::painted("nothing came", Paint::Dim),
                Cell::plain(sanitise::line(&what).into_owned()),
                Cell::plain(sanitise::line(&session.name).into_owned()),
                Cell::plain("0"),
                Cell::plain(""),
                verdict_cell(verdict_of(view, &Subject::Session(index))),
            ]);
        }
    }
    if rows.is_empty() {
        out.push_str("No media was seen, and no session was agreed.\n");
        return;
    }
    table::render(out, &COLUMNS, &rows, form);
}

/// How many of each there are, in a few words; nothing where there are none.
pub(super) fn media_count(out: &mut String, view: &TrafficView) {
    let media = &view.traffic.media;
    if media.streams.is_empty() && media.sessions.is_empty() {
        return;
    }
    let streams = plural(media.streams.len(), "stream", "streams");
    let _ = writeln!(out, "{streams}, {}", plural(media.sessions.len(), "session", "sessions"));
}

/// What a stream carries; a guess of ours ends with a question mark.
pub(crate) fn what(stream: &Stream) -> String {
    let text = match &stream.format {
        Some((format, Basis::Payload)) => format!("{}?", format.essence),
        Some((format, _)) => format.essence.to_string(),
        None => format!("RTP payload type {}", stream.payload_type),
    };
    sanitise::line(&text).into_owned()
}

/// The session by its name, and how we know of it.
pub(crate) fn session_name(sessions: &[Session], at: Option<usize>) -> String {
    at.and_then(|at| sessions.get(at)).map_or_else(
        || String::from("none"),
        |session| format!("{} ({})", sanitise::line(&session.name), session.source.word()),
    )
}

/// What was judged of a stream or session.
pub(crate) fn verdict_of(view: &TrafficView, subject: &Subject) -> Verdict {
    view.findings
        .iter()
        .filter(|finding| finding.subjects.contains(subject))
        .map(|finding| Verdict::Found(finding.severity))
        .max()
        .unwrap_or(Verdict::Ok)
}

fn verdict_cell(verdict: Verdict) -> Cell {
    let paint = match verdict {
        Verdict::Found(Severity::Alert) => Paint::Red,
        Verdict::Found(Severity::Warning) => Paint::Yellow,
        Verdict::Found(Severity::Note) => Paint::Cyan,
        _ => Paint::Green,
    };
    Cell::painted(verdict.name(), paint)
}
