//! What a plot consists of, before it becomes SVG or PNG.

use super::{clean, png, svg};

/// What something is drawn with: a meaning, which each theme gives a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Text,
    Muted,
    Grid,
    Axis,
    /// Data, by its place among several.
    Data(u8),
    /// The room between the least and the most of the same data.
    Band(u8),
    Limit,
    Good,
    Warn,
    Bad,
    /// The ground of a bar.
    Ground,
}

/// An ink's name in style sheets and its colours.
pub struct Row {
    ink: Ink,
    pub name: &'static str,
    light: u32,
    dark: u32,
    /// How much it covers, of 255.
    cover: u8,
}

const fn row(ink: Ink, name: &'static str, light: u32, dark: u32, cover: u8) -> Row {
    Row { ink, name, light, dark, cover }
}

impl Row {
    /// Red, green, blue, and how much it covers.
    pub fn colour(&self, theme: Theme) -> [u8; 4] {
        let rgb = if theme == Theme::Light { self.light } else { self.dark };
        let [_, red, green, blue] = rgb.to_be_bytes();
        [red, green, blue, self.cover]
    }
}

/// Every ink. Beside each other they can be told apart by those who do not see red or green.
pub const INKS: [Row; 16] = [
    row(Ink::Text, "text", 0x1b1f27, 0xe9ecf1, 255),
    row(Ink::Muted, "muted", 0x5a6473, 0x9da8b8, 255),
    row(Ink::Grid, "grid", 0xe6e9ee, 0x2a303a, 255),
    row(Ink::Axis, "axis", 0x9aa4b2, 0x5b6676, 255),
    row(Ink::Data(0), "data0", 0x1f66ad, 0x6cb2f2, 255),
    row(Ink::Data(1), "data1", 0xb45f06, 0xf0a850, 255),
    row(Ink::Data(2), "data2", 0x0f7b62, 0x58c9a8, 255),
    row(Ink::Data(3), "data3", 0x7a4bb8, 0xbb97ee, 255),
    row(Ink::Band(0), "band0", 0x1f66ad, 0x6cb2f2, 72),
    row(Ink::Band(1), "band1", 0xb45f06, 0xf0a850, 72),
    row(Ink::Limit, "limit", 0xc22f2b, 0xff7b72, 255),
    row(Ink::Good, "good", 0x2a8a57, 0x4db87f, 255),
    row(Ink::Warn, "warn", 0xc0840a, 0xe3b341, 255),
    row(Ink::Bad, "bad", 0xc22f2b, 0xff7b72, 255),
    row(Ink::Ground, "ground", 0xeef1f5, 0x222831, 255),
    row(Ink::Band(2), "band2", 0x0f7b62, 0x58c9a8, 72),
];

impl Ink {
    /// The name in style sheets.
    pub fn name(self) -> &'static str {
        self.row().map_or("text", |row| row.name)
    }

    /// Red, green, blue, and how much it covers.
    pub fn colour(self, theme: Theme) -> [u8; 4] {
        self.row().map_or([0, 0, 0, 255], |row| row.colour(theme))
    }

    fn row(self) -> Option<&'static Row> {
        const ROWS: &[Row] = &INKS;
        ROWS.iter().find(|row| row.ink == self.plain())
    }

    /// Data beyond the inks there are begin again.
    fn plain(self) -> Ink {
        match self {
            Ink::Data(place) => Ink::Data(place % 4),
            Ink::Band(place) => Ink::Band(place % 3),
            other => other,
        }
    }
}

/// Light or dark ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    /// Dark on light, for paper.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The ground.
    pub const fn paper(self) -> [u8; 3] {
        match self {
            Theme::Light => [0xff, 0xff, 0xff],
            Theme::Dark => [0x14, 0x18, 0x1f],
        }
    }
}

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A place: to the right, and down.
pub type Place = (f64, f64);

/// One thing in a drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A line through places.
    Stroke { through: Vec<Place>, ink: Ink, width: f64, dashed: bool },
    /// The inside of places.
    Area { around: Vec<Place>, ink: Ink },
    /// A rectangle.
    Bar { x: f64, y: f64, width: f64, height: f64, ink: Ink },
    /// Text on a line that begins, or is centred, or ends at a place.
    Text { at: Place, anchor: Anchor, size: f64, ink: Ink, bold: bool, text: String },
}

/// A plot that is drawn: in SVG for pages, in PNG for all else.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) shapes: Vec<Shape>,
}

impl Drawing {
    /// Of this size, with a title and a sentence that says what is seen.
    pub(super) fn new(width: f64, height: f64, title: &str, description: &str) -> Drawing {
        let (title, description) = (clean(title), description.to_owned());
        Drawing { width, height, title, description, shapes: Vec::new() }
    }

    pub(super) fn line(&mut self, from: Place, to: Place, ink: Ink, width: f64) {
        self.shapes.push(Shape::Stroke { through: vec![from, to], ink, width, dashed: false });
    }

    pub(super) fn dashes(&mut self, from: Place, to: Place, ink: Ink, width: f64) {
        self.shapes.push(Shape::Stroke { through: vec![from, to], ink, width, dashed: true });
    }

    pub(super) fn stroke(&mut self, through: Vec<Place>, ink: Ink, width: f64) {
        self.shapes.push(Shape::Stroke { through, ink, width, dashed: false });
    }

    pub(super) fn area(&mut self, around: Vec<Place>, ink: Ink) {
        self.shapes.push(Shape::Area { around, ink });
    }

    pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, ink: Ink) {
        self.shapes.push(Shape::Bar { x, y, width, height, ink });
    }

    pub(super) fn text(&mut self, at: Place, anchor: Anchor, size: f64, ink: Ink, text: &str) {
        self.shapes.push(Shape::Text { at, anchor, size, ink, bold: false, text: clean(text) });
    }

    /// The title and a line below it.
    pub(super) fn head(&mut self, subtitle: &str) {
        let text = self.title.clone();
        let at = (MARGIN, 26.0);
        self.shapes.push(Shape::Text {
            at,
            anchor: Anchor::Start,
            size: 15.0,
            ink: Ink::Text,
            bold: true,
            text,
        });
        self.text((MARGIN, 45.0), Anchor::Start, 12.0, Ink::Muted, subtitle);
    }

    /// As SVG, which follows the theme of its page and asks for nothing else.
    pub fn svg(&self) -> String {
        svg::render(self)
    }

    /// As PNG, with so many pixels for each unit of the SVG (1 to 4).
    pub fn png(&self, theme: Theme, scale: u8) -> Vec<u8> {
        png::render(self, theme, scale.clamp(1, 4))
    }
}

/// Room at the sides.
pub const MARGIN: f64 = 20.0;

/// About how wide a text is: layout must not depend on the fonts of a reader.
pub fn text_width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|letter| if matches!(letter, '.' | ',' | ' ' | 'i' | 'l' | '\'') { 0.32 } else { 0.6 })
        .sum::<f64>()
        * size
}
