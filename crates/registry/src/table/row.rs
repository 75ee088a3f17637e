//! One row, read where it lies.
//!
//! `texts 4, details 4, first 3, last 3, kind 1, parts 1, usage 2`. The kind is
//! `has_port 1 bit, transport 3 bits, status 2 bits`; the parts are `row 3 bits, details 3 bits`. Texts and details are
//! blocks in the pool, so that what is read together lies together.

use model::{Assignment, Status, Transport};

use super::{Layout, ROW, USAGE_AT, seven};

/// A row as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) texts: usize,
    pub(crate) details: usize,
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) kind: u8,
    pub(crate) parts: u8,
    pub(crate) usage: u16,
}

/// The kind of a row in one byte.
pub(crate) fn kind(has_port: bool, transport: Option<Transport>, status: Status) -> u8 {
    let transport = transport.map_or(4, |transport| transport as u8);
    let status = match status {
        Status::Assigned => 0,
        Status::Unassigned => 1,
        Status::Reserved => 2,
        Status::Dynamic => 3,
    };
    u8::from(has_port) << 5 | transport << 2 | status
}

/// A status from its two bits.
pub(crate) fn status(bits: u8) -> Status {
    match bits & 3 {
        0 => Status::Assigned,
        1 => Status::Unassigned,
        2 => Status::Reserved,
        _ => Status::Dynamic,
    }
}

impl Stored {
    /// Reads row `index`.
    #[inline]
    pub(crate) fn read(bytes: &[u8], layout: &Layout, index: usize) -> Option<Stored> {
        if index >= layout.rows {
            return None;
        }
        let at = layout.body_at + index * ROW;
        let row = bytes.get(at..at + ROW)?;
        Some(Stored {
            texts: seven::read::<4>(row, 0)? as usize,
            details: seven::read::<4>(row, 4)? as usize,
            first: seven::port(row, 8)?,
            last: seven::port(row, 11)?,
            kind: *row.get(14)?,
            parts: *row.get(15)?,
            usage: u16::try_from(seven::read::<2>(row, USAGE_AT)?).ok()?,
        })
    }

    /// Whether the row has a port at all.
    pub(crate) fn has_port(&self) -> bool {
        self.kind & 0x20 != 0
    }

    /// The transport the row is for.
    pub(crate) fn transport(&self) -> Option<Transport> {
        Transport::ALL.get(usize::from(self.kind >> 2 & 7)).copied()
    }

    /// Its status.
    pub(crate) fn status(&self) -> Status {
        status(self.kind)
    }
}

/// The length that says "as the text before": assignee and contact are mostly one.
pub(super) const SAME: u32 = 0x1f_ffff;

/// The `N` texts of the block at `at` in the pool; `None` where it does not lie there.
#[inline]
pub(super) fn block<'a, const N: usize>(text: &'a str, layout: &Layout, at: usize) -> Option<[&'a str; N]> {
    let mut texts = [""; N];
    if at == 0 {
        return Some(texts);
    }
    let header = layout.pool_at.checked_add(at)?;
    let lengths = text.as_bytes().get(header..header.checked_add(3 * N)?)?;
    let mut start = header + 3 * N;
    let mut before = "";
    for (slot, length) in texts.iter_mut().zip(lengths.chunks_exact(3)) {
        match seven::read::<3>(length, 0)? {
            0 => before = "",
            SAME => *slot = before,
            length => {
                let end = start + length as usize;
                before = text.get(start..end)?;
                *slot = before;
                start = end;
            }
        }
    }
    Some(texts)
}

/// The name of row `index`.
#[inline]
pub(crate) fn name<'a>(text: &'a str, layout: &Layout, index: usize) -> Option<&'a str> {
    let stored = Stored::read(text.as_bytes(), layout, index)?;
    let [name, _] = block(text, layout, stored.texts)?;
    Some(name)
}

/// Row `index` as the shared noun, with what else is stored of it.
#[inline]
pub(crate) fn row<'a>(text: &'a str, layout: &Layout, index: usize) -> Option<(Assignment<'a>, Stored)> {
    let stored = Stored::read(text.as_bytes(), layout, index)?;
    let [assignee, contact, registered, modified, reference, unauthorised, notes] =
        block(text, layout, stored.details).unwrap_or_default();
    let [name, description] = block(text, layout, stored.texts).unwrap_or_default();
    let assignment = Assignment {
        name,
        first: stored.has_port().then_some(stored.first),
        last: stored.has_port().then_some(stored.last),
        transport: stored.transport(),
        status: stored.status(),
        description,
        assignee,
        contact,
        registered,
        modified,
        reference,
        unauthorised,
        notes,
    };
    Some((assignment, stored))
}
