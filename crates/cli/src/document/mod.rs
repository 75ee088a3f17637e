//! The JSON document of `list`, `port` and `check`: the types that strangers read, and nothing else serialises them.
//!
//! The JSON Schema in `docs/schema/` is made from these types. Reported and inferred values stand in different
//! fields; numbers are numbers; `null` means that there is none or that it is not known, and where it could not be
//! looked at, `hidden` says why.

mod census;
mod comment;
mod complaint;
mod decoy;
mod doctor;
mod event;
mod fast;
mod flow;
mod history;
mod media;
mod paper;
mod process;
mod rows;
mod tables;
mod traffic;

use std::io;

use serde::Serialize;

use engine::{Door, Row, View};

pub(crate) use census::CensusDocument;
pub(crate) use complaint::ComplaintsDocument;
pub(crate) use decoy::{
    Counts as DecoyCountsDocument, Coverage as DecoyCoverage, DecoyVisit, Line as DecoyLine,
    Touch as DecoyTouchDocument,
};
pub(crate) use doctor::DoctorDocument;
pub(crate) use event::SocketEvent;
pub(crate) use flow::Flow;
pub(crate) use history::{FindingsDocument, HistoryDocument};
pub(crate) use media::{MediaDocument, ReceivingDocument, SendingDocument, media_clock, reference};
pub(crate) use paper::PortPaper;
use process::Process;
pub(crate) use rows::Names;
use rows::{Forward, Socket};
use tables::{Accepted, Gap, Generator, Machine, Namespace, Registry, Summary};
pub(crate) use tables::{Assignments, Changes, Finding};
pub(crate) use traffic::TrafficDocument;

/// The version of the documents. It changes when a reader of the old form would misread the new one; new fields
/// may come without a change.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// One look at a machine, judged.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "Portreeve document", deny_unknown_fields))]
pub(crate) struct Document<'a> {
    /// Version of this form.
    pub(crate) schema_version: u32,
    /// When the machine was looked at (RFC 3339, UTC).
    pub(crate) generated: String,
    /// What made it.
    pub(crate) generator: Generator,
    /// The machine.
    pub(crate) machine: Machine<'a>,
    /// The ways of looking that worked.
    pub(crate) ways: Vec<&'static str>,
    /// Where `registered` comes from.
    pub(crate) registry: Registry<'a>,
    /// The network namespaces of the machine, our own first.
    pub(crate) namespaces: Vec<Namespace<'a>>,
    /// What paper says of the ports that were asked for; empty in a list.
    pub(crate) ports: Vec<PortPaper<'a>>,
    /// The sockets.
    pub(crate) sockets: Vec<Socket<'a>>,
    /// Every process that holds one of the sockets, by number.
    pub(crate) processes: Vec<Process<'a>>,
    /// Ports that address translation publishes without a socket.
    pub(crate) forwards: Vec<Forward<'a>>,
    /// What was agreed for ports beforehand, as far as it was told.
    pub(crate) sessions: Vec<media::Session<'a>>,
    /// What was found, gravest first.
    pub(crate) findings: Vec<Finding<'a>>,
    /// What was found and is accepted by policy.
    pub(crate) accepted: Vec<Accepted<'a>>,
    /// Where we could not look.
    pub(crate) gaps: Vec<Gap<'a>>,
    /// How much there is, and the exit status.
    pub(crate) summary: Summary,
}

/// Which part of a view goes into a document.
pub(crate) struct Part<'a> {
    pub(crate) view: &'a View,
    /// The rows, in the view's order.
    pub(crate) rows: &'a [&'a Row],
    /// Whether these are all rows of the view.
    pub(crate) everything: bool,
    /// Ports whose paper is wanted.
    pub(crate) ports: Vec<PortPaper<'a>>,
    pub(crate) exit_status: u8,
}

/// Where the rows of a view stand in the document.
struct Places {
    /// Index in the document by index in the view; `u32::MAX` for rows that are left out.
    rows: Option<Vec<u32>>,
    sockets: usize,
}

impl Places {
    fn of(part: &Part<'_>) -> Places {
        let sockets = part.view.snapshot.sockets.len();
        if part.everything {
            return Places { rows: None, sockets };
        }
        let mut rows = vec![u32::MAX; part.view.rows.len()];
        let (mut next_socket, mut next_forward) = (0, 0);
        for row in part.rows {
            let (at, next) = match row.door {
                Door::Socket(index) => (index as usize, &mut next_socket),
                Door::Forward(index) => (sockets + index as usize, &mut next_forward),
            };
            if let Some(slot) = rows.get_mut(at) {
                *slot = *next;
                *next += 1;
            }
        }
        Places { rows: Some(rows), sockets }
    }

