//! A database made by SQLite itself: pages of 512 bytes, rows that overflow, a key on several pages, and a log.

use super::*;
use std::collections::BTreeSet;

const FILE: &[u8] = include_bytes!("sample.db");
const LOG: &[u8] = include_bytes!("sample.db-wal");

fn blob(root_of: &mut Database<&[u8]>, number: i64) -> Result<Option<Vec<u8>>, Fault> {
    let root = root_of.root("Packages")?.ok_or(fault(0, "no table"))?;
    let Some(row) = root_of.row(root, number)? else { return Ok(None) };
    match columns(&row)?.get(1) {
        Some(Value::Bytes(bytes)) => Ok(Some(bytes.to_vec())),
        _ => Err(fault(0, "no blob")),
    }
}

/// (package, index) of every file with this name.
fn named(database: &mut Database<&[u8]>, key: &str) -> Result<Vec<(i64, i64)>, Fault> {
    let table = database.root("Basenames")?.ok_or(fault(0, "no table"))?;
    let index = database.index_of("Basenames", "key")?.ok_or(fault(0, "no index"))?;
    let mut out = Vec::new();
    for number in database.find(index, key.as_bytes())? {
        let row = database.row(table, number)?.ok_or(fault(0, "no row"))?;
        let columns = columns(&row)?;
        assert_eq!(columns[0], Value::Bytes(key.as_bytes()));
        let (Value::Integer(package), Value::Integer(index)) = (columns[1], columns[2]) else {
            panic!("numbers")
        };
        out.push((package, index));
    }
    Ok(out)
}

#[test]
fn rows_by_number_with_overflow() {
    let mut database = Database::open(FILE, None).unwrap();
    assert_eq!(database.page_bytes(), 512);
    for h in 1..9usize {
        let expected: Vec<u8> = (0..h * h * 40).map(|i| u8::try_from((h * 7 + i) % 256).unwrap()).collect();
        assert_eq!(blob(&mut database, i64::try_from(h * h).unwrap()).unwrap().unwrap(), expected, "{h}");
    }
    assert_eq!(blob(&mut database, 2).unwrap(), None);
    assert_eq!(blob(&mut database, -1).unwrap(), None);
    assert_eq!(blob(&mut database, i64::MAX).unwrap(), None);
    assert_eq!(database.root("None").unwrap(), None);
    assert_eq!(database.index_of("Basenames", "hnum").unwrap(), None);
}

#[test]
fn rows_by_key_also_those_on_several_pages() {
    let mut database = Database::open(FILE, None).unwrap();
    for h in 1..9i64 {
        for i in 0..40i64 {
            let tail = if i == 3 { "x".repeat(150) } else { std::string::String::new() };
            let key = std::format!("file{h}-{i}{tail}");
            let expected = if i % 8 == 0 { std::vec![] } else { std::vec![(h * h, i)] };
            assert_eq!(named(&mut database, &key).unwrap(), expected, "{key}");
        }
    }
    let common: BTreeSet<_> = named(&mut database, "common").unwrap().into_iter().collect();
    assert_eq!(common.len(), 40);
    assert_eq!(named(&mut database, "zzz").unwrap(), []);
    assert_eq!(named(&mut database, "").unwrap(), []);
}

#[test]
fn the_log_counts_as_far_as_it_is_whole() {
    let mut plain = Database::open(FILE, None).unwrap();
    assert_eq!(blob(&mut plain, 100).unwrap(), None);
    let mut with_log = Database::open(FILE, Some(LOG)).unwrap();
    assert!(with_log.pages_in_log() > 0);
    assert_eq!(blob(&mut with_log, 100).unwrap().unwrap(), b"logged");
    assert_eq!(blob(&mut with_log, 101).unwrap().unwrap(), b"second");
    assert_eq!(named(&mut with_log, "in-log").unwrap(), [(100, 5)]);

    let mut states = BTreeSet::new();
    for cut in (0..LOG.len()).step_by(61).chain([LOG.len() - 1]) {
        let mut cut = Database::open(FILE, Some(&LOG[..cut])).unwrap();
        let first = blob(&mut cut, 100).unwrap().is_some();
        let second = blob(&mut cut, 101).unwrap().is_some();
        assert!(first || !second, "a later commit without the earlier one");
        assert_eq!(
            named(&mut cut, "in-log").unwrap().len(),
            usize::from(first),
            "half a transaction is seen"
        );
        states.insert((first, second));
    }
    assert_eq!(states.len(), 2, "the last frame is cut off in every one of them");

    let mut spoiled = LOG.to_vec();
    spoiled[32 + 24 + 100] ^= 1;
    assert_eq!(Database::open(FILE, Some(&spoiled)).unwrap().pages_in_log(), 0);
}

#[test]
fn every_prefix_gives_the_truth_or_a_fault() {
    for cut in (0..FILE.len()).step_by(89) {
        let Ok(mut database) = Database::open(&FILE[..cut], None) else { continue };
        for h in [1i64, 8] {
            if let Ok(Some(found)) = blob(&mut database, h * h) {
                assert_eq!(found.len(), usize::try_from(h * h * 40).unwrap());
            }
        }
        let _ = named(&mut database, "common");
    }
}

#[test]
fn what_is_no_database_is_refused() {
    assert!(Database::open(&b""[..], None).is_err());
    assert!(Database::open(&[0u8; 4096][..], None).is_err());
    for (at, value) in [(16, 3), (17, 7), (20, 255), (59, 2)] {
        let mut bytes = FILE.to_vec();
        bytes[at] = value;
        assert!(Database::open(bytes.as_slice(), None).is_err(), "{at}");
    }
}

#[test]
fn random_changes_end_and_never_panic() {
    let mut seed = 5u64;
    for _ in 0..400 {
        let mut bytes = FILE.to_vec();
        for _ in 0..12 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            // Most of what steers lies at the beginning of pages.
            let page = usize::try_from(seed >> 32).unwrap() % (bytes.len() / 512) * 512;
            let at = page + usize::try_from(seed >> 8 & 0x1f).unwrap();
            if at >= 100 {
                bytes[at] = seed.to_be_bytes()[1];
            }
        }
        let mut database = Database::open(bytes.as_slice(), None).unwrap();
        for number in [1, 64, 100] {
            if let Ok(Some(found)) = blob(&mut database, number) {
                assert!(found.len() <= ROW_MAX);
            }
        }
        if let Ok(Some(index)) = database.index_of("Basenames", "key") {
            assert!(database.find(index, b"common").map_or(0, |rows| rows.len()) <= HITS_MAX);
        }
    }
}

#[test]
fn numbers_of_every_length() {
    assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
    assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
    assert_eq!(varint(&[0xff; 9], 0), Some((-1, 9)));
    assert_eq!(varint(&[0xff; 8], 0), None);
    let row = [8, 0, 1, 2, 8, 9, 15, 12, 0xff, 0x01, 0x00, b'a'];
    let expected = [
        Value::Null,
        Value::Integer(-1),
        Value::Integer(256),
        Value::Integer(0),
        Value::Integer(1),
        Value::Bytes(b"a"),
        Value::Bytes(b""),
    ];
    assert_eq!(columns(&row).unwrap(), expected);
    assert!(columns(&[2, 10]).is_err());
    assert!(columns(&[2, 1]).is_err());
}
