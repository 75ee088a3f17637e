//! Planar pictures, and what a person sees of them: RGB, PNG.

mod colour;
pub mod half;
mod image;
pub mod levels;
mod raw;

pub use colour::{encode, remarks};
pub use image::{PngDepth, png};
pub use raw::raw;

use model::media::VideoFormat;

use crate::video::pack::Samples;
use crate::video::unpack::Rows;
use crate::video::{Order, Pgroup};
use levels::Levels;

/// The largest picture, in pixels: a little more than 8192 by 4320.
const MOST_PIXELS: usize = 36 << 20;

/// One component of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row after row, as the numbers were sent.
    pub samples: Vec<u16>,
}

impl Plane {
    fn new(width: usize, height: usize, value: u16) -> Plane {
        Plane { width, height, samples: vec![value; width * height] }
    }

    /// A row from a column on; empty outside.
    pub fn row(&self, row: usize, column: usize) -> &[u16] {
        let begin = row * self.width;
        self.samples.get(begin + column.min(self.width)..begin + self.width).unwrap_or_default()
    }

    /// A row from a column on, to write to; empty outside.
    pub fn row_mut(&mut self, row: usize, column: usize) -> &mut [u16] {
        let begin = row * self.width;
        self.samples.get_mut(begin + column.min(self.width)..begin + self.width).unwrap_or_default()
    }
}

/// A picture in planes, fields woven together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What its numbers mean.
    pub format: VideoFormat,
    /// Y Cb Cr, R G B, X Y Z, or K.
    pub planes: Vec<Plane>,
    /// The RTP timestamps: of the frame or first field, and of the second where there is one.
    pub timestamps: [Option<u32>; 2],
    /// Pixels that never came; they are black.
    pub missing_pixels: u64,
}

impl Picture {
    /// A black one; `None` where ST 2110-20 has no such format, or it is larger than we take memory for.
    pub fn black(format: &VideoFormat) -> Option<Picture> {
        let pgroup = Pgroup::of_format(format)?;
        let (width, height) = (usize::from(format.width), usize::from(format.height));
        if width * height == 0 || width * height > MOST_PIXELS {
            return None;
        }
        let levels = Levels::of(format);
        let colour_width = width.div_ceil(pgroup.order.across());
        let colour_height = height.div_ceil(pgroup.down);
        let planes = match pgroup.order {
            Order::Key => vec![Plane::new(width, height, levels.black())],
            Order::Primaries => vec![Plane::new(width, height, levels.black()); 3],
            _ => {
                let colour = Plane::new(colour_width, colour_height, levels.neutral());
                vec![Plane::new(width, height, levels.black()), colour.clone(), colour]
            }
        };
        Some(Picture { format: format.clone(), planes, timestamps: [None; 2], missing_pixels: 0 })
    }

    /// Makes rows black again.
    pub fn blacken(&mut self, rows: core::ops::Range<usize>) {
        let Some(pgroup) = Pgroup::of_format(&self.format) else { return };
        let levels = Levels::of(&self.format);
        for (component, plane) in self.planes.iter_mut().enumerate() {
            let is_difference = component > 0 && pgroup.order != Order::Primaries;
            let value = if is_difference { levels.neutral() } else { levels.black() };
            let down = if component > 0 { pgroup.down } else { 1 };
            let end = rows.end.div_ceil(down).min(plane.height) * plane.width;
            plane.samples.get_mut(rows.start / down * plane.width..end).unwrap_or_default().fill(value);
        }
    }

    /// The same made smaller: of so many pixels across and down, one. `None` where nothing is left.
    pub fn smaller(&self, by: u16) -> Option<Picture> {
        let by = by.max(1);
        let (width, height) = (self.format.width.div_ceil(by), self.format.height.div_ceil(by));
        let mut small = Picture::black(&VideoFormat { width, height, ..self.format.clone() })?;
        let by = usize::from(by);
        for (from, to) in self.planes.iter().zip(&mut small.planes) {
            for row in 0..to.height {
                let line = from.row((row * by).min(from.height.saturating_sub(1)), 0);
                for (at, sample) in to.row_mut(row, 0).iter_mut().enumerate() {
                    // A plane of colours has fewer samples than pixels, and may end before.
                    if let Some(value) = line.get(at * by).or(line.last()) {
                        *sample = *value;
                    }
                }
            }
        }
        (small.timestamps, small.missing_pixels) = (self.timestamps, self.missing_pixels);
        Some(small)
    }

