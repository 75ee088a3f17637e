//! Values over time or over frames, with the least and the most where many are one: VRX, delays, levels.

use super::axis::{Axis, Unit, range, said};
use super::drawing::{Anchor, Drawing, Ink, MARGIN, text_width};
use super::histogram::{BOTTOM, HEIGHT, TOP, WIDTH};
use super::{Limit, clean};

/// What was measured at one place: least, mean and most; all the same where it is one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where.
    pub at: f64,
    /// The least.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The most.
    pub most: f64,
}

impl Point {
    /// Of one value.
    pub const fn new(at: f64, value: f64) -> Point {
        Point { at, least: value, mean: value, most: value }
    }
}

/// Values that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Their name; strangers may have chosen it.
    pub name: String,
    /// The values, in rising order of place.
    pub points: Vec<Point>,
}

/// Values over time or over frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What was measured: `VRX`.
    pub title: String,
    /// Of what: the stream's name. Strangers choose it.
    pub subject: String,
    /// What the places are: `frame`.
    pub along: Unit,
    /// What the values are.
    pub unit: Unit,
    /// The lines; up to four are told apart.
    pub lines: Vec<Line>,
    /// Values that should not be passed.
    pub limits: Vec<Limit>,
    /// Whether the axis of values begins at zero, as it must where their height is compared.
    pub from_zero: bool,
    /// Whether the line goes through the most, and not the mean, of each place: for what must never pass a limit.
    pub peaks: bool,
}

/// The most points of a line that are drawn one by one.
const MOST_POINTS: usize = 800;

/// Neighbours together, so that none is lost: the least of the least, the most of the most.
fn condense(points: &[Point]) -> Vec<Point> {
    let sound = |point: &&Point| {
        [point.at, point.least, point.mean, point.most].iter().all(|value| value.is_finite())
    };
    let points: Vec<Point> = points.iter().filter(sound).copied().collect();
    let together = points.len().div_ceil(MOST_POINTS).max(1);
    let join = |part: &[Point]| {
        let (first, last) = (part.first()?, part.last()?);
        #[expect(clippy::cast_precision_loss, reason = "few points are joined")]
        let count = part.len() as f64;
        Some(Point {
            at: f64::midpoint(first.at, last.at),
            least: part.iter().map(|point| point.least).fold(f64::INFINITY, f64::min),
            mean: part.iter().map(|point| point.mean / count).sum(),
            most: part.iter().map(|point| point.most).fold(f64::NEG_INFINITY, f64::max),
        })
    };
    points.chunks(together).filter_map(join).collect()
}

impl Series {
    /// VRX over frames: the fullest state of the receiver's buffer in each, with the limits of both kinds of sender.
    pub fn vrx(
        subject: &str,
        peaks: impl IntoIterator<Item = (u64, i64, i64)>,
        limits: Vec<Limit>,
    ) -> Series {
        #[expect(clippy::cast_precision_loss, reason = "numbers of frames and packets in a picture")]
        let point = |(frame, least, most): (u64, i64, i64)| Point {
            at: frame as f64,
            least: least as f64,
            mean: most as f64,
            most: most as f64,
        };
        let points = peaks.into_iter().map(point).collect();
        Series {
            title: "Receiver buffer by frame (VRX)".to_owned(),
            subject: subject.to_owned(),
            along: Unit::Count("frame"),
            unit: Unit::Count("packets"),
            lines: vec![Line { name: "VRX".to_owned(), points }],
            limits,
            from_zero: true,
            peaks: true,
        }
    }

    fn extent(&self, lines: &[Vec<Point>]) -> Option<(f64, f64)> {
        let all = || lines.iter().flatten();
        all().next()?;
        let least = all().map(|point| point.least).fold(f64::INFINITY, f64::min);
        let most = all().map(|point| point.most).fold(f64::NEG_INFINITY, f64::max);
        Some(if self.from_zero { (least.min(0.0), most.max(0.0)) } else { (least, most) })
    }

