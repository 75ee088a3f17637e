//! Writes session descriptions (RFC 8866 §5): CR LF, in the order of the grammar.

use super::document::Document;

/// The text of a document. Reading it gives the document again.
pub fn write(document: &Document) -> String {
    let sections = std::iter::once(&document.session).chain(&document.media);
    let mut text = String::new();
    for line in sections.flat_map(|section| &section.lines) {
        text.push(line.kind);
        text.push('=');
        text.push_str(&line.value);
        text.push_str("\r\n");
    }
    text
}
