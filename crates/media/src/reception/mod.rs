//! What was received of one leg: loss, order, rate, evenness (RFC 3550 §6.4.1, Appendix A).

pub mod check;
mod reports;
mod sequence;
mod timing;

use model::Timestamp;
use model::media::reception::ReceptionFacts;
use model::media::{Occurrence, StreamFault, StreamRule};

pub use reports::{Measured, Reports};
pub use timing::{Timing, TimingPlan};

use crate::{Packet, Tally, bundle};
use sequence::{Place, Sequence};

/// Packets did not come.
pub static LOSS: StreamRule = StreamRule {
    name: "loss",
    clause: "RFC 3550 §A.1",
    text: "Packets are missing by their sequence numbers.",
};
/// Packets came again.
pub static DUPLICATE: StreamRule = StreamRule {
    name: "duplicate",
    clause: "RFC 3550 §A.1",
    text: "Packets came more than once on one leg.",
};
/// Packets came out of order.
pub static REORDER: StreamRule =
    StreamRule { name: "reorder", clause: "RFC 3550 §A.1", text: "Packets came out of order." };
/// The sequence began anew.
pub static SEQUENCE_RESET: StreamRule = StreamRule {
    name: "sequence-reset",
    clause: "RFC 3550 §A.1",
    text: "The sequence numbers began anew without a new source.",
};
/// Another source took over.
pub static SOURCE_CHANGE: StreamRule = StreamRule {
    name: "source-change",
    clause: "RFC 3550 §8.2",
    text: "The synchronisation source changed.",
};
/// Another payload type.
pub static PAYLOAD_TYPE_CHANGE: StreamRule = StreamRule {
    name: "payload-type-change",
    clause: "RFC 3550 §5.1",
    text: "The payload type changed within the stream.",
};
/// A datagram is too long.
pub static OVERSIZE: StreamRule = StreamRule {
    name: "oversize-datagram",
    clause: "ST 2110-10:2022 §6.3",
    text: "A datagram is longer than the UDP size limit of the session.",
};

/// What is known of a leg beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceptionPlan {
    /// Ticks a second of the RTP clock; without it there is no jitter.
    pub clock_rate: Option<u32>,
    /// Whether payloads begin with the upper half of the sequence number (RFC 4175, ST 2110-20).
    pub extended: bool,
    /// The largest datagram allowed, UDP header included (1460, or what `MAXUDP` says).
    pub max_udp_bytes: Option<u16>,
}

/// A datagram of which the capture kept the begin alone, and which is longer than a frame of Ethernet: one packet of
/// jumbo frames, or several that a kernel carried together.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    at: Occurrence,
    udp_bytes: u16,
}

impl Doubt {
    fn of(packet: &Packet<'_>) -> Option<Doubt> {
        packet.may_be_joined().then(|| Doubt { at: packet.occurrence(), udp_bytes: packet.udp_bytes })
    }

    fn payload_bytes(self) -> i64 {
        i64::from(self.udp_bytes) - 8
    }

    /// How many packets it held at most, where they are known to be of so many octets.
    fn most(self, part_bytes: Option<i64>) -> i64 {
        let most = bundle::most_parts(self.payload_bytes());
        part_bytes.map_or(most, |part| most.min((self.payload_bytes() + part - 1) / part.max(1)))
    }
}

/// Measures what is received of one leg.
#[derive(Debug, Clone)]
pub struct Reception {
    plan: ReceptionPlan,
    facts: ReceptionFacts,
    sequence: Option<Sequence>,
    ssrc: u32,
    payload_type: u8,
    /// Whether the upper halves do not count.
    stuck: bool,
    /// Whether the upper half was learned of after numbers had begun without it.
    lift: bool,
    upper: u16,
    first_ns: Option<i64>,
    last_ns: i64,
    last_timestamp: u32,
    doubt: Option<Doubt>,
    /// Octets of the packets that kernels joined.
    part_bytes: Option<i64>,
    /// Sixteenths of nanoseconds.
    jitter: u64,
    jitter_most: u64,
    tally: Tally,
}

impl Reception {
    /// For a leg of which this is known.
    pub fn new(plan: ReceptionPlan) -> Reception {
        Reception {
            plan,
            facts: ReceptionFacts::default(),
            sequence: None,
            ssrc: 0,
            payload_type: 0,
            stuck: !plan.extended,
            lift: false,
            upper: 0,
            first_ns: None,
            last_ns: 0,
            last_timestamp: 0,
            doubt: None,
            part_bytes: None,
            jitter: 0,
            jitter_most: 0,
            tally: Tally::default(),
        }
    }

    /// Learns more of the leg. What came before was measured without it.
    pub fn learn(&mut self, plan: ReceptionPlan) {
        if self.facts.packets == 0 {
            *self = Reception::new(plan);
        } else {
            self.lift = plan.extended && !self.plan.extended;
            self.plan = plan;
        }
    }

