//! Figures: `cargo test --profile bench-dev -p portreeve-store measured -- --ignored --nocapture`.

use std::time::Instant;

use model::Happened;
use portreeve_store::{Answer, Limits, Query, RecordFilter, Store};

use crate::asked::{open, records, statistics};
use crate::support::{BEGIN, SECOND, event, events, look, moment, process};

#[test]
#[ignore = "figures for people, and nothing that could fail"]
fn appends_sizes_and_opening() {
    let (folder, store) = open(Limits::default());
    let processes: Vec<_> = (0..200).map(|pid| process(pid, &format!("/usr/bin/program-{pid}"))).collect();
    let doors: Vec<String> = (0..500).map(|port| format!("0.0.0.0:{}", 1 + port)).collect();
    let doors: Vec<(&str, u32)> =
        doors.iter().zip(0..).map(|(door, number): (_, u32)| (door.as_str(), number % 200)).collect();
    let begin = Instant::now();
    store.append(&look(BEGIN, &doors, &processes)).unwrap();
    eprintln!("a first look of 500 doors: {:?}", begin.elapsed());
    let begin = Instant::now();
    store.append(&look(BEGIN + SECOND, &doors, &processes)).unwrap();
    eprintln!("the same look again: {:?}", begin.elapsed());
    const ROUNDS: i64 = 50;
    const EACH: i64 = 10_000;
    let batches: Vec<_> = (0..ROUNDS)
        .map(|round| {
            let batch = (0..EACH).map(|number| {
                let holder = &processes[usize::try_from((round + number) % 200).unwrap()];
                let local = format!("0.0.0.0:{}", 1 + (round * EACH + number) % 60_000);
                event(BEGIN + round * SECOND + number, Happened::Listening, &local, holder)
            });
            events(batch.collect())
        })
        .collect();
    let before = statistics(&store).file_bytes;
    let begin = Instant::now();
    for batch in &batches {
        store.append(batch).unwrap();
    }
    let took = begin.elapsed().as_secs_f64();
    let figures = statistics(&store);
    let events = f64::from(u32::try_from(ROUNDS * EACH).unwrap());
    eprintln!("{events} events in batches of {EACH}: {:.0} a second", events / took);
    for table in &figures.tables {
        eprintln!("  {:10} {:8} rows {:10} bytes", table.name, table.rows, table.bytes);
    }
    let counted: u64 = figures.tables.iter().map(|table| table.bytes).sum();
    eprintln!("file {before} -> {} bytes, rows {counted} bytes", figures.file_bytes);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let blocks = std::fs::metadata(store.path()).unwrap().blocks() * 512;
        eprintln!("on the disk {blocks} bytes");
    }
    let begin = Instant::now();
    for number in 0..100 {
        let one = event(BEGIN + number, Happened::Listening, "0.0.0.0:420", &processes[0]);
        store.append(&crate::support::events(vec![one])).unwrap();
    }
    eprintln!("one event, on the disk: {:?}", begin.elapsed() / 100);
    let begin = Instant::now();
    let query = Query::Port { transport: None, port: 420, records: 50, now: moment(BEGIN) };
    let Answer::Port(_) = store.answer(&query).unwrap() else { panic!() };
    eprintln!("the history of a port: {:?}", begin.elapsed());
    let begin = Instant::now();
    let filter = RecordFilter { holder: Some(String::from("nobody")), limit: 10, ..RecordFilter::default() };
    records(&store, filter);
    eprintln!("a walk through all records: {:?}", begin.elapsed());
    let begin = Instant::now();
    store.trim(crate::support::at(BEGIN)).unwrap();
    eprintln!("a trim: {:?}", begin.elapsed());
    let bytes = statistics(&store).file_bytes;
    drop(store);
    let begin = Instant::now();
    let store = Store::existing(folder.path(), Limits::default()).unwrap();
    eprintln!("opened {bytes} bytes, every page compared: {:?}", begin.elapsed());
    drop(store);
}
