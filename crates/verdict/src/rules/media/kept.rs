//! Whether a stream keeps its standard: pacing-not-kept, timestamps-not-kept, essence-fault.

use model::media::reception::{ClockBasis, TimingFacts};
use model::media::shaping::{ShapingFacts, TypeFacts};
use model::media::{Basis, SenderType, Stream, StreamFault};
use model::{Code, Confidence, Severity, Subject};

use super::words;
use crate::docket::{Cause, Docket};
use crate::judge::{say, usual};
use crate::rules::wire::words::{count, frame, grouped};

pub(super) fn judge<'a>(index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    for leg in &stream.legs {
        if let Some(shaping) = &leg.shaping {
            pacing(index, stream, shaping, docket);
        }
        if let Some(timing) = &leg.timing {
            timestamps(index, stream, timing, docket);
        }
    }
    format(index, stream, docket);
    essence(index, stream, docket);
}

fn name(sender_type: SenderType) -> &'static str {
    match sender_type {
        SenderType::Narrow => "narrow",
        SenderType::NarrowLinear => "narrow linear",
        SenderType::Wide => "wide",
    }
}

fn pacing<'a>(index: usize, stream: &'a Stream, shaping: &'a ShapingFacts, docket: &mut Docket<'a>) {
    // Without a promise, a stream is only told of that keeps nothing.
    let promised = match (shaping.declared, shaping.satisfied) {
        (Some(declared), _) => declared,
        (None, None) => SenderType::Wide,
        (None, Some(_)) => return,
    };
    let Some(kept) = shaping.types.iter().find(|it| it.sender_type == promised) else { return };
    if kept.kept >= shaping.units || shaping.units == 0 {
        return;
    }
    let severity = match shaping.declared {
        Some(_) => usual(Code::PacingNotKept),
        None => Severity::Note,
    };
    // A time stamp of software holds the jitter of its machine.
    let confidence = if shaping.basis == ClockBasis::Traced { Confidence::Medium } else { Confidence::Low };
    let subject = Subject::Stream(index);
    docket.raise(Code::PacingNotKept, (severity, confidence), Cause::Number(index), subject, || {
        let mut facts = broken(kept, shaping);
        let says = match shaping.declared {
            Some(declared) => format!("Its session says {} ({}).", name(declared), declared.token()),
            None => "No session says which type it is.".to_owned(),
        };
        let keeps = match shaping.satisfied {
            Some(satisfied) => format!("Every frame keeps {}.", name(satisfied)),
            None => "Not every frame keeps any of the types.".to_owned(),
        };
        facts.push((format!("{says} {keeps}"), "ST 2110-21:2022 §8".to_owned()));
        if let Some(swapped) = stream.faults.iter().find(|fault| fault.rule.name == "fields-swapped") {
            facts.push((
                "Its fields seem to be marked the wrong way round: then each is held against the schedule of the other."
                    .to_owned(),
                frame(swapped.first.frame),
            ));
        }
        facts.push((
            format!("The clock of the capture is {}; its stamps hold the jitter of its machine.", shaping.basis.word()),
            "the capture".to_owned(),
        ));
        say(
            format!("{} of {} are not paced as {}: the stream to ", grouped(shaping.units - kept.kept), units(shaping.units), name(promised)),
            "",
            facts,
            "capture with hardware time stamps; if it stays, correct the sender's pacing or signal the type that it keeps",
        )
    });
}

fn units(number: u64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "frame or field" } else { "frames or fields" })
}

fn broken(kept: &TypeFacts, shaping: &ShapingFacts) -> Vec<(String, String)> {
    let place = kept.first_violation.map_or_else(|| "the capture".to_owned(), |it| frame(it.frame));
    let mut facts = Vec::new();
    if kept.bursts > 0 {
        let limit = kept.burst_limit.map(|limit| format!(" above {limit}")).unwrap_or_default();
        facts.push((
            format!(
                "{} filled the network's bucket{limit}, up to {} (ST 2110-21:2022 §6.6).",
                count(kept.bursts, "frame"),
                shaping.burst.greatest,
            ),
            place.clone(),
        ));
    }
    if kept.overflows > 0 {
        let limit = kept.buffer_limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        facts.push((
            format!(
                "{} overflowed the receiver's buffer{limit} (ST 2110-21:2022 §7.1).",
                count(kept.overflows, "frame")
            ),
            place.clone(),
        ));
    }
    if kept.underflows > 0 {
        facts.push((
            format!(
                "{} had packets after they were to be read (ST 2110-21:2022 §7.1).",
                count(kept.underflows, "frame")
            ),
            place,
        ));
    }
    facts
}

