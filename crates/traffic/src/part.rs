//! The facts of one observer, and how those of several become one [`Traffic`].

use model::{
    Appearance, Area, Certainty, Gap, Reason, Recognised, Timestamp, Traffic, Transport, Utc, Volume,
    WireFault,
};
use wire::Fault;

use crate::beacon::{Beacons, Pair, Threshold};
use crate::config::Config;
use crate::entry::{Entry, Marks};
use crate::hash::Seed;
use crate::key::End;
use crate::knock::{Answer, Knock, Knocks, Who};
use crate::service::{Place, Served, Services};
use crate::when::When;

/// A one-way flow of datagrams with at most this many is a knock, with more it is a service that never answers.
const KNOCK_DATAGRAMS: u64 = 2;
/// Kinds of faults are constants of ours; this only bounds what a mistake could do.
const MOST_FAULTS: usize = 4096;

/// The facts of one observer, to be merged with those of others that saw other flows of the same traffic.
#[derive(Debug, Clone)]
pub struct Part {
    pub(crate) volume: Volume,
    /// When its window began, where there are windows.
    pub(crate) begun: When,
    pub(crate) first: When,
    pub(crate) last: When,
    services: Services,
    knocks: Knocks,
    beacons: Beacons,
    faults: Vec<WireFault>,
    unread_links: Vec<(u16, u64)>,
    threshold: Threshold,
    /// Packets of flows that have ended.
    pub(crate) packets: u64,
    /// Flows that were decided early because of the bound on memory.
    pub(crate) unheard: u64,
    /// Flows that were agreed and not waited for.
    pub(crate) unawaited: u64,
}

impl Part {
    /// What an observer begins with: three eighths of its memory, shared by two windows where there are windows.
    pub(crate) fn of(config: &Config) -> Part {
        let seed = Seed::new(config.seed);
        let bytes = config.memory_bytes / 8 * 3 / if config.window_ns.is_some() { 2 } else { 1 };
        Part {
            volume: Volume::default(),
            begun: When::UNKNOWN,
            first: When::UNKNOWN,
            last: When::UNKNOWN,
            services: Services::new(seed, bytes / 4),
            knocks: Knocks::new(seed, bytes / 4),
            beacons: Beacons::new(seed, bytes / 2),
            faults: Vec::new(),
            unread_links: Vec::new(),
            threshold: Threshold { connections: config.beacon_connections, score: config.beacon_score },
            packets: 0,
            unheard: 0,
            unawaited: 0,
        }
    }

    /// Counts a fault.
    #[cold]
    pub(crate) fn fault(&mut self, fault: Fault, frame: u64) {
        self.faults(WireFault { layer: fault.layer, what: fault.what, count: 1, frame, at: fault.at as u64 });
    }

    fn faults(&mut self, fault: WireFault) {
        let same = |known: &&mut WireFault| (known.layer, known.what) == (fault.layer, fault.what);
        let room = self.faults.len() < MOST_FAULTS;
        match self.faults.iter_mut().find(same) {
            Some(known) => {
                known.count += fault.count;
                if fault.frame < known.frame {
                    (known.frame, known.at) = (fault.frame, fault.at);
                }
            }
            None if room => self.faults.push(fault),
            None => {}
        }
    }

    #[cold]
    pub(crate) fn unread_link(&mut self, link: u16, frames: u64) {
        match self.unread_links.iter_mut().find(|(known, _)| *known == link) {
            Some((_, count)) => *count += frames,
            None => self.unread_links.push((link, frames)),
        }
    }

    /// Packets that came after a flow's facts were taken.
    #[cold]
    pub(crate) fn stragglers(&mut self, entry: &Entry, protocol: Option<&'static model::Protocol>) {
        self.packets += entry.tally().packets();
        if entry.marks.has(Marks::SERVED) {
            self.services.stragglers(&place(entry, protocol), &entry.tally(), entry.last);
        }
    }

    /// Whether a service that this flow may be of finds room.
    #[inline]
    pub(crate) fn has_room(&self, entry: &Entry) -> bool {
        let at = |end| self.services.has_door(&place_at(entry, end, None));
        !self.services.is_full() || at(entry.server()) || entry.is_turnable() && at(entry.client)
    }

    /// Whether what was recognised of a flow would add nothing to its service but its count.
    pub(crate) fn is_told(&self, entry: &Entry, recognised: &Recognised) -> bool {
        self.services.is_told(&place(entry, recognised.protocol), recognised, entry.frame)
    }

