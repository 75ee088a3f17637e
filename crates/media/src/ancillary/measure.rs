//! Measuring a stream of ancillary data (RFC 8331, ST 2110-40).

use model::media::ancillary::{AncillaryFacts, AncillaryKind};
use model::media::{AncillaryFormat, Occurrence, Ratio, StreamFault};

use super::content::Content;
use super::kind::{self, Use};
use super::timing::{Signal, Timing};
use super::{AncillaryPacket, Field, HEADER_BYTES, Line, Place, parse, rules};
use crate::{Packet, Tally};

/// Kinds of a stream that are listed.
const MOST_KINDS: usize = 64;
/// Lines of a kind that are listed.
const MOST_LINES: usize = 8;
/// Ticks of a second.
const CLOCK_RATE: u64 = 90_000;

/// Frame rates that are inferred from the steps of timestamps.
const RATES: [(u32, u32); 8] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];

/// The packets of one timestamp.
#[derive(Debug, Clone, Copy)]
struct Period {
    timestamp: u32,
    packets: u64,
    marked: bool,
    field: Field,
    mixed: bool,
    last: Occurrence,
}

/// Measures one stream.
#[derive(Debug, Clone)]
pub struct Measure {
    format: Option<AncillaryFormat>,
    facts: AncillaryFacts,
    tally: Tally,
    content: Content,
    timing: Timing,
    period: Option<Period>,
    extended: Option<(u16, u16)>,
    turn: Option<Turn>,
    /// Whether fields were taken for granted when the frame rate was inferred.
    inferred_of_fields: bool,
}

/// Whose turn it was: the field that the last period should have been of, and whether it was.
#[derive(Debug, Clone, Copy)]
struct Turn {
    field: Field,
    kept: bool,
}

impl Measure {
    /// A measurement against what was announced, where something was.
    pub fn new(format: Option<&AncillaryFormat>) -> Measure {
        let facts = AncillaryFacts {
            frame_rate: format.and_then(|format| format.frame_rate),
            ..AncillaryFacts::default()
        };
        Measure {
            format: format.cloned(),
            facts,
            tally: Tally::default(),
            content: Content::default(),
            timing: Timing::new(format),
            period: None,
            extended: None,
            turn: None,
            inferred_of_fields: false,
        }
    }

    /// The same, where the session adds so many ticks to the clock (RFC 7273 §5.2).
    pub fn with_offset(mut self, ticks: u64) -> Measure {
        let [a, b, c, d, ..] = ticks.to_le_bytes();
        self.timing.offset = u32::from_le_bytes([a, b, c, d]);
        self
    }

    /// Takes a packet; `tai_ns` is its time where the capture's clock is known to follow TAI.
    pub fn handle(&mut self, packet: &Packet<'_>, tai_ns: Option<i64>) {
        let at = packet.occurrence();
        self.facts.packets += 1;
        self.facts.padded += u64::from(packet.rtp.padding_bytes > 0);
        self.facts.payload_bytes.add(packet.rtp.payload.len().try_into().unwrap_or(i64::MAX));
        let payload = match parse(packet.rtp.payload) {
            Ok(payload) => payload,
            Err(fault) => {
                self.facts.malformed += 1;
                self.tally.note(&rules::SHORT, at, || fault.to_string());
                return;
            }
        };
        let fields = &mut self.facts.fields;
        let counter = match payload.field {
            Field::Unspecified => &mut fields.unspecified,
            Field::Invalid => &mut fields.invalid,
            Field::First => &mut fields.first,
            Field::Second => &mut fields.second,
        };
        *counter += 1;
        if payload.reserved != 0 {
            self.tally.note(&rules::RESERVED, at, || format!("{:#08x}", payload.reserved));
        }
        self.sequence(at, payload.extended_sequence);
        self.time(at, packet.rtp.marker, payload.field);
        if payload.count == 0 {
            self.facts.keep_alives += 1;
        }
        if payload.field == Field::Invalid {
            // A receiver ignores what is in it (RFC 8331 §2.1).
            self.tally.note(&rules::FIELD, at, String::new);
            return;
        }
        let mut packets = payload.packets();
        let mut whole = true;
        let mut line = None;
        for data in packets.by_ref() {
            match data {
                Ok(data) => {
                    if let Line::At(number) = data.place.line {
                        line = line.or(Some(number));
                    }
                    self.data(at, &data);
                }
                Err(fault) => {
                    whole = false;
                    self.facts.malformed += 1;
                    self.tally.note(&rules::SHORT, at, || fault.to_string());
                }
            }
        }
        if let Some((tai_ns, frame_rate)) = tai_ns.zip(self.facts.frame_rate) {
            let signal = Signal { frame_rate, interlaced: self.is_interlaced(), field: payload.field };
            self.timing.handle(signal, line, tai_ns, at, &mut self.tally);
        }
        let used = packet.rtp.payload.len() - HEADER_BYTES - packets.rest_bytes();
        if whole && (used != usize::from(payload.length_bytes) || packets.rest_bytes() != 0) {
            self.tally.note(&rules::LENGTH, at, || {
                let rest = packets.rest_bytes();
                format!("Length {}, packets take {used}, {rest} follow", payload.length_bytes)
            });
        }
    }

