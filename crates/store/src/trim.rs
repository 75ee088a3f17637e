//! What goes: what is too old, then what there is no room for, the oldest first.

use model::{Timestamp, Utc};

use crate::age::{self, DAY_S};
use crate::append::{Change, tell};
use crate::desk::{
    BY_PORT, DAYS, DOORS, Desk, FINDINGS, FLOWS, GAPS, HELD, HOLDERS, LOG, SERVERS, SESSIONS, STREAMS,
};
use crate::fault::StoreError;
use crate::identity;
use crate::limits::Limits;
use crate::row::{
    DoorRow, FindingRow, FindingStateRow, FlowRow, GapRow, HeldRow, HolderRow, LogRow, ServerRow, SessionRow,
    SpanRow, State, StreamRow, WhatRow,
};
use crate::store::Trimmed;

/// So many rows are read, or taken away, before we look at the size again.
const PIECE: usize = 2000;
/// Days that we know of, so that ten years of them fit many times.
const MOST_DAYS: u64 = 20_000;
/// Each table of what is kept long takes this part of the room at most.
const LEAST_SHARE: u64 = 8;

/// Moves the history's clock, tells what became of findings, and takes away what may not stay.
pub(crate) fn trim(desk: &mut Desk<'_>, limits: &Limits, now: Timestamp<Utc>) -> Result<Trimmed, StoreError> {
    age::advance(&mut desk.state, now);
    let mut done = Trimmed::default();
    findings(desk, limits, now, &mut done)?;
    records(desk, limits, &mut done)?;
    summaries(desk, limits, &mut done)?;
    desk.state.aged_out = desk.state.aged_out.saturating_add(done.aged);
    desk.state.crowded_out = desk.state.crowded_out.saturating_add(done.crowded);
    Ok(done)
}

/// A row that has a span.
trait Spanned: serde::de::DeserializeOwned {
    fn span(&self) -> &SpanRow;
}

macro_rules! spanned {
    ($($row:ident)+) => {
        $(impl Spanned for $row { fn span(&self) -> &SpanRow { &self.span } })+
    };
}

spanned!(DoorRow HeldRow HolderRow FlowRow ServerRow FindingRow SessionRow StreamRow GapRow);

fn findings(
    desk: &mut Desk<'_>,
    limits: &Limits,
    now: Timestamp<Utc>,
    done: &mut Trimmed,
) -> Result<(), StoreError> {
    let state = desk.state.clone();
    let hours = u64::from(limits.resolve_after_hours) * 3600;
    let keep = u64::from(limits.keep_days) * DAY_S;
    let mut changed: Vec<([u8; 16], FindingRow, Change)> = Vec::new();
    let mut gone: Vec<Vec<u8>> = Vec::new();
    desk.walk(FINDINGS, |key, row: FindingRow| {
        let quiet = age::is_older(&state, row.span.age_s, hours);
        let change = match &row.state {
            FindingStateRow::Acknowledged { until_ns: Some(until), .. } if *until <= now.as_ns() => {
                Some(Change::Expired)
            }
            FindingStateRow::Open { .. } if quiet => Some(Change::Resolved),
            FindingStateRow::Resolved { .. } if age::is_older(&state, row.span.age_s, keep) => {
                gone.push(key.to_vec());
                None
            }
            _ => None,
        };
        if let (Some(change), Some(key)) = (change, key.first_chunk::<16>()) {
            changed.push((*key, row, change));
        }
        true
    })?;
    for (key, mut row, change) in changed {
        let at_ns = now.as_ns();
        row.state = match change {
            Change::Resolved => FindingStateRow::Resolved { at_ns },
            _ => FindingStateRow::Open { since_ns: at_ns },
        };
        match change {
            Change::Resolved => done.resolved += 1,
            _ => {
                done.expired += 1;
                // It is looked for anew from now on.
                row.span.age_s = desk.state.age_s;
            }
        }
        desk.put(FINDINGS, &key, &row)?;
        tell(desk, now, key, &row.about, change)?;
    }
    done.aged += take(desk, FINDINGS, gone)?;
    // Resolved ones first, then the oldest.
    let rank = |row: &FindingRow| match row.state {
        FindingStateRow::Resolved { .. } => 0,
        FindingStateRow::Open { .. } => 1,
        FindingStateRow::Acknowledged { .. } => 2,
    };
    let most = fitting(desk, FINDINGS, limits.most_findings, limits);
    done.crowded += crowd(desk, FINDINGS, most, rank)?;
    Ok(())
}

