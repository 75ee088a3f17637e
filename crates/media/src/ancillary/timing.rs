//! Whether packets come within the windows of their transmission model (ST 2110-40:2023 §6).

use model::media::ancillary::WindowFacts;
use model::media::{AncillaryFormat, Occurrence, Ratio, Scan};
use model::{Tai, Timestamp};

use super::window::{Model, Raster};
use super::{Field, rules};
use crate::Tally;
use crate::clock::{self, Alignment};
use crate::shaping::FIELDS_SWAPPED;

/// Ticks of a second.
const CLOCK_RATE: u32 = 90_000;

/// What is known of the signal that the data belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signal {
    /// Frames a second.
    pub(super) frame_rate: Ratio,
    /// Whether fields are sent.
    pub(super) interlaced: bool,
    /// Which one the packet says that it is of.
    pub(super) field: Field,
}

/// Compares packets with their windows.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing {
    low_latency: bool,
    total_lines: Option<u32>,
    /// Ticks that the session adds to the clock.
    pub(super) offset: u32,
    facts: WindowFacts,
    /// Packets in a row whose RTP times are those of the other field.
    swapped: u32,
}

/// So many packets in a row with the RTP times of the other field are no chance.
const SWAPPED_IN_A_ROW: u32 = 4;

impl Timing {
    pub(super) fn new(format: Option<&AncillaryFormat>) -> Timing {
        Timing {
            low_latency: format.is_some_and(|format| format.low_latency),
            // Of the interfaces that a payload identifier names, some say how many lines there are (ST 352).
            total_lines: format.and_then(|format| match format.vpid_code? {
                0x84 | 0x88 | 0x8b => Some(750),
                0x85 | 0x87 | 0x89 | 0x8a | 0x8c | 0xc1 | 0xcf => Some(1125),
                0xc0 | 0xce => Some(2250),
                _ => None,
            }),
            ..Timing::default()
        }
    }

    /// Takes a packet that came at `tai_ns`, with the line of its first data where they name one.
    pub(super) fn handle(
        &mut self,
        signal: Signal,
        line: Option<u16>,
        tai_ns: i64,
        at: Occurrence,
        tally: &mut Tally,
    ) {
        let Signal { frame_rate, interlaced, field: said } = signal;
        let now = Timestamp::<Tai>::from_ns(tai_ns);
        let ticks = clock::unwrap_nearest(at.timestamp.wrapping_sub(self.offset), now, CLOCK_RATE);
        let begin = clock::instant(ticks, CLOCK_RATE);
        let (frame, second) = if interlaced {
            let Some(fields) = Alignment::fields(frame_rate) else { return };
            let field = fields.nearest(begin);
            let off = fields.point(field).as_ns().abs_diff(begin.as_ns());
            self.hold_to_field(said, field.rem_euclid(2) == 1, off, at, tally);
            (field.div_euclid(2), field.rem_euclid(2) == 1)
        } else {
            (Alignment::new(frame_rate).nearest(begin), false)
        };
        let assumed = match (interlaced, frame_rate.denominator()) {
            // The fewest lines have the longest time, and forgive most.
            (true, 1001) => 525,
            (true, _) => 625,
            (false, _) => 750,
        };
        let raster = Raster {
            frame_rate,
            scan: if interlaced { Scan::Interlaced } else { Scan::Progressive },
            total_lines: self.total_lines.unwrap_or(assumed),
        };
        let model = if self.low_latency { Model::LowLatency } else { Model::Compatible };
        let number = i128::from(frame);
        let mut window = raster.window(number, second, line, model, 0);
        if line.is_none() {
            // Data without a line of their own may belong to any line of their frame or field.
            let last = if interlaced && !second { raster.total_lines / 2 } else { raster.total_lines };
            let last = u16::try_from(last).unwrap_or(u16::MAX);
            window.closes_ns = raster.window(number, second, Some(last), model, 0).closes_ns;
        }
        self.facts.total_lines = raster.total_lines;
        self.facts.total_lines_assumed = self.total_lines.is_none();
        self.facts.low_latency = self.low_latency;
        let late = i64::try_from(i128::from(tai_ns) - window.closes_ns).unwrap_or(i64::MAX);
        self.facts.late_ns.add(late);
        match window.late_ns(i128::from(tai_ns)) {
            None => {
                self.facts.early += 1;
                tally.note(&rules::EARLY, at, || {
                    format!("{} ns before its window", window.opens_ns - i128::from(tai_ns))
                });
            }
            Some(late) if late > 0 => {
                self.facts.late += 1;
                tally.note(&rules::LATE, at, || format!("{late} ns after its window"));
            }
            Some(_) => {}
        }
    }

    /// Whether the field that a packet says is that of its RTP time, where that is one of a field exactly.
    fn hold_to_field(
        &mut self,
        said: Field,
        is_second: bool,
        off_ns: u64,
        at: Occurrence,
        tally: &mut Tally,
    ) {
        let swapped = match said {
            Field::First => is_second,
            Field::Second => !is_second,
            Field::Unspecified | Field::Invalid => return,
        };
        // Two ticks.
        self.swapped = if swapped && off_ns < 22_223 { self.swapped.saturating_add(1) } else { 0 };
        if self.swapped >= SWAPPED_IN_A_ROW {
            tally.note(&FIELDS_SWAPPED, at, || format!("a {said} at the time of the other"));
        }
    }

    pub(super) fn facts(&self) -> Option<WindowFacts> {
        (!self.facts.late_ns.is_empty()).then_some(self.facts)
    }
}