    /// What was measured so far.
    pub fn facts(&self) -> AncillaryFacts {
        let mut facts = self.facts.clone();
        if let Some(period) = self.period {
            facts.packets_per_period.add(count(period.packets));
        }
        let announced = self.format.as_ref().map(|format| format.kinds.as_slice()).unwrap_or_default();
        let came = |kind: &(u8, u8)| facts.kinds.iter().any(|it| (it.did, it.sdid) == *kind);
        facts.announced_unseen =
            announced.iter().copied().filter(|kind| !came(kind)).take(MOST_KINDS).collect();
        facts.window = self.timing.facts();
        self.content.facts(&mut facts);
        facts
    }

    /// Which rules were broken.
    pub fn faults(&self) -> &[StreamFault] {
        self.tally.faults()
    }

    /// The upper half of the sequence number steps when the lower half begins anew.
    fn sequence(&mut self, at: Occurrence, extended: u16) {
        if let Some((sequence, before)) = self.extended {
            let ahead = at.sequence.wrapping_sub(sequence);
            if ahead >= 0x8000 {
                return;
            }
            let expected = before.wrapping_add(u16::from(at.sequence < sequence));
            if extended != expected {
                self.tally.note(&rules::EXTENDED_SEQUENCE, at, || format!("{extended}, not {expected}"));
            }
        }
        self.extended = Some((at.sequence, extended));
    }

    /// Follows frames and fields by their timestamps.
    fn time(&mut self, at: Occurrence, marker: bool, field: Field) {
        let fresh =
            Period { timestamp: at.timestamp, packets: 1, marked: marker, field, mixed: false, last: at };
        let Some(period) = &mut self.period else {
            self.facts.periods = 1;
            self.period = Some(fresh);
            self.turn(at, field, None);
            return;
        };
        let step = at.timestamp.wrapping_sub(period.timestamp);
        if step == 0 {
            if period.marked && at.sequence.wrapping_sub(period.last.sequence) < 0x8000 {
                self.tally.note(&rules::MARKER_EARLY, at, String::new);
            }
            if period.field != field && !period.mixed {
                period.mixed = true;
                self.tally.note(&rules::MIXED_FIELDS, at, String::new);
            }
            period.packets += 1;
            period.marked |= marker;
            if at.sequence.wrapping_sub(period.last.sequence) < 0x8000 {
                period.last = at;
            }
            return;
        }
        if step >= 1 << 31 {
            // Of an earlier period: late, and counted there no more.
            return;
        }
        let follows = at.sequence == period.last.sequence.wrapping_add(1);
        let (packets, marked, last) = (period.packets, period.marked, period.last);
        self.facts.packets_per_period.add(count(packets));
        self.facts.periods += 1;
        self.period = Some(fresh);
        if !follows {
            // Packets are missing: nothing can be said of what was between.
            self.turn = None;
            return;
        }
        if !marked {
            self.tally.note(&rules::MARKER_MISSING, last, String::new);
        }
        self.facts.step_ticks.add(i64::from(step));
        let of_fields = self.is_interlaced();
        let doubtful = self.facts.frame_rate_inferred && self.inferred_of_fields != of_fields;
        if self.facts.frame_rate.is_none() || doubtful {
            self.facts.frame_rate = self.infer(step);
            self.facts.frame_rate_inferred = self.facts.frame_rate.is_some();
            self.inferred_of_fields = of_fields;
        }
        let periods = self.periods_of(step);
        if let Some(periods) = periods.filter(|periods| *periods > 1) {
            self.facts.periods_missing += periods - 1;
            self.tally.note_many(&rules::PERIOD_EMPTY, periods - 1, at, || format!("{step} ticks"));
        }
        self.turn(at, field, periods);
    }

    /// Whether fields are sent: a few bits that are wrong among many frames do not make them fields.
    fn is_interlaced(&self) -> bool {
        let fields = &self.facts.fields;
        (fields.first + fields.second).saturating_mul(8) > fields.unspecified
    }

    /// First and second fields take turns; where none is named, nothing is said of them.
    fn turn(&mut self, at: Occurrence, field: Field, periods: Option<u64>) {
        if !matches!(field, Field::First | Field::Second) {
            self.turn = None;
            return;
        }
        if !self.is_interlaced() {
            self.tally.note(&rules::FIELD_ORDER, at, || format!("a {field} among frames"));
            return;
        }
        let expected = self.turn.zip(periods).map(|(turn, periods)| match (turn.field, periods % 2) {
            (Field::First, 1) => Field::Second,
            (Field::Second, 1) => Field::First,
            (same, _) => same,
        });
        self.turn = Some(match (expected, self.turn) {
            (Some(expected), Some(Turn { kept: true, .. })) if expected != field => {
                self.tally
                    .note(&rules::FIELD_ORDER, at, || format!("a {field} where it is the other's turn"));
                Turn { field: expected, kept: false }
            }
            // Twice in a row is no mistake any more, but another order.
            _ => Turn { field, kept: true },
        });
    }

