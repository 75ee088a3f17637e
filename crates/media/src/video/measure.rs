//! A stream of uncompressed video, measured packet by packet (ST 2110-20:2022, ST 2110-10:2022).

mod legs;

use model::media::video::{ExtendedSequence, VideoFacts};
use model::media::{Occurrence, Packing, Scan, VideoFormat};

use super::coverage::Coverage;
use super::header::{self, MOST_SEGMENTS, Payload, Segment};
use super::pgroup::{Pgroup, rows_of_field};
use super::rules;
use super::timeline::{Step, Timeline};
use super::unit::{Key, Unit};
use super::waiting::Waiting;
use crate::{Packet, Tally};

/// UDP datagrams of the standard limit (ST 2110-10:2022 §6.3).
pub const STANDARD_UDP_BYTES: u16 = 1460;

/// Octets of rows in a packet of block packing mode (ST 2110-20:2022 §6.3).
pub const BLOCK_BYTES: usize = 1260;

/// A packet this far behind is late; further, the numbers began anew (RFC 3550 §A.1 has 100).
const MOST_LATE: u16 = 512;

/// Closed frames whose stragglers are known as such.
const REMEMBERED: usize = 16;

/// The packet with the highest sequence number so far.
#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u16,
    extended: u16,
    marker: bool,
}

/// How a packet stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The next number.
    Next,
    /// A later one, or the first.
    Ahead,
    /// One that was passed already.
    Behind,
    /// So far away that the numbers began anew.
    Anew,
}

/// Which of the frames that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Current,
    Previous,
    /// One that waits for another leg.
    Waiting(usize),
}

/// A stream of uncompressed video while it is measured.
#[derive(Debug, Clone)]
pub struct Measure {
    format: VideoFormat,
    pgroup: Option<Pgroup>,
    groups_of_row: usize,
    facts: VideoFacts,
    tally: Tally,
    current: Unit,
    previous: Unit,
    waiting: Waiting,
    closed: [Option<Key>; REMEMBERED],
    first_row: [Option<u16>; 2],
    timeline: Timeline,
    last_key: Option<Key>,
    last: Option<Last>,
    /// What follows the last row of a packet that may be several: the next number tells.
    joined: Option<(Occurrence, usize)>,
    wraps: u64,
    extended_faults: u64,
    blocks: u64,
    other_blocks: u64,
    together: u64,
    apart: u64,
}

impl Measure {
    /// Of a stream that carries this format.
    pub fn new(format: &VideoFormat) -> Measure {
        let pgroup = Pgroup::of_format(format);
        let groups_of_row = pgroup.map_or(0, |pgroup| pgroup.per_row(format.width));
        let coverage = pgroup
            .and_then(|pgroup| Coverage::new(groups_of_row, rows_of_field(format, 0).div_ceil(pgroup.down)));
        let facts = VideoFacts {
            expected_rate: Some(format.frame_rate),
            unwatched: coverage.is_none(),
            ..VideoFacts::default()
        };
        Measure {
            pgroup,
            groups_of_row,
            facts,
            tally: Tally::default(),
            previous: Unit::new(coverage.clone()),
            current: Unit::new(coverage),
            waiting: Waiting::default(),
            closed: [None; REMEMBERED],
            first_row: [None; 2],
            timeline: Timeline::new(Some(format.frame_rate), format.scan),
            last_key: None,
            last: None,
            joined: None,
            wraps: 0,
            extended_faults: 0,
            blocks: 0,
            other_blocks: 0,
            together: 0,
            apart: 0,
            format: format.clone(),
        }
    }