/// What happened, and flow summaries: by age, then by room.
fn records(desk: &mut Desk<'_>, limits: &Limits, done: &mut Trimmed) -> Result<(), StoreError> {
    let keep = u64::from(limits.keep_days) * DAY_S;
    loop {
        let state = desk.state.clone();
        let over = desk.bytes().saturating_sub(limits.row_bytes());
        let mut aged = 0;
        let mut crowded = 0;
        let mut freed = 0;
        let mut log: Vec<(Vec<u8>, Option<[u8; 3]>)> = Vec::new();
        let log_bytes = desk.size(LOG).bytes.checked_div(desk.size(LOG).rows).unwrap_or(0);
        let of_log = share(desk, over);
        desk.walk(LOG, |key, row: LogRow| {
            let is_old = age::is_older(&state, row.age_s, keep);
            if !is_old && freed >= of_log {
                return false;
            }
            aged += u64::from(is_old);
            crowded += u64::from(!is_old);
            freed += log_bytes;
            log.push((key.to_vec(), port_of(&row)));
            log.len() < PIECE
        })?;
        let mut flows: Vec<Vec<u8>> = Vec::new();
        let of_flows = over.saturating_sub(of_log);
        let mut freed_flows = 0;
        desk.walk(FLOWS, |key, row: FlowRow| {
            let is_old = age::is_older(&state, row.span.age_s, keep);
            if !is_old && freed_flows >= of_flows {
                return false;
            }
            aged += u64::from(is_old);
            crowded += u64::from(!is_old);
            freed_flows += 100;
            flows.push(key.to_vec());
            flows.len() < PIECE
        })?;
        let nothing = log.is_empty() && flows.is_empty();
        for (key, port) in log {
            let number = key.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes);
            desk.remove(LOG, &key)?;
            if let Some(port) = port {
                desk.remove(BY_PORT, &identity::of_record(port, number))?;
            }
        }
        take(desk, FLOWS, flows)?;
        done.aged += aged;
        done.crowded += crowded;
        if nothing {
            return Ok(());
        }
    }
}

/// How much of what is too much the log gives, the rest being taken from flows: each as it has.
fn share(desk: &Desk<'_>, over: u64) -> u64 {
    let log = desk.size(LOG).bytes.saturating_add(desk.size(BY_PORT).bytes);
    let both = log.saturating_add(desk.size(FLOWS).bytes);
    let share = u128::from(over) * u128::from(log);
    share.checked_div(u128::from(both)).and_then(|share| u64::try_from(share).ok()).unwrap_or(0)
}

fn port_of(row: &LogRow) -> Option<[u8; 3]> {
    match &row.what {
        WhatRow::Socket(socket) => {
            let transport = identity::kind(socket.kind)?.transport()?;
            Some(identity::of_port(transport, socket.port))
        }
        WhatRow::Touch(touch) => Some(identity::of_port(identity::transport(touch.transport)?, touch.port)),
        WhatRow::Finding { port, .. } => *port,
        WhatRow::Gap { .. } | WhatRow::Session { .. } | WhatRow::Stream { .. } => None,
    }
}

