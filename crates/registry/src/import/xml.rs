//! IANA's XML: `record` elements in `registry`, people and documents as `xref`.
//!
//! Only the five entities of XML itself and numbered characters are resolved; a document that brings entities of
//! its own is refused, so none can grow.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::{Draft, Fields, ImportFault, MAX_FIELD, MAX_ROWS, brief};

/// Deeper than IANA's documents by far.
const MAX_DEPTH: usize = 32;

/// Which text of a record an element holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Name,
    Number,
    Transport,
    Description,
    Assignee,
    Contact,
    Code,
    Unauthorised,
    Note,
    Reference,
}

fn slot(element: &str) -> Option<Slot> {
    Some(match element {
        "name" => Slot::Name,
        "number" => Slot::Number,
        "protocol" => Slot::Transport,
        "description" => Slot::Description,
        "assignee" => Slot::Assignee,
        "contact" => Slot::Contact,
        "code" | "service_code" => Slot::Code,
        "unauthorized" | "unauth" => Slot::Unauthorised,
        "note" => Slot::Note,
        "reference" => Slot::Reference,
        _ => return None,
    })
}

impl Fields {
    fn slot(&mut self, slot: Slot) -> &mut String {
        match slot {
            Slot::Name => &mut self.name,
            Slot::Number => &mut self.number,
            Slot::Transport => &mut self.transport,
            Slot::Description => &mut self.description,
            Slot::Assignee => &mut self.assignee,
            Slot::Contact => &mut self.contact,
            Slot::Code => &mut self.code,
            Slot::Unauthorised => &mut self.unauthorised,
            Slot::Note => &mut self.notes,
            Slot::Reference => &mut self.reference,
        }
    }
}

/// A record while it is read.
struct Open {
    fields: Fields,
    line: usize,
    depth: usize,
    /// The field that text goes to, and the depth of its element.
    slot: Option<(Slot, usize)>,
    /// People named outside `assignee` and `contact`: they are both.
    people: String,
}

struct Document<'a> {
    text: &'a str,
    counted_to: usize,
    line: usize,
    depth: usize,
    root: bool,
    updated: String,
    in_updated: bool,
    open: Option<Open>,
    rows: Vec<Draft>,
}

pub(super) fn parse(text: &str) -> Result<(String, Vec<Draft>), ImportFault> {
    let mut reader = Reader::from_str(text);
    let mut document = Document {
        text,
        counted_to: 0,
        line: 1,
        depth: 0,
        root: false,
        updated: String::new(),
        in_updated: false,
        open: None,
        rows: Vec::new(),
    };
    loop {
        let at = reader.buffer_position();
        document.count_to(at);
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => document.event(&event)?,
            Err(error) => {
                document.count_to(reader.error_position());
                return Err(document.fault(format!("not well-formed XML: {error}")));
            }
        }
    }
    if document.depth != 0 || !document.root {
        return Err(document.fault("the document ends too early"));
    }
    Ok((document.updated.trim().to_owned(), document.rows))
}

