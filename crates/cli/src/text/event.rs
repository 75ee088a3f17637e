//! What happened to a socket, in one line.

use std::fmt::Write as _;

use model::{Happened, SocketEvent};
use registry::Paper;

use super::Form;
use super::traffic::clock;
use crate::document::Names;
use crate::sanitise;
use crate::style::Paint;

/// Writes an event in one line: when, what, where, who, and what the port is for by its number alone.
pub(crate) fn event_line(out: &mut String, event: &SocketEvent, paper: &Paper, form: Form) {
    let word = event.happened.name().replace('_', " ");
    let _ = write!(
        out,
        "{}  {:10} {:4} {}",
        form.style.paint(Paint::Dim, clock(event.at)),
        word,
        event.kind.name(),
        form.style.paint(Paint::Bold, event.local.to_string()),
    );
    match (event.holder.value(), event.holder.hidden()) {
        (Some(process), _) => {
            let program = sanitise::line(process.program());
            let _ = write!(out, "  {program}[{}]", process.pid);
            if let Some(user) = process.user.value() {
                let name = user.name.as_deref().map(sanitise::line);
                let _ = write!(out, " {}", name.unwrap_or_else(|| user.uid.to_string().into()));
            }
            if let Some(unit) = process.unit.value() {
                let _ = write!(out, " {}", sanitise::line(&unit.name));
            }
        }
        (None, Some(reason)) => _ = write!(out, "  holder not known: {}", reason.words()),
        (None, None) => {}
    }
    if let Some(lived) = event.lived_ns {
        let _ = write!(out, "  after {}", length(lived));
    }
    let names = Names::of(paper, event.kind.transport(), event.local.port());
    if let Some(name) = names.registered.filter(|_| event.happened != Happened::Closed) {
        let silent = if names.silent == Some(true) { " (silent)" } else { "" };
        let _ = write!(out, "  {}?{silent}", sanitise::line(name));
    }
    out.push('\n');
}

/// A length of time with three digits or so: `0.21 ms`, `4.1 s`, `2 h 5 min`.
pub(crate) fn length(nanoseconds: u64) -> String {
    let (seconds, millis) = (nanoseconds / 1_000_000_000, nanoseconds / 1_000_000);
    match seconds {
        0 if millis < 10 => format!("{}.{:02} ms", millis, nanoseconds / 10_000 % 100),
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds}.{} s", millis / 100 % 10),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        for (nanoseconds, words) in [
            (0, "0.00 ms"),
            (214_000, "0.21 ms"),
            (9_999_999, "9.99 ms"),
            (10_000_000, "10 ms"),
            (4_120_000_000, "4.1 s"),
            (61_000_000_000, "1 min 1 s"),
            (7_500_000_000_000, "2 h 5 min"),
            (90_000_000_000_000, "1 d 1 h"),
        ] {
            assert_eq!(length(nanoseconds), words);
        }
    }
}
