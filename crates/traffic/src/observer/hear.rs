//! Payloads meet recognisers while a flow is undecided; bytes are kept only where one asks for more.

use model::{Appearance, Recognised, Transport};
use wire::Fault;
use wire::tcp::Tcp;

use super::{MOST_SPARE, Met, Observer};
use crate::entry::{Agreeing, Entry, Marks, Protocol, first_byte};
use crate::heard::{MOST_DATAGRAM, MOST_STREAM};
use crate::hearing::{self, Hearing, Manner, Outcome, Settled};
use crate::key::End;
use crate::number::index32;
use crate::part::Part;
use crate::protocol::ftp_control::Control;
use crate::recognise::appearance;
use crate::talk::Said;

impl Observer {
    /// Lets recognisers hear a payload.
    pub(super) fn hear(&mut self, place: u32, from: End, met: &Met<'_>, number: u64) {
        let datagrams = met.tcp.is_none();
        let whole = met.payload.len() >= met.payload_wire_bytes as usize;
        let room = self.heard_bytes < self.most_heard_bytes;
        let Some(entry) = self.table.entry_mut(place) else { return };
        if !self.config.flows && !entry.marks.has(Marks::NO_ROOM) && !self.part.has_room(entry) {
            entry.marks.set(Marks::NO_ROOM);
        }
        let manner = manner(entry);
        let client = manner.client;
        let counts = *entry.counts.at(from);
        let begins = counts.start();
        let start = |tcp: &Tcp<'_>| counts.start().map_or((first_byte(tcp), false), |start| (start, true));
        let (outcome, mut hearing) = match std::mem::replace(&mut entry.protocol, Protocol::Silent) {
            Protocol::Hearing(mut hearing) => {
                self.heard_bytes = self.heard_bytes.saturating_sub(hearing.bytes());
                let outcome = further(&mut hearing, from, manner, met, begins, whole);
                (outcome, Some(hearing))
            }
            Protocol::Expected(recognised) => return self.met_expected(place, recognised, met),
            before => {
                entry.protocol = before;
                let (at_once, from_start) = match met.tcp {
                    Some(tcp) => {
                        let (at, from_start) = start(tcp);
                        (at == first_byte(tcp), from_start)
                    }
                    None => (true, true),
                };
                // A client's first words alone settle nothing: they wait for the answer, for more, or for the end.
                let outcome = if at_once && (from != client || !room) {
                    let piece = met.payload.get(..MOST_DATAGRAM).unwrap_or(met.payload);
                    let ends = [index32(piece.len())];
                    let missing = [met.payload_wire_bytes.saturating_sub(index32(piece.len()))];
                    let said = match datagrams {
                        true => Said::datagrams(piece, &ends).cut(&missing),
                        false => Said::stream(met.payload, from_start),
                    };
                    let (ours, theirs) =
                        if from == client { (said, Said::default()) } else { (Said::default(), said) };
                    hearing::look(&manner.talk(ours, theirs, !room), manner.turnable)
                } else {
                    Outcome::Open { wanted: true, known: false }
                };
                (outcome, None)
            }
        };
        match outcome {
            Outcome::Open { wanted, .. } => {
                let hearing = hearing.take().unwrap_or_else(|| {
                    // Datagrams take what they need: many are alone, and stay for long.
                    let spare = if datagrams { self.bare.pop() } else { self.spare.pop() };
                    let mut hearing = spare.unwrap_or_default();
                    let heard = hearing.sides.at_mut(from);
                    match met.tcp {
                        Some(tcp) => {
                            let (at, from_start) = start(tcp);
                            heard.begin(at, from_start);
                            heard.segment(first_byte(tcp), met.payload, whole);
                        }
                        None => {
                            heard.datagram(met.payload, met.payload_wire_bytes);
                            if !wanted {
                                heard.forget_datagram();
                            }
                        }
                    }
                    hearing
                });
                let crowded = !room;
                let done = datagrams && hearing.sides.at(from).is_full();
                self.heard_bytes += hearing.bytes();
                entry.protocol = Protocol::Hearing(hearing);
                if crowded || done {
                    self.part.unheard += u64::from(crowded);
                    self.settle(place, number);
                }
            }
            Outcome::Settled(settled) => {
                // Flows of datagrams are over long after they are decided, and who serves does not change any more.
                let told = (datagrams && !self.config.flows).then_some(&self.part);
                decide(entry, settled, told);
                self.put_back(hearing);
            }
            Outcome::Broken => {
                entry.decided(Protocol::Plain(Appearance::Binary));
                self.broken(number);
                self.put_back(hearing);
            }
        }
    }

    /// Decides from what was heard so far.
    pub(super) fn settle(&mut self, place: u32, number: u64) {
        let concluded = self.table.entry_mut(place).and_then(conclude);
        self.concluded(concluded, number);
    }

    /// Takes back what a flow was heard with that is decided now.
    pub(super) fn concluded(&mut self, concluded: Option<Concluded>, number: u64) {
        let Some(Concluded { hearing, broken }) = concluded else { return };
        self.heard_bytes = self.heard_bytes.saturating_sub(hearing.bytes());
        if broken {
            self.broken(number);
        }
        self.put_back(Some(hearing));
    }

    fn broken(&mut self, number: u64) {
        let what = "a recogniser stopped; the flow is left alone, and the mistake is ours";
        self.part.fault(Fault { layer: "analysis", at: 0, what }, number);
    }

