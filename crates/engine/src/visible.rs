//! Untrusted text made harmless to read: what a terminal obeys, and what misleads a reader's eye, becomes visible.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character may not be shown as it is.
pub fn is_unsafe(c: char) -> bool {
    match c {
        // C0, DEL and C1 move the cursor, ring the bell, or begin escape sequences.
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Marks, embeddings, overrides and isolates that change the order in which a line is read (UAX #9).
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Other line breaks.
        '\u{2028}' | '\u{2029}' => true,
        // Invisible: two names that look the same must not be two names.
        '\u{ad}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// The text with every unsafe character as a visible escape; borrowed where there is none.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !is_unsafe(c) => out.push(c),
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        for (raw, shown) in [
            ("nginx: worker", "nginx: worker"),
            ("Größe 日本 ✓", "Größe 日本 ✓"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\x1b[2J\\x1b]0;x\\x07"),
            ("a\nb\rc\td\u{0}", "a\\nb\\rc\\td\\x00"),
            ("\u{9b}31m", "\\x9b31m"),
            ("ssh\u{202e}dhss", "ssh\\u{202e}dhss"),
            ("ssh\u{200b}d", "ssh\\u{200b}d"),
            ("a\u{2028}b\u{feff}", "a\\u{2028}b\\u{feff}"),
            ("x\u{e0041}", "x\\u{e0041}"),
        ] {
            assert_eq!(line(raw), shown);
        }
    }

    #[test]
    fn nothing_unsafe_is_left_and_twice_is_once() {
        for code in (0..=0x10_ffff).filter_map(char::from_u32) {
            let raw = format!("a{code}b");
            let shown = line(&raw).into_owned();
            assert!(!shown.chars().any(is_unsafe), "U+{:04X}", u32::from(code));
            assert_eq!(line(&shown), shown);
            assert_eq!(shown == raw, !is_unsafe(code));
        }
    }
}
