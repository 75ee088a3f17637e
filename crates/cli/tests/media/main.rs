//! Media through the public door: captures that are made here, and those of the field where they are at hand.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong, says what it left out, and knows its documents"
)]

mod field;
mod rings;
mod studio;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other suites use all of it")]
mod support;
mod tricky;

use std::path::{Path, PathBuf};

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
