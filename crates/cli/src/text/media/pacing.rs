//! How evenly a sender sends, for people.

use std::fmt::Write as _;

use model::media::SenderType;
use model::media::shaping::ShapingFacts;

use super::probe::times;
use crate::text::Form;
use crate::text::paper::field;

/// Writes the models of ST 2110-21: types kept, C_INST, VRX, and where frames begin.
pub(super) fn write(out: &mut String, shaping: &ShapingFacts, form: Form) {
    let declared = shaping.declared.map_or("not declared", SenderType::token);
    let satisfied = shaping.satisfied.map_or("no type in every frame", SenderType::token);
    let mut text = format!("{declared}; keeps {satisfied}; {} frames or fields judged", shaping.units);
    if shaping.units_incomplete > 0 {
        let _ = write!(text, ", {} of them incomplete", shaping.units_incomplete);
    }
    let _ = write!(text, "; time stamps {}", shaping.basis.word());
    field(out, "pacing", &text, form);
    for kept in &shaping.types {
        let limit = |limit: Option<u64>| limit.map_or_else(|| String::from("-"), |limit| limit.to_string());
        let text = format!(
            "{}: kept {} of {}; C_MAX {} (over in {}), VRX_FULL {} (over in {}, too late in {})",
            kept.sender_type.token(),
            kept.kept,
            shaping.units,
            limit(kept.burst_limit),
            kept.bursts,
            limit(kept.buffer_limit),
            kept.overflows,
            kept.underflows
        );
        field(out, "", &text, form);
    }
    let span = |spread: &model::media::spread::Spread| {
        if spread.is_empty() { String::from("-") } else { format!("{} to {}", spread.least, spread.greatest) }
    };
    let text = format!(
        "C_INST {}; VRX gapped {}, linear {}; packets a frame {}",
        span(&shaping.burst),
        span(&shaping.gapped_buffer),
        span(&shaping.linear_buffer),
        span(&shaping.frame_packets)
    );
    field(out, "models", &text, form);
    if !shaping.first_packet_ns.is_empty() {
        let text = format!(
            "FPT {}; margin {}; RTP offset {} ticks; latency {}; gap {}",
            times(&shaping.first_packet_ns),
            times(&shaping.margin_ns),
            span(&shaping.rtp_offset_ticks),
            times(&shaping.latency_ns),
            times(&shaping.gap_ns)
        );
        field(out, "frames", &text, form);
    }
}