    /// Takes a packet; says whether it is in its place, and none that came behind others or again.
    #[inline]
    pub fn handle(&mut self, packet: &Packet<'_>) -> bool {
        let facts = &mut self.facts;
        facts.packets += 1;
        facts.udp_bytes += u64::from(packet.udp_bytes);
        facts.payload_bytes += packet.rtp.payload.len() as u64;
        facts.markers += u64::from(packet.rtp.marker);
        let doubt = Doubt::of(packet);
        if doubt.is_none() {
            self.size(packet.udp_bytes, packet.occurrence());
        }
        let place = self.place(packet);
        self.doubt = doubt;
        if let Some(time) = packet.time {
            self.clock(packet, time.as_ns(), place);
        }
        !matches!(place, Place::Behind | Place::Again)
    }

    #[inline]
    fn size(&mut self, udp_bytes: u16, at: Occurrence) {
        self.facts.udp_size_bytes.add(udp_bytes.into());
        if self.plan.max_udp_bytes.is_some_and(|most| udp_bytes > most) {
            self.tally.note(&OVERSIZE, at, || format!("{udp_bytes} octets"));
        }
    }

    /// The number that follows tells whether the datagram before held one packet or several.
    #[cold]
    fn settle(&mut self, doubt: Doubt, ahead: i64) -> i64 {
        match ahead {
            1 => self.size(doubt.udp_bytes, doubt.at),
            2.. => {
                // What it cannot have held was lost behind it.
                let held = ahead.min(doubt.most(self.part_bytes)).max(1);
                if ahead <= doubt.most(None) {
                    let part_bytes = doubt.payload_bytes() / held;
                    self.part_bytes = Some(self.part_bytes.map_or(part_bytes, |known| known.max(part_bytes)));
                }
                if let Some(sequence) = &mut self.sequence {
                    sequence.pass(held - 1);
                }
                return ahead - (held - 1);
            }
            _ => {}
        }
        ahead
    }

    /// Where its number puts it.
    #[inline]
    fn place(&mut self, packet: &Packet<'_>) -> Place {
        let rtp = &packet.rtp;
        if self.sequence.is_none() || rtp.ssrc != self.ssrc {
            self.begin(packet);
            return Place::Reset;
        }
        if rtp.payload_type != self.payload_type {
            self.facts.payload_type_changes += 1;
            let before = core::mem::replace(&mut self.payload_type, rtp.payload_type);
            self.tally.note(&PAYLOAD_TYPE_CHANGE, packet.occurrence(), || {
                format!("from {before} to {}", rtp.payload_type)
            });
        }
        let mut ahead = self.ahead(packet);
        if let Some(doubt) = self.doubt.take() {
            ahead = self.settle(doubt, ahead);
        }
        let at_ns = packet.time.map_or(0, |time| time.as_ns());
        let Some(sequence) = &mut self.sequence else { return Place::Reset };
        let place = sequence.take(ahead, !self.stuck, at_ns, packet.occurrence());
        match place {
            Place::Next | Place::Ahead | Place::Stray => {}
            Place::Behind => self.tally.note(&REORDER, packet.occurrence(), String::new),
            Place::Again => self.tally.note(&DUPLICATE, packet.occurrence(), String::new),
            Place::Reset => {
                self.facts.resets += 1;
                self.facts.first_reset.get_or_insert(packet.occurrence());
                self.tally.note(&SEQUENCE_RESET, packet.occurrence(), String::new);
            }
        }
        place
    }

    /// By how much a packet's number is ahead of the highest.
    #[inline]
    fn ahead(&mut self, packet: &Packet<'_>) -> i64 {
        let highest = self.sequence.as_ref().map_or(0, Sequence::highest);
        let [.., upper_high, upper_low, high, low] = highest.to_be_bytes();
        let (highest_upper, highest_lower) =
            (u16::from_be_bytes([upper_high, upper_low]), u16::from_be_bytes([high, low]));
        let short = packet.rtp.sequence.wrapping_sub(highest_lower).cast_signed();
        if !self.plan.extended {
            return short.into();
        }
        let upper = packet.rtp.payload.first_chunk::<2>().map_or(0, |it| u16::from_be_bytes(*it));
        if self.lift {
            // This packet tells how high the highest lies.
            let number = (u32::from(upper) << 16) | u32::from(packet.rtp.sequence);
            let whole = number.wrapping_sub_signed(short.into());
            let [high, low, ..] = whole.to_be_bytes();
            if let Some(sequence) = &mut self.sequence {
                sequence.lift(u16::from_be_bytes([high, low]));
            }
            (self.lift, self.stuck, self.upper) = (false, false, upper);
            return short.into();
        }
        let wraps = short > 0 && packet.rtp.sequence < highest_lower;
        if self.stuck {
            if wraps && upper == self.upper {
                self.facts.extended_faults += 1;
            }
            self.upper = upper;
            return short.into();
        }
        self.upper = upper;
        let number = (u32::from(upper) << 16) | u32::from(packet.rtp.sequence);
        let whole = (u32::from(highest_upper) << 16) | u32::from(highest_lower);
        let long = number.wrapping_sub(whole).cast_signed();
        if i64::from(long) != i64::from(short) && wraps && upper == highest_upper {
            // The lower half went on as if nothing were above it: the upper one is not to be trusted.
            self.stuck = true;
            self.facts.extended_faults += 1;
            return short.into();
        }
        long.into()
    }