    /// Which rules the stream broke.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes the next packet of the stream: of several legs each packet once.
    pub fn handle(&mut self, packet: &Packet<'_>) {
        self.facts.packets += 1;
        self.facts.udp_bytes.add(u64::from(packet.udp_bytes));
        let at = packet.occurrence();
        let cut_bytes = packet.cut_bytes();
        self.facts.headers_only += u64::from(cut_bytes > 0);
        let payload = match header::parse_cut(packet.rtp.payload, cut_bytes) {
            Ok(payload) => payload,
            // Not even its header was captured.
            Err(_) if cut_bytes > 0 => {
                self.facts.unreadable += 1;
                return;
            }
            Err(fault) => {
                self.facts.unreadable += 1;
                self.tally.note(&rules::HEADER, at, || fault.to_string());
                return;
            }
        };
        let Some(first) = payload.segments().next() else { return };
        self.facts.segments.add(payload.count() as u64);
        self.packing(packet, &payload);
        let place = self.place(packet, payload.extended_sequence);
        if let Some((at, rest)) = self.joined.take().filter(|_| place == Place::Next) {
            self.tally.note(&rules::TRAILING, at, || format!("{rest} octets"));
        }
        let key = Key { timestamp: packet.rtp.timestamp, second: first.second_field };
        let before = self.last;
        if place != Place::Behind {
            self.last = Some(Last {
                sequence: packet.rtp.sequence,
                extended: payload.extended_sequence,
                marker: packet.rtp.marker,
            });
        }
        let Some(spot) = self.choose(key, packet, &first, place, before) else {
            self.facts.late += 1;
            return;
        };
        let Some(mut unit) = self.open(spot).map(|unit| core::mem::replace(unit, Unit::new(None))) else {
            return;
        };
        let covered = unit.coverage.as_ref().map(Coverage::covered);
        self.segments(packet, &payload, &first, &mut unit, place);
        // Who comes behind and brings nothing new came before.
        let is_copy = place == Place::Behind && covered == unit.coverage.as_ref().map(Coverage::covered);
        if is_copy {
            self.facts.copies += 1;
        } else {
            unit.count(packet.rtp.sequence, packet.rtp.marker);
        }
        if let Some(open) = self.open(spot) {
            *open = unit;
        }
        if let Spot::Waiting(at) = spot
            && let Some(whole) = self.waiting.take_whole(at)
        {
            self.close(&whole);
            self.waiting.keep(whole);
        }
    }

    fn open(&mut self, spot: Spot) -> Option<&mut Unit> {
        match spot {
            Spot::Current => Some(&mut self.current),
            Spot::Previous => Some(&mut self.previous),
            Spot::Waiting(at) => self.waiting.place(at),
        }
    }

    /// How the packet stands to those before, and whether the upper half of its number is right.
    fn place(&mut self, packet: &Packet<'_>, extended: u16) -> Place {
        let Some(last) = self.last else { return Place::Ahead };
        let ahead = packet.rtp.sequence.wrapping_sub(last.sequence);
        if ahead == 0 || ahead.wrapping_neg() < MOST_LATE || self.is_of_other_leg(packet, ahead) {
            return Place::Behind;
        }
        if ahead >= 0x8000 {
            return Place::Anew;
        }
        let wrapped = packet.rtp.sequence < last.sequence;
        self.wraps += u64::from(wrapped);
        let expected = last.extended.wrapping_add(u16::from(wrapped));
        if extended != expected {
            let zero = wrapped && extended == 0 && last.extended == 0;
            let rule = if zero { &rules::EXTENDED_ZERO } else { &rules::EXTENDED_STEP };
            self.extended_faults += u64::from(!zero);
            self.tally.note(rule, packet.occurrence(), || format!("{extended} instead of {expected}"));
        }
        if ahead == 1 { Place::Next } else { Place::Ahead }
    }

    /// What the packing mode demands of a packet.
    fn packing(&mut self, packet: &Packet<'_>, payload: &Payload<'_>) {
        let (at, data_bytes) = (packet.occurrence(), payload.data_bytes());
        self.facts.data_bytes.add(data_bytes as u64);
        let is_block = data_bytes == BLOCK_BYTES;
        if !packet.rtp.marker {
            self.blocks += u64::from(is_block);
            self.other_blocks += u64::from(!is_block);
        }
        match self.format.packing {
            Packing::Block => {
                // Beyond what was agreed as well, it is told of with the datagrams of every format.
                let allowed = self.format.max_udp_bytes.max(STANDARD_UDP_BYTES);
                if packet.udp_bytes > STANDARD_UDP_BYTES && packet.udp_bytes <= allowed {
                    self.tally.note(&rules::BLOCK_EXTENDED, at, || format!("{} octets", packet.udp_bytes));
                }
                // The last of a frame may be shorter.
                if !(is_block || packet.rtp.marker && data_bytes < BLOCK_BYTES) {
                    self.tally.note(&rules::BLOCK_SIZE, at, || format!("{data_bytes} octets"));
                }
            }
            Packing::General if packet.udp_bytes < 1000 && !packet.rtp.marker => {
                self.tally.note(&rules::SMALL_DATAGRAM, at, || format!("{} octets", packet.udp_bytes));
            }
            Packing::General => {}
        }
    }

