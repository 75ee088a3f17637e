//! A table from outside: everything in it is checked once, so that nothing can be wrong later.

use model::{Status, Transport};

use super::layout::{digest, field, header};
use super::row::{self, Stored};
use super::{JUMP, Layout, SEGMENT, USAGE_AT, seven};
use crate::fault::Fault;
use crate::usage;

fn fault(at: usize, what: &'static str) -> Fault {
    Fault { at, what }
}

/// Checks a table, brings its usage to what this program knows, and gives back its text.
///
/// The usage is decided anew because the table may have been saved by an older program with other lists.
pub(crate) fn check(mut table: Vec<u8>) -> Result<(String, Layout), Fault> {
    let mut fresh: Vec<(usize, u16)> = Vec::new();
    let layout = {
        let text = core::str::from_utf8(&table).map_err(|error| fault(error.valid_up_to(), "not UTF-8"))?;
        let layout = Layout::of(text)?;
        let body = text.as_bytes().get(layout.body_at..).unwrap_or(&[]);
        if field(header(text)?, "sha256") != Some(digest(body).as_str()) {
            return Err(fault(layout.body_at, "the body is not what its SHA-256 says"));
        }
        details(text, &layout)?;
        rows(text, &layout, &mut fresh)?;
        names(text, &layout)?;
        for (nth, transport) in Transport::ALL.into_iter().enumerate() {
            index(text, &layout, nth, transport)?;
        }
        layout
    };
    for (at, usage) in fresh {
        let mut digits = String::new();
        seven::put(&mut digits, u32::from(usage), 2);
        if let Some(slot) = table.get_mut(at..at + 2) {
            slot.copy_from_slice(digits.as_bytes());
        }
    }
    let text = String::from_utf8(table).map_err(|_| fault(0, "not UTF-8"))?;
    Ok((text, layout))
}

/// A reference to a text must lead to one that lies in the pool.
fn text_at(text: &str, layout: &Layout, at: usize) -> bool {
    let end = || {
        let length = seven::read::<3>(text.as_bytes(), layout.pool_at.checked_add(at)?)? as usize;
        at.checked_add(3)?.checked_add(length)
    };
    at == 0
        || end().is_some_and(|end| end <= layout.pool && text.is_char_boundary(layout.pool_at + end))
            && text.is_char_boundary(layout.pool_at + at + 3)
}

fn details(text: &str, layout: &Layout) -> Result<(), Fault> {
    for at in (layout.details_at..layout.names_at).step_by(4) {
        let reference = seven::read::<4>(text.as_bytes(), at).unwrap_or(u32::MAX);
        if !text_at(text, layout, reference as usize) {
            return Err(fault(at, "a text lies outside the pool"));
        }
    }
    Ok(())
}

fn rows(text: &str, layout: &Layout, fresh: &mut Vec<(usize, u16)>) -> Result<(), Fault> {
    let mut before = (false, 0);
    for nth in 0..layout.rows {
        let at = layout.body_at + nth * super::ROW;
        let row = Stored::read(text.as_bytes(), layout, nth).ok_or(fault(at, "a row has no port number"))?;
        if !text_at(text, layout, row.name) || !text_at(text, layout, row.description) {
            return Err(fault(at, "a text lies outside the pool"));
        }
        if row.details >= layout.details {
            return Err(fault(at, "a row has details that are not there"));
        }
        if row.first > row.last || row.kind >= 0x40 || row.kind >> 2 & 7 > 4 {
            return Err(fault(at, "a row has a range or kind that cannot be"));
        }
        let order = (!row.has_port(), row.first);
        if order < before {
            return Err(fault(at, "the rows are not in order of port"));
        }
        before = order;
        let ports = row.has_port().then_some((row.first, row.last));
        let name = row::pool_text(text, layout, row.name);
        fresh.push((at + USAGE_AT, usage::decide(row.status(), row.transport(), ports, name)));
    }
    Ok(())
}

fn names(text: &str, layout: &Layout) -> Result<(), Fault> {
    let mut before: Option<&str> = None;
    for nth in 0..layout.names {
        let at = layout.names_at + nth * super::ENTRY;
        let row = seven::read::<3>(text.as_bytes(), at)
            .and_then(|row| Stored::read(text.as_bytes(), layout, row as usize))
            .ok_or(fault(at, "the name order has a row that is not there"))?;
        let name = row::pool_text(text, layout, row.name);
        if before.is_some_and(|before| super::caseless(before, name).is_gt()) {
            return Err(fault(at, "the names are not in order"));
        }
        before = Some(name);
    }
    Ok(())
}

/// One segment: first port, status, first entry in the list.
fn segment(text: &str, at: usize) -> Option<(u32, u32, u32)> {
    let bytes = text.as_bytes();
    Some((seven::read::<3>(bytes, at)?, seven::read::<1>(bytes, at + 3)?, seven::read::<3>(bytes, at + 4)?))
}

fn index(text: &str, layout: &Layout, nth: usize, transport: Transport) -> Result<(), Fault> {
    let of = |numbers: &[usize; 4]| numbers.get(nth).copied().unwrap_or(0);
    let (count, start, jump) = (of(&layout.segments), of(&layout.segments_at), of(&layout.jump_at));
    if count == 0 || count > 0x1_0000 {
        return Err(fault(start, "a transport has no segments, or more than ports"));
    }
    let mut firsts = Vec::with_capacity(count);
    for nth in 0..count {
        let at = start + nth * SEGMENT;
        let cut = fault(at, "a segment is cut off");
        let (first, status, list) = segment(text, at).ok_or(cut)?;
        let (next, _, next_list) = segment(text, at + SEGMENT).ok_or(cut)?;
        let next = if nth + 1 == count { 0x1_0000 } else { next };
        if (nth == 0 && first != 0) || first >= next || next > 0x1_0000 || status > 3 {
            return Err(fault(at, "the segments do not cover each port once"));
        }
        if (row::status(u8::try_from(status).unwrap_or(0)) == Status::Dynamic) != (first >= 49_152)
            || (first < 49_152 && next > 49_152)
        {
            return Err(fault(at, "the dynamic ports are not 49152 to 65535"));
        }
        if list > next_list || next_list as usize > layout.list {
            return Err(fault(at, "a segment lists rows that are not there"));
        }
        for entry in list..next_list {
            let entry_at = layout.list_at + entry as usize * super::ENTRY;
            let row = seven::read::<3>(text.as_bytes(), entry_at)
                .and_then(|row| Stored::read(text.as_bytes(), layout, row as usize));
            let covers = row.is_some_and(|row| {
                row.has_port()
                    && u32::from(row.first) <= first
                    && u32::from(row.last) + 1 >= next
                    && row.transport().is_none_or(|only| only == transport)
            });
            if !covers {
                return Err(fault(entry_at, "a segment lists a row for other ports"));
            }
        }
        firsts.push(first);
    }
    for page in 0..JUMP {
        let at = jump + page * super::ENTRY;
        let holds = firsts.partition_point(|first| *first as usize <= page << 8).saturating_sub(1);
        if seven::read::<3>(text.as_bytes(), at).map(|entry| entry as usize) != Some(holds) {
            return Err(fault(at, "the jump leads to the wrong segment"));
        }
    }
    Ok(())
}
