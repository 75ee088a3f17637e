//! Where a table comes from: titles, versions, dates and hashes.

use crate::table;

/// Where a table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// What it is, for people: `IANA Service Name and Transport Protocol Port Number Registry`.
    pub title: &'a str,
    /// Versions of everything it was made from, in one line.
    pub versions: &'a str,
    /// State of the newest part, as precise as it is known.
    pub date: &'a str,
    /// SHA-256 of the table's body, in hexadecimal.
    pub sha256: &'a str,
    /// Number of rows.
    pub rows: usize,
    /// Whether the user imported it.
    pub imported: bool,
    header: &'a str,
}

/// One file that a table was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Name of the package or file.
    pub name: &'a str,
    /// Its version; empty where it has none.
    pub version: &'a str,
    /// Its date.
    pub date: &'a str,
    /// Its SHA-256, in hexadecimal.
    pub sha256: &'a str,
    /// What was taken from it.
    pub gave: &'a str,
}

impl<'a> Source<'a> {
    pub(crate) fn of(text: &'a str, rows: usize) -> Source<'a> {
        let header = table::header(text).unwrap_or("");
        let field = |name| table::field(header, name).unwrap_or("");
        Source {
            title: field("title"),
            versions: field("versions"),
            date: field("date"),
            sha256: field("sha256"),
            rows,
            imported: field("imported") == "yes",
            header,
        }
    }

    /// The files that the table was made from, in the order that [`crate::Provenance`] numbers them.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> + 'a {
        self.header.lines().filter_map(|line| {
            let mut fields = line.strip_prefix("part\t")?.split('\t');
            let mut next = || fields.next().unwrap_or("");
            Some(Part { name: next(), version: next(), date: next(), sha256: next(), gave: next() })
        })
    }
}
