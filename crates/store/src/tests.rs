//! What only the inside can do to itself: files of other forms, and files with every byte changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use model::{Gap, Timestamp};
use redb::{ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction};

use crate::answer::Answer;
use crate::batch::Batch;
use crate::desk::{META, SERVERS, STATE, TABLES, decode, encode};
use crate::fault::StoreError;
use crate::limits::Limits;
use crate::place;
use crate::query::{Query, RecordFilter};
use crate::row::State;
use crate::schema::{PLAN, Plan, SCHEMA, VERSION};
use crate::store::Store;
use support::{BEGIN, DAY};

#[path = "../tests/history/support.rs"]
mod support;

/// A file that is only memory, and can be looked at.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn of(bytes: &[u8]) -> Memory {
        Memory(Arc::new(Mutex::new(bytes.to_vec())))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl StorageBackend for Memory {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(u64::try_from(self.0.lock().unwrap().len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let offset = usize::try_from(offset).unwrap();
        let bytes = self.0.lock().unwrap();
        let end = offset.checked_add(out.len());
        let from = end.and_then(|end| bytes.get(offset..end));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        // A damaged header may ask for anything.
        let len =
            usize::try_from(len).ok().filter(|len| *len < 64 << 20).ok_or(io::ErrorKind::StorageFull)?;
        self.0.lock().unwrap().resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let offset = usize::try_from(offset).unwrap();
        let mut bytes = self.0.lock().unwrap();
        let place = bytes.get_mut(offset..offset + data.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        place.copy_from_slice(data);
        Ok(())
    }
}

fn nowhere() -> PathBuf {
    PathBuf::from("memory")
}

fn open(memory: &Memory) -> Result<Store, StoreError> {
    let database = place::open_backend(&nowhere(), PLAN, memory.clone())?;
    Ok(Store::around(nowhere(), Limits::default(), PLAN, database))
}

fn told(number: u64) -> Batch {
    let gap = Gap {
        area: model::Area::Sockets,
        reason: model::Reason::LimitReached,
        what: format!("the gap with number {number}"),
        count: Some(number),
    };
    Batch { gaps: vec![(Timestamp::from_ns(1), gap)], ..Batch::default() }
}

/// Everything that the store can be asked, as text.
fn everything(store: &Store) -> Result<String, String> {
    let now = support::moment(0);
    let filter = RecordFilter { limit: 1000, ..RecordFilter::default() };
    let mut text = String::new();
    for query in [
        Query::Records { filter },
        Query::Findings { filter: crate::FindingFilter { limit: 1000, ..Default::default() }, now },
        Query::Usage { ports: Vec::new() },
        Query::Spoken { since: now },
        Query::Port { transport: None, port: 420, records: 1000, now },
        Query::Port { transport: None, port: 40_000, records: 1000, now },
        Query::Statistics,
    ] {
        let answer: Answer = store.answer(&query).map_err(|refusal| refusal.text)?;
        text.push_str(&serde_json::to_string(&answer).unwrap());
    }
    Ok(text)
}

#[test]
fn a_changed_byte_is_an_error_or_changes_nothing() {
    let memory = Memory::default();
    let store = open(&memory).unwrap();
    store.append(&told(1)).unwrap();
    store.append(&told(2)).unwrap();
    let expected = everything(&store).unwrap();
    drop(store);
    let whole = memory.bytes();
    assert_eq!(everything(&open(&Memory::of(&whole)).unwrap()).unwrap(), expected);

    // What the database says when it gives up is not wanted here.
    let (mut refused, mut intact) = (0, 0);
    for at in (0..whole.len()).filter(|at| *at < 384 || at % 61 == 0) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        match open(&Memory::of(&bytes)) {
            Err(StoreError::Damaged { .. } | StoreError::Io { .. } | StoreError::Closed { .. }) => {
                refused += 1
            }
            Err(other) => panic!("byte {at}: {other}"),
            Ok(store) => match everything(&store) {
                Ok(answers) => {
                    assert_eq!(answers, expected, "byte {at} changed what is answered");
                    intact += 1;
                }
                Err(_) => refused += 1,
            },
        }
    }
    assert!(refused > 100 && intact > 100, "{refused} refused, {intact} intact");
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let memory = Memory::default();
    let store = open(&memory).unwrap();
    store.append(&told(1)).unwrap();
    drop(store);
    let whole = memory.bytes();
    for cut in (1..whole.len()).step_by(509) {
        let error = open(&Memory::of(&whole[..cut])).expect_err("a part was taken for the whole");
        assert!(!matches!(error, StoreError::Newer { .. } | StoreError::Busy { .. }), "{cut}: {error}");
    }
}

const OLD: TableDefinition<'static, &'static str, u32> = TableDefinition::new("old");
const NEW: TableDefinition<'static, &'static str, u64> = TableDefinition::new("new");

fn from_old_to_new(transaction: &WriteTransaction) -> Result<(), String> {
    let told = |error: redb::Error| error.to_string();
    let old = transaction.open_table(OLD).map_err(|error| told(error.into()))?;
    let mut new = transaction.open_table(NEW).map_err(|error| told(error.into()))?;
    for row in old.iter().map_err(|error| told(error.into()))? {
        let (key, value) = row.map_err(|error| told(error.into()))?;
        new.insert(key.value(), u64::from(value.value()) * 2).map_err(|error| told(error.into()))?;
    }
    Ok(())
}

fn fails(transaction: &WriteTransaction) -> Result<(), String> {
    from_old_to_new(transaction)?;
    Err(String::from("on purpose"))
}

#[test]
fn an_old_form_is_led_to_ours_and_a_newer_one_is_refused() {
    const FIRST: Plan = Plan { oldest: 0, steps: &[] };
    const SECOND: Plan = Plan { oldest: 0, steps: &[from_old_to_new] };
    const THIRD: Plan = Plan { oldest: 0, steps: &[from_old_to_new, |_| Ok(())] };
    const BROKEN: Plan = Plan { oldest: 0, steps: &[fails] };
    let path = Path::new("memory");
    let memory = Memory::default();
    let database = place::open_backend(path, FIRST, memory.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(OLD).unwrap().insert("a", 21).unwrap();
    transaction.commit().unwrap();
    drop(database);

    // A step that fails leaves the old form as it was.
    let error = place::open_backend(path, BROKEN, memory.clone()).unwrap_err();
    assert!(error.to_string().contains("on purpose"), "{error}");
    drop(place::open_backend(path, FIRST, memory.clone()).unwrap());

    let database = place::open_backend(path, SECOND, memory.clone()).unwrap();
    let value = database.begin_read().unwrap().open_table(NEW).unwrap().get("a").unwrap().unwrap().value();
    assert_eq!(value, 42);
    drop(database);
    // Made once, and not again.
    drop(place::open_backend(path, SECOND, memory.clone()).unwrap());
    drop(place::open_backend(path, THIRD, memory.clone()).unwrap());

    let before = memory.bytes();
    let error = place::open_backend(path, SECOND, Memory::of(&before)).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("newer portreeve"), "{error}");
    // Of a form before the oldest that we know.
    let error = place::open_backend(path, Plan { oldest: 3, steps: &[] }, memory).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

/// A history of form 1, with something in each of its tables, and what it answered.
fn of_form_1() -> (Memory, String) {
    let memory = Memory::default();
    let store = open(&memory).unwrap();
    let redis = support::process(41, "/usr/bin/redis-server");
    store.append(&told(1)).unwrap();
    store.append(&support::look(BEGIN, &[("0.0.0.0:420", 41)], &[Arc::clone(&redis)])).unwrap();
    let bound = support::event(BEGIN, model::Happened::Listening, "0.0.0.0:420", &redis);
    store.append(&support::events(vec![bound])).unwrap();
    let sighting = support::sighting(BEGIN + DAY, model::Code::ALL[0], "420", model::Severity::Warning);
    store.append(&support::found(vec![sighting])).unwrap();
    // From this port on, form 2 writes down no servers either.
    let flow = support::flow(BEGIN + 2 * DAY, "192.0.2.1:5000", "192.0.2.9:40000", model::FlowState::Closed);
    store.append(&Batch { flows: vec![flow], ..Batch::default() }).unwrap();
    store.trim(support::at(BEGIN + 2 * DAY)).unwrap();
    let answers = everything(&store).unwrap();
    for part in ["redis-server", "something about 420", "the gap with number 1", "192.0.2.1"] {
        assert!(answers.contains(part), "{part} is not in {answers}");
    }
    drop(store);

    // Form 1 had all tables but the last.
    let database = place::open_backend(&nowhere(), PLAN, memory.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(TABLES[SERVERS].1).unwrap();
    transaction.open_table(SCHEMA).unwrap().insert(VERSION, 1).unwrap();
    {
        let mut meta = transaction.open_table(META).unwrap();
        let mut state: State = decode(meta.get(STATE).unwrap().unwrap().value()).unwrap();
        state.sizes.truncate(SERVERS);
        meta.insert(STATE, encode(&state).unwrap().as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    (memory, answers)
}

#[test]
fn a_history_of_form_1_keeps_everything_and_begins_to_know_servers() {
    let (memory, answers) = of_form_1();
    let plan = Plan { oldest: 1, steps: &[] };
    drop(place::open_backend(&nowhere(), plan, memory.clone()).expect("it is of form 1"));

    let store = open(&memory).unwrap();
    assert_eq!(everything(&store).unwrap(), answers);
    drop(store);
    assert!(place::open_backend(&nowhere(), plan, Memory::of(&memory.bytes())).is_err(), "it is of form 2");

    // On the days of form 1 servers were not written down: these days say of none that it is new.
    let store = open(&memory).unwrap();
    let mut known = Vec::new();
    let mut days = |store: &Store| {
        known.clear();
        let days = store.servers(&mut |server, _, port| known.push((server.to_string(), port))).unwrap();
        (days, known.len())
    };
    assert_eq!(days(&store), (0, 0));
    for (day, expected) in [(3, (1, 1)), (4, (2, 1))] {
        let server = "192.0.2.9:420";
        let flow = support::flow(BEGIN + day * DAY, "192.0.2.1:5000", server, model::FlowState::Closed);
        store.append(&Batch { flows: vec![flow], ..Batch::default() }).unwrap();
        assert_eq!(days(&store), expected);
    }
}