    /// Finds or begins the frame that a packet belongs to; `None` where it is closed already.
    fn choose(
        &mut self,
        key: Key,
        packet: &Packet<'_>,
        first: &Segment<'_>,
        place: Place,
        before: Option<Last>,
    ) -> Option<Spot> {
        let at = packet.occurrence();
        let base = self.first_row_of(key.second);
        let at_begin = first.row <= base && first.offset == 0;
        let after_marker = place == Place::Next && before.is_some_and(|last| last.marker);
        if !self.current.is_empty() && self.current.key == key {
            if !after_marker {
                return Some(Spot::Current);
            }
            let again = at_begin || self.current.rows.is_some_and(|(low, _)| first.row <= low);
            if !again {
                self.tally.note(&rules::MARKER_EARLY, at, || format!("row {} follows the marker", first.row));
                return Some(Spot::Current);
            }
            self.tally.note(&rules::TIMESTAMP_SAME, at, || format!("{}", key.timestamp));
        } else if !self.current.is_empty()
            && self.current.key.timestamp == key.timestamp
            && place == Place::Next
            && !after_marker
            && !at_begin
        {
            // One bit that is wrong begins no other field.
            if self.format.scan != Scan::Progressive {
                self.tally.note(&rules::FIELDS_MIXED, at, || format!("row {}", first.row));
            }
            return Some(Spot::Current);
        } else if !self.previous.is_empty() && self.previous.key == key {
            return Some(Spot::Previous);
        } else if let Some(at) = self.waiting.find(key) {
            return Some(Spot::Waiting(at));
        } else if self.closed.contains(&Some(key)) {
            return None;
        } else if place == Place::Behind && self.last_key.is_some() {
            return self.begin_behind(key, packet);
        }
        if place == Place::Next && !after_marker {
            let rule = if at_begin { &rules::MARKER_MISSING } else { &rules::TIMESTAMP_IN_FRAME };
            self.tally.note(rule, at, || format!("row {} at pixel {}", first.row, first.offset));
        }
        self.begin(key, packet, after_marker);
        Some(Spot::Current)
    }

    fn begin(&mut self, key: Key, packet: &Packet<'_>, clean: bool) {
        while let Some(old) = self.waiting.take_old(key.timestamp) {
            self.close(&old);
            self.waiting.keep(old);
        }
        core::mem::swap(&mut self.current, &mut self.previous);
        let leaving = core::mem::replace(&mut self.current, Unit::new(None));
        let mut next = self.retire(leaving);
        self.restart(&mut next, key, packet);
        next.begins_clean = clean;
        next.is_first = self.last_key.is_none();
        self.current = next;
        self.time(key, packet);
        self.last_key = Some(key);
    }