    /// Takes in a flow that is over, or that is as it is for now. Gives whether it is part of a service.
    pub(crate) fn take(&mut self, entry: &Entry, recognised: Recognised) -> bool {
        let key = &entry.key;
        let tally = entry.tally();
        self.volume.flows += 1;
        self.packets += tally.packets();
        let (client, server) = (*key.addresses.at(entry.client), *key.addresses.at(entry.server()));
        let port = *key.ports.at(entry.server());
        let who = Who { version: key.version, address: client, transport: key.transport };
        let has = |mark| entry.marks.has(mark);
        let answered = has(Marks::ANSWERED);
        // Of a flow that was agreed it is known what it is before anybody says a word.
        let known = recognised.certainty != Certainty::Unknown;
        let knock = Knock {
            who,
            address: server,
            port,
            answer: match (answered, known, has(Marks::REFUSED)) {
                (true, _, _) => Answer::Open,
                (false, true, _) => Answer::Attempt,
                (false, false, true) => Answer::Refusal,
                (false, false, false) => Answer::Silence,
            },
            first: entry.first,
            last: entry.last,
            frame: entry.frame,
        };
        let quiet = recognised.appearance == Appearance::Empty && !entry.spoke();
        let streams = matches!(key.transport, Transport::Tcp | Transport::Sctp);
        let knocks = match (streams, answered) {
            // Nobody said anything, but the door was asked to open, or was hit in a way that no program hits it.
            (true, _) => quiet && !known && (has(Marks::ASKED) || has(Marks::ODD)),
            (false, true) => false,
            (false, false) => has(Marks::REFUSED) || tally.packets() <= KNOCK_DATAGRAMS,
        };
        if answered && (!streams || has(Marks::OPENED)) {
            let pair = Pair { version: key.version, client, server, port, transport: key.transport };
            self.beacons.connected(pair, entry.first, tally.client_bytes, entry.frame);
        }
        if knocks {
            let scans = self.knocks.knocked(&knock);
            // A payload that was recognised is an attempt at the door; those of a scan are one row.
            if !answered && (!known || scans) {
                return false;
            }
        } else if answered {
            self.knocks.conversed(who);
        }
        if !answered && !known && (tally.packets() <= 1 || quiet) {
            return false;
        }
        // Services come and never go until another window begins: what found no room then finds none now.
        if has(Marks::NO_ROOM) && self.begun == When::UNKNOWN && self.services.is_full() {
            self.services.left_out += 1;
            return true;
        }
        self.services.served(Served {
            place: place(entry, recognised.protocol),
            client,
            recognised,
            direction: entry.direction(),
            answered,
            tally,
            first: entry.first,
            last: entry.last,
            frame: entry.frame,
        });
        true
    }

    /// Adds the facts of another observer with the same seed.
    pub(crate) fn merge(&mut self, other: Part) {
        let volume = &mut self.volume;
        let theirs = &other.volume;
        volume.frames += theirs.frames;
        volume.wire_bytes += theirs.wire_bytes;
        volume.filtered += theirs.filtered;
        volume.dropped += theirs.dropped;
        volume.not_ip += theirs.not_ip;
        volume.encrypted += theirs.encrypted;
        volume.portless += theirs.portless;
        volume.damaged += theirs.damaged;
        volume.fragments += theirs.fragments;
        volume.cut += theirs.cut;
        volume.reassembled += theirs.reassembled;
        volume.flows += theirs.flows;
        volume.flows_merged += theirs.flows_merged;
        self.first = self.first.earlier(other.first);
        self.last = self.last.later(other.last);
        self.services.merge(other.services);
        self.knocks.merge(other.knocks);
        self.beacons.merge(other.beacons);
        other.faults.into_iter().for_each(|fault| self.faults(fault));
        other.unread_links.into_iter().for_each(|(link, frames)| self.unread_link(link, frames));
        self.packets += other.packets;
        self.unheard += other.unheard;
        self.unawaited += other.unawaited;
    }

    /// The facts.
    /// When the last packet came, as far as times are known.
    pub fn last(&self) -> Option<Timestamp<Utc>> {
        self.last.timestamp()
    }

