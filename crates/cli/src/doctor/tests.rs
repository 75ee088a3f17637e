//! From made facts to rows: a machine where all works, and one where each thing fails.

use host::confine::{Fence, Measure};
use host::means::{ClockMeans, Limit, ProgramMeans};
use model::{Area, Reason};

use super::*;
use crate::document::DoctorDocument;
use crate::style::Style;
use crate::text::{self, Form};

const DAY: i64 = 20_784;

fn well() -> Facts {
    let no_limit = Some(Limit { soft: None, hard: None });
    let fence = |name| Measure { name, keeps_from: String::new(), fence: Fence::Whole };
    let program = |name| ProgramMeans { name, shows: "holders", fault: None };
    Facts {
        means: Means {
            system: "linux",
            kernel: Some("6.18.44-test".into()),
            uid: Some(0),
            capabilities: Some(u64::MAX),
            types: Some(true),
            programs: vec![program("holders"), program("owners")],
            lockdown: Some("integrity".into()),
            ptrace_scope: Some(1),
            hidepid: None,
            user_namespace: Some(false),
            pid_namespace: Some(false),
            container: None,
            control_groups: Some("/sys/fs/cgroup".into()),
            descriptors: Some(Limit { soft: Some(1024), hard: Some(1 << 20) }),
            locked_bytes: no_limit,
            memory_bytes: Some(4 << 30),
            clock: Some(ClockMeans { synchronised: true, most_off_us: 12_345 }),
            ptp_devices: vec!["ptp0".into()],
            packets_fault: None,
            fences: vec![fence("Landlock"), fence("seccomp")],
            systemd: Some(true),
        },
        gaps: Vec::new(),
        sockets: (12, 0),
        events: vec![EventSource { name: "looks", shows: "listeners that live long enough", fault: None }],
        interfaces: Ok(vec!["lo".into(), "eth0".into()]),
        table: TableFacts { date: "2026-11-20".into(), imported: false, fault: None },
        policy: FileFacts { files: vec!["/etc/portreeve/policy.toml".into()], faults: Vec::new() },
        baseline: FileFacts::default(),
        settings: FileFacts::default(),
        wanted_bytes: 88 << 20,
        history: Some(HistoryFacts { folder: "/var/lib/portreeve".into(), exists: true, free: Ok(10 << 30) }),
        service: ServiceFacts::Runs("/run/portreeve/control.sock".into()),
        unit: Some("/etc/systemd/system/portreeve.service".into()),
        today: DAY,
    }
}

fn unwell() -> Facts {
    let mut facts = well();
    let means = &mut facts.means;
    means.kernel = Some("5.4.0".into());
    means.capabilities = Some(1 << 13);
    means.types = Some(false);
    means.programs.truncate(1);
    means.programs[0].fault = Some("the kernel refused to load types: \u{1b}[31mno".into());
    means.lockdown = Some("confidentiality".into());
    means.hidepid = Some("2".into());
    (means.user_namespace, means.pid_namespace) = (Some(true), Some(true));
    means.container = Some("docker".into());
    means.control_groups = None;
    means.descriptors = Some(Limit { soft: Some(256), hard: None });
    means.locked_bytes = Some(Limit { soft: Some(65_536), hard: None });
    means.memory_bytes = Some(10 << 20);
    means.clock = Some(ClockMeans { synchronised: false, most_off_us: 16_000_000 });
    means.ptp_devices.clear();
    means.packets_fault = Some("needs CAP_NET_RAW".into());
    means.fences[0].fence = Fence::None("the kernel has it not".into());
    facts.gaps = vec![Gap {
        area: Area::Holders,
        reason: Reason::NoPermission,
        what: "14 processes of other users".into(),
        count: Some(14),
    }];
    facts.events[0].fault = Some("not here".into());
    facts.table.date = "2024-01".into();
    facts.policy.faults = vec!["policy.toml:2:1: `prot` is not a key here".into()];
    facts.settings.faults = vec!["portreeve.toml:1:1: not TOML".into()];
    facts.history =
        Some(HistoryFacts { folder: "/var/lib/portreeve".into(), exists: false, free: Ok(1 << 20) });
    facts.service = ServiceFacts::Not;
    facts.unit = None;
    facts
}

fn state<'a>(rows: &'a [Row], name: &str) -> &'a Row {
    rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"))
}

