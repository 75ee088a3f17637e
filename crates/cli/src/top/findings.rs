//! The tab of findings: what stands, gravest first, then what came and went.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine::{TrafficView, View, about};
use model::{Code, Finding, Severity, Timestamp, Utc};
use store::Sighting;

use super::flows::time_of_day;
use super::known::Known;
use super::sheet::{Field, Key, Sheet, Thing, by_number, by_words, identity, words};
use crate::sanitise;
use crate::style::Paint;
use crate::text::table::Cell;

const FIELDS: [Field; 7] = [
    words("", 1, 250),
    words("SEVERITY", 7, 255),
    words("FOUND", 8, 40),
    words("CODE", 12, 80),
    words("TITLE", 20, 90),
    words("ABOUT", 12, 50),
    words("STATE", 6, 45),
];

/// Where a finding is.
enum Place {
    Machine(usize),
    Wire(usize),
    /// Only the memory of it is left.
    Memory(Arc<Sighting>),
}

struct Line {
    place: Place,
    about: String,
    at: Option<Timestamp<Utc>>,
    new: bool,
    state: &'static str,
}

/// What was found.
pub(super) struct Findings {
    machine: Arc<View>,
    traffic: Option<Arc<TrafficView>>,
    lines: Vec<Line>,
}

impl Findings {
    pub(super) fn new(known: &Known) -> Findings {
        let machine = Arc::clone(&known.current.machine);
        let traffic = known.current.traffic.clone();
        let noted: HashMap<(Code, &str), _> = known
            .noted
            .iter()
            .map(|it| ((it.sighting.finding.code, it.sighting.about.as_str()), it))
            .collect();
        let mut standing: HashSet<(Code, String)> = HashSet::new();
        let mut lines = Vec::new();
        let mut stands = |place: Place, finding: &Finding, about: String| {
            let before = noted.get(&(finding.code, about.as_str()));
            let at = before.map(|it| it.sighting.at);
            let new = before.is_some_and(|it| known.is_new(it));
            standing.insert((finding.code, about.clone()));
            lines.push(Line { place, about, at, new, state: "stands" });
        };
        for (index, finding) in machine.findings.iter().enumerate() {
            stands(Place::Machine(index), finding, about::on_machine(&machine.snapshot, finding));
        }
        if let Some(traffic) = &traffic {
            for (index, finding) in traffic.findings.iter().enumerate() {
                stands(Place::Wire(index), finding, about::on_wire(&traffic.traffic, finding));
            }
        }
        for noted in known.noted.iter().rev() {
            let (finding, about) = (&noted.sighting.finding, &noted.sighting.about);
            if !standing.contains(&(finding.code, about.clone())) {
                lines.push(Line {
                    place: Place::Memory(Arc::clone(&noted.sighting)),
                    about: about.clone(),
                    at: Some(noted.sighting.at),
                    new: known.is_new(noted),
                    state: if noted.over { "over" } else { "seen" },
                });
            }
        }
        let mut all = Findings { machine, traffic, lines: Vec::new() };
        lines.sort_by_cached_key(|line| {
            let severity = all.finding(&line.place).map(|it| it.severity);
            (line.state != "stands", std::cmp::Reverse((severity, line.at.map(Timestamp::as_ns))))
        });
        all.lines = lines;
        all
    }

    fn finding<'a>(&'a self, place: &'a Place) -> Option<&'a Finding> {
        match place {
            Place::Machine(at) => self.machine.findings.get(*at),
            Place::Wire(at) => self.traffic.as_ref()?.findings.get(*at),
            Place::Memory(sighting) => Some(&sighting.finding),
        }
    }
}

impl Sheet for Findings {
    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn id(&self, row: usize) -> u64 {
        let Some(line) = self.lines.get(row) else { return 0 };
        identity((self.finding(&line.place).map(|it| it.code), &line.about))
    }

    fn cell(&self, row: usize, column: usize) -> Cell {
        let Some(line) = self.lines.get(row) else { return Cell::plain("") };
        let Some(finding) = self.finding(&line.place) else { return Cell::plain("") };
        let over = line.state != "stands";
        let paint = |paint| if over { Paint::Dim } else { paint };
        match column {
            0 => Cell::painted(if line.new { "*" } else { "" }, Paint::Bold),
            1 => Cell::painted(finding.severity.name(), paint(Paint::severity(finding.severity))),
            2 => Cell::painted(line.at.map(time_of_day).unwrap_or_default(), Paint::Dim),
            3 => Cell::painted(finding.code.name(), paint(Paint::Bold)),
            4 => Cell::painted(sanitise::line(&finding.title), paint(Paint::Plain)),
            5 => Cell::painted(sanitise::line(&line.about), paint(Paint::Plain)),
            _ if line.new => Cell::painted("new", Paint::Bold),
            _ => Cell::painted(line.state, Paint::Dim),
        }
    }

    fn key(&self, row: usize, column: usize) -> Key {
        let Some(line) = self.lines.get(row) else { return Key::Nothing };
        match column {
            1 => self.finding(&line.place).map_or(Key::Nothing, |it| {
                by_number(match it.severity {
                    Severity::Alert => 0,
                    Severity::Warning => 1,
                    Severity::Note => 2,
                })
            }),
            2 => line.at.map_or(Key::Nothing, |at| by_number(at.as_ns())),
            column => by_words(self.cell(row, column)),
        }
    }

    fn thing(&self, row: usize) -> Option<Thing> {
        let line = self.lines.get(row)?;
        Some(Thing::Finding(self.finding(&line.place)?.code, line.about.clone()))
    }

    fn nothing(&self) -> &'static str {
        "Nothing was found."
    }
}
