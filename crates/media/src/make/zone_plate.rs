//! A moving zone plate: rings whose pitch shrinks to two pixels at the edge, and which travel outwards.

use core::f32::consts::TAU;

use crate::picture::levels::Levels;
use model::media::VideoFormat;

/// Steps of a full turn of the wave; a power of two.
const STEPS: usize = 1024;

/// A zone plate of one raster.
#[derive(Debug, Clone)]
pub struct ZonePlate {
    wave: Vec<u16>,
    /// The phase that each column adds, in 2^32 of a turn.
    columns: Vec<u32>,
    /// The phase that each row adds.
    rows: Vec<u32>,
}

impl ZonePlate {
    /// For a format.
    pub fn new(format: &VideoFormat) -> ZonePlate {
        let levels = Levels::of(format);
        let part = |step: u16| (1.0 - (f32::from(step) * TAU / 1024.0).cos()) / 2.0;
        let wave = (0..1024).map(|step| levels.tone(part(step))).collect();
        // The wave turns by the square of the distance; at the edge by half a turn a pixel, which is what a raster holds.
        let longest = u64::from(format.width.max(format.height));
        let phases = |count: u16| -> Vec<u32> {
            let phase = |at: u16| {
                let from_centre = u64::from(at.abs_diff(count / 2));
                let [low, _] = halves(from_centre * from_centre * ((1 << 31) / longest.max(1)));
                low
            };
            (0..count).map(phase).collect()
        };
        ZonePlate { wave, columns: phases(format.width), rows: phases(format.height) }
    }

    /// Fills a row of the picture of a moment; moments are frames, or fields with two for each frame.
    pub fn paint(&self, row: usize, moment: u64, to: &mut [u16]) {
        // Outwards: a full turn in 64 moments.
        let [moment, _] = halves(moment << 26);
        let phase = self.rows.get(row).copied().unwrap_or(0).wrapping_sub(moment);
        let Some(wave) = self.wave.first_chunk::<STEPS>() else { return };
        for (place, column) in to.iter_mut().zip(&self.columns) {
            let step = (column.wrapping_add(phase) >> 22) as usize % STEPS;
            *place = wave.get(step).copied().unwrap_or(0);
        }
    }
}

/// The lower and the upper half of a number.
fn halves(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::video::tests::format;
    use model::media::{Depth, Sampling};

    #[test]
    fn it_moves_is_symmetric_and_comes_back() {
        let format = format(Sampling::YCbCr422, Depth::Ten);
        let plate = ZonePlate::new(&format);
        let row = |row, moment| {
            let mut to = vec![0; usize::from(format.width)];
            plate.paint(row, moment, &mut to);
            to
        };
        let middle = usize::from(format.height / 2);
        assert_eq!(row(middle - 5, 3), row(middle + 5, 3));
        assert_ne!(row(middle, 3), row(middle, 4));
        assert_eq!(row(middle, 3), row(middle, 67));
        assert!(row(middle, 0).iter().all(|value| (64..=940).contains(value)));
        // Black in the centre at the beginning, and alternating nearly from one pixel to the next at the edge.
        let row = row(middle, 0);
        assert_eq!(row[usize::from(format.width / 2)], 64);
        assert!(row[1].abs_diff(row[2]) > 600);
    }
}
