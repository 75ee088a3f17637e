//! Media through the public door: captures that are made here, and those of the field where they are at hand.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong, says what it left out, and knows its documents"
)]

mod delay;
mod field;
mod guess;
#[path = "../support/other_hand.rs"]
mod other_hand;
mod pacing;
mod rings;
mod studio;
#[path = "../support/mod.rs"]
mod support;
mod tricky;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use support::{Home, err, status};

/// What `media probe --json` says, whatever the exit status.
fn probe(home: &Home, words: &[&str]) -> Value {
    let output = home.run(&[&["media", "probe", "--json"], words].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", err(&output)));
    assert_eq!(document["exit_status"], status(&output), "{words:?}");
    document
}

/// The codes of its findings, each with the severity.
fn codes(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    let mut codes: Vec<String> = findings
        .iter()
        .map(|it| format!("{} {}", it["code"].as_str().unwrap(), it["severity"].as_str().unwrap()))
        .collect();
    codes.sort();
    codes
}

/// A file of bytes in the home.
fn kept(home: &Home, name: &str, bytes: &[u8]) -> PathBuf {
    let path = home.0.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The path as the command line takes it.
fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A capture of the field, or `None` with a word about it.
fn capture(name: &str) -> Option<PathBuf> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../../shared/corpus/pcap", name].iter().collect();
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: the captures of the field are not here ({name})");
    None
}

/// Debian's own, not one of a developer's.
const PYTHON: &str = "/usr/bin/python3";

/// Whether the tools are here; says loudly what is missing.
fn has(test: &str, tools: &[&str]) -> bool {
    let works = |tool: &&str| {
        let found = Command::new("sh").args(["-c", "command -v \"$0\"", tool]).output();
        found.is_ok_and(|found| found.status.success())
    };
    let missing: Vec<&&str> = tools.iter().filter(|tool| !works(tool)).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: {test} needs {missing:?}");
    }
    missing.is_empty()
}
