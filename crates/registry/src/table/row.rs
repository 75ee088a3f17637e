//! One row, read where it lies.
//!
//! `name 4, description 4, details 3, first 3, last 3, kind 1, parts 1, usage 2`. The kind is
//! `has_port 1 bit, transport 3 bits, status 2 bits`; the parts are `row 3 bits, details 3 bits`.

use model::{Assignment, Status, Transport};

use super::{DETAILS, Layout, ROW, USAGE_AT, seven};

/// A row as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) name: usize,
    pub(crate) description: usize,
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
            name: seven::read::<4>(row, 0)? as usize,
            description: seven::read::<4>(row, 4)? as usize,
            details: seven::read::<3>(row, 8)? as usize,
            first: seven::port(row, 11)?,
            last: seven::port(row, 14)?,
            kind: *row.get(17)?,
            parts: *row.get(18)?,
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

/// The text at `at` in the pool; empty where there is none.
#[inline]
pub(crate) fn pool_text<'a>(text: &'a str, layout: &Layout, at: usize) -> &'a str {
    if at == 0 {
        return "";
    }
    let start = layout.pool_at + at;
    let read = || {
        let length = seven::read::<3>(text.as_bytes(), start)? as usize;
        text.get(start + 3..start + 3 + length)
    };
    read().unwrap_or("")
}

/// The seven texts of a set of details: assignee, contact, registered, modified, reference, unauthorised, notes.
#[inline]
pub(crate) fn details<'a>(text: &'a str, layout: &Layout, index: usize) -> [&'a str; 7] {
    let at = layout.details_at + index * DETAILS;
    let mut texts = [""; 7];
    if index < layout.details {
        for (nth, slot) in texts.iter_mut().enumerate() {
            let reference = seven::read::<4>(text.as_bytes(), at + 4 * nth).unwrap_or(0);
            *slot = pool_text(text, layout, reference as usize);
        }
    }
    texts
}

/// Row `index` as the shared noun, with what else is stored of it.
#[inline]
pub(crate) fn row<'a>(text: &'a str, layout: &Layout, index: usize) -> Option<(Assignment<'a>, Stored)> {
    let stored = Stored::read(text.as_bytes(), layout, index)?;
    let [assignee, contact, registered, modified, reference, unauthorised, notes] =
        details(text, layout, stored.details);
    let assignment = Assignment {
        name: pool_text(text, layout, stored.name),
        first: stored.has_port().then_some(stored.first),
        last: stored.has_port().then_some(stored.last),
        transport: stored.transport(),
        status: stored.status(),
        description: pool_text(text, layout, stored.description),
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
