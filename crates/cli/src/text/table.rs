//! A table that fits the terminal: columns shrink in an order that we state, and then go, least needed first.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Form;
use crate::style::Paint;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Numbers stand at the right.
    pub(crate) right: bool,
    /// It is not made narrower than this.
    pub(crate) least: usize,
    /// The column with the lowest rank shrinks and goes first; columns of rank 255 stay.
    pub(crate) rank: u8,
}

/// A cell: sanitised text and its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) paint: Paint,
}

impl Cell {
    pub(crate) fn plain(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), paint: Paint::Plain }
    }

    pub(crate) fn painted(text: impl Into<String>, paint: Paint) -> Cell {
        Cell { text: text.into(), paint }
    }
}

const GAP: usize = 2;

/// Writes the table. A column in which no row has anything is left out.
pub(crate) fn render<const N: usize>(
    out: &mut String,
    columns: &[Column; N],
    rows: &[[Cell; N]],
    form: Form,
) {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    if form.headings {
        for (width, column) in widths.iter_mut().zip(columns) {
            if *width > 0 {
                *width = (*width).max(column.title.len());
            }
        }
    }
    if let Some(limit) = form.width {
        fit(&mut widths, columns, limit, GAP);
    }
    let last = widths.iter().rposition(|width| *width > 0).unwrap_or_default();
    let mut line = |cells: &mut dyn Iterator<Item = (&str, Paint)>| {
        for (index, ((text, paint), (width, column))) in cells.zip(widths.iter().zip(columns)).enumerate() {
            if *width == 0 {
                continue;
            }
            let text = shorten(text, *width);
            let padding = width - text.width().min(*width);
            if column.right {
                let _ = write!(out, "{:padding$}", "");
            }
            if text.is_empty() {
                // No colour around nothing.
            } else {
                let _ = write!(out, "{}", form.style.paint(paint, &text));
            }
            if index < last {
                let after = if column.right { GAP } else { padding + GAP };
                let _ = write!(out, "{:after$}", "");
            }
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    };
    if form.headings {
        line(&mut columns.iter().map(|column| (column.title, Paint::Bold)));
    }
    for row in rows {
        line(&mut row.iter().map(|cell| (cell.text.as_str(), cell.paint)));
    }
}

fn total(widths: &[usize], gap: usize) -> usize {
    let shown = widths.iter().filter(|width| **width > 0).count();
    widths.iter().sum::<usize>() + gap * shown.saturating_sub(1)
}

/// Makes the widths fit into so many columns: what is needed least shrinks first, and goes first. A width of 0 is a
/// column that is not shown.
pub(crate) fn fit(widths: &mut [usize], columns: &[Column], limit: usize, gap: usize) {
    let wanted = widths.to_vec();
    let mut order: Vec<usize> = (0..widths.len()).collect();
    order.sort_by_key(|at| columns.get(*at).map_or(u8::MAX, |column| column.rank));
    // First each column gives what it can, the least needed first; then whole columns go.
    for at in &order {
        let over = total(widths, gap).saturating_sub(limit);
        if let (Some(width), Some(column)) = (widths.get_mut(*at), columns.get(*at))
            && over > 0
            && *width > column.least
        {
            *width = (*width - over.min(*width - column.least)).max(column.least);
        }
    }
    for at in &order {
        if total(widths, gap) <= limit {
            break;
        }
        if let (Some(width), Some(column)) = (widths.get_mut(*at), columns.get(*at))
            && column.rank != u8::MAX
        {
            *width = 0;
        }
    }
    // What the columns that went leave free, those that stayed get back, the most needed first.
    for at in order.iter().rev() {
        let free = limit.saturating_sub(total(widths, gap));
        if let (Some(width), Some(wanted)) = (widths.get_mut(*at), wanted.get(*at))
            && *width > 0
        {
            *width += free.min(wanted.saturating_sub(*width));
        }
    }
}

/// The text in so many columns, with `…` where something was cut.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    const COLUMNS: [Column; 4] = [
        Column { title: "PORT", right: true, least: 5, rank: 255 },
        Column { title: "NAME", right: false, least: 6, rank: 20 },
        Column { title: "USER", right: false, least: 4, rank: 10 },
        Column { title: "EMPTY", right: false, least: 4, rank: 30 },
    ];

    fn table(width: Option<usize>) -> String {
        let row = |port: &str, name: &str, user: &str| {
            [Cell::plain(port), Cell::plain(name), Cell::plain(user), Cell::plain("")]
        };
        let mut out = String::new();
        let rows = [row("22", "secure-shell", "root"), row("31337", "日本語の名前", "mallory")];
        render(&mut out, &COLUMNS, &rows, Form { width, style: Style::PLAIN, headings: true });
        out
    }

    #[test]
    fn an_empty_column_is_not_shown() {
        assert_eq!(
            table(None),
            " PORT  NAME          USER\n   22  secure-shell  root\n31337  日本語の名前  mallory\n"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_while_columns_can_go() {
        for width in 11..40 {
            let text = table(Some(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}\n{text}");
            assert!(text.contains("31337"));
        }
        assert_eq!(table(Some(21)), " PORT  NAME      USER\n   22  secure-…  root\n31337  日本語…   mal…\n");
        // The room of a column that went goes to those that stayed.
        assert_eq!(table(Some(16)), " PORT  NAME\n   22  secure-s…\n31337  日本語の…\n");
        assert_eq!(table(Some(13)), " PORT  NAME\n   22  secur…\n31337  日本…\n");
    }

    #[test]
    fn colours_go_around_words_only() {
        let mut out = String::new();
        let rows = [[Cell::painted("a", Paint::Red)], [Cell::plain("bb")]];
        let columns = [Column { title: "X", right: true, least: 1, rank: 255 }];
        render(&mut out, &columns, &rows, Form { width: None, style: Style::COLOUR, headings: false });
        assert_eq!(out, " \u{1b}[1;31ma\u{1b}[0m\nbb\n");
    }
}
