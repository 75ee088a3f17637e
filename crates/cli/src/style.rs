//! Colours: when, and which.

use std::fmt::{self, Display};

use engine::Verdict;
use model::Severity;

/// Whether to write colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    on: bool,
}

/// What a piece of text is, as far as colours go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Like the rest.
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// Good.
    Green,
    /// A note.
    Cyan,
    /// A warning.
    Yellow,
    /// An alert.
    Red,
}

impl Paint {
    /// The colour of a verdict.
    pub(crate) fn of(verdict: Verdict) -> Paint {
        match verdict {
            Verdict::Ok => Paint::Green,
            Verdict::Accepted | Verdict::Unseen => Paint::Dim,
            Verdict::Found(severity) => Paint::severity(severity),
        }
    }

    /// The colour of a severity.
    pub(crate) fn severity(severity: Severity) -> Paint {
        match severity {
            Severity::Note => Paint::Cyan,
            Severity::Warning => Paint::Yellow,
            Severity::Alert => Paint::Red,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "",
            Paint::Bold => "\u{1b}[1m",
            Paint::Dim => "\u{1b}[2m",
            Paint::Green => "\u{1b}[32m",
            Paint::Cyan => "\u{1b}[36m",
            Paint::Yellow => "\u{1b}[33m",
            Paint::Red => "\u{1b}[1;31m",
        }
    }
}

impl Style {
    /// No colours.
    pub(crate) const PLAIN: Style = Style { on: false };
    /// Colours.
    pub(crate) const COLOUR: Style = Style { on: true };

    /// The text in a colour. The text must be sanitised already.
    pub(crate) fn paint<T: Display>(self, paint: Paint, text: T) -> Painted<T> {
        Painted { paint: if self.on { paint } else { Paint::Plain }, text }
    }
}

/// Text in a colour.
pub(crate) struct Painted<T> {
    paint: Paint,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.paint == Paint::Plain {
            self.text.fmt(f)
        } else {
            f.write_str(self.paint.code())?;
            self.text.fmt(f)?;
            f.write_str("\u{1b}[0m")
        }
    }
}
