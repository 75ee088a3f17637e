//! SQLite files: every lookup ends, gives no more than the file can hold, and gives the same twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::sqlite::{Database, columns};

fuzz_target!(|input: (&[u8], Option<&[u8]>, i64, &[u8])| {
    let (file, log, number, key) = input;
    let _ = columns(file);
    let Ok(mut database) = Database::open(file, log) else { return };
    let bound = file.len() + database.pages_in_log() * database.page_bytes();
    assert!(database.pages_in_log() * database.page_bytes() <= log.map_or(0, <[u8]>::len));
    let root = database.root("Packages");
    assert_eq!(root, database.root("Packages"));
    if let Ok(Some(root)) = root
        && let Ok(Some(row)) = database.row(root, number)
    {
        assert!(row.len() <= bound);
        assert_eq!(database.row(root, number), Ok(Some(row.clone())));
        if let Ok(columns) = columns(&row) {
            assert!(columns.len() <= row.len());
        }
    }
    if let Ok(Some(index)) = database.index_of("Basenames", "key") {
        let found = database.find(index, key);
        assert!(found.as_ref().map_or(0, Vec::len) <= 4096);
        assert_eq!(found, database.find(index, key));
    }
});
