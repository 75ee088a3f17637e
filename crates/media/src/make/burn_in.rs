//! Text burnt into a picture: the time of a frame and its number.

use model::media::VideoFormat;

use crate::picture::{Picture, levels::Levels};
use crate::video::Order;

/// Columns of a letter, and the gap after it.
const LETTER: usize = 5;
const PITCH: usize = LETTER + 1;
/// Rows of a letter.
const LETTER_ROWS: usize = 7;
/// Empty letters' pixels around the text.
const MARGIN: usize = 2;

/// Letters, each with its seven rows; the lowest five bits are its pixels.
const FONT: &[(char, [u8; LETTER_ROWS])] = &[
    ('0', [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('2', [0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f]),
    ('3', [0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e]),
    ('6', [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e]),
    ('9', [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c]),
    (':', [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c]),
    ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
];

/// Where text is written, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BurnIn {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    scale: usize,
}

impl BurnIn {
    /// For a text of so many letters near the lower edge; `None` where the picture is too small for it.
    pub fn new(format: &VideoFormat, letters: usize) -> Option<BurnIn> {
        let (width, height) = (usize::from(format.width), usize::from(format.height));
        let columns = letters * PITCH + 2 * MARGIN;
        let rows = LETTER_ROWS + 2 * MARGIN;
        let scale = (height / 200).min(width / columns).max(1);
        // Whole pixel groups of every sampling, and whole row pairs.
        let box_width = (columns * scale).next_multiple_of(4);
        let box_height = (rows * scale).next_multiple_of(4);
        let left = width.checked_sub(box_width)? / 2 / 4 * 4;
        let top = height.checked_sub(box_height)? * 7 / 8 / 4 * 4;
        Some(BurnIn { left, top, width: box_width, height: box_height, scale })
    }

    /// Writes text, white on black, and calls `meanwhile` after each row.
    pub fn paint(&self, picture: &mut Picture, text: &str, meanwhile: &mut dyn FnMut()) {
        let levels = Levels::of(&picture.format);
        let order = Order::of(picture.format.sampling);
        let (across, down) = (order.across(), if order == Order::Colour420 { 2 } else { 1 });
        for (component, plane) in picture.planes.iter_mut().enumerate() {
            let carries_text = component == 0 || order == Order::Primaries;
            let (across, down) = if component == 0 { (1, 1) } else { (across, down) };
            for row in self.top / down..(self.top + self.height) / down {
                let places = plane.row_mut(row, self.left / across);
                let places = places.get_mut(..self.width / across).unwrap_or_default();
                if carries_text {
                    places.fill(levels.black());
                    self.row(text, row - self.top, places, levels.white());
                } else {
                    places.fill(levels.neutral());
                }
                meanwhile();
            }
        }
    }

    fn row(&self, text: &str, row: usize, places: &mut [u16], white: u16) {
        let Some(line) = (row / self.scale).checked_sub(MARGIN).filter(|line| *line < LETTER_ROWS) else {
            return;
        };
        let letters = places.get_mut(MARGIN * self.scale..).unwrap_or_default();
        for (letter, places) in text.chars().zip(letters.chunks_mut(PITCH * self.scale)) {
            let Some((_, rows)) = FONT.iter().find(|(known, _)| *known == letter) else { continue };
            let bits = rows.get(line).copied().unwrap_or(0);
            for (column, places) in places.chunks_mut(self.scale).take(LETTER).enumerate() {
                if bits >> (LETTER - 1 - column) & 1 != 0 {
                    places.fill(white);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::video::tests::format;
    use model::media::{Depth, Sampling};

    #[test]
    fn a_text_can_be_read_again() {
        let format = VideoFormat { width: 640, height: 400, ..format(Sampling::YCbCr422, Depth::Ten) };
        let place = BurnIn::new(&format, 10).unwrap();
        let mut picture = Picture::black(&format).unwrap();
        place.paint(&mut picture, "0123456789", &mut || {});
        let read = |letter: usize| {
            FONT.iter().find(|(_, rows)| {
                rows.iter().enumerate().all(|(line, bits)| {
                    (0..LETTER).all(|column| {
                        let row = place.top + (MARGIN + line) * place.scale;
                        let at = place.left + (MARGIN + letter * PITCH + column) * place.scale;
                        (picture.planes[0].row(row, 0)[at] == 940) == (bits >> (4 - column) & 1 != 0)
                    })
                })
            })
        };
        let text: String = (0..10).filter_map(|letter| read(letter).map(|(letter, _)| *letter)).collect();
        assert_eq!(text, "0123456789");
        assert_eq!(BurnIn::new(&VideoFormat { width: 20, ..format }, 10), None);
    }
}