    #[cold]
    fn begin(&mut self, packet: &Packet<'_>) {
        if let Some(before) = self.sequence.take() {
            before.report(&mut self.facts);
            self.facts.source_changes += 1;
            let ssrc = self.ssrc;
            self.tally.note(&SOURCE_CHANGE, packet.occurrence(), || {
                format!("from {ssrc:#010x} to {:#010x}", packet.rtp.ssrc)
            });
        }
        self.ssrc = packet.rtp.ssrc;
        self.payload_type = packet.rtp.payload_type;
        self.stuck = !self.plan.extended;
        self.lift = false;
        let upper = packet.rtp.payload.first_chunk::<2>().map_or(0, |it| u16::from_be_bytes(*it));
        self.upper = upper;
        let upper = if self.plan.extended { u32::from(upper) << 16 } else { 0 };
        self.sequence = Some(Sequence::new(upper | u32::from(packet.rtp.sequence)));
        self.jitter = 0;
    }

    /// Times between packets, and jitter.
    #[inline]
    fn clock(&mut self, packet: &Packet<'_>, at_ns: i64, place: Place) {
        let timestamp = packet.rtp.timestamp;
        if self.first_ns.is_none() {
            self.first_ns = Some(at_ns);
            (self.last_ns, self.last_timestamp) = (at_ns, timestamp);
            return;
        }
        let interval = at_ns.saturating_sub(self.last_ns);
        if let Ok(length) = u64::try_from(interval) {
            if self.facts.interval_ns.is_empty() || interval > self.facts.interval_ns.greatest {
                self.facts.longest_silence = Some((interval, packet.occurrence()));
            }
            self.facts.interval_ns.add(interval);
            self.facts.interval_histogram.add(length);
        } else {
            self.facts.time_reversals += 1;
        }
        if let Some(rate) = self.plan.clock_rate.filter(|rate| *rate > 0)
            && place != Place::Reset
            && place != Place::Stray
        {
            let ticks = timestamp.wrapping_sub(self.last_timestamp).cast_signed();
            let media_ns = if ticks == 0 { 0 } else { i64::from(ticks) * 1_000_000_000 / i64::from(rate) };
            let distance = interval.saturating_sub(media_ns).unsigned_abs();
            // As the appendix has it, in sixteenths (RFC 3550 §A.8).
            self.jitter = self.jitter.saturating_add(distance)
                - ((self.jitter.saturating_add(8)) >> 4).min(self.jitter);
            self.jitter_most = self.jitter_most.max(self.jitter);
        }
        (self.last_ns, self.last_timestamp) = (at_ns, timestamp);
    }

    /// What a report is compared with; cheap.
    pub fn measured(&self) -> Measured {
        let surplus = self.sequence.as_ref().map_or(0, Sequence::surplus);
        let last = self.first_ns.map(|_| (Timestamp::from_ns(self.last_ns), self.last_timestamp));
        let ssrc = self.sequence.as_ref().map(|_| self.ssrc);
        let received = self.facts.packets.saturating_sub(surplus + self.facts.duplicates + self.facts.strays);
        Measured { ssrc, received, last }
    }

    /// What was measured.
    pub fn facts(&self) -> ReceptionFacts {
        let mut facts = self.facts.clone();
        if let Some(sequence) = &self.sequence {
            sequence.report(&mut facts);
        }
        facts.extended_sequence = self.plan.extended && !self.stuck;
        facts.jitter_ns = self.jitter >> 4;
        facts.jitter_most_ns = self.jitter_most >> 4;
        let rate = u64::from(self.plan.clock_rate.unwrap_or(0));
        let ticks = u128::from(facts.jitter_ns) * u128::from(rate) / 1_000_000_000;
        facts.jitter_ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        if let Some(first_ns) = self.first_ns {
            facts.first = Some(Timestamp::from_ns(first_ns));
            facts.last = Some(Timestamp::from_ns(self.last_ns));
            let length = self.last_ns.saturating_sub(first_ns);
            if let Some(length) = u128::try_from(length).ok().filter(|length| *length > 0) {
                let bits = u128::from(facts.udp_bytes) * 8 * 1_000_000_000;
                facts.rate_bps = u64::try_from(bits / length).unwrap_or(u64::MAX);
            }
        }
        facts
    }

    /// The rules that were broken.
    pub fn faults(&self) -> Vec<StreamFault> {
        let mut tally = self.tally.clone();
        let facts = self.facts();
        if let Some(first) = facts.first_loss {
            tally.note_many(&LOSS, facts.lost, first, || {
                format!("{} of {}, the longest run {}", facts.lost, facts.expected, facts.loss_run_most)
            });
        }
        tally.faults().to_vec()
    }
}

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod tests;
