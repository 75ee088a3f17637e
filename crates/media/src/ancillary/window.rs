//! When ancillary data may leave: the transmission models of ST 2110-40:2023, in exact arithmetic.
//!
//! The text of SMPTE was not read. Where a packet names a line, its place in the raster (`TEPO`) is taken as the end of
//! that line; that reading is ours.

use model::media::{Ratio, Scan};

/// A raster, as far as the models need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raster {
    /// Frames a second.
    pub frame_rate: Ratio,
    /// Progressive, interlaced, segmented.
    pub scan: Scan,
    /// Lines of a frame, with those that hold no picture: 1125, 750, 625, 525.
    pub total_lines: u32,
}

/// When a packet may leave, in nanoseconds of TAI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Not before this (rounded down).
    pub opens_ns: i128,
    /// Not after this (rounded up).
    pub closes_ns: i128,
}

/// What is allowed after the place in the raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// CTM: a millisecond.
    Compatible,
    /// LLTM: the time of eight lines.
    LowLatency,
}

const SECOND_NS: i128 = 1_000_000_000;

impl Raster {
    /// The lines of a raster whose pictures have this many rows.
    pub const fn total_lines(rows: u16) -> Option<u32> {
        match rows {
            480 | 486 | 487 => Some(525),
            576 => Some(625),
            720 => Some(750),
            1080 => Some(1125),
            2160 => Some(2250),
            4320 => Some(4500),
            _ => None,
        }
    }

    /// `numerator / (rate × lines × 2)` of a second: every time of the models is a multiple of half a line.
    fn half_lines_ns(self, half_lines: i128) -> (i128, i128) {
        let numerator = half_lines * SECOND_NS * i128::from(self.frame_rate.denominator());
        (numerator, 2 * i128::from(self.frame_rate.numerator()) * i128::from(self.total_lines.max(1)))
    }

    /// Half lines of a frame.
    fn frame_half_lines(self) -> i128 {
        2 * i128::from(self.total_lines.max(1))
    }

    /// How long after its place a packet may leave, rounded to nanoseconds (`TD`).
    pub fn allowance_ns(self, model: Model) -> i128 {
        match model {
            Model::Compatible => 1_000_000,
            Model::LowLatency => {
                let (numerator, denominator) = self.half_lines_ns(16);
                (numerator + denominator / 2) / denominator
            }
        }
    }

    /// The window of a packet of frame `number` since the SMPTE epoch; of its second field or segment where `second`.
    ///
    /// `line` is where it is to stand, counted over the frame from 1; nowhere in particular is the begin.
    /// `later_ns` is `TROFF` less the default, where one is signalled.
    pub fn window(
        self,
        number: i128,
        second: bool,
        line: Option<u16>,
        model: Model,
        later_ns: i128,
    ) -> Window {
        let lines = i128::from(self.total_lines.max(1));
        let second = second && self.scan != Scan::Progressive;
        // The second field begins half a line after the middle of an odd number of lines.
        let field = if second { lines + lines % 2 } else { 0 };
        let first_line = if second { (lines + lines % 2) / 2 } else { 0 };
        let place = line.map_or(0, |line| (i128::from(line) - first_line).clamp(0, lines) * 2);
        let allowance = match model {
            Model::Compatible => 0,
            Model::LowLatency => 16,
        };
        let extra_ns = later_ns + if model == Model::Compatible { 1_000_000 } else { 0 };
        let frame = number * self.frame_half_lines();
        let (closes, denominator) = self.half_lines_ns(frame + field + place + allowance);
        let (frame_ns, _) = self.half_lines_ns(self.frame_half_lines());
        Window {
            opens_ns: (closes - frame_ns).div_euclid(denominator) + extra_ns,
            closes_ns: -(-closes).div_euclid(denominator) + extra_ns,
        }
    }

    /// Which frame a moment of TAI lies in.
    pub fn frame_at(self, tai_ns: i128) -> i128 {
        let rate = self.frame_rate;
        (tai_ns * i128::from(rate.numerator())).div_euclid(SECOND_NS * i128::from(rate.denominator()))
    }
}

impl Window {
    /// How late a packet left; negative if before the end, `None` where it left before the window opened.
    pub fn late_ns(self, tai_ns: i128) -> Option<i128> {
        (tai_ns >= self.opens_ns).then_some(tai_ns - self.closes_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(numerator: u32, denominator: u32, scan: Scan, total_lines: u32) -> Raster {
        Raster { frame_rate: Ratio::new(numerator, denominator).unwrap(), scan, total_lines }
    }

    #[test]
    fn the_allowance_of_low_latency_is_that_of_the_table() {
        let table = [
            (raster(60_000, 1001, Scan::Progressive, 1125), 118_637),
            (raster(50, 1, Scan::Progressive, 1125), 142_222),
            (raster(30_000, 1001, Scan::Interlaced, 1125), 237_274),
            (raster(25, 1, Scan::Interlaced, 1125), 284_444),
            (raster(60_000, 1001, Scan::Progressive, 750), 177_956),
            (raster(50, 1, Scan::Progressive, 750), 213_333),
            (raster(30_000, 1001, Scan::Interlaced, 525), 508_444),
            (raster(25, 1, Scan::Interlaced, 625), 512_000),
        ];
        for (raster, expected) in table {
            assert_eq!(raster.allowance_ns(Model::LowLatency), expected, "{raster:?}");
            assert_eq!(raster.allowance_ns(Model::Compatible), 1_000_000);
        }
    }

    #[test]
    fn a_window_is_a_frame_long_and_lies_where_the_frame_lies() {
        let raster = raster(25, 1, Scan::Interlaced, 1125);
        let frame = 44_900_000_000;
        let start = frame * 40_000_000;
        let first = raster.window(frame, false, None, Model::Compatible, 0);
        assert_eq!(first, Window { opens_ns: start - 39_000_000, closes_ns: start + 1_000_000 });
        // The second field begins 563 lines later, and line 571 is the eighth of it.
        let second = raster.window(frame, true, None, Model::Compatible, 0);
        assert_eq!(second.closes_ns - first.closes_ns, 20_017_778);
        let line = raster.window(frame, true, Some(571), Model::Compatible, 0);
        // Line 571 ends 20,302,222.2 ns after the frame began; ends are rounded up.
        assert_eq!(line.closes_ns - second.closes_ns, 284_445);
        assert_eq!(first.late_ns(start + 1_000_001), Some(1));
        assert_eq!(first.late_ns(start - 39_000_001), None);
        assert_eq!(raster.frame_at(start), frame);
        assert_eq!(raster.frame_at(start - 1), frame - 1);
    }
}
