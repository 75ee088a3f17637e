//! systemd unit files: as many entries as lines at most, values without line feeds, an empty value empties its list.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::unit_file;

fuzz_target!(|bytes: &[u8]| {
    let (entries, faults) = unit_file::parse(bytes);
    let lines = bytes.split(|b| *b == b'\n').count();
    assert!(entries.len() <= lines);
    assert!(faults.len() <= 16 && faults.iter().all(|fault| (1..=lines).contains(&fault.at)));
    for entry in &entries {
        assert!(!entry.value.contains('\n') && !entry.key.contains(['\n', '=']));
        let values = unit_file::values(&entries, entry.section, entry.key);
        assert!(values.iter().all(|value| !value.is_empty()));
        let last =
            entries.iter().rfind(|other| (other.section, other.key) == (entry.section, entry.key)).unwrap();
        assert_eq!(last.value.is_empty(), values.is_empty());
        if let Some(listen) = unit_file::listen(&entry.value) {
            assert_ne!(listen.port, 0);
            assert!(entry.value.contains(&listen.port.to_string()));
        }
        if let Some(program) = unit_file::program(&entry.value) {
            assert!(!program.is_empty() && entry.value.contains(&program));
        }
        if !entry.value.contains('%') {
            assert_eq!(unit_file::specifiers(&entry.value, "a-b@c.socket"), entry.value);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(template) = unit_file::template(text)
    {
        assert!(template.contains("@.") && unit_file::template(&template).is_none());
    }
});