    fn socket(&self, index: usize) -> Option<u32> {
        match &self.rows {
            None => u32::try_from(index).ok(),
            Some(rows) => rows.get(index).copied().filter(|at| *at != u32::MAX),
        }
    }

    fn forward(&self, index: usize) -> Option<u32> {
        match &self.rows {
            None => u32::try_from(index).ok(),
            Some(rows) => rows.get(self.sockets + index).copied().filter(|at| *at != u32::MAX),
        }
    }
}

impl<'a> Document<'a> {
    /// Everything but the sockets, which [`write`] writes by a shorter way.
    fn without_sockets(part: &Part<'a>) -> Document<'a> {
        let view = part.view;
        let snapshot = &view.snapshot;
        let places = Places::of(part);
        let processes = if part.everything {
            snapshot.processes.iter().map(|process| Process::of(process)).collect()
        } else {
            let mut pids: Vec<u32> = part
                .rows
                .iter()
                .filter_map(|row| view.socket(row))
                .flat_map(|socket| socket.holders.iter().map(|holder| holder.pid))
                .collect();
            pids.sort_unstable();
            pids.dedup();
            pids.iter().filter_map(|pid| snapshot.process(*pid)).map(|process| Process::of(process)).collect()
        };
        let findings: Vec<(usize, Finding<'a>)> = view
            .findings
            .iter()
            .enumerate()
            .filter_map(|(index, finding)| Some((index, Finding::of(finding, &places, part.everything)?)))
            .collect();
        let summary = Summary::of(view, part);
        Document {
            schema_version: SCHEMA_VERSION,
            generated: snapshot.taken.rfc3339(),
            generator: Generator::this(),
            machine: Machine::of(&snapshot.machine),
            ways: snapshot.views.names().collect(),
            registry: Registry::of(&view.paper),
            namespaces: snapshot.namespaces.iter().map(Namespace::of).collect(),
            ports: part.ports.clone(),
            sockets: Vec::new(),
            processes,
            forwards: part
                .rows
                .iter()
                .filter_map(|row| Some(Forward::of(view, row, view.forward(row)?)))
                .collect(),
            sessions: view.agreed.sessions.iter().map(media::Session::of).collect(),
            findings: findings.into_iter().map(|(_, finding)| finding).collect(),
            accepted: view
                .accepted
                .iter()
                .filter_map(|accepted| {
                    Some(Accepted {
                        finding: Finding::of(&accepted.finding, &places, part.everything)?,
                        entry: &accepted.entry,
                        reason: &accepted.reason,
                    })
                })
                .collect(),
            gaps: snapshot.gaps.iter().map(Gap::of).collect(),
            summary,
        }
    }

    /// The whole document as a value.
    #[cfg(test)]
    pub(crate) fn of(part: &Part<'a>) -> Document<'a> {
        let sockets = part
            .rows
            .iter()
            .filter_map(|row| Some(Socket::of(part.view, row, part.view.socket(row)?)))
            .collect();
        Document { sockets, ..Document::without_sockets(part) }
    }
}

/// Writes the document in one line, without a line end.
///
/// The sockets are most of it. They are written without going through a general serialiser, and piece by piece, so
/// that megabytes need no memory of their own; the tests keep the two ways equal to the byte.
pub(crate) fn write(to: &mut (impl io::Write + ?Sized), part: &Part<'_>) -> io::Result<()> {
    const EMPTY: &[u8] = b"\"sockets\":[";
    let document = Document::without_sockets(part);
    let mut rest = Vec::with_capacity(512 * document.processes.len() + 8192);
    serde_json::to_writer(&mut rest, &document)?;
    // Quotes inside strings are escaped, so the first bare match can only be the key itself.
    let at = rest
        .windows(EMPTY.len())
        .position(|window| window == EMPTY)
        .map_or(rest.len(), |at| at + EMPTY.len());
    let (head, tail) = rest.split_at(at);
    to.write_all(head)?;
    fast::sockets(to, part.view, part.rows)?;
    to.write_all(tail)
}

/// Puts the time of another look into a document that [`write`] wrote, where nothing else has changed.
pub(crate) fn set_time(document: &mut [u8], view: &View) {
    const KEY: &[u8] = b"\"generated\":\"";
    let time = view.snapshot.taken.rfc3339();
    // The key stands near the beginning, before any text of others; the time always has the same length.
    let at = document.windows(KEY.len()).take(4096).position(|window| window == KEY);
    let place = at.and_then(|at| document.get_mut(at + KEY.len()..)?.get_mut(..time.len()));
    if let Some(place) = place {
        place.copy_from_slice(time.as_bytes());
    }
}

/// Turns the one line into lines for people.
pub(crate) fn pretty(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let indent = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if in_string {
            out.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                if let Some(close) = bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    indent(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                indent(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                indent(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b'"' => {
                in_string = true;
                out.push(byte);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
