//! What was received, for people.

use std::fmt::Write as _;

use model::media::ReceivingFacts;

/// Writes what came, and what was made of it.
pub(crate) fn media_received(out: &mut String, facts: &ReceivingFacts) {
    let (seconds, tenths) = (facts.duration_ns / 1_000_000_000, facts.duration_ns / 100_000_000 % 10);
    let _ = writeln!(out, "received for {seconds}.{tenths} s");
    for leg in &facts.legs {
        let from = leg.source.map_or_else(|| String::from("nobody"), |source| source.to_string());
        let _ = writeln!(
            out,
            "  {} from {from}: {} packets, {} dropped by this system, {} of something else",
            leg.destination, leg.packets, leg.dropped, leg.others
        );
        if !leg.stamp.is_empty() {
            let _ = writeln!(out, "    times of arrival are the {}'s", leg.stamp);
        }
        for effort in &leg.efforts {
            if let Err(why) = &effort.outcome {
                let _ = writeln!(out, "    {}: not had: {why}", effort.what);
            }
        }
    }
    if let Some(hitless) = &facts.hitless {
        for (number, leg) in hitless.legs.iter().enumerate() {
            let _ = writeln!(
                out,
                "  leg {}: {} packets, {} lost here, {} only here",
                number + 1,
                leg.received,
                leg.lost,
                leg.only_here
            );
        }
    }
    let _ = writeln!(
        out,
        "  {} packets used, {} missing on all legs, {} too late",
        facts.used, facts.missing, facts.late
    );
    for (what, count) in &facts.written {
        let _ = writeln!(out, "  {what}: {count}");
    }
}
