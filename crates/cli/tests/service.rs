//! What surrounds the service: whether this machine is fit for it, and the files that systemd reads.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a panic is how it fails"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::{Home, err, out, status};

fn tree(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn row<'a>(document: &'a Value, name: &str) -> &'a Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}"))
}

fn document(output: &std::process::Output) -> Value {
    let document: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(output)));
    let schema = std::fs::read_to_string(tree("docs/schema/doctor-v1.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(document["exit_status"].as_i64(), Some(status(output).into()));
    document
}

#[test]
fn doctor_tells_of_this_machine_and_of_its_settings() {
    let home = Home::new("doctor");
    let good = document(&home.run(&[
        "doctor",
        "--json",
        "--config",
        tree("contrib/portreeve.toml").to_str().unwrap(),
    ]));
    assert_eq!(row(&good, "settings")["state"], "ok");
    assert_eq!(row(&good, "sockets")["state"], "ok");
    let broken = home.file("broken.toml", "[serve]\njudge-evry = \"1s\"\n");
    let output = home.run(&["doctor", "--json", "--config", broken.to_str().unwrap()]);
    let told = document(&output);
    assert_eq!((status(&output), &row(&told, "settings")["state"]), (1, &Value::from("limited")));
    let why = row(&told, "settings")["why"].as_str().unwrap();
    assert!(why.contains("broken.toml:2:1") && why.contains("did you mean `judge-every`?"), "{why}");
    let text = home.run(&["doctor", "--config", broken.to_str().unwrap()]);
    assert!(
        out(&text).contains("did you mean `judge-every`?") && out(&text).contains("To do: "),
        "{}",
        out(&text)
    );
    assert_eq!(status(&home.run(&["doctor", "--config", "/no/such/file"])), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn doctor_says_to_nobody_what_is_missing() {
    let home = Home::new("doctor-nobody");
    let binary = home.0.join("portreeve");
    std::fs::copy(env!("CARGO_BIN_EXE_portreeve"), &binary).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&binary);
    let output = command
        .args(["doctor", "--json"])
        .env("HOME", "/nonexistent")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_RUNTIME_DIR")
        .output();
    let Ok(output) = output else { return eprintln!("SKIPPED: no setpriv here") };
    if err(&output).contains("setpriv:") {
        return eprintln!("SKIPPED: only root can become nobody: {}", err(&output));
    }
    let told = document(&output);
    assert_eq!((status(&output), &told["uid"]), (1, &Value::from(65_534)));
    for name in ["rights-list", "rights-watch", "rights-events", "rights-decoy", "packets"] {
        let row = row(&told, name);
        assert_eq!(row["state"], "no", "{row}");
        assert!(row["advice"].as_str().unwrap().contains("root") || name == "packets", "{row}");
    }
    assert_eq!(row(&told, "program-holders")["state"], "limited");
    assert_eq!(row(&told, "kernel")["state"], "ok");
}

/// The unit file with our binary in it, in a folder of the test's own.
fn unit(home: &Home) -> PathBuf {
    let unit = std::fs::read_to_string(tree("contrib/systemd/portreeve.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/portreeve serve\n"));
    home.file("portreeve.service", &unit.replace("/usr/bin/portreeve", env!("CARGO_BIN_EXE_portreeve")))
}

#[test]
fn systemd_takes_the_unit_and_finds_it_shut_off() {
    let home = Home::new("unit");
    let unit = unit(&home);
    let analyze = |words: &[&str]| {
        Command::new("systemd-analyze").args(words).arg(&unit).env("SYSTEMD_COLORS", "0").output()
    };
    let Ok(verified) = analyze(&["verify", "--man=no"]) else {
        return eprintln!("SKIPPED: no systemd-analyze here");
    };
    let complaints = err(&verified);
    // Of other units of this machine, and of what systemd before 253 does not know.
    let ours = complaints
        .lines()
        .filter(|line| line.contains("portreeve.service") && !line.contains("ignoring: notify-reload"));
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(verified.status.success(), "{complaints}");
    let found = analyze(&["security", "--offline=yes", "--no-pager"]).unwrap();
    let text = out(&found);
    let Some(line) = text.lines().find(|line| line.contains("Overall exposure level")) else {
        return eprintln!("SKIPPED: this systemd-analyze does not judge files: {}", err(&found));
    };
    let exposure: f64 = line
        .split(": ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{line}"));
    // Of 10; a service with all rights of root has 9.6. What is left is what looking takes.
    assert!(exposure < 4.0, "{line}");
}

#[test]
fn capabilities_of_the_unit_are_those_of_the_work() {
    let unit = std::fs::read_to_string(tree("contrib/systemd/portreeve.service")).unwrap();
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    assert_eq!(line("AmbientCapabilities="), line("CapabilityBoundingSet="));
    let numbers = [
        ("CAP_DAC_READ_SEARCH", 2),
        ("CAP_SYS_PTRACE", 19),
        ("CAP_SYS_ADMIN", 21),
        ("CAP_PERFMON", 38),
        ("CAP_BPF", 39),
        ("CAP_NET_RAW", 13),
        ("CAP_NET_ADMIN", 12),
        ("CAP_NET_BIND_SERVICE", 10),
    ];
    let held = line("AmbientCapabilities=").split(' ').map(|name| {
        let number = numbers.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}")).1;
        1_u64 << number
    });
    let held = held.fold(0, |set, bit| set | bit);
    let looking = host::privilege::LOOKING;
    assert_eq!(held & looking, looking);
    assert_eq!(held & !looking, 1 << 13 | 1 << 12 | 1 << 10);
}
