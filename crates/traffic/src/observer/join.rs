//! Flows that are agreed on other flows: a data connection of FTP, and what a server of TFTP answers from a new port.

use std::net::SocketAddr;

use model::{Appearance, Certainty, Detail, Recognised, Transport};

use super::{Met, Observer};
use crate::entry::{Entry, Marks, Protocol, first_byte};
use crate::expected::{Agreement, Door, Expectation};
use crate::heard::MOST_DATAGRAM;
use crate::key::{End, Key};
use crate::number::index32;
use crate::protocol::{by_name, ftp_control, tftp_answers, tftp_asks};
use crate::recognise::appearance;
use crate::talk::{Said, Talk};
use crate::when::When;

impl Observer {
    /// Listens for what a payload agrees for flows that are still to come.
    #[inline]
    pub(super) fn overhear(&mut self, place: u32, from: End, met: &Met<'_>, now: When) {
        let asks = met.transport == Transport::Udp && matches!(met.payload, [0, 1 | 2, ..]);
        if asks {
            self.asked(place, from, met, now);
        } else if met.tcp.is_some() {
            self.controlled(place, from, met, now);
        }
    }

    /// A request of TFTP: whoever is asked answers from a port of his choice (RFC 1350 §4).
    #[cold]
    fn asked(&mut self, place: u32, from: End, met: &Met<'_>, now: When) {
        let Some(entry) = self.table.entry_mut(place) else { return };
        if from != entry.client || entry.marks.has(Marks::FOR_MANY) || !tftp_asks(met.payload) {
            return;
        }
        let expectation = Expectation {
            peer: *entry.key.addresses.at(entry.server()),
            agreement: Agreement::TftpAnswer,
            rule: "answer from a new port to a request of TFTP",
            control: (entry.key, entry.client),
            agreed: now,
        };
        let door = Door::of(&entry.key, entry.client);
        self.expect(door, expectation);
    }

    /// A control connection of FTP. Only the ends that talk are believed: an address of somebody else is noted.
    fn controlled(&mut self, place: u32, from: End, met: &Met<'_>, now: When) {
        let Some(entry) = self.table.entry_mut(place) else { return };
        let (key, client) = (entry.key, entry.client);
        let (Protocol::Agreeing(agreeing), Some(tcp)) = (&mut entry.protocol, met.tcp) else { return };
        let sequence = first_byte(tcp);
        let agreed = agreeing.control.hear(from == client, sequence, met.payload, met.payload_wire_bytes);
        if agreed.is_empty() {
            return;
        }
        let mut doors = Vec::new();
        for agreed in agreed {
            let waits = if agreed.by_client { client } else { client.other() };
            let own = agreed.named.address.is_none_or(|named| named == key.ip(waits).to_canonical());
            if !own {
                let answer = if agreed.granted { "" } else { ", refused" };
                let named = agreed.named.address.unwrap_or(key.ip(waits));
                let value = format!("{}{answer}", SocketAddr::new(named, agreed.named.port));
                let name = if agreed.by_client { "port_elsewhere" } else { "passive_elsewhere" };
                note(&mut agreeing.recognised, name, value);
            }
            // A server behind a translation of addresses names the one that it has itself; clients keep to the one
            // that they reached. A client that names somebody else would have him attacked (RFC 2577 §3).
            if agreed.granted && (own || !agreed.by_client) {
                doors.push((Door::beside(&key, waits, agreed.named.port), waits, agreed.rule));
            }
        }
        for (door, waits, rule) in doors {
            let peer = *key.addresses.at(waits.other());
            let agreement = Agreement::FtpData;
            self.expect(door, Expectation { peer, agreement, rule, control: (key, client), agreed: now });
        }
    }

    fn expect(&mut self, door: Door, expectation: Expectation) {
        self.expected.expect(door, expectation);
        self.part.unawaited += std::mem::take(&mut self.expected.left_out);
    }

    /// Looks whether a new flow was agreed, and by whom; `payload` is that of its first packet.
    #[cold]
    pub(super) fn join(&mut self, entry: &mut Entry, payload: &[u8], now: When) {
        let datagram = entry.key.transport == Transport::Udp;
        // Of a datagram, who sends it is who was asked.
        if datagram && !tftp_answers(payload) || !datagram && entry.key.transport != Transport::Tcp {
            return;
        }
        // The first packet of a connection may be the answer.
        let ends = [entry.server(), entry.client];
        for waits in ends.into_iter().take(if datagram { 1 } else { 2 }) {
            let peer = *entry.key.addresses.at(waits.other());
            let Some(expectation) = self.expected.take(&Door::of(&entry.key, waits), peer, now) else {
                continue;
            };
            let (protocol, client) = match expectation.agreement {
                Agreement::FtpData => (Some(&ftp_control::DATA), waits.other()),
                // The one who asked is the client still.
                Agreement::TftpAnswer => (by_name("tftp"), waits),
            };
            let (control, asked_by) = expectation.control;
            let mut recognised = Recognised {
                protocol,
                certainty: Certainty::Confirmed,
                rule: expectation.rule,
                ..Recognised::nothing(Appearance::Empty)
            };
            note(&mut recognised, Recognised::AGREED_ON, shown(&control, asked_by));
            entry.protocol = Protocol::Expected(Box::new(recognised));
            entry.client = client;
            entry.marks.set(Marks::SPOKEN);
            if expectation.agreement == Agreement::TftpAnswer {
                self.answered(&control, entry.endpoint(entry.server()));
            }
            return;
        }
    }

    /// The request of TFTP was answered, though not by the port that was asked.
    fn answered(&mut self, control: &Key, from: SocketAddr) {
        let Ok(place) = self.table.find(control) else { return };
        self.decide_now(place);
        let Some(entry) = self.table.entry_mut(place) else { return };
        let Protocol::Settled(recognised) = &mut entry.protocol else { return };
        if recognised.protocol.is_some_and(|protocol| protocol.name == "tftp") {
            recognised.certainty = Certainty::Confirmed;
            recognised.rule = "request, and its answer from a new port";
            note(recognised, "answered_from", from.to_string());
            entry.marks.set(Marks::ANSWERED);
        }
    }

    /// The first words of a flow that was agreed: what it is is known, and what it looks like is added.
    pub(super) fn met_expected(&mut self, place: u32, mut recognised: Box<Recognised>, met: &Met<'_>) {
        let piece = met.payload.get(..MOST_DATAGRAM).unwrap_or(met.payload);
        let ends = [index32(piece.len())];
        let client = match met.tcp {
            Some(_) => Said::stream(piece, true),
            None => Said::datagrams(piece, &ends),
        };
        let talk = Talk {
            transport: met.transport,
            client,
            server: Said::default(),
            ended: true,
            particulars: true,
        };
        recognised.appearance = appearance(&talk);
        if let Some(entry) = self.table.entry_mut(place) {
            entry.decided(Protocol::Settled(recognised));
        }
    }
}

/// Adds a particular, once.
fn note(recognised: &mut Recognised, name: &'static str, value: String) {
    if recognised.detail(name).is_none() {
        recognised.details.push(Detail { name, value });
    }
}

/// A flow as particulars name it.
fn shown(key: &Key, client: End) -> String {
    let end = |end| SocketAddr::new(key.ip(end), *key.ports.at(end));
    format!("{} → {}/{}", end(client), end(client.other()), key.transport.name())
}
