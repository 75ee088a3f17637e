//! The tab of holders: processes with the ports that they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::{Row, Verdict, View};
use model::{ExeState, Integrity, Process, Seen};

use super::filter::Filter;
use super::known::Known;
use super::sheet::{Field, Key, Sheet, Thing, by_number, by_words, number, words};
use crate::sanitise;
use crate::style::Paint;
use crate::text::cells;
use crate::text::table::{Cell, Column};

const FIELDS: [Field; 11] = [
    Field { column: Column { title: "PID", right: true, least: 5, rank: 255 }, most_first: false },
    words("PROGRAM", 10, 255),
    words("USER", 6, 70),
    words("PORTS", 12, 90),
    number("CONNECTIONS", 4, 15),
    words("PACKAGE", 10, 60),
    words("EXE", 8, 65),
    words("UNIT", 8, 50),
    words("PATH", 10, 20),
    words("STARTED", 19, 10),
    words("VERDICT", 7, 80),
];

/// One process, and what it holds.
#[derive(Default)]
struct Line {
    /// Its doors: ports with their kind, in order.
    ports: BTreeSet<(u16, String)>,
    connections: u64,
    verdict: Option<Verdict>,
}

/// The processes.
pub(super) struct Holders {
    view: Arc<View>,
    lines: Vec<(u32, Line)>,
}

impl Holders {
    pub(super) fn new(known: &Known, filter: &Filter) -> Holders {
        let view = Arc::clone(&known.current.machine);
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        for row in &view.rows {
            let Some(socket) = view.socket(row) else { continue };
            // Whoever holds nothing but connections is told, too, where nobody asked for less.
            if filter.chooses() && (socket.peer.is_some() || !filter.takes(&view, row)) {
                continue;
            }
            for holder in &socket.holders {
                let line = lines.entry(holder.pid).or_default();
                if socket.peer.is_some() {
                    line.connections += 1;
                } else {
                    line.ports.insert((socket.local.port(), cells::port(socket)));
                }
                line.verdict = line.verdict.max(Some(row.verdict));
            }
        }
        Holders { view, lines: lines.into_iter().collect() }
    }

    fn process(&self, row: usize) -> Option<&Process> {
        let (pid, _) = self.lines.get(row)?;
        self.view.snapshot.process(*pid).map(|process| &**process)
    }
}

fn seen<T>(value: Option<&Seen<T>>, words: impl FnOnce(&T) -> Cell) -> Cell {
    match value {
        Some(Seen::Value(value)) => words(value),
        Some(Seen::Absent) => Cell::plain(""),
        // Absent and could not look are never the same.
        Some(Seen::Hidden(_)) | None => Cell::painted("?", Paint::Dim),
    }
}

fn shown(text: &str) -> Cell {
    Cell::plain(sanitise::line(text))
}

impl Sheet for Holders {
    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn id(&self, row: usize) -> u64 {
        self.lines.get(row).map_or(0, |(pid, _)| u64::from(*pid))
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let Some((pid, line)) = self.lines.get(row) else { return Cell::plain("") };
        let process = self.process(row);
        match column {
            0 => Cell::plain(pid.to_string()),
            1 => process
                .map_or(Cell::plain("?"), |it| Cell::painted(sanitise::line(cells::called(it)), Paint::Bold)),
            2 => seen(process.map(|it| &it.user), |user| Cell::plain(cells::user(user))),
            3 => {
                let ports: Vec<&str> = line.ports.iter().map(|(_, name)| name.as_str()).collect();
                Cell::plain(ports.join(" "))
            }
            4 => Cell::plain(if line.connections > 0 { line.connections.to_string() } else { String::new() }),
            5 => match process.map(|it| &it.package) {
                Some(Seen::Absent) => Cell::painted("none", Paint::Dim),
                package => seen(package, |it| {
                    let modified = it.integrity == Integrity::Modified;
                    let paint = if modified { Paint::Red } else { Paint::Plain };
                    let more = if modified { " MODIFIED" } else { "" };
                    Cell::painted(format!("{}{more}", sanitise::line(&it.name)), paint)
                }),
            },
            6 => seen(process.map(|it| &it.exe), |exe| match exe.state {
                ExeState::Present if exe.world_writable || exe.temporary => {
                    Cell::painted("loose place", Paint::Yellow)
                }
                ExeState::Present => Cell::plain("present"),
                ExeState::Replaced => Cell::painted("replaced", Paint::Cyan),
                state @ (ExeState::Deleted | ExeState::Memfd) => Cell::painted(state.name(), Paint::Red),
            }),
            7 => seen(process.map(|it| &it.container), |it| Cell::plain(cells::container(it)))
                .or(|| seen(process.map(|it| &it.unit), |unit| shown(&unit.name))),
            8 => seen(process.map(|it| &it.exe), |exe| shown(&exe.path)),
            9 => seen(process.map(|it| &it.started), |started| {
                Cell::plain(started.rfc3339().get(..19).unwrap_or_default().replace('T', " "))
            }),
            _ => {
                let verdict = line.verdict.unwrap_or(Verdict::Ok);
                Cell::painted(verdict.name(), Paint::of(verdict))
            }
        }
    }

    fn key(&self, row: usize, column: usize) -> Key {
        let Some((pid, line)) = self.lines.get(row) else { return Key::Nothing };
        match column {
            0 => by_number(*pid),
            3 => line.ports.first().map_or(Key::Nothing, |(port, _)| by_number(*port)),
            4 => by_number(line.connections),
            10 => by_number(match line.verdict {
                Some(Verdict::Found(severity)) => -10 - i128::from(severity as u8),
                Some(Verdict::Unseen) => -2,
                Some(Verdict::Accepted) => -1,
                Some(Verdict::Ok) | None => 0_i128,
            }),
            column => by_words(self.cell(row, column)),
        }
    }

    fn thing(&self, row: usize) -> Option<Thing> {
        self.lines.get(row).map(|(pid, _)| Thing::Process(*pid))
    }

    fn nothing(&self) -> &'static str {
        "No process holds a socket here, as far as we could look."
    }
}

impl Cell {
    fn or(self, other: impl FnOnce() -> Cell) -> Cell {
        if self.text.is_empty() { other() } else { self }
    }
}

/// The rows of the sockets that a process holds.
pub(super) fn rows_of(view: &View, pid: u32) -> Vec<&Row> {
    let holds = |row: &&Row| {
        view.socket(row).is_some_and(|socket| socket.holders.iter().any(|holder| holder.pid == pid))
    };
    view.rows.iter().filter(holds).collect()
}
