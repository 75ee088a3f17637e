//! SQLite files: every lookup ends, gives no more than the file can hold, and gives the same twice.
//!
//! The first two bytes say how many of the last are the write-ahead log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::sqlite::{Database, columns};

fuzz_target!(|bytes: &[u8]| {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let _ = columns(rest);
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (file, log) = rest.split_at(rest.len() - length);
    let Ok(mut database) = Database::open(file, (length > 0).then_some(log)) else { return };
    let bound = file.len() + database.pages_in_log() * database.page_bytes();
    assert!(database.pages_in_log() * database.page_bytes() <= log.len());
    let root = database.root("Packages");
    assert_eq!(root, database.root("Packages"));
    if let Ok(Some(root)) = root {
        for number in [i64::MIN, -1, 0, 1, 2, 64, i64::MAX] {
            let Ok(Some(row)) = database.row(root, number) else { continue };
            assert!(row.len() <= bound);
            assert_eq!(database.row(root, number), Ok(Some(row.clone())));
            if let Ok(columns) = columns(&row) {
                assert!(columns.len() <= row.len());
            }
        }
    }
    if let Ok(Some(index)) = database.index_of("Basenames", "key") {
        for key in [&b""[..], b"common", b"file1-1", b"zzz"] {
            let found = database.find(index, key);
            assert!(found.as_ref().map_or(0, Vec::len) <= 4096);
            assert_eq!(found, database.find(index, key));
        }
    }
});
