//! Captures through the public door: the binary is given files as people have them, whole, packed, damaged and hostile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test stops where something is wrong, says what it left out, and makes bytes of numbers that it knows"
)]

mod damaged;
mod eve;
mod evidence;
mod files;
mod forms;
mod hostile;
mod judged;
mod packets;
#[path = "../support/mod.rs"]
mod support;

use std::process::Command;

use serde_json::Value;

use support::{Home, err, status};

/// What `read --json` says, whatever the exit status.
fn document(home: &Home, words: &[&str]) -> Value {
    let output = home.run(&[&["read", "--json"], words].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", err(&output)));
    assert_eq!(document["exit_status"], status(&output), "{words:?}");
    document
}

/// A list of a document.
fn array<'d>(document: &'d Value, name: &str) -> &'d [Value] {
    document[name].as_array().unwrap_or_else(|| panic!("no list {name}"))
}

/// Whether a program is installed; says loudly if not.
fn installed(program: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {test} needs {program}");
    }
    found
}

/// The path as the command line takes it.
fn word(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}
