//! How whole a stream came: stream-loss, legs-differ, stream-reset.

use model::media::reception::{HitlessFacts, ReceptionFacts};
use model::media::{Occurrence, Stream};
use model::{Code, Confidence, Severity, Subject};

use super::{agreed, words};
use crate::docket::{Cause, Docket};
use crate::judge::{SURE, say, usual};
use crate::rules::wire::words::{count, frame, grouped};
use crate::traffic::Watch;

/// Fewer than one in so many is what links lose.
const LOST_AT_RANDOM: u64 = 1_000_000;

pub(super) fn judge<'a>(watch: &Watch<'a>, index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    match &stream.hitless {
        Some(hitless) => {
            joined_loss(index, hitless, docket);
            differences(index, stream, hitless, docket);
        }
        None => {
            apart(watch, index, stream, docket);
            for leg in &stream.legs {
                // Of two sources that count on with one row of numbers, each has what the other seems to have lost.
                let mut others = agreed::beside(watch, index, stream, leg);
                if others.any(|other| other.reception.packets >= leg.reception.lost) {
                    continue;
                }
                loss(index, &leg.reception, docket);
            }
        }
    }
    resets(index, stream, docket);
}

fn at(occurrence: Option<Occurrence>) -> String {
    occurrence.map_or_else(|| "the capture".to_owned(), |it| frame(it.frame))
}

fn severity_of(lost: u64, of: u64) -> Severity {
    if lost.saturating_mul(LOST_AT_RANDOM) < of { Severity::Note } else { usual(Code::StreamLoss) }
}

fn loss<'a>(index: usize, reception: &ReceptionFacts, docket: &mut Docket<'a>) {
    if reception.lost == 0 {
        return;
    }
    let severity = severity_of(reception.lost, reception.expected);
    let cause = Cause::Number(index);
    docket.raise(Code::StreamLoss, (severity, Confidence::Medium), cause, Subject::Stream(index), || {
        let mut facts = vec![(
            format!(
                "{} of {} never came, in {}, the longest of {} (RFC 3550 §A.3).",
                count(reception.lost, "packet"),
                grouped(reception.expected),
                count(reception.loss_runs, "run"),
                grouped(reception.loss_run_most),
            ),
            at(reception.first_loss),
        )];
        if let Some(reports) = reception.reports.as_ref().filter(|reports| reports.sent > 0) {
            facts.push((
                format!(
                    "By its own reports the sender sent {}, and {} came.",
                    count(reports.sent, "packet"),
                    grouped(reports.received)
                ),
                "RTCP sender reports".to_owned(),
            ));
        }
        say(
            format!("{} never came of the stream to ", count(reception.lost, "packet")),
            "",
            facts,
            "compare with a capture nearer to the sender; look at the counters of the ports between",
        )
    });
}

fn joined_loss<'a>(index: usize, hitless: &HitlessFacts, docket: &mut Docket<'a>) {
    if hitless.missing == 0 {
        return;
    }
    let severity = severity_of(hitless.missing, hitless.union.saturating_add(hitless.missing));
    let cause = Cause::Number(index);
    docket.raise(Code::StreamLoss, (severity, Confidence::Medium), cause, Subject::Stream(index), || {
        let facts = vec![(
            format!(
                "{} came on no leg; {} came on at least one (ST 2022-7:2019 §6).",
                count(hitless.missing, "packet"),
                grouped(hitless.union)
            ),
            at(hitless.first_missing),
        )];
        say(
            format!("{} came on no leg of the stream to ", count(hitless.missing, "packet")),
            "",
            facts,
            "look for what both paths share",
        )
    });
}

fn differences<'a>(index: usize, stream: &'a Stream, hitless: &HitlessFacts, docket: &mut Docket<'a>) {
    let lost: u64 = hitless.legs.iter().map(|leg| leg.lost).sum();
    let too_far = hitless.class.is_none() && hitless.common > 0;
    if lost == 0 && hitless.different == 0 && !too_far {
        return;
    }
    let severity = if hitless.different > 0 || too_far { usual(Code::LegsDiffer) } else { Severity::Note };
    docket.raise(Code::LegsDiffer, (severity, SURE), Cause::Number(index), Subject::Stream(index), || {
        let mut facts = Vec::new();
        for (leg, counted) in stream.legs.iter().zip(&hitless.legs) {
            facts.push((
                format!(
                    "{} had {}, and lacked {} that another leg had.",
                    leg.destination,
                    count(counted.received, "packet"),
                    grouped(counted.lost)
                ),
                words::first_frame(stream),
            ));
        }
        if hitless.different > 0 {
            facts.push((
                format!(
                    "{} with the same number carry different bytes (ST 2022-7:2019 §4).",
                    count(hitless.different, "packet")
                ),
                at(hitless.first_difference),
            ));
        }
        if too_far {
            facts.push((
                "The paths differ by more than any class allows (ST 2022-7:2019 §7).".to_owned(),
                words::first_frame(stream),
            ));
        }
        say(
            "The legs differ of the stream to ",
            "",
            facts,
            "find the leg that lacks packets, and follow its path switch by switch",
        )
    });
}

/// Legs of one session that are two streams: no receiver can join them. Told once, by the first.
fn apart<'a>(watch: &Watch<'a>, index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    let media = &watch.traffic.media;
    let Some(session) = stream.session.and_then(|at| media.sessions.get(at)).filter(|it| it.legs.len() > 1)
    else {
        return;
    };
    let Some((leg, of)) = stream.legs.first().and_then(|leg| Some((leg, session.leg_to(leg.destination)?)))
    else {
        return;
    };
    let is_other_leg = |other: &&Stream| {
        other.session == stream.session
            && other.payload_type == stream.payload_type
            && other.hitless.is_none()
            && other.legs.iter().any(|it| {
                let part = session.leg_to(it.destination);
                part.is_some_and(|part| part != of) && agreed::overlap(leg, it)
            })
    };
    let Some(other) = media.streams.iter().skip(index + 1).find(is_other_leg) else { return };
    docket.raise(
        Code::LegsDiffer,
        (usual(Code::LegsDiffer), SURE),
        Cause::Number(index),
        Subject::Stream(index),
        || {
            let told = |stream: &Stream| {
                let legs = stream.legs.iter().map(words::leg).collect::<Vec<_>>().join(" ");
                (format!("SSRC {:#010x}: {legs}", stream.ssrc), words::first_frame(stream))
            };
            let rule =
                "A receiver joins packets whose RTP headers are the same (ST 2022-7:2019 §4).".to_owned();
            say(
                format!("The legs of '{}' are two streams: that to ", session.name),
                "",
                vec![told(stream), told(other), (rule, session.source.to_string())],
                "have the sender give both legs one source and one row of numbers",
            )
        },
    );
}

fn resets<'a>(index: usize, stream: &'a Stream, docket: &mut Docket<'a>) {
    for leg in &stream.legs {
        let reception = &leg.reception;
        if reception.resets == 0 && reception.source_changes == 0 {
            continue;
        }
        let severity = usual(Code::StreamReset);
        docket.raise(
            Code::StreamReset,
            (severity, SURE),
            Cause::Number(index),
            Subject::Stream(index),
            || {
                let facts = vec![(
                    format!(
                        "The sequence began anew {}, and the source changed {} (RFC 3550 §A.1).",
                        times(reception.resets),
                        times(reception.source_changes)
                    ),
                    at(reception.first_reset),
                )];
                say("It began anew: the stream to ", "", facts, "see what the sender did at that time")
            },
        );
    }
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", grouped(number)) }
}
