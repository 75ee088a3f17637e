//! The rules of the house, as tests: who may know whom, what every file says of itself, and what is found nowhere.

#![expect(clippy::unwrap_used, reason = "in a test a panic is how it fails")]

mod arrows;
mod sources;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every file of the tree, relative to its root, without what is built and what belongs to git.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A test that runs beside us may take its folder away while we read.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let relative = path.strip_prefix(root()).unwrap().to_path_buf();
            let skipped = ["target", ".git", "fuzz/target", "fuzz/artifacts", "fuzz/coverage"];
            if skipped.iter().any(|skipped| relative == Path::new(skipped)) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() => found.push(relative),
                _ => {}
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "the tree was not found");
    found
}

/// The files that are written in Rust or C, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|extension| ["rs", "c", "h"].iter().any(|known| extension == *known))
    };
    files().into_iter().filter(is_source).filter_map(|path| Some((path.clone(), text(&path)?))).collect()
}

/// A file's text; `None` where it is not text or is gone.
fn text(path: &Path) -> Option<String> {
    String::from_utf8(fs::read(root().join(path)).ok()?).ok()
}

/// Fails with every fault at once.
fn none(rule: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}
