//! Everything that was measured of each stream.

use std::fmt::Write as _;

use engine::TrafficView;
use model::Subject;
use model::media::reception::{ClockBasis, HitlessFacts, ReceptionFacts, TimingFacts};
use model::media::spread::Spread;
use model::media::{Stream, StreamLeg};

use super::essence;
use super::pacing;
use super::{session_name, what};
use crate::sanitise;
use crate::style::Paint;
use crate::text::paper::field;
use crate::text::{Form, traffic};

/// Writes a page for each stream, then the findings.
pub(crate) fn media_probe(out: &mut String, view: &TrafficView, form: Form) {
    let media = &view.traffic.media;
    if media.streams.is_empty() {
        out.push_str("No media was seen.\n");
    }
    for (index, stream) in media.streams.iter().enumerate() {
        media_page(out, view, index, stream, form);
    }
    super::media_count(out, view);
    out.push('\n');
    traffic::findings(out, view, form);
    traffic::foot(out, view, form);
}

/// Writes everything about one stream.
pub(crate) fn media_page(out: &mut String, view: &TrafficView, index: usize, stream: &Stream, form: Form) {
    let media = &view.traffic.media;
    let title = media.subject_name(&Subject::Stream(index)).unwrap_or_default();
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, sanitise::line(&title)));
    field(out, "what", &what(stream), form);
    for assumed in &stream.assumed {
        field(out, "assumed", assumed, form);
    }
    field(out, "session", &session_name(&media.sessions, stream.session), form);
    field(out, "rtp", &format!("SSRC 0x{:08x}, payload type {}", stream.ssrc, stream.payload_type), form);
    for (at, leg) in stream.legs.iter().enumerate() {
        if stream.legs.len() > 1 {
            field(out, "leg", &format!("{}: {} to {}", at + 1, leg.source, leg.destination), form);
        }
        of_leg(out, leg, form);
    }
    if let Some(hitless) = &stream.hitless {
        joined(out, hitless, form);
    }
    essence::write(out, stream, form);
    for fault in &stream.faults {
        let detail = if fault.detail.is_empty() {
            String::new()
        } else {
            format!(" ({})", sanitise::line(&fault.detail))
        };
        let text = format!(
            "{}, {}×, first in frame {}: {}{detail} [{}]",
            fault.rule.name, fault.count, fault.first.frame, fault.rule.text, fault.rule.clause
        );
        field(out, "fault", &text, form);
    }
    out.push('\n');
}

fn of_leg(out: &mut String, leg: &StreamLeg, form: Form) {
    received(out, &leg.reception, form);
    if let Some(timing) = &leg.timing {
        clock(out, timing, form);
    }
    if let Some(shaping) = &leg.shaping {
        pacing::write(out, shaping, form);
    }
}

fn received(out: &mut String, reception: &ReceptionFacts, form: Form) {
    let mut text = format!(
        "{} packets, {} lost, {} again, {} out of order, {}",
        reception.packets,
        reception.lost,
        reception.duplicates,
        reception.reordered,
        rate(reception.rate_bps)
    );
    if reception.loss_runs > 0 {
        let _ =
            write!(text, "; {} runs of loss, the longest {}", reception.loss_runs, reception.loss_run_most);
    }
    if reception.resets + reception.source_changes > 0 {
        let _ = write!(text, "; began anew {}×", reception.resets + reception.source_changes);
    }
    field(out, "received", &text, form);
    if !reception.interval_ns.is_empty() {
        let jitter = format!("; jitter {} (RFC 3550)", time(i64::try_from(reception.jitter_ns).unwrap_or(0)));
        field(out, "intervals", &format!("{}{jitter}", times(&reception.interval_ns)), form);
    }
    if let Some(reports) = &reception.reports {
        let mut text = format!(
            "{} sender and {} receiver reports; sent {}, received {}",
            reports.sender_reports, reports.receiver_reports, reports.sent, reports.received
        );
        if let Some(drift) = reports.rtp_drift_ppb {
            let _ = write!(text, "; RTP against NTP {} ppm", thousandths(drift));
        }
        if let Some(name) = &reports.canonical_name {
            let _ = write!(text, "; from {}", sanitise::line(name));
        }
        field(out, "rtcp", &text, form);
    }
}