fn timestamps<'a>(index: usize, stream: &'a Stream, timing: &'a TimingFacts, docket: &mut Docket<'a>) {
    let tied = timing.basis != ClockBasis::Relative;
    let future = if tied { timing.future } else { 0 };
    // Of sound, samples tell how far a timestamp goes where no session tells how long a packet is.
    let of_samples = stream.faults.iter().find(|fault| fault.rule.name == "audio-timestamp-step");
    let of_samples = of_samples.filter(|_| timing.steps_odd == 0);
    let odd = timing.steps_odd + timing.backwards + of_samples.map_or(0, |fault| fault.count);
    if odd + future == 0 {
        return;
    }
    let severity = if odd > 0 { usual(Code::TimestampsNotKept) } else { Severity::Note };
    let cause = Cause::Number(index);
    let subject = Subject::Stream(index);
    docket.raise(Code::TimestampsNotKept, (severity, Confidence::Medium), cause, subject, || {
        let place = timing.first_odd_step.map_or_else(|| words::first_frame(stream), |it| frame(it.frame));
        let mut facts = Vec::new();
        if timing.steps_odd > 0 {
            let steps: Vec<String> = timing
                .steps
                .iter()
                .take(4)
                .map(|(step, times)| format!("{step} ({}×)", grouped(*times)))
                .collect();
            facts.push((
                format!(
                    "{} that the rate does not explain; the commonest are {} ticks (ST 2110-10:2022 §7.6).",
                    count(timing.steps_odd, "step"),
                    steps.join(", ")
                ),
                place,
            ));
        }
        if let Some(fault) = of_samples {
            facts.push((told(fault), frame(fault.first.frame)));
        }
        if timing.backwards > 0 {
            facts.push((
                format!("{} back (RFC 3550 §5.1).", count(timing.backwards, "step")),
                words::first_frame(stream),
            ));
        }
        if future > 0 {
            facts.push((
                format!(
                    "{} came before its own time, on a capture clock that is {} (ST 2110-10:2022 §7.7).",
                    count(future, "packet"),
                    timing.basis.word()
                ),
                words::first_frame(stream),
            ));
        }
        say(
            "Its timestamps do not follow the rule: the stream to ",
            "",
            facts,
            "look whether the sender is locked to PTP, in which domain, and to which grandmaster",
        )
    });
}

/// What others told already, or what says little alone: of loss, order, clock and pacing.
const TOLD_ELSEWHERE: [&str; 13] = [
    "loss",
    "sequence-reset",
    "source-change",
    "timestamp-in-future",
    "timestamp-step",
    "timestamp-backwards",
    "audio-timestamp-step",
    "burst",
    "burst-declared",
    "buffer-overflow",
    "buffer-underflow",
    "narrow-without-gap",
    "wide-too-fast",
];

fn is_told(stream: &Stream, fault: &StreamFault) -> bool {
    let agreed = matches!(stream.format, Some((_, Basis::Session(_))));
    TOLD_ELSEWHERE.contains(&fault.rule.name) || agreed && is_of_format(stream, fault)
}

/// Whether a breach says that another format came. One packet of hundreds is a mistake of its sender, and no other format.
fn is_of_format(stream: &Stream, fault: &StreamFault) -> bool {
    let of_packets = matches!(fault.rule.name, "srd-row" | "srd-width" | "field-of-progressive");
    let packets = stream.video.as_ref().map_or(0, |video| video.packets);
    let is_rare = of_packets && fault.count.saturating_mul(100) < packets;
    OF_FORMAT.contains(&fault.rule.name) && !is_rare
}

/// Rules whose breach harms nobody who is careful: what FFmpeg and GStreamer do, what networks do, and what is only advised.
const HARMLESS: [&str; 8] = [
    "extended-sequence",
    "extended-sequence-zero",
    "small-datagram",
    "line-numbers",
    "xs-counts-fields",
    "duplicate",
    "reorder",
    // AES67 §7.2 has packets of 250 and 333 µs and of 4 ms, which are in no level of ST 2110-30.
    "audio-level",
];

fn severity(fault: &StreamFault) -> Severity {
    if HARMLESS.contains(&fault.rule.name) { Severity::Note } else { usual(Code::EssenceFault) }
}

/// Rules whose breach says that what came is not of the format that was agreed.
const OF_FORMAT: [&str; 8] = [
    "srd-row",
    "srd-width",
    "raster",
    "field-of-progressive",
    "frame-rate",
    "audio-whole-samples",
    "audio-packet-time",
    "audio-rate",
];

/// What came is of another format than its session says.
fn format<'a>(index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    let Some((format, Basis::Session(_))) = &stream.format else { return };
    let faults: Vec<&StreamFault> =
        stream.faults.iter().filter(|fault| is_of_format(stream, fault)).collect();
    if faults.is_empty() {
        return;
    }
    let severity = usual(Code::FormatNotAgreed);
    let cause = Cause::Text(format!("{index} format"));
    let subject = Subject::Stream(index);
    docket.raise(Code::FormatNotAgreed, (severity, Confidence::Medium), cause, subject, || {
        let facts = faults.iter().map(|fault| (told(fault), frame(fault.first.frame))).collect();
        say(
            format!("It is not {} as agreed: the stream to ", format.essence),
            "",
            facts,
            "take the description from the sender anew, or set the sender to what was agreed",
        )
    });
}

fn essence<'a>(index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    let mut faults: Vec<&StreamFault> =
        stream.faults.iter().filter(|fault| !is_told(stream, fault)).collect();
    faults.sort_by_key(|fault| core::cmp::Reverse(severity(fault)));
    let Some(gravest) = faults.first().map(|fault| severity(fault)) else { return };
    let subject = Subject::Stream(index);
    docket.raise(Code::EssenceFault, (gravest, Confidence::High), Cause::Number(index), subject, || {
        let facts = faults.iter().map(|fault| (told(fault), frame(fault.first.frame))).collect();
        let rules: Vec<&str> = faults.iter().take(3).map(|fault| fault.rule.name).collect();
        let more = if faults.len() > 3 { format!(" and {} more", faults.len() - 3) } else { String::new() };
        say(
            format!("{}{more}: the stream to ", rules.join(", ")),
            "",
            facts,
            "show the sender's maker the frames that are named here; --json has all of them",
        )
    });
}

fn told(fault: &StreamFault) -> String {
    let detail = if fault.detail.is_empty() { String::new() } else { format!(" ({})", fault.detail) };
    let times = if fault.count == 1 { "once".to_owned() } else { format!("{} times", grouped(fault.count)) };
    let text = fault.rule.text.trim_end_matches('.');
    format!("{}: {text}{detail}, {times} ({}).", fault.rule.name, fault.rule.clause)
}
