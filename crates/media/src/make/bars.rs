//! Colour bars (SMPTE RP 219-1) on any raster.

use model::media::VideoFormat;

use crate::picture::{self, Picture, levels::Levels};
use crate::video::Order;

/// A colour of the bars.
#[derive(Debug, Clone, Copy)]
enum Colour {
    /// Red, green and blue, in hundredths of white.
    Rgb([i8; 3]),
    /// Brightness and colour differences, in 1/256 as 8-bit numbers have them.
    Coded([u8; 3]),
    /// A ramp from black to white.
    Ramp,
}

const fn grey(hundredths: i8) -> Colour {
    Colour::Rgb([hundredths; 3])
}

/// 75 % bars from the left: white, yellow, cyan, green, magenta, red, blue.
const BARS: [[i8; 3]; 7] =
    [[75, 75, 75], [75, 75, 0], [0, 75, 75], [0, 75, 0], [75, 0, 75], [75, 0, 0], [0, 0, 75]];

/// -I and +Q, which no colour of a camera is.
const MINUS_I: Colour = Colour::Coded([57, 156, 97]);
const PLUS_Q: Colour = Colour::Coded([44, 171, 147]);

/// Lays bars over a black picture; `false` where the sampling has no test colours.
pub fn paint(picture: &mut Picture) -> bool {
    let (width, height) = (usize::from(picture.format.width), usize::from(picture.format.height));
    let even = |value: usize| value.next_multiple_of(2).min(width);
    // An eighth on either side; between them three quarters, in seven.
    let side = even(width / 8);
    let bar = even(width.div_ceil(4) * 3 / 7);
    let third = height / 12;
    let third = third.next_multiple_of(2);
    let first_end = (height * 7 / 12).next_multiple_of(2).min(height);
    let (second_end, third_end) = ((first_end + third).min(height), (first_end + 2 * third).min(height));
    let right = side + 7 * bar;

    let mut bars = vec![(0, grey(40))];
    bars.extend(BARS.iter().enumerate().map(|(index, colour)| (side + index * bar, Colour::Rgb(*colour))));
    bars.push((right, grey(40)));
    let second = [
        (0, Colour::Rgb([0, 100, 100])),
        (side, MINUS_I),
        (side + bar, grey(75)),
        (right, Colour::Rgb([0, 0, 100])),
    ];
    let ramp = [
        (0, Colour::Rgb([100, 100, 0])),
        (side, PLUS_Q),
        (side + bar, Colour::Ramp),
        (right, Colour::Rgb([100, 0, 0])),
    ];
    let mut last = vec![(0, grey(15))];
    let mut at = side;
    let (half, sixths, narrow) = (even(bar * 3 / 2), even(bar * 5 / 6), even(bar / 3));
    for (wide, level) in [
        (half, 0),
        (2 * bar, 100),
        (sixths, 0),
        (narrow, -2),
        (narrow, 0),
        (narrow, 2),
        (narrow, 0),
        (narrow, 4),
    ] {
        last.push((at, grey(level)));
        at += wide;
    }
    last.extend([(at, grey(0)), (right, grey(15))]);

    let bands: [(usize, &[(usize, Colour)]); 4] =
        [(first_end, &bars), (second_end, &second), (third_end, &ramp), (height, &last)];
    let mut from = 0;
    for (until, band) in bands {
        if from < until {
            let Some(row) = Row::of(&picture.format, band, width) else { return false };
            (from..until).for_each(|at| row.copy(picture, at));
        }
        from = until;
    }
    true
}

/// A row to be copied down a band.
struct Row {
    first: Vec<u16>,
    second: Vec<u16>,
    third: Vec<u16>,
    down: usize,
}

impl Row {
    fn of(format: &VideoFormat, band: &[(usize, Colour)], width: usize) -> Option<Row> {
        let order = Order::of(format.sampling);
        let across = order.across();
        let mut row = Row { first: Vec::new(), second: Vec::new(), third: Vec::new(), down: 1 };
        row.down = if order == Order::Colour420 { 2 } else { 1 };
        let ends = band.iter().skip(1).map(|(begin, _)| *begin).chain([width]);
        for ((begin, colour), end) in band.iter().zip(ends) {
            let end = end.min(width);
            for column in *begin..end {
                let [first, second, third] = numbers(format, *colour, column - begin, end - begin)?;
                row.first.push(first);
                if column % across == 0 {
                    row.second.push(second);
                    row.third.push(third);
                }
            }
        }
        Some(row)
    }

