//! dpkg's files: both ways of searching agree with a plain look at every line, and digests belong to their path.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::dpkg::{self, Wanted};

fuzz_target!(|input: (&[u8], Vec<&str>)| {
    let (text, paths) = input;
    let paths: Vec<&str> =
        paths.into_iter().filter(|path| !path.is_empty() && !path.contains('\n')).take(8).collect();
    let plain = |path: &str| text.split(|b| *b == b'\n').any(|line| line == path.as_bytes());
    let search = |paths: &[&str]| {
        let mut wanted = Wanted::default();
        for (number, path) in paths.iter().enumerate() {
            wanted.add(path, number);
        }
        let mut hits = vec![false; paths.len()];
        wanted.search(text, |number| hits[number] = true);
        hits
    };
    let expected: Vec<bool> = paths.iter().map(|path| plain(path)).collect();
    assert_eq!(search(&paths), expected);
    for path in &paths {
        assert_eq!(search(&[path]), [plain(path)]);
        if let Some(alias) = dpkg::alias(path) {
            assert_eq!(dpkg::alias(&alias).as_deref(), Some(*path));
        }
        if let Some(digest) = dpkg::md5(text, path) {
            let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            let line = format!("{hex}  {}", &path[1..]);
            assert!(text.split(|b| *b == b'\n').any(|found| found.eq_ignore_ascii_case(line.as_bytes())));
        }
        if let Some(version) = dpkg::version(text, path, None) {
            assert!(!version.contains('\n'));
        }
    }
    let (diversions, faults) = dpkg::diversions(text);
    let lines = std::str::from_utf8(text).map_or(0, |text| text.lines().count());
    assert_eq!(diversions.len(), lines / 3);
    assert_eq!(faults.is_empty(), std::str::from_utf8(text).is_ok() && lines % 3 == 0);
});
