//! Plots of numbers that are known, and of numbers that no plot should meet.

use std::{env, fs};

use super::*;

/// Spread like the times between packets of a quiet network, with a few late ones.
fn between() -> Histogram {
    let bins = (0..120_u32).map(|k| {
        let from = 80_000.0 + f64::from(k) * 1000.0;
        let away = (from - 125_000.0) / 9000.0;
        let count = 900.0 * (-away * away / 2.0).exp() + if k % 13 == 7 && k > 80 { 2.0 } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a thousand")]
        Bin { from, to: from + 1000.0, count: count.round() as u64 }
    });
    Histogram {
        title: "Time between packets".into(),
        subject: "239.1.1.1:5004 · L24/48000/8".into(),
        unit: Unit::Nanoseconds,
        things: "packets",
        bins: bins.collect(),
        logarithmic: true,
        limits: vec![
            Limit { value: 125_000.0, label: "packet time".into() },
            Limit { value: 2_125_000.0, label: "17 packet times".into() },
        ],
    }
}

fn buffer() -> Series {
    let peaks = (0..3000_u64).map(|frame| {
        let wave = i64::try_from(frame * 7919 % 97 % 5).unwrap();
        (frame, 0, 4 + wave - i64::from(frame % 11 == 0) + 2 * i64::from(frame % 977 == 5))
    });
    let limits = vec![
        Limit { value: 8.0, label: "VRX_FULL narrow".into() },
        Limit { value: 720.0, label: "VRX_FULL wide".into() },
    ];
    Series::vrx("239.1.1.2:5004 · 1080p50", peaks, limits)
}

fn delays() -> Series {
    let line = |name: &str, shift: f64| Line {
        name: name.into(),
        points: (0..200_u32)
            .map(|k| {
                let at = f64::from(k) * 0.2e9;
                let mean = 40_000.0 * (f64::from(k) / 17.0 + shift).sin() + shift * 10_000.0;
                Point { at, least: mean - 21_000.0, mean, most: mean + 33_000.0 }
            })
            .collect(),
    };
    Series {
        title: "Arrival minus RTP time".into(),
        subject: "two legs".into(),
        along: Unit::Nanoseconds,
        unit: Unit::Nanoseconds,
        lines: vec![line("red", 0.0), line("blue", 3.0)],
        limits: vec![Limit { value: 125_000.0, label: "1 packet time".into() }],
        from_zero: false,
        peaks: false,
    }
}

fn meters() -> Meters {
    let meter = |name: &str, rms: f64, peak: f64| Meter {
        name: name.into(),
        rms: Some(rms),
        peak: Some(peak),
        true_peak: Some(peak + 0.4),
    };
    Meters {
        subject: "239.1.1.1:5004".into(),
        loudness: "51 −23.1 LUFS, ST −22.9 LUFS".into(),
        meters: vec![
            meter("L", -24.0, -10.2),
            meter("R", -23.2, -8.1),
            meter("C", -21.0, -6.0),
            meter("LFE", -38.0, -20.0),
            meter("Ls", -30.3, -18.0),
            Meter { name: "Rs".into(), ..Meter::default() },
            meter("Lt", -18.2, -0.4),
            meter("Rt", -65.0, -60.0),
        ],
    }
}

fn drawings() -> Vec<(&'static str, Drawing)> {
    let linear = Histogram { logarithmic: false, ..between() };
    vec![
        ("histogram", between().draw()),
        ("histogram-linear", linear.draw()),
        ("vrx", buffer().draw()),
        ("delays", delays().draw()),
        ("meters", meters().draw()),
    ]
}

/// Whether every element that is opened is closed, and no text is left open.
fn is_well_formed(svg: &str) -> bool {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default());
        }
        if tag.matches('"').count() % 2 != 0 {
            return false;
        }
    }
    open.is_empty()
}

#[test]
fn plots_say_what_they_show_and_ask_for_nothing() {
    for (name, drawing) in drawings() {
        let svg = drawing.svg();
        assert!(is_well_formed(&svg), "{name}");
        assert!(svg.contains("<title>") && svg.contains("<desc>") && svg.contains("role=\"img\""));
        for forbidden in ["href", "url(", "@import", "<script", "src=", "NaN", "inf\""] {
            assert!(!svg.contains(forbidden), "{name}: {forbidden}");
        }
        assert!(svg.len() < 120_000, "{name}: {} octets", svg.len());
        // Look at them: PORTREEVE_PLOTS names a folder for both.
        if let Some(folder) = env::var_os("PORTREEVE_PLOTS") {
            let folder = std::path::PathBuf::from(folder);
            fs::write(folder.join(name).with_extension("svg"), &svg).unwrap();
            fs::write(folder.join(format!("{name}-light.png")), drawing.png(Theme::Light, 2)).unwrap();
            fs::write(folder.join(format!("{name}-dark.png")), drawing.png(Theme::Dark, 2)).unwrap();
        }
    }
    assert!(buffer().svg().contains("out of the picture: VRX_FULL wide 720 packets"));
    assert!(
        between().svg().contains("17 packet times 2.12 ms")
            || between().svg().contains("17 packet times 2.13 ms")
    );
}

