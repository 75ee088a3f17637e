//! Audio: rates, packet times, channels (AES67, ST 2110-30:2017 §6, ST 2110-31:2022).

use super::medium::{Medium, Said};
use super::video::{needs, timestamps};
use super::{Lint, Report, Severity, is_decimal};
use crate::sdp::fields::number;
use crate::sdp::format::{packet_time, whole_samples};

/// Octets of samples in a packet of the standard size: 1460 less the headers of UDP and RTP (ST 2110-10:2022 §6.3).
const MOST_OCTETS: u64 = 1440;

pub(super) fn judge(report: &mut Report<'_>, medium: &Medium<'_>) {
    let mut is_audio = false;
    for said in medium.said(&["L16", "L24", "AM824"]) {
        let am824 = said.map.name.eq_ignore_ascii_case("AM824");
        is_audio = true;
        rate(report, &said, am824);
        channels(report, &said, am824);
        if said.parameters.is_some() {
            let known = &["channel-order", "TSMODE", "TSDELAY", "IPMX", "measuredsamplerate"];
            needs(report, &said, known, &[], "ST 2110-30:2017 §6.2.2");
            timestamps(report, &said);
            order(report, &said);
        }
        time(report, medium, &said, am824);
    }
    let audio = medium.line.as_ref().is_some_and(|line| line.kind == "audio");
    if !is_audio && !audio {
        return;
    }
    let mut times = 0;
    for name in ["ptime", "maxptime"] {
        for (nth, (line, value)) in medium.section.attributes(name).enumerate() {
            times += usize::from(name == "ptime");
            if nth > 0 || packet_time(value).is_none() || !is_decimal(value) {
                report.tell(Lint::PacketTimeForm, line.at, value);
            }
        }
    }
    let time = |name| medium.section.attributes(name).next();
    if let (Some((_, usual)), Some((line, longest))) = (time("ptime"), time("maxptime"))
        && packet_time(usual).zip(packet_time(longest)).is_some_and(|(usual, longest)| longest < usual)
    {
        report.tell(Lint::PacketTimeForm, line.at, format!("at most {longest}, usually {usual}"));
    }
    if times == 0 && is_audio {
        report.tell(Lint::PacketTimeMissing, medium.at, "");
    }
}

fn rate(report: &mut Report<'_>, said: &Said<'_, '_>, am824: bool) {
    let rate = said.map.clock_rate;
    let allowed = match said.map.name.to_ascii_uppercase().as_str() {
        _ if am824 => matches!(rate, 44_100 | 48_000 | 96_000),
        "L16" => matches!(rate, 44_100 | 48_000),
        _ => matches!(rate, 48_000 | 96_000),
    };
    if !allowed {
        report.tell(Lint::SampleRate, said.map_at, format!("{} at {rate}", said.map.name));
    }
}

fn channels(report: &mut Report<'_>, said: &Said<'_, '_>, am824: bool) {
    match (&said.map.parameters, said.map.channels()) {
        (None, _) => report.tell(Lint::Channels, said.map_at, "is not said"),
        (Some(text), None) => report.tell(Lint::Channels, said.map_at, text),
        (_, Some(channels)) if am824 && channels % 2 == 1 => {
            report.tell_by(Lint::Channels, "ST 2110-31:2022", said.map_at, format!("is odd, {channels}"));
        }
        (_, Some(channels)) if channels > 64 => {
            let detail = format!("is larger than any level has, {channels}");
            report.tell_as(Lint::Channels, Severity::Warning, said.map_at, detail);
        }
        _ => {}
    }
}

fn time(report: &mut Report<'_>, medium: &Medium<'_>, said: &Said<'_, '_>, am824: bool) {
    let Some((line, text)) = medium.section.attributes("ptime").next() else { return };
    let Some(ns) = packet_time(text).map(|ns| whole_samples(ns, said.map.clock_rate)) else { return };
    let samples =
        ns.saturating_mul(u64::from(said.map.clock_rate)).saturating_add(500_000_000) / 1_000_000_000;
    let known = if am824 {
        matches!(text, "1" | "0.12" | "0.08" | "1.09" | "0.14" | "0.09")
    } else {
        matches!(ns, 1_000_000 | 125_000) || (said.map.clock_rate == 44_100 && matches!(samples, 48 | 6))
    };
    if !known {
        report.tell(Lint::PacketTimeLevel, line.at, text);
    }
    let octets = match said.map.name.to_ascii_uppercase().as_str() {
        "L16" => 2,
        "L24" => 3,
        _ => 4,
    };
    let whole = samples * octets * said.map.channels().map_or(1, u64::from);
    if whole > MOST_OCTETS {
        report.tell(Lint::PacketTooLong, line.at, format!("{whole} octets"));
    }
    if let Some((line, text)) = medium.section.attributes("framecount").next()
        && number::<u64>(text) != Some(samples)
    {
        report.tell(Lint::FrameCount, line.at, format!("{text} for {samples}"));
    }
}

/// Channels of a group of ST 2110-30:2017 §6.2.2; `AES3` is of ST 2110-31.
fn group_channels(name: &str) -> Option<u16> {
    Some(match name {
        "M" => 1,
        "DM" | "ST" | "LtRt" | "AES3" => 2,
        "SGRP" => 4,
        "51" => 6,
        "71" => 8,
        "222" => 24,
        _ => {
            let digits = name.strip_prefix('U').filter(|digits| digits.len() == 2)?;
            number(digits).filter(|count| (1..=64).contains(count))?
        }
    })
}

fn order(report: &mut Report<'_>, said: &Said<'_, '_>) {
    let Some(order) = said.value("channel-order") else { return };
    let Some(rest) = order.strip_prefix("SMPTE2110.") else {
        // Other conventions may be; this one is the advice.
        return report.tell_as(Lint::ChannelOrder, Severity::Warning, said.at, order);
    };
    let groups = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let sizes = groups.and_then(|groups| groups.split(',').map(group_channels).collect::<Option<Vec<_>>>());
    let Some(sizes) = sizes else {
        return report.tell(Lint::ChannelOrder, said.at, order);
    };
    let sum: u32 = sizes.into_iter().map(u32::from).sum();
    if said.map.channels().is_some_and(|channels| u32::from(channels) != sum) {
        report.tell(Lint::ChannelOrderSum, said.at, format!("{sum}"));
    }
}
