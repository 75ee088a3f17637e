//! When packets are read and how much may wait: the formulas of ST 2110-21:2022 §6 to §8, as exact fractions.

use model::media::{Profile, Ratio, Scan, SenderType};

use crate::clock::Steps;

/// Nanoseconds of a second.
const SECOND_NS: i128 = 1_000_000_000;

/// Datagrams under the standard limit count as this much (ST 2110-21:2022 §7.2).
const STANDARD_UDP: u64 = 1500;

/// The read schedule of a raster, for any number of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadModel {
    rate: Ratio,
    two_parts: bool,
    /// Lines of the whole raster: 525, 625, or 1125 for all others.
    lines: u64,
    /// Lines of it in which a picture is read, of `lines`.
    active: u64,
    /// `TRODEFAULT` in lines, of `lines`.
    default_offset: u64,
    offset_us: Option<u32>,
    half_line: bool,
    gapped: bool,
    udp_bytes: u64,
}

/// What the model is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raster {
    /// Frames a second.
    pub frame_rate: Ratio,
    /// How they are scanned.
    pub scan: Scan,
    /// Pixels of a row, where known.
    pub width: Option<u16>,
    /// Rows of a frame, where known.
    pub height: Option<u16>,
    /// `TROFF`, where said.
    pub offset_us: Option<u32>,
    /// The largest UDP datagram of the session.
    pub max_udp_bytes: u16,
}

impl ReadModel {
    /// `None` for a frame rate that no picture has: below one, above a thousand, or of absurd terms.
    pub fn new(raster: Raster, profile: Profile) -> Option<ReadModel> {
        let (above, below) = (raster.frame_rate.numerator(), raster.frame_rate.denominator());
        if above > 1_000_000 || below > 1_000_000 || above < below || above / below > 1000 {
            return None;
        }
        let height = u64::from(raster.height.unwrap_or(1080));
        let two_parts = raster.scan != Scan::Progressive;
        let list = profile == Profile::List;
        let lines = match height {
            ..=525 if two_parts => 525,
            526..=625 if two_parts => 625,
            _ => 1125,
        };
        let active = match (two_parts, lines) {
            // All progressive heights (ST 2110-21:2022 §6.3).
            (false, _) => 1080,
            // The 2017 edition and the tools that followed it have constants.
            (true, 525) if list => 487,
            (true, 625) if list => 576,
            (true, 1125) if list => 1080,
            (true, _) => height.min(lines),
        };
        let default_offset = match (two_parts, lines) {
            (false, _) if height >= 1080 => 43,
            // 28 of 750 lines.
            (false, _) => 42,
            (true, 525) => 20,
            (true, 625) => 26,
            (true, _) => 1125_u64.saturating_sub(height) / 2,
        };
        // BT.656, BT.1543, BT.1847, BT.709 and BT.2020 have a gap; a raster of another shape has none (§6.3).
        let gapped = match (raster.width, raster.height) {
            (_, None) => true,
            (width, Some(height)) if two_parts => match width {
                Some(720) => (480..=512).contains(&height) || (576..=608).contains(&height),
                Some(1920) => height == 1080,
                None => matches!(height, 480..=512 | 576..=608 | 1080),
                Some(_) => false,
            },
            (width, Some(height)) => {
                let known = [(1280, 720), (1920, 1080), (3840, 2160), (7680, 4320)];
                known.iter().any(|(w, h)| *h == height && width.is_none_or(|width| width == *w))
            }
        };
        let udp_bytes = match raster.max_udp_bytes {
            ..=1460 => STANDARD_UDP,
            more => u64::from(more),
        };
        Some(ReadModel {
            rate: raster.frame_rate,
            two_parts,
            lines,
            active,
            default_offset,
            offset_us: raster.offset_us.filter(|_| !list),
            half_line: !list,
            gapped,
            udp_bytes,
        })
    }

    /// Whether there is a gapped schedule; else the type can be narrow linear or wide.
    pub const fn gapped(&self) -> bool {
        self.gapped
    }

