//! The one door through which untrusted text reaches a terminal, a CSV field or a page.
//!
//! Process names, command lines, paths, unit names and registry fields are written by others. A terminal obeys escape
//! sequences, and a reader believes what bidirectional overrides and invisible characters make of a line; each such
//! character becomes a visible escape. JSON needs none of this: its own escapes keep the value as it was.

use std::borrow::Cow;

pub use engine::sanitise::{is_unsafe, line};

/// A whole command line: each argument sanitised, and quoted where it would not read as one word.
pub fn arguments(arguments: &[String]) -> String {
    let mut out = String::new();
    for argument in arguments {
        if !out.is_empty() {
            out.push(' ');
        }
        let plain = !argument.is_empty()
            && argument.chars().all(|c| c.is_alphanumeric() || "-_./:=,+@%^~[]{}*?".contains(c));
        if plain {
            out.push_str(&line(argument));
        } else if argument.contains('\'') && !argument.contains('"') {
            out.push('"');
            out.push_str(&line(argument));
            out.push('"');
        } else {
            out.push('\'');
            out.push_str(&line(argument).replace('\'', "'\\''"));
            out.push('\'');
        }
    }
    out
}

/// A CSV field (RFC 4180 §2): sanitised, kept from being read as a formula, and quoted where it must be.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    let text = line(text);
    // A number below zero is one.
    let formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<i64>().is_err();
    if !formula && !text.contains([',', '"']) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 4);
    out.push('"');
    if formula {
        // A spreadsheet shows the apostrophe as nothing and runs nothing.
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields_are_data() {
        for (raw, field) in [
            ("sshd", "sshd"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("-1+1", "\"'-1+1\""),
            ("-83", "-83"),
            ("a\nb", "a\\nb"),
            ("\t=1", "\\t=1"),
            ("", ""),
        ] {
            assert_eq!(csv_field(raw), field);
        }
    }

    #[test]
    fn a_command_line_reads_as_words() {
        let words =
            |words: &[&str]| arguments(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["sleep", "1 2", "", "it's", "\u{1b}[m"]), "sleep '1 2' '' \"it's\" '\\x1b[m'");
    }
}
