//! The registry as a table that is read where it lies.

use core::fmt;
use core::ops::{Range, RangeInclusive};
use std::sync::{Arc, LazyLock};

use model::{Assignment, Status, Transport};

use crate::fault::Fault;
use crate::source::{Part, Source};
use crate::standing::{Provenance, Standing, Usage};
use crate::table::{self, ENTRY, Layout, SEGMENT, seven};
use crate::usage;

/// The table that came with this program, made by `cargo xtask registry`.
const BUILTIN: &str = include_str!("../data/iana.table");

// A damaged built-in table gives an empty layout, and a test that fails.
static BUILTIN_LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout::of(BUILTIN).unwrap_or_default());

#[derive(Clone)]
enum Text {
    Builtin,
    Saved(Arc<str>),
}

/// The registry: built in, or imported by the user. Cheap to clone.
#[derive(Clone)]
pub struct Paper {
    text: Text,
    layout: Layout,
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paper").field("source", &self.source()).finish_non_exhaustive()
    }
}

/// One segment of the index: what is the same for all its ports.
struct Segment {
    status: Status,
    list: Range<usize>,
}

impl Paper {
    /// The table that came with this program.
    pub fn builtin() -> Paper {
        Paper { text: Text::Builtin, layout: *BUILTIN_LAYOUT }
    }

    /// The compact form that an import saved; everything in it is checked here, once.
    pub fn from_table(table: Vec<u8>) -> Result<Paper, Fault> {
        let (text, layout) = table::check(table)?;
        Ok(Paper { text: Text::Saved(Arc::from(text)), layout })
    }

    /// The compact form of this table, as [`Paper::from_table`] takes it.
    pub fn table(&self) -> &[u8] {
        self.text().as_bytes()
    }

    #[inline]
    fn text(&self) -> &str {
        match &self.text {
            Text::Builtin => BUILTIN,
            Text::Saved(text) => text,
        }
    }

    /// What the registry says of one port.
    pub fn standing(&self, transport: Transport, port: u16) -> Standing<'_> {
        let Some(segment) = self.segment_of(transport, port) else {
            let status = match port {
                0 => Status::Reserved,
                49_152.. => Status::Dynamic,
                _ => Status::Unassigned,
            };
            return Standing::new(self, status, None, Usage::NotAssigned, Provenance::default(), 0..0);
        };
        let mut entries = segment.list.clone();
        let first = entries.next().and_then(|entry| self.listed(entry));
        let Some((assignment, stored)) = first else {
            return Standing::new(
                self,
                segment.status,
                None,
                Usage::NotAssigned,
                Provenance::default(),
                0..0,
            );
        };
        let mut code = stored.usage;
        if matches!(code, usage::SILENT | usage::SILENT_HERE) {
            // Another name for the same port may be the one in use.
            let mut other = entries.clone().filter_map(|entry| Some(self.listed(entry)?.1.usage));
            code = other.find(|code| *code == usage::NETBASE || *code >= usage::PROGRAM).unwrap_or(code);
        }
        let usage = match segment.status {
            Status::Assigned => usage::words(code, assignment.registered),
            _ => Usage::NotAssigned,
        };
        let provenance = Provenance::of(stored.parts);
        Standing::new(self, segment.status, Some(assignment), usage, provenance, entries)
    }

    /// Every row of the service with this name, in any case.
    pub fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Assignment<'a>> + 'a {
        let (mut low, mut high) = (0, self.layout.names);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.named(middle).is_some_and(|row| table::caseless(row.name, name).is_lt()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let named = (low..self.layout.names).map_while(move |nth| self.named(nth));
        named.take_while(move |row| row.name.eq_ignore_ascii_case(name) && !name.is_empty())
    }

    /// Every row that has the text, in any case, in any of its fields.
    pub fn search<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Assignment<'a>> + 'a {
        self.rows().filter(move |row| {
            let fields = [
                row.name,
                row.description,
                row.assignee,
                row.contact,
                row.reference,
                row.notes,
                row.unauthorised,
                row.registered,
                row.modified,
            ];
            !text.is_empty() && fields.iter().any(|field| contains(field, text))
        })
    }

    /// Every row for these ports of a transport, in order of port.
    pub fn range(
        &self,
        transport: Transport,
        ports: RangeInclusive<u16>,
    ) -> impl Iterator<Item = Assignment<'_>> {
        let (first, last) = ports.into_inner();
        let rows = (0..self.layout.rows).map_while(move |nth| table::row(self.text(), &self.layout, nth));
        rows.map(|(row, _)| row).take_while(move |row| row.first.is_some_and(|start| start <= last)).filter(
            move |row| {
                row.last.is_some_and(|end| end >= first) && row.transport.is_none_or(|only| only == transport)
            },
        )
    }

    /// Every row: in order of port, then those without a port.
    pub fn rows(&self) -> impl Iterator<Item = Assignment<'_>> {
        self.rows_with_provenance().map(|(row, _)| row)
    }

    /// Every row with the parts of the source that gave it.
    pub fn rows_with_provenance(&self) -> impl Iterator<Item = (Assignment<'_>, Provenance)> {
        (0..self.layout.rows).filter_map(|nth| {
            let (row, stored) = table::row(self.text(), &self.layout, nth)?;
            Some((row, Provenance::of(stored.parts)))
        })
    }

    /// Where this table comes from.
    pub fn source(&self) -> Source<'_> {
        Source::of(self.text(), self.layout.rows)
    }

    /// The part of the source with this number, as a [`Provenance`] names it.
    pub fn part(&self, number: u8) -> Option<Part<'_>> {
        self.source().parts().nth(usize::from(number))
    }

    /// Row `entry` of the index's list.
    #[inline]
    pub(crate) fn listed(&self, entry: usize) -> Option<(Assignment<'_>, table::Stored)> {
        let row = seven::read::<3>(self.text().as_bytes(), self.layout.list_at + entry * ENTRY)?;
        table::row(self.text(), &self.layout, row as usize)
    }

    fn named(&self, nth: usize) -> Option<Assignment<'_>> {
        let row = seven::read::<3>(self.text().as_bytes(), self.layout.names_at + nth * ENTRY)?;
        Some(table::row(self.text(), &self.layout, row as usize)?.0)
    }

    /// The segment that has the port: a jump by its high byte, then a search among at most 256.
    #[inline]
    fn segment_of(&self, transport: Transport, port: u16) -> Option<Segment> {
        let bytes = self.text().as_bytes();
        let nth = transport as usize;
        let jump = self.layout.jump_at.get(nth)? + usize::from(port >> 8) * ENTRY;
        let start = *self.layout.segments_at.get(nth)?;
        let mut low = seven::read::<3>(bytes, jump)? as usize;
        let mut high = seven::read::<3>(bytes, jump + ENTRY)? as usize;
        while low < high {
            let middle = high - (high - low) / 2;
            if seven::read::<3>(bytes, start + middle * SEGMENT)? <= u32::from(port) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        let at = start + low * SEGMENT;
        let list =
            seven::read::<3>(bytes, at + 4)? as usize..seven::read::<3>(bytes, at + 4 + SEGMENT)? as usize;
        let status = table::status(u8::try_from(seven::read::<1>(bytes, at + 3)?).ok()?);
        Some(Segment { status, list })
    }
}

/// Whether `text` is in `field`, without regard to ASCII case.
fn contains(field: &str, text: &str) -> bool {
    let (field, text) = (field.as_bytes(), text.as_bytes());
    field.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
}

#[cfg(test)]
#[path = "paper_tests.rs"]
pub(crate) mod tests;
