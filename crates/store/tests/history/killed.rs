//! A process that writes is killed at any moment: what it was told to be on the disk is there, and nothing is broken.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use model::Happened;
use portreeve_store::{Limits, RecordFilter, Store, What};

use crate::asked::{records, statistics};
use crate::support::{BEGIN, event, events, process};

/// Where the child finds its history; without it the child's test has nothing to do.
const FOLDER: &str = "PORTREEVE_TEST_HISTORY";
/// So often a process is killed.
const TIMES: u32 = 200;
/// So many events are in a batch.
const BATCH: u32 = 7;

/// The child: appends batch after batch, trims now and then, and says what is on the disk.
#[test]
fn appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(Path::new(&folder), Limits::default()).unwrap();
    let mut next = statistics(&store).records_ever;
    let mut out = std::io::stdout();
    loop {
        let batch = (0..BATCH).map(|number| {
            let pid = u32::try_from(next).unwrap() + number;
            let local = format!("0.0.0.0:{}", 1 + pid % 5000);
            event(BEGIN + i64::from(pid), Happened::Listening, &local, &process(pid, "/usr/bin/nc"))
        });
        store.append(&events(batch.collect())).unwrap();
        next += u64::from(BATCH);
        writeln!(out, "\ncommitted {next}").unwrap();
        out.flush().unwrap();
        if next.is_multiple_of(50) {
            store.trim(crate::support::at(BEGIN + i64::try_from(next).unwrap())).unwrap();
        }
    }
}

#[test]
fn what_was_committed_survives_every_kill() {
    // In memory where that is possible: what is tested is the order of writes, and they are the same there.
    let base = Path::new("/dev/shm");
    let folder = if base.is_dir() { tempfile::tempdir_in(base) } else { tempfile::tempdir() }.unwrap();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut known = 0;
    for round in 0..TIMES {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::appends_until_it_is_killed", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Now before the first commit, now after some; and the kill itself comes at any point of the next one.
        let wanted = seed % 12;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0;
        while told < wanted {
            let line = lines.next().expect("the child ended by itself").unwrap();
            if let Some(number) = line.strip_prefix("committed ") {
                known = number.parse().unwrap();
                told += 1;
            }
        }
        for _ in 0..seed % 5000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before the kill reached it was on the disk, too.
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("committed ") {
                known = number.parse().unwrap();
            }
        }
        if !folder.path().join(portreeve_store::FILE).exists() {
            assert_eq!(known, 0, "round {round}");
            continue;
        }
        let store = Store::existing(folder.path(), Limits::default()).unwrap();
        let ever = statistics(&store).records_ever;
        assert!(ever >= known, "round {round}: {known} were committed, {ever} are there");
        assert_eq!(ever % u64::from(BATCH), 0, "round {round}: half a batch");
        assert!(ever <= known + u64::from(BATCH), "round {round}: {ever} after {known}");
        let limit = u32::try_from(ever).unwrap() + 1;
        let page = records(&store, RecordFilter { limit, ..RecordFilter::default() });
        let pids: Vec<u64> = page
            .records
            .iter()
            .map(|record| match &record.what {
                What::Socket(socket) => u64::from(socket.pid.unwrap()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(pids.iter().copied().eq((0..ever).rev()), "round {round}");
        known = ever;
    }
    assert!(known > u64::from(TIMES), "hardly anything was written");
}
