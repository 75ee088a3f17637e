//! Builds every fuzz target with the ordinary compiler and runs each for a while, with limits on memory and time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::Outcome;
use crate::say::{installed, read_text, run as run_command, say, skip, warn};

/// A target may use this much; a parser that needs more grows with what a stranger claims.
const MEMORY_MB: u32 = 512;
/// A single input may take this long.
const INPUT_SECONDS: u32 = 5;
/// Inputs are no longer than this.
const INPUT_BYTES: u32 = 16 * 1024;

/// The instrumentation that the fuzzer steers by: which edges were taken, and what was compared with what.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Builds and runs.
pub fn run(arguments: &[String]) -> Outcome {
    let mut seconds = 10;
    let mut wanted = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let number = rest.next().ok_or("fuzz: --seconds needs a number")?;
            seconds = number.parse().map_err(|error| format!("fuzz: --seconds {number}: {error}"))?;
        } else {
            wanted.push(argument.clone());
        }
    }
    let folder = crate::root().join("fuzz");
    if wanted == ["--list"] {
        return list(&folder);
    }
    let targets = targets(&folder)?;
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        return Err(format!("fuzz: there is no target {unknown}; there are {}", targets.join(", ")));
    }
    if !["c++", "g++", "clang++"].into_iter().any(installed) {
        skip("fuzz", "the fuzzer's own library needs a C++ compiler (apt-get install g++)");
        return Ok(());
    }
    let about = read_text(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    let place = crate::root().join("target").join("fuzz");
    build(&folder, &place, host)?;

    let chosen = targets.iter().filter(|target| wanted.is_empty() || wanted.contains(target));
    let (waiting, failed) = (Mutex::new(chosen), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok()?.next();
    let work = || {
        while let Some(target) = next() {
            let binary = place.join(host).join("release").join(target);
            match fuzz(&folder, &place, &binary, target, seconds) {
                Ok(summary) => say(&format!("fuzz {target}: {summary}")),
                Err(why) => failed.lock().map_or((), |mut failed| failed.push(why)),
            }
        }
    };
    // A target is one thread and does not wait: one per processor.
    let many = thread::available_parallelism().map_or(1, usize::from);
    let whole = thread::scope(|scope| {
        let workers: Vec<_> = (0..many).map(|_| scope.spawn(work)).collect();
        workers.into_iter().all(|worker| worker.join().is_ok())
    });
    let failed = failed.into_inner().unwrap_or_default();
    match (whole, failed.is_empty()) {
        (true, true) => Ok(()),
        (false, true) => Err(String::from("fuzz: a worker ended before its time")),
        (_, false) => Err(failed.join("\n")),
    }
}

fn build(folder: &Path, place: &Path, host: &str) -> Outcome {
    run_command(
        Command::new("cargo")
            .args([
                "build",
                "--quiet",
                "--locked",
                "--release",
                "--bins",
                "--target",
                host,
                "--manifest-path",
            ])
            .arg(folder.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", place)
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
            // The pass that instruments is not offered to the stable compiler otherwise.
            .env("RUSTC_BOOTSTRAP", "1"),
    )
}

/// Runs one target and gives what it did, in a few words.
fn fuzz(folder: &Path, place: &Path, binary: &Path, target: &str, seconds: u32) -> Result<String, String> {
    let corpus = place.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for new in [&corpus, &artifacts] {
        fs::create_dir_all(new).map_err(|error| format!("{}: {error}", new.display()))?;
    }
    let mut command = Command::new(binary);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-malloc_limit_mb={}", MEMORY_MB / 2))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .arg(&corpus);
    let seeds = folder.join("seeds").join(target);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    let output = command.output().map_err(|error| format!("{}: {error}", binary.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<&str> = log.lines().collect();
        warn(&lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n"));
        return Err(format!("fuzz {target}: {}; the input is in {}", output.status, artifacts.display()));
    }
    let statistic = |name: &str| {
        let found = log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
        found.map_or("?", |rest| rest.trim_start_matches(':').trim()).to_owned()
    };
    let edges = log.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next());
    Ok(format!(
        "{} inputs, {} edges, {} MB",
        statistic("number_of_executed_units"),
        edges.unwrap_or("?"),
        statistic("peak_rss_mb")
    ))
}

/// The line of Cargo.toml behind which the targets are listed.
const MARK: &str = "# One entry per file in fuzz_targets/";

/// The targets: the files in `fuzz_targets/`, each of which Cargo.toml must list.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let files = files(folder)?;
    let (_, listed) = manifest(folder)?;
    if listed.trim() == entries(&files).trim() {
        return Ok(files);
    }
    Err("fuzz/Cargo.toml does not list the files in fuzz_targets/; run cargo xtask fuzz --list".to_owned())
}

/// Lists the targets in Cargo.toml.
fn list(folder: &Path) -> Outcome {
    let (head, _) = manifest(folder)?;
    let path = folder.join("Cargo.toml");
    let text = format!("{head}\n{}", entries(&files(folder)?));
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn files(folder: &Path) -> Result<Vec<String>, String> {
    let mut files: Vec<String> = fs::read_dir(folder.join("fuzz_targets"))
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(Result::ok)
        .map(|entry| PathBuf::from(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    files.sort();
    Ok(files)
}

/// The manifest up to and with the line of the mark, and what follows it.
fn manifest(folder: &Path) -> Result<(String, String), String> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).map_err(|error| format!("fuzz: {error}"))?;
    let after = text.find(MARK).and_then(|mark| text.get(mark..)).and_then(|rest| rest.split_once('\n'));
    let (_, entries) = after.ok_or("fuzz/Cargo.toml has lost the line that the list of targets follows")?;
    let head = text.strip_suffix(entries).unwrap_or(&text);
    Ok((head.to_owned(), entries.to_owned()))
}

fn entries(targets: &[String]) -> String {
    let each = targets.iter().map(|name| {
        let path = format!("fuzz_targets/{name}.rs");
        format!("[[bin]]\nname = \"{name}\"\npath = \"{path}\"\ntest = false\ndoc = false\nbench = false\n")
    });
    each.collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_listed_asserts_something_and_has_seeds() {
        let folder = crate::root().join("fuzz");
        for target in targets(&folder).unwrap() {
            let text = fs::read_to_string(folder.join("fuzz_targets").join(format!("{target}.rs"))).unwrap();
            // The assertions stand in the target itself or in a function of the crate that it calls.
            assert!(text.contains("assert") || text.contains("::check"), "{target} cannot fail");
            let seeds = fs::read_dir(folder.join("seeds").join(&target)).map(Iterator::count);
            assert!(seeds.is_ok_and(|count| count > 0), "{target} has no seeds in fuzz/seeds/{target}");
        }
    }
}
