//! The census as text: counts by range, the map of the well-known ports, who sits where, and what could be given back.

use std::fmt::Write as _;

use engine::View;
use engine::census::{Census, Chair, Range, Roll, Seat, Tally, Use};
use model::Transport;

use super::table::{Cell, Column, render};
use super::{Form, cells, gaps, plural};
use crate::sanitise;
use crate::style::Paint;

/// Rows of a table that are shown; `--json` and `--csv` have all.
const MOST_ROWS: usize = 24;
/// Ports on one line of the map.
const MAP_COLUMNS: usize = 64;

/// Writes the census.
pub(crate) fn census(out: &mut String, view: &View, census: &Census<'_>, form: Form) {
    if form.headings {
        let source = view.paper.source();
        let when = match census.since {
            None => String::from("what listens now"),
            Some(since) => format!("what was used since {}", since.rfc3339()),
        };
        let _ = writeln!(
            out,
            "{}, {}: the registry ({}, {}) against {when}\n",
            sanitise::line(&view.snapshot.machine.hostname),
            view.snapshot.taken.rfc3339(),
            sanitise::line(source.title),
            sanitise::line(source.date),
        );
    }
    counts(out, census, form);
    for roll in &census.rolls {
        map(out, roll, form);
    }
    if form.headings {
        legend(out, form);
    }
    occupied(out, view, census, form);
    candidates(out, census, form);
    if form.headings {
        let _ = writeln!(out, "\n{}", words(census));
        gaps(out, view, form);
    }
}

/// The whole of it in a few sentences, which also stand where a figure cannot be seen.
pub(crate) fn words(census: &Census<'_>) -> String {
    let mut out = String::new();
    for roll in &census.rolls {
        let (system, all) = (roll.tally(Range::System), roll.total());
        let _ = write!(
            out,
            "{}: of the {} well-known ports {} are assigned, {} of them silent; {} used here, {} by another service \
             and {} although silent; {} assigned ones not used here. Of all {} assigned ports {} are used here and {} \
             are silent and not used here. ",
            roll.transport.name().to_uppercase(),
            system.ports,
            system.assigned,
            system.silent,
            system.used,
            system.squatted,
            system.unexplained,
            system.never_used,
            all.assigned,
            all.assigned_used,
            all.reclaimable,
        );
    }
    out.push_str("One machine does not speak for the world: what is not used here may be used elsewhere.");
    out
}

fn counts(out: &mut String, census: &Census<'_>, form: Form) {
    const fn number(title: &'static str, rank: u8) -> Column {
        Column { title, right: true, least: 4, rank }
    }
    const COLUMNS: [Column; 12] = [
        Column { title: "PORTS", right: false, least: 11, rank: 255 },
        number("COUNT", 10),
        number("ASSIGNED", 200),
        number("SILENT", 190),
        number("UNASSIGNED", 20),
        number("RESERVED", 15),
        number("USED", 220),
        number("SQUATTED", 210),
        number("UNEXPLAINED", 205),
        number("UNLISTED", 100),
        number("NEVER USED", 180),
        number("RECLAIMABLE", 170),
    ];
    let mut rows = Vec::new();
    for roll in &census.rolls {
        for range in Range::ALL {
            rows.push(count_cells(&format!("{} {}", roll.transport.name(), range.name()), roll.tally(range)));
        }
        rows.push(count_cells(&format!("{} all", roll.transport.name()), roll.total()));
    }
    render(out, &COLUMNS, &rows, form);
}

fn count_cells(name: &str, tally: Tally) -> [Cell; 12] {
    let plain = |count: u32| Cell::plain(count.to_string());
    let painted =
        |count: u32, paint| Cell::painted(count.to_string(), if count > 0 { paint } else { Paint::Plain });
    [
        Cell::painted(name, Paint::Bold),
        plain(tally.ports),
        plain(tally.assigned),
        plain(tally.silent),
        plain(tally.unassigned),
        plain(tally.reserved + tally.dynamic),
        painted(tally.used, Paint::Green),
        painted(tally.squatted, Paint::Red),
        painted(tally.unexplained, Paint::Yellow),
        painted(tally.unlisted, Paint::Yellow),
        plain(tally.never_used),
        plain(tally.reclaimable),
    ]
}

/// The sign of a chair in the map.
fn sign(seat: Seat) -> (char, Paint) {
    match seat {
        Seat::Taken => ('#', Paint::Green),
        Seat::Squatted => ('X', Paint::Red),
        Seat::Unexplained => ('?', Paint::Yellow),
        Seat::Unlisted => ('!', Paint::Yellow),
        Seat::Waiting => ('o', Paint::Cyan),
        Seat::Empty => ('.', Paint::Plain),
        Seat::Reserved => ('-', Paint::Dim),
        Seat::Unassigned => (' ', Paint::Plain),
    }
}

