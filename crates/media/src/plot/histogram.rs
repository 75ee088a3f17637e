//! How often values occurred: times between packets, delays, sizes.

use super::axis::{Axis, Unit, plain, range, said};
use super::drawing::{Anchor, Drawing, Ink, MARGIN, text_width};
use super::{Limit, clean};

/// Values from one to another, and how often they occurred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// From here on.
    pub from: f64,
    /// Up to here.
    pub to: f64,
    /// How often.
    pub count: u64,
}

/// How often values occurred.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// What was counted: `Time between packets`.
    pub title: String,
    /// Of what: the stream's name. Strangers choose it.
    pub subject: String,
    /// What the values are.
    pub unit: Unit,
    /// What occurred: `packets`.
    pub things: &'static str,
    /// The bins, in rising order.
    pub bins: Vec<Bin>,
    /// Whether the counts are shown by their decades: rare values are seen beside frequent ones.
    pub logarithmic: bool,
    /// Values that should not be passed.
    pub limits: Vec<Limit>,
}

pub(super) const WIDTH: f64 = 880.0;
pub(super) const HEIGHT: f64 = 330.0;
pub(super) const TOP: f64 = 66.0;
pub(super) const BOTTOM: f64 = 52.0;

/// The most bins that are drawn one by one; the eye sees no more.
const MOST_BINS: usize = 400;

impl Histogram {
    /// Bins that are drawn: neighbours together where there are very many.
    fn drawn(&self) -> Vec<Bin> {
        let sound = |bin: &Bin| bin.from.is_finite() && bin.to.is_finite() && bin.to >= bin.from;
        let bins: Vec<Bin> = self.bins.iter().copied().filter(sound).collect();
        let together = bins.len().div_ceil(MOST_BINS).max(1);
        bins.chunks(together)
            .filter_map(|part| {
                let count = part.iter().map(|bin| bin.count).fold(0, u64::saturating_add);
                Some(Bin { from: part.first()?.from, to: part.last()?.to, count })
            })
            .collect()
    }

    /// One sentence on it.
    fn summary(&self) -> String {
        let held = || self.bins.iter().filter(|bin| bin.count > 0);
        let total = held().map(|bin| bin.count).fold(0, u64::saturating_add);
        let (Some(first), Some(last)) = (held().next(), held().next_back()) else {
            return "nothing was counted".to_owned();
        };
        #[expect(clippy::cast_precision_loss, reason = "a count that people read")]
        let total = plain(total as f64, 1.0);
        format!("{total} {}, {}", self.things, range(first.from, last.to, self.unit))
    }

