//! Pixel groups: the smallest whole octets of a row, and where each sample of one lies (ST 2110-20:2022 §6.2, RFC 4175 §4.3).

use model::media::{Depth, Sampling, Scan, VideoFormat};

/// In which order the samples of a pixel group come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Cb Y0 Cr Y1.
    Colour422,
    /// Cb Y Cr.
    Colour444,
    /// Y00 Y01 Y10 Y11 Cb Cr: two rows at once.
    Colour420,
    /// R G B, or X Y Z.
    Primaries,
    /// K alone.
    Key,
}

impl Order {
    /// That of a sampling.
    pub const fn of(sampling: Sampling) -> Order {
        match sampling {
            Sampling::YCbCr422 | Sampling::ClYCbCr422 | Sampling::ICtCp422 => Order::Colour422,
            Sampling::YCbCr444 | Sampling::ClYCbCr444 | Sampling::ICtCp444 => Order::Colour444,
            Sampling::YCbCr420 | Sampling::ClYCbCr420 | Sampling::ICtCp420 => Order::Colour420,
            Sampling::Rgb | Sampling::Xyz => Order::Primaries,
            Sampling::Key => Order::Key,
        }
    }

    /// Samples of the smallest unit that has every component: 4 of 4:2:2, 6 of 4:2:0.
    pub const fn samples(self) -> usize {
        match self {
            Order::Colour422 => 4,
            Order::Colour444 | Order::Primaries => 3,
            Order::Colour420 => 6,
            Order::Key => 1,
        }
    }

    /// Pixels across of that unit.
    pub const fn across(self) -> usize {
        match self {
            Order::Colour422 | Order::Colour420 => 2,
            _ => 1,
        }
    }

    /// Planes of a picture.
    pub const fn planes(self) -> usize {
        if matches!(self, Order::Key) { 1 } else { 3 }
    }
}

/// A pixel group: the smallest number of whole octets with whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pgroup {
    /// The order of its samples.
    pub order: Order,
    /// Bits of a sample.
    pub bits: u32,
    /// Octets of it.
    pub bytes: usize,
    /// Pixels across.
    pub across: usize,
    /// Rows that it covers: 2 with 4:2:0.
    pub down: usize,
}

impl Pgroup {
    /// That of a sampling and depth; `None` where ST 2110-20 defines none (16 bits in 4:2:0).
    pub const fn of(sampling: Sampling, depth: Depth) -> Option<Pgroup> {
        let order = Order::of(sampling);
        let bits = depth.bits();
        let down = if matches!(order, Order::Colour420) { 2 } else { 1 };
        let (bytes, across) = match (order, bits) {
            (Order::Colour422, 8) => (4, 2),
            (Order::Colour422, 10) => (5, 2),
            (Order::Colour422, 12) => (6, 2),
            (Order::Colour422, _) => (8, 2),
            (Order::Colour444 | Order::Primaries, 8) => (3, 1),
            (Order::Colour444 | Order::Primaries, 10) => (15, 4),
            (Order::Colour444 | Order::Primaries, 12) => (9, 2),
            (Order::Colour444 | Order::Primaries, _) => (6, 1),
            (Order::Colour420, 8) => (6, 2),
            (Order::Colour420, 10) => (15, 4),
            (Order::Colour420, 12) => (9, 2),
            (Order::Colour420, _) => return None,
            (Order::Key, 8) => (1, 1),
            (Order::Key, 10) => (5, 4),
            (Order::Key, 12) => (3, 2),
            (Order::Key, _) => (2, 1),
        };
        Some(Pgroup { order, bits, bytes, across, down })
    }

    /// That of a format.
    pub const fn of_format(format: &VideoFormat) -> Option<Pgroup> {
        Pgroup::of(format.sampling, format.depth)
    }

    /// Pixel groups of a row; the last may be filled up with zeros.
    pub const fn per_row(self, width: u16) -> usize {
        (width as usize).div_ceil(self.across)
    }

    /// Octets of a row (of two rows with 4:2:0).
    pub const fn row_bytes(self, width: u16) -> usize {
        self.per_row(width) * self.bytes
    }
}

/// Rows that a field or segment (with 0 for the first, 1 for the second) or a progressive frame has.
///
/// With an odd height the first field has one more (ST 2110-20:2022 §6.1).
pub const fn rows_of_field(format: &VideoFormat, field: usize) -> usize {
    let height = format.height as usize;
    match (format.scan, field) {
        (Scan::Progressive, _) => height,
        (_, 0) => height.div_ceil(2),
        _ => height / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fill_the_octets() {
        for sampling in Sampling::ALL {
            for depth in Depth::ALL {
                let Some(pgroup) = Pgroup::of(*sampling, *depth) else {
                    assert!(Order::of(*sampling) == Order::Colour420 && depth.bits() == 16);
                    continue;
                };
                let units = pgroup.across / pgroup.order.across();
                let bits = units * pgroup.order.samples() * pgroup.bits as usize;
                assert_eq!(bits, pgroup.bytes * 8, "{sampling:?} {depth:?}");
            }
        }
    }

    #[test]
    fn rows_of_well_known_rasters() {
        let ten = Pgroup::of(Sampling::YCbCr422, Depth::Ten).unwrap();
        let rows: Vec<_> = [720, 1280, 1920, 3840].map(|width| ten.row_bytes(width)).into();
        assert_eq!(rows, [1800, 3200, 4800, 9600]);
        assert_eq!((ten.row_bytes(721), ten.per_row(721)), (1805, 361));
    }
}