fn map(out: &mut String, roll: &Roll<'_>, form: Form) {
    super::paper::heading(
        out,
        &format!("The 1,024 well-known ports of {}", roll.transport.name().to_uppercase()),
        form,
    );
    for line in roll.chairs.chunks(MAP_COLUMNS) {
        let first = line.first().map_or(0, |chair| chair.port);
        let _ = write!(out, "  {first:>4} |");
        let mut rest = line;
        // Neighbours of one look share their colour.
        while let Some(seat) = rest.first().map(Chair::seat) {
            let alike = rest.iter().take_while(|chair| chair.seat() == seat).count();
            let (character, paint) = sign(seat);
            let signs: String = std::iter::repeat_n(character, alike).collect();
            let _ = write!(out, "{}", form.style.paint(paint, signs));
            rest = rest.get(alike..).unwrap_or_default();
        }
        out.push_str("|\n");
    }
}

fn legend(out: &mut String, form: Form) {
    out.push('\n');
    for pair in Seat::ALL.chunks(2) {
        let mut line = String::from(" ");
        for seat in pair {
            let (character, paint) = sign(*seat);
            let padding = 52_usize.saturating_sub(seat.meaning().len());
            let _ =
                write!(line, " {}  {}{:padding$}", form.style.paint(paint, character), seat.meaning(), "");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The order in which a reader wants to know of them.
fn weight(seat: Seat) -> usize {
    [Seat::Squatted, Seat::Unexplained, Seat::Unlisted].iter().position(|it| *it == seat).unwrap_or(3)
}

/// Used ports in the order in which a reader wants to know of them, with their transport.
pub(crate) fn by_interest<'c, 'a>(census: &'c Census<'a>) -> Vec<(Transport, &'c Chair<'a>)> {
    let mut chairs: Vec<(Transport, &Chair<'_>)> =
        census.occupied().map(|(transport, chair, _)| (transport, chair)).collect();
    chairs.sort_by_key(|(transport, chair)| (weight(chair.seat()), chair.port, *transport));
    chairs
}

/// The programs that were seen there.
pub(crate) fn holders(occupied: &Use) -> String {
    let holders: Vec<_> = occupied.holders.iter().map(|holder| sanitise::line(holder)).collect();
    if holders.is_empty() { String::from("unknown") } else { holders.join(", ") }
}

/// Who was seen there, and when.
pub(crate) fn who(chair: &Chair<'_>) -> String {
    let Some(occupied) = chair.occupied else { return String::new() };
    let mut who = holders(occupied);
    if !occupied.spoken.is_empty() {
        let _ = write!(who, ", speaks {}", occupied.spoken.join(", "));
    }
    if let (false, Some(earlier)) = (occupied.now, occupied.earlier) {
        let _ = write!(who, " (last {})", earlier.rfc3339());
    }
    who
}

fn occupied(out: &mut String, view: &View, census: &Census<'_>, form: Form) {
    const COLUMNS: [Column; 4] = [
        Column { title: "PORT", right: true, least: 9, rank: 255 },
        Column { title: "FOR", right: false, least: 12, rank: 50 },
        Column { title: "USED BY", right: false, least: 12, rank: 60 },
        Column { title: "SEAT", right: false, least: 8, rank: 70 },
    ];
    let chairs = by_interest(census);
    super::paper::heading(out, "Who sits where", form);
    if chairs.is_empty() {
        out.push_str("  Nothing listens here.\n");
        return;
    }
    let rows: Vec<[Cell; 4]> = chairs
        .iter()
        .take(MOST_ROWS)
        .map(|(transport, chair)| {
            let seat = chair.seat();
            [
                Cell::painted(format!("{}/{}", chair.port, transport.name()), Paint::Bold),
                Cell::plain(cells::service(&view.paper, Some(*transport), chair.port)),
                Cell::plain(who(chair)),
                Cell::painted(seat.name(), sign(seat).1),
            ]
        })
        .collect();
    render(out, &COLUMNS, &rows, form);
    if chairs.len() > MOST_ROWS {
        let _ = writeln!(out, "  … and {} more (--json and --csv have all)", chairs.len() - MOST_ROWS);
    }
}

fn candidates(out: &mut String, census: &Census<'_>, form: Form) {
    const COLUMNS: [Column; 4] = [
        Column { title: "PORT", right: true, least: 9, rank: 255 },
        Column { title: "NAME", right: false, least: 10, rank: 60 },
        Column { title: "ASSIGNEE", right: false, least: 10, rank: 20 },
        Column { title: "WHY SILENT", right: false, least: 20, rank: 50 },
    ];
    super::paper::heading(out, "Candidates for reclaiming: assigned, silent, not used here", form);
    let all: usize = census.rolls.iter().map(|roll| roll.candidates.len()).sum();
    let rows: Vec<[Cell; 4]> = census
        .rolls
        .iter()
        .flat_map(|roll| {
            roll.candidates.iter().take(MOST_ROWS / 2).map(|candidate| {
                let ports = if candidate.first == candidate.last {
                    candidate.first.to_string()
                } else {
                    format!("{}-{}", candidate.first, candidate.last)
                };
                [
                    Cell::painted(format!("{ports}/{}", roll.transport.name()), Paint::Bold),
                    Cell::plain(sanitise::line(candidate.assignment.name)),
                    Cell::plain(sanitise::line(candidate.assignment.assignee)),
                    Cell::plain(candidate.reason),
                ]
            })
        })
        .collect();
    render(out, &COLUMNS, &rows, form);
    if all > rows.len() {
        let more = plural(all - rows.len(), "assignment", "assignments");
        let _ = writeln!(out, "  … and {more} more (--json and --csv have all)");
    }
}
