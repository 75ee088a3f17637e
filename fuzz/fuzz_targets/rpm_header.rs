//! rpm's package headers: strings end before their NUL and lie in the bytes; a header that is cut off is a fault.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = wire::rpm_header::parse(bytes) else { return };
    let number =
        |at: usize| usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let whole = 8 + number(0) * 16 + number(4);
    assert!(whole <= bytes.len());
    assert!(wire::rpm_header::parse(&bytes[..whole - 1]).is_err());
    for text in [header.name(), header.version(), header.release()].into_iter().flatten() {
        assert!(!text.contains('\0') && text.len() < whole);
    }
    assert!(header.file_count() <= whole);
    for index in 0..header.file_count().min(64) {
        let Some(file) = header.file(index) else { continue };
        assert!(file.folder.len() + file.name.len() < 2 * whole);
        let mut path = file.folder.to_vec();
        path.extend_from_slice(file.name);
        if let Ok(path) = String::from_utf8(path) {
            assert_eq!(file.is_at(&path), !file.name.is_empty());
        }
    }
    assert_eq!(header.file(usize::MAX), None);
});