    /// What a new frame or field says of timestamps, rate and field order.
    fn time(&mut self, key: Key, packet: &Packet<'_>) {
        let at = packet.occurrence();
        let last = self.last_key;
        let step = self.timeline.handle(key.timestamp, packet.time);
        let last_timestamp = last.map_or(0, |last| last.timestamp);
        let ticks = key.timestamp.wrapping_sub(last_timestamp);
        let pair = last.is_some_and(|last| last.second != key.second);
        self.together += u64::from(pair && step == Step::Same);
        self.apart += u64::from(pair && key.second && step != Step::Same);
        match (step, self.format.scan) {
            (Step::Stray(_), _) => {
                let most = self.timeline.most_stray();
                self.tally.note(&rules::TIMESTAMP_STRAY, at, || format!("{most} ticks off"));
            }
            (Step::Same, Scan::Interlaced) if pair => {
                self.tally.note(&rules::FIELD_TIMESTAMP, at, || format!("{}", key.timestamp));
            }
            _ => {}
        }
        if let Step::Periods(periods) | Step::Stray(periods) = step {
            self.facts.skipped = self.facts.skipped.saturating_add(periods - 1);
        }
        if self.format.scan == Scan::Segmented && key.second && pair && step != Step::Same {
            self.tally.note(&rules::SEGMENT_TIMESTAMP, at, || format!("{ticks} ticks apart"));
        }
        if self.format.scan != Scan::Progressive && last.is_some() && !pair && step == Step::Periods(1) {
            let both = self.facts.first_fields > 0 && self.facts.second_fields > 0;
            let rule = if both { &rules::FIELD_ORDER } else { &rules::FIELD_MISSING };
            let which = if key.second { "second" } else { "first" };
            // Segments of one kind are a whole frame apart: the other is missing.
            self.tally.note(rule, at, || format!("a {which} field after a {which} field"));
        }
        if step == Step::Same && pair && !key.second {
            self.facts.second_field_first = true;
            self.tally.note(&rules::FIELD_ORDER, at, || "the second field of a frame came first".into());
        }
        if self.timeline.has_other_rate() {
            let seen = self.timeline.arrival_rate_micro().unwrap_or(0);
            let said = self.format.frame_rate;
            self.tally.note(&rules::FRAME_RATE, at, || {
                format!("{}.{:06} instead of {said}", seen / 1_000_000, seen % 1_000_000)
            });
        }
    }

    /// Reads the pieces of rows of a packet into the frame it belongs to.
    fn segments(
        &mut self,
        packet: &Packet<'_>,
        payload: &Payload<'_>,
        first: &Segment<'_>,
        unit: &mut Unit,
        place: Place,
    ) {
        let at = packet.occurrence();
        let count = payload.count();
        if count > MOST_SEGMENTS {
            self.tally.note(&rules::COUNT, at, || format!("{count} pieces"));
        }
        if first.second_field && self.format.scan == Scan::Progressive {
            self.tally.note(&rules::FIELD_OF_PROGRESSIVE, at, String::new);
        }
        let mut segments = payload.segments();
        for segment in segments.by_ref() {
            self.segment(packet, &segment, count, first.second_field, unit, place);
        }
        let rest = segments.rest_bytes();
        let filled = packet.rtp.marker && self.format.packing == Packing::Block;
        if rest > 0 && packet.may_be_joined() {
            self.joined = Some((at, rest));
        } else if rest > 0 && !filled {
            self.tally.note(&rules::TRAILING, at, || format!("{rest} octets"));
        }
    }

