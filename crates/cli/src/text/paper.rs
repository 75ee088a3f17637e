//! What the registry says, as text.

use std::fmt::Write as _;

use model::{Assignment, Transport};
use registry::{Paper, Usage, misuse, program};

use super::Form;
use crate::sanitise;
use crate::style::Paint;

/// Writes one labelled line, if there is something to write; long text wraps under itself.
pub(crate) fn field(out: &mut String, label: &str, value: &str, form: Form) {
    if value.is_empty() {
        return;
    }
    const INDENT: usize = 20;
    let value = sanitise::line(value);
    let room = form.width.unwrap_or(110).min(110).saturating_sub(INDENT).max(30);
    let _ = write!(out, "  {}", form.style.paint(Paint::Dim, format!("{label:<18}")));
    let mut used = 0;
    for word in value.split(' ') {
        let wide = unicode_width::UnicodeWidthStr::width(word);
        if used > 0 && used + 1 + wide > room {
            let _ = write!(out, "\n{:INDENT$}", "");
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += wide;
    }
    out.push('\n');
}

/// Writes a heading.
pub(crate) fn heading(out: &mut String, text: &str, form: Form) {
    let _ = writeln!(out, "\n{}", form.style.paint(Paint::Bold, text));
}

/// Writes everything on paper about a port: each transport, its use, who is commonly seen there, its history.
pub(super) fn on_paper(out: &mut String, paper: &Paper, port: u16, only: Option<Transport>, form: Form) {
    heading(out, "On paper", form);
    let wanted = |transport: &Transport| only.is_none_or(|only| only == *transport);
    for transport in Transport::ALL.into_iter().filter(wanted) {
        let standing = paper.standing(transport, port);
        // SCTP and DCCP have few assignments; their silence is not news unless it was asked for.
        if standing.assignment.is_none()
            && only.is_none()
            && !matches!(transport, Transport::Tcp | Transport::Udp)
        {
            continue;
        }
        let name = standing.assignment.map_or("", |row| row.name);
        let title = format!("{port}/{}", transport.name());
        let _ = write!(out, "  {}  {}", form.style.paint(Paint::Bold, title), standing.status.name());
        if !name.is_empty() {
            let _ = write!(out, " to {}", sanitise::line(name));
        }
        match standing.usage {
            Usage::Silent(reason) => {
                let word = form.style.paint(Paint::Yellow, "silent");
                let _ = write!(out, "; {word}: {}", sanitise::line(reason));
            }
            Usage::Ordinary(reason) => {
                let _ = write!(out, "; {}", sanitise::line(reason));
            }
            Usage::NotAssigned => {}
        }
        out.push('\n');
        if let Some(row) = standing.assignment {
            details(out, &row, form);
        }
        for row in standing.more() {
            field(out, "also", row.name, form);
            details(out, &row, form);
        }
        if let Some(seen) = program::commonly_seen(transport, port) {
            field(out, "commonly seen", seen, form);
        }
        let programs: Vec<&str> =
            program::on_port(transport, port).filter_map(|program| program.names.first().copied()).collect();
        if !programs.is_empty() {
            field(out, "usual programs", &programs.join(", "), form);
        }
        if let Some(sensitive) = program::sensitive(transport, port) {
            let text = format!("{} ({}): {}", sensitive.what, sensitive.kind.name(), sensitive.why);
            field(out, "keep inside", &text, form);
        }
    }
    let source = paper.source();
    let imported = if source.imported { ", imported here" } else { "" };
    let state = if source.date.is_empty() { String::new() } else { format!(", state of {}", source.date) };
    field(out, "source", &format!("{}{state}{imported}", source.title), form);
}

fn details(out: &mut String, row: &Assignment<'_>, form: Form) {
    if let (Some(first), Some(last)) = (row.first, row.last)
        && first != last
    {
        field(out, "range", &format!("{first}-{last}"), form);
    }
    for (label, value) in [
        ("description", row.description),
        ("assignee", row.assignee),
        ("contact", row.contact),
        ("registered", row.registered),
        ("modified", row.modified),
        ("reference", row.reference),
        ("unauthorised use", row.unauthorised),
        ("notes", row.notes),
    ] {
        field(out, label, value, form);
    }
}

/// Writes the history of misuse with counts and sources, and what it does not prove.
pub(super) fn history(out: &mut String, port: u16, only: Option<Transport>, form: Form) {
    let wanted = |transport: &Transport| only.is_none_or(|only| only == *transport);
    let mut entries = Vec::new();
    for transport in Transport::ALL.into_iter().filter(wanted) {
        for entry in misuse(transport, port) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    if entries.is_empty() {
        return;
    }
    heading(out, "History of misuse", form);
    const MOST: usize = 12;
    for entry in entries.iter().take(MOST) {
        // Each line carries its own caveat; here it stands once, below all of them.
        let line = entry.to_string();
        let line = line.strip_suffix(registry::CAVEAT).unwrap_or(&line).trim_end_matches("; ");
        let _ = writeln!(out, "  {}", sanitise::line(line));
    }
    if entries.len() > MOST {
        let _ = writeln!(out, "  … and {} more (--json has all)", entries.len() - MOST);
    }
    let _ = writeln!(out, "  Any program may use any port: {}.", registry::CAVEAT);
}

/// Writes rows of the registry as a table.
pub(crate) fn assignments(out: &mut String, rows: &[Assignment<'_>], form: Form) {
    use super::table::{Cell, Column, render};
    const COLUMNS: [Column; 6] = [
        Column { title: "PORT", right: true, least: 9, rank: 255 },
        Column { title: "STATUS", right: false, least: 8, rank: 20 },
        Column { title: "NAME", right: false, least: 10, rank: 60 },
        Column { title: "DESCRIPTION", right: false, least: 16, rank: 50 },
        Column { title: "ASSIGNEE", right: false, least: 10, rank: 10 },
        Column { title: "REGISTERED", right: false, least: 7, rank: 5 },
    ];
    let cells: Vec<[Cell; 6]> = rows
        .iter()
        .map(|row| {
            let ports = match (row.first, row.last) {
                (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
                (Some(first), _) => first.to_string(),
                (None, _) => String::from("-"),
            };
            let port = match row.transport {
                Some(transport) => format!("{ports}/{}", transport.name()),
                None => ports,
            };
            let text = |text: &str| Cell::plain(sanitise::line(text));
            [
                Cell::painted(port, Paint::Bold),
                text(row.status.name()),
                text(row.name),
                text(row.description),
                text(row.assignee),
                text(row.registered),
            ]
        })
        .collect();
    render(out, &COLUMNS, &cells, form);
}