/// Compares with the committed file; with PORTREEVE_BLESS set, writes it instead.
fn compare(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("PORTREEVE_BLESS").is_some() {
        return std::fs::write(path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{name} is not what comes: look at it and run once with PORTREEVE_BLESS=1\n{text}"
    );
}

#[test]
fn where_all_works_every_row_is_ok_and_the_status_is_0() {
    let rows = rows(&well());
    let others: Vec<&Row> = rows.iter().filter(|row| row.state != State::Ok).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(exit_status(&rows), 0);
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "a name stands for one thing");
}

#[test]
fn what_fails_is_told_with_what_helps() {
    let rows = rows(&unwell());
    assert_eq!(exit_status(&rows), 1);
    for (name, expected, why) in [
        ("kernel", State::Limited, "5.17"),
        ("kernel-types", State::Limited, "btf"),
        ("program-holders", State::Limited, "refused"),
        ("event-looks", State::Limited, "not here"),
        ("cgroup2", State::Limited, "not mounted"),
        ("lockdown", State::Limited, "confidentiality"),
        ("descriptors", State::Limited, "256"),
        ("locked-memory", State::Limited, "65536"),
        ("memory", State::Limited, "10 MiB free"),
        ("clock", State::Limited, "nothing keeps"),
        ("ptp", State::No, "/dev/ptp"),
        ("landlock", State::Limited, "has it not"),
        ("seccomp", State::Ok, ""),
        ("rights-list", State::No, "CAP_SYS_PTRACE"),
        ("rights-watch", State::Ok, "CAP_NET_RAW"),
        ("rights-decoy", State::No, "CAP_BPF"),
        ("hidepid", State::Limited, "hidepid=2"),
        ("user-namespace", State::Limited, "not root"),
        ("pid-namespace", State::Limited, "docker"),
        ("holders", State::Limited, "14 processes of other users (not allowed to look)"),
        ("namespaces", State::Ok, ""),
        ("packets", State::No, "CAP_NET_RAW"),
        ("registry", State::Limited, "more than a year"),
        ("policy", State::Limited, "policy.toml:2:1"),
        ("baseline", State::Ok, "no file"),
        ("settings", State::Limited, "portreeve.toml:1:1"),
        ("history", State::Limited, "only 1 MiB"),
        ("service", State::No, "does not run"),
        ("unit", State::No, "not installed"),
    ] {
        let row = state(&rows, name);
        assert_eq!(row.state, expected, "{row:?}");
        assert!(row.why.contains(why), "{row:?}");
    }
    let silent: Vec<&Row> = rows
        .iter()
        .filter(|row| !matches!(row.state, State::Ok) && row.advice.is_none() && !row.optional)
        .collect();
    assert!(silent.is_empty(), "nothing to do is said for {silent:?}");
}

#[test]
fn what_is_optional_does_not_count_and_what_is_unknown_does() {
    let mut facts = well();
    (facts.service, facts.unit) = (ServiceFacts::Not, None);
    facts.means.ptp_devices.clear();
    facts.means.lockdown = None;
    facts.means.clock = None;
    assert_eq!(exit_status(&rows(&facts)), 0);
    facts.interfaces = Err("not allowed to look".into());
    assert_eq!(exit_status(&rows(&facts)), 2);
    facts.sockets.1 = 3;
    assert_eq!(exit_status(&rows(&facts)), 1);
}

#[test]
fn elsewhere_only_what_makes_sense_is_told() {
    let mut facts = well();
    facts.means = Means { system: "macos", packets_fault: Some("pipe".into()), ..Means::default() };
    (facts.unit, facts.events) = (None, Vec::new());
    let rows = rows(&facts);
    assert_eq!(state(&rows, "system").state, State::Limited);
    assert!(
        rows.iter().all(|row| !row.name.starts_with("rights") && row.name != "unit" && row.name != "clock")
    );
    assert_eq!(state(&rows, "holders").state, State::Ok);
}

#[test]
fn text_and_json_are_as_they_were() {
    let plain = Form { width: None, style: Style::PLAIN, headings: true };
    let narrow = Form { width: Some(80), ..plain };
    let (good, bad) = (well(), unwell());
    let text = text::doctor(&rows(&good), plain) + "\n----\n" + &text::doctor(&rows(&bad), narrow);
    assert!(!text.contains('\u{1b}'), "what strangers name is sanitised");
    compare("doctor.txt", &text);
    let rows = rows(&bad);
    let json = serde_json::to_string_pretty(&DoctorDocument::of(&bad, &rows)).unwrap() + "\n";
    compare("doctor.json", &json);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (value["exit_status"].as_u64(), value["rows"].as_array().map(Vec::len)),
        (Some(1), Some(rows.len()))
    );
}
