//! The JSON of what people wrote into captures.

use serde::Serialize;

/// What somebody wrote into a capture beside its packets.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub(crate) struct Comment<'a> {
    /// The capture.
    source: &'a str,
    /// What it is about: `section`, `interface` or `packet`.
    about: &'static str,
    /// The number of the interface, or of the packet counted from 1, in its file; null for a section.
    number: Option<u64>,
    /// What it says, in the words of whoever wrote it.
    text: &'a str,
}

impl<'a> Comment<'a> {
    pub(super) fn of(comment: &'a model::Comment) -> Comment<'a> {
        let model::Comment { source, place, text } = comment;
        Comment { source, about: place.name(), number: place.number(), text }
    }
}
