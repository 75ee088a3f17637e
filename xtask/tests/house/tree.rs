//! What must stand nowhere in the tree, and which papers a repository has.

use std::fs;
use std::path::Path;

use crate::{files, none, root, text};

#[test]
fn no_path_of_a_machine_and_no_package_registry_is_named() {
    // In two halves, so that this file does not name them either.
    let paths = [
        ("/work/", "main"),
        ("/work/", "shared"),
        ("/root/", ".cargo"),
        ("/root/", ".rustup"),
        ("/tmp/", "t-"),
    ];
    let hosts =
        [("crates", ".io"), ("npmjs", ".org"), ("npmjs", ".com"), ("pypi", ".org"), ("deb.debian", ".org")];
    let forbidden: Vec<String> = paths.iter().chain(&hosts).map(|(one, two)| format!("{one}{two}")).collect();
    let mut faults = Vec::new();
    for path in files() {
        // cargo writes where each dependency came from.
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        let Ok(bytes) = fs::read(root().join(&path)) else { continue };
        // Objects and tables, too: compilers write paths into what they make.
        let text = String::from_utf8_lossy(&bytes);
        for name in forbidden.iter().filter(|name| text.contains(name.as_str())) {
            faults.push(format!("{}: {name}", path.display()));
        }
    }
    none("what holds on one machine only is written nowhere", faults);
}

#[test]
fn the_papers_are_there() {
    let papers = [
        "README.md",
        "ARCHITECTURE.md",
        "THREAT_MODEL.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "rustfmt.toml",
        ".ci/run",
    ];
    let missing =
        papers.into_iter().filter(|paper| !root().join(paper).is_file()).map(str::to_owned).collect();
    none("a paper is missing", missing);
}

#[test]
fn the_check_calls_what_the_readme_says() {
    let readme = text(Path::new("README.md")).unwrap();
    let check = text(Path::new(".ci/run")).unwrap();
    let command = "cargo xtask test --install";
    assert!(
        readme.lines().any(|line| line.trim() == command),
        "README.md does not tell how to run the tests"
    );
    assert!(
        check.lines().any(|line| line.trim() == format!("exec {command}")),
        ".ci/run runs something else"
    );
}

#[test]
fn links_between_papers_lead_somewhere() {
    let mut faults = Vec::new();
    for path in files() {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = text(&path).unwrap_or_default();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let elsewhere =
                target.is_empty() || target.contains("://") || target.contains(char::is_whitespace);
            let folder = root().join(path.parent().unwrap_or(Path::new("")));
            if !elsewhere && !folder.join(target).exists() {
                faults.push(format!("{}: {link}", path.display()));
            }
        }
    }
    none("a link leads nowhere", faults);
}
