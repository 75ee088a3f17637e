//! One screen: heads, tabs, rows, what is said, and the keys.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::app::{App, Tab};
use super::details;
use super::flows::time_of_day;
use super::help::{FOOT, FOOT_OF_DETAILS, KEYS};
use crate::sanitise;
use crate::style::Paint;
use crate::text;
use crate::text::table::{self, shorten};

/// Less than this is no room for anything.
const LEAST: (u16, u16) = (40, 10);

/// Below so many lines there is one line of heads.
const LOW: u16 = 16;

/// No column is wider, however long a name somebody gave to something.
const WIDEST: usize = 64;

/// Blanks between two columns.
const GAP: usize = 1;

/// From so many columns on, what matters most is shown at some length before less needed columns come.
const ROOMY: u16 = 72;

/// In fewer columns a sentence says nothing.
const LEAST_WORDS: usize = 16;

/// A line that is written from left to right.
struct Pen<'b> {
    buffer: &'b mut Buffer,
    x: u16,
    y: u16,
    /// The first column that is not ours any more.
    end: u16,
}

impl Pen<'_> {
    /// Writes as much as there is room for. The text is sanitised.
    fn write(&mut self, text: &str, style: Style) {
        let left = usize::from(self.end.saturating_sub(self.x));
        let (x, _) = self.buffer.set_stringn(self.x, self.y, text, left, style);
        self.x = x;
    }

    fn skip(&mut self, columns: usize) {
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(columns).min(self.end);
    }

    fn left(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }
}

fn pen(buffer: &mut Buffer, area: Rect, y: u16) -> Pen<'_> {
    Pen { buffer, x: area.x, y: area.y.saturating_add(y), end: area.right() }
}