fn clock(out: &mut String, timing: &TimingFacts, form: Form) {
    let what = match timing.basis {
        ClockBasis::Relative => "arrival less RTP time, from the first packet on",
        _ => "arrival less RTP time",
    };
    let mut text = format!("{} Hz, capture clock {}", timing.clock_rate, timing.basis.word());
    if !timing.latency_ns.is_empty() {
        let _ = write!(text, "; {what} {}", times(&timing.latency_ns));
    }
    if let Some(drift) = timing.drift_ppb {
        let _ = write!(text, "; drift {} ppm", thousandths(drift));
    }
    field(out, "clock", &text, form);
    if let (Some(utc), Some(tai)) = (timing.late_if_utc_ns, timing.late_if_tai_ns) {
        let text = format!(
            "no PTP tells of the capture's clock; were it UTC, the first packet came {}, were it TAI, {}; neither is believed \
             (50 ms before to 1 s after would be), so latency, FPT and read offsets are not judged, only changes",
            against(utc),
            against(tai)
        );
        field(out, "", &text, form);
    }
    if timing.timestamps > 1 {
        let steps: Vec<String> =
            timing.steps.iter().take(4).map(|(step, count)| format!("{step} ({count}×)")).collect();
        let odd = if timing.steps_odd > 0 { format!("; {} odd", timing.steps_odd) } else { String::new() };
        field(out, "steps", &format!("{} ticks{odd}", steps.join(", ")), form);
    }
}

/// How a packet came against its RTP time.
fn against(late_ns: i64) -> String {
    match late_ns {
        0.. => format!("{} after its RTP time", time(late_ns)),
        _ => format!("{} before its RTP time", time(late_ns.saturating_neg())),
    }
}

fn joined(out: &mut String, hitless: &HitlessFacts, form: Form) {
    let text = format!(
        "{} on any leg, {} on all, {} identical, {} different, {} missing; path difference {}, class {}, {}",
        hitless.union,
        hitless.common,
        hitless.identical,
        hitless.different,
        hitless.missing,
        times(&hitless.path_difference_ns),
        hitless.class.map_or("none", |class| class.word()),
        hitless.protection.word(),
    );
    field(out, "legs", &text, form);
    for (at, leg) in hitless.legs.iter().enumerate() {
        let text = format!(
            "{}: {} received, {} lost, {} only here, {} late, {} first",
            at + 1,
            leg.received,
            leg.lost,
            leg.only_here,
            leg.late,
            leg.first_here
        );
        field(out, "", &text, form);
    }
}

/// A rate for people: `2.17 Gbit/s`.
pub(crate) fn rate(bits: u64) -> String {
    match bits {
        0..1_000_000 => format!("{}.{} kbit/s", bits / 1000, bits % 1000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{:02} Mbit/s", bits / 1_000_000, bits % 1_000_000 / 10_000),
        _ => format!("{}.{:02} Gbit/s", bits / 1_000_000_000, bits % 1_000_000_000 / 10_000_000),
    }
}

/// A time for people: `4.63 µs`, `-1.2 ms`.
pub(super) fn time(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let most = ns.unsigned_abs();
    match most {
        0..1000 => format!("{sign}{most} ns"),
        1000..1_000_000 => format!("{sign}{}.{:02} µs", most / 1000, most % 1000 / 10),
        1_000_000..1_000_000_000 => format!("{sign}{}.{:03} ms", most / 1_000_000, most % 1_000_000 / 1000),
        _ => format!("{sign}{}.{:03} s", most / 1_000_000_000, most % 1_000_000_000 / 1_000_000),
    }
}

/// Least, mean and most of times.
pub(super) fn times(spread: &Spread) -> String {
    match spread.mean() {
        Some(mean) => format!("{} / {} / {}", time(spread.least), time(mean), time(spread.greatest)),
        None => String::from("-"),
    }
}

/// Parts in a thousand million as parts in a million.
pub(super) fn thousandths(parts: i64) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let most = parts.unsigned_abs();
    format!("{sign}{}.{:03}", most / 1000, most % 1000)
}
