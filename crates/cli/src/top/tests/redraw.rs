//! What is written to a terminal: the cells that changed, and no others.

use std::convert::Infallible;

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::*;

/// A terminal that remembers where it was written to.
struct Counting {
    inner: TestBackend,
    written: Vec<(u16, u16)>,
}

impl Backend for Counting {
    type Error = Infallible;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> Result<(), Infallible> {
        let written = &mut self.written;
        self.inner.draw(content.inspect(|(x, y, _)| written.push((*x, *y))))
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), Infallible> {
        self.inner.clear_region(region)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.inner.flush()
    }
}

/// Draws, and says which cells were written.
fn written(terminal: &mut Terminal<Counting>, app: &mut App) -> Vec<(u16, u16)> {
    terminal.backend_mut().written.clear();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    terminal.backend().written.clone()
}

#[test]
fn only_what_changed_is_written() {
    let backend = Counting { inner: TestBackend::new(80, 24), written: Vec::new() };
    let mut terminal = Terminal::new(backend).unwrap();
    let mut app = app();
    for tab in Tab::ALL {
        assert!(!written(&mut terminal, &mut app).is_empty(), "{}", tab.name());
        assert_eq!(written(&mut terminal, &mut app), [], "{}: nothing is new", tab.name());
        // The same again, told anew: rows are made anew, and none of their cells is.
        let again = current(fixture::view(), Some(fixture::traffic::view()));
        app.feed(feed(again, vec![Change::Looked], None));
        assert_eq!(written(&mut terminal, &mut app), [], "{}: nothing else is known", tab.name());
        app.handle(Input::Tab);
    }
    keys(&mut app, "1");
    written(&mut terminal, &mut app);
    // A second later only the clock is another, at the end of the first line; and it is one digit of it.
    app.tick(at(6));
    assert_eq!(written(&mut terminal, &mut app), [(78, 0)]);
    // The cursor moves: two rows change, and nothing else.
    keys(&mut app, "j");
    let rows: Vec<u16> = written(&mut terminal, &mut app).into_iter().map(|(_, y)| y).collect();
    assert!(rows.iter().all(|y| (4..=5).contains(y)) && rows.len() <= 160, "{rows:?}");
}
