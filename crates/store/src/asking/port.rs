//! Everything about one port number.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Kind, Transport};

use crate::answer::{DoorHistory, FlowHistory, HolderHistory, PortHistory, PortSpoken, Spoken};
use crate::desk::{DOORS, FINDINGS, FLOWS, HELD, Reading};
use crate::fault::StoreError;
use crate::identity;
use crate::moment::Moment;
use crate::query::RecordFilter;
use crate::row::{DoorRow, FindingRow, FlowRow, HeldRow, SpanRow};

use super::{findings, holder, records, span, usage, watched};

/// So many doors and holders of one number are told; the latest.
const MOST_DOORS: usize = 100;
/// So many clients are named.
const MOST_NAMED: usize = 8;

pub(super) fn history(
    reading: &Reading<'_>,
    transport: Option<Transport>,
    port: u16,
    most: u32,
    now: Moment,
) -> Result<PortHistory, StoreError> {
    let wanted = |it: Transport| transport.is_none_or(|only| only == it);
    let mut used = usage(reading, &[port])?.ports;
    used.retain(|used| Transport::from_name(&used.transport).is_some_and(wanted));
    let filter = RecordFilter { port: Some(port), ..RecordFilter::default() };
    Ok(PortHistory {
        port,
        watched: watched(reading)?,
        used,
        doors: doors(reading, &wanted, port)?,
        flows: flows(reading, &wanted, port)?,
        findings: about(reading, &wanted, port, now)?,
        records: records::page(reading, &filter, transport, most)?,
    })
}

fn doors(
    reading: &Reading<'_>,
    wanted: &dyn Fn(Transport) -> bool,
    port: u16,
) -> Result<Vec<DoorHistory>, StoreError> {
    let mut found: Vec<(u64, Vec<u8>, DoorHistory)> = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.transport().is_some_and(wanted)) {
        let [high, low] = port.to_be_bytes();
        let (first, last) =
            ([identity::of_kind(kind), high, low, 0], [identity::of_kind(kind), high, low, 0xff]);
        reading.walk(DOORS, &first..&last, false, |key, row: DoorRow| {
            if let Some((door, _)) = identity::door(key) {
                let history = DoorHistory {
                    kind: door.kind.name().to_owned(),
                    address: door.address,
                    netns: door.netns,
                    seen: span(&row.span),
                    holders: Vec::new(),
                };
                found.push((row.span.order, key.to_vec(), history));
            }
            Ok(true)
        })?;
    }
    found.sort_by(|one, two| (two.0, &two.1).cmp(&(one.0, &one.1)));
    found.truncate(MOST_DOORS);
    for (_, key, door) in &mut found {
        let mut holders: Vec<(u64, Vec<u8>, HeldRow)> = Vec::new();
        let last = [key.as_slice(), &[0xff; 9]].concat();
        reading.walk(HELD, key..&last, false, |held, row: HeldRow| {
            // A key that only begins like ours is another door's.
            if held.len() == key.len() + 8 {
                holders.push((row.span.order, held.get(key.len()..).unwrap_or_default().to_vec(), row));
            }
            Ok(true)
        })?;
        holders.sort_by(|one, two| (two.0, &two.1).cmp(&(one.0, &one.1)));
        for (_, id, row) in holders.into_iter().take(MOST_DOORS) {
            if let Some(name) = holder(reading, &id)? {
                door.holders.push(HolderHistory { seen: span(&row.span), pid: row.pid, holder: name });
            }
        }
    }
    Ok(found.into_iter().map(|(_, _, door)| door).collect())
}

/// The transport, number and protocol of a row of flows.
fn spoken_in(key: &[u8]) -> Option<(Transport, u16, &[u8])> {
    let (_, rest) = key.split_first_chunk::<4>()?;
    let ([number, high, low], protocol) = rest.split_first_chunk::<3>()?;
    Some((identity::transport(*number)?, u16::from_be_bytes([*high, *low]), protocol))
}

/// What servers spoke, by the bytes of flows that were still seen at `since_ns` or later.
pub(super) fn spoken(reading: &Reading<'_>, since_ns: i64) -> Result<Spoken, StoreError> {
    let mut last: BTreeMap<(Transport, u16, String), i64> = BTreeMap::new();
    reading.all(FLOWS, |key, row: FlowRow| {
        if let Some((transport, port, protocol)) = spoken_in(key)
            && !protocol.is_empty()
            && row.span.last_ns >= since_ns
        {
            let protocol = String::from_utf8_lossy(protocol).into_owned();
            let known = last.entry((transport, port, protocol)).or_insert(row.span.last_ns);
            *known = row.span.last_ns.max(*known);
        }
        Ok(true)
    })?;
    let ports = last.into_iter().map(|((transport, port, protocol), last)| PortSpoken {
        port,
        transport: transport.name().to_owned(),
        protocol,
        last: Moment::from_ns(last),
    });
    Ok(Spoken { ports: ports.collect() })
}

/// Flows of one transport and protocol.
struct Sum {
    span: SpanRow,
    packets: u64,
    bytes: u64,
    clients: usize,
    named: Vec<IpAddr>,
}

fn flows(
    reading: &Reading<'_>,
    wanted: &dyn Fn(Transport) -> bool,
    port: u16,
) -> Result<Vec<FlowHistory>, StoreError> {
    let mut sums: BTreeMap<(Transport, String), Sum> = BTreeMap::new();
    reading.all(FLOWS, |key, row: FlowRow| {
        let Some((transport, number, protocol)) = spoken_in(key) else { return Ok(true) };
        if number != port || !wanted(transport) {
            return Ok(true);
        }
        let protocol = String::from_utf8_lossy(protocol).into_owned();
        let sum = sums.entry((transport, protocol)).or_insert(Sum {
            span: SpanRow { times: 0, ..row.span },
            packets: 0,
            bytes: 0,
            clients: 0,
            named: Vec::new(),
        });
        sum.span.last_ns = sum.span.last_ns.max(row.span.last_ns);
        sum.span.times = sum.span.times.saturating_add(row.span.times);
        sum.packets = sum.packets.saturating_add(row.packets);
        sum.bytes = sum.bytes.saturating_add(row.bytes);
        sum.clients = sum.clients.max(row.clients.len());
        for client in row.some_clients {
            if sum.named.len() < MOST_NAMED && !sum.named.contains(&client) {
                sum.named.push(client);
            }
        }
        Ok(true)
    })?;
    let history = |((transport, protocol), sum): ((Transport, String), Sum)| FlowHistory {
        transport: transport.name().to_owned(),
        protocol: Some(protocol).filter(|protocol| !protocol.is_empty()),
        seen: span(&sum.span),
        packets: sum.packets,
        bytes: sum.bytes,
        clients: u64::try_from(sum.clients).unwrap_or(u64::MAX),
        some_clients: sum.named,
    };
    Ok(sums.into_iter().map(history).collect())
}

fn about(
    reading: &Reading<'_>,
    wanted: &dyn Fn(Transport) -> bool,
    port: u16,
    now: Moment,
) -> Result<Vec<crate::answer::FindingRecord>, StoreError> {
    let mut found = Vec::new();
    reading.all(FINDINGS, |key, row: FindingRow| {
        if identity::port_of(&row.about).is_some_and(|(transport, it)| it == port && wanted(transport)) {
            found.push((row.span.order, findings::answer(key, row, now)));
        }
        Ok(true)
    })?;
    found.sort_by(|(one, a), (two, b)| (two, &a.id).cmp(&(one, &b.id)));
    Ok(found.into_iter().map(|(_, finding)| finding).collect())
}
