//! What a person does at the keyboard, without the terminal's own ways of telling it.

use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};

/// What came from the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A character, space among them.
    Char(char),
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-U: what was typed is to go.
    Erase,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L: somebody else wrote on the screen.
    Redraw,
}

impl Input {
    /// What an event of the terminal means; `None` where it is no key of ours.
    pub(crate) fn of(event: &Event) -> Option<Input> {
        let Event::Key(key) = event else { return None };
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Some(Input::Interrupt),
                KeyCode::Char('z') => Some(Input::Suspend),
                KeyCode::Char('l') => Some(Input::Redraw),
                KeyCode::Char('u') => Some(Input::Erase),
                KeyCode::Char('f') => Some(Input::PageDown),
                KeyCode::Char('b') => Some(Input::PageUp),
                KeyCode::Char('h') => Some(Input::Backspace),
                _ => None,
            };
        }
        if key.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        match key.code {
            KeyCode::Char(c) => Some(Input::Char(c)),
            KeyCode::Tab => Some(Input::Tab),
            KeyCode::BackTab => Some(Input::BackTab),
            KeyCode::Up => Some(Input::Up),
            KeyCode::Down => Some(Input::Down),
            KeyCode::Left => Some(Input::Left),
            KeyCode::Right => Some(Input::Right),
            KeyCode::PageUp => Some(Input::PageUp),
            KeyCode::PageDown => Some(Input::PageDown),
            KeyCode::Home => Some(Input::Home),
            KeyCode::End => Some(Input::End),
            KeyCode::Enter => Some(Input::Enter),
            KeyCode::Esc => Some(Input::Escape),
            KeyCode::Backspace => Some(Input::Backspace),
            _ => None,
        }
    }
}
