//! Words of strangers and numbers, as pages show them.

use maud::{Markup, Render, html};

/// Text that a stranger chose: what would mislead the eye becomes visible, and markup is text.
pub(crate) struct Said<'a>(pub(crate) &'a str);

impl Render for Said<'_> {
    fn render_to(&self, buffer: &mut String) {
        engine::sanitise::line(self.0).as_ref().render_to(buffer);
    }
}

/// Text that a stranger chose; most that is shown is. What was made of it twice stays as it is.
pub(crate) fn said(text: &str) -> Said<'_> {
    Said(text)
}

/// A word or a dash.
pub(crate) fn or_dash(text: Option<&str>) -> Markup {
    match text {
        Some(text) if !text.is_empty() => html! { (said(text)) },
        _ => html! { span.faint aria-label="none" { "–" } },
    }
}

/// A verdict or a severity as a small badge; its word says it, its colour only repeats it.
pub(crate) fn badge(word: &str) -> Markup {
    html! { span.badge.{ "is-" (word) } { (word) } }
}

/// A moment, as people read it; the page's script makes local time of it.
pub(crate) fn moment(at: &str) -> Markup {
    let short = at.replacen('T', " ", 1).replace('Z', " UTC");
    html! { time datetime=(at) { (short) } }
}

/// A count with thin spaces between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the unit that fits.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = number.saturating_mul(10);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let word = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{number} {word}") } else { format!("{}.{} {word}", tenths / 10, tenths % 10) }
}

/// A share in percent, with as many digits as it needs to be seen.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return String::from("0 %");
    }
    let millionths = u128::from(part) * 100_000_000 / u128::from(whole);
    if millionths == 0 {
        return String::from("< 0.000001 %");
    }
    let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
    let digits = format!("{rest:06}");
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() { format!("{whole} %") } else { format!("{whole}.{digits} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_say_is_shown_and_does_nothing() {
        let page = html! { p title=(said("\"><script>")) { (said("<b>\u{202e}x\u{1b}[2J&")) } }.into_string();
        assert_eq!(page, "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;\\u{202e}x\\x1b[2J&amp;</p>");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!((count(0), count(999), count(65_536)), ("0".into(), "999".into(), "65\u{202f}536".into()));
        assert_eq!(
            (bytes(1023), bytes(1024), bytes(1_572_864)),
            ("1023 B".into(), "1.0 KiB".into(), "1.5 MiB".into())
        );
        assert_eq!(bytes(u64::MAX).split(' ').next_back(), Some("TiB"));
        assert_eq!(
            (percent(0, 5), percent(1, 4), percent(1, 3)),
            ("0 %".into(), "25 %".into(), "33.333333 %".into())
        );
        assert_eq!(percent(1, u64::MAX), "< 0.000001 %");
    }
}
