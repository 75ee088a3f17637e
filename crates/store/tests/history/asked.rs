//! What is asked is what was told: ports, holders, findings and their states, pages, bounds, clocks.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{BEGIN, DAY, SECOND, at, event, events, flow, found, look, moment, process, sighting};
use model::{Code, FlowState, Happened, Severity};
use portreeve_store::{
    Answer, Batch, FindingFilter, FindingRecord, FindingState, Findings, Limits, PortHistory, Query,
    RecordFilter, Records, RefusalKind, Resolution, Statistics, Store, StoreError, Usage, What, finding_id,
};

pub(crate) fn open(limits: Limits) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), limits).unwrap();
    (folder, store)
}

fn port(store: &Store, port: u16) -> PortHistory {
    match store.answer(&Query::Port { transport: None, port, records: 100, now: moment(BEGIN) }).unwrap() {
        Answer::Port(history) => history,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn records(store: &Store, filter: RecordFilter) -> Records {
    match store.answer(&Query::Records { filter }).unwrap() {
        Answer::Records(records) => records,
        other => panic!("{other:?}"),
    }
}

fn findings(store: &Store, filter: FindingFilter, now: i64) -> Findings {
    match store.answer(&Query::Findings { filter, now: moment(now) }).unwrap() {
        Answer::Findings(findings) => findings,
        other => panic!("{other:?}"),
    }
}

fn all(store: &Store, now: i64) -> Vec<FindingRecord> {
    findings(store, FindingFilter { limit: 1000, ..FindingFilter::default() }, now).findings
}

pub(crate) fn statistics(store: &Store) -> Statistics {
    match store.answer(&Query::Statistics).unwrap() {
        Answer::Statistics(statistics) => statistics,
        other => panic!("{other:?}"),
    }
}

fn usage(store: &Store, ports: &[u16]) -> Usage {
    match store.answer(&Query::Usage { ports: ports.to_vec() }).unwrap() {
        Answer::Usage(usage) => usage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_port_has_its_doors_holders_flows_and_events() {
    let (folder, store) = open(Limits::default());
    let nc = process(900, "/usr/bin/nc");
    let nginx = process(901, "/usr/sbin/nginx");
    store.append(&look(BEGIN, &[("0.0.0.0:420", 900), ("0.0.0.0:443", 901)], &[nc.clone(), nginx])).unwrap();
    let later = BEGIN + DAY;
    let mut closed = event(later + SECOND, Happened::Closed, "0.0.0.0:420", &nc);
    closed.lived_ns = Some(200_000);
    store
        .append(&Batch {
            events: vec![event(later, Happened::Listening, "0.0.0.0:420", &nc), closed],
            flows: vec![
                flow(later, "192.0.2.1:5000", "192.0.2.9:420", FlowState::Closed),
                flow(later, "192.0.2.2:5000", "192.0.2.9:420", FlowState::Closed),
                flow(later, "192.0.2.3:5000", "192.0.2.9:421", FlowState::Refused),
            ],
            ..Batch::default()
        })
        .unwrap();

    let history = port(&store, 420);
    assert_eq!((history.watched.days, history.watched.since), (2, Some(moment(BEGIN))));
    let [used] = history.used.as_slice() else { panic!("{:?}", history.used) };
    let held = used.held.as_ref().unwrap();
    assert_eq!((held.first, held.last, held.times), (moment(BEGIN), moment(later + SECOND), 2));
    assert_eq!(used.served.as_ref().unwrap().times, 2);
    assert_eq!(used.knocked, None);
    let [door] = history.doors.as_slice() else { panic!("{:?}", history.doors) };
    assert_eq!((door.kind.as_str(), door.netns.as_str(), door.seen.times), ("tcp", "", 2));
    let [holder] = door.holders.as_slice() else { panic!("{:?}", door.holders) };
    assert_eq!((holder.holder.program.as_str(), holder.pid), ("nc", 900));
    assert_eq!(holder.holder.command_line, "/usr/bin/nc -l");
    let [flows] = history.flows.as_slice() else { panic!("{:?}", history.flows) };
    assert_eq!((flows.seen.times, flows.packets, flows.bytes, flows.clients), (2, 10, 2000, 2));
    let happened: Vec<&str> = history
        .records
        .records
        .iter()
        .map(|record| match &record.what {
            What::Socket(socket) => socket.happened.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(happened, ["closed", "listening"]);

    let knocked = usage(&store, &[421]).ports;
    assert!(knocked[0].held.is_none() && knocked[0].served.is_none() && knocked[0].knocked.is_some());
    assert!(usage(&store, &[419]).ports.is_empty());
    assert_eq!(usage(&store, &[]).ports.len(), 3);
    assert!(port(&store, 419).doors.is_empty());

    // Everything is there in another process, too.
    let before = serde_json::to_string(&history).unwrap();
    drop(store);
    let store = Store::existing(folder.path(), Limits::default()).unwrap();
    assert_eq!(serde_json::to_string(&port(&store, 420)).unwrap(), before);
    assert_eq!(serde_json::from_str::<PortHistory>(&before).unwrap(), history);
}

#[test]
fn pages_have_every_record_once_and_in_order() {
    let (_folder, store) = open(Limits::default());
    let (nc, sshd) = (process(1, "/usr/bin/nc"), process(2, "/usr/sbin/sshd"));
    for number in 0..25 {
        let holder = if number % 5 == 0 { &sshd } else { &nc };
        let local = format!("0.0.0.0:{}", 400 + number % 2);
        store
            .append(&events(vec![event(BEGIN + number * SECOND, Happened::Listening, &local, holder)]))
            .unwrap();
    }
    let walk = |filter: RecordFilter| {
        let mut numbers = Vec::new();
        let mut filter = RecordFilter { limit: 4, ..filter };
        loop {
            let page = records(&store, filter.clone());
            assert!(page.records.len() <= 4 && !page.records.is_empty());
            numbers.extend(page.records.iter().map(|record| record.number));
            match page.next {
                Some(next) => filter.before = Some(next),
                None => return numbers,
            }
        }
    };
    assert_eq!(walk(RecordFilter::default()), (0..25).rev().collect::<Vec<u64>>());
    let of_400 = RecordFilter { port: Some(400), ..RecordFilter::default() };
    assert_eq!(walk(of_400), (0..25).rev().filter(|number| number % 2 == 0).collect::<Vec<u64>>());
    let of_sshd = RecordFilter { holder: Some(String::from("SSHD")), ..RecordFilter::default() };
    assert_eq!(walk(of_sshd), [20, 15, 10, 5, 0]);
    let window = RecordFilter {
        since: Some(moment(BEGIN + 3 * SECOND)),
        until: Some(moment(BEGIN + 6 * SECOND)),
        ..RecordFilter::default()
    };
    assert_eq!(walk(window), [6, 5, 4, 3]);
}

#[test]
fn a_finding_is_opened_accepted_resolved_and_opened_again() {
    let (_folder, store) = open(Limits::default());
    let about = "tcp 0.0.0.0:420 /usr/bin/nc";
    let id = finding_id(Code::SilentPortInUse, about);
    let seen = |ns| found(vec![sighting(ns, Code::SilentPortInUse, about, Severity::Warning)]);
    let state = |now| {
        let all = all(&store, now);
        assert_eq!(all.len(), 1);
        all[0].state
    };
    let acknowledge = |until: Option<i64>, now: i64| {
        store.answer(&Query::Acknowledge {
            id: id.chars().take(6).collect(),
            reason: String::from("ours"),
            by: String::from("root"),
            until: until.map(moment),
            now: moment(now),
        })
    };
    store.append(&seen(BEGIN)).unwrap();
    store.append(&seen(BEGIN + SECOND)).unwrap();
    let first = all(&store, BEGIN).remove(0);
    assert_eq!((first.id.as_str(), first.seen.times, first.state), (id.as_str(), 2, FindingState::Open));

    acknowledge(Some(BEGIN + 10 * SECOND), BEGIN + 2 * SECOND).unwrap();
    store.append(&seen(BEGIN + 3 * SECOND)).unwrap();
    assert_eq!(state(BEGIN + 9 * SECOND), FindingState::Acknowledged);
    // Its time has come, whether anybody noted it or not.
    assert_eq!(state(BEGIN + 10 * SECOND), FindingState::Open);
    assert_eq!(store.trim(at(BEGIN + 11 * SECOND)).unwrap().expired, 1);
    assert_eq!(state(BEGIN), FindingState::Open);

    acknowledge(None, BEGIN + 12 * SECOND).unwrap();
    let resolution =
        Resolution { at: at(BEGIN + 13 * SECOND), code: Code::SilentPortInUse, about: about.to_owned() };
    let gone = Batch { resolved: vec![resolution], ..Batch::default() };
    store.append(&gone).unwrap();
    assert_eq!(state(BEGIN + 14 * SECOND), FindingState::Acknowledged);
    store.answer(&Query::Reopen { id: id.clone(), now: moment(BEGIN + 15 * SECOND) }).unwrap();
    store.append(&gone).unwrap();
    assert_eq!(state(BEGIN + 16 * SECOND), FindingState::Resolved);
    store.append(&seen(BEGIN + 17 * SECOND)).unwrap();
    assert_eq!(state(BEGIN + 18 * SECOND), FindingState::Open);

    // Not seen for a day and a bit, by the history's own clock.
    for hour in 1..=26 {
        store.trim(at(BEGIN + hour * 3600 * SECOND)).unwrap();
    }
    assert_eq!(state(BEGIN + 2 * DAY), FindingState::Resolved);
    let changes: Vec<String> = port(&store, 420)
        .records
        .records
        .into_iter()
        .filter_map(|record| match record.what {
            What::Finding { change, .. } => Some(change),
            _ => None,
        })
        .collect();
    assert_eq!(
        changes,
        ["resolved", "reopened", "resolved", "reopened", "acknowledged", "expired", "acknowledged", "opened"]
    );

    let refused = |query: Query| {
        let refusal = store.answer(&query).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Asked, "{refusal}");
        refusal.text
    };
    let now = moment(BEGIN);
    assert!(refused(Query::Finding { id: String::from("ffffff"), now }).contains("no finding"));
    assert!(refused(Query::Finding { id: String::from("12"), now }).contains("digits"));
    assert!(acknowledge(Some(BEGIN), BEGIN + 1).unwrap_err().text.contains("before it begins"));
}

#[test]
fn findings_are_filtered_and_have_one_order() {
    let (_folder, store) = open(Limits::default());
    let list: Vec<_> = [
        (Code::ExeMemfd, "tcp 0.0.0.0:1", Severity::Alert),
        (Code::ExeDeleted, "tcp 0.0.0.0:2", Severity::Warning),
        (Code::SilentPortInUse, "tcp 0.0.0.0:3", Severity::Warning),
        (Code::ServiceNew, "udp 0.0.0.0:4", Severity::Note),
    ]
    .into_iter()
    .map(|(code, about, severity)| sighting(BEGIN, code, about, severity))
    .collect();
    store.append(&found(list)).unwrap();
    let codes = |filter: FindingFilter| {
        let filter = FindingFilter { limit: 10, ..filter };
        let once = findings(&store, filter.clone(), BEGIN);
        assert_eq!(once, findings(&store, filter, BEGIN));
        once.findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(FindingFilter::default()).len(), 4);
    assert_eq!(codes(FindingFilter::default())[0], "exe-memfd");
    assert_eq!(codes(FindingFilter { severity: Some("warning".into()), ..Default::default() }).len(), 3);
    assert_eq!(codes(FindingFilter { codes: vec!["exe-*".into()], ..Default::default() }).len(), 2);
    assert_eq!(codes(FindingFilter { codes: vec!["*".into()], skip: 3, ..Default::default() }).len(), 1);
    assert!(codes(FindingFilter { since: Some(moment(BEGIN + 1)), ..Default::default() }).is_empty());
    assert!(codes(FindingFilter { states: vec![FindingState::Resolved], ..Default::default() }).is_empty());
}

#[test]
fn a_clock_that_jumps_ten_years_and_back_deletes_nothing() {
    let (_folder, store) = open(Limits { keep_days: 30, ..Limits::default() });
    let nc = process(1, "/usr/bin/nc");
    let told = |ns| events(vec![event(ns, Happened::Listening, "0.0.0.0:420", &nc)]);
    let ten_years = 3650 * DAY;
    store.append(&told(BEGIN)).unwrap();
    store.trim(at(BEGIN)).unwrap();
    store.append(&told(BEGIN + ten_years)).unwrap();
    assert_eq!(store.trim(at(BEGIN + ten_years)).unwrap().aged, 0);
    store.append(&told(BEGIN + SECOND)).unwrap();
    assert_eq!(store.trim(at(BEGIN + SECOND)).unwrap().aged, 0);

    let history = port(&store, 420);
    // In the order in which it was told, with the times that were told.
    let times: Vec<i64> = history.records.records.iter().map(|record| record.at.as_ns()).collect();
    assert_eq!(times, [BEGIN + SECOND, BEGIN + ten_years, BEGIN]);
    let held = history.used[0].held.as_ref().unwrap();
    assert_eq!((held.first, held.last), (moment(BEGIN), moment(BEGIN + SECOND)));
    // Days on which something was told, not days between two dates.
    assert_eq!(history.watched.days, 2);

    // Real days make it old all the same; first and last seen stay.
    for day in 1..=40 {
        store.trim(at(BEGIN + day * DAY)).unwrap();
    }
    let history = port(&store, 420);
    assert!(history.records.records.is_empty());
    assert_eq!(history.doors.len(), 1);
    assert_eq!(history.used[0].held.as_ref().unwrap().times, 3);
}

#[test]
fn the_file_stays_below_its_bound_and_what_is_open_outlives_what_happened() {
    let limits = Limits { most_bytes: 4 << 20, most_findings: 100, most_summaries: 500, ..Limits::default() };
    let (_folder, store) = open(limits);
    store.append(&found(vec![sighting(BEGIN, Code::ExeMemfd, "tcp 0.0.0.0:1", Severity::Alert)])).unwrap();
    let mut most = 0;
    for round in 0..30 {
        let ns = BEGIN + round * SECOND;
        let batch: Vec<_> = (0..1200)
            .map(|number: i64| {
                let port = 1 + (round * 1200 + number) % 3000;
                let holder =
                    process(u32::try_from(number).unwrap(), &format!("/opt/{round}/{}", number % 50));
                event(ns, Happened::Listening, &format!("0.0.0.0:{port}"), &holder)
            })
            .collect();
        let resolved = (0..20)
            .map(|number| sighting(ns, Code::ExeDeleted, &format!("{round} {number}"), Severity::Warning));
        store.append(&events(batch)).unwrap();
        store.append(&found(resolved.collect())).unwrap();
        store.trim(at(ns)).unwrap();
        most = most.max(statistics(&store).file_bytes);
    }
    let statistics = statistics(&store);
    assert!(most <= limits.most_bytes, "{most} of {}", limits.most_bytes);
    let rows = |name: &str| statistics.tables.iter().find(|table| table.name == name).unwrap().rows;
    assert!(rows("log") > 2000, "{statistics:?}");
    assert!(rows("doors") <= 500 && rows("holders") <= 500 && rows("held") <= 500, "{statistics:?}");
    assert!(rows("findings") <= 100);
    assert!(statistics.crowded_out > 10_000);
    // The index has no more than what there is.
    assert!(rows("by_port") <= rows("log"));
    // What is left are the latest.
    let page = records(&store, RecordFilter { limit: 1, ..RecordFilter::default() });
    assert_eq!(page.records[0].number, statistics.records_ever - 1);
}

#[test]
fn readers_see_whole_batches_while_somebody_writes() {
    let (_folder, store) = open(Limits::default());
    let nc = process(1, "/usr/bin/nc");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut looks = 0_u32;
                    let mut last = 0;
                    while !stop.load(Ordering::Acquire) || looks < 5 {
                        let ever = statistics(&store).records_ever;
                        assert!(ever.is_multiple_of(10) && ever >= last, "{ever} after {last}");
                        let page = records(&store, RecordFilter { limit: 20, ..RecordFilter::default() });
                        assert!(page.records.len().is_multiple_of(10));
                        last = ever;
                        looks += 1;
                    }
                })
            })
            .collect();
        for round in 0..50 {
            let ten = (0..10)
                .map(|number| event(BEGIN + round * 10 + number, Happened::Listening, "0.0.0.0:420", &nc));
            store.append(&events(ten.collect())).unwrap();
        }
        stop.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    assert_eq!(statistics(&store).records_ever, 500);
}

#[test]
fn who_may_not_have_it_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Store::existing(folder.path(), Limits::default()).unwrap_err();
    assert!(matches!(absent, StoreError::Absent { .. }) && absent.to_string().contains("portreeve serve"));
    let store = Store::open(folder.path(), Limits::default()).unwrap();
    let busy = Store::open(folder.path(), Limits::default()).unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }) && busy.may_pass(), "{busy}");
    let path = store.path().to_path_buf();
    drop(store);
    let whole = portreeve_store::rebuild(&path).unwrap_err();
    assert!(whole.to_string().contains("whole"), "{whole}");

    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 1, 100, bytes.len() / 2] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let damaged = Store::open(folder.path(), Limits::default()).unwrap_err();
        assert!(matches!(damaged, StoreError::Damaged { .. }) && !damaged.may_pass(), "{cut}: {damaged}");
        assert_eq!(std::fs::read(&path).unwrap(), &bytes[..cut], "it was changed");
    }
    let aside = portreeve_store::rebuild(folder.path()).unwrap();
    assert!(aside.to_string_lossy().ends_with("history.damaged-1.redb"));
    Store::open(folder.path(), Limits::default()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn questions_and_answers_travel_as_json() {
    let (_folder, store) = open(Limits::default());
    let nc = process(900, "/usr/bin/nc");
    let about = "tcp 0.0.0.0:420 /usr/bin/nc";
    let id = finding_id(Code::SilentPortInUse, about);
    store
        .append(&Batch {
            events: vec![event(BEGIN, Happened::Listening, "0.0.0.0:420", &nc)],
            findings: vec![sighting(BEGIN, Code::SilentPortInUse, about, Severity::Warning)],
            ..Batch::default()
        })
        .unwrap();
    let now = moment(BEGIN + SECOND);
    let (by, reason) = (String::from("root"), String::from("ours"));
    for query in [
        Query::Port { transport: Some(String::from("tcp")), port: 420, records: 10, now },
        Query::Records { filter: RecordFilter { limit: 10, ..RecordFilter::default() } },
        Query::Findings { filter: FindingFilter { limit: 10, ..FindingFilter::default() }, now },
        Query::Finding { id: id.clone(), now },
        Query::Acknowledge { id: id.clone(), reason, by, until: Some(moment(BEGIN + DAY)), now },
        Query::Reopen { id, now },
        Query::Usage { ports: vec![420] },
        Query::Spoken { since: now },
        Query::Statistics,
    ] {
        let text = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), query, "{text}");
        let answer = store.answer(&query).unwrap();
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer, "{text}");
    }
    let refused = store.answer(&Query::Finding { id: String::from("00000"), now }).unwrap_err();
    let text = serde_json::to_string(&refused).unwrap();
    assert_eq!(serde_json::from_str::<portreeve_store::Refusal>(&text).unwrap(), refused);
}

