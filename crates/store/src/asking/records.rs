//! What happened: page by page, the latest first.

use std::collections::HashMap;

use model::Transport;

use crate::answer::{
    GapRecord, HolderName, Record, Records, SessionRecord, SocketRecord, StreamRecord, TouchRecord, What,
};
use crate::append::Change;
use crate::desk::{BY_PORT, FINDINGS, LOG, Reading, SESSIONS, STREAMS};
use crate::fault::StoreError;
use crate::identity;
use crate::moment::Moment;
use crate::query::RecordFilter;
use crate::row::{FindingRow, LogRow, SessionRow, SocketRow, StreamRow, WhatRow};

use super::{holder, span};

/// Holders by their id: one command may have a thousand records.
type Holders = HashMap<[u8; 8], Option<HolderName>>;

pub(super) fn page(
    reading: &Reading<'_>,
    filter: &RecordFilter,
    transport: Option<Transport>,
    limit: u32,
) -> Result<Records, StoreError> {
    let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    let end = filter.before.unwrap_or(u64::MAX);
    let mut holders = Holders::new();
    let mut found = Vec::new();
    // One more than asked for tells whether there is a next page.
    let mut consider = |number: u64, row: LogRow| {
        if let Some(record) = fitting(reading, filter, transport, number, row, &mut holders)? {
            found.push(record);
        }
        Ok(found.len() <= limit)
    };
    match filter.port {
        Some(port) => {
            let transports = transport.map_or(Transport::ALL.to_vec(), |only| vec![only]);
            // The numbers of each transport, latest first; together they are sorted again.
            let mut numbers = Vec::new();
            for transport in transports {
                let key = identity::of_port(transport, port);
                let (first, last) = (identity::of_record(key, 0), identity::of_record(key, end));
                let mut left = limit.saturating_mul(8);
                reading.keys(BY_PORT, &first..&last, |key| {
                    numbers.extend(key.get(3..).and_then(|number| number.first_chunk::<8>().copied()));
                    // Who filters further has to look further.
                    left = if is_narrow(filter) { left } else { left.saturating_sub(1) };
                    Ok(left > 0)
                })?;
            }
            numbers.sort_unstable_by(|one, two| two.cmp(one));
            for number in numbers {
                let Some(row) = reading.row::<LogRow>(LOG, &number)? else { continue };
                if !consider(u64::from_be_bytes(number), row)? {
                    break;
                }
            }
        }
        None => reading.walk(LOG, &[]..&end.to_be_bytes(), true, |key, row: LogRow| {
            consider(key.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes), row)
        })?,
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|record| record.number);
    Ok(Records { records: found, next })
}

fn is_narrow(filter: &RecordFilter) -> bool {
    filter.since.is_some() || filter.until.is_some() || filter.holder.is_some() || !filter.kinds.is_empty()
}

/// The record, where it fits.
fn fitting(
    reading: &Reading<'_>,
    filter: &RecordFilter,
    transport: Option<Transport>,
    number: u64,
    row: LogRow,
    holders: &mut Holders,
) -> Result<Option<Record>, StoreError> {
    let at = Moment::from_ns(row.at_ns);
    if filter.since.is_some_and(|since| at < since) || filter.until.is_some_and(|until| at > until) {
        return Ok(None);
    }
    if !filter.kinds.is_empty() && !filter.kinds.iter().any(|kind| kind == kind_of(&row.what)) {
        return Ok(None);
    }
    if let (Some(only), None) = (transport, filter.port)
        && transport_of(&row.what) != Some(only)
    {
        return Ok(None);
    }
    if let Some(wanted) = &filter.holder {
        let WhatRow::Socket(SocketRow { holder: Some(id), .. }) = &row.what else { return Ok(None) };
        let known = known(reading, *id, holders)?;
        if !known.as_ref().is_some_and(|name| is_called(name, wanted)) {
            return Ok(None);
        }
    }
    Ok(Some(Record { number, at, what: what(reading, row.what, holders)? }))
}

fn known(
    reading: &Reading<'_>,
    id: [u8; 8],
    holders: &mut Holders,
) -> Result<Option<HolderName>, StoreError> {
    if let Some(known) = holders.get(&id) {
        return Ok(known.clone());
    }
    let found = holder(reading, &id)?;
    holders.insert(id, found.clone());
    Ok(found)
}

