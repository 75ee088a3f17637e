//! The report of `media report`: one HTML file that needs nothing else, to be read, sent and printed.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::TrafficView;
use engine::exhibit::Exhibit;
use engine::plots;
use media::picture;
use media::plot::Meters;
use model::Subject;
use model::media::Stream;

use crate::{output, sanitise, text};

/// The look of it: light and dark by what the reader's system says, and black on white on paper.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#ccc;--note:#3b6ea5;--warning:#9a6700;--alert:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181c;--line:#444;--note:#8ab4e8;--warning:#e0b050;--alert:#f28b82}}\
@media print{:root{--ink:#000;--paper:#fff;--line:#999}section{break-inside:avoid}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;border-top:1px solid var(--line);padding-top:1.2rem;margin-top:2rem}\
pre{white-space:pre-wrap;font:13px/1.45 ui-monospace,monospace;overflow-wrap:anywhere}\
img,svg{max-width:100%;height:auto}figure{margin:1rem 0}figcaption{font-size:.85rem}\
.note{color:var(--note)}.warning{color:var(--warning)}.alert{color:var(--alert)}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}";

/// Writes the report.
pub(crate) fn html(view: &TrafficView, exhibits: &HashMap<usize, Exhibit>) -> String {
    let traffic = &view.traffic;
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    out.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n");
    let sources = traffic.sources.join(", ");
    let title = format!("Media in {sources}");
    let _ =
        writeln!(out, "<title>{0}</title><style>{STYLE}</style></head><body><h1>{0}</h1>", escaped(&title));
    let mut when = String::new();
    if let (Some(first), Some(last)) = (traffic.first, traffic.last) {
        let _ = write!(when, ", {} to {}", first.rfc3339(), last.rfc3339());
    }
    let _ = writeln!(
        out,
        "<p>{} frames{when}. Made by Portreeve {}.</p>",
        traffic.volume.frames,
        env!("CARGO_PKG_VERSION")
    );
    let mut table = String::new();
    text::media_table(&mut table, view, output::plain());
    let _ =
        writeln!(out, "<section><h2>Streams and sessions</h2><pre>{}</pre></section>", escaped_lines(&table));
    findings(&mut out, view);
    for (index, stream) in traffic.media.streams.iter().enumerate() {
        section(&mut out, view, index, stream, exhibits.get(&index));
    }
    if traffic.media.ptp.messages > 0 {
        let mut clocks = String::new();
        text::media_ptp(&mut clocks, view, output::plain());
        let _ = writeln!(out, "<section><h2>Clocks</h2><pre>{}</pre></section>", escaped_lines(&clocks));
    }
    out.push_str("</body></html>\n");
    out
}

fn findings(out: &mut String, view: &TrafficView) {
    out.push_str("<section><h2>Findings</h2>\n");
    if view.findings.is_empty() {
        out.push_str("<p>Nothing was found.</p></section>\n");
        return;
    }
    out.push_str("<table><tr><th>Severity</th><th>Finding</th><th>Evidence and next step</th></tr>\n");
    for finding in &view.findings {
        let severity = finding.severity.name();
        let _ = write!(
            out,
            "<tr><td class=\"{severity}\">{severity}</td><td><b>{}</b><br>{}</td><td><ul>",
            finding.code.name(),
            escaped(&finding.title)
        );
        for piece in &finding.evidence {
            let _ = write!(out, "<li>{} <i>({})</i></li>", escaped(&piece.fact), escaped(&piece.source));
        }
        let _ = writeln!(out, "</ul>Next: {}</td></tr>", escaped(&finding.next_step));
    }
    out.push_str("</table></section>\n");
}

fn section(out: &mut String, view: &TrafficView, index: usize, stream: &Stream, exhibit: Option<&Exhibit>) {
    let name = view.traffic.media.subject_name(&Subject::Stream(index)).unwrap_or_default();
    let mut facts = String::new();
    text::media_page(&mut facts, view, index, stream, output::plain());
    let _ = writeln!(out, "<section><h2>{}</h2><pre>{}</pre>", escaped(&name), escaped_lines(&facts));
    if let Some(picture) = exhibit.and_then(|exhibit| exhibit.picture.as_ref()) {
        let png = STANDARD.encode(picture::png(picture, picture::PngDepth::Eight));
        let missing = match picture.missing_pixels {
            0 => String::new(),
            missing => format!(", {missing} pixels missing"),
        };
        let remarks: Vec<&str> = picture::remarks(&picture.format);
        let _ = writeln!(
            out,
            "<figure><img alt=\"A picture of the stream\" src=\"data:image/png;base64,{png}\"><figcaption>{}{missing}. {}</figcaption></figure>",
            escaped(&picture.format.to_string()),
            escaped(&remarks.join(" "))
        );
    }
    if let Some(sound) = exhibit.and_then(|exhibit| exhibit.sound.as_ref()) {
        figure(out, &Meters::new(&name, sound).svg());
    }
    for leg in &stream.legs {
        let of = format!("{} to {}", leg.source, leg.destination);
        if let Some(shaping) = &leg.shaping {
            for plot in plots::pacing(&of, shaping) {
                figure(out, &plot.svg());
            }
        }
        if leg.reception.interval_histogram.total() > 1 {
            figure(out, &plots::intervals(&of, &leg.reception.interval_histogram).svg());
        }
    }
    out.push_str("</section>\n");
}

fn figure(out: &mut String, svg: &str) {
    let _ = writeln!(out, "<figure>{svg}</figure>");
}

/// Text as it may stand in a page: without controls, and without markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in sanitise::line(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_write_is_no_markup() {
        let shown = escaped("<script>\u{1b}[31m\"&'\u{202e}");
        assert!(!shown.contains(['<', '"', '\u{1b}', '\u{202e}']), "{shown}");
        assert!(shown.starts_with("&lt;script&gt;"));
        assert_eq!(escaped_lines("a\nb<"), "a\nb&lt;");
    }
}
