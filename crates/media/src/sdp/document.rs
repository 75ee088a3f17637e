//! The lines of a session description, in their sections (RFC 8866 §5).
//!
//! A document is its lines: nothing that can be read is lost, whoever invented it. Within a section the lines stand in
//! the order of the grammar; lines of one kind keep their own order, and each knows where it stood.

use std::borrow::Cow;

use wire::Fault;

/// What is read of a document; what follows is left out, and said.
pub const MAX_BYTES: usize = 1 << 20;
/// Lines that are kept.
pub const MAX_LINES: usize = 20_000;
/// Lines of one section that are kept.
pub const MAX_SECTION_LINES: usize = 4_000;
/// Media that are kept.
pub const MAX_MEDIA: usize = 1_000;
/// Faults that are told.
pub const MAX_FAULTS: usize = 1_000;

/// One line. Where it stood is no part of what it says: lines are equal wherever they stand.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number in the text it was read from, from 1; 0 for one that we made.
    pub at: usize,
    /// The letter before the `=`.
    pub kind: char,
    /// What stands after it.
    pub value: String,
}

impl PartialEq for Line {
    fn eq(&self, other: &Line) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

impl Eq for Line {}

impl Line {
    /// A line of ours. What would end the line is made a space, for a value may come from strangers.
    pub fn new(kind: char, value: &str) -> Line {
        Line { at: 0, kind, value: value.replace(['\r', '\n', '\0'], " ") }
    }

    /// Name and value of an attribute: `rtpmap` and `96 raw/90000`; the value is empty where there is none.
    pub fn attribute(&self) -> Option<(&str, &str)> {
        if self.kind != 'a' {
            return None;
        }
        let (name, value) = self.value.split_once(':').unwrap_or((&self.value, ""));
        Some((name.trim(), value.trim()))
    }
}

/// The session's own lines, or those of one medium, which begin with its `m=`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// In the order of the grammar.
    pub lines: Vec<Line>,
}

impl Section {
    /// The values of a kind of line.
    pub fn all(&self, kind: char) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.kind == kind)
    }

    /// The first line of a kind.
    pub fn first(&self, kind: char) -> Option<&Line> {
        self.all(kind).next()
    }

    /// Every attribute of a name, with its line and value.
    pub fn attributes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Line, &'a str)> {
        // As `Line::attribute` has it, without looking at all of a line that is about something else.
        self.all('a').filter_map(move |line| {
            let rest = line.value.trim_start().strip_prefix(name)?.trim_start();
            match rest.strip_prefix(':') {
                None if rest.is_empty() => Some((line, "")),
                None => None,
                Some(value) => Some((line, value.trim())),
            }
        })
    }

    /// The value of the first attribute of a name.
    pub fn attribute<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.attributes(name).next().map(|(_, value)| value)
    }

    /// Adds a line where the grammar wants it.
    pub fn add(&mut self, line: Line) {
        let is_medium = self.is_medium() || line.kind == 'm';
        let rank = rank(line.kind, is_medium);
        let place = self.lines.partition_point(|other| self::rank(other.kind, is_medium) <= rank);
        self.lines.insert(place, line);
    }

    fn is_medium(&self) -> bool {
        self.lines.first().is_some_and(|line| line.kind == 'm')
    }
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// What is said of the whole.
    pub session: Section,
    /// One for each `m=`.
    pub media: Vec<Section>,
}

impl Document {
    /// The first attribute of a name that holds for a medium: its own, else the session's.
    pub fn attribute<'a>(&'a self, medium: &'a Section, name: &'a str) -> Option<&'a str> {
        medium.attribute(name).or_else(|| self.session.attribute(name))
    }
}

/// The place of a kind of line in the grammar (RFC 8866 §9). Times, their repetitions and zones belong together.
pub(crate) fn rank(kind: char, is_medium: bool) -> usize {
    const SESSION: [&str; 13] = ["v", "o", "s", "i", "u", "e", "p", "c", "b", "trz", "k", "a", "m"];
    const MEDIUM: [&str; 6] = ["m", "i", "c", "b", "k", "a"];
    let order: &[&str] = if is_medium { &MEDIUM } else { &SESSION };
    order.iter().position(|kinds| kinds.contains(kind)).unwrap_or(order.len())
}

/// A line as it stands in the text, before it is known what it is.
pub(crate) struct Raw<'a> {
    pub(crate) at: usize,
    pub(crate) text: &'a str,
    /// Whether it ended with CR LF.
    pub(crate) proper_end: bool,
}

/// The bytes as text: UTF-8, else what ISO 8859-1 makes of them.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let bytes = bytes.get(..MAX_BYTES).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), true),
        // A document that was cut in the middle of a letter is still UTF-8.
        Err(error) if error.error_len().is_none() && bytes.len() == MAX_BYTES => {
            (String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or(&[])), true)
        }
        Err(_) => (Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()), false),
    }
}

/// Every line. CR LF, LF and CR end one: nobody may write the last, and some do.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Raw<'_>> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut at = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        at += 1;
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let (text, after) = rest.split_at_checked(end)?;
        let proper = after.strip_prefix("\r\n");
        rest = proper.or_else(|| after.strip_prefix(['\r', '\n'])).unwrap_or_default();
        Some(Raw { at, text, proper_end: proper.is_some() })
    })
}

/// Letter and value of a line; `None` where it is not of that form.
pub(crate) fn split(text: &str) -> Option<(char, &str)> {
    let mut letters = text.chars();
    let kind = letters.next().filter(char::is_ascii_graphic)?;
    Some((kind, letters.as_str().strip_prefix('=')?))
}

/// Reads a session description: what is readable, and what is not, with its line.
pub fn parse(bytes: &[u8]) -> (Document, Vec<Fault>) {
    let mut document = Document::default();
    let mut faults = Vec::new();
    let mut tell = |at: usize, what: &'static str| {
        if faults.len() < MAX_FAULTS {
            faults.push(Fault { layer: "sdp", at, what });
        }
    };
    let (text, is_utf8) = decode(bytes);
    if bytes.len() > MAX_BYTES {
        tell(0, "longer than any description is; what follows is left out");
    }
    if !is_utf8 {
        tell(0, "neither ASCII nor UTF-8; read as ISO 8859-1");
    }
    let mut full = false;
    for raw in lines(&text) {
        if raw.at > MAX_LINES {
            tell(raw.at, "more lines than any description has; what follows is left out");
            break;
        }
        let Some((kind, value)) = split(raw.text) else {
            tell(
                raw.at,
                if raw.text.trim().is_empty() {
                    "an empty line"
                } else {
                    "not <type>=<value> (RFC 8866 §5)"
                },
            );
            continue;
        };
        let line = Line { at: raw.at, kind, value: value.to_owned() };
        if kind == 'm' {
            if document.media.len() == MAX_MEDIA {
                tell(raw.at, "more media than any description has; what follows is left out");
                break;
            }
            document.media.push(Section { lines: vec![line] });
            full = false;
        } else {
            let section = document.media.last_mut().unwrap_or(&mut document.session);
            if section.lines.len() < MAX_SECTION_LINES {
                section.lines.push(line);
            } else if !core::mem::replace(&mut full, true) {
                tell(raw.at, "more lines than any section has; the others are left out");
            }
        }
    }
    document.session.lines.sort_by_key(|line| rank(line.kind, false));
    for medium in &mut document.media {
        medium.lines.sort_by_key(|line| rank(line.kind, true));
    }
    (document, faults)
}