    /// Units of a frame: two where fields or segments are sent.
    pub const fn parts(&self) -> u64 {
        if self.two_parts { 2 } else { 1 }
    }

    /// Frames a second.
    pub const fn frame_rate(&self) -> Ratio {
        self.rate
    }

    fn above(&self) -> u64 {
        u64::from(self.rate.numerator())
    }

    /// A frame in nanoseconds, times the rate's numerator.
    fn frame(&self) -> i128 {
        i128::from(self.rate.denominator()) * SECOND_NS
    }

    /// `TROFFSET` in nanoseconds, rounded down.
    pub fn read_offset_ns(&self) -> i64 {
        let exact = match self.offset_us {
            Some(us) => i128::from(us) * 1000,
            None => self.frame() * i128::from(self.default_offset) / i128::from(self.above() * self.lines),
        };
        i64::try_from(exact).unwrap_or(i64::MAX)
    }

    /// Whether the offset is `TROFF` of the session.
    pub const fn offset_declared(&self) -> bool {
        self.offset_us.is_some()
    }

    /// `TRODEFAULT` in ticks of a clock, rounded up.
    pub fn default_offset_ticks(&self, clock_rate: u32) -> i64 {
        let ticks =
            u128::from(self.default_offset) * u128::from(self.rate.denominator()) * u128::from(clock_rate);
        i64::try_from(ticks.div_ceil(u128::from(self.lines * self.above()))).unwrap_or(i64::MAX)
    }

    /// When the packets of a unit are read: `TPR_j` for all `j` (ST 2110-21:2022 §6.3, §6.4).
    ///
    /// `frame` counts from the epoch, `second` is the second field or segment, `packets` are those of the unit.
    pub fn reads(&self, frame: i64, second: bool, packets: u32, linear: bool) -> Reads {
        let packets = u64::from(packets.max(1)) * self.parts();
        // One denominator for all terms: frames, lines, half lines, packets.
        let den = self.above() * 2 * self.lines * packets;
        let (lines, count, length) = (i128::from(self.lines), i128::from(packets), self.frame());
        let mut start = i128::from(frame) * length * 2 * lines * count;
        start += match self.offset_us {
            Some(us) => i128::from(us) * 1000 * i128::from(den),
            None => i128::from(self.default_offset) * length * 2 * count,
        };
        if second {
            let half_line = i128::from(self.half_line && !linear);
            start += length * (lines + half_line) * count;
        }
        let step = if linear { length * 2 * lines } else { length * 2 * i128::from(self.active) };
        Reads(Steps::new(start, step, den))
    }

    /// `VRX_FULL` of a type (ST 2110-21:2022 §7.2 to §7.4); `packets` are those of a frame.
    pub fn buffer_limit(&self, sender_type: SenderType, packets: u64) -> u64 {
        let rate = |divisor: u64| self.floor(packets, divisor, 1, 1);
        match sender_type {
            SenderType::Narrow | SenderType::NarrowLinear => {
                (STANDARD_UDP * 8 / self.udp_bytes).max(rate(27_000))
            }
            SenderType::Wide => (STANDARD_UDP * 720 / self.udp_bytes).max(rate(300)),
        }
    }

    /// `CMAX` of a type (ST 2110-21:2022 §7.2 to §7.4); `None` where wide is not defined: from 900,000 packets a second on.
    pub fn burst_limit(&self, sender_type: SenderType, packets: u64) -> Option<u64> {
        match sender_type {
            SenderType::Narrow => Some(self.floor(packets, 43_200, self.lines, self.active).max(4)),
            SenderType::NarrowLinear => Some(self.floor(packets, 43_200, 1, 1).max(4)),
            SenderType::Wide => {
                let a_second = u128::from(packets) * u128::from(self.above());
                let defined = a_second < 900_000 * u128::from(self.rate.denominator());
                defined.then(|| self.floor(packets, 21_600, 1, 1).max(16))
            }
        }
    }

