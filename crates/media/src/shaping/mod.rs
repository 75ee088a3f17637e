//! How evenly a sender sends: the network and receiver models of ST 2110-21.
//!
//! Packets are gathered into units and judged when the unit is whole, for both models need to know how many packets a
//! frame has, and what the session implies is not always what comes. The schedules are exact fractions of nanoseconds.

mod bucket;
mod buffer;
#[cfg(test)]
mod oracle_tests;
mod read_model;
mod record;
mod unit;

use model::media::shaping::{ShapingFacts, UnitShape};
use model::media::{Histogram, Occurrence, Profile, Scan, SenderType, StreamFault, StreamRule};
use model::{Tai, Timestamp};

pub use bucket::Bucket;
pub use read_model::{Raster, ReadModel, Reads};

use crate::clock::{Alignment, CaptureClock, unwrap_nearest};
use crate::{Packet, Tally};
use buffer::Buffer;
use record::{Held, Record};
use unit::{Belongs, Unit, Whole};

/// The sender fills the network more than its type allows.
pub static BURST: StreamRule = StreamRule {
    name: "burst",
    clause: "ST 2110-21:2022 §7.2",
    text: "The network bucket is fuller than CMAX of the declared sender type.",
};
/// The sender fills the network more than its session says.
pub static BURST_DECLARED: StreamRule = StreamRule {
    name: "burst-declared",
    clause: "ST 2110-21:2022 §8.2",
    text: "The network bucket is fuller than the CMAX that the session declares.",
};
/// Packets come too early for a receiver of the declared type.
pub static BUFFER_OVERFLOW: StreamRule = StreamRule {
    name: "buffer-overflow",
    clause: "ST 2110-21:2022 §6.6",
    text: "The virtual receiver buffer holds more than VRX_FULL of the declared sender type.",
};
/// Packets come too late for a receiver.
pub static BUFFER_UNDERFLOW: StreamRule = StreamRule {
    name: "buffer-underflow",
    clause: "ST 2110-21:2022 §6.6",
    text: "A packet comes after the instant at which it is to be read.",
};
/// The field bit is turned round.
pub static FIELDS_SWAPPED: StreamRule = StreamRule {
    name: "fields-swapped",
    clause: "ST 2110-20:2022 §6.1",
    text: "Fields that are marked as first have the RTP times of second ones, and the other way round: the field bit is turned round, or the sender half a frame beside the epoch.",
};
/// The raster has no gap.
pub static NO_GAP: StreamRule = StreamRule {
    name: "narrow-without-gap",
    clause: "ST 2110-21:2022 §6.3",
    text: "The sender is declared narrow, but its raster has no gapped read schedule.",
};
/// The type is not defined at this rate.
pub static WIDE_TOO_FAST: StreamRule = StreamRule {
    name: "wide-too-fast",
    clause: "ST 2110-21:2022 §7.4",
    text: "The sender is declared wide with 900,000 packets a second or more, for which wide is not defined.",
};
/// A profile's window for the first packet.
pub static PROFILE_LATENCY: StreamRule = StreamRule {
    name: "profile-latency",
    clause: "RP 2110-25:2023 §7",
    text: "The first packet of a frame is outside the time after its RTP timestamp that the profile allows.",
};
/// A profile's window for the timestamp.
pub static PROFILE_RTP_OFFSET: StreamRule = StreamRule {
    name: "profile-rtp-offset",
    clause: "RP 2110-25:2023 §7",
    text: "The RTP timestamp is outside the distance from the alignment point that the profile allows.",
};

/// So many fields in a row with the RTP times of the other field are no chance.
const SWAPPED_IN_A_ROW: u32 = 4;

/// What a payload says of units, and which models apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Uncompressed video with the header of RFC 4175 (ST 2110-20): both models, fields told by their bit.
    Raw,
    /// Compressed video (ST 2110-22): the network model only; a unit is a timestamp.
    Compressed,
}

