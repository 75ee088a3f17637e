//! Who may know whom (DESIGN: an arrow between crates only ever points this way).

use std::collections::BTreeMap;
use std::process::Command;

use crate::{none, root, text};

/// Each crate and what it may use of the workspace.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("registry", &["model"]),
    ("wire", &["model"]),
    ("media", &["model", "wire"]),
    ("traffic", &["model", "wire"]),
    ("verdict", &["model", "registry"]),
    ("host", &["model", "wire"]),
    ("store", &["model"]),
    ("engine", &["model", "registry", "wire", "media", "traffic", "verdict", "host", "store"]),
    ("api", &["model", "engine"]),
    ("fleet", &["model", "engine"]),
    (
        "cli",
        &[
            "model", "registry", "wire", "media", "traffic", "verdict", "host", "store", "engine", "api",
            "fleet",
        ],
    ),
];

/// The tasks make files out of what the crates know.
const NO_CRATE_OF_THE_PRODUCT: &str = "xtask";

/// What a crate of the workspace uses.
struct Use {
    user: String,
    used: String,
    only_in_tests: bool,
    of_the_workspace: bool,
}

fn short(package: &str) -> &str {
    if package == "portreeve" { "cli" } else { package.strip_prefix("portreeve-").unwrap_or(package) }
}

fn uses() -> Vec<Use> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata.get("packages").and_then(|packages| packages.as_array()).unwrap();
    let name =
        |value: &serde_json::Value| value.get("name").and_then(|name| name.as_str()).unwrap().to_owned();
    let mut found = Vec::new();
    for package in packages {
        for dependency in package.get("dependencies").and_then(|list| list.as_array()).unwrap() {
            found.push(Use {
                user: short(&name(package)).to_owned(),
                used: short(&name(dependency)).to_owned(),
                only_in_tests: dependency.get("kind").and_then(|kind| kind.as_str()) == Some("dev"),
                of_the_workspace: dependency.get("path").is_some_and(|path| path.is_string()),
            });
        }
    }
    assert!(found.len() > 10, "metadata lists no dependencies");
    found
}

#[test]
fn crates_use_only_what_they_may() {
    let may_use: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut faults = Vec::new();
    for arrow in uses().iter().filter(|arrow| arrow.of_the_workspace && arrow.user != NO_CRATE_OF_THE_PRODUCT)
    {
        match may_use.get(arrow.user.as_str()) {
            None => faults.push(format!("{} has no place in the list of crates", arrow.user)),
            Some(allowed) if !arrow.only_in_tests && !allowed.contains(&arrow.used.as_str()) => {
                faults.push(format!("{} must not use {}", arrow.user, arrow.used));
            }
            Some(_) => {}
        }
    }
    none("an arrow points the wrong way", faults);
}

#[test]
fn the_nouns_need_nothing() {
    let faults = uses()
        .into_iter()
        .filter(|arrow| arrow.user == "model" && !arrow.only_in_tests)
        .map(|arrow| arrow.used)
        .collect();
    none("model must use nothing, for everything uses model", faults);
}

#[test]
fn nouns_and_parsers_do_without_an_operating_system() {
    for name in ["model", "wire"] {
        let text = text(format!("crates/{name}/src/lib.rs").as_ref()).unwrap();
        assert!(text.lines().any(|line| line == "#![no_std]"), "{name} is not no_std");
    }
}
