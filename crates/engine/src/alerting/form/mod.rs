//! The forms in which a notice leaves: pure functions from what is told to bytes.

pub mod eve;
pub mod journal;
pub mod json;
pub mod mail;
pub mod otlp;
pub mod syslog;
pub mod text;

use super::notice::Machine;

/// What every form knows beside the notice.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who tells.
    pub machine: &'a Machine,
    /// The address of a page about a code, with `{code}` in its place.
    pub page: Option<&'a str>,
}

impl Context<'_> {
    /// Where to read about a code.
    pub fn page_of(&self, code: model::Code) -> Option<String> {
        self.page.map(|page| page.replace("{code}", code.name()))
    }
}

/// The beginning of a text, at most so many bytes, with a sign that it is one.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
#[path = "tests.rs"]
pub(super) mod tests;
