//! Frames in, facts out: the one place where a packet meets its flow.
//!
//! An observer has no thread. For several, frames are split by [`crate::shard_of`] so that each sees whole flows, and
//! their [`Part`]s are merged.

pub(crate) mod check;
mod hear;
mod icmp;
mod join;
mod sctp;
mod window;

use std::collections::VecDeque;

use model::{Appearance, Flow, Recognised, Timestamp, Traffic, Transport, Utc};
use wire::fragments::{Limits, Reassembler};
use wire::packet::{self, Decoded, Other, Packet, TunnelKind};
use wire::tcp::{Flags, Tcp};
use wire::{Fault, Frame};

use crate::community::community_id;
use crate::config::{Config, TimeOuts};
use crate::entry::{self, Counts, Entry, Marks, Protocol};
use crate::expected::Expected;
use crate::hash::{Map, Seed};
use crate::hearing::Hearing;
use crate::key::{self, End, Ends, Key};
use crate::part::Part;
use crate::table::Table;
use crate::when::When;

/// So many ended flows wait for [`Observer::poll`]; the rest is dropped and counted.
const MOST_ENDED: usize = 1 << 16;
/// So many different tunnels are named; flows of others only say the kind.
const MOST_TUNNELS: usize = 4096;
/// Packets in pieces inside packets in pieces are read to this depth.
const MOST_NESTED: u8 = 4;
/// Hearings that are kept for the next flow.
const MOST_SPARE: usize = 256;
/// Every place of the table is looked at about once in this time.
const ROUND_NS: i64 = 8_000_000_000;
/// Packets that come after less than this follow closely: about a second.
const SHORT_NS: i64 = 1 << 30;
/// So many places are looked at for one packet.
const MOST_STEPS: u64 = 4;

/// Why a flow is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// It was quiet for too long.
    TimedOut,
    /// Another one began between the same endpoints.
    Replaced,
    /// Memory is bounded.
    NoRoom,
    /// Nothing more comes.
    Finished,
}

/// Takes frames and keeps facts.
#[derive(Debug)]
pub struct Observer {
    config: Config,
    seed: Seed,
    table: Table,
    part: Part,
    /// The facts of the window before, where there are windows.
    before: Option<Part>,
    ended: VecDeque<Flow>,
    /// Memory that undecided flows hold, and how much they may.
    heard_bytes: usize,
    most_heard_bytes: usize,
    #[expect(clippy::vec_box, reason = "a flow takes the box as it is")]
    spare: Vec<Box<Hearing>>,
    /// The same without buffers, for datagrams.
    #[expect(clippy::vec_box, reason = "a flow takes the box as it is")]
    bare: Vec<Box<Hearing>>,
    fragments: Reassembler,
    /// Flows that others agreed.
    expected: Expected,
    tunnels: Vec<String>,
    tunnel_places: Map<(TunnelKind, u32), u16>,
    now: When,
    /// No flow is over sooner than this.
    shortest_ns: i64,
    /// Places of the table that are due to be looked at, in parts of [`ROUND_NS`].
    due: i64,
}

/// What a frame was decoded to, for whoever looks at it beside the observer.
#[derive(Debug, Clone, Copy)]
pub enum Shown<'s, 'a> {
    /// A whole packet of IP.
    Packet(&'s Packet<'a>),
    /// A frame without IP.
    Other(&'s Other<'a>),
}