/// What to hold a stream against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapingPlan {
    /// The raster and its rate.
    pub raster: Raster,
    /// What the payload is.
    pub payload: Payload,
    /// What the session says (`TP`).
    pub sender_type: Option<SenderType>,
    /// What the session says (`CMAX`).
    pub burst_packets: Option<u32>,
    /// Ticks a second of the RTP clock.
    pub clock_rate: u32,
    /// Ticks that the session adds (`mediaclk:direct=`).
    pub clock_offset: u32,
    /// How packet times become TAI.
    pub clock: CaptureClock,
    /// Whose limits and way of computing.
    pub profile: Profile,
}

/// Measures one leg of one stream.
#[derive(Debug, Clone)]
pub struct Shaping {
    plan: ShapingPlan,
    model: ReadModel,
    frames: Alignment,
    unit: Unit,
    wire: Vec<i64>,
    /// The sequence number after the last unit.
    after: Option<u16>,
    /// Packets of the last whole unit.
    usual: Option<u32>,
    last_ns: Option<i64>,
    /// On a relative clock: where the unit before began to be read by the best fit.
    fitted: Option<Fitted>,
    bucket: Bucket,
    bucket_begun: bool,
    gapped: Buffer,
    linear: Buffer,
    record: Record,
    /// Fields in a row whose RTP times are those of the other field.
    swapped: u32,
    tally: Tally,
}

/// The first packet of the unit after the one that is judged.
#[derive(Debug, Clone, Copy)]
struct Next {
    sequence: u16,
    at_ns: i64,
    second: bool,
}

/// Where a unit began on a relative clock.
#[derive(Debug, Clone, Copy)]
struct Fitted {
    at_ns: i64,
    second: bool,
}

/// A unit's place in time.
struct Placed {
    frame: i64,
    first_packet_ns: i64,
    latency_ns: i64,
    rtp_offset_ns: i64,
    rtp_offset_ticks: i64,
    margin_ns: i64,
}

impl Shaping {
    /// `None` for a frame rate that no picture has.
    pub fn new(plan: ShapingPlan) -> Option<Shaping> {
        let model = ReadModel::new(plan.raster, plan.profile)?;
        Some(Shaping {
            plan,
            model,
            frames: Alignment::new(plan.raster.frame_rate),
            unit: Unit::new(),
            wire: Vec::new(),
            after: None,
            usual: None,
            last_ns: None,
            fitted: None,
            bucket: Bucket::new(model.drains(1)),
            bucket_begun: false,
            gapped: Buffer::default(),
            linear: Buffer::default(),
            record: Record::new(&plan, &model),
            swapped: 0,
            tally: Tally::default(),
        })
    }

    /// The formulas it goes by.
    pub fn model(&self) -> &ReadModel {
        &self.model
    }

