//! One flow in the table: what is counted of every packet, and the state of a connection (RFC 9293 §3.3.2).

use std::net::SocketAddr;

use model::{Appearance, Certainty, Direction, Flow, FlowState, Recognised, Tally, Transport};
use wire::tcp::{Flags, Tcp};

use crate::hearing::Hearing;
use crate::key::{End, Ends, Key};
use crate::protocol::ftp_control::Control;
use crate::when::When;

/// What was seen of a flow, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks(u16);

impl Marks {
    /// Who opened was seen.
    pub(crate) const OPENED: Marks = Marks(1);
    /// The bytes said who serves.
    pub(crate) const SPOKEN: Marks = Marks(1 << 1);
    /// The server sent something that is no refusal.
    pub(crate) const ANSWERED: Marks = Marks(1 << 2);
    /// The server, or somebody on the way, refused.
    pub(crate) const REFUSED: Marks = Marks(1 << 3);
    /// One side said that it is over.
    pub(crate) const RESET: Marks = Marks(1 << 4);
    /// The client asked for a connection.
    pub(crate) const ASKED: Marks = Marks(1 << 5);
    /// The receiver is nobody in particular: a group, or everyone.
    pub(crate) const FOR_MANY: Marks = Marks(1 << 6);
    /// Its only packet has control bits that no program sets: none, or FIN without ACK.
    pub(crate) const ODD: Marks = Marks(1 << 7);
    /// Its facts were taken when it was over; what is counted since are stragglers.
    pub(crate) const TAKEN: Marks = Marks(1 << 8);
    /// It is part of a service.
    pub(crate) const SERVED: Marks = Marks(1 << 9);
    /// Its protocol is decided.
    pub(crate) const DECIDED: Marks = Marks(1 << 10);
    /// What it says is read on: it agrees other flows.
    pub(crate) const AGREES: Marks = Marks(1 << 11);
    /// Its service finds no room: nobody wants to know more than what it is called.
    pub(crate) const NO_ROOM: Marks = Marks(1 << 12);

    #[inline]
    pub(crate) fn has(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }

    #[inline]
    pub(crate) fn set(&mut self, other: Marks) {
        self.0 |= other.0;
    }
}

/// What is kept of one end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// The sequence number that comes next.
    pub(crate) next: u32,
    /// Whether `next` is known.
    pub(crate) numbered: bool,
    /// The sequence number of the first byte, where the opening was seen.
    start: u32,
    /// Where the last hole began.
    hole: u32,
    /// Whether `start` is known.
    started: bool,
    /// It has nothing more to send.
    pub(crate) finished: bool,
    /// It sent payload.
    pub(crate) spoke: bool,
}

impl Counts {
    /// The sequence number of the first byte, where the opening was seen.
    pub(crate) fn start(&self) -> Option<u32> {
        self.started.then_some(self.start)
    }
}

/// What is known of a flow's protocol.
#[derive(Debug, Clone)]
pub(crate) enum Protocol {
    /// Nobody said anything yet.
    Silent,
    /// Undecided.
    Hearing(Box<Hearing>),
    /// Another flow agreed it, and nobody said anything yet.
    Expected(Box<Recognised>),
    /// Decided.
    Settled(Box<Recognised>),
    /// Decided, and read on, because it agrees other flows.
    Agreeing(Box<Agreeing>),
    /// Decided, and its service has as many particulars already.
    Brief(&'static model::Protocol, Certainty, Appearance),
    /// Not recognised, and never will be.
    Plain(Appearance),
    /// The facts were taken; this is left of them.
    Taken(Option<&'static model::Protocol>),
}

/// A flow that agrees others.
#[derive(Debug, Clone)]
pub(crate) struct Agreeing {
    pub(crate) recognised: Recognised,
    pub(crate) control: Control,
}

/// What was recognised, without particulars.
pub(crate) fn brief(
    protocol: &'static model::Protocol,
    certainty: Certainty,
    appearance: Appearance,
) -> Recognised {
    Recognised { protocol: Some(protocol), certainty, ..Recognised::nothing(appearance) }
}

/// One flow, in three lines of the cache. The first finds it, and the second counts; most packets need no more.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) last: When,
    pub(crate) birth: u32,
    pub(crate) marks: Marks,
    pub(crate) client: End,
    pub(crate) ttl: u8,
    pub(crate) counts: Ends<Counts>,
    pub(crate) protocol: Protocol,
    pub(crate) first: When,
    pub(crate) frame: u64,
    pub(crate) retransmissions: u32,
    pub(crate) missing: u32,
    pub(crate) icmp_errors: u32,
    pub(crate) vlan: Option<u16>,
    pub(crate) tunnel: u16,
    pub(crate) dscp: u8,
}

const _: () = assert!(size_of::<Option<Entry>>() == 192, "an entry is three lines of the cache");

/// Whether `a` comes before `b` (RFC 9293 §3.4).
#[inline]
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) >= 1 << 31
}

