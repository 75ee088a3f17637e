//! Levels of audio channels as meters.

use model::media::sound::{Loudness, SoundFacts};

use super::axis::{Axis, Unit, plain};
use super::clean;
use super::drawing::{Anchor, Drawing, Ink, MARGIN, text_width};

/// One channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meter {
    /// Its name.
    pub name: String,
    /// Root of the mean square, in dBFS; `None` for silence.
    pub rms: Option<f64>,
    /// The highest sample, in dBFS.
    pub peak: Option<f64>,
    /// The highest value between samples, too, in dBTP.
    pub true_peak: Option<f64>,
}

/// Channels beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Meters {
    /// Of what: the stream's name. Strangers choose it.
    pub subject: String,
    /// A line on loudness: `−23.0 LUFS`.
    pub loudness: String,
    /// The channels.
    pub meters: Vec<Meter>,
}

/// The quietest that is shown.
const FLOOR: f64 = -72.0;

/// The loudest that is shown: true peaks go beyond full scale.
const CEILING: f64 = 3.0;

/// The level that a programme should not pass with its peaks (EBU R 68).
const PERMITTED: f64 = -9.0;

/// The true peak that a programme should not pass (EBU R 128).
const TRUE_PEAK: f64 = -1.0;

/// The most channels that are drawn.
const MOST: usize = 128;

const WIDTH: f64 = 880.0;
const ROW: f64 = 22.0;
const BAR: f64 = 14.0;

/// `U1–U2`.
fn channels_of(facts: &SoundFacts, programme: &Loudness) -> Option<String> {
    let first = usize::from(programme.first_channel);
    let of = facts.channels.get(first..first.checked_add(programme.channels.into())?)?;
    match of {
        [one] => Some(one.name.clone()),
        [first, .., last] => Some(format!("{}–{}", first.name, last.name)),
        [] => None,
    }
}

fn decibels(value: Option<f64>) -> String {
    value.map_or_else(|| "−∞".to_owned(), |value| plain(value, 0.1))
}

impl Meters {
    /// Of what was measured.
    pub fn new(subject: &str, facts: &SoundFacts) -> Meters {
        let of = |hundredths: Option<i32>| hundredths.map(|it| f64::from(it) / 100.0);
        let said = facts.programmes.iter().take(4).map(|one| {
            let alike = facts.programmes.iter().filter(|other| other.group == one.group).count();
            let group = match one.group.as_str() {
                // Of several with one name, those that nobody named are told by their channels.
                group if alike > 1 => channels_of(facts, one).unwrap_or_else(|| group.to_owned()),
                "" => "programme".to_owned(),
                group => group.to_owned(),
            };
            format!("{group} {} LUFS", decibels(of(one.integrated_clu)))
        });
        Meters {
            subject: subject.to_owned(),
            loudness: said.collect::<Vec<_>>().join(", "),
            meters: facts
                .channels
                .iter()
                .map(|channel| Meter {
                    name: channel.name.clone(),
                    rms: of(channel.rms_cdb),
                    peak: of(channel.peak_cdb),
                    true_peak: of(channel.true_peak_cdb),
                })
                .collect(),
        }
    }

    /// The plot.
    pub fn draw(&self) -> Drawing {
        let shown = self.meters.len().min(MOST);
        #[expect(clippy::cast_precision_loss, reason = "at most as many rows as are shown")]
        let rows = shown.max(1) as f64;
        let top = 84.0;
        let bottom = top + rows * ROW;
        let subject = clean(&self.subject);
        let mut parts = vec![subject.clone(), clean(&self.loudness)];
        parts.retain(|part| !part.is_empty());
        if shown < self.meters.len() {
            parts.push(format!("the first {shown} of {} channels", self.meters.len()));
        }
        let each: Vec<String> = self
            .meters
            .iter()
            .take(16)
            .map(|it| {
                format!("{} peak {} dBFS, RMS {} dBFS", clean(&it.name), decibels(it.peak), decibels(it.rms))
            })
            .collect();
        let mut drawing =
            Drawing::new(WIDTH, bottom + 34.0, "Levels", &format!("{subject}: {}", each.join("; ")));
        drawing.head(&parts.join(" · "));
        let names =
            self.meters.iter().take(shown).map(|it| text_width(&clean(&it.name), 12.0)).fold(20.0, f64::max);
        let (left, right) = (MARGIN + names.min(160.0) + 10.0, WIDTH - 190.0);
        let axis = Axis::new(FLOOR, CEILING, Unit::Decibels("dBFS"), 13, false);
        let x = |value: f64| left + axis.share(value) * (right - left);
        for value in [-60.0, -50.0, -40.0, -30.0, -24.0, -18.0, -9.0, 0.0] {
            drawing.line((x(value), top - 6.0), (x(value), bottom), Ink::Grid, 1.0);
            drawing.text((x(value), bottom + 18.0), Anchor::Middle, 11.0, Ink::Muted, &plain(value, 1.0));
        }
        drawing.text((right + 4.0, bottom + 18.0), Anchor::Start, 11.0, Ink::Muted, "dBFS");
        for (title, at) in [("RMS", 60.0), ("peak", 120.0), ("true peak", 190.0)] {
            drawing.text((right + at - 20.0, top - 10.0), Anchor::End, 11.0, Ink::Muted, title);
        }
        let mut y = top + (ROW - BAR) / 2.0;
        for meter in self.meters.iter().take(shown) {
            let line = y + BAR - 3.0;
            drawing.text((left - 10.0, line), Anchor::End, 12.0, Ink::Text, &meter.name);
            drawing.bar(left, y, right - left, BAR, Ink::Ground);
            if let Some(rms) = meter.rms.filter(|rms| *rms > FLOOR) {
                drawing.bar(left, y, x(rms) - left, BAR, Ink::Good);
            }
            let loud = |value: f64, limit: f64, beyond: Ink| if value > limit { beyond } else { Ink::Text };
            // From the mean to the peak: as pale as what is seldom there.
            if let Some(peak) = meter.peak.filter(|peak| *peak > FLOOR) {
                let from = x(meter.rms.unwrap_or(FLOOR));
                drawing.bar(from, y + BAR / 2.0 - 1.0, (x(peak) - from).max(0.0), 2.0, Ink::Good);
                let ink = if peak > PERMITTED { Ink::Warn } else { Ink::Good };
                drawing.bar(x(peak) - 1.5, y, 3.0, BAR, ink);
            }
            if let Some(peak) = meter.true_peak.filter(|peak| *peak > TRUE_PEAK) {
                drawing.bar(x(peak) - 1.5, y, 3.0, BAR, Ink::Bad);
            }
            let peak_ink = meter.peak.map_or(Ink::Text, |peak| loud(peak, PERMITTED, Ink::Warn));
            let true_ink = meter.true_peak.map_or(Ink::Text, |peak| loud(peak, TRUE_PEAK, Ink::Bad));
            drawing.text((right + 40.0, line), Anchor::End, 12.0, Ink::Text, &decibels(meter.rms));
            drawing.text((right + 100.0, line), Anchor::End, 12.0, peak_ink, &decibels(meter.peak));
            drawing.text((right + 170.0, line), Anchor::End, 12.0, true_ink, &decibels(meter.true_peak));
            y += ROW;
        }
        if shown == 0 {
            drawing.text((WIDTH / 2.0, y + 10.0), Anchor::Middle, 13.0, Ink::Muted, "no channels");
        }
        drawing
    }

    /// The plot as SVG.
    pub fn svg(&self) -> String {
        self.draw().svg()
    }
}