#[test]
fn servers_that_answered_are_known_and_those_that_did_not_or_might_be_anybody_are_not() {
    let (folder, store) = open(Limits::default());
    let client = "192.0.2.1:5000";
    let flows = vec![
        flow(BEGIN, client, "192.0.2.9:420", FlowState::Closed),
        flow(BEGIN, "[2001:db8::1]:5000", "[2001:db8::9]:443", FlowState::Closed),
        flow(BEGIN, client, "192.0.2.9:421", FlowState::Refused),
        flow(BEGIN, client, "192.0.2.9:422", FlowState::Unanswered),
        flow(BEGIN, client, "192.0.2.9:40000", FlowState::Closed),
    ];
    let known = |store: &Store| {
        let mut all = Vec::new();
        let days = store.servers(&mut |server, _, port| all.push(format!("{server} {port}"))).unwrap();
        all.sort_unstable();
        (days, all)
    };
    assert_eq!(known(&store), (0, Vec::new()));
    store.append(&Batch { flows, ..Batch::default() }).unwrap();
    assert_eq!(known(&store).0, 1);
    let again = vec![flow(BEGIN + DAY, client, "192.0.2.9:420", FlowState::Closed)];
    store.append(&Batch { flows: again, ..Batch::default() }).unwrap();
    let both = vec![String::from("192.0.2.9 420"), String::from("2001:db8::9 443")];
    assert_eq!(known(&store), (2, both.clone()));
    drop(store);
    // A restart forgets none; time does.
    let limits = Limits { keep_days: 1, keep_summaries_days: 3, ..Limits::default() };
    let store = Store::existing(folder.path(), limits).unwrap();
    assert_eq!(known(&store).1, both);
    for day in 0..6 {
        store.trim(at(BEGIN + day * DAY)).unwrap();
    }
    assert_eq!(known(&store).1, Vec::<String>::new());
}