    pub(crate) fn traffic(mut self) -> Traffic {
        self.beacons.count();
        let mut gaps = Vec::new();
        let mut gap = |count: u64, what: &str| {
            if count > 0 {
                let what = String::from(what);
                gaps.push(Gap {
                    area: Area::Traffic,
                    reason: Reason::LimitReached,
                    what,
                    count: Some(count),
                });
            }
        };
        gap(self.volume.flows_merged, "flows that were closed early to stay within the memory given");
        gap(self.unheard, "flows whose protocol was decided from less than their first bytes");
        gap(
            self.unawaited,
            "flows that others agreed and that would not be known as theirs: too many were agreed at a time",
        );
        gap(self.services.left_out, "flows of services that found no room");
        gap(self.knocks.left_out, "sources that knocked at doors and were not kept one by one");
        gap(self.beacons.left_out(), "connections that were counted and not looked at for regularity");
        let (scans, touches) = self.knocks.judge();
        let mut faults = self.faults;
        faults.sort_by_key(|fault| (fault.layer, fault.what));
        let mut unread_links = self.unread_links;
        unread_links.sort_unstable();
        Traffic {
            sources: Vec::new(),
            volume: self.volume,
            first: self.first.timestamp(),
            last: self.last.timestamp(),
            services: self.services.list(),
            scans,
            beacons: self.beacons.judge(self.first, self.last, self.threshold),
            touches,
            media: model::media::Media::default(),
            faults,
            unread_links,
            comments: Vec::new(),
            comments_left_out: 0,
            gaps,
        }
    }
}

fn place(entry: &Entry, protocol: Option<&'static model::Protocol>) -> Place {
    place_at(entry, entry.server(), protocol)
}

fn place_at(entry: &Entry, end: End, protocol: Option<&'static model::Protocol>) -> Place {
    Place {
        version: entry.key.version,
        server: *entry.key.addresses.at(end),
        transport: entry.key.transport,
        port: *entry.key.ports.at(end),
        protocol: protocol.map(|protocol| protocol.name),
    }
}

/// One [`Traffic`] out of the parts of observers that saw different flows, and that share one seed.
///
/// What was counted is added; what was counted only about (different clients, addresses) stays about.
pub fn merge(parts: Vec<Part>) -> Traffic {
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else { return Traffic::default() };
    parts.for_each(|part| whole.merge(part));
    whole.traffic()
}

#[cfg(test)]
mod tests {
    use wire::address::Address;
    use wire::packet::Version;

    use super::*;
    use crate::entry::{Counts, Protocol};
    use crate::key::{Ends, Key};

    fn flow(client: ([u8; 4], u16), server: ([u8; 4], u16), marks: &[Marks]) -> Entry {
        let [from, to] = [client, server].map(|(address, port)| (Address::from_v4(address), port));
        let (key, client) = Key::of(Version::V4, Transport::Tcp, 0, from, to);
        let mut all = Marks::default();
        marks.iter().for_each(|mark| all.set(*mark));
        Entry {
            key,
            last: When::UNKNOWN,
            birth: 0,
            marks: all,
            client,
            ttl: 64,
            counts: Ends::<Counts>::default(),
            protocol: Protocol::Silent,
            first: When::UNKNOWN,
            frame: 1,
            retransmissions: 0,
            missing: 0,
            icmp_errors: 0,
            vlan: None,
            tunnel: 0,
            dscp: 0,
        }
    }

    #[test]
    fn in_a_full_table_only_flows_of_a_known_door_find_room() {
        // So little memory is enough for 16 services.
        let mut part = Part::of(&Config { memory_bytes: 0, ..Config::default() });
        let (client, stranger) = (([10, 0, 0, 9], 40_000), ([10, 0, 0, 8], 22));
        let opened = [Marks::OPENED, Marks::ANSWERED];
        for server in 1..=16 {
            assert!(part.has_room(&flow(client, stranger, &opened)), "{server}");
            let told = Recognised::nothing(Appearance::Text);
            assert!(part.take(&flow(client, ([10, 0, 1, server], 22), &opened), told));
        }
        let known = ([10, 0, 1, 16], 22);
        assert!(part.has_room(&flow(client, known, &opened)));
        for unknown in [stranger, ([10, 0, 1, 16], 23)] {
            assert!(!part.has_room(&flow(client, unknown, &opened)), "{unknown:?}");
            assert!(!part.has_room(&flow(client, unknown, &[])), "{unknown:?}");
        }
        // Who is taken for the client may turn out to serve, unless the opening was seen.
        assert!(part.has_room(&flow(known, client, &[])));
        assert!(!part.has_room(&flow(known, client, &opened)));
        assert!(!part.has_room(&flow(known, client, &[Marks::FOR_MANY])));
    }
}
