//! What one batch says of each thing, added up.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::desk::{DOORS, Desk, FLOWS, HELD, HOLDERS, PORTS, SERVERS};
use crate::fault::StoreError;
use crate::identity;
use crate::row::{DoorRow, FlowRow, HeldRow, HolderRow, PortRow, ServerRow, SpanRow};

use super::extend;

/// Different clients of a flow summary are counted up to here.
pub(super) const MOST_CLIENTS: usize = 32;
/// And so many are named.
const MOST_NAMED: usize = 8;

/// How a port number was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Held,
    Served,
    Knocked,
}

/// Flows of one summary.
#[derive(Debug)]
pub(super) struct FlowSum {
    pub(super) span: SpanRow,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) clients: Vec<IpAddr>,
}

/// Everything that is added up.
#[derive(Debug, Default)]
pub(super) struct Sums {
    doors: BTreeMap<Vec<u8>, SpanRow>,
    held: BTreeMap<Vec<u8>, (SpanRow, u32)>,
    holders: BTreeMap<[u8; 8], HolderRow>,
    ports: BTreeMap<([u8; 3], Use), SpanRow>,
    flows: BTreeMap<Vec<u8>, FlowSum>,
    servers: BTreeMap<Vec<u8>, SpanRow>,
}

fn merge<K: Ord>(map: &mut BTreeMap<K, SpanRow>, key: K, span: SpanRow) {
    map.entry(key).and_modify(|known| extend(known, &span)).or_insert(span);
}

impl Sums {
    pub(super) fn door(&mut self, key: Vec<u8>, span: SpanRow) {
        merge(&mut self.doors, key, span);
    }

    pub(super) fn port(&mut self, key: [u8; 3], used: Use, span: SpanRow) {
        merge(&mut self.ports, (key, used), span);
    }

    pub(super) fn server(&mut self, key: Vec<u8>, span: SpanRow) {
        merge(&mut self.servers, key, span);
    }

    pub(super) fn holder(&mut self, id: [u8; 8], row: HolderRow) {
        match self.holders.get_mut(&id) {
            Some(known) => {
                extend(&mut known.span, &row.span);
            }
            None => {
                self.holders.insert(id, row);
            }
        }
    }

    pub(super) fn held(&mut self, door: &[u8], holder: [u8; 8], span: SpanRow, pid: u32) {
        let key = [door, holder.as_slice()].concat();
        self.held
            .entry(key)
            .and_modify(|(known, last)| {
                extend(known, &span);
                *last = pid;
            })
            .or_insert((span, pid));
    }

    pub(super) fn flow(&mut self, key: Vec<u8>, sum: FlowSum) {
        match self.flows.get_mut(&key) {
            Some(known) => {
                extend(&mut known.span, &sum.span);
                known.packets = known.packets.saturating_add(sum.packets);
                known.bytes = known.bytes.saturating_add(sum.bytes);
                // More than are counted would only cost.
                if known.clients.len() < 4 * MOST_CLIENTS {
                    known.clients.extend(sum.clients);
                }
            }
            None => {
                self.flows.insert(key, sum);
            }
        }
    }

    /// Writes all of it.
    pub(super) fn write(self, desk: &mut Desk<'_>) -> Result<(), StoreError> {
        let (age_s, order) = (desk.state.age_s, desk.state.next);
        let now = |span: SpanRow| SpanRow { age_s, order, ..span };
        for (key, span) in self.doors {
            let span = now(span);
            let known: Option<DoorRow> = desk.row(DOORS, &key)?;
            let row = known.map_or(DoorRow { span }, |mut row| {
                extend(&mut row.span, &span);
                row
            });
            desk.put(DOORS, &key, &row)?;
        }
        for (key, (span, pid)) in self.held {
            let span = now(span);
            let known: Option<HeldRow> = desk.row(HELD, &key)?;
            let mut row = known.map_or(HeldRow { span, pid }, |mut row| {
                extend(&mut row.span, &span);
                row
            });
            row.pid = pid;
            desk.put(HELD, &key, &row)?;
        }
        for (key, mut row) in self.holders {
            row.span = now(row.span);
            if let Some(known) = desk.row::<HolderRow>(HOLDERS, &key)? {
                let mut span = known.span;
                extend(&mut span, &row.span);
                row.span = span;
            }
            desk.put(HOLDERS, &key, &row)?;
        }
        for ((key, used), span) in self.ports {
            let span = now(span);
            let mut row: PortRow = desk.row(PORTS, &key)?.unwrap_or_default();
            let place = match used {
                Use::Held => &mut row.held,
                Use::Served => &mut row.served,
                Use::Knocked => &mut row.knocked,
            };
            match place {
                Some(known) => extend(known, &span),
                None => *place = Some(span),
            }
            desk.put(PORTS, &key, &row)?;
        }
        for (key, span) in self.servers {
            let mut row = ServerRow { span: now(span) };
            if let Some(known) = desk.row::<ServerRow>(SERVERS, &key)? {
                let fresh = std::mem::replace(&mut row.span, known.span);
                extend(&mut row.span, &fresh);
            }
            desk.put(SERVERS, &key, &row)?;
        }
        for (key, sum) in self.flows {
            let span = now(sum.span);
            let known: Option<FlowRow> = desk.row(FLOWS, &key)?;
            let mut row = known.map_or_else(
                || FlowRow { span, packets: 0, bytes: 0, clients: Vec::new(), some_clients: Vec::new() },
                |mut row| {
                    extend(&mut row.span, &span);
                    row
                },
            );
            row.packets = row.packets.saturating_add(sum.packets);
            row.bytes = row.bytes.saturating_add(sum.bytes);
            for client in sum.clients {
                let hash = identity::of_client(client);
                if row.clients.len() < MOST_CLIENTS && !row.clients.contains(&hash) {
                    row.clients.push(hash);
                    if row.some_clients.len() < MOST_NAMED {
                        row.some_clients.push(client);
                    }
                }
            }
            desk.put(FLOWS, &key, &row)?;
        }
        Ok(())
    }
}
