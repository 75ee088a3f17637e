//! The compact table: how it is laid out, made, checked and read where it lies.
//!
//! ```text
//! header   lines of text, ended by an empty line: title, parts, counts, SHA-256 of all that follows
//! rows     18 bytes each, in order of port: see `row`
//! names    3 bytes each: the named rows in order of name
//! slots    3 bytes each: a hash table of names, one more than the place in `names`, or 0
//! index    per transport: for each page of 256 ports its first segment, then per segment the low byte of its first
//!          port, then per segment `status 1, row 3, first of its further rows 3`; a segment ends where the next
//!          begins, and at the end of its page
//! list     3 bytes each: the further rows of the segments
//! pool     blocks of texts: a length in 3 bytes for each, then the texts; the block at 0 is empty
//! ```
//! Numbers are in groups of seven bits ([`seven`]).

mod check;
mod layout;
mod make;
mod row;
pub mod seven;

pub(crate) use check::check;
pub(crate) use layout::{Layout, digest, field, header};
pub use make::{Draft, MakeFault, Origin, Recipe, make};
pub(crate) use row::{Stored, name, row, status};

/// Bytes of one row.
pub(crate) const ROW: usize = 18;
/// Bytes of one entry of the name order, of the slots, of the jump and of the list.
pub(crate) const ENTRY: usize = 3;
/// Bytes of one segment's key: the low byte of its first port.
pub(crate) const KEY: usize = 2;
/// Bytes of one segment.
pub(crate) const SEGMENT: usize = 7;
/// Entries of a transport's jump.
pub(crate) const JUMP: usize = 257;
/// A segment without a row.
pub(crate) const NO_ROW: u32 = 0x1f_ffff;
/// Where the usage stands in a row.
pub(crate) const USAGE_AT: usize = 16;
/// First line of a table.
pub(crate) const MAGIC: &str = "portreeve registry table 1";
/// No part gave it.
pub(crate) const NO_PART: u8 = 7;

/// Order of names without regard to case.
pub(crate) fn caseless(a: &str, b: &str) -> core::cmp::Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Where the search for a name begins among the slots: FNV-1a without regard to case.
pub(crate) fn hash(name: &str) -> usize {
    let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    name.bytes().fold(0x811c_9dc5, fold) as usize
}

/// The place in the name order of the first row with this name, in any case.
pub(crate) fn place_of(text: &str, layout: &Layout, wanted: &str) -> Option<usize> {
    let mask = layout.slots.checked_sub(1)?;
    let mut at = hash(wanted) & mask;
    for _ in 0..layout.slots {
        let slot = seven::read::<ENTRY>(text.as_bytes(), layout.slots_at + at * ENTRY)? as usize;
        let place = slot.checked_sub(1)?;
        let row = seven::read::<ENTRY>(text.as_bytes(), layout.names_at + place * ENTRY)?;
        if name(text, layout, row as usize)?.eq_ignore_ascii_case(wanted) {
            return Some(place);
        }
        at = (at + 1) & mask;
    }
    None
}

/// Asserts what must hold for any bytes: a table that is taken answers for every port, with rows for that port.
///
/// `sealed` says that the bytes carry the hash they ought to. Without, the hash is set first, so that the checks
/// behind it are reached.
#[doc(hidden)]
pub fn assert_any(bytes: &[u8], sealed: bool) {
    let table = if sealed { bytes.to_vec() } else { seal(bytes) };
    let Ok(paper) = crate::Paper::from_table(table) else {
        assert!(!sealed, "a table that was just made is refused");
        return;
    };
    for transport in model::Transport::ALL {
        // The ends of every page of the jump, and ports between: a walk over all is what the unit tests do.
        let pages = (0..=u16::MAX).step_by(256);
        for port in pages.flat_map(|page| [page, page + 1, page + 164, page + 255]) {
            let standing = paper.standing(transport, port);
            assert!((standing.status == model::Status::Dynamic) == (port >= 49_152));
            assert!(
                (standing.usage == crate::Usage::NotAssigned) == (standing.status != model::Status::Assigned)
                    || !sealed
            );
            for row in standing.assignment.into_iter().chain(standing.more()) {
                assert!(
                    row.first.is_some_and(|first| first <= port) && row.last.is_some_and(|last| port <= last)
                );
                assert!(row.transport.is_none_or(|only| only == transport));
            }
        }
    }
    for row in paper.rows().take(64) {
        assert!(row.name.is_empty() || paper.by_name(row.name).any(|found| found == row) || !sealed);
    }
    assert_eq!(paper.rows().count(), paper.source().rows);
}

/// The bytes with the SHA-256 in their header made right, where there is a header.
fn seal(bytes: &[u8]) -> Vec<u8> {
    let sealed = || {
        let text = core::str::from_utf8(bytes).ok()?;
        let header = header(text).ok()?;
        let body = text.get(header.len() + 2..)?;
        let stated = field(header, "sha256")?;
        Some(format!("{}\n\n{body}", header.replace(stated, &digest(body.as_bytes()))).into_bytes())
    };
    sealed().unwrap_or_else(|| bytes.to_vec())
}