    /// `INT(NPACKETS / (divisor · TFRAME) · above / below)`.
    fn floor(&self, packets: u64, divisor: u64, above: u64, below: u64) -> u64 {
        let top = u128::from(packets) * u128::from(self.above()) * u128::from(above);
        let bottom = u128::from(divisor) * u128::from(self.rate.denominator()) * u128::from(below.max(1));
        u64::try_from(top / bottom).unwrap_or(u64::MAX)
    }

    /// When the network bucket drains, with these packets a frame: `k · TFRAME / NPACKETS / β`, β = 1.10.
    pub(crate) fn drains(&self, packets: u64) -> Steps {
        Steps::new(0, self.frame() * 10, self.above() * packets.max(1) * 11)
    }
}

/// When the packets of a unit are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads(pub(crate) Steps);

impl Reads {
    /// The next read, rounded down to a nanosecond.
    pub const fn floor_ns(&self) -> i64 {
        self.0.ns
    }

    /// Goes on to the following packet's.
    pub fn advance(&mut self) {
        self.0.advance();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, frame rate, scan, width, height, packets of a frame, and from the worked table: gapped and linear distance
    /// of packets in tenths of nanoseconds, default offset in tenths of microseconds, buffers, bursts.
    type Row = (&'static str, (u32, u32), Scan, (u16, u16), u64, [i64; 3], [u64; 2], [Option<u64>; 3]);

    pub(crate) const TABLE: &[Row] = {
        const P: Scan = Scan::Progressive;
        const I: Scan = Scan::Interlaced;
        const fn c(a: u64, b: u64, c: u64) -> [Option<u64>; 3] {
            [Some(a), Some(b), Some(c)]
        }
        const NONE: Option<u64> = None;
        &[
            (
                "525i59.94",
                (30_000, 1001),
                I,
                (720, 487),
                974,
                [317_778, 342_574, 12_711],
                [8, 720],
                c(4, 4, 16),
            ),
            ("625i50", (25, 1), I, (720, 576), 1152, [320_000, 347_222, 16_640], [8, 720], c(4, 4, 16)),
            ("720p50", (50, 1), P, (1280, 720), 2880, [66_667, 69_444, 7467], [8, 720], c(4, 4, 16)),
            (
                "720p59.94",
                (60_000, 1001),
                P,
                (1280, 720),
                2880,
                [55_611, 57_928, 6228],
                [8, 720],
                c(4, 4, 16),
            ),
            ("1080i50", (25, 1), I, (1920, 1080), 4320, [88_889, 92_593, 7822], [8, 720], c(4, 4, 16)),
            (
                "1080i59.94",
                (30_000, 1001),
                I,
                (1920, 1080),
                4320,
                [74_148, 77_238, 6525],
                [8, 720],
                c(4, 4, 16),
            ),
            (
                "1080p23.98",
                (24_000, 1001),
                P,
                (1920, 1080),
                4320,
                [92_685, 96_547, 15_942],
                [8, 720],
                c(4, 4, 16),
            ),
            ("1080p25", (25, 1), P, (1920, 1080), 4320, [88_889, 92_593, 15_289], [8, 720], c(4, 4, 16)),
            (
                "1080p29.97",
                (30_000, 1001),
                P,
                (1920, 1080),
                4320,
                [74_148, 77_238, 12_753],
                [8, 720],
                c(4, 4, 16),
            ),
            ("1080p50", (50, 1), P, (1920, 1080), 4320, [44_444, 46_296, 7644], [8, 720], c(5, 5, 16)),
            (
                "1080p59.94",
                (60_000, 1001),
                P,
                (1920, 1080),
                4320,
                [37_074, 38_619, 6377],
                [9, 863],
                c(6, 5, 16),
            ),
            ("2160p50", (50, 1), P, (3840, 2160), 17_280, [11_111, 11_574, 7644], [32, 2880], c(20, 20, 40)),
            (
                "2160p59.94",
                (60_000, 1001),
                P,
                (3840, 2160),
                17_280,
                [9269, 9655, 6377],
                [38, 3452],
                [Some(24), Some(23), NONE],
            ),
            (
                "4320p59.94",
                (60_000, 1001),
                P,
                (7680, 4320),
                64_800,
                [2472, 2575, 6377],
                [143, 12_947],
                [Some(93), Some(89), NONE],
            ),
        ]
    };

    pub(crate) fn raster(row: &Row) -> Raster {
        Raster {
            frame_rate: Ratio::new(row.1.0, row.1.1).unwrap(),
            scan: row.2,
            width: Some(row.3.0),
            height: Some(row.3.1),
            offset_us: None,
            max_udp_bytes: 1460,
        }
    }

    #[test]
    fn the_worked_table() {
        for row in TABLE {
            let (name, packets) = (row.0, row.4);
            let model = ReadModel::new(raster(row), Profile::Standard).unwrap();
            assert!(model.gapped(), "{name}");
            let unit = u32::try_from(packets / model.parts()).unwrap();
            let distance = |linear| {
                let mut reads = model.reads(0, false, unit, linear);
                let first = reads.0.ns;
                reads.0.skip(100_000);
                (reads.0.ns - first + 5000) / 10_000
            };
            let offset_us = (model.read_offset_ns() + 50) / 100;
            assert_eq!([distance(false), distance(true), offset_us], row.5, "{name}");
            let types = [SenderType::Narrow, SenderType::NarrowLinear, SenderType::Wide];
            let buffers = [SenderType::Narrow, SenderType::Wide].map(|it| model.buffer_limit(it, packets));
            assert_eq!(buffers, row.6, "{name}");
            assert_eq!(types.map(|it| model.burst_limit(it, packets)), row.7, "{name}");
        }
    }

    #[test]
    fn large_datagrams_make_small_buffers() {
        let row = TABLE.iter().find(|row| row.0 == "1080p50").unwrap();
        let model = ReadModel::new(Raster { max_udp_bytes: 8960, ..raster(row) }, Profile::Standard).unwrap();
        assert_eq!(model.buffer_limit(SenderType::Narrow, 648), 1);
        assert_eq!(model.buffer_limit(SenderType::Wide, 648), 120);
    }

    #[test]
    fn second_fields_are_read_half_a_line_later() {
        let row = TABLE.iter().find(|row| row.0 == "1080i50").unwrap();
        let model = ReadModel::new(raster(row), Profile::Standard).unwrap();
        let (first, second) = (model.reads(7, false, 2160, false).0, model.reads(7, true, 2160, false).0);
        assert_eq!(second.ns - first.ns, 20_000_000 + 17_778);
        let linear = model.reads(7, true, 2160, true).0;
        assert_eq!(linear.ns - first.ns, 20_000_000);
        let list = ReadModel::new(raster(row), Profile::List).unwrap();
        assert_eq!(list.reads(7, true, 2160, false).0.ns - first.ns, 20_000_000);
    }

    #[test]
    fn odd_rasters_have_no_gap_and_absurd_rates_no_model() {
        let row = TABLE.iter().find(|row| row.0 == "1080p50").unwrap();
        let odd = Raster { width: Some(640), height: Some(480), ..raster(row) };
        assert!(!ReadModel::new(odd, Profile::Standard).unwrap().gapped());
        for (above, below) in [(1, 2), (1001, 1), (4_000_000_000, 3_999_999_999)] {
            let frame_rate = Ratio::new(above, below).unwrap();
            assert_eq!(ReadModel::new(Raster { frame_rate, ..raster(row) }, Profile::Standard), None);
        }
        let offset = Raster { offset_us: Some(1234), ..raster(row) };
        let model = ReadModel::new(offset, Profile::Standard).unwrap();
        assert_eq!((model.read_offset_ns(), model.default_offset_ticks(90_000)), (1_234_000, 69));
    }
}