    /// The frame rate whose period is this long, to a tick.
    fn infer(&self, step: u32) -> Option<Ratio> {
        let halves = if self.is_interlaced() { 2 } else { 1 };
        RATES.into_iter().find_map(|(numerator, denominator)| {
            let periods = u64::from(numerator) * halves;
            let ticks = CLOCK_RATE * u64::from(denominator);
            let step = u64::from(step);
            ((step * periods).abs_diff(ticks) < periods).then(|| Ratio::new(numerator, denominator)).flatten()
        })
    }

    /// How many frames or fields a step of the timestamp is, rounded.
    fn periods_of(&self, step: u32) -> Option<u64> {
        let rate = self.facts.frame_rate?;
        let per_second = u64::from(rate.numerator()) * if self.is_interlaced() { 2 } else { 1 };
        let ticks = CLOCK_RATE * u64::from(rate.denominator());
        Some((u64::from(step) * per_second + ticks / 2) / ticks)
    }

    fn data(&mut self, at: Occurrence, data: &AncillaryPacket<'_>) {
        self.facts.data_packets += 1;
        let (parity, sum) = (data.parity_holds(), data.checksum_holds());
        let (did, sdid) = data.kind();
        if !parity {
            self.facts.parity_errors += 1;
            self.tally.note(&rules::PARITY, at, || {
                format!("{:03X} {:03X} {:03X}", data.did.0, data.sdid.0, data.count.0)
            });
        }
        if !sum {
            self.facts.checksum_errors += 1;
            self.tally
                .note(&rules::CHECKSUM, at, || format!("{:03X}, not {:03X}", data.checksum.0, data.sum.0));
        }
        if !data.filled_with_zeros {
            self.tally.note(&rules::FILLING, at, String::new);
        }
        let Place { stream, stream_bits, .. } = data.place;
        if stream.is_none() && stream_bits != 0 {
            self.tally.note(&rules::STREAM_NUMBER, at, || format!("{stream_bits}"));
        }
        if data.words.iter().any(|word| word.is_protected()) {
            self.tally.note(&rules::PROTECTED, at, || format!("{did:02X}/{sdid:02X}"));
        }
        if kind::may_use(did, sdid) == Use::Reserved {
            self.tally.note(&rules::IDENTIFICATION, at, || format!("{did:02X}/{sdid:02X}"));
        }
        let kinds = self.format.as_ref().map(|format| format.kinds.as_slice()).unwrap_or_default();
        let announced = (!kinds.is_empty()).then(|| kinds.contains(&(did, sdid)));
        if announced == Some(false) {
            self.tally.note(&rules::UNANNOUNCED, at, || format!("{did:02X}/{sdid:02X}"));
        }
        self.count(at, data, announced);
        // What is damaged says nothing.
        if sum {
            let mut room = [0; 255];
            let values = data.words.values(&mut room);
            self.content.handle((did, sdid), values, at, self.facts.frame_rate, &mut self.tally);
        }
    }

    fn count(&mut self, at: Occurrence, data: &AncillaryPacket<'_>, announced: Option<bool>) {
        let (did, sdid) = data.kind();
        let kinds = &mut self.facts.kinds;
        let known = kinds.iter().position(|it| (it.did, it.sdid) == (did, sdid));
        let index = match known {
            Some(index) => index,
            None if kinds.len() >= MOST_KINDS => {
                self.facts.other_kinds += 1;
                return;
            }
            None => {
                kinds.push(AncillaryKind {
                    did,
                    sdid,
                    name: kind::name(did, sdid),
                    announced,
                    packets: 0,
                    parity_errors: 0,
                    checksum_errors: 0,
                    words: Default::default(),
                    lines: Vec::new(),
                    first: at,
                });
                kinds.len() - 1
            }
        };
        let Some(kind) = kinds.get_mut(index) else { return };
        kind.packets += 1;
        kind.parity_errors += u64::from(!data.parity_holds());
        kind.checksum_errors += u64::from(!data.checksum_holds());
        kind.words.add(i64::from(data.count.value()));
        let line = data.place.line.bits();
        let room = kind.lines.len() < MOST_LINES;
        match kind.lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None if room => kind.lines.push((line, 1)),
            None => {}
        }
    }
}

/// A count as a spread takes it.
fn count(packets: u64) -> i64 {
    i64::try_from(packets).unwrap_or(i64::MAX)
}
