//! A table from outside: everything in it is checked once, so that nothing can be wrong later.

use model::{Status, Transport};

use super::layout::{digest, field, header};
use super::row::{self, Stored};
use super::{ENTRY, JUMP, KEY, Layout, NO_ROW, SEGMENT, USAGE_AT, seven};
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

fn rows(text: &str, layout: &Layout, fresh: &mut Vec<(usize, u16)>) -> Result<(), Fault> {
    let mut before = (false, 0);
    for nth in 0..layout.rows {
        let at = layout.body_at + nth * super::ROW;
        let row = Stored::read(text.as_bytes(), layout, nth).ok_or(fault(at, "a row has no port number"))?;
        let texts = row::block::<2>(text, layout, row.texts);
        let (Some([name, _]), Some(_)) = (texts, row::block::<7>(text, layout, row.details)) else {
            return Err(fault(at, "a text lies outside the pool"));
        };
        if row.first > row.last || row.kind >= 0x40 || row.kind >> 2 & 7 > 4 {
            return Err(fault(at, "a row has a range or kind that cannot be"));
        }
        let order = (!row.has_port(), row.first);
        if order < before {
            return Err(fault(at, "the rows are not in order of port"));
        }
        before = order;
        let ports = row.has_port().then_some((row.first, row.last));
        fresh.push((at + USAGE_AT, usage::decide(row.status(), row.transport(), ports, name)));
    }
    Ok(())
}

fn names(text: &str, layout: &Layout) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    if !layout.slots.is_power_of_two() || layout.slots > (4 * layout.names).max(1) {
        return Err(fault(layout.slots_at, "the slots are not as many as they ought to be"));
    }
    let name = |nth: usize| {
        let row = seven::read::<3>(bytes, layout.names_at + nth * ENTRY)? as usize;
        (nth < layout.names).then(|| row::name(text, layout, row))?
    };
    let mut filled = 0usize;
    for nth in 0..layout.slots {
        let at = layout.slots_at + nth * ENTRY;
        let place = seven::read::<3>(bytes, at).map_or(usize::MAX, |place| place as usize);
        if place > layout.names {
            return Err(fault(at, "a slot leads to a name that is not there"));
        }
        filled += usize::from(place != 0);
    }
    let mut distinct = 0usize;
    let mut before: Option<&str> = None;
    for nth in 0..layout.names {
        let at = layout.names_at + nth * ENTRY;
        let name = name(nth).ok_or(fault(at, "the name order has a row that is not there"))?;
        let order = before.map(|before| super::caseless(before, name));
        if order.is_some_and(core::cmp::Ordering::is_gt) {
            return Err(fault(at, "the names are not in order"));
        }
        if order.is_none_or(core::cmp::Ordering::is_lt) {
            distinct += 1;
            if super::place_of(text, layout, name) != Some(nth) {
                return Err(fault(at, "a name is not found by its slot"));
            }
        }
        before = Some(name);
    }
    // Without an empty slot, a name that is not there would be sought in all of them.
    if filled != distinct || filled >= layout.slots {
        return Err(fault(layout.slots_at, "the slots are not one for each name"));
    }
    Ok(())
}

fn index(text: &str, layout: &Layout, nth: usize, transport: Transport) -> Result<(), Fault> {
    let of = |numbers: &[usize; 4]| numbers.get(nth).copied().unwrap_or(0);
    let (count, jump, keys, start) =
        (of(&layout.segments), of(&layout.jump_at), of(&layout.keys_at), of(&layout.segments_at));
    let bytes = text.as_bytes();
    let first_of = |page: usize| seven::read::<3>(bytes, jump + page * ENTRY).map(|first| first as usize);
    if first_of(0) != Some(0) || first_of(256) != Some(count) {
        return Err(fault(jump, "the segments do not cover each port once"));
    }
    for page in 0..JUMP - 1 {
        let at = jump + page * ENTRY;
        let (Some(low), Some(high)) = (first_of(page), first_of(page + 1)) else {
            return Err(fault(at, "the jump is cut off"));
        };
        if low >= high || high > count {
            return Err(fault(at, "the segments do not cover each port once"));
        }
        let key = |nth: usize| seven::read::<2>(bytes, keys + nth * KEY).unwrap_or(u32::MAX);
        for nth in low..high {
            let (first, next) = (key(nth), if nth + 1 == high { 0x100 } else { key(nth + 1) });
            if (nth == low && first != 0) || first >= next || next > 0x100 {
                return Err(fault(keys + nth * KEY, "the segments do not cover each port once"));
            }
            let page = u32::try_from(page << 8).unwrap_or(u32::MAX);
            segment(text, layout, start + nth * SEGMENT, transport, (page + first, page + next))?;
        }
    }
    Ok(())
}

/// One segment, whose ports are `ports.0` to before `ports.1`.
fn segment(
    text: &str,
    layout: &Layout,
    at: usize,
    transport: Transport,
    ports: (u32, u32),
) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let cut = fault(at, "a segment is cut off");
    let status = seven::read::<1>(bytes, at).ok_or(cut)?;
    let row = seven::read::<3>(bytes, at + 1).ok_or(cut)?;
    let more = seven::read::<3>(bytes, at + 4).ok_or(cut)?;
    let end = seven::read::<3>(bytes, at + 4 + SEGMENT).ok_or(cut)?;
    let dynamic = row::status(u8::try_from(status).unwrap_or(0)) == Status::Dynamic;
    if status > 3 || dynamic != (ports.0 >= 49_152) {
        return Err(fault(at, "the dynamic ports are not 49152 to 65535"));
    }
    if more > end || end as usize > layout.list || (row == NO_ROW && more != end) {
        return Err(fault(at, "a segment lists rows that are not there"));
    }
    let covers = |row: u32| {
        Stored::read(bytes, layout, row as usize).is_some_and(|row| {
            row.has_port()
                && u32::from(row.first) <= ports.0
                && u32::from(row.last) + 1 >= ports.1
                && row.transport().is_none_or(|only| only == transport)
        })
    };
    let listed = |entry: u32| seven::read::<3>(bytes, layout.list_at + entry as usize * ENTRY);
    if (row != NO_ROW && !covers(row)) || !(more..end).all(|entry| listed(entry).is_some_and(covers)) {
        return Err(fault(at, "a segment lists a row for other ports"));
    }
    Ok(())
}
