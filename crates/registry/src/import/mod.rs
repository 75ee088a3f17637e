//! IANA's own documents, CSV and XML, to a table that overrides the built-in one.
//!
//! A document is taken whole or refused whole, with the line and the reason.

mod csv;
mod xml;

use core::fmt;

use model::Transport;
use sha2::{Digest, Sha256};

use crate::table::{Draft, MakeFault, Origin, Recipe, make};

/// A document that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImportFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl ImportFault {
    fn new(line: usize, reason: impl Into<String>) -> ImportFault {
        ImportFault { line, reason: reason.into() }
    }
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl core::error::Error for ImportFault {}

/// The longest document that is read; IANA's own are near 3 and 5 MB.
pub const MAX_BYTES: usize = 64 << 20;
/// The most rows that are read; IANA has near 15,000.
pub const MAX_ROWS: usize = 200_000;
/// The longest text of one field.
const MAX_FIELD: usize = 1 << 16;

/// Reads IANA's CSV or XML, whichever the bytes are, and gives the table that [`crate::Paper::from_table`] takes.
pub fn parse(bytes: &[u8]) -> Result<Vec<u8>, ImportFault> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportFault::new(1, format!("longer than {} MiB", MAX_BYTES >> 20)));
    }
    let text = core::str::from_utf8(bytes).map_err(|error| {
        ImportFault::new(line_of(bytes, error.valid_up_to()), "not UTF-8: neither IANA's CSV nor its XML")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (name, date, rows) = if text.trim_start().starts_with('<') {
        let (updated, rows) = xml::parse(text)?;
        ("IANA service-names-port-numbers (XML)", updated, rows)
    } else {
        ("IANA service-names-port-numbers (CSV)", String::new(), csv::parse(text)?)
    };
    if rows.is_empty() {
        return Err(ImportFault::new(line_of(bytes, bytes.len()), "the document has no rows"));
    }
    // The CSV does not say when it was made: its newest date says at least how old it is not.
    let date = if date.is_empty() { newest(&rows) } else { date };
    let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let part = [name, "", &date, &sha256, "every field of every row"].map(String::from);
    let recipe = Recipe {
        title: String::from("IANA Service Name and Transport Protocol Port Number Registry"),
        date,
        imported: true,
        parts: vec![part],
        rows,
    };
    let whole = |fault: MakeFault| ImportFault::new(1, format!("the document as a whole: {fault}"));
    make(recipe).map(String::into_bytes).map_err(whole)
}

/// The newest date of registration or change.
fn newest(rows: &[Draft]) -> String {
    let dates = rows.iter().flat_map(|row| row.details.get(2..4).unwrap_or(&[]));
    let is_date = |date: &&String| date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    dates.filter(is_date).max().cloned().unwrap_or_default()
}

/// The line, from 1, of the byte at `at`.
fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.get(..at).unwrap_or(bytes).iter().filter(|byte| **byte == b'\n').count()
}

/// The fields of one row as the document has them.
#[derive(Default)]
struct Fields {
    name: String,
    number: String,
    transport: String,
    description: String,
    assignee: String,
    contact: String,
    registered: String,
    modified: String,
    reference: String,
    code: String,
    unauthorised: String,
    notes: String,
}

impl Fields {
    /// Checks the fields and makes a row of them.
    fn row(self, line: usize) -> Result<Draft, ImportFault> {
        let transport = match self.transport.trim() {
            "" => None,
            name => Some(Transport::from_name(name).ok_or_else(|| {
                ImportFault::new(line, format!("transport {:?} is none of tcp, udp, sctp, dccp", brief(name)))
            })?),
        };
        let ports = match self.number.trim() {
            "" => None,
            number => Some(ports(number).ok_or_else(|| {
                ImportFault::new(line, format!("{:?} is no port and no range of ports", brief(number)))
            })?),
        };
        let mut notes = clean(&self.notes);
        if !self.code.trim().is_empty() {
            // The registry's field for DCCP (RFC 5595); too few rows have it for a field of its own.
            let gap = if notes.is_empty() { "" } else { "\n" };
            notes = format!("{notes}{gap}Service code: {}", self.code.trim());
        }
        let draft = Draft {
            name: clean(&self.name),
            ports,
            transport,
            status: None,
            description: clean(&self.description),
            details: [
                clean(&self.assignee),
                clean(&self.contact),
                clean(&self.registered),
                clean(&self.modified),
                clean(&self.reference),
                clean(&self.unauthorised),
                notes,
            ],
            origin: Origin::default(),
        };
        let texts = draft.details.iter().chain([&draft.name, &draft.description]);
        if texts.into_iter().any(|text| text.len() > MAX_FIELD) {
            return Err(ImportFault::new(line, format!("a field is longer than {MAX_FIELD} bytes")));
        }
        if draft.name.is_empty() && draft.ports.is_none() {
            return Err(ImportFault::new(line, "a row has neither a service name nor a port"));
        }
        Ok(draft)
    }
}

/// `420` or `6000-6063`.
fn ports(number: &str) -> Option<(u16, u16)> {
    let port = |text: &str| -> Option<u16> {
        // `parse` alone would take "+80".
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    };
    let (first, last) = match number.split_once('-') {
        Some((first, last)) => (port(first.trim())?, port(last.trim())?),
        None => (port(number)?, port(number)?),
    };
    (first <= last).then_some((first, last))
}

/// Without white space around it, and with one kind of line end.
fn clean(text: &str) -> String {
    text.trim().replace("\r\n", "\n").replace('\r', "\n")
}

/// The start of a text, for a message.
fn brief(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Asserts what must hold for any bytes: a refusal names a line of the document, and a table that was made is one
/// that can be read, with the same rows for the same ports.
#[doc(hidden)]
pub fn assert_any(bytes: &[u8]) {
    match parse(bytes) {
        Err(fault) => {
            assert!(fault.line >= 1 && fault.line <= line_of(bytes, bytes.len()), "{fault}");
            assert!(!fault.reason.is_empty());
        }
        Ok(table) => crate::table::assert_any(&table, true),
    }
}

#[cfg(test)]
mod tests;
