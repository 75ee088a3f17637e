//! apk's database: every file is a line of it, belongs to a named package, and is where it says it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let names = bytes.split(|b| *b == b'\n').filter(|line| line.starts_with(b"R:")).count();
    let mut count = 0;
    for file in wire::apk::files(bytes) {
        count += 1;
        assert!(!file.package.is_empty() && !file.name.is_empty() && !file.name.contains(&b'\n'));
        let (Ok(folder), Ok(name)) = (std::str::from_utf8(file.folder), std::str::from_utf8(file.name))
        else {
            continue;
        };
        let path = if folder.is_empty() { format!("/{name}") } else { format!("/{folder}/{name}") };
        assert!(file.is_at(&path), "{path}");
        assert!(!file.is_at(&format!("{path}x")) && !file.is_at(&format!("/x{path}")));
    }
    assert!(count <= names);
});
