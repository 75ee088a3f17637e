//! A picture as PNG.

use super::Picture;
use super::colour::Screen;
use crate::video::Pgroup;

/// Bits of a PNG's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PngDepth {
    /// 8.
    Eight,
    /// 16.
    Sixteen,
}

/// A picture as PNG in RGB; [`super::remarks`] says what was done to its colours.
pub fn png(picture: &Picture, depth: PngDepth) -> Vec<u8> {
    let pixels = pixels(picture, depth);
    let mut file = Vec::new();
    let mut encoder =
        png::Encoder::new(&mut file, u32::from(picture.format.width), u32::from(picture.format.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(if depth == PngDepth::Eight { png::BitDepth::Eight } else { png::BitDepth::Sixteen });
    encoder.set_compression(png::Compression::Fast);
    // Memory is written to, and the size is right: nothing can fail but our own arithmetic.
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&pixels)?;
        writer.finish()
    });
    debug_assert!(written.is_ok(), "{written:?}");
    file
}

fn pixels(picture: &Picture, depth: PngDepth) -> Vec<u8> {
    let screen = Screen::of(&picture.format);
    let Some(pgroup) = Pgroup::of_format(&picture.format) else { return Vec::new() };
    let (across, down) = (pgroup.order.across(), pgroup.down);
    let (width, height) = (usize::from(picture.format.width), usize::from(picture.format.height));
    let bytes = if depth == PngDepth::Eight { 1 } else { 2 };
    let mut out = Vec::with_capacity(width * height * 3 * bytes);
    let mut planes = picture.planes.iter();
    let (first, second, third) = (planes.next(), planes.next(), planes.next());
    // Neighbours are often alike, and the curves cost much.
    let (mut last, mut colour) = ([0; 3], screen.show([0; 3]));
    for row in 0..height {
        let of = |plane: Option<&super::Plane>, row: usize| -> Vec<u16> {
            plane.map(|plane| plane.row(row, 0).to_vec()).unwrap_or_default()
        };
        let (tones, second, third) = (of(first, row), of(second, row / down), of(third, row / down));
        for (column, tone) in tones.iter().enumerate() {
            let at = |row: &[u16]| row.get(column / across).copied().unwrap_or(0);
            let numbers = [*tone, at(&second), at(&third)];
            if numbers != last {
                (last, colour) = (numbers, screen.show(numbers));
            }
            match depth {
                PngDepth::Eight => out.extend(colour.map(|it| number(it * 255.0).to_be_bytes()[1])),
                PngDepth::Sixteen => {
                    colour.iter().for_each(|it| out.extend_from_slice(&number(it * 65535.0).to_be_bytes()));
                }
            }
        }
    }
    out
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "colours are between 0 and 1")]
fn number(value: f32) -> u16 {
    value.round() as u16
}