    fn segment(
        &mut self,
        packet: &Packet<'_>,
        segment: &Segment<'_>,
        count: usize,
        second: bool,
        unit: &mut Unit,
        place: Place,
    ) {
        let at = packet.occurrence();
        let Segment { row, offset, claimed_bytes, sent_bytes, .. } = *segment;
        if sent_bytes < usize::from(claimed_bytes) {
            self.tally.note(&rules::BEYOND_PACKET, at, || {
                format!("{claimed_bytes} octets claimed, {sent_bytes} there")
            });
        }
        if claimed_bytes == 0 {
            if count > 1 {
                self.tally.note(&rules::EMPTY, at, || format!("row {row}"));
            }
            return;
        }
        if segment.second_field != second {
            self.tally.note(&rules::FIELDS_MIXED, at, || format!("row {row}"));
        }
        self.facts.min_row = Some(self.facts.min_row.map_or(row, |low| low.min(row)));
        self.facts.max_row = Some(self.facts.max_row.map_or(row, |high| high.max(row)));
        unit.note_row(row);
        let Some(pgroup) = self.pgroup else { return };
        let (groups, extra) = (sent_bytes / pgroup.bytes, usize::from(claimed_bytes) % pgroup.bytes);
        if extra != 0 {
            self.tally.note(&rules::PGROUP, at, || {
                format!("{claimed_bytes} octets with pixel groups of {}", pgroup.bytes)
            });
        }
        let (from, odd) = (usize::from(offset) / pgroup.across, usize::from(offset) % pgroup.across);
        if odd != 0 {
            self.tally
                .note(&rules::OFFSET, at, || format!("pixel {offset} with {} pixels a group", pgroup.across));
        }
        // Without multiplying beyond: offsets have 15 bits, and so do the octets of a datagram nearly.
        let edge = u32::try_from((from + groups) * pgroup.across).unwrap_or(u32::MAX);
        self.facts.right_edge = self.facts.right_edge.max(edge);
        if from + groups > self.groups_of_row {
            let width = self.format.width;
            self.tally.note(&rules::WIDTH, at, || format!("up to pixel {edge} of a width of {width}"));
        }
        if pgroup.down == 2 && row % 2 == 1 {
            self.tally.note(&rules::ROW_PAIR, at, || format!("row {row}"));
        }
        let here = Some((row, offset));
        if place != Place::Behind && here < core::mem::replace(&mut unit.last, here) {
            self.tally.note(&rules::SRD_ORDER, at, || format!("row {row} from pixel {offset}"));
        }
        let of_second = unit.key.second;
        let base = self.first_row_of(of_second);
        let rows = rows_of_field(&self.format, usize::from(of_second));
        let Some(inside) = row.checked_sub(base).map(usize::from).filter(|row| *row < rows) else {
            unit.outside.0 += 1;
            unit.outside.1.get_or_insert((at, row));
            return;
        };
        let Some(coverage) = &mut unit.coverage else { return };
        let twice = coverage.add(inside / pgroup.down, from, groups);
        if twice > 0 && place != Place::Behind {
            let pixels = (twice * pgroup.across * pgroup.down) as u64;
            self.facts.pixels_twice += pixels;
            self.tally
                .note(&rules::PIXELS_TWICE, at, || format!("{pixels} pixels of row {row} from {offset}"));
        }
    }

    /// Judges a frame, field or segment of which nothing more is expected.
    fn close(&mut self, unit: &Unit) {
        if unit.is_empty() {
            return;
        }
        self.closed.rotate_right(1);
        self.closed[0] = Some(unit.key);
        let field = usize::from(unit.key.second);
        let (outside, first_outside) = unit.outside;
        let renumbered = outside > 0 && self.renumber(unit, field);
        if let Some((at, row)) = first_outside.filter(|_| !renumbered) {
            let height = rows_of_field(&self.format, field);
            self.tally.note_many(&rules::ROW, outside, at, || format!("row {row} of a height of {height}"));
        }
        let without_loss = unit.is_without_loss();
        let complete = match &unit.coverage {
            Some(coverage) if !renumbered => coverage.is_complete(),
            _ => without_loss,
        };
        if !complete && unit.is_first {
            self.facts.cut += 1;
            return;
        }
        let fields =
            if unit.key.second { &mut self.facts.second_fields } else { &mut self.facts.first_fields };
        *fields += u64::from(self.format.scan != Scan::Progressive);
        if complete {
            self.facts.complete += 1;
            self.facts.packets_per_unit.add(unit.packets);
            return;
        }
        self.facts.incomplete += 1;
        let (Some(coverage), Some(pgroup)) = (&unit.coverage, self.pgroup) else { return };
        let missing = coverage.missing();
        let down = pgroup.down as u64;
        self.facts.rows_missing += missing.rows * down;
        self.facts.rows_partial += missing.partial_rows * down;
        let pixels = missing.groups * pgroup.across as u64 * down;
        self.facts.pixels_missing += pixels;
        if without_loss && !renumbered && self.is_of_another_raster(unit, coverage, pgroup) {
            let VideoFormat { width, height, .. } = self.format;
            let rows = unit.rows.map_or(0, |(_, last)| u32::from(last) + 1) * self.fields();
            let edge = self.facts.right_edge;
            self.tally
                .note(&rules::RASTER, unit.first, || format!("{edge}x{rows} instead of {width}x{height}"));
        } else if without_loss && !renumbered {
            self.tally.note(&rules::PIXELS_MISSING, unit.first, || {
                format!("{pixels} pixels, {} whole rows", missing.rows * down)
            });
        }
    }

