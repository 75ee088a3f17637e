//! What is measured of streams, as plots: the same in a report and on a page.

use media::plot::{Bin, Histogram, Limit, Line, Point, Series, Unit};
use model::media::shaping::{ShapingFacts, UnitShape};
use model::media::spread::LogHistogram;
use model::media::{SenderType, StreamLeg};

/// Times between packets, and how often which.
#[expect(clippy::cast_precision_loss, reason = "a plot is not exact to the nanosecond")]
pub fn intervals(of: &str, histogram: &LogHistogram) -> Histogram {
    Histogram {
        title: String::from("Time between packets"),
        subject: of.to_owned(),
        unit: Unit::Nanoseconds,
        things: "packets",
        bins: histogram
            .bars()
            .map(|(from, to, count)| Bin { from: from as f64, to: to as f64, count })
            .collect(),
        logarithmic: true,
        limits: Vec::new(),
    }
}

/// The receiver's buffer and the network's bucket, unit by unit; nothing where no unit was judged.
#[expect(clippy::cast_precision_loss, reason = "a plot is not exact to the packet")]
pub fn pacing(of: &str, shaping: &ShapingFacts) -> Vec<Series> {
    if shaping.series.is_empty() {
        return Vec::new();
    }
    let promised = shaping.declared.or(shaping.satisfied).unwrap_or(SenderType::Wide);
    let limits = shaping.types.iter().find(|it| it.sender_type == promised);
    let limit = |value: Option<u64>, name: &str| {
        let label = format!("{name} of {}", promised.token());
        value.map(|value| Limit { value: value as f64, label }).into_iter().collect::<Vec<_>>()
    };
    let linear = promised != SenderType::Narrow;
    let points = |of: &dyn Fn(&UnitShape) -> Option<(i32, i32)>| -> Vec<Point> {
        let point = |(at, unit): (usize, &UnitShape)| {
            let (least, most) = of(unit)?;
            let (least, most) = (f64::from(least), f64::from(most));
            Some(Point { at: at as f64, least, mean: f64::midpoint(least, most), most })
        };
        shaping.series.iter().enumerate().filter_map(point).collect()
    };
    let series = |title: &str, points, limits| Series {
        title: title.to_owned(),
        subject: of.to_owned(),
        along: Unit::Count("frame or field"),
        unit: Unit::Count("packets"),
        lines: vec![Line { name: title.to_owned(), points }],
        limits,
        from_zero: true,
        peaks: true,
    };
    let buffer = points(&|unit| if linear { unit.linear } else { unit.gapped });
    let full = limit(limits.and_then(|it| it.buffer_limit), "VRX_FULL");
    let bursts = points(&|unit| {
        let most = i32::try_from(unit.burst_most).unwrap_or(i32::MAX);
        Some((most, most))
    });
    let most = limit(limits.and_then(|it| it.burst_limit), "C_MAX");
    vec![series("VRX", buffer, full), series("C_INST", bursts, most)]
}

/// Which plots there are of a leg, by name.
pub fn names(leg: &StreamLeg) -> Vec<&'static str> {
    let paced = leg.shaping.as_ref().is_some_and(|shaping| !shaping.series.is_empty());
    let counted = leg.reception.interval_histogram.total() > 0;
    let all = [("intervals", counted), ("vrx", paced), ("cinst", paced)];
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// A plot of a leg as SVG, by its name.
pub fn svg(of: &str, leg: &StreamLeg, name: &str) -> Option<String> {
    match name {
        "intervals" => Some(intervals(of, &leg.reception.interval_histogram).svg()),
        "vrx" => pacing(of, leg.shaping.as_ref()?).first().map(Series::svg),
        "cinst" => pacing(of, leg.shaping.as_ref()?).get(1).map(Series::svg),
        _ => None,
    }
}