fn summaries(desk: &mut Desk<'_>, limits: &Limits, done: &mut Trimmed) -> Result<(), StoreError> {
    let keep = u64::from(limits.keep_summaries_days) * DAY_S;
    let most = limits.most_summaries;
    done.aged += old::<DoorRow>(desk, DOORS, keep)?;
    done.aged += old::<HeldRow>(desk, HELD, keep)?;
    done.aged += old::<HolderRow>(desk, HOLDERS, keep)?;
    done.aged += old::<ServerRow>(desk, SERVERS, keep)?;
    done.aged += old::<SessionRow>(desk, SESSIONS, keep)?;
    done.aged += old::<StreamRow>(desk, STREAMS, keep)?;
    done.aged += old::<GapRow>(desk, GAPS, keep)?;
    for table in [DOORS, HELD, HOLDERS, SERVERS, SESSIONS, STREAMS, GAPS] {
        let most = fitting(desk, table, most, limits);
        done.crowded += match table {
            DOORS => crowd(desk, table, most, |_: &DoorRow| 0)?,
            HELD => crowd(desk, table, most, |_: &HeldRow| 0)?,
            HOLDERS => crowd(desk, table, most, |_: &HolderRow| 0)?,
            SERVERS => crowd(desk, table, most, |_: &ServerRow| 0)?,
            SESSIONS => crowd(desk, table, most, |_: &SessionRow| 0)?,
            STREAMS => crowd(desk, table, most, |_: &StreamRow| 0)?,
            _ => crowd(desk, table, most, |_: &GapRow| 0)?,
        };
    }
    days(desk)
}

/// So many rows of a table may stay. Whatever the numbers say, what is kept long leaves room for what happens: each
/// table takes its share at most.
fn fitting(desk: &Desk<'_>, table: usize, most: u64, limits: &Limits) -> u64 {
    let room = limits.row_bytes() / LEAST_SHARE;
    let size = desk.size(table);
    if size.bytes <= room {
        return most;
    }
    let fitting = u128::from(size.rows) * u128::from(room) / u128::from(size.bytes.max(1));
    most.min(u64::try_from(fitting).unwrap_or(u64::MAX))
}

/// Days are few; those that a broken clock made are not allowed to become many.
fn days(desk: &mut Desk<'_>) -> Result<(), StoreError> {
    let over = desk.size(DAYS).rows.saturating_sub(MOST_DAYS);
    let mut gone = Vec::new();
    desk.walk(DAYS, |key, _: crate::row::DayRow| {
        if u64::try_from(gone.len()).unwrap_or(u64::MAX) >= over {
            return false;
        }
        gone.push(key.to_vec());
        true
    })?;
    take(desk, DAYS, gone)?;
    Ok(())
}

/// Takes away what was last seen too long ago. A walk reads the whole table, so nobody looks before anything can be old.
fn old<R: Spanned>(desk: &mut Desk<'_>, table: usize, seconds: u64) -> Result<u64, StoreError> {
    let state: State = desk.state.clone();
    if state.age_s < seconds {
        return Ok(0);
    }
    let mut gone = Vec::new();
    desk.walk(table, |key, row: R| {
        if age::is_older(&state, row.span().age_s, seconds) {
            gone.push(key.to_vec());
        }
        true
    })?;
    take(desk, table, gone)
}

/// Takes away the lowest in rank, and of these the oldest, where there are more than may be.
fn crowd<R: Spanned>(
    desk: &mut Desk<'_>,
    table: usize,
    most: u64,
    rank: impl Fn(&R) -> u8,
) -> Result<u64, StoreError> {
    let rows = desk.size(table).rows;
    if rows <= most {
        return Ok(0);
    }
    let mut all: Vec<(u8, u64, Vec<u8>)> = Vec::new();
    desk.walk(table, |key, row: R| {
        all.push((rank(&row), row.span().order, key.to_vec()));
        true
    })?;
    all.sort_unstable();
    // A tenth more than needed: the next of them need not look at all of them again.
    let over = rows.saturating_sub(most.saturating_sub(most / 10));
    let over = usize::try_from(over).unwrap_or(usize::MAX);
    take(desk, table, all.into_iter().take(over).map(|(_, _, key)| key))
}

fn take(
    desk: &mut Desk<'_>,
    table: usize,
    keys: impl IntoIterator<Item = Vec<u8>>,
) -> Result<u64, StoreError> {
    let mut taken = 0;
    for key in keys {
        desk.remove(table, &key)?;
        taken += 1;
    }
    Ok(taken)
}
