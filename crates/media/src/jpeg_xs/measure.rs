//! A stream of JPEG XS, measured packet by packet (RFC 9134, ST 2110-22:2022).

use model::media::video::{CodestreamFacts, CompressedFacts};
use model::media::{CompressedFormat, Scan, StreamRule};
use model::{Timestamp, Utc};

use super::codestream::{self, END};
use super::header::{self, HEADER_SEGMENT, Part, Payload};
use crate::video::rules::TIMESTAMP_STRAY;
use crate::video::timeline::{Step, Timeline};
use crate::{Packet, Tally};

macro_rules! rules {
    ($($name:ident = $word:literal, $clause:literal, $text:literal;)+) => {
        $(
            #[doc = $text]
            pub static $name: StreamRule = StreamRule { name: $word, clause: $clause, text: $text };
        )+

        /// Every one.
        pub static RULES: &[&StreamRule] = &[$(&$name),+];
    };
}

rules! {
    HEADER = "xs-header", "RFC 9134 §4.3", "A payload ends within its header.";
    MODE_CHANGES = "xs-mode-changes", "RFC 9134 §4.3", "The transmission or packetization mode changes.";
    OUT_OF_ORDER_MODE = "xs-mode", "RFC 9134 §4.3", "Packets without order are not in slice mode.";
    LAST_AND_MARKER = "xs-last-marker", "RFC 9134 §4.3", "The last packet and the marker do not go together.";
    RESERVED = "xs-interlace", "RFC 9134 §4.3", "The interlace bits have their reserved value.";
    FRAME_COUNTER = "xs-frame-counter", "RFC 9134 §4.3", "The frame counter does not go up by one.";
    COUNTS_FIELDS = "xs-counts-fields", "RFC 9134 §4.3", "The frame counter counts fields instead of frames; a widespread habit.";
    PACKET_COUNTER = "xs-packet-counter", "RFC 9134 §4.3", "The packet counter does not go up by one.";
    SLICE_COUNTER = "xs-slice-counter", "RFC 9134 §4.3", "The slice or upper packet counter is wrong.";
    SUPPORT_BOX = "xs-support-box", "RFC 9134 §4.4", "A frame or field does not begin with the video support box and a codestream.";
    NO_END = "xs-end", "RFC 9134 §4.4", "A codestream does not end with its end marker.";
    LENGTH = "xs-length", "ISO/IEC 21122-1", "A codestream is not as long as it says.";
    PACKETS_VARY = "xs-packets-vary", "ST 2110-22:2022", "Frames have different numbers of packets.";
    BYTES_VARY = "xs-bytes-vary", "ST 2110-22:2022", "Frames have different numbers of octets.";
    MARKER_MISSING = "xs-marker-missing", "RFC 9134 §4.2", "The last packet of a frame or field has no marker.";
    TIMESTAMP_IN_FRAME = "xs-timestamp-in-frame", "RFC 9134 §4.2", "The timestamp changes within a frame or field.";
    BANDWIDTH = "xs-bandwidth", "ST 2110-22:2022", "A frame needs more than the bandwidth that was announced.";
    NOT_AS_SAID = "xs-format", "RFC 9134 §7.1", "A stream is not in the mode, of the size or scanned as was said.";
}

/// Octets of an IPv4 header.
const IP_BYTES: u64 = 20;

/// The packet before this one.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u16,
    marker: bool,
    last: bool,
    frame: u8,
    slice: u16,
    packet: u16,
    part: Part,
}

/// A frame or field while it comes.
#[derive(Debug, Clone, Copy)]
struct Unit {
    timestamp: u32,
    part: Part,
    packets: u64,
    bytes: u64,
    /// With the headers of UDP and IPv4.
    wire_bytes: u64,
    slices: u64,
    /// Whether every packet since its first came, in order.
    whole: bool,
    is_first: bool,
    /// Whether the end of the codestream came, wherever it stood.
    ended: bool,
    claimed_bytes: Option<u64>,
}

/// A stream of JPEG XS while it is measured.
#[derive(Debug, Clone)]
pub struct Measure {
    facts: CompressedFacts,
    tally: Tally,
    timeline: Timeline,
    format: CompressedFormat,
    last: Option<Last>,
    unit: Option<Unit>,
    times: Option<(Timestamp<Utc>, Timestamp<Utc>)>,
    wire_bytes: u64,
    field_counts: [u64; 2],
}