    /// The plot.
    pub fn draw(&self) -> Drawing {
        let lines: Vec<Vec<Point>> = self.lines.iter().map(|line| condense(&line.points)).collect();
        let extent = self.extent(&lines);
        let summary = extent.map_or_else(
            || "nothing was measured".to_owned(),
            |_| {
                let all = || lines.iter().flatten();
                let least = all().map(|point| point.least).fold(f64::INFINITY, f64::min);
                let most = all().map(|point| point.most).fold(f64::NEG_INFINITY, f64::max);
                range(least, most, self.unit)
            },
        );
        let subject = clean(&self.subject);
        let mut drawing = Drawing::new(WIDTH, HEIGHT, &self.title, &format!("{subject}: {summary}"));
        drawing.head(&if subject.is_empty() { summary } else { format!("{subject} · {summary}") });
        let Some((least, most)) = extent else {
            drawing.text((WIDTH / 2.0, HEIGHT / 2.0), Anchor::Middle, 13.0, Ink::Muted, "no data");
            return drawing;
        };
        // A limit far away would press the values flat: it is named, and not drawn.
        let reach = (most - least).max(most.abs() * 0.1) * 2.0;
        let is_near = |limit: &Limit| {
            limit.value.is_finite() && limit.value <= most + reach && limit.value >= least - reach
        };
        let near = self.limits.iter().filter(|limit| is_near(limit)).map(|limit| limit.value);
        let (from, to) = near.fold((least, most), |(from, to), value| (from.min(value), to.max(value)));
        let up = Axis::new(from, to, self.unit, 5, true);
        // From the first place to the last, also where neighbours were joined.
        let places = || {
            let ends = |line: &Line| [line.points.first().copied(), line.points.last().copied()];
            let sound = |point: &Point| point.at.is_finite();
            let ends = self.lines.iter().flat_map(ends).flatten().filter(sound).map(|point| point.at);
            lines.iter().flatten().map(|point| point.at).chain(ends)
        };
        let (first, last) =
            (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
        let across = Axis::new(first, last, self.along, 9, false);
        let label_width = up.ticks.iter().map(|tick| text_width(&up.label(*tick), 11.0)).fold(0.0, f64::max);
        let (left, right) = (MARGIN + label_width + 8.0, WIDTH - MARGIN);
        let (top, bottom) = (TOP + 14.0, HEIGHT - BOTTOM);
        let x = |value: f64| left + across.share(value) * (right - left);
        let y = |value: f64| bottom - up.share(value) * (bottom - top);
        for tick in &up.ticks {
            drawing.line((left, y(*tick)), (right, y(*tick)), Ink::Grid, 1.0);
            drawing.text((left - 8.0, y(*tick) + 4.0), Anchor::End, 11.0, Ink::Muted, &up.label(*tick));
        }
        drawing.text((MARGIN, TOP + 2.0), Anchor::Start, 11.0, Ink::Muted, up.scale.name);
        for (place, points) in (0..).zip(&lines) {
            let band = points.iter().any(|point| point.most - point.least > 0.0);
            if band {
                let over = points.iter().map(|point| (x(point.at), y(point.most)));
                let under = points.iter().rev().map(|point| (x(point.at), y(point.least)));
                drawing.area(over.chain(under).collect(), Ink::Band(place));
            }
            let height = |point: &Point| if self.peaks { point.most } else { point.mean };
            let through: Vec<_> = points.iter().map(|point| (x(point.at), y(height(point)))).collect();
            if let [(at, height)] = *through.as_slice() {
                drawing.bar(at - 2.0, height - 2.0, 4.0, 4.0, Ink::Data(place));
            } else {
                drawing.stroke(through, Ink::Data(place), 1.5);
            }
        }
        // Zero is a line of its own where values lie on both sides.
        let ground = if up.from < 0.0 && up.to > 0.0 { y(0.0) } else { bottom };
        drawing.line((left, ground), (right, ground), Ink::Axis, 1.0);
        for tick in &across.ticks {
            drawing.line((x(*tick), bottom), (x(*tick), bottom + 4.0), Ink::Axis, 1.0);
            drawing.text((x(*tick), bottom + 18.0), Anchor::Middle, 11.0, Ink::Muted, &across.label(*tick));
        }
        drawing.text((right, bottom + 36.0), Anchor::End, 11.0, Ink::Muted, across.scale.name);
        let mut away = Vec::new();
        for limit in &self.limits {
            let text = format!("{} {}", clean(&limit.label), said(limit.value, self.unit));
            if is_near(limit) {
                let at = y(limit.value);
                drawing.dashes((left, at), (right, at), Ink::Limit, 1.5);
                for point in lines.iter().flatten().filter(|point| point.most > limit.value) {
                    drawing.line((x(point.at), at), (x(point.at), y(point.most)), Ink::Limit, 2.0);
                }
                // Inside the picture, on the side of the line where there is room.
                let beside = if at < top + 16.0 { 14.0 } else { -6.0 };
                drawing.text((right - 4.0, at + beside), Anchor::End, 11.0, Ink::Limit, &text);
            } else {
                away.push(text);
            }
        }
        if !away.is_empty() {
            let text = format!("out of the picture: {}", away.join(", "));
            drawing.text((left, bottom + 36.0), Anchor::Start, 11.0, Ink::Limit, &text);
        }
        self.legend(&mut drawing, right);
        drawing
    }

    fn legend(&self, drawing: &mut Drawing, right: f64) {
        if self.lines.len() < 2 {
            return;
        }
        let mut end = right;
        for (place, line) in (0..).zip(&self.lines).collect::<Vec<(u8, &Line)>>().into_iter().rev() {
            let name = clean(&line.name);
            drawing.text((end, TOP + 2.0), Anchor::End, 11.0, Ink::Text, &name);
            end -= text_width(&name, 11.0) + 8.0;
            drawing.line((end - 16.0, TOP - 2.0), (end, TOP - 2.0), Ink::Data(place), 3.0);
            end -= 32.0;
        }
    }

    /// The plot as SVG.
    pub fn svg(&self) -> String {
        self.draw().svg()
    }
}