    fn copy(&self, picture: &mut Picture, at: usize) {
        let rows = [(&self.first, at, 1), (&self.second, at, self.down), (&self.third, at, self.down)];
        for ((values, at, down), plane) in rows.into_iter().zip(&mut picture.planes) {
            if at % down == 0 {
                plane.row_mut(at / down, 0).iter_mut().zip(values).for_each(|(place, value)| *place = *value);
            }
        }
    }
}

fn numbers(format: &VideoFormat, colour: Colour, column: usize, columns: usize) -> Option<[u16; 3]> {
    let part = |hundredths: i8| f32::from(hundredths) / 100.0;
    match colour {
        Colour::Rgb(rgb) => picture::encode(format, rgb.map(part)),
        Colour::Ramp => {
            let steps = u16::try_from(columns.saturating_sub(1).max(1)).ok()?;
            picture::encode(format, [f32::from(u16::try_from(column).ok()?) / f32::from(steps); 3])
        }
        Colour::Coded([tone, cb, cr]) => {
            let tone = (f32::from(tone) - 16.0) / 219.0;
            let [cb, cr] = [cb, cr].map(|it| (f32::from(it) - 128.0) / 224.0);
            let levels = Levels::of(format);
            match Order::of(format.sampling) {
                Order::Primaries => {
                    // Back through BT.709, in which they are defined.
                    let (red, blue) = (tone + 1.5748 * cr, tone + 1.8556 * cb);
                    let green = (tone - 0.2126 * red - 0.0722 * blue) / 0.7152;
                    picture::encode(format, [red, green, blue])
                }
                _ => Some([levels.tone(tone), levels.difference(cb), levels.difference(cr)]),
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
    fn edges_and_numbers_of_the_full_raster() {
        let format = VideoFormat { width: 1920, height: 1080, ..format(Sampling::YCbCr422, Depth::Eight) };
        let mut picture = Picture::black(&format).unwrap();
        assert!(paint(&mut picture));
        let changes = |row: usize| -> Vec<(usize, u16)> {
            let row = picture.planes[0].row(row, 0);
            let starts = (0..1920).filter(|at| *at == 0 || row[*at] != row[at - 1]);
            starts.map(|at| (at, row[at])).collect()
        };
        let bars = [
            (0, 104),
            (240, 180),
            (446, 168),
            (652, 145),
            (858, 133),
            (1064, 63),
            (1270, 51),
            (1476, 28),
            (1682, 104),
        ];
        assert_eq!(changes(0), bars);
        assert_eq!(changes(629), bars);
        assert_eq!(changes(630), [(0, 188), (240, 57), (446, 180), (1682, 32)]);
        assert_eq!(changes(720)[..2], [(0, 219), (240, 44)]);
        let last = [
            (0, 49),
            (240, 16),
            (550, 235),
            (962, 16),
            (1134, 12),
            (1202, 16),
            (1270, 20),
            (1338, 16),
            (1406, 25),
            (1474, 16),
            (1682, 49),
        ];
        assert_eq!(changes(810), last);
        assert_eq!(changes(1079), last);
    }

    #[test]
    fn any_raster_is_filled() {
        for (width, height) in [(1, 1), (2, 2), (17, 9), (720, 486), (1280, 720), (4096, 2160)] {
            for sampling in
                [Sampling::YCbCr422, Sampling::YCbCr444, Sampling::YCbCr420, Sampling::Rgb, Sampling::Key]
            {
                let format = VideoFormat { width, height, ..format(sampling, Depth::Ten) };
                let mut picture = Picture::black(&format).unwrap();
                assert!(paint(&mut picture), "{format:?}");
            }
        }
        let mut unknown = Picture::black(&format(Sampling::ICtCp422, Depth::Ten)).unwrap();
        assert!(!paint(&mut unknown));
    }
}
