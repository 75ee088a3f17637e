//! Everything that was measured of each stream.

use std::fmt::Write as _;

use engine::TrafficView;
use model::Subject;
use model::media::Stream;

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
        page(out, view, index, stream, form);
    }
    super::media_count(out, view);
    out.push('\n');
    traffic::findings(out, view, form);
    traffic::foot(out, view, form);
}

fn page(out: &mut String, view: &TrafficView, index: usize, stream: &Stream, form: Form) {
    let media = &view.traffic.media;
    let title = media.subject_name(&Subject::Stream(index)).unwrap_or_default();
    let _ = writeln!(out, "{}", form.style.paint(Paint::Bold, sanitise::line(&title)));
    field(out, "what", &what(stream), form);
    field(out, "session", &session_name(&media.sessions, stream.session), form);
    field(out, "rtp", &format!("SSRC 0x{:08x}, payload type {}", stream.ssrc, stream.payload_type), form);
    out.push('\n');
}
