//! Which licences the dependencies have, and where they come from: what deny.toml allows, checked without a further tool.
//!
//! cargo-deny reads the same file, where it is installed; it takes minutes to build, and this takes none.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::Outcome;
use crate::say::{installed, read, run as run_command, say, skip};

/// Checks every dependency of every target.
pub fn check() -> Outcome {
    let text =
        fs::read_to_string(crate::root().join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = allowed(&text);
    if allowed.is_empty() {
        return Err("deny.toml allows no licence".to_owned());
    }
    let mut count = 0;
    let mut faults = Vec::new();
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let output = read(
            Command::new("cargo")
                .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
                .arg(crate::root().join(manifest)),
        )?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&output).map_err(|error| error.to_string())?;
        for package in metadata.get("packages").and_then(|packages| packages.as_array()).into_iter().flatten()
        {
            let field = |name: &str| package.get(name).and_then(|value| value.as_str());
            let name = field("name").unwrap_or_default();
            count += 1;
            match field("license") {
                Some(licence) if holds(licence, &allowed) => {}
                Some(licence) => faults.push(format!("{name}: {licence} is not allowed by deny.toml")),
                None => faults.push(format!("{name}: states no licence")),
            }
            // `None` is a folder of ours; a git address is neither fixed nor kept.
            if field("source").is_some_and(|source| !source.starts_with("registry+")) {
                faults.push(format!("{name}: does not come from the registry"));
            }
        }
    }
    if !faults.is_empty() {
        faults.sort();
        faults.dedup();
        return Err(faults.join("\n"));
    }
    say(&format!("licences: {count} packages, all allowed"));
    if !installed("cargo-deny") {
        skip(
            "cargo deny check",
            "cargo-deny is not installed (cargo install --locked cargo-deny); advisories were not read",
        );
        return Ok(());
    }
    let deny = |words: &[&str]| {
        run_command(Command::new("cargo").arg("deny").args(words).current_dir(crate::root()))
    };
    deny(&["check", "bans", "licenses", "sources"])?;
    // Where the list is not to be had, nothing was found because nobody could look.
    if let Err(why) = deny(&["fetch", "db"]) {
        skip("advisories", &why);
        return Ok(());
    }
    deny(&["check", "advisories"])
}

/// The list `allow` of deny.toml's section on licences.
fn allowed(text: &str) -> BTreeSet<&str> {
    let section = text.split_once("\n[licenses]").map(|(_, rest)| rest).unwrap_or_default();
    let section = section.split_once("\n[").map_or(section, |(section, _)| section);
    let list = section.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']'));
    list.map(|(list, _)| list.split('"').skip(1).step_by(2).collect()).unwrap_or_default()
}

/// Whether an SPDX expression can be met with what is allowed.
fn holds(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    // The old form of a choice.
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    let met = either(&tokens, &mut at, allowed);
    met && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut met = both(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        let other = both(tokens, at, allowed);
        met = met || other;
    }
    met
}

fn both(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        let other = one(tokens, at, allowed);
        met = met && other;
    }
    met
}

fn one(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<&str>) -> bool {
    let token = tokens.get(*at).copied().unwrap_or_default();
    *at += 1;
    if token == "(" {
        let met = either(tokens, at, allowed);
        *at += 1;
        return met;
    }
    // An exception only ever gives more leave.
    if tokens.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    allowed.contains(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Unicode-3.0"]);
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(holds(good, &allowed), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR GPL-3.0) AND GPL-3.0",
            "",
            "MIT OR",
            "(MIT",
            "MIT Apache-2.0",
        ] {
            assert!(!holds(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn the_list_is_read_out_of_its_own_section() {
        let text = "[bans]\nallow = [\"no\"]\n\n[licenses]\n# why\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\n[sources]\n";
        assert_eq!(allowed(text), BTreeSet::from(["ISC", "MIT"]));
    }

    #[test]
    fn every_dependency_is_allowed() {
        check().unwrap();
    }
}