impl Measure {
    /// Of a stream that carries this format.
    pub fn new(format: &CompressedFormat) -> Measure {
        Measure {
            facts: CompressedFacts::default(),
            tally: Tally::default(),
            timeline: Timeline::new(format.frame_rate, format.scan),
            format: format.clone(),
            last: None,
            unit: None,
            times: None,
            wire_bytes: 0,
            field_counts: [0; 2],
        }
    }

    /// Which rules the stream broke.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes the next packet of the stream.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        let at = packet.occurrence();
        self.facts.packets += 1;
        self.facts.udp_bytes.add(u64::from(packet.udp_bytes));
        // As `b=AS` counts: with the headers of UDP and IPv4 (RFC 3550 §6.2).
        self.wire_bytes += u64::from(packet.udp_bytes) + IP_BYTES;
        if let Some(time) = packet.time {
            let (_, latest) = self.times.get_or_insert((time, time));
            *latest = time;
        }
        let payload = match header::parse(packet.rtp.payload) {
            Ok(payload) => payload,
            Err(fault) => {
                self.facts.unreadable += 1;
                self.tally.note(&HEADER, at, || fault.to_string());
                return;
            }
        };
        let ahead = self.last.map(|last| packet.rtp.sequence.wrapping_sub(last.sequence));
        // What comes late or twice is left out of what follows each other.
        if ahead.is_some_and(|ahead| ahead == 0 || ahead.wrapping_neg() < 512) {
            return;
        }
        let before = self.last.filter(|_| ahead == Some(1));
        self.bits(packet, &payload);
        self.follow(packet, &payload, before);
        self.last = Some(Last {
            sequence: packet.rtp.sequence,
            marker: packet.rtp.marker,
            last: payload.last,
            frame: payload.frame,
            slice: payload.slice,
            packet: payload.packet,
            part: payload.part,
        });
        let frame = payload.frame;
        let (_, latest) = self.facts.frame_counters.get_or_insert((frame, frame));
        *latest = frame;
        self.unit(packet, &payload, before);
    }

    /// What each header must say.
    fn bits(&mut self, packet: &Packet<'_>, payload: &Payload<'_>) {
        let at = packet.occurrence();
        let modes = (payload.sequential, payload.slices);
        let known =
            (*self.facts.sequential.get_or_insert(modes.0), *self.facts.slices.get_or_insert(modes.1));
        self.facts.interlaced.get_or_insert(payload.part != Part::Progressive);
        if known != modes {
            self.tally.note(&MODE_CHANGES, at, || format!("T and K are {modes:?} after {known:?}"));
        }
        if !payload.sequential && !payload.slices {
            self.tally.note(&OUT_OF_ORDER_MODE, at, String::new);
        }
        let said = (self.format.sequential, self.format.slices, self.format.scan != Scan::Progressive);
        let seen = (payload.sequential, payload.slices, payload.part != Part::Progressive);
        if seen != said {
            self.tally.note(&NOT_AS_SAID, at, || {
                format!("transmode, packetmode and fields are {seen:?}; {said:?} was said")
            });
        }
        if payload.part == Part::Reserved {
            self.tally.note(&RESERVED, at, String::new);
        }
        let together = if payload.slices {
            payload.last || !packet.rtp.marker
        } else {
            payload.last == packet.rtp.marker
        };
        if !together {
            self.tally
                .note(&LAST_AND_MARKER, at, || format!("L {}, marker {}", payload.last, packet.rtp.marker));
        }
    }

    /// How a packet must follow the one before it.
    fn follow(&mut self, packet: &Packet<'_>, payload: &Payload<'_>, before: Option<Last>) {
        let at = packet.occurrence();
        let Some(last) = before else { return };
        if payload.sequential {
            self.count(packet, payload, last);
        }
        let step = payload.frame.wrapping_sub(last.frame) & 0x1f;
        let new_frame = last.marker && (payload.part != Part::Second || last.part == Part::Second);
        let new_field = last.marker && payload.part == Part::Second && last.part == Part::First;
        if new_field {
            // By the text both fields have one number; there are encoders that count fields.
            self.field_counts.iter_mut().skip(usize::from(step == 1)).take(1).for_each(|count| *count += 1);
            if step == 1 {
                self.facts.counts_fields = true;
                self.tally.note(&COUNTS_FIELDS, at, || format!("{} after {}", payload.frame, last.frame));
                return;
            }
        }
        if step != u8::from(new_frame) {
            self.tally.note(&FRAME_COUNTER, at, || format!("{} after {}", payload.frame, last.frame));
        }
    }

    /// How packets are counted that are sent in their order; of others nothing can be assumed (RFC 9134 §4.3).
    fn count(&mut self, packet: &Packet<'_>, payload: &Payload<'_>, last: Last) {
        let at = packet.occurrence();
        let counters =
            || format!("{}/{} after {}/{}", payload.slice, payload.packet, last.slice, last.packet);
        let unit_ended = last.last || last.marker;
        let expected = if unit_ended { 0 } else { (last.packet + 1) & 0x7ff };
        if payload.packet != expected {
            self.tally.note(&PACKET_COUNTER, at, counters);
        }
        let slice = match (payload.slices, last.marker, unit_ended) {
            (false, _, true) => 0,
            (false, ..) => (last.slice + u16::from(last.packet == 0x7ff)) & 0x7ff,
            (true, true, _) => HEADER_SEGMENT,
            (true, _, true) if last.slice == HEADER_SEGMENT => 0,
            (true, _, true) => (last.slice + 1) % HEADER_SEGMENT,
            (true, ..) => last.slice,
        };
        if payload.slice != slice {
            self.tally.note(&SLICE_COUNTER, at, counters);
        }
    }

    fn unit(&mut self, packet: &Packet<'_>, payload: &Payload<'_>, before: Option<Last>) {
        let at = packet.occurrence();
        let timestamp = packet.rtp.timestamp;
        let begins = match (&self.unit, before) {
            (Some(unit), _) => unit.timestamp != timestamp || unit.part != payload.part,
            (None, _) => true,
        };
        if begins {
            if let Some(unit) = self.unit.take() {
                // A marker would have ended it.
                if let Some(last) = before.filter(|last| !last.marker) {
                    let rule = if payload.packet == 0 { &MARKER_MISSING } else { &TIMESTAMP_IN_FRAME };
                    self.tally.note(rule, at, || {
                        format!("packet {} follows packet {}", payload.packet, last.packet)
                    });
                }
                self.end(&unit, false);
            }
            let step = self.timeline.handle(timestamp, packet.time);
            if let Step::Stray(_) = step {
                let most = self.timeline.most_stray();
                self.tally.note(&TIMESTAMP_STRAY, at, || format!("{most} ticks off"));
            }
            self.unit = Some(Unit {
                timestamp,
                part: payload.part,
                packets: 0,
                bytes: 0,
                wire_bytes: 0,
                slices: 0,
                whole: payload.begins() || !payload.sequential && before.is_some_and(|last| last.marker),
                ended: false,
                is_first: self.facts.packets == 1 + self.facts.unreadable,
                claimed_bytes: None,
            });
        }
        let Some(mut unit) = self.unit else { return };
        if payload.begins() && (unit.whole || !payload.sequential) {
            self.first(packet, payload, &mut unit);
        }
        if before.is_none() && unit.packets > 0 {
            unit.whole = false;
        }
        unit.ended = payload.data.ends_with(&END) || unit.ended && !payload.sequential;
        unit.packets += 1;
        unit.bytes += payload.data.len() as u64;
        unit.wire_bytes += u64::from(packet.udp_bytes) + IP_BYTES;
        unit.slices += u64::from(payload.slices && payload.last && payload.slice != HEADER_SEGMENT);
        self.unit = Some(unit);
        if packet.rtp.marker {
            // Where packets have no order, only its length tells whether the first frame came whole.
            unit.whole |= !payload.sequential && unit.is_first && unit.claimed_bytes == Some(unit.bytes);
            if unit.whole {
                if !unit.ended {
                    self.tally.note(&NO_END, at, String::new);
                }
                if let Some(claimed) = unit.claimed_bytes.filter(|claimed| *claimed != unit.bytes) {
                    self.tally.note(&LENGTH, at, || format!("{} octets instead of {claimed}", unit.bytes));
                }
                self.constant(packet, &unit);
            }
            self.unit = None;
            self.end(&unit, true);
        }
    }

    /// The first packet of a frame or field.
    fn first(&mut self, packet: &Packet<'_>, payload: &Payload<'_>, unit: &mut Unit) {
        match codestream::parse(payload.data) {
            Ok(begin) => {
                self.facts.with_support_box += u64::from(begin.has_support_box);
                if !begin.has_support_box {
                    self.tally.note(&SUPPORT_BOX, packet.occurrence(), || "no jpvs".into());
                }
                if begin.facts.bytes > 0 {
                    unit.claimed_bytes = Some(u64::from(begin.facts.bytes) + begin.boxes_bytes as u64);
                }
                self.size(packet, payload, &begin.facts);
                self.facts.codestream.get_or_insert(begin.facts);
            }
            Err(fault) => self.tally.note(&SUPPORT_BOX, packet.occurrence(), || fault.to_string()),
        }
    }

    /// The size of the picture must be what was said; a codestream of a field has half of the rows.
    fn size(&mut self, packet: &Packet<'_>, payload: &Payload<'_>, facts: &CodestreamFacts) {
        let rows = match (self.format.height, payload.part) {
            (Some(height), Part::First) => Some(height.div_ceil(2)),
            (Some(height), Part::Second) => Some(height / 2),
            (height, _) => height,
        };
        let (width, height) = (self.format.width.unwrap_or(facts.width), rows.unwrap_or(facts.height));
        if (width, height) != (facts.width, facts.height) {
            self.tally.note(&NOT_AS_SAID, packet.occurrence(), || {
                format!("a codestream of {}x{} instead of {width}x{height}", facts.width, facts.height)
            });
        }
    }

    /// `b=AS` of a frame or field of so many octets (ST 2110-22:2022).
    fn bandwidth_kbps(&self, wire_bytes: u64) -> Option<u64> {
        let rate = self.format.frame_rate?;
        let fields = if self.format.scan == Scan::Progressive { 1 } else { 2 };
        let bits = u128::from(wire_bytes) * 8 * fields * u128::from(rate.numerator());
        u64::try_from(bits.div_ceil(u128::from(rate.denominator()) * 1000)).ok()
    }

    /// Packets and octets are the same in every frame (ST 2110-22:2022).
    fn constant(&mut self, packet: &Packet<'_>, unit: &Unit) {
        let at = packet.occurrence();
        let (packets, bytes) = (self.facts.packets_per_unit, self.facts.bytes_per_unit);
        if packets.count > 0 && packets.min != unit.packets {
            self.tally.note(&PACKETS_VARY, at, || format!("{} after {}", unit.packets, packets.min));
        }
        let needed = self.bandwidth_kbps(unit.wire_bytes).zip(self.format.bandwidth_kbps);
        if let Some((needed, said)) = needed.filter(|(needed, said)| needed > said) {
            self.tally.note(&BANDWIDTH, at, || format!("{needed} kbit/s of {said} announced"));
        }
        if bytes.count > 0 && bytes.min != unit.bytes {
            self.tally.note(&BYTES_VARY, at, || format!("{} after {}", unit.bytes, bytes.min));
        }
    }

    fn end(&mut self, unit: &Unit, marker: bool) {
        let whole = unit.whole && marker;
        if !whole && unit.is_first {
            self.facts.cut += 1;
            return;
        }
        match unit.part {
            Part::First => self.facts.first_fields += 1,
            Part::Second => self.facts.second_fields += 1,
            Part::Progressive | Part::Reserved => {}
        }
        if !whole {
            self.facts.incomplete += 1;
            return;
        }
        self.facts.complete += 1;
        self.facts.bandwidth_kbps = self.facts.bandwidth_kbps.max(self.bandwidth_kbps(unit.wire_bytes));
        self.facts.packets_per_unit.add(unit.packets);
        self.facts.bytes_per_unit.add(unit.bytes);
        if self.facts.slices == Some(true) {
            self.facts.slices_per_unit.add(unit.slices);
        }
    }

    /// What was measured so far.
    pub fn facts(&self) -> CompressedFacts {
        let mut facts = self.facts.clone();
        facts.cut += u64::from(self.unit.is_some());
        let (steps, other_steps) = self.timeline.steps();
        facts.steps = steps.to_vec();
        facts.other_steps = other_steps;
        let elapsed = self.times.map(|(first, latest)| latest.since_ns(first));
        if let Some(elapsed) = elapsed.and_then(|ns| u128::try_from(ns).ok()).filter(|ns| *ns > 0) {
            let per_second = |count: u64, scale: u128| {
                u64::try_from(u128::from(count) * scale * 1_000_000_000 / elapsed).unwrap_or(u64::MAX)
            };
            facts.packet_rate_milli = Some(per_second(facts.packets.saturating_sub(1), 1000));
            // The last packet's own time is not in the span.
            let last = self.wire_bytes / facts.packets.max(1);
            facts.bits_per_second = Some(per_second(self.wire_bytes - last, 8));
        }
        facts
    }
}
