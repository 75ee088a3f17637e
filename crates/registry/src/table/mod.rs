//! The compact table: how it is laid out, made, checked and read where it lies.
//!
//! ```text
//! header   lines of text, ended by an empty line: title, parts, counts, SHA-256 of all that follows
//! rows     21 bytes each, in order of port: see `row`
//! details  28 bytes each: seven texts that the rows of one service share
//! names    3 bytes each: the named rows in order of name
//! index    per transport: a jump of 257 entries by the port's high byte, then segments of 7 bytes
//!          (first port, status, first entry in `list`); a segment ends where the next begins
//! list     3 bytes each: the rows of each segment, the one that counts first
//! pool     texts: length in 3 bytes, then UTF-8; the text at 0 is empty
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
pub(crate) use row::{Stored, row, status};

/// Bytes of one row.
pub(crate) const ROW: usize = 21;
/// Bytes of one set of details.
pub(crate) const DETAILS: usize = 28;
/// Bytes of one entry of the name order, of the jump and of the list.
pub(crate) const ENTRY: usize = 3;
/// Bytes of one segment.
pub(crate) const SEGMENT: usize = 7;
/// Entries of a transport's jump.
pub(crate) const JUMP: usize = 257;
/// Where the usage stands in a row.
pub(crate) const USAGE_AT: usize = 19;
/// First line of a table.
pub(crate) const MAGIC: &str = "portreeve registry table 1";
/// No part gave it.
pub(crate) const NO_PART: u8 = 7;

/// Order of names without regard to case.
pub(crate) fn caseless(a: &str, b: &str) -> core::cmp::Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
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
