//! A drawing as PNG: the same shapes, on a ground of either theme.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};

use super::drawing::{Anchor, Drawing, Ink, Place, Shape, Theme};
use super::glyphs;

/// Pixels and the theme they are painted in.
struct Canvas {
    pixels: Pixmap,
    theme: Theme,
    scale: Transform,
}

#[expect(clippy::cast_possible_truncation, reason = "places of a drawing are small")]
fn near(value: f64) -> f32 {
    value as f32
}

impl Canvas {
    fn paint(&self, ink: Ink) -> Paint<'static> {
        let [red, green, blue, cover] = ink.colour(self.theme);
        let mut paint = Paint::default();
        paint.set_color_rgba8(red, green, blue, cover);
        paint
    }

    fn stroke(&mut self, path: PathBuilder, ink: Ink, width: f64, dashed: bool) {
        let Some(path) = path.finish() else { return };
        let dash = dashed.then(|| StrokeDash::new(vec![6.0, 4.0], 0.0)).flatten();
        let cap = if dashed { LineCap::Butt } else { LineCap::Round };
        let stroke = Stroke {
            width: near(width),
            line_cap: cap,
            line_join: LineJoin::Round,
            dash,
            ..Stroke::default()
        };
        let paint = self.paint(ink);
        self.pixels.stroke_path(&path, &paint, &stroke, self.scale, None);
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Stroke { through, ink, width, dashed } => {
                self.stroke(path(through.iter().copied()), *ink, *width, *dashed);
            }
            Shape::Area { around, ink } => {
                let mut path = path(around.iter().copied());
                path.close();
                if let Some(path) = path.finish() {
                    let paint = self.paint(*ink);
                    self.pixels.fill_path(&path, &paint, FillRule::Winding, self.scale, None);
                }
            }
            Shape::Bar { x, y, width, height, ink } => {
                if let Some(rect) = Rect::from_xywh(near(*x), near(*y), near(*width), near(*height)) {
                    let paint = self.paint(*ink);
                    self.pixels.fill_rect(rect, &paint, self.scale, None);
                }
            }
            Shape::Text { at, anchor, size, ink, bold, text } => {
                // A capital is seven tenths as high as its letters are called.
                let unit = size * 0.71 / glyphs::CAPITAL;
                let width = glyphs::width(text) * unit;
                let left = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - width / 2.0,
                    Anchor::End => at.0 - width,
                };
                let thick = size * if *bold { 0.125 } else { 0.085 };
                self.text(text, (left, at.1), unit, *ink, thick);
            }
        }
    }

    fn text(&mut self, text: &str, (left, line): Place, unit: f64, ink: Ink, thick: f64) {
        let mut all = PathBuilder::new();
        let mut x = left;
        for letter in text.chars() {
            for stroke in glyphs::letter(letter) {
                let mut is_first = true;
                for (right, down) in stroke {
                    let (at_x, at_y) = (near(x + right * unit), near(line + (down - glyphs::CAPITAL) * unit));
                    if is_first {
                        all.move_to(at_x, at_y)
                    } else {
                        all.line_to(at_x, at_y)
                    }
                    is_first = false;
                }
            }
            x += glyphs::advance(letter) * unit;
        }
        self.stroke(all, ink, thick, false);
    }
}

fn path(places: impl Iterator<Item = Place>) -> PathBuilder {
    let mut path = PathBuilder::new();
    for (x, y) in places.filter(|(x, y)| x.is_finite() && y.is_finite()) {
        if path.is_empty() { path.move_to(near(x), near(y)) } else { path.line_to(near(x), near(y)) }
    }
    path
}

/// The drawing as a file; empty where it has no size.
pub fn render(drawing: &Drawing, theme: Theme, scale: u8) -> Vec<u8> {
    let times = f64::from(scale);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "held to what a picture may have"
    )]
    let side = |units: f64| (units * times).ceil().clamp(0.0, 20_000.0) as u32;
    let Some(pixels) = Pixmap::new(side(drawing.width), side(drawing.height)) else { return Vec::new() };
    let scale = Transform::from_scale(near(times), near(times));
    let mut canvas = Canvas { pixels, theme, scale };
    let [red, green, blue] = theme.paper();
    canvas.pixels.fill(Color::from_rgba8(red, green, blue, 255));
    for shape in &drawing.shapes {
        canvas.shape(shape);
    }
    encode(&canvas.pixels)
}

/// The ground covers all, so that no pixel lets anything through.
fn encode(pixels: &Pixmap) -> Vec<u8> {
    let rgb: Vec<u8> =
        pixels.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&rgb));
    // Memory takes all that is written; a file that could not be made is none.
    if written.is_err() {
        file.clear();
    }
    file
}