#[test]
fn a_png_holds_the_same_plot() {
    let drawing = meters().draw();
    for (theme, scale) in [(Theme::Light, 0), (Theme::Dark, 2)] {
        let file = drawing.png(theme, scale);
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, 880 * u32::from(scale.clamp(1, 4)));
        assert_eq!(pixels[..3], theme.paper());
        let different: std::collections::BTreeSet<_> = pixels.as_chunks::<3>().0.iter().collect();
        assert!(different.len() > 20);
    }
}

#[test]
fn text_of_strangers_stays_text() {
    let evil = "\"/><script>alert(1)</script>&\u{202e}'\n\u{1b}[31m".to_owned() + &"x".repeat(5000);
    let series = Series { subject: evil.clone(), title: evil.clone(), ..delays() };
    let mut histogram = Histogram { subject: evil.clone(), ..between() };
    histogram.limits.push(Limit { value: 100_000.0, label: evil.clone() });
    let mut levels = meters();
    levels.meters[0].name = evil;
    for svg in [series.svg(), histogram.svg(), levels.svg()] {
        assert!(is_well_formed(&svg) && !svg.contains("<script") && !svg.contains('\u{202e}'));
        assert!(!svg.contains(&"x".repeat(200)) && !svg.contains('\u{1b}'));
    }
}

#[test]
fn nothing_and_too_much_are_drawn_as_well() {
    let empty = Histogram { bins: vec![], limits: vec![], ..between() };
    assert!(empty.svg().contains("no data") && empty.svg().contains("nothing was counted"));
    let none = Series { lines: vec![], ..delays() };
    assert!(none.svg().contains("no data"));
    let channels = Meters { meters: vec![], ..meters() };
    assert!(channels.svg().contains("no channels"));
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1e300, 1e300];
    let bins = odd.iter().flat_map(|from| odd.iter().map(|to| Bin { from: *from, to: *to, count: u64::MAX }));
    let histogram = Histogram { bins: bins.collect(), ..between() };
    let points = odd.iter().map(|value| Point { at: *value, least: -*value, mean: *value, most: *value });
    let line = Line { name: String::new(), points: points.collect() };
    let many = Line {
        name: String::new(),
        points: (0..100_000).map(|k| Point::new(k as f64, (k % 9) as f64)).collect(),
    };
    let series = Series { lines: vec![line; 9], ..delays() };
    let long = Series { lines: vec![many], ..delays() };
    let loud =
        Meter { rms: Some(f64::NAN), peak: Some(1e300), true_peak: Some(f64::INFINITY), name: String::new() };
    let meters = Meters { meters: vec![loud; 1000], ..meters() };
    for drawing in [histogram.draw(), series.draw(), long.draw(), meters.draw()] {
        let svg = drawing.svg();
        assert!(is_well_formed(&svg) && !svg.contains("NaN\"") && svg.len() < 400_000, "{}", svg.len());
        assert!(!drawing.png(Theme::Light, 1).is_empty());
    }
}

#[test]
fn joined_points_keep_the_least_and_the_most() {
    let mut points: Vec<Point> = (0..100_000).map(|k| Point::new(f64::from(k), 1.0)).collect();
    points[77_777].most = 90.0;
    points[33_333].least = -90.0;
    let line = Line { name: "one".into(), points };
    let series = Series { lines: vec![line], limits: vec![], ..delays() };
    assert!(series.svg().contains("−90.0 to 90.0 ns"));
    let bins =
        (0..100_000).map(|k| Bin { from: f64::from(k), to: f64::from(k + 1), count: u64::from(k == 50_000) });
    let histogram = Histogram { bins: bins.collect(), limits: vec![], ..between() };
    assert!(histogram.svg().contains("1 packets") && histogram.svg().matches("var(--data0)\"").count() == 1);
}

#[test]
fn programmes_of_one_name_are_told_apart_by_their_channels() {
    use model::media::sound::{ChannelLevel, Loudness, SoundFacts};
    let channel = |name: &str| ChannelLevel { name: name.into(), ..ChannelLevel::default() };
    let programme = |group: &str, first_channel, channels| Loudness {
        group: group.into(),
        first_channel,
        channels,
        integrated_clu: Some(-2300),
        ..Loudness::default()
    };
    let facts = SoundFacts {
        channels: ["L", "R", "U1", "U2", "U3", "U4"].map(channel).into(),
        programmes: vec![programme("ST", 0, 2), programme("U04", 2, 2), programme("U04", 4, 2)],
        ..SoundFacts::default()
    };
    let meters = Meters::new("here", &facts);
    assert_eq!(meters.loudness, "ST −23.0 LUFS, U1–U2 −23.0 LUFS, U3–U4 −23.0 LUFS");
}
