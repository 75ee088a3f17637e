//! What works on this machine, for people: a table, and then what helps.

use std::fmt::Write as _;

use super::table::{Cell, Column, render};
use super::{Form, plural};
use crate::doctor::{Row, State};
use crate::sanitise;
use crate::style::Paint;

const COLUMNS: [Column; 4] = [
    Column { title: "STATE", right: false, least: 7, rank: 255 },
    Column { title: "WHAT", right: false, least: 18, rank: 255 },
    Column { title: "HOW IT IS", right: false, least: 24, rank: 2 },
    Column { title: "WHAT FOR", right: false, least: 16, rank: 1 },
];

fn paint(row: &Row) -> Paint {
    match row.state {
        State::Ok => Paint::Green,
        _ if row.optional => Paint::Dim,
        State::Limited | State::Unknown => Paint::Yellow,
        State::No => Paint::Red,
    }
}

/// Writes the rows, and for each that is not well what to do.
pub(crate) fn doctor(rows: &[Row], form: Form) -> String {
    let mut out = String::new();
    let cells: Vec<[Cell; 4]> = rows
        .iter()
        .map(|row| {
            [
                Cell::painted(row.state.word(), paint(row)),
                Cell::plain(row.name.clone()),
                Cell::plain(sanitise::line(&row.why)),
                Cell::painted(row.purpose, Paint::Dim),
            ]
        })
        .collect();
    render(&mut out, &COLUMNS, &cells, form);
    let unwell: Vec<&Row> = rows.iter().filter(|row| row.state != State::Ok).collect();
    if !unwell.is_empty() {
        out.push('\n');
    }
    for row in &unwell {
        // In full: in the table it may be cut.
        let name = form.style.paint(paint(row), &row.name);
        let without = if row.optional { " (all else works without)" } else { "" };
        let _ = writeln!(out, "{name}{without}: {}.", sanitise::line(&row.why));
        let _ = writeln!(out, "  It is for: {}.", row.purpose);
        if let Some(advice) = &row.advice {
            let _ = writeln!(out, "  To do: {}.", sanitise::line(advice));
        }
    }
    if form.headings {
        let counted = unwell.iter().filter(|row| !row.optional).count();
        let total = plural(rows.len(), "thing was looked at", "things were looked at");
        let verdict = match counted {
            0 => String::from("all works"),
            count => plural(count, "is not as it could be", "are not as they could be"),
        };
        let _ = writeln!(out, "\n{total}; {verdict}.");
    }
    out
}