/// What of a packet the table wants to know.
struct Met<'a> {
    transport: Transport,
    ip_bytes: u32,
    tcp: Option<&'a Tcp<'a>>,
    payload: &'a [u8],
    payload_wire_bytes: u32,
    ttl: u8,
    dscp: u8,
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new(config: Config) -> Observer {
        let seed = Seed::new(config.seed);
        // Three eighths for flows, a quarter for their first bytes, three eighths for what is made of them.
        let eighth = config.memory_bytes / 8;
        let most = (eighth * 3 / Table::ENTRY_BYTES).max(64);
        Observer {
            part: Part::of(&config),
            before: None,
            config,
            seed,
            table: Table::new(seed, most, (most / 4).clamp(32, 1 << 16)),
            ended: VecDeque::new(),
            heard_bytes: 0,
            most_heard_bytes: eighth * 2,
            spare: Vec::new(),
            bare: Vec::new(),
            fragments: Reassembler::new(Limits {
                most_bytes: (config.memory_bytes / 32).min(8 << 20),
                ..Limits::default()
            }),
            expected: Expected::new(seed),
            tunnels: vec![String::new()],
            tunnel_places: Map::with_hasher(seed),
            now: When::UNKNOWN,
            shortest_ns: config.time_outs.shortest_ns(),
            due: 0,
        }
    }

    /// Takes a frame; `number` counts the frames of the capture from 1.
    pub fn handle(&mut self, frame: &Frame<'_>, number: u64) {
        self.handle_and(frame, number, &mut |_| {});
    }

    /// Takes a frame, and shows what it is to somebody else who would otherwise decode it again: whole packets of IP, put
    /// together where they came in pieces, and frames without IP.
    #[inline]
    pub fn handle_and(&mut self, frame: &Frame<'_>, number: u64, also: &mut impl FnMut(Shown<'_, '_>)) {
        let volume = &mut self.part.volume;
        volume.frames += 1;
        volume.wire_bytes += u64::from(frame.wire_bytes);
        volume.cut += u64::from(frame.bytes.len() < frame.wire_bytes as usize);
        let now = When::of(frame.time);
        self.part.first = self.part.first.earlier(now);
        self.part.last = self.part.last.later(now);
        self.turn(now);
        if let Some(packet) = packet::plain(frame) {
            also(Shown::Packet(&packet));
            self.packet(&packet, number, now);
            return;
        }
        let decoded = packet::decode(frame);
        // By reference: a packet's facts take five lines of the cache.
        match &decoded {
            Ok(Decoded::Packet(packet)) if packet.fragment.is_none() => {
                also(Shown::Packet(packet));
                self.packet(packet, number, now);
            }
            _ => self.unusual(decoded, (number, now), also, 0),
        }
    }

    /// What is no whole packet of IP; `depth` counts packets in pieces inside each other.
    #[cold]
    fn unusual(
        &mut self,
        decoded: Result<Decoded<'_>, Fault>,
        (number, now): (u64, When),
        also: &mut dyn FnMut(Shown<'_, '_>),
        depth: u8,
    ) {
        match &decoded {
            Ok(Decoded::Packet(packet)) if packet.fragment.is_none() => {
                also(Shown::Packet(packet));
                self.packet(packet, number, now);
            }
            Ok(Decoded::Packet(piece)) => {
                let time = Timestamp::from_ns(now.later(self.now).known().unwrap_or(0));
                let whole = if depth < MOST_NESTED { self.fragments.handle(piece, time) } else { None };
                let Some(whole) = whole else {
                    self.part.volume.fragments += 1;
                    return;
                };
                self.part.volume.reassembled += 1;
                self.unusual(packet::decode_whole(piece, &whole), (number, now), also, depth + 1);
            }
            Ok(Decoded::Other(other)) => {
                self.part.volume.not_ip += 1;
                self.part.volume.encrypted += u64::from(other.is_encrypted());
                also(Shown::Other(other));
            }
            Ok(Decoded::Unsupported(link)) => self.part.unread_link(link.0, 1),
            Err(fault) => {
                self.part.volume.damaged += 1;
                self.part.fault(*fault, number);
            }
        }
    }

    /// Lets time pass without a frame: flows that were quiet for too long are over.
    pub fn pass(&mut self, now: Timestamp<Utc>) {
        // No call makes a long pause; what is left comes next time.
        const MOST_TURNS: usize = 4096;
        for _ in 0..MOST_TURNS {
            let before = self.table.len();
            self.turn(When::of(Some(now)));
            if self.due < ROUND_NS && self.table.len() == before {
                break;
            }
        }
        self.roll(When::of(Some(now)));
    }

    /// A flow that is over, where [`Config::flows`] asks for them.
    pub fn poll(&mut self) -> Option<Flow> {
        self.ended.pop_front()
    }

    /// The facts so far; flows that are still open count as they are.
    pub fn snapshot(&self) -> Traffic {
        self.part_so_far().traffic()
    }

    /// The facts so far, to be merged with those of other observers.
    pub fn part_so_far(&self) -> Part {
        let mut part = window::joined(self.before.clone(), self.part.clone());
        for entry in self.table.each() {
            match entry.protocol {
                Protocol::Taken(protocol) => part.stragglers(entry, protocol),
                _ => _ = part.take(entry, hear::recognised(entry)),
            }
        }
        part
    }

    /// Ends every flow, also for [`Observer::poll`].
    pub fn end(&mut self) {
        for mut entry in self.table.drain() {
            let concluded = hear::conclude(&mut entry);
            self.concluded(concluded, entry.frame);
            self.leave(entry, Why::Finished);
        }
    }

    /// The facts, to be merged with those of other observers.
    pub fn part(mut self) -> Part {
        self.config.flows = false;
        self.end();
        window::joined(self.before, self.part)
    }

    /// The facts.
    pub fn finish(self) -> Traffic {
        self.part().traffic()
    }

    /// Memory that flows and their first bytes hold, about.
    pub fn memory_bytes(&self) -> usize {
        self.table.places() * Table::ENTRY_BYTES + self.heard_bytes + self.fragments.used_bytes()
    }

    /// Lets time pass: looks at some places of the table, so that all are looked at in turn.
    #[inline]
    fn turn(&mut self, now: When) {
        let passed = now.since(self.now);
        self.now = self.now.later(now);
        // Flows that are over leave in time, so that what comes next finds their place still warm. At most two for
        // one packet: no packet can make a long pause.
        for _ in 0..2 {
            let Some(place) = self.table.closed(self.now, self.config.time_outs.closing_ns) else { break };
            self.over(place, Why::TimedOut);
        }
        if passed <= 0 && self.due < ROUND_NS {
            return;
        }
        let places = i64::try_from(self.table.places()).unwrap_or(i64::MAX);
        // Between two packets that follow closely, no place is due: nothing can overflow, and nothing is looked at.
        if passed < SHORT_NS && self.due < ROUND_NS && places < SHORT_NS {
            let due = self.due + passed * places;
            if due < ROUND_NS {
                self.due = due;
                return;
            }
        }
        let round = places.saturating_mul(ROUND_NS);
        self.due = self.due.saturating_add(passed.clamp(0, ROUND_NS).saturating_mul(places)).min(round);
        for _ in 0..MOST_STEPS {
            if self.due < ROUND_NS {
                return;
            }
            self.due -= ROUND_NS;
            let Some(place) = self.table.turn() else { return };
            let quiet = self
                .table
                .entry_mut(place)
                .is_some_and(|entry| self.now.since(entry.last) > time_out(&self.config.time_outs, entry));
            if quiet {
                self.over(place, Why::TimedOut);
            }
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, number: u64, now: When) {
        let Some(transport) = icmp::transport(packet.protocol) else {
            self.part.volume.portless += 1;
            self.portless(packet);
            return;
        };
        let realm = key::realm(packet, self.seed);
        let (key, from) = Key::of(
            packet.version,
            transport,
            realm,
            (packet.source, packet.source_port),
            (packet.destination, packet.destination_port),
        );
        let met = Met {
            transport,
            ip_bytes: packet.ip_bytes,
            tcp: packet.tcp(),
            payload: packet.payload,
            payload_wire_bytes: packet.payload_wire_bytes,
            ttl: packet.ttl,
            dscp: packet.traffic_class >> 2,
        };
        let place = match self.table.find(&key) {
            Ok(place) if !self.is_another(place, &met, now) => place,
            found => {
                let hash = found.err().unwrap_or_else(|| key.hash(self.seed));
                if let Ok(place) = found {
                    let replaced = self.table.entry_mut(place).is_some_and(|entry| entry.is_over());
                    self.over(place, if replaced { Why::Replaced } else { Why::TimedOut });
                }
                let client = met.tcp.map_or(from, |tcp| guessed_client(&key, from, tcp));
                self.begin(packet, key, hash, client, number, now)
            }
        };
        self.meet(place, from, &met, number, now);
    }

    /// Whether a packet belongs to another flow than the one that was last seen between its endpoints.
    #[inline]
    fn is_another(&mut self, place: u32, met: &Met<'_>, now: When) -> bool {
        let Some(entry) = self.table.entry_mut(place) else { return true };
        let quiet = now.since(entry.last);
        (quiet > self.shortest_ns && quiet > time_out(&self.config.time_outs, entry))
            || met.tcp.is_some_and(|tcp| entry.is_reopened_by(tcp))
    }

    fn begin(
        &mut self,
        packet: &Packet<'_>,
        key: Key,
        hash: u32,
        client: End,
        number: u64,
        now: When,
    ) -> u32 {
        if let Some(place) = self.table.surplus() {
            self.over(place, Why::NoRoom);
        }
        let mut marks = Marks::default();
        if key::is_for_many(packet.version, packet.destination) {
            marks.set(Marks::FOR_MANY);
        }
        let tunnel = packet.tunnels.iter().last().map_or(0, |tunnel| self.tunnel(tunnel.kind, tunnel.id));
        let mut entry = Entry {
            key,
            last: now,
            birth: 0,
            marks,
            client,
            ttl: packet.ttl,
            counts: Ends::<Counts>::default(),
            protocol: Protocol::Silent,
            first: now,
            frame: number,
            retransmissions: 0,
            missing: 0,
            icmp_errors: 0,
            vlan: packet.vlans.outer,
            tunnel,
            dscp: packet.traffic_class >> 2,
        };
        if !self.expected.is_empty() {
            self.join(&mut entry, packet.payload, now);
        }
        let place = self.table.insert(hash, entry);
        // An embryo that has to go joins the sketch of its source, where nothing of it is lost but its own row.
        if let Some(oldest) = self.table.surplus_embryo() {
            self.over(oldest, Why::TimedOut);
        }
        place
    }

    #[cold]
    fn tunnel(&mut self, kind: TunnelKind, id: u32) -> u16 {
        if let Some(place) = self.tunnel_places.get(&(kind, id)) {
            return *place;
        }
        if self.tunnels.len() >= MOST_TUNNELS && id != 0 {
            return self.tunnel(kind, 0);
        }
        let place = u16::try_from(self.tunnels.len()).unwrap_or(0);
        let name = if id == 0 { String::from(kind.name()) } else { format!("{} {id}", kind.name()) };
        self.tunnels.push(name);
        self.tunnel_places.insert((kind, id), place);
        place
    }

    /// Counts a packet at its flow, and lets recognisers hear it while the flow is undecided.
    #[inline]
    fn meet(&mut self, place: u32, from: End, met: &Met<'_>, number: u64, now: When) {
        let Some(entry) = self.table.entry_mut(place) else { return };
        let (client_before, over_before) = (entry.client, entry.is_over());
        let counts = entry.counts.at_mut(from);
        counts.packets += 1;
        counts.bytes += u64::from(met.ip_bytes);
        entry.met(now);
        let (mut fresh, mut message) = (met.payload_wire_bytes > 0, None);
        if let Some(tcp) = met.tcp {
            fresh = entry.segment(from, tcp, met.payload_wire_bytes);
        } else if met.transport != Transport::Sctp {
            entry.counts.at_mut(from).spoke |= fresh;
            if from == entry.server() {
                entry.marks.set(Marks::ANSWERED);
            }
        } else {
            message = sctp::handle(entry, from, met.payload);
            fresh = message.is_some();
        }
        if entry.client != client_before && from == entry.client {
            (entry.ttl, entry.dscp) = (met.ttl, met.dscp);
        }
        let closes = !over_before && entry.is_over();
        let undecided = !entry.marks.has(Marks::DECIDED);
        let agrees = undecided || entry.marks.has(Marks::AGREES);
        // Nothing is expected any more: a reset, or what acknowledges the last FIN.
        let done = over_before || closes;
        let done =
            done && met.tcp.is_some_and(|tcp| !tcp.flags.has(Flags::FIN)) && !entry.marks.has(Marks::TAKEN);
        if closes {
            self.table.closes(place);
        }
        if fresh && undecided {
            match message {
                Some(payload) => self.hear(place, from, &Met { payload, ..*met }, number),
                None => self.hear(place, from, met, number),
            }
        }
        if fresh && agrees {
            self.overhear(place, from, met, now);
        }
        if done && !self.config.flows {
            self.take(place);
        }
    }

    /// Takes the facts of a flow that is over while they are at hand; its entry stays for stragglers.
    fn take(&mut self, place: u32) {
        self.decide_now(place);
        let Some(entry) = self.table.entry_mut(place) else { return };
        let recognised = said(entry);
        let protocol = recognised.protocol;
        let served = self.part.take(entry, recognised);
        entry.decided(Protocol::Taken(protocol));
        entry.marks.set(Marks::TAKEN);
        if served {
            entry.marks.set(Marks::SERVED);
        }
        for counts in [&mut entry.counts.low, &mut entry.counts.high] {
            (counts.packets, counts.bytes) = (0, 0);
        }
    }

    fn decide_now(&mut self, place: u32) {
        if let Some(entry) = self.table.entry_mut(place)
            && matches!(entry.protocol, Protocol::Hearing(_))
        {
            let frame = entry.frame;
            self.settle(place, frame);
        }
    }

    /// Ends a flow.
    fn over(&mut self, place: u32, why: Why) {
        self.decide_now(place);
        if let Some(entry) = self.table.remove(place) {
            self.leave(entry, why);
        }
    }

    /// Takes the facts of a flow that left the table.
    fn leave(&mut self, mut entry: Entry, why: Why) {
        if let Protocol::Taken(protocol) = entry.protocol {
            if entry.tally().packets() > 0 {
                self.part.stragglers(&entry, protocol);
            }
            return;
        }
        self.part.volume.flows_merged += u64::from(why == Why::NoRoom);
        let recognised = said(&mut entry);
        if self.config.flows {
            let tunnel = self.tunnels.get(usize::from(entry.tunnel)).cloned().unwrap_or_default();
            let mut flow = entry.flow(recognised.clone(), why == Why::TimedOut, tunnel);
            flow.community_id = community_id(&flow);
            if self.ended.len() < MOST_ENDED {
                self.ended.push_back(flow);
            } else {
                self.part.volume.flows_merged += 1;
            }
        }
        self.part.take(&entry, recognised);
    }
}

