//! Axes: which values have a mark, and what stands beside it.

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nanoseconds, shown as ns, µs, ms or s, whichever fits.
    Nanoseconds,
    /// Seconds.
    Seconds,
    /// Decibels of something: `dBFS`, `LUFS`.
    Decibels(&'static str),
    /// A count of something: `packets`, `frames`.
    Count(&'static str),
}

/// A unit at a scale that fits the numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What a number is divided by.
    pub by: f64,
    /// What stands beside the axis.
    pub name: &'static str,
}

impl Unit {
    /// The scale for numbers up to this size.
    pub fn scale(self, most: f64) -> Scale {
        match self {
            Unit::Nanoseconds if most >= 2e9 => Scale { by: 1e9, name: "s" },
            Unit::Nanoseconds if most >= 2e6 => Scale { by: 1e6, name: "ms" },
            Unit::Nanoseconds if most >= 2e3 => Scale { by: 1e3, name: "µs" },
            Unit::Nanoseconds => Scale { by: 1.0, name: "ns" },
            Unit::Seconds => Scale { by: 1.0, name: "s" },
            Unit::Decibels(name) | Unit::Count(name) => Scale { by: 1.0, name },
        }
    }
}

/// A range of values on a length of the drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub from: f64,
    pub to: f64,
    pub scale: Scale,
    /// Values with a mark.
    pub ticks: Vec<f64>,
    step: f64,
}

/// The next larger of 1, 2, 5, 10, 20 …
fn nice(step: f64) -> f64 {
    let ten = 10_f64.powf(step.log10().floor());
    let times = step / ten;
    let nice = if times <= 1.0001 {
        1.0
    } else if times <= 2.0001 {
        2.0
    } else if times <= 5.0001 {
        5.0
    } else {
        10.0
    };
    nice * ten
}

impl Axis {
    /// Over these values, with about so many marks; `whole` widens it to the next mark at both ends.
    pub fn new(least: f64, most: f64, unit: Unit, marks: u32, whole: bool) -> Axis {
        let sound = |value: f64| if value.is_finite() { value.clamp(-1e18, 1e18) } else { 0.0 };
        let (least, most) = (sound(least), sound(most));
        let (mut from, mut to) = (least.min(most), least.max(most));
        let scale = unit.scale(from.abs().max(to.abs()));
        if to - from < 1e-9 * to.abs().max(1.0) {
            // All values are one: show it in the middle.
            let room = if to.abs() < 1e-9 { 1.0 } else { to.abs() * 0.1 };
            (from, to) = (from - room, to + room);
        }
        let mut step = nice((to - from) / scale.by / f64::from(marks.max(1)));
        if matches!(unit, Unit::Count(_)) {
            step = step.max(1.0);
        }
        let step = step * scale.by;
        if whole {
            (from, to) = ((from / step + 1e-9).floor() * step, (to / step - 1e-9).ceil() * step);
        }
        let first = (from / step - 1e-9).ceil();
        let ticks = (0..u16::MAX)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|tick| *tick <= to + step * 1e-9)
            .take(64)
            .collect();
        Axis { from, to, scale, ticks, step }
    }

    /// Where a value is, as a share of the axis.
    pub fn share(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// What stands beside a mark.
    pub fn label(&self, value: f64) -> String {
        plain(value / self.scale.by, self.step / self.scale.by)
    }
}

/// A number with as many digits behind the point as its steps need, and groups of three before it.
pub fn plain(value: f64, step: f64) -> String {
    let digits = (0..9).find(|digits| {
        let times = step * 10_f64.powi(*digits);
        (times - times.round()).abs() < 1e-6 * times.abs().max(1e-9)
    });
    let digits = usize::try_from(digits.unwrap_or(9)).unwrap_or(0);
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut shown = String::new();
    // A zero has no sign.
    if value < 0.0 && text.chars().any(|digit| matches!(digit, '1'..='9')) {
        shown.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    if !rest.is_empty() {
        shown.push('.');
        shown.push_str(rest);
    }
    shown
}

/// A value with its unit, with three digits or so: `88.6 µs`.
pub fn said(value: f64, unit: Unit) -> String {
    let scale = unit.scale(value.abs());
    let shown = value / scale.by;
    let step = if matches!(unit, Unit::Count(_)) || shown.abs() >= 1000.0 {
        1.0
    } else if shown.abs() >= 10.0 {
        0.1
    } else {
        0.01
    };
    format!("{} {}", plain(shown, step), scale.name)
}

/// Two values with one unit: `88.6 to 186.3 µs`.
pub fn range(least: f64, most: f64, unit: Unit) -> String {
    let scale = unit.scale(least.abs().max(most.abs()));
    let steps = match unit {
        Unit::Count(_) => 1.0,
        _ if (most - least) / scale.by < 10.0 => 0.01,
        _ => 0.1,
    };
    format!("{} to {} {}", plain(least / scale.by, steps), plain(most / scale.by, steps), scale.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_where_people_expect_them() {
        let labels = |axis: Axis| axis.ticks.iter().map(|tick| axis.label(*tick)).collect::<Vec<_>>();
        let axis = Axis::new(88_600.0, 186_300.0, Unit::Nanoseconds, 5, true);
        assert_eq!(labels(axis.clone()), ["80", "100", "120", "140", "160", "180", "200"]);
        assert_eq!((axis.scale.name, axis.share(140_000.0)), ("µs", 0.5));
        assert_eq!(labels(Axis::new(-0.25, 0.5, Unit::Seconds, 3, true)), ["−0.5", "0.0", "0.5"]);
        assert_eq!(labels(Axis::new(0.0, 3.0, Unit::Count("packets"), 8, true)), ["0", "1", "2", "3"]);
        assert_eq!(labels(Axis::new(0.0, 24_000.0, Unit::Count("packets"), 2, false))[1], "20\u{202f}000");
        let one = Axis::new(5.0, 5.0, Unit::Count("frames"), 4, true);
        assert!(one.from < 5.0 && one.to > 5.0);
    }

    #[test]
    fn no_numbers_make_marks_without_end() {
        for least in [f64::NAN, f64::NEG_INFINITY, -1e300, 0.0, 1e300] {
            for most in [f64::NAN, f64::INFINITY, 1e300, -1e-300, 0.0, 5e-324] {
                for unit in [Unit::Nanoseconds, Unit::Count("packets"), Unit::Decibels("dB")] {
                    let axis = Axis::new(least, most, unit, 6, true);
                    assert!(axis.ticks.len() <= 64 && axis.from < axis.to, "{least} {most}");
                    assert!(axis.ticks.iter().all(|tick| axis.label(*tick).len() < 60));
                    assert!((0.0..=1.0).contains(&axis.share(least)));
                }
            }
        }
    }

    #[test]
    fn values_are_said_shortly() {
        assert_eq!(said(88_600.0, Unit::Nanoseconds), "88.6 µs");
        assert_eq!(said(1_088_435.0, Unit::Nanoseconds), "1088 µs");
        assert_eq!(said(-18.0, Unit::Decibels("dBFS")), "−18.0 dBFS");
        assert_eq!(said(12_345.0, Unit::Count("packets")), "12\u{202f}345 packets");
        assert_eq!(said(-0.001, Unit::Seconds), "0.00 s");
    }
}
