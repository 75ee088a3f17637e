//! Entries of the journal of systemd, in its native protocol.

use super::{Context, syslog, text};
use crate::alerting::notice::{Notice, Told};

/// The entries of a notice.
pub fn entries(notice: &Notice, context: &Context<'_>) -> Vec<Vec<u8>> {
    match notice {
        Notice::Findings { told, .. } => told.iter().map(|told| entry(told, context)).collect(),
        Notice::HeldBack { count, codes, .. } => {
            let mut out = Vec::new();
            put(&mut out, "MESSAGE", &text::held_back(*count, codes));
            put(&mut out, "PRIORITY", "4");
            put(&mut out, "SYSLOG_IDENTIFIER", "portreeve");
            put(&mut out, "PORTREEVE_STATE", "held-back");
            put(&mut out, "PORTREEVE_COUNT", &count.to_string());
            vec![out]
        }
    }
}

fn entry(told: &Told, context: &Context<'_>) -> Vec<u8> {
    let finding = &told.sighting.finding;
    let mut out = Vec::new();
    put(&mut out, "MESSAGE", &text::line(told));
    put(&mut out, "PRIORITY", &syslog::severity(finding.severity).to_string());
    put(&mut out, "SYSLOG_IDENTIFIER", "portreeve");
    put(&mut out, "PORTREEVE_CODE", finding.code.name());
    put(&mut out, "PORTREEVE_SEVERITY", finding.severity.name());
    put(&mut out, "PORTREEVE_CONFIDENCE", finding.confidence.name());
    put(&mut out, "PORTREEVE_STATE", told.state.name());
    put(&mut out, "PORTREEVE_ABOUT", &told.sighting.about);
    put(&mut out, "PORTREEVE_TITLE", &finding.title);
    put(&mut out, "PORTREEVE_TIME", &told.sighting.at.rfc3339_ns());
    put(&mut out, "PORTREEVE_NEXT_STEP", &finding.next_step);
    if let Some(page) = context.page_of(finding.code) {
        put(&mut out, "DOCUMENTATION", &page);
    }
    // A field may stand more than once.
    for evidence in &finding.evidence {
        put(&mut out, "PORTREEVE_EVIDENCE", &format!("{} [{}]", evidence.fact, evidence.source));
    }
    out
}

/// One field: in a line, or with its length where its value has more than one.
fn put(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        out.push(b'\n');
        out.extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}
