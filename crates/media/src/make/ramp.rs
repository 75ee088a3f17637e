//! A ramp over every number that may be sent: first brightness, then each colour.

use crate::picture::{Picture, levels::Levels};
use crate::video::Order;

/// Lays ramps over a black picture: all components alike above, and each alone below.
pub fn paint(picture: &mut Picture) {
    let levels = Levels::of(&picture.format);
    let (lowest, highest) = levels.legal();
    let height = picture.planes.first().map_or(0, |plane| plane.height);
    let colours_rest = match Order::of(picture.format.sampling) {
        Order::Primaries | Order::Key => levels.black(),
        _ => levels.neutral(),
    };
    let is_primary = Order::of(picture.format.sampling) == Order::Primaries;
    for (component, plane) in picture.planes.iter_mut().enumerate() {
        let last = plane.width.saturating_sub(1).max(1);
        let span = usize::from(highest - lowest);
        let ramp: Vec<u16> = (0..plane.width)
            .map(|column| lowest + u16::try_from(column * span / last).unwrap_or(0))
            .collect();
        let down = height / plane.height.max(1);
        for row in 0..plane.height {
            // Half of the picture for all, a quarter for each of two others, or a sixth for each of three.
            let band = row * down * 12 / height.max(1);
            let alone = match (is_primary, band) {
                (_, 0..6) => None,
                (true, 6..8) | (false, 6..9) => Some(if is_primary { 0 } else { 1 }),
                (true, 8..10) => Some(1),
                _ => Some(2),
            };
            let ramps = match alone {
                None => is_primary || component == 0,
                Some(one) => one == component,
            };
            let rest = if component == 0 && !is_primary { levels.tone(0.5) } else { colours_rest };
            let places = plane.row_mut(row, 0);
            if ramps {
                places.iter_mut().zip(&ramp).for_each(|(place, value)| *place = *value);
            } else {
                places.fill(rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::video::tests::format;
    use model::media::{Depth, Sampling, VideoFormat};

    #[test]
    fn every_legal_number_is_there_in_every_component() {
        for sampling in [Sampling::YCbCr422, Sampling::YCbCr444, Sampling::Rgb, Sampling::Key] {
            let format = VideoFormat { width: 2048, height: 48, ..format(sampling, Depth::Ten) };
            let mut picture = Picture::black(&format).unwrap();
            paint(&mut picture);
            for plane in &picture.planes {
                let mut seen = plane.samples.clone();
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen, (4..=1019).collect::<Vec<_>>(), "{sampling:?}");
            }
        }
    }
}
