//! Control groups: names are parts of the path, an identifier is one plain file name, and repeating a file adds nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::cgroup;

fuzz_target!(|bytes: &[u8]| {
    let (found, fault) = cgroup::place(bytes);
    let text = String::from_utf8_lossy(bytes);
    if let Some(unit) = found.unit {
        assert!(text.contains(unit.name) && !unit.name.contains(['/', '\n']));
    }
    if let Some(container) = &found.container {
        assert!(!container.id.is_empty() && !container.id.contains(['/', '\0']));
        assert!(!matches!(container.id.as_str(), "." | ".."));
        assert!(container.pod.as_ref().is_none_or(|pod| pod.len() >= 32 && !pod.contains(['/', '_'])));
    }
    if let Some(fault) = fault {
        assert!((1..=bytes.split(|b| *b == b'\n').count()).contains(&fault.at));
    }
    for line in cgroup::lines(bytes).flatten() {
        assert!(line.path.starts_with('/') && text.contains(line.path));
        // An empty component changes nothing.
        let doubled = line.path.replacen('/', "//", 1);
        assert_eq!(cgroup::read_path(&doubled), cgroup::read_path(line.path));
    }
    let name = cgroup::unescape(&text);
    assert!(name.len() <= text.len());
    if !text.contains('\\') {
        assert_eq!(name, text);
    }
});