    /// Fields of a frame that count their own rows.
    fn fields(&self) -> u32 {
        if self.format.scan == Scan::Progressive { 1 } else { 2 }
    }

    /// Whether the frame is whole, but with fewer rows or pixels than were said.
    fn is_of_another_raster(&self, unit: &Unit, coverage: &Coverage, pgroup: Pgroup) -> bool {
        let Some((0, last)) = unit.rows.filter(|_| self.facts.complete == 0) else { return false };
        let rows = (usize::from(last) + pgroup.down).div_ceil(pgroup.down);
        let groups = usize::try_from(self.facts.right_edge).unwrap_or(0).div_ceil(pgroup.across);
        coverage.covered() == rows * groups
    }

    /// What the rows of a field are counted from.
    fn first_row_of(&self, second: bool) -> u16 {
        let [of_first, of_second] = self.first_row;
        if second { of_second } else { of_first }.unwrap_or(0)
    }

    /// Whether the rows of this frame are all there if they are counted from another number; from then on they are.
    fn renumber(&mut self, unit: &Unit, field: usize) -> bool {
        let Some((low, high)) = unit.rows.filter(|(low, _)| *low > 0) else { return false };
        let down = self.pgroup.map_or(1, |pgroup| pgroup.down);
        let as_many = usize::from(high - low) + down == rows_of_field(&self.format, field);
        if as_many && self.first_row.get(field).is_some_and(|row| *row != Some(low)) {
            self.first_row.iter_mut().skip(field).take(1).for_each(|row| *row = Some(low));
            self.tally.note(&rules::LINE_NUMBERS, unit.first, || format!("rows {low} to {high}"));
        }
        as_many
    }

    /// What was measured so far. Frames that are still coming count where they are complete.
    pub fn facts(&self) -> VideoFacts {
        let mut facts = self.facts.clone();
        let newest = if self.current.is_empty() { &self.previous } else { &self.current };
        let open = self.waiting.units().chain([&self.previous, &self.current]);
        for unit in open.filter(|unit| !unit.is_empty()) {
            if unit.is_whole() {
                facts.complete += 1;
                facts.packets_per_unit.add(unit.packets);
            } else if unit.is_first || core::ptr::eq(unit, newest) {
                facts.cut += 1;
                continue;
            } else {
                facts.incomplete += 1;
                let missing = unit.coverage.as_ref().map(Coverage::missing).unwrap_or_default();
                let (across, down) = self.pgroup.map_or((1, 1), |it| (it.across as u64, it.down as u64));
                facts.rows_missing += missing.rows * down;
                facts.rows_partial += missing.partial_rows * down;
                facts.pixels_missing += missing.groups * across * down;
            }
            if self.format.scan != Scan::Progressive {
                *(if unit.key.second { &mut facts.second_fields } else { &mut facts.first_fields }) += 1;
            }
        }
        let (steps, other_steps) = self.timeline.steps();
        facts.steps = steps.to_vec();
        facts.other_steps = other_steps;
        facts.stray_ticks = self.timeline.most_stray();
        facts.timestamp_rate_micro = self.timeline.timestamp_rate_micro();
        facts.arrival_rate_micro = self.timeline.arrival_rate_micro();
        facts.first_row = self.first_row.map(|row| row.unwrap_or(0));
        facts.packing = match (self.blocks, self.other_blocks) {
            (0..8, 0) => None,
            (_, 0) => Some(Packing::Block),
            _ => Some(Packing::General),
        };
        facts.extended_sequence =
            match (self.wraps, self.extended_faults, self.tally.count(&rules::EXTENDED_ZERO)) {
                (_, 1.., _) => ExtendedSequence::Other,
                (0, ..) => ExtendedSequence::Unknown,
                (_, _, 0) => ExtendedSequence::Counts,
                _ => ExtendedSequence::Zero,
            };
        facts.scan = match (self.together, self.apart) {
            (0, 0) => (facts.complete > 1).then_some(Scan::Progressive),
            (together, apart) if together > apart => Some(Scan::Segmented),
            _ => Some(Scan::Interlaced),
        };
        facts
    }
}