/// What was decided, taken out.
fn said(entry: &mut Entry) -> Recognised {
    let answered = entry.marks.has(Marks::ANSWERED);
    match std::mem::replace(&mut entry.protocol, Protocol::Silent) {
        Protocol::Settled(recognised) => *recognised,
        // That somebody was expected does not mean that anybody was there.
        Protocol::Expected(recognised) if answered => *recognised,
        Protocol::Agreeing(agreeing) => agreeing.recognised,
        Protocol::Brief(protocol, certainty, appearance) => entry::brief(protocol, certainty, appearance),
        Protocol::Plain(appearance) => Recognised::nothing(appearance),
        _ => Recognised::nothing(Appearance::Empty),
    }
}

#[inline]
fn time_out(time_outs: &TimeOuts, entry: &Entry) -> i64 {
    if entry.is_over() {
        return time_outs.closing_ns;
    }
    match entry.key.transport {
        Transport::Tcp | Transport::Sctp if entry.is_embryo() => time_outs.opening_ns,
        Transport::Tcp | Transport::Sctp => time_outs.open_ns,
        Transport::Udp | Transport::Dccp if entry.marks.has(Marks::ANSWERED) => {
            time_outs.answered_datagrams_ns
        }
        Transport::Udp | Transport::Dccp => time_outs.datagrams_ns,
    }
}

/// Who opened a connection that is met in its middle, until its bytes say so: who has a port that systems give to
/// clients while the other has not (RFC 6335 §6), and else who is heard first.
fn guessed_client(key: &Key, from: End, tcp: &Tcp<'_>) -> End {
    if tcp.flags.has(Flags::SYN) || !tcp.flags.has(Flags::ACK) {
        return from;
    }
    let range = |end| match *key.ports.at(end) {
        // From 512 to 1023 are those that NFS and its like call from.
        0..=511 => 0,
        512..=49_151 => 1,
        49_152.. => 2,
    };
    if range(from) < range(from.other()) { from.other() } else { from }
}