impl Document<'_> {
    /// Counts lines up to a byte; never back.
    fn count_to(&mut self, at: u64) {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.text.len());
        if let Some(passed) = self.text.as_bytes().get(self.counted_to..at) {
            self.line += passed.iter().filter(|byte| **byte == b'\n').count();
            self.counted_to = at;
        }
    }

    fn fault(&self, reason: impl Into<String>) -> ImportFault {
        ImportFault::new(self.line, reason)
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), ImportFault> {
        match event {
            Event::Start(element) => self.start(element),
            Event::Empty(element) => {
                self.start(element)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.put(&text.xml10_content()),
            Event::CData(text) => self.put(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let known = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => match name.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                    Err(_) => None,
                };
                let wrong = || self.fault(format!("the entity {:?} is not one of XML's own", brief(&name)));
                let character = known.ok_or_else(wrong)?;
                self.put(character.encode_utf8(&mut [0; 4]))
            }
            Event::DocType(doctype) if doctype.contains('[') || doctype.contains("ENTITY") => {
                Err(self.fault("a document that brings entities of its own is not read"))
            }
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), ImportFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("elements lie too deep in each other"));
        }
        let local = element.local_name();
        let name: &str = local.as_ref();
        if self.depth == 1 {
            if self.root || name != "registry" {
                return Err(self.fault("not IANA's XML: the outermost element is not one registry"));
            }
            self.root = true;
        }
        let depth = self.depth;
        if let Some(open) = &mut self.open {
            if name == "record" {
                return Err(self.fault("a record lies in another"));
            }
            if name == "xref" {
                return self.xref(element);
            }
            if open.slot.is_none() {
                open.slot = slot(name).map(|slot| (slot, depth));
                if let Some((slot, _)) = open.slot {
                    let text = open.fields.slot(slot);
                    if !text.is_empty() {
                        text.push('\n');
                    }
                }
            }
        } else if name == "record" {
            let fields = Fields {
                registered: self.attribute(element, "date")?,
                modified: self.attribute(element, "updated")?,
                ..Fields::default()
            };
            self.open = Some(Open { fields, line: self.line, depth, slot: None, people: String::new() });
        } else if name == "updated" && depth == 2 {
            self.in_updated = true;
            self.updated.clear();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ImportFault> {
        let depth = self.depth;
        self.depth = depth.saturating_sub(1);
        self.in_updated = false;
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.slot.is_some_and(|(_, at)| at == depth) {
            open.slot = None;
        }
        if open.depth != depth {
            return Ok(());
        }
        let Some(Open { mut fields, line, people, .. }) = self.open.take() else { return Ok(()) };
        if self.rows.len() >= MAX_ROWS {
            return Err(self.fault(format!("more than {MAX_ROWS} rows")));
        }
        for field in [&mut fields.assignee, &mut fields.contact] {
            if field.trim().is_empty() {
                field.clone_from(&people);
            }
        }
        self.rows.push(fields.row(line)?);
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), ImportFault> {
        if self.in_updated && self.updated.len() + text.len() < 64 {
            self.updated.push_str(text);
        }
        let Some(Open { fields, slot: Some((slot, _)), .. }) = &mut self.open else { return Ok(()) };
        append(fields.slot(*slot), text).map_err(|reason| self.fault(reason))
    }

    /// `<xref type="rfc" data="rfc6335"/>` as the CSV writes it: `[RFC6335]`.
    fn xref(&mut self, element: &BytesStart<'_>) -> Result<(), ImportFault> {
        let kind = self.attribute(element, "type")?;
        let data = self.attribute(element, "data")?;
        let cited = match kind.as_str() {
            "rfc" => format!("[{}]", data.to_ascii_uppercase()),
            "note" => format!("[{data}]"),
            _ if data.is_empty() => String::new(),
            _ => format!("[{data}]"),
        };
        let Some(open) = &mut self.open else { return Ok(()) };
        let target = match open.slot {
            Some((slot, _)) => open.fields.slot(slot),
            None if kind == "person" || kind == "org" => &mut open.people,
            None => &mut open.fields.reference,
        };
        append(target, &cited).map_err(|reason| self.fault(reason))
    }

    fn attribute(&self, element: &BytesStart<'_>, name: &str) -> Result<String, ImportFault> {
        let wrong = |_| self.fault("an attribute is not well-formed");
        let Some(attribute) = element.try_get_attribute(name).map_err(wrong)? else {
            return Ok(String::new());
        };
        // Resolves XML's own entities and numbered characters, nothing else.
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        value.map(|value| value.into_owned()).map_err(|_| self.fault("an attribute is not well-formed"))
    }
}

fn append(field: &mut String, text: &str) -> Result<(), String> {
    if field.len() + text.len() > 2 * MAX_FIELD {
        return Err(format!("a field is longer than {MAX_FIELD} bytes"));
    }
    field.push_str(text);
    Ok(())
}
