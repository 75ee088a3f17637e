//! The recorder: what is added is written, also what waits at the end; and a full disk, which passes.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use model::{Area, Gap, Reason, Timestamp};
use store::{Answer, Batch, Limits, Query, RecordFilter, Statistics};

use super::*;

/// Where the child of the test with the small disk finds it.
const SMALL_DISK: &str = "PORTREEVE_TEST_SMALL_DISK";

fn settings(folder: &Path) -> HistorySettings {
    HistorySettings { folder: folder.to_path_buf(), ..HistorySettings::default() }
}

fn told(number: u64, filling: usize) -> Batch {
    let gap = Gap {
        area: Area::Traffic,
        reason: Reason::Unknown,
        what: format!("{number} {}", "x".repeat(filling)),
        count: Some(number),
    };
    Batch { gaps: vec![(Timestamp::from_ns(1), gap)], ..Batch::default() }
}

fn statistics(store: &Store) -> Statistics {
    match store.answer(&Query::Statistics).unwrap() {
        Answer::Statistics(statistics) => statistics,
        other => panic!("{other:?}"),
    }
}

/// Waits for something to become true, and not for time to pass.
fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let (_kept, never) = mpsc::channel::<()>();
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
}

#[test]
fn what_is_added_is_written_within_a_second_and_the_rest_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::begin(&settings(folder.path())).unwrap();
    recorder.add(Batch::default());
    recorder.add(told(1, 1));
    until("the first is written", || recorder.counts().written == 1);
    for number in 2..=100 {
        recorder.add(told(number, 1));
    }
    // All of them are in few transactions: one a second.
    let counts = recorder.finish();
    assert_eq!((counts.written, counts.dropped, counts.waiting), (100, 0, 0));
    assert!(counts.commits <= 4, "{counts:?}");
    let store = Store::existing(folder.path(), Limits::default()).unwrap();
    assert_eq!(statistics(&store).records_ever, 100);
}

#[test]
fn one_that_somebody_reads_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let reader = Store::open(folder.path(), Limits::default()).unwrap();
    std::thread::scope(|scope| {
        let recorder = scope.spawn(|| Recorder::begin(&settings(folder.path())));
        drop(reader);
        let recorder = recorder.join().unwrap().unwrap();
        assert_eq!(recorder.counts(), RecordingCounts::default());
    });
}

/// The child: fills its small disk, sees that writing fails and that nothing breaks, makes room, and goes on.
#[test]
fn fills_its_disk_and_goes_on() {
    let Some(disk) = std::env::var_os(SMALL_DISK) else { return };
    let disk = Path::new(&disk);
    let filling = disk.join("filling");
    std::fs::write(&filling, vec![7; 22 << 20]).unwrap();
    let recorder = Recorder::begin(&settings(disk)).unwrap();
    let mut number = 0;
    until("the disk is full", || {
        for _ in 0..40 {
            number += 1;
            recorder.add(told(number, 300));
        }
        recorder.counts().failing.is_some()
    });
    let (since, why) = recorder.counts().failing.unwrap();
    assert!(why.contains("space"), "{why}");
    let before = recorder.counts();
    // It goes on failing, says the same, and forgets nothing that has room.
    number += 1;
    recorder.add(told(number, 300));
    assert_eq!(recorder.counts().failing, Some((since, why)));
    assert!(recorder.counts().written >= before.written);

    // Who asks meanwhile has an answer or a reason.
    if let Err(refusal) = recorder.store().answer(&Query::Statistics) {
        assert!(!refusal.text.contains("damaged"), "{refusal}");
    }
    std::fs::remove_file(&filling).unwrap();
    until("there is room again", || recorder.counts().failing.is_none());
    let counts = recorder.finish();
    assert_eq!(counts.failing, None);
    assert_eq!(counts.written, number, "{counts:?}");
    let store = Store::existing(disk, Limits::default()).unwrap();
    let filter = RecordFilter { limit: 100_000, ..RecordFilter::default() };
    let Answer::Records(records) = store.answer(&Query::Records { filter }).unwrap() else { panic!() };
    assert_eq!(u64::try_from(records.records.len()).unwrap(), number, "each of them once");
    println!("the disk was full, and it went on");
}

#[test]
fn a_full_disk_stops_it_and_breaks_nothing() {
    let mount = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=24m none \"$1\" || exit 77; shift; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(mount.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "recording::tests::fills_its_disk_and_goes_on", "--nocapture"])
        .env(SMALL_DISK, mount.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("the disk was full, and it went on"), "{said}");
        }
        Ok(output) if output.status.code() == Some(77) || output.stdout.is_empty() => {
            eprintln!("SKIPPED: a small disk: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output) => {
            panic!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        }
        Err(error) => eprintln!("SKIPPED: a small disk: unshare: {error}"),
    }
}
