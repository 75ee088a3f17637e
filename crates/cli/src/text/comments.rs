//! What people wrote into captures, in their words.

use std::fmt::Write as _;

use model::{CommentPlace, Traffic};

use super::Form;
use super::paper::heading;
use crate::sanitise;

/// Comments that are shown without being asked for; --json has more.
const MOST: usize = 20;

/// Writes the comments, where there are any.
pub(super) fn write(out: &mut String, traffic: &Traffic, form: Form) {
    if traffic.comments.is_empty() {
        return;
    }
    heading(out, "Written into the capture", form);
    for comment in traffic.comments.iter().take(MOST) {
        let place = match comment.place {
            CommentPlace::Section => String::new(),
            CommentPlace::Interface(number) => format!(", interface {number}"),
            CommentPlace::Packet(number) => format!(", packet {number}"),
        };
        // Each line stands for itself: nothing that is written there can look like a line of ours.
        let lines: Vec<_> = comment.text.lines().map(sanitise::line).collect();
        let _ = writeln!(
            out,
            "  {}{place}: \u{201c}{}\u{201d}",
            sanitise::line(&comment.source),
            lines.join(" / ")
        );
    }
    let more = u64::try_from(traffic.comments.len().saturating_sub(MOST)).unwrap_or(u64::MAX);
    let more = more.saturating_add(traffic.comments_left_out);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more");
    }
    out.push('\n');
}
