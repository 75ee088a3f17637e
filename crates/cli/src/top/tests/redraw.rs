//! What is written to a terminal: the cells that changed, and no others.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::*;

/// What a terminal would have got.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    /// The signs that were written since the last time, without what only moves the cursor or changes colours.
    fn signs(&self) -> String {
        let text = String::from_utf8(self.0.take()).unwrap();
        let mut signs = String::new();
        let mut rest = text.chars();
        while let Some(sign) = rest.next() {
            if sign == '\u{1b}' {
                // ESC [ … letter (ECMA-48 §5.4).
                rest.by_ref().skip(1).find(|it| ('@'..='~').contains(it));
            } else {
                signs.push(sign);
            }
        }
        signs
    }
}

#[test]
fn only_what_changed_is_written() {
    let wire = Wire::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(wire.clone()), TerminalOptions { viewport }).unwrap();
    let mut written = |app: &mut App| {
        terminal.draw(|frame| app.draw(frame)).unwrap();
        wire.signs()
    };
    let mut app = app();
    for tab in Tab::ALL {
        assert!(written(&mut app).len() > 20, "{}", tab.name());
        assert_eq!(written(&mut app), "", "{}: nothing is new", tab.name());
        // The same again, told anew: rows are made anew, and none of their cells is.
        let again = current(fixture::view(), Some(fixture::traffic::view()));
        app.feed(feed(again, vec![Change::Looked], None));
        assert_eq!(written(&mut app), "", "{}: nothing else is known", tab.name());
        app.handle(Input::Tab);
    }
    keys(&mut app, "1");
    written(&mut app);
    // A second later one digit of the clock is another.
    app.tick(at(6));
    assert_eq!(written(&mut app), "1");
    // The cursor moves: two rows change, and nothing else.
    keys(&mut app, "j");
    let rows = written(&mut app).chars().count();
    assert!((1..=160).contains(&rows), "{rows}");
}