impl App {
    /// Draws everything.
    pub(crate) fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let buffer = frame.buffer_mut();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            too_small(buffer, area);
            return;
        }
        let heads = if area.height < LOW { 1 } else { 2 };
        let body = Rect { y: area.y + heads + 1, height: area.height.saturating_sub(heads + 3), ..area };
        self.room = usize::from(body.height.saturating_sub(1));
        self.refresh();
        self.settle();
        self.first_head(pen(buffer, area, 0), heads == 1);
        if heads > 1 {
            self.second_head(pen(buffer, area, 1));
        }
        self.tabs(pen(buffer, area, heads));
        match &self.pane {
            Some(_) => self.details(buffer, body),
            None => self.rows(buffer, body),
        }
        self.saying(pen(buffer, area, area.height - 2));
        self.keys(pen(buffer, area, area.height - 1));
        if let Some(scroll) = self.help {
            self.help = Some(self.help_over(buffer, area, scroll));
        }
    }

    fn first_head(&self, mut pen: Pen<'_>, alone: bool) {
        let ink = self.manner.ink;
        let known = self.known();
        let (now, frozen) = self.times();
        let time = format!("{}Z", time_of_day(now));
        // The time stands at the right, where nothing else moves it.
        let line = pen.end;
        pen.end = line.saturating_sub(u16::try_from(time.len() + 1).unwrap_or(0));
        let machine = &known.current.machine.snapshot.machine;
        let name = if machine.hostname.is_empty() { "portreeve" } else { &machine.hostname };
        pen.write(&shorten(&sanitise::line(name), 24), ink.of(Paint::Bold));
        if let Some(frozen) = frozen {
            pen.skip(2);
            let style = ink.of(Paint::Yellow).add_modifier(Modifier::REVERSED);
            pen.write(&format!(" FROZEN {}Z ", time_of_day(frozen)), style);
        }
        let wire = known.current.traffic.as_ref();
        let findings =
            || known.current.machine.findings.iter().chain(wire.iter().flat_map(|it| &it.findings));
        for (severity, one, many) in [
            (model::Severity::Alert, "alert", "alerts"),
            (model::Severity::Warning, "warning", "warnings"),
            (model::Severity::Note, "note", "notes"),
        ] {
            let count = findings().filter(|it| it.severity == severity).count();
            let paint = if count > 0 { Paint::severity(severity) } else { Paint::Dim };
            pen.skip(2);
            pen.write(&text::plural(count, one, many), ink.of(paint));
        }
        if alone {
            pen.skip(2);
            pen.write(&format!("{} packets/s", known.rates.whole.packets), Style::new());
        }
        pen.x = line.saturating_sub(u16::try_from(time.len()).unwrap_or(0));
        pen.end = line;
        pen.write(&time, ink.of(Paint::Dim));
    }

    fn second_head(&self, mut pen: Pen<'_>) {
        let ink = self.manner.ink;
        let known = self.known();
        let current = &known.current;
        let whole = known.rates.whole;
        let wire = current.traffic.as_ref().map(|view| &view.traffic);
        let lost = current.events.lost.saturating_add(wire.map_or(0, |it| it.volume.dropped));
        let gaps = current.machine.snapshot.gaps.iter().chain(wire.iter().flat_map(|it| &it.gaps));
        let gaps = gaps.filter(|gap| gap.count != Some(0)).count();
        let warn = |count: u64| if count > 0 { Paint::Yellow } else { Paint::Plain };
        let sockets = match current.witness {
            Some(witness) => format!("sockets: {}", witness.name()),
            None if known.looked => String::from("sockets: none"),
            None => String::from("sockets: …"),
        };
        let packets = match current.interfaces.as_slice() {
            [] => String::from("packets: none"),
            names => format!("packets: {}", names.join(",")),
        };
        let mut parts = vec![
            (format!("{} packets/s", whole.packets), Paint::Plain),
            (format!("{}/s", text::bytes(whole.bytes)), Paint::Plain),
            (format!("{} events", current.events.seen), Paint::Plain),
            (format!("{lost} lost"), warn(lost)),
            (text::plural(gaps, "gap", "gaps"), warn(u64::from(gaps > 0))),
            (sockets, Paint::Dim),
            (sanitise::line(&packets).into_owned(), Paint::Dim),
        ];
        if known.missed > 0 {
            parts.insert(5, (format!("{} not followed", known.missed), Paint::Yellow));
        }
        for (at, (part, paint)) in parts.iter().enumerate() {
            if at > 0 {
                pen.skip(2);
            }
            // What would be cut to a part of a number is left out.
            if part.width() > pen.left() && at < 5 {
                break;
            }
            pen.write(&shorten(part, pen.left()), ink.of(*paint));
        }
    }

    fn tabs(&self, mut pen: Pen<'_>) {
        let ink = self.manner.ink;
        let short = pen.left() < 60;
        for (at, tab) in Tab::ALL.into_iter().enumerate() {
            let here = tab == self.tab;
            let count = if here { format!(" {}", self.order.len()) } else { String::new() };
            let fresh = match tab {
                Tab::Findings if self.fresh() > 0 => format!(" +{}", self.fresh()),
                _ => String::new(),
            };
            let name: String =
                if short && !here { tab.name().chars().take(3).collect() } else { tab.name().to_owned() };
            let style = if here {
                Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
            } else {
                Style::new()
            };
            pen.write(&format!(" {} {name}{count}", at + 1), style);
            if !fresh.is_empty() {
                pen.write(&fresh, style.patch(ink.of(Paint::Yellow)));
            }
            pen.write(" ", style);
        }
    }

    fn rows(&mut self, buffer: &mut Buffer, area: Rect) {
        let fields = self.sheet.fields();
        if self.order.is_empty() {
            let text = if self.sheet.len() == 0 && self.stand().text.is_empty() {
                self.sheet.nothing()
            } else {
                "No row matches the filter."
            };
            pen(buffer, area, 1).write(text, self.manner.ink.of(Paint::Dim));
            return;
        }
        let (top, cursor) = (self.stand().top, self.stand().cursor);
        let visible = self.order.iter().skip(top).take(self.room);
        let cells: Vec<Vec<table::Cell>> = visible
            .map(|row| (0..fields.len()).map(|column| self.sheet.cell(*row, column)).collect())
            .collect();
        let (sort, reverse) = (self.stand().sort, self.stand().reverse);
        // The mark stands beside the title of the column that is sorted by.
        let mark = |column: usize, most_first: bool| match sort {
            Some(at) if at == column && most_first != reverse => "▼",
            Some(at) if at == column => "▲",
            _ => "",
        };
        let mut widths = std::mem::take(&mut self.stand_mut().widths);
        widths.resize(fields.len(), 0);
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width().min(WIDEST));
            }
        }
        for (column, (width, field)) in widths.iter_mut().zip(fields).enumerate() {
            if *width > 0 || sort == Some(column) {
                let title = field.column.title.width() + mark(column, field.most_first).width();
                *width = (*width).max(title);
            }
        }
        self.stand_mut().widths = widths.clone();
        let length = |column: table::Column, width: usize| match column.rank {
            _ if area.width < ROOMY => column.least,
            255 => column.least.max(width.min(20)),
            70.. => column.least.max(width.min(14)),
            _ => column.least,
        };
        let columns: Vec<table::Column> = fields
            .iter()
            .zip(&widths)
            .map(|(field, width)| table::Column { least: length(field.column, *width), ..field.column })
            .collect();
        table::fit(&mut widths, &columns, usize::from(area.width), GAP);
        self.shown = widths.iter().enumerate().filter(|(_, width)| **width > 0).map(|(at, _)| at).collect();
        let ink = self.manner.ink;
        let mut head = pen(buffer, area, 0);
        for (column, (width, field)) in widths.iter().zip(fields).enumerate() {
            let title = format!("{}{}", field.column.title, mark(column, field.most_first));
            put(&mut head, &title, *width, field.column.right, ink.of(Paint::Bold));
        }
        for (at, row) in (0_u16..).zip(&cells) {
            let mut line = pen(buffer, area, at + 1);
            for ((cell, width), field) in row.iter().zip(&widths).zip(fields) {
                put(&mut line, &cell.text, *width, field.column.right, ink.of(cell.paint));
            }
            if top + usize::from(at) == cursor {
                let line = Rect { y: area.y + at + 1, height: 1, ..area };
                buffer.set_style(line, Style::new().add_modifier(Modifier::REVERSED));
            }
        }
    }

    fn details(&mut self, buffer: &mut Buffer, area: Rect) {
        self.fill_pane(usize::from(area.width));
        let ink = self.manner.ink;
        let Some(pane) = &self.pane else { return };
        let mut head = pen(buffer, area, 0);
        let last = (pane.scroll + self.room).min(pane.lines.len());
        let place = format!("{}–{last} of {}", pane.scroll + 1, pane.lines.len());
        let style = ink.of(Paint::Bold).add_modifier(Modifier::UNDERLINED);
        head.write(&details::title(&pane.thing), style);
        head.skip(2);
        head.write(&place, ink.of(Paint::Dim));
        for (y, line) in (1_u16..).zip(pane.lines.iter().skip(pane.scroll).take(self.room)) {
            let mut line_pen = pen(buffer, area, y);
            for (text, paint) in line {
                line_pen.write(text, ink.of(*paint));
            }
        }
    }

    /// What is wrong, what is typed, what is shown of how much; else what cannot be seen.
    fn saying(&self, mut pen: Pen<'_>) {
        let ink = self.manner.ink;
        if let Some((text, _)) = &self.prompt {
            pen.write("/", ink.of(Paint::Bold));
            let text = sanitise::line(text);
            // The end of what is typed is where one types.
            let mut shown = String::new();
            for c in text.chars().rev() {
                if shown.width() + 2 > pen.left() {
                    break;
                }
                shown.insert(0, c);
            }
            pen.write(&shown, Style::new());
            pen.write(" ", Style::new().add_modifier(Modifier::REVERSED));
            pen.skip(2);
        }
        if let Some(complaint) = &self.complaint {
            pen.write(&shorten(&sanitise::line(complaint), pen.left()), ink.of(Paint::Red));
            return;
        }
        if self.prompt.is_some() {
            return;
        }
        let stand = self.stand();
        let mut said = Vec::new();
        if !stand.text.is_empty() {
            said.push(format!(
                "{} of {} rows: '{}' (Esc ends it)",
                self.order.len(),
                self.sheet.len(),
                sanitise::line(&stand.text)
            ));
        }
        if let Some(field) = stand.sort.and_then(|at| self.sheet.fields().get(at)) {
            let way = if stand.reverse { ", reversed" } else { "" };
            said.push(format!("sorted by {}{way}", field.column.title.to_lowercase()));
        } else if stand.reverse {
            said.push(String::from("reversed"));
        }
        if !said.is_empty() {
            pen.write(&shorten(&said.join("; "), pen.left()), ink.of(Paint::Dim));
            pen.skip(2);
        }
        if pen.left() >= LEAST_WORDS {
            let notice = shorten(&sanitise::line(&self.manner.notice), pen.left());
            pen.write(&notice, ink.of(Paint::Yellow));
        }
    }

    fn keys(&self, mut pen: Pen<'_>) {
        let ink = self.manner.ink;
        let keys: &[(&str, &str)] = match (&self.prompt, &self.pane) {
            (Some(_), _) => &[("Enter", "keep"), ("Esc", "as before"), ("Ctrl-U", "empty")],
            (None, Some(_)) => &FOOT_OF_DETAILS,
            (None, None) => &FOOT,
        };
        for (key, what) in keys {
            if key.width() + what.width() + 1 > pen.left() {
                break;
            }
            pen.write(key, ink.of(Paint::Bold));
            pen.skip(1);
            pen.write(what, ink.of(Paint::Dim));
            pen.skip(2);
        }
    }

    /// Draws the help over everything; gives the place to which it could be scrolled.
    fn help_over(&self, buffer: &mut Buffer, area: Rect, scroll: usize) -> usize {
        let ink = self.manner.ink;
        let key_width = KEYS.iter().map(|(key, _)| key.width()).max().unwrap_or_default();
        let narrow = usize::from(area.width) < 70;
        let mut lines: Vec<(String, String)> = Vec::new();
        for (key, what) in KEYS {
            if narrow && !key.is_empty() {
                lines.push((key.to_owned(), String::new()));
                lines.push((String::new(), format!("  {what}")));
            } else if narrow {
                lines.push((String::new(), what.to_owned()));
            } else {
                lines.push((format!("{key}{}", " ".repeat(key_width - key.width() + 2)), what.to_owned()));
            }
        }
        let inner =
            Rect { x: area.x, y: area.y + 1, width: area.width, height: area.height.saturating_sub(2) };
        Clear.render(inner, buffer);
        let room = usize::from(inner.height.saturating_sub(1));
        let scroll = scroll.min(lines.len().saturating_sub(room));
        let more = if lines.len() > room {
            "  ↑↓ scroll, any other key goes back"
        } else {
            "  any key goes back"
        };
        let mut head = pen(buffer, inner, 0);
        head.write("portreeve top: keys", ink.of(Paint::Bold).add_modifier(Modifier::UNDERLINED));
        head.write(more, ink.of(Paint::Dim));
        for (y, (key, what)) in (1_u16..).zip(lines.iter().skip(scroll).take(room)) {
            let mut line = pen(buffer, inner, y);
            line.write(key, ink.of(Paint::Bold));
            let room = line.left();
            line.write(&shorten(what, room), Style::new());
        }
        scroll
    }
}

/// Writes one cell of a line, and the gap after it; nothing for a column that is not shown.
fn put(pen: &mut Pen<'_>, text: &str, width: usize, right: bool, style: Style) {
    if width == 0 {
        return;
    }
    let text = shorten(text, width);
    let padding = width - text.width().min(width);
    if right {
        pen.skip(padding);
    }
    pen.write(&text, style);
    pen.skip(if right { GAP } else { padding + GAP });
}

fn too_small(buffer: &mut Buffer, area: Rect) {
    let lines = [
        format!("{}×{} is too small:", area.width, area.height),
        format!("{}×{} at least", LEAST.0, LEAST.1),
        String::from("q quits"),
    ];
    for (y, line) in (0_u16..).zip(&lines).take(usize::from(area.height)) {
        pen(buffer, area, y).write(line, Style::new());
    }
}