    /// The samples of a row from a pixel on (of two rows with 4:2:0), to be packed.
    pub fn samples(&self, row: usize, pixel: usize) -> Samples<'_> {
        let mut samples = Samples { first: &[], below: &[], second: &[], third: &[] };
        let Some((across, down)) = Pgroup::of_format(&self.format).map(|it| (it.order.across(), it.down))
        else {
            return samples;
        };
        if let [first, colours @ ..] = self.planes.as_slice() {
            samples.first = first.row(row, pixel);
            if down == 2 && row + 1 < first.height {
                samples.below = first.row(row + 1, pixel);
            }
            if let [second, third] = colours {
                samples.second = second.row(row / down, pixel / across);
                samples.third = third.row(row / down, pixel / across);
            }
        }
        samples
    }

    /// The places of a row from a pixel on (of two rows with 4:2:0), to be unpacked into.
    pub fn rows(&mut self, row: usize, pixel: usize) -> Rows<'_> {
        let mut rows = Rows { first: &mut [], below: &mut [], second: &mut [], third: &mut [] };
        let Some((across, down)) = Pgroup::of_format(&self.format).map(|it| (it.order.across(), it.down))
        else {
            return rows;
        };
        if let [first, colours @ ..] = self.planes.as_mut_slice() {
            let width = first.width;
            let here = first.samples.get_mut(row * width..).unwrap_or_default();
            let (upper, lower) = here.split_at_mut_checked(width).unwrap_or_default();
            rows.first = upper.get_mut(pixel..).unwrap_or_default();
            if down == 2 {
                let end = lower.len().min(width);
                rows.below = lower.get_mut(pixel.min(end)..end).unwrap_or_default();
            }
            if let [second, third] = colours {
                rows.second = second.row_mut(row / down, pixel / across);
                rows.third = third.row_mut(row / down, pixel / across);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::video::tests::format;
    use model::media::{Depth, Sampling};

    #[test]
    fn every_format_of_any_size_is_packed_and_unpacked() {
        for sampling in Sampling::ALL {
            for depth in Depth::ALL {
                for (width, height) in [(1, 1), (2, 2), (3, 3), (7, 5), (64, 36)] {
                    let format = VideoFormat { width, height, ..format(*sampling, *depth) };
                    let Some(pgroup) = Pgroup::of_format(&format) else {
                        assert!(Picture::black(&format).is_none());
                        continue;
                    };
                    let mut picture = Picture::black(&format).unwrap();
                    let mut value = 7_u16;
                    for sample in picture.planes.iter_mut().flat_map(|plane| &mut plane.samples) {
                        value = value.wrapping_mul(25_173).wrapping_add(13_849);
                        *sample = value >> (16 - depth.bits());
                    }
                    let mut again = Picture::black(&format).unwrap();
                    for row in (0..usize::from(height)).step_by(pgroup.down) {
                        let mut packed = Vec::new();
                        crate::video::pack::pack(pgroup, picture.samples(row, 0), &mut packed);
                        assert_eq!(packed.len(), pgroup.row_bytes(width));
                        crate::video::unpack::unpack(pgroup, &packed, again.rows(row, 0));
                    }
                    assert!(picture == again, "{format:?}");
                    let decoded =
                        png::Decoder::new(std::io::Cursor::new(super::png(&picture, PngDepth::Eight)));
                    let info = decoded.read_info().unwrap().info().clone();
                    assert_eq!((info.width, info.height), (u32::from(width), u32::from(height)));
                }
            }
        }
        let mut wide =
            Picture::black(&VideoFormat { width: 7, height: 5, ..format(Sampling::YCbCr422, Depth::Ten) })
                .unwrap();
        (wide.planes[0].samples).iter_mut().zip(64..).for_each(|(sample, value)| *sample = value);
        assert_eq!(wide.smaller(1).unwrap(), wide);
        let small = wide.smaller(3).unwrap();
        assert_eq!((small.format.width, small.format.height), (3, 2));
        assert_eq!(small.planes[0].samples, [64, 67, 70, 64 + 21, 64 + 24, 64 + 27]);
        assert_eq!(small.planes[1].samples.len(), 4);
        let large = VideoFormat { width: 32767, height: 32767, ..format(Sampling::Rgb, Depth::Sixteen) };
        assert!(Picture::black(&large).is_none());
    }
}