/// Whether a holder has this text in one of its names.
fn is_called(name: &HolderName, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let more = [&name.exe, &name.unit, &name.container, &name.user, &name.package];
    let mut names = std::iter::once(&name.program).chain(more.into_iter().flatten());
    names.any(|name| name.to_lowercase().contains(&wanted))
}

fn kind_of(what: &WhatRow) -> &'static str {
    match what {
        WhatRow::Socket(_) => "socket",
        WhatRow::Touch(_) => "touch",
        WhatRow::Gap { .. } => "gap",
        WhatRow::Finding { .. } => "finding",
        WhatRow::Session { .. } => "session",
        WhatRow::Stream { .. } => "stream",
    }
}

fn transport_of(what: &WhatRow) -> Option<Transport> {
    match what {
        WhatRow::Socket(row) => identity::kind(row.kind)?.transport(),
        WhatRow::Touch(row) => identity::transport(row.transport),
        WhatRow::Finding { port: Some([transport, ..]), .. } => identity::transport(*transport),
        _ => None,
    }
}

fn what(reading: &Reading<'_>, row: WhatRow, holders: &mut Holders) -> Result<What, StoreError> {
    Ok(match row {
        WhatRow::Socket(row) => What::Socket(Box::new(SocketRecord {
            happened: match row.happened {
                0 => "bound",
                1 => "auto_bound",
                2 => "listening",
                _ => "closed",
            }
            .to_owned(),
            witness: if row.kernel { "kernel" } else { "looks" }.to_owned(),
            kind: identity::kind(row.kind).map_or("unknown", |kind| kind.name()).to_owned(),
            address: row.address,
            port: row.port,
            netns: row.netns,
            uid: row.uid,
            pid: row.pid,
            holder: match row.holder {
                Some(id) => known(reading, id, holders)?,
                None => None,
            },
            cgroup: row.cgroup,
            lived_ns: row.lived_ns,
        })),
        WhatRow::Touch(row) => What::Touch(TouchRecord {
            transport: identity::transport(row.transport).map_or("unknown", |it| it.name()).to_owned(),
            peer: row.peer,
            peer_port: row.peer_port,
            address: row.address,
            port: row.port,
            netns: row.netns,
            level: row.level,
            connected: row.connected,
            received_bytes: row.received_bytes,
            sent_bytes: row.sent_bytes,
            first_bytes: identity::hex(&row.first_bytes),
            recognised: row.recognised,
            lasted_ns: row.lasted_ns,
        }),
        WhatRow::Gap { area, reason, what, count } => What::Gap(GapRecord { area, reason, what, count }),
        WhatRow::Finding { key, change, .. } => {
            let finding: Option<FindingRow> = reading.row(FINDINGS, &key)?;
            What::Finding {
                change: Change::word(change).to_owned(),
                id: identity::shown(&key),
                code: finding.as_ref().map(|row| row.code.clone()),
                title: finding.map(|row| row.title),
            }
        }
        WhatRow::Session { key, ended } => {
            let row: Option<SessionRow> = reading.row(SESSIONS, &key)?;
            What::Session(row.map_or_else(
                || SessionRecord {
                    ended,
                    name: String::new(),
                    source: String::new(),
                    destinations: Vec::new(),
                },
                |row| SessionRecord {
                    ended,
                    name: row.name,
                    source: row.source,
                    destinations: row.destinations,
                },
            ))
        }
        WhatRow::Stream { key } => {
            let row: Option<StreamRow> = reading.row(STREAMS, &key)?;
            What::Stream(row.map_or_else(
                || StreamRecord {
                    ssrc: 0,
                    source: String::new(),
                    destination: String::new(),
                    format: String::new(),
                    packets: 0,
                    lost: 0,
                    faults: 0,
                    seen: None,
                },
                |row| StreamRecord {
                    ssrc: row.ssrc,
                    source: row.source,
                    destination: row.destination,
                    format: row.format,
                    packets: row.packets,
                    lost: row.lost,
                    faults: row.faults,
                    seen: Some(span(&row.span)),
                },
            ))
        }
    })
}
