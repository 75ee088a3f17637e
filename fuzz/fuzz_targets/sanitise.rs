//! Text of others before a terminal: nothing unsafe is left, nothing else changes, and CSV fields stay one field.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve::sanitise;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let line = sanitise::line(&text);
    assert!(!line.chars().any(sanitise::is_unsafe));
    assert!(!line.contains('\n') && !line.contains('\u{1b}'));
    assert_eq!(sanitise::line(&line), line);
    if !text.chars().any(sanitise::is_unsafe) {
        assert_eq!(line, text);
    }
    let field = sanitise::csv_field(&text);
    let quoted = field.starts_with('"');
    let inner = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&field);
    // Whole numbers have signs and run nothing.
    let number = inner.parse::<i64>().is_ok();
    assert!(number || !inner.starts_with(['=', '+', '-', '@', '\t', '\r']));
    if quoted {
        assert!(!inner.replace("\"\"", "").contains('"'));
    } else {
        assert!(!field.contains([',', '"', '\r', '\n']));
    }
});