    fn put_back(&mut self, hearing: Option<Box<Hearing>>) {
        let Some(mut hearing) = hearing else { return };
        if hearing.is_of_stream() {
            if self.spare.len() < MOST_SPARE {
                hearing.clear();
                hearing.shrink();
                self.spare.push(hearing);
            }
        } else if self.bare.len() < MOST_SPARE {
            *hearing = Hearing::default();
            self.bare.push(hearing);
        }
    }
}

/// How a flow is looked at, by what is known of it.
fn manner(entry: &Entry) -> Manner {
    Manner {
        transport: entry.key.transport,
        client: entry.client,
        turnable: entry.is_turnable(),
        particulars: !entry.marks.has(Marks::NO_ROOM),
    }
}

/// What is left of a decision.
pub(super) struct Concluded {
    hearing: Box<Hearing>,
    broken: bool,
}

/// Decides a flow from what was heard of it, if it is not decided yet.
pub(super) fn conclude(entry: &mut Entry) -> Option<Concluded> {
    let hearing = match std::mem::replace(&mut entry.protocol, Protocol::Silent) {
        Protocol::Hearing(hearing) => hearing,
        decided => {
            entry.protocol = decided;
            return None;
        }
    };
    let manner = manner(entry);
    let mut broken = false;
    match hearing::look(&hearing.talk(manner, true), manner.turnable) {
        Outcome::Settled(settled) => decide(entry, settled, None),
        open_or_broken => {
            broken = matches!(open_or_broken, Outcome::Broken);
            entry.decided(Protocol::Plain(Appearance::Binary));
        }
    }
    Some(Concluded { hearing, broken })
}

/// What a payload adds to a flow that was heard before; `begins` is where its side's sequence numbers do, if known.
fn further(
    hearing: &mut Hearing,
    from: End,
    manner: Manner,
    met: &Met<'_>,
    begins: Option<u32>,
    whole: bool,
) -> Outcome {
    let unheard = Outcome::Open { wanted: true, known: false };
    let heard = hearing.sides.at_mut(from);
    if heard.is_full() {
        return unheard;
    }
    let Some(tcp) = met.tcp else {
        if heard.len() > 0 {
            heard.datagram(met.payload, met.payload_wire_bytes);
            return hearing.look(manner, from);
        }
        let piece = met.payload.get(..MOST_DATAGRAM).unwrap_or(met.payload);
        let ends = [index32(piece.len())];
        let missing = [met.payload_wire_bytes.saturating_sub(index32(piece.len()))];
        let outcome = hearing.glance(manner, from, Said::datagrams(piece, &ends).cut(&missing));
        if let Outcome::Open { .. } = outcome {
            hearing.sides.at_mut(from).datagram(piece, met.payload_wire_bytes);
            hearing.looked(&outcome, met.transport, from);
        }
        return outcome;
    };
    let at = first_byte(tcp);
    if !heard.has_begun() {
        heard.begin(begins.unwrap_or(at), begins.is_some());
    }
    if whole && heard.is_next(at) && heard.len() == 0 && met.payload.len() < MOST_STREAM {
        let said = Said::stream(met.payload, begins.is_some());
        let outcome = hearing.glance(manner, from, said);
        if let Outcome::Open { .. } = outcome {
            hearing.sides.at_mut(from).segment(at, met.payload, whole);
            hearing.looked(&outcome, met.transport, from);
        }
        return outcome;
    }
    if heard.segment(at, met.payload, whole) { hearing.look(manner, from) } else { unheard }
}

/// Notes a decision; what its service, by the facts so far, has told as well need not be kept.
fn decide(entry: &mut Entry, settled: Settled, told: Option<&Part>) {
    if settled.turned {
        entry.client = entry.client.other();
        // Who was taken for the client has answered.
        entry.marks.set(Marks::ANSWERED);
    }
    if settled.spoken {
        entry.marks.set(Marks::SPOKEN);
    }
    let recognised = settled.recognised;
    let protocol = match recognised {
        // Each control connection agrees flows of its own, whatever its service has told.
        recognised @ Recognised { protocol: Some(protocol), .. }
            if protocol.name == "ftp" && entry.key.transport == Transport::Tcp =>
        {
            entry.marks.set(Marks::AGREES);
            Protocol::Agreeing(Box::new(Agreeing { recognised, control: Control::default() }))
        }
        Recognised { protocol: Some(protocol), attempt: None, certainty, appearance, .. }
            if entry.marks.has(Marks::NO_ROOM)
                || told.is_some_and(|part| part.is_told(entry, &recognised)) =>
        {
            Protocol::Brief(protocol, certainty, appearance)
        }
        Recognised { protocol: None, attempt: None, appearance, .. } => Protocol::Plain(appearance),
        recognised => Protocol::Settled(Box::new(recognised)),
    };
    entry.decided(protocol);
}

/// What an open flow's bytes say so far.
pub(super) fn recognised(entry: &Entry) -> Recognised {
    if let Protocol::Hearing(hearing) = &entry.protocol {
        let talk = hearing.talk(manner(entry), true);
        return match hearing::look(&talk, false) {
            Outcome::Settled(settled) => settled.recognised,
            _ => Recognised::nothing(appearance(&talk)),
        };
    }
    entry.recognised().unwrap_or(Recognised::nothing(Appearance::Empty))
}
