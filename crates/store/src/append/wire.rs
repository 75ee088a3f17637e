//! What came over the wire: flows added up by the hour, knocks at decoys, sessions and streams.

use std::collections::HashMap;

use model::media::{Session, Stream};
use model::{DecoyTouch, Flow, FlowState, Timestamp, Utc};

use crate::desk::{Desk, SESSIONS, STREAMS};
use crate::fault::StoreError;
use crate::identity::{self, MOST_TEXT, beginning};
use crate::row::{SessionRow, SpanRow, StreamRow, TouchRow, WhatRow};

use super::sums::{FlowSum, Sums, Use};
use super::{extend, record, sockets, span};

/// So many of the first bytes are kept.
const MOST_BYTES: usize = 256;
/// Ports that a system may choose by itself: who answers there is nobody's service.
const CHANCE_PORTS: u16 = 32_768;
/// So many destinations of a session are named.
const MOST_DESTINATIONS: usize = 8;
/// What flows are called that nobody answered: they have one summary for all ports, since a scan knocks at all of them.
const UNANSWERED: &str = "unanswered";

pub(super) fn touch(
    desk: &mut Desk<'_>,
    touch: &DecoyTouch,
    namespaces: &HashMap<u32, String>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let port = identity::of_port(touch.transport, touch.local.port());
    sums.port(port, Use::Knocked, span(desk, touch.at));
    let recognised = touch.recognised.as_ref().and_then(|said| said.protocol);
    let row = TouchRow {
        transport: identity::of_transport(touch.transport),
        peer: touch.peer.ip(),
        peer_port: touch.peer.port(),
        address: touch.local.ip(),
        port: touch.local.port(),
        netns: sockets::class_of(namespaces, touch.netns),
        level: touch.level.name().to_owned(),
        connected: touch.connected,
        received_bytes: touch.received_bytes,
        sent_bytes: touch.sent_bytes,
        first_bytes: touch.first_bytes.iter().take(MOST_BYTES).copied().collect(),
        recognised: recognised.map(|protocol| protocol.name.to_owned()),
        lasted_ns: touch.lasted_ns,
    };
    record(desk, touch.at, Some(port), WhatRow::Touch(row))
}

pub(super) fn flow(flow: &Flow, sums: &mut Sums) {
    // A capture without times cannot be put into hours.
    let Some(last) = flow.last.or(flow.first) else { return };
    let first = flow.first.unwrap_or(last);
    let span = SpanRow { first_ns: first.as_ns(), last_ns: last.as_ns(), times: 1, age_s: 0, order: 0 };
    let knock = matches!(flow.state, FlowState::Unanswered | FlowState::Refused);
    let used = if knock { Use::Knocked } else { Use::Served };
    sums.port(identity::of_port(flow.transport, flow.server.port()), used, span);
    if !knock && flow.server.port() < CHANCE_PORTS {
        let server = identity::of_server(flow.server.ip(), flow.transport, flow.server.port());
        sums.server(server, span);
    }
    let (port, protocol) = if knock {
        (0, UNANSWERED)
    } else {
        (flow.server.port(), flow.recognised.protocol.map_or("", |protocol| protocol.name))
    };
    let hour = u32::try_from(first.as_seconds().div_euclid(3600)).unwrap_or(0);
    let mut key = hour.to_be_bytes().to_vec();
    key.extend(identity::of_port(flow.transport, port));
    key.extend(protocol.as_bytes());
    let (packets, bytes) = (flow.tally.packets(), flow.tally.bytes());
    sums.flow(key, FlowSum { span, packets, bytes, clients: vec![flow.client.ip()] });
}

pub(super) fn session(desk: &mut Desk<'_>, at: Timestamp<Utc>, session: &Session) -> Result<(), StoreError> {
    let source = session.source.to_string();
    let key = identity::key([b"session".as_slice(), source.as_bytes(), session.identity.as_bytes()]);
    let now = span(desk, at);
    let known: Option<SessionRow> = desk.row(SESSIONS, &key)?;
    let ended = session.ended.map(Timestamp::as_ns);
    let (is_new, was_ended) =
        known.as_ref().map_or((true, None), |row| (row.ended_ns.is_some() && ended.is_none(), row.ended_ns));
    let row = SessionRow {
        span: known.map_or(now, |row| {
            let mut span = row.span;
            extend(&mut span, &now);
            span
        }),
        name: beginning(&session.name, MOST_TEXT),
        source: beginning(&source, MOST_TEXT),
        destinations: (session.legs.iter().take(MOST_DESTINATIONS))
            .map(|leg| leg.destination.to_string())
            .collect(),
        ended_ns: ended,
    };
    desk.put(SESSIONS, &key, &row)?;
    let ends = ended.is_some() && was_ended.is_none();
    if is_new || ends {
        record(desk, at, None, WhatRow::Session { key, ended: ends })?;
    }
    Ok(())
}

pub(super) fn stream(desk: &mut Desk<'_>, at: Timestamp<Utc>, stream: &Stream) -> Result<(), StoreError> {
    let Some(leg) = stream.legs.first() else { return Ok(()) };
    let (source, destination) = (leg.source.to_string(), leg.destination.to_string());
    let ssrc = stream.ssrc.to_be_bytes();
    let key = identity::key([b"stream".as_slice(), &ssrc, source.as_bytes(), destination.as_bytes()]);
    let now = span(desk, at);
    let known: Option<StreamRow> = desk.row(STREAMS, &key)?;
    let is_new = known.is_none();
    let row = StreamRow {
        span: known.map_or(now, |row| {
            let mut span = row.span;
            extend(&mut span, &now);
            span
        }),
        ssrc: stream.ssrc,
        source,
        destination,
        format: (stream.format.as_ref())
            .map(|(format, _)| beginning(&format.essence.to_string(), MOST_TEXT))
            .unwrap_or_default(),
        packets: leg.reception.packets,
        lost: leg.reception.lost,
        faults: stream.faults.iter().map(|fault| fault.count).sum(),
    };
    desk.put(STREAMS, &key, &row)?;
    if is_new { record(desk, at, None, WhatRow::Stream { key }) } else { Ok(()) }
}
