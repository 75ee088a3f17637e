//! Colours of the sixteen that every terminal's owner chose himself, and text with our own colours as styled pieces.

use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

use crate::style::Paint;

/// Whether to use colours. Bold, dim and reversed text is shown in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink {
    /// Colours.
    pub(crate) colours: bool,
}

impl Ink {
    /// How a piece of text is shown.
    pub(super) fn of(self, paint: Paint) -> Style {
        let style = Style::new();
        let coloured = |colour| if self.colours { style.fg(colour) } else { style };
        match paint {
            Paint::Plain => style,
            Paint::Bold => style.add_modifier(Modifier::BOLD),
            Paint::Dim => style.add_modifier(Modifier::DIM),
            Paint::Green => coloured(Color::Green),
            Paint::Cyan => coloured(Color::Cyan),
            Paint::Yellow => coloured(Color::Yellow),
            Paint::Red => coloured(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

/// A line as pieces of text, each with its colour.
pub(super) type Pieces = Vec<(String, Paint)>;

/// Text that was painted by us, in lines of at most so many columns. The text is sanitised: every escape in it is ours.
pub(super) fn lines(text: &str, width: usize) -> Vec<Pieces> {
    let mut out = Vec::new();
    for line in text.lines() {
        wrap(line, width.max(1), &mut out);
    }
    out
}

/// Breaks a line between words where it can.
fn wrap(line: &str, width: usize, out: &mut Vec<Pieces>) {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    // What goes on in a next line stands a little to the right of where it began.
    let indent = if indent + 2 < width / 2 { indent + 2 } else { 0 };
    let mut cells: Vec<(char, Paint)> = Vec::new();
    let mut paint = Paint::Plain;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            let code: String = chars.by_ref().take_while(|c| *c != 'm').collect();
            paint = paint_of(&code);
        } else {
            cells.push((c, paint));
        }
    }
    let mut rest = cells.as_slice();
    let mut room = width;
    let mut first = true;
    loop {
        let mut used = 0;
        let fits = rest.iter().take_while(|(c, _)| {
            used += c.width().unwrap_or(0);
            used <= room
        });
        let fits = fits.count();
        if fits == rest.len() {
            out.push(pieces(if first { 0 } else { indent }, rest));
            return;
        }
        let blank = rest.iter().take(fits + 1).rposition(|(c, _)| *c == ' ');
        // A line of blanks alone would not come to an end, and a word longer than half a line is cut.
        let cut = blank.filter(|at| *at > room / 2).unwrap_or(fits.max(1));
        let (line, after) = rest.split_at_checked(cut).unwrap_or((rest, &[]));
        out.push(pieces(if first { 0 } else { indent }, line));
        let blanks = after.iter().take_while(|(c, _)| *c == ' ').count();
        rest = after.get(blanks..).unwrap_or_default();
        (first, room) = (false, width - indent);
    }
}

fn pieces(indent: usize, cells: &[(char, Paint)]) -> Pieces {
    let mut out = Pieces::new();
    if indent > 0 && !cells.is_empty() {
        out.push((" ".repeat(indent), Paint::Plain));
    }
    for (c, paint) in cells {
        match out.last_mut() {
            Some((text, last)) if last == paint => text.push(*c),
            _ => out.push((c.to_string(), *paint)),
        }
    }
    out
}

fn paint_of(code: &str) -> Paint {
    match code {
        "[1" => Paint::Bold,
        "[2" => Paint::Dim,
        "[32" => Paint::Green,
        "[36" => Paint::Cyan,
        "[33" => Paint::Yellow,
        "[1;31" => Paint::Red,
        _ => Paint::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_text_becomes_pieces_and_fits() {
        let painted = crate::style::Style::COLOUR.paint(Paint::Red, "alert");
        assert_eq!(
            lines(&format!("a {painted} b\n\nc"), 80),
            [
                vec![
                    (String::from("a "), Paint::Plain),
                    (String::from("alert"), Paint::Red),
                    (String::from(" b"), Paint::Plain)
                ],
                vec![],
                vec![(String::from("c"), Paint::Plain)],
            ]
        );
        for paint in [Paint::Bold, Paint::Dim, Paint::Green, Paint::Cyan, Paint::Yellow, Paint::Red] {
            let text = crate::style::Style::COLOUR.paint(paint, "x").to_string();
            assert_eq!(lines(&text, 80), [vec![(String::from("x"), paint)]]);
        }
        let said = lines("  field  some words that are long", 20);
        let shown: Vec<&str> = said.iter().flatten().map(|(text, _)| text.as_str()).collect();
        assert_eq!(shown, ["  field  some words", "    that are long"]);
        let wide = lines("日本語の名前", 5);
        let shown: Vec<&str> = wide.iter().flatten().map(|(text, _)| text.as_str()).collect();
        assert_eq!(shown, ["日本", "語の", "名前"]);
    }
}
