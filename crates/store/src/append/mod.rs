//! A batch into rows. What one batch says of one thing is added up first, so that each row is written once.

mod findings;
mod sockets;
mod sums;
mod wire;

use std::collections::HashMap;

use model::{Gap, Timestamp, Utc};

use crate::batch::Batch;
use crate::desk::{BY_PORT, DAYS, Desk, GAPS, LOG};
use crate::fault::StoreError;
use crate::identity::{self, MOST_TEXT, beginning};
use crate::row::{DayRow, GapRow, LogRow, SpanRow, WhatRow};
use sums::Sums;

pub(crate) use findings::{Change, tell};

/// The same gap is put among the records once in so many seconds.
const GAP_AGAIN_S: u64 = 3600;
/// A thing that is told so much after it happened was told late; if more, the clock was set back.
const LATE_NS: i64 = 3_600_000_000_000;

/// Writes everything in a batch.
pub(crate) fn batch(
    desk: &mut Desk<'_>,
    batch: &Batch,
    namespaces: &mut HashMap<u32, String>,
) -> Result<(), StoreError> {
    let mut sums = Sums::default();
    if let Some(look) = &batch.look {
        sockets::look(desk, look, namespaces, &mut sums);
    }
    for event in &batch.events {
        sockets::event(desk, event, namespaces, &mut sums)?;
    }
    for touch in &batch.touches {
        wire::touch(desk, touch, namespaces, &mut sums)?;
    }
    for flow in &batch.flows {
        wire::flow(flow, &mut sums);
    }
    sums.write(desk)?;
    for (at, session) in &batch.sessions {
        wire::session(desk, *at, session)?;
    }
    for (at, stream) in &batch.streams {
        wire::stream(desk, *at, stream)?;
    }
    for (at, gap) in &batch.gaps {
        missed(desk, *at, gap)?;
    }
    for sighting in &batch.findings {
        findings::sighting(desk, sighting)?;
    }
    for resolution in &batch.resolved {
        findings::resolved(desk, resolution)?;
    }
    remember(desk, batch)
}

/// Notes that something was told, and on which day.
fn remember(desk: &mut Desk<'_>, batch: &Batch) -> Result<(), StoreError> {
    let times = (batch.look.iter().map(|look| look.taken))
        .chain(batch.events.iter().map(|event| event.at))
        .chain(batch.touches.iter().map(|touch| touch.at))
        .chain(batch.flows.iter().filter_map(|flow| flow.last))
        .chain(batch.sessions.iter().map(|(at, _)| *at))
        .chain(batch.streams.iter().map(|(at, _)| *at))
        .chain(batch.gaps.iter().map(|(at, _)| *at))
        .chain(batch.findings.iter().map(|sighting| sighting.at))
        .chain(batch.resolved.iter().map(|resolution| resolution.at));
    let Some(latest) = times.max() else { return Ok(()) };
    desk.state.began_ns.get_or_insert(latest.as_ns());
    desk.state.latest_ns = Some(latest.as_ns());
    let key = day_key(latest);
    let mut row: DayRow = desk.row(DAYS, &key)?.unwrap_or(DayRow { commits: 0 });
    row.commits = row.commits.saturating_add(1);
    desk.put(DAYS, &key, &row)
}

/// The key of a day; days before 1970 come before those after it.
pub(crate) fn day_key(at: Timestamp<Utc>) -> [u8; 8] {
    (at.as_seconds().div_euclid(86_400).cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// Puts something among the records.
fn record(
    desk: &mut Desk<'_>,
    at: Timestamp<Utc>,
    port: Option<[u8; 3]>,
    what: WhatRow,
) -> Result<(), StoreError> {
    let number = desk.state.next;
    desk.state.next = number.saturating_add(1);
    let row = LogRow { at_ns: at.as_ns(), age_s: desk.state.age_s, what };
    desk.put(LOG, &number.to_be_bytes(), &row)?;
    match port {
        Some(port) => desk.put_bytes(BY_PORT, &identity::of_record(port, number), &[]),
        None => Ok(()),
    }
}

/// A span that begins now.
fn span(desk: &Desk<'_>, at: Timestamp<Utc>) -> SpanRow {
    let at = at.as_ns();
    SpanRow { first_ns: at, last_ns: at, times: 1, age_s: desk.state.age_s, order: desk.state.next }
}

/// Adds to a span what was seen in another.
fn extend(span: &mut SpanRow, more: &SpanRow) {
    // What is told later is later, unless it is only told late: a clock that was set back must not stay ahead for ever.
    let late = more.last_ns < span.last_ns && span.last_ns.saturating_sub(more.last_ns) <= LATE_NS;
    if !late {
        span.last_ns = more.last_ns;
    }
    span.times = span.times.saturating_add(more.times);
    span.age_s = span.age_s.max(more.age_s);
    span.order = span.order.max(more.order);
}

fn missed(desk: &mut Desk<'_>, at: Timestamp<Utc>, gap: &Gap) -> Result<(), StoreError> {
    let what = beginning(&gap.what, MOST_TEXT);
    let (area, reason) = (gap.area.code(), gap.reason.code());
    let key = identity::key([b"gap".as_slice(), area.as_bytes(), reason.as_bytes(), what.as_bytes()]);
    let now = span(desk, at);
    let age = desk.state.age_s;
    let known: Option<GapRow> = desk.row(GAPS, &key)?;
    let told = known.as_ref().is_some_and(|row| age.saturating_sub(row.told_s) < GAP_AGAIN_S);
    let mut row = known.unwrap_or(GapRow { span: SpanRow { times: 0, ..now }, told_s: age });
    extend(&mut row.span, &now);
    if !told {
        row.told_s = age;
        let (area, reason) = (area.to_owned(), reason.to_owned());
        record(desk, at, None, WhatRow::Gap { area, reason, what, count: gap.count })?;
    }
    desk.put(GAPS, &key, &row)
}