/// The sequence number of a segment's first byte: SYN takes one for itself (RFC 9293 §3.4).
#[inline]
pub(crate) fn first_byte(tcp: &Tcp<'_>) -> u32 {
    tcp.sequence.wrapping_add(u32::from(tcp.flags.has(Flags::SYN)))
}

impl Entry {
    #[inline]
    pub(crate) fn server(&self) -> End {
        self.client.other()
    }

    /// Whether its bytes may still say that who was taken for the client serves.
    #[inline]
    pub(crate) fn is_turnable(&self) -> bool {
        !self.marks.has(Marks::OPENED) && !self.marks.has(Marks::FOR_MANY)
    }

    /// Notes what its protocol is, for good.
    pub(crate) fn decided(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        self.marks.set(Marks::DECIDED);
    }

    /// Notes when a packet was met.
    #[inline]
    pub(crate) fn met(&mut self, now: When) {
        // In order of time, the first one stays the first.
        if now.since(self.last) < 0 || self.last == When::UNKNOWN {
            self.first = self.first.earlier(now);
        }
        self.last = self.last.later(now);
    }

    /// Whether it is one packet, or an opening that was not answered: such flows are not kept for long.
    #[inline]
    pub(crate) fn is_embryo(&self) -> bool {
        let packets = self.counts.low.packets + self.counts.high.packets;
        if self.marks.has(Marks::TAKEN) {
            return false;
        }
        packets <= 1 || (self.marks.has(Marks::ASKED) && !self.marks.has(Marks::ANSWERED) && !self.spoke())
    }

    #[inline]
    pub(crate) fn spoke(&self) -> bool {
        self.counts.low.spoke || self.counts.high.spoke
    }

