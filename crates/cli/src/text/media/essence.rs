//! What a stream carries, for people: pictures, sound, ancillary data.

use std::fmt::Write as _;

use media::ancillary::Line;
use model::media::Stream;
use model::media::ancillary::{AncillaryFacts, MetadataFacts, TextFacts};
use model::media::audio::AudioFacts;
use model::media::video::{CompressedFacts, Span, VideoFacts};

use super::probe::{rate, thousandths, time};
use crate::sanitise;
use crate::text::Form;
use crate::text::paper::field;

pub(super) fn write(out: &mut String, stream: &Stream, form: Form) {
    if let Some(facts) = &stream.video {
        video(out, facts, form);
    }
    if let Some(facts) = &stream.compressed {
        compressed(out, facts, form);
    }
    if let Some(facts) = &stream.audio {
        audio(out, facts, form);
    }
    if let Some(facts) = &stream.ancillary {
        ancillary(out, facts, form);
    }
    if let Some(facts) = &stream.metadata {
        metadata(out, facts, form);
    }
    if let Some(facts) = &stream.text {
        timed_text(out, facts, form);
    }
}

fn span(span: &Span) -> String {
    if span.min == span.max { span.min.to_string() } else { format!("{} to {}", span.min, span.max) }
}

fn video(out: &mut String, facts: &VideoFacts, form: Form) {
    let mut text = format!("{} whole, {} incomplete", facts.complete, facts.incomplete);
    if facts.skipped > 0 {
        let _ = write!(text, ", {} of which nothing came", facts.skipped);
    }
    let _ = write!(text, "; {} packets each", span(&facts.packets_per_unit));
    if let Some(packing) = facts.packing {
        let _ = write!(text, "; {}", packing.token());
    }
    let _ = write!(text, "; extended sequence {}", facts.extended_sequence.word());
    field(out, "pictures", &text, form);
    if facts.headers_only > 0 {
        let text = format!(
            "by headers alone: the capture cut {} of {} packets short; samples are not there to be looked at",
            facts.headers_only, facts.packets
        );
        field(out, "", &text, form);
    }
    if let (Some(least), Some(most)) = (facts.min_row, facts.max_row) {
        let mut text = format!("rows {least} to {most}, {} pixels", facts.right_edge);
        if let Some(micro) = facts.timestamp_rate_micro {
            let _ = write!(
                text,
                "; {}.{:03} frames a second by timestamps",
                micro / 1_000_000,
                micro % 1_000_000 / 1000
            );
        }
        if facts.pixels_missing > 0 {
            let _ = write!(text, "; {} pixels missing", facts.pixels_missing);
        }
        field(out, "raster", &text, form);
    }
}

fn compressed(out: &mut String, facts: &CompressedFacts, form: Form) {
    let text = format!(
        "{} whole, {} incomplete; {} packets and {} octets each{}",
        facts.complete,
        facts.incomplete,
        span(&facts.packets_per_unit),
        span(&facts.bytes_per_unit),
        facts.bits_per_second.map(|bits| format!("; {}", rate(bits))).unwrap_or_default()
    );
    field(out, "pictures", &text, form);
}

fn audio(out: &mut String, facts: &AudioFacts, form: Form) {
    let mut text = String::new();
    if let (Some(samples), Some(ns)) = (facts.samples_per_packet, facts.packet_time_ns) {
        let _ = write!(text, "{samples} samples, {} a packet", time(i64::try_from(ns).unwrap_or(i64::MAX)));
    }
    if let Some(level) = facts.level {
        let _ = write!(text, "; level {}", level.word());
    }
    if facts.step_faults > 0 {
        let _ = write!(text, "; {} odd steps of the timestamp", facts.step_faults);
    }
    field(out, "sound", &text, form);
    let mut text = String::new();
    for (name, spread) in [
        ("TS-DF (1 s)", facts.delay_factor_1s),
        ("TS-DF (200 ms)", facts.delay_factor_200ms),
        ("latency", facts.latency),
    ] {
        let Some(spread) = spread else { continue };
        let basis = match facts.latency_basis {
            Some(basis) if name == "latency" => format!(" ({})", basis.word()),
            _ => String::new(),
        };
        let (least, mean, most) = (time(spread.least_ns), time(spread.mean_ns), time(spread.most_ns));
        let comma = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{comma}{name}{basis} {least} / {mean} / {most}");
    }
    if let Some(deviation) = facts.rate_deviation_ppb {
        let _ = write!(text, "; rate {} ppm off", thousandths(deviation));
    }
    field(out, "delay", &text, form);
    for limit in &facts.limits {
        let text = format!("{}: {}", limit.quantity.word(), limit.grade.word());
        field(out, "limit", &text, form);
    }
}

/// Where ancillary data is to stand: numbers of lines, and in words what is no number.
fn places(lines: &[(u16, u64)]) -> String {
    let mut bits: Vec<u16> = lines.iter().map(|(bits, _)| *bits).collect();
    bits.sort_unstable();
    let places = bits.into_iter().map(Line::from_bits);
    let numbers: Vec<String> = places
        .clone()
        .filter_map(|place| if let Line::At(number) = place { Some(number.to_string()) } else { None })
        .collect();
    let numbers = match numbers.as_slice() {
        [] => None,
        [one] => Some(format!("line {one}")),
        all => Some(format!("lines {}", all.join(", "))),
    };
    let others = places.filter(|place| !matches!(place, Line::At(_))).map(|place| place.to_string());
    numbers.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

fn ancillary(out: &mut String, facts: &AncillaryFacts, form: Form) {
    let text = format!(
        "{} packets of data in {} frames or fields, {} empty; {} wrong parity, {} wrong checksum",
        facts.data_packets, facts.periods, facts.keep_alives, facts.parity_errors, facts.checksum_errors
    );
    field(out, "data", &text, form);
    for kind in &facts.kinds {
        let name = kind.name.map(|(name, standard)| format!(" {name} ({standard})")).unwrap_or_default();
        let text = format!(
            "{:02X}/{:02X}{name}: {} packet{}, {}",
            kind.did,
            kind.sdid,
            kind.packets,
            if kind.packets == 1 { "" } else { "s" },
            places(&kind.lines)
        );
        field(out, "kind", &text, form);
    }
    for code in &facts.time_codes {
        let text = format!("{}: {} to {}, {} jumps", code.origin, code.first, code.last, code.jumps);
        field(out, "time code", &sanitise::line(&text), form);
    }
    for caption in &facts.captions {
        let text = format!("{}: {}", caption.service, caption.last);
        field(out, "captions", &sanitise::line(&text), form);
    }
}

fn metadata(out: &mut String, facts: &MetadataFacts, form: Form) {
    for kind in &facts.kinds {
        let name = kind.name.unwrap_or("unknown");
        field(out, "item", &format!("0x{:06X} {name}: {} items", kind.kind, kind.items), form);
    }
}

fn timed_text(out: &mut String, facts: &TextFacts, form: Form) {
    field(out, "documents", &format!("{} whole", facts.documents), form);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_line_is_told_in_words() {
        assert_eq!(places(&[(571, 1), (9, 7), (10, 2)]), "lines 9, 10, 571");
        assert_eq!(places(&[(9, 7)]), "line 9");
        assert_eq!(places(&[(0x7fe, 4)]), "before the picture");
        assert_eq!(places(&[(0x7ff, 1), (9, 7), (0x7fd, 1)]), "line 9, beyond line 2044, any line");
    }
}
