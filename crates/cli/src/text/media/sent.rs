//! What was sent, for people.

use std::fmt::Write as _;

use model::media::{Effort, SendingFacts, SentStream};

use crate::sanitise;

/// Writes what became of each stream.
pub(crate) fn media_sent(out: &mut String, facts: &SendingFacts) {
    let seconds = facts.duration_ns / 1_000_000_000;
    let tenths = facts.duration_ns / 100_000_000 % 10;
    let _ = writeln!(out, "sent for {seconds}.{tenths} s by {}", facts.clock);
    for effort in &facts.efforts {
        line(out, "  ", effort);
    }
    for stream in &facts.streams {
        one(out, stream);
    }
}

fn line(out: &mut String, indent: &str, effort: &Effort) {
    let _ = match &effort.outcome {
        Ok(had) => writeln!(out, "{indent}{}: {had}", effort.what),
        Err(why) => writeln!(out, "{indent}{}: not had: {why}", effort.what),
    };
}

fn one(out: &mut String, stream: &SentStream) {
    let _ = writeln!(out, "\n{} (SSRC {:#010x})", sanitise::line(&stream.name), stream.ssrc);
    let _ = writeln!(
        out,
        "  {} periods, {} left out because they could not be in time",
        stream.periods, stream.periods_left_out
    );
    if stream.overtaken > 0 {
        let _ = writeln!(out, "  {} packets may have been overtaken by others", stream.overtaken);
    }
    let late = &stream.lateness;
    let us = |ns: u64| format!("{}.{} µs", ns / 1000, ns / 100 % 10);
    let _ = writeln!(
        out,
        "  late: half {} at most, 99 % {}, 99.9 % {}, the worst {}",
        us(late.at_most_ns(500)),
        us(late.at_most_ns(990)),
        us(late.at_most_ns(999)),
        us(late.max_ns)
    );
    for (fault, count) in &stream.faults {
        let _ = writeln!(out, "  fault {fault}: {count}");
    }
    for leg in &stream.legs {
        let _ = writeln!(
            out,
            "  {} to {}: {} packets, {} bytes",
            leg.source, leg.destination, leg.packets, leg.bytes
        );
        for refusal in &leg.refused {
            let _ = writeln!(out, "    refused: {} packets: {}", refusal.packets, refusal.reason);
        }
        for effort in &leg.efforts {
            line(out, "    ", effort);
        }
    }
}
