//! The registry as a table that is read where it lies.

use core::fmt;
use core::ops::{Range, RangeInclusive};
use std::sync::{Arc, LazyLock};

use model::{Assignment, Status, Transport};

use crate::fault::Fault;
use crate::source::{Part, Source};
use crate::standing::{Provenance, Standing, Usage};
use crate::table::{self, ENTRY, KEY, Layout, SEGMENT, seven};
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
    row: u32,
    more: Range<usize>,
    first: u16,
    last: u16,
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
        let found = self.segment_of(transport, port);
        let status = found.as_ref().map_or(by_rule(port), |segment| segment.status);
        let row = found.and_then(|segment| Some((self.row(segment.row)?, segment.more)));
        let Some(((assignment, stored), more)) = row else {
            return Standing::new(self, status, None, Usage::NotAssigned, Provenance::default(), 0..0);
        };
        let mut code = stored.usage;
        if matches!(code, usage::SILENT | usage::SILENT_HERE) {
            // Another name for the same port may be the one in use.
            let mut other = more.clone().filter_map(|entry| Some(self.listed(entry)?.1.usage));
            let other = other.find(|code| usage::ordinary(*code));
            let ranged = stored.first != stored.last;
            let within = || usage::within_range(transport, port).filter(|_| ranged);
            code = other.or_else(within).unwrap_or(code);
        }
        let usage = match status {
            Status::Assigned => usage::words(code, assignment.registered),
            _ => Usage::NotAssigned,
        };
        Standing::new(self, status, Some(assignment), usage, Provenance::of(stored.parts), more)
    }

    /// Every row of the service with this name, in any case.
    pub fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Assignment<'a>> + 'a {
        let first = table::place_of(self.text(), &self.layout, name).unwrap_or(self.layout.names);
        let named = (first..self.layout.names).map_while(move |nth| self.named(nth));
        named.take_while(move |row| row.name.eq_ignore_ascii_case(name))
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
        let mut next = (first <= last).then_some(first);
        let segments = core::iter::from_fn(move || {
            let segment = self.segment_of(transport, next?)?;
            next = segment.last.checked_add(1).filter(|port| *port <= last);
            Some(segment)
        });
        segments.flat_map(move |segment| {
            let rows =
                self.row(segment.row).into_iter().chain(segment.more.filter_map(|entry| self.listed(entry)));
            // A row over several segments counts where it begins, or where we do.
            let begins = move |row: &Assignment<'_>| {
                row.first == Some(segment.first) || (segment.first..=segment.last).contains(&first)
            };
            rows.map(|(row, _)| row).filter(begins)
        })
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

    /// Row `entry` of the index's list of further rows.
    #[inline]
    pub(crate) fn listed(&self, entry: usize) -> Option<(Assignment<'_>, table::Stored)> {
        self.row(seven::read::<ENTRY>(self.text().as_bytes(), self.layout.list_at + entry * ENTRY)?)
    }

    #[inline]
    fn row(&self, number: u32) -> Option<(Assignment<'_>, table::Stored)> {
        table::row(self.text(), &self.layout, number as usize)
    }

    fn named(&self, nth: usize) -> Option<Assignment<'_>> {
        let row = seven::read::<ENTRY>(self.text().as_bytes(), self.layout.names_at + nth * ENTRY)?;
        Some(self.row(row)?.0)
    }

    /// The segment that has the port: among those of its page of 256 ports, the last that begins at or before it.
    #[inline]
    fn segment_of(&self, transport: Transport, port: u16) -> Option<Segment> {
        let bytes = self.text().as_bytes();
        let nth = transport as usize;
        let (page, low_byte) = (port & 0xff00, u32::from(port & 0xff));
        let jump = self.layout.jump_at.get(nth)? + usize::from(port >> 8) * ENTRY;
        let keys = *self.layout.keys_at.get(nth)?;
        let mut low = seven::read::<ENTRY>(bytes, jump)? as usize;
        let end = seven::read::<ENTRY>(bytes, jump + ENTRY)? as usize;
        let key = |nth: usize| seven::read::<KEY>(bytes, keys + nth * KEY);
        let mut high = end.checked_sub(1)?;
        while low < high {
            let middle = high - (high - low) / 2;
            if key(middle)? <= low_byte {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        let next = if low + 1 < end { key(low + 1)? } else { 0x100 };
        let at = self.layout.segments_at.get(nth)? + low * SEGMENT;
        let more = |at: usize| Some(seven::read::<ENTRY>(bytes, at + 4)? as usize);
        Some(Segment {
            status: table::status(u8::try_from(seven::read::<1>(bytes, at)?).ok()?),
            row: seven::read::<ENTRY>(bytes, at + 1)?,
            more: more(at)?..more(at + SEGMENT)?,
            first: page | u16::try_from(key(low)?).ok()?,
            last: page | u16::try_from(next.checked_sub(1)?).ok()?,
        })
    }
}

/// What RFC 6335 §6 says of a port before any registry does.
fn by_rule(port: u16) -> Status {
    match port {
        0 => Status::Reserved,
        49_152.. => Status::Dynamic,
        _ => Status::Unassigned,
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