    /// Takes a packet; one without a time is left out.
    #[inline]
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let Some(time) = packet.time else { return };
        let at_ns = self.plan.clock.number(time);
        let raw = self.plan.payload == Payload::Raw;
        self.record.facts.packets += 1;
        if self.unit.is_empty() {
            self.unit.begin(packet, at_ns, raw);
            return;
        }
        match self.unit.belongs(packet, raw) {
            Belongs::Here => self.unit.add(packet, at_ns),
            Belongs::Before => {
                self.record.facts.packets_stray += 1;
                self.unit.stray(at_ns);
            }
            Belongs::Next => {
                let second = raw && unit::raw_header(packet).0;
                self.close(Some(Next { sequence: packet.rtp.sequence, at_ns, second }));
                self.unit.begin(packet, at_ns, raw);
            }
        }
    }

    /// What was measured, the unit that is not over included if its end was seen.
    pub fn facts(&self) -> ShapingFacts {
        self.closed().record.into_facts()
    }

    /// The rules that were broken.
    pub fn faults(&self) -> Vec<StreamFault> {
        self.closed().tally.faults().to_vec()
    }

    #[cfg(test)]
    fn tally_count(&self, rule: &'static StreamRule) -> u64 {
        self.closed().tally.count(rule)
    }

    /// As if the capture ended here. A unit without its end is still on its way.
    fn closed(&self) -> Shaping {
        let mut last = self.clone();
        if last.unit.is_marked() {
            last.close(None);
        }
        last
    }

    fn close(&mut self, next: Option<Next>) {
        if self.unit.is_empty() {
            return;
        }
        let (first_ns, last_ns) = (self.unit.times.first().copied(), self.unit.times.last().copied());
        let whole = self.unit.close(self.after, next.map(|next| next.sequence), self.usual);
        self.after = Some(self.unit.after());
        if let (Some(whole), Some(first_ns)) = (whole, first_ns) {
            self.judge(whole, first_ns, next);
            if whole.complete {
                self.usual = Some(whole.total);
            }
        } else {
            self.record.facts.units_incomplete += 1;
        }
        self.last_ns = last_ns;
    }

    fn judge(&mut self, whole: Whole, first_ns: i64, next: Option<Next>) {
        let frame_packets = u64::from(whole.total) * self.model.parts();
        let list = self.plan.profile == Profile::List;
        let burst_most = self.fill_bucket(frame_packets, first_ns, list);
        let placed = self.place(first_ns);
        if list {
            self.gapped.empty();
            self.linear.empty();
        }
        let mut shape = UnitShape {
            at_ns: first_ns,
            packets: whole.total,
            burst_most,
            gap_ns: self.last_ns.map_or(0, |last| first_ns.saturating_sub(last)),
            ..UnitShape::default()
        };
        let mut held = Held { burst: burst_most, gapped: None, linear: None };
        if self.plan.payload == Payload::Raw {
            let linear_counts = self.record.counts_linear();
            let frame = placed.as_ref().map(|placed| placed.frame);
            // The way of EBU LIST begins each frame with an empty buffer, and knows no reads of the next.
            let next = next
                .filter(|_| !list)
                .and_then(|next| Some((self.frame_of(next.at_ns, next.second)?, next.second)));
            if self.model.gapped() {
                let filling = self.fill_buffer(whole, first_ns, (frame, next), false, !linear_counts);
                shape.gapped = Some((filling.least, filling.most));
                held.gapped = Some(filling);
            }
            let filling = self.fill_buffer(whole, first_ns, (frame, next), true, linear_counts);
            shape.linear = Some((filling.least, filling.most));
            held.linear = Some(filling);
        }
        if let Some(placed) = &placed {
            shape.first_packet_ns = Some(placed.first_packet_ns);
            shape.rtp_offset_ticks = Some(placed.rtp_offset_ticks);
            shape.latency_ns = Some(placed.latency_ns);
            let facts = &mut self.record.facts;
            facts.first_packet_ns.add(placed.first_packet_ns);
            facts.margin_ns.add(placed.margin_ns);
            facts.rtp_offset_ns.add(placed.rtp_offset_ns);
            facts.rtp_offset_ticks.add(placed.rtp_offset_ticks);
            facts.latency_ns.add(placed.latency_ns);
            self.hold_to_fields(placed.rtp_offset_ticks);
            self.hold_to_profile(placed.latency_ns, placed.rtp_offset_ticks);
        }
        if self.last_ns.is_some() {
            self.record.facts.gap_ns.add(shape.gap_ns);
        }
        self.record.facts.packets_missing += u64::from(whole.missing);
        self.record.facts.units_incomplete += u64::from(!whole.complete);
        if whole.complete {
            self.record.facts.frame_packets.add(i64::try_from(frame_packets).unwrap_or(i64::MAX));
        }
        let first = self.unit.first;
        let broken = self.record.add(&self.model, &self.plan, frame_packets, shape, held, first);
        for (rule, detail) in broken.iter().flatten() {
            self.tally.note(rule, first, || detail.text());
        }
    }

    fn fill_bucket(&mut self, frame_packets: u64, first_ns: i64, list: bool) -> u32 {
        self.bucket.change(self.model.drains(frame_packets));
        if list && !self.bucket_begun {
            self.bucket.begin_at(first_ns);
        }
        self.bucket_begun = true;
        let times = if self.unit.strays.is_empty() {
            &self.unit.times
        } else {
            self.unit.merge_strays(&mut self.wire);
            &self.wire
        };
        let (mut least, mut most, mut sum) = (u32::MAX, 0, 0_i64);
        for at in times {
            let fullness = self.bucket.handle(*at);
            (least, most) = (least.min(fullness), most.max(fullness));
            sum += i64::from(fullness);
            self.record.burst_histogram.add(i64::from(fullness));
        }
        let count = u64::try_from(times.len()).unwrap_or(0);
        self.record.facts.burst.add_many(count, sum, least.into(), most.into());
        most
    }

    fn fill_buffer(
        &mut self,
        whole: Whole,
        first_ns: i64,
        (frame, next): (Option<i64>, Option<(i64, bool)>),
        linear: bool,
        counted: bool,
    ) -> buffer::Filling {
        let second = self.unit.second;
        let mut reads = self.model.reads(frame.unwrap_or(0), second, whole.total, linear).0;
        if frame.is_none() {
            // Nothing says when it was to be read: the offset at which no packet is late is the kindest.
            reads = reads.later(first_ns.saturating_sub(reads.ns));
            reads = reads.later(self.unit.arrivals(whole).fit_ns(reads));
            if counted {
                self.wander(Fitted { at_ns: reads.ns, second }, whole.total, linear);
            }
        }
        let buffer = if linear { &mut self.linear } else { &mut self.gapped };
        if frame.is_none() {
            buffer.empty();
        }
        let facts = &mut self.record.facts;
        let levels = if linear { &mut facts.linear_buffer } else { &mut facts.gapped_buffer };
        let histogram: Option<&mut Histogram> = counted.then_some(&mut self.record.buffer_histogram);
        let following = next
            .map(|(frame, second)| self.model.reads(frame, second, whole.total, linear).0)
            .filter(|following| following.ns > reads.ns);
        buffer.take(self.unit.arrivals(whole), reads, following, levels, histogram)
    }

    /// Notes by how much a unit began later than the one before wants.
    fn wander(&mut self, now: Fitted, packets: u32, linear: bool) {
        let Some(before) = self.fitted.replace(now) else { return };
        let begin = |frame, second| self.model.reads(frame, second, packets, linear).0.ns;
        let next = i64::from(before.second || !now.second);
        let length = begin(next, now.second).saturating_sub(begin(0, before.second));
        let wander = now.at_ns.saturating_sub(before.at_ns).saturating_sub(length);
        self.record.facts.wander_ns.add(wander);
    }

    /// By how much the second field or segment is later than the first.
    fn field_ns(&self, second: bool) -> i64 {
        if second { self.frames.period_ns() / 2 } else { 0 }
    }

    /// The frame whose schedule a unit that begins now is read by: that whose begin is nearest; `None` on a relative clock.
    fn frame_of(&self, first_ns: i64, second: bool) -> Option<i64> {
        let aligned = first_ns.saturating_sub(self.field_ns(second));
        match (self.plan.clock, self.plan.profile) {
            (CaptureClock::Relative, _) => None,
            (_, Profile::List) => Some(self.frames.number(Timestamp::<Tai>::from_ns(aligned))),
            _ => {
                let begun = aligned.saturating_sub(self.model.read_offset_ns());
                Some(self.frames.nearest(Timestamp::<Tai>::from_ns(begun)))
            }
        }
    }

    /// Where the unit lies on TAI; `None` on a relative clock.
    fn place(&self, first_ns: i64) -> Option<Placed> {
        let list = self.plan.profile == Profile::List;
        let instant = Timestamp::<Tai>::from_ns;
        let field = self.field_ns(self.unit.second);
        let aligned = first_ns.saturating_sub(field);
        let frame = self.frame_of(first_ns, self.unit.second)?;
        // For FPT the frame whose alignment point is nearest (RP 2110-25:2023).
        let counted = if list { frame } else { self.frames.nearest(instant(aligned)) };
        let rate = self.plan.clock_rate;
        let timestamp = self.unit.timestamp.wrapping_sub(self.plan.clock_offset);
        let ticks = unwrap_nearest(timestamp, instant(first_ns), rate);
        let half_ticks = i64::from(self.unit.second) * (self.half_frame_ticks());
        let point_ns = self.frames.point(counted).as_ns().saturating_add(field);
        let begin = self.model.reads(frame, self.unit.second, 1, !self.model.gapped()).0.ns;
        let rtp_ns = nanoseconds(ticks, rate);
        let point_ticks = if list { self.rounded_ticks(counted) } else { self.frames.ticks(counted, rate) };
        Some(Placed {
            frame,
            first_packet_ns: first_ns.saturating_sub(point_ns),
            latency_ns: first_ns.saturating_sub(rtp_ns),
            rtp_offset_ns: rtp_ns.saturating_sub(point_ns),
            rtp_offset_ticks: ticks.saturating_sub(point_ticks).saturating_sub(half_ticks),
            margin_ns: begin.saturating_sub(first_ns),
        })
    }

    fn half_frame_ticks(&self) -> i64 {
        let rate = self.plan.raster.frame_rate;
        let ticks = i128::from(rate.denominator()) * i128::from(self.plan.clock_rate);
        i64::try_from(ticks / (2 * i128::from(rate.numerator()))).unwrap_or(0)
    }

    /// Ticks of an alignment point rounded to the nearest, as EBU LIST does.
    fn rounded_ticks(&self, frame: i64) -> i64 {
        let rate = self.plan.raster.frame_rate;
        let above = i128::from(frame) * i128::from(rate.denominator()) * i128::from(self.plan.clock_rate);
        let below = i128::from(rate.numerator());
        i64::try_from((2 * above + below).div_euclid(2 * below)).unwrap_or(i64::MAX)
    }

    /// Whether the RTP time of a field is that of the other field (ST 2110-10:2022 §7.6): as far from the alignment point
    /// as the capture of a picture may be, but half a frame further. Of clocks that run freely some do so for a while,
    /// by chance one of fifty: several fields in a row must.
    fn hold_to_fields(&mut self, offset_ticks: i64) {
        if self.plan.payload != Payload::Raw || self.plan.raster.scan != Scan::Interlaced {
            return;
        }
        let rate = self.plan.clock_rate;
        let beyond = offset_ticks.rem_euclid(self.frames.step(rate).0.max(1)) - self.half_frame_ticks();
        self.swapped = match (-2..=self.model.default_offset_ticks(rate) + 2).contains(&beyond) {
            true => self.swapped.saturating_add(1),
            false => 0,
        };
        if self.swapped >= SWAPPED_IN_A_ROW {
            let (first, second) = (self.unit.first, self.unit.second);
            let [marked, timed] = if second { ["second", "first"] } else { ["first", "second"] };
            self.tally.note(&FIELDS_SWAPPED, first, || {
                format!("a {marked} field, {beyond} ticks after where a {timed} one would be")
            });
        }
    }

    fn hold_to_profile(&mut self, latency_ns: i64, offset_ticks: i64) {
        let Some(limits) = self.plan.profile.video() else { return };
        let first: Occurrence = self.unit.first;
        if !(limits.latency_least_ns..=limits.latency_most_ns).contains(&latency_ns) {
            self.tally.note(&PROFILE_LATENCY, first, || format!("{latency_ns} ns after its RTP timestamp"));
        }
        let most = self.model.default_offset_ticks(self.plan.clock_rate) + limits.offset_above_ticks;
        if !(limits.offset_least_ticks..=most).contains(&offset_ticks) {
            let least = limits.offset_least_ticks;
            self.tally.note(&PROFILE_RTP_OFFSET, first, || {
                format!("{offset_ticks} ticks from the alignment point, allowed are {least} to {most}")
            });
        }
    }
}

/// Nanoseconds of a count of ticks, rounded down.
fn nanoseconds(ticks: i64, rate: u32) -> i64 {
    let ns = (i128::from(ticks) * 1_000_000_000).div_euclid(i128::from(rate.max(1)));
    i64::try_from(ns).unwrap_or(i64::MAX)
}