    /// Whether the connection is over.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.marks.has(Marks::RESET)
            || self.marks.has(Marks::REFUSED)
            || (self.counts.low.finished && self.counts.high.finished)
    }

    /// Whether a segment opens another connection between the same ports.
    #[inline]
    pub(crate) fn is_reopened_by(&self, tcp: &Tcp<'_>) -> bool {
        tcp.flags.has(Flags::SYN) && !tcp.flags.has(Flags::ACK) && self.is_over()
    }

    /// What a segment says of the connection. Gives whether its payload may be new.
    #[inline]
    pub(crate) fn segment(&mut self, from: End, tcp: &Tcp<'_>, payload_bytes: u32) -> bool {
        let flags = tcp.flags;
        if flags.0 & (Flags::SYN.0 | Flags::FIN.0 | Flags::RST.0) != 0 || !flags.has(Flags::ACK) {
            self.control(from, tcp, payload_bytes);
        } else if from == self.server() {
            self.marks.set(Marks::ANSWERED);
        }
        if payload_bytes == 0 || flags.has(Flags::RST) {
            return false;
        }
        // With SYN, the payload follows the number of the SYN itself (RFC 7413).
        let sequence = first_byte(tcp);
        let counts = self.counts.at_mut(from);
        counts.spoke = true;
        let end = sequence.wrapping_add(payload_bytes);
        if !counts.numbered {
            (counts.next, counts.numbered) = (end, true);
        } else if counts.next == sequence {
            counts.next = end;
        } else if is_before(counts.next, sequence) {
            self.missing = self.missing.saturating_add(sequence.wrapping_sub(counts.next));
            (counts.hole, counts.next) = (counts.next, end);
        } else {
            let again = counts.next.wrapping_sub(sequence);
            if is_before(counts.next, end) {
                counts.next = end;
            }
            // A probe of a silent connection sends its last byte again (RFC 9293 §3.8.4).
            if payload_bytes == 1 && again == 1 {
                return false;
            }
            // What fills a hole was late; everything else was there before.
            match self.missing.checked_sub(payload_bytes) {
                Some(left) if !is_before(sequence, counts.hole) => self.missing = left,
                _ => self.retransmissions = self.retransmissions.saturating_add(1),
            }
        }
        true
    }

    fn control(&mut self, from: End, tcp: &Tcp<'_>, payload_bytes: u32) {
        let flags = tcp.flags;
        let packets = self.counts.low.packets + self.counts.high.packets;
        if flags.has(Flags::RST) {
            let refuses = self.marks.has(Marks::ASKED) && !self.marks.has(Marks::ANSWERED);
            self.marks.set(if refuses && from == self.server() { Marks::REFUSED } else { Marks::RESET });
            return;
        }
        if flags.has(Flags::SYN) {
            let answers = flags.has(Flags::ACK);
            if !self.marks.has(Marks::OPENED) {
                self.client = if answers { from.other() } else { from };
                self.marks.set(Marks::OPENED);
            }
            if answers && from == self.server() {
                self.marks.set(Marks::ANSWERED);
                let client = self.counts.at_mut(from.other());
                if !client.numbered {
                    (client.next, client.numbered) = (tcp.acknowledgement, true);
                    (client.start, client.started) = (tcp.acknowledgement, true);
                }
            } else if !answers && from == self.client {
                self.marks.set(Marks::ASKED);
            }
            let counts = self.counts.at_mut(from);
            if !counts.spoke {
                (counts.next, counts.numbered) = (tcp.sequence.wrapping_add(1), true);
                (counts.start, counts.started) = (counts.next, true);
            }
            return;
        }
        if flags.has(Flags::FIN) {
            self.counts.at_mut(from).finished = true;
        }
        if !flags.has(Flags::ACK) {
            // The first packet is counted before it comes here.
            if packets <= 1 && payload_bytes == 0 {
                self.marks.set(Marks::ODD);
            }
        } else if from == self.server() {
            self.marks.set(Marks::ANSWERED);
        }
    }

    pub(crate) fn direction(&self) -> Direction {
        if self.marks.has(Marks::OPENED) {
            Direction::Opened
        } else if self.marks.has(Marks::SPOKEN) {
            Direction::Spoken
        } else {
            Direction::FirstSeen
        }
    }

    pub(crate) fn state(&self, timed_out: bool) -> FlowState {
        if self.marks.has(Marks::REFUSED) {
            FlowState::Refused
        } else if self.marks.has(Marks::ASKED) && !self.marks.has(Marks::ANSWERED) {
            FlowState::Unanswered
        } else if self.marks.has(Marks::RESET) {
            FlowState::Reset
        } else if self.counts.low.finished && self.counts.high.finished {
            FlowState::Closed
        } else if timed_out {
            FlowState::TimedOut
        } else {
            FlowState::Open
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        let (client, server) = (self.counts.at(self.client), self.counts.at(self.server()));
        Tally {
            client_packets: client.packets,
            server_packets: server.packets,
            client_bytes: client.bytes,
            server_bytes: server.bytes,
        }
    }

    /// What its bytes say, if nothing more comes.
    pub(crate) fn recognised(&self) -> Option<Recognised> {
        match &self.protocol {
            Protocol::Silent => Some(Recognised::nothing(Appearance::Empty)),
            Protocol::Plain(appearance) => Some(Recognised::nothing(*appearance)),
            Protocol::Settled(recognised) => Some(recognised.as_ref().clone()),
            Protocol::Expected(recognised) if self.marks.has(Marks::ANSWERED) => {
                Some(recognised.as_ref().clone())
            }
            // That somebody was expected does not mean that anybody was there.
            Protocol::Expected(_) => Some(Recognised::nothing(Appearance::Empty)),
            Protocol::Agreeing(agreeing) => Some(agreeing.recognised.clone()),
            Protocol::Brief(protocol, certainty, appearance) => {
                Some(brief(protocol, *certainty, *appearance))
            }
            Protocol::Hearing(_) | Protocol::Taken(_) => None,
        }
    }

    pub(crate) fn endpoint(&self, end: End) -> SocketAddr {
        (self.key.ip(end), *self.key.ports.at(end)).into()
    }

    /// The fact, without its name.
    pub(crate) fn flow(&self, recognised: Recognised, timed_out: bool, tunnel: String) -> Flow {
        Flow {
            transport: self.key.transport,
            client: self.endpoint(self.client),
            server: self.endpoint(self.server()),
            direction: self.direction(),
            state: self.state(timed_out),
            tally: self.tally(),
            first: self.first.timestamp(),
            last: self.last.timestamp(),
            frame: self.frame,
            recognised,
            vlan: self.vlan,
            tunnel,
            ttl: self.ttl,
            dscp: self.dscp,
            icmp_errors: self.icmp_errors,
            retransmissions: self.retransmissions,
            missing_bytes: if self.key.transport == Transport::Tcp { u64::from(self.missing) } else { 0 },
            community_id: String::new(),
        }
    }
}
