//! A letter (RFC 5322): whatever a finding says, it stays in its header and in its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Context, shortened, text};
use crate::alerting::notice::Notice;

/// So much of a title stands in the subject.
const MOST_SUBJECT: usize = 200;

/// The letter, as the system's mailer reads it.
pub fn letter(
    notice: &Notice,
    context: &Context<'_>,
    to: &[String],
    from: Option<&str>,
    delivery: &str,
) -> Vec<u8> {
    let mut out = String::new();
    let mut put = |name: &str, value: &str| {
        out.push_str(&format!("{name}: {value}\n"));
    };
    if let Some(from) = from {
        put("From", from);
    }
    // Each on a line of its own, so that no line is too long (RFC 5322 §2.1.1).
    put("To", &to.join(",\n "));
    put("Subject", &encoded(&shortened(&text::subject(notice, context), MOST_SUBJECT)));
    put("Date", &date(notice.at()));
    let host: String =
        context.machine.name.chars().filter(|it| it.is_ascii_alphanumeric() || "-.".contains(*it)).collect();
    put("Message-ID", &format!("<{delivery}@{}>", if host.is_empty() { "localhost" } else { &host }));
    // Nobody's absence shall answer it (RFC 3834 §5).
    put("Auto-Submitted", "auto-generated");
    put("X-Portreeve-Severity", notice.severity().name());
    put("MIME-Version", "1.0");
    put("Content-Type", "text/plain; charset=utf-8");
    put("Content-Transfer-Encoding", "quoted-printable");
    out.push('\n');
    out.push_str(&quoted(&text::page(notice, context)));
    out.into_bytes()
}

/// A text in a header: as it is where it is short and ASCII, else in encoded words (RFC 2047 §2).
fn encoded(text: &str) -> String {
    let plain =
        text.bytes().all(|it| (b' '..=b'~').contains(&it)) && !text.contains("=?") && text.len() <= 66;
    if plain {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut part = String::new();
    for letter in text.chars() {
        // 75 characters at most, with what stands around the text.
        if part.len() + letter.len_utf8() > 42 {
            words.push(std::mem::take(&mut part));
        }
        part.push(letter);
    }
    words.push(part);
    let words: Vec<String> =
        words.iter().map(|part| format!("=?utf-8?B?{}?=", STANDARD.encode(part))).collect();
    words.join("\n ")
}

/// `Fri, 27 Nov 2026 02:03:04 +0000` (RFC 5322 §3.3).
fn date(at: model::Timestamp<model::Utc>) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = at.as_seconds().div_euclid(86_400);
    let (year, month, day) = model::time::civil_from_days(days);
    let named = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or("Thu")
    };
    let whole = at.date_and_time();
    let (_, clock) = whole.split_once('T').unwrap_or_default();
    let week_day = named(&DAYS, days.rem_euclid(7));
    format!("{week_day}, {day} {} {year} {clock} +0000", named(&MONTHS, i64::from(month) - 1))
}

/// Lines of at most 76 characters, whatever the text (RFC 2045 §6.7). A dot alone never stands on a line.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut width = 0;
        let last = line.len().saturating_sub(1);
        for (index, byte) in line.bytes().enumerate() {
            // Whether the next piece has one letter or three.
            if width > 72 {
                out.push_str("=\n");
                width = 0;
            }
            let plain = (b'!'..=b'~').contains(&byte) && byte != b'=' && !(byte == b'.' && width == 0);
            let piece = match byte {
                b' ' if index != last => " ".to_owned(),
                byte if plain => char::from(byte).to_string(),
                byte => format!("={byte:02X}"),
            };
            width += piece.len();
            out.push_str(&piece);
        }
        out.push('\n');
    }
    out
}