    /// The plot.
    pub fn draw(&self) -> Drawing {
        let summary = self.summary();
        let mut drawing =
            Drawing::new(WIDTH, HEIGHT, &self.title, &format!("{}: {summary}", clean(&self.subject)));
        let subject = clean(&self.subject);
        drawing.head(&if subject.is_empty() { summary } else { format!("{subject} · {summary}") });
        let bins = self.drawn();
        let held = || bins.iter().filter(|bin| bin.count > 0);
        let (Some(first), Some(last)) = (held().next(), held().next_back()) else {
            drawing.text((WIDTH / 2.0, HEIGHT / 2.0), Anchor::Middle, 13.0, Ink::Muted, "no data");
            return drawing;
        };
        let (least, most) = (first.from, last.to);
        // A limit far away would press the values into a corner: it is named, and not drawn.
        let reach = (most - least).max(most.abs() * 0.05);
        let near = |limit: &&Limit| limit.value <= most + reach && limit.value >= least - reach;
        let ends = self.limits.iter().filter(near).map(|limit| limit.value);
        let (from, to) = ends.fold((least, most), |(from, to), value| (from.min(value), to.max(value)));
        let across = Axis::new(from, to, self.unit, 9, true);
        let up = Up::new(held().map(|bin| bin.count).max().unwrap_or(1), self.logarithmic);
        let label_width = up.ticks.iter().map(|(_, label)| text_width(label, 11.0)).fold(0.0, f64::max);
        let (left, right) = (MARGIN + label_width + 8.0, WIDTH - MARGIN);
        let (top, bottom) = (TOP + 14.0, HEIGHT - BOTTOM);
        let x = |value: f64| left + across.share(value) * (right - left);
        let y = |share: f64| bottom - share * (bottom - top);
        for (share, label) in &up.ticks {
            drawing.line((left, y(*share)), (right, y(*share)), Ink::Grid, 1.0);
            drawing.text((left - 8.0, y(*share) + 4.0), Anchor::End, 11.0, Ink::Muted, label);
        }
        let name =
            if self.logarithmic { format!("{}, logarithmic", self.things) } else { self.things.to_owned() };
        drawing.text((MARGIN, TOP + 2.0), Anchor::Start, 11.0, Ink::Muted, &name);
        for bin in held() {
            let (begin, end) = (x(bin.from), x(bin.to));
            // A hair between bars where there is room for one; and what occurred is seen.
            let hair = if end - begin > 4.0 { 1.0 } else { 0.0 };
            let high = y(up.share(bin.count)).min(bottom - 1.0);
            drawing.bar(begin, high, (end - begin - hair).max(1.0), bottom - high, Ink::Data(0));
        }
        drawing.line((left, bottom), (right, bottom), Ink::Axis, 1.0);
        for tick in &across.ticks {
            drawing.line((x(*tick), bottom), (x(*tick), bottom + 4.0), Ink::Axis, 1.0);
            drawing.text((x(*tick), bottom + 18.0), Anchor::Middle, 11.0, Ink::Muted, &across.label(*tick));
        }
        drawing.text((right, bottom + 36.0), Anchor::End, 11.0, Ink::Muted, across.scale.name);
        let mut away = Vec::new();
        for (row, limit) in self.limits.iter().enumerate() {
            let text = format!("{} {}", clean(&limit.label), said(limit.value, self.unit));
            if !near(&limit) || !limit.value.is_finite() {
                away.push(text);
                continue;
            }
            let at = x(limit.value);
            drawing.dashes((at, TOP + 6.0), (at, bottom), Ink::Limit, 1.5);
            let (anchor, beside) =
                if at > (left + right) / 2.0 { (Anchor::End, -5.0) } else { (Anchor::Start, 5.0) };
            #[expect(clippy::cast_precision_loss, reason = "there are few limits")]
            let line = TOP + 12.0 + 14.0 * row as f64;
            drawing.text((at + beside, line), anchor, 11.0, Ink::Limit, &text);
        }
        if !away.is_empty() {
            let text = format!("out of the picture: {}", away.join(", "));
            drawing.text((left, bottom + 36.0), Anchor::Start, 11.0, Ink::Limit, &text);
        }
        drawing
    }

    /// The plot as SVG.
    pub fn svg(&self) -> String {
        self.draw().svg()
    }
}

/// The axis of counts.
struct Up {
    most: f64,
    logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

/// Where the decades begin: half of one, so that a single occurrence has a bar.
const FIRST: f64 = 0.5;

impl Up {
    fn new(most: u64, logarithmic: bool) -> Up {
        #[expect(clippy::cast_precision_loss, reason = "a height in a picture")]
        let most = most as f64;
        if logarithmic {
            let decades = (0..=19).map(|power| 10_f64.powi(power));
            let to = decades.clone().find(|decade| *decade >= most).unwrap_or(most);
            let mut up = Up { most: to, logarithmic, ticks: Vec::new() };
            let every = if to > 1e6 { 2 } else { 1 };
            up.ticks = decades
                .step_by(every)
                .take_while(|decade| *decade <= to)
                .map(|decade| (up.height(decade), plain(decade, 1.0)))
                .collect();
            return up;
        }
        let axis = Axis::new(0.0, most, Unit::Count(""), 5, true);
        let ticks = axis.ticks.iter().map(|tick| (axis.share(*tick), axis.label(*tick))).collect();
        Up { most: axis.to, logarithmic, ticks }
    }

    fn height(&self, count: f64) -> f64 {
        let share = if self.logarithmic {
            (count / FIRST).ln() / (self.most.max(1.0) / FIRST).ln()
        } else {
            count / self.most
        };
        share.clamp(0.0, 1.0)
    }

    fn share(&self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a height in a picture")]
        self.height(count as f64)
    }
}
