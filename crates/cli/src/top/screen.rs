//! The terminal as ours for a while, and as it was afterwards, however we end.

use std::io::{self, Stdout, Write, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;

use super::App;

/// Whether the terminal is ours now.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal, given back when this is dropped.
pub(crate) struct Screen {
    /// Never dropped: it would tell standard error of a terminal that is gone, and fall over that.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    /// Takes the terminal over.
    pub(crate) fn begin() -> io::Result<Screen> {
        give_back_before_a_panic_is_told();
        take()?;
        let terminal = Terminal::new(CrosstermBackend::new(stdout())).inspect_err(|_| give_back())?;
        Ok(Screen { terminal: ManuallyDrop::new(terminal) })
    }

    /// Draws what is to be shown: of the screen only what is different.
    pub(crate) fn draw(&mut self, app: &mut App) -> io::Result<()> {
        self.terminal.draw(|frame| app.draw(frame)).map(|_| ())
    }

    /// Forgets what is on the screen: everything is drawn anew the next time.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // `Terminal::clear` asks where the cursor is, and our own reader of keys would take the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Gives the terminal back for a while.
    #[cfg(unix)]
    pub(crate) fn leave(&mut self) {
        give_back();
    }

    /// Takes the terminal over again.
    #[cfg(unix)]
    pub(crate) fn take_again(&mut self) -> io::Result<()> {
        if OURS.load(Ordering::SeqCst) {
            // Who was stopped without being asked finds the modes changed, and believes that they are not.
            disable_raw_mode()?;
        }
        take()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, Hide).inspect_err(|_| give_back())
}

fn give_back() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nobody is left to be told of a terminal that is gone.
    let _ = execute!(stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}

/// A panic is told on a screen that shows it. That of another thread ends the loop, and comes to people that way.
fn give_back_before_a_panic_is_told() {
    let main = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == main {
            give_back();
        }
        if !OURS.load(Ordering::SeqCst) {
            before(info);
        }
    }));
}
